"""One line for every public function of tinynet.ops: how it is called on arrays.

    name: (function of the room and of arrays, their roles)

A role is a letter of ROLES. Capital letters are numbers, which may come in any number format; small letters
say which elements are meant (indices, masks, labels). The room is the first argument, so that the same line
runs Keras's `ops` (fixtures/make_formats.py). What is listed in NO_ARRAYS takes no arrays.
"""

from itertools import product
from typing import Any

import numpy as np

IMAGE = np.arange(2 * 3 * 3 * 2).reshape(2, 3, 3, 2) % 3 + 1.0
ROLES: dict[str, Any] = {
    "V": np.array([1.0, 2.0, 3.0]),
    "W": np.array([3.0, 1.0, 2.0]),
    "M": np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]]),
    "K": np.array([[1.0, 2.0], [3.0, 1.0], [2.0, 3.0]]),
    "B": np.array([1.0, 2.0]),
    "X": IMAGE,
    "F": np.arange(2 * 2 * 2 * 2).reshape(2, 2, 2, 2) % 3 + 1.0,
    "S": IMAGE[:, 0],
    "T": IMAGE[0, :2, :2],
    "P": np.array([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25]]),
    "Q": np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
    "G": np.array([[0.9, 0.2, -0.37, -0.3, 1.1, 0.61], [1.0, 0.5, -1.2, 0.1, 0.7, 1.7]]),
    "i": np.array([0, 2, 2]),
    "l": np.array([2, 0]),
    "r": np.array([1, 0]),
    "c": np.array([True, False, True]),
}

