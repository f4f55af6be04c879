"""Convolution by Winograd's algorithm where that is faster: what NumPy arrays get.

    forward, input gradient    winograd_plan.py, winograd_loop.py, winograd_tiles.py, winograd_transforms.py
    all else                   the direct tiles of vector.py

`kernels.use("conv2d", "vector")` does without. Which layers take it is said by their shapes alone, so that
the bits of a prediction do not depend on how many images are predicted at once.
"""

import numpy as np

from .. import common, threads
from ..common import Array, address, contiguous
from ..emit import vectors
from .choice import why_direct
from .forward_loop import MAX_MULTIPLY_ADDS_ALONE, Places
from .geometry import Padding, Pair, check_forward, check_gradient, output_size
from .operations import (
    conv2d,
    conv2d_activation_grad,
    conv2d_bias_grad,
    conv2d_input_grad,
    conv2d_weight_grad,
)
from .vector import batch_last, no_bias
from .winograd import TAPS, fits
from .winograd_loop import run_winograd
from .winograd_plan import Problem, winograd_plan


def _convolve(x: Array, w: Array, b: Array | None, problem: Problem) -> Array:
    """x (N, H, W, C) -> y (N, OH, OW, F)."""
    x, w = batch_last(x), contiguous(w, x.dtype)
    b = no_bias(problem.filters, x.dtype) if b is None else contiguous(b, x.dtype)
    y = common.empty(x, (x.shape[0], *problem.output, problem.filters))
    plan = winograd_plan(problem, x.strides[1:], y.strides[1:], vectors(x.dtype))
    scratch = common.aligned((threads.most, plan.scratch), np.uint8)
    begun = common.aligned((threads.most,), np.int64)
    places = tuple(Places(x=address(x), w=address(w), b=address(b), y=address(y)))
    run = run_winograd.compiled  # type: ignore[attr-defined]
    alone = y.size * problem.channels * TAPS**2 < MAX_MULTIPLY_ADDS_ALONE
    common.launch(run, plan.loop, places, x.strides[1:], y.strides[1:], begun, scratch, alone=alone)
    return y


@conv2d.implementation("winograd_tiles")
def _(
    x: Array, w: Array, b: Array | None = None, *, strides: Pair, padding: Padding, dilation: Pair,
    groups: int, activation: str | None = None,
) -> Array:  # fmt: skip
    check_forward(x.shape, w.shape, None if b is None else b.shape, groups, activation)
    if x.dtype == np.float32 and x.shape[0] and fits(w.shape[:2], strides, padding, dilation, groups):
        output = output_size(x.shape[1:3], w.shape[:2], strides, padding, dilation)
        corner = padding[0][0], padding[1][0]
        if why_direct(w.shape, x.shape[1:3], output, corner) is None:
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
        corner = TAPS - 1 - padding[0][0], TAPS - 1 - padding[1][0]
        if why_direct((TAPS, TAPS, w.shape[3], w.shape[2]), output, input_size, corner) is None:
            problem = Problem(g.shape[:3], input_size, w.shape[3], w.shape[2], corner, True, activation)
            return _convolve(g, w, b, problem)
    return conv2d_input_grad["vector"](
        g, w, b, input_size=input_size, strides=strides, padding=padding, dilation=dilation, groups=groups,
        activation=activation,
    )  # fmt: skip


for _operation in (conv2d_weight_grad, conv2d_bias_grad, conv2d_activation_grad):
    _operation.implementation("winograd_tiles")(_operation["vector"])
