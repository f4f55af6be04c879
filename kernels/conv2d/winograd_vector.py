"""Convolution by Winograd's algorithm where that is faster: what NumPy arrays get.

    forward, input gradient    winograd_plan.py, winograd_loop.py, winograd_tiles.py, winograd_transforms.py
    the same of few images     winograd_few.py
    weight gradient            winograd_weight.py, winograd_weight_plan.py and its loops
    all else                   the direct tiles of vector.py

`kernels.use("conv2d", "vector")` does without. Which layers take it is said by their shapes, so that the bits
of a prediction do not depend on how many images are predicted at once; but a single image does without
where the transformed weights are 4 MiB or more.
"""

from typing import Any

import numpy as np

from .. import common, threads
from ..common import Array, address, contiguous
from ..emit import vectors
from .choice import takes_winograd, why_direct_weight
from .forward_loop import MAX_MULTIPLY_ADDS_ALONE, Places
from .geometry import Padding, Pair, check_bias, check_forward, check_gradient, output_size
from .operations import (
    conv2d,
    conv2d_activation_grad,
    conv2d_bias_grad,
    conv2d_input_grad,
    conv2d_weight_grad,
)
from .vector import batch_last, no_bias
from .weight_loop import WeightPlaces
from .winograd import TAPS, fits
from .winograd_deep_loop import run_deep_winograd
from .winograd_few import Few, copy_address, cut, few_at_end, join
from .winograd_loop import run_winograd
from .winograd_plan import Problem, winograd_plan
from .winograd_weight_deep_loop import run_deep_weight
from .winograd_weight_loop import run_winograd_weight
from .winograd_weight_plan import winograd_weight_plan


def _convolve(x: Array, w: Array, b: Array | None, problem: Problem) -> Array:
    """x (N, H, W, C) -> y (N, OH, OW, F)."""
    x, w = batch_last(x), contiguous(w, x.dtype)
    b = no_bias(problem.filters, x.dtype) if b is None else contiguous(b, x.dtype)
    images, output = x.shape[0], problem.output
    y = common.empty(x, (images, *output, problem.filters))
    few = few_at_end(images, output, problem.channels, problem.filters, vectors(x.dtype))
    many = images - few.images if few else images
    if many:
        _run(x[:many], w, b, y[:many], problem._replace(size=(many, *problem.size[1:])))
    if few:
        _convolve_few(few, x[many:], w, b, y[many:], problem)
    return y


