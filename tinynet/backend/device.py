"""Devices: "cpu" (NumPy) and "gpu" (CuPy, imported when first asked for)."""

from typing import Any

import numpy as np

from tinynet import missing_names
from tinynet.kernels.common import batch_last, from_batch_last

missing_names.namespace(__name__)
_current = {"device": "cpu"}


def gpu_available() -> bool:
    """Whether CuPy is installed and sees a GPU."""
    return _trouble() is None


def _trouble() -> str | None:
    """What keeps the GPU from being used, and what to do about it; None if nothing does."""
    try:
        import cupy
    except ImportError as error:
        return (
            f"CuPy cannot be imported ({error}): run `pip install 'tinynet[cuda13]'`, "
            "or 'tinynet[cuda12]' where the driver is older than CUDA 13"
        )
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # CuPy raises errors of its own kinds for a missing driver or library
        return (
            f"CuPy reaches no GPU ({error}): check that `nvidia-smi` lists one, and that its driver is as "
            "new as the CUDA release of CuPy (`pip list` shows cupy-cuda12x or cupy-cuda13x)"
        )
    return None if count > 0 else "CuPy sees no GPU: check that `nvidia-smi` lists one"


def set_device(name: str) -> None:
    """Chooses by `name` where parameters and batches live: "cpu",
    "gpu" or "auto" (the GPU where there is one).

    Raises ValueError for another name, RuntimeError for "gpu" where CuPy or a GPU is missing.
    """
    if name not in ("auto", "cpu", "gpu"):
        raise ValueError(f"device must be 'auto', 'cpu' or 'gpu', got {name!r}")
    found = name != "cpu" and gpu_available()
    if name == "gpu" and not found:
        raise RuntimeError(f"device 'gpu' needs CuPy and an NVIDIA GPU. {_trouble()}")
    _current["device"] = "gpu" if found else "cpu"


def get_device() -> str:
    """The device in use: "cpu" or "gpu"."""
    return _current["device"]


def array_module() -> Any:
    """NumPy on the CPU, CuPy on the GPU."""
    if _current["device"] == "cpu":
        return np
    import cupy

    return cupy


def to_device(array: Any) -> Any:
    """`array` on the device in use; the same array where it is there already.

    What is copied keeps batch-last memory: CuPy would make C order of it.
    """
    module = array_module()
    if type(array) is module.ndarray:
        return array
    if module is not np and isinstance(array, np.ndarray) and array.ndim > 1 and not array.flags.c_contiguous:
        return from_batch_last(module.asarray(batch_last(array)))
    return module.asarray(array)


def to_host(array: Any) -> np.ndarray:
    """`array` as a NumPy array."""
    return array.get() if hasattr(array, "get") else np.asarray(array)
