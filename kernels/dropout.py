"""Dropout with a mask that is a function of key, call number, feature and sample.

    y = x m / (1 - rate),   m = [word >= rate 2**16],   E[y] = x

A word has 16 random bits, so that the probability of dropping is `rate` to within 2**-17. Those of
feature f and samples 8 b .. 8 b + 7 are the halves, low before high, of the four words of
philox4x32(counter = (call, f, b, 0)), where f counts the non-batch axes in C order: the same seed drops the
same elements at any memory order, thread count or device.

What is kept for the backward is one bit for each element: bit j of bits[s, f], a uint16,
is m of sample 16 s + j.

N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.
"""

import math
from functools import cache

import numpy as np

from . import common
from .common import Array, batch_last, contiguous, empty, launch, operation, parallel, prange, serial, xp
from .constants import constant
from .emit import VectorFunction, Vectors, address, call_kernel, vectors
from .philox import Rounds, philox4x32

WORD = 16  # samples whose bits share a word
FEATURES = 32  # features a thread takes at a time

NoiseShape = tuple[int | None, ...] | None


def keep_scale(rate: float) -> float:
    """Factor of the elements kept, 1 / (1 - rate); 0 where none is."""
    return 1.0 / (1.0 - rate) if rate < 1.0 else 0.0


def threshold(rate: float) -> int:
    """Smallest word that keeps its element."""
    return round(rate * 2**16)


def mask_shape(shape: tuple[int, ...], noise_shape: NoiseShape) -> tuple[int, ...]:
    """Shape the mask is drawn in: None entries of `noise_shape` take the size of x, ones are broadcast."""
    if noise_shape is None:
        return shape
    resolved = tuple(
        size if entry is None else entry for size, entry in zip(shape, noise_shape, strict=False)
    )
    if len(noise_shape) != len(shape) or any(
        m not in (1, size) for m, size in zip(resolved, shape, strict=True)
    ):
        raise ValueError(
            f"dropout: noise_shape {tuple(noise_shape)} does not broadcast to the input's shape {shape}; "
            "give one entry per axis: None (as the input), 1 (shared along the axis) or the input's size"
        )
    return resolved


