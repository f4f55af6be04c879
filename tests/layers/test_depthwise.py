"""Depthwise and separable convolutions: the sums they are defined by, written as loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.layers import Conv2D, DepthwiseConv2D, SeparableConv2D, SeparableConvolution2D

from layer_tools import check_layer, convolution_by_definition, images


def each_channel(x, w, strides, padding, dilation):
    """Output channel c M + q is w[:, :, c, q] on channel c,
    by the definition; x (N, H, W, C), w (KH, KW, C, M).
    """
    maps = [
        convolution_by_definition(
            x[..., c : c + 1], w[:, :, c : c + 1, q : q + 1], np.zeros(1), strides, padding, dilation
        )
        for c in range(w.shape[2])
        for q in range(w.shape[3])
    ]
    return np.concatenate(maps, axis=3)


@given(
    size=st.tuples(st.integers(5, 9), st.integers(5, 9)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.integers(1, 3), dilation=st.integers(1, 2), multiplier=st.integers(1, 3),
    channels=st.integers(1, 4),
    padding=st.sampled_from(["valid", "same"]), first=st.booleans(), bias=st.booleans(),
)  # fmt: skip
def test_depthwise_follows_the_definition(
    size, kernel, stride, dilation, multiplier, channels, padding, first, bias
):
    layer = DepthwiseConv2D(
        kernel, stride, padding, multiplier, "channels_first" if first else "channels_last", dilation,
        use_bias=bias,
        bias_initializer="random_normal", dtype="float64",
    )  # fmt: skip
    x = images(2, *size, channels)
    y = layer(x.transpose(0, 3, 1, 2) if first else x)
    w = layer.get_weights()[0]
    assert w.shape == (*kernel, channels, multiplier)
    expected = each_channel(x, w, (stride, stride), padding, (dilation, dilation)) + (
        layer.get_weights()[1] if bias else 0
    )
    np.testing.assert_allclose(
        y.numpy().transpose(0, 2, 3, 1) if first else y.numpy(), expected, rtol=1e-10, atol=1e-10
    )
    shape = (None, channels, None, size[1]) if first else (None, None, size[1], channels)
    wanted = (None, *y.shape[1:2], None, y.shape[3]) if first else (None, None, *y.shape[2:])
    assert layer.compute_output_shape(shape) == wanted


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize(("stride", "dilation", "padding"), [(1, 1, "same"), (2, 1, "valid"), (1, 2, "same")])
def test_separable_is_depthwise_then_pointwise(stride, dilation, padding, first):
    layer = SeparableConv2D(
        5, 3, stride, padding, "channels_first" if first else None, dilation, 2, "relu",
        bias_initializer="random_normal", dtype="float64",
    )  # fmt: skip
    x = images(3, 7, 8, 4)
    y = layer(x.transpose(0, 3, 1, 2) if first else x).numpy()
    depthwise, pointwise, bias = layer.get_weights()
    assert depthwise.shape == (3, 3, 4, 2)
    assert pointwise.shape == (1, 1, 8, 5)
    maps = each_channel(x, depthwise, (stride, stride), padding, (dilation, dilation))
    expected = np.maximum(np.einsum("nhwc,cf->nhwf", maps, pointwise[0, 0]) + bias, 0)
    np.testing.assert_allclose(y.transpose(0, 2, 3, 1) if first else y, expected, rtol=1e-10, atol=1e-10)
    assert layer.compute_output_shape((None, 4, 7, 8) if first else (None, 7, 8, 4))[1:] == y.shape[1:]


def test_gradients():
    layer = DepthwiseConv2D(3, padding="same", activation="tanh", dtype="float64")
    check_layer(layer, images(2, 4, 4, 3), "kernel", "bias", kernels={"conv2d": "all"})
    strided = DepthwiseConv2D((2, 3), 2, depth_multiplier=2, data_format="channels_first", dtype="float64")
    check_layer(strided, images(3, 2, 5, 6), "kernel", "bias")
    separable = SeparableConv2D(2, 2, depth_multiplier=2, activation="sigmoid", dtype="float64")
    check_layer(separable, images(2, 3, 4, 2), "depthwise_kernel", "pointwise_kernel", "bias")


def test_float32_stays_float32():
    x = images(2, 6, 6, 3).astype(np.float32)
    for layer in (DepthwiseConv2D(3, activation="relu"), SeparableConv2D(4, 3, activation="gelu")):
        assert layer(x).dtype == np.float32


def test_a_depthwise_layer_is_a_convolution_with_as_many_groups():
    x = images(2, 6, 5, 4).astype(np.float32)
    depthwise, grouped = DepthwiseConv2D(3, depth_multiplier=2), Conv2D(8, 3, groups=4)
    grouped(x)
    depthwise(x)
    depthwise.set_weights([grouped.get_weights()[0].reshape(3, 3, 4, 2), grouped.get_weights()[1]])
    np.testing.assert_array_equal(depthwise(x).numpy(), grouped(x).numpy())


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier"),
        (lambda: DepthwiseConv2D(0), "kernel_size"),
        (lambda: DepthwiseConv2D((1, 2, 3)), "kernel_size"),
        (lambda: DepthwiseConv2D(3, strides=(1, 0)), "strides"),
        (lambda: DepthwiseConv2D(3, padding="causal"), "padding must be 'valid' or 'same'"),
        (lambda: DepthwiseConv2D(3, data_format="NCHW"), "data_format"),
        (lambda: SeparableConv2D(0, 3), "filters"),
        (lambda: SeparableConv2D(2, 3, depth_multiplier=-1), "depth_multiplier"),
        (
            lambda: DepthwiseConv2D(4, name="d")(np.ones((1, 3, 5, 2))),
            r"'d'.*\(4, 4\) does not fit.*\(None, 3, 5, 2\)",
        ),
        (
            lambda: DepthwiseConv2D(2, dilation_rate=5)(np.ones((1, 5, 5, 2))),
            r"\(2, 2\) with dilation \(5, 5\) does not fit",
        ),
        (lambda: SeparableConv2D(2, 4)(np.ones((1, 3, 5, 2))), "does not fit"),
        (
            lambda: DepthwiseConv2D(2, name="d")(np.ones((5, 5, 2))),
            r"'d'.*expects an input of 4 axes.*got shape \(5, 5, 2\)",
        ),
        (lambda: SeparableConv2D(2, 3, nb_filter=3), "filters"),
    ],
)
def test_mistakes(make, word):
    with pytest.raises(ValueError, match=word):
        make()


def test_another_number_of_channels_is_refused():
    layer = DepthwiseConv2D(3)
    layer(np.ones((1, 4, 4, 2)))
    with pytest.raises(ValueError, match=r"\(any, any, any, 2\), got \(1, 4, 4, 3\)"):
        layer(np.ones((1, 4, 4, 3)))
    with pytest.raises(ValueError, match="number of channels must be known"):
        DepthwiseConv2D(3).build((None, 4, 4, None))


def test_names_and_configuration():
    assert SeparableConvolution2D is SeparableConv2D
    start = (4, 3, 1, "same", "channels_first", 2, 3, "elu", False)
    layer = SeparableConv2D(*start, "he_normal", "zeros", "ones", "l1", "l2", "l1")
    copy = SeparableConv2D.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert copy.depthwise_regularizer.l1 == copy.pointwise_regularizer.l2 == copy.bias_regularizer.l1 == 0.01
    assert copy.depth_multiplier == 3
