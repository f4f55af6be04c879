"""Dense layers, convolutions and pooling in ONNX, whose images are (N, C, H, W):
channels last is transposed and back.
"""

from collections.abc import Sequence
from typing import Any

from tinynet.kernels.conv2d.geometry import padding_along, transposed_length
from tinynet.layers import arguments
from tinynet.saving.onnx.activations import activated
from tinynet.saving.onnx.graph import Graph, Value, converts


@converts("Dense")
def _dense(g: Graph, layer: Any, x: Value) -> str:
    """x W + b over the last axis."""
    y = g("MatMul", x.name, g.weight(layer.kernel))
    y = y if layer.bias is None else g("Add", y, g.weight(layer.bias))
    return activated(g, layer, y)


@converts("Conv1D", "Conv2D")
def _convolution(g: Graph, layer: Any, x: Value) -> str:
    """W (KH, KW, C / groups, F) is (F, C / groups, KH, KW) in ONNX."""
    kernel = g.weight(layer.kernel)
    weights = kernel.transpose(kernel.ndim - 1, kernel.ndim - 2, *range(kernel.ndim - 2))
    return activated(g, layer, _back(g, layer, x, _conv(g, layer, x, weights, layer.bias, layer.groups)))


@converts("DepthwiseConv2D")
def _depthwise(g: Graph, layer: Any, x: Value) -> str:
    y = _conv(g, layer, x, _by_channel(g.weight(layer.kernel)), layer.bias, layer.kernel.shape[2])
    return activated(g, layer, _back(g, layer, x, y))


@converts("SeparableConv2D")
def _separable(g: Graph, layer: Any, x: Value) -> str:
    kernel, mixing = g.weight(layer.depthwise_kernel), g.weight(layer.pointwise_kernel)
    y = _conv(g, layer, x, _by_channel(kernel), None, kernel.shape[2])
    bias = [] if layer.bias is None else [g.weight(layer.bias)]
    return activated(g, layer, _back(g, layer, x, g("Conv", y, mixing.transpose(3, 2, 0, 1), *bias)))


@converts("Conv2DTranspose")
def _transposed(g: Graph, layer: Any, x: Value) -> str:
    """W (KH, KW, F, C) is (C, F, KH, KW) in ONNX; what is cropped at the ends
    does not depend on the image's size.
    """
    begins, ends, extra = [], [], []
    for i in range(2):
        k, stride, step = layer.kernel_size[i], layer.strides[i], layer.dilation_rate[i]
        more = None if layer.output_padding is None else layer.output_padding[i]
        length, (left, _) = transposed_length(64, k, stride, layer.padding, more, step)
        right = 63 * stride + (k - 1) * step + 1 - left - length  # what is cut off, or, if negative, appended
        begins.append(left)
        ends.append(max(0, right))
        extra.append(max(0, -right))
    y = g(
        "ConvTranspose",
        g.channels_first(x.name, 4, layer.data_format),
        g.weight(layer.kernel).transpose(3, 2, 0, 1),
        *([] if layer.bias is None else [g.weight(layer.bias)]),
        strides=list(layer.strides), dilations=list(layer.dilation_rate), pads=[*begins, *ends],
        output_padding=extra,
    )  # fmt: skip
    return activated(g, layer, _back(g, layer, x, y))


def _by_channel(kernel: Any) -> Any:
    """(KH, KW, C, M) as (C M, 1, KH, KW): output c M + q belongs to channel c."""
    rows, columns, channels, multiplier = kernel.shape
    return kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, rows, columns)


def _conv(g: Graph, layer: Any, x: Value, weights: Any, bias: Any, groups: int) -> str:
    inputs = [
        g.channels_first(x.name, x.ndim, layer.data_format),
        weights,
        *([] if bias is None else [g.weight(bias)]),
    ]
    around = _padding(layer, x, layer.kernel_size, layer.dilation_rate)
    return g(
        "Conv",
        *inputs,
        strides=list(layer.strides),
        dilations=list(layer.dilation_rate),
        group=groups,
        **around,
    )


def _back(g: Graph, layer: Any, x: Value, y: str) -> str:
    return g.channels_back(y, x.ndim, layer.data_format)


def _padding(layer: Any, x: Value, window: Sequence[int], dilation: Sequence[int]) -> dict[str, Any]:
    """Attributes that say what is put around an image."""
    axes = arguments.spatial_axes(layer.data_format, len(window))
    begins, ends = [], []
    for axis, k, stride, step in zip(axes, window, layer.strides, dilation, strict=True):
        size = x.shape[axis]
        if size is None and layer.padding == "same" and stride > 1:
            return {"auto_pad": "SAME_UPPER"}
        begin, end = padding_along(layer.padding, 1 if size is None else size, k, stride, step)
        begins.append(begin)
        ends.append(end)
    return {"pads": [*begins, *ends]}


@converts("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D")
def _pooling(g: Graph, layer: Any, x: Value) -> str:
    """Cells outside of the image never win, and do not count in a mean."""
    kind = type(layer).__name__
    around = _padding(layer, x, layer.pool_size, (1,) * len(layer.pool_size))
    settings = {"kernel_shape": list(layer.pool_size), "strides": list(layer.strides), **around}
    image = g.channels_first(x.name, x.ndim, layer.data_format)
    if kind.startswith("Max"):
        return _back(g, layer, x, g("MaxPool", image, **settings))
    return _back(g, layer, x, g("AveragePool", image, count_include_pad=0, **settings))


@converts("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D")
def _global(g: Graph, layer: Any, x: Value) -> str:
    axes = list(arguments.spatial_axes(layer.data_format, x.ndim - 2))
    kind = "ReduceMax" if "Max" in type(layer).__name__ else "ReduceMean"
    return g(kind, x.name, axes, keepdims=int(layer.keepdims))
