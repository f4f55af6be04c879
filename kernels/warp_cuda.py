"""Warped images on a GPU: launches of the kernels in warp.cu."""

from typing import Any

from .common import Array, batch_last, contiguous, empty, xp
from .cuda import FLOATS, Kernel, blocks
from .warp import FILL_MODES, warp, warp_grad

IMAGES = 32  # in the lanes
PIXELS, ROWS = 8, 4  # of a block

_warp = Kernel(__file__, "warp.cu", "warp", registers=80, T=FLOATS)
_warp_grad = Kernel(__file__, "warp.cu", "warp_grad", registers=80, T=FLOATS)


@warp.implementation("cuda")
def _(
    x: Array, maps: Array, *, fill_mode: str = "reflect", interpolation: str = "bilinear",
    fill_value: float = 0.0,
) -> Array:  # fmt: skip
    y, grid = empty(x, x.shape), _grid(x, fill_mode, interpolation)
    shape = blocks(grid["rows"] * grid["columns"], PIXELS), blocks(len(x), IMAGES)
    arrays = batch_last(y), batch_last(x), _as_doubles(maps, x)
    _warp[x.dtype](shape, (IMAGES, PIXELS), *arrays, fill_value, grid)
    return y


@warp_grad.implementation("cuda")
def _(g: Array, maps: Array, *, fill_mode: str = "reflect", interpolation: str = "bilinear") -> Array:
    dx, grid = empty(g, g.shape), _grid(g, fill_mode, interpolation)
    shape = blocks(grid["rows"], ROWS), blocks(len(g), IMAGES), grid["c"]
    arrays = batch_last(dx), batch_last(g), _as_doubles(maps, g)
    _warp_grad[g.dtype](shape, (IMAGES, ROWS), *arrays, grid)
    return dx


def _grid(x: Array, fill_mode: str, interpolation: str) -> dict[str, Any]:
    n, rows, columns, channels = x.shape
    mode, linear = FILL_MODES[fill_mode], interpolation == "bilinear"
    return {"rows": rows, "columns": columns, "c": channels, "n": n, "mode": mode, "linear": linear}


def _as_doubles(maps: Array, x: Array) -> Array:
    """(N, 6) beside x: whoever draws them on the host has them copied here."""
    return contiguous(xp(x).asarray(maps), "float64")
