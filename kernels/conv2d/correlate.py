"""The weight gradient on register tiles, of one group: which of the two tiles runs.

    images in the lanes      weight.py, weight_loop.py
    filters in the lanes     wide.py, wide_loop.py: many filters, or few images

Few images after the last whole vector have a gradient of their own, which is added.
"""

from typing import Any

import numpy as np

from .. import common, threads
from ..common import Array, address
from ..emit import vectors
from .choice import is_wide, is_wide_for_few
from .forward_loop import MAX_MULTIPLY_ADDS_ALONE
from .geometry import Window
from .weight_loop import WeightPlaces, run_weight, weight_plan
from .wide_loop import run_wide, wide_plan


def correlate(x: Array, g: Array, dw: Array, f: slice, window: Window) -> None:
    """dw[..., f] (KH, KW, C, F) of x (N, H, W, C) and g (N, OH, OW, F), both batch-last."""
    v, images = vectors(x.dtype), x.shape[0]
    shape = g.shape[1:3], dw.shape[:2], x.shape[3], g.shape[3], v
    rest, wide = images % v.lanes, is_wide(*shape)
    many = images - rest
    whole = g.shape[3] == dw.shape[3] and not wide  # not one of several groups
    if whole and many and is_wide_for_few(rest, True, *shape):
        other = common.aligned(dw.shape, dw.dtype)
        _run(x[:many], g[:many], dw, f, window, False)
        _run(x[many:], g[many:], other, f, window, True)
        common.launch(np.add, dw, other, dw)
    else:
        _run(x, g, dw, f, window, wide or (not many and is_wide_for_few(rest, False, *shape)))


def _run(x: Array, g: Array, dw: Array, f: slice, window: Window, wide: bool) -> None:
    """The sum of the results of the pieces that a plan divides the pixels into."""
    v = vectors(x.dtype)
    kernel, channels, filters = dw.shape[:2], x.shape[3], g.shape[3]
    make: Any = wide_plan if wide else weight_plan
    plan = make(x.shape[1:3], g.shape[1:3], kernel, channels, filters, window, v, x.shape[0])
    results = (
        dw[None] if plan.pieces == 1 else common.aligned((plan.pieces, *kernel, channels, filters), x.dtype)
    )
    target = results[..., f] if plan.pieces == 1 else results  # (pieces, KH, KW, C, F)
    places = tuple(WeightPlaces(x=address(x), g=address(g), target=address(target)))
    steps = (x.strides[1:], g.strides[1:], target.strides)
    alone = g.size * dw[..., 0].size < MAX_MULTIPLY_ADDS_ALONE
    if wide:
        scratch, run = common.aligned((threads.most, plan.band_bytes), np.uint8), run_wide.compiled  # type: ignore[attr-defined]
        common.launch(run, plan.loop, places, *steps, results, dw, f.start, scratch, alone=alone)
    else:
        run = run_weight.compiled  # type: ignore[attr-defined]
        common.launch(run, plan.loop, places, *steps, results, dw, f.start, alone=alone)
