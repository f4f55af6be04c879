"""Where the rows of a group lie, how tiles (group_norm_tiles.py) walk down them, and what they add up.

A row is one feature of all samples, N numbers that lie side by side.
The rows of a group, or of a piece of it, are those of the reduced axes:

    first + a outer_step + b step,    a < outer,  b < 8 tiles + rest
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from .common import serial
from .emit import Value, VectorFunction, Vectors

TILE = 8  # rows


class Rows(NamedTuple):
    """Last among the arguments of every tile: where the rows of a group lie. Steps are in rows."""

    row: int  # bytes of one
    outer: int
    outer_step: int
    tiles: int
    rest: int
    step: int
    samples: int  # of the inner loop, whose mean is the shift
    live: int  # images of the vector at the end


class Loop(NamedTuple):
    """What the compiled loops read. Features are seen as (kept, reduced, inner, last): there are kept x inner
    groups, `inner` of them side by side.
    """

    groups: int
    reduced: int
    inner: int
    last: int
    step: int  # of the reduced axis, a piece
    images: int
    itemsize: int
    epsilon: float


@serial
def place_of(block, loop, pieces):  # type: ignore[no-untyped-def]
    """(group, piece), in the order in which they lie in memory."""
    outer, inner = block // loop.inner, block % loop.inner
    return outer // pieces * loop.inner + inner, outer % pieces


@serial
def first_row(loop, place):  # type: ignore[no-untyped-def]
    outer = place[0] // loop.inner * loop.reduced + place[1] * loop.step
    return (outer * loop.inner + place[0] % loop.inner) * loop.last


@serial
def size_of(loop, piece):  # type: ignore[no-untyped-def]
    """Rows of a piece."""
    return min(loop.step, loop.reduced - piece * loop.step) * loop.last


@serial
def rows_of(loop, place, live):  # type: ignore[no-untyped-def]
    """The rows of a piece: of its two loops, the inner one has whole tiles, if one has."""
    reduced, apart = min(loop.step, loop.reduced - place[1] * loop.step), loop.inner * loop.last
    outer, outer_step, many, step = reduced, apart, loop.last, 1
    if loop.last < TILE:
        outer, outer_step, many, step = loop.last, 1, reduced, apart
    return Rows(
        row=loop.images * loop.itemsize, outer=outer, outer_step=outer_step, tiles=many // TILE,
        rest=many % TILE, step=step, samples=min(many, TILE), live=live,
    )  # fmt: skip


class Sums:
    """A running sum in double precision for each lane."""

    def __init__(self, k: VectorFunction) -> None:
        self.k, self.type = k, f"<{k.vectors.lanes} x double>"
        self.slot = k.emit(f"alloca {self.type}")
        self._set("zeroinitializer")

    def _set(self, value: str) -> None:
        self.k.lines.append(f"  store {self.type} {value}, ptr {self.slot}")

    def _get(self) -> str:
        return self.k.emit(f"load {self.type}, ptr {self.slot}")

    def add(self, value: str) -> None:
        self._set(self.k.emit(f"fadd {self.type} {self._get()}, {self._extended(value)}"))

    def _extended(self, value: str) -> str:
        single = self.k.vectors.scalar == "float"
        return self.k.emit(f"fpext {self.k.vector} {value} to {self.type}") if single else value

    def mean(self, share: str) -> str:
        """The sums times `share`, 1 / count."""
        return self.k.emit(f"fmul {self.type} {self._get()}, {share}")

    def rounded_mean(self, share: str) -> str:
        """The mean in x's precision."""
        return self.rounded(self.mean(share))

    def mean_above(self, shift: str, share: str) -> tuple[str, str]:
        """shift + mean in x's precision, and what that lacks."""
        low, mean = self._extended(shift), self.mean(share)
        near = self.rounded(self.k.emit(f"fadd {self.type} {low}, {mean}"))
        gap = self.k.emit(f"fsub {self.type} {low}, {self._extended(near)}")
        return near, self.rounded(self.k.emit(f"fadd {self.type} {gap}, {mean}"))

    def less_square(self, value: str, share: str) -> str:
        """The mean less value**2, in x's precision."""
        square = self.k.emit(f"fmul {self.type} {value}, {value}")
        return self.rounded(self.k.emit(f"fsub {self.type} {self.mean(share)}, {square}"))

    def rounded(self, value: str) -> str:
        single = self.k.vectors.scalar == "float"
        return self.k.emit(f"fptrunc {self.type} {value} to {self.k.vector}") if single else value


