"""A layer as the arguments that would make it again."""

import inspect
from functools import lru_cache
from typing import Any

from tinynet import registry, signature

UNSAID = {"activity_regularizer", "inputs", "outputs"}  # left out for a user's class where they are None


@lru_cache(maxsize=512)
def arguments_of_tinynet(cls: type) -> frozenset[str]:
    """Arguments of the class, or of its first base that is tinynet's.
    Their attributes, set once more, are new arguments.
    """
    return frozenset(signature.accepted(signature.first_of_tinynet(cls)))


def config_of(layer: Any) -> dict[str, Any]:
    """The constructor's arguments; objects that have a configuration of their own as {class_name, config}.

    Of a class of the user's that defines `get_config`, and so reports its own arguments, those of the first
    of tinynet's classes among its bases alone: name, trainable and dtype of one that is made from Layer.
    """
    cls, held = signature.reported(type(layer)), vars(layer)
    names, given = signature.accepted(cls), {**signature.defaults(cls), **layer._given_arguments}
    if cls is not type(layer):
        passed = [name for name in inspect.signature(cls.__init__).parameters if name in held]  # type: ignore[misc]
        given = {**given, **{name: held[name] for name in passed}, **layer._given_arguments}
    # A user's layer: Keras leaves out what is None of these, and its constructor may refuse None.
    if not type(layer).__module__.startswith("tinynet."):
        names = [name for name in names if name not in UNSAID or given.get(name) is not None]
    if "data_format" in given:
        given["data_format"] = getattr(layer, "data_format", None)  # None stood for the default of that day
    common = {"name": layer.name, "trainable": layer._trainable, "dtype": layer.dtype.name}
    described = {
        name: registry.describe(given[name]) for name in names if name in given and name not in common
    }
    return {**described, **{name: value for name, value in common.items() if name in names}}
