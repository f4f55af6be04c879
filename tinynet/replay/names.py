"""Names: the values that somebody's Python goes by, besides its arguments: what it closes over, and the globals it names.

A step that is repeated keeps the numbers that its Python had. So the plain values that functions and methods name (numbers,
strings, flags, also in lists, dictionaries and the attributes of objects) are part of the kind of step: with other ones it
runs on the tape again. Other objects are part of it as the objects that they are. Functions that are named are read in turn,
but for those of installed packages and of Python itself.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tinynet.autograd import Tensor

PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None), type(Ellipsis), range})
DEEP = 3  # how far lists, dictionaries and attributes are followed
MANY = 256  # entries of a list or dictionary that are looked at
INSTALLED = ("site-packages", "dist-packages")
ABSENT = object()
NO_VALUES = (FunctionType, type, ModuleType)  # which are what they are


class Same:
    """Stands for an object in a key: equal to itself alone."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Same) and self.it is other.it

    def __hash__(self) -> int:
        return id(self.it)


class Names:
    """What `things` go by: functions, classes, objects. `values()` are its values now; `objects` what was found.

    A layer, a metric, a Tensor or an optimizer is among the objects, not the values: of those, changes are known otherwise.
    """

    def __init__(self, things: Iterable[Any]) -> None:
        self._places: list[tuple[Mapping[str, Any], str]] = []  # (namespace, name)
        self._cells: list[tuple[str, CellType]] = []
        self._functions: list[FunctionType] = []  # with defaults
        self._held: list[Any] = []
        self.objects: list[Any] = []
        self._seen: dict[int, Any] = {}
        self._any = False
        for thing in things:
            self._any = True
            self._find(thing, 0)
            if not isinstance(thing, FunctionType | MethodType):  # of those, what they name
                self._held.append(thing)

    def __bool__(self) -> bool:
        return self._any

    def values(self, mark: Callable[[Any], Any] = Same) -> tuple[Any, ...]:
        """The values now, to be compared with those of another time; `mark` is what stands for an object.

        With `id` it takes a third of the time, and is right for objects that are alive.
        """
        return (
            *[_value(namespace.get(name, ABSENT), 0, mark) for namespace, name in self._places],
            *[_value(_content(cell), 0, mark) for _, cell in self._cells],
            *[_value(function.__defaults__, 0, mark) for function in self._functions],
            *[_value(function.__kwdefaults__, 0, mark) for function in self._functions],
            *[_value(thing, 0, mark) for thing in self._held],
        )

    def differing(self, before: tuple[Any, ...], now: tuple[Any, ...]) -> str:
        """What is called by another value, of `values` at two times; "" if nothing is."""
        cells = [name for name, _ in self._cells]
        held = [getattr(x, "__name__", type(x).__name__) for x in self._held]
        defaults = [f"{function.__name__}'s default" for function in self._functions]
        labels = [name for _, name in self._places] + cells + defaults + defaults + held
        return next((_within(*three) for three in zip(labels, before, now, strict=False) if three[1] != three[2]), "")

    def _find(self, thing: Any, depth: int) -> None:
        """Reads what `thing` is made from, once."""
        if id(thing) in self._seen or type(thing) in PLAIN:
            return
        self._seen[id(thing)] = thing
        if isinstance(thing, FunctionType):
            self._function(thing)
        elif isinstance(thing, type):
            self._class(thing)
        elif isinstance(thing, ModuleType):
            return
        elif (function := getattr(thing, "repeats", None)) is not None:
            self._find(function, depth)
        elif (function := getattr(thing, "__func__", None)) is not None:  # a bound method
            self._find(function, depth)
            self._object(thing.__self__, depth)
        elif isinstance(thing, list | tuple | set | frozenset) and depth < DEEP:
            for item in thing:
                self._find(item, depth + 1)
        elif isinstance(thing, dict) and depth < DEEP:
            for item in thing.values():
                self._find(item, depth + 1)
        else:
            self._object(thing, depth)

    def _object(self, thing: Any, depth: int) -> None:
        self.objects.append(thing)
        self._find(type(thing), depth)
        if not _is_known(thing) and not isinstance(thing, type) and depth < DEEP and hasattr(thing, "__dict__"):
            if not isinstance(thing, ModuleType):
                self._held.append(thing)
            for item in list(vars(thing).values()):
                self._find(item, depth + 1)

        elif hasattr(thing, "_with_all_within") and _is_theirs(type(thing).__module__):
            for name, item in list(vars(thing).items()):  # plain ones are counted when they are set
                if not name.startswith("_") and name not in thing._without_effect and _matters(item):
                    self._find(item, depth + 1)
                    self._held.append(item)

    def _class(self, thing: type) -> None:
        for base in thing.__mro__:
            if _is_theirs(base.__module__):
                for name, value in list(vars(base).items()):
                    if isinstance(value, property):
                        value = value.fget
                    elif isinstance(value, staticmethod | classmethod):
                        value = value.__func__
                    if isinstance(value, FunctionType):
                        self._find(value, 0)
                    elif type(value) in PLAIN and not name.startswith("__"):
                        self._places.append((vars(base), name))

    def _function(self, function: FunctionType) -> None:
        if not _is_theirs(function.__module__ or "", function.__code__.co_filename):
            return
        if function.__defaults__ or function.__kwdefaults__:
            self._functions.append(function)
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self._find(value, 0)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            self._cells.append((name, cell))
            self._find(_content(cell), 0)
        named = set(_named(function.__code__))
        for name in sorted(named & function.__globals__.keys()):
            value = function.__globals__[name]
            self._places.append((function.__globals__, name))
            if isinstance(value, ModuleType):
                if _is_theirs(value.__name__, getattr(value, "__file__", "") or ""):
                    for inner in sorted(named & vars(value).keys()):
                        self._places.append((vars(value), inner))
                        self._find(vars(value)[inner], 0)
            else:
                self._find(value, 0)


