"""Names to objects, and objects to names: what lets `optimizer="adam"` be written as a string,
and a model as JSON.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from tinynet.suggestions import hint

T = TypeVar("T")

# Keras's modules of what is in tinynet's rooms: descriptions name them,
# since two rooms may have a class of one name.
MODULES = {
    "layers": "keras.layers", "initializers": "keras.initializers", "regularizers": "keras.regularizers",
    "constraints": "keras.constraints", "losses": "keras.losses", "metrics": "keras.metrics",
    "optimizers": "keras.optimizers",
    "schedules": "keras.optimizers.schedules", "random": "keras.random",
}  # fmt: skip
MODELS = {"Sequential": ("keras", None), "Functional": ("keras.src.models.functional", "Functional")}

# {"package>name": class or function}, what files may name beside tinynet's own
_registered: dict[str, Any] = {}
_custom: ContextVar[Mapping[str, Any] | None] = ContextVar("tinynet_custom_objects", default=None)
_unregistered: ContextVar[dict[str, Any] | None] = ContextVar("tinynet_unregistered", default=None)


def snake_case(name: str) -> str:
    """Keras's automatic name of a class: Conv2D -> conv2d, MaxPooling2D -> max_pooling2d,
    RMSprop -> rm_sprop.
    """
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name.replace("-", "_"))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


# Objects of the user's


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Decorator: the class or function may be named in files, as "package>name",
    and found again when they are loaded.

    name   None: its own. Raises ValueError for what is no function, and no class with get_config.

    >>> @tinynet.saving.register_keras_serializable("Examples")
    ... def twice(x):
    ...     return 2 * x
    >>> tinynet.activations.get("Examples>twice")(3)
    6
    """

    def register(thing: T) -> T:
        given = f"{package}>{name or thing.__name__}"  # type: ignore[attr-defined]
        if not callable(thing) or (isinstance(thing, type) and not hasattr(thing, "get_config")):
            raise ValueError(
                f"cannot register {thing!r} as {given!r}: expected a function, or a class with get_config"
            )
        _registered[given] = thing
        return thing

    return register


@contextmanager
def custom_object_scope(objects: Mapping[str, Any]) -> Iterator[None]:
    """Within it, names in configurations may also mean the `objects`: {"Scale": Scale, ...}.

    >>> with tinynet.saving.custom_object_scope({"twice": lambda x: 2 * x}):
    ...     twice = tinynet.activations.get("twice")
    >>> twice(3)
    6
    """
    token = _custom.set({**(_custom.get() or {}), **objects})
    try:
        yield
    finally:
        _custom.reset(token)


def registered_name(thing: Any) -> str:
    """The name under which `thing`, a class or function, is described:
    "package>name" if it is registered, else its own.

    >>> tinynet.saving.get_registered_name(layers.Dense)
    'Dense'
    """
    for name, other in _registered.items():
        if other is thing:
            return name
    return thing.__name__


def is_registered(name: str) -> bool:
    """Whether a class or function was registered under exactly that "package>name"."""
    return name in _registered


def registered(name: Any) -> Any:
    """The class or function of the user's that goes by that name, or None;
    custom objects need no package before theirs.
    """
    custom, short = _custom.get() or {}, str(name).partition(">")[2]
    found = (
        custom.get(name)
        or _registered.get(name)
        or custom.get(short)
        or (_unregistered.get() or {}).get(name)
    )
    return found or next((thing for key, thing in _registered.items() if key.partition(">")[2] == name), None)


# Strings and configurations to objects


# What is most often meant: the errors about what is no name and no object show it.
EXAMPLES = {
    "activation": "'relu' or a function",
    "constraint": "constraints.MaxNorm(2.0)",
    "initializer": "'he_normal' or initializers.HeNormal()",
    "loss": "'mse' or losses.MeanSquaredError()",
    "metric": "'accuracy' or metrics.AUC()",
    "optimizer": "'adam' or optimizers.Adam(learning_rate=0.01)",
    "regularizer": "'l2' or regularizers.L2(0.01)",
}


def find(identifier: str, table: Mapping[str, T], kind: str) -> T:
    """`table[identifier]`, or what is registered; raises ValueError that names the nearest entries,
    or some of them.
    """
    if identifier in table:
        return table[identifier]
    if (found := registered(identifier)) is not None:
        return found
    raise ValueError(f"Could not interpret {kind} identifier {identifier!r}: {hint(str(identifier), table)}")


