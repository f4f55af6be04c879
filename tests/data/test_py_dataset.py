"""PyDataset: an end that is known, one that is not, and iteration that stops where Keras's does."""

import itertools

import numpy as np
import pytest

import tinynet
from tinynet import layers
from tinynet.data import PyDataset, as_batches


class Random(PyDataset):
    """Batches that never say IndexError."""

    def __init__(self):
        super().__init__()
        self.asked, self.epochs = [], 0

    def __getitem__(self, index):
        self.asked.append(index)
        return np.full((4, 2), index, "float32"), np.zeros((4, 1), "float32")

    def on_epoch_end(self):
        self.epochs += 1


class Known(Random):
    def __len__(self):
        return 3


class ByProperty(Random):
    num_batches = 3


class Endless(Random):
    num_batches = None


def net():
    model = tinynet.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("make", [Known, ByProperty])
def test_iteration_ends_with_the_last_batch(make):
    data = make()
    assert [x[0, 0] for x, _ in data] == [0, 1, 2]
    assert [x[0, 0] for x, _ in data] == [0, 1, 2], "and begins anew"
    normalised = layers.Normalization()
    normalised.adapt(make())
    np.testing.assert_allclose(normalised.mean.numpy().ravel(), [1, 1])


@pytest.mark.parametrize("make", [Known, ByProperty])
def test_an_epoch_is_all_batches(make):
    data, model = make(), net()
    assert as_batches(data).steps == 3
    model.fit(data, epochs=2, verbose=0)
    assert data.asked == [0, 1, 2] * 2
    assert data.epochs == 2
    assert model.predict(make(), verbose=0).shape == (12, 1)
    assert model.evaluate(data, verbose=0) >= 0


def test_one_without_an_end():
    data, model = Endless(), net()
    assert as_batches(data).steps is None
    model.fit(data, epochs=2, steps_per_epoch=4, verbose=0)
    assert data.asked == list(range(8))
    assert [x[0, 0] for x, _ in itertools.islice(data, 5)] == [0, 1, 2, 3, 4]


def test_what_a_subclass_must_define():
    with pytest.raises(
        TypeError, match=r"must define __len__\(self\), the number of batches, or num_batches"
    ):
        net().fit(Random(), verbose=0)

    class Lengthy(PyDataset):
        def __len__(self):
            return 1

    with pytest.raises(TypeError, match="must define __getitem__"):
        net().fit(Lengthy(), verbose=0)


def test_the_size_of_batches_is_the_datasets_own():
    data = Known()
    model = net()
    model.fit(data, batch_size=64, validation_data=Known(), validation_batch_size=64, verbose=0)
    assert data.asked == [0, 1, 2]
    assert model.predict(Known(), batch_size=5, verbose=0).shape == (12, 1)
    assert model.evaluate(iter(Known()), batch_size=5, verbose=0) == model.evaluate(Known(), verbose=0)
