"""What a model does to its inputs before its layers see them:
names matched, a last axis repaired, shapes checked.
"""

import math
from typing import Any

from tinynet import ops
from tinynet.autograd import Tensor
from tinynet.layers.base import Shape
from tinynet.tree import is_shape


def with_last_axis(x: Tensor, expected: Shape) -> Tensor:
    """`x` with a last axis of size 1 that is missing added, or one too many dropped, as in Keras."""
    if x.ndim == len(expected) - 1 and expected[-1] == 1 and _agree(expected[:-1], x.shape):
        return ops.expand_dims(x, axis=-1)
    if x.ndim == len(expected) + 1 and x.shape[-1] == 1 and _agree(expected, x.shape[:-1]):
        return ops.squeeze(x, axis=-1)
    return x


def _agree(expected: Shape, shape: Any) -> bool:
    """Whether an Input of shape `expected` takes `shape`, whatever the size of the batch."""
    if len(shape) != len(expected):
        return False
    return all(e is None or n is None or e == n for e, n in zip(expected[1:], shape[1:], strict=True))


def check_one(what: str, expected: Shape, shape: Any) -> None:
    """Raises ValueError unless `shape` is what an Input of shape `expected` takes,
    whatever the size of the batch.
    """
    if not is_shape(shape):
        raise ValueError(f"{what} expects one input of shape {expected}, got {len(shape)}, of shapes {shape}")
    if not _agree(expected, shape):
        advice = _advice(expected, shape)
        raise ValueError(
            f"{what} expects inputs of shape {expected}, as its Input says, got {shape}; {advice}"
        )


def _advice(expected: Shape, shape: Any) -> str:
    """What would make inputs of `shape` fit."""
    sample: Any = expected[1:]
    if _agree((None, *expected), (None, None, *shape)):
        return "that is the shape of one sample: x[None] makes a batch of one"
    if sample[-1:] == (1,) and _agree((None, *sample[:-1]), (None, *shape)):
        return "that is one sample without its channel: x[None, ..., None] makes a batch of one"
    if len(shape) == len(expected) > 2 and _agree(expected, (shape[0], *shape[2:], shape[1])):
        return "its channels are first: np.moveaxis(x, 1, -1) puts them last"
    if len(shape) == len(expected) > 2 and _agree(expected, (shape[0], shape[-1], *shape[1:-1])):
        return "its channels are last: np.moveaxis(x, -1, 1) puts them first"
    if None not in (*sample, *shape[1:]) and math.prod(sample) == math.prod(shape[1:]) and len(shape) > 1:
        return f"x.reshape({', '.join(map(str, (-1, *sample)))}) fits"
    if None not in sample and (len(shape), *shape) == (1, math.prod(sample)):
        return f"for one sample x.reshape({', '.join(map(str, (1, *sample)))}) fits"
    return "reshape the data, or change the Input"


def _about_list(values: list[Any]) -> str:
    """What was probably meant by a list for a model of one input."""
    if len(values) == 2 and getattr(values[0], "ndim", 0) > getattr(values[1], "ndim", 0):
        return ": x and y are two arguments, not a pair"
    return ": a list is taken for several inputs; np.stack(x) makes one array of samples"


def in_order(what: str, given: Any, declared: Any, names: list[str]) -> list[Any]:
    """The inputs in the order of the model's: in the structure that was declared,
    in a list, or by the names of the inputs.

    Raises ValueError for another number of inputs, or names that are missing.
    """
    found = _by_structure(given, declared)
    if found is not None:
        return found
    if isinstance(given, dict):
        if missing := [name for name in names if name not in given]:
            raise ValueError(
                f"{what} has the inputs {names}; {missing} are missing, got {sorted(given, key=str)}"
            )
        return [given[name] for name in names]
    values = list(given) if isinstance(given, list | tuple) else [given]
    if len(values) != len(names):
        wanted = f"one input, {names[0]!r}" if len(names) == 1 else f"{len(names)} inputs, {names}"
        raise ValueError(
            f"{what} has {wanted}, got {len(values)}{_about_list(values) if len(names) == 1 else ''}"
        )
    return values


def _by_structure(given: Any, declared: Any) -> list[Any] | None:
    """The values of `given` in the order of the leaves of `declared`, a structure;
    None if it is not that structure.
    """
    if isinstance(declared, dict):
        fits = isinstance(given, dict) and set(declared) <= set(given)
        pairs = [(given[key], declared[key]) for key in sorted(declared)] if fits else []
    elif isinstance(declared, list | tuple):
        fits = isinstance(given, list | tuple) and len(given) == len(declared)
        pairs = list(zip(given, declared, strict=True)) if fits else []
    else:
        return [given] if not isinstance(given, list | tuple | dict) or is_shape(given) else None
    parts = [_by_structure(*pair) for pair in pairs]
    return [value for part in parts for value in part] if fits and None not in parts else None  # type: ignore[union-attr]
