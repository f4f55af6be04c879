"""Dropout: layers/dropout.py -> here -> kernels/dropout.py.

    y = x m / (1 - rate),   m = 1 with probability 1 - rate, else 0,
    drawn from three words: a pure function of them

The words, two of a key and the number of the call, are an array and not settings: in a step that is repeated
they are what differs from time to time.
"""

from typing import Any

import numpy as np

from tinynet.autograd import array_primitive
from tinynet.autograd.tensor import as_raw
from tinynet.backend import device
from tinynet.kernels import dropout as kernels
from tinynet.kernels.philox import LOW
from tinynet.ops.methods import Value
from tinynet.ops.settings import floats, number


@array_primitive
def drop(x, words, *, rate, noise_shape):
    """x (N, ...), words (3,) uint32 -> (y as x, the mask as bits):
    both words and bits are constants on the tape.
    """
    return kernels.dropout(x, words, rate=rate, noise_shape=noise_shape)


@drop.vjp("x")
def _(grad, y, rate, noise_shape):
    return dropout_grad(grad[0], y[1], rate=rate, noise_shape=noise_shape)


@array_primitive
def dropout_grad(g, bits, *, rate, noise_shape):
    """g m / (1 - rate)."""
    return kernels.dropout_grad(g, bits, rate=rate, noise_shape=noise_shape)


@dropout_grad.vjp("g")
def _(grad, bits, rate, noise_shape):
    return dropout_grad(grad, bits, rate=rate, noise_shape=noise_shape)


def dropout(
    x: Value,
    *,
    rate: float,
    key: tuple[int, int] | None = None,
    call: int = 0,
    words: Any = None,
    noise_shape: tuple[Any, ...] | None = None,
) -> Value:
    """Drops elements of x with probability `rate` (to within 2**-17) and scales the others by 1 / (1 - rate).

    `key` (two 32-bit words) and the number `call` determine the mask, or `words`, the three in one uint32
    array. noise_shape as in layers.Dropout: the shape of the mask, with 1 along axes that share it and None
    for the size of x. Raises ValueError unless 0 <= rate <= 1.

    >>> ops.dropout(np.ones(4), rate=0.5, key=(1, 2))
    array([2., 0., 2., 2.])
    """
    rate = number("dropout", "rate", rate, 0, 1)
    words = np.array([*(key or (0, 0)), call & LOW], np.uint32) if words is None else words
    noise_shape = None if noise_shape is None else tuple(noise_shape)
    (x,) = floats(x)
    return drop(x, device.words_beside(words, as_raw(x)), rate=rate, noise_shape=noise_shape)[0]
