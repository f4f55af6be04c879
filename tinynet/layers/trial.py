"""Trial: the shapes that a layer gives, found by running it where it does not say them itself.

On zeros; while a model is made from a file, on arrays without numbers (`backend/hollow`), so that nothing is computed and
nothing is taken that a few bytes of the file ask for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinynet import autograd
from tinynet.backend import hollow, limits, undo
from tinynet.layers import symbolic
from tinynet.layers.under_way import around
from tinynet.tree import leaves, mapped, mapped_shapes, shape_leaves

Make = Callable[[tuple[int, ...], Any], Any]  # an array of a shape and a dtype


def output_shapes(layer: Any, shapes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Shapes of layer(inputs of `shapes`, *args, **kwargs); sizes that are unknown (None) in the input may stay so.

    Where there are such, by two runs with different ones: what differs is unknown in the output.
    """
    sizes = (64, 96) if any(None in shape[1:] for shape in shape_leaves(shapes)) else (1,)
    with undo.everything(), _nothing_added(layer):
        for variable in [*layer.non_trainable_weights, *(v for metric in layer.metrics for v in metric.variables)]:
            undo.array(variable)  # moving statistics change within kernels
        found = _found(layer, sizes, shapes, args, kwargs)
    batch = next(shape_leaves(shapes))[0]
    pairs = zip(leaves(found[0]), leaves(found[-1]), strict=True)
    known = [(batch, *(m if m == n else None for m, n in zip(a.shape[1:], b.shape[1:], strict=True))) for a, b in pairs]
    outputs = iter(known)
    return mapped(lambda _: next(outputs), found[0])


@contextmanager
def _nothing_added(layer: Any) -> Iterator[None]:
    """What layers within have added to the loss stays what it was; the call around this one does not hear of the trial."""
    names = ("_added_losses", "_losses_added_in", "_adding_layers")
    before = {one: {name: vars(one)[name] for name in names} for one in layer._with_all_within()}
    token = around.set(None)
    try:
        yield
    finally:
        around.reset(token)
        for one in layer._with_all_within():
            vars(one).update(before.get(one, {"_added_losses": [], "_losses_added_in": None, "_adding_layers": []}))


def _found(layer: Any, sizes: tuple[int, ...], *call: Any) -> list[Any]:
    """What the layer gives for each size of what is unknown."""
    if limits.are_set():
        try:
            return [_without_numbers(layer, size, *call) for size in sizes]
        except Exception:
            if _is_tinynets(layer):  # whose functions all run so: the file asks for something that cannot be
                raise
        limits.check_trial(list(shape_leaves(call[0])))  # a layer or function of the user's that needs numbers
    return [_run(layer, np.zeros, size, *call) for size in sizes]


def _is_tinynets(layer: Any) -> bool:
    """Whether what runs in the layer is tinynet's: the function, of a Lambda or an Activation."""
    runs = [type(layer), *(vars(layer)[name] for name in ("function", "activation") if vars(layer).get(name) is not None)]
    return all((getattr(one, "__module__", None) or "").startswith("tinynet.") for one in runs)


def _without_numbers(layer: Any, *call: Any) -> Any:
    """What the layer gives for inputs without numbers; its weights have none meanwhile."""
    while True:
        weights = layer.weights
        kept = [weight._data for weight in weights]
        for weight in weights:
            weight._data = hollow.Array(weight.shape, weight.dtype)
        try:
            return _run(layer, hollow.Array, *call)
        except Exception:
            if len(layer.weights) == len(weights):
                raise
            # Once more: weights were made on the way, which met inputs without numbers.
        finally:
            for weight, data in zip(weights, kept, strict=True):
                weight._data = data
            layer._forget_losses()


def _run(layer: Any, make: Make, size: int, shapes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    def zeros(shape: Any) -> Any:
        return make((2, *(size if n is None else n for n in shape[1:])), layer.dtype)

    args, kwargs = mapped(lambda item: zeros(item.shape) if symbolic.is_symbolic(item) else item, [args, kwargs])
    with autograd.no_grad():
        return layer(mapped_shapes(zeros, shapes), *args, **{"training": False, **kwargs})
