"""What the convolutions share: how their arguments are read, their channels counted, their weights made."""

from typing import Any

from tinynet.backend.config import check_data_format
from tinynet.layers import arguments
from tinynet.layers.base import Shape
from tinynet.layers.fused_activation import Activated

IMAGES = (
    ", images (N, H, W, C) or, channels first, (N, C, H, W); x[..., None] adds a channel axis to grey images"
)
SEQUENCES = ", sequences (N, L, C) or, channels first, (N, C, L)"


class Convolution(Activated):
    """Base of the convolutions over images, and, with `rank` 3, over sequences."""

    _takes_many = False
    _input_rank = 4
    _input_words = IMAGES
    bias: Any = None
    _fused_names = ("relu",)

    def set_window(
        self, kernel_size: Any, strides: Any, padding: Any, data_format: str | None, dilation_rate: Any
    ) -> None:
        """Reads the arguments that say where the window lies."""
        axes = self._input_rank - 2  # type: ignore[operator]
        self.kernel_size = arguments.sizes(kernel_size, axes, f"{self}: kernel_size")
        self.strides = arguments.sizes(strides, axes, f"{self}: strides")
        self.padding = arguments.padding_name(padding, causal=axes == 1)
        self.data_format = check_data_format(data_format)
        self.dilation_rate = arguments.sizes(dilation_rate, axes, f"{self}: dilation_rate")
        self.channel_axis = 1 if self.data_format == "channels_first" else axes + 1

    def refuse_strides_with_dilation(self) -> None:
        """Raises ValueError if both exceed 1."""
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            both = f"strides {self.strides} and dilation_rate {self.dilation_rate}"
            raise ValueError(f"{self}: {both} cannot both exceed 1")

    def set_activation(self, activation: Any, use_bias: bool) -> None:
        """Reads what follows the products."""
        self.activation = activation
        self.use_bias = bool(use_bias)

    def known_channels(self, input_shape: Shape) -> int:
        """Channels of the input, which every later input must have; raises ValueError if they are unknown."""
        channels = input_shape[self.channel_axis]
        if channels is None:
            raise ValueError(
                f"{self}: the number of channels must be known, got None on axis {self.channel_axis} "
                f"of an input of shape {input_shape}"
            )
        self._input_sizes = {self.channel_axis: channels}
        return channels