CALLS: dict[str, tuple[Any, str]] = {
    "abs": (lambda ops, x: ops.abs(x), "V"),
    "add": (lambda ops, a, b: ops.add(a, b), "VW"),
    "affine_warp": (lambda ops, x, maps: ops.affine_warp(x, maps), "XG"),
    "all": (lambda ops, x: ops.all(x), "V"),
    "any": (lambda ops, x: ops.any(x), "V"),
    "argmax": (lambda ops, x: ops.argmax(x, axis=-1), "M"),
    "argmin": (lambda ops, x: ops.argmin(x, axis=-1), "M"),
    "average_pool2d": (lambda ops, x: ops.average_pool2d(x, pool_size=2), "X"),
    "batch_norm": (lambda ops, x, gamma, beta: ops.batch_norm(x, gamma, beta)[0], "MVW"),
    "batch_norm_inference": (lambda ops, x, g, b, m, v: ops.batch_norm_inference(x, g, b, m, v), "MVWVW"),
    "binary_crossentropy": (lambda ops, t, p: ops.binary_crossentropy(t, p), "QP"),
    (
        "binary_crossentropy from "
        "logits"
    ): (lambda ops, t, p: ops.binary_crossentropy(t, p, from_logits=True), "QM"),
    "broadcast_to": (lambda ops, x: ops.broadcast_to(x, (2, 3)), "V"),
    "cast": (lambda ops, x: ops.cast(x, "float32"), "V"),
    "categorical_crossentropy": (lambda ops, t, p: ops.categorical_crossentropy(t, p), "QP"),
    (
        "categorical_crossentropy "
        "from logits"
    ): (lambda ops, t, p: ops.categorical_crossentropy(t, p, from_logits=True), "QM"),
    (
        "categorical_crossentropy of "
        "a softmax"
    ): (lambda ops, t, p: ops.categorical_crossentropy(t, ops.softmax(p)), "QM"),
    "ceil": (lambda ops, x: ops.ceil(x), "V"),
    "clip": (lambda ops, x: ops.clip(x, 1, 2), "V"),
    "clip by floats": (lambda ops, x: ops.clip(x, 1.0, 2.5), "V"),
    "concatenate": (lambda ops, a, b: ops.concatenate([a, b]), "VW"),
    "conv1d": (lambda ops, x, w, b: ops.conv1d(x, w, b), "STB"),
    "conv2d": (lambda ops, x, w, b: ops.conv2d(x, w, b), "XFB"),
    "conv2d_transpose": (lambda ops, x, w, b: ops.conv2d_transpose(x, w, b), "XFB"),
    "convert_to_numpy": (lambda ops, x: ops.convert_to_numpy(x), "V"),
    "convert_to_tensor": (lambda ops, x: ops.convert_to_tensor(x), "V"),
    "cos": (lambda ops, x: ops.cos(x), "V"),
    "depthwise_conv2d": (lambda ops, x, w: ops.depthwise_conv2d(x, w), "XF"),
    "divide": (lambda ops, a, b: ops.divide(a, b), "VW"),
    "dot": (lambda ops, a, b: ops.dot(a, b), "MK"),
    "dropout": (lambda ops, x: ops.dropout(x, rate=0.5, key=(1, 2)), "M"),
    "elu": (lambda ops, x: ops.elu(x), "V"),
    "embedding": (lambda ops, table, ids: ops.embedding(table, ids), "Ki"),
    "equal": (lambda ops, a, b: ops.equal(a, b), "VW"),
    "erf": (lambda ops, x: ops.erf(x), "V"),
    "exp": (lambda ops, x: ops.exp(x), "V"),
    "expand_dims": (lambda ops, x: ops.expand_dims(x, 0), "V"),
    "expm1": (lambda ops, x: ops.expm1(x), "V"),
    "flatten": (lambda ops, x: ops.flatten(x), "M"),
    "flip": (lambda ops, x: ops.flip(x), "V"),
    "floor": (lambda ops, x: ops.floor(x), "V"),
    "full_like": (lambda ops, x: ops.full_like(x, 1), "V"),
    "gelu": (lambda ops, x: ops.gelu(x), "V"),
    "getitem": (lambda ops, x, i: ops.getitem(x, i), "Vi"),
    "getitem of columns": (lambda ops, x, i: ops.getitem(x, (slice(None), i)), "Mi"),
    "getitem of pairs": (lambda ops, x, i, j: ops.getitem(x, (i, j)), "Klr"),
    "getitem by a mask": (lambda ops, x, mask: ops.getitem(x, mask), "Vc"),
    "greater": (lambda ops, a, b: ops.greater(a, b), "VW"),
    "greater_equal": (lambda ops, a, b: ops.greater_equal(a, b), "VW"),
    "group_norm": (lambda ops, x, gamma, beta: ops.group_norm(x, gamma, beta, axes=(1,)), "MVW"),
    "isfinite": (lambda ops, x: ops.isfinite(x), "V"),
    "isinf": (lambda ops, x: ops.isinf(x), "V"),
    "isnan": (lambda ops, x: ops.isnan(x), "V"),
    "leaky_relu": (lambda ops, x: ops.leaky_relu(x), "V"),
    "less": (lambda ops, a, b: ops.less(a, b), "VW"),
    "less_equal": (lambda ops, a, b: ops.less_equal(a, b), "VW"),
    "linear": (lambda ops, x, w, b: ops.linear(x, w, b), "MKB"),
    "log": (lambda ops, x: ops.log(x), "V"),
    "log1p": (lambda ops, x: ops.log1p(x), "V"),
    "log_softmax": (lambda ops, x: ops.log_softmax(x), "M"),
    "logaddexp": (lambda ops, a, b: ops.logaddexp(a, b), "VW"),
    "logical_and": (lambda ops, a, b: ops.logical_and(a, b), "cc"),
    "logical_not": (lambda ops, x: ops.logical_not(x), "c"),
    "logical_or": (lambda ops, a, b: ops.logical_or(a, b), "cc"),
    "logsumexp": (lambda ops, x: ops.logsumexp(x, axis=-1), "M"),
    "matmul": (lambda ops, a, b: ops.matmul(a, b), "MK"),
    "matmul of a vector": (lambda ops, a, b: ops.matmul(a, b), "MV"),
    "max": (lambda ops, x: ops.max(x, axis=0), "M"),
    "max_pool2d": (lambda ops, x: ops.max_pool2d(x, pool_size=2), "X"),
    "maximum": (lambda ops, a, b: ops.maximum(a, b), "VW"),
    "mean": (lambda ops, x: ops.mean(x, axis=1), "M"),
    "min": (lambda ops, x: ops.min(x, axis=0), "M"),
    "minimum": (lambda ops, a, b: ops.minimum(a, b), "VW"),
    "moments": (lambda ops, x: ops.moments(x, axes=[1])[1], "M"),
    "moveaxis": (lambda ops, x: ops.moveaxis(x, 0, 1), "M"),
    "multiply": (lambda ops, a, b: ops.multiply(a, b), "VW"),
    "ndim": (lambda ops, x: ops.ndim(x), "M"),
    "negative": (lambda ops, x: ops.negative(x), "V"),
    "norm": (lambda ops, x: ops.norm(x), "V"),
    "norm of order 1": (lambda ops, x: ops.norm(x, ord=1, axis=-1), "M"),
    "norm of order 3": (lambda ops, x: ops.norm(x, ord=3, axis=-1), "M"),
    "normal_like": (lambda ops, x: ops.normal_like(x, np.array([1, 2, 3], np.uint32)), "M"),
    "normalize": (lambda ops, x: ops.normalize(x), "M"),
    "not_equal": (lambda ops, a, b: ops.not_equal(a, b), "VW"),
    "one_hot": (lambda ops, x: ops.one_hot(x, 4), "i"),
    "ones_like": (lambda ops, x: ops.ones_like(x), "V"),
    "pad": (lambda ops, x: ops.pad(x, [[1, 0], [0, 2]]), "M"),
    "power": (lambda ops, a, b: ops.power(a, b), "VW"),
    "ravel": (lambda ops, x: ops.ravel(x), "M"),
    "reciprocal": (lambda ops, x: ops.reciprocal(x), "V"),
    "relu": (lambda ops, x: ops.relu(x), "V"),
    "repeat": (lambda ops, x: ops.repeat(x, 2), "V"),
    "reshape": (lambda ops, x: ops.reshape(x, (3, 2)), "M"),
    "resize_images": (lambda ops, x: ops.resize_images(x, (2, 4)), "X"),
    "round": (lambda ops, x: ops.round(x), "V"),
    "rsqrt": (lambda ops, x: ops.rsqrt(x), "V"),
    "selu": (lambda ops, x: ops.selu(x), "V"),
    "shape": (lambda ops, x: ops.shape(x), "M"),
    "sigmoid": (lambda ops, x: ops.sigmoid(x), "V"),
    "sign": (lambda ops, x: ops.sign(x), "V"),
    "silu": (lambda ops, x: ops.silu(x), "V"),
    "sin": (lambda ops, x: ops.sin(x), "V"),
    "softmax": (lambda ops, x: ops.softmax(x), "M"),
    "softmax over two axes": (lambda ops, x: ops.softmax(x, axis=(0, 1)), "M"),
    "softplus": (lambda ops, x: ops.softplus(x), "V"),
    "softsign": (lambda ops, x: ops.softsign(x), "V"),
    "sparse_categorical_crossentropy": (lambda ops, t, p: ops.sparse_categorical_crossentropy(t, p), "lP"),
    "sparse_categorical_crossentropy from logits":
        (lambda ops, t, p: ops.sparse_categorical_crossentropy(t, p, from_logits=True), "lM"),
    "sparse_categorical_crossentropy of a softmax":
        (lambda ops, t, p: ops.sparse_categorical_crossentropy(t, ops.softmax(p)), "lM"),
    "sparsemax": (lambda ops, x: ops.sparsemax(x), "M"),
    "split": (lambda ops, x: ops.split(x, 3, axis=1)[2], "M"),
    "sqrt": (lambda ops, x: ops.sqrt(x), "V"),
    "square": (lambda ops, x: ops.square(x), "V"),
    "squeeze": (lambda ops, x: ops.squeeze(x), "V"),
    "stack": (lambda ops, a, b: ops.stack([a, b]), "VW"),
    "std": (lambda ops, x: ops.std(x, axis=1), "M"),
    "stop_gradient": (lambda ops, x: ops.stop_gradient(x), "V"),
    "subtract": (lambda ops, a, b: ops.subtract(a, b), "VW"),
    "sum": (lambda ops, x: ops.sum(x, axis=0), "M"),
    "swapaxes": (lambda ops, x: ops.swapaxes(x, 0, 1), "M"),
    "take": (lambda ops, x, i: ops.take(x, i, axis=1), "Mi"),
    "take of everything": (lambda ops, x, i: ops.take(x, i), "Mi"),
    "tanh": (lambda ops, x: ops.tanh(x), "V"),
    "tile": (lambda ops, x: ops.tile(x, 2), "V"),
    "to_device": (lambda ops, x: ops.to_device(x, "cpu"), "V"),
    "transpose": (lambda ops, x: ops.transpose(x), "M"),
    "uniform_like": (lambda ops, x: ops.uniform_like(x, np.array([1, 2, 3], np.uint32)), "M"),
    "unstack": (lambda ops, x: ops.unstack(x)[1], "M"),
    "var": (lambda ops, x: ops.var(x, axis=1), "M"),
    "where": (lambda ops, c, a, b: ops.where(c, a, b), "cVW"),
    "zeros_like": (lambda ops, x: ops.zeros_like(x), "V"),
}  # fmt: skip
NO_ARRAYS = {"arange", "eye", "full", "ones", "zeros"}


