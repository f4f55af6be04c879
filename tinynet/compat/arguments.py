"""The arguments of a layer as Keras 1 or 2 had them, read as what they meant: names, order, values."""

from collections.abc import Sequence
from typing import Any

from tinynet import initializers, regularizers
from tinynet.compat import activations
from tinynet.compat.spellings import KERNELS, PRESET, RENAMED, RENAMED_FOR
from tinynet.compat.warn import old, warn, written
from tinynet.signature import accepted

ORDERINGS = {"th": "channels_first", "tf": "channels_last", "default": None}
SHAPES = ("batch_input_shape", "input_dim", "input_length", "input_shape")


def by_name(who: str, order: Sequence[str], args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """All arguments by name; TypeError for more than there are, and for one that is given twice."""
    if len(args) > len(order):
        raise TypeError(
            f"{who} takes {len(order)} arguments by position, {', '.join(order)}; got {len(args)}"
        )
    given = dict(zip(order, args, strict=False))
    if twice := sorted(set(given) & set(kwargs)):
        raise TypeError(f"{who}: {twice[0]} is given twice, by position and by name")
    return {**given, **kwargs}


def read(
    who: str, today: type, order: Sequence[str], args: tuple[Any, ...], kwargs: dict[str, Any], era: int
) -> tuple[dict[str, Any], Any]:
    """(today's arguments by name, the shape of a batch or None) of a call of the layer `who`,
    today's class `today`.

    `order` is that of the era's arguments, empty where it is today's.
    """
    names = accepted(today)
    if today.__name__ in KERNELS:
        if len(args) > 1 and not hasattr(args[1], "__index__"):
            order = ()  # a kernel size in one, as in Keras 2
        args, kwargs = _with_kernel_size(who, args, kwargs, era)
    elif who == "BatchNormalization" and era == 1 and args and hasattr(args[0], "__index__"):
        order = ()  # a whole number is an axis, Keras 2's first argument, rather than an epsilon
    given = by_name(who, list(order) or names, args, kwargs)
    renamed = {name: new for name, new in RENAMED.items() if name not in names}
    renamed.update(RENAMED_FOR.get(today.__name__, {}))
    for place, name in enumerate(list(order)[: len(args)]):
        if names[place : place + 1] != [renamed.get(name, name)]:
            old(f"{who}: {name} as argument {place + 1}", f"{renamed.get(name, name)}=...")
    shape = _batch_shape(who, today.__name__, given, {*names, *renamed})
    made: dict[str, Any] = {}
    preset = {"data_format": "channels_last"} if who == "Flatten" and era == 1 else PRESET.get(who, {})
    for name, value in _without_effect(who, given).items():
        for new in _new_names(today.__name__, name, renamed):
            if new in made or (new != name and new in given):
                raise TypeError(f"{who}: {name} and {new} are two names of one argument; give one of them")
            made[new] = _value(name, new, value, era)
        if new != name and name in kwargs:
            old(f"{who}({name}=...)", written(new, made[new]))
    return {**preset, **made}, shape


def _with_kernel_size(
    who: str, args: tuple[Any, ...], kwargs: dict[str, Any], era: int
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """(filters, rows, columns, ...) as (filters, (rows, columns), ...)."""
    kwargs = dict(kwargs)
    whole = [hasattr(value, "__index__") for value in args[:3]]
    if "nb_row" in kwargs and "nb_col" in kwargs:
        sides: tuple[Any, ...] = (kwargs.pop("nb_row"), kwargs.pop("nb_col"))
        kwargs["kernel_size"] = sides
    elif whole == [True, True] and "nb_col" in kwargs:
        sides = (args[1], kwargs.pop("nb_col"))
        args = (args[0], sides)
    elif whole == [True, True, True]:
        if twofold := {"padding", "strides", "data_format"} & set(kwargs) if era == 2 else ():
            raise ValueError(
                f"{who}{args[:3]} with {sorted(twofold)[0]} may mean a kernel of {args[1]} x "
                f"{args[2]} (Keras 1) or strides {args[2]} (Keras 2): write kernel_size=... and strides=..."
            )
        sides = args[1:3]
        args = (args[0], sides, *args[3:])
    else:
        return args, kwargs
    old(f"{who} with {sides[0]} and {sides[1]} for a kernel's rows and columns", f"kernel_size={sides}")
    return args, kwargs


def _batch_shape(who: str, today: str, given: dict[str, Any], own: set[str]) -> Any:
    """Takes what says the input's shape out of `given`; (None, *sizes),
    or the shape of the whole batch, or None.
    """
    found = {name: given.pop(name) for name in SHAPES if name in given and name not in own}
    found = {name: value for name, value in found.items() if value is not None}
    given.pop("input_dtype", None)
    if not found:
        return None
    if "batch_input_shape" in found:
        shape = tuple(found["batch_input_shape"])
    elif "input_shape" in found:
        sizes = found["input_shape"]
        shape = (None, sizes) if hasattr(sizes, "__index__") else (None, *sizes)
    elif today == "Embedding":
        shape = (None, found["input_length"])
    elif "input_dim" in found:
        sequence = today == "Conv1D" or "input_length" in found
        shape = (
            (None, found.get("input_length"), found["input_dim"]) if sequence else (None, found["input_dim"])
        )
    else:
        raise TypeError(f"{who}: input_length needs input_dim beside it")
    if shape[0] is None:
        old(f"{who}({', '.join(f'{name}=...' for name in found)})", f"Input({shape[1:]}) before it")
    else:
        old(f"{who}(batch_input_shape=...)", f"Input(batch_shape={shape}) before it")
    return shape


def _without_effect(who: str, given: dict[str, Any]) -> dict[str, Any]:
    """`given` without arguments that say what is so anyway; ValueError where they say something else."""
    given = dict(given)
    if given.get("weights") is not None:
        raise ValueError(
            f"{who}: weights=... is not understood; call layer.set_weights(...) once the model is built"
        )
    if who == "BatchNormalization" and given.pop("mode", 0) != 0:
        raise ValueError(f"{who}: only mode=0, statistics of each feature over the batch, is part of tinynet")
    if who == "Embedding" and given.pop("dropout", 0.0):
        raise ValueError(f"{who}: dropout=... is gone; put a SpatialDropout1D behind the layer")
    if who == "Deconvolution2D" and given.pop("output_shape", None) is not None:
        old(
            "Deconvolution2D(output_shape=...)",
            "output_padding=... where strides, padding and kernel_size leave a choice",
        )
    if given.get("activity_regularizer") is not None:
        warn(
            f"{who}: the penalty of activity_regularizer is divided by the batch size today; "
            "in Keras 1 and 2 it was not"
        )
    return {name: value for name, value in given.items() if name != "weights"}


def _new_names(today: str, name: str, renamed: dict[str, str]) -> list[str]:
    if today == "SeparableConv2D" and name == "init":
        return ["depthwise_initializer", "pointwise_initializer"]
    return [renamed.get(name, name)]


def _value(name: str, new: str, value: Any, era: int) -> Any:
    """What `value` meant: axis orders, and names of functions that have changed since."""
    if name == "dim_ordering":
        if value is not None and value not in ORDERINGS:
            raise ValueError(f"dim_ordering must be 'th', 'tf' or 'default', got {value!r}")
        return ORDERINGS.get(value)
    if new == "activation" and value == "hard_sigmoid":
        return activations.hard_sigmoid
    if new.endswith("_regularizer") and value in ("l1l2", "l1_l2"):
        return regularizers.L1L2(0.01, 0.01)
    if new.endswith("_initializer") and era == 1 and isinstance(value, str):
        return keras1_initializer(value)
    return value


def keras1_initializer(name: str) -> Any:
    """Keras 1's normal distributions were not cut off, and its orthogonal matrices had the gain 1.1."""
    if name in ("glorot_normal", "he_normal"):
        scale, fan = (1.0, "fan_avg") if name == "glorot_normal" else (2.0, "fan_in")
        return initializers.VarianceScaling(scale, fan, "untruncated_normal")
    return initializers.Orthogonal(1.1) if name == "orthogonal" else name
