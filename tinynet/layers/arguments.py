"""Constructor arguments of layers: what is accepted, how it is checked,
and what older spellings are called today.
"""

import importlib
import inspect
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from tinynet import activations
from tinynet.backend import tracebacks
from tinynet.old_names import LAYER_ARGUMENTS, unknown_arguments
from tinynet.signature import accepted


def given(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call of `cls` by name; old spellings are refused before
    Python misses what they stood for.
    """
    names = accepted(cls)
    # A user's constructor may have arguments of any name and take Tensors; for tinynet's, both are mistakes.
    if cls.__init__.__module__.startswith("tinynet."):  # type: ignore[misc]
        for name in kwargs:
            if name in LAYER_ARGUMENTS and name not in names:
                raise unknown(cls, name)
        _refuse_tensor(cls, names, args)
    found = {**dict(zip(names, args, strict=False)), **kwargs}
    own = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    missing = [p.name for p in own if p.default is p.empty and p.kind in named and p.name not in found]
    if missing:
        raise TypeError(f"{cls.__name__} needs the argument {' and '.join(map(repr, missing))}")
    return found


def _refuse_tensor(cls: type, names: list[str], args: tuple[Any, ...]) -> None:
    """Raises TypeError for Flatten(x), where Flatten()(x) was meant,
    and for Reshape(4, 4), where Reshape((4, 4)) was.
    """
    first: Any = args[0] if args else None
    array = hasattr(first, "shape") and len(first.shape) > 1 and names[0] != "scale"  # which may be one
    tensor = hasattr(first, "_keras_history") or array
    if tensor and names[0] not in ("inputs", "layers"):
        arguments = (
            "..." if names[0] in ("units", "filters", "kernel_size", "rate", "function", "activation") else ""
        )
        raise TypeError(
            f"{cls.__name__}(x): a layer is made first and called then, {cls.__name__}({arguments})(x); "
            f"got a tensor of shape {tuple(first.shape)} for the argument {names[0]!r}"
        )
    own = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    by_place = [p.name for p in own if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(args) > len(by_place) and all(p.kind is not p.VAR_POSITIONAL for p in own):
        tuple_meant = f"; write {cls.__name__}({args})" if all(map(_is_int, args)) else ""
        raise TypeError(
            f"{cls.__name__} takes {', '.join(by_place) or 'no arguments by place'}, got {args}{tuple_meant}"
        )


def unknown(cls: type, name: str) -> ValueError:
    """The error for an argument that `cls` does not have."""
    words = f"{cls.__name__} has no argument {name!r}"
    return ValueError(unknown_arguments(words, [name], accepted(cls), LAYER_ARGUMENTS))


def input_shape(layer: Any, unknown: Any) -> tuple[int | None, ...] | None:
    """Takes `input_dim` or `input_shape`, the shape of one sample, out of `unknown`;
    None if there is neither.

    As in Keras 3 any layer accepts them, with a warning:
    a Sequential that begins with the layer puts an Input before it.
    """
    dim, shape = unknown.pop("input_dim", None), unknown.pop("input_shape", None)
    if dim is None and shape is None:
        return None
    if dim is not None:
        shape = (dim,)
    found = (shape,) if _is_int(shape) else tuple(shape)
    tracebacks.warn(
        f"{layer}: do not pass input_shape or input_dim to a layer; "
        f"begin the Sequential with Input({found}) instead"
    )
    return tuple(
        None if size is None else positive(size, f"{layer}: each size in input_shape") for size in found
    )


def activation(value: Any) -> Any:
    """The function that an argument `activation` means: what `activations.get` takes,
    or a layer, or its description.
    """
    if isinstance(value, Mapping) and isinstance(value.get("class_name"), str):
        layers = importlib.import_module("tinynet.layers")
        found = getattr(layers, value["class_name"], None)
        if isinstance(found, type) and issubclass(found, layers.Layer):
            return found.from_config(value.get("config", {}))  # type: ignore[attr-defined]
    return activations.get(value)


def _tuple_of(value: Any, count: int) -> tuple[Any, ...]:
    """`value` as a tuple: itself, an integer as often as `count` says; nothing of anything else."""
    if _is_int(value):
        return (value,) * count
    return tuple(value) if isinstance(value, Iterable) else ()


def pair(value: Any, argument: str, minimum: int = 1) -> tuple[int, int]:
    """(h, w) from an int or a pair of ints >= `minimum`."""
    return sizes(value, 2, argument, minimum)  # type: ignore[return-value]


def sizes(value: Any, count: int, argument: str, minimum: int = 1) -> tuple[int, ...]:
    """`count` integers >= `minimum`, from so many or from one for all."""
    values = _tuple_of(value, count)
    if len(values) != count or not all(_is_int(v) and v >= minimum for v in values):
        several = {1: "a tuple of one", 2: "a pair of them"}.get(count, f"{count} of them")
        raise ValueError(
            f"{argument} must be an integer or {several}, each at least {minimum}, got {value!r}"
        )
    return tuple(int(v) for v in values)


def sides(value: Any, argument: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)), all at least 0, from that, from (rows, columns),
    or from one number for all.
    """
    both = _tuple_of(value, 2)
    if len(both) != 2:
        raise ValueError(
            f"{argument} must be n, (rows, columns) or ((top, bottom), (left, right)), got {value!r}"
        )
    return pair(both[0], argument, 0), pair(both[1], argument, 0)


def integers(value: Any, argument: str) -> tuple[int, ...]:
    """`value` as a tuple of ints, of any length."""
    values = tuple(value) if isinstance(value, Iterable) else (None,)
    if not all(map(_is_int, values)):
        raise ValueError(f"{argument} must be a tuple of integers, got {value!r}")
    return tuple(int(v) for v in values)


def number(value: Any, argument: str, least: float | None = None) -> float:
    """`value` as a float, at least `least` if that is given."""
    if isinstance(value, bool) or not isinstance(value, Real) or not (least is None or float(value) >= least):
        wanted = "a number" if least is None else f"a number >= {least:g}"
        raise ValueError(f"{argument} must be {wanted}, got {value!r}")
    return float(value)


def yes_or_no(value: Any, argument: str) -> bool:
    """`value` as True or False; raises ValueError for what is neither."""
    if not isinstance(value, bool | np.bool_) and not (type(value) is int and value in (0, 1)):
        raise ValueError(f"{argument} must be True or False, got {value!r}")
    return bool(value)


def noise_shape(value: Any, argument: str) -> tuple[int | None, ...] | None:
    """The shape of a mask, or None for that of the input."""
    if value is None:
        return None
    sizes = tuple(value) if isinstance(value, Iterable) else ("",)
    if not all(size is None or (_is_int(size) and size >= 1) for size in sizes):
        raise ValueError(
            f"{argument} must be a tuple of sizes of at least 1, with None for the input's, got {value!r}"
        )
    return sizes


def positive(value: Any, argument: str) -> int:
    """`value` as an int >= 1."""
    if not _is_int(value) or value < 1:
        raise ValueError(f"{argument} must be a positive integer, got {value!r}")
    return int(value)


def padding_name(value: Any, causal: bool = False) -> str:
    """ "valid" or "same", or "causal" where the layer has it."""
    names = ("valid", "same", "causal") if causal else ("valid", "same")
    if str(value).lower() not in names:
        wanted = " or ".join(map(repr, names))
        raise ValueError(f"padding must be {wanted}, got {value!r}; for others put a ZeroPadding2D before")
    return str(value).lower()


def spatial_axes(data_format: str, dimensions: int = 2) -> tuple[int, ...]:
    """The axes H and W of an image batch, or the one axis of a batch of sequences."""
    first = 1 if data_format == "channels_last" else 2
    return tuple(range(first, first + dimensions))


def _is_int(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)
