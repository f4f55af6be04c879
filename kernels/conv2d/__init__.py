"""Convolution: forward, gradient by the input, gradient by the kernel.

The operations, declared in operations.py with their formulas:

    conv2d                   y = activation(b + x * w)
    conv2d_input_grad        dx = g * flipped w, the transposed convolution
    conv2d_weight_grad       dw = sum of x times g over images and pixels
    conv2d_activation_grad   dz = g * activation'(z), and db = sum of dz
    conv2d_bias_grad         db = sum of g

Their implementations, among which `kernels.use("conv2d", name)` chooses for all of them:

    "naive"    naive.py    the definition: seven nested loops
    "im2col"   im2col.py   one matrix product: the reference, which runs on arrays of every module
    "one_at_a_time", "sums_in_registers", "several_filters", "rows_shared"
               ladder.py   the way from the definition to the tiles, one idea after the other (forward only)
    "vector"   vector.py   register tiles on batch-last memory, in forward.py and forward_loop.py (forward and
                           input gradient), weight.py and wide.py (weight gradient), bias.py, grouped.py and
                           depthwise.py (groups)
    "winograd" winograd.py 3x3 kernels with a quarter of the products, in NumPy
    "winograd_tiles"       winograd_vector.py: the fast one. Winograd's algorithm on batch-last memory where
                           it pays, with its parts in winograd_*.py; otherwise "vector"
    "cuda"     cuda.py     launches of CUDA kernels: convolve.cu (forward and input gradient) and gradients.cu

geometry.py says which input pixels an output pixel sees (padding, output sizes); choice.py which convolutions
take im2col's product all the same, and has explain(). All images are logical (N, H, W, C).
"""

from . import (  # noqa: F401  (they register their implementations)
    cuda,
    im2col,
    ladder,
    naive,
    vector,
    winograd,
    winograd_vector,
)
from .choice import explain
from .geometry import output_size, resolve_padding
from .operations import (
    conv2d,
    conv2d_activation_grad,
    conv2d_bias_grad,
    conv2d_input_grad,
    conv2d_weight_grad,
)

__all__ = [
    "conv2d",
    "conv2d_activation_grad",
    "conv2d_bias_grad",
    "conv2d_input_grad",
    "conv2d_weight_grad",
    "explain",
    "output_size",
    "resolve_padding",
]
