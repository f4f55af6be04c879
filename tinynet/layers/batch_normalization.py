"""BatchNormalization: every channel with mean 0 and variance 1, then scaled and shifted.

S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate shift",
ICML 2015, algorithm 1.
"""

from typing import Any

from tinynet import initializers, ops
from tinynet.autograd import Tensor
from tinynet.kernels.batch_norm import follow
from tinynet.layers.base import Elementwise, Shape


class BatchNormalization(Elementwise):
    """y = gamma (x - mean) / sqrt(var + epsilon) + beta, for every channel of `axis`.

    In training, mean and (biased) variance are those of the batch over all other axes, and the moving ones follow:
    moving <- momentum moving + (1 - momentum) batch, the variance too without Bessel's correction, as in Keras. In
    inference, and in training while the layer is frozen (trainable=False), the moving ones are used and stay.
    """

    min_rank = 2

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not hasattr(axis, "__index__"):
            raise TypeError(f"{self}: axis must be one integer, got {axis!r}; such as axis=1")
        self.axis, self.momentum, self.epsilon = int(axis), momentum, epsilon
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Shape) -> None:
        rank = len(input_shape)
        if not -rank < self.axis < rank or self.axis == 0 or input_shape[self.axis] is None:
            raise ValueError(f"{self}: axis {self.axis} must have a known size and not be the batch, got {input_shape}")
        shape: Any = (input_shape[self.axis],)
        self.gamma = self._vector("gamma", shape, self.gamma_initializer if self.scale else None, 1.0)
        self.beta = self._vector("beta", shape, self.beta_initializer if self.center else None, 0.0)
        self.moving_mean = self.add_weight("moving_mean", shape, self.moving_mean_initializer, trainable=False)
        initializer = self.moving_variance_initializer
        self.moving_variance = self.add_weight("moving_variance", shape, initializer, trainable=False)
        self._sizes = {self.axis: shape[0]}
        super().build(input_shape)

    def _vector(self, name: str, shape: Any, initializer: Any, otherwise: float) -> Tensor:
        """A parameter, or without an initializer the constant that leaves the formula as it is."""
        if initializer is not None:
            return self.add_weight(name, shape, initializer)
        return Tensor(initializers.Constant(otherwise)(shape, dtype=self.dtype))

    def call(self, x: Any, training: bool = False) -> Any:
        axis = self.axis % x.ndim
        if not (training and self.trainable):
            mean, variance = self.moving_mean, self.moving_variance
            return ops.batch_norm_inference(x, self.gamma, self.beta, mean, variance, axis=axis, epsilon=self.epsilon)
        y, mean, variance = ops.batch_norm(x, self.gamma, self.beta, axis=axis, epsilon=self.epsilon)
        moving = self.moving_mean, self.moving_variance
        follow(*(parameter.data for parameter in moving), mean.data, variance.data, momentum=self.momentum)
        for parameter in moving:
            parameter.touch()
        return y
