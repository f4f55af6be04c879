"""Check: before anything is made from a description,
every class in it is known and every argument of the right type.

A description is a tree of {"class_name": ..., "config": {...}}; functions are {"function": name}. Classes are
tinynet's own or those the user registered: a name is looked up in tables, and nothing is imported because a
file says so. The arguments of tinynet's classes are compared with their signatures. Sizes that only show
when a model is put together are watched by `tinynet.backend.limits`.
"""

import importlib
import inspect
import types
import typing
from collections.abc import Mapping
from collections.abc import Sequence as AnySequence
from functools import cache
from typing import Any, NoReturn

from tinynet import registry
from tinynet.layers.base import Layer
from tinynet.saving.architecture import layer_classes
from tinynet.saving.check_graph import MOST_RUNS, check_graph, check_sizes, runs
from tinynet.saving.check_lambda import check_lambda
from tinynet.saving.errors import FileError, UnknownObjectError, shortened

MOST_LAYERS = 2_000
MOST_OBJECTS = 1_000  # losses, metrics and the like
LARGEST = {"layers": 1 << 28, "metrics": 20_000}  # whole numbers in the configurations of these rooms
MODELS = ("Sequential", "Functional")
FORMATS = (
    "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "bool",
)  # fmt: skip
ENTRY = {"module", "class_name", "config", "registered_name", "name", "inbound_nodes"}


def check_model(entry: Any, place: str = "the model") -> None:
    """Raises FileError unless `entry` describes a layer or model that can be made, in a reasonable time."""
    check_layer(entry, place)
    if (count := runs(entry)) > MOST_RUNS:
        raise FileError(f"{place} consists of {count:,} calls of layers, more than {MOST_RUNS:,}")


def check_compiled(config: Any) -> None:
    """Raises FileError for arguments of `compile` that cannot be."""
    place = "what the model was compiled with"
    if not isinstance(config, dict):
        raise FileError(f"{place} is not an object")
    check_value(config, place, 1 << 53)
    if (count := runs(config)) > MOST_OBJECTS:
        raise FileError(f"{place} has {count:,} objects, more than {MOST_OBJECTS:,}")


def check_layer(entry: Any, place: str = "the model") -> None:
    """Raises FileError unless `entry` describes a layer or model that can be made."""
    _check_entry(entry, place)
    cls = layer_classes().get(entry["class_name"]) or registry.registered(entry["class_name"])
    if not isinstance(cls, type) or not issubclass(cls, Layer):
        _unknown(entry["class_name"], place, "layer")
    for node in entry.get("inbound_nodes") or ():
        _check_arguments(cls, node, place)


def _check_arguments(cls: Any, node: Any, place: str) -> None:
    """Raises FileError if the layers' `call` does not take the arguments of a call."""
    args, kwargs = (node.get("args"), node.get("kwargs")) if isinstance(node, dict) else (None, None)
    if not isinstance(args, list) or not isinstance(kwargs, dict) or not (args or kwargs):
        raise FileError(f"{place}: a call should have args and kwargs, and is {shortened(node)}")
    try:
        inspect.signature(cls.call).bind(
            None, *args, **{name: item for name, item in kwargs.items() if name != "training"}
        )
    except TypeError as error:
        raise FileError(f"{place}: it cannot be called so: {error}") from None


def check_value(value: Any, place: str, largest: int = 1 << 62) -> None:
    """Raises FileError for a class, a function or a number inside of `value` that cannot be."""
    if isinstance(value, dict):
        if "class_name" in value and value["class_name"] != "__keras_tensor__":
            _check_entry(value, place)
        elif "function" in value and len(value) == 1 and isinstance(value["function"], str):
            if ">" in value["function"] and registry.registered(value["function"]) is None:
                _unknown(value["function"], place, "function")
        else:
            for key, item in value.items():
                check_value(item, f"{place}, {shortened(key)}", 1 << 62 if key == "seed" else largest)
    elif isinstance(value, list | tuple):
        for item in value:
            check_value(item, place, largest)
    elif isinstance(value, int) and abs(value) > largest:
        raise FileError(f"{place} is {value}, which is too large")


def _check_entry(entry: Any, place: str) -> None:
    if not isinstance(entry, dict) or not {"class_name", "config"} <= set(entry) <= ENTRY:
        raise FileError(f"{place} should be a class_name and a config, and is {shortened(entry)}")
    name, config = entry["class_name"], entry["config"]
    if not isinstance(name, str) or not isinstance(config, dict):
        raise FileError(
            f"{place} should have a string as its class_name and an object as its config: {shortened(entry)}"
        )
    place = f"{place} ({shortened(name, 80)})"
    if name in MODELS:
        _check_model(config, place, graph=name == "Functional")
        return
    own = classes_of(entry)
    if not own:
        described_class(entry, place)
    largest = LARGEST.get(own[0][0], 1 << 62) if own else 1 << 62
    check_value(config, place, largest)
    if own and own[0][0] == "layers":
        if config.get("dtype") not in (None, *FORMATS):
            raise FileError(f"{place}: dtype cannot be {shortened(config['dtype'])}")
        if not check_sizes(config.get("batch_shape") or []):
            raise FileError(f"{place}: batch_shape cannot be {shortened(config['batch_shape'])}")
        if name == "Lambda":
            check_lambda(config, place)
    if own:
        wrong = [_wrong_argument(cls, config) for _, cls in own]
        if all(wrong):
            raise FileError(f"{place}: {wrong[0]}")


