"""Too little memory on a GPU: on the stand-in for CuPy, whose pool raises as CuPy's does. No GPU tests."""

import re

import numpy as np
import pytest

import tinynet
from tinynet import ops
from tinynet.backend import device, gpu_memory
from tinynet.utils import set_random_seed

import cupy_stand_in
from models.nets import small_data, small_net


@pytest.fixture
def cupy():
    with cupy_stand_in.installed(memory=10_000_000) as module:
        yield module
        tinynet.set_device("cpu")


def compiled():
    set_random_seed(0)
    model = small_net()
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


CALLS = {
    "fit": lambda model, x, y: model.fit(x, y, batch_size=500, verbose=0),
    "evaluate": lambda model, x, y: model.evaluate(x, y, batch_size=500, verbose=0),
    "predict": lambda model, x, y: model.predict(x, batch_size=500, verbose=0),
    "train_on_batch": lambda model, x, y: model.train_on_batch(x, y),
    "predict_on_batch": lambda model, x, y: model.predict_on_batch(x),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_batch_that_is_too_large_says_its_size_and_what_takes_less(cupy, name):
    tinynet.set_device("gpu")
    model, (x, y) = compiled(), small_data(500)
    model.predict(x[:2], verbose=0)  # built
    cupy.get_default_memory_pool().set_limit(size=cupy.get_default_memory_pool().used_bytes() + 450_000)
    with pytest.raises(gpu_memory.OutOfMemoryError) as caught:
        CALLS[name](model, x, y)
    assert isinstance(caught.value, MemoryError)
    assert isinstance(caught.value.__cause__, cupy.cuda.memory.OutOfMemoryError)
    found = re.fullmatch(
        r"an array of [\d.]+ MB finds no room on gpu: CuPy may take [\d.]+ MB of its 10 MB; arrays of this "
        r"process take [\d.]+ MB(, data sets that lie there as a whole [\d.]+ MB of these)?\. What takes "
        r"less: a smaller batch_size, float32 in place of float64, data as an iterable of batches, which "
        r"stay on the host\. The batch has 500 samples: batch_size=500",
        str(caught.value),
    )
    assert found is not None, caught.value
    assert found[1] or name.endswith("on_batch"), "one batch is no data set"
    cupy.get_default_memory_pool().set_limit(size=0)
    model.fit(x[:16], y[:16], verbose=0)  # the model goes on


def test_the_numbers_are_those_of_the_machine(cupy):
    tinynet.set_device("gpu")
    held = cupy.zeros(1_500_000, np.float32)
    said = (
        "an array of 8 MB finds no room on gpu: 4 MB are free of its 10 MB; arrays of this process take 6 MB"
    )
    with pytest.raises(MemoryError, match=said):
        ops.add(cupy.zeros((1_000, 1_000), np.float64), 1.0)
    assert held.nbytes == 6_000_000


def test_a_line_of_ones_own_and_its_gradient(cupy):
    tinynet.set_device("gpu")
    x = tinynet.Tensor(device.to_device(np.ones(900_000, np.float32)), requires_grad=True)
    y = ops.exp(x)
    with pytest.raises(MemoryError, match=r"an array of 3.6 MB finds no room on gpu: 2.8 MB are free"):
        ops.multiply(y, y).sum().backward()
    del y
    ops.multiply(x, 2.0)


def test_an_allocator_of_the_users_stays_as_it_is(cupy):
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc):
        tinynet.set_device("gpu")
        x = cupy.zeros(100)
        assert pool.used_bytes() == 1024
    del x
    cupy.cuda.set_allocator(pool.malloc)
    gpu_memory.watch(cupy)
    pool.set_limit(size=2048)
    with pytest.raises(gpu_memory.OutOfMemoryError):
        cupy.zeros(1000)
    first = cupy.cuda.get_allocator()
    gpu_memory.watch(cupy)
    assert cupy.cuda.get_allocator() is first, "one around it is enough"
