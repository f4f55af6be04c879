"""GroupNormalization: groups of channels of every sample with mean 0 and variance 1.

Y. Wu, K. He, "Group normalization", ECCV 2018.
"""

from typing import Any, Unpack

from tinynet import ops
from tinynet.layers.base import Shape
from tinynet.layers.normalization_base import NormalizationBase, axes_of, expect_sizes, sizes_of
from tinynet.layers.static_types import LayerArguments


class GroupNormalization(NormalizationBase):
    """y = gamma (x - mean) / sqrt(var + epsilon) + beta,
    with mean and (biased) variance of a group of one sample.

    groups   the channels, C along `axis`, are divided into so many groups of neighbours; a group's numbers
             are those of its channels at all places. -1: each channel by itself (instance normalisation); 1:
             all together

    gamma and beta (C,). The same in training and in inference.

    center, scale   whether there is a beta, and a gamma
    beta_initializer, gamma_initializer   what they begin as;  beta_regularizer, gamma_regularizer   penalties
    beta_constraint, gamma_constraint   what they are put back to after every update

    >>> GroupNormalization(4)(np.ones((2, 7, 7, 16))).shape
    (2, 7, 7, 16)
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        if isinstance(groups, bool) or not hasattr(groups, "__index__") or (groups < 1 and groups != -1):
            raise ValueError(
                f"{self}: groups must be a positive integer, or -1 for one per channel, got {groups!r}"
            )
        if isinstance(axis, bool) or not hasattr(axis, "__index__"):
            raise TypeError(f"{self}: axis must be one integer, the channels', got {axis!r}")
        self.groups, self.axis = int(groups), int(axis)

    def build(self, input_shape: Shape) -> None:
        axis = axes_of(self, len(input_shape))[0]
        (channels,) = sizes_of(self, (axis,), input_shape)
        groups = channels if self.groups == -1 else self.groups
        if channels % groups:
            raise ValueError(
                f"{self}: {channels} channels along axis {self.axis} of an input of shape "
                f"{tuple(input_shape)} do not "
                f"divide into {groups} groups of equal size; give a divisor of {channels}, "
                "or -1 for one group per channel"
            )
        self.add_factors((channels,))
        expect_sizes(self, input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        (axis,), channels = axes_of(self, x.ndim), x.shape[self.axis]
        groups = channels if self.groups == -1 else self.groups
        grouped = groups, channels // groups
        apart = (*x.shape[:axis], *grouped, *x.shape[axis + 1 :])  # N ... G C/G ...
        axes = tuple(a for a in range(1, len(apart)) if a != axis)
        factor = (*grouped, *[1] * (x.ndim - 1 - axis))
        gamma, beta = (ops.reshape(each, factor) for each in (self.gamma, self.beta))
        y = ops.group_norm(ops.reshape(x, apart), gamma, beta, axes=axes, epsilon=self.epsilon)
        return ops.reshape(y, x.shape)
