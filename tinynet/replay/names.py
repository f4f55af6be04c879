"""Names: the values that somebody's Python goes by, besides its arguments:
what it closes over, and the globals it names.

A step that is repeated keeps the numbers that its Python had. So the plain values that functions and methods
name (numbers, strings, flags, also in lists, dictionaries and the attributes of objects and classes) are part
of the kind of step: with other ones it runs on the tape again. Other objects are part of it as the objects
that they are. Functions that are named are read in turn, but for those of installed packages and of Python
itself.

    settings = {"rate": 0.1}
    def step(x):
        return ops.sum(w * x) * settings["rate"]

    Names([step])   walks from `step` to `w` and `settings`
    now()           [w, settings, END, "rate", END, 0.1, END]: read anew at each call, compared by
                    identity, which is fast
    key()           the same as values; `settings` is "the first dictionary"
"""

import contextvars
import random
import sys
from argparse import Namespace
from collections.abc import Iterable
from functools import partial
from io import IOBase
from itertools import chain
from operator import attrgetter
from types import (
    BuiltinFunctionType,
    BuiltinMethodType,
    CellType,
    FunctionType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

import numpy as np

from tinynet.kernels.common import is_on_gpu
from tinynet.replay.values import (
    ABSENT,
    BYTES,
    CONTAINERS,
    PLAIN,
    Reading,
    Same,
    attribute,
    code_names,
    is_known,
    is_optimizer,
    is_plain,
    is_theirs,
    mark,
    matters,
    others_python,
    own_dictionary,
    slots_of,
)  # fmt: skip

FOREIGN = 3  # how far attributes are followed of objects that are not somebody's own
MANY = 20_000  # values that are looked at at each call
END = object()  # of what one source gives
SPACES = (SimpleNamespace, Namespace)
DRAWS = (np.random.Generator, np.random.RandomState, random.Random)


class Names:
    """What `things` go by: functions, classes, objects.

    A layer, a metric, a Tensor or an optimizer is among the objects, not the values:
    of those, changes are known otherwise.

    objects  layers, Tensors, optimizers and others found;  arrays  those of NumPy,
             with which Python may compute, and of a GPU
    draws    generators of random numbers that are not tinynet's;
             never  why this Python is never repeated, or ""
    """

    def __init__(self, things: Iterable[Any]) -> None:
        self.objects: list[Any] = []
        self.arrays: list[Any] = []
        self.draws: list[Any] = []
        self._labels: list[tuple[str, tuple[Any, ...]]] = []  # of each source, and of the values in it
        # each followed by (END,); they are live: what they give is read at each call
        self._sources: list[Any] = []
        self._seen: dict[int, tuple[Any, int]] = {}  # {id: (thing, its number)}
        self._named: set[str] = set()  # globals and attributes that functions name
        self._iterators: list[str] = []
        self._functions: list[tuple[FunctionType, str]] = []
        self._things = list(things)
        for thing in self._things:
            self._find(thing, attribute(thing, "__name__") or type(thing).__name__, 0)
            if is_plain(thing):
                self._add("", [thing])
        for name in ("__code__", "__defaults__", "__kwdefaults__"):
            what = "default" if "defaults" in name else "code"
            read = partial(map, attrgetter(name), [function for function, _ in self._functions])
            self._add("", Reading(read), [f"{label}'s {what}" for _, label in self._functions])
        self.never = self._why_never()

    def __bool__(self) -> bool:
        return bool(self._things)

    def now(self) -> list[Any]:
        """What is named now, one after the other."""
        while True:
            try:
                return list(chain.from_iterable(self._sources))
            except RuntimeError:  # another thread writes into a dictionary
                continue

    def key(self, now: list[Any]) -> tuple[Any, ...]:
        """The values of `now`, to be compared with those of another time."""
        return tuple([self._mark(value) for value in now])

    def differing(self, before: tuple[Any, ...], now: tuple[Any, ...]) -> str:
        """What is called by another value, of `key` at two times: "settings",
        "loop.alpha"; "" if nothing is.
        """
        source, place, end = 0, 0, Same(END)
        for a, b in zip(before, now, strict=False):
            if a != b:
                label, inner = self._labels[source]
                name = inner[place] if place < len(inner) and isinstance(inner[place], str) else ""
                return ".".join(filter(None, (label, name)))
            source, place = (source + 1, 0) if a == end else (source, place + 1)
        return ""

    def _why_never(self) -> str:
        if len(self._seen) > MANY or len(self.now()) > MANY:
            return f"its Python names more than {MANY} values"
        for label in self._iterators:
            if "." not in label or label.rpartition(".")[2].partition("[")[0] in self._named:
                return (
                    f"{label!r} is an iterator or generator, which goes on at each call; "
                    "give what it yields as an argument"
                )
        return ""

    def _mark(self, value: Any) -> Any:
        # its content follows; it may be made anew
        if isinstance(value, CONTAINERS) and id(value) in self._seen:
            return type(value), self._seen[id(value)][1]
        return mark(value)

    def _add(self, label: str, source: Any, names: Iterable[Any] = ()) -> None:
        self._sources += [source, (END,)]
        self._labels.append((label, tuple(names)))

    def _find(self, thing: Any, label: str, foreign: int) -> None:
        """Reads what `thing` is made from, once."""
        if id(thing) in self._seen or is_plain(thing) or len(self._seen) > MANY:
            return
        self._seen[id(thing)] = thing, len(self._seen)
        if isinstance(thing, FunctionType):
            self._function(thing, label)
        elif isinstance(thing, type):
            self._class(thing, label)
        elif isinstance(thing, ModuleType):
            return
        elif isinstance(thing, MethodType | BuiltinFunctionType | BuiltinMethodType):
            self._find(attribute(thing, "__func__"), label, foreign)
            self._find(thing.__self__, "", foreign)
        elif "repeats" in (own_dictionary(thing) or ()):
            self._find(vars(thing)["repeats"], label, foreign)
        elif isinstance(thing, CONTAINERS):
            self._container(thing, label, foreign)
        else:
            self._object(thing, label, foreign)

    def _container(self, thing: Any, label: str, foreign: int) -> None:
        if isinstance(thing, dict):
            self._add(label, thing.keys())
            self._add(label, thing.values(), map(str, thing))
            items = [*thing.values()]
        else:
            self._add(label, thing)
            items = [*thing]
        for item in items:
            self._find(item, f"{label}[]", foreign)
        if own_dictionary(thing) or is_theirs(type(thing).__module__):
            self._attributes(thing, label, foreign)

    def _object(self, thing: Any, label: str, foreign: int) -> None:
        self.objects.append(thing)
        if is_theirs(type(thing).__module__):
            self._find(type(thing), type(thing).__name__, 0)
        if isinstance(thing, np.ndarray) or is_on_gpu(thing):
            self.arrays.append(thing)
        elif isinstance(thing, DRAWS):
            self.draws.append(thing)
        elif is_known(thing):
            if hasattr(type(thing), "_with_all_within"):
                self._layer(thing)
                for part in others_python(thing):
                    self._find(part, attribute(part, "__name__") or type(part).__name__, 0)
        elif is_optimizer(thing):
            self._add(label, Reading(partial(_settings, thing)))
        elif isinstance(thing, BYTES):
            self._add(label, Reading(lambda: [bytes(thing)]))
        elif isinstance(thing, contextvars.ContextVar):
            self._add(label, Reading(lambda: [thing.get(ABSENT)]))
            self._find(thing.get(None), label, foreign)
        elif isinstance(thing, partial):
            parts = [thing.func, thing.args, thing.keywords]
            for part in parts:
                self._find(part, label, foreign)
        elif hasattr(type(thing), "__next__") and not isinstance(thing, IOBase):
            self._iterators.append(label)
        elif foreign < FOREIGN:
            self._attributes(thing, label, foreign)

    def _attributes(self, thing: Any, label: str, foreign: int) -> None:
        """What an object holds in its dictionary and in slots."""
        kind = type(thing)
        foreign += not (is_theirs(kind.__module__) or isinstance(thing, SPACES))
        held = own_dictionary(thing)
        if held is not None:
            self._add(label, held.keys())
            self._add(label, held.values(), held)
            for name, item in list(held.items()):
                self._find(item, f"{label}.{name}" if label else name, foreign)
        if names := slots_of(kind) if is_theirs(kind.__module__) else []:
            self._add(label, Reading(lambda: [attribute(thing, name) for name in names]), names)
            for name in names:
                self._find(attribute(thing, name), f"{label}.{name}", foreign)

    def _layer(self, layer: Any) -> None:
        """Attributes that are set are counted; what lists,
        dictionaries and objects hold that they lead to is not.
        """
        for name, item in list(vars(layer).items()) if is_theirs(type(layer).__module__) else ():
            hidden = name.startswith("_") and name not in self._named
            if not hidden and name not in layer._without_effect and matters(item):
                self._find(item, name, 0)

    def _class(self, thing: type, label: str) -> None:
        for base in thing.__mro__:
            if is_theirs(base.__module__):
                held: Any = vars(base)
                self._add(base.__name__, held.keys())
                self._add(base.__name__, held.values(), held)
                for name, value in list(held.items()):
                    value = next(
                        (f for x in ("__func__", "fget", "func") if (f := attribute(value, x)) is not None),
                        value,
                    )
                    if not name.startswith("__") or isinstance(value, FunctionType):
                        self._find(value, f"{base.__name__}.{name}", 0)

    def _function(self, function: FunctionType, label: str) -> None:
        if not is_theirs(function.__module__ or "", function.__code__.co_filename):
            return
        self._functions.append((function, label))
        self._add(label, vars(function).values(), vars(function))
        for value in (function.__defaults__, function.__kwdefaults__, *vars(function).values()):
            self._find(value, f"{label}'s default", 0)
        named, global_names, imported = code_names(function.__code__)
        cells = function.__closure__ or ()
        self._add("", Reading(lambda: [_content(cell) for cell in cells]), function.__code__.co_freevars)
        for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
            self._value(_content(cell), name, named)
        self._named |= {*named, *function.__code__.co_freevars}
        self._namespace("", function.__globals__, global_names, named)
        package = function.__globals__.get("__package__") or ""
        for name in sorted(imported):  # within the function
            for module in filter(None, map(sys.modules.get, (name, f"{package}.{name}"))):
                self._module(module, name, named)

    def _namespace(
        self, label: str, namespace: dict[str, Any], names: frozenset[str], within: frozenset[str]
    ) -> None:
        """`names` of a namespace; of modules among them, what is named `within`."""
        known = sorted(names)
        self._add(label, Reading(partial(map, namespace.get, known)), known)
        for name in known:
            self._value(namespace.get(name), f"{label}.{name}" if label else name, within)

    def _value(self, value: Any, label: str, within: frozenset[str]) -> None:
        if isinstance(value, ModuleType):
            self._module(value, label, within)
        else:
            self._find(value, label, 0)

    def _module(self, module: ModuleType, label: str, named: frozenset[str]) -> None:
        """What of a module is named: functions of somebody's own are read, of another its data are."""
        key: Any = (id(module), named)
        if module.__name__.partition(".")[0] != "tinynet" and key not in self._seen:
            self._seen[key] = module, 0
            self._namespace(label, vars(module), named & vars(module).keys(), named)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return ABSENT


def _settings(optimizer: Any) -> list[Any]:
    """The numbers of an optimizer are settings, its arrays are not."""
    rate = optimizer._learning_rate
    plain = [value for value in vars(optimizer).values() if type(value) in PLAIN]
    return [*plain, optimizer._step_phase, rate if callable(rate) else None]
