"""Layers of several inputs: Add()([x, z]), and likewise Subtract, Multiply,
Average, Maximum, Minimum, Concatenate, Dot.

Each is there as a function too: add([x, z]).
"""

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, ClassVar, Unpack

from tinynet import ops
from tinynet.layers.base import Layer, Shape
from tinynet.layers.static_types import LayerArguments
from tinynet.layers.unit_normalization import to_unit_length


class Merge(Layer):
    """Base: one output of a list of inputs (N, ...), element by element.

    Shapes are broadcast as NumPy does; an input with fewer axes gets axes of size
    1 after its batch axis first.
    """

    supports_masking = True
    _takes_many = True
    least = 1  # inputs
    most: int | None = None
    function: ClassVar[Callable[[Any, Any], Any]]

    def _check_input(self, shape: Any) -> None:
        super()._check_input(shape)
        if isinstance(shape, dict):
            raise ValueError(
                f"{self} expects a list of inputs, got a dictionary with {', '.join(map(repr, shape))}"
            )
        shapes = [tuple(one) for one in shape]
        for i, one in enumerate(shape):
            if isinstance(one, list) or any(isinstance(size, tuple) for size in one):
                raise ValueError(f"{self} expects a list of arrays; input {i} is a list itself")
        wanted = f"exactly {self.most}" if self.most == self.least else f"at least {self.least}"
        if len(shapes) < self.least or len(shapes) > (self.most or len(shapes)):
            raise ValueError(
                f"{self} takes {wanted} input{'s' * (self.least > 1)}, got {len(shapes)}, of shapes {shapes}"
            )
        if any(not one for one in shapes) or len({one[0] for one in shapes} - {None}) > 1:
            raise ValueError(f"{self}: all inputs must have one batch size, got shapes {shapes}")
        self.merged_shape(shapes)

    def merged_shape(self, shapes: list[Shape]) -> Shape:
        """Shape of the output; raises ValueError if the inputs do not fit one another."""
        rank = max(map(len, shapes))
        aligned = [(one[0], *(1,) * (rank - len(one)), *one[1:]) for one in shapes]
        sizes = []
        for each in zip(*aligned, strict=True):
            known = {size for size in each if size != 1}
            if len(known - {None}) > 1:
                raise ValueError(f"{self}: the inputs do not broadcast to one shape, got shapes {shapes}")
            sizes.append(next(iter(known - {None}), None) if known else 1)
        return tuple(sizes)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return self.merged_shape([tuple(one) for one in input_shape])

    def call(self, inputs: Any) -> Any:
        rank = max(x.ndim for x in inputs)
        return reduce(type(self).function, [_of_rank(x, rank) for x in inputs])


def _of_rank(x: Any, rank: int) -> Any:
    """x with axes of size 1 behind the batch axis, until it has `rank` axes."""
    return x if x.ndim == rank else ops.reshape(x, (x.shape[0], *(1,) * (rank - x.ndim), *x.shape[1:]))


class Add(Merge):
    """Sum of the inputs.

    >>> Add()([np.ones((1, 2)), np.full((1, 2), 3.0)]).numpy()
    array([[4., 4.]], dtype=float32)
    """

    function = ops.add


class Subtract(Merge):
    """The first of two inputs minus the second.

    >>> Subtract()([np.array([[3.0]]), np.array([[1.0]])]).numpy()
    array([[2.]], dtype=float32)
    """

    least = most = 2
    function = ops.subtract


class Multiply(Merge):
    """Product of the inputs, element by element.

    >>> Multiply()([np.array([[1.0, 5.0]]), np.array([[3.0, 2.0]])]).numpy()
    array([[ 3., 10.]], dtype=float32)
    """

    function = ops.multiply


class Average(Merge):
    """Sum of the inputs divided by their number.

    >>> Average()([np.ones((1, 2)), np.full((1, 2), 3.0)]).numpy()
    array([[2., 2.]], dtype=float32)
    """

    function = ops.add

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) / len(inputs)


class Maximum(Merge):
    """The largest of the inputs, element by element; where they are equal, they share the gradient.

    >>> Maximum()([np.array([[1.0, 5.0]]), np.array([[3.0, 2.0]])]).numpy()
    array([[3., 5.]], dtype=float32)
    """

    function = ops.maximum


class Minimum(Merge):
    """The smallest of the inputs, element by element; where they are equal, they share the gradient.

    >>> Minimum()([np.array([[1.0, 5.0]]), np.array([[3.0, 2.0]])]).numpy()
    array([[1., 2.]], dtype=float32)
    """

    function = ops.minimum


