"""The optimizers' rules on a GPU: launches of the kernel in optimizers.cu, for one variable or for many."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..common import Array, Operation, contiguous, is_on_gpu, xp
from ..cuda import FLOATS, Kernel
from ..elementwise import memory_order
from .adaptive import adadelta, adagrad, rmsprop
from .arguments import check_slots
from .descent import sgd, sgd_momentum
from .moments import adam, adamax, lion, nadam
from .sweep import Segments, rules

NAMES = {  # of the structs in optimizers.cu
    sgd: "Sgd", sgd_momentum: "SgdMomentum", adagrad: "Adagrad", rmsprop: "Rmsprop", adadelta: "Adadelta",
    adam: "Adam", adamax: "Adamax", nadam: "Nadam", lion: "Lion",
}  # fmt: skip
THREADS = 256

_sweep = Kernel(__file__, "optimizers.cu", "sweep", T=FLOATS, R=tuple(NAMES.values()))


def update(
    rule: Operation, variables: Sequence[Sequence[Any]], gradients: Sequence[Array], **scalars: float
) -> None:
    """Updates all variables (w, *slots) in one launch: dense arrays of one dtype, as Segments takes them."""
    segments = Segments(variables)
    table, c = segments.table(gradients), np.array(rules[rule].numbers(**scalars), segments.dtype)
    if is_on_gpu(gradients[0]):
        table, c = xp(gradients[0]).asarray(table), xp(gradients[0]).asarray(c)
    held = [array for arrays in variables for array in arrays if array is not None]
    _sweep[segments.dtype, NAMES[rule]]((len(table),), (THREADS,), table, c, also=(*held, *gradients))


def _register(rule: Operation) -> None:
    @rule.implementation("cuda")
    def _(w: Array, g: Array, *made: Array | None, **scalars: float) -> None:
        if g.shape != w.shape:
            raise TypeError(f"{rule.__name__}: w has shape {w.shape}, its gradient {g.shape}")
        check_slots(rule, w, made, "got", exactly=False)
        order = memory_order(w)
        views = [None if a is None else a.transpose(order) for a in (w, g, *made)]
        dense: list[Any] = [None if view is None else contiguous(view, w.dtype) for view in views]
        update(rule, [(dense[0], *dense[2:])], [dense[1]], **scalars)
        for position, (view, copy) in enumerate(zip(views, dense, strict=True)):
            if position != 1 and view is not None and copy is not view:
                view[...] = copy


for _rule in NAMES:
    _register(_rule)
