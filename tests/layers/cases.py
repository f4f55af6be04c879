"""One line for every layer: arguments and inputs that test_every_layer.py and others try it with."""

import inspect
from typing import Any, NamedTuple

import numpy as np

from tinynet import layers
from tinynet.utils import set_random_seed


class Case(NamedTuple):
    """A layer's arguments, and its inputs, of which channels_first moves the last axis."""

    arguments: dict[str, Any]
    shape: Any  # of the input; a list of shapes: several inputs
    needs: tuple[int, ...] = ()  # axes whose size must be known
    any_rank: bool = False  # takes whatever it gets
    ids: int = 0  # inputs are integers below this


IMAGE, SEQUENCE, VECTOR = (3, 5, 6, 4), (3, 7, 4), (3, 4)
SMALL = {"kernel_size": 3, "bias_initializer": "normal"}
SCALED = {"gamma_initializer": "normal", "beta_initializer": "normal"}

CASES = {
    "Activation": Case({"activation": "gelu"}, IMAGE),
    "ActivityRegularization": Case({"l1": 0.1, "l2": 0.2}, VECTOR),
    "Add": Case({}, [(3, 4), (3, 2, 4), (3, 1, 1)]),
    "AlphaDropout": Case({"rate": 0.3, "seed": 1}, VECTOR),
    "Average": Case({}, [(3, 2, 4), (3, 2, 4)]),
    "AveragePooling1D": Case({"pool_size": 3, "strides": 2, "padding": "same"}, SEQUENCE),
    "AveragePooling2D": Case({"pool_size": (2, 3), "padding": "same"}, IMAGE),
    "BatchNormalization": Case({"momentum": 0.8, **SCALED}, IMAGE, (-1,)),
    "Concatenate": Case({"axis": 1}, [(3, 2, 4), (3, 5, 4)]),
    "Conv1D": Case(
        {"filters": 4, **SMALL, "padding": "causal", "dilation_rate": 2, "groups": 2}, SEQUENCE, (-1,)
    ),
    "Conv2D": Case(
        {"filters": 6, **SMALL, "strides": (2, 1), "padding": "same", "activation": "tanh"}, IMAGE, (-1,)
    ),
    "Conv2DTranspose": Case({"filters": 3, **SMALL, "strides": 2, "activation": "elu"}, (2, 3, 4, 4), (-1,)),
    "Cropping1D": Case({"cropping": (1, 2)}, SEQUENCE),
    "Cropping2D": Case({"cropping": ((1, 0), (2, 1))}, IMAGE),
    "Dense": Case({"units": 3, "activation": "sigmoid", "bias_initializer": "normal"}, (3, 2, 4), (-1,)),
    "DepthwiseConv2D": Case(
        {**SMALL, "depth_multiplier": 2, "dilation_rate": 2, "padding": "same"}, IMAGE, (-1,)
    ),
    "Dot": Case({"axes": (1, 2), "normalize": True}, [(3, 4), (3, 2, 4)]),
    "Dropout": Case({"rate": 0.4, "seed": 2}, VECTOR),
    "ELU": Case({"alpha": 0.7}, VECTOR),
    "Embedding": Case({"input_dim": 6, "output_dim": 3}, SEQUENCE, ids=6),
    "Flatten": Case({}, IMAGE),
    "GaussianDropout": Case({"rate": 0.4, "seed": 3}, VECTOR),
    "GaussianNoise": Case({"stddev": 0.4, "seed": 3}, VECTOR),
    "GlobalAveragePooling1D": Case({}, SEQUENCE),
    "GlobalAveragePooling2D": Case({"keepdims": True}, IMAGE),
    "GlobalMaxPooling1D": Case({"keepdims": True}, SEQUENCE),
    "GlobalMaxPooling2D": Case({}, IMAGE),
    "GroupNormalization": Case({"groups": 2, **SCALED}, IMAGE, (-1,)),
    "Identity": Case({}, VECTOR),
    "InputLayer": Case({"batch_shape": (None, 4)}, VECTOR),
    "Lambda": Case({"function": "square"}, IMAGE, any_rank=True),
    "LayerNormalization": Case({"axis": [-2, -1], **SCALED}, IMAGE, (-2, -1)),
    "LeakyReLU": Case({}, VECTOR),
    "MaxPooling1D": Case({"pool_size": 3, "strides": 2}, SEQUENCE),
    "MaxPooling2D": Case({"pool_size": 2, "padding": "same"}, IMAGE),
    "Maximum": Case({}, [(3, 2, 4), (3, 2, 4), (3, 4)]),
    "Minimum": Case({}, [(3, 2, 4), (3, 2, 4)]),
    "Multiply": Case({}, [(3, 2, 4), (3, 2, 4), (3, 1, 4)]),
    "Normalization": Case({"axis": -1, "mean": [1.0, 2, 3, 4], "variance": [4.0, 3, 2, 1]}, IMAGE, (-1,)),
    "PReLU": Case({"shared_axes": [1, 2], "alpha_initializer": "normal"}, IMAGE, (-1,)),
    "Permute": Case({"dims": (2, 3, 1)}, IMAGE),
    "RMSNormalization": Case({"axis": -1}, IMAGE, (-1,)),
    "RReLU": Case({"seed": 4}, VECTOR),
    "RandomFlip": Case({"seed": 5}, IMAGE),
    "RandomRotation": Case({"factor": 0.2, "seed": 5}, IMAGE),
    "RandomShear": Case({"x_factor": 0.2, "y_factor": 0.1, "seed": 5}, IMAGE),
    "RandomTranslation": Case({"height_factor": 0.3, "width_factor": 0.2, "seed": 5}, IMAGE),
    "RandomZoom": Case({"height_factor": 0.3, "seed": 5}, IMAGE),
    "ReLU": Case({"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}, VECTOR),
    "RepeatVector": Case({"n": 3}, VECTOR),
    "Rescaling": Case({"scale": 0.5, "offset": [1.0, 2, 3, 4]}, IMAGE),
    "Reshape": Case({"target_shape": (2, -1)}, IMAGE),
    "SeparableConv2D": Case(
        {"filters": 3, **SMALL, "depth_multiplier": 2, "activation": "relu"}, IMAGE, (-1,)
    ),
    "Softmax": Case({"axis": [1, -1]}, (3, 2, 4)),
    "SpatialDropout1D": Case({"rate": 0.4, "seed": 6}, SEQUENCE),
    "SpatialDropout2D": Case({"rate": 0.4, "seed": 6}, IMAGE),
    "Subtract": Case({}, [(3, 2, 4), (3, 2, 4)]),
    "UnitNormalization": Case({"axis": [1, 2]}, IMAGE),
    "UpSampling1D": Case({"size": 3}, SEQUENCE),
    "UpSampling2D": Case({"size": (2, 3), "interpolation": "bilinear"}, (2, 3, 4, 2)),
    "ZeroPadding1D": Case({"padding": (2, 1)}, SEQUENCE),
    "ZeroPadding2D": Case({"padding": ((1, 0), (2, 3))}, IMAGE),
}
FORMATS = [(name, None) for name in CASES] + [
    (name, "channels_first")
    for name in CASES
    if "data_format" in inspect.signature(getattr(layers, name)).parameters
]


def make(name, data_format, /, **settings):
    """(layer, its inputs in float64: an array or a list of them), the same each time"""
    set_random_seed(7)
    rng = np.random.default_rng(7)
    case = CASES[name]
    chosen = {**case.arguments, **({"data_format": data_format} if data_format else {}), **settings}
    layer = getattr(layers, name)(**chosen)
    shapes = case.shape if isinstance(case.shape, list) else [case.shape]
    draw = (
        (lambda shape: rng.integers(case.ids, size=shape))
        if case.ids
        else (lambda shape: rng.normal(size=shape))
    )
    x = [np.moveaxis(draw(shape), -1, 1) if data_format else draw(shape) for shape in shapes]
    return layer, x if isinstance(case.shape, list) else x[0]


def freeze(layer):
    """The same random numbers in the next call as in the first one."""
    if hasattr(layer, "_draw_count"):
        layer._draw_count = 0


def of(x, change):
    """change(one) for the input or for each of the inputs."""
    return [change(one) for one in x] if isinstance(x, list) else change(x)
