"""Dropout: layers/dropout.py -> here -> kernels/dropout.py.

    y = x m / (1 - rate),   m = 1 with probability 1 - rate, else 0, drawn from an explicit key: a pure function of it
"""

from typing import Any

from tinynet.autograd import primitive
from tinynet.kernels import dropout as kernels
from tinynet.ops.attach import Value


@primitive
def drop(x, *, rate, key, call, noise_shape):
    """x (N, ...) -> (y as x, mask): the mask is constant on the tape."""
    return kernels.dropout(x, rate=rate, key=key, call=call, noise_shape=noise_shape)


@drop.vjp
def _(grad, y, rate):
    return dropout_grad(grad[0], y[1], rate=rate)


@primitive
def dropout_grad(g, mask, *, rate):
    """g m / (1 - rate)."""
    return kernels.dropout_grad(g, mask, rate=rate)


@dropout_grad.vjp("g")
def _(grad, mask, rate):
    return dropout_grad(grad, mask, rate=rate)


def dropout(
    x: Value, *, rate: float, key: tuple[int, int], call: int, noise_shape: tuple[Any, ...] | None = None
) -> Value:
    """Drops elements of x with probability `rate` and scales the others by 1 / (1 - rate).

    `key` (two 32-bit words) and the number `call` determine the mask. Raises ValueError unless 0 <= rate <= 1.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"dropout: rate must be between 0 and 1, got {rate}")
    noise_shape = None if noise_shape is None else tuple(noise_shape)
    return drop(x, rate=float(rate), key=key, call=int(call), noise_shape=noise_shape)[0]
