"""Normalisations, shapes and merging in ONNX, and the layers that do nothing at inference."""

from typing import Any

import numpy as np

from tinynet.layers import arguments
from tinynet.layers.normalization_base import axes_of
from tinynet.layers.unit_normalization import SHORTEST
from tinynet.saving.onnx.graph import Graph, Value, converts


@converts(
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "Identity",
    "InputLayer", "RandomFlip", "RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom",
    "SpatialDropout1D", "SpatialDropout2D",
)  # fmt: skip
def _nothing(g: Graph, layer: Any, x: Value) -> str:
    """y = x at inference."""
    return x.name


# Normalisations


@converts("BatchNormalization")
def _batch_normalization(g: Graph, layer: Any, x: Value) -> str:
    """With the moving statistics: y = x s + t, s = gamma / sqrt(variance + epsilon), t = beta - mean s."""
    axes = axes_of(layer, x.ndim)
    gamma, beta, mean, variance = (
        g.along(one, axes, x.ndim).astype(np.float64)
        for one in (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    )
    scale = gamma / np.sqrt(variance + layer.epsilon)
    return g("Add", g("Mul", x.name, scale.astype(g.dtype)), (beta - mean * scale).astype(g.dtype))


@converts("LayerNormalization")
def _layer_normalization(g: Graph, layer: Any, x: Value) -> str:
    axes = axes_of(layer, x.ndim)
    y = _standardised(g, x.name, list(axes), layer.epsilon)
    gamma, beta = (g.along(one, axes, x.ndim) for one in (layer.gamma, layer.beta))
    return g("Add", g("Mul", y, gamma), beta)


@converts("GroupNormalization")
def _group_normalization(g: Graph, layer: Any, x: Value) -> str:
    """Channels first and in groups, (N, G, everything else): every group is standardised by itself."""
    axis = axes_of(layer, x.ndim)[0]
    order = [0, axis, *(a for a in range(1, x.ndim) if a != axis)]
    first = g.moved(x.name, order)
    groups = x.shape[axis] if layer.groups == -1 else layer.groups
    y = _standardised(g, g("Reshape", first, [0, groups, -1]), [2], layer.epsilon)
    y = g.moved(g("Reshape", y, g("Shape", first)), [order.index(a) for a in range(x.ndim)])
    gamma, beta = (g.along(one, [axis], x.ndim) for one in (layer.gamma, layer.beta))
    return g("Add", g("Mul", y, gamma), beta)


@converts("RMSNormalization")
def _rms_normalization(g: Graph, layer: Any, x: Value) -> str:
    axes = axes_of(layer, x.ndim)
    mean = g("ReduceMean", g("Mul", x.name, x.name), list(axes), keepdims=1)
    y = g("Div", x.name, g("Sqrt", g("Add", mean, layer.epsilon)))
    return g("Mul", y, g.along(layer.scale, axes, x.ndim))


@converts("UnitNormalization")
def _unit_normalization(g: Graph, layer: Any, x: Value) -> str:
    return _of_unit_length(g, x.name, [layer.axis] if isinstance(layer.axis, int) else list(layer.axis))


@converts("Normalization")
def _normalization(g: Graph, layer: Any, x: Value) -> str:
    axes = sorted(axis % x.ndim for axis in layer.axis)
    mean, variance = (g.along(one, axes, x.ndim) for one in (layer.adapt_mean, layer.adapt_variance))
    deviation = np.maximum(np.sqrt(variance), 1e-7).astype(g.dtype)
    if layer.invert:
        return g("Add", g("Mul", x.name, deviation), mean)
    return g("Div", g("Sub", x.name, mean), deviation)


@converts("Rescaling")
def _rescaling(g: Graph, layer: Any, x: Value) -> str:
    scale, offset = (
        np.asarray(layer.placed(one, len(x.shape)), g.dtype) for one in (layer.scale, layer.offset)
    )
    return g("Add", g("Mul", x.name, scale), offset)


def _standardised(g: Graph, x: str, axes: list[int], epsilon: float) -> str:
    """(x - mean) / sqrt(variance + epsilon) over some axes."""
    centred = g("Sub", x, g("ReduceMean", x, axes, keepdims=1))
    variance = g("ReduceMean", g("Mul", centred, centred), axes, keepdims=1)
    return g("Div", centred, g("Sqrt", g("Add", variance, epsilon)))


def _of_unit_length(g: Graph, x: str, axes: list[int]) -> str:
    return g("Div", x, g("Max", g("ReduceL2", x, axes, keepdims=1), SHORTEST))


# Shapes


@converts("Flatten")
def _flatten(g: Graph, layer: Any, x: Value) -> str:
    last = (
        x.name
        if layer.data_format == "channels_last" or x.ndim < 3
        else g.moved(x.name, [0, *range(2, x.ndim), 1])
    )
    return g("Flatten", last, axis=1)


@converts("Reshape")
def _reshape(g: Graph, layer: Any, x: Value) -> str:
    return g("Reshape", x.name, [0, *layer.target_shape])


@converts("Permute")
def _permute(g: Graph, layer: Any, x: Value) -> str:
    return g.moved(x.name, [0, *layer.dims])


@converts("RepeatVector")
def _repeat(g: Graph, layer: Any, x: Value) -> str:
    return g("Expand", g("Unsqueeze", x.name, [1]), [1, layer.n, 1])


@converts("ZeroPadding1D", "ZeroPadding2D")
def _padding(g: Graph, layer: Any, x: Value) -> str:
    pairs = layer._pairs(x.ndim)
    return g("Pad", x.name, [before for before, _ in pairs] + [after for _, after in pairs])


@converts("Cropping1D", "Cropping2D")
def _cropping(g: Graph, layer: Any, x: Value) -> str:
    axes = arguments.spatial_axes(layer.data_format, len(layer.sides))
    end = np.iinfo(np.int64).max
    ends = [-after if after else end for _, after in layer.sides]
    return g("Slice", x.name, [before for before, _ in layer.sides], ends, list(axes))


@converts("UpSampling1D", "UpSampling2D")
def _upsampling(g: Graph, layer: Any, x: Value) -> str:
    """Nearest repeats rows and columns; bilinear takes the centres of pixels as their places."""
    size = (layer.size,) if isinstance(layer.size, int) else tuple(layer.size)
    data_format, method = (
        getattr(layer, "data_format", "channels_last"),
        getattr(layer, "interpolation", "nearest"),
    )
    if method not in ("nearest", "bilinear"):
        raise ValueError(f"{layer}: the interpolation {method!r} has no counterpart in ONNX")
    how = (
        {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
        if method == "nearest"
        else {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    )
    scales = np.array([1, 1, *size], np.float32)
    y = g("Resize", g.channels_first(x.name, x.ndim, data_format), None, scales, **how)
    return g.channels_back(y, x.ndim, data_format)


@converts("Embedding")
def _embedding(g: Graph, layer: Any, x: Value) -> str:
    return g("Gather", g.weight(layer.embeddings), g.cast(x, np.int64), axis=0)


# Merging


@converts("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
def _merge(g: Graph, layer: Any, inputs: list[Value]) -> str:
    kinds = {
        "Add": "Add",
        "Subtract": "Sub",
        "Multiply": "Mul",
        "Average": "Add",
        "Maximum": "Max",
        "Minimum": "Min",
    }
    rank = max(x.ndim for x in inputs)
    names = [
        x.name if x.ndim == rank else g("Unsqueeze", x.name, [*range(1, 1 + rank - x.ndim)]) for x in inputs
    ]
    y = names[0]
    for name in names[1:]:
        y = g(kinds[type(layer).__name__], y, name)
    return g("Div", y, float(len(inputs))) if type(layer).__name__ == "Average" else y


@converts("Concatenate")
def _concatenate(g: Graph, layer: Any, inputs: list[Value]) -> str:
    return g("Concat", *(x.name for x in inputs), axis=layer.axis)


@converts("Dot")
def _dot(g: Graph, layer: Any, inputs: list[Value]) -> str:
    x, y = inputs
    places = layer._places([x.shape, y.shape])
    names = [
        _of_unit_length(g, one.name, [a]) if layer.normalize else one.name
        for one, a in zip(inputs, places, strict=True)
    ]
    rows = g.moved(names[0], [*(a for a in range(x.ndim) if a != places[0]), places[0]])
    columns = g.moved(names[1], [0, places[1], *(a for a in range(1, y.ndim) if a != places[1])])
    size = x.shape[places[0]] if y.shape[places[1]] is None else y.shape[places[1]]
    if size is None:
        raise ValueError(
            f"{layer}: the size of the axis that is summed over must be known, got {x.shape} and {y.shape}"
        )
    product = g("MatMul", g("Reshape", rows, [0, -1, size]), g("Reshape", columns, [0, size, -1]))
    left = [0, *(-1 if n is None else n for n in layer.merged_shape([x.shape, y.shape])[1:])]
    if left.count(-1) > 1:
        raise ValueError(f"{layer}: at most one size of its output may be unknown, got {tuple(left)}")
    return g("Reshape", product, left)


@converts("Operation")
def _operation(g: Graph, layer: Any, x: Any) -> str:
    kinds = {
        "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "matmul": "MatMul",
        "power": "Pow",
        "negative": "Neg", "abs": "Abs",
    }  # fmt: skip
    kind = kinds[layer.operator]
    if isinstance(x, list):
        return g(kind, *(one.name for one in x))
    if layer.constant is None:
        return g(kind, x.name)
    constant = np.asarray(layer.constant, g.dtype)
    return g(kind, constant, x.name) if layer.left else g(kind, x.name, constant)