def _convolve_few(few: Few, x: Array, w: Array, b: Array, y: Array, problem: Problem) -> None:
    """The same for images whose tiles lie side by side."""
    v, n = vectors(x.dtype), few.m + TAPS - 1
    room = -(-few.total // v.lanes) * v.lanes + v.lanes
    pixels = common.aligned((n, n, problem.channels, room), x.dtype)
    outputs = common.aligned((few.m, few.m, problem.filters, room), x.dtype)
    tiles_x, tiles_y = (common.from_batch_last(a[..., : few.total]) for a in (pixels, outputs))
    numbers, x_map, y_map = tuple(few), (*x.shape[1:3], *problem.corner), (*y.shape[1:3], 0, 0)
    cut(copy_address(few.images, False, v), pixels, numbers, address(x), x.strides[1:], x_map)
    one = problem._replace(size=(few.total, n, n), output=(few.m, few.m), corner=(0, 0))
    _run(tiles_x, w, b, tiles_y, one)
    join(copy_address(few.images, True, v), outputs, numbers, address(y), y.strides[1:], y_map)


def _run(x: Array, w: Array, b: Array, y: Array, problem: Problem) -> None:
    """Runs the tiles."""
    plan = winograd_plan(problem, x.strides[1:], y.strides[1:], vectors(x.dtype))
    scratch = common.aligned((threads.most, plan.scratch), np.uint8)
    loops: Any = run_deep_winograd if plan.u else run_winograd
    shared = common.aligned((plan.u,), np.uint8) if plan.u else common.aligned((threads.most,), np.int64)
    places = tuple(Places(x=address(x), w=address(w), b=address(b), y=address(y)))
    alone = y.size * problem.channels * TAPS**2 < MAX_MULTIPLY_ADDS_ALONE
    common.launch(
        loops.compiled, plan.loop, places, x.strides[1:], y.strides[1:], shared, scratch, alone=alone
    )


@conv2d.implementation("winograd_tiles")
def _(
    x: Array, w: Array, b: Array | None = None, *, strides: Pair, padding: Padding, dilation: Pair,
    groups: int, activation: str | None = None,
) -> Array:  # fmt: skip
    check_forward(x.shape, w.shape, None if b is None else b.shape, groups, activation)
    if x.dtype == np.float32 and x.shape[0] and fits(w.shape[:2], strides, padding, dilation, groups):
        output = output_size(x.shape[1:3], w.shape[:2], strides, padding, dilation)
        corner = padding[0][0], padding[1][0]
        if takes_winograd(x.shape[0], w.shape, x.shape[1:3], output, corner):
            problem = Problem(x.shape[:3], output, w.shape[2], w.shape[3], corner, False, activation)
            return _convolve(x, w, b, problem)
    return conv2d["vector"](
        x, w, b, strides=strides, padding=padding, dilation=dilation, groups=groups, activation=activation
    )


@conv2d_input_grad.implementation("winograd_tiles")
def _(
    g: Array, w: Array, b: Array | None = None, *, input_size: Pair, strides: Pair, padding: Padding,
    dilation: Pair, groups: int, activation: str | None = None,
) -> Array:  # fmt: skip
    if g.dtype == np.float32 and g.shape[0] and fits(w.shape[:2], strides, padding, dilation, groups):
        output = output_size(input_size, w.shape[:2], strides, padding, dilation)
        check_gradient(g.shape, (None, *output, w.shape[3]))
        check_bias(None if b is None else b.shape, w.shape[2])
        corner = TAPS - 1 - padding[0][0], TAPS - 1 - padding[1][0]
        flipped = TAPS, TAPS, w.shape[3], w.shape[2]
        if takes_winograd(g.shape[0], flipped, output, input_size, corner):
            problem = Problem(g.shape[:3], input_size, w.shape[3], w.shape[2], corner, True, activation)
            return _convolve(g, w, b, problem)
    return conv2d_input_grad["vector"](
        g, w, b, input_size=input_size, strides=strides, padding=padding, dilation=dilation, groups=groups,
        activation=activation,
    )  # fmt: skip


@conv2d_weight_grad.implementation("winograd_tiles")
def _(
    x: Array, g: Array, *, kernel_size: Pair, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> Array:
    if x.dtype == np.float32 and x.shape[0] and fits(kernel_size, strides, padding, dilation, groups):
        output = output_size(x.shape[1:3], kernel_size, strides, padding, dilation)
        check_gradient(g.shape, (x.shape[0], *output, None))
        lanes = vectors(x.dtype).lanes
        if why_direct_weight(x.shape[0], x.shape[3], g.shape[3], output, lanes) is None:
            return _correlate(x, np.asarray(g, x.dtype), (padding[0][0], padding[1][0]))
    return conv2d_weight_grad["vector"](
        x, g, kernel_size=kernel_size, strides=strides, padding=padding, dilation=dilation, groups=groups
    )


def _correlate(x: Array, g: Array, corner: Pair) -> Array:
    """x (N, H, W, C), g (N, OH, OW, F) -> dw (3, 3, C, F)."""
    x, g = batch_last(x), batch_last(g)
    channels, filters = x.shape[3], g.shape[3]
    plan = winograd_weight_plan(x.shape[:3], g.shape[1:3], channels, filters, corner, vectors(x.dtype))
    dw = common.aligned((TAPS, TAPS, channels, filters), x.dtype)
    sums = common.aligned(plan.sums, x.dtype)
    scratch = common.aligned((threads.most, plan.scratch), np.uint8)
    places = tuple(WeightPlaces(x=address(x), g=address(g), target=address(dw)))
    loops: Any = run_deep_weight if plan.shared else run_winograd_weight
    shared = (common.aligned((plan.shared,), np.uint8),) if plan.shared else ()
    steps = x.strides[1:], g.strides[1:], (0, *dw.strides)
    alone = g.size * channels * TAPS**2 < MAX_MULTIPLY_ADDS_ALONE
    common.launch(loops.compiled, plan.loop, places, *steps, sums, scratch, *shared, alone=alone)
    return dw


for _operation in (conv2d_bias_grad, conv2d_activation_grad):
    _operation.implementation("winograd_tiles")(_operation["vector"])
