"""Memory order: logical axes stay, the batch lies innermost, and nothing is copied that already does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common

import strict_array
from kernel_cases import arrange, batches, orders

shapes = st.sampled_from([(), (3,), (1, 1, 1), (4, 5, 2)])


@given(batches, shapes, st.sampled_from([np.uint8, np.float32, np.float64]))
def test_empty_is_batch_last(n, shape, dtype):
    x = common.empty(np.zeros(1, dtype), (n, *shape))
    assert x.shape == (n, *shape)
    assert x.dtype == dtype
    assert common.is_batch_last(x)
    assert np.shares_memory(common.batch_last(x), x)
    assert common.empty(x, (n, *shape), np.int32).dtype == np.int32


@given(batches, shapes, orders)
def test_batch_last_shows_the_same_numbers(n, shape, order):
    x = arrange(np.random.default_rng(0).standard_normal((n, *shape)), order)
    rotated = common.batch_last(x)
    assert rotated.flags.c_contiguous
    assert rotated.shape == (*shape, n)
    np.testing.assert_array_equal(np.moveaxis(rotated, -1, 0), x)
    np.testing.assert_array_equal(common.from_batch_last(rotated), x)


def test_copies_only_what_it_must(monkeypatch):
    calls = []
    convert = common.to_batch_last
    monkeypatch.setattr(common, "to_batch_last", lambda *args: calls.append(args) or convert(*args))
    x = convert(np.arange(84.0).reshape(7, 3, 2, 2))
    assert np.shares_memory(common.batch_last(x), x)
    flat = x.reshape(7, 12)  # Flatten keeps the order
    assert np.shares_memory(common.batch_last(flat), x)
    assert not calls
    common.batch_last(np.ascontiguousarray(x))
    assert len(calls) == 1


def test_conversion_casts():
    x = common.to_batch_last(np.arange(12, dtype=np.uint8).reshape(3, 4), np.float32)
    assert x.dtype == np.float32
    assert common.is_batch_last(x)
    assert x.tolist() == np.arange(12).reshape(3, 4).tolist()


def test_other_modules_keep_their_own_order():
    x = common.empty(strict_array.zeros((2, 3)), (5, 2), np.float32)
    assert isinstance(x, strict_array.ndarray)
    assert x.shape == (5, 2)
    assert x.dtype == np.float32


@pytest.mark.parametrize("value", [np.ones(2), 1.0, [1, 2], np.float32(1)])
def test_module_of_numpy_values(value):
    assert common.xp(value) is np
