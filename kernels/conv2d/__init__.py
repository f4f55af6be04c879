"""Convolution: forward, gradient by the input, gradient by the kernel.

    geometry.py   which input pixels an output pixel sees; padding and output sizes
    naive.py      the definition: seven nested loops
    im2col.py     one matrix product: the reference, and the only implementation for arrays that are not NumPy's
    ladder.py     the way from the definition to the tiles, one idea after the other (forward only)
    vector.py     register tiles on batch-last memory: the fast one, with its tiles in
                  forward.py (forward and input gradient), weight.py and wide.py (weight gradient), bias.py,
                  grouped.py and depthwise.py (groups)
    choice.py     which convolutions take im2col's product all the same, and explain()

All images are logical (N, H, W, C). `kernels.use("conv2d", name)` chooses one for all
operations; they are declared in im2col.py, which is their reference.
"""

from . import ladder, naive, vector  # noqa: F401  (they register their implementations)
from .choice import explain
from .geometry import output_size, resolve_padding
from .im2col import (
    col2im,
    conv2d,
    conv2d_activation_grad,
    conv2d_bias_grad,
    conv2d_input_grad,
    conv2d_weight_grad,
    im2col,
)

__all__ = [
    "col2im",
    "conv2d",
    "conv2d_activation_grad",
    "conv2d_bias_grad",
    "conv2d_input_grad",
    "conv2d_weight_grad",
    "explain",
    "im2col",
    "output_size",
    "resolve_padding",
]
