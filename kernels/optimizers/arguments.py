"""What a rule takes, as its reference says: rule(w, g, *slots, *, numbers). All of it is compared with what
comes: a compiled loop reads and writes where it is told to, whatever lies there.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..common import Array, Operation

Numbers = Callable[..., Sequence[float]]  # makes a loop's numbers c of the keywords of the rule's reference


@cache
def keywords(operation: Operation) -> dict[str, Any]:
    """The names of the numbers that a rule's reference takes, each with its default."""
    parameters = inspect.signature(operation.__wrapped__).parameters.values()
    return {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}


@cache
def slots(operation: Operation) -> dict[str, inspect.Parameter]:
    """The slots that a rule's reference takes, by name: a default says that one may be left out."""
    parameters = list(inspect.signature(operation.__wrapped__).parameters.values())
    arrays = [one for one in parameters if one.kind is not one.KEYWORD_ONLY]
    return {one.name: one for one in arrays[2:]}


def check_slots(
    operation: Operation, w: Array, given: Sequence[Any], maker: str, exactly: bool = True
) -> None:
    """Raises TypeError unless the slots `given` are as many as the rule takes, and each of them is of w's
    shape (and, `exactly`, an array in C order of w's dtype).

    maker   who made them, for the error
    """
    taken = slots(operation)
    needed = [name for name, one in taken.items() if one.default is one.empty]
    if not len(needed) <= len(given) <= len(taken):
        what = f"the slots {', '.join(taken)}" if taken else "no slots"
        raise TypeError(f"{operation.__name__} takes {what}; {maker} {len(given)}")
    for (name, one), slot in zip(taken.items(), given, strict=False):
        if slot is None and (one.default is None or "None" in str(one.annotation)):
            continue
        fits = isinstance(slot, type(w)) and slot.shape == w.shape
        if not fits or (exactly and not (slot.dtype == w.dtype and is_dense(slot))):
            raise TypeError(
                f"{operation.__name__}: the slot {name} must be an array of its variable's shape and dtype, "
                f"in C order: {w.dtype} {w.shape}; {maker} {_described(slot)}"
            )


def is_dense(x: Array) -> bool:
    """Whether a loop may go through the memory of `x`: in C order, aligned and writeable."""
    return x.flags.carray if isinstance(x, np.ndarray) else x.flags.c_contiguous


def _described(slot: Any) -> str:
    if not isinstance(slot, np.ndarray):
        return "None" if slot is None else f"a {type(slot).__name__}"
    order = "" if is_dense(slot) else ", in another order or not to be written to"
    return f"{slot.dtype} {slot.shape}{order}"


def numbers_of(operation: Operation, make: Numbers | None) -> Numbers:
    """What makes the numbers c of a rule's loop of its reference's keywords: `make`; None: these, in order.

    Raises TypeError for keywords that the rule does not take, and for those that are missing.
    """
    defaults = keywords(operation)
    needed = {name for name, default in defaults.items() if default is inspect.Parameter.empty}
    taken = ", ".join(defaults)
    if make is not None and (own := set(inspect.signature(make).parameters)) != defaults.keys():
        raise TypeError(
            f"{operation.__name__} takes the numbers {taken}; what makes the loop's of them takes "
            f"{', '.join(sorted(own))}"
        )

    def in_order(**scalars: float) -> Sequence[float]:
        values = {**defaults, **scalars}
        if len(values) > len(defaults) or inspect.Parameter.empty in values.values():
            raise TypeError  # `numbers` finds the words
        return list(values.values())

    compute = make or in_order

    def numbers(**scalars: float) -> Sequence[float]:
        try:
            return compute(**scalars)
        except TypeError:  # the usual step pays nothing for the words
            missing = [f"{name} is missing" for name in defaults if name in needed - scalars.keys()]
            unknown = [f"it has no {name}" for name in scalars if name not in defaults]
            if not missing + unknown:
                raise
            raise TypeError(
                f"{operation.__name__} takes the numbers {taken}: {', '.join(missing + unknown)} "
                "(an optimizer's _kernel_scalars returns them)"
            ) from None

    return numbers
