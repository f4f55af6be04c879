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

from collections.abc import Sequence
from typing import Any

from tinynet.autograd.tensor import as_raw
from tinynet.kernels.common import is_on_gpu
from tinynet.layers.base import Layer
from tinynet.layers.batch_normalization import BatchNormalization
from tinynet.layers.dropout import Dropout


def joins(first: Layer, second: Layer | None, x: Any) -> bool:
    """Whether a model calls the two together on x: a Dropout behind a BatchNormalization, on a GPU.

    Not of subclasses, which may do something else; nor where a penalty needs what lies between the two.
    """
    pair = type(first) is BatchNormalization and type(second) is Dropout
    return pair and first.activity_regularizer is None and is_on_gpu(as_raw(x))


def in_turn(layers: Sequence[Layer], x: Any) -> Any:
    """What the last of the layers gives, each called on what the one before it gave."""
    behind: Layer | None = None  # a layer that was called together with the one before it
    for layer, second in zip(layers, [*layers[1:], None], strict=True):
        if layer is behind:
            continue
        behind = second if joins(layer, second, x) else None
        x = layer(x) if behind is None else layer(x, dropout=behind)
    return x
