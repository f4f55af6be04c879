"""Cross-entropies per sample, with Keras's formulas: losses -> here -> kernels/softmax/cross_entropy.py.

    categorical   - sum_c t_c log clip(p_c / sum p, e, 1 - e)
                  from logits: - sum_c t_c (z_c - logsumexp z)
    sparse        the same with t the one-hot row of an integer label
    binary        - t log q - (1 - t) log(1 - q) of every element,  q = clip(p, e, 1 - e)

The gradient is 0 where the clip is active. Targets are constants.
"""

from typing import Any

import numpy as np

from tinynet.autograd import Tensor, array_primitive, as_tensor, composition
from tinynet.backend import config
from tinynet.backend.number_format import as_array
from tinynet.kernels import binary_crossentropy as binary
from tinynet.kernels import elementwise
from tinynet.kernels import softmax as kernels
from tinynet.kernels.common import xp
from tinynet.kernels.softmax.cross_entropy import EPSILON
from tinynet.ops.constants import stop_gradient
from tinynet.ops.derived import derived_from
from tinynet.ops.elementary import cast, log
from tinynet.ops.methods import Value
from tinynet.ops.reduction import sum
from tinynet.ops.selection import clip, where
from tinynet.ops.settings import existing, floats
from tinynet.ops.shapes import moveaxis, reshape
from tinynet.ops.smooth_activations import sigmoid
from tinynet.ops.softmaxes import softmax_grad


@array_primitive
def target_rows(t, *, classes, dtype):
    """Targets (N, C) or labels (N,) as rows of `dtype`; a label outside 0 .. C-1 gives a row of zeros."""
    if t.ndim == 1:
        t = elementwise.apply(np.equal, t.reshape(-1, 1), xp(t).arange(classes), dtype=np.dtype(bool))
    return elementwise.cast(t, dtype)


@array_primitive
def crossentropy(p, t, *, epsilon=EPSILON):
    """Probabilities p (N, C), targets t (N, C) or labels (N,) -> loss (N,)."""
    return kernels.crossentropy(p, t, epsilon=epsilon)


@crossentropy.vjp("p")
def _(grad, p, t, epsilon):
    return crossentropy_grad(grad, p, t, epsilon=epsilon)


@array_primitive
def crossentropy_grad(g, p, t, *, epsilon=EPSILON):
    """g (N,) -> dp (N, C), through the renormalisation and the clip."""
    return kernels.crossentropy_grad(g, p, t, epsilon=epsilon)


@derived_from(crossentropy_grad)
def _(g, p, t, *, epsilon):
    total = sum(p, 1, keepdims=True)
    q = p / total
    inside = (q >= epsilon) & (q <= 1 - epsilon)
    dq = where(inside, -(reshape(g, (-1, 1)) * target_rows(t, classes=p.shape[1], dtype=p.dtype)) / q, 0.0)
    return (dq - sum(dq * q, 1, keepdims=True)) / total


@array_primitive
def softmax_crossentropy(z, t, *, clip, epsilon=EPSILON):
    """Softmax of the logits z (N, C) and cross-entropy with t in one kernel -> (loss (N,),
    probabilities (N, C)).
    """
    return kernels.softmax_crossentropy(z, t, clip=clip, epsilon=epsilon)


@softmax_crossentropy.vjp("z")
def _(grad, t, y, clip, epsilon):
    dz = None if grad[0] is None else softmax_crossentropy_grad(grad[0], y[1], t, clip=clip, epsilon=epsilon)
    if grad[1] is None:
        return dz
    through_p = softmax_grad(grad[1], y[1], axis=-1)
    return through_p if dz is None else dz + through_p


@array_primitive
def softmax_crossentropy_grad(g, p, t, *, clip, epsilon=EPSILON):
    """g (N,), p = softmax(z) (N, C) -> dz (N, C)."""
    return kernels.softmax_crossentropy_grad(g, p, t, clip=clip, epsilon=epsilon)


@derived_from(softmax_crossentropy_grad)
def _(g, p, t, *, clip, epsilon):
    if clip:
        return softmax_grad(crossentropy_grad(g, p, t, epsilon=epsilon), p, axis=-1)
    rows = target_rows(t, classes=p.shape[1], dtype=p.dtype)
    return reshape(g, (-1, 1)) * (p * sum(rows, 1, keepdims=True) - rows)


@array_primitive
def logistic_crossentropy(z, t):
    """Binary cross-entropy of the logits z with the targets t, of one shape, element by element."""
    return binary.binary_crossentropy(z, t)


@logistic_crossentropy.vjp("z")
def _(grad, z, t):
    return logistic_crossentropy_grad(grad, z, t)


