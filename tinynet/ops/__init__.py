"""Differentiable operations: every function takes Tensors (recorded on the tape)
or plain arrays (not recorded).

Numbers and lists count as arrays, whose floats are of `config.floatx()`; a Tensor comes out where one went
in. What number format the result has where several meet, `backend/number_format.py` says. Names and arguments
are Keras's.

Each stands in the file of its topic with the rule of its derivative right below it; `derived.py` gives fused
backward kernels their own derivatives; `interop.py` holds what Tensor shares with NumPy and Python.
"""

from tinynet import missing_names
from tinynet.ops import interop, variables  # noqa: F401  (give Tensor and Parameter their methods)
from tinynet.ops.arithmetic import add, divide, multiply, negative, subtract
from tinynet.ops.batch_norms import batch_norm, batch_norm_inference
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
from tinynet.ops.constants import (
    all,
    any,
    arange,
    argmax,
    argmin,
    ceil,
    convert_to_numpy,
    convert_to_tensor,
    eye,
    floor,
    full,
    full_like,
    isfinite,
    isinf,
    isnan,
    ndim,
    one_hot,
    ones,
    ones_like,
    round,
    shape,
    stop_gradient,
    zeros,
    zeros_like,
)
from tinynet.ops.convolution2d import conv2d
from tinynet.ops.convolutions import conv1d, conv2d_transpose, depthwise_conv2d
from tinynet.ops.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from tinynet.ops.dropout_mask import dropout
from tinynet.ops.elementary import abs, cast, cos, exp, expm1, log, log1p, power, sign, sin, sqrt, square
from tinynet.ops.embeddings import embedding
from tinynet.ops.everyday import (
    dot,
    flip,
    ravel,
    reciprocal,
    repeat,
    rsqrt,
    take,
    tile,
    unstack,
)
from tinynet.ops.group_norms import group_norm
from tinynet.ops.indexing import getitem
from tinynet.ops.joining import concatenate, split, stack
from tinynet.ops.log_of_sum import logaddexp
from tinynet.ops.matrix_products import linear, matmul
from tinynet.ops.noise import normal_like
from tinynet.ops.norms import moments, norm, normalize, std
from tinynet.ops.placing import to_device
from tinynet.ops.pool2d import average_pool2d, max_pool2d
from tinynet.ops.rectifiers import elu, leaky_relu, relu, selu
from tinynet.ops.reduction import logsumexp, max, mean, min, sum, var
from tinynet.ops.resize import resize_images
from tinynet.ops.selection import clip, maximum, minimum, where
from tinynet.ops.shapes import (
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
from tinynet.ops.softmaxes import log_softmax, softmax
from tinynet.ops.sparse_softmax import sparsemax
from tinynet.ops.uniform import uniform_like
from tinynet.ops.warp import affine_warp

__all__ = [
    "abs", "add", "affine_warp", "all", "any", "arange", "argmax", "argmin", "average_pool2d", "batch_norm",
    "batch_norm_inference", "binary_crossentropy", "broadcast_to", "cast", "categorical_crossentropy", "ceil",
    "clip", "concatenate", "conv1d", "conv2d", "conv2d_transpose", "convert_to_numpy", "convert_to_tensor",
    "cos", "depthwise_conv2d", "divide", "dot", "dropout", "elu", "embedding", "equal", "erf", "exp",
    "expand_dims", "expm1", "eye", "flatten", "flip", "floor", "full", "full_like", "gelu", "getitem",
    "greater", "greater_equal", "group_norm", "isfinite", "isinf", "isnan", "leaky_relu", "less",
    "less_equal", "linear", "log", "log1p", "log_softmax", "logaddexp", "logical_and", "logical_not",
    "logical_or", "logsumexp", "matmul", "max", "max_pool2d", "maximum", "mean", "min", "minimum", "moments",
    "moveaxis", "multiply", "ndim", "negative", "norm", "normal_like", "normalize", "not_equal", "one_hot",
    "ones", "ones_like", "pad", "power", "ravel", "reciprocal", "relu", "repeat", "reshape", "resize_images",
    "round", "rsqrt", "selu", "shape", "sigmoid", "sign", "silu", "sin", "softmax", "softplus", "softsign",
    "sparse_categorical_crossentropy", "sparsemax", "split", "sqrt", "square", "squeeze", "stack", "std",
    "stop_gradient", "subtract", "sum", "swapaxes", "take", "tanh", "tile", "to_device", "transpose",
    "uniform_like", "unstack", "var", "where", "zeros", "zeros_like",
]  # fmt: skip

missing_names.namespace(__name__)
