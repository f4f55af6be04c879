"""Transposed convolution: pixels painted one by one into a buffer,
which is cropped or extended by Keras's table.
"""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.autograd import Tensor, gradients
from tinynet.layers import Conv2D, Conv2DTranspose, Convolution2DTranspose

from layer_tools import check_layer, images


def table(n, k, s, padding, p):
    """(size of the output, crop at the left, crop at the right) for an effective kernel k;
    crops < 0 append zeros.
    """
    if padding == "valid":
        size, left = (n - 1) * s + (max(k, s) if p is None else k + p), k - 1
        right = k - 1 + (max(k, s) - k if p is None else p)
    else:
        pads = s + k - 2 if p is None else k + k % 2 - 2 + p
        size = n * s if p is None else (n - 1) * s + k % 2 + p
        left = min(-(-pads // 2), k - 1)
        right = pads - left
    return size, k - 1 - left, k - 1 - right


def painted(x, w, strides, padding, output_padding, dilation=(1, 1)):
    """x (N, H, W, C), w (KH, KW, F, C), float64 loops."""
    n, h, width, _ = x.shape
    kernel = [(k - 1) * d + 1 for k, d in zip(w.shape[:2], dilation, strict=True)]
    buffer = np.zeros((n, (h - 1) * strides[0] + kernel[0], (width - 1) * strides[1] + kernel[1], w.shape[2]))
    for i, j, a, b in product(range(h), range(width), range(w.shape[0]), range(w.shape[1])):
        row, column = i * strides[0] + a * dilation[0], j * strides[1] + b * dilation[1]
        buffer[:, row, column] += x[:, i, j] @ w[a, b].T
    extra = output_padding or (None, None)
    for axis, (size, k, s, p) in enumerate(zip((h, width), kernel, strides, extra, strict=True), 1):
        wanted, left, right = table(size, k, s, padding, p)
        end = buffer.shape[axis] - max(right, 0)
        buffer = buffer.take(range(left, end), axis=axis)
        buffer = np.pad(buffer, [(0, max(-right, 0)) if a == axis else (0, 0) for a in range(4)])
        assert buffer.shape[axis] == wanted
    return buffer


AXIS = [(k, s, p) for k in range(1, 5) for s in range(1, 5) for p in (None, *range(s))]
COMBINATIONS = [(k, s, padding, p) for k, s, p in AXIS for padding in ("valid", "same") if p is None or p < s]


def test_all_combinations_of_one_axis():
    """Kernels and strides 1 to 4, both paddings, every output_padding: shapes and values."""
    tried = set()
    for k, s, padding, p in COMBINATIONS:
        size, extra = table(3, k, s, padding, p)[0], None if p is None else (p, 0)
        if size < 1:
            continue
        layer = Conv2DTranspose(2, (k, 1), (s, 1), padding, extra, bias_initializer="ones", dtype="float64")
        x = images(2, 3, 2, 3)
        if extra is not None and padding == "same":
            x = x[:, :, :1]  # along the other axis a kernel of 1 stays 1 pixel wide
        assert layer.compute_output_shape((None, *x.shape[1:]))[1] == size
        y = layer(x).numpy()
        expected = painted(x, layer.get_weights()[0], (s, 1), padding, extra) + 1
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
        tried.add((k, s, padding, p))
    assert len([c for c in tried if c[3] is None or c[3] > 0]) == 80
    assert len(tried) >= 112 - 4


@given(
    h=st.integers(1, 5), w=st.integers(1, 5), kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 4), st.integers(1, 4)), padding=st.sampled_from(["valid", "same"]),
    dilation=st.integers(1, 3), more=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    given_padding=st.booleans(),
    first=st.booleans(),
)  # fmt: skip
def test_sizes_and_values(h, w, kernel, strides, padding, dilation, more, given_padding, first):
    dilation = dilation if max(strides) == 1 else 1
    extra = tuple(min(m, s - 1) for m, s in zip(more, strides, strict=True)) if given_padding else None
    effective = [(k - 1) * dilation + 1 for k in kernel]
    sizes = [
        table(n, k, s, padding, p)[0]
        for n, k, s, p in zip((h, w), effective, strides, extra or (None, None), strict=True)
    ]
    layer = Conv2DTranspose(
        3, kernel, strides, padding, extra, "channels_first" if first else None, dilation, dtype="float64"
    )
    shape = (2, 2, h, w) if first else (2, h, w, 2)
    if min(sizes) < 1:
        with pytest.raises(ValueError, match="leave nothing"):
            layer(np.ones(shape))
        return
    assert layer.compute_output_shape((None, *shape[1:])) == (
        (None, 3, *sizes) if first else (None, *sizes, 3)
    )
    x = images(2, h, w, 2)
    y = layer(x.transpose(0, 3, 1, 2) if first else x).numpy()
    expected = painted(x, layer.get_weights()[0], strides, padding, extra, (dilation, dilation))
    np.testing.assert_allclose(y.transpose(0, 2, 3, 1) if first else y, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_it_is_the_gradient_of_a_convolution(stride, padding):
    conv = Conv2D(4, 3, stride, padding, use_bias=False, dtype="float64")
    size = 9 if padding == "valid" else 12  # that of the map which comes back
    x = Tensor(images(2, size, size, 3), requires_grad=True)
    y = conv(x)
    (expected,) = gradients(y, [x], y.numpy())
    transposed = Conv2DTranspose(3, 3, stride, padding, use_bias=False, dtype="float64")
    transposed(y)
    transposed.set_weights(conv.get_weights())
    np.testing.assert_allclose(transposed(y).numpy(), expected, rtol=1e-10, atol=1e-10)


def test_gradients_of_the_layer():
    layer = Conv2DTranspose(2, 3, 2, "same", activation="tanh", dtype="float64")
    check_layer(layer, images(2, 3, 2, 3), "kernel", "bias", kernels={"conv2d": "all"})
    other = Conv2DTranspose(
        2, (2, 1), (3, 2), output_padding=1, data_format="channels_first", dtype="float64"
    )
    check_layer(other, images(2, 2, 3, 2), "kernel", "bias")


def test_unknown_sizes_names_and_configuration():
    layer = Conv2DTranspose(3, 2, 2, "same", (1, 0))
    assert layer.compute_output_shape((None, None, 5, 2)) == (None, None, 8, 3)
    assert Conv2DTranspose.from_config(layer.get_config()).get_config() == layer.get_config()
    assert Convolution2DTranspose is Conv2DTranspose
    y = layer(images(1, 2, 2, 2).astype(np.float32))
    assert y.dtype == np.float32
    assert [w.shape for w in layer.weights] == [(2, 2, 3, 2), (3,)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"filters": 0}, "filters"),
        ({"kernel_size": 0}, "kernel_size"),
        ({"strides": 0}, "strides"),
        (
            {"strides": 2, "dilation_rate": 2},
            r"strides \(2, 2\) and dilation_rate \(2, 2\) cannot both exceed 1",
        ),
        (
            {"strides": 2, "output_padding": 2},
            r"output_padding must be less than strides.*\(2, 2\) and \(2, 2\)",
        ),
        ({"strides": 2, "output_padding": -1}, "output_padding"),
        ({"padding": "causal"}, "padding"),
    ],
)
def test_mistakes(arguments, word):
    with pytest.raises(ValueError, match=word):
        Conv2DTranspose(**{"filters": 2, "kernel_size": 3, **arguments})
