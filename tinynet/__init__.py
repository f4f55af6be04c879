"""tinynet: a neural-network engine to read in an afternoon, with Keras's API."""

import importlib
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if missing := [name for name in ("numpy", "numba", "tinynet.kernels") if find_spec(name) is None]:
    raise ImportError(
        f"{missing[0]} is missing: this is a checkout that was not installed. "
        "Install it first, with `pip install -e .` at the top of the checkout."
    )

from tinynet import missing_names

sys.meta_path.append(missing_names.Imports)

# What is imported when it is first asked for, so that `import tinynet` costs little: the names below, each
# from its module, and rooms, modules of tinynet.
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
    "device": "tinynet.backend.device",
    "explore": "tinynet.explorer",
    "get_device": "tinynet.backend.device",
    "grad": "tinynet.autograd",
    "gradcheck": "tinynet.gradient_check",
    "gradgradcheck": "tinynet.gradient_check",
    "get_num_threads": "tinynet.kernels.threads",
    "no_grad": "tinynet.autograd",
    "replayed": "tinynet.replay",
    "set_device": "tinynet.backend.device",
    "set_num_threads": "tinynet.kernels.threads",
    "to_device": "tinynet.ops",
}

__all__ = [
    "Initializer", "Input", "InputSpec", "KerasTensor", "Layer", "Loss", "Metric", "Model", "Optimizer",
    "Parameter", "Regularizer", "Sequential", "Tensor", "activations", "autograd", "backend", "callbacks",
    "compat", "config", "constraints", "data", "datasets", "debug", "device", "explore", "explorer",
    "get_device", "get_num_threads", "grad", "gradcheck", "gradgradcheck", "initializers", "kernels",
    "layers", "losses", "memory", "metrics", "models", "no_grad", "ops", "optimizers", "plotting",
    "preprocessing", "random", "regularizers", "replay", "replayed", "saving", "schedules", "set_device",
    "set_num_threads", "to_device", "tree", "utils",
]  # fmt: skip

# the same for editors and type checkers; tests/test_editor.py holds the three lists together
if TYPE_CHECKING:
    from tinynet import (  # isort: skip
        activations, autograd, backend, callbacks, compat, constraints, data, datasets, debug, explorer,
        initializers, kernels, layers, losses, memory, metrics, models, ops, optimizers, plotting,
        preprocessing, random, regularizers, replay, saving, schedules, tree, utils,
    )  # fmt: skip
    from tinynet.autograd import Parameter, Tensor, grad, no_grad
    from tinynet.backend import config
    from tinynet.backend.device import device, get_device, set_device
    from tinynet.explorer import explore
    from tinynet.gradient_check import gradcheck, gradgradcheck
    from tinynet.initializers import Initializer
    from tinynet.kernels.threads import get_num_threads, set_num_threads
    from tinynet.layers import Input, InputSpec, Layer
    from tinynet.layers.symbolic import KerasTensor
    from tinynet.losses import Loss
    from tinynet.metrics import Metric
    from tinynet.models import Model, Sequential
    from tinynet.ops import to_device
    from tinynet.optimizers import Optimizer
    from tinynet.regularizers import Regularizer
    from tinynet.replay import replayed
else:  # to type checkers a name that is not there is a mistake

    def __getattr__(name: str) -> Any:
        if name == "config":
            return importlib.import_module("tinynet.backend.config")
        if name in _NAMES:
            importlib.import_module("tinynet.ops")  # gives Tensor its operators
            value = globals()[name] = getattr(importlib.import_module(_NAMES[name]), name)
            return value
        if name in __all__:
            return importlib.import_module(f"tinynet.{name}")
        raise missing_names.missing("tinynet", name, _places)


def _places() -> dict[str, list[str]]:
    """{where a name may also be: the names there}"""
    rooms = (
        "layers",
        "optimizers",
        "losses",
        "metrics",
        "callbacks",
        "ops",
        "datasets",
        "saving",
        "utils",
        "activations",
    )
    return {f"tinynet.{room}": dir(importlib.import_module(f"tinynet.{room}")) for room in rooms}


def __dir__() -> list[str]:
    return sorted(["__version__", *__all__])
