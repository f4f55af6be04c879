"""Every reference kernel runs on arrays that are not NumPy's, by array expressions alone,
and agrees with NumPy.

These are the paths that CuPy arrays take where there is no CUDA kernel; `strict_array` refuses whatever CuPy
would not do, and more: it has no memory order (`cupy_stand_in` has, and devices, streams and kernels too).
"""

import numpy as np
import pytest

from tests.kernels.array_cases import CASES

import strict_array as sx
from kernel_cases import assert_agree


def single(value):
    """float64 arrays as float32."""
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value


def strict(value):
    return sx.asarray(value) if isinstance(value, np.ndarray) else value


def numpy_of(value):
    """What a kernel returned, as NumPy arrays; fails if it is not made of strict arrays."""
    if isinstance(value, tuple):
        return tuple(numpy_of(item) for item in value)
    assert isinstance(value, sx.ndarray)
    return value.get()


@pytest.mark.parametrize(
    ("kernel", "arrays", "static"), CASES, ids=lambda value: getattr(value, "__name__", "")
)
@pytest.mark.parametrize("cast", [single, lambda value: value], ids=["float32", "float64"])
def test_reference_on_strict_arrays(kernel, arrays, static, cast):
    arrays = [cast(array) for array in arrays]
    result = numpy_of(kernel(*map(strict, arrays), **static))
    expected = kernel(*arrays, **static)
    if not isinstance(expected, tuple):
        expected = np.asarray(expected)
    assert_agree(result, expected, float32=2e-5, float64=1e-12)
