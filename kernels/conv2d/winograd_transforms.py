"""The transforms of winograd.py as vector instructions: a small matrix times some registers.

A number that is known to be 0 (a pixel outside of the map) is None, and costs nothing. Points come in pairs,
p and -p, so rows of the matrices do, too: they agree in the even powers and differ in the sign of the odd
ones. Their sums over the even and over the odd powers serve both:

    row of p:   even + odd            row of -p:   even - odd
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import cache

import numpy as np

from ..common import Array
from ..emit import VectorFunction

Number = str | None  # the name of a vector, or None for zero
Terms = Iterable[tuple[float, Number]]


def pairs(matrix: Array) -> list[tuple[int, ...]]:
    """The rows, in their order: two that are equal but for signs together, others alone."""
    return _pairs(tuple(map(tuple, np.abs(matrix).tolist())))


@cache
def _pairs(rows: tuple[tuple[float, ...], ...]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for i, row in enumerate(rows):
        last = found[-1] if found else ()
        if len(last) == 1 and sum(map(bool, row)) > 1 and row == rows[last[0]]:
            found[-1] = (*last, i)
        else:
            found.append((i,))
    return found


def combination(k: VectorFunction, terms: Terms) -> Number:
    """The sum of coefficient * vector."""
    present = [(c, v) for c, v in terms if v is not None and c != 0]
    if not present:
        return None
    present.sort(key=lambda term: (term[0] != 1, term[0] != -1))  # begin with one that needs no product
    (c, first), *rest = present
    total = first if c == 1 else k.multiply_vectors(k.constant(c), first)
    for c, v in rest:
        if c == 1:
            total = k.add_vectors(total, v)
        elif c == -1:
            total = k.subtract_vectors(total, v)
        else:
            total = k.multiply_add(k.constant(c), v, total)
    return total


def rows_of(
    k: VectorFunction, matrix: Array, rows: tuple[int, ...], numbers: Callable[[int], Number]
) -> dict[int, Number]:
    """{row: (matrix @ numbers)[row]} for an entry of `pairs(matrix)`. numbers(i) is asked for if needed."""
    first = matrix[rows[0]].tolist()
    if len(rows) == 1:
        return {rows[0]: combination(k, [(c, numbers(i)) for i, c in enumerate(first) if c != 0])}
    same = np.equal(first, matrix[rows[1]])
    even = combination(k, [(c, numbers(i)) for i, c in enumerate(first) if c != 0 and same[i]])
    odd_terms = [(c, numbers(i)) for i, c in enumerate(first) if c != 0 and not same[i]]
    scale = odd_terms[-1][0]  # of the highest power; it is multiplied when even and odd meet
    odd = combination(k, [(c / scale, v) for c, v in odd_terms])
    return {
        rows[0]: combination(k, [(1, even), (scale, odd)]),
        rows[1]: combination(k, [(1, even), (-scale, odd)]),
    }


def rows_in_order(k: VectorFunction, matrix: Array, numbers: Sequence[Number]) -> list[Number]:
    """matrix @ numbers, whose rows come in pairs."""
    found: dict[int, Number] = {}
    for group in pairs(matrix):
        found |= rows_of(k, matrix, group, numbers.__getitem__)
    return [found[i] for i in range(len(matrix))]


def column_of(
    k: VectorFunction, array: str, pointer: str, rows: Container[int], j: int
) -> Callable[[int], Number]:
    """Column j of a tile of "w", "x" or "g", by row: loaded when it is first asked for; None in rows that are
    outside of the map.
    """

    @cache
    def number(i: int) -> Number:
        return k.load(at(k, array, pointer, i, j)) if i in rows else None

    return number


def at(k: VectorFunction, array: str, pointer: str, i: int, j: int) -> str:
    """Row i, column j of an array's tile, which begins at `pointer`."""
    return k.move(pointer, k.mul(f"%{array}_column", j), k.mul(f"%{array}_row", i))


def both_ways(
    k: VectorFunction, matrix: Array, columns: Iterable[int], column: Callable[[int], Callable[[int], Number]]
) -> Iterator[tuple[int, str]]:
    """matrix @ d @ matrix^T of a tile d, as (place, vector), place by place; d[i, j] = column(j)(i), and 0 in
    all but these columns.

    What is loaded serves a pair of rows, and is loaded again for the next: all of d would not fit the
    registers.
    """
    for group in pairs(matrix):
        vertical = {j: rows_of(k, matrix, group, column(j)) for j in columns}  # matrix @ d, by column
        for t in group:
            across = [vertical[j][t] if j in vertical else None for j in range(matrix.shape[1])]
            for s, value in enumerate(rows_in_order(k, matrix, across)):
                yield t * len(matrix) + s, or_zero(k, value)


def or_zero(k: VectorFunction, value: Number) -> str:
    """The vector of a number."""
    return k.zero if value is None else value


def folded(k: VectorFunction, matrix: Array, numbers: Sequence[Number]) -> list[Number]:
    """matrix @ numbers, whose columns come in pairs: sums and differences of two numbers serve all rows."""
    terms: list[list[tuple[float, Number]]] = [[] for _ in matrix]
    for columns in pairs(matrix.T):
        first = numbers[columns[0]]
        both = [first]
        if len(columns) == 2:
            second = numbers[columns[1]]
            both = [combination(k, [(1, first), (sign, second)]) for sign in (1, -1)]
        for i, row in enumerate(matrix.tolist()):
            differs = len(columns) == 2 and row[columns[0]] != row[columns[1]]
            terms[i].append((row[columns[0]], both[1] if differs else both[0]))
    return [combination(k, row) for row in terms]
