"""NormalizationBase: what the normalisations share, y = gamma xhat + beta."""

from collections.abc import Sequence
from typing import Any, Unpack

from tinynet import initializers
from tinynet.autograd import Tensor
from tinynet.layers import arguments
from tinynet.layers.base import Elementwise
from tinynet.layers.static_types import LayerArguments


class NormalizationBase(Elementwise):
    """Holds what makes gamma (if `scale`) and beta (if `center`), and the number added to the variance.

    Each has an initializer, a regularizer and a constraint.
    """

    _least_rank = 2
    beta: Tensor
    gamma: Tensor

    def __init__(
        self,
        *,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = arguments.number(epsilon, f"{self}: epsilon", 0)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer, self.beta_regularizer, self.beta_constraint = self._weight_arguments(
            beta_initializer, beta_regularizer, beta_constraint
        )
        self.gamma_initializer, self.gamma_regularizer, self.gamma_constraint = self._weight_arguments(
            gamma_initializer, gamma_regularizer, gamma_constraint
        )

    def add_factors(self, shape: Sequence[int]) -> None:
        """Creates gamma and beta of `shape`; one that the layer does without is the constant 1 or 0."""
        for name, wanted, otherwise in (("gamma", self.scale, 1.0), ("beta", self.center, 0.0)):
            if wanted:
                factor: Tensor = self._make_weight(name, shape)
            else:
                factor = Tensor(initializers.Constant(otherwise)(tuple(shape), dtype=self.dtype))
            setattr(self, name, factor)


def axes_of(layer: Any, rank: int) -> tuple[int, ...]:
    """The layer's `axis`, one or several, as axes of a sample in ascending order;
    raises ValueError if it has no such axes.
    """
    axes = (layer.axis,) if isinstance(layer.axis, int) else layer.axis
    found = tuple(sorted(a % rank for a in axes if -rank <= a < rank))
    if len(found) != len(axes) or not axes or found[0] == 0 or len(set(found)) < len(found):
        raise ValueError(
            f"{layer}: axis {layer.axis} must name axes of a sample, "
            f"1 to {rank - 1} of an input with {rank} axes"
        )
    return found


def sizes_of(layer: Any, axes: tuple[int, ...], input_shape: Any) -> tuple[int, ...]:
    """Sizes of `axes`; raises ValueError if one is not known."""
    sizes = tuple(input_shape[axis] for axis in axes)
    if None in sizes:
        raise ValueError(
            f"{layer}: the sizes of axes {axes} must be known, got an input of shape {tuple(input_shape)}"
        )
    return sizes


def expect_sizes(layer: Any, input_shape: Any) -> None:
    """From now on inputs must have the sizes of `input_shape` along the layer's `axis`,
    counted from where it is counted.
    """
    axes = (layer.axis,) if isinstance(layer.axis, int) else layer.axis
    layer._input_sizes = {axis: input_shape[axis] for axis in axes}
    if max(axes) >= 0:
        layer._input_rank = len(input_shape)
    else:
        layer._least_rank = max(layer._least_rank, 1 - min(axes))


def axis_argument(layer: Any, axis: Any) -> Any:
    """`axis` as an int or a list of ints; raises TypeError for anything else."""
    if hasattr(axis, "__index__") and not isinstance(axis, bool):
        return int(axis)
    if isinstance(axis, list | tuple) and all(
        hasattr(a, "__index__") and not isinstance(a, bool) for a in axis
    ):
        return [int(a) for a in axis]
    raise TypeError(f"{layer}: axis must be an integer or a list of integers such as [1, 2], got {axis!r}")
