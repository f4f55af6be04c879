"""Output shapes of layers that slide a window over an image."""

from typing import Any

from tinynet.kernels.conv2d.geometry import output_length
from tinynet.layers import arguments
from tinynet.layers.base import Shape


def window_shape(
    layer: Any,
    input_shape: Shape,
    window: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
    channels: int | None = None,
) -> Shape:
    """Shape of the output in the layer's data format; sizes that are unknown (None) stay unknown.

    Raises ValueError, naming the layer, where the window does not fit into the image.
    """
    shape = list(input_shape)
    axes = arguments.spatial_axes(layer.data_format)
    for axis, extent, stride, step in zip(axes, window, layer.strides, dilation, strict=True):
        size = input_shape[axis]
        if size is None:
            continue
        same = layer.padding == "same"
        shape[axis] = -(-size // stride) if same else output_length(size, extent, stride, (0, 0), step)
        if shape[axis] < 1:  # type: ignore[operator]
            raise ValueError(
                f"{layer}: a window of {window} does not fit into an input of shape {input_shape}; "
                "use padding='same', a smaller window, or fewer pooling layers before it"
            )
    if channels is not None:
        shape[3 if layer.data_format == "channels_last" else 1] = channels
    return tuple(shape)
