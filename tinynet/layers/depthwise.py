"""Depthwise and separable convolutions: every channel is filtered by itself,
and then, perhaps, channels are mixed.

A 3x3 convolution of C channels to F takes 9 C F products for each pixel; filtering each channel and mixing
afterwards takes 9 C + C F. L. Sifre, "Rigid-motion scattering for image classification", 2014, section
6.2; F. Chollet, "Xception", CVPR 2017.
"""

from typing import Any, Unpack

from tinynet import ops
from tinynet.layers import arguments
from tinynet.layers.base import Shape
from tinynet.layers.convolution import Convolution
from tinynet.layers.output_shape import window_shape
from tinynet.layers.static_types import UnpenalisedArguments


class DepthwiseConv2D(Convolution):
    """y[n, i, j, c M + q] = activation(b[c M + q] + sum over kh, kw of x[n, row(i,
    kh), column(j, kw), c] W[kh, kw, c, q]).

    x (N, H, W, C), W (KH, KW, C, M), b (C M,); y (N, OH, OW, C M), where M is `depth_multiplier`. Rows,
    columns and sizes are those of Conv2D.

    kernel_size, strides, dilation_rate   pairs, or one number each;  padding   "valid" or "same"
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`
    activation   None: y as it is; a name such as "relu", or a function;  use_bias   whether b is added
    depthwise_initializer, bias_initializer   what the weights begin as (`tinynet.initializers`: a name or an
                                              object)
    depthwise_regularizer, bias_regularizer   penalties on them, added to the loss (`tinynet.regularizers`)
    depthwise_constraint, bias_constraint   what they are put back to after every
                                            update (`tinynet.constraints`)
    activity_regularizer, dtype, name, trainable   as in Layer

    >>> DepthwiseConv2D(3, depth_multiplier=2)(np.ones((2, 28, 28, 4))).shape
    (2, 26, 26, 8)
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | tuple[int, int] = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[UnpenalisedArguments],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = arguments.positive(depth_multiplier, f"{self}: depth_multiplier")
        self.set_activation(activation, use_bias)
        self.depthwise_initializer, self.depthwise_regularizer, self.depthwise_constraint = (
            self._weight_arguments(depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        )
        self.bias_initializer, self.bias_regularizer, self.bias_constraint = self._weight_arguments(
            bias_initializer, bias_regularizer, bias_constraint
        )

    def build(self, input_shape: Shape) -> None:
        channels = self.known_channels(input_shape)
        self.compute_output_shape(input_shape)  # raises if the kernel does not fit
        self.kernel = self._make_weight(
            "kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise"
        )
        if self.use_bias:
            self.bias = self._make_weight("bias", (channels * self.depth_multiplier,))
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        y = ops.depthwise_conv2d(
            x,
            self.kernel,
            self.bias,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            activation=self.fused(),
        )
        return self.activated(y)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        channels = input_shape[self.channel_axis]
        filters = None if channels is None else channels * self.depth_multiplier
        return window_shape(self, input_shape, self.kernel_size, self.dilation_rate, channels=filters)


class SeparableConv2D(Convolution):
    """A depthwise convolution, without bias and activation, and a convolution with a 1x1 kernel,
    which mixes the channels.

    x (N, H, W, C); depthwise kernel (KH, KW, C, M), pointwise kernel (1, 1, C M, F), b (F,); y (N, OH,
    OW, F). Strides, padding and dilation belong to the depthwise one.

    filters
        number F of output channels;  depth_multiplier   M;  kernel_size, strides, dilation_rate   pairs, or
                                                         numbers
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`
    activation   None: y as it is; a name such as "relu", or a function;  use_bias   whether b is added
    depthwise_initializer, pointwise_initializer, bias_initializer
        what the weights begin as (`tinynet.initializers`)
    depthwise_regularizer, pointwise_regularizer, bias_regularizer   penalties on them, added to the loss
    depthwise_constraint, pointwise_constraint, bias_constraint   what they are put back to after every update
    activity_regularizer, dtype, name, trainable   as in Layer

    >>> SeparableConv2D(8, 3, padding="same")(np.ones((2, 28, 28, 4))).shape
    (2, 28, 28, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | tuple[int, int] = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[UnpenalisedArguments],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = arguments.positive(filters, f"{self}: filters")
        self.set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = arguments.positive(depth_multiplier, f"{self}: depth_multiplier")
        self.set_activation(activation, use_bias)
        self.depthwise_initializer, self.depthwise_regularizer, self.depthwise_constraint = (
            self._weight_arguments(depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        )
        self.pointwise_initializer, self.pointwise_regularizer, self.pointwise_constraint = (
            self._weight_arguments(pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        )
        self.bias_initializer, self.bias_regularizer, self.bias_constraint = self._weight_arguments(
            bias_initializer, bias_regularizer, bias_constraint
        )

    def build(self, input_shape: Shape) -> None:
        channels, multiplier = self.known_channels(input_shape), self.depth_multiplier
        self.compute_output_shape(input_shape)  # raises if the kernel does not fit
        self.depthwise_kernel = self._make_weight(
            "depthwise_kernel", (*self.kernel_size, channels, multiplier), "depthwise"
        )
        self.pointwise_kernel = self._make_weight(
            "pointwise_kernel", (1, 1, channels * multiplier, self.filters), "pointwise"
        )
        if self.use_bias:
            self.bias = self._make_weight("bias", (self.filters,))
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        y = ops.depthwise_conv2d(
            x,
            self.depthwise_kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        y = ops.conv2d(
            y, self.pointwise_kernel, self.bias, data_format=self.data_format, activation=self.fused()
        )
        return self.activated(y)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return window_shape(self, input_shape, self.kernel_size, self.dilation_rate, channels=self.filters)
