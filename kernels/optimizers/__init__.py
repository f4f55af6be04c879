"""Optimizer updates: one function per rule, in place on a variable and its slots.

Each rule stands in one place twice: the formula with its NumPy reference (any array module), and a compiled
loop that does the same in one pass over memory; for a GPU a third time, in optimizers.cu. The loop over all
variables of a net, shared among threads, is made of it (sweep.py). Scalars are computed in double precision
once per step and are rounded to the variable's dtype: float32 stays float32.

    w          variable;  g  its gradient
    m, v, ...  slots, of w's shape and dtype
    c          the scalars that a compiled loop takes
"""

from . import cuda  # noqa: F401  (it registers the implementation "cuda")
from .adaptive import adadelta, adagrad, rmsprop
from .arguments import check_slots, keywords
from .averaging import average, average_sweep, clear_sweep, collect, collect_sweep
from .clipping import clip_by_norm, clip_by_value
from .descent import decay, decay_sweep, sgd, sgd_momentum
from .moments import adam, adamax, lion, nadam
from .sweep import Segments, dense, fit_together, in_one_sweep, rules

__all__ = [
    "Segments", "adadelta", "adagrad", "adam", "adamax", "average", "average_sweep", "check_slots",
    "clear_sweep", "clip_by_norm", "clip_by_value", "collect", "collect_sweep", "decay", "decay_sweep",
    "dense", "fit_together", "in_one_sweep", "keywords", "lion", "nadam", "rmsprop", "rules", "sgd",
    "sgd_momentum",
]  # fmt: skip
