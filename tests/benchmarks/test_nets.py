"""The nets of the benchmarks are those of the experiments, in every library."""

import numpy as np
import pytest

import tinynet
from benchmarks import data, training
from benchmarks.nets import NETS
from benchmarks.race import images


@pytest.mark.parametrize("name", NETS)
def test_parameters_are_those_of_the_experiment(name):
    assert training.keras_net(tinynet, name).count_params() == NETS[name].parameters


@pytest.mark.parametrize("name", NETS)
def test_flops_are_about_three_times_those_of_the_forward_pass(name):
    net = training.keras_net(tinynet, name)
    forward, shape = 0, NETS[name].image
    for layer in net.layers:
        output = layer.compute_output_shape((1, *shape))[1:]
        weights = [w for w in layer.get_weights() if w.ndim > 1]
        forward += sum(2 * w.size * int(np.prod(output[:-1])) for w in weights)
        shape = output
    assert 2.2 * forward < 1e6 * NETS[name].megaflops < 3.1 * forward


@pytest.mark.parametrize("name", ["model-9", "s3-03", "s2-03", "deep-bn"])
def test_pytorch_computes_the_same_from_the_same_weights(name):
    torch = pytest.importorskip("torch")
    from benchmarks import torch_layers

    net = training.keras_net(tinynet, name)
    random = np.random.default_rng(0)
    weights = [w + 0.05 * random.random(w.shape, dtype=np.float32) for w in net.get_weights()]
    net.set_weights(weights)
    x = random.standard_normal((4, *NETS[name].image), dtype=np.float32)
    theirs = torch_layers.sequential(NETS[name].image, NETS[name].layers(torch_layers.Layers), weights).eval()
    with torch.no_grad():
        logits = theirs(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()))
    expected = torch.softmax(logits, 1).numpy()
    np.testing.assert_allclose(net.predict(x, verbose=0), expected, rtol=1e-3, atol=1e-5)


def test_random_images_have_the_shape_of_the_data_set():
    arrays = data.synthetic("cifar10", 12)
    assert arrays["x"].shape == (12, 32, 32, 3)
    assert arrays["x"].dtype == np.float32
    assert set(arrays["y"]) <= set(range(10))


def test_arrays_come_back_from_their_files(tmp_path):
    x = np.arange(24, dtype=np.float32).reshape(2, 2, 2, 3)
    data.save(tmp_path, [np.ones(2), np.zeros(3)], x=x)
    plain, turned = data.read(tmp_path, "x", "x_channels_first")
    np.testing.assert_array_equal(plain, x)
    np.testing.assert_array_equal(turned, x.transpose(0, 3, 1, 2))
    assert [len(w) for w in data.read_weights(tmp_path)] == [2, 3]


def test_a_measurement_is_as_long_as_asked():
    assert images("model-9") == 8192
    assert images("model-4") > images("model-9")
    assert images("model-9", 64) == 64
