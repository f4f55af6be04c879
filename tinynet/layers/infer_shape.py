"""The shapes that a layer gives, found by running it where it does not say them itself.

On zeros; where memory is to be spared (`backend/allocations`), on arrays without numbers, which take none
(`backend/abstract_arrays`), and nothing is computed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinynet import autograd
from tinynet.backend import abstract_arrays, allocations, undo
from tinynet.layers import call_args, symbolic
from tinynet.layers.current_call import around
from tinynet.layers.penalties import nothing_added
from tinynet.tree import leaves, mapped

Make = Callable[[tuple[int, ...], Any], Any]  # an array of a shape and a dtype


def output_shapes(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Shapes of layer(*args, **kwargs) for the symbolic tensors among these;
    sizes that are unknown (None) may stay so.

    Where there are such, by two runs with different ones: what differs is unknown in the output. Where memory
    is to be spared, the runs have 2 and 3 samples whatever the batch has, and what differs grows with it.
    """
    shapes = [tensor.shape for tensor in symbolic.symbolic_leaves((args, kwargs))]
    unknown = any(None in shape[1:] for shape in shapes)
    batch = next((shape[0] for shape in shapes if shape), None)
    batches = (2, 3) if batch is None or allocations.sparing() else (batch, batch)
    sizes = list(zip(batches, (64, 96), strict=True))
    with undo.everything(), _nothing_added(layer):
        for variable in [
            *layer.non_trainable_weights,
            *(v for metric in layer.metrics for v in metric.variables),
        ]:
            undo.array(variable)  # moving statistics change within kernels
        found = _found(layer, sizes if unknown or batches == (2, 3) else sizes[:1], shapes, args, kwargs)
    if len(first := list(leaves(found[0]))) != len(last := list(leaves(found[-1]))):
        raise ValueError(
            f"{layer}: the number of its outputs must not depend on the sizes of a batch that are unknown"
        )
    if wrong := [one for one in first if not hasattr(one, "shape")]:
        raise TypeError(
            f"{layer}: call() must return a Tensor, or Tensors in a structure, "
            f"and gave {wrong[0]!r} among them"
        )

    def size(axis: int, m: int, n: int) -> int | None:
        if m == n:
            return m
        return None if batch is None or (unknown and axis > 0) else m + (n - m) * (batch - 2)

    known = iter(
        [tuple(map(size, range(len(a.shape)), a.shape, b.shape)) for a, b in zip(first, last, strict=True)]
    )
    return mapped(lambda _: next(known), found[0])


@contextmanager
def _nothing_added(layer: Any) -> Iterator[None]:
    """What layers within have added to the loss stays what it was;
    the call around this one does not hear of the trial.
    """
    before = {one: {name: vars(one)[name] for name in nothing_added()} for one in layer._with_all_within()}
    token = around.set(None)
    try:
        yield
    finally:
        around.reset(token)
        for one in layer._with_all_within():
            vars(one).update(before.get(one) or nothing_added())


def _found(layer: Any, sizes: list[tuple[int, int]], shapes: list[Any], *call: Any) -> list[Any]:
    """What the layer gives for each size of the batch and of what else is unknown."""
    if allocations.sparing():
        try:
            return [_without_numbers(layer, size, *call) for size in sizes]
        except Exception:
            if _is_tinynets(layer):
                raise
        allocations.trial(shapes)  # a user's layer or function may need numbers
    return [_run(layer, np.zeros, size, *call) for size in sizes]


def _is_tinynets(layer: Any) -> bool:
    """Whether all code of the layer is tinynet's, also the function of a Lambda or an Activation.

    Such code runs on arrays without numbers; if it fails, the arguments are wrong. A user's may need numbers.
    """
    runs = [
        type(layer),
        *(vars(layer)[name] for name in ("function", "activation") if vars(layer).get(name) is not None),
    ]
    return all((getattr(one, "__module__", None) or "").startswith("tinynet.") for one in runs)


def _without_numbers(layer: Any, *call: Any) -> Any:
    """What the layer gives for inputs without numbers; its weights have none meanwhile."""
    while True:
        weights = layer.weights
        kept = [weight._data for weight in weights]
        for weight in weights:
            weight._data = abstract_arrays.Array(weight.shape, weight.dtype)
        try:
            return _run(layer, abstract_arrays.Array, *call)
        except Exception:
            if len(layer.weights) == len(weights):
                raise
            # Once more: weights were made on the way, which met inputs without numbers.
        finally:
            for weight, data in zip(weights, kept, strict=True):
                weight._data = data
            layer._forget_losses()


def _run(layer: Any, make: Make, size: tuple[int, int], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    def zeros(item: Any) -> Any:
        if not symbolic.is_symbolic(item):
            return item
        given = (None, *item.shape[1:]) if item.shape and allocations.sparing() else item.shape
        stays = item.dtype is not None and item.dtype.kind in "biu" and call_args.keeps_integers(layer)
        dtype = item.dtype if stays else layer.dtype
        return make(tuple(size[axis > 0] if n is None else n for axis, n in enumerate(given)), dtype)

    args, kwargs = mapped(zeros, [args, kwargs])
    with autograd.no_grad():
        return layer(*args, **{"training": False, **kwargs})
