"""The Python that launches CUDA kernels, on a stand-in for CuPy's arrays. These are no tests on a GPU.

CuPy arrays get the implementation "cuda" by themselves, results stay on the device in batch-last memory, and
what a step repeats can be captured in a CUDA graph: no copies to or from the host, no cuBLAS.
"""

import numpy as np
import pytest

from tinynet import kernels
from tinynet.kernels import (
    activations,
    batch_norm,
    batching,
    common,
    conv2d,
    dense,
    dropout,
    group_norm,
    optimizers,
    reduce,
    softmax,
)

import cupy_stand_in
from cuda_shim import cases, shim
from cupy_stand_in import machine
from kernel_cases import assert_agree

pytestmark = pytest.mark.skipif(bool(shim.missing), reason=shim.missing)


@pytest.fixture
def cupy():
    with cupy_stand_in.installed() as module:
        yield module


def on_device(cupy, arrays):
    return [cupy.asarray(a) if isinstance(a, np.ndarray) else a for a in arrays]


def results_of(case, arrays):
    operation, _, static = case
    return cases.outcome(operation, arrays, operation(*arrays, **static))


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case[0].__name__)
def test_arrays_of_cupy_get_the_kernels(cupy, case):
    found = results_of(case, on_device(cupy, case[1]))
    assert machine.launches
    for one, other in zip(found, cases.run(case, case[0].reference), strict=True):
        if other is not None:
            assert type(one) is cupy.ndarray
            assert_agree(one.get(), np.asarray(other), float32=2e-5)
            image = one.ndim == 4 and one.shape[0] > 1 and "weight" not in case[0].__name__
            if image and case[0].__name__ != "pad":  # which keeps the order of its input
                assert one.strides[0] == one.dtype.itemsize, "not batch-last"


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case[0].__name__)
def test_a_call_can_be_captured(cupy, case):
    arrays = on_device(cupy, case[1])
    results_of(case, arrays)  # compiles
    stream = cupy.cuda.Stream(non_blocking=True).use()
    stream.begin_capture()
    results_of(case, arrays)
    stream.end_capture()


def of_no_samples(case):
    """The case with batches of no samples: arrays as long as the one whose axis 0 is the batch are cut."""
    operation, arrays, static = case
    name = operation.__name__
    if name == "put":
        return operation, (arrays[0][:0],), {"numbers": static["numbers"][:0]}
    if name == "dropout_grad":
        return operation, (arrays[0][:0], arrays[1][:0]), static
    sized = [a for a in arrays if isinstance(a, np.ndarray) and a.ndim]
    batch = sized[1 if name in ("embedding", "gather") else 0].shape[0] if sized else None
    every = operation.family == "optimizers"  # they have variables, of which each may be empty
    cut = [a[:0] if any(a is b for b in sized) and (every or len(a) == batch) else a for a in arrays]
    return operation, tuple(cut), static


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case[0].__name__)
def test_a_batch_may_be_empty(cupy, case):
    """A launch of no blocks is an error on a GPU, and sums over nothing are 0."""
    case = of_no_samples(case)
    with np.errstate(all="ignore"):  # a mean of nothing is no number
        expected = cases.run(case, case[0].reference)
    found = results_of(case, on_device(cupy, case[1]))
    for one, other in zip(found, expected, strict=True):
        if other is not None:
            assert_agree(one.get(), np.asarray(other), float32=2e-5)


def test_a_batch_may_be_longer_than_a_grid_is_high(cupy):
    """Along y a grid has 65535 blocks. Nothing runs here: only the grids are looked at."""
    samples, grids = 65536 * 32, []
    type(machine).observer = lambda name, values, grid, block: grids.append((name, grid)) or not block
    rows = cupy.asarray(np.zeros((samples, 1), np.uint8))
    x = batching.gather(rows, cupy.asarray(np.arange(samples)), "float32")
    w, b = (cupy.asarray(np.ones(shape, np.float32)) for shape in ((1, 2), 2))
    y = dense.dense(x, w, b, activation="relu")
    dense.dense_grad(y, x, w, y, activation="relu", wanted=(True, True, True))
    batch_norm.batch_norm(y, b, b, epsilon=1e-3)
    loss, _ = softmax.softmax_crossentropy(y, cupy.asarray(np.zeros(samples, np.int64)), clip=True)
    reduce.sum(loss)
    dropout.dropout(y, cupy.asarray(np.zeros(3, np.uint32)), rate=0.5)
    assert len({name.partition("<")[0] for name, grid in grids}) >= 9
    assert [(name, grid) for name, grid in grids if max(grid[1:], default=0) > 65535] == []


def test_batches_of_a_data_set_on_the_device(cupy):
    data, index = np.random.default_rng(0).integers(0, 256, (50, 6, 5)).astype(np.uint8), np.arange(33) - 9
    for held, launches in ((data, 1), (data.astype(np.uint16), 0)):  # the kernel, and what it is not made for
        machine.launches.clear()
        batch = batching.gather(cupy.asarray(held), cupy.asarray(index), "float32")
        assert len(machine.launches) == launches
        assert batch.dtype == np.float32
        assert batch.strides[0] == 4
        np.testing.assert_array_equal(batch.get(), held[index])


