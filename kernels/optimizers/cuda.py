"""The optimizers' rules on a GPU, and what goes before and after them: launches of the kernels in
optimizers.cu, for one variable or for many.

A table of addresses is copied to the GPU where another one is, and found there as long as the arrays are the
same. Numbers go there by value.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import by_value
from ..common import Array, Operation, contiguous, is_on_gpu
from ..constants import settled
from ..cuda import FLOATS, Kernel, blocks, parts_for
from ..elementwise import memory_order
from .adaptive import adadelta, adagrad, rmsprop
from .arguments import check_slots, is_dense
from .averaging import average_sweep, clear_sweep, collect_sweep
from .clipping import cut_off_sweep, factors_of_rows, scale_sweep, squares_sweep
from .descent import decay_sweep, sgd, sgd_momentum
from .moments import adam, adamax, lion, nadam
from .sweep import BLOCK, Loop, Segments, in_one_sweep, on_gpu, rules

NAMES = {  # of the structs in optimizers.cu
    sgd: "Sgd", sgd_momentum: "SgdMomentum", adagrad: "Adagrad", rmsprop: "Rmsprop", adadelta: "Adadelta",
    adam: "Adam", adamax: "Adamax", nadam: "Nadam", lion: "Lion",
}  # fmt: skip
OTHERS = {
    decay_sweep: "Decay", cut_off_sweep: "CutOff", collect_sweep: "Collect", clear_sweep: "Clear",
    average_sweep: "Average",
}  # fmt: skip
THREADS = 256

_sweep = Kernel(
    __file__, "optimizers.cu", "sweep", registers=56, T=FLOATS, R=(*NAMES.values(), *OTHERS.values())
)
_squares = Kernel(__file__, "optimizers.cu", "squares", T=FLOATS)
_factors = Kernel(__file__, "optimizers.cu", "factors", T=FLOATS)
_scale = Kernel(__file__, "optimizers.cu", "scale", T=FLOATS)


@in_one_sweep.implementation("cuda")
def _(w: Array) -> bool:
    return is_dense(w)


def _grid(table: Array) -> tuple[int, int]:
    """The rows of the table, and blocks for each: where there are few rows, a thread for every element."""
    return len(table), parts_for(len(table), blocks(BLOCK, THREADS))


def _counterpart(loop: Loop, name: str) -> None:
    def run(table: Array, c: Array, also: Sequence[Array]) -> None:
        _sweep[c.dtype, name](_grid(table), (THREADS,), table, c, also=also)

    on_gpu[loop] = run


def _sum_squares(table: Array, squares: Array, also: Sequence[Array]) -> None:
    _squares[squares.dtype]((len(table),), (THREADS,), table, squares, also=also)


def _make_factors(squares: Array, group: Array, limit: Array, spread: bool, factors: Array) -> None:
    grid = (blocks(len(group), THREADS),)
    _factors[squares.dtype](grid, (THREADS,), factors, squares, group, limit, spread, len(group))


def _multiply(table: Array, factors: Array, also: Sequence[Array]) -> None:
    _scale[factors.dtype](_grid(table), (THREADS,), table, factors, also=also)


for _rule, _name in NAMES.items():
    _counterpart(rules[_rule].loop, _name)
for _loop, _name in OTHERS.items():
    _counterpart(_loop, _name)
on_gpu.update({squares_sweep: _sum_squares, factors_of_rows: _make_factors, scale_sweep: _multiply})


def update(
    rule: Operation, variables: Sequence[Sequence[Any]], gradients: Sequence[Array], **scalars: float
) -> None:
    """Updates all variables (w, *slots) in one launch: dense arrays of one dtype, as Segments takes them."""
    segments = Segments(variables)
    table, c = segments.table(gradients), np.array(rules[rule].numbers(**scalars), segments.dtype)
    if is_on_gpu(gradients[0]):
        table, c = settled(gradients[0], table), by_value.sent(c, gradients[0])
    held = [array for arrays in variables for array in arrays if array is not None]
    on_gpu[rules[rule].loop](table, c, (*held, *gradients))


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
