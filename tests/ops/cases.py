"""The gradient-check table: one line for every primitive.

    case(primitive, input, input, ..., keyword=value)

Every case is run by test_cases.py (gradcheck; gradgradcheck unless `smooth=False`; under every kernel
implementation of `family`) and by ../test_mutation.py, which plants wrong derivatives and expects the case to
notice. A primitive without a line here fails both.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from tinynet import kernels, ops
from tinynet.autograd import Primitive, basics
from tinynet.kernels import common
from tinynet.kernels.warp import FILL_MODES
from tinynet.ops.arithmetic import add, divide, multiply, negative, subtract
from tinynet.ops.batch_norms import normalise, normalise_grad, normalise_grad_before_relu, normalise_with
from tinynet.ops.comparison import (
    bitwise_and,
    bitwise_not,
    bitwise_or,
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
from tinynet.ops.convolution2d import (
    convolution,
    convolution_bias_grad,
    convolution_input_grad,
    convolution_weight_grad,
    rectified_convolution,
    rectified_grad,
)  # fmt: skip
from tinynet.ops.convolutions import transposed_convolution
from tinynet.ops.crossentropy import (
    crossentropy,
    crossentropy_grad,
    logistic_crossentropy,
    logistic_crossentropy_grad,
    softmax_crossentropy,
    softmax_crossentropy_grad,
    target_rows,
)
from tinynet.ops.dropout_mask import drop, dropout_grad
from tinynet.ops.elementary import abs, cast, cos, exp, expm1, log, log1p, power, sign, sin, sqrt, square
from tinynet.ops.embeddings import add_up, look_up
from tinynet.ops.group_norms import standardise, standardise_grad
from tinynet.ops.indexing import scatter, subscript
from tinynet.ops.joining import join
from tinynet.ops.log_of_sum import logaddexp
from tinynet.ops.matrix_products import affine, dense, dense_grad, matrix_product
from tinynet.ops.norms_in_training import normalise_and_drop, normalise_and_drop_grad
from tinynet.ops.placing import moved
from tinynet.ops.pool2d import average_pool, average_pool_grad, max_pool, max_pool_gather, max_pool_grad
from tinynet.ops.rectifiers import (
    elu,
    elu_grad,
    leaky_relu,
    leaky_relu_grad,
    relu,
    relu_grad,
    selu,
    selu_grad,
)
from tinynet.ops.reduction import amax, amin, log_sum_exp
from tinynet.ops.resize import resize, resize_grad
from tinynet.ops.selection import clip, maximum, minimum, where
from tinynet.ops.shapes import pad_constant, permute
from tinynet.ops.smooth_activations import (
    erf,
    gelu,
    gelu_grad,
    sigmoid,
    sigmoid_grad,
    silu,
    silu_grad,
    softplus,
    softplus_grad,
    softsign,
    softsign_grad,
    tanh,
    tanh_grad,
)
from tinynet.ops.softmaxes import normalised_exponential, normalised_logarithm, softmax_grad
from tinynet.ops.sparse_softmax import simplex_projection
from tinynet.ops.warp import warp, warp_grad

RNG = np.random.default_rng(20)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


def positive(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 2.0, shape)


def apart(*shape: int) -> np.ndarray:
    """Numbers at least 0.2 from each other and 0.1 from zero: no kink and no tie within reach of a step."""
    count = int(np.prod(shape))
    return (RNG.permutation(count) + 0.5 - count / 2).reshape(shape) * 0.2 + 0.05 * (count % 2)


def images(*shape: int) -> np.ndarray:
    """Distinct numbers in batch-last memory."""
    return common.to_batch_last(apart(*shape) * 0.1)


def rows(*shape: int) -> np.ndarray:
    """Positive rows with sum 1."""
    x = positive(*shape)
    return x / x.sum(-1, keepdims=True)


# The ladder's gradients are those of im2col; with strides, Winograd's algorithm leaves all to others.
LIKE_OTHERS = {
    "conv2d": {
        "one_at_a_time", "sums_in_registers", "several_filters", "rows_shared", "winograd", "winograd_tiles",
    },
}  # fmt: skip


@dataclass
class Case:
    """A primitive at a point."""

    primitive: Primitive
    inputs: list[np.ndarray]
    static: dict[str, Any]
    smooth: bool = True
    family: str | None = None

    def __post_init__(self) -> None:
        self.name = getattr(self.primitive, "name", "a function")

    def __call__(self, *inputs: Any) -> Any:
        return self.primitive(*inputs, **self.static)

    @property
    def implementations(self) -> tuple[str, ...]:
        """Of its kernels, those that compute it in a way of their own."""
        if self.family is None:
            return ("numpy",)
        names = kernels.families()[self.family]
        return tuple(name for name in names if name not in LIKE_OTHERS.get(self.family, ()))

    @property
    def kernels(self) -> dict[str, list[str]] | None:
        return None if self.family is None else {self.family: list(self.implementations)}


def case(
    primitive: Primitive, *inputs: Any, smooth: bool = True, family: str | None = None, **static: Any
) -> Case:
    return Case(primitive, list(inputs), static, smooth, family)


CONV = {"strides": (1, 2), "padding": ((1, 0), (1, 1)), "dilation": (1, 1), "groups": 1}
POOL = {"pool_size": (3, 2), "strides": (2, 1), "padding": ((1, 1), (0, 1))}
INDEX = np.array([[0, 2], [2, 2]])  # the element 2 is read three times
ONE_HOT = np.eye(4)[[0, 3, 1]]
LABELS = np.array([2, 0, 3])
MAPS = np.array([[0.9, 0.2, -0.37, -0.3, 1.1, 0.61], [1.0, 0.5, -1.2, 0.1, 0.7, 1.7]])
# cells of windows, all inside of the image
WINNERS = np.array([2, 3, 2, 2, 0, 4]).reshape(1, 2, 3, 1).astype("uint8")
MASK = np.array([[True, False, True], [False, False, True]])


CASES = [
    # arithmetic, with broadcasting
    case(basics.add, normal(3, 4), normal(4)),
    case(add, normal(3, 1), normal(2, 1, 4)),
    case(subtract, normal(3, 4), normal(3, 1)),
    case(multiply, normal(2, 3), normal(3)),
    case(divide, normal(3), positive(2, 3)),
    case(negative, normal(5)),
    case(power, positive(2, 3), normal(3)),
    # elementary functions
    case(exp, normal(5)),
    case(expm1, normal(5)),
    case(logaddexp, normal(2, 3), normal(3)),
    case(log, positive(5)),
    case(log1p, positive(5)),
    case(sqrt, positive(5)),
    case(square, normal(5)),
    case(sin, normal(5)),
    case(cos, normal(5)),
    case(abs, apart(6)),
    case(sign, apart(6)),
    case(cast, normal(5), dtype="float64"),
    # selection
    case(where, MASK, normal(2, 3), normal(3)),
    case(maximum, apart(2, 3), apart(3) + 0.07),
    case(minimum, apart(2, 3), apart(3) + 0.07),
    case(clip, apart(8), x_min=-0.4, x_max=0.45),
    # reductions
    case(basics.sum, normal(2, 3, 4), axis=(0, 2), family="sum"),
    case(amax, apart(3, 4), axis=1),
    case(amin, apart(3, 4), axis=(0,), keepdims=True),
    case(log_sum_exp, normal(3, 4), axis=-1),
    # shapes, indices
    case(basics.reshape, normal(2, 6), shape=(3, 4)),
    case(basics.broadcast_to, normal(3, 1), shape=(2, 3, 4)),
    case(permute, normal(2, 3, 4), axes=(2, 0, 1)),
    case(pad_constant, normal(2, 3), widths=((1, 0), (2, 1)), value=1.5, family="pad"),
    case(subscript, normal(4, 3), index=INDEX),
    case(scatter, normal(2, 2, 3), shape=(4, 3), index=INDEX),
    case(join, normal(2, 3), normal(2, 1), axis=1),
    case(look_up, normal(4, 3), INDEX, rows=4, family="embedding"),
    case(add_up, normal(2, 2, 3), INDEX, rows=4, family="embedding"),
    # matrix products
    case(matrix_product, normal(2, 3, 4), normal(4, 2), family="gemm"),
    case(matrix_product, normal(3, 5), normal(5, 4), family="gemm"),
    case(affine, normal(4, 3), normal(3, 2), normal(2), family="gemm"),
    case(dense, normal(4, 3), normal(3, 2), normal(2), family="dense"),
    case(dense, normal(4, 3), normal(3, 2), normal(2), activation="tanh", family="dense"),
    case(dense_grad, normal(4, 2), normal(4, 3), normal(3, 2), normal(4, 2), activation="sigmoid",
         wanted=(True, True, True), family="dense"),
    # activations and the kernels of their derivatives
    case(relu, apart(6), family="activations"),
    case(relu_grad, normal(6), apart(6), family="activations"),
    case(leaky_relu, apart(6), negative_slope=0.3, family="activations"),
    case(leaky_relu_grad, normal(6), apart(6), negative_slope=0.3, family="activations"),
    case(elu, apart(6), alpha=0.7, family="activations"),
    case(elu_grad, normal(6), apart(6), alpha=0.7, family="activations"),
    case(selu, apart(6), family="activations"),
    case(selu_grad, normal(6), apart(6), family="activations"),
    case(sigmoid, normal(6), family="activations"),
    case(sigmoid_grad, normal(6), normal(6), family="activations"),
    case(tanh, normal(6), family="activations"),
    case(tanh_grad, normal(6), normal(6), family="activations"),
    case(softplus, normal(6), family="activations"),
    case(softplus_grad, normal(6), normal(6), family="activations"),
    case(softsign, apart(6), family="activations"),
    case(softsign_grad, normal(6), apart(6), family="activations"),
    case(silu, normal(6), family="activations"),
    case(silu_grad, normal(6), normal(6), family="activations"),
    case(gelu, normal(6), approximate=False, family="activations"),
    case(gelu, normal(6), approximate=True, family="activations"),
    case(gelu_grad, normal(6), normal(6), approximate=False, family="activations"),
    case(gelu_grad, normal(6), normal(6), approximate=True, family="activations"),
    case(erf, normal(6)),
    case(moved, normal(2, 3), source="cpu", target="cpu"),
    # softmax and cross-entropy
    case(normalised_exponential, normal(3, 4), axis=-1, family="softmax"),
    case(softmax_grad, normal(3, 4), rows(3, 4), axis=-1, family="softmax"),
    case(normalised_logarithm, normal(3, 4), axis=-1),
    case(logistic_crossentropy, normal(3, 2), rows(3, 2) > 0.5, family="binary_crossentropy"),
    case(logistic_crossentropy_grad, normal(3, 2), normal(3, 2), rows(3, 2) > 0.5,
         family="binary_crossentropy"),
    case(simplex_projection, apart(3, 4) * 0.5, axis=-1),
    case(crossentropy, rows(3, 4), ONE_HOT > 0, family="softmax"),
    case(crossentropy_grad, normal(3), rows(3, 4), LABELS, family="softmax"),
    case(softmax_crossentropy, normal(3, 4), LABELS, clip=True, family="softmax"),
    case(softmax_crossentropy, normal(3, 4), ONE_HOT > 0, clip=False, family="softmax"),
    case(softmax_crossentropy_grad, normal(3), rows(3, 4), LABELS, clip=True, family="softmax"),
    case(softmax_crossentropy_grad, normal(3), rows(3, 4), LABELS, clip=False, family="softmax"),
    # images
    case(convolution, images(2, 4, 3, 2), normal(2, 3, 2, 3), normal(3), **CONV, family="conv2d"),
    case(convolution, images(9, 3, 3, 2), normal(3, 3, 1, 4), normal(4), strides=(3, 1),
         padding=((2, 1), (0, 2)),
         dilation=(1, 2), groups=2, family="conv2d"),  # a whole vector of images, and a rest
    case(rectified_convolution, images(2, 4, 3, 2), normal(2, 3, 2, 3), normal(3), **CONV, family="conv2d"),
    case(rectified_grad, images(2, 2, 3, 4), images(2, 2, 3, 4), family="conv2d"),
    case(convolution_input_grad, images(2, 4, 2, 3), normal(2, 3, 2, 3), input_size=(4, 3), **CONV,
         family="conv2d"),
    case(convolution_weight_grad, images(2, 4, 3, 2), images(2, 4, 2, 3), kernel_size=(2, 3), **CONV,
         family="conv2d"),
    case(transposed_convolution, images(2, 4, 2, 3), normal(2, 3, 2, 3), normal(2), input_size=(4, 3),
         activation=None,
         strides=(1, 2), padding=((1, 0), (1, 1)), dilation=(1, 1), family="conv2d"),
    case(transposed_convolution, images(2, 2, 3, 2), normal(1, 2, 3, 2), normal(3), input_size=(5, 4),
         activation="relu",
         # rows that nothing is painted on
         strides=(3, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), family="conv2d"),
    case(convolution_bias_grad, images(2, 2, 2, 3), family="conv2d"),
    case(max_pool, images(2, 4, 3, 2), **POOL, family="max_pool2d"),
    case(max_pool_grad, normal(1, 2, 3, 1), WINNERS, input_size=(4, 3), **POOL, family="max_pool2d"),
    case(max_pool_gather, images(1, 4, 3, 1), WINNERS, **POOL, family="max_pool2d"),
    case(average_pool, images(2, 4, 3, 2), **POOL, family="average_pool2d"),
    case(resize, images(2, 3, 2, 2), size=(5, 6), method="bicubic", family="resize"),
    case(resize_grad, images(2, 6, 4, 2), input_size=(3, 2), method="bilinear", family="resize"),
    case(average_pool_grad, normal(2, 2, 3, 2), input_size=(4, 3), **POOL, family="average_pool2d"),
    # batch norm, group norm and dropout
    case(normalise, images(3, 2, 2, 2), positive(2), normal(2), epsilon=1e-3, moving=None,
         family="batch_norm"),
    case(normalise_grad_before_relu, normal(3, 1, 2, 2), images(3, 1, 2, 2), positive(2), normal(2),
         positive(2), epsilon=1e-3, family="batch_norm"),
    case(normalise_grad, normal(3, 2, 2), images(3, 2, 2), positive(2), normal(2), positive(2), epsilon=1e-3,
         family="batch_norm"),
    case(normalise_with, images(3, 2, 2), positive(2), normal(2), normal(2), positive(2), epsilon=1e-3,
         family="batch_norm"),
    case(standardise, images(3, 2, 2, 2), positive(2, 1), normal(2), axes=(1, 3), epsilon=1e-3, centred=True,
         family="group_norm"),
    case(standardise, images(3, 4), positive(4), normal(4), axes=(1,), epsilon=1e-3, centred=False,
         family="group_norm"),
    case(standardise_grad, normal(3, 2, 3), images(3, 2, 3), positive(3), normal(3, 2, 1), positive(3, 2, 1),
         axes=(2,),
         epsilon=1e-3, centred=True, family="group_norm"),
    case(drop, images(5, 3), np.array([3, 9, 2], np.uint32), rate=0.4, noise_shape=None, family="dropout"),
    case(dropout_grad, normal(5, 3), RNG.integers(0, 2**16, (1, 32)).astype(np.uint16), rate=0.4,
         noise_shape=None,
         family="dropout"),
    case(normalise_and_drop, images(5, 2, 3, 2), positive(2), normal(2), np.array([3, 9, 2], np.uint32),
         epsilon=1e-3, rate=0.4, moving=None, family="batch_norm"),
    case(normalise_and_drop_grad, normal(5, 3, 2), RNG.integers(0, 2**16, (1, 32)).astype(np.uint16),
         images(5, 3, 2), positive(2), normal(2), positive(2), epsilon=1e-3, rate=0.4, family="batch_norm"),
    # warps: without their maps, which are constants
    *(case(warp, images(2, 4, 3, 2), maps=MAPS, fill_mode=mode, interpolation="bilinear", fill_value=0.7,
           family="warp")
      for mode in FILL_MODES),
    case(warp, images(2, 4, 3, 1), maps=MAPS, fill_mode="wrap", interpolation="nearest", fill_value=0.0,
         family="warp"),
    *(case(warp_grad, normal(2, 4, 3, 2), maps=MAPS, fill_mode=mode, interpolation="bilinear", family="warp")
      for mode in FILL_MODES),
    case(basics.copy, normal(5)),
]  # fmt: skip

CONSTANT = {
    bitwise_and,
    bitwise_not,
    bitwise_or,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    logical_and,
    logical_or,
    logical_not,
    target_rows,
}  # fmt: skip  (their results are no functions of floats: they have no derivative)


def primitives() -> dict[str, Primitive]:
    """Every primitive of the package by the dotted name of where it is defined."""
    modules: list[ModuleType] = [basics]
    modules += [
        importlib.import_module(f"tinynet.ops.{info.name}") for info in pkgutil.iter_modules(ops.__path__)
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Primitive)]
    return {f"{p.forward.__module__}.{p.name}": p for p in found}
