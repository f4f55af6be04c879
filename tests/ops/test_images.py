"""Convolution, pooling and batch norm as operations: arguments, data formats,
and derivatives in every geometry.
"""

import numpy as np
import pytest

from tinynet import Tensor, grad, gradcheck, gradgradcheck, ops
from tinynet.kernels import conv2d, pool2d

RNG = np.random.default_rng(7)
NOT_VECTOR = [name for name in conv2d.conv2d.implementations if name != "vector"]
GEOMETRIES = [
    {}, {"padding": "same"}, {"strides": 2, "padding": "same"}, {"dilation_rate": (2, 1), "padding": "same"},
    {"groups": 2},
    {"strides": (2, 1), "padding": ((0, 1), (2, 0))}, {"strides": 2, "dilation_rate": 2, "padding": "same"},
    {"groups": 2, "padding": "same", "data_format": "channels_first"},
    {"data_format": "channels_first", "strides": (1, 2)},
]  # fmt: skip
# each geometry compiles vector code of its own
FAST = [{}, {"groups": 2, "padding": "same", "data_format": "channels_first"}]


def apart(*shape):
    return (RNG.permutation(int(np.prod(shape))).reshape(shape) + 0.5) * 0.02 - 0.7


def run_conv(settings, implementations, check):
    channels_first = settings.get("data_format") == "channels_first"
    x = RNG.standard_normal((2, 2, 5, 4) if channels_first else (2, 5, 4, 2))
    w = RNG.standard_normal((3, 2, 2 // settings.get("groups", 1), 2))
    b = RNG.standard_normal(2)
    names = {"conv2d": implementations}
    assert check(lambda x, w, b: ops.conv2d(x, w, b, **settings), [x, w, b], kernels=names, jacobian_size=0)


@pytest.mark.parametrize("settings", GEOMETRIES, ids=str)
@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_convolution_in_every_geometry(settings, check):
    run_conv(settings, NOT_VECTOR, check)


@pytest.mark.parametrize("settings", FAST, ids=str)
@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_convolution_on_register_tiles(settings, check):
    run_conv(settings, ["vector"], check)


def test_convolution_without_a_bias():
    x, w = RNG.standard_normal((1, 3, 3, 1)), RNG.standard_normal((2, 2, 1, 1))
    assert gradcheck(lambda x, w: ops.conv2d(x, w), [x, w], kernels={"conv2d": "im2col"})


def test_channels_first_is_channels_last_transposed():
    x, w = RNG.standard_normal((2, 5, 4, 3)), RNG.standard_normal((3, 3, 3, 2))
    last = ops.conv2d(x, w, padding="same")
    first = ops.conv2d(np.moveaxis(x, -1, 1), w, padding="same", data_format="channels_first")
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), last)
    pooled = ops.max_pool2d(np.moveaxis(x, -1, 1), pool_size=2, data_format="channels_first")
    np.testing.assert_array_equal(np.moveaxis(pooled, 1, -1), ops.max_pool2d(x, pool_size=2))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_images_stay_in_batch_last_memory(data_format):
    shape = (33, 6, 5, 2) if data_format == "channels_last" else (33, 2, 6, 5)
    x = Tensor(np.asarray(np.ones((*shape[1:], 33), np.float32)).transpose(3, 0, 1, 2), requires_grad=True)
    y = ops.conv2d(x, np.ones((3, 3, 2, 4), np.float32), padding="same", data_format=data_format)
    axis = -1 if data_format == "channels_last" else 1
    z, _, _ = ops.batch_norm(ops.relu(y), np.ones(4, np.float32), np.zeros(4, np.float32), axis=axis)
    p = ops.max_pool2d(z, pool_size=2, data_format=data_format)
    flat = ops.reshape(p, (33, -1)) if data_format == "channels_last" else p
    for value in (y, z, p, flat, grad(p.sum(), x)):
        assert value.data.strides[0] == 4


@pytest.mark.parametrize(
    "wrong",
    [{"strides": 0}, {"strides": (1, 2, 3)}, {"padding": "full"}, {"data_format": "NHWC"}, {"groups": 3}],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        ops.conv2d(np.ones((1, 4, 4, 2)), np.ones((3, 3, 2, 2)), **wrong)


@pytest.mark.parametrize("settings", [{}, {"strides": 1}, {"strides": (1, 2), "padding": "same"},
                                      {"padding": ((1, 0), (0, 1))},
                                      {"strides": 1, "padding": "same", "data_format": "channels_first"}],
                                      ids=str)  # fmt: skip
@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_pooling(settings, check):
    x = apart(2, 4, 5, 2)
    for f, family in ((ops.max_pool2d, "max_pool2d"), (ops.average_pool2d, "average_pool2d")):
        names = [n for n in pool2d.max_pool2d.implementations if n in pool2d.average_pool2d.implementations]
        assert check(
            lambda x, f=f: f(x, pool_size=2, **settings), x, kernels={family: names}, jacobian_size=0
        )


def test_the_first_of_equal_maxima_gets_the_gradient():
    x = Tensor(np.zeros((1, 2, 2, 1)), requires_grad=True)
    g = grad(ops.max_pool2d(x, pool_size=2).sum(), x)
    np.testing.assert_array_equal(g.numpy().ravel(), [1, 0, 0, 0])


@pytest.mark.parametrize("used", ["y", "mean", "var", "all"])
@pytest.mark.parametrize("axis", [-1, 1])
def test_batch_norm_through_each_of_its_outputs(used, axis):
    x, gamma, beta = RNG.standard_normal((3, 2, 4, 2)), RNG.uniform(0.5, 2, 2), RNG.standard_normal(2)

    def f(x, gamma, beta):
        outputs = ops.batch_norm(x, gamma, beta, axis=axis, epsilon=1e-2)
        return outputs if used == "all" else outputs[["y", "mean", "var"].index(used)]

    inputs = [x, gamma, beta]
    kernels = {"batch_norm": "all"}
    assert gradcheck(f, inputs, kernels=kernels)
    assert gradgradcheck(f, inputs, kernels=kernels, jacobian_size=0)


def test_batch_norm_of_a_loss_that_uses_one_batch_twice():
    """mean and var depend on x: a chain through them must come out as the composed formula's."""
    x = RNG.standard_normal((6, 3))

    def fused(x):
        y, mean, var = ops.batch_norm(x, np.ones(3), np.zeros(3), epsilon=0.1)
        return y * var + mean * x

    def composed(x):
        mean, var = ops.mean(x, 0), ops.var(x, 0)
        return (x - mean) / ops.sqrt(var + 0.1) * var + mean * x

    u = RNG.standard_normal((6, 3))
    results = []
    for f in (fused, composed):
        t = Tensor(x, requires_grad=True)
        first = grad([f(t)], t, [u], create_graph=True)
        results.append((f(t).numpy(), first.numpy(), grad((first * first).sum(), t).numpy()))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


def test_dropout_with_a_fixed_key():
    x = RNG.standard_normal((6, 5))
    for noise_shape in (None, (None, 1), (1, 5)):
        f = lambda x, noise_shape=noise_shape: ops.dropout(  # noqa: E731
            x, rate=0.4, key=(1, 2), call=3, noise_shape=noise_shape
        )
        assert gradcheck(f, x, kernels={"dropout": "all"})
        assert gradgradcheck(f, x, kernels={"dropout": "all"})
