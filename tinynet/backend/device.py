"""Devices: "cpu" (NumPy) and "gpu" (CuPy, imported when first asked for)."""

from typing import Any

import numpy as np

from tinynet import missing_names

missing_names.namespace(__name__)
_current = {"device": "cpu"}


def gpu_available() -> bool:
    """Whether CuPy is installed and sees a GPU."""
    try:
        import cupy

        return bool(cupy.cuda.runtime.getDeviceCount() > 0)
    except Exception:  # CuPy raises errors of its own kinds for a missing driver or library
        return False


def set_device(name: str) -> None:
    """Chooses by `name` where parameters and batches live: "cpu",
    "gpu" or "auto" (the GPU where there is one).

    Raises ValueError for another name, RuntimeError for "gpu" where CuPy or a GPU is missing.
    """
    if name not in ("auto", "cpu", "gpu"):
        raise ValueError(f"device must be 'auto', 'cpu' or 'gpu', got {name!r}")
    found = name != "cpu" and gpu_available()
    if name == "gpu" and not found:
        raise RuntimeError(
            "device 'gpu' needs CuPy and an NVIDIA GPU: install the extra for your CUDA release, for example "
            "`pip install 'tinynet[cuda12]'`, and check that `nvidia-smi` lists a GPU"
        )
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
    """`array` on the device in use; the same array where it is there already."""
    module = array_module()
    return array if type(array) is module.ndarray else module.asarray(array)


def to_host(array: Any) -> np.ndarray:
    """`array` as a NumPy array."""
    return array.get() if hasattr(array, "get") else np.asarray(array)
