"""Batches: values, order, memory order and dtype, from arrays and from iterables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.autograd import Tensor
from tinynet.data import (
    ArrayBatches,
    Epochs,
    IterableBatches,
    as_batches,
    is_iterable_of_batches,
    weights_from_classes,
)
from tinynet.kernels import common
from tinynet.utils import set_random_seed


@given(samples=st.integers(1, 70), size=st.integers(1, 33), shuffle=st.sampled_from([True, False, "batch"]))
def test_every_sample_once_an_epoch(samples, size, shuffle):
    x = (
        np.arange(samples * 6, dtype=np.uint8).reshape(samples, 2, 3)
        if samples < 40
        else np.zeros((samples, 2, 3))
    )
    y, weight = np.arange(samples), np.linspace(0, 1, samples)
    batches = ArrayBatches(x, y, weight, batch_size=size, shuffle=shuffle)
    assert batches.steps == -(-samples // size)
    for _ in range(2):
        parts = list(batches.epoch())
        assert [len(p[0]) for p in parts] == [size] * (samples // size) + (
            [samples % size] if samples % size else []
        )
        order = np.concatenate([p[1] for p in parts])
        np.testing.assert_array_equal(np.sort(order), y)
        np.testing.assert_array_equal(np.concatenate([p[0] for p in parts]), x[order].astype(np.float32))
        np.testing.assert_allclose(np.concatenate([p[2] for p in parts]), weight[order].astype(np.float32))
        if shuffle == "batch":
            assert all(
                sorted(p[1]) == list(range(i * size, i * size + len(p[1]))) for i, p in enumerate(parts)
            )
        if shuffle is False:
            np.testing.assert_array_equal(order, y)


def test_batches_lie_in_batch_last_memory():
    x = np.random.default_rng(0).integers(0, 255, (40, 4, 5, 3), np.uint8)
    y = np.eye(10)[np.arange(40) % 10]
    for source in (ArrayBatches(x, y, batch_size=16, shuffle=True), IterableBatches([(x[:16], y[:16])])):
        images, targets, weight = next(source.epoch())
        assert weight is None
        assert images.dtype == targets.dtype == np.float32
        for batch in (images, targets):
            assert common.is_batch_last(batch)
            assert batch.transpose(*range(1, batch.ndim), 0).flags.c_contiguous
    assert ArrayBatches(x).columns[0].data is x, "the data stay as they are"


def test_batches_are_written_where_the_caller_says():
    """The smaller last batch does not fit and gets arrays of its own."""
    x, y = np.arange(40, dtype=np.uint8).reshape(10, 4), np.arange(10)
    weight = np.linspace(0, 1, 10, dtype=np.float32)
    places = tuple(
        common.empty(x, shape, dtype) for shape, dtype in (((4, 4), "f4"), ((4,), "i8"), ((4,), "f4"))
    )
    for steps in (None, 3):
        epochs = Epochs(ArrayBatches(x, y, weight, batch_size=4), steps)
        for step, batch in epochs.epoch(lambda samples: places):
            assert [a is b for a, b in zip(batch, places, strict=True)] == [step < 2] * 3
            part = slice(4 * step, 4 * step + 4)
            for found, expected in zip(batch, (x, y, weight), strict=True):
                np.testing.assert_array_equal(found, expected[part])


def test_order_follows_the_seed_and_changes_by_epoch():
    def orders():
        set_random_seed(4)
        batches = ArrayBatches(np.zeros((50, 1)), np.arange(50), batch_size=50, shuffle=True)
        return [next(batches.epoch())[1].tolist() for _ in range(3)]

    first = orders()
    assert first == orders()
    assert first[0] != first[1] != first[2]


def test_dtypes_of_targets():
    x = np.zeros((4, 2))
    for y, dtype in [
        (np.arange(4), np.int64),
        (np.ones(4), np.float32),
        (np.zeros((4, 3), np.uint8), np.uint8),
    ]:
        assert next(ArrayBatches(x, y).epoch())[1].dtype == dtype
    assert next(ArrayBatches(x, np.ones(4), dtype="float64").epoch())[1].dtype == np.float64
    assert next(ArrayBatches([[1, 2], [3, 4]], [0, 1]).epoch())[0].dtype == np.float32
    assert next(ArrayBatches(Tensor(x), Tensor(x)).epoch())[0].shape == (4, 2)


class Loader:
    """A sequence of batches that counts its epochs."""

    ended = 0

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return np.full((2, 1), i), np.full(2, i)

    def on_epoch_end(self):
        self.ended += 1


def test_loaders_with_a_length():
    loader = Loader()
    batches = as_batches(loader)
    assert batches.steps == 3
    for _ in range(2):
        assert [y[0] for _, y, _ in batches.epoch()] == [0, 1, 2]
    assert loader.ended == 2


def test_what_counts_as_batches():
    x = np.zeros((2, 2))
    assert is_iterable_of_batches(iter([]))
    assert is_iterable_of_batches([(x, x)])
    assert is_iterable_of_batches(Loader())
    assert not is_iterable_of_batches(x)
    assert not is_iterable_of_batches([[1, 2], [3, 4]])
    assert not is_iterable_of_batches(Tensor(x))


def test_generators_are_not_read_ahead():
    read = []

    def generate():
        for i in range(10):
            read.append(i)
            yield np.zeros((1, 1)), np.zeros(1)

    epochs = Epochs(as_batches(generate()), 3)
    assert len(list(epochs.epoch())) == 3
    assert read == [0, 1, 2]
    assert len(list(epochs.epoch())) == 3
    assert read == [0, 1, 2, 3, 4, 5]


def test_steps_go_on_where_the_last_epoch_stopped():
    batches = ArrayBatches(np.zeros((6, 1)), np.arange(6), batch_size=1)
    epochs = Epochs(batches, 3)
    seen = [[int(y[0]) for _, (_, y, _) in epochs.epoch()] for _ in range(3)]
    assert seen == [[0, 1, 2], [3, 4, 5], [0, 1, 2]]
    assert as_batches(np.zeros((10, 1)), steps=3).batch_size == 4


def test_class_weights():
    weights = {1: 3.0, 2: 0.5}
    expected = [1, 3, 0.5, 3]
    labels = np.array([0, 1, 2, 1])
    for y in (labels, labels[:, None], np.eye(3)[labels], labels.astype(float)):
        np.testing.assert_array_equal(weights_from_classes(y, weights), expected)
    batch = next(as_batches([(np.zeros((4, 1)), labels)], class_weight=weights).epoch())
    np.testing.assert_array_equal(batch[2], expected)


def test_bad_data_are_refused():
    with pytest.raises(ValueError, match="numbers"):
        ArrayBatches(np.array(["a", "b"]))
    with pytest.raises(ValueError, match="first axis"):
        ArrayBatches(3)
    with pytest.raises(ValueError, match="4 entries"):
        list(IterableBatches(iter([(1, 2, 3, 4)])).epoch())
    with pytest.raises(ValueError, match="same number"):
        list(IterableBatches(iter([(np.zeros((2, 1)), np.zeros(3))])).epoch())
