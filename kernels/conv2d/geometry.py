"""Geometry of a convolution: which input rows and columns an output pixel sees.

Along one axis, output `o` meets kernel tap `k` at input position

    i = o * stride + k * dilation - padding          (present if 0 <= i < size, a zero otherwise)

Everything else in this package follows from this line. Functions whose arguments are shapes keep their
results in a cache: every training step calls them with the same arguments.
"""

from functools import cache
from typing import Any, NamedTuple

Shape = tuple[int, ...]
Pair = tuple[int, int]
Padding = tuple[Pair, Pair]  # ((top, bottom), (left, right))


def output_length(size: int, kernel: int, stride: int, padding: Pair, dilation: int) -> int:
    """Outputs along one axis: floor((size + padding - (kernel - 1) * dilation - 1) / stride) + 1."""
    return (size + sum(padding) - (kernel - 1) * dilation - 1) // stride + 1


def padding_along(padding: str, size: int, kernel: int, stride: int, dilation: int) -> Pair:
    """(before, after) that "valid", "same" or "causal" means along one axis.

    "same" and "causal" give ceil(size / stride) outputs. Of an odd total "same" puts the larger half after
    the map, as TensorFlow and Keras do; "causal" puts all before it, so that an output sees nothing that
    comes later.
    """
    if padding == "valid":
        return 0, 0
    reach = (kernel - 1) * dilation
    if padding == "causal":
        return reach, 0
    total = max((-(-size // stride) - 1) * stride + reach + 1 - size, 0)
    return total // 2, total - total // 2


@cache
def output_size(size: Pair, kernel: Pair, strides: Pair, padding: Padding, dilation: Pair) -> Pair:
    """(OH, OW) of a convolution or pooling of an (H, W) map;
    ValueError if the kernel does not fit the padded map.
    """
    oh, ow = (output_length(*axis) for axis in zip(size, kernel, strides, padding, dilation, strict=True))
    if oh < 1 or ow < 1:
        raise ValueError(
            f"a {kernel[0]}x{kernel[1]} kernel with dilation {tuple(dilation)} does not fit a map of "
            f"{size[0]}x{size[1]} padded by {padding}; use a smaller kernel, a larger input or padding='same'"
        )
    return oh, ow


@cache
def resolve_padding(
    padding: Any, size: Pair, kernel: Pair, strides: Pair, dilation: Pair = (1, 1)
) -> Padding:
    """Padding as ((top, bottom), (left, right)), from "valid", "same" or such pairs."""
    if isinstance(padding, list | tuple):
        widths = [width for pair in padding for width in (pair if isinstance(pair, list | tuple) else ())]
        if len(padding) == 2 and len(widths) == 4 and all(hasattr(width, "__index__") for width in widths):
            if min(widths) < 0:
                raise ValueError(f"padding must not be negative, got {padding}; crop the input instead")
            return (int(widths[0]), int(widths[1])), (int(widths[2]), int(widths[3]))
    if padding not in ("valid", "same"):
        raise ValueError(
            f"padding must be 'valid', 'same' or ((top, bottom), (left, right)), got {padding!r}"
        )
    axes = zip(size, kernel, strides, dilation, strict=True)
    rows, columns = (padding_along(padding, *axis) for axis in axes)
    return rows, columns


def tap_ranges(axis: int, size: Pair, kernel: Shape, output: Pair, window: "Window") -> list[Pair]:
    """tap_range of every output along an axis, 0 or 1, of a map of `size`."""
    stride, corner, dilation = window.strides[axis], window.corner[axis], window.dilation[axis]
    return [tap_range(o, size[axis], kernel[axis], stride, corner, dilation) for o in range(output[axis])]


class Window(NamedTuple):
    """How kernels lie on maps, (rows, columns): output o meets
    position o * stride + tap * dilation - corner at `tap`.
    """

    strides: Pair
    corner: Pair  # (top, left) padding
    dilation: Pair


class Steps(NamedTuple):
    """Bytes from a number of an image to its neighbours in memory: `x.strides[1:]` of x (N, H, W, C)."""

    row: int
    column: int
    channel: int


class KernelSteps(NamedTuple):
    """Bytes from a number to its neighbours: `results.strides` of results (pieces, KH, KW, C, F),
    one kernel for each piece.
    """

    piece: int
    row: int
    column: int
    channel: int
    filter: int


def tap_range(output: int, size: int, taps: int, stride: int, padding: int, dilation: int) -> Pair:
    """First and one past the last tap k of an output whose input position lies in the map;
    (k, k) if none does.
    """
    origin = output * stride - padding  # input position of tap 0
    first = min(max(-(origin // dilation), 0), taps)  # smallest k with origin + k * dilation >= 0
    last = min(max(-((origin - size) // dilation), 0), taps)  # smallest k with origin + k * dilation >= size
    return first, max(first, last)


@cache
def check_forward(x: Shape, w: Shape, b: Shape | None, groups: int, activation: str | None = None) -> None:
    """Raises ValueError unless shapes of image (N, H, W, C),
    kernel (KH, KW, C/groups, F) and bias (F,) fit together.
    """
    if activation not in (None, "relu"):
        raise ValueError(f"conv2d: activation must be None or 'relu', got {activation!r}")
    if len(x) != 4 or len(w) != 4:
        raise ValueError(f"conv2d takes x (N, H, W, C) and w (KH, KW, C/groups, F), got {x} and {w}")
    check_groups(x[3], w[3], groups)
    if w[2] * groups != x[3]:
        raise ValueError(
            f"conv2d: the kernel {w} expects {w[2] * groups} input channels in {groups} group(s), "
            f"the input {x} has {x[3]}"
        )
    if b not in (None, (w[3],)):
        raise ValueError(f"conv2d: the bias must have shape ({w[3]},), got {b}")


@cache
def check_gradient(shape: Shape, expected: tuple[int | None, ...], activation: str | None = None) -> None:
    """Raises ValueError unless the output gradient has the `expected` shape; None fits any length."""
    if activation not in (None, "relu"):
        raise ValueError(f"conv2d gradient: activation must be None or 'relu', got {activation!r}")
    if len(shape) != 4 or any(want not in (None, got) for want, got in zip(expected, shape, strict=True)):
        text = ", ".join("any" if want is None else str(want) for want in expected)
        raise ValueError(f"conv2d gradient: the output gradient must have shape ({text}), got {shape}")


@cache
def check_bias(b: Shape | None, channels: int) -> None:
    """Raises ValueError unless the bias of a transposed convolution is (C,): tiles read C numbers of it."""
    if b not in (None, (channels,)):
        raise ValueError(f"transposed convolution: the bias must have shape ({channels},), got {b}")


@cache
def check_groups(channels: int, filters: int, groups: int) -> None:
    """Raises ValueError unless both channel counts divide into `groups`."""
    if groups < 1 or channels % groups or filters % groups:
        raise ValueError(
            f"conv2d: {channels} input and {filters} output channels do not divide into {groups} groups"
        )


@cache
def group_slices(groups: int, channels: int, filters: int) -> list[tuple[slice, slice]]:
    """For each group its slice of the input channels and its slice of the filters."""
    c, f = channels // groups, filters // groups
    return [(slice(i * c, (i + 1) * c), slice(i * f, (i + 1) * f)) for i in range(groups)]


@cache
def transposed_length(
    size: int, kernel: int, stride: int, padding: str, output_padding: int | None, dilation: int
) -> tuple[int, Pair]:
    """Outputs of a transposed convolution along one axis,
    and the padding of the convolution that has it as its gradient.

    Every input paints K = (kernel - 1) * dilation + 1 outputs, `stride` from the next one:
    (size - 1) * stride + K in all. Of these some are cropped at either end, or zeros are appended, as Keras
    has it: the crops are the padding (left, right).
    """
    k = (kernel - 1) * dilation + 1
    if padding == "valid":
        length, left = (
            (size - 1) * stride + (max(k, stride) if output_padding is None else k + output_padding),
            0,
        )
    else:
        total = stride + k - 2 if output_padding is None else k + k % 2 - 2 + output_padding
        length = size * stride if output_padding is None else (size - 1) * stride + k % 2 + output_padding
        left = k - 1 - min(-(-total // 2), k - 1)
    return length, (left, max(0, (size - 1) * stride + k - left - length))


@cache
def phases(taps: int, stride: int, padding: int, dilation: int) -> list[tuple[int, slice, int]]:
    """Along one axis: input positions first, first + stride, ...
    see only the taps r, r + stride, ... of the kernel.

    Position i meets output o at tap k when i = o * stride + k * dilation - padding.
    If the dilation is 1, then
    k = (i + padding) mod stride = r, up to multiples of the stride; if it is not, the stride is 1 and there
    is one phase. Over those positions the gradient is a convolution of stride 1 with these taps in reverse
    order. Returns (first, slice of the taps, padding of that convolution) for each phase.
    """
    found = []
    for first in range(stride):
        r = (first + padding) % stride
        count = len(range(r, taps, stride))
        last = r + (count - 1) * stride
        reverse = slice(last, r - stride if r >= stride else None, -stride) if count else slice(0, 0)
        found.append((first, reverse, (count - 1) * dilation - (first + padding - r) // stride))
    return found