@array_primitive
def logistic_crossentropy_grad(g, z, t):
    """g (sigmoid(z) - t)."""
    return binary.binary_crossentropy_grad(g, z, t)


@derived_from(logistic_crossentropy_grad)
def _(g, z, t):
    return g * (sigmoid(z) - t)


def categorical_crossentropy(
    target: Value, output: Value, from_logits: bool = False, axis: int = -1
) -> Value:
    """target and output (N, ..., C), the classes along `axis` -> loss (N, ...); see the formulas above.

    A 2-D softmax is not differentiated on its own: the loss of its logits runs as one kernel, with the same
    values and gradients (so the gradient by the probabilities themselves needs `probabilities.detach()` with
    requires_grad set).

    from_logits   whether output holds logits z, of which the softmax is the probabilities,
                  rather than probabilities p

    >>> ops.categorical_crossentropy([[0.0, 1.0]], [[0.2, 0.8]]).round(4)
    array([0.2231], dtype=float32)
    """
    target, (output,) = stop_gradient(as_array(target)), floats(output)
    if tuple(target.shape) != tuple(output.shape):
        raise ValueError(
            "categorical_crossentropy: expected target and output of one shape (N, ..., "
            f"C), got {tuple(target.shape)} "
            f"and {tuple(output.shape)}; integer labels go to sparse_categorical_crossentropy"
        )
    target, output = (_last("categorical_crossentropy", x, axis) for x in (target, output))
    return _categorical(target, target.shape[:-1], output, from_logits)


def sparse_categorical_crossentropy(
    target: Value, output: Value, from_logits: bool = False, axis: int = -1
) -> Value:
    """target: integer labels (N, ...) or (N, ..., 1), output (N, ..., C),
    the classes along `axis` -> loss (N, ...).

    from_logits   whether output holds logits rather than probabilities.
                  Raises ValueError where the shapes do not fit.

    >>> ops.sparse_categorical_crossentropy([1], [[0.2, 0.8]]).round(4)
    array([0.2231], dtype=float32)
    """
    labels, output = (
        stop_gradient(as_array(target)),
        _last("sparse_categorical_crossentropy", floats(output)[0], axis),
    )
    shape = tuple(output.shape[:-1])
    if tuple(labels.shape) not in (shape, (*shape, 1)):
        raise ValueError(
            "sparse_categorical_crossentropy: "
            f"expected one label for each row of the output {tuple(output.shape)}, that "
            f"is shape {shape} or {(*shape, 1)}, got {tuple(labels.shape)}; "
            "one-hot rows go to categorical_crossentropy"
        )
    labels = reshape(labels, shape)
    return _categorical(
        labels if labels.dtype.kind in "iu" else cast(labels, dtype="int64"), shape, output, from_logits
    )


@composition
def binary_crossentropy(target: Value, output: Value, from_logits: bool = False) -> Value:
    """target and output of one shape -> losses of that shape, element by element.

    from_logits   whether output holds logits z, p = sigmoid(z), rather than p.
                  Raises ValueError where the shapes differ.

    >>> ops.binary_crossentropy([1.0, 0.0], [0.8, 0.8]).round(4)
    array([0.2231, 1.6094], dtype=float32)
    """
    target, (output,) = stop_gradient(as_tensor(target)), floats(output)
    if tuple(target.shape) != tuple(output.shape):
        raise ValueError(
            "binary_crossentropy: "
            f"target {tuple(target.shape)} and output {tuple(output.shape)} differ in shape"
        )
    if target.dtype != output.dtype:
        target = cast(target, dtype=output.dtype)
    if from_logits:
        return logistic_crossentropy(output, target)
    e = config.epsilon()
    q = clip(output, x_min=e, x_max=1 - e)
    return -(target * log(q) + (1 - target) * log(1 - q))


def _last(name: str, x: Value, axis: int) -> Value:
    """x with its classes along the last axis."""
    axis = existing(name, axis, x)
    return x if axis == x.ndim - 1 else moveaxis(x, axis, -1)


def _categorical(target: Any, shape: tuple[int, ...], output: Value, from_logits: bool) -> Value:
    if output.ndim != 2:
        target = reshape(target, (-1, *target.shape[len(shape) :]))
        output = reshape(output, (-1, output.shape[-1]))
    logits = output if from_logits else _logits(output)
    if logits is None:
        loss = crossentropy(output, target, epsilon=config.epsilon())
    else:
        loss = softmax_crossentropy(logits, target, clip=not from_logits, epsilon=config.epsilon())[0]
    return loss if len(shape) == 1 else reshape(loss, shape)


def _logits(output: Value) -> Value | None:
    """What `output` is the softmax of, unless either was changed in place since."""
    if not isinstance(output, Tensor) or output._logits is None or output.version:
        return None
    logits, version = output._logits
    return logits if logits.version == version else None
