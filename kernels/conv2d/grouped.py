"""All groups of a convolution in one launch.

    y[..., filters of group j] = convolution of x[..., channels of group j] with w[..., filters of group j]

Each group is a convolution of its own on slices of x, w and y. In a depthwise convolution a group is one
channel, and its work is over before the next launch has begun. So here a forward tile has one more loop
around it, over the groups, which advances its four addresses (`grouped` in forward.py). The channels of a
pixel lie together in memory, so the tile reads every pixel from one end to the other. A weight-gradient tile
runs long enough to be called for each group, except where a group is a single channel: depthwise.py.
"""

from .. import common
from ..common import Array, address, parallel, prange
from ..emit import vectors
from .depthwise_loop import correlate_depthwise
from .forward_loop import (
    MAX_CHANNEL_STRIDE_BYTES,
    MAX_MULTIPLY_ADDS_ALONE,
    ForwardLoop,
    Places,
    forward_plan,
    forward_row,
)
from .geometry import KernelSteps, Steps, Window
from .weight_loop import WeightLoop, WeightPlaces, add_results, weight_plan, weight_task


def lie_near(w: Array) -> bool:
    """Whether tiles may read w (KH, KW, C/groups, F) where it lies; if not,
    groups take turns, and their weights are copied.
    """
    return w.shape[2] == 1 or w.strides[2] <= MAX_CHANNEL_STRIDE_BYTES


def convolve_groups(
    x: Array, w: Array, b: Array, y: Array, groups: int, w_group: int, window: Window, activation: str | None
) -> None:
    """y = activation(b + x * w): x (N, H, W, C), w (KH, KW, C/groups, F/groups), b (F,), y (N, OH, OW, F).

    x and y are batch-last. `w` is the first group's kernel; the next one's lies w_group bytes on.
    """
    v, channels, filters = vectors(x.dtype), x.shape[3] // groups, y.shape[3] // groups
    plan = forward_plan(x.shape[:3], y.shape[1:3], w.shape, w.strides, window, activation, v, groups)
    steps = Places(x=channels * x.strides[3], w=w_group, b=filters * v.itemsize, y=filters * y.strides[3])
    places = Places(x=address(x), w=address(w), b=address(b), y=address(y))
    alone = y.size * w[..., 0].size < MAX_MULTIPLY_ADDS_ALONE
    run = _run_groups.compiled  # type: ignore[attr-defined]
    common.launch(run, plan.loop, tuple(places), tuple(steps), x.strides[1:], y.strides[1:], alone=alone)


def correlate_groups(x: Array, g: Array, dw: Array, groups: int, window: Window) -> None:
    """dw (KH, KW, C/groups, F), from batch-last x (N, H, W, C) and g (N, OH, OW, F):
    the sum of the results of the pieces.
    """
    if dw.shape[2] == 1:
        correlate_depthwise(x, g, dw, window)
        return
    v, channels, filters = vectors(x.dtype), dw.shape[2], dw.shape[3] // groups
    size = (x.shape[1:3], g.shape[1:3], dw.shape[:2], channels, filters)
    plan = weight_plan(*size, window, v, x.shape[0], groups)
    # (pieces, KH, KW, C/groups, F)
    results = dw[None] if plan.pieces == 1 else common.aligned((plan.pieces, *dw.shape), x.dtype)
    places = WeightPlaces(x=address(x), g=address(g), target=address(results))
    each = WeightPlaces(x=channels * x.strides[3], g=filters * g.strides[3], target=filters * v.itemsize)
    steps = (x.strides[1:], g.strides[1:], results.strides)
    alone = g.size * dw[..., 0].size < MAX_MULTIPLY_ADDS_ALONE
    run = _run_weight_groups.compiled  # type: ignore[attr-defined]
    common.launch(run, plan.loop, tuple(places), tuple(each), *steps, results, dw, alone=alone)


# The compiled loops. Addresses and steps are in bytes;
# `group_steps` lead from a group's places to the next one's.


@parallel
def _run_groups(loop, places, group_steps, x_strides, y_strides):
    """One output row, for one of `parts` of the groups and one of `chunks` of the batch, in each task."""
    loop = ForwardLoop(*loop)
    at = Places(*places)
    each = Places(*group_steps)
    x_step = Steps(*x_strides)
    y_step = Steps(*y_strides)
    rows, filter_tiles = loop.taps.shape[0], loop.tiles.shape[0]
    for task in prange(rows * loop.parts * loop.chunks):
        row, part, chunk = task % rows, task // rows % loop.parts, task // (rows * loop.parts)
        group, end = loop.groups * part // loop.parts, loop.groups * (part + 1) // loop.parts
        here = Places(
            x=at.x + group * each.x, w=at.w + group * each.w, b=at.b + group * each.b, y=at.y + group * each.y
        )
        forward_row(row, chunk, 0, filter_tiles, loop, here, x_step, y_step, end - group, each)


@parallel
def _run_weight_groups(loop, places, group_steps, x_strides, g_strides, target_strides, results, dw):
    """One tile of one group on one piece in each task."""
    loop = WeightLoop(*loop)
    at = WeightPlaces(*places)
    each = WeightPlaces(*group_steps)
    x_step = Steps(*x_strides)
    g_step = Steps(*g_strides)
    dw_step = KernelSteps(*target_strides)
    pieces, count = loop.parts.shape[0] * loop.bounds.shape[0], loop.tiles.shape[0]
    for task in prange(pieces * loop.groups * count):
        piece, group, i = task // (loop.groups * count), task // count % loop.groups, task % count
        here = WeightPlaces(
            x=at.x + group * each.x, g=at.g + group * each.g, target=at.target + group * each.target
        )
        weight_task(piece * count + i, loop, here, x_step, g_step, dw_step)
    if pieces != 1:
        add_results(dw.reshape(-1), results.reshape(-1), pieces, 0, dw.shape[3], dw.shape[3])
