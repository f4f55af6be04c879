"""The compiled loops of warp.py: an image at a time, sixteen images side by side in memory.

A task has BLOCK images and a band of some PIXELS pixels. For each image, the neighbours of the pixels are
first found along either axis, in loops that become vector code, then read and mixed. The band goes to a small
tile with the images innermost, which is copied when all BLOCK images have theirs, so that results are written
in whole cache lines. No pixel depends on another.

Images come as their memory, one-dimensional, with the strides of (image, row, column, channel) in elements.
"""

from typing import NamedTuple

import numpy as np

from .common import parallel, prange, serial

BLOCK, PIXELS = 16, 256
FILL_MODES = REFLECT, CONSTANT, WRAP, NEAREST, CUT, OVERLAP = range(6)

_WORD = np.uint64  # an index of this type is never negative, and not looked at for that


class Grid(NamedTuple):
    """The source's pixels and samples, and how a place between or outside them is filled."""

    rows: int
    columns: int
    samples: int
    mode: int
    linear: bool


class Scratch(NamedTuple):
    """What is found for the P pixels of a band, for one image after the other."""

    cells: np.ndarray  # rows before and behind, columns before and behind (4, P)
    weights: np.ndarray  # of those behind (2, P)
    places: np.ndarray  # row and column of each pixel (2, P)


