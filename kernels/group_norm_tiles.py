"""The register tiles of normalisation within samples: a few vectors of images,
walked down the rows of one group.

A row is one feature of all samples, N numbers that lie side by side.
The rows of a group are those of the reduced axes:

    first + a outer_step + b step,    a < outer,  b < 8 tiles + rest

and a tile holds the statistics of its images, a column each, in registers on the way:

    moments_tile    mean of x, then mean of (x - mean)**2: x is read twice,
                    the second time mostly from the cache
    scale_tile      y = (x - mean) inverse gamma + beta
    sums_tile       sum of h and of h xhat over the group;  sum of g and of g xhat over the images,
                    for every row
    combine_tile    dx = h inverse - total - (x - mean) product,    h = gamma g

Eight rows are added up in x's precision, the eights in double precision.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .emit import Value, VectorFunction, Vectors, address, vectors

Emitter = Callable[[int, Vectors, bool], VectorFunction]
TILE = 8  # rows


class Rows(NamedTuple):
    """Last among the arguments of every tile: where the rows of a group lie. Steps are in rows."""

    row: int  # bytes of one
    outer: int
    outer_step: int
    tiles: int
    rest: int
    step: int
    live: int  # images of the vector at the end


class MomentsCall(NamedTuple):
    """What a moments tile is called with, and then Rows. All of these are addresses."""

    x: int
    mean: int
    var: int


class ScaleCall(NamedTuple):
    y: int
    x: int
    mean: int
    inverse: int
    gamma: int
    beta: int


class SumsCall(NamedTuple):
    g: int
    x: int
    mean: int
    inverse: int
    gamma: int
    dgamma: int
    dbeta: int
    total: int
    product: int


class CombineCall(NamedTuple):
    dx: int
    g: int
    x: int
    mean: int
    inverse: int
    gamma: int
    total: int
    product: int


def plan(tile: Emitter, x: np.ndarray, most: int) -> np.ndarray:
    """Table of the calls for the images of x (N, ...): (address, first image, images),
    of at most `most` vectors each.
    """
    return _plan(tile, x.shape[0], vectors(x.dtype), most)


@cache
def _plan(tile: Emitter, samples: int, v: Vectors, most: int) -> np.ndarray:
    calls, first = [], 0
    for columns in (4, 2, 1):
        while columns <= most and samples - first >= columns * v.lanes:
            calls.append((address(tile(columns, v, False)), first, columns * v.lanes))
            first += columns * v.lanes
    if first < samples:
        calls.append((address(tile(1, v, True)), first, samples - first))
    return np.array(calls, np.int64).reshape(-1, 3)


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
        if self.k.vectors.scalar == "float":
            value = self.k.emit(f"fpext {self.k.vector} {value} to {self.type}")
        self._set(self.k.emit(f"fadd {self.type} {self._get()}, {value}"))

    def divided(self, count: str) -> str:
        """The sums divided by `count`, in x's precision."""
        mean = self.k.emit(f"fdiv {self.type} {self._get()}, {count}")
        return (
            self.k.emit(f"fptrunc {self.type} {mean} to {self.k.vector}")
            if self.k.vectors.scalar == "float"
            else mean
        )


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

    def count(self) -> str:
        """The number of rows, in every lane of a vector of doubles."""
        k = self.k
        number = k.mul("%outer", k.add(k.mul("%tiles", TILE), "%rest"))
        single = k.emit(f"sitofp i64 {number} to double")
        lanes, vector = k.vectors.lanes, f"<{k.vectors.lanes} x double>"
        first = k.emit(f"insertelement {vector} poison, double {single}, i32 0")
        return k.emit(f"shufflevector {vector} {first}, {vector} poison, <{lanes} x i32> zeroinitializer")

    def load(self, name: str, column: int, row: str | int = 0) -> str:
        return self.k.load(self.k.move(self.at[name], row, column * self.k.vectors.bytes))

    def store(self, value: str, name: str, column: int, row: str | int = 0) -> None:
        self.k.store(value, self.k.move(self.at[name], row, column * self.k.vectors.bytes))

    def factor(self, name: str, place: str) -> str:
        """The row's number in `name`, in every lane."""
        return self.k.splat(self.k.move(self.at[name], place))


def moments_tile(columns: int, v: Vectors, masked: bool, centred: bool = True) -> VectorFunction:
    """mean and var of every image; without `centred` the mean is taken as 0."""
    group = Group(columns, v, masked, MomentsCall)
    k, count = group.k, group.count()
    totals, squares = ([Sums(k) for _ in group.columns] for _ in range(2))
    centres = [k.zero for _ in group.columns]
    if centred:
        for rows in group.rows():
            for c in group.columns:
                totals[c].add(_tree(k, [group.load("x", c, row) for row, _ in rows]))
        centres = [total.divided(count) for total in totals]
    for rows in group.rows():
        for c in group.columns:
            d = [k.subtract_vectors(group.load("x", c, row), centres[c]) for row, _ in rows]
            squares[c].add(_tree(k, [k.multiply_vectors(one, one) for one in d]))
    for c in group.columns:
        group.store(centres[c], "mean", c)
        group.store(squares[c].divided(count), "var", c)
    return k


