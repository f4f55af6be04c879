"""What training goes on from: model files and backups keep the same."""

import numpy as np
import pytest

from tinynet import callbacks, layers, models
from tinynet.callbacks import backup_file
from tinynet.layers.seeded import layers_that_draw
from tinynet.saving import container, training_state

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(24, 6)).astype(np.float32), RNG.integers(0, 3, 24)
NAMES = ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]  # in the model's order


class Noisy(layers.Layer):
    """A layer of the user's, with two that draw."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [layers.Dropout(0.2, seed=1), layers.GaussianNoise(0.1)]

    def call(self, x, training=False):
        for part in self.parts:
            x = part(x, training=training)
        return x


def test_files_and_backups_keep_the_same(tmp_path):
    body = [layers.Dense(5), layers.Dropout(0.3), layers.Dense(3, "softmax")]
    model = models.Sequential([layers.Input((6,)), *body])
    model.compile("adam", "sparse_categorical_crossentropy")
    backup = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    model.fit(X, Y, epochs=2, verbose=0, batch_size=8, callbacks=[backup])
    model.save(tmp_path / "net.tinynet")
    description, in_file = container.read(tmp_path / "net.tinynet")
    in_backup, (numbers, *_) = backup_file.read(tmp_path / "latest.backup")
    assert description["draws"] == {"dropout": numbers["draws"][0]}
    assert numbers["draws"][0]["calls"] == 6, "a draw for each of three batches in two epochs"
    for folder, count in ((training_state.WEIGHTS, 4), (training_state.OPTIMIZER, 2 + 2 * 4)):
        named, numbered = training_state.within(in_file, folder), training_state.numbered(in_backup, folder)
        assert len(named) == len(numbered) == count
        order = map(str, range(count)) if folder == training_state.OPTIMIZER else NAMES
        for name, array in zip(order, numbered, strict=True):
            np.testing.assert_array_equal(named[name], array)


def test_layers_that_draw_are_found_within_others_each_once():
    noisy, shared = Noisy(), layers.RandomFlip()
    inner = models.Sequential([noisy, shared])
    model = models.Sequential([layers.Input((4, 4, 1)), shared, inner, layers.Flatten()])
    assert layers_that_draw(model) == [shared, *noisy.parts]
    assert layers_that_draw(noisy.parts[0]) == noisy.parts[:1]


@pytest.mark.parametrize(
    "state",
    [None, {}, {"key": [1, 2]}, {"key": [1, 2], "calls": 1, "more": 1}, {"key": [1], "calls": 1},
     {"key": [1, 1 << 32], "calls": 1}, {"key": [True, 1], "calls": 1}, {"key": [1, 2], "calls": -1},
     {"key": [1, 2], "calls": 1.0}, {"key": [1, 2], "calls": 1 << 62}],
)  # fmt: skip
def test_what_is_no_state_of_a_layer_that_draws_is_refused(state):
    with pytest.raises(ValueError, match="of the layer 'dropout'"):
        training_state.check_draws(state, "the layer 'dropout'")


def test_the_state_of_another_optimizer_is_refused():
    model = models.Sequential([layers.Input((6,)), layers.Dense(3)])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_weights)
    arrays = model.optimizer.get_weights()
    with pytest.raises(ValueError, match="the arrays of the optimizer are not those of"):
        training_state.restore_optimizer(model.optimizer, arrays[:-1])
    arrays[2] = arrays[2] + 7
    training_state.restore_optimizer(model.optimizer, arrays)
    np.testing.assert_array_equal(model.optimizer.get_weights()[2], arrays[2])
