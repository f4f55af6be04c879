"""A frame around an array on a GPU: launches of the kernel in padding.cu."""

from .common import Array
from .cuda import FLOATS, Kernel, blocks
from .elementwise import like
from .padding import Widths, in_four_axes, pad, pad_by_slices, padded_shape

THREADS = 256

_pad = Kernel(__file__, "padding.cu", "pad", T=FLOATS)


@pad.implementation("cuda")
def _(x: Array, *, widths: Widths, value: float) -> Array:
    y = like(x, padded_shape(x, widths), x.dtype)
    found = in_four_axes(y, x, widths)
    if found is None:
        pad_by_slices(y, x, widths, value)
        return y
    wide, inner, before = found
    sizes = dict(zip("abcd", inner.shape, strict=True))
    frame = {f"before_{axis}": width for axis, width in zip("abcd", before, strict=True)}
    frame |= {f"wide_{axis}": size for axis, size in zip("bcd", wide.shape[1:], strict=True)}
    _pad[x.dtype]((blocks(y.size, THREADS),), (THREADS,), wide, inner, value, sizes | frame, y.size)
    return y
