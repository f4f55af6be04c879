"""Names to objects: what lets `optimizer="adam"` or `activation="relu"` be written as a string."""

import difflib
import re
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def snake_case(name: str) -> str:
    """Keras's automatic name of a class: Conv2D -> conv2d, MaxPooling2D -> max_pooling2d, RMSprop -> rm_sprop."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name.replace("-", "_"))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def find(identifier: str, table: Mapping[str, T], kind: str) -> T:
    """`table[identifier]`; raises ValueError that names the nearest entries, or all of them."""
    if identifier in table:
        return table[identifier]
    near = difflib.get_close_matches(identifier, table)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(sorted(table))}"
    raise ValueError(f"Could not interpret {kind} identifier {identifier!r}: {hint}")


def resolve(identifier: Any, table: Mapping[str, Any], kind: str) -> Any:
    """What a name, a config, a class, an instance or a callable stands for: classes give an instance, None stays None."""
    if isinstance(identifier, str):
        identifier = find(identifier, table, kind)
    elif isinstance(identifier, Mapping):
        return from_config(identifier, table, kind)
    if isinstance(identifier, type):
        return identifier()
    if identifier is None or callable(identifier):
        return identifier
    raise unknown(identifier, kind)


def to_config(value: Any) -> dict[str, Any]:
    """What `from_config` makes the object from again."""
    return {"class_name": type(value).__name__, "config": value.get_config()}


def from_config(identifier: Mapping[str, Any], table: Mapping[str, Any], kind: str) -> Any:
    """The object described by {"class_name": ..., "config": {...}}."""
    if "class_name" not in identifier:
        raise ValueError(f"Could not interpret {kind} config {identifier!r}: it needs 'class_name' and 'config'")
    return find(identifier["class_name"], table, kind).from_config(identifier.get("config", {}))


def unknown(identifier: Any, kind: str) -> ValueError:
    """The error for something that is no name, config, class or callable."""
    return ValueError(
        f"Could not interpret {kind} identifier {identifier!r} of type {type(identifier).__name__}: "
        "expected a name, a config dictionary, a class or a callable"
    )
