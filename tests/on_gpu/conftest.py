"""Fixtures of the tests that need a GPU. Where there is none they are skipped, and say what is missing."""

import importlib

import pytest

import tinynet
from tinynet.backend import gpu


@pytest.fixture
def cupy():
    """CuPy, with its first GPU in use; without a GPU the test is skipped."""
    if why := gpu.missing(0):
        pytest.skip(why)
    tinynet.set_device("gpu")
    yield importlib.import_module("cupy")
    tinynet.set_device("cpu")


@pytest.fixture
def few(request):
    """A number of steps: that for a GPU, or that for kernels which run on the CPU."""
    return lambda on_gpu, on_cpu: on_cpu if request.config.getoption("--stand-in") else on_gpu
