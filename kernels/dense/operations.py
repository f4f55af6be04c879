"""The operations of a Dense layer: what each computes. Implementations:
"numpy" (reference.py) and "vector" (vector.py).

    z = x W + b,     y = f(z)         for the activations f whose derivative follows from the output y

With the upstream gradient g of y, and all sums over the samples:

    dz = g f'(z),     dx = dz W^T,     dW = x^T dz,     db = sum of dz
"""

from ..common import Array, declared


@declared("numpy", family="dense")
def dense(x: Array, w: Array, b: Array | None = None, *, activation: str | None = None) -> Array:
    """Samples x (N, K), weights w (K, M), bias b (M,) or None -> y (N, M);
    `activation` is one of ACTIVATIONS, or None.
    """


@declared("numpy", family="dense")
def dense_grad(  # type: ignore[empty-body]
    g: Array, x: Array, w: Array, y: Array, *, activation: str | None, wanted: tuple[bool, bool, bool]
) -> tuple[Array, ...]:
    """g (N, M), x (N, K), w (K, M), y = dense(x, w, b) (N, M) -> those of dx (N, K),
    dw (K, M), db (M,) that `wanted` marks.
    """
