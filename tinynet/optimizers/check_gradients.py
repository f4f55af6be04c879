"""The gradients and variables that `apply` is given, checked;
and the constraints that it holds the variables to.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet.autograd import Parameter, as_raw, no_grad
from tinynet.backend import tracebacks
from tinynet.kernels.launches import write

PLAIN = (list, tuple, int, float)  # what is no array, and becomes one of the variable's dtype


def check_known(optimizer: Any, variables: Sequence[Parameter]) -> None:
    """Raises ValueError for a variable that was not there when the optimizer was built."""
    for variable in variables:
        if id(variable) not in optimizer._slots_by_id:
            raise ValueError(
                f"Unknown variable {variable.name!r}: {optimizer.name} was built for other variables. "
                "After layers were added or unfrozen, compile again or create a new optimizer"
            )


def pairs(
    optimizer: Any, grads: Sequence[Any], variables: Sequence[Parameter]
) -> tuple[list[Any], list[Parameter]]:
    """Raw gradients and their variables, checked, without those that have no gradient."""
    check_known(optimizer, variables)
    present, updated, missing = [], [], []
    for g, variable in zip(grads, variables, strict=True):
        g = np.asarray(g, variable.dtype) if isinstance(g, PLAIN) else as_raw(g)
        if g is None:
            missing.append(variable.name)
        elif g.shape != variable.shape:
            raise ValueError(
                f"{optimizer.name}: {variable.name!r} has shape {variable.shape}, its gradient {g.shape}"
            )
        else:
            present.append(g)
            updated.append(variable)
    if not present:
        raise ValueError(f"No gradients provided for any variable: {missing}; does the loss depend on them?")
    if missing:
        tracebacks.warn(f"{optimizer.name}: no gradient for {missing}; they are left as they are")
    return present, updated


@no_grad()
def constrain(variable: Parameter) -> None:
    """w <- constraint(w); in launches, if the constraint is written with operators
    and functions of tinynet.ops.
    """
    value = as_raw(variable.constraint(variable))
    if type(value) is type(variable.data) is np.ndarray and value.shape == variable.shape:
        write(variable.data, value)
        variable.touch()
    else:
        variable.assign(value)
