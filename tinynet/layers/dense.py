"""Dense: every output is a weighted sum of all inputs."""

from typing import Any

from tinynet import activations, constraints, initializers, ops, regularizers
from tinynet.layers import arguments
from tinynet.layers.base import Layer, Shape

# Activations that run in one kernel with the product, and the names the operation has for them.
FUSED = {"linear": None, "relu": "relu", "elu": "elu", "selu": "selu", "sigmoid": "sigmoid", "tanh": "tanh"}


class Dense(Layer):
    """y = activation(x W + b), contracted over the last axis.

    x (N, ..., F), W (F, units), b (units,); y (N, ..., units).
    """

    min_rank = 2
    expects = ", samples (N, ..., features)"

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
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = arguments.positive(units, f"{self}: units")
        self.activation = arguments.activation(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer, self.bias_regularizer = map(regularizers.get, (kernel_regularizer, bias_regularizer))
        self.kernel_constraint, self.bias_constraint = map(constraints.get, (kernel_constraint, bias_constraint))
        self.bias: Any = None

    def build(self, input_shape: Shape) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(f"{self}: the size of the last axis must be known, got an input of shape {input_shape}")
        self.kernel = self.add_weight(
            "kernel",
            (features, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self._sizes = {-1: features}
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        name = getattr(self.activation, "__name__", "")
        if name in FUSED and self.activation is getattr(activations, name):
            return ops.linear(x, self.kernel, self.bias, FUSED[name])
        return self.activation(ops.linear(x, self.kernel, self.bias))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)
