"""One example of every operation for given shapes: its arrays and settings, and how many FLOPs it takes.

A FLOP is an addition, multiplication, division, comparison or root of numbers of the arrays; an exponential
counts as one.
"""

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..common import Operation
from ..conv2d.geometry import output_size
from . import arrays
from .arrays import Made, Settings, Shape

Flops = float | Callable[[Settings, tuple[Any, ...]], float]  # for each element of the largest array, or all


class Example(NamedTuple):
    """An operation with the arrays and settings that it is called with."""

    operation: Operation
    arrays: tuple[Any, ...]
    settings: Settings
    flops: float

    @property
    def dtype(self) -> Any:
        return self.arrays[0].dtype

    def run(self) -> Any:
        return self.operation(*self.arrays, **self.settings)


class Family(NamedTuple):
    """What `explain` asks for, and how it makes arguments of that."""

    takes: tuple[str, ...]  # shapes
    settings: Settings  # and what they are unless something else is said
    arguments: Callable[..., Made]  # (arrays maker, *shapes, settings) -> and settings that follow
    flops: dict[str, Flops]  # 1 where nothing is said
    shown: tuple[str, ...] = ()  # what stands for the family; () is all


def _convolved(settings: Settings, given: tuple[Any, ...]) -> float:
    return settings["flops"]


def _window(settings: Settings, given: tuple[Any, ...]) -> float:
    """A comparison or an addition for each output and cell of its window, all of them inside."""
    n, h, w, c = given[0].shape
    output = output_size((h, w), settings["pool_size"], settings["strides"], settings["padding"], (1, 1))
    return float(n * c * math.prod(output) * math.prod(settings["pool_size"]))


def _resized(settings: Settings, given: tuple[Any, ...]) -> float:
    n, _, _, c = given[0].shape
    return 8.0 * n * c * math.prod(settings["size"])


def _product(times: int, left: int) -> Callable[[Settings, tuple[Any, ...]], float]:
    """FLOPs of `times` products of the size of given[left] @ given[left + 1]."""
    return lambda settings, given: 2.0 * times * given[left].size * given[left + 1].shape[-1]


RULES: Settings = {
    "learning_rate": 1e-3, "alpha": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "rho": 0.9,
    "momentum": 0.0, "ahead": 1.0, "v_scale": 1.0, "rate": 1e-4, "scale": 1, "steps": 1, "add": True,
    "overwrite": False, "nesterov": False,
}  # fmt: skip
POOL: Settings = {"pool_size": (2, 2), "strides": None, "padding": "valid"}
CONVOLUTION: Settings = {"strides": (1, 1), "padding": "valid", "dilation": (1, 1), "groups": 1}
IMAGES, ROWS = ("x (N, H, W, C)",), ("x (N, ..., C)",)

