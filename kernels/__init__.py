"""Kernels: arrays in, arrays out, one file or package per operation: its formula,
its reference, its fast version.

Every operation can be switched by name: `with kernels.use("conv2d", "im2col"): ...`; `kernels.families()`
lists the names. README.md beside this file explains what makes the fast versions fast, and says which file to
open for what.
"""

if __name__ != "tinynet.kernels":
    raise ImportError(
        f"this package is tinynet's and was imported as {__name__!r}, "
        "which would make a second copy of every kernel; write `import tinynet.kernels` instead"
    )

from functools import partial
from inspect import unwrap
from types import ModuleType

from . import (  # noqa: F401  (those called ..._cuda register the implementation "cuda")
    activations,
    batch_norm,
    batch_norm_cuda,
    batching,
    binary_crossentropy,
    binary_crossentropy_cuda,
    conv2d,
    dense,
    dropout,
    dropout_cuda,
    embedding,
    embedding_cuda,
    gemm,
    group_norm,
    group_norm_cuda,
    normal,
    optimizers,
    padding,
    padding_cuda,
    philox,
    pool2d,
    random_cuda,
    reduce,
    reduce_cuda,
    resize,
    resize_cuda,
    softmax,
    uniform,
    warp,
    warp_cuda,
)
from .common import families, use
from .explanation import explain

__all__ = [
    "activations",
    "batch_norm",
    "batching",
    "binary_crossentropy",
    "conv2d",
    "dense",
    "dropout",
    "embedding",
    "explain",
    "families",
    "gemm",
    "group_norm",
    "normal",
    "optimizers",
    "padding",
    "philox",
    "pool2d",
    "reduce",
    "resize",
    "softmax",
    "uniform",
    "use",
    "warp",
]


def __dir__() -> list[str]:
    return sorted(__all__)


def _own_names(module: ModuleType) -> list[str]:
    """What `dir()` of a family shows: what the package lists, or what the file defines."""
    held = vars(module)
    found = (
        name for name, value in held.items() if getattr(unwrap(value), "__module__", None) == module.__name__
    )
    return sorted(
        held["__all__"] if "__all__" in held else (name for name in found if not name.startswith("_"))
    )


for _module in [
    value for name, value in list(globals().items()) if name in __all__ and isinstance(value, ModuleType)
]:
    vars(_module)["__dir__"] = partial(_own_names, _module)
