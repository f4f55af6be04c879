"""Conv2D: shapes, and gradients through the layer."""


import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet
from tinynet.layers import Conv2D, Convolution2D

from layer_tools import check_layer, convolution_by_definition, images


@given(
    height=st.integers(4, 9), width=st.integers(4, 9), kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.integers(1, 3), dilation=st.integers(1, 2), padding=st.sampled_from(["valid", "same"]),
    first=st.booleans(),
)  # fmt: skip
def test_output_follows_the_definition(height, width, kernel, stride, dilation, padding, first):
    if stride > 1:
        dilation = 1
    if padding == "valid" and max((k - 1) * dilation + 1 for k in kernel) > min(height, width):
        return
    layer = Conv2D(
        3, kernel, stride, padding, "channels_first" if first else "channels_last", dilation, dtype="float64",
        bias_initializer="random_normal",
    )  # fmt: skip
    x = images(2, height, width, 2)
    y = layer(x.transpose(0, 3, 1, 2) if first else x)
    shape = (None, 2, height, width) if first else (None, height, width, 2)
    assert layer.compute_output_shape(shape)[1:] == y.shape[1:]
    y = y.numpy().transpose(0, 2, 3, 1) if first else y.numpy()
    w, b = layer.get_weights()
    expected = convolution_by_definition(x, w, b, (stride, stride), padding, (dilation, dilation))
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-10)


def test_gradients_through_the_layer():
    layer = Conv2D(3, 3, padding="same", activation="tanh", dtype="float64")
    check_layer(layer, images(2, 4, 4, 2), "kernel", "bias", kernels={"conv2d": "all"})
    grouped = Conv2D(4, (2, 3), strides=2, groups=2, data_format="channels_first", dtype="float64")
    check_layer(grouped, images(3, 4, 6, 7), "kernel", "bias")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"filters": 0, "kernel_size": 3}, "filters"),
        ({"filters": 3, "kernel_size": 0}, "kernel_size"),
        ({"filters": 3, "kernel_size": (1, 2, 3)}, "kernel_size"),
        ({"filters": 3, "kernel_size": 3, "strides": 0}, "strides"),
        ({"filters": 3, "kernel_size": 3, "padding": "causal"}, "padding"),
        ({"filters": 3, "kernel_size": 3, "groups": 2}, "groups"),
        ({"filters": 3, "kernel_size": 3, "strides": 2, "dilation_rate": 2}, "dilation_rate"),
        ({"filters": 3, "kernel_size": 3, "data_format": "NCHW"}, "data_format"),
    ],
)
def test_arguments_are_checked(arguments, word):
    with pytest.raises(ValueError, match=word):
        Conv2D(**arguments)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="groups"):
        Conv2D(4, 3, groups=2)(np.ones((1, 5, 5, 3)))
    with pytest.raises(ValueError, match=r"'big'.*\(5, 5\) does not fit.*\(None, 4, 4, 1\)"):
        tinynet.Sequential([tinynet.Input((4, 4, 1)), Conv2D(4, 5, name="big")])
    assert Convolution2D is Conv2D
    assert Conv2D(7, 3, 3).strides == (3, 3), "the third position means strides, as in Keras 3"
