"""Kernels: arrays in, arrays out, one file or package per operation: its formula, its reference, its fast version.

Every operation can be switched by name: `with kernels.use("conv2d", "im2col"): ...`; `kernels.families()` lists the names.
README.md beside this file explains what makes the fast versions fast, and says which file to open for what.
"""

if __name__ != "tinynet.kernels":
    raise ImportError(
        f"this package is tinynet's and was imported as {__name__!r}, which would make a second copy of every kernel; "
        "write `import tinynet.kernels` instead"
    )

from . import (
    activations,
    batch_norm,
    batching,
    binary_crossentropy,
    conv2d,
    dense,
    dropout,
    embedding,
    gemm,
    group_norm,
    normal,
    optimizers,
    philox,
    pool2d,
    reduce,
    resize,
    softmax,
    uniform,
    warp,
)
from .common import families, use

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


def explain(operation: str, *shapes: tuple[int, ...], **static: object) -> str:
    """Which kernel an operation gets for arrays of these `shapes`, and why: explain("conv2d", x.shape, w.shape, ...).

    `static` are settings of the operation: strides, padding, dilation, groups, dtype. Raises ValueError for another operation.

    >>> print(kernels.explain("conv2d", (1, 8, 8, 3), (3, 3, 3, 4)).splitlines()[0])
    conv2d (1, 8, 8, 3) with (3, 3, 3, 4), strides (1, 1), dilation (1, 1), groups 1 -> (1, 6, 6, 4)
    """
    explained = {"conv2d": conv2d.explain}
    if operation not in explained:
        raise ValueError(f"no choice to explain for {operation!r}; there is one for {', '.join(explained)}")
    return explained[operation](*shapes, **static)  # type: ignore[arg-type]
