"""Dropout on a GPU: launches of the kernels in dropout.cu."""

import numpy as np

from . import common
from .common import Array, batch_last, empty, from_batch_last
from .cuda import FLOATS, Kernel, blocks
from .dropout import (
    FEATURES,
    NoiseShape,
    bits_shape,
    check_bits,
    check_words,
    dropout,
    dropout_grad,
    keep_scale,
    mask_shape,
    threshold,
    unpack,
)
from .elementwise import apply, where

_draw = Kernel(__file__, "dropout.cu", "draw")
_dropout = Kernel(__file__, "dropout.cu", "dropout", T=FLOATS)
_keep = Kernel(__file__, "dropout.cu", "keep", T=FLOATS)

MOST_WORDS = 8  # of 16 samples, in a block
THREADS = 256


@dropout.implementation("cuda")
def _(x: Array, words: Array, *, rate: float, noise_shape: NoiseShape = None) -> tuple[Array, Array]:
    check_words(words)
    shape = mask_shape(x.shape, noise_shape)
    bits, words = common.in_c_order(x, bits_shape(shape), "uint16"), common.contiguous(words)
    count, features = bits.shape
    block = FEATURES, min(count, MOST_WORDS)
    grid = blocks(features, FEATURES), blocks(count, MOST_WORDS)
    if shape != x.shape:
        _draw[()](grid, block, bits, words, threshold(rate), count)
        return _share(x, bits, shape, rate), bits
    y, n = empty(x, x.shape), x.shape[0]
    arrays = batch_last(y), bits, batch_last(x), words
    _dropout[x.dtype](grid, block, *arrays, threshold(rate), keep_scale(rate), x.size // max(n, 1), n)
    return y, bits


@dropout_grad.implementation("cuda")
def _(g: Array, bits: Array, *, rate: float, noise_shape: NoiseShape = None) -> Array:
    shape = mask_shape(g.shape, noise_shape)
    check_bits(bits, shape)
    if shape != g.shape:
        return _share(g, bits, shape, rate)
    dx, sizes = empty(g, g.shape), (bits.shape[1], g.shape[0], g.size)
    arrays = batch_last(dx), batch_last(g), common.contiguous(bits)
    _keep[g.dtype]((blocks(g.size, THREADS),), (THREADS,), *arrays, keep_scale(rate), *sizes)
    return dx


def _share(x: Array, bits: Array, shape: tuple[int, ...], rate: float) -> Array:
    """x m / (1 - rate) for a mask m of another `shape` than x's, broadcast."""
    turned = from_batch_last(batch_last(x))  # an order that the rest keeps
    return where(unpack(bits, shape), apply(np.multiply, turned, keep_scale(rate)), 0)
