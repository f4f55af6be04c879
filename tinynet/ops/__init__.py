"""Differentiable operations: every function takes Tensors (recorded on the tape) or plain arrays (not recorded).

Each stands in the file of its topic with the rule of its derivative right below it; `derived.py` gives fused backward
kernels their own derivatives; `interop.py` holds what Tensor shares with NumPy and Python.
"""

from tinynet.ops import interop  # noqa: F401  (gives Tensor its methods)
from tinynet.ops.arithmetic import add, divide, multiply, negative, subtract
from tinynet.ops.batch_norm import batch_norm, batch_norm_inference
from tinynet.ops.comparison import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    not_equal,
)
from tinynet.ops.conv2d import conv2d
from tinynet.ops.crossentropy import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from tinynet.ops.dropout import dropout
from tinynet.ops.elementary import abs, cast, cos, exp, log, log1p, power, sign, sin, sqrt, square
from tinynet.ops.indexing import getitem
from tinynet.ops.joining import concatenate, split, stack
from tinynet.ops.linear import linear, matmul
from tinynet.ops.pool2d import average_pool2d, max_pool2d
from tinynet.ops.rectifiers import elu, leaky_relu, relu, selu
from tinynet.ops.reduction import logsumexp, max, mean, min, sum, var
from tinynet.ops.selection import clip, maximum, minimum, where
from tinynet.ops.shape import (
    broadcast_to,
    expand_dims,
    flatten,
    moveaxis,
    pad,
    reshape,
    squeeze,
    swapaxes,
    transpose,
)
from tinynet.ops.smooth_activations import erf, gelu, sigmoid, silu, softplus, softsign, tanh
from tinynet.ops.softmax import log_softmax, softmax

__all__ = [
    "abs", "add", "average_pool2d", "batch_norm", "batch_norm_inference", "binary_crossentropy", "broadcast_to", "cast",
    "categorical_crossentropy", "clip", "concatenate", "conv2d", "cos", "divide", "dropout", "elu", "equal", "erf", "exp",
    "expand_dims", "flatten", "gelu", "getitem", "greater", "greater_equal", "leaky_relu", "less", "less_equal", "linear",
    "log", "log1p", "log_softmax", "logical_and", "logical_not", "logical_or", "logsumexp", "matmul", "max", "max_pool2d",
    "maximum", "mean", "min", "minimum", "moveaxis", "multiply", "negative", "not_equal", "pad", "power", "relu",
    "reshape", "selu", "sigmoid", "sign", "silu", "sin", "softmax", "softplus", "softsign",
    "sparse_categorical_crossentropy", "split", "sqrt", "square", "squeeze", "stack", "subtract", "sum", "swapaxes",
    "tanh", "transpose", "var", "where",
]  # fmt: skip
