"""Activations on a GPU: launches of the kernels in activations.cu."""

from collections.abc import Callable
from typing import Any

from ..common import Array, Operation
from ..cuda import FLOATS, Kernel, blocks
from ..elementwise import flat
from . import rectifiers, sigmoids, smooth

FUNCTIONS = (
    "Relu", "LeakyRelu", "Elu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Silu", "Gelu", "GeluTanh",
)  # fmt: skip
THREADS = 256

_forward = Kernel(__file__, "activations.cu", "forward", T=FLOATS, F=FUNCTIONS)
_backward = Kernel(__file__, "activations.cu", "backward", T=FLOATS, F=FUNCTIONS)

Chosen = tuple[str, float, float]  # a struct of activations.cu, and its settings a and b


def _leaky_relu(negative_slope: float) -> Chosen:
    rectifiers.not_negative("leaky_relu", "negative_slope", negative_slope)
    return "LeakyRelu", negative_slope, 0


def _elu(alpha: float) -> Chosen:
    rectifiers.not_negative("elu", "alpha", alpha)
    return "Elu", 1, alpha


def _gelu(approximate: bool) -> Chosen:
    return "GeluTanh" if approximate else "Gelu", -smooth.LOWEST, 0


def _register(function: Operation, gradient: Operation, choose: Callable[..., Chosen]) -> None:
    """Both get an implementation "cuda"; `choose` makes of their settings what is launched."""

    @function.implementation("cuda")
    def _(x: Array, **static: Any) -> Array:
        name, a, b = choose(**static)
        y, flats = flat(x)
        _forward[x.dtype, name]((blocks(x.size, THREADS),), (THREADS,), *flats, a, b, x.size)
        return y

    @gradient.implementation("cuda")
    def _(g: Array, s: Array, **static: Any) -> Array:
        name, a, b = choose(**static)
        dx, flats = flat(g, s)
        _backward[g.dtype, name]((blocks(g.size, THREADS),), (THREADS,), *flats, a, b, g.size)
        return dx


_register(rectifiers.relu, rectifiers.relu_grad, lambda: ("Relu", 0, 0))
_register(rectifiers.leaky_relu, rectifiers.leaky_relu_grad, _leaky_relu)
_register(rectifiers.elu, rectifiers.elu_grad, _elu)
_register(
    rectifiers.selu, rectifiers.selu_grad, lambda: ("Elu", rectifiers.SELU_SCALE, rectifiers.SELU_ALPHA)
)
_register(sigmoids.sigmoid, sigmoids.sigmoid_grad, lambda: ("Sigmoid", 0, 0))
_register(sigmoids.tanh, sigmoids.tanh_grad, lambda: ("Tanh", 0, 0))
_register(sigmoids.softplus, sigmoids.softplus_grad, lambda: ("Softplus", 0, 0))
_register(sigmoids.softsign, sigmoids.softsign_grad, lambda: ("Softsign", 0, 0))
_register(smooth.silu, smooth.silu_grad, lambda: ("Silu", -smooth.LOWEST, 0))
_register(smooth.gelu, smooth.gelu_grad, _gelu)
