"""Which kernel a convolution of NumPy arrays gets, and why.

Winograd's algorithm (winograd_vector.py) takes 3x3 kernels of stride 1 where it pays, `why_direct`; register
tiles (vector.py) take all others except those of the table below, which take the matrix product of im2col.py.
Measured on two AVX-512 cores, float32: from 16 images on, the tiles were faster than the product on every
shape tried, with 1 to 512 channels, 1x1 to 7x7 kernels and strides 1 and 2. They read no more than the images
and the kernel, where the product writes and reads KH * KW copies of the image.

`kernels.explain("conv2d", x.shape, w.shape, strides=..., padding=...)` says what
this comes to for one convolution.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..emit import Vectors, vectors
from .forward_few import few_images, shape_of_tile
from .forward_loop import MAX_CHANNEL_STRIDE_BYTES
from .geometry import Padding, Pair, Shape, Window, check_forward, output_size, resolve_padding, tap_ranges
from .winograd import TAPS, fits, tile_length
from .winograd_few import few_at_end

MIN_CHANNELS = 7  # and filters: fewer share the transforms too little
MIN_GAIN = 1.5  # products of the definition for each one of Winograd's
MIN_WIDE_BORDER = 12  # outputs along an axis, where the border is two pixels wide: less is mostly border
MIN_WEIGHT_CHANNELS, MIN_WEIGHT_FILTERS, MIN_WEIGHT_OUTPUT = 10, 14, 6  # of the weight gradient
MIN_WEIGHT_SHARE = 5  # one in so many lanes holds an image
MIN_DEEP_OUTPUT = 4  # of one with many channels; on smaller maps it rounds over four times as much
MAX_U_BYTES = 1 << 26  # of transformed weights, which the threads share
MAX_U_BYTES_ALONE = 1 << 22  # of those that a map of a single tile has for itself
MAX_SUMS_BYTES = 1 << 26  # of the weight gradient, before they are transformed
DEEP_SUMS_BYTES = 1 << 20  # from here on its loops are those of winograd_weight_deep_loop.py
WIDEST_KERNEL = 16  # columns of sums that fit the registers for one filter and one channel
LARGE_KERNEL = 1 << 13  # weights from which on the product is faster for a single image
TURN = 90  # multiply-adds of a vector that it takes to transpose a square of vectors
MIN_SUMS = 6  # fewer, of a vector of filters, wait for one another
GAIN = 0.85  # less work by so much pays
GAIN_APART = 0.65  # in place of a vector that the other tile takes along: a launch, and arrays to copy, more
LAUNCH = 1 << 14  # multiply-adds of a vector in the time of a launch more
MIN_WIDE_CHANNELS = 16  # fewer leave little to share a transposed gradient: wide.py


class Case(NamedTuple):
    """One of "forward", "input gradient", "weight gradient"; shapes of x and w (KH, KW, C/groups, F)."""

    operation: str
    images: int
    w: Shape
    strides: Pair
    dilation: Pair
    groups: int


# The matrix product is taken where one of these holds; otherwise the tiles are.
PRODUCT: tuple[tuple[str, Callable[[Case], bool]], ...] = (
    ("a kernel without weights has nothing to fill a tile with", lambda case: 0 in case.w),
    ("the kernel is too wide for the registers", lambda case: case.w[1] > WIDEST_KERNEL),
    (
        "with both stride and dilation there are no phases of stride 1",
        lambda case: (
            case.operation == "input gradient"
            and any(s > 1 and d > 1 for s, d in zip(case.strides, case.dilation, strict=True))
        ),
    ),
    (
        "a single image, whose channels lie far apart in the weights, fills few lanes of each register",
        lambda case: (
            case.operation == "input gradient"
            and case.images == case.groups == 1
            and math.prod(case.w) >= LARGE_KERNEL
        ),
    ),
)


@cache
def why_product(
    operation: str, images: int, w: Shape, strides: Pair, dilation: Pair, groups: int = 1
) -> str | None:
    """Why a convolution takes the matrix product; None where it takes the tiles."""
    case = Case(operation, images, w, strides, dilation, groups)
    return next((reason for reason, holds in PRODUCT if holds(case)), None)


@cache
def is_wide(output: Pair, kernel: Pair, channels: int, filters: int, vectors: Vectors) -> bool:
    """Whether the weight gradient takes wide.py's tile: filters fill two vectors or more,
    of more than a few pixels.
    """
    places = -(-filters // vectors.lanes) * vectors.lanes
    full = filters >= 2 * vectors.lanes and 4 * filters >= 3 * places
    return full and channels >= MIN_WIDE_CHANNELS and (max(output) > max(kernel) or kernel == (1, 1))


@cache
def is_wide_for_few(
    images: int, apart: bool, output: Pair, kernel: Pair, channels: int, filters: int, vectors: Vectors
) -> bool:
    """Whether a weight gradient takes wide.py's tile because the images leave lanes of the other one idle:
    all images, or those `apart` that come after the last whole vector.

    For each pixel the other tile multiplies whole vectors of images, and this one image by image, after it
    has transposed vectors of them. Of a small map, sums that end soon cost as much again.
    """
    blocks, width = (-(-n // vectors.lanes) for n in (images, filters))
    taps = kernel[0] * kernel[1]
    turned = 0 if images == 1 and not apart else blocks  # of a single image, filters are neighbours already
    wide = images * width * max(channels, MIN_SUMS) * taps + TURN * width * turned
    direct = blocks * filters * channels * taps
    if apart and max(output) <= max(kernel):  # the other tile takes them along: weight_loop.py
        return wide + LAUNCH / math.prod(output) < GAIN_APART * direct
    return wide < GAIN * direct


def weight_bytes(w: Shape, output: Pair) -> int:
    """Of the transformed weights."""
    return 4 * (tile_length(output) + TAPS - 1) ** 2 * w[2] * w[3]


@cache
def why_direct(w: Shape, size: Pair, output: Pair, corner: Pair) -> str | None:
    """Why the direct tiles make maps (OH, OW) of `output` from (H, W) of `size` with w (3, 3, C, F) and (top,
    left) padding `corner`; None if Winograd's do. The number of images is not asked for, but there is
    `weights_outweigh`.
    """
    channels, filters = w[2:]
    m = tile_length(output)
    if min(channels, filters) < MIN_CHANNELS:
        return f"fewer than {MIN_CHANNELS} channels or filters share too few of the transforms"
    if max(corner) == TAPS - 1 and min(output) < MIN_WIDE_BORDER:
        return "the map is small, and most of it border"
    u_bytes = weight_bytes(w, output)
    if u_bytes > MAX_U_BYTES:
        return "the transformed weights are too large to be read for each tile"
    if u_bytes > MAX_U_BYTES_ALONE and max(output) <= m:
        return "a single tile is too little for the transform of so many weights"
    # products for each channel, filter and image; the direct tiles leave out taps outside of the map
    direct, winograd = 1, 1
    for axis in (0, 1):
        taps = tap_ranges(axis, size, w[:2], output, Window((1, 1), corner, (1, 1)))
        direct *= sum(end - first for first, end in taps)
        winograd *= -(-output[axis] // m) * (m + TAPS - 1)
    return "tiles of 4x4 do not suit the map" if direct < MIN_GAIN * winograd else None


def weights_outweigh(images: int, w: Shape, output: Pair) -> bool:
    """Whether a single image is not for Winograd's tiles: the transform of so many weights would be most of
    the work.
    """
    return images == 1 and weight_bytes(w, output) >= MAX_U_BYTES_ALONE


def takes_winograd(images: int, w: Shape, size: Pair, output: Pair, corner: Pair) -> bool:
    """Whether a convolution that fits Winograd's algorithm takes it."""
    return not weights_outweigh(images, w, output) and why_direct(w, size, output, corner) is None


