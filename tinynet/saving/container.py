"""Container: a description and named arrays in one safetensors file, sealed with a digest of the whole.

    8 bytes      length of the header, little-endian
    header       JSON: {"__metadata__": {"tinynet": description}, name: {"dtype",
                 "shape", "data_offsets"}, ...}
    the rest     the arrays' bytes, one after the other

The description is a JSON text of its own, and its first entry, "sha256", the digest of all bytes of the file
with zeros in the digest's place. A file that was damaged anywhere is therefore noticed; one that was forged
has to pass the checks here, where nothing is believed: sizes are compared with the file before anything is
allocated. The format holds numbers and strings alone, so there is no code in it to run. Any reader of
safetensors can read the arrays.

https://github.com/huggingface/safetensors (the format); FIPS 180-4 (SHA-256).
"""

import hashlib
import json
import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinynet import utils
from tinynet.saving import strict_json
from tinynet.saving.errors import FileError, shortened

KINDS = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "U32": "<u4",
    "U8": "|u1",
    "BOOL": "|b1",
}
NAMES = {np.dtype(code).str: name for name, code in KINDS.items()}
# every header begins so; then come the digest's 64 digits
BEGIN = b'{"__metadata__":{"tinynet":"{\\"sha256\\":\\"'
AT = 8 + len(BEGIN)  # where the digest stands
ZEROS = b"0" * 64
MOST_ARRAYS = 100_000
MOST_AXES = 32


def write(
    path: str | os.PathLike[str], description: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Writes the file, whole or not at all."""
    # The widest numbers first: every array then begins at a multiple of its item's size.
    ordered = sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize)
    blocks = {name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in ordered}
    header = _header(description, {name: (block, np.shape(arrays[name])) for name, block in blocks.items()})
    digest = hashlib.sha256(header)
    for block in blocks.values():
        digest.update(block.data if block.size else b"")
    header = header[:AT] + digest.hexdigest().encode() + header[AT + 64 :]
    with utils.atomic_write(path) as temporary, temporary.open("wb") as file:
        file.write(header)
        for block in blocks.values():
            file.write(block.data if block.size else b"")


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(description, arrays) of a file that `write` made; FileError for any other."""
    return decode(contents(path))


def contents(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file: a folder, a pipe or a device is not read."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if not stat.S_ISREG(path.stat().st_mode):
        raise FileError(f"it is a {'folder' if path.is_dir() else 'device'}, not a file")
    return path.read_bytes()


def decode(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(description, arrays) of the bytes of a file; the arrays cannot be written to."""
    if len(data) < AT + 64 or data[8:AT] != BEGIN:
        raise FileError("it is not a file that tinynet's model.save() wrote")
    digest = hashlib.sha256(data[:AT])
    digest.update(ZEROS)
    digest.update(memoryview(data)[AT + 64 :])
    if digest.hexdigest().encode() != data[AT : AT + 64]:
        raise FileError(
            "it is damaged: its bytes do not have the SHA-256 digest that was noted when it was written"
        )
    size = int.from_bytes(data[:8], "little")
    if not 64 < size <= min(len(data) - 8, strict_json.LARGEST):
        raise FileError(f"its header is said to have {size:,} bytes, of {len(data):,} in the file")
    header = strict_json.parse(data[8 : 8 + size], "its header")
    metadata = header.pop("__metadata__")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("tinynet"), str):
        raise FileError("its header holds no description")
    description = strict_json.parse(metadata["tinynet"], "its description")
    if not isinstance(description, dict):
        raise FileError("its description is not an object")
    return description, _arrays(header, memoryview(data)[8 + size :])


def _header(description: Mapping[str, Any], blocks: Mapping[str, tuple[np.ndarray, Any]]) -> bytes:
    sealed = strict_json.write({"sha256": ZEROS.decode(), **description}, "the description")
    entries: dict[str, Any] = {"__metadata__": {"tinynet": sealed}}
    begin = 0
    for name, (block, shape) in blocks.items():
        if block.dtype.str not in NAMES:
            raise ValueError(f"{name} is of dtype {block.dtype}, which the file format does not have")
        offsets = [begin, begin + block.nbytes]
        entries[name] = {"dtype": NAMES[block.dtype.str], "shape": list(shape), "data_offsets": offsets}
        begin += block.nbytes
    encoded = json.dumps(entries, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    assert encoded.startswith(BEGIN + ZEROS)
    return len(encoded).to_bytes(8, "little") + encoded


def _arrays(entries: dict[str, Any], data: memoryview) -> dict[str, np.ndarray]:
    """The arrays that the header lists: their bytes must fill the rest of the file,
    without gap or overlap.
    """
    if len(entries) > MOST_ARRAYS:
        raise FileError(f"it lists {len(entries):,} arrays, more than {MOST_ARRAYS:,}")
    found = {name: _entry(name, entry) for name, entry in entries.items()}
    end = 0
    for name, (kind, shape, begin, stop) in sorted(found.items(), key=lambda item: item[1][2:]):
        if begin != end or stop - begin != math.prod(shape) * kind.itemsize:
            raise FileError(
                f"the array {shortened(name)!r} of shape {shape} does not lie where its numbers should"
            )
        end = stop
    if end != len(data):
        raise FileError(f"its arrays have {end:,} bytes, and the file has {len(data):,} for them")
    return {
        name: np.frombuffer(data[a:b], kind).reshape(shape) for name, (kind, shape, a, b) in found.items()
    }


def _entry(name: str, entry: Any) -> tuple[np.dtype, tuple[int, ...], int, int]:
    known = isinstance(entry, dict) and set(entry) == {"dtype", "shape", "data_offsets"}
    if not known or not isinstance(entry["dtype"], str) or entry["dtype"] not in KINDS:
        raise FileError(f"the array {shortened(name)!r} is not described by a dtype, a shape and offsets")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not are_sizes(shape) or len(shape) > MOST_AXES or not are_sizes(offsets) or len(offsets) != 2:
        raise FileError(f"the array {shortened(name)!r} has no such shape or offsets: {shortened(entry)}")
    return np.dtype(KINDS[entry["dtype"]]), tuple(shape), *offsets


def are_sizes(value: Any) -> bool:
    """Whether `value` is a list of whole numbers >= 0."""
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 1 << 62 for size in value)
