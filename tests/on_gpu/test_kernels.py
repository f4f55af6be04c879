"""Every kernel on a GPU: what it computes, its bits, and that a step can record it. They need a GPU.

The property tests in tests/kernels run there too, by boundary.py.
"""

import numpy as np
import pytest

from tests.kernels.array_cases import CASES as REFERENCES
from tinynet.kernels import philox

from cuda_shim.cases import CASES
from kernel_cases import assert_agree


def sent(cupy, values):
    """New arrays on the GPU."""
    return [cupy.asarray(a) if isinstance(a, np.ndarray) else a for a in values]


def parts(found, arguments):
    """What an operation returned, or made of its arguments, as NumPy arrays."""
    found = tuple(arguments) if found is None else found
    return [y if y is None else y.get() for y in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_a_kernel_computes_what_its_reference_does_with_the_same_bits_each_time(cupy, case):
    operation, arrays, static = case
    expected = [np.array(a) if isinstance(a, np.ndarray) else a for a in arrays]
    found = operation[operation.reference](*expected, **static)
    expected = expected if found is None else list(found) if isinstance(found, tuple) else [found]
    results = []
    for _ in range(3):
        there = sent(cupy, arrays)
        results.append(parts(operation(*there, **static), there))
    for one, other in zip(results[0], expected, strict=True):
        if other is not None:
            assert_agree(one, np.asarray(other), float32=2e-5)
    for again in results[1:]:
        assert [None if y is None else y.tobytes() for y in again] == [
            None if y is None else y.tobytes() for y in results[0]
        ]


@pytest.mark.parametrize(
    ("kernel", "arrays", "static"), REFERENCES, ids=lambda value: getattr(value, "__name__", "")
)
def test_what_runs_on_arrays_of_cupy_computes_what_it_computes_on_those_of_numpy(
    cupy, kernel, arrays, static
):
    if kernel is philox.philox4x32:
        arrays = [np.array(a, np.uint32) for a in arrays]
    arrays = [a.astype(np.float32) if getattr(a, "dtype", None) == np.float64 else a for a in arrays]
    expected, there = kernel(*arrays, **static), sent(cupy, arrays)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for one, other in zip(parts(kernel(*there, **static), there), expected, strict=True):
        assert_agree(one, np.asarray(other), float32=2e-5)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_a_kernel_can_be_recorded(cupy, case):
    """Its launches in a CUDA graph give the bits that they give without."""
    operation, arrays, static = case
    there = sent(cupy, arrays)
    expected = parts(operation(*there, **static), there)
    there = sent(cupy, arrays)  # some are updated
    stream, pool = cupy.cuda.get_current_stream(), cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc):
        stream.begin_capture()
        try:
            recorded = operation(*there, **static)
        finally:
            graph = stream.end_capture()
    graph.launch()
    for one, other in zip(parts(recorded, there), expected, strict=True):
        assert one is other is None or one.tobytes() == other.tobytes()
