"""What the compiled updates share: one launch that visits all variables.

The variables of a net lie here and there in memory, and stay there: layers share them, freeze them, give them
new values. A table says where. A row is a stretch of one variable, with its gradient and slots:

    number of elements | address of w | of g | of three slots, 0 for one that the rule does without

Rows are put together to shares of about BLOCK elements, and a thread takes some of the shares: all threads
have equally much to do, however large the single variables are. How the rows are cut follows from the
variables' sizes alone, and an element is updated from its own numbers alone, so no result depends on the
threads.
"""

import ctypes
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import carray
from numba.core import types
from numba.extending import intrinsic

from .. import common, launches
from ..common import Array, Operation, parallel, prange, serial
from ..constants import settled
from .arguments import Numbers, check_slots, numbers_of, slots

BLOCK = 4096  # elements of a share, fixed, so that no result depends on the threads
VECTOR = 16  # elements: a share ends where a vector of 64 bytes does
COUNT, W, G, SLOT, COLUMNS = 0, 1, 2, 3, 6  # columns of the table

# a @parallel function (table, shares, c) with c, numbers of the variables' dtype, or an array of results
Loop = Any
on_gpu: dict[Loop, Callable[..., None]] = {}  # of loops: what does the same on a GPU; filled by cuda.py


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
    first, second, third = (
        _array(n, row[SLOT], like),
        _array(n, row[SLOT + 1], like),
        _array(n, row[SLOT + 2], like),
    )
    return _array(n, row[W], like), _array(n, row[G], like), first, second, third


class Segments:
    """The table of variables, each given as (w, *slots): dense arrays of one dtype,
    which must stay where they are.
    """

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
        current = launches.listener()
        # a listener keeps it, with these gradients; for a GPU it is copied in any case
        table = self._table if current is None else self._table.copy()
        if gradients is None:
            return table
        table[:, G] = self._addresses(gradients)
        return table

    def launch(self, loop: Loop, table: np.ndarray, c: np.ndarray) -> None:
        """Runs a @parallel function over the rows of the table; for arrays of a GPU, a kernel that does the
        same.
        """
        if common.is_on_gpu(c):
            held = [array for arrays in self.variables for array in arrays if array is not None]
            on_gpu[loop](settled(c, table), c, held)
            return
        common.launch(loop.compiled, table, self.shares, c, alone=self.size <= common.MAX_ELEMENTS_ALONE)

    def _addresses(self, same: Sequence[Array | None]) -> np.ndarray:
        return np.array(_addresses(same), np.int64)[self.segment] + self._start


