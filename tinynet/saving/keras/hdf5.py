"""HDF5, read: the arrays of a file that Keras wrote, without the HDF5 library.

That library was made for files one trusts: damaged bytes can keep it busy for ever. What Keras writes is a
small part of the format (h5py's defaults), and this reads that part and nothing else: groups with symbol
tables, and datasets of numbers that lie in one piece. Links out of the file, virtual, compressed and chunked
datasets are refused; every address is compared with the file's length, every object is visited once, and no
array is copied.

    superblock 0 -> object header -> symbol table message -> B-tree (TREE) -> symbol nodes (SNOD) -> object
                                                                              headers ... names in a local
                                                                              heap (HEAP)

Numbers in brackets are sections of the "HDF5 File Format Specification Version 3.0", The HDF Group.
"""

import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinynet.saving.errors import FileError, shortened

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MOST_OBJECTS = 200_000
DEEPEST = 64
# Bit offset, precision, exponent's place and size, mantissa's place and size,
# bias: IEEE 754, binary16 to binary64.
FLOATS = {2: (0, 16, 10, 5, 0, 10, 15), 4: (0, 32, 23, 8, 0, 23, 127), 8: (0, 64, 52, 11, 0, 52, 1023)}
SYMBOL_TABLE, DATASPACE, DATATYPE, LAYOUT, CONTINUATION = 0x11, 0x01, 0x03, 0x08, 0x10  # kinds of messages
REFUSED = {
    0x02: "groups in the newer form, or links to other files", 0x06: (
        "groups in the newer form, "
        "or links to other files"
    ),
    0x07: "data in other files", 0x0B: "compressed data",
}  # fmt: skip


def read(data: bytes) -> dict[str, np.ndarray]:
    """{"layers/dense/vars/0": array, ...} of the bytes of an HDF5 file;
    FileError for whatever Keras would not write.
    """
    try:
        return _Reader(data).arrays
    except (struct.error, UnicodeDecodeError):
        raise FileError("it is not a whole HDF5 file") from None


