"""Optimizer updates: one function per rule, in place on a variable and its slots.

Each rule stands in one place three times: the formula with its NumPy reference (any array module), a compiled loop that
does the same in one pass over memory, and that loop shared among threads for large variables. Scalars arrive as Python
floats, computed in double precision once per step, and are rounded to the variable's dtype: float32 stays float32.

    w  variable    g  gradient    m, v, ...  slots, of w's shape and dtype
"""

from .adaptive import adagrad, rmsprop
from .descent import decay, sgd, sgd_momentum
from .moments import adam, adamax, nadam

__all__ = ["adagrad", "adam", "adamax", "decay", "nadam", "rmsprop", "sgd", "sgd_momentum"]
