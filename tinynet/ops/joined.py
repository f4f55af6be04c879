"""Gradients that are joined: the derivative of a relu, taken by the operation behind it.

    z = convolution(x, w) + b,   y = relu(z),   and behind it max pooling, say

On the way back the rule of the pooling hands on dy. Of that the rule of the convolution makes

    dz = dy where y > 0, else 0;   db = sum of dz

which is a pass over memory of its own: two arrays read, a third written, for hardly any arithmetic. Whoever
computes dy can do so before it is stored, and hands on both: a BeforeRelu.

When? The tape sees an operation when it is about to run, and not what comes behind it; but on the way back it
has seen all. A rule is told in `sources` (autograd/primitives.py) which primitive its gradient goes to, if
that gets no other and nobody has asked for this one. Where y is used twice, two gradients are added up, and
each is handed on as dy. So it is under create_graph, where every derivative is recorded by itself, and with
debug.check_numerics, which names the operation that went wrong.

What each operation gains by it is said at its rule:

    batch norm     batch_norms.py: y is its input, which it reads once more anyway
    max pooling    pool2d.py: on its way back g goes through the relu where the map is small
"""

from typing import Any

from tinynet.autograd import Joined, Primitive

_ENDING_IN_RELU: list[Any] = []


class BeforeRelu(Joined):
    """dz (N, ..., C), and its sum db (C,): what a rule takes in place of dy."""

    def __init__(self, dz: Any, db: Any) -> None:
        self.dz, self.db = dz, db


def ends_in_relu(primitive: Primitive) -> Primitive:
    """Decorator: `primitive` returns y = relu(z), and its rule takes a BeforeRelu as well as dy."""
    _ENDING_IN_RELU.append(primitive)
    return primitive


def takes_before_relu(source: Primitive | None) -> bool:
    """Whether a rule may return a BeforeRelu as the gradient of an input that came from `source`."""
    return source in _ENDING_IN_RELU
