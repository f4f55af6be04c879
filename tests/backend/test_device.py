import sys
import types

import numpy as np
import pytest

from tinynet.backend import device
from tinynet.kernels import common

import cupy_stand_in


@pytest.fixture(autouse=True)
def cpu_afterwards():
    yield
    device.set_device("cpu")


def test_cpu_is_numpy():
    device.set_device("cpu")
    x = np.arange(3.0)
    assert device.array_module() is np
    assert device.to_device(x) is x
    assert device.to_host(x) is x


def test_unknown_device_is_refused():
    with pytest.raises(ValueError, match="'auto', 'cpu' or 'gpu'"):
        device.set_device("tpu")


def test_a_device_that_is_refused_changes_nothing(monkeypatch):
    monkeypatch.setattr(device, "gpu_available", lambda: False)
    for name in ("gpu", "tpu"):
        with pytest.raises((RuntimeError, ValueError)):
            device.set_device(name)
        assert device.get_device() == "cpu"


@pytest.mark.parametrize(
    ("name", "found", "chosen"), [("auto", True, "gpu"), ("auto", False, "cpu"), ("cpu", True, "cpu")]
)
def test_auto_takes_what_there_is(monkeypatch, name, found, chosen):
    monkeypatch.setattr(device, "gpu_available", lambda: found)
    device.set_device(name)
    assert device.get_device() == chosen


@pytest.mark.parametrize(("count", "available"), [(0, False), (1, True), (2, True), (None, False)])
def test_a_gpu_is_one_that_cupy_sees(monkeypatch, count, available):
    def devices():
        if count is None:
            raise RuntimeError("no driver")
        return count

    runtime = types.SimpleNamespace(getDeviceCount=devices)
    monkeypatch.setitem(
        sys.modules, "cupy", types.SimpleNamespace(cuda=types.SimpleNamespace(runtime=runtime))
    )
    assert device.gpu_available() is available


def test_arrays_of_other_kinds_come_to_the_host():
    class Elsewhere:
        def get(self):
            return np.arange(3)

    assert device.to_host(Elsewhere()).tolist() == [0, 1, 2]
    assert device.to_host([1, 2]).tolist() == [1, 2]
    assert type(device.to_device([1.0, 2.0])) is np.ndarray


def test_gpu_without_a_gpu_says_what_to_install():
    if device.gpu_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(RuntimeError, match="cuda12"):
        device.set_device("gpu")
    device.set_device("auto")
    assert device.get_device() == "cpu"


def sentence(monkeypatch, cupy):
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(RuntimeError) as found:
        device.set_device("gpu")
    assert device.get_device() == "cpu"
    return str(found.value)


def test_what_is_missing_is_said_with_what_to_do(monkeypatch):
    assert "pip install 'tinynet[cuda13]'" in sentence(monkeypatch, None)  # what makes the import fail

    def broken():
        raise RuntimeError("cudaErrorInsufficientDriver")

    for devices, said in ((lambda: 0, "sees no GPU"), (broken, "cudaErrorInsufficientDriver")):
        runtime = types.SimpleNamespace(getDeviceCount=devices)
        cupy = types.SimpleNamespace(cuda=types.SimpleNamespace(runtime=runtime))
        text = sentence(monkeypatch, cupy)
        assert said in text
        assert "nvidia-smi" in text


def test_arrays_keep_their_memory_order_on_the_way_to_the_device(monkeypatch):
    with cupy_stand_in.installed() as cupy:
        monkeypatch.setattr(device, "array_module", lambda: cupy)
        x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        for held in (x, common.to_batch_last(x), x[:, ::-1], x[0, 0]):
            there = device.to_device(held)
            assert type(there) is cupy.ndarray
            assert device.to_device(there) is there
            np.testing.assert_array_equal(device.to_host(there), held)
        assert device.to_device(x).strides == x.strides
        assert device.to_device(common.to_batch_last(x)).strides[0] == 4


def test_gpu_arrays():
    if not device.gpu_available():
        pytest.skip("no GPU, or CuPy is not installed")
    device.set_device("gpu")
    x = device.to_device(np.arange(3.0))
    assert type(x).__module__.startswith("cupy")
    np.testing.assert_array_equal(device.to_host(x), [0, 1, 2])
