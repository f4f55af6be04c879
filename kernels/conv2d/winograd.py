"""Winograd's convolution: a 3x3 kernel with a quarter of the products. This is its reference, in NumPy.

Along one axis, four outputs with three taps see six inputs and take twelve products:

    y_i = sum over k of  w_k * x_(i+k)                     i = 0..3, k = 0..2

**Six are enough.** Take any four numbers g_i, and let g(p) = g_0 + g_1 p + .. + g_3 p^3 and w(p) = w_0 +
w_1 p + w_2 p^2. Their product has six coefficients, s_t = sum of g_i w_k over i + k = t, and is known from
its values at six points: at each point that is one product, g(p) w(p). (One of the points is infinity, where
a polynomial's value is its last coefficient.) So s is three steps: values of g, values of w, multiplied; then
interpolation.

What is wanted is the transpose of this. The sum of x_t s_t is that of g_i y_i, whatever g is: so y is what
comes of running the steps on x backwards, from the coefficients of s to those of g, each matrix transposed:

    y = A^T ((G w) * (B^T x))           * number by number: the six products
    A (6, 4) values at the points of four coefficients, G (6, 3) of three; B (6, 6) interpolates
    (its denominators are in G: w is what is transformed least often)

For two outputs and the points 0, 1, -1, infinity this reads (by hand: y_0 = x_0 w_0 + x_1 w_1 + x_2 w_2)

    m_0 = (x_0 - x_2) w_0                         y_0 = m_0 + m_1 + m_2
    m_1 = (x_1 + x_2) (w_0 + w_1 + w_2) / 2       y_1 = m_1 - m_2 + m_3
    m_2 = (x_2 - x_1) (w_0 - w_1 + w_2) / 2
    m_3 = (x_3 - x_1) w_2

**In two dimensions** rows and columns take turns: with images d of 6x6 pixels for each tile of 4x4 outputs,

    U = G w G^T     V = B^T d B     M[t, f] = sum over c of U[t, c, f] V[t, c]      y = A^T M A

at each of the 36 places t: a matrix product over the channels, 36 products for 16 outputs that took 144. The
transforms cost additions, which do not depend on how many filters (V) or channels (M) share them. By the
same algebra dw = G^T (sum of V * (A g A^T)) G.

**Rounding.** Sums of large numbers of both signs leave errors; how large they are is a matter of the points.
With 0, +-1/sqrt 2, +-sqrt 2 and infinity they are half of those with 0, +-1, +-2, which the paper has, and
two to four times those of the definition. A zero may come out as 1e-8, and one infinity or NaN in a tile
makes all of its outputs NaN.

Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast Algorithms for Convolutional
Neural Networks, 2016, https://arxiv.org/abs/1509.09308
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from ..activations import relu
from ..common import Array, empty
from .geometry import Padding, Pair, check_bias, check_forward, check_gradient, check_groups, output_size
from .operations import (
    conv2d,
    conv2d_activation_grad,
    conv2d_bias_grad,
    conv2d_input_grad,
    conv2d_weight_grad,
)

TAPS = 3
_ROOT_HALF = 0.5**0.5
POINTS = {  # for so many outputs, the finite ones: each with its negative beside it
    2: (0.0, 1.0, -1.0),
    3: (0.5, -0.5, 1.25, -1.25),
    4: (0.0, _ROOT_HALF, -_ROOT_HALF, 2 * _ROOT_HALF, -2 * _ROOT_HALF),
}


class Matrices(NamedTuple):
    """Of m outputs, n = m + 2 inputs and as many products."""

    at: Array  # (m, n)
    g: Array  # (n, 3)
    bt: Array  # (n, n)


@cache
def matrices(outputs: int) -> Matrices:
    """A^T, G and B^T in float64, for 2, 3 or 4 outputs.

    At a point p, interpolation needs the polynomial that is 0 at the other points, product of (x - q),
    divided by its value N at p. Its coefficients are a row of B^T; the 1 / N is G's.
    """
    points = POINTS[outputs]
    n = len(points) + 1
    at, g, bt = np.zeros((outputs, n)), np.zeros((n, TAPS)), np.zeros((n, n))
    for j, p in enumerate(points):
        others = [q for q in points if q != p]
        # those with their negatives first: the rows of p and -p then differ in signs alone, to the last bit
        polynomial = np.poly(sorted(others, key=lambda q: (-q not in others, abs(q))))
        at[:, j] = [p**i for i in range(outputs)]
        g[j] = [p**i / np.polyval(polynomial, p) for i in range(TAPS)]
        bt[j, : n - 1] = polynomial[::-1]  # from the constant on
    at[-1, -1] = g[-1, -1] = 1  # infinity
    bt[-1] = np.poly(points)[::-1]
    return Matrices(at, g, bt)


def fits(kernel: Pair, strides: Pair, padding: Padding, dilation: Pair, groups: int) -> bool:
    """Whether the algorithm is for such a convolution, of whatever size."""
    usual = strides == (1, 1) and dilation == (1, 1) and groups == 1
    return kernel == (TAPS, TAPS) and usual and max(max(pair) for pair in padding) < TAPS


def tile_length(output: Pair) -> int:
    """Outputs of a tile along an axis: four, or three where the map has no more."""
    return 3 if max(output) <= 3 else 4


def transform(left: Array, tiles: Array, right: Array) -> Array:
    """left @ tile @ right^T of each tile (rows, columns, ...)."""
    return np.einsum("ti,ij...,sj->ts...", left, tiles, right, optimize=True)


def input_tiles(x: Array, m: int, corner: Pair, output: Pair) -> Array:
    """The pixels that each tile of m x m outputs sees, zeros where there are none:
    x (N, H, W, C) -> (m+2, m+2, TH, TW, C, N).
    """
    count = [-(-length // m) for length in output]
    size = [m * tiles + TAPS - 1 for tiles in count]
    padded = np.zeros((*size, x.shape[3], x.shape[0]), x.dtype)  # (H, W, C, N)
    rows, columns = (min(n, s - c) for n, s, c in zip(x.shape[1:3], size, corner, strict=True))
    target = padded[corner[0] : corner[0] + rows, corner[1] : corner[1] + columns]
    target[...] = x[:, :rows, :columns].transpose(1, 2, 3, 0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (m + TAPS - 1,) * 2, (0, 1))
    return windows[::m, ::m].transpose(4, 5, 0, 1, 2, 3)


def output_tiles(g: Array, m: int) -> Array:
    """A map in tiles of m x m, zeros beyond its end: g (N, OH, OW, F) -> (m, m, TH, TW, F, N)."""
    n, rows, columns, filters = g.shape
    padded = np.zeros((rows + -rows % m, columns + -columns % m, filters, n), g.dtype)
    padded[:rows, :columns] = g.transpose(1, 2, 3, 0)
    cut = padded.reshape(-(-rows // m), m, -(-columns // m), m, filters, n)
    return cut.transpose(1, 3, 0, 2, 4, 5)


def convolve(x: Array, w: Array, corner: Pair, output: Pair) -> Array:
    """x (N, H, W, C), w (3, 3, C, F) -> (N, OH, OW, F)."""
    m = tile_length(output)
    at, g, bt = (matrix.astype(x.dtype) for matrix in matrices(m))
    u = transform(g, w, g)  # (n, n, C, F)
    v = transform(bt, input_tiles(x, m, corner, output), bt)  # (n, n, TH, TW, C, N)
    products = np.einsum("tscf,tshwcn->tshwfn", u, v, optimize=True)
    tiles = transform(at, products, at)  # (m, m, TH, TW, F, N)
    whole = tiles.transpose(2, 0, 3, 1, 4, 5).reshape(
        *(m * count for count in tiles.shape[2:4]), *tiles.shape[4:]
    )
    y = empty(x, (x.shape[0], *output, w.shape[3]))
    y[...] = whole[: output[0], : output[1]].transpose(3, 0, 1, 2)
    return y


@conv2d.implementation("winograd", default=False)
def _(
    x: Array, w: Array, b: Array | None = None, *, strides: Pair, padding: Padding, dilation: Pair,
    groups: int, activation: str | None = None,
) -> Array:  # fmt: skip
    check_forward(x.shape, w.shape, None if b is None else b.shape, groups, activation)
    if not fits(w.shape[:2], strides, padding, dilation, groups):
        return conv2d["im2col"](
            x, w, b, strides=strides, padding=padding, dilation=dilation, groups=groups, activation=activation
        )
    size = output_size(x.shape[1:3], w.shape[:2], strides, padding, dilation)
    y = convolve(x, w, (padding[0][0], padding[1][0]), size)
    if b is not None:
        y += b
    return relu(y) if activation == "relu" else y


@conv2d_input_grad.implementation("winograd", default=False)
def _(
    g: Array, w: Array, b: Array | None = None, *, input_size: Pair, strides: Pair, padding: Padding,
    dilation: Pair, groups: int, activation: str | None = None,
) -> Array:  # fmt: skip
    if not fits(w.shape[:2], strides, padding, dilation, groups):
        return conv2d_input_grad["im2col"](
            g, w, b, input_size=input_size, strides=strides, padding=padding, dilation=dilation,
            groups=groups, activation=activation,
        )  # fmt: skip
    output = output_size(input_size, w.shape[:2], strides, padding, dilation)
    check_gradient(g.shape, (None, *output, w.shape[3]))
    check_bias(None if b is None else b.shape, w.shape[2])
    flipped = w[::-1, ::-1].transpose(0, 1, 3, 2)
    dx = convolve(g, flipped, (TAPS - 1 - padding[0][0], TAPS - 1 - padding[1][0]), input_size)
    if b is not None:
        dx += b
    return relu(dx) if activation == "relu" else dx


@conv2d_weight_grad.implementation("winograd", default=False)
def _(
    x: Array, g: Array, *, kernel_size: Pair, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> Array:
    if not fits(kernel_size, strides, padding, dilation, groups):
        return conv2d_weight_grad["im2col"](
            x, g, kernel_size=kernel_size, strides=strides, padding=padding, dilation=dilation, groups=groups
        )
    check_groups(x.shape[3], g.shape[3], groups)
    output = output_size(x.shape[1:3], kernel_size, strides, padding, dilation)
    check_gradient(g.shape, (x.shape[0], *output, None))
    m = tile_length(output)
    at, gm, bt = (matrix.astype(x.dtype) for matrix in matrices(m))
    v = transform(bt, input_tiles(x, m, (padding[0][0], padding[1][0]), output), bt)  # (n, n, TH, TW, C, N)
    z = transform(at.T, output_tiles(g, m), at.T)  # (n, n, TH, TW, F, N)
    sums = np.einsum("tshwcn,tshwfn->tscf", v, z, optimize=True)
    return np.ascontiguousarray(transform(gm.T, sums, gm.T))


for _operation in (conv2d_bias_grad, conv2d_activation_grad):
    _operation.implementation("winograd", default=False)(_operation["im2col"])
