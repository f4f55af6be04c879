"""Steps of one's own, as Keras's guides write them: the numbers of Keras,
with and without replay, and replayed.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import layers, metrics, ops
from tinynet.models import Model
from tinynet.utils import pack_x_y_sample_weight, set_random_seed, unpack_x_y_sample_weight

from fixtures.custom_steps import CASES

STORED = json.loads(
    (Path(__file__).parent.parent / "fixtures" / "custom_steps.json").read_text(encoding="utf-8")
)


def gradients(model, loss, weights):
    return tinynet.grad(loss, weights)


def close(found, expected, what):
    np.testing.assert_allclose(
        np.asarray(found, float), np.asarray(expected, float), rtol=2e-3, atol=2e-5, err_msg=what
    )


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_the_numbers_are_those_of_keras(name, eagerly):
    expected = STORED[name]
    tinynet.config.run_functions_eagerly(eagerly)
    try:
        history, model, more = CASES[name](tinynet, gradients)
    finally:
        tinynet.config.run_functions_eagerly(False)
    assert set(history) == set(expected["history"])
    for key, values in expected["history"].items():
        close(history[key], values, key)
    weights = model.get_weights()
    assert len(weights) == len(expected["weights"])
    for i, (a, b) in enumerate(zip(weights, expected["weights"], strict=True)):
        close(a, b, f"weight {i}")
    for a, b in zip(more, expected["more"], strict=True):
        close(a, b, "what else it gives")
    assert bool(model.replay.programs) == (not eagerly), model.replay.why()


@pytest.mark.parametrize("name", CASES)
def test_replayed_steps_have_the_same_bits(name):
    runs = []
    for eagerly in (False, True):
        tinynet.config.run_functions_eagerly(eagerly)
        try:
            history, model, _ = CASES[name](tinynet, gradients)
        finally:
            tinynet.config.run_functions_eagerly(False)
        runs.append((history, model.get_weights()))
    assert runs[0][0] == runs[1][0]
    for a, b in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_array_equal(a, b)


X = np.random.default_rng(0).normal(size=(24, 5)).astype(np.float32)


def small(kind, **settings):
    set_random_seed(0)
    inputs = layers.Input((5,))
    model = kind(inputs, layers.Dense(2)(layers.Dense(4, "tanh")(inputs)))
    model.compile("sgd", "mse", **settings)
    return model


class Noisy(Model):
    """Adds noise of a SeedGenerator to its data, and trains only on those."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seeds, self.scale = tinynet.random.SeedGenerator(3), 0.1

    def train_step(self, data):
        x = unpack_x_y_sample_weight(data)[0]
        noise = self.scale * tinynet.random.normal(x.shape, seed=self.seeds)
        loss = ops.mean(ops.square(self(x + noise, training=True)))
        self.optimizer.apply(tinynet.grad(loss, self.trainable_weights), self.trainable_weights)
        return {"loss": loss}


def test_draws_of_a_seed_generator_are_new_at_each_replayed_step():
    runs = []
    for eagerly in (False, True):
        model = small(Noisy, run_eagerly=eagerly)
        losses = [model.train_on_batch(X) for _ in range(4)]
        model.scale = 0.5
        losses += [model.train_on_batch(X) for _ in range(6)]
        assert bool(model.replay.programs) != eagerly, model.replay.why()
        assert int(model.seeds.state.data[1]) == 10
        runs.append(losses)
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 10


class Peeks(Model):
    def train_step(self, data):
        logs = super().train_step(data)
        if logs["loss"] > 1e9:
            raise ArithmeticError
        return logs


def test_a_step_that_looks_at_its_loss_runs_its_python_and_says_so(capsys):
    model = small(Peeks)
    model.fit(X, X[:, :2], batch_size=4, verbose=0)
    assert not model.replay.programs
    assert not capsys.readouterr().out
    for _ in range(2):
        model.fit(X, X[:, :2], batch_size=4, epochs=2, verbose=1)
    assert capsys.readouterr().out.count("every step runs its Python") == 1, "once for a compile"
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, X[:, :2], batch_size=4, epochs=2, verbose=1)
    assert "Python" not in capsys.readouterr().out, "that was asked for"
    assert "run_eagerly" in model.replay.why()
    model.compile("sgd", "mse")
    model.fit(X, X[:, :2], batch_size=4, verbose=0)
    assert "test_customized.py" in model.replay.why()
    assert "looks at the numbers of a Tensor" in model.replay.why()


