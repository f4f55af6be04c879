"""All groups of a convolution in one launch.

    y[..., filters of group j] = convolution of x[..., channels of group j] with w[..., filters of group j]

Each group is a convolution of its own on slices of x, w and y. In a depthwise convolution a group is one channel, and its
work is over before the next launch has begun. So here a forward tile has one more loop around it, over the groups, which
advances its four addresses (`grouped` in forward.py). The channels of a pixel lie together in memory, so the tile reads
every pixel from one end to the other. A weight-gradient tile runs long enough to be called for each group, except where a
group is a single channel: depthwise.py.
"""

from functools import cache

from .. import common
from ..common import Array, address, parallel, prange
from ..emit import call_kernel, vectors
from .depthwise import correlate_depthwise
from .forward import FAR, SMALL_WORK, TASKS, WINDOW, forward_plan
from .geometry import Pair
from .weight import add_results, weight_plan, weight_task


def lie_near(w: Array) -> bool:
    """Whether tiles may read w (KH, KW, C/groups, F) where it lies; if not, groups take turns, and their weights are copied."""
    return w.shape[2] == 1 or w.strides[2] <= FAR


@cache
def _shares(window: int, rows: int, groups: int, blocks: int) -> Pair:
    """(parts of the groups, chunks of the batch): enough pieces of work, whose pixels fit the second-level cache."""
    parts = min(groups, max(-(-TASKS // rows), -(-window // WINDOW)))
    return parts, max(1, min(blocks, -(-TASKS // (rows * parts))))


def convolve_groups(
    x: Array, w: Array, b: Array, y: Array, groups: int, w_group: int, strides: Pair, corner: Pair, dilation: Pair,
    activation: str | None,
) -> None:
    """y = activation(b + x * w), x and y batch-last. `w` is the first group's kernel; the next one's lies w_group bytes on."""
    v, channels, filters = vectors(x.dtype), x.shape[3] // groups, y.shape[3] // groups
    plan = forward_plan(x.shape[:3], y.shape[1:3], w.shape, w.strides, strides, corner, dilation, activation, v, True)
    window = w.shape[0] * x.shape[2] * x.shape[3] * x.shape[0] * v.itemsize
    shares = _shares(window, y.shape[1], groups, x.shape[0] // v.lanes)
    steps = (channels * x.strides[3], w_group, filters * v.itemsize, filters * y.strides[3])
    common.launch(
        _run_groups.compiled,  # type: ignore[attr-defined]
        plan.tiles, plan.filters, plan.columns, plan.taps, plan.w_steps, *shares, groups, steps,
        address(x), address(w), address(b), address(y), x.shape[0], v.lanes, v.itemsize, channels,
        x.strides[1:], y.strides[1:], strides, corner, dilation, alone=y.size * w[..., 0].size < SMALL_WORK,
    )


def correlate_groups(x: Array, g: Array, dw: Array, groups: int, strides: Pair, corner: Pair, dilation: Pair) -> None:
    """dw (KH, KW, C/groups, F), from batch-last x and g: the sum of the results of the pieces of the pixels."""
    if dw.shape[2] == 1:
        correlate_depthwise(x, g, dw, strides, corner, dilation)
        return
    v, (kh, kw, channels, filters) = vectors(x.dtype), dw.shape
    plan = weight_plan(
        x.shape[1:3], g.shape[1:3], (kh, kw), channels, filters // groups, strides, corner, dilation, v, x.shape[0], groups
    )
    results = dw[None] if plan.pieces == 1 else common.aligned((plan.pieces, *dw.shape), x.dtype)
    filters //= groups
    steps = (channels * x.strides[3], filters * g.strides[3], filters * v.itemsize)
    common.launch(
        _run_weight_groups.compiled,  # type: ignore[attr-defined]
        *plan[:3], groups, steps, address(x), address(g), address(results), x.strides[1:], g.strides[1:], results.strides,
        v.lanes * v.itemsize, x.shape[0] % v.lanes, results, dw, alone=g.size * dw[..., 0].size < SMALL_WORK,
    )


# The compiled loops. Addresses and steps are in bytes.


@parallel
def _run_groups(tiles, filters, columns, taps, w_steps, parts, chunks, groups, group_steps, x, w, b, y, images, lanes, itemsize,
                channels, x_steps, y_steps, strides, corner, dilation):
    """One output row, for one of `parts` of the groups and one of `chunks` of the batch, in each task."""
    rows, blocks = taps.shape[0], images // lanes
    for task in prange(rows * parts * chunks):
        row, part, chunk = task % rows, task // rows % parts, task // (rows * parts)
        group, end_group = groups * part // parts, groups * (part + 1) // parts
        x_row = x + (row * strides[0] - corner[0]) * x_steps[0] - corner[1] * x_steps[1] + group * group_steps[0]
        y_row = y + row * y_steps[0] + group * group_steps[3]
        for masked in range(2):  # the whole blocks, and the partial one at the end
            first = blocks if masked else blocks * chunk // chunks
            end = (images + lanes - 1) // lanes if masked else blocks * (chunk + 1) // chunks
            if first == end or (masked and chunk < chunks - 1):
                continue
            image = first * lanes * itemsize
            for j in range(tiles.shape[2]):
                for i in range(tiles.shape[1]):
                    f = filters[i]
                    call_kernel(  # type: ignore[call-arg]
                        tiles[masked, i, j],
                        (
                            x_row + columns[j] * strides[1] * x_steps[1] + image,
                            w + group * group_steps[1] + f * w_steps[1], b + group * group_steps[2] + f * itemsize,
                            y_row + columns[j] * y_steps[1] + f * y_steps[2] + image,
                            end - first, channels, taps[row, 0], taps[row, 1],
                            x_steps[0] * dilation[0], x_steps[1], x_steps[2], w_steps[2], w_steps[3],
                            y_steps[1], y_steps[2], images % lanes,
                            end_group - group, group_steps[0], group_steps[1], group_steps[2], group_steps[3],
                        ),
                    )


@parallel
def _run_weight_groups(tiles, parts, bounds, groups, group_steps, x, g, target, x_steps, g_steps, target_steps, vector_bytes,
                       live, results, dw):
    """One tile of one group on one piece in each task."""
    pieces, count = parts.shape[0] * bounds.shape[0], tiles.shape[0]
    for task in prange(pieces * groups * count):
        piece, group, i = task // (groups * count), task // count % groups, task % count
        weight_task(piece * count + i, tiles, parts, bounds, x + group * group_steps[0], g + group * group_steps[1],
                    target + group * group_steps[2], live, vector_bytes, target_steps, x_steps, g_steps)
    if pieces != 1:
        add_results(dw.reshape(-1), results.reshape(-1), pieces, 0, dw.shape[3], dw.shape[3])