class Group:
    """A tile under construction: the columns of `columns` vectors,
    the last of them filled only in part if `masked`.
    """

    def __init__(self, columns: int, v: Vectors, masked: bool, places: type[Any]) -> None:
        self.k = k = VectorFunction(v, " ".join(places._fields + Rows._fields))
        if masked:
            k.limit("%live")
        self.columns = range(columns)
        self.at = {name: k.pointer(f"%{name}") for name in places._fields}

    def rows(self) -> Iterator[list[tuple[str, str]]]:
        """Writes the loops; the body is emitted for eight rows and for one, with two offsets for each row: in
        arrays of rows, and in arrays that have one number for each row."""
        k = self.k
        with k.loop(0, "%outer") as a:
            block = k.mul(a, "%outer_step")
            with k.loop(0, "%tiles") as t:
                first = k.add(block, k.mul(k.mul(t, TILE), "%step"))
                yield [self._offsets(k.add(first, k.mul(j, "%step"))) for j in range(TILE)]
            with k.loop(0, "%rest") as t:
                yield [self._offsets(k.add(block, k.mul(k.add(k.mul("%tiles", TILE), t), "%step")))]

    def _offsets(self, row: Value) -> tuple[str, str]:
        return str(self.k.mul(row, "%row")), str(self.k.mul(row, self.k.vectors.itemsize))

    def share(self) -> str:
        """1 / the number of rows, in every lane of a vector of doubles.

        One division serves all sums of a tile: one for each would take as long as a pass over a few rows.
        """
        k = self.k
        count = k.emit(f"sitofp i64 {k.mul('%outer', k.add(k.mul('%tiles', TILE), '%rest'))} to double")
        return self._everywhere(k.emit(f"fdiv double 1.0, {count}"), "double")

    def first_means(self) -> list[str]:
        """For each column, the mean of the first eight rows; of fewer, where the inner loop has no eight."""
        k, sums = self.k, [self.k.variable(self.k.zero) for _ in self.columns]
        with k.loop(0, "%samples") as j:
            row = self._offsets(k.mul(j, "%step"))[0]
            for c, total in enumerate(sums):
                k.set(total, k.add_vectors(k.get(total), self.load("x", c, row)))
        scalar = k.vectors.scalar
        count = self._everywhere(k.emit(f"sitofp i64 %samples to {scalar}"), scalar)
        return [k.emit(f"fdiv {k.vector} {k.get(total)}, {count}") for total in sums]

    def _everywhere(self, single: str, kind: str) -> str:
        """The float or double in every lane."""
        k = self.k
        lanes, vector = k.vectors.lanes, f"<{k.vectors.lanes} x {kind}>"
        first = k.emit(f"insertelement {vector} poison, {kind} {single}, i32 0")
        return k.emit(f"shufflevector {vector} {first}, {vector} poison, <{lanes} x i32> zeroinitializer")

    def load(self, name: str, column: int, row: str | int = 0) -> str:
        return self.k.load(self.k.move(self.at[name], row, column * self.k.vectors.bytes))

    def store(self, value: str, name: str, column: int, row: str | int = 0) -> None:
        self.k.store(value, self.k.move(self.at[name], row, column * self.k.vectors.bytes))

    def factor(self, name: str, place: str) -> str:
        """The row's number in `name`, in every lane."""
        return self.k.splat(self.k.move(self.at[name], place))


def tree(k: VectorFunction, values: list[str]) -> str:
    """Sum of one or eight vectors, in pairs."""
    while len(values) > 1:
        values = [k.add_vectors(a, b) for a, b in zip(values[0::2], values[1::2], strict=True)]
    return values[0]
