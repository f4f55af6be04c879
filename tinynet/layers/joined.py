"""Layers that are called together: batch normalisation, and the dropout right behind it.

On a GPU small layers take as long as it takes to launch their kernels, and large ones as long as memory
does. Where a Dropout follows a BatchNormalization, one kernel does the work of both: it drops what it
normalises, as it writes it. So a layer must know, before it runs, what comes next; as with the activation of
a Dense layer, which is an argument of it (fused_activation.py). Here it is an argument of the call,

    norm(x, dropout=dropout)     for     dropout(norm(x))

and has the same bits. A Sequential or functional model calls such a pair so by itself, if nobody else is
given what lies between the two. A layer of one's own writes it:

    class Block(Layer):
        def call(self, x):
            return self.norm(self.convolution(x), dropout=self.dropout)

The layers are the right place to see the pair. The tape sees an operation when it is about to run, and not
what comes behind it; a list of the launches of a whole step does not say whether somebody reads the array
between two of them later on: an expression of CuPy's is no launch of ours.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from tinynet.autograd.tensor import as_raw
from tinynet.kernels.common import is_on_gpu
from tinynet.layers.base import Layer
from tinynet.layers.batch_normalization import BatchNormalization
from tinynet.layers.dropout import Dropout

Step = TypeVar("Step")


def joins(first: Layer, second: Layer, x: Any) -> bool:
    """Whether a model calls the two together on x: a Dropout behind a BatchNormalization, on a GPU.

    Not of subclasses, which may do something else; nor where a penalty needs what lies between the two.
    """
    pair = type(first) is BatchNormalization and type(second) is Dropout
    return pair and first.activity_regularizer is None and is_on_gpu(as_raw(x))


def in_turn(layers: Sequence[Layer], x: Any) -> Any:
    """What the last of the layers gives, each called on what the one before it gave."""
    for layer, behind in paired(layers, lambda a, b: joins(a, b, x)):  # noqa: B023  (x as it is by then)
        x = layer(x) if behind is None else layer(x, dropout=behind)
    return x


def paired(
    steps: Sequence[Step], together: Callable[[Step, Step], bool]
) -> Iterator[tuple[Step, Step | None]]:
    """(step, None) of the steps in turn; (step, the next one) where both are done `together`, which is asked
    when it is the first one's turn.
    """
    number = 0
    while number < len(steps):
        step, following = steps[number], steps[number + 1 : number + 2]
        behind = following[0] if following and together(step, following[0]) else None
        yield step, behind
        number += 1 if behind is None else 2
