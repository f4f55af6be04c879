import numpy as np
import pytest

from tinynet.backend import device


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


def test_gpu_without_a_gpu_says_what_to_install():
    if device.gpu_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(RuntimeError, match="cuda12"):
        device.set_device("gpu")
    device.set_device("auto")
    assert device.get_device() == "cpu"


def test_gpu_arrays():
    if not device.gpu_available():
        pytest.skip("no GPU, or CuPy is not installed")
    device.set_device("gpu")
    x = device.to_device(np.arange(3.0))
    assert type(x).__module__.startswith("cupy")
    np.testing.assert_array_equal(device.to_host(x), [0, 1, 2])
