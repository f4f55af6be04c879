"""UnitNormalization and RMSNormalization: samples brought to one length."""

from collections.abc import Sequence
from typing import Any, Unpack

from tinynet import initializers, ops
from tinynet.autograd import Tensor
from tinynet.layers import arguments
from tinynet.layers.base import Elementwise, Shape
from tinynet.layers.normalization_base import axes_of, axis_argument, expect_sizes, sizes_of
from tinynet.layers.static_types import LayerArguments

SHORTEST = 1e-12  # a sample shorter than this is divided by it instead of by its length


class UnitNormalization(Elementwise):
    """y = x / max(|x|, 1e-12), with the Euclidean length |x| over `axis`, one axis or several.

    >>> UnitNormalization()(np.array([[3.0, 4.0]])).numpy().round(1)
    array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.axis = axis_argument(self, axis)

    def call(self, x: Any) -> Any:
        return to_unit_length(x, self.axis if isinstance(self.axis, int) else tuple(self.axis))


def to_unit_length(x: Any, axes: int | tuple[int, ...]) -> Any:
    """x / max(|x|, 1e-12) over `axes`."""
    return ops.normalize(x, axes, epsilon=SHORTEST)


class RMSNormalization(Elementwise):
    """y = scale x / sqrt(mean(x**2) + epsilon), with the mean over `axis`,
    one axis or several, whose sizes `scale` has.

    B. Zhang, R. Sennrich, "Root mean square layer normalization", NeurIPS 2019, equation 4.

    >>> RMSNormalization()(np.array([[3.0, 3.0]])).numpy().round(3)
    array([[1., 1.]], dtype=float32)
    """

    _least_rank = 2

    supports_masking = False  # as in Keras

    def __init__(
        self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis_argument(self, axis), arguments.number(epsilon, f"{self}: epsilon", 0)

    def build(self, input_shape: Shape) -> None:
        axes = axes_of(self, len(input_shape))
        sizes = sizes_of(self, axes, input_shape)
        self.scale = self.add_weight("scale", sizes, "ones")
        self._nothing = Tensor(initializers.Constant(0.0)((1,), dtype=self.dtype))  # added in place of a beta
        expect_sizes(self, input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        axes = axes_of(self, x.ndim)
        sample = tuple(size if axis in axes else 1 for axis, size in enumerate(x.shape))[1:]
        scale = ops.reshape(self.scale, sample)
        return ops.group_norm(x, scale, self._nothing, axes=axes, epsilon=self.epsilon, centred=False)
