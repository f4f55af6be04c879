"""LayerNormalization: every sample with mean 0 and variance 1, by itself.

J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", 2016, section 3.
"""

from collections.abc import Sequence
from typing import Any, Unpack

from tinynet import ops
from tinynet.layers.base import Shape
from tinynet.layers.normalization_base import (
    NormalizationBase,
    axes_of,
    axis_argument,
    expect_sizes,
    sizes_of,
)
from tinynet.layers.static_types import LayerArguments


class LayerNormalization(NormalizationBase):
    """y = gamma (x - mean) / sqrt(var + epsilon) + beta,
    with mean and (biased) variance over `axis` of every sample.

    axis   an axis or several; gamma and beta have their sizes. Unlike the batch's, these statistics are the
           same in training and in inference.

    center, scale   whether there is a beta, and a gamma
    beta_initializer, gamma_initializer   what they begin as;  beta_regularizer, gamma_regularizer   penalties
    beta_constraint, gamma_constraint   what they are put back to after every update

    >>> LayerNormalization()(np.array([[1.0, 3.0]])).numpy().round(2)
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
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
        super().__init__(
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.axis = axis_argument(self, axis)

    def build(self, input_shape: Shape) -> None:
        axes = axes_of(self, len(input_shape))
        sizes = sizes_of(self, axes, input_shape)
        self.add_factors(sizes)
        expect_sizes(self, input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        axes = axes_of(self, x.ndim)
        sample = tuple(size if axis in axes else 1 for axis, size in enumerate(x.shape))[1:]
        gamma, beta = (ops.reshape(factor, sample) for factor in (self.gamma, self.beta))
        return ops.group_norm(x, gamma, beta, axes=axes, epsilon=self.epsilon)
