"""Second derivatives of fused kernels.

A fused backward kernel (batch norm's, say) computes in one pass what a dozen operations would. Its own
derivative is needed only for second derivatives, so there is no kernel for that one: it is derived from the
same formula written with operations.

    @derived_from(batch_norm_grad)
    def _(g, x, gamma, mean, var, *, epsilon):
        ...                                 # the formula of the kernel, returning what the kernel returns
"""

import inspect
from collections.abc import Callable
from typing import Any

from tinynet import autograd
from tinynet.autograd import Primitive, Tensor, basics


def derived_from(primitive: Primitive) -> Callable[[Callable[..., Any]], Primitive]:
    """Decorator: the rule of `primitive` is the derivative of the decorated composition of operations."""

    def register(composition: Callable[..., Any]) -> Primitive:
        def rule(grad: Any, needs: list[bool], **values: Any) -> tuple[Any, ...]:
            inputs = [values.pop(name) for name in primitive.inputs]
            return _differentiate(composition, grad, inputs, needs, values)

        names = ["grad", *primitive.inputs, "needs", *primitive.keywords]
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        rule.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])  # type: ignore[attr-defined]
        return primitive.joint_vjp(rule)

    return register


def _differentiate(
    composition: Any, grad: Any, inputs: list[Any], needs: list[bool], static: dict[str, Any]
) -> Any:
    """Gradients of `composition` at `inputs`: arrays,
    or Tensors on the tape if any input is on it (create_graph).
    """
    grads = grad if isinstance(grad, tuple) else (grad,)
    on_tape = any(getattr(value, "requires_grad", False) for value in (*grads, *inputs))
    with autograd.set_grad_enabled(True):
        # Every input becomes a variable of its own: batch norm's mean was computed from x,
        # and is held constant here.
        own = [
            _variable(x, on_tape) if needed else _constant(x) for x, needed in zip(inputs, needs, strict=True)
        ]
        outputs = composition(*own, **static)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [(y, g) for y, g in zip(outputs, grads, strict=True) if g is not None]
        used = [(y, g) for y, g in pairs if isinstance(y, Tensor) and y.requires_grad]
        if not used:  # the outputs asked for depend on none of these inputs
            return (None,) * len(needs)
        wanted = [x for x, needed in zip(own, needs, strict=True) if needed]
        ys, seeds = zip(*used, strict=True)
        found = autograd.gradients(ys, wanted, seeds, create_graph=on_tape, retain_graph=on_tape, stop=True)
    results = iter(found)
    return tuple(next(results) if needed else None for needed in needs)


def _variable(x: Any, on_tape: bool) -> Tensor:
    """A Tensor with a place on the tape of its own: on the tape still connected with what computed x."""
    return basics.reshape(x, shape=x.shape) if on_tape else Tensor(x, requires_grad=True)


def _constant(x: Any) -> Any:
    """x without its place on the tape; a change of it is still noticed."""
    return None if x is None else x.detach()
