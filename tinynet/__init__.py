"""tinynet: a neural-network engine to read in an afternoon, with Keras's API."""

import importlib
import sys
from importlib.util import find_spec
from typing import Any

__version__ = "0.1.0"

if missing := [name for name in ("numpy", "numba", "tinynet.kernels") if find_spec(name) is None]:
    raise ImportError(
        f"{missing[0]} is missing: this is a checkout that was not installed. "
        "Install it first, with `pip install -e .` at the top of the checkout."
    )

from tinynet import missing_names

sys.meta_path.append(missing_names.Imports)

# Rooms and names are imported when they are first asked for, so that `import tinynet` costs little.
_ROOMS = (
    "activations", "autograd", "backend", "callbacks", "compat", "constraints", "data", "datasets", "debug",
    "initializers", "kernels", "layers", "losses", "memory", "metrics", "models", "ops", "optimizers", "plotting",
    "preprocessing", "random", "regularizers", "saving", "schedules", "tree", "utils",
)  # fmt: skip
_NAMES = {
    "Initializer": "tinynet.initializers",
    "Input": "tinynet.layers",
    "InputSpec": "tinynet.layers",
    "KerasTensor": "tinynet.layers.symbolic",
    "Layer": "tinynet.layers",
    "Loss": "tinynet.losses",
    "Metric": "tinynet.metrics",
    "Model": "tinynet.models",
    "Optimizer": "tinynet.optimizers",
    "Parameter": "tinynet.autograd",
    "Regularizer": "tinynet.regularizers",
    "Sequential": "tinynet.models",
    "Tensor": "tinynet.autograd",
    "grad": "tinynet.autograd",
    "gradcheck": "tinynet.gradient_check",
    "gradgradcheck": "tinynet.gradient_check",
    "get_num_threads": "tinynet.kernels.threads",
    "no_grad": "tinynet.autograd",
    "set_device": "tinynet.backend.device",
    "set_num_threads": "tinynet.kernels.threads",
}

__all__ = ["config", *_ROOMS, *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"tinynet.{name}")
    if name == "config":
        return importlib.import_module("tinynet.backend.config")
    if name in _NAMES:
        importlib.import_module("tinynet.ops")  # gives Tensor its operators
        value = globals()[name] = getattr(importlib.import_module(_NAMES[name]), name)
        return value
    raise missing_names.missing("tinynet", name, _places)


def _places() -> dict[str, list[str]]:
    """{where a name may also be: the names there}"""
    rooms = ("layers", "optimizers", "losses", "metrics", "callbacks", "ops", "datasets", "saving", "utils", "activations")
    return {f"tinynet.{room}": dir(importlib.import_module(f"tinynet.{room}")) for room in rooms}


def __dir__() -> list[str]:
    return sorted(["__version__", *__all__])