FORMATS = (
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
)
NUMBERS = {"True": True, "2": 2, "0.5": 0.5}


def arrays(name: str) -> list[np.ndarray]:
    """What a call is given, numbers as float64."""
    return [ROLES[role].copy() for role in CALLS[name][1]]


def mixtures(roles: str) -> list[str]:
    """Formats for the numbers among `roles`, joined by blanks: every pair of two;
    of more, all alike or one unlike float32.
    """
    count, every = sum(role.isupper() for role in roles), [*FORMATS, *NUMBERS]
    if count <= 2:
        return [" ".join(mixture) for mixture in product(every, repeat=count)]
    alike = [" ".join([one] * count) for one in FORMATS]
    unlike = [
        [one if i == place else "float32" for i in range(count)] for one in FORMATS for place in range(count)
    ]
    return list(dict.fromkeys(alike + [" ".join(mixture) for mixture in unlike]))


def given(roles: str, mixture: str) -> list[Any]:
    """The operands of a call, its numbers in the formats of `mixture` or numbers of Python."""
    formats = iter(mixture.split())
    return [
        _in_format(ROLES[role], next(formats)) if role.isupper() else ROLES[role].copy() for role in roles
    ]


def _in_format(array: np.ndarray, name: str) -> Any:
    if name in NUMBERS:
        return NUMBERS[name]
    return array % 2 == 1 if name == "bool" else array.astype(name)
