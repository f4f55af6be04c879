"""What the tests of kernels share: shapes, memory orders,
comparisons and derivatives by finite differences.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from hypothesis import strategies as st

DTYPES = (np.float32, np.float64)
BATCHES = (1, 7, 16, 33, 128)
ORDERS = ("batch_last", "C", "F", "gaps", "reversed", "backwards", "none")

dtypes = st.sampled_from(DTYPES)
orders = st.sampled_from(ORDERS)
batches = st.sampled_from(BATCHES)
seeds = st.integers(0, 2**32 - 1)


def arrange(x: np.ndarray, order: str) -> np.ndarray:
    """An array equal to `x` whose memory lies in the given order."""
    if order == "batch_last":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)
    if order == "gaps":
        wide = np.full([2 * size for size in x.shape], np.nan if x.dtype.kind == "f" else 1).astype(x.dtype)
        part = wide[tuple(slice(None, None, 2) for _ in x.shape)]
        part[...] = x
        return part
    if order == "reversed":
        return np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    if order == "backwards":
        turned = tuple(slice(None, None, -1) for _ in x.shape)
        return np.array(x[turned], order="C")[turned]
    if order == "none":  # the axes of length 1 made by None, which gives them the stride 0
        whole = np.array(x[tuple(0 if size == 1 else slice(None) for size in x.shape)], order="C")
        return whole[tuple(None if size == 1 else slice(None) for size in x.shape)]
    return np.asarray(x, order=order)


def normal(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: Any = np.float64, order: str = "C"
) -> np.ndarray:
    """Normal deviates in the given memory order."""
    return arrange(rng.standard_normal(shape).astype(dtype), order)


def distinct(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: Any = np.float64, order: str = "C"
) -> np.ndarray:
    """Numbers at least 0.01 apart and from 0, in random order: no ties and no kinks near them."""
    size = int(np.prod(shape))
    values = (rng.permutation(size) - size // 2 + 0.5) * 0.02
    return arrange(values.reshape(shape).astype(dtype), order)


@contextmanager
def unmutated(*arrays: np.ndarray) -> Iterator[None]:
    """Fails if one of `arrays` is changed within."""
    before = [array.copy() for array in arrays]
    yield
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def assert_agree(actual: Any, expected: Any, float32: float = 2e-6, float64: float = 1e-12) -> None:
    """Same dtype and shape, and values that differ by rounding: relative to the largest,
    at most the given errors.
    """
    actual, expected = (list(a) if isinstance(a, tuple) else [a] for a in (actual, expected))
    for one, other in zip(actual, expected, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        scale = np.abs(other[np.isfinite(other)]).max(initial=1.0) if other.dtype.kind == "f" else 0.0
        tolerance = (float32 if other.dtype == np.float32 else float64) * scale
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


def slope(
    f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, direction: np.ndarray, step: float = 1e-6
) -> float:
    """Derivative of the scalar f at x along `direction`, by central differences."""
    return float(f(x + step * direction) - f(x - step * direction)) / (2 * step)


def assert_gradient(
    f: Callable[[np.ndarray], Any], x: np.ndarray, gradient: np.ndarray, rng: np.random.Generator
) -> None:
    """`gradient` is the derivative of the scalar f at x (float64), tried along random directions."""
    for _ in range(3):
        direction = rng.standard_normal(x.shape)
        expected = slope(f, x, direction)
        assert abs((gradient * direction).sum() - expected) <= 1e-6 * max(
            1.0, abs(expected), np.abs(gradient).max()
        )
