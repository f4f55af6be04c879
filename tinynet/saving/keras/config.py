"""tinynet's descriptions in Keras's words, and back.

    tinynet    {"class_name": "Dense", "config": {...}}
               a function of the user's: {"function": "pkg>name"}
    Keras      {"module": "keras.layers", "class_name": "Dense", "config": {...},
               "registered_name": None, ...}

Classes, arguments and defaults have the same names on both sides. What only one side has is left out where it
says nothing (None, false, or the default), and is an error that names it where it matters.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from tinynet import registry, signature
from tinynet.saving.check import classes_of, known_classes
from tinynet.saving.errors import FileError, UnknownObjectError, shortened
from tinynet.saving.keras import operations as keras_operations

# Arguments that Keras does not have, and classes, whose names stand for themselves.
OURS = {
    "AccuracyByShape": ["AccuracyByShape"], "ConfusionMatrix": ["ConfusionMatrix"], "Given": ["Given"],
    "LeakyReLU": ["alpha"], "LossFunctionWrapper": ["LossFunctionWrapper"],
    "OneCycle": ["OneCycle"], "RReLU": ["RReLU"], "RandomFlip": ["fill_mode", "fill_value", "interpolation"],
    "SpatialDropout1D": ["activity_regularizer", "trainable"],
    "SpatialDropout2D": ["activity_regularizer", "trainable"],
}  # fmt: skip
OF_OPTIMIZERS = ["learning_rate_multipliers"]  # of every one
# Arguments that only Keras has, with the values that change nothing.
NEUTRAL: dict[str, Any] = {"renorm_momentum": 0.99, "ragged": False, "sparse": False, "jit_compile": "auto"}
FORMATS = {"float32", "float64"}


# To Keras


def to_keras(value: Any, place: str = "the model") -> Any:
    """A description, with all in it, as Keras's serialisation has it;
    ValueError for what Keras does not have.
    """
    if isinstance(value, Mapping):
        if "function" in value and len(value) == 1 and isinstance(value["function"], str):
            module, name = "builtins", value["function"]
            # Keras, too, asks for it in custom_objects then
            if ">" in name and not registry.is_registered(name):
                module, _, name = name.partition(">")
            return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}
        if value.get("class_name") == "__keras_tensor__" or "class_name" not in value:
            return {key: to_keras(item, place) for key, item in value.items()}
        return _object(value, f"{place}, {value['class_name']}")
    return [to_keras(item, place) for item in value] if isinstance(value, list | tuple) else value


def _object(value: Mapping[str, Any], place: str) -> dict[str, Any]:
    name = value["class_name"]
    if name == "Operation":
        return keras_operations.to_keras(value, place)
    own = ("module", "class_name", "config", "registered_name")
    rest = {key: to_keras(item, place) for key, item in value.items() if key not in own}
    config = {key: to_keras(item, place) for key, item in value["config"].items()}
    # Keras, too, asks for the class in custom_objects then
    if ">" in name and not registry.is_registered(name):
        module, _, short = name.partition(">")
        return {"module": module, "class_name": short, "config": config, "registered_name": short, **rest}
    if ">" in name:
        return {
            "module": None,
            "class_name": name.partition(">")[2],
            "config": config,
            "registered_name": name,
            **rest,
        }
    if name in registry.MODELS:
        module, registered = registry.MODELS[name]
        return {"module": module, "class_name": name, "config": config, "registered_name": registered, **rest}
    if name not in known_classes():
        raise ValueError(
            f"{place}: register the class with tinynet.saving.register_keras_serializable() to save it"
        )
    if name == "BatchNormalization" and isinstance(config.get("axis"), list):
        raise ValueError(
            f"{place}: Keras's BatchNormalization has one axis, not {config['axis']}; "
            "save as .tinynet instead"
        )
    room, cls = classes_of(value)[0]
    for argument in (*OURS.get(name, ()), *(OF_OPTIMIZERS if room == "optimizers" else ())):
        if argument == name or config.get(argument) != signature.defaults(cls).get(argument):
            raise ValueError(f"{place}: Keras has no {argument}; save the model as .tinynet instead")
        config.pop(argument, None)
    return {
        "module": registry.MODULES[room],
        "class_name": name,
        "config": config,
        "registered_name": None,
        **rest,
    }


# From Keras


def from_keras(value: Any, place: str = "the model") -> Any:
    """What Keras serialised as a description; FileError for what tinynet does not have."""
    if isinstance(value, list | tuple):
        return [from_keras(item, place) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value or "config" not in value:
        return {key: from_keras(item, place) for key, item in value.items()}
    name, config = value["class_name"], value["config"]
    if not isinstance(name, str):
        raise FileError(f"{place} has the class_name {shortened(name)}")
    special = _SPECIAL.get(name)
    if special is not None:
        return special(config, value, place)
    registered = value.get("registered_name")
    module = value.get("module")
    if isinstance(registered, str) and ">" in registered:
        name = registered
    elif isinstance(module, str) and module.partition(".")[0] not in ("keras", "builtins"):
        name = f"{module}>{name}"  # a class of somebody's own, though it may be named as one of Keras's
    if not isinstance(config, dict):
        raise FileError(f"{place}: the config of {shortened(name)} is {shortened(config)}")
    place = f"{place}, {shortened(config.get('name') or name, 80)}"
    nodes = _calls(from_keras(value["inbound_nodes"], place)) if "inbound_nodes" in value else None
    if keras_operations.is_operation(value):
        return keras_operations.from_keras(value, nodes, place)
    kept = {key: value[key] for key in ("module", "name") if key in value}
    entry = {
        "class_name": name,
        "config": {key: from_keras(item, place) for key, item in config.items()},
        **kept,
    }
    _drop_unknown_arguments(entry, place)
    if nodes is not None:
        entry["inbound_nodes"] = nodes
    return entry


def _calls(nodes: Any) -> Any:
    """The calls of a layer, without the arguments mask and training where they are None."""
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and isinstance(node.get("kwargs"), dict):
            node["kwargs"] = {key: item for key, item in node["kwargs"].items() if item is not None}
    return nodes


def _drop_unknown_arguments(entry: dict[str, Any], place: str) -> None:
    """Takes out the arguments that only Keras has; FileError if one of them asks for something."""
    name, config, classes = entry["class_name"], entry["config"], classes_of(entry)
    if name in registry.MODELS or not classes:
        return
    for argument in set(config).difference(*(_accepted(cls) for _, cls in classes)):
        value = config.pop(argument)
        if value not in (None, False, [], {}) and value != NEUTRAL.get(argument):
            raise FileError(
                f"{place}: tinynet's {name} has no argument {shortened(argument)!r}, "
                f"which is {shortened(value)}"
            )


@cache
def _accepted(cls: type) -> frozenset[str]:
    return frozenset(signature.accepted(cls))


def _policy(config: Any, value: Any, place: str) -> str:
    name = config.get("name") if isinstance(config, dict) else None
    if name not in FORMATS:
        raise FileError(f"{place}: tinynet computes in float32 and float64, not {shortened(name)}")
    return str(name)


def _function(config: Any, value: Any, place: str) -> Any:
    if not isinstance(config, str):
        raise FileError(f"{place}: a function is named {shortened(config)}")
    module, registered = str(value.get("module") or "builtins"), value.get("registered_name")
    if module.startswith("keras."):
        return config
    if module != "builtins" and ">" not in config:
        config = f"{module}>{config}"  # somebody's own, though it may be named as one of Keras's
    return {"function": registered if isinstance(registered, str) and ">" in registered else config}


def _tensor(config: Any, value: Any, place: str) -> Any:
    return {"class_name": "__keras_tensor__", "config": from_keras(config, place)}


def _array(config: Any, value: Any, place: str) -> Any:
    return config.get("value") if isinstance(config, dict) else None


def _lambda(config: Any, value: Any, place: str) -> Any:
    raise UnknownObjectError(
        f"{place} is a Python lambda, kept as bytecode: tinynet never runs code from files. "
        "Write it as a function with a "
        "name, registered with register_keras_serializable(), and save the model again"
    )


_SPECIAL = {
    "DTypePolicy": _policy, "function": _function, "__keras_tensor__": _tensor, "__numpy__": _array,
    "__tensor__": _array,
    "__lambda__": _lambda,
}  # fmt: skip
