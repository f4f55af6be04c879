"""Padding, output sizes, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import conv2d
from tinynet.kernels.conv2d import geometry

ONE_TO_THREE = st.integers(1, 3)
ONE = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "pair"),
    [(28, 3, 1, 1, (1, 1)), (28, 2, 1, 1, (0, 1)), (7, 3, 2, 1, (1, 1)), (8, 3, 2, 1, (0, 1)),
     (5, 1, 3, 1, (0, 0)),
     (9, 3, 1, 2, (2, 2)), (1, 7, 1, 1, (3, 3))],
)  # fmt: skip
def test_same_padding_is_tensorflows(
    size: int, kernel: int, stride: int, dilation: int, pair: tuple[int, int]
) -> None:
    got = conv2d.resolve_padding("same", (size, 4), (kernel, 1), (stride, 1), (dilation, 1))
    assert got == (pair, (0, 0))


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(1, 3))
def test_same_gives_the_ceiling(size: int, kernel: int, stride: int, dilation: int) -> None:
    axes = (size, size), (kernel, kernel), (stride, stride)
    padding = conv2d.resolve_padding("same", *axes, (dilation, dilation))
    assert conv2d.output_size(*axes, padding, (dilation, dilation)) == (-(-size // stride),) * 2


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(1, 3))
def test_causal_gives_the_ceiling_and_nothing_later(
    size: int, kernel: int, stride: int, dilation: int
) -> None:
    before, after = geometry.padding_along("causal", size, kernel, stride, dilation)
    assert geometry.output_length(size, kernel, stride, (before, after), dilation) == -(-size // stride)
    assert (kernel - 1) * dilation - before == after == 0  # the last tap of output o lies at o * stride


@given(
    st.integers(0, 12),
    st.integers(1, 9),
    st.integers(1, 7),
    st.integers(1, 4),
    st.integers(-4, 8),
    ONE_TO_THREE,
)
def test_tap_range_is_what_it_says(
    output: int, size: int, taps: int, stride: int, padding: int, dilation: int
) -> None:
    first, end = geometry.tap_range(output, size, taps, stride, padding, dilation)
    inside = [k for k in range(taps) if 0 <= output * stride + k * dilation - padding < size]
    assert list(range(first, end)) == inside
    assert 0 <= first <= end <= taps


def test_what_does_not_fit_is_refused() -> None:
    x, w, b = np.zeros((2, 5, 5, 4)), np.zeros((3, 3, 4, 6)), np.zeros(6)
    with pytest.raises(ValueError, match="'valid', 'same' or"):
        conv2d.resolve_padding("full", (5, 5), (3, 3), (1, 1))
    with pytest.raises(ValueError, match="negative"):
        conv2d.resolve_padding(((0, -1), (0, 0)), (5, 5), (3, 3), (1, 1))
    for name in conv2d.conv2d.implementations:
        forward = conv2d.conv2d[name]
        with pytest.raises(ValueError, match="does not fit a map of 2x5"):
            forward(x[:, :2], w, b, **ONE)
        with pytest.raises(ValueError, match="expects 4 input channels in 1 group"):
            forward(x[..., :3], w, b, **ONE)
        with pytest.raises(ValueError, match="do not divide into 4 groups"):
            forward(x, w[:, :, :1], b, **{**ONE, "groups": 4})
        with pytest.raises(ValueError, match=r"bias must have shape \(6,\)"):
            forward(x, w, b[:5], **ONE)
        if name not in conv2d.conv2d_input_grad.implementations:
            continue  # a rung of the ladder: forward only
        with pytest.raises(ValueError, match=r"must have shape \(any, 3, 3, 6\)"):
            conv2d.conv2d_input_grad[name](np.zeros((2, 3, 4, 6)), w, input_size=(5, 5), **ONE)
        with pytest.raises(ValueError, match=r"bias must have shape \(4,\), got \(3,\)"):
            conv2d.conv2d_input_grad[name](np.zeros((2, 3, 3, 6)), w, b[:3], input_size=(5, 5), **ONE)
        with pytest.raises(ValueError, match=r"must have shape \(2, 3, 3, any\)"):
            conv2d.conv2d_weight_grad[name](x, np.zeros((1, 3, 3, 6)), kernel_size=(3, 3), **ONE)


def test_a_bias_that_is_too_short_is_not_read_beyond_its_end() -> None:
    """Of a transposed convolution, with channels enough for Winograd's tiles."""
    g, w, b = (np.ones(shape, np.float32) for shape in ((2, 8, 8, 16), (3, 3, 16, 16), (3,)))
    same = {**ONE, "padding": ((1, 1), (1, 1))}
    for name in ("vector", "winograd", "winograd_tiles"):
        with pytest.raises(ValueError, match=r"bias must have shape \(16,\), got \(3,\)"):
            conv2d.conv2d_input_grad[name](g, w, b, input_size=(8, 8), **same)
