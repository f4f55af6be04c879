"""Dense layers on the register tiles of kernels/gemm: one launch forward, one launch for all gradients.

Batch-last, x (N, K) is the matrix x^T (K, N) in memory. So forward is y^T = W^T x^T, with a bias for each
row, and the activation runs over each part of y while that is in the cache. The gradients are dx^T = W dz^T
and dW = x^T dz; the second one needs dz with its units lying together, which gradient.py writes beside dz
itself.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from .. import common
from ..activations.rectifiers import SELU_ALPHA, SELU_SCALE
from ..common import contiguous, parallel, prange, serial
from ..emit import call_kernel, vectors
from ..exponential import expm1, sigmoid, tanh
from ..gemm.product import (
    NOTHING,
    Operands,
    fits_tiles,
    launch_parts,
    layout,
    operands,
    part_of,
    parts_of,
    row_major,
    run_part,
)
from .gradient import GradientCall, gradient_plan
from .operations import dense, dense_grad

CODES = {None: 0, "relu": 1, "elu": 2, "selu": 3, "sigmoid": 4, "tanh": 5}  # as _activate numbers them


@dense.implementation("vector")
def _(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None, *, activation: str | None = None
) -> np.ndarray:
    if not fits_tiles(x, w) or (b is not None and (b.dtype != x.dtype or b.shape != w.shape[1:])):
        return dense["numpy"](x, w, b, activation=activation)
    y = common.empty(x, (x.shape[0], w.shape[1]))
    rows = y.T  # (M, N)
    # Operands are addresses: the names here keep the arrays, which may be copies, until the launch is over.
    a, xt, bias = _any_layout(w.T), row_major(x.T), None if b is None else contiguous(b)
    arguments = (*operands(a, xt, rows, bias), rows.reshape(-1), x.shape[0], CODES[activation])
    launch_parts(_forward_alone, _forward, parts_of(w.size * x.shape[0]), *arguments)
    return y


@dense_grad.implementation("vector")
def _(
    g: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    y: np.ndarray,
    *,
    activation: str | None,
    wanted: tuple[bool, bool, bool],
) -> tuple[np.ndarray, ...]:
    if not fits_tiles(x, w) or not _are_alike(g, y, x, w):
        return dense_grad["numpy"](g, x, w, y, activation=activation, wanted=wanted)
    v, (samples, units) = vectors(x.dtype), g.shape
    parts = parts_of(w.size * samples * (wanted[0] + wanted[1]))
    blocks, padded = -(-samples // v.lanes), -(-units // v.lanes) * v.lanes
    g, y, w, xt = row_major(g.T), row_major(y.T), _any_layout(w), _any_layout(x.T)  # g and y (M, N)
    dz = g[None] if activation is None else common.aligned((parts, units, samples), g.dtype)
    dzt, db = (
        common.aligned((parts, blocks * v.lanes, padded), g.dtype),
        common.aligned((parts, padded), g.dtype),
    )
    numbers = _gradients(g, y, dz, dzt, db, 0 if activation is None else dz.strides[0], blocks)
    dx = common.empty(x, x.shape) if wanted[0] else None
    dw = common.aligned(w.shape, w.dtype) if wanted[1] else None
    to_x = NOTHING if dx is None else operands(w, dz[0], dx.T)
    to_w = NOTHING if dw is None else operands(xt, dzt[0, :samples, :units], dw)
    launch_parts(
        _backward_alone, _backward, parts, gradient_plan(units, activation, v), tuple(numbers), *to_w, *to_x
    )
    return tuple(d for d in (dx, dw, db[0, :units] if wanted[2] else None) if d is not None)


def _are_alike(g: np.ndarray, y: np.ndarray, x: np.ndarray, w: np.ndarray) -> bool:
    return g.dtype == y.dtype == x.dtype and g.shape == y.shape == (x.shape[0], w.shape[1])


def _any_layout(a: np.ndarray) -> np.ndarray:
    return row_major(a) if layout(a) is None else a


# The compiled loops. `tiles` and `operands` are those of kernels/gemm/product.py.


class Gradients(NamedTuple):
    """Where the gradient tiles read and write: addresses, and steps in bytes."""

    g: int
    y: int
    dz: int
    dzt: int
    db: int
    dz_copy: int  # from the copy of one part to the next one's
    dzt_copy: int
    db_copy: int
    samples: int
    blocks: int  # vectors of samples
    g_row: int
    y_row: int
    dz_row: int
    dzt_row: int
    itemsize: int


def _gradients(
    g: np.ndarray, y: np.ndarray, dz: np.ndarray, dzt: np.ndarray, db: np.ndarray, dz_copy: int, blocks: int
) -> Gradients:
    """g and y (M, N), dz (parts, M, N), dzt (parts, N, M) and db (parts, M), both in whole vectors."""
    return Gradients(
        g=common.address(g),
        y=common.address(y),
        dz=common.address(dz),
        dzt=common.address(dzt),
        db=common.address(db),
        dz_copy=dz_copy,
        dzt_copy=dzt.strides[0],
        db_copy=db.strides[0],
        samples=g.shape[1],
        blocks=blocks,
        g_row=g.strides[0],
        y_row=y.strides[0],
        dz_row=dz.strides[1],
        dzt_row=dzt.strides[1],
        itemsize=g.itemsize,
    )


@serial
def _forward_part(tiles, operands, y, samples, activation, part, parts):
    """A part of the product, then the activation of its results: y is (M N,),
    the rows (M, N) one after the other.
    """
    run_part(tiles, operands, part, parts, 0)
    group = Operands(*operands).group
    first, end = part_of(tiles.shape[0] // group, part, parts)
    for i in range(first * group, end * group, group):
        row, rows, column = tiles[i, 2], tiles[i, 3], tiles[i, 4]
        columns = tiles[i + group - 1, 4] + tiles[i + group - 1, 5] - column
        if columns == samples:
            row, rows, columns = row * samples, 1, rows * samples
        else:
            row = row * samples + column
        for j in range(rows):
            _activate(y[row + j * samples : row + j * samples + columns], activation)


@serial
def _activate(v, activation):
    """v = f(v), as kernels/activations computes it."""
    if activation == 1:
        zero = v.dtype.type(0)
        for i in range(v.size):
            v[i] = np.maximum(v[i], zero)
    elif activation == 2:
        _elu(v, v.dtype.type(1), v.dtype.type(1))
    elif activation == 3:
        _elu(v, v.dtype.type(SELU_SCALE), v.dtype.type(SELU_ALPHA))
    elif activation == 4:
        for i in range(v.size):
            v[i] = sigmoid(v[i])
    elif activation == 5:
        for i in range(v.size):
            v[i] = tanh(v[i])


@serial
def _elu(v, scale, alpha):
    for i in range(v.size):
        v[i] = scale * (v[i] if v[i] > 0 else alpha * expm1(v[i]))


@serial
def _forward_alone(tiles, operands, y, samples, activation):
    _forward_part(tiles, operands, y, samples, activation, 0, 1)


@partial(parallel, by_size=False)
def _forward(tiles, operands, y, samples, activation, parts):
    for part in prange(parts):
        _forward_part(tiles, operands, y, samples, activation, part, parts)


@serial
def _backward_part(tiles, numbers, w_tiles, w_operands, x_tiles, x_operands, part, parts):
    """dz and db, then a part of dW and of dx.

    Every part computes all of dz for itself: one core reads what another has just
    written more slowly than it computes it.
    """
    at = Gradients(*numbers)
    for i in range(tiles.shape[0]):
        unit = tiles[i, 1]
        call_kernel(
            tiles[i, 0],
            GradientCall(
                g=at.g + unit * at.g_row,
                y=at.y + unit * at.y_row,
                dz=at.dz + unit * at.dz_row + part * at.dz_copy,
                dzt=at.dzt + unit * at.itemsize + part * at.dzt_copy,
                db=at.db + unit * at.itemsize + part * at.db_copy,
                samples=at.samples,
                blocks=at.blocks,
                g_row=at.g_row,
                y_row=at.y_row,
                dz_row=at.dz_row,
                dzt_row=at.dzt_row,
            ),
        )
    run_part(w_tiles, w_operands, part, parts, at.dzt_copy)
    run_part(x_tiles, x_operands, part, parts, at.dz_copy)


@serial
def _backward_alone(tiles, numbers, w_tiles, w_operands, x_tiles, x_operands):
    _backward_part(tiles, numbers, w_tiles, w_operands, x_tiles, x_operands, 0, 1)


@partial(parallel, by_size=False)
def _backward(tiles, numbers, w_tiles, w_operands, x_tiles, x_operands, parts):
    for part in prange(parts):
        _backward_part(tiles, numbers, w_tiles, w_operands, x_tiles, x_operands, part, parts)
