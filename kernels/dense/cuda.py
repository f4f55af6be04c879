"""Dense layers on a GPU: convolutions of maps of one pixel, by the kernels of kernels/conv2d.

cuBLAS, which CuPy's matmul is, cannot be part of a CUDA graph. relu is applied where the sums are, and its
derivative where the bias' gradient is summed; the other activations are a launch of their own.
"""

from ..common import Array, batch_last, contiguous, empty
from ..conv2d.cuda import PIXEL, bias_grad, product, weight_grad
from .operations import dense, dense_grad
from .reference import ACTIVATIONS


def _fits(x: Array, w: Array, *more: Array | None) -> bool:
    """Whether x is (N, K) and w (K, M), all of one number format; the reference has the errors."""
    matrices = x.ndim == w.ndim == 2 and x.shape[1] == w.shape[0]
    return matrices and all(array is None or array.dtype == x.dtype for array in (w, *more))


@dense.implementation("cuda")
def _(x: Array, w: Array, b: Array | None = None, *, activation: str | None = None) -> Array:
    if not _fits(x, w, b) or (b is not None and b.shape != w.shape[1:]):
        return dense["numpy"](x, w, b, activation=activation)
    y, b = empty(x, (x.shape[0], w.shape[1])), None if b is None else contiguous(b)
    product(False, batch_last(y), batch_last(x), contiguous(w), b, activation == "relu")
    if activation in (None, "relu"):
        return y
    function, _, parameters = ACTIVATIONS[activation]
    return function["cuda"](y, **parameters)


@dense_grad.implementation("cuda")
def _(
    g: Array, x: Array, w: Array, y: Array, *, activation: str | None, wanted: tuple[bool, bool, bool]
) -> tuple[Array, ...]:
    if not (_fits(x, w, g, y) and g.shape == y.shape == (x.shape[0], w.shape[1])):
        return dense_grad["numpy"](g, x, w, y, activation=activation, wanted=wanted)
    dz, db = g, None
    if activation == "relu" and wanted[2]:  # its derivative and the bias' gradient in one launch
        dz = empty(g, g.shape)
        db = bias_grad(batch_last(g), batch_last(y), batch_last(dz))
    elif activation is not None:
        _, derivative, parameters = ACTIVATIONS[activation]
        dz = derivative["cuda"](g, y, **parameters)
    rows = batch_last(dz)  # (M, N)

    def by_x() -> Array:
        dx = empty(x, x.shape)
        product(True, batch_last(dx), rows, contiguous(w), None, False)
        return dx

    def by_w() -> Array:
        return weight_grad(batch_last(x)[None, None], rows[None, None], PIXEL)[0, 0]

    gradients = by_x, by_w, lambda: bias_grad(rows) if db is None else db
    return tuple(gradient() for gradient, needed in zip(gradients, wanted, strict=True) if needed)
