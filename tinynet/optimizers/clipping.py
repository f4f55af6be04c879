"""Gradient clipping for any array module: arrays in, new arrays out, no value fetched from the device.

NumPy arrays in the memory order that nets have are clipped by compiled loops instead:
kernels/optimizers/clipping.py.
"""

from collections.abc import Sequence
from typing import Any

from tinynet.kernels.common import xp

Array = Any


def norm(g: Array) -> Array:
    """||g||_2 as an array of one element, in g's dtype."""
    return xp(g).sqrt((g * g).sum())


def clip_by_value(g: Array, limit: float) -> Array:
    """Every element restricted to [-limit, limit]."""
    return xp(g).clip(g, -limit, limit)


def clip_by_norm(g: Array, limit: float) -> Array:
    """g c / max(||g||, c): one variable's gradient, shortened to length c if it is longer."""
    return g * (limit / xp(g).maximum(norm(g), limit))


def clip_by_global_norm(gradients: Sequence[Array], limit: float) -> list[Array]:
    """g_i c / max(G, c) with G = sqrt(sum ||g_i||^2): all gradients shortened alike,
    so their direction is kept.

    Pascanu et al., "On the difficulty of training recurrent neural networks" (2013), algorithm 1. A gradient
    that is not finite makes all of them NaN, as in Keras: a step that cannot be right should be seen, not
    hidden.
    """
    square = 0.0
    for g in gradients:
        square = square + (g * g).sum()
    module = xp(square)
    length = module.sqrt(square)
    scale = module.where(module.isfinite(length), limit / module.maximum(length, limit), module.nan)
    return [g * scale.astype(g.dtype) for g in gradients]


def clip(
    gradients: list[Array], clipnorm: float | None, clipvalue: float | None, global_clipnorm: float | None
) -> list[Array]:
    """Clipped by the one limit that is given; as they are without one."""
    if clipnorm is not None:
        return [clip_by_norm(g, clipnorm) for g in gradients]
    if clipvalue is not None:
        return [clip_by_value(g, clipvalue) for g in gradients]
    if global_clipnorm is not None:
        return clip_by_global_norm(gradients, global_clipnorm)
    return gradients