def uncentred_tile(columns: int, v: Vectors, masked: bool) -> VectorFunction:
    """moments_tile with a mean of 0."""
    return moments_tile(columns, v, masked, False)


def scale_tile(columns: int, v: Vectors, masked: bool) -> VectorFunction:
    """y = (x - mean) inverse gamma + beta"""
    group = Group(columns, v, masked, ScaleCall)
    k = group.k
    means, inverses = ([group.load(name, c) for c in group.columns] for name in ("mean", "inverse"))
    for rows in group.rows():
        for row, place in rows:
            gamma, beta = group.factor("gamma", place), group.factor("beta", place)
            for c in group.columns:
                xhat = k.multiply_vectors(k.subtract_vectors(group.load("x", c, row), means[c]), inverses[c])
                group.store(k.multiply_add(xhat, gamma, beta), "y", c, row)
    return k


def sums_tile(columns: int, v: Vectors, masked: bool, centred: bool = True) -> VectorFunction:
    """For every row dgamma = sum of g xhat, dbeta = sum of g; for every image the constants of combine_tile.

    total = inverse mean(h), or 0 without `centred`;  product = -inverse**2 mean(h xhat)
    """
    group = Group(columns, v, masked, SumsCall)
    k, count = group.k, group.count()
    means, inverses = ([group.load(name, c) for c in group.columns] for name in ("mean", "inverse"))
    totals, products = ([Sums(k) for _ in group.columns] for _ in range(2))
    for rows in group.rows():
        for c, (h, product) in enumerate(_row_sums(group, rows, means, inverses)):
            totals[c].add(h)
            products[c].add(product)
    for c in group.columns:
        total = k.multiply_vectors(totals[c].divided(count), inverses[c])
        square = k.multiply_vectors(inverses[c], inverses[c])
        group.store(total if centred else k.zero, "total", c)
        group.store(
            k.subtract_vectors(k.zero, k.multiply_vectors(products[c].divided(count), square)), "product", c
        )
    return k


def _row_sums(
    group: Group, rows: list[tuple[str, str]], means: list[str], inverses: list[str]
) -> list[tuple[str, str]]:
    """Stores dgamma and dbeta of some rows; (sum of h, sum of h xhat) over them, for each column."""
    k = group.k
    parts: list[tuple[str, str]] = [(k.zero, k.zero) for _ in group.columns]
    sums = []
    for row, place in rows:
        gamma, one, other = group.factor("gamma", place), k.zero, k.zero
        for c in group.columns:
            g = group.load("g", c, row)
            xhat = k.multiply_vectors(k.subtract_vectors(group.load("x", c, row), means[c]), inverses[c])
            one, other = k.multiply_add(g, xhat, one), k.add_vectors(g, other)
            h = k.multiply_vectors(g, gamma)
            parts[c] = k.add_vectors(h, parts[c][0]), k.multiply_add(h, xhat, parts[c][1])
        sums += [one, other]
    names = [(name, place) for _, place in rows for name in ("dgamma", "dbeta")]
    for value, (name, place) in zip(k.lane_sums(sums), names, strict=True):
        k.store_scalar(value, k.move(group.at[name], place))
    return parts


def uncentred_sums_tile(columns: int, v: Vectors, masked: bool) -> VectorFunction:
    """sums_tile for a mean that was taken as 0."""
    return sums_tile(columns, v, masked, False)


def combine_tile(columns: int, v: Vectors, masked: bool) -> VectorFunction:
    """dx = gamma g inverse - total + (x - mean) product"""
    group = Group(columns, v, masked, CombineCall)
    k = group.k
    names = ("mean", "inverse", "total", "product")
    means, inverses, totals, products = ([group.load(name, c) for c in group.columns] for name in names)
    for rows in group.rows():
        for row, place in rows:
            gamma = group.factor("gamma", place)
            for c in group.columns:
                h = k.multiply_vectors(k.multiply_vectors(group.load("g", c, row), gamma), inverses[c])
                centred = k.subtract_vectors(group.load("x", c, row), means[c])
                group.store(
                    k.multiply_add(centred, products[c], k.subtract_vectors(h, totals[c])), "dx", c, row
                )
    return k


def _tree(k: VectorFunction, values: list[str]) -> str:
    """Sum of one or eight vectors, in pairs."""
    while len(values) > 1:
        values = [k.add_vectors(a, b) for a, b in zip(values[0::2], values[1::2], strict=True)]
    return values[0]
