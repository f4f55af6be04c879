"""The operations on convolutions: what each computes. How is said by their implementations,
listed in __init__.py.

@declared("im2col"): an operation without code here; the implementation called im2col (im2col.py) is its
reference. That is what runs where no faster one does, on CuPy too. The implementations of a convolution and
its gradients, im2col itself too, are tested against naive.py, the definition as loops.

Images x (N, H, W, C), kernel w (KH, KW, C/groups, F), maps y (N, OH, OW, F); strides (SH, SW), dilation
(DH, DW) and padding ((top, bottom), (left, right)) are settings of all of them. x is zero outside the map.
With groups, filter f sees the channels of its group only.
"""

from ..common import Array, declared
from .geometry import Padding, Pair


@declared("im2col", family="conv2d")
def conv2d(
    x: Array, w: Array, b: Array | None = None, *, strides: Pair, padding: Padding, dilation: Pair,
    groups: int,
    activation: str | None = None,
) -> Array:  # fmt: skip
    """Cross-correlation of images with a kernel, and activation (None or "relu") of the result.

    y[n, oh, ow, f] = b[f] + sum over kh, kw, c of  x[n, oh*SH + kh*DH - top, ow*SW + kw*DW - left, c] * w[kh,
                                                    kw, c, f]

    x (N, H, W, C), w (KH, KW, C/groups, F), b (F,) or None -> y (N, OH, OW, F).
    """


@declared("im2col", family="conv2d")
def conv2d_input_grad(
    g: Array, w: Array, b: Array | None = None, *, input_size: Pair, strides: Pair, padding: Padding,
    dilation: Pair,
    groups: int, activation: str | None = None,
) -> Array:  # fmt: skip
    """Gradient by the input: g (N, OH, OW, F), w (KH, KW, C/groups, F) -> (N, H, W, C),
    the transposed convolution.

    dx[n, ih, iw, c] = sum of g[n, oh, ow, f] * w[kh, kw, c, f] over all taps with oh*SH + kh*DH - top = ih,
    and so for iw. For layers that use it forwards: plus b (C,), and the activation (None or "relu") of that.
    """


@declared("im2col", family="conv2d")
def conv2d_weight_grad(
    x: Array, g: Array, *, kernel_size: Pair, strides: Pair, padding: Padding, dilation: Pair, groups: int
) -> Array:
    """Gradient by the kernel: x (N, H, W, C), g (N, OH, OW, F) -> (KH, KW, C/groups, F).

    dw[kh, kw, c, f] = sum over n, oh, ow of  x[n, oh*SH + kh*DH - top, ow*SW + kw*DW - left, c] * g[n, oh,
                                              ow, f]
    """


@declared("im2col", family="conv2d")
def conv2d_bias_grad(g: Array) -> Array:
    """Gradient of the bias: g (N, OH, OW, F) -> (F,), its sum over all pixels of all images."""


@declared("im2col", family="conv2d")
def conv2d_activation_grad(g: Array, y: Array, activation: str | None) -> tuple[Array, Array]:  # type: ignore[empty-body]
    """Gradient g of the output y = activation(z), both (N, OH, OW, F) -> (dz, gradient of the bias (F,)),
    in one pass.

    dz = g * activation'(z), db = sum of dz over all pixels of all images.
    relu'(z) follows from y: 1 where y > 0, else 0.
    """
