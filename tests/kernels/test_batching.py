"""Mini-batches: the right samples, cast, in batch-last memory, in one conversion."""

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import batching, batching_cuda, common, emit
from tinynet.kernels.batching import gather

from kernel_cases import arrange, batches, orders


@given(
    batches,
    st.sampled_from([(), (3,), (4, 5, 2), (7, 9)]),
    st.sampled_from([np.uint8, np.int64, np.float32, np.float64]),
    st.sampled_from([None, np.float32, np.float64]),
    orders,
)
def test_picks_and_casts(n, shape, dtype, wanted, order):
    rng = np.random.default_rng(0)
    data = arrange(rng.integers(0, 256, (50, *shape)).astype(dtype), order)
    index = rng.integers(-50, 50, n)
    batch = gather(data, index, wanted)
    np.testing.assert_array_equal(batch, data[index].astype(wanted or dtype))
    assert batch.dtype == (wanted or dtype)
    assert common.batch_last(batch).flags.c_contiguous
    assert not np.shares_memory(batch, data)


@given(
    batches,
    st.sampled_from([(), (3,), (4, 5, 2), (7, 9)]),
    st.sampled_from([np.uint8, np.int64, np.float32, np.float64]),
    st.sampled_from([np.float32, np.float64]),
)
def test_the_kernel_for_a_gpu_picks_and_casts(n, shape, dtype, wanted):
    rng = np.random.default_rng(0)
    data, index = rng.integers(0, 256, (50, *shape)).astype(dtype), rng.integers(-50, 50, n)
    out = common.empty(data, (n, *shape), wanted)
    assert batching_cuda.fits(data, out)
    batching_cuda.gather(out, data, index)
    np.testing.assert_array_equal(out, data[index].astype(wanted))


def test_on_a_gpu_what_is_no_sample_is_not_a_number():
    data, out = np.arange(8, dtype=np.float32).reshape(4, 2), np.empty((2, 4), np.float32).T
    batching_cuda.gather(out, data, np.array([3, 4, -4, -5]))
    np.testing.assert_array_equal(out[:, 0], [6, np.nan, 0, np.nan])


def test_one_launch_and_one_conversion(monkeypatch):
    launches = []
    launch = common.launch
    monkeypatch.setattr(
        batching, "launch", lambda *args, **kwargs: launches.append(args) or launch(*args, **kwargs)
    )
    monkeypatch.setattr(common, "to_batch_last", lambda *args: pytest.fail("converted once more"))
    common.batch_last(gather(np.zeros((9, 4, 4, 1), np.uint8), np.arange(7), np.float32))
    assert len(launches) == 1


@pytest.mark.parametrize("n", [1, 15, 16, 33, 50])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.float16, bool])
def test_writes_where_it_is_told(n, dtype):
    data = np.random.default_rng(n).integers(0, 256, (40, 3, 5)).astype(dtype)
    index = np.random.default_rng(n).integers(0, 40, n)
    out = common.empty(data, (n, 3, 5), np.float32)
    assert gather(data, index, np.float32, out) is out
    np.testing.assert_array_equal(out, data[index].astype(np.float32))
    samples_first = np.zeros((n, 3, 5), np.float32)
    gather(data, index, np.float32, samples_first)
    np.testing.assert_array_equal(samples_first, out)


@pytest.mark.parametrize("number", batching._NUMBERS)
@pytest.mark.parametrize(
    ("scalar", "lanes"), [("float", 4), ("float", 8), ("float", 16), ("double", 2), ("double", 8)]
)
def test_squares_are_cast_and_transposed(number, scalar, lanes):
    """On vectors of any width, squares 1 and 2 of three; what lies around them stays."""
    vectors = emit.Vectors(scalar, {"float": 4, "double": 8}[scalar], lanes, 16)
    data = np.random.default_rng(lanes).integers(0, 256, (lanes, 3 * lanes)).astype(number)
    out = np.full((3 * lanes, lanes + 1), -1, np.float32 if scalar == "float" else np.float64)
    places = np.array([row.ctypes.data for row in data])
    function = emit.address(batching.transposition(*batching._NUMBERS[number], vectors))
    ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5)(function)(
        places.ctypes.data, out.ctypes.data, out.strides[0], 1, 3
    )
    expected = np.full_like(out, -1)
    expected[lanes:, :lanes] = data.T[lanes:]
    np.testing.assert_array_equal(out, expected)


def test_read_only_data():
    data = np.frombuffer(bytes(range(12)), np.uint8).reshape(4, 3)
    assert gather(data, [1, -1], np.float32).tolist() == [[3, 4, 5], [9, 10, 11]]


def test_lists_are_indices():
    assert gather(np.arange(5.0), [4, 0]).tolist() == [4, 0]


def test_index_out_of_range():
    for dtype in (float, bool):
        for index in (3, -4):
            with pytest.raises(IndexError):
                gather(np.zeros((3, 2), dtype), np.array([0, index]))
