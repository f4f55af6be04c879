"""Trial: the shapes that a layer gives, found by running it on zeros where it does not say them itself."""

from typing import Any

import numpy as np

from tinynet import autograd
from tinynet.backend import limits
from tinynet.layers import symbolic
from tinynet.tree import leaves, mapped, mapped_shapes, shape_leaves


def output_shapes(layer: Any, shapes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Shapes of layer(inputs of `shapes`, *args, **kwargs); sizes that are unknown (None) in the input may stay so.

    Where there are such, by two runs with different ones: what differs is unknown in the output.
    """
    limits.check_trial(list(shape_leaves(shapes)))
    drawing = {one: one.calls for one in layer.with_all_within() if hasattr(one, "calls")}
    sizes = (64, 96) if any(None in shape[1:] for shape in shape_leaves(shapes)) else (1,)
    found = [_run(layer, size, shapes, args, kwargs) for size in sizes]
    for one, calls in drawing.items():
        one.calls = calls
    batch = next(shape_leaves(shapes))[0]
    pairs = zip(leaves(found[0]), leaves(found[-1]), strict=True)
    known = [(batch, *(m if m == n else None for m, n in zip(a.shape[1:], b.shape[1:], strict=True))) for a, b in pairs]
    outputs = iter(known)
    return mapped(lambda _: next(outputs), found[0])


def _run(layer: Any, size: int, shapes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    def zeros(shape: Any) -> np.ndarray:
        return np.zeros((2, *(size if n is None else n for n in shape[1:])), layer.dtype)

    args, kwargs = mapped(lambda item: zeros(item.shape) if symbolic.is_symbolic(item) else item, [args, kwargs])
    with autograd.no_grad():
        return layer(mapped_shapes(zeros, shapes), *args, **{"training": False, **kwargs})
