"""Operation: operators between symbolic tensors, x + y or 2 * x, as layers of a model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinynet import ops
from tinynet.layers.base import Layer, Shape
from tinynet.layers.naming import auto_name
from tinynet.layers.symbolic import SymbolicTensor
from tinynet.tree import shape_leaves

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": ops.add, "subtract": ops.subtract, "multiply": ops.multiply, "divide": ops.divide,
    "matmul": ops.matmul,
    "power": ops.power, "negative": ops.negative, "abs": ops.abs,
}  # fmt: skip
UNARY = ("negative", "abs")


class Operation(Layer):
    """y = operator(a[, b]); one of the two may be a number, given as `constant`,
    on the side that `left` says.
    """

    def __init__(self, operator: str, constant: Any = None, left: bool = False, **kwargs: Any) -> None:
        super().__init__(name=kwargs.pop("name", None) or auto_name(str(operator)), **kwargs)
        if operator not in OPERATORS:
            raise ValueError(f"{self}: operator must be one of {sorted(OPERATORS)}, got {operator!r}")
        if constant is not None and getattr(constant, "dtype", np.asarray(constant).dtype).kind not in "biuf":
            raise TypeError(f"{self}: constant must be a number or an array of numbers, got {constant!r}")
        self.operator, self.constant, self.left = operator, constant, left

    def _check_input(self, shape: Any) -> None:
        """Whatever the operator takes."""

    def call(self, x: Any) -> Any:
        function = OPERATORS[self.operator]
        if isinstance(x, list | tuple):
            return function(*x)
        if self.constant is None:
            return function(x)
        return function(self.constant, x) if self.left else function(x, self.constant)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shapes = list(shape_leaves(input_shape))
        batch = shapes[0][0]
        if self.constant is not None:
            shapes.insert(0 if self.left else 1, np.shape(self.constant))
        if len(shapes) != (1 if self.operator in UNARY else 2):
            raise ValueError(
                f"{self}: {self.operator} takes {1 if self.operator in UNARY else 2} operands, "
                f"got {len(shapes)}"
            )
        return (
            batch,
            *(self._product(*shapes) if self.operator == "matmul" else self._broadcast(shapes))[1:],
        )

    def _broadcast(self, shapes: Sequence[Shape]) -> Shape:
        rank, found = max(map(len, shapes)), []
        for sizes in zip(*((1,) * (rank - len(one)) + tuple(one) for one in shapes), strict=True):
            known = {size for size in sizes if size not in (1, None)}
            if len(known) > 1:
                raise ValueError(f"{self}: operands of shapes {list(shapes)} do not broadcast to one shape")
            unknown_or_one = None if None in sizes else 1
            found.append(known.pop() if known else unknown_or_one)
        return tuple(found)

    def _product(self, a: Shape, b: Shape) -> Shape:
        """(..., N, K) @ (..., K, M); a vector is a row on the left and a column on the right."""
        if not a or not b or len({a[-1], b[-2:][0]} - {None}) > 1:
            raise ValueError(f"{self}: operands of shapes {a} and {b} do not fit (..., N, K) @ (..., K, M)")
        return (*self._broadcast([a[:-2], b[:-2]]), *a[-2:-1], *b[-1:][: len(b) - 1])


def _binary(operator: str, reflected: bool) -> Callable[..., Any]:
    def apply(self: SymbolicTensor, other: Any) -> Any:
        if isinstance(other, SymbolicTensor):
            return Operation(operator)([other, self] if reflected else [self, other])
        return Operation(operator, constant=other, left=reflected)(self)

    return apply


def _unary(operator: str) -> Callable[..., Any]:
    return lambda self: Operation(operator)(self)


for _method, _operator in (
    ("add", "add"), ("sub", "subtract"), ("mul", "multiply"), ("truediv", "divide"), ("matmul", "matmul"),
    ("pow", "power"),
):  # fmt: skip
    setattr(SymbolicTensor, f"__{_method}__", _binary(_operator, False))
    setattr(SymbolicTensor, f"__r{_method}__", _binary(_operator, True))
for _method, _operator in (("neg", "negative"), ("abs", "abs")):
    setattr(SymbolicTensor, f"__{_method}__", _unary(_operator))
