"""BatchNormalization: every channel with mean 0 and variance 1, then scaled and shifted.

S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network training by reducing internal
covariate shift", ICML 2015, algorithm 1.
"""

from collections.abc import Sequence
from typing import Any, Unpack

from tinynet import initializers, ops
from tinynet.autograd.tensor import as_raw
from tinynet.kernels.batch_norm import follow
from tinynet.kernels.common import is_on_gpu
from tinynet.kernels.launches import lasting
from tinynet.layers import arguments
from tinynet.layers.base import Shape
from tinynet.layers.dropout import Dropout
from tinynet.layers.normalization_base import (
    NormalizationBase,
    axes_of,
    axis_argument,
    expect_sizes,
    sizes_of,
)
from tinynet.layers.static_types import LayerArguments
from tinynet.ops.norms_in_training import batch_norm_in_training


class BatchNormalization(NormalizationBase):
    """y = gamma (x - mean) / sqrt(var + epsilon) + beta, for every channel of `axis`.

    axis   the channels' axis; or, unlike in Keras, several: statistics and parameters then have their sizes,
           one of each for every place (axis=[1, 2] of images (N, H, W, C): H x W of them)

    In training, mean and (biased) variance are those of the batch over all other axes, and the moving ones
    follow: moving <- momentum moving + (1 - momentum) batch, the variance too without Bessel's correction, as
    in Keras. In inference, and in training while the layer is frozen (trainable=False), the moving ones are
    used and stay. `synchronized` has no effect on the one device there is.

    center, scale   whether there is a beta, and a gamma
    beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer
        what they begin as
    beta_regularizer, gamma_regularizer   penalties;  beta_constraint,
                                          gamma_constraint   what they are put back to
    renorm, renorm_clipping, renorm_momentum   Keras 2's; renorm=True is refused

    >>> BatchNormalization()(np.ones((2, 4)), training=True).numpy()[0]  # all are the mean
    array([0., 0., 0., 0.], dtype=float32)
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
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
        if renorm or renorm_clipping is not None:
            raise ValueError(
                f"{self}: batch renormalisation is not part of tinynet; leave renorm and renorm_clipping out"
            )
        axis = axis_argument(self, axis)
        self.axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
        self.momentum = arguments.number(momentum, f"{self}: momentum")
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Shape) -> None:
        axes = axes_of(self, len(input_shape))
        shape = sizes_of(self, axes, input_shape)
        self.add_factors(shape)
        self.moving_mean = self.add_weight(
            "moving_mean", shape, self.moving_mean_initializer, trainable=False
        )
        initializer = self.moving_variance_initializer
        self.moving_variance = self.add_weight("moving_variance", shape, initializer, trainable=False)
        expect_sizes(self, input_shape)
        super().build(input_shape)

    def call(self, x: Any, training: bool = False, dropout: Dropout | None = None) -> Any:
        """y; with a Dropout layer as `dropout` what that gives for y, in one pass where it can (joined.py).

        x   (N, ...), a Tensor. A penalty on the output is one on what is returned.
        """
        joined = training and self.trainable and self.axis in (-1, x.ndim - 1) and is_on_gpu(as_raw(x))
        if dropout is not None and not (joined and _can_be_taken_in(dropout, x.dtype)):
            return dropout(self.call(x, training), training=training)
        if joined:
            return self._in_one_pass(x, dropout)
        if not isinstance(self.axis, int):
            return self._over_places(x, training)
        return self._normalised(x, self.gamma, self.beta, self.axis % x.ndim, training)

    def _in_one_pass(self, x: Any, dropout: Dropout | None) -> Any:
        """y in training, with all that goes along with it: small launches take their time on a GPU."""
        parameters = self.moving_mean, self.moving_variance
        moving = *[p.data for p in parameters], self.momentum
        settings: dict[str, Any] = {"epsilon": self.epsilon, "moving": moving}
        if dropout is not None:
            dropout._build_once(x.shape)
            settings |= {"rate": dropout.rate, "words": dropout.next_words()}
        y = batch_norm_in_training(x, self.gamma, self.beta, **settings)
        for parameter in parameters:
            parameter.touch()
        return y

    def _normalised(self, x: Any, gamma: Any, beta: Any, axis: int, training: bool) -> Any:
        """x normalised along one axis, whose statistics may have another shape in the layer."""
        moving = self.moving_mean, self.moving_variance
        if not (training and self.trainable):
            mean, variance = (p if p.ndim == 1 else ops.reshape(p, -1) for p in moving)
            return ops.batch_norm_inference(x, gamma, beta, mean, variance, axis=axis, epsilon=self.epsilon)
        y, mean, variance = ops.batch_norm(x, gamma, beta, axis=axis, epsilon=self.epsilon)
        moving_mean, moving_variance = (parameter.data.reshape(-1) for parameter in moving)
        with lasting:
            follow(moving_mean, moving_variance, mean.data, variance.data, momentum=self.momentum)
        for parameter in moving:
            parameter.touch()
        return y

    def _over_places(self, x: Any, training: bool) -> Any:
        """Every place of several axes as a channel of its own, along one axis at the end."""
        axes = axes_of(self, x.ndim)
        order = (*(a for a in range(x.ndim) if a not in axes), *axes)
        moved = ops.transpose(x, order)
        gamma, beta = (ops.reshape(factor, -1) for factor in (self.gamma, self.beta))
        places = ops.reshape(moved, (*moved.shape[: -len(axes)], gamma.shape[0]))  # N ... H W as N ... HW
        y = ops.reshape(self._normalised(places, gamma, beta, places.ndim - 1, training), moved.shape)
        return ops.transpose(y, tuple(order.index(a) for a in range(x.ndim)))


def _can_be_taken_in(dropout: Dropout, dtype: Any) -> bool:
    """Whether one pass has the bits of a call of the layer: for a mask of x's own shape, and nothing besides,
    such as a penalty or what a subclass does.
    """
    plain = type(dropout) is Dropout and dropout.activity_regularizer is None and dropout.dtype == dtype
    return plain and dropout.rate > 0 and dropout.noise_shape is None