class Concatenate(Merge):
    """The inputs one after the other along `axis`; all other sizes must be equal.

    >>> Concatenate()([np.ones((1, 2)), np.zeros((1, 1))]).numpy()
    array([[1., 1., 0.]], dtype=float32)
    """

    def __init__(self, axis: int = -1, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not hasattr(axis, "__index__"):
            raise TypeError(f"{self}: axis must be an integer, got {axis!r}")
        self.axis = int(axis)

    def merged_shape(self, shapes: list[Shape]) -> Shape:
        rank = len(shapes[0])
        axis = self.axis % rank if -rank <= self.axis < rank else 0
        others = [{one[a] for one in shapes} - {None} for a in range(rank) if a != axis] if axis else [{1, 2}]
        if any(len(one) != rank for one in shapes) or any(len(sizes) > 1 for sizes in others):
            raise ValueError(
                f"{self}: the inputs must have the same sizes along all axes but {self.axis} "
                f"(which is not the batch), got shapes {shapes}"
            )
        along = [one[axis] for one in shapes]
        size = None if None in along else sum(along)  # type: ignore[arg-type]
        known = [next((one[a] for one in shapes if one[a] is not None), None) for a in range(rank)]
        return tuple(size if a == axis else n for a, n in enumerate(known))

    def call(self, inputs: Any) -> Any:
        return ops.concatenate(list(inputs), self.axis)


class Dot(Merge):
    """Sum over one axis of the product of two inputs, sample by sample.

    x (N, ..., K, ...), y (N, ..., K, ...); output (N, what is left of x, what is left of y),
    or (N, 1) if nothing is.

    axes        K's place in both inputs, or a pair: its place in the first and in the second; not the batch
    normalize   the vectors along it are divided by their lengths first: the cosine of their angle

    >>> Dot(axes=1)([np.ones((1, 3)), np.full((1, 3), 2.0)]).numpy()
    array([[6.]], dtype=float32)
    """

    least = most = 2

    def __init__(
        self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        pair = (axes, axes) if hasattr(axes, "__index__") else axes
        if (
            not isinstance(pair, list | tuple)
            or len(pair) != 2
            or not all(hasattr(a, "__index__") for a in pair)
        ):
            raise TypeError(f"{self}: axes must be an integer or a pair of integers, got {axes!r}")
        self.axes, self.normalize = (int(pair[0]), int(pair[1])), bool(normalize)

    def merged_shape(self, shapes: list[Shape]) -> Shape:
        first, second = self._places(shapes)
        x, y = shapes
        batch = x[0] if y[0] is None else y[0]
        left = [n for a, n in enumerate(x) if a not in (0, first)] + [
            n for a, n in enumerate(y) if a not in (0, second)
        ]
        return (batch, *(left or [1]))

    def _places(self, shapes: list[Shape]) -> tuple[int, int]:
        """The axes, counted from the front."""
        fits = all(
            len(one) > 1 and -len(one) <= a < len(one) for a, one in zip(self.axes, shapes, strict=True)
        )
        places = [a % len(one) for a, one in zip(self.axes, shapes, strict=True)] if fits else [0, 0]
        sizes = {one[a] for a, one in zip(places, shapes, strict=True)} - {None}
        if 0 in places or len(sizes) > 1:
            raise ValueError(
                f"{self}: axes {self.axes} must name axes of equal size that are not the batch, "
                f"got shapes {shapes}"
            )
        return places[0], places[1]

    def call(self, inputs: Any) -> Any:
        x, y = inputs
        places = self._places([x.shape, y.shape])
        if self.normalize:
            x, y = (to_unit_length(z, place) for z, place in zip((x, y), places, strict=True))
        shape = self.merged_shape([x.shape, y.shape])
        x, y = ops.moveaxis(x, places[0], -1), ops.moveaxis(y, places[1], 1)
        rows = ops.reshape(x, (x.shape[0], math.prod(x.shape[1:-1]), x.shape[-1]))  # N M K
        columns = ops.reshape(y, (*y.shape[:2], math.prod(y.shape[2:])))  # N K P
        return ops.reshape(rows @ columns, shape)


def add(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """Add(**kwargs)(inputs)."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """Subtract(**kwargs)(inputs)."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """Multiply(**kwargs)(inputs)."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """Average(**kwargs)(inputs)."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """Maximum(**kwargs)(inputs)."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """Minimum(**kwargs)(inputs)."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Unpack[LayerArguments]) -> Any:
    """Concatenate(axis, **kwargs)(inputs)."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Any, axes: int | Sequence[int] = -1, **kwargs: Unpack[LayerArguments]) -> Any:
    """Dot(axes, **kwargs)(inputs)."""
    return Dot(axes, **kwargs)(inputs)
