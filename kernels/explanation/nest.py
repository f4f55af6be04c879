"""The loop nest of a compiled loop, with the turns that its loops take for the arrays at hand.

A compiled loop is Python as well. Here it runs as Python, on the same arguments, with a `range` that watches:
which loops there are, how many turns each takes, what is called inside. Of a long loop, the first, the middle
and the last turn are looked at. Tiles are not run; the numbers they are called with tell what
their loops are.
"""

import ast
import ctypes
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from types import CellType, FunctionType
from typing import Any

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.extending import _Intrinsic

from ..emit import emitted
from .tiles import TileLoop, tile_loops

LONG = 256  # turns: a longer loop is looked at in three places,
MANY = 1 << 12  # and so is any other after so many turns of all loops together


class Loop:
    """A line of the nest: a loop, a function that is called, or a tile; and what is inside of it."""

    def __init__(self, text: str, kind: str) -> None:
        self.text, self.kind = text, kind  # "loop", "shared", "function", "tile" or "statement"
        self.turns: set[int] = set()  # that it took, each time
        self.inside: dict[Any, Loop] = {}
        self.tiles: list[TileLoop] = []  # the calls of a tile
        self.shortened = False  # whether turns of a loop were left out

    def child(self, key: Any, text: str, kind: str) -> "Loop":
        return self.inside.setdefault(key, Loop(text, kind))

    def all(self) -> Iterator["Loop"]:
        """This one, and all inside."""
        yield self
        for loop in self.inside.values():
            yield from loop.all()

    @property
    def has_loops(self) -> bool:
        return any(loop is not self and loop.kind in ("loop", "shared", "tile") for loop in self.all())


class Nest:
    """The nest of `function` for `args`."""

    def __init__(self, function: Any, args: Sequence[Any]) -> None:
        self.root = Loop(function.py_func.__name__, "function")
        self.visited = 0
        self._stack = [self.root]
        self._made: dict[Any, Callable[..., Any]] = {}
        self.unfollowed: str | None = None
        with np.errstate(all="ignore"):
            try:
                self._python(function)(*args)
            except Exception as error:  # what a turn that was left out computes may be missing later
                self.unfollowed = f"{type(error).__name__}: {error}"

    @property
    def shortened(self) -> bool:
        """Whether turns of any loop were left out."""
        return any(loop.shortened for loop in self.root.all())

    def multiply_adds(self) -> int | None:
        """Vector multiply-adds of all calls of tiles; None where some calls were left out."""
        if any(loop.shortened and any(inner.tiles for inner in loop.all()) for loop in self.root.all()):
            return None
        return sum(tile.total("multiply-add") for loop in self.root.all() for tile in loop.tiles)

    # How a function is made to tell

    def _python(self, function: Any) -> Callable[..., Any]:
        """The compiled `function` as Python whose names mean something else: `range` reports to this nest."""
        if function not in self._made:
            source = function.py_func
            names = {name: self._stand_in(value) for name, value in source.__globals__.items()}
            loops = _loops(source)
            names |= {"range": self._range(loops, False), "prange": self._range(loops, True)}
            cells = tuple(CellType(self._stand_in(cell.cell_contents)) for cell in source.__closure__ or ())
            made = FunctionType(source.__code__, names, source.__name__, source.__defaults__, cells)
            self._made[function] = made
        return self._made[function]

    def _range(self, loops: dict[int, tuple[str, list[str]]], shared: bool) -> Callable[..., Any]:
        """`range`, for the loops of one function: which of them it is,
        the line says on which it is called.
        """

        def watched(*bounds: int) -> Any:
            line = sys._getframe(1).f_lineno
            return (
                self._turns(line, *loops[line], shared, range(*bounds)) if line in loops else range(*bounds)
            )

        return watched

    def _stand_in(self, value: Any) -> Any:
        """What a name of a compiled function means in Python."""
        if isinstance(value, Dispatcher):
            return lambda *args: self._call(value, args)
        if isinstance(value, _Intrinsic):
            known = {"_call_kernel": self._tile, "_local_array": _local_array, "_pointer": int, "_fma": _fma}
            return known[value._name]
        if value is numba.carray:
            return _carray
        if value is numba.get_thread_id:
            return lambda: 0
        return value

    def _call(self, function: Any, args: tuple[Any, ...]) -> Any:
        name = function.py_func.__name__
        depth = len(self._stack)
        self._stack.append(self._stack[-1].child(function, name, "function"))
        try:
            return self._python(function)(*args)
        finally:
            del self._stack[depth:]

    def _tile(self, address: Any, arguments: tuple[Any, ...]) -> None:
        function = emitted[int(address)]
        loop = self._stack[-1].child(int(address), function.writer, "tile")
        loop.tiles.append(tile_loops(function, tuple(_flat(arguments))))

    def _turns(self, line: int, text: str, lines: list[str], shared: bool, turns: range) -> Iterator[int]:
        """The turns of a loop that are looked at."""
        loop = self._stack[-1].child(line, text, "shared" if shared else "loop")
        loop.turns.add(len(turns))
        few = len(turns) <= LONG and self.visited <= MANY
        places = range(len(turns)) if few or not turns else sorted({0, len(turns) // 2, len(turns) - 1})
        loop.shortened |= not few
        for number, statement in enumerate(lines if turns else ()):
            loop.child(("line", number), statement, "statement")
        depth = len(self._stack)
        self._stack.append(loop)
        try:
            for place in places:
                self.visited += 1
                yield turns[place]
        finally:  # at its end, and where the loop is left early
            del self._stack[depth:]


def _flat(arguments: Any) -> Iterator[int]:
    """The numbers in a tuple of numbers and of tuples of them, as the tile takes them."""
    for one in arguments:
        yield from _flat(one) if isinstance(one, tuple) else (one,)


def _loops(function: FunctionType) -> dict[int, tuple[str, list[str]]]:
    """The loops of a function, by the line: "a in b", and the statements inside if it has no loop inside."""
    lines, first = inspect.getsourcelines(function)
    found = {}
    for node in ast.walk(ast.parse(textwrap.dedent("".join(lines)))):
        if isinstance(node, ast.For):
            innermost = not any(isinstance(inner, ast.For) for part in node.body for inner in ast.walk(part))
            text = f"{ast.unparse(node.target)} in {ast.unparse(node.iter)}"
            shown = [
                ast.unparse(part) for part in node.body if not isinstance(part, ast.Break | ast.Continue)
            ]
            found[first + node.iter.lineno - 1] = (text, shown if innermost else [])
    return found


def _local_array(like: np.ndarray, size: int) -> np.ndarray:
    return np.empty(size, like.dtype)


def _fma(a: Any, b: Any, c: Any) -> Any:
    return a * b + c


def _carray(address: int, count: Any, dtype: Any) -> np.ndarray:
    memory = (ctypes.c_byte * (int(count) * np.dtype(dtype).itemsize)).from_address(address) if count else b""
    return np.frombuffer(memory, dtype)
