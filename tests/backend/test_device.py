"""Which device is in use, what is said where a GPU cannot be used, and how arrays come there and back.

Where there is no GPU the stand-in for CuPy takes its place: these are no GPU tests.
"""

import importlib
import subprocess
import sys
import threading

import numpy as np
import pytest

import tinynet
from tinynet.backend import device, gpu
from tinynet.kernels.devices import device_of

import cupy_stand_in
from cupy_stand_in import machine


@pytest.fixture(autouse=True)
def cpu_afterwards():
    yield
    device.set_device("cpu")


@pytest.fixture
def cupy():
    with cupy_stand_in.installed(devices=2) as module:
        yield module


def test_cpu_is_numpy():
    for name in ("cpu", "cpu:0"):
        device.set_device(name)
        x = np.arange(3.0)
        assert device.array_module() is np
        assert device.to_device(x) is x
        assert device.to_host(x) is x
        assert tinynet.get_device() == "cpu"


@pytest.mark.parametrize("name", ["tpu", "gpu:", "gpu:x", "cpu:1", "gpu:-1", "GPU", 0, None])
def test_unknown_device_is_refused(name):
    with pytest.raises(ValueError, match=r"'auto', 'cpu' or 'gpu' \('gpu:1', ...\), got"):
        device.set_device(name)


def test_import_never_imports_cupy():
    code = "import sys, tinynet, tinynet.layers, tinynet.models, tinynet.kernels; tinynet.set_device('cpu'); "
    code += "tinynet.layers.Dense(2)([[1.0]]); assert not [n for n in sys.modules if n.startswith('cupy')]"
    subprocess.run([sys.executable, "-c", code], check=True)


# What is missing, in one sentence


def test_without_cupy_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(RuntimeError, match=r"'gpu' cannot be used: CuPy is not installed: `pip install"):
        device.set_device("gpu")
    reason = gpu.missing(0)
    assert "'cupy-cuda13x[ctk]>=14'" in reason
    assert "'cupy-cuda12x[ctk]>=14'" in reason
    assert not device.gpu_available()


@pytest.mark.parametrize(
    ("packages", "advice"),
    [
        (["numpy", "cupy-cuda12x"], "--force-reinstall 'cupy-cuda12x[ctk]>=14'"),
        (
            ["cupy-cuda13x", "cupy-cuda12x"],
            "cupy-cuda12x and cupy-cuda13x overwrite each other: `pip uninstall",
        ),
    ],
)
@pytest.mark.parametrize(
    "error", [ImportError("libcudart.so.13"), ModuleNotFoundError("no fastrlock", name="fastrlock")]
)
def test_a_cupy_that_is_broken(monkeypatch, packages, advice, error):
    def broken(name):
        raise error

    monkeypatch.setattr(importlib, "import_module", broken)
    monkeypatch.setattr(gpu, "_distributions", lambda: packages)
    reason = gpu.missing(0)
    assert reason.startswith(f"CuPy cannot be imported ({type(error).__name__}: {error})")
    assert advice in reason


def test_a_cupy_that_is_too_old(cupy, monkeypatch):
    monkeypatch.setattr(cupy, "__version__", "13.6.0")
    assert gpu.missing(0) == "CuPy 13.6.0 is too old: `pip install 'cupy-cuda13x[ctk]>=14'`"
    monkeypatch.setattr(cupy.cuda.runtime, "runtimeGetVersion", lambda: 12090)
    assert gpu.missing(0) == "CuPy 13.6.0 is too old: `pip install 'cupy-cuda12x[ctk]>=14'`"


@pytest.mark.parametrize(
    ("lacks", "words"),
    [
        (
            {"driver": False},
            ["no NVIDIA driver", "CUDA driver version is insufficient", "nvidia-smi", "release 580"],
        ),
        ({"devices": 0}, ["no GPU", "no CUDA-capable device", "nvidia-smi"]),
        ({"nvrtc": False}, ["no NVRTC", "libnvrtc", "pip install 'cupy-cuda13x[ctk]>=14'"]),
    ],
)
def test_a_machine_that_lacks_something(lacks, words):
    with cupy_stand_in.installed(**lacks):
        with pytest.raises(RuntimeError, match="device 'gpu' cannot be used") as caught:
            device.set_device("gpu")
        assert all(word in str(caught.value) for word in words), caught.value
        assert "\n" not in str(caught.value)
        device.set_device("auto")
        assert device.get_device() == "cpu"


def test_a_gpu_that_is_not_there_changes_nothing(cupy):
    device.set_device("gpu:1")
    with pytest.raises(RuntimeError, match="this machine has 2 GPUs, the last one is 'gpu:1'"):
        device.set_device("gpu:2")
    with pytest.raises(RuntimeError, match="2 GPUs"), device.device("gpu:7"):
        pass
    assert device.get_device() == "gpu:1"


# Which one is in use


def test_a_device_is_chosen_for_the_process_and_within_a_block(cupy):
    for name in ("auto", "gpu", "gpu:0"):
        tinynet.set_device(name)
        assert tinynet.get_device() == "gpu"
        assert device.array_module() is cupy
    with tinynet.device("gpu:1"):
        assert tinynet.get_device() == "gpu:1"
        assert device_of(device.to_device(np.ones(2))) == "gpu:1"
        with tinynet.device("cpu"):
            assert type(device.to_device(np.ones(2))) is np.ndarray
        assert device_of(device.to_device(np.ones(2))) == "gpu:1"
    assert device_of(device.to_device(np.ones(2))) == "gpu"
    assert cupy.ones(2).device.id == 0


def test_a_block_holds_in_its_thread_alone(cupy):
    found = []
    with tinynet.device("gpu:1"):
        thread = threading.Thread(target=lambda: found.append(tinynet.get_device()))
        thread.start()
        thread.join()
    assert found == ["cpu"]


