"""Every kernel on CuPy's arrays: it gives what it gives on NumPy's, copies nothing, and can be captured.

The stand-in for CuPy takes its place: these are no GPU tests. Kernels written in CUDA run through the shim.
"""

import numpy as np
import pytest

from tests.kernels.array_cases import CASES
from tinynet.kernels import batching, common, constants, elementwise, philox
from tinynet.kernels.devices import check_together, device_of

import cupy_stand_in
from cupy_stand_in import machine
from kernel_cases import assert_agree


@pytest.fixture(autouse=True)
def cupy():
    with cupy_stand_in.installed(devices=2) as module:
        module.cuda.Stream(non_blocking=True).use()
        yield module


def sent(module, value):
    return module.asarray(value) if isinstance(value, np.ndarray) else value


def parts(value):
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize(
    ("kernel", "arrays", "static"), CASES, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_kernel_copies_nothing_and_can_be_captured(cupy, kernel, arrays, static):
    if kernel is philox.philox4x32:
        arrays = [np.array(a, np.uint32) for a in arrays]  # the key too: a step's is an array
    arrays = [a.astype(np.float32) if getattr(a, "dtype", None) == np.float64 else a for a in arrays]
    expected, there = parts(kernel(*arrays, **static)), [sent(cupy, a) for a in arrays]
    kernel(*there, **static)
    waits = machine.counts["waits"]
    found = parts(kernel(*there, **static))
    assert machine.counts["waits"] == waits
    for a, b in zip(expected, found, strict=True):
        assert_agree(b.get(), np.asarray(a), float32=2e-5)
    stream = cupy.cuda.get_current_stream()
    stream.begin_capture()
    try:
        captured = parts(kernel(*there, **static))
    finally:
        graph = stream.end_capture()
    graph.launch()
    for a, b in zip(found, captured, strict=True):
        np.testing.assert_array_equal(a.get(), b.get())


# Memory order


@pytest.mark.parametrize("shape", [(5, 2), (5, 2, 3), (1, 4), (5,), ()])
def test_new_arrays_lie_batch_last(cupy, shape):
    like = cupy.zeros((2, 2), np.float32)
    x = common.empty(like, shape)
    assert (x.shape, x.dtype, device_of(x)) == (shape, np.float32, "gpu")
    assert elementwise.memory_order(x) == ((*range(1, len(shape)), 0) if shape else ())


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_copies_turn_round_and_keep_the_values(cupy, order):
    a = np.arange(24, dtype=np.int32).reshape(np.array([2, 3, 4])[list(order)])
    back = [order.index(axis) for axis in range(3)]
    x = cupy.asarray(a).transpose(back)
    turned = common.to_batch_last(x, np.float32)
    assert turned.transpose(1, 2, 0).flags.c_contiguous
    np.testing.assert_array_equal(turned.get(), a.transpose(back))
    plain = common.contiguous(x)
    assert plain.flags.c_contiguous
    np.testing.assert_array_equal(plain.get(), a.transpose(back))
    owner = turned if turned.base is None else turned.base
    assert common.batch_last(turned).base is owner  # no other copy
    wider = elementwise.cast(x, np.dtype(np.float64))
    assert wider.transpose(order).flags.c_contiguous


def test_a_batch_is_gathered_in_batch_last_memory(cupy):
    data = np.random.default_rng(0).integers(0, 255, (9, 4, 3), np.uint8)
    index = np.array([8, 0, 3, 3, -1])
    for dtype in (None, np.float32):
        found = batching.gather(cupy.asarray(data), cupy.asarray(index), dtype)
        np.testing.assert_array_equal(found.get(), data[index])
        assert found.dtype == (dtype or np.uint8)
        assert found.transpose(1, 2, 0).flags.c_contiguous
    flat = batching.gather(cupy.asarray(data[:, 0, 0]), cupy.asarray(index))
    np.testing.assert_array_equal(flat.get(), data[index, 0, 0])


# Constants and devices


def squares(n):
    squares.calls += 1
    return np.arange(n) ** 2


def test_a_constant_is_made_and_copied_once_for_each_gpu(cupy):
    squares.calls = 0
    first = cupy.zeros(1)
    with cupy.cuda.Device(1):
        second = cupy.zeros(1)
        on_second = [constants.constant(second, squares, 4) for _ in range(2)]
    found = [constants.constant(first, squares, 4) for _ in range(2)]
    assert found[0] is found[1]
    assert on_second[0] is on_second[1]
    assert (device_of(found[0]), device_of(on_second[0]), squares.calls) == ("gpu", "gpu:1", 2)
    assert found[0].tolist() == [0, 1, 4, 9]
    assert constants.constant(first, squares, 3).tolist() == [0, 1, 4]
    assert type(constants.constant(np.zeros(1), squares, 4)) is np.ndarray


def test_a_constant_is_there_for_all_streams_and_leaves_a_capture_alone(cupy):
    """The host waits until it is there; and the capture goes on, on the stream that captures."""
    x, stream, other = cupy.zeros(1), *[cupy.cuda.Stream(non_blocking=True) for _ in range(2)]
    with other:
        stream.use()
        waits = machine.counts["waits"]
        stream.begin_capture()
        made = constants.constant(x, squares, 5)
        assert machine.counts["waits"] > waits + 1, "for the copy, and for its stream"
        assert cupy.cuda.get_current_stream() is stream
        y = x + 1
        stream.end_capture().launch()
        waits = machine.counts["waits"]
        constants.constant(x, squares, 6)
        assert machine.counts["waits"] > waits + 1
    assert (made.tolist(), y.tolist()) == ([0, 1, 4, 9, 16], [1])


def test_settings_that_change_are_noticed(cupy):
    x, scale = cupy.zeros(2), np.array([1.0, 2.0])
    assert constants.settled(np.zeros(2), scale) is scale
    first = constants.settled(x, scale)
    assert constants.settled(x, scale.copy()) is first
    scale[0] = 5
    assert constants.settled(x, scale).tolist() == [5, 2]
    assert first.tolist() == [1, 2]


def test_what_is_no_array_lies_nowhere(cupy):
    x = cupy.zeros(2)
    assert check_together("sum", [x, 1.0, None, "words", x]) == "gpu"
    assert check_together("sum", []) == "cpu"
    with pytest.raises(ValueError, match="sum: its operands lie on two devices, cpu and gpu"):
        check_together("sum", [x, np.zeros(2)])
