"""Conv2DTranspose: every pixel paints a small picture; what a convolution does to its gradient."""

from typing import Any, Unpack

from tinynet import ops
from tinynet.kernels.conv2d.geometry import transposed_length
from tinynet.layers import arguments
from tinynet.layers.base import Shape
from tinynet.layers.convolution import Convolution
from tinynet.layers.static_types import UnpenalisedArguments


class Conv2DTranspose(Convolution):
    """y = activation(b + sum over pixels of x[n, i, j, c] W[:, :, f, c],
    painted at row i SH and column j SW).

    It is the gradient of a convolution with respect to its images: larger maps from smaller ones.
    x (N, H, W, C), W (KH, KW, F, C), b (F,); y (N, OH, OW, F).
    With K = (KH - 1) DH + 1 rows under the kernel,

        padding   output_padding None       output_padding p < SH
        valid     (H - 1) SH + max(K, SH)   (H - 1) SH + K + p
        same      H SH                      (H - 1) SH + (K mod 2) + p

    filters   number F of output channels;  kernel_size   (KH, KW), or one number for both
    strides, dilation_rate   (SH, SW) and (DH, DW), or one number each
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`
    activation   None: y as it is; a name such as "relu", or a function;  use_bias   whether b is added
    kernel_initializer, bias_initializer   what the weights begin as
                                           (`tinynet.initializers`: a name or an object)
    kernel_regularizer, bias_regularizer   penalties on them, added to the loss (`tinynet.regularizers`)
    kernel_constraint, bias_constraint   what they are put back to after every update (`tinynet.constraints`)
    activity_regularizer, dtype, name, trainable   as in Layer

    V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016, chapter 4.

    >>> Conv2DTranspose(8, 3, strides=2, padding="same")(np.ones((2, 7, 7, 16))).shape
    (2, 14, 14, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = (1, 1),
        padding: str = "valid",
        output_padding: int | tuple[int, int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | tuple[int, int] = (1, 1),
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
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = arguments.pair(output_padding, f"{self}: output_padding", minimum=0)
            if any(p >= s for p, s in zip(self.output_padding, self.strides, strict=True)):
                both = f"got {self.output_padding} and {self.strides}"
                raise ValueError(f"{self}: output_padding must be less than strides along each axis, {both}")
        self.set_activation(activation, use_bias)
        self.kernel_initializer, self.kernel_regularizer, self.kernel_constraint = self._weight_arguments(
            kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.bias_initializer, self.bias_regularizer, self.bias_constraint = self._weight_arguments(
            bias_initializer, bias_regularizer, bias_constraint
        )

    def build(self, input_shape: Shape) -> None:
        channels = self.known_channels(input_shape)
        self.compute_output_shape(input_shape)  # raises if nothing is left
        self.kernel = self._make_weight("kernel", (*self.kernel_size, self.filters, channels))
        if self.use_bias:
            self.bias = self._make_weight("bias", (self.filters,))
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        y = ops.conv2d_transpose(
            x,
            self.kernel,
            self.bias,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            activation=self.fused(),
        )
        return self.activated(y)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = list(input_shape)
        for i, axis in enumerate(arguments.spatial_axes(self.data_format)):
            size, extra = input_shape[axis], None if self.output_padding is None else self.output_padding[i]
            if size is not None:
                window = self.kernel_size[i], self.strides[i], self.padding, extra, self.dilation_rate[i]
                shape[axis], _ = transposed_length(size, *window)
        if any(0 in (shape[axis], input_shape[axis]) for axis in arguments.spatial_axes(self.data_format)):
            raise ValueError(
                f"{self}: inputs of shape {input_shape} leave nothing; use padding='valid' or a larger kernel"
            )
        shape[self.channel_axis] = self.filters
        return tuple(shape)
