"""The stand-in for CuPy refuses what CuPy would not do, and does the rest as NumPy does."""

import numpy as np
import pytest

from tinynet.kernels.common import xp

import strict_array as sx


@pytest.fixture
def x():
    return sx.asarray(np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize(
    "attempt",
    [
        np.asarray,
        np.exp,
        np.sum,
        memoryview,
        lambda x: np.ones(3) + x,
        lambda x: x + np.ones(3),
        lambda x: x[np.array([0, 1])],
        lambda x: x.__setitem__(0, np.ones(3)),
        lambda x: np.ones((2, 3)).__setitem__(0, x),
        lambda x: sx.concatenate([x, np.ones((2, 3))]),
    ],
)
def test_refuses_numpy(x, attempt):
    with pytest.raises((TypeError, ValueError)):
        attempt(x)


def test_has_no_strides(x):
    assert not hasattr(x, "strides")


def test_module_is_found(x):
    assert xp(x) is sx


def test_results_lie_in_c_order(x):
    assert (x.T + 1)._inside.flags.c_contiguous
    assert sx.exp(x.T)._inside.flags.c_contiguous


def test_views_write_through(x):
    window = x.transpose(1, 0)[1:]
    window += 10
    assert x.get().tolist() == [[0, 11, 12], [3, 14, 15]]


def test_full_reductions_stay_arrays(x):
    assert isinstance(x.sum(), sx.ndarray)
    assert isinstance(sx.max(x), sx.ndarray)


def test_repeated_indices_accumulate():
    x = sx.zeros(3)
    sx.add.at(x, sx.asarray([0, 0, 2]), sx.asarray([1.0, 2.0, 3.0]))
    assert x.tolist() == [3, 0, 3]
