"""What a model does to its inputs before its layers see them: names matched, a last axis repaired, shapes checked."""

from typing import Any

from tinynet import ops
from tinynet.autograd import Tensor
from tinynet.layers.base import Shape
from tinynet.tree import is_shape


def with_last_axis(x: Tensor, expected: Shape) -> Tensor:
    """`x` with a last axis of size 1 that is missing added, or one too many dropped, as in Keras."""
    if x.ndim == len(expected) - 1 and expected[-1] == 1:
        return ops.expand_dims(x, axis=-1)
    if x.ndim == len(expected) + 1 and x.shape[-1] == 1:
        return ops.squeeze(x, axis=-1)
    return x


def check_one(what: str, expected: Shape, shape: Any) -> None:
    """Raises ValueError unless `shape` is what an Input of shape `expected` takes, whatever the size of the batch."""
    if not is_shape(shape):
        raise ValueError(f"{what} expects one input of shape {expected}, got {len(shape)}, of shapes {shape}")
    if len(shape) != len(expected) or any(
        e is not None and n is not None and e != n for e, n in zip(expected[1:], shape[1:], strict=True)
    ):
        raise ValueError(
            f"{what} expects inputs of shape {expected}, as its Input says, got {shape}; reshape the data, or change the Input"
        )


def in_order(what: str, given: Any, declared: Any, names: list[str]) -> list[Any]:
    """The inputs in the order of the model's; a dictionary is matched by the names of inputs, or by its own keys.

    Raises ValueError for another number of inputs, or names that are missing.
    """
    if isinstance(given, dict):
        keys = sorted(declared) if isinstance(declared, dict) else names
        keys = keys if set(keys) <= set(given) else names
        if len(names) == len(given) == 1:
            return list(given.values())
        if missing := [key for key in keys if key not in given]:
            raise ValueError(f"{what} has the inputs {names}; {missing} are missing, got {sorted(given, key=str)}")
        return [given[key] for key in keys]
    values = list(given) if isinstance(given, list | tuple) else [given]
    if len(values) != len(names):
        raise ValueError(f"{what} has {len(names)} inputs, {names}, got {len(values)}")
    return values
