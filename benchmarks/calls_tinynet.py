"""The operations of the level `kernels` in tinynet: every implementation,
and "recorded", the fastest as `fit` runs it.

`fit` records the launches of a step and repeats them on the memory they had. "recorded" does the same with
one operation; it is measured only where the launches are all of it, which is tried with other numbers in the
arrays.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tinynet.kernels import (
    activations,
    batch_norm,
    common,
    conv2d,
    dense,
    dropout,
    optimizers,
    pool2d,
    softmax,
)
from tinynet.replay.capture import Capture

from .inputs import labels, uniform
from .shapes import CONVOLUTIONS, SLOTS, Calls, Conv

NAIVE_FLOPS, COLUMNS_BYTES = 3e8, 1 << 30  # beyond these, naive loops and im2col's matrices take too long
Case = dict[str, Any]
Prepared = tuple[Any, list[Any], dict[str, Any]]  # operation, arrays, settings


def calls(case: Case) -> Calls:
    operation, arrays, settings = prepare(case)
    found: Calls = {}
    for name, function in operation.implementations.items():
        if name != common.CUDA and not _too_slow(name, case):  # that one does not take NumPy's arrays
            found[name] = partial(function, *arrays, **settings)
    return _with_recorded(found, operation.fastest, arrays)


def _too_slow(name: str, case: Case) -> bool:
    if name == "naive":
        return case["flops"] > NAIVE_FLOPS
    if name == "im2col":
        conv = Conv(*case["conv"])
        oh, ow = conv.output()
        return 4 * case["batch"] * oh * ow * conv.channels * conv.kernel**2 > COLUMNS_BYTES
    return False


def _with_recorded(found: Calls, fastest: str, arrays: list[Any]) -> Calls:
    """Adds the recorded form of the fastest implementation, if a repetition gives what a call gives."""
    capture = Capture()
    with capture:
        kept = found[fastest]()
    if kept is None or not len(capture.program):  # in-place updates are what they are
        return found
    before = arrays[0].copy()
    arrays[0] *= -0.5
    expected = found[fastest]()
    capture.program.run()
    right = all(np.array_equal(a, b) for a, b in zip(_arrays(kept), _arrays(expected), strict=True))
    arrays[0][...] = before
    return {**found, "recorded": _Recorded(capture.program, kept).run} if right else found


class _Recorded:
    """Holds the outputs: their memory is the program's as long as somebody has them."""

    def __init__(self, program: Any, outputs: Any) -> None:
        self.outputs, self.run = outputs, program.run


def _arrays(outputs: Any) -> list[np.ndarray]:
    return [a for a in (outputs if isinstance(outputs, tuple) else (outputs,)) if isinstance(a, np.ndarray)]


def prepare(case: Case) -> Prepared:
    op = case["op"]
    if op in CONVOLUTIONS:
        return _convolution(op, Conv(*case["conv"]), case["batch"])
    if op.startswith("dense"):
        return _dense(op, case["batch"], case["inputs"], case["units"])
    if op in SLOTS:
        return _optimizer(op, case["shape"][0])
    x = images(case["batch"], *case["shape"])
    for kind, make in OTHERS.items():
        if op in (kind, f"{kind}_grad"):
            return make(op, x)
    return _activation(op, x)


def images(*shape: int) -> np.ndarray:
    """Random numbers in batch-last memory."""
    return common.to_batch_last(uniform(*shape))


def _convolution(op: str, conv: Conv, batch: int) -> Prepared:
    x, g = images(batch, conv.height, conv.width, conv.channels), images(batch, *conv.output(), conv.filters)
    w, b = uniform(conv.kernel, conv.kernel, conv.channels, conv.filters), uniform(conv.filters)
    settings = {
        "strides": (conv.stride, conv.stride),
        "padding": conv.pads(),
        "dilation": (1, 1),
        "groups": 1,
    }
    arrays, more = {
        "conv2d": ([x, w, b], {}),
        "conv2d_input_grad": ([g, w], {"input_size": (conv.height, conv.width)}),
        "conv2d_weight_grad": ([x, g], {"kernel_size": (conv.kernel, conv.kernel)}),
    }[op]
    return getattr(conv2d, op), arrays, {**settings, **more}


