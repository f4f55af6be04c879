"""Convolution's CUDA tiles: each is right for every shape, and shapes get the tile that suits them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import conv2d
from tinynet.kernels.conv2d import cuda
from tinynet.kernels.cuda import shapes

from cuda_shim import shim

pytestmark = pytest.mark.skipif(bool(shim.missing), reason=shim.missing)

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def convolutions(draw):
    """x, w, b, g and the settings of a convolution, in double precision."""
    groups, kernel, strides, dilation = (
        draw(st.sampled_from((1, 1, 2))),
        draw(pairs),
        draw(pairs),
        draw(pairs),
    )
    padding = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(2))
    least = [(k - 1) * d + 1 - sum(p) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    size = tuple(max(1, n) + draw(st.integers(0, 5)) for n in least)
    c, f = groups * draw(st.integers(1, 9)), groups * draw(st.integers(1, 17))
    n, rng = draw(st.sampled_from((1, 31, 33))), np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    static = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    out = conv2d.output_size(size, kernel, strides, padding, dilation)
    shapes = (n, *size, c), (*kernel, c // groups, f), (f,), (n, *out, f)
    return [rng.standard_normal(shape) for shape in shapes], static


def agree(found, expected):
    np.testing.assert_allclose(
        found, expected, rtol=1e-12, atol=1e-12 * (1 + np.abs(expected).max(initial=0))
    )


@pytest.mark.gpu
@pytest.mark.parametrize("tile", cuda.TILES, ids=str)
@given(case=convolutions())
def test_every_tile_computes_every_convolution(tile, case):
    (x, w, b, g), static = case
    size = {"input_size": x.shape[1:3]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda, "tile_for", lambda *shape: tile)
        y = conv2d.conv2d["cuda"](x, w, b, activation="relu", **static)
        dx = conv2d.conv2d_input_grad["cuda"](g, w, **static, **size)
    agree(y, conv2d.conv2d["naive"](x, w, b, activation="relu", **static))
    agree(dx, conv2d.conv2d_input_grad["naive"](g, w, **static, **size))


@pytest.mark.gpu
@pytest.mark.parametrize("tile", cuda.ROWS, ids=str)
@pytest.mark.parametrize("parts", [1, 3])
@given(case=convolutions())
def test_every_tile_computes_every_gradient_by_the_weights(tile, parts, case):
    (x, w, _, g), static = case
    size = {"kernel_size": w.shape[:2]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda, "rows_for", lambda *shape: tile)
        patch.setattr(cuda, "parts_for", lambda *shape: parts)
        dw = conv2d.conv2d_weight_grad["cuda"](x, g, **static, **size)
        db = conv2d.conv2d_bias_grad["cuda"](g)
    agree(dw, conv2d.conv2d_weight_grad["naive"](x, g, **static, **size))
    agree(db, g.sum((0, 1, 2)))


def test_shapes_get_the_tile_that_suits_them():
    """Few idle sums; warps share a tile where there are not enough tiles, and only there."""
    large, small = (64, 56, 56, 128), (64, 3, 3, 128)
    assert cuda.tile_for(*large).split == 1
    assert cuda.tile_for(*small).split > 1
    assert cuda.tile_for(28, 28, 28, 128).filters == 14
    assert cuda.tile_for(32, 28, 28, 128).filters == 16
    assert cuda.tile_for(7, 7, 7, 32).filters == 7
    assert cuda.tile_for(8, 7, 7, 32).filters == 8
    assert cuda.tile_for(1, 28, 28, 128).filters == 1
    assert cuda.rows_for(7, 9 * 7) == (7, 9)
    assert cuda.rows_for(64, 64) == (8, 8)
    assert cuda.rows_for(15, 27) == (8, 8)
    assert cuda.rows_for(1, 9) == (1, 9)


def test_sums_are_cut_into_enough_parts_and_no_more():
    assert cuda.parts_for(1, 1000) == shapes.MOST_PARTS
    assert cuda.parts_for(1, 5) == 5  # never a part of nothing
    assert cuda.parts_for(100_000, 1000) == 1
    assert cuda.parts_for(0, 0) == 1


def test_more_numbers_than_32_bits_count_are_refused():
    x = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (1 << 15, 1 << 10, 1, 64), (0, 0, 0, 0))
    out = np.zeros((1, 1, 1, 64), np.float32)
    geometry = cuda.Geometry((1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1)
    with pytest.raises(ValueError, match=r"at most 2\^31 - 1 numbers at a time, got 2147483648"):
        cuda.convolve(False, out, x, np.zeros((1, 1, 1, 1), np.float32), None, geometry, False)