def test_a_kernel_is_compiled_once(cupy):
    x = cupy.asarray(np.ones((4, 5), np.float32))
    for _ in range(3):
        activations.relu(x)
    assert machine.compiled == [("forward<float, Relu>",)]
    assert machine.launches == ["forward<float, Relu>"] * 3
    activations.relu(x.astype(np.float64))
    assert machine.compiled[1:] == [("forward<double, Relu>",)]


def launched(function, *arrays, **static):
    machine.launches.clear()
    function(*arrays, **static)
    return [name.partition("<")[0] for name in machine.launches]


def test_small_layers_take_few_launches(cupy):
    """At small batches a step takes as long as it has launches."""
    g, x, w, y = (cupy.asarray(cases.normal(*shape)) for shape in ((32, 17), (32, 9), (9, 17), (32, 17)))
    gradient = {"activation": "relu", "wanted": (False, False, True)}
    assert launched(dense.dense_grad, g, x, w, y, **gradient) == ["bias_grad"]  # relu's derivative with it
    gradient["wanted"] = (True, True, True)
    assert launched(dense.dense_grad, g, x, w, y, **gradient) == ["bias_grad", "convolve", "weight_grad"]
    gamma, static = cupy.asarray(cases.normal(17)), {"axes": (1,), "epsilon": 1e-3}
    turned, before = common.to_batch_last(g), machine.counts["setitem"]
    assert launched(group_norm.group_norm, turned, gamma, gamma, **static) == ["group_norm"]
    assert machine.counts["setitem"] == before  # gamma and beta as they are
    maps = cupy.asarray(cases.normal(32, 3, 3, 56))
    assert launched(conv2d.conv2d_bias_grad, maps) == ["bias_grad"]  # no parts to add
    maps = cupy.asarray(cases.normal(128, 28, 28, 2))
    assert launched(conv2d.conv2d_bias_grad, maps) == ["bias_grad", "add_parts"]


@pytest.mark.parametrize(("size", "each"), [(4096, 1), (1, 1), (1 << 20, 6), (1 << 22, 16)])
def test_a_sweep_over_few_variables_has_a_thread_for_every_element(cupy, size, each):
    """A thread that has several waits for each of them. Where many rows fill a GPU, that costs nothing."""
    grids = []
    arrays = [cupy.asarray(np.zeros(size, np.float32)) for _ in range(4)]
    type(machine).observer = lambda name, values, grid, block: grids.append((name, grid, block)) or not block
    optimizers.adam(*arrays, alpha=0.1, beta_1=0.9, beta_2=0.99, epsilon=1e-7)
    ((rows, of_a_row), (threads,)) = next(rest for name, *rest in grids if name.startswith("sweep"))
    assert -(-min(size, 4096) // (of_a_row * threads)) == each
    assert rows == -(-size // 4096)


def test_without_nvrtc_the_error_says_what_to_install(cupy, monkeypatch):
    class DynamicLibNotFoundError(RuntimeError):
        pass

    def missing(self, name):
        raise DynamicLibNotFoundError('Failure finding "libnvrtc.so"')

    monkeypatch.setattr(cupy.RawModule, "get_function", missing)
    with pytest.raises(RuntimeError, match=r"no NVRTC.*pip install 'cupy-cuda13x\[ctk\]'"):
        activations.relu(cupy.asarray(np.ones((4, 5), np.float32)))


def test_the_reference_can_be_asked_for(cupy):
    x = cupy.asarray(np.ones((4, 5), np.float32))
    for name in ("numpy", "numba"):  # the second one is NumPy's alone
        with kernels.use("activations", name):
            assert activations.relu(x).get().tolist() == np.ones((4, 5)).tolist()
    assert not machine.launches
    with kernels.use("activations", "cuda"):
        activations.relu(x)
    assert machine.launches


def test_arrays_of_two_devices_are_refused(cupy):
    x, words = cupy.asarray(np.ones((4, 5), np.float32)), np.zeros(3, np.uint32)
    with pytest.raises(ValueError, match=r"dropout: its operands lie on two devices, cpu and gpu\."):
        dropout.dropout(x, words, rate=0.5)


def test_memory_order(cupy):
    """Elements stay where they are if they lie without gaps; images are turned round once."""
    x = cupy.asarray(np.arange(24, dtype=np.float32).reshape(2, 3, 4))
    assert activations.relu(x).strides == x.strides
    turned = common.to_batch_last(x)
    assert turned.strides[0] == 4
    assert activations.relu(turned).strides == turned.strides
    assert common.batch_last(turned).flags.c_contiguous
    np.testing.assert_array_equal(turned.get(), x.get())
    assert common.contiguous(turned).strides == x.strides
    assert common.contiguous(x) is x
    assert common.contiguous(x, "float64").dtype == np.float64
    assert common.empty(x, (5, 2, 3)).strides[0] == 4
    assert common.in_c_order(x, (5, 2, 3)).strides == (24, 12, 4)