class _Reader:
    """One pass over a file, which collects its arrays by path."""

    def __init__(self, data: bytes) -> None:
        self.data, self.arrays = memoryview(data), {}  # type: tuple[memoryview, dict[str, np.ndarray]]
        self.visited: set[int] = set()
        # bytes that arrays have not taken yet: datasets that lie on one another do not count twice
        self.unused = len(data)
        # readings, and letters of paths: a file as Keras writes it needs far fewer than it has bytes
        self.left = len(data)
        if data[:8] != SIGNATURE or len(data) < 96:
            raise FileError("it is not an HDF5 file")
        if data[8] != 0 or data[13:15] != b"\x08\x08" or self.numbers("<Q", 24) != (0,):
            raise FileError(
                "it is an HDF5 file of a form that Keras does not write: read it in Keras and save it again"
            )
        (end,) = self.numbers("<Q", 40)  # [II.A]
        if end > len(data):
            raise FileError(f"it is cut off: it should have {end:,} bytes and has {len(data):,}")
        self.object(self.numbers("<Q", 64)[0], "", 0)

    def numbers(self, layout: str, at: int) -> tuple[Any, ...]:
        """Numbers at an address; struct.error near the end of the file."""
        self.left -= 1
        if self.left < 0 or at >= len(self.data):
            raise FileError("it is not a whole HDF5 file")
        return struct.unpack_from(layout, self.data, at)

    def object(self, at: int, path: str, depth: int) -> None:
        """The group or dataset whose object header lies at `at`."""
        if at in self.visited or len(self.visited) >= MOST_OBJECTS or depth > DEEPEST:
            raise FileError(f"its groups lead in circles, at {shortened(path)!r}")
        self.visited.add(at)
        self.left -= len(path)
        messages = dict(self.messages(at))
        for kind, what in REFUSED.items():
            if kind in messages:
                raise FileError(
                    f"{shortened(path)!r} has {what}, which Keras does not write and tinynet does not read"
                )
        if SYMBOL_TABLE in messages:
            tree, heap = self.numbers("<QQ", messages[SYMBOL_TABLE])
            for name, child in self.links(tree, heap):
                self.object(child, f"{path}/{name}" if path else name, depth + 1)
        elif {DATASPACE, DATATYPE, LAYOUT} <= set(messages):
            numbers, shape = (
                self.datatype(messages[DATATYPE], path),
                self.dataspace(messages[DATASPACE], path),
            )
            self.arrays[path] = self.values(messages[LAYOUT], numbers, shape, path)

    def messages(self, at: int) -> Iterator[tuple[int, int]]:
        """(kind, address of its data) of the messages of an object header of version 1 [IV.A.1.a]."""
        version, _, count, _, size = self.numbers("<BBHII", at)
        if version != 1 or count > 10_000:
            raise FileError(
                "it is an HDF5 file of a form that Keras does not write: read it in Keras and save it again"
            )
        blocks, seen = [(at + 16, size)], 0
        for begin, length in blocks:
            end = begin + length
            while begin + 8 <= end and seen < count:
                kind, size = self.numbers("<HH", begin)
                if kind == CONTINUATION:
                    blocks.append(self.numbers("<QQ", begin + 8))  # type: ignore[arg-type]
                yield kind, begin + 8
                begin += 8 + size
                seen += 1

    def links(self, tree: int, heap: int) -> Iterator[tuple[str, int]]:
        """(name, address) of the members of a group."""
        if self.data[heap : heap + 4] != b"HEAP":  # [III.D]
            raise FileError("the names in a group are not where they should be")
        size, _, names = self.numbers("<QQQ", heap + 8)
        for node in self.symbol_nodes(tree):
            for at in range(node + 8, node + 8 + 40 * self.numbers("<H", node + 6)[0], 40):  # [III.C]
                offset, child, cached = self.numbers("<QQI", at)
                if cached == 2:
                    raise FileError(
                        "it has a link by name, which Keras does not write and tinynet does not follow"
                    )
                name = (
                    bytes(self.data[names + offset : names + min(size, offset + 1000)])
                    .partition(b"\0")[0]
                    .decode()
                )
                if not name or "/" in name:
                    raise FileError(f"a member of a group has the name {shortened(name)!r}")
                yield name, child

    def symbol_nodes(self, tree: int) -> Iterator[int]:
        """Addresses of the symbol nodes below a B-tree's node [III.A.1]."""
        waiting = [tree]
        while waiting:
            at = waiting.pop(0)
            if at in self.visited or len(self.visited) >= MOST_OBJECTS:
                raise FileError("the members of a group are listed in circles")
            self.visited.add(at)
            signature = bytes(self.data[at : at + 4])
            if signature == b"SNOD":
                yield at
            elif signature == b"TREE":
                (used,) = self.numbers("<H", at + 6)
                waiting += [self.numbers("<Q", at + 32 + 16 * i)[0] for i in range(used)]
            else:
                raise FileError("the members of a group are not where they should be")

    def dataspace(self, at: int, path: str) -> tuple[int, ...]:
        """The shape [IV.A.2.b]."""
        version, rank, _, kind = self.numbers("<4B", at)
        if version not in (1, 2) or rank > 32 or (version == 2 and kind > 1):
            raise FileError(f"{shortened(path)!r} has no shape")
        return self.numbers(f"<{rank}Q", at + (8 if version == 1 else 4))

    def datatype(self, at: int, path: str) -> np.dtype:
        """The kind of number: integers and IEEE floats [IV.A.2.d]."""
        kind, bits, _, _, size = self.numbers("<4BI", at)
        order = ">" if bits & 1 else "<"
        if kind & 15 == 0 and size in (1, 2, 4, 8) and self.numbers("<HH", at + 8) == (0, 8 * size):
            return np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}")
        if (
            kind & 15 == 1
            and size in FLOATS
            and self.numbers("<HHBBBBI", at + 8) == FLOATS[size]
            and not bits & 64
        ):
            return np.dtype(f"{order}f{size}")
        raise FileError(f"{shortened(path)!r} does not hold integers or floats of 16, 32 or 64 bits")

    def values(self, at: int, kind: np.dtype, shape: tuple[int, ...], path: str) -> np.ndarray:
        """The array, which lies in one piece [IV.A.2.i]: a view of the file's bytes,
        which cannot be written to.
        """
        version, where = self.numbers("<BB", at)
        size = math.prod(shape) * kind.itemsize
        if version != 3 or where not in (0, 1):
            raise FileError(
                f"{shortened(path)!r} does not lie in one piece, as Keras writes it: "
                "chunked datasets are not read"
            )
        if where == 0:
            begin, length = at + 4, self.numbers("<H", at + 2)[0]
        else:
            begin, length = self.numbers("<QQ", at + 2)
        self.unused -= size
        if size == 0 or length < size or begin + size > len(self.data) or self.unused < 0:
            raise FileError(f"{shortened(path)!r} of shape {shape} does not fit the file")
        return np.frombuffer(self.data[begin : begin + size], kind).reshape(shape)