class ByWeight(Model):
    """Two optimizers whose settings change, and a metric that is reset at each batch."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.second, self.now = tinynet.optimizers.Adam(0.01), metrics.Mean(name="now")

    def train_step(self, data):
        x, y = data
        loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        kernel, *others = self.trainable_weights
        first, *rest = tinynet.grad(loss, self.trainable_weights)
        self.optimizer.apply([first], [kernel])
        self.second.apply_gradients(zip(rest, others, strict=True))
        self.now.reset_state()
        self.now.update_state(loss)
        return {"now": self.now.result(), "matrix": ops.sum(self(x), axis=0)}


@pytest.mark.parametrize("change", ["clipnorm", "beta_1", "learning_rate"])
def test_settings_of_a_second_optimizer_may_change(change):
    runs = []
    for eagerly in (False, True):
        model, found = small(ByWeight, run_eagerly=eagerly), []
        for i in range(12):
            if i == 6:
                setattr(model.second, change, {"clipnorm": 0.01, "beta_1": 0.5, "learning_rate": 0.3}[change])
            logs = model.train_on_batch(X, X[:, :2], return_dict=True)
            found += [logs["now"], logs["matrix"]]
        assert bool(model.replay.programs) != eagerly, model.replay.why()
        runs.append(found + model.get_weights())
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_a_step_reports_is_a_dictionary():
    class Tells(Model):
        def train_step(self, data):
            return 3.0

    with pytest.raises(TypeError, match=r"train_step must return a dictionary"):
        small(Tells).fit(X, X[:, :2], verbose=0)


def test_structures_arrive_as_they_are_given():
    class Two(Model):
        def call(self, x):
            return x["a"] + x["b"]

        def train_step(self, data):
            x, y, weight = unpack_x_y_sample_weight(data)
            assert isinstance(x["a"], tinynet.Tensor)
            assert weight is None
            return {"sum": ops.sum(x["a"] * 2 + x["b"]), "y": ops.sum(y)}

    model = Two()
    model.compile("sgd")
    for i in range(1, 6):
        logs = model.train_on_batch({"a": X * i, "b": X}, X, return_dict=True)
        np.testing.assert_allclose(logs["sum"], ((2 * i + 1) * X).sum(), rtol=1e-4)
    assert model.replay.programs


def test_batches_are_packed_and_unpacked():
    assert unpack_x_y_sample_weight(1) == unpack_x_y_sample_weight((1,)) == (1, None, None)
    assert unpack_x_y_sample_weight((1, 2)) == (1, 2, None)
    assert unpack_x_y_sample_weight([1, 2, 3]) == (1, 2, 3)
    with pytest.raises(ValueError, match="got 4 parts"):
        unpack_x_y_sample_weight((1, 2, 3, 4))
    for data in (1, (1, 2), (1, 2, 3), ([1],)):
        assert pack_x_y_sample_weight(*unpack_x_y_sample_weight(data)) == data


def test_checkpoints_callbacks_and_validation_go_with_it(tmp_path):
    class Custom(Model):
        def train_step(self, data):
            return super().train_step(data)

    model = small(Custom, metrics=["mae"])
    seen = []
    watch = tinynet.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(sorted(logs)))
    save = tinynet.callbacks.ModelCheckpoint(
        tmp_path / "w.weights.h5", save_weights_only=True, monitor="val_loss"
    )
    history = model.fit(
        X, X[:, :2], batch_size=8, epochs=3, validation_split=0.25, callbacks=[watch, save], verbose=0
    ).history
    assert sorted(history) == ["loss", "mae", "val_loss", "val_mae"]
    assert seen[0] == ["loss", "mae"]
    assert (tmp_path / "w.weights.h5").exists()
    plain = small(Model, metrics=["mae"])
    expected = plain.fit(X, X[:, :2], batch_size=8, epochs=3, validation_split=0.25, verbose=0).history
    for key, values in expected.items():
        np.testing.assert_allclose(history[key], values, rtol=1e-5)