FAMILIES: dict[str, Family] = {
    "activations": Family(
        ("x",), {"negative_slope": 0.3, "alpha": 1.0, "approximate": False}, arrays.alike("activations"), {},
        ("relu", "relu_grad"),
    ),
    "average_pool2d": Family(IMAGES, POOL, arrays.pool("average_pool2d"), {"average_pool2d": _window}),
    "batch_norm": Family(
        ROWS, {"epsilon": 1e-3, "rate": 0.5}, arrays.batch_norm,
        {"batch_norm": 7, "batch_norm_grad": 10, "batch_norm_inference": 3, "batch_norm_dropout": 8,
         "batch_norm_dropout_grad": 11, "batch_norm_relu_grad": 11},
        ("batch_norm", "batch_norm_grad", "batch_norm_inference"),
    ),
    "binary_crossentropy": Family(
        ("z",), {}, arrays.alike("binary_crossentropy"),
        {"binary_crossentropy": 6, "binary_crossentropy_grad": 6},
    ),
    "conv2d": Family(
        (*IMAGES, "w (KH, KW, C/groups, F)"), CONVOLUTION, arrays.conv2d,
        {"conv2d": _convolved, "conv2d_input_grad": _convolved, "conv2d_weight_grad": _convolved},
        ("conv2d", "conv2d_input_grad", "conv2d_weight_grad", "conv2d_bias_grad"),
    ),
    "dense": Family(
        ("x (N, K)", "w (K, M)"), {"activation": None}, arrays.dense,
        {"dense": _product(1, 0), "dense_grad": _product(2, 1)},
    ),
    "dropout": Family(("x (N, ...)",), {"rate": 0.5}, arrays.dropout, {}),
    "embedding": Family(("table (V, D)", "ids (N, ...)"), {}, arrays.embedding, {"embedding": 0}),
    "gemm": Family(("a (M, K)", "b (K, N)"), {}, arrays.gemm, {"gemm": _product(1, 0)}),
    "group_norm": Family(
        ROWS, {"axes": (-1,), "epsilon": 1e-3, "centred": True}, arrays.group_norm,
        {"group_norm": 7, "group_norm_grad": 10},
    ),
    "max_pool2d": Family(
        IMAGES, POOL, arrays.pool("max_pool2d"), {"max_pool2d": _window, "max_pool2d_gather": 0},
        ("max_pool2d", "max_pool2d_grad"),
    ),
    "normal": Family(("x (N, ...)",), {}, arrays.drawn("normal"), {"normal": 20}),
    "optimizers": Family(("w",), RULES, arrays.alike("optimizers"), {"adam": 10, "sgd": 2}, ("adam",)),
    "pad": Family(("x",), {"widths": None, "value": 0.0}, arrays.pad, {"pad": 0}),
    "resize": Family(
        IMAGES, {"size": None, "method": "bilinear"}, arrays.resize, {"resize": _resized, "resize_grad": 8}
    ),
    "softmax": Family(
        ("z (N, C)",), {"axis": -1, "epsilon": 1e-7, "clip": True}, arrays.softmax,
        {"softmax": 5, "softmax_grad": 4, "softmax_crossentropy": 8, "softmax_crossentropy_grad": 4},
        ("softmax", "softmax_grad", "softmax_crossentropy", "softmax_crossentropy_grad"),
    ),
    "sum": Family(("x",), {"axis": None, "keepdims": False}, arrays.summed, {}),
    "uniform": Family(("x (N, ...)",), {}, arrays.drawn("uniform"), {}),
    "warp": Family(
        IMAGES, {"fill_mode": "reflect", "interpolation": "bilinear"}, arrays.warp,
        {"warp": 7, "warp_grad": 7},
    ),
}  # fmt: skip


def known(family: str) -> Family:
    """What is known of a family; of a new one, that its arrays are alike and settings without a default 1."""
    if family in FAMILIES:
        return FAMILIES[family]
    signatures = (inspect.signature(operation.__wrapped__) for operation in arrays.members(family))
    named = (p for signature in signatures for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY)
    settings = {p.name: 1.0 if p.default is p.empty else p.default for p in named}
    return Family(("x",), settings, arrays.alike(family), {})


def examples(
    family: str, names: tuple[str, ...], shapes: tuple[Shape, ...], dtype: Any, given: Settings
) -> list[Example]:
    """The operations `names` of a family for arrays of these shapes; () is what is shown of it."""
    about = known(family)
    pool = {**about.settings, **given}
    made, more = about.arguments(arrays.Arrays(dtype), *shapes, pool)
    pool |= more
    found = []
    for operation in arrays.members(family):
        name = operation.__name__
        if name in made and name in (names or about.shown or made):
            parameters = inspect.signature(operation.__wrapped__).parameters.values()
            keywords = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
            static = {key: pool[key] for key in keywords if key in pool}
            flops = about.flops.get(name, 1)
            sizes = [array.size for array in made[name] if isinstance(array, np.ndarray)]
            count = flops(pool, made[name]) if callable(flops) else flops * max(sizes)
            found.append(Example(operation, made[name], static, count))
    return found