def resolve(identifier: Any, table: Mapping[str, Any], kind: str) -> Any:
    """What a name, a config, a class, an instance or a callable stands for:
    classes give an instance, None stays None.
    """
    if isinstance(identifier, str):
        identifier = find(identifier, table, kind)
    elif isinstance(identifier, Mapping):
        return from_config(identifier, table, kind)
    if isinstance(identifier, type):
        return identifier()
    if identifier is None or callable(identifier):
        return identifier
    raise unknown(identifier, kind)


def from_config(identifier: Mapping[str, Any], table: Mapping[str, Any], kind: str) -> Any:
    """The object described by {"class_name": ..., "config": {...}}, or the function by {"function": name}."""
    if isinstance(identifier.get("function"), str):
        return registered(identifier["function"]) or find(identifier["function"], table, kind)
    if not isinstance(identifier.get("class_name"), str):
        raise ValueError(
            f"Could not interpret {kind} config {identifier!r}: it needs 'class_name' and 'config'"
        )
    found = find(identifier["class_name"], table, kind)
    if not isinstance(found, type):
        raise ValueError(f"Could not interpret {kind} config: {identifier['class_name']!r} is not a class")
    return found.from_config(identifier.get("config", {}))  # type: ignore[attr-defined]


def unknown(identifier: Any, kind: str) -> ValueError:
    """The error for something that is no name, config, class or callable."""
    return ValueError(
        f"Could not interpret {kind} identifier {_short(identifier)} of type {type(identifier).__name__}: "
        "expected a name, a config dictionary, a class or a callable, such as "
        f"{EXAMPLES.get(kind, 'a function')}"
    )


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:76]} ..."


# Objects to configurations


@contextmanager
def collect_unregistered() -> Iterator[None]:
    """Within it, what is described without being registered is collected,
    and found by the name that it is given.
    """
    token = _unregistered.set({})
    try:
        yield
    finally:
        _unregistered.reset(token)


def to_config(value: Any) -> dict[str, Any]:
    """What `from_config` makes the object from again, in Keras's words:
    {"module", "class_name", "config", "registered_name"}.

    A class that is registered goes by package>name alone,
    one that is neither that nor tinynet's by module>name.
    """
    cls, name = type(value), registered_name(type(value))
    if ">" not in name and not cls.__module__.startswith("tinynet."):
        name = f"{cls.__module__}>{name}"  # so that it is never taken for a class of tinynet's with that name
        if (classes := _unregistered.get()) is not None and classes.setdefault(name, cls) is not cls:
            raise ValueError(
                f"two classes go by the name {name}: decorate them with "
                "@tinynet.saving.register_keras_serializable(), each with a name of its own"
            )
    room = cls.__module__.split(".")[1] if ">" not in name else None
    module, registered = (
        MODELS.get(name, (None, None)) if room == "models" else (MODULES.get(str(room)), None)
    )
    if module is None:
        return {"class_name": name, "config": value.get_config()}
    return {"module": module, "class_name": name, "config": value.get_config(), "registered_name": registered}


def describe(value: Any) -> Any:
    """`value`, a constructor's argument, as JSON can hold it: numbers and strings as they are, arrays as
    lists, objects with a configuration as {"class_name", "config"}, functions of tinynet by name, registered
    ones as {"function": name}.

    Anything else stays what it is: only saving it is an error.

    >>> tinynet.saving.serialize_keras_object([1, np.arange(2)])
    [1, [0, 1]]
    """
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value] if isinstance(value, list) else tuple(map(describe, value))
    if hasattr(value, "get_config") and not isinstance(value, type):
        return to_config(value)
    if callable(value) and hasattr(value, "__name__"):
        name = registered_name(value)
        if registered(name) is value:
            return {"function": name}
        if (getattr(value, "__module__", None) or "").startswith("tinynet."):
            return name  # a name alone always means tinynet's; a user's function is named with its module
        return _by_name(value)
    return value


def _by_name(function: Any) -> Any:
    """{"function": "module>name"} of a function that is not registered while a file is written, which holds
    that name alone; the function itself if that has no name to be given as, or one that another function has.
    """
    functions, name = _unregistered.get(), f"{getattr(function, '__module__', None)}>{function.__name__}"
    if (
        functions is None
        or not function.__name__.isidentifier()
        or functions.setdefault(name, function) is not function
    ):
        return function
    return {"function": name}
