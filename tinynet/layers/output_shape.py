"""Output shapes of layers that slide a window over an image."""

from typing import Any

from tinynet.kernels.conv2d.geometry import output_length, padding_along
from tinynet.layers import arguments
from tinynet.layers.base import Shape


def window_shape(
    layer: Any,
    input_shape: Shape,
    window: tuple[int, ...],
    dilation: tuple[int, ...] | None = None,
    channels: int | None = None,
) -> Shape:
    """Shape of the output in the layer's data format; sizes that are unknown (None) stay unknown.

    Raises ValueError, naming the layer, where the window does not fit into the image.
    """
    shape, steps = list(input_shape), dilation or (1,) * len(window)
    axes = arguments.spatial_axes(layer.data_format, len(window))
    for axis, extent, stride, step in zip(axes, window, layer.strides, steps, strict=True):
        size = input_shape[axis]
        if size is None:
            continue
        around = padding_along(layer.padding, size, extent, stride, step)
        shape[axis] = length = output_length(size, extent, stride, around, step)
        if length < 1:
            effective = f" with dilation {steps}" if max(steps) > 1 else ""
            raise ValueError(
                f"{layer}: a window of {window}{effective} does not fit into an input "
                f"of shape {input_shape}; "
                "use padding='same', a smaller window, or fewer pooling layers before it"
            )
    if channels is not None:
        shape[-1 if layer.data_format == "channels_last" else 1] = channels
    return tuple(shape)
