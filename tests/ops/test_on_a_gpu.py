"""Every operation computes on CuPy's arrays what it computes on NumPy's, and leaves its results there.

The stand-in for CuPy takes its place: these are no GPU tests. Kernels written in CUDA run through the shim.
"""

import numpy as np
import pytest

import tinynet
from tinynet import Tensor, ops
from tinynet.backend import device
from tinynet.kernels.devices import device_of

import cupy_stand_in
from cupy_stand_in import machine
from ops.calls import CALLS, arrays

# How many copies a call makes, and why
COPIES = {
    "convert_to_numpy": 1,  # that is what it is for
    "getitem by a mask": 1,  # how many elements there are
    "to_device": 1,  # the line says "cpu"
}  # fmt: skip


@pytest.fixture(autouse=True)
def cupy():
    with cupy_stand_in.installed(devices=2) as module:
        tinynet.set_device("gpu")
        yield module
        tinynet.set_device("cpu")


def flat(value):
    """What a function returned, as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def raw(value):
    return value.data if isinstance(value, Tensor) else value


@pytest.mark.parametrize("kind", [lambda x: x, Tensor], ids=["arrays", "Tensors"])
@pytest.mark.parametrize("name", CALLS)
def test_an_operation_gives_what_it_gives_on_the_cpu(name, kind, cupy):
    function, _ = CALLS[name]
    given = arrays(name)
    with tinynet.device("cpu"):
        expected = flat(function(ops, *[kind(x) for x in given]))
    there = [kind(device.to_device(x)) for x in given]
    function(ops, *there)
    before = machine.counts["waits"]
    found = flat(function(ops, *there))
    assert machine.counts["waits"] - before == COPIES.get(name, COPIES.get(name.split()[0], 0)), (
        machine.counts
    )
    for a, b in zip(expected, found, strict=True):
        a, b = raw(a), raw(b)
        if not hasattr(a, "dtype"):
            assert a == b
            continue
        if name not in ("convert_to_numpy", "to_device"):
            assert device_of(b) == "gpu"
        np.testing.assert_allclose(device.to_host(b), a, rtol=1e-5, atol=1e-6)
        assert a.dtype == b.dtype


@pytest.mark.parametrize(
    ("name", "f"),
    {
        "add": lambda a, b: a + b,
        "multiply": lambda a, b: a * b,
        "subtract": lambda a, b: a - b,
        "where": lambda a, b: ops.where([[True, False]], a, b),
        "maximum": ops.maximum,
        "join": lambda a, b: ops.concatenate([a, b]),
        "matmul": ops.matmul,
        "dense": lambda a, b: ops.linear(a, b, None),
        "conv2d": lambda a, b: ops.conv2d(ops.reshape(a, (1, 2, 2, 1)), ops.reshape(b, (2, 2, 1, 1))),
    }.items(),
)
@pytest.mark.parametrize("places", [("cpu", "gpu"), ("gpu", "cpu"), ("gpu", "gpu:1"), ("gpu:1", "cpu")])
def test_operands_on_two_devices_are_an_error_that_names_both(name, f, places):
    a, b = (ops.to_device(Tensor(np.eye(2, dtype=np.float32) + 0.5), place) for place in places)
    with pytest.raises(ValueError, match=r"lie on two devices, (cpu|gpu|gpu:1) and (gpu|gpu:1)\.") as caught:
        f(a, b)
    text = str(caught.value)
    assert all(f" {place}" in text for place in places)
    assert f"model.to_device({places[1] if places[1] != 'cpu' else places[0]!r})" in text


@pytest.mark.parametrize(
    "index",
    [
        lambda i, j: i,
        lambda i, j: (i, j),
        lambda i, j: (slice(None), i),
        lambda i, j: (slice(None), i, j[:, None]),
        lambda i, j: (i, slice(None)),
        lambda i, j: (slice(None), slice(None), j.reshape(5, 1)),
    ],
)
def test_what_is_read_several_times_is_added_up_without_atomics(index):
    """CuPy's add.at adds in another order each time."""
    rng = np.random.default_rng(0)
    x, at = rng.normal(size=(4, 4, 4)).astype(np.float32), index(np.array([1, 3, -1, 1, 0]), np.arange(5) % 2)
    weight = rng.normal(size=x[at].shape).astype(np.float32)
    expected = np.zeros(x.shape)
    np.add.at(expected, at, weight)
    there = Tensor(device.to_device(x), requires_grad=True)
    before = machine.counts["add.at"]
    gradient = tinynet.grad(ops.sum(there[at] * device.to_device(weight)), there)
    assert machine.counts["add.at"] == before
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("turn", [(0, 1, 2), (1, 2, 0), (2, 0, 1)])
def test_arithmetic_keeps_the_memory_order(turn, cupy):
    """Of the first operand that has the result's shape, as on the CPU; CuPy alone gives C order."""
    back = sorted(range(3), key=turn.__getitem__)
    x = np.arange(24.0, dtype=np.float32).reshape(np.array([2, 3, 4])[list(turn)]).transpose(back)
    a, row = device.to_device(x), device.to_device(np.arange(4, dtype=np.float32))
    for result, expected in (
        (ops.add(a, row), x + np.arange(4, dtype=np.float32)),
        (ops.multiply(row, a), x * np.arange(4, dtype=np.float32)),
        (ops.exp(ops.divide(a, 24)), np.exp(x / 24)),
        (ops.where(ops.greater(a, 3), a, 0.0), np.where(x > 3, x, 0)),
        (ops.cast(a, dtype="float64"), x.astype("float64")),
        (ops.negative(a), -x),
        (ops.concatenate([a, a], axis=1), np.concatenate([x, x], 1)),
    ):
        result = raw(result)
        np.testing.assert_allclose(result.get(), expected, rtol=1e-6)
        assert result.transpose(turn).flags.c_contiguous, result.strides


def test_an_id_that_is_no_row_gives_nan_and_a_label_that_is_no_class_no_hit():
    """On the CPU both are errors; to look for them a GPU would have to be waited for."""
    table = device.to_device(np.arange(6.0, dtype=np.float32).reshape(3, 2))
    found = ops.embedding(table, device.to_device(np.array([2, 3, -1, 0])))
    np.testing.assert_array_equal(raw(found).get(), [[4, 5], [np.nan] * 2, [np.nan] * 2, [0, 1]])
    predictions = device.to_device(np.array([[0.1, 0.9, 0.0]] * 3, np.float32))
    hits = tinynet.metrics.sparse_top_k_categorical_accuracy(
        device.to_device(np.array([0, 3, -1])), predictions, k=2
    )
    assert hits.get().tolist() == [1, 0, 0]


def test_lists_and_numbers_follow_what_they_meet(cupy):
    x = device.to_device(np.array([1.0, 2.0], np.float32))
    for result, expected in (
        (ops.add(x, [1, 2]), [2, 4]),
        (ops.where([True, False], x, 0.0), [1, 0]),
        (ops.where(True, 5.0, x), [5, 5]),
        (ops.take(x, [1, 1]), [2, 2]),
        (ops.take(x, 1), 2),
        (Tensor(x)[[1, 0]], [2, 1]),
        (ops.one_hot(device.to_device(np.array([1])), 2), [[0, 1]]),
    ):
        assert device_of(raw(result)) == "gpu"
        assert raw(result).tolist() == expected
