"""The arguments of a layer's call, by position or by name, and what its `build` is told of them.

layer(x)   layer(x, mask)   layer(a=x, b=y)   layer(*several)   layer(x, True)   layer(x, scale=2.0)

The first argument is the input that a layer checks. In the others arrays become Tensors, floats of the
layer's dtype, and what is no array stays as it is.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from tinynet import ops, signature
from tinynet.autograd import Tensor
from tinynet.backend import device
from tinynet.layers import symbolic
from tinynet.tree import STRUCTURES, is_nested, mapped, mapped_shapes

BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@lru_cache(512)
def parameters(method: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of a method by name, without `self`."""
    found = list(inspect.signature(method).parameters.values())
    return {parameter.name: parameter for parameter in found[1:]}


def by_position(method: Callable[..., Any]) -> list[str]:
    """The names of those that can be given by position."""
    return [name for name, parameter in parameters(method).items() if parameter.kind in BY_POSITION]


def default_of_training(method: Callable[..., Any]) -> bool | None:
    """The mode of a call that nothing says the mode of: the default of `training`."""
    parameter = parameters(method).get("training")
    return parameter.default if parameter is not None and isinstance(parameter.default, bool) else None


def arranged(
    layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], training: bool | None
) -> tuple[tuple[Any, ...], dict[str, Any], bool | None]:
    """(args, kwargs, training): the first input by position if `call` takes it so, and `training` apart."""
    method = type(layer).call
    names = by_position(method)
    if not args and names:
        if "inputs" in kwargs and "inputs" not in parameters(method):  # Keras's name of it
            kwargs = {
                names[0]: kwargs["inputs"],
                **{name: value for name, value in kwargs.items() if name != "inputs"},
            }
        if names[0] in kwargs:
            args, kwargs = (
                (kwargs[names[0]],),
                {name: value for name, value in kwargs.items() if name != names[0]},
            )
    if not args:  # as the signature has them, whose first one is the input
        kwargs = {name: kwargs[name] for name in sorted(kwargs, key=[*parameters(method), *kwargs].index)}
    place = names.index("training") if "training" in names else len(args)
    if len(args) > place and not any(p.kind is p.VAR_POSITIONAL for p in parameters(method).values()):
        if training is not None:
            raise TypeError(f"{layer}: training is given twice, by position and by name")
        training, kwargs = (
            args[place],
            {**dict(zip(names[place + 1 :], args[place + 1 :], strict=False)), **kwargs},
        )
        args = args[:place]
    return args, kwargs, training


def taken(
    layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as `call` gets them."""
    if args:
        args = (layer._as_input(args[0]), *(_as_argument(layer, value) for value in args[1:]))
        return args, {name: _as_argument(layer, value) for name, value in kwargs.items()}
    given = {name: _as_argument(layer, value) for name, value in kwargs.items()}
    for name in list(given)[:1]:
        given[name] = layer._as_input(kwargs[name])
    return args, given


def keeps_integers(layer: Any) -> bool:
    """Whether integers and booleans stay what they are: where the user's Python computes with them,
    as in Keras.

    tinynet's own layers, and what is made from them, compute with floats.
    """
    return signature.first_of_tinynet(type(layer)).__name__ in ("Layer", "Model", "Lambda")


def in_format(layer: Any, x: Tensor) -> Tensor:
    """An input `x` as a Tensor of the layer's dtype, unless it holds integers that the layer keeps."""
    return x if x.dtype.kind in "biu" and keeps_integers(layer) else ops.cast(x, dtype=layer.dtype)


def _as_argument(layer: Any, value: Any) -> Any:
    if isinstance(value, STRUCTURES) and is_nested(value):
        return mapped(lambda item: _as_argument(layer, item), value)
    if not isinstance(value, Tensor):
        if (
            not hasattr(value, "dtype")
            or not getattr(value, "ndim", 0)
            or isinstance(value, symbolic.SymbolicTensor)
        ):
            return value
        value = Tensor(device.to_device(value) if isinstance(value, np.ndarray) else value)
    return (
        ops.cast(value, dtype=layer.dtype)
        if value.dtype.kind == "f" and value.dtype != layer.dtype
        else value
    )


def first(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The input that is checked and that a layer is built for; None of a call without arguments."""
    return args[0] if args else next(iter(kwargs.values()), None)


def shapes(layer: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """{name of an argument: its shape, or shapes in its structure} of those that hold Tensors,
    without masks, in order.
    """
    names = by_position(type(layer).call)
    named = {**dict(zip([*names, *map(str, range(len(names), len(args)))], args, strict=False)), **kwargs}
    found = {
        name: shape_of(value)
        for name, value in named.items()
        if name != "mask" and not name.endswith("_mask")
    }
    return {name: shape for name, shape in found.items() if shape is not None}


def shape_of(value: Any) -> Any:
    """The shape of a Tensor or symbolic tensor, or the shapes in a structure of them;
    None of anything else.
    """
    if type(value) is Tensor:
        return value.shape
    if isinstance(value, STRUCTURES):
        found = mapped(shape_of, value)
        parts = list(found.values()) if isinstance(found, dict) else list(found)
        return found if any(part is not None for part in parts) else None
    return value.shape if isinstance(value, Tensor | symbolic.SymbolicTensor) else None


def told(layer: Any, method: Callable[..., Any], shape: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments for `build` or `compute_output_shape`: the first input's shape,
    or that of each argument by its name.

    build(self, input_shape);  build(self, a_shape, b_shape) for call(self, a, b);
    build(self) for what needs no shape.
    """
    asked = {n: p for n, p in parameters(method).items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    names = list(asked)
    if len(names) < 2:
        return {names[0]: shape} if names else {}
    found = {
        name: known[name.removesuffix("_shape")] for name in names if name.removesuffix("_shape") in known
    }
    if names[0] not in found:
        found[names[0]] = shape
    missing = [name for name in names if name not in found and asked[name].default is inspect.Parameter.empty]
    if missing:
        wanted = ", ".join(f"{name}_shape" for name in by_position(type(layer).call))
        raise ValueError(
            f"{layer}: {method.__name__} asks for {' and '.join(missing)}, "
            "which no argument of this call is; its arguments "
            f"are named after those of call, {method.__name__}(self, {wanted}), or it has one alone, "
            "the first input's shape"
        )
    return found


def without_batch(shape: Any) -> Any:
    """The shape, or shapes, for any size of the batch, which comes first."""
    return mapped_shapes(lambda one: (None, *one[1:]) if one else one, shape)