def _cut(sizes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows (segment, first element, number of elements), and the rows at which shares start,
    then their number.
    """
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


# NumPy's C API fixes how an array object begins: Python's head, then the pointer to its elements
# (PyArrayObject_fields in ndarraytypes.h). Reading it there takes an eighth of the time of
# `__array_interface__`, and every step on the tape asks it of all gradients. From a wrong place it would be
# any number, and a loop that writes there would destroy memory: so it is read only where id(x) is the
# object's address (CPython), and where it was found right when this module was imported.
_HEAD = object.__basicsize__


def _read_pointer(x: Array) -> int:
    return ctypes.c_ssize_t.from_address(id(x) + _HEAD).value


def _ask_pointer(x: Array) -> int:
    return x.__array_interface__["data"][0]


def _pointer_lies_behind_head() -> bool:
    held = np.zeros(5), np.zeros((3, 4), np.float32)[1:, ::2], np.asfortranarray(np.ones((2, 3)))
    cpython = sys.implementation.name == "cpython"
    return cpython and all(_read_pointer(x) == _ask_pointer(x) for x in held)


_pointer_of = _read_pointer if _pointer_lies_behind_head() else _ask_pointer


def _addresses(same: Sequence[Array | None]) -> list[int]:
    """Where the arrays' elements lie; 0 for None."""
    if type(same[0]) is not np.ndarray and any(x is not None and common.is_on_gpu(x) for x in same):
        return [0 if x is None else x.data.ptr for x in same]  # type: ignore[attr-defined]
    if launches.listener() is not None:
        return [0 if x is None else common.address(x) for x in same]
    return [0 if x is None else _pointer_of(x) for x in same]


def dense(g: Array, w: Array) -> Array:
    """`g` as an array of w's dtype in C order: itself, if it is one."""
    if common.is_on_gpu(g):
        return common.contiguous(g, w.dtype)
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


def sweep_of(update: Any) -> Loop:
    """The loop over all rows of a table, made from the loop over one row: update(w, g, *slots, c), compiled.

    `update` names as many of the row's arrays as it takes: (w, c), (w, g, c), (w, g, slot, c) and so on.
    """
    count = len(inspect.signature(update.py_func).parameters) - 1

    def sweep(table, shares, c):
        for share in prange(shares.size - 1):
            for row in range(shares[share], shares[share + 1]):
                update(*arrays(table[row], c)[:count], c)

    sweep.__name__ = sweep.__qualname__ = f"{update.__name__}_sweep"
    return parallel(sweep)


def fit_together(arrays: Sequence[Array]) -> bool:
    """Whether arrays can be changed in one sweep: dense, of one dtype, each in memory of its own."""
    dense = all(in_one_sweep(array) and array.dtype == arrays[0].dtype for array in arrays)
    return dense and not overlap(arrays)


class Rule(NamedTuple):
    """How a rule is run over a table: its loop, and what makes the loop's numbers
    of the reference's keywords.
    """

    update: Any  # the loop over one row that `loop` was made from
    loop: Loop
    numbers: Callable[..., Sequence[float]]


rules: dict[Operation, Rule] = {}  # filled while the rules are imported, constant afterwards


def swept(operation: Operation, numbers: Numbers | None = None) -> Callable[[Any], Any]:
    """Decorator of a loop over one row, update(w, g, *slots, c): compiles it, and makes of it the loop over
    all variables and the operation's implementation for a single one.

    numbers   makes the numbers c of the reference's keywords; None: the keywords themselves, in their order
    """
    checked = numbers_of(operation, numbers)

    def register(function: Callable[..., None]) -> Any:
        taken, most = slots(operation), COLUMNS - SLOT
        if len(inspect.signature(function).parameters) != len(taken) + 3 or len(taken) > most:
            raise TypeError(
                f"{function.__name__}: write a rule (w, g, c), with up to {most} slots before c, those of "
                f"its reference: ({', '.join(['w', 'g', *taken, 'c'])})"
            )
        update = serial(function)
        loop = sweep_of(update)
        rules[operation] = Rule(update, loop, checked)

        @operation.implementation("numba")
        def _(w: Array, g: Array, *made: Array | None, **scalars: float) -> None:
            if g.shape != w.shape:
                raise TypeError(f"{operation.__name__}: w has shape {w.shape}, its gradient {g.shape}")
            check_slots(operation, w, made, "got", exactly=False)
            _update_one(loop, (w, g, *made), checked(**scalars))

        return update

    return register


def _update_one(loop: Loop, arrays: Sequence[Array | None], numbers: Sequence[float]) -> None:
    """Updates one variable in any memory order: through copies,
    where an array is not dense or not in w's order.
    """
    w: Any = arrays[0]
    # slowest first: C order, if w is dense
    order = sorted(range(w.ndim), key=lambda axis: -abs(w.strides[axis]))
    views = [None if a is None else a.transpose(order) for a in arrays]
    flat: list[Any] = [None if a is None else np.require(a, w.dtype, ("C", "A", "W")) for a in views]
    segments = Segments([(flat[0], *flat[2:])])
    segments.launch(loop, segments.table([flat[1]]), np.array(numbers, w.dtype))
    for position, (view, copy) in enumerate(zip(views, flat, strict=True)):
        if position != 1 and view is not None and not np.may_share_memory(view, copy):
            view[...] = copy
