"""Values: what stands for a value in a key, and which of somebody's things are read for values.

    mark(0.1), mark(-0.0)     the bits of a number
    is_theirs("train")        whether a module is somebody's own
    matters(attribute)        whether a step may go by what a layer's attribute holds
"""

import dis
import sys
from collections import deque
from collections.abc import Iterator
from functools import cache
from types import CodeType
from typing import Any

import numpy as np

from tinynet.autograd import Tensor
from tinynet.kernels.common import is_on_gpu

PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None), type(Ellipsis), range})
CONTAINERS = (list, tuple, set, frozenset, deque, dict)
BYTES = (bytearray, memoryview)
INSTALLED = ("site-packages", "dist-packages")
ABSENT = object()


class Same:
    """Stands for an object in a key: equal to itself alone."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Same) and self.it is other.it

    def __hash__(self) -> int:
        return id(self.it)


class Reading:
    """A source of values that no dictionary holds: `read()` gives them at each look."""

    __slots__ = ("read",)

    def __init__(self, read: Any) -> None:
        self.read = read

    def __iter__(self) -> Iterator[Any]:
        return iter(self.read())


def mark(value: Any) -> Any:
    """What stands for a plain value or an object in a key: of a number all its bits."""
    kind = type(value)
    if kind is float or kind is complex:
        return value if kind is float and value else (kind, str(value))  # -0.0 is another number than 0.0
    if kind in PLAIN:
        return value if kind is str else (kind, value)
    if isinstance(value, np.generic):
        return kind, value.tobytes()
    return Same(value)


def is_plain(value: Any) -> bool:
    """Whether a value has no parts that could be others."""
    return type(value) in PLAIN or isinstance(value, np.generic)


def attribute(thing: Any, name: str) -> Any:
    """An attribute of somebody's object; None where it raises."""
    try:
        return getattr(thing, name, None)
    except Exception:
        return None


def own_dictionary(thing: Any) -> Any:
    """The dictionary of an object's attributes; None if it has none."""
    try:
        return object.__getattribute__(thing, "__dict__")
    except AttributeError:
        return None


def slots_of(kind: type) -> list[str]:
    """The attributes that objects of a class have in slots, as Python spells them."""
    found = []
    for base in kind.__mro__:
        names = vars(base).get("__slots__", ())
        for name in (names,) if isinstance(names, str) else tuple(names):
            private = name.startswith("__") and not name.endswith("__")
            found.append(f"_{base.__name__.lstrip('_')}{name}" if private else name)
    return [name for name in found if name not in ("__dict__", "__weakref__")]


@cache
def code_names(code: CodeType) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """What a function and those within it name: globals and attributes;
    the globals alone; modules that they import.
    """
    names, global_names, imported = set(code.co_names), set(), set()
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            global_names.add(instruction.argval)
        elif instruction.opname in ("IMPORT_NAME", "IMPORT_FROM"):
            imported.add(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            for mine, its in zip((names, global_names, imported), code_names(constant), strict=True):
                mine.update(its)
        elif isinstance(constant, str):  # getattr(thing, "name"), globals()["name"]
            names.add(constant)
            if "globals" in code.co_names:
                global_names.add(constant)
    return frozenset(names), frozenset(global_names), frozenset(imported)


@cache
def is_theirs(module: str, filename: str = "") -> bool:
    """Whether a module is somebody's own: not tinynet's, Python's, or installed."""
    top = module.partition(".")[0]
    if top == "tinynet" or (top in sys.stdlib_module_names and top != "__main__"):
        return False
    filename = filename or getattr(sys.modules.get(module), "__file__", None) or ""
    return not any(folder in filename for folder in INSTALLED)


def matters(value: Any) -> bool:
    """Whether a step may go by what a layer's attribute holds:
    an optimizer, a function, a dictionary of settings.
    """
    if type(value) in PLAIN or is_known(value):
        return isinstance(value, np.ndarray) or is_on_gpu(value)
    if isinstance(value, list | tuple | dict):
        items = list(value.values() if isinstance(value, dict) else value)
        return all(type(item) in PLAIN or is_known(item) or matters(item) for item in items)
    return callable(value) or is_optimizer(value) or not type(value).__module__.startswith("tinynet.")


def is_optimizer(thing: Any) -> bool:
    """Whether an object has slots for parameters."""
    return "_state_variables" in (own_dictionary(thing) or ())


def is_known(thing: Any) -> bool:
    """Whether changes of an object are known otherwise: a layer's are counted,
    a metric's belong to its own functions.
    """
    kind: Any = type(thing)
    return _is_known_class(kind) or "repeats" in (own_dictionary(thing) or ())


@cache
def _is_known_class(kind: type) -> bool:
    return (
        hasattr(kind, "_with_all_within")
        or hasattr(kind, "update_state")
        or issubclass(kind, Tensor | np.ndarray)
        or (kind.__module__ == "cupy" and kind.__name__ == "ndarray")
    )


def others_python(layer: Any) -> list[Any]:
    """What is not tinynet's own of a layer or model, its losses and its optimizer:
    classes and functions that a step calls.
    """
    objective = getattr(layer, "_compiled_objective", None)
    parts = [
        *layer._with_all_within(),
        getattr(layer, "optimizer", None),
        *([] if objective is None else objective.functions),
    ]
    parts += [rule for p in layer.weights for rule in (p.regularizer, p.constraint)]
    return [found for part in parts if part is not None for found in _not_own(part)]


def _not_own(part: Any) -> list[Any]:
    """What of a part is not tinynet's: itself, functions that it holds,
    and what a Lambda hands to its own.
    """
    held = [
        value for name, value in (own_dictionary(part) or {}).items() if not name.endswith("_initializer")
    ]
    functions = [value for value in held if callable(value) and not hasattr(type(value), "_with_all_within")]
    found = [
        one for one in (part, *functions) if not (attribute(one, "__module__") or "").startswith("tinynet.")
    ]
    return found + (
        [part.arguments]
        if hasattr(type(part), "_with_all_within") and getattr(part, "arguments", None)
        else []
    )
