"""debug: where the first NaN or infinity of a run came from.

    with tinynet.debug.check_numerics():
        model.fit(x, y)
    NumericsError: NaN in what 'log' of layer net/scale gives, forward, step 37 ...

While it is on, every operation's results are looked at, forward and backward, and every step runs its Python:
training is several times slower. Nothing of it is left in the operations while it is off.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinynet import missing_names
from tinynet.autograd import Primitive, as_raw
from tinynet.backend import device
from tinynet.layers.base import Layer
from tinynet.models.compiled import Compiled
from tinynet.optimizers import Optimizer
from tinynet.tree import leaves
from tinynet.watch import Watch

missing_names.namespace(__name__)


class NumericsError(FloatingPointError):
    """An operation gave NaN or infinity.

    >>> try:
    ...     with debug.check_numerics():
    ...         ops.log(tinynet.Tensor([0.0, 1.0]))
    ... except NumericsError as error:
    ...     print("infinity (1 of 2)" in str(error))
    True
    """


class _OfThread(threading.local):
    """What a thread is doing; several may be in a step at a time."""

    def __init__(self) -> None:
        self.step: int | None = None
        self.in_rule = False  # what a derivative computes on its way is no result of the model's
        self.layers: dict[int, str] = {}  # {order of a node: the layer it belongs to}


class check_numerics(Watch):  # noqa: N801 - used like a function
    """Raises NumericsError at the first operation that gives NaN or infinity,
    until `close()` or the end of a `with`.

    The error names the operation, the layer (path from the model), forward or backward, and the step, counted
    from 1. Data and targets that are not finite to begin with are named as such. One may be on at a time.

    >>> with debug.check_numerics():
    ...     print(ops.sqrt(tinynet.Tensor([4.0])).numpy())
    [2.]
    """

    _on: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.here = _OfThread()
        self.open()

    def open(self) -> None:
        """Switches the checks on, again after `close()`; RuntimeError if other ones are on."""
        if check_numerics._on is not None:
            raise RuntimeError("check_numerics is on already; close() the other one first")
        check_numerics._on = self
        super().open()

    def close(self) -> None:
        """Switches the checks off."""
        super().close()
        if check_numerics._on is self:
            check_numerics._on = None

    def __enter__(self) -> "check_numerics":
        if check_numerics._on is not self:  # on since it was made, unless it was closed
            self.open()
        return self

    # What stands around the functions that everything goes through

    def enters(self, layer: Layer, args: Any, kwargs: Any, training: bool | None) -> None:
        """Looks at the data given to the outermost layer, with which a step begins."""
        if not self.path:
            self.here.layers.clear()
            optimizer = layer.optimizer if isinstance(layer, Compiled) else None
            self.here.step = optimizer.iterations + 1 if optimizer is not None and training else None
            self._look(leaves([args, kwargs]), f"the data given to {layer.name}", [])

    def around_primitive(
        self, call: Callable[..., Any], primitive: Primitive, /, *args: Any, **static: Any
    ) -> Any:
        """Looks at what an operation gives."""
        out = call(primitive, *args, **static)
        if not self.here.in_rule and any(hasattr(x, "requires_grad") for x in args):
            self._look(leaves(out), f"what {primitive.name!r} {self._where()} gives, forward", args)
        return out

    def around_record(self, record: Callable[..., Any], primitive: Primitive, /, *args: Any) -> Any:
        """Notes which layer a node belongs to."""
        node = record(primitive, *args)
        self.here.layers[node.order] = self._where()
        return node

    def around_rule(
        self, differentiate: Callable[..., Any], primitive: Primitive, node: Any, grad: Any, *values: Any
    ) -> Any:
        """Looks at the gradients that a rule gives."""
        outside, self.here.in_rule = self.here.in_rule, True
        node.sources = [None] * len(node.edges)  # no rules are joined: one went wrong
        try:
            results = differentiate(primitive, node, grad, *values)
        finally:
            self.here.in_rule = outside
        where = self.here.layers.get(node.order, "outside of layers")
        self._look(
            leaves(list(results)),
            f"the gradient that {primitive.name!r} {where} hands on, backward",
            leaves([grad]),
        )
        return results

    def around_update(
        self, apply: Callable[..., Any], optimizer: Optimizer, grads: Any, trainable_variables: Any = None
    ) -> None:
        """Looks at the weights after an update."""
        apply(optimizer, grads, trainable_variables)
        for variable in trainable_variables or optimizer._trainable_variables:
            self._look([variable], f"the weight {variable.name} after the update by {optimizer.name}", grads)

    def _where(self) -> str:
        return f"of layer {'/'.join(self.path)}" if self.path else "in the loss, outside of layers,"

    def _look(self, values: Iterable[Any], what: str, came_from: Iterable[Any]) -> None:
        for value in values:
            kind = _flaw(value)
            if kind:
                step = "" if self.here.step is None else f", step {self.here.step}"
                given = "; ".join(
                    _described(x) for x in came_from if getattr(as_raw(x), "ndim", None) is not None
                )
                raise NumericsError(f"{kind} in {what}{step}" + (f". It was given {given}" if given else ""))


def _flaw(value: Any) -> str:
    """What is wrong with an array: "3 of 12 numbers are NaN", or "" """
    array = device.to_host(as_raw(value)) if getattr(value, "dtype", None) is not None else None
    if array is None or array.dtype.kind != "f" or np.isfinite(array).all():
        return ""
    nan, infinite = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    counts = [
        f"NaN ({nan} of {array.size})" if nan else "",
        f"infinity ({infinite} of {array.size})" if infinite else "",
    ]
    return " and ".join(filter(None, counts))


def _described(value: Any) -> str:
    array = np.asarray(device.to_host(as_raw(value)))
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    span = f"from {finite.min():.4g} to {finite.max():.4g}" if finite.size else "no finite number"
    return f"shape {array.shape}, {span}" + (f", {_flaw(array)}" if _flaw(array) else "")
