"""Mini-batches: samples picked from the data set, cast, and written in batch-last memory.

    y[i] = data[index[i]]

This is where a training step converts the memory order of its samples: from the data set's, samples first, to
the engine's, samples last. The compiled loop does it in one pass over squares of 16 samples and 16 features
(float32, AVX-512): 16 vectors are read along the samples, cast, transposed in registers, and written as 16
whole cache lines.
"""

from functools import cache
from typing import Any

import numpy as np

from . import batching_cuda, common
from .common import Array, launch, parallel, prange, xp
from .emit import VectorFunction, Vectors, address, call_kernel, vectors

PIECES = 4  # of the features, for that many threads

# How LLVM names the numbers of a data set, and how it casts them to float and to double.
_NUMBERS = {
    np.dtype(np.uint8): ("i8", "uitofp", "uitofp"),
    np.dtype(np.int64): ("i64", "sitofp", "sitofp"),
    np.dtype(np.float32): ("float", "", "fpext"),
    np.dtype(np.float64): ("double", "fptrunc", ""),
}


def gather(data: Array, index: Array, dtype: Any = None, out: Array | None = None) -> Array:
    """Samples data[index] as `dtype`; data (M, ...),
    index (N,) integers -> (N, ...) in batch-last memory, or in `out`.
    """
    index = xp(data).asarray(index)
    if not isinstance(data, np.ndarray) and not common.is_on_gpu(data):
        picked = data[index]
        return picked if dtype is None else picked.astype(dtype)
    if out is None:
        out = common.empty(data, (len(index), *data.shape[1:]), dtype)
    if common.is_on_gpu(data):
        return _on_gpu(out, data, index)
    columns = out.T if out.ndim == 2 else out.transpose(*range(1, out.ndim), 0)  # (..., N)
    floats = out.dtype.char in "fd" and data.dtype in _NUMBERS and index.dtype == np.int64
    if floats and data.flags.c_contiguous and columns.flags.c_contiguous and out.size:
        rows, columns = data.reshape(len(data), -1), columns.reshape(-1, len(index))  # (M, F), (F, N)
        loop = _gather.compiled  # type: ignore[attr-defined]
        launch(
            loop,
            columns,
            rows,
            index,
            *_transposition(data.dtype, out.dtype),
            alone=out.size <= common.MAX_ELEMENTS_ALONE,
        )
    else:
        out[...] = data[index]
    return out


def _on_gpu(out: Array, data: Array, index: Array) -> Array:
    if batching_cuda.fits(data, out):
        batching_cuda.gather(out, data, index)
    else:
        out[...] = data[index]
    return out


@parallel
def _gather(out, data, index, transpose, lanes):  # type: ignore[no-untyped-def]
    """out[f, n] = data[index[n], f]; out (F, N), data (M, F), index (N,)"""
    features, samples = out.shape
    places = np.empty(samples, np.int64)
    for n in range(samples):
        i = index[n] + data.shape[0] if index[n] < 0 else index[n]
        if i < 0 or i >= data.shape[0]:
            raise IndexError("an index is out of range: the data hold fewer samples")
        places[n] = data.ctypes.data + i * data.strides[0]
    squares, whole = features // lanes, samples // lanes * lanes
    for task in prange(PIECES):
        first, end = squares * task // PIECES, squares * (task + 1) // PIECES
        for n in range(0, whole, lanes):
            target = out.ctypes.data + n * out.itemsize
            call_kernel(transpose, (places.ctypes.data + 8 * n, target, out.strides[0], first, end))
    for f in range(squares * lanes, features):  # what is left of the features, then of the samples
        for n in range(samples):
            out[f, n] = data[index[n], f]
    for n in range(whole, samples):
        for f in range(squares * lanes):
            out[f, n] = data[index[n], f]


@cache
def _transposition(source: Any, target: Any) -> tuple[int, int]:
    """(address of the function that transposes squares, their size)"""
    v = vectors(target)
    return address(transposition(*_NUMBERS[source], v)), v.lanes


def transposition(number: str, to_float: str, to_double: str, v: Vectors) -> VectorFunction:
    """Squares first, ..., end - 1 along the features of `lanes` samples,
    which start at the addresses in `places`.
    """
    k = VectorFunction(v, "places target step first end")
    itemsize = {"i8": 1, "i64": 8, "float": 4, "double": 8}[number]
    cast, given = to_float if v.scalar == "float" else to_double, f"<{v.lanes} x {number}>"
    places = k.pointer("%places")
    samples = [k.emit(f"load ptr, ptr {k.move(places, 8 * n)}, align 8") for n in range(v.lanes)]
    column = k.pointer("%target")
    with k.loop("%first", "%end") as square:
        start = k.mul(square, v.lanes * itemsize)
        rows = [k.emit(f"load {given}, ptr {k.move(sample, start)}, align {itemsize}") for sample in samples]
        if cast:
            rows = [k.emit(f"{cast} {given} {row} to {k.vector}") for row in rows]
        below = k.mul(k.mul(square, v.lanes), "%step")
        for f, values in enumerate(k.transpose(rows)):
            k.store(values, k.move(column, below, k.mul(f, "%step")))
    return k
