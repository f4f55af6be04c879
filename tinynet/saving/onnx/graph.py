"""The ONNX graph under construction: nodes, constants, and the table of what becomes of each layer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynet.autograd import as_raw
from tinynet.backend import device
from tinynet.saving.optional import needed


@dataclass
class Value:
    """A tensor of the graph: its name, its shape with None for unknown sizes, its dtype."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)


# (graph, layer, its input or list of inputs) -> name of its output
Converter = Callable[[Any, Any, Any], str]
CONVERTERS: dict[str, Converter] = {}


def converts(*classes: str) -> Callable[[Converter], Converter]:
    """Decorator: the function writes the nodes of layers of these classes."""

    def register(function: Converter) -> Converter:
        CONVERTERS.update(dict.fromkeys(classes, function))
        return function

    return register


class Graph:
    """Nodes and constants; calling it adds a node: graph("Add", "x", "y") is the name of x + y."""

    def __init__(self, dtype: np.dtype) -> None:
        self.onnx = needed("onnx", "onnx", "exporting ONNX files")
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._count = 0
        self._known: dict[Any, str] = {}

    def __call__(self, kind: str, *inputs: Any, **attributes: Any) -> str:
        """Adds a node; arrays and numbers among its inputs become constants,
        None an input that is left out.
        """
        name = self._name(kind.lower())
        known = ["" if one is None else one for one in inputs]
        names = [one if isinstance(one, str) else self.constant(one) for one in known]
        self.nodes.append(self.onnx.helper.make_node(kind, names, [name], name=name, **attributes))
        return name

    def constant(self, value: Any) -> str:
        """The name of a constant: floats in the model's dtype,
        whole numbers in lists as shapes and axes (int64).
        """
        if isinstance(value, float):
            array = np.array(value, self.dtype)
        elif isinstance(value, list | tuple):
            array = np.array(value, np.int64)
        else:
            array = np.asarray(device.to_host(as_raw(value)), order="C")
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 16 else None
        if key in self._known:
            return self._known[key]
        name = self._name("constant")
        self.constants.append(
            self.onnx.numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        )
        if key is not None:
            self._known[key] = name
        return name

    def _name(self, kind: str) -> str:
        self._count += 1
        # apart from the names of inputs and outputs, which are those of layers
        return f"/{kind}_{self._count}"

    # What several layers need

    def weight(self, tensor: Any) -> np.ndarray:
        """The numbers of a parameter."""
        return np.asarray(device.to_host(as_raw(tensor)))

    def cast(self, x: Value, dtype: Any) -> str:
        """`x` in another number format, if it is not in that already."""
        dtype = np.dtype(dtype)
        if x.dtype == dtype:
            return x.name
        return self("Cast", x.name, to=self.onnx.helper.np_dtype_to_tensor_dtype(dtype))

    def moved(self, x: str, order: Sequence[int]) -> str:
        """The axes in another order; nothing if it is the same."""
        return x if list(order) == sorted(order) else self("Transpose", x, perm=list(order))

    def channels_first(self, x: str, ndim: int, data_format: str) -> str:
        """Images as ONNX has them, (N, C, H, W)."""
        return x if data_format == "channels_first" else self.moved(x, [0, ndim - 1, *range(1, ndim - 1)])

    def channels_back(self, x: str, ndim: int, data_format: str) -> str:
        """Images in the layer's data format again."""
        return x if data_format == "channels_first" else self.moved(x, [0, *range(2, ndim), 1])

    def along(self, vector: Any, axes: Sequence[int], ndim: int) -> np.ndarray:
        """An array with the sizes of some ascending axes, shaped to broadcast against all of them."""
        array = self.weight(vector)
        sizes = iter(array.shape)
        return array.reshape([next(sizes) if axis in axes else 1 for axis in range(ndim)])