def _named(code: CodeType) -> Iterable[str]:
    """The globals and attributes that a function and those within it name."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _named(constant)


def _is_theirs(module: str, filename: str = "") -> bool:
    """Whether a module is somebody's own: not tinynet's, Python's, or installed."""
    top = module.partition(".")[0]
    if top == "tinynet" or (top in sys.stdlib_module_names and top != "__main__"):
        return False
    filename = filename or getattr(sys.modules.get(module), "__file__", None) or ""
    return not any(folder in filename for folder in INSTALLED)


def _matters(value: Any) -> bool:
    """Whether a step may go by what a layer's attribute holds: an optimizer, a function, a dictionary of settings."""
    if type(value) in PLAIN or _is_known(value):
        return False
    if isinstance(value, list | tuple | dict):
        items = list(value.values() if isinstance(value, dict) else value)
        return all(type(item) in PLAIN or _is_known(item) or _matters(item) for item in items)
    return callable(value) or hasattr(value, "_state_variables") or not type(value).__module__.startswith("tinynet.")


def _is_known(thing: Any) -> bool:
    """Whether changes of an object are known otherwise: a layer's are counted, a metric's belong to its own functions."""
    kind: Any = type(thing)
    return _is_known_class(kind) or "repeats" in getattr(thing, "__dict__", ())


@cache
def _is_known_class(kind: type) -> bool:
    return hasattr(kind, "_with_all_within") or hasattr(kind, "update_state") or issubclass(kind, Tensor | np.ndarray)


def _within(label: str, a: Any, b: Any) -> str:
    """The attribute of an object that has another value, "loop.alpha"."""
    if isinstance(a, tuple) and isinstance(b, tuple) and a and b and isinstance(a[0], Same) and a[0] == b[0]:
        for x, y in zip(a[1], b[1], strict=False):
            if x != y and x[0] == y[0]:
                return _within(f"{label}.{x[0]}", x[1], y[1])
    return label


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return ABSENT


def _value(value: Any, depth: int, mark: Callable[[Any], Any]) -> Any:
    """What stands for a value in a key."""
    kind = type(value)
    if kind in PLAIN:
        return value if kind is float or kind is str else (kind, value)
    if isinstance(value, np.generic):
        return kind, value.tobytes()
    if depth < DEEP:
        if kind in (list, tuple, set, frozenset) and len(value) <= MANY:
            return kind, tuple([_value(item, depth + 1, mark) for item in value])
        if kind is dict and len(value) <= MANY:
            return tuple([(_value(key, DEEP, mark), _value(item, depth + 1, mark)) for key, item in value.items()])
        if not (_is_known(value) or isinstance(value, NO_VALUES)) and hasattr(value, "__dict__"):
            plain = list(vars(value).items())
            if "_state_variables" in vars(value):  # an optimizer: its numbers are settings, its arrays are not
                rate = value._learning_rate
                plain = [(name, item) for name, item in plain if type(item) in PLAIN]
                extra = (value._step_phase, mark(rate) if callable(rate) else None)
                return (mark(value), tuple(plain), extra)
            return mark(value), tuple([(name, _value(item, depth + 1, mark)) for name, item in plain])
    return mark(value)
