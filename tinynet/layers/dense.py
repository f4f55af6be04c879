"""Dense: every output is a weighted sum of all inputs."""

from typing import Any, Unpack

from tinynet import ops
from tinynet.kernels.dense import ACTIVATIONS
from tinynet.layers import arguments
from tinynet.layers.base import Shape
from tinynet.layers.fused_activation import Activated
from tinynet.layers.static_types import UnpenalisedArguments


class Dense(Activated):
    """y = activation(x W + b), contracted over the last axis.

    x (N, ..., F), W (F, units), b (units,); y (N, ..., units).

    units   number of outputs;  use_bias   whether b is added
    activation   None: y as it is; a name such as "relu", or a function
    kernel_initializer, bias_initializer   first values of the weights
                                           (`tinynet.initializers`: a name or an object)
    kernel_regularizer, bias_regularizer   penalties on them, added to the loss (`tinynet.regularizers`)
    kernel_constraint, bias_constraint   what they are put back to after every update (`tinynet.constraints`)
    activity_regularizer, dtype, name, trainable   as in Layer

    >>> Dense(10, activation="softmax")(np.ones((2, 64))).shape
    (2, 10)
    """

    _takes_many = False
    supports_masking = True  # Keras's: a mask passes through
    _least_rank = 2  # axes that an input has at least, and what an error says of them
    _input_words = ", samples (N, ..., features)"
    _fused_names = tuple(ACTIVATIONS)  # activations that run in the kernel of the product

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[UnpenalisedArguments],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = arguments.positive(units, f"{self}: units")
        self.activation = activation
        self.use_bias = use_bias
        self.kernel_initializer, self.kernel_regularizer, self.kernel_constraint = self._weight_arguments(
            kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.bias_initializer, self.bias_regularizer, self.bias_constraint = self._weight_arguments(
            bias_initializer, bias_regularizer, bias_constraint
        )
        self.bias: Any = None

    def build(self, input_shape: Shape) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"{self}: the size of the last axis must be known, got an input of shape {input_shape}"
            )
        self.kernel = self._make_weight("kernel", (features, self.units))
        if self.use_bias:
            self.bias = self._make_weight("bias", (self.units,))
        self._input_sizes = {-1: features}
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        return self.activated(ops.linear(x, self.kernel, self.bias, self.fused()))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)
