"""What the compiled updates share: one launch that visits all variables.

The variables of a net lie here and there in memory, and stay there: layers share them, freeze them, give them new values.
A table says where. A row is a stretch of one variable, with its gradient and slots:

    number of elements | address of w | of g | of three slots, 0 for one that the rule does without

Rows are put together to shares of about BLOCK elements, and a thread takes some of the shares: all threads have equally
much to do, however large the single variables are. How the rows are cut follows from the variables' sizes alone, and an
element is updated from its own numbers alone, so no result depends on the threads.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import carray
from numba.core import types
from numba.extending import intrinsic

from .. import common
from ..common import Array, Operation, serial

BLOCK = 4096  # elements of a share, fixed, so that no result depends on the threads
VECTOR = 16  # elements: a share ends where a vector of 64 bytes does
COUNT, W, G, SLOT, COLUMNS = 0, 1, 2, 3, 6  # columns of the table

Loop = Any  # a @parallel function (table, shares, c) with c, numbers of the variables' dtype, or an array of results


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    """Inside Numba code: an int64 as the pointer that it is."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate


@serial
def _array(count, address, like):
    return carray(_pointer(address), count if address != 0 else 0, like.dtype)  # type: ignore[call-arg]


@serial
def arrays(row, like):
    """w, g and three slots of a row, in the dtype of `like`; a slot that is not there has no elements."""
    n = row[COUNT]
    first, second, third = _array(n, row[SLOT], like), _array(n, row[SLOT + 1], like), _array(n, row[SLOT + 2], like)
    return _array(n, row[W], like), _array(n, row[G], like), first, second, third


class Segments:
    """The table of variables, each given as (w, *slots): dense arrays of one dtype, which must stay where they are."""

    def __init__(self, variables: Sequence[Sequence[Any]]) -> None:
        self.variables = variables  # keeps alive what the table points at
        sizes = [w.size for w, *_ in variables]
        self.size, self.dtype = sum(sizes), variables[0][0].dtype
        rows, self.shares = _cut(sizes)
        self.segment, start, count = rows.T  # of each row: whose it is, its first element, how many they are
        self._start = start * self.dtype.itemsize
        self._table = np.zeros((len(rows), COLUMNS), np.int64)
        self._table[:, COUNT] = count
        for column, same in zip((W, SLOT, SLOT + 1, SLOT + 2), zip(*variables, strict=True), strict=False):
            if same[0] is not None:
                self._table[:, column] = self._addresses(same)

    def table(self, gradients: Sequence[Array] | None = None) -> np.ndarray:
        """The table with these gradients, which are as dense as the variables and live until it was used."""
        if gradients is None:
            return self._table
        table = self._table if common.recorder() is None else self._table.copy()
        table[:, G] = self._addresses(gradients)
        return table

    def launch(self, loop: Loop, table: np.ndarray, c: np.ndarray) -> None:
        """Runs a @parallel function over the rows of the table."""
        common.launch(loop.compiled, table, self.shares, c, alone=self.size <= common.SMALL)

    def _addresses(self, same: Sequence[Array | None]) -> np.ndarray:
        return np.array(_addresses(same), np.int64)[self.segment] + self._start


def _cut(sizes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows (segment, first element, number of elements), and the rows at which shares start, then their number."""
    rows: list[tuple[int, int, int]] = []
    shares, room = [0], BLOCK
    for segment, size in enumerate(sizes):
        start = 0
        while start < size:
            if room <= 0:
                shares.append(len(rows))
                room = BLOCK
            count = min(-(-room // VECTOR) * VECTOR, size - start)
            rows.append((segment, start, count))
            start, room = start + count, room - count
    return np.array(rows, np.int64).reshape(-1, 3), np.array([*shares, len(rows)], np.int64)


_HEAD = object.__basicsize__  # bytes that every Python object starts with; an array keeps its address right behind them


def _addresses(same: Sequence[Array | None]) -> list[int]:
    """Where the arrays' elements lie (0 for None). Every step on the tape asks it of all gradients, hence not by
    `__array_interface__`, which takes eight times as long."""
    if common.recorder() is not None:
        return [0 if x is None else common.address(x) for x in same]
    return [0 if x is None else ctypes.c_ssize_t.from_address(id(x) + _HEAD).value for x in same]


def dense(g: Array, w: Array) -> Array:
    """`g` as an array of w's dtype in C order: itself, if it is one."""
    if type(g) is np.ndarray and g.dtype == w.dtype and g.flags.carray:
        return g
    copy = common.aligned(g.shape, w.dtype)
    common.launch(np.copyto, copy, g)
    return copy


@common.operation("numpy", family="optimizers")
def in_one_sweep(w: Array) -> bool:
    """Whether the implementation that w gets updates all variables in one launch, w among them."""
    return False


@in_one_sweep.implementation("numba")
def _(w):
    return w.flags.carray  # in C order, aligned and writeable


def overlap(arrays: Sequence[Array]) -> bool:
    """Whether two of the dense arrays share memory, so that the order of their updates matters."""
    starts = np.array(_addresses(arrays))
    order = np.argsort(starts)
    ends = starts + [x.nbytes for x in arrays]
    return bool((ends[order][:-1] > starts[order][1:]).any())


class Rule(NamedTuple):
    """How a rule is run over a table: its loop, and what makes the loop's numbers of the reference's keywords."""

    loop: Loop
    numbers: Callable[..., tuple[float, ...]]


rules: dict[Operation, Rule] = {}  # filled while the rules are imported, constant afterwards


def swept(operation: Operation, loop: Loop) -> Callable[[Callable[..., tuple[float, ...]]], Operation]:
    """Registers the loop of a rule, also as the operation's compiled implementation for a single variable."""

    def register(numbers: Callable[..., tuple[float, ...]]) -> Operation:
        rules[operation] = Rule(loop, numbers)

        @operation.implementation("numba")
        def _(*arrays: Array | None, **scalars: float) -> None:
            _update_one(loop, arrays, numbers(**scalars))

        return operation

    return register


def _update_one(loop: Loop, arrays: Sequence[Array | None], numbers: Sequence[float]) -> None:
    """Updates one variable in any memory order: through copies, where an array is not dense or not in w's order."""
    w: Any = arrays[0]
    order = sorted(range(w.ndim), key=lambda axis: -abs(w.strides[axis]))  # slowest first: C order, if w is dense
    views = [None if a is None else a.transpose(order) for a in arrays]
    flat: list[Any] = [None if a is None else np.require(a, w.dtype, ("C", "A", "W")) for a in views]
    segments = Segments([(flat[0], *flat[2:])])
    segments.launch(loop, segments.table([flat[1]]), np.array(numbers, w.dtype))
    for position, (view, copy) in enumerate(zip(views, flat, strict=True)):
        if position != 1 and view is not None and not np.may_share_memory(view, copy):
            view[...] = copy