def why_direct_weight(images: int, channels: int, filters: int, output: Pair, lanes: int) -> str | None:
    """Why the direct tiles make the weight gradient from maps of `output`; None if Winograd's do."""
    if images * MIN_WEIGHT_SHARE < lanes:
        return "so few images are done one by one sooner than a vector of them is transformed"
    if channels < MIN_WEIGHT_CHANNELS or filters < MIN_WEIGHT_FILTERS:
        return "too few channels or filters share the transforms"
    m = tile_length(output)
    sums = 4 * (m + TAPS - 1) ** 2 * channels * filters
    if sums > MAX_SUMS_BYTES:
        return "the sums before their transform are too large to be held"
    if sums >= DEEP_SUMS_BYTES:
        made = math.prod(-(-length // m) * m for length in output)
        suits = min(output) >= MIN_DEEP_OUTPUT and 2 * math.prod(output) >= made
        return None if suits else "tiles of 4x4 do not suit the map"
    if min(output) < MIN_WEIGHT_OUTPUT:
        return "the map is small: its sums are stored for few pixels"
    return None


def most_filters(vectors: Vectors) -> int:
    """Filters of a product tile: their sums for two vectors of images fit the registers, with two pixels and
    a weight.
    """
    return vectors.registers // 2 - 2


def explain(
    x: Shape,
    w: Shape,
    *,
    strides: int | Pair = (1, 1),
    padding: Any = "valid",
    dilation: int | Pair = (1, 1),
    groups: int = 1,
    dtype: Any = np.float32,
) -> str:
    """Says which kernels an image of shape `x` (N, H, W, C) and a kernel of shape `w` (KH,
    KW, C/groups, F) get, and why.

    That is so for NumPy arrays, where `kernels.use` does not ask for another implementation.
    """
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(
            f"explain: there are tiles for float32 and float64; {np.dtype(dtype)} takes the reference, im2col"
        )
    strides, dilation = ((pair, pair) if isinstance(pair, int) else pair for pair in (strides, dilation))
    check_forward(x, w, None, groups)
    v, kernel = vectors(np.dtype(dtype)), w[:2]
    padding = resolve_padding(padding, x[1:3], kernel, strides, dilation)
    output = output_size(x[1:3], kernel, strides, padding, dilation)
    lines = [
        f"conv2d {x} with {w}, strides {strides}, dilation {dilation}, "
        f"groups {groups} -> {(x[0], *output, w[3])}"
    ]
    together = {  # as vector.py has it
        "forward": w[2] == 1 or w[3] * v.itemsize <= MAX_CHANNEL_STRIDE_BYTES,
        "input gradient": True,
        "weight gradient": not is_wide(output, kernel, w[2], w[3] // groups, v),
    }
    joined = {operation: groups > 1 and one_launch for operation, one_launch in together.items()}
    shape = (*w[:3], w[3] // groups)
    tiles = {
        "forward": _forward(x[0], x[1:3], output, shape, strides[1], w[3], True, joined["forward"], v),
        "input gradient": _input_gradient(x, output, w, strides, groups, v),
        "weight gradient": _weight_gradient(x[0], output, w, groups, v),
    }
    for operation, described in tiles.items():
        reason = why_product(operation, x[0], w, strides, dilation, groups)
        if v.itemsize == 4 and fits((w[0], w[1]), strides, padding, dilation, groups):
            transformed = _winograd(operation, x, w, output, padding, v)
            if transformed:
                lines.append(f"  {operation:16} {transformed}")
                continue
        described = f"im2col and a matrix product: {reason}" if reason else f"register tiles: {described}"
        lines.append(f"  {operation:16} {described}{_of_groups(groups, reason, joined[operation])}")
    return "\n".join(lines)


def _of_groups(groups: int, reason: str | None, joined: bool) -> str:
    if groups == 1 or reason:
        return ""
    return f"; all {groups} groups in one launch" if joined else "; one group after the other"


def _winograd(operation: str, x: Shape, w: Shape, output: Pair, padding: Padding, v: Vectors) -> str | None:
    """How Winograd's algorithm computes it, or None."""
    size, corner, filters = (x[1], x[2]), (padding[0][0], padding[1][0]), w[3]
    if operation == "weight gradient":
        if why_direct_weight(x[0], w[2], w[3], output, v.lanes) is not None:
            return None
        sums = "sums over images with filters in the lanes"
        return f"Winograd's algorithm: {_products(output)}, {sums} (winograd_weight.py)"
    if operation == "input gradient":
        size, output, filters = output, size, w[2]
        w, corner = (TAPS, TAPS, w[3], w[2]), (TAPS - 1 - corner[0], TAPS - 1 - corner[1])
    if not takes_winograd(x[0], w, size, output, corner):
        return None
    together = f"up to {min(filters, most_filters(v))} filters and two vectors of {v.lanes} images at a time"
    few = few_at_end(x[0], output, w[2], w[3], v)
    cut = f"; {few.images} cut into tiles that fill vectors (winograd_few.py)" if few else ""
    return f"Winograd's algorithm: {_products(output)}, {together}{cut}"


def _products(output: Pair) -> str:
    """How many of them Winograd's algorithm takes."""
    m = tile_length(output)
    n = m + TAPS - 1
    return f"{m}x{m} outputs of {n}x{n} pixels by {n * n} products instead of {(m * TAPS) ** 2}"


def _forward(
    images: int, size: Shape, output: Pair, w: Shape, stride: int, w_row: int, adjoining: bool, joined: bool,
    v: Vectors,
) -> str:  # fmt: skip
    """The tiles for w (KH, KW, C, F), which has `w_row` numbers for each channel, and whose filters are
    neighbours if `adjoining`; `joined`: all groups in one launch.
    """
    far = (
        "; weights are copied together for each tile" if w_row * v.itemsize > MAX_CHANNEL_STRIDE_BYTES else ""
    )
    rest = images % v.lanes
    last = "the last one begins earlier" if images > v.lanes else f"{rest} in the last one"
    idle = f", {last}" if rest else ""
    few = None if joined else few_images(images, size, output, w, stride, adjoining, v)
    if few and few.alone:
        return f"filters in the lanes, for a single image (forward_alone.py){far}"
    ct, xt = shape_of_tile(w[3], output, few if images < v.lanes else None, v)
    if few and images < v.lanes:
        return f"{ct} filters x {xt} columns, which lie side by side in vectors (forward_few.py){far}"
    if few:
        idle = f", the columns of the last {rest} side by side (forward_few.py)"
    return (
        f"{ct} filters x {xt} columns = {ct * xt} sums in {v.registers} registers "
        f"of {v.lanes} images{idle}{far}"
    )


def _input_gradient(x: Shape, output: Pair, w: Shape, strides: Pair, groups: int, v: Vectors) -> str:
    """Of several phases, the first is described."""
    phases = strides[0] * strides[1]
    text = "w flipped, " + (f"one convolution for each of {phases} phases, " if phases > 1 else "")
    size = -(-x[1] // strides[0]), -(-x[2] // strides[1])
    kernel = tuple(-(-w[i] // strides[i]) for i in (0, 1))
    return text + _forward(
        x[0], output, size, (*kernel, w[3] // groups, w[2]), 1, 1, w[3] == 1, groups > 1, v
    )


def _weight_gradient(images: int, output: Pair, w: Shape, groups: int, v: Vectors) -> str:
    if w[2] == 1 < groups:
        return "images in the lanes, sums of all taps over some columns at once (depthwise.py)"
    if is_wide(output, w[:2], w[2], w[3] // groups, v):
        return "filters in the lanes (wide.py), since they fill two registers or more"
    rest, apart = images % v.lanes, images > v.lanes
    if groups == 1 and is_wide_for_few(rest, apart, output, w[:2], w[2], w[3], v):
        which = f"the last {rest} " if apart else ""
        return f"{which}with filters in the lanes (wide.py), since few images leave lanes idle"
    return "images in the lanes, sums of some filters, channels and taps over the whole map (weight.py)"
