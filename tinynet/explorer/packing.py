"""Packing: the arrays of a page in one block of bytes, exact as long as they fit.

Where they do not, the largest are rounded to 256 steps between their extremes, one after the other, and then
left out. The page says so at each. The bytes of an array lie in planes, all first bytes of its numbers before
all second ones: signs and exponents are alike, and gzip makes a tenth less of them. Of what an update has
changed a little, the change is kept: the difference of the bits.
"""

import base64
import gzip
import math
import zlib
from typing import Any

import numpy as np

ALIGNED = 8  # bytes: where an array may begin
EXACT, ROUNDED, LEFT_OUT = range(3)

# {"at": first byte, "dtype"}; {"lo", "hi"}: what bytes 0 and 255 mean; {"from": the array before its change}
Block = dict[str, Any]
Before = dict[int, int]  # {array: the one before it that it is a changed copy of}


def pack(
    arrays: list[np.ndarray | None], most: int, before: Before | None = None
) -> tuple[str, list[Block | None]]:
    """(base64 of gzip, in at most `most` characters if that can be; the block of each array, or None)."""
    levels, before = [LEFT_OUT if array is None else EXACT for array in arrays], before or {}
    text, blocks = _packed(arrays, levels, before)
    if len(text) <= most:
        return text, blocks
    sizes = [[0 if array is None else _size(array, level) for level in range(3)] for array in arrays]
    largest = sorted(range(len(arrays)), key=lambda i: (-sizes[i][EXACT], i))
    for level in (ROUNDED, LEFT_OUT):
        for i in largest:
            if sizes[i][level] < sizes[i][levels[i]]:
                levels[i] = level
                if sum(size[at] for size, at in zip(sizes, levels, strict=True)) <= most:
                    text, blocks = _packed(arrays, levels, before)
                    if len(text) <= most:
                        return text, blocks
    return _packed(arrays, levels, before)


def unpack(text: str, blocks: list[Block | None], shapes: list[tuple[int, ...]]) -> list[np.ndarray | None]:
    """What `pack` took, as float32 where it was rounded."""
    memory = gzip.decompress(base64.b64decode(text))
    found: list[np.ndarray | None] = []
    for block, shape in zip(blocks, shapes, strict=True):
        if block is None:
            found.append(None)
            continue
        dtype, size = np.dtype(block["dtype"]).newbyteorder("<"), math.prod(shape)
        planes = np.frombuffer(memory, np.uint8, size * dtype.itemsize, block["at"])
        array = planes.reshape(dtype.itemsize, size).T.copy().view(dtype).reshape(shape)
        if "from" in block:
            array = _changed(array, found[block["from"]])
        if "lo" in block:
            array = (block["lo"] + (block["hi"] - block["lo"]) / 255 * array).astype(np.float32)
        found.append(array)
    return found


def _packed(
    arrays: list[np.ndarray | None], levels: list[int], before: Before
) -> tuple[str, list[Block | None]]:
    memory, places = bytearray(), dict[bytes, int]()
    blocks: list[Block | None] = []
    for i, (array, level) in enumerate(zip(arrays, levels, strict=True)):
        if array is None or level == LEFT_OUT:
            blocks.append(None)
            continue
        base = before.get(i)
        data, block = _coded(array, level)
        if level == EXACT and base is not None and levels[base] == EXACT and array.dtype == np.float32:
            data, block = _planes(_change(array, arrays[base])), {"dtype": "float32", "from": base}
        if data not in places:  # a gradient that an operation hands on as it is
            memory.extend(b"\0" * (-len(memory) % ALIGNED))
            places[data] = len(memory)
            memory.extend(data)
        blocks.append({**block, "at": places[data]})
    return base64.b64encode(gzip.compress(bytes(memory), mtime=0)).decode("ascii"), blocks


def _coded(array: np.ndarray, level: int) -> tuple[bytes, Block]:
    if level == EXACT:
        return _planes(array), {"dtype": str(array.dtype)}
    lo, hi = float(array.min()), float(array.max())
    steps = np.rint((array.astype(np.float64) - lo) * (255 / (hi - lo) if hi > lo else 0))
    return steps.astype(np.uint8).tobytes(), {"dtype": "uint8", "lo": lo, "hi": hi}


def _planes(array: np.ndarray) -> bytes:
    """All first bytes, all second bytes, ..."""
    each = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1, 1).view(np.uint8)
    return each.T.tobytes()


def _change(array: np.ndarray, base: Any) -> np.ndarray:
    """How the bits differ, as numbers: 0, 1, 2, ... for a difference of 0, -1, 1, ..."""
    difference = array.view(np.int32) - base.view(np.int32)  # modulo 2**32
    return ((difference << 1) ^ (difference >> 31)).view(np.uint32)


def _changed(change: np.ndarray, base: Any) -> np.ndarray:
    """What `_change` was made from."""
    bits = change.view(np.uint32)
    difference = (bits >> 1) ^ (0 - (bits & 1))
    return (base.view(np.uint32) + difference).view(np.float32)


def _size(array: np.ndarray, level: int) -> int:
    """Characters that an array takes; rounded as many as exact, where it cannot be rounded."""
    if level == LEFT_OUT:
        return 0
    rounds = array.dtype.kind == "f" and array.size and bool(np.isfinite(array).all())
    data, _ = _coded(array, level if rounds else EXACT)
    return 4 * len(zlib.compress(data)) // 3