@parallel
def warp_images(out, strides, source, steps, grid, index, maps, scale, offset, fill):  # type: ignore[no-untyped-def]
    """out[n, :, :, c] = source[index[n], :, :, c] under maps[n], times scale[c], plus offset[c]

    out with `strides`, source with the strides `steps`; `grid`: a Grid, as a plain tuple.
    """
    grid = Grid(*grid)
    rows, columns = grid.rows, grid.columns
    samples, bands = index.size, min(rows, (rows * columns + PIXELS - 1) // PIXELS)
    band = (rows + bands - 1) // bands
    for n in range(samples):
        if index[n] < -grid.samples or index[n] >= grid.samples:
            raise IndexError("an index is out of range: the data hold fewer samples")
    for task in prange(bands * ((samples + BLOCK - 1) // BLOCK)):
        first, start = task // bands * BLOCK, task % bands * band
        images, pixels = min(BLOCK, samples - first), max(min(band, rows - start), 0) * columns
        tile = np.empty((pixels, scale.size, BLOCK), out.dtype)
        cells, weights, places = (
            np.empty((4, pixels), np.int32),
            np.empty((2, pixels), out.dtype),
            np.empty((2, pixels)),
        )
        for p in range(pixels):
            places[0, p], places[1, p] = start + p // columns, p % columns
        scratch = Scratch(cells=cells, weights=weights, places=places)
        for lane in range(images):
            base = (index[first + lane] + grid.samples) % grid.samples * steps[0]
            _warp_one(tile, lane, source, base, steps, grid, maps[first + lane], scratch, fill)
        for row in range(start, start + pixels // columns):
            at = first * strides[0] + row * strides[1]
            _write(out, at, strides, tile[(row - start) * columns :], columns, images, scale, offset)


@serial
def _warp_one(tile, lane, source, base, steps, grid, affine, scratch, fill):  # type: ignore[no-untyped-def]
    """One image's band of pixels, into a lane of the tile: source from `base` on, under the map `affine`."""
    cells, weights = scratch.cells, scratch.weights
    neighbours(cells[:2], weights[0], scratch.places, affine[3:], grid.rows, grid.mode, grid.linear)
    neighbours(cells[2:], weights[1], scratch.places, affine, grid.columns, grid.mode, grid.linear)
    if not grid.linear:
        _pick(tile, lane, source, base, steps, cells, fill)
    elif grid.mode in (CONSTANT, CUT):
        _mix_some(tile, lane, source, base, steps, cells, weights, fill)
    else:
        _mix(tile, lane, source, base, steps, cells, weights)


@serial
def neighbours(cells, weight, places, affine, size, mode, linear):  # type: ignore[no-untyped-def]
    """Along one axis: the cells before and behind what a map makes of the places,
    and the weight of the latter; -1: fill.

    places (rows, columns) of P pixels, affine (a, b, c): x = a column + (b row + c);
    cells (2, P), weight (P,).
    """
    first, behind, row, column = cells[0], cells[1], places[0], places[1]
    a, b, c = affine[0], affine[1], affine[2]
    if linear and _all_within(a, b, c, places, size):
        for p in range(first.size):
            x = a * column[p] + (b * row[p] + c)
            k = np.floor(x)
            weight[p], first[p], behind[p] = x - k, np.int32(k), np.int32(k + 1)
        return
    for p in range(first.size):
        x = a * column[p] + (b * row[p] + c)
        if mode == OVERLAP:
            x = _round_the_ring(x, size)
        k = np.floor(x) if linear else np.rint(x)
        weight[p] = x - k if linear else 0.0
        first[p], behind[p] = np.int32(_inside(k, size, mode)), np.int32(_inside(k + linear, size, mode))
        if mode == CUT and not 0 <= x <= size - 1:
            first[p] = behind[p] = -1


@serial
def _all_within(a, b, c, places, size):  # type: ignore[no-untyped-def]
    """Whether all the places, a rectangle, have both their neighbours: its corners do."""
    if places.size == 0:
        return True
    for row in (places[0, 0], places[0, -1]):
        for column in (places[1, 0], places[1, -1]):
            if not 0 <= a * column + (b * row + c) < size - 1:  # nor a number at all
                return False
    return True


@serial
def _inside(k, size, mode):  # type: ignore[no-untyped-def]
    """The cell that stands for cell k of an axis, a whole number that may lie outside; -1: the fill value."""
    if mode == REFLECT:
        k -= 2 * size * np.floor(k / (2 * size))
        k = k if k < size else 2 * size - 1 - k
    elif mode == WRAP:
        k -= size * np.floor(k / size)
    elif mode == CONSTANT and not 0 <= k < size:
        return -1.0
    k = k if k > 0 else 0.0  # also what is no number, or too large to count: no cell outside is ever read
    return k if k < size else size - 1.0


@serial
def _round_the_ring(x, size):  # type: ignore[no-untyped-def]
    """The place of x on an axis whose last cell and first cell are one."""
    ring = max(size - 1, 1)
    if x < 0:
        return min(x + ring * (np.floor(-x / ring) + 1), size - 1.0)
    if x > size - 1:
        return min(x - ring * np.floor(x / ring), size - 1.0)
    return x


@serial
def _mix(tile, lane, source, base, steps, cells, weights):  # type: ignore[no-untyped-def]
    """tile[p, c, lane]: the value among the four cells (rows cells[:2, p],
    columns cells[2:, p]) of the image at base.
    """
    number = tile.dtype.type
    for j in range(tile.shape[0]):
        upper, lower = base + cells[0, j] * steps[1], base + cells[1, j] * steps[1]
        left, right, wy, wx = cells[2, j] * steps[2], cells[3, j] * steps[2], weights[0, j], weights[1, j]
        for c in range(tile.shape[1]):
            p, q = number(source[_WORD(upper + left)]), number(source[_WORD(upper + right)])
            r, s = number(source[_WORD(lower + left)]), number(source[_WORD(lower + right)])
            top, bottom = p + wx * (q - p), r + wx * (s - r)
            tile[_WORD(j), _WORD(c), _WORD(lane)] = top + wy * (bottom - top)
            left, right = left + steps[3], right + steps[3]


@serial
def _mix_some(tile, lane, source, base, steps, cells, weights, fill):  # type: ignore[no-untyped-def]
    """The same where cells may be missing."""
    for j in range(tile.shape[0]):
        h0, h1, w0, w1, wy, wx = (
            cells[0, j],
            cells[1, j],
            cells[2, j],
            cells[3, j],
            weights[0, j],
            weights[1, j],
        )
        for c in range(tile.shape[1]):
            at = base + c * steps[3]
            p, q = _cell(source, at, h0, w0, steps, fill), _cell(source, at, h0, w1, steps, fill)
            r, s = _cell(source, at, h1, w0, steps, fill), _cell(source, at, h1, w1, steps, fill)
            top, bottom = p + wx * (q - p), r + wx * (s - r)
            tile[_WORD(j), _WORD(c), _WORD(lane)] = top + wy * (bottom - top)


@serial
def _pick(tile, lane, source, base, steps, cells, fill):  # type: ignore[no-untyped-def]
    """tile[p, c, lane]: the first cell alone."""
    for j in range(tile.shape[0]):
        for c in range(tile.shape[1]):
            value = _cell(source, base + c * steps[3], cells[0, j], cells[2, j], steps, fill)
            tile[_WORD(j), _WORD(c), _WORD(lane)] = value


@serial
def _cell(source, at, h, w, steps, fill):  # type: ignore[no-untyped-def]
    # read in any case: no branch
    known = fill.dtype.type(source[_WORD(at + max(h, 0) * steps[1] + max(w, 0) * steps[2])])
    return fill[0] if h < 0 or w < 0 else known


@serial
def _write(out, at, strides, tile, columns, images, scale, offset):  # type: ignore[no-untyped-def]
    """Copies a row of the tile to where `at` says, scaled."""
    for j in range(columns):
        for c in range(tile.shape[1]):
            a, b, place = scale[c], offset[c], at + j * strides[2] + c * strides[3]
            if strides[0] == 1:
                for lane in range(images):
                    out[_WORD(place + lane)] = tile[_WORD(j), _WORD(c), _WORD(lane)] * a + b
            else:
                for lane in range(images):
                    out[_WORD(place + lane * strides[0])] = tile[_WORD(j), _WORD(c), _WORD(lane)] * a + b


@parallel
def scatter_images(dx, strides, g, steps, sizes, maps, mode, linear):  # type: ignore[no-untyped-def]
    """The adjoint of warp_images without scale: every g is shared among the cells that its pixel was made of.

    dx, all 0, with `strides`, g with the strides `steps`; sizes (rows, columns, channels).
    """
    rows, columns, channels = sizes
    one, pixels = dx.dtype.type(1), rows * columns
    for task in prange((len(maps) + BLOCK - 1) // BLOCK):
        cells, weights, places = (
            np.empty((4, pixels), np.int32),
            np.empty((2, pixels), dx.dtype),
            np.empty((2, pixels)),
        )
        for p in range(pixels):
            places[0, p], places[1, p] = p // columns, p % columns
        for n in range(task * BLOCK, min((task + 1) * BLOCK, len(maps))):
            neighbours(cells[:2], weights[0], places, maps[n, 3:], rows, mode, linear)
            neighbours(cells[2:], weights[1], places, maps[n], columns, mode, linear)
            for p in range(pixels):
                at = n * steps[0] + p // columns * steps[1] + p % columns * steps[2]
                for below in range(2):
                    for right in range(2):
                        h, w = cells[below, p], cells[2 + right, p]
                        if h < 0 or w < 0:
                            continue
                        vertical = weights[0, p] if below else one - weights[0, p]
                        weight = vertical * (weights[1, p] if right else one - weights[1, p])
                        for c in range(channels):
                            cell = n * strides[0] + h * strides[1] + w * strides[2] + c * strides[3]
                            dx[cell] += weight * g[at + c * steps[3]]