def _check_model(config: Mapping[str, Any], place: str, graph: bool) -> None:
    """The configuration of a Sequential or Functional: layers, each checked, and how they are connected."""
    layers = config.get("layers")
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        raise FileError(f"{place} should have a list of layers, and has {shortened(layers)}")
    if len(layers) > MOST_LAYERS:
        raise FileError(f"{place} has {len(layers):,} layers, more than {MOST_LAYERS:,}")
    for number, layer in enumerate(layers):
        check_layer(layer, f"{place}, layer {number}")
    rest = {key: value for key, value in config.items() if key != "layers"}
    check_value(rest, place, LARGEST["layers"])
    known = {"name", "trainable", "dtype", "build_input_shape", "input_layers", "output_layers"}
    if unknown := sorted(set(rest) - known):
        raise FileError(f"{place} has no argument {shortened(unknown[0])!r}")
    if not isinstance(rest.get("name"), str | None) or type(rest.get("trainable", True)) is not bool:
        raise FileError(f"{place}: name should be a string, trainable true or false")
    if rest.get("build_input_shape") is not None and not check_sizes(rest["build_input_shape"]):
        raise FileError(f"{place} was built for {shortened(rest['build_input_shape'])}, which is no shape")
    if graph:
        check_graph(config, place)


def _unknown(name: str, place: str, kind: str) -> NoReturn:
    name = shortened(name, 100)
    short = name.partition(">")[2] or name
    raise UnknownObjectError(
        f"{place}: there is no {kind} {name!r} in tinynet, and none is registered under that name. "
        "If it is yours, decorate it "
        f"with @tinynet.saving.register_keras_serializable(), or pass custom_objects={{{short!r}: ...}}; "
        "save_weights() and load_weights() need neither"
    )


# Classes and their arguments


def classes_of(entry: Mapping[str, Any]) -> list[tuple[str, type]]:
    """(room, class) of tinynet's classes that an entry may mean:
    that of the module it names, or all of its class_name.
    """
    found = known_classes().get(entry["class_name"], [])
    named = [(room, cls) for room, cls in found if registry.MODULES[room] == entry.get("module")]
    return named or found


def described_class(entry: Mapping[str, Any], place: str) -> Any:
    """The class that an entry means, tinynet's or one that is registered;
    UnknownObjectError if there is none.
    """
    own, name = classes_of(entry), entry["class_name"]
    found = own[0][1] if own else registry.registered(name)
    return _unknown(name, place, "class") if found is None else found


@cache
def known_classes() -> dict[str, list[tuple[str, type]]]:
    """{name: [(room, class), ...]} of everything that tinynet's descriptions can name."""
    found: dict[str, list[tuple[str, type]]] = {}
    for name, cls in layer_classes().items():
        found.setdefault(name, []).append(("layers", cls))
    for room in sorted(set(registry.MODULES) - {"layers"}):
        for name, cls in vars(importlib.import_module(f"tinynet.{room}")).items():
            if isinstance(cls, type) and hasattr(cls, "from_config"):
                found.setdefault(name, []).append((room, cls))
    return found


@cache
def _annotations(cls: type) -> dict[str, Any]:
    """{argument: type} of a class, with those of the bases it hands **kwargs on to."""
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        own = "__init__" in vars(base)
        parameters = list(inspect.signature(base.__init__).parameters.values()) if own else []  # type: ignore[misc]
        for parameter in parameters[1:]:
            if (
                parameter.kind is parameter.VAR_KEYWORD
                and typing.get_origin(parameter.annotation) is typing.Unpack
            ):
                for name, annotation in typing.get_type_hints(
                    typing.get_args(parameter.annotation)[0]
                ).items():
                    found.setdefault(name, annotation)
            elif parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                found.setdefault(parameter.name, parameter.annotation)
        if parameters and all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _wrong_argument(cls: type, config: Mapping[str, Any]) -> str | None:
    """What is wrong with arguments of `cls`, or None."""
    annotations = _annotations(cls)
    for name, value in config.items():
        if name not in annotations:
            return f"it has no argument {shortened(name)!r}"
        if not fits(value, annotations.get(name, Any)):
            return f"{name} cannot be {shortened(value)}"
    return None


def fits(value: Any, annotation: Any) -> bool:
    """Whether a JSON value may stand for an argument of that type.
    Objects stand for instances of any class.
    """
    if annotation is Any or annotation is inspect.Parameter.empty or isinstance(annotation, typing.TypeVar):
        return True
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in typing.get_args(annotation))
    if annotation is bool:
        return isinstance(value, bool) or (type(value) is int and value in (0, 1))
    if annotation in (None, type(None), str):
        return isinstance(value, annotation or type(None))
    if annotation in (int, float):
        return isinstance(value, int if annotation is int else int | float) and not isinstance(value, bool)
    if isinstance(origin or annotation, type) and issubclass(origin or annotation, dict | Mapping):
        return isinstance(value, dict)
    if origin in (tuple, list, AnySequence) or annotation in (tuple, list, AnySequence):
        inner = typing.get_args(annotation)
        if not isinstance(value, list | tuple):
            return False
        if origin is not tuple or inner[-1:] == (...,):
            return all(fits(item, inner[0] if inner else Any) for item in value)
        return len(value) == len(inner) and all(map(fits, value, inner))
    return isinstance(value, dict | str)
