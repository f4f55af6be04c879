"""Arguments of every operation for given shapes, family by family: random numbers, as they like to lie.

Each function gets an Arrays, the shapes and the settings, which it completes; it returns the arrays of each
operation and the settings that follow from the shapes.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import common
from ..conv2d.geometry import output_size, resolve_padding, tap_range

Shape = tuple[int, ...]
Settings = dict[str, Any]
Made = tuple[dict[str, tuple[Any, ...]], Settings]


def members(family: str) -> list[common.Operation]:
    """The operations of a family."""
    return common._families[family]


class Arrays:
    """Makes arrays of one dtype, the same numbers every time."""

    def __init__(self, dtype: Any) -> None:
        self.dtype, self._random = np.dtype(dtype), np.random.default_rng(0)

    def images(self, *shape: int) -> Any:
        """In batch-last memory."""
        return common.to_batch_last(self._random.standard_normal(shape), self.dtype)

    def plain(self, *shape: int) -> Any:
        return self._random.random(shape).astype(self.dtype)

    def integers(self, most: int, *shape: int) -> Any:
        return self._random.integers(0, max(most, 1), shape)


WORDS = np.array([1, 2, 3], np.uint32)  # key, key, call: what random numbers follow from


def alike(family: str) -> Callable[..., Made]:
    """Operations whose arrays all have one shape: element-wise functions, losses, the rules of optimizers."""

    def arguments(make: Arrays, x: Shape, settings: Settings) -> Made:
        found = {}
        for operation in members(family):
            parameters = inspect.signature(operation.__wrapped__).parameters.values()
            needed = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
            found[operation.__name__] = tuple(abs(make.images(*x)) for _ in needed)
        return found, {}

    return arguments


def conv2d(make: Arrays, x: Shape, w: Shape, settings: Settings) -> Made:
    size, kernel = x[1:3], w[:2]
    for name in ("strides", "dilation"):
        settings[name] = _pair(settings[name])
    strides, dilation = settings["strides"], settings["dilation"]
    settings["padding"] = resolve_padding(settings["padding"], size, kernel, strides, dilation)
    output = output_size(size, kernel, strides, settings["padding"], dilation)
    images, g, weights = make.images(*x), make.images(x[0], *output, w[3]), make.plain(*w)
    return {
        "conv2d": (images, weights, make.plain(w[3])),
        "conv2d_input_grad": (g, weights),
        "conv2d_weight_grad": (images, g),
        "conv2d_bias_grad": (g,),
        "conv2d_activation_grad": (g, make.images(*g.shape), "relu"),
    }, {"input_size": size, "kernel_size": kernel, "flops": flops_of_taps(x, w, output, settings)}


def flops_of_taps(x: Shape, w: Shape, output: Shape, settings: Settings) -> float:
    """FLOPs of the multiply-adds; taps that fall outside the map are not executed and not counted."""
    pairs = 1
    for axis in (0, 1):
        stride, dilation = settings["strides"][axis], settings["dilation"][axis]
        static = (x[1 + axis], w[axis], stride, settings["padding"][axis][0], dilation)
        ranges = (tap_range(o, *static) for o in range(output[axis]))
        pairs *= sum(end - first for first, end in ranges)
    return 2.0 * x[0] * w[2] * w[3] * pairs


def dense(make: Arrays, x: Shape, w: Shape, settings: Settings) -> Made:
    images, weights, y = make.images(*x), make.plain(*w), make.images(x[0], w[1])
    return {
        "dense": (images, weights, make.plain(w[1])),
        "dense_grad": (make.images(x[0], w[1]), images, weights, y),
    }, {"wanted": (True, True, True)}


def gemm(make: Arrays, a: Shape, b: Shape, settings: Settings) -> Made:
    return {"gemm": (make.plain(*a), make.plain(*b))}, {}


def batch_norm(make: Arrays, x: Shape, settings: Settings) -> Made:
    from ..dropout import dropout as drop

    images, gamma, beta, mean, var = make.images(*x), *(make.plain(x[-1]) for _ in range(4))
    _, bits = drop(images, WORDS, rate=settings["rate"])
    return {
        "batch_norm": (images, gamma, beta),
        "batch_norm_grad": (make.images(*x), images, gamma, mean, var),
        "batch_norm_relu_grad": (make.images(*x), images, gamma, mean, var),
        "batch_norm_inference": (images, gamma, beta, mean, var),
        "batch_norm_dropout": (images, gamma, beta, WORDS),
        "batch_norm_dropout_grad": (make.images(*x), bits, images, gamma, mean, var),
    }, {}


def group_norm(make: Arrays, x: Shape, settings: Settings) -> Made:
    settings["axes"] = tuple(axis % len(x) for axis in settings["axes"])
    features = x[1:]
    images, gamma, beta = make.images(*x), make.plain(*features), make.plain(*features)
    one = tuple(1 if axis in settings["axes"] else length for axis, length in enumerate(x))
    statistics = make.images(*one), abs(make.images(*one))
    return {
        "group_norm": (images, gamma, beta),
        "group_norm_grad": (make.images(*x), images, gamma, *statistics),
    }, {}


def softmax(make: Arrays, z: Shape, settings: Settings) -> Made:
    logits, p, labels, g = make.images(*z), abs(make.images(*z)), make.integers(z[1], z[0]), make.plain(z[0])
    return {
        "softmax": (logits,),
        "softmax_grad": (make.images(*z), p),
        "crossentropy": (p, labels),
        "crossentropy_grad": (g, p, labels),
        "softmax_crossentropy": (logits, labels),
        "softmax_crossentropy_grad": (g, p, labels),
    }, {}


def dropout(make: Arrays, x: Shape, settings: Settings) -> Made:
    from ..dropout import dropout as drop

    images = make.images(*x)
    _, bits = drop(images, WORDS, rate=settings["rate"])
    return {"dropout": (images, WORDS), "dropout_grad": (make.images(*x), bits)}, {}


def embedding(make: Arrays, table: Shape, ids: Shape, settings: Settings) -> Made:
    places = make.integers(table[0], *ids)
    g = make.images(*ids, table[1])
    return {"embedding": (make.plain(*table), places), "embedding_grad": (g, places)}, {"rows": table[0]}


def drawn(name: str) -> Callable[..., Made]:
    return lambda make, x, settings: ({name: (make.images(*x), WORDS)}, {})


def pool(name: str) -> Callable[..., Made]:
    def arguments(make: Arrays, x: Shape, settings: Settings) -> Made:
        size, window = x[1:3], _pair(settings["pool_size"])
        strides = window if settings["strides"] is None else _pair(settings["strides"])
        padding = resolve_padding(settings["padding"], size, window, strides)
        settings |= {"pool_size": window, "strides": strides, "padding": padding}
        output = output_size(size, window, strides, padding, (1, 1))
        images, g = make.images(*x), make.images(x[0], *output, x[3])
        if name == "average_pool2d":
            return {name: (images,), f"{name}_grad": (g,)}, {"input_size": size}
        from ..pool2d import max_pool2d

        _, index = max_pool2d(images, pool_size=window, strides=strides, padding=padding)
        arrays = {name: (images,), f"{name}_grad": (g, index), "max_pool2d_gather": (images, index)}
        return arrays, {"input_size": size}

    return arguments


def resize(make: Arrays, x: Shape, settings: Settings) -> Made:
    settings["size"] = (2 * x[1], 2 * x[2]) if settings["size"] is None else _pair(settings["size"])
    g = make.images(x[0], *settings["size"], x[3])
    return {"resize": (make.images(*x),), "resize_grad": (g,)}, {"input_size": x[1:3]}


def summed(make: Arrays, x: Shape, settings: Settings) -> Made:
    return {"sum": (make.images(*x),)}, {}


def pad(make: Arrays, x: Shape, settings: Settings) -> Made:
    if settings["widths"] is None:  # around the map
        settings["widths"] = tuple((0, 0) if axis in (0, len(x) - 1) else (1, 1) for axis in range(len(x)))
    return {"pad": (make.images(*x),)}, {}


def warp(make: Arrays, x: Shape, settings: Settings) -> Made:
    maps = np.tile(np.array([1, 0.1, 0, -0.1, 1, 0], np.float32), (x[0], 1))  # turned by a few degrees
    return {"warp": (make.images(*x), maps), "warp_grad": (make.images(*x), maps)}, {}


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)
