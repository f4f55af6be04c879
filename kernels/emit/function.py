"""Writes one function of explicit vector instructions as LLVM assembly text.

Every method emits an instruction and returns the name of its result ("%v17"), so that an emitter reads like
the loop it writes. Values are strings: "%v17" or an integer constant. Integers are 64 bits wide, pointers are
moved by bytes. It is text, rather than llvmlite's objects, because the text is made again at every start of a
process: it is the key under which the machine code is cached.
"""

import struct
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .host import Vectors

Value = str | int


class VectorFunction:
    """`void name(i64, ...)` under construction. With `masked`,
    only the first `live` lanes are read or written.

    `arguments`: the class of the named tuples that it is called with (call.py),
    or the names with spaces between them.
    """

    def __init__(self, vectors: Vectors, arguments: str | type[Any], *, masked: bool = False) -> None:
        self.vectors = vectors
        self.masked = masked
        self.arguments = arguments.split() if isinstance(arguments, str) else list(arguments._fields)
        self.vector = f"<{vectors.lanes} x {vectors.scalar}>"
        self.suffix = f"v{vectors.lanes}f{8 * vectors.itemsize}"
        self.lines: list[str] = []
        self.count = 0
        self.block = "entry"
        self.mask = self.lanes_below("%live") if masked else ""
        frame = sys._getframe(1)
        # of a class made from this one
        while frame.f_code.co_name == "__init__" and frame.f_back is not None:
            frame = frame.f_back
        self.writer = frame.f_code.co_name  # for people: the Python function that writes this one

    def emit(self, instruction: str) -> str:
        """Appends `%vN = instruction` and returns "%vN"."""
        self.count += 1
        self.lines.append(f"  %v{self.count} = {instruction}")
        return f"%v{self.count}"

    # Integers and addresses

    def add(self, a: Value, b: Value) -> Value:
        return a + b if isinstance(a, int) and isinstance(b, int) else self.emit(f"add i64 {a}, {b}")

    def mul(self, a: Value, b: Value) -> Value:
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        return 0 if 0 in (a, b) else self.emit(f"mul i64 {a}, {b}")

    def minimum(self, a: Value, b: Value) -> str:
        less = self.emit(f"icmp slt i64 {a}, {b}")
        return self.emit(f"select i1 {less}, i64 {a}, i64 {b}")

    def pointer(self, address: Value) -> str:
        return self.emit(f"inttoptr i64 {address} to ptr")

    def move(self, pointer: str, *offsets: Value) -> str:
        """`pointer` moved by the sum of the byte `offsets`."""
        for offset in offsets:
            if offset != 0:
                pointer = self.emit(f"getelementptr i8, ptr {pointer}, i64 {offset}")
        return pointer

    def load_integer(self, pointer: str) -> str:
        """The 64-bit integer at `pointer`."""
        return self.emit(f"load i64, ptr {pointer}, align 8")

    # Vectors

    @property
    def zero(self) -> str:
        return "zeroinitializer"

    def load(self, pointer: str, *, whole: bool = False) -> str:
        """The vector at `pointer`; with `whole` all of its lanes, even in a masked function."""
        if not self.masked or whole:
            return self.emit(f"load {self.vector}, ptr {pointer}, align {self.vectors.itemsize}")
        return self.emit(
            f"call {self.vector} @llvm.masked.load.{self.suffix}.p0"
            f"(ptr {pointer}, i32 {self.vectors.itemsize}, {self.mask}, {self.vector} zeroinitializer)"
        )

    def store(self, value: str, pointer: str, *, whole: bool = False) -> None:
        if not self.masked or whole:
            self.lines.append(f"  store {self.vector} {value}, ptr {pointer}, align {self.vectors.itemsize}")
        else:
            self.lines.append(
                f"  call void @llvm.masked.store.{self.suffix}.p0"
                f"({self.vector} {value}, ptr {pointer}, i32 {self.vectors.itemsize}, {self.mask})"
            )

    def prefetch(self, pointer: str, *, write: bool = False) -> None:
        """Asks for the cache line at `pointer`, which need not exist; with `write`, in order to change it."""
        self.lines.append(f"  call void @llvm.prefetch.p0(ptr {pointer}, i32 {int(write)}, i32 3, i32 1)")

    def splat(self, pointer: str) -> str:
        """The number at `pointer` in every lane."""
        number = self.emit(f"load {self.vectors.scalar}, ptr {pointer}, align {self.vectors.itemsize}")
        return self._broadcast(self.vector, f"{self.vectors.scalar} {number}")

    def multiply_add(self, a: str, b: str, c: str) -> str:
        """a * b + c, fused where the CPU can."""
        v = self.vector
        return self.emit(f"call {v} @llvm.fmuladd.{self.suffix}({v} {a}, {v} {b}, {v} {c})")

    def add_vectors(self, a: str, b: str) -> str:
        return self.emit(f"fadd {self.vector} {a}, {b}")

    def subtract_vectors(self, a: str, b: str) -> str:
        return self.emit(f"fsub {self.vector} {a}, {b}")

    def multiply_vectors(self, a: str, b: str) -> str:
        return self.emit(f"fmul {self.vector} {a}, {b}")

    def constant(self, number: float) -> str:
        """`number`, rounded to the function's format, in every lane."""
        rounded = float(np.float32(number)) if self.vectors.itemsize == 4 else number
        return self._broadcast(self.vector, f"{self.vectors.scalar} 0x{struct.pack('>d', rounded).hex()}")

    def where_positive(self, x: str, a: str, b: str) -> str:
        """a in the lanes where x > 0, else b (where x is NaN too)."""
        positive = self.emit(f"fcmp ogt {self.vector} {x}, {self.zero}")
        mask = f"<{self.vectors.lanes} x i1>"
        return self.emit(f"select {mask} {positive}, {self.vector} {a}, {self.vector} {b}")

    def store_part(self, a: str, b: str, first: int, count: int, pointer: str) -> None:
        """Stores `count` lanes of a and b, one behind the other, from lane `first` on: as a vector of a power
        of two, and one that ends with the last of them.
        """
        most = 1 << (count.bit_length() - 1)
        rest = 1 << (count - most - 1).bit_length() if count > most else 0
        for begin, lanes in ((0, most), (count - rest, rest)) if rest else ((0, most),):
            order = ", ".join(f"i32 {first + begin + i}" for i in range(lanes))
            part = self.emit(f"shufflevector {self.vector} {a}, {self.vector} {b}, <{lanes} x i32> <{order}>")
            place, size = self.move(pointer, begin * self.vectors.itemsize), self.vectors.itemsize
            self.lines.append(f"  store <{lanes} x {self.vectors.scalar}> {part}, ptr {place}, align {size}")

    def maximum(self, a: str, b: str) -> str:
        """a in the lanes where a > b, else b (where either is NaN too)."""
        greater = self.emit(f"fcmp ogt {self.vector} {a}, {b}")
        return self.emit(
            f"select <{self.vectors.lanes} x i1> {greater}, {self.vector} {a}, {self.vector} {b}"
        )

    def transpose(self, rows: Sequence[str]) -> list[str]:
        """As many vectors as there are lanes, seen as a square matrix, transposed.

        One step interleaves vector i of the first half with vector i of the second half. The bits of an
        element's place, row before lane, are then rotated by one; after log2(lanes) steps row and lane have
        changed places.
        """
        lanes, v = self.vectors.lanes, list(rows)
        halves = [
            ", ".join(f"i32 {i // 2 + i % 2 * lanes + h * lanes // 2}" for i in range(lanes)) for h in (0, 1)
        ]
        for _ in range(lanes.bit_length() - 1):
            pairs = list(zip(v[: lanes // 2], v[lanes // 2 :], strict=True))
            v = [
                self.emit(f"shufflevector {self.vector} {a}, {self.vector} {b}, <{lanes} x i32> <{order}>")
                for a, b in pairs
                for order in halves
            ]
        return v

    # Variables and loops

    def variable(self, value: str) -> str:
        """A vector that loops may change; LLVM keeps it in a register. Read with `get`,
        written with `set`.
        """
        slot = self.emit(f"alloca {self.vector}")
        self.set(slot, value)
        return slot

    def get(self, slot: str) -> str:
        return self.emit(f"load {self.vector}, ptr {slot}")

    def set(self, slot: str, value: str) -> None:
        self.lines.append(f"  store {self.vector} {value}, ptr {slot}")

    @contextmanager
    def loop(self, begin: Value, end: Value) -> Iterator[Value]:
        """for index in range(begin, end); a loop known to run once is not written as one."""
        if isinstance(begin, int) and end == begin + 1:
            yield begin
            return
        self.count += 1
        n, before = self.count, self.block
        self.lines += [
            f"  br label %head{n}",
            f"head{n}:",
            f"  %i{n} = phi i64 [ {begin}, %{before} ], [ %next{n}, %latch{n} ]",
            f"  %more{n} = icmp slt i64 %i{n}, {end}",
            f"  br i1 %more{n}, label %body{n}, label %exit{n}",
            f"body{n}:",
        ]
        self.block = f"body{n}"
        yield f"%i{n}"
        self.lines += [
            f"  br label %latch{n}",
            f"latch{n}:",
            f"  %next{n} = add i64 %i{n}, 1",
            f"  br label %head{n}",
            f"exit{n}:",
        ]
        self.block = f"exit{n}"

    # Sums over lanes

    def lane_sums(self, values: Sequence[str]) -> Iterator[str]:
        """The sum of the lanes of each vector, as scalars.

        Up to `lanes` vectors share one tree: a level adds the even lanes of two vectors to their odd lanes,
        which
        halves the number of vectors, until lane i of the one that is left is the sum of vector i. The tree,
        hence the rounding, is the same for every vector.
        """
        lanes = self.vectors.lanes
        for start in range(0, len(values), lanes):
            tree = list(values[start : start + lanes])
            members = len(tree)
            tree += [self.zero] * ((1 << (members - 1).bit_length()) - members)
            for _ in range(lanes.bit_length() - 1):
                pairs = (
                    list(zip(tree[0::2], tree[1::2], strict=True)) if len(tree) > 1 else [(tree[0], tree[0])]
                )
                tree = [
                    self.add_vectors(self._every_second(a, b, 0), self._every_second(a, b, 1))
                    for a, b in pairs
                ]
            for i in range(members):
                yield self.emit(f"extractelement {self.vector} {tree[0]}, i32 {i}")

    def store_scalar(self, value: str, pointer: str) -> None:
        self.lines.append(
            f"  store {self.vectors.scalar} {value}, ptr {pointer}, align {self.vectors.itemsize}"
        )

    def _every_second(self, a: str, b: str, first: int) -> str:
        lanes = self.vectors.lanes
        order = ", ".join(f"i32 {first + 2 * i}" for i in range(lanes))
        return self.emit(f"shufflevector {self.vector} {a}, {self.vector} {b}, <{lanes} x i32> <{order}>")

    def _broadcast(self, vector: str, scalar: str) -> str:
        lanes = self.vectors.lanes
        single = self.emit(f"insertelement {vector} poison, {scalar}, i32 0")
        return self.emit(f"shufflevector {vector} {single}, {vector} poison, <{lanes} x i32> zeroinitializer")

    def limit(self, live: Value) -> None:
        """From here on, only the lanes 0 .. live - 1 are read or written."""
        self.masked, self.mask = True, self.lanes_below(live)

    def only(self, live: Collection[int]) -> None:
        """From here on, only these lanes are read, written and changed."""
        lanes = self.vectors.lanes
        self.masked = len(live) < lanes
        self.mask = f"<{lanes} x i1> <" + ", ".join(f"i1 {int(i in live)}" for i in range(lanes)) + ">"

    def changed(self, old: str, new: str) -> str:
        """`new`, but `old` in the lanes that are not to be changed."""
        if not self.masked:
            return new
        return self.emit(f"select {self.mask}, {self.vector} {new}, {self.vector} {old}")

    def lanes_below(self, live: Value) -> str:
        """The mask of the lanes 0 .. live - 1, as the bits of an integer: no vector is needed for it."""
        lanes = self.vectors.lanes
        bits = self.emit(f"shl i64 1, {self.minimum(live, lanes)}")
        number = self.emit(f"trunc i64 {self.add(bits, -1)} to i{lanes}")
        return f"<{lanes} x i1> " + self.emit(f"bitcast i{lanes} {number} to <{lanes} x i1>")

    def text(self, name: str) -> str:
        """The finished function as an LLVM module.

        "stackrealign": vectors of a whole cache line that find no register are kept on the stack within such
        lines. Across two of them, a vector that was just stored can be read some 20 cycles later only. It
        costs an integer register, which shorter vectors miss more.
        """
        attributes = 'nounwind "stackrealign"' if self.vectors.bytes >= 64 else "nounwind"
        v, mask = self.vector, f"<{self.vectors.lanes} x i1>"
        arguments = ", ".join(f"i64 %{argument}" for argument in self.arguments)
        return "\n".join(
            [
                f"declare {v} @llvm.fmuladd.{self.suffix}({v}, {v}, {v})",
                f"declare {v} @llvm.masked.load.{self.suffix}.p0(ptr, i32, {mask}, {v})",
                f"declare void @llvm.masked.store.{self.suffix}.p0({v}, ptr, i32, {mask})",
                "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)",
                f"define void @{name}({arguments}) {attributes} {{",
                "entry:",
                *self.lines,
                "  ret void",
                "}",
                "",
            ]
        )


def vectors_of(k: VectorFunction, partial: bool, whole: bool = True) -> Iterator[Value]:
    """Bytes to each of the `blocks` whole vectors, if they are asked for; then, if `partial`, to one of which
    `live` lanes exist.
    """
    if whole:
        with k.loop(0, "%blocks") as block:
            yield k.mul(k.vectors.bytes, block)
    if partial:
        before = k.masked, k.mask
        k.limit("%live")
        yield k.mul(k.vectors.bytes, "%blocks")
        k.masked, k.mask = before
