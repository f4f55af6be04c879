"""Conv2D: the same small filters at every place of an image."""

from typing import Any, Unpack

from tinynet import ops
from tinynet.layers import arguments
from tinynet.layers.base import Shape
from tinynet.layers.convolution import Convolution
from tinynet.layers.output_shape import window_shape
from tinynet.layers.static_types import UnpenalisedArguments


class Conv(Convolution):
    """What Conv2D and Conv1D share: all but the call."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, ...],
        strides: int | tuple[int, ...] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | tuple[int, ...] = 1,
        groups: int = 1,
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
        self.filters = arguments.positive(filters, f"{self}: filters")
        self.set_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.refuse_strides_with_dilation()
        self.groups = arguments.positive(groups, f"{self}: groups")
        if self.filters % self.groups:
            raise ValueError(f"{self}: filters ({self.filters}) must be a multiple of groups ({self.groups})")
        self.set_activation(activation, use_bias)
        self.kernel_initializer, self.kernel_regularizer, self.kernel_constraint = self._weight_arguments(
            kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.bias_initializer, self.bias_regularizer, self.bias_constraint = self._weight_arguments(
            bias_initializer, bias_regularizer, bias_constraint
        )

    def build(self, input_shape: Shape) -> None:
        channels = self.known_channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"{self}: the number of channels must be a multiple of groups ({self.groups}), "
                f"got {channels} on axis {self.channel_axis} of an input of shape {input_shape}"
            )
        self.compute_output_shape(input_shape)  # raises if the kernel does not fit
        self.kernel = self._make_weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        if self.use_bias:
            self.bias = self._make_weight("bias", (self.filters,))
        super().build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return window_shape(self, input_shape, self.kernel_size, self.dilation_rate, channels=self.filters)


class Conv2D(Conv):
    """y = activation(x * W + b), the cross-correlation of images and filters.

    y[n, i, j, f] = b[f] + sum over kh, kw, c of x[n, i SH + kh DH - top, j SW + kw DW - left,
    c] W[kh, kw, c, f]

    x (N, H, W, C), W (KH, KW, C / groups, F), b (F,); y (N, OH, OW, F). Channels first: x (N, C, H, W), y
    likewise. Strides (SH, SW), dilation (DH, DW); c runs over the channels of the filter's group.
    OH = ceil(H / SH) for padding "same", floor((H - (KH - 1) DH - 1) / SH) + 1 for "valid".

    filters   number F of output channels;  kernel_size   (KH, KW), or one number for both
    strides, dilation_rate   (SH, SW) and (DH, DW), or one number each;  padding   "valid" or "same"
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`
    groups   the channels, and the filters, are divided into so many groups that do not see each other
    activation   None: y as it is; a name such as "relu", or a function;  use_bias   whether b is added
    kernel_initializer, bias_initializer   what the weights begin as
                                           (`tinynet.initializers`: a name or an object)
    kernel_regularizer, bias_regularizer   penalties on them, added to the loss (`tinynet.regularizers`)
    kernel_constraint, bias_constraint   what they are put back to after every update (`tinynet.constraints`)
    activity_regularizer, dtype, name, trainable   as in Layer

    >>> Conv2D(8, 3, activation="relu")(np.ones((2, 28, 28, 1))).shape
    (2, 26, 26, 8)
    """

    def call(self, x: Any) -> Any:
        y = ops.conv2d(
            x,
            self.kernel,
            self.bias,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            groups=self.groups,
            activation=self.fused(),
        )
        return self.activated(y)
