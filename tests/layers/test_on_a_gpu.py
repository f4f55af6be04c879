"""Every layer computes on CuPy's arrays what it computes on NumPy's, and from its second call on copies
nothing between host and device.

The stand-in for CuPy takes its place: these are no GPU tests. Kernels written in CUDA run through the shim.
"""

import threading

import numpy as np
import pytest

import tinynet
from tests.layers.cases import CASES
from tinynet import Tensor, layers, ops
from tinynet.backend import device
from tinynet.kernels.devices import device_of
from tinynet.replay.graph import GraphCapture

import cupy_stand_in
from cupy_stand_in import machine

# drawn on the host, one map for each image, and sent by value: steps repeat that (tests/replay/test_graph.py)
DRAWN_ON_HOST = ("RandomFlip", "RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom")


@pytest.fixture(autouse=True)
def cupy():
    with cupy_stand_in.installed(devices=2) as module:
        yield module
        tinynet.set_device("cpu")


def inputs(case):
    """Arrays of one draw, in batch-last memory as the engine's are."""
    rng = np.random.default_rng(0)
    shapes = case.shape if isinstance(case.shape, list) else [case.shape]
    given = [
        rng.integers(0, case.ids, s) if case.ids else rng.normal(size=s).astype("float32") for s in shapes
    ]
    return [np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0) for x in given]


def called(layer, xs):
    """The output of a call in training, and the gradients of the sum of its squares."""
    xs = [Tensor(device.to_device(x), requires_grad=x.dtype.kind == "f") for x in xs]
    before = machine.counts["to host"] + machine.counts["to device"]
    y = layer(xs if len(xs) > 1 else xs[0], training=True)
    loss = ops.sum(ops.square(y))
    wanted = [x for x in xs if x.requires_grad] + layer.trainable_weights
    found = tinynet.grad(loss, wanted, allow_unused=True) if loss.requires_grad else []
    copied = machine.counts["to host"] + machine.counts["to device"] - before
    return [y, *found, *layer.non_trainable_weights], copied


@pytest.mark.parametrize("name", CASES)
def test_a_layer_gives_what_it_gives_on_the_cpu(name):
    results, weights = {}, {}
    for place in ("cpu", "gpu"):
        tinynet.set_device(place)
        tinynet.utils.set_random_seed(3)
        layer = getattr(layers, name)(**CASES[name].arguments)
        xs = inputs(CASES[name])
        called(layer, xs)
        weights[place] = layer.get_weights()
        results[place], copied = called(layer, xs)
        assert {device_of(t.data) for t in results[place] if t is not None} <= {place}
    assert copied == 0
    for here, there in zip(results["cpu"], results["gpu"], strict=True):
        assert (here is None) == (there is None)
        if here is not None:
            assert here.dtype == there.dtype
            np.testing.assert_allclose(there.numpy(), here.numpy(), rtol=2e-4, atol=2e-5)
    for here, there in zip(weights["cpu"], weights["gpu"], strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in CASES if name not in DRAWN_ON_HOST])
