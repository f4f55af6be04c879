"""Conv2D: the same small filters at every place of an image."""

from typing import Any

from tinynet import activations, initializers, ops
from tinynet.backend.config import check_data_format
from tinynet.layers import arguments
from tinynet.layers.base import Layer, Shape
from tinynet.layers.windows import window_shape


class Conv2D(Layer):
    """y = activation(x * W + b), the cross-correlation of images and filters.

    y[n, i, j, f] = b[f] + sum over kh, kw, c of x[n, i SH + kh DH - top, j SW + kw DW - left, c] W[kh, kw, c, f]

    x (N, H, W, C), W (KH, KW, C / groups, F), b (F,); y (N, OH, OW, F). Channels first: x (N, C, H, W), y likewise.
    Strides (SH, SW), dilation (DH, DW); c runs over the channels of the filter's group.
    OH = ceil(H / SH) for padding "same", floor((H - (KH - 1) DH - 1) / SH) + 1 for "valid".
    """

    rank = 4
    expects = ", images (N, H, W, C) or, channels first, (N, C, H, W); x[..., None] adds a channel axis to grey images"

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | tuple[int, int] = (1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = arguments.positive(filters, f"{self}: filters")
        self.kernel_size = arguments.pair(kernel_size, f"{self}: kernel_size")
        self.strides = arguments.pair(strides, f"{self}: strides")
        self.padding = arguments.padding_name(padding)
        self.data_format = check_data_format(data_format)
        self.dilation_rate = arguments.pair(dilation_rate, f"{self}: dilation_rate")
        self.groups = arguments.positive(groups, f"{self}: groups")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias: Any = None
        if self.filters % self.groups:
            raise ValueError(f"{self}: filters ({self.filters}) must be a multiple of groups ({self.groups})")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            both = f"strides {self.strides} and dilation_rate {self.dilation_rate}"
            raise ValueError(f"{self}: {both} cannot both exceed 1")

    def build(self, input_shape: Shape) -> None:
        axis = 3 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None or channels % self.groups:
            raise ValueError(
                f"{self}: the number of channels must be known and a multiple of groups ({self.groups}), "
                f"got {channels} on axis {axis} of an input of shape {input_shape}"
            )
        self.compute_output_shape(input_shape)  # raises if the kernel does not fit
        self.kernel = self.add_weight(
            "kernel", (*self.kernel_size, channels // self.groups, self.filters), self.kernel_initializer
        )
        if self.use_bias:
            self.bias = self.add_weight("bias", (self.filters,), self.bias_initializer)
        self._sizes = {axis: channels}
        super().build(input_shape)

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
            activation="relu" if self.activation is activations.relu else None,
        )
        return y if self.activation in (activations.linear, activations.relu) else self.activation(y)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return window_shape(self, input_shape, self.kernel_size, self.dilation_rate, channels=self.filters)