def bits_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Of a mask of `shape`; the vectors of features that are drawn together may reach behind the last one."""
    return -(-shape[0] // WORD), -(-math.prod(shape[1:]) // FEATURES) * FEATURES


def check_words(words: Array) -> None:
    """Raises ValueError unless there are three: compiled code would read behind them."""
    if words.shape != (3,):
        raise ValueError(f"dropout: words are three numbers (key, key, call), got an array {words.shape}")


def check_bits(bits: Array, shape: tuple[int, ...]) -> None:
    """Raises ValueError unless `bits` hold a mask of `shape`."""
    if bits.ndim != 2 or bits.shape[0] * WORD < shape[0] or bits.shape[1] < math.prod(shape[1:]):
        raise ValueError(
            f"dropout: a mask of shape {shape} has bits {bits_shape(shape)}, got an array {bits.shape}"
        )


def unpack(bits: Array, shape: tuple[int, ...]) -> Array:
    """The mask m that `bits` holds, as booleans of `shape` (N, ...)."""
    xp_, (n, *features) = xp(bits), shape
    each = (bits[:, :, None] >> xp_.arange(WORD, dtype=xp_.uint16)) & 1  # (words, F, 16)
    mask = xp_.moveaxis(each, 1, 0).reshape(bits.shape[1], -1)[: math.prod(features), :n] != 0  # (F, N)
    return common.from_batch_last(mask.reshape(*features, n))


@operation("numpy", family="dropout")
def dropout(x: Array, words: Array, *, rate: float, noise_shape: NoiseShape = None) -> tuple[Array, Array]:
    """x (N, ...), words (3,) uint32 (key, key, call) -> (y as x, bits (ceil(N / 16), F) uint16).

    F is rounded up to a multiple of 32. With `noise_shape` the bits are of that shape's features and samples.
    """
    xp_, shape = xp(x), mask_shape(x.shape, noise_shape)
    count, f = bits_shape(shape)
    blocks = 2 * count  # of eight samples each
    counter = xp_.zeros((blocks, f, 4), xp_.uint32)
    counter[..., 0] = words[2]
    counter[..., 1] = xp_.arange(f, dtype=xp_.uint32)
    counter[..., 2] = xp_.arange(blocks, dtype=xp_.uint32)[:, None]
    drawn = philox4x32(counter, words)[..., None]
    halves = xp_.concatenate([drawn & 0xFFFF, drawn >> 16], axis=-1)  # (blocks, F, 4, 2)
    keep = (halves >= threshold(rate)).reshape(count, 2, f, 8)  # 8 samples of each of two blocks share a word
    bits = xp_.sum(keep * constant(x, _powers), axis=(1, 3)).astype(xp_.uint16)
    return xp_.where(unpack(bits, shape), x * keep_scale(rate), xp_.zeros_like(x)), bits


def _powers() -> np.ndarray:
    return 2 ** np.arange(WORD).reshape(2, 1, 8)


@dropout.implementation("numba")
def _(
    x: np.ndarray, words: np.ndarray, *, rate: float, noise_shape: NoiseShape = None
) -> tuple[np.ndarray, np.ndarray]:
    check_words(words)
    shape = mask_shape(x.shape, noise_shape)
    bits = common.aligned(bits_shape(shape), np.uint16)
    wide, words = vectors(np.float64), contiguous(words)
    draw = _draw_code(wide), FEATURES // wide.lanes, threshold(rate)
    if shape == x.shape:
        y = empty(x, x.shape)
        _drop(_features(y), _features(x), bits, *_keeper(x, rate), words, *draw)
        return y, bits
    _draw(bits, words, *draw)
    return _share(x, bits, shape, rate), bits


def _features(x: np.ndarray) -> np.ndarray:
    """View (F, N) of batch-last memory."""
    return batch_last(x).reshape(math.prod(x.shape[1:]), x.shape[0])


@parallel
def _drop(y, x, bits, factor, keep, words, draw, vectors, threshold):  # type: ignore[no-untyped-def]
    for task in prange((x.shape[0] + FEATURES - 1) // FEATURES):
        first, end = task * FEATURES, min((task + 1) * FEATURES, x.shape[0])
        _draw_features(bits, first, words, draw, vectors, threshold)
        _keep_features(y, x, bits, first, end, factor, keep)


@parallel
def _draw(bits, words, draw, vectors, threshold):  # type: ignore[no-untyped-def]
    for task in prange(bits.shape[1] // FEATURES):
        _draw_features(bits, task * FEATURES, words, draw, vectors, threshold)


@serial
def _draw_features(bits, first, words, draw, vectors, threshold):  # type: ignore[no-untyped-def]
    for word in range(bits.shape[0]):
        place = _address(bits) + word * bits.strides[0] + first * bits.itemsize
        call_kernel(draw, (place, _address(words), first, vectors, 2 * word, threshold))


def _keeper(x: np.ndarray, rate: float) -> tuple[np.ndarray, int]:
    """The two constants of `_keep_features` for arrays like x: factor and keep."""
    return _factor(rate, x.dtype), _keep_code(vectors(x.dtype))


@cache
def _factor(rate: float, dtype: np.dtype) -> np.ndarray:
    return np.full(1, keep_scale(rate), dtype)


@serial
def _address(x):  # type: ignore[no-untyped-def]
    return np.int64(x.ctypes.data)


@cache
def _draw_code(vectors: Vectors) -> int:
    """Address of bits[i lanes + j] = m of 16 samples of feature first + i lanes + j,
    for i < count; see `dropout`.
    """
    k = VectorFunction(vectors, "bits words first count block threshold")
    out, words, lanes = k.pointer("%bits"), k.pointer("%words"), vectors.lanes
    key0, key1, call = (
        k.emit(f"zext i32 {k.emit(f'load i32, ptr {k.move(words, 4 * i)}')} to i64") for i in range(3)
    )
    philox = Rounds(k, (key0, key1))
    call, least, block = philox.spread(call), philox.spread("%threshold"), philox.spread("%block")
    lane = "<" + ", ".join(f"i64 {j}" for j in range(lanes)) + ">"
    with k.loop(0, "%count") as i:
        feature = philox("add", philox.spread(str(k.add("%first", k.mul(i, lanes)))), lane)
        bits = philox.constant(0)
        for half in (0, 1):
            for j, word in enumerate(
                philox.words([call, feature, philox("add", block, half), philox.constant(0)])
            ):
                for shift in (0, 16):
                    drawn = philox("and", philox("lshr", word, shift), 0xFFFF)
                    kept = k.emit(f"icmp uge {philox.type} {drawn}, {least}")
                    bit = philox.constant(1 << (8 * half + 2 * j + shift // 16))
                    one = k.emit(
                        f"select <{lanes} x i1> {kept}, {philox.type} {bit}, {philox.type} zeroinitializer"
                    )
                    bits = philox("or", bits, one)
        short = k.emit(f"trunc {philox.type} {bits} to <{lanes} x i16>")
        k.lines.append(f"  store <{lanes} x i16> {short}, ptr {k.move(out, k.mul(i, 2 * lanes))}, align 2")
    return address(k)


@serial
def _keep_features(y, x, bits, first, end, factor, keep):  # type: ignore[no-untyped-def]
    """y = x factor where the bit is set, else 0, for the features from `first` to `end`; x (F, N),
    bits (words, F).
    """
    samples, full, zero = x.shape[1], x.shape[1] // WORD, y.dtype.type(0)
    row = samples * x.itemsize
    places = (
        _address(y) + first * row,
        _address(x) + first * row,
        _address(bits) + first * bits.itemsize,
        _address(factor),
    )
    call_kernel(keep, (*places, end - first, full, row, bits.strides[0]))
    for f in range(first, end):
        for n in range(full * WORD, samples):
            y[f, n] = x[f, n] * factor[0] if bits[full, f] >> np.uint16(n - full * WORD) & 1 else zero


@cache
def _keep_code(vectors: Vectors) -> int:
    """Address of the loop over features and full words of `_keep_features`: bits become the lanes' flags."""
    k = VectorFunction(vectors, "y x bits scale features words row step")
    y, x, bits, scale = (k.pointer(f"%{name}") for name in ("y", "x", "bits", "scale"))
    scale, lanes = k.splat(scale), vectors.lanes
    with k.loop(0, "%features") as f, k.loop(0, "%words") as w:
        word = k.emit(f"load i16, ptr {k.move(bits, k.mul(f, 2), k.mul(w, '%step'))}, align 2")
        start = k.add(k.mul(f, "%row"), k.mul(w, WORD * vectors.itemsize))
        for part in range(WORD // lanes):
            some = k.emit(f"lshr i16 {word}, {part * lanes}")
            some = some if lanes == WORD else k.emit(f"trunc i16 {some} to i{lanes}")
            kept = k.emit(f"bitcast i{lanes} {some} to <{lanes} x i1>")
            value = k.emit(f"fmul {k.vector} {k.load(k.move(x, start, part * vectors.bytes))}, {scale}")
            value = k.emit(f"select <{lanes} x i1> {kept}, {k.vector} {value}, {k.vector} zeroinitializer")
            k.store(value, k.move(y, start, part * vectors.bytes))
    return address(k)


def _share(x: np.ndarray, bits: np.ndarray, shape: tuple[int, ...], rate: float) -> np.ndarray:
    """x m / (1 - rate) for a mask m of another `shape` than x's, broadcast."""
    y, mask = empty(x, x.shape), empty(x, shape, bool)
    launch(_unpack_into, mask, bits)
    launch(np.multiply, x, x.dtype.type(keep_scale(rate)), y)
    launch(_clear_dropped, y, mask)
    return y


def _unpack_into(mask: np.ndarray, bits: np.ndarray) -> None:
    mask[...] = unpack(bits, mask.shape)


def _clear_dropped(y: np.ndarray, mask: np.ndarray) -> None:
    np.copyto(y, 0, where=~mask)


@operation("numpy", family="dropout")
def dropout_grad(g: Array, bits: Array, *, rate: float, noise_shape: NoiseShape = None) -> Array:
    """dx = g m / (1 - rate); g (N, ...), bits as dropout returned them -> dx as g."""
    xp_ = xp(g)
    return xp_.where(unpack(bits, mask_shape(g.shape, noise_shape)), g * keep_scale(rate), xp_.zeros_like(g))


@dropout_grad.implementation("numba")
def _(g: np.ndarray, bits: np.ndarray, *, rate: float, noise_shape: NoiseShape = None) -> np.ndarray:
    shape = mask_shape(g.shape, noise_shape)
    check_bits(bits, shape)
    if shape != g.shape:
        return _share(g, bits, shape, rate)
    dx = empty(g, g.shape)
    _drop_grad(_features(dx), _features(g), bits, *_keeper(g, rate))
    return dx


@parallel
def _drop_grad(dx, g, bits, factor, keep):  # type: ignore[no-untyped-def]
    for task in prange((g.shape[0] + FEATURES - 1) // FEATURES):
        first, end = task * FEATURES, min((task + 1) * FEATURES, g.shape[0])
        _keep_features(dx, g, bits, first, end, factor, keep)
