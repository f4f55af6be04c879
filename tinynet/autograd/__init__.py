"""Autograd: `tape` (what is kept), `tensor`, `primitives` (how rules are written), `backward` (the walk).

`untracked` says what rules are given, `basics` are the operations that the walk itself needs.
"""

from tinynet import missing_names
from tinynet.autograd.backward import Joined, grad, gradients
from tinynet.autograd.primitives import Primitive, array_primitive, primitive
from tinynet.autograd.tape import is_grad_enabled, no_grad, set_grad_enabled
from tinynet.autograd.tensor import Parameter, Tensor, as_raw, as_tensor
from tinynet.autograd.untracked import composition

__all__ = [
    "Joined", "Parameter", "Primitive", "Tensor", "array_primitive", "as_raw", "as_tensor", "composition",
    "grad", "gradients", "is_grad_enabled", "no_grad", "primitive", "set_grad_enabled",
]  # fmt: skip

missing_names.namespace(__name__)

import tinynet.ops  # noqa: E402, F401  the operators of Tensor, whichever of the two rooms is asked for first