def test_each_thread_has_a_stream_that_does_not_block(cupy):
    tinynet.set_device("gpu:1")
    seen = []

    def look():
        x = device.to_device(np.ones(2))
        seen.append((device_of(x), cupy.cuda.get_current_stream()))

    for _ in range(2):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    look()
    look()
    streams = [stream for _, stream in seen]
    assert [name for name, _ in seen] == ["gpu:1"] * 4
    assert streams[2] is streams[3]
    assert len(set(map(id, streams))) == 3
    for stream in streams:
        assert stream.non_blocking
        assert stream.device_id == 1
        assert cupy.cuda.Stream.null in stream.waits_for  # what lies there already is finished first
    assert streams[0] in streams[1].waits_for


def test_what_another_thread_began_comes_first(cupy):
    tinynet.set_device("gpu")
    mine, theirs = gpu.stream(), []
    thread = threading.Thread(target=lambda: (device.array_module(), theirs.append(gpu.stream())))
    thread.start()
    thread.join()
    gpu.after(mine)
    gpu.after(None)
    assert mine not in mine.waits_for
    gpu.after(theirs[0])
    assert mine.waits_for[-1] is theirs[0]


def test_the_end_of_another_stream_brings_this_threads_own_back(cupy):
    """CuPy enters and leaves a stream to fetch an array that is not in C order; users do so too."""
    tinynet.set_device("gpu")
    found = []

    def look():
        x = device.to_device(np.arange(6.0).reshape(2, 3))
        for leave in (x.T.get, lambda: repr(x.T), lambda: cupy.cuda.Stream().__enter__().__exit__()):
            leave()
            found.append(cupy.cuda.get_current_stream() is gpu.stream())

    thread = threading.Thread(target=look)  # in which nothing was entered before
    thread.start()
    thread.join()
    assert found == [True] * 3


def test_what_lies_on_another_gpu_is_fetched_over_a_stream_there(cupy):
    """A thread that has none yet gets one, which comes after those of others: else numbers come too early."""
    tinynet.set_device("gpu:1")
    x = device.to_device(np.arange(6.0).reshape(2, 3))
    made, found = gpu.stream(), []
    tinynet.set_device("gpu")

    def fetch():
        with tinynet.device("cpu"):
            found.append(device.to_host(x.T))
            found.append(gpu.stream().waits_for)

    thread = threading.Thread(target=fetch)
    thread.start()
    thread.join()
    assert found[0].tolist() == device.to_host(x.T).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert made in found[1]
    assert cupy.cuda.get_current_stream() is gpu.stream()
    assert gpu.stream().device_id == machine.device == 0


def test_a_stream_of_one_gpu_waits_for_one_of_another(cupy):
    """As when a model has moved: an event belongs to the GPU of its stream."""
    tinynet.set_device("gpu")
    before = gpu.stream()
    tinynet.set_device("gpu:1")
    gpu.after(before)
    assert gpu.stream().waits_for[-1] is before
    assert machine.device == 1


# There and back


@pytest.mark.parametrize(
    "turn",
    [lambda x: x, lambda x: x.T, lambda x: x.transpose(2, 0, 1), lambda x: x[::2], lambda x: x[0, 0, 0]],
)
def test_arrays_keep_values_and_memory_order(cupy, turn):
    x = turn(np.arange(24.0).reshape(2, 3, 4))
    tinynet.set_device("gpu")
    y = device.to_device(x)
    assert isinstance(y, cupy.ndarray)
    np.testing.assert_array_equal(device.to_host(y), x)
    assert device.to_host(y).flags.c_contiguous
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    assert y.transpose(order).flags.c_contiguous
    assert device.to_device(y) is y


def test_to_a_device_that_is_not_in_use(cupy):
    x = np.arange(3.0)
    there = device.to_device(x, "gpu:1")
    assert (device_of(there), tinynet.get_device()) == ("gpu:1", "cpu")
    moved = device.to_device(there, "gpu")
    assert (device_of(moved), moved.tolist()) == ("gpu", [0, 1, 2])
    back = device.to_device(there, "cpu")
    assert type(back) is np.ndarray
    tinynet.set_device("gpu:1")
    assert device.to_device(there) is there
    assert device_of(device.to_device(moved)) == "gpu:1"
    assert type(device.to_device(there, "cpu")) is np.ndarray


def test_arrays_of_other_kinds_come_to_the_host():
    class Elsewhere:
        def get(self):
            return np.arange(3)

    assert device.to_host(Elsewhere()).tolist() == [0, 1, 2]
    assert device.to_host([1, 2]).tolist() == [1, 2]
    assert type(device.to_device([1.0, 2.0])) is np.ndarray


def test_a_tensor_moves_and_its_gradient_comes_back(cupy):
    x = tinynet.Tensor([1.0, 2.0], requires_grad=True)
    y = tinynet.to_device(x, "gpu")
    assert device_of(y.data) == "gpu"
    loss = tinynet.ops.sum(y * y)
    gradient = tinynet.grad(loss, x)
    assert type(gradient.data) is np.ndarray
    assert gradient.numpy().tolist() == [2.0, 4.0]
    with pytest.raises(ValueError, match="device must be"):
        tinynet.to_device(x, "here")


def test_gpu_arrays():
    """The one test here that needs a GPU."""
    if not device.gpu_available():
        pytest.skip("no GPU, or CuPy is not installed")
    device.set_device("gpu")
    x = device.to_device(np.arange(3.0))
    assert type(x).__module__.startswith("cupy")
    np.testing.assert_array_equal(device.to_host(x), [0, 1, 2])