def _dense(op: str, batch: int, inputs: int, units: int) -> Prepared:
    x, w, g = images(batch, inputs), uniform(inputs, units), images(batch, units)
    if op == "dense":
        return dense.dense, [x, w, uniform(units)], {}
    return dense.dense_grad, [g, x, w, g], {"activation": None, "wanted": (True, True, True)}


def _pool(kind: Callable[..., Any], gradient: Callable[..., Any], op: str, x: np.ndarray) -> Prepared:
    settings: dict[str, Any] = {"pool_size": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}
    if not op.endswith("_grad"):
        return kind, [x], settings
    result = kind(x, **settings)
    outputs = list(result) if isinstance(result, tuple) else [result]
    g = images(*outputs[0].shape)
    return gradient, [g, *outputs[1:]], {"input_size": x.shape[1:3], **settings}


def _batch_norm(op: str, x: np.ndarray) -> Prepared:
    gamma, beta = uniform(x.shape[-1]), uniform(x.shape[-1])
    if not op.endswith("_grad"):
        return batch_norm.batch_norm, [x, gamma, beta], {"epsilon": 1e-3}
    _, mean, var = batch_norm.batch_norm(x, gamma, beta, epsilon=1e-3)
    return batch_norm.batch_norm_grad, [images(*x.shape), x, gamma, mean, var], {"epsilon": 1e-3}


def _dropout(op: str, x: np.ndarray) -> Prepared:
    words = np.array([1, 2, 3], np.uint32)  # key, key, call
    if not op.endswith("_grad"):
        return dropout.dropout, [x, words], {"rate": 0.3}
    _, bits = dropout.dropout(x, words, rate=0.3)
    return dropout.dropout_grad, [x, bits], {"rate": 0.3}


def _loss(op: str, x: np.ndarray) -> Prepared:
    y = labels(*x.shape)
    if not op.endswith("_grad"):
        return softmax.softmax_crossentropy, [x, y], {"clip": True}
    _, p = softmax.softmax_crossentropy(x, y, clip=True)
    return softmax.softmax_crossentropy_grad, [uniform(len(x)), p, y], {"clip": True}


def _activation(op: str, x: np.ndarray) -> Prepared:
    settings: dict[str, Any] = {"gelu": {"approximate": False}, "elu": {"alpha": 1.0}}.get(
        op.removesuffix("_grad"), {}
    )
    return getattr(activations, op), [x, images(*x.shape)] if op.endswith("_grad") else [x], settings


OTHERS: dict[str, Callable[[str, np.ndarray], Prepared]] = {
    "max_pool2d": partial(_pool, pool2d.max_pool2d, pool2d.max_pool2d_grad),
    "average_pool2d": partial(_pool, pool2d.average_pool2d, pool2d.average_pool2d_grad),
    "batch_norm": _batch_norm,
    "dropout": _dropout,
    "softmax_crossentropy": _loss,
}


def _optimizer(op: str, size: int) -> Prepared:
    w, g, *slots = (uniform(size) * 1e-3 for _ in range(2 + SLOTS[op]))
    slots = [abs(slot) for slot in slots]
    betas = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
    settings: dict[str, Any] = {
        "sgd": {"learning_rate": 1e-3},
        "adam": {"alpha": 1e-3, **betas},
        "rmsprop": {"learning_rate": 1e-3, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7},
        "adagrad": {"learning_rate": 1e-3, "epsilon": 1e-7},
        "adamax": {"alpha": 1e-3, **betas},
        "nadam": {"alpha": 1e-3, "ahead": 1.0, "v_scale": 1.0, **betas},
    }[op]
    return getattr(optimizers, op), [w, g, *slots], settings
