"""Constructor arguments of layers: what is accepted, how it is checked, and what older spellings are called today."""

import difflib
import inspect
from collections.abc import Iterable
from typing import Any

# Spellings of Keras 1 and 2 that are still found in notebooks and books.
TODAY = {
    "alpha": "negative_slope",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "batch_input_shape": "Input(shape) as the first element of Sequential",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format ('th' is 'channels_first', 'tf' is 'channels_last')",
    "gamma_init": "gamma_initializer",
    "init": "kernel_initializer",
    "input_dim": "Input((size,)) as the first element of Sequential",
    "input_shape": "Input(shape) as the first element of Sequential",
    "mode": "nothing: statistics are always taken over the batch",
    "nb_col": "kernel_size=(rows, columns)",
    "nb_filter": "filters",
    "nb_row": "kernel_size=(rows, columns)",
    "output_dim": "units",
    "p": "rate",
    "subsample": "strides",
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "weights": "set_weights() after the layer was built",
}


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


def given(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call of `cls` by name; old spellings are refused before Python misses what they stood for."""
    names = accepted(cls)
    if cls.__init__.__module__.startswith("tinynet."):  # type: ignore[misc]
        for name in kwargs:
            if name in TODAY and name not in names:
                raise unknown(cls, name)
    return {**dict(zip(names, args, strict=False)), **kwargs}


def unknown(cls: type, name: str) -> ValueError:
    """The error for an argument that `cls` does not have."""
    names = accepted(cls)
    if name in TODAY and name not in names:
        hint = f"this older spelling is written {TODAY[name]} today"
        if TODAY[name].isidentifier() and TODAY[name] not in names:
            hint += ", which is not part of tinynet yet"
    else:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names)}"
    return ValueError(f"{cls.__name__} has no argument {name!r}: {hint}")


def pair(value: Any, argument: str, minimum: int = 1) -> tuple[int, int]:
    """(h, w) from an int or a pair of ints >= `minimum`."""
    values = (value, value) if _is_int(value) else tuple(value) if isinstance(value, Iterable) else ()
    if len(values) != 2 or not all(_is_int(v) and v >= minimum for v in values):
        raise ValueError(f"{argument} must be an integer or a pair of them, each at least {minimum}, got {value!r}")
    return int(values[0]), int(values[1])


def positive(value: Any, argument: str) -> int:
    """`value` as an int >= 1."""
    if not _is_int(value) or value < 1:
        raise ValueError(f"{argument} must be a positive integer, got {value!r}")
    return int(value)


def padding_name(value: Any) -> str:
    """ "valid" or "same"."""
    if str(value).lower() not in ("valid", "same"):
        raise ValueError(f"padding must be 'valid' or 'same', got {value!r}; for others put a ZeroPadding2D before")
    return str(value).lower()


def spatial_axes(data_format: str) -> tuple[int, int]:
    """The axes H and W of an image batch."""
    return (1, 2) if data_format == "channels_last" else (2, 3)


def _is_int(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)
