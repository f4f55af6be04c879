"""Conv2D: shapes, gradients through the layer, and how many files a reader has to open."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynet
from tinynet import kernels
from tinynet.autograd import Tensor, gradients
from tinynet.kernels import common
from tinynet.layers import Conv2D, Convolution2D

from layer_tools import check_layer, convolution_by_definition, images

ROOT = Path(tinynet.__file__).parents[1]


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


# The tape, Layer.__call__, checks.
ASIDE = (  # the tape, Layer.__call__, checks of settings and formats
    "tinynet/autograd/", "tinynet/layers/base.py", "tinynet/layers/current_call.py", "tinynet/ops/settings.py",
    "tinynet/backend/number_format.py",
)  # fmt: skip


def files_entered(function):
    found = set()

    def note(frame, event, argument):
        path = Path(frame.f_code.co_filename).resolve()  # kernels/, which tinynet/kernels is a link to
        if path.is_relative_to(ROOT):
            found.add(path.relative_to(ROOT).as_posix())

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return {name for name in found if name.startswith(("tinynet/", "kernels/"))}


@pytest.mark.parametrize("implementation", ["vector", "naive"])
def test_four_files_from_the_layer_to_the_kernel_and_back(implementation):
    layer = Conv2D(3, 3, padding="same")
    x = Tensor(common.to_batch_last(images(4, 6, 6, 2).astype(np.float32)), requires_grad=True)

    def step():
        y = layer(x)
        gradients(y, [x, layer.kernel, layer.bias], np.ones(y.shape, np.float32))

    with kernels.use("conv2d", implementation):
        step()  # compiles, and answers the questions about shapes
        entered = {name for name in files_entered(step) if not name.startswith(ASIDE)}
    assert entered == {
        "tinynet/layers/conv2d.py",
        "tinynet/ops/conv2d.py",
        "kernels/common.py",
        f"kernels/conv2d/{implementation}.py",
    }