def test_a_call_can_be_captured(name, cupy):
    """A graph of the third call, forward and backward, gives what the third call gives, then the fourth."""
    xs, calls = inputs(CASES[name]), {}
    for place in ("cpu", "gpu"):
        tinynet.set_device(place)
        tinynet.utils.set_random_seed(3)
        layer = getattr(layers, name)(**CASES[name].arguments)
        calls[place] = [
            [t if t is None else t.numpy() for t in called(layer, xs)[0]]
            for _ in range(4 if place == "cpu" else 2)
        ]
    sent = [device.to_device(x) for x in xs]
    with GraphCapture(sent, ()) as capture:
        captured, _ = called(layer, sent)
    capture.put_back()
    for expected in calls["cpu"][2:]:
        capture.program.run()
        for here, there in zip(expected, captured, strict=True):
            if here is not None:
                np.testing.assert_allclose(there.numpy(), here, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_moves_with_all_that_it_keeps(name):
    """Built and called on the CPU, then moved: the next call goes on as it would have there."""
    xs, results = inputs(CASES[name]), {}
    for place in ("cpu", "gpu:1"):
        tinynet.set_device("cpu")
        tinynet.utils.set_random_seed(3)
        layer = getattr(layers, name)(**CASES[name].arguments)
        called(layer, xs)
        assert layer.to_device(place) is layer
        tinynet.set_device(place)
        results[place], _ = called(layer, xs)
        assert {device_of(w.data) for w in layer.weights} <= {place}
    for here, there in zip(results["cpu"], results["gpu:1"], strict=True):
        if here is not None:
            np.testing.assert_allclose(there.numpy(), here.numpy(), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout", "SpatialDropout2D", "GaussianNoise", "RReLU"])
def test_the_same_seed_drops_the_same_elements(name):
    """Bit by bit: a mask is a function of key, call, feature and sample."""
    drawn = {}
    for place in ("cpu", "gpu"):
        tinynet.set_device(place)
        tinynet.utils.set_random_seed(8)
        layer = getattr(layers, name)(0.5) if name != "RReLU" else layers.RReLU()
        x = device.to_device(-np.ones((40, 3, 3, 2), np.float32))
        drawn[place] = [layer(x, training=True).numpy() for _ in range(3)]
    assert not np.array_equal(drawn["cpu"][0], drawn["cpu"][1])
    for here, there in zip(drawn["cpu"], drawn["gpu"], strict=True):
        if "Noise" in name:  # logarithms differ in the last bits
            np.testing.assert_allclose(there, here, rtol=1e-5)
        else:
            np.testing.assert_array_equal(there == 0, here == 0)
            np.testing.assert_allclose(there, here, rtol=1e-6)


def test_a_layer_says_that_its_input_lies_elsewhere():
    tinynet.set_device("gpu")
    layer = layers.Dense(2)
    layer(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"two devices, cpu and gpu\. model\.to_device\('gpu'\) moves"):
        layer(Tensor(np.ones((1, 3), np.float32)))
    tinynet.set_device("cpu")
    with pytest.raises(ValueError, match=r"lie on two devices, cpu and gpu\."):
        layer(np.ones((1, 3)))
    tinynet.set_device("gpu:1")
    with pytest.raises(ValueError, match=r"lie on two devices, gpu:1 and gpu\."):
        layer(np.ones((1, 3)))
    x = ops.to_device(Tensor(np.ones((1, 3), np.float32)), "gpu")
    with pytest.raises(
        ValueError, match=r"lie on gpu, and the device in use is gpu:1\. tinynet\.set_device\('gpu'\)"
    ):
        layer(x)
    with tinynet.device("gpu"):
        assert device_of(layer(x).data) == "gpu"


@pytest.mark.parametrize("name", ["cpuu", None, 1])
def test_a_layer_moves_nowhere_else(name):
    layer = layers.Dense(2)
    layer(np.ones((1, 3)))
    with pytest.raises(ValueError, match="device must be"):
        layer.to_device(name)
    with pytest.raises(RuntimeError, match="2 GPUs"):
        layer.to_device("gpu:5")
    assert device_of(layer.kernel.data) == "cpu"


def test_a_thread_that_only_computes_has_its_stream_too(cupy):
    """And the device in use as its current one, though it has sent nothing there itself."""
    tinynet.set_device("gpu:1")
    layer = layers.Dense(2)
    x = Tensor(device.to_device(np.ones((1, 3), np.float32)))
    layer(x)
    seen = []

    def compute():
        y = layer(x)
        seen.extend([device_of(y.data), cupy.cuda.get_current_stream()])

    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    place, stream = seen
    assert (place, stream.device_id, stream.non_blocking) == ("gpu:1", 1, True)
    assert stream is not cupy.cuda.get_current_stream()
