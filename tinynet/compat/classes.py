"""Layers under their older names: calling one reads arguments of the era,
and makes a layer of today's class.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tinynet import layers
from tinynet.compat.arguments import read
from tinynet.compat.spellings import KERAS1, KERAS2
from tinynet.compat.warn import old
from tinynet.layers.base import Layer


class Spelling(NamedTuple):
    """A layer's name in Keras 1 or 2, and the order of its arguments then; empty: that of today's class."""

    name: str
    today: type
    order: Sequence[str]
    era: int

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """(today's arguments, the shape of a batch or None) of a call."""
        return read(self.name, self.today, self.order, args, kwargs, self.era)


class Older(type):
    """The type of these names. Layers that they make are of today's classes, so that they are saved as such;
    a class that a program derives from one takes arguments of the era too."""

    _spelling: Spelling

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        shape = None
        if "_spelling" in vars(cls):
            made, shape = cls._spelling.read(args, kwargs)
            layer = cls._spelling.today(**made)
        elif "_spelling" in vars(next(base for base in cls.__mro__ if "__init__" in vars(base))):
            made, shape = cls._spelling.read(args, kwargs)
            layer = super().__call__(**made)
        else:  # it has a constructor of its own
            layer = super().__call__(*args, **kwargs)
        if shape is not None:
            layer._batch_shape = shape
        return layer

    def __instancecheck__(cls, instance: Any) -> bool:
        known = cls._spelling.today if "_spelling" in vars(cls) else None
        return super().__instancecheck__(instance) if known is None else isinstance(instance, known)


def older(spelling: Spelling, **body: Any) -> Any:
    """The class that stands for a layer under its older name."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - of classes derived from it
        made, shape = spelling.read(args, kwargs)
        spelling.today.__init__(self, **made)  # type: ignore[misc]
        if shape is not None:
            self._batch_shape = shape

    described = (
        f"{spelling.today.__name__} of today, "
        f"with the arguments that {spelling.name} had in Keras {spelling.era}."
    )
    own = {"_spelling": spelling, "__init__": __init__, "__doc__": described, **body}
    return Older(
        spelling.name, (spelling.today,), {**own, "__module__": f"tinynet.compat.keras{spelling.era}.layers"}
    )


def _compute_output_shape(self: Any, input_shape: Any) -> Any:
    named = getattr(type(self), "get_output_shape_for", None)  # Keras 1's name of the method
    return Layer.compute_output_shape(self, input_shape) if named is None else tuple(named(self, input_shape))


def layer_names(era: int) -> dict[str, Any]:
    """{name: class or function} of all that `keras.layers` had in Keras 1 or 2 and tinynet has."""
    today = {name: getattr(layers, name) for name in layers.__all__}
    found = {name: value for name, value in today.items() if not isinstance(value, type)}
    spellings = [Spelling(name, cls, (), era) for name, cls in today.items() if isinstance(cls, type)]
    if era == 1:
        spellings += [Spelling(name, today[now], order.split(), 1) for name, (now, order) in KERAS1.items()]
    else:
        spellings += [Spelling(name, today[now], (), 2) for name, now in KERAS2.items()]
    found.update({spelling.name: older(spelling) for spelling in spellings})
    found["Layer"] = older(Spelling("Layer", Layer, (), era), compute_output_shape=_compute_output_shape)
    found["Input"] = Input
    return found


def Input(  # noqa: N802 - Keras's name
    shape: Any = None, batch_shape: Any = None, name: str | None = None, dtype: Any = None, **unknown: Any
) -> Any:
    """A symbolic batch, by arguments in the order of Keras 1 and 2."""
    if unknown.pop("sparse", False) or unknown.pop("tensor", None) is not None:
        raise ValueError("Input: sparse and tensor are not part of tinynet; leave them out")
    if unknown:
        raise TypeError(f"Input has no argument {sorted(unknown)[0]!r}")
    return layers.Input(shape=shape, batch_shape=batch_shape, name=name, dtype=dtype)


def merge(
    inputs: Any,
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Any = None,
    name: str | None = None,
) -> Any:
    """Keras 1's function of several tensors: sum, mul, concat, ave, max, dot, or a function of their list."""
    return Merge(None, mode, concat_axis, dot_axes, output_shape, output_mask, arguments, name)(inputs)


MODES = {
    "sum": "Add",
    "mul": "Multiply",
    "concat": "Concatenate",
    "ave": "Average",
    "max": "Maximum",
    "dot": "Dot",
}


def Merge(  # noqa: N802 - Keras's name
    layers_: Any = None,
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Any = None,
    name: str | None = None,
    **unknown: Any,
) -> Any:
    """Keras 1's layer of several inputs: the layer of today that `mode` stands for."""
    if layers_ is not None or unknown:
        raise ValueError(
            "Merge([model, model]) within a Sequential is not part of tinynet: "
            "write Model(inputs, merge([...]))"
        )
    if callable(mode):
        old("Merge(mode=function)", "Lambda(function)")
        return layers.Lambda(mode, output_shape=output_shape, arguments=arguments, name=name)
    if mode not in MODES:
        raise ValueError(f"merge: mode must be one of {', '.join(MODES)} or a function, got {mode!r}")
    settings = {"concat": {"axis": concat_axis}, "dot": {"axes": dot_axes}}.get(mode, {})
    old(
        f"merge(mode={mode!r})",
        f"{MODES[mode]}({', '.join(f'{k}={v!r}' for k, v in settings.items())})([...])",
    )
    return getattr(layers, MODES[mode])(**settings, name=name)
