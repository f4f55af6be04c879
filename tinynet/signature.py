"""Constructors: which arguments a class takes, and an object written as the call that would make it again."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinynet.registry import custom_object_scope, describe, snake_case

LONGEST = 60  # characters of one argument


def accepted(cls: type) -> list[str]:
    """Names of the arguments of `cls`: its own and, where it hands **kwargs on, those of its bases."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]  # type: ignore[misc]
        names.update({p.name: None for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)})
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break
    return list(names)


def defaults(cls: type) -> dict[str, Any]:
    """The arguments of `cls` that have a default, with it."""
    found: dict[str, Any] = {}
    names = accepted(cls)
    for base in cls.__mro__:
        parameters = inspect.signature(base.__init__).parameters.values() if "__init__" in vars(base) else ()  # type: ignore[misc]
        found = {
            **{p.name: p.default for p in parameters if p.name in names and p.default is not p.empty},
            **found,
        }
    return {name: found[name] for name in names if name in found}


# Configurations


def reported(cls: type) -> type:
    """The class whose arguments the `get_config` of its bases reports: `cls`, whose arguments are found by
    themselves; or, if a class of the user's defines `get_config` and so reports its own, the first of
    tinynet's among its bases."""
    defines = next(base for base in cls.__mro__ if "get_config" in vars(base))
    return cls if _is_tinynets(defines) else first_of_tinynet(cls)


def first_of_tinynet(cls: type) -> type:
    """`cls` or the first of its bases that is tinynet's."""
    return next((base for base in cls.__mro__ if _is_tinynets(base)), object)


def _is_tinynets(cls: type) -> bool:
    """Whether tinynet defines a class. A user's class reports arguments of its own in `get_config`."""
    return cls.__module__.startswith("tinynet.")


class Configured:
    """Base of objects whose attributes are the constructor's arguments."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; of a class that defines `get_config` itself,
        those of its bases alone.
        """
        cls, held = reported(type(self)), vars(self)
        names = held if cls is type(self) else accepted(cls)
        return {name: describe(held[name]) for name in names if name in held and not name.startswith("_")}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The object that `get_config` described by `config`; custom_objects: {name: object} of one's own."""
        with custom_object_scope(custom_objects or {}):
            return cls(**config)

    def __repr__(self) -> str:
        return as_call(self)


# Objects as text


def call_repr(thing: Any) -> str:
    """`as_call(thing)`: the __repr__ of classes."""
    return as_call(thing)


def as_call(
    thing: Any, always: tuple[str, ...] = (), given: Mapping[str, Any] | None = None, **more: Any
) -> str:
    """Adam(learning_rate=0.001, iterations=0): the class, the arguments that are not its defaults, those that
    are always to be seen, and facts that are no arguments.

    Arguments are looked for in the attributes and in the configuration, unless they are `given`: then those
    without a default go without their names, as one writes Conv2D(8, 3). Never raises.
    """
    cls = type(thing)
    try:
        usual, values = defaults(cls), _values(thing) if given is None else given
        shown = {
            name: value
            for name, value in values.items()
            if name in always or not _usual(cls, name, value, usual)
        }
        bare = () if given is None else [name for name in shown if name not in usual]
        texts = [text(value) if name in bare else f"{name}={text(value)}" for name, value in shown.items()]
        texts += [f"{name}={text(value)}" for name, value in more.items()]
        return f"{cls.__name__}({', '.join(texts)})"
    except Exception:
        # half made, or a class that does as it likes: its name is better than an error from repr
        return f"<{cls.__name__}>"


def _values(thing: Any) -> dict[str, Any]:
    """{name of a constructor's argument: what it was given}, as far as that is known."""
    held = vars(thing)
    told = thing.get_config() if hasattr(thing, "get_config") else {}
    described = [name for name, value in told.items() if isinstance(value, Mapping)]  # an object stands there
    known = {**held, **told, **{name: held[name] for name in described if name in held}}
    return {name: known[name] for name in accepted(type(thing)) if name in known}


def _usual(cls: type, name: str, value: Any, usual: Mapping[str, Any]) -> bool:
    """Whether an argument goes without saying: its default, or what a default of None stands for."""
    if name not in usual:
        return False
    default = usual[name]
    if name == "name" and value in (snake_case(cls.__name__), cls.__name__):
        return True
    if default is None and name in ("dtype", "data_format"):
        return str(value) in ("None", "float32", "int32", "channels_last")
    if isinstance(default, list | tuple) and isinstance(value, list | tuple):
        return list(value) == list(default)
    return type(value) is type(default) and not hasattr(value, "shape") and value == default


def text(value: Any) -> str:
    """A value in a line: arrays by their shape, functions by their name or place,
    what is long with its end cut off.
    """
    if isinstance(value, np.ndarray) or (
        hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "ndim")
    ):
        return repr(value.item()) if value.ndim == 0 else f"<array {tuple(value.shape)} {value.dtype}>"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, np.dtype):
        return repr(value.name)
    if (
        isinstance(value, Mapping)
        and isinstance(value.get("class_name"), str)
        and isinstance(value.get("config"), Mapping)
    ):
        told = {
            name: item
            for name, item in value["config"].items()
            if item not in (None, False) and name != "name"
        }
        return f"{value['class_name']}({', '.join(f'{name}={text(item)}' for name, item in told.items())})"
    if callable(value) and hasattr(value, "__name__"):
        return _function(value)
    shown = repr(value)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 4]} ..."


def _function(function: Any) -> str:
    """The name of a class or function, and the place of one that has none."""
    code = getattr(function, "__code__", None)
    if function.__name__ == "<lambda>" and code is not None:
        return f"<lambda in {Path(code.co_filename).name}:{code.co_firstlineno}>"
    return function.__name__


def first_to_last(values: Any) -> str:
    """1.934 -> 0.2101: how a logged value went."""
    ends = values[:1] if len(values) == 1 else (values[0], values[-1])
    return " -> ".join(f"{np.mean(value):.4g}" for value in ends)


def as_function(name: str, function: Any) -> str:
    """relu(x): max(x, 0), tinynet/ops/rectifiers.py:21: what a function takes,
    what it is, and where it stands.
    """
    # of a function that is wrapped, its own line
    code, module = inspect.unwrap(function).__code__, function.__module__
    place = module.replace(".", "/") + ".py" if module.startswith("tinynet.") else Path(code.co_filename).name
    told = (
        (inspect.getdoc(function) or "")
        .partition("\n\n")[0]
        .replace("\n", " ")
        .partition(".   ")[0]
        .rstrip(".")
    )
    return f"{name}{inspect.signature(function)}: {told + ', ' if told else ''}{place}:{code.co_firstlineno}"
