"""Tensor: an array that remembers how it was computed.
`backward` and `ops` add the methods that they define.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.autograd.tape import Node
from tinynet.backend import changes, config, device, number_format, undo
from tinynet.kernels.launches import changed, data_for_caller, listening, not_repeatable, write

if TYPE_CHECKING:  # what `ops` attaches, by name and type
    from tinynet.autograd.tensor_methods import ParameterMethods, TensorMethods
else:
    TensorMethods = ParameterMethods = object


class Tensor(TensorMethods):
    """Array on the CPU or GPU and, if it is tracked, its place on the tape.

    Python floats in `data` become `config.floatx()`; an array keeps its dtype and is not copied, and a change
    made through it or the attribute `data` is not seen by the tape. `requires_grad`: track it;  `name`: what
    messages call it.
    """

    __slots__ = (
        "__weakref__",
        "_data",
        "_grad",
        "_index",
        "_logits",
        "_node",
        "_version",
        "name",
        "requires_grad",
    )
    __hash__ = object.__hash__
    _version: list[int]

    def __init__(self, data: Any, requires_grad: bool = False, name: str | None = None) -> None:
        self._data = data if type(data) is np.ndarray else _to_array(data)
        if requires_grad and self._data.dtype.kind != "f":
            raise TypeError(
                f"only floating-point Tensors have gradients, got dtype {self._data.dtype}; convert it first"
            )
        self.requires_grad, self.name = requires_grad, name
        self._node: Node | None = None  # what computed it; None for leaves
        self._index = 0  # which output of the node it is
        # number of changes in place so far
        self._version = data._version if isinstance(data, Tensor) else [0]
        self._grad: Any = None
        self._logits: Any = None  # set by softmax: (logits, their version), read by cross-entropy

    # A listener (kernels/launches.py) may give the user's Python an array that notices when it is read.
    data: Any = property(lambda self: self._data if listening.get() is None else data_for_caller(self._data))
    shape: tuple[int, ...] = property(lambda self: self._data.shape)  # type: ignore[assignment]
    dtype: np.dtype = property(lambda self: self._data.dtype)  # type: ignore[assignment]
    ndim: int = property(lambda self: self._data.ndim)  # type: ignore[assignment]
    size: int = property(lambda self: self._data.size)  # type: ignore[assignment]
    version = property(lambda self: self._version[0], doc="Number of changes in place so far.")
    edge = property(
        lambda self: self if self._node is None else (self._node, self._index), doc="Its place on the tape."
    )
    grad: "Tensor | None" = property(lambda self: self._grad, doc="What backward added.")  # type: ignore[assignment]

    def zero_grad(self) -> None:
        """Forgets the accumulated gradient."""
        not_repeatable("calls zero_grad(), which no launch repeats")
        self._grad = None

    def detach(self) -> "Tensor":
        """The same memory as a constant."""
        return Tensor(self)

    def touch(self) -> None:
        """Tells the tape, and a listener to launches, that the array was changed in place."""
        self._version[0] += 1
        changed(self)

    def assign(self, value: Any) -> "Tensor":
        """Copies `value` into the array; raises ValueError if the shape differs."""
        value = as_raw(value) if hasattr(value, "shape") else np.asarray(value)
        if value.shape != self.shape:
            raise ValueError(
                f"{self.name or 'this Tensor'} has shape {self.shape}, assign got shape {value.shape}"
            )
        undo.array(self)  # a trial run, which finds a layer's output shape, puts the old numbers back
        write(self._data, device.beside(value, self._data))
        self.touch()
        return self


class Parameter(Tensor, ParameterMethods):
    """Variable of a layer, which holds `data`; `trainable` decides whether it is tracked;
    `name` is that of a Tensor.
    """

    __slots__ = ("_constraint", "_regularizer")

    def __init__(self, data: Any, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(data, requires_grad=trainable, name=name)
        self._regularizer = self._constraint = None

    trainable = property(
        lambda self: self.requires_grad, lambda self, value: setattr(self, "requires_grad", bool(value))
    )
    # Counted, because steps depend on them: backend/changes.py.
    regularizer, constraint = changes.counted("_regularizer"), changes.counted("_constraint")


def _to_array(data: Any) -> Any:
    data = as_raw(data)
    if hasattr(data, "dtype"):
        return np.asarray(data) if isinstance(data, np.generic | np.ndarray) else data
    array = number_format.numbers(data)
    return array.astype(config.floatx()) if array.dtype.kind == "f" else array


def as_raw(x: Any) -> Any:
    """The array of x, if that is a Tensor; anything else as it is."""
    return x._data if isinstance(x, Tensor) else x


def as_tensor(x: Any) -> Tensor:
    """`x` itself if it is a Tensor, else a constant."""
    return x if isinstance(x, Tensor) else Tensor(x)
