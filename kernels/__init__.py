"""Kernels: arrays in, arrays out, one file or package per operation: its formula, its reference, its fast version.

Every operation can be switched by name: `with kernels.use("conv2d", "im2col"): ...`; `kernels.families()` lists the names.
"""

if __name__ != "tinynet.kernels":
    raise ImportError(
        f"this package is tinynet's and was imported as {__name__!r}, which would make a second copy of every kernel; "
        "write `import tinynet.kernels` instead"
    )

from . import activations, batch_norm, batching, conv2d, dropout, gemm, optimizers, philox, pool2d, reduce, softmax
from .common import families, use

__all__ = [
    "activations",
    "batch_norm",
    "batching",
    "conv2d",
    "dropout",
    "families",
    "gemm",
    "optimizers",
    "philox",
    "pool2d",
    "reduce",
    "softmax",
    "use",
]
