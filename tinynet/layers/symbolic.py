"""Symbolic tensors: shapes without numbers, on which layers are called to describe the graph of a model.

x = Input((28, 28, 1))                # SymbolicTensor (None, 28, 28, 1)
y = Conv2D(7, 3)(x)                   # the layer is built; its node says that y came from x
model = Model(x, y)                   # walks from y back to x along the nodes
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.backend import allocations
from tinynet.tree import STRUCTURES, leaves, mapped, mapped_shapes


class SymbolicTensor:
    """What a layer gives when it is called on an Input: a shape, whose unknown sizes are None,
    and where it came from.

    dtype is the number format, `name` that of its layer; both may be None.

    >>> layers.Dense(3)(layers.Input((4,))).shape
    (None, 3)
    """

    __hash__ = object.__hash__
    __array_priority__ = 100  # array * symbol calls the symbol's method
    _keras_history: tuple[Any, int, int]  # the layer, which of its calls, which of the outputs of that call

    def __init__(self, shape: Any, dtype: Any = None, name: str | None = None) -> None:
        self.shape, self.name = tuple(shape), name
        allocations.symbol(self.shape)
        self.dtype = None if dtype is None else np.dtype(dtype)

    ndim = property(lambda self: len(self.shape))
    layer = property(lambda self: self._keras_history[0], doc="The layer that made it.")
    node = property(
        lambda self: self.layer._inbound_nodes[self._keras_history[1]], doc="The call that made it."
    )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"{self} has no numbers: it describes a place in a model. Use layers, "
            "operators or Lambda(function) on it, make a Model(inputs, outputs), and give that the data"
        )

    __bool__ = __iter__ = __float__ = __len__ = __getitem__ = numpy = __array__
    if TYPE_CHECKING:  # what operation.py attaches

        def _with(self, other: Any) -> "SymbolicTensor": ...
        def _alone(self) -> "SymbolicTensor": ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _with
        __matmul__ = __rmatmul__ = __pow__ = __rpow__ = _with
        __neg__ = __abs__ = _alone

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


KerasTensor = SymbolicTensor  # Keras's name


class Node:
    """One call of a layer on symbolic tensors."""

    def __init__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.layer, self.outputs = layer, outputs
        # A list of the caller's may be longer by the time the model is made: xs.append(Concatenate()(xs)).
        self.args, self.kwargs = mapped(lambda item: item, (args, kwargs))
        index = len(layer._inbound_nodes)
        for i, tensor in enumerate(leaves(self.outputs)):
            tensor._keras_history = (layer, index, i)
            tensor.name = layer.name if index == i == 0 else f"{layer.name}_{index}_{i}"

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors among the arguments."""
        return list(symbolic_leaves((self.args, self.kwargs)))

    def run(self, values: dict[SymbolicTensor, Any]) -> None:
        """Calls the layer on `values` of its inputs, and adds those of its outputs."""
        args, kwargs = mapped(lambda item: _value(item, values), [self.args, self.kwargs])
        outputs = self.layer(*args, **kwargs)
        values.update(zip(leaves(self.outputs), leaves(outputs), strict=True))


def tensors(shapes: Any, dtype: Any) -> Any:
    """Symbolic tensors of these shapes, in their structure."""
    return mapped_shapes(lambda shape: SymbolicTensor(shape, dtype), shapes)


def _value(item: Any, values: dict[SymbolicTensor, Any]) -> Any:
    return values[item] if isinstance(item, SymbolicTensor) else item


def symbolic_leaves(value: Any) -> Iterator[SymbolicTensor]:
    """The symbolic tensors in a structure."""
    return (leaf for leaf in leaves(value) if isinstance(leaf, SymbolicTensor))


def one_or_all(values: list[Any]) -> Any:
    """The one value in the list, or the list where there are several."""
    return values[0] if len(values) == 1 else values


def is_symbolic(value: Any) -> bool:
    """Whether a symbolic tensor is, or is in, `value`."""
    if isinstance(value, STRUCTURES):
        return next(symbolic_leaves(value), None) is not None
    return isinstance(value, SymbolicTensor)


def call(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Builds the layer for these inputs if need be, and gives the symbolic tensors of its outputs."""
    try:
        node = Node(layer, args, kwargs, layer._symbolic_outputs(args, kwargs))
    except ValueError as error:
        if before := trace((args, kwargs)):
            error.args = (f"{error}; the layers before it: {before}",)
        raise
    layer._inbound_nodes.append(node)
    return node.outputs


def trace(inputs: Any, most: int = 6) -> str:
    """The layers that led to `inputs`, with the shapes of their outputs:
    "input (None, 4) -> dense (None, 3)".
    """
    steps: list[str] = []
    tensor = next(symbolic_leaves(inputs), None)
    while tensor is not None and hasattr(tensor, "_keras_history") and len(steps) < most:
        steps.insert(0, f"{tensor.layer.name} {tensor.shape}")
        tensor = next(iter(tensor.node.inputs), None) if tensor.layer._inbound_nodes else None
    return " -> ".join((["..."] if tensor is not None else []) + steps)
