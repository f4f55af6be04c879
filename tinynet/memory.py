"""Where memory goes: what a model holds, what its data take, and what the process as a whole has taken.

    tinynet.memory.summary(model, x_train, y_train)

While a model trains, most of its memory is in the steps that are repeated: each keeps the activations and
gradients of one kind of batch and takes nothing from the system afterwards.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tinynet import missing_names
from tinynet.console import say

missing_names.namespace(__name__)


def usage(model: Any = None, *data: Any) -> dict[str, int]:
    """Bytes by name: "parameters", "optimizer", "steps" of `model`, "data",
    and "now" and "peak" of the process.

    "now" and "peak" (resident memory) are missing where the system does not tell. Raises TypeError for what
    is no model, and data that are no arrays.

    >>> memory.usage(model, x)["parameters"], memory.usage(model, x)["data"]
    (8, 32)
    """
    found: dict[str, int] = {}
    if model is not None:
        if not hasattr(model, "weights"):
            raise TypeError(
                f"tinynet.memory: expected a model first, got {type(model).__name__}; pass None for no model"
            )
        optimizer = getattr(model, "optimizer", None)
        found["parameters"] = _total(model.weights)
        found["optimizer"] = 0 if optimizer is None else _total(optimizer.variables)
        found["steps"] = sum(program.bytes for program in _programs(model))
    if data:
        found["data"] = _total(data)
    return found | process()


def summary(model: Any = None, *data: Any, print_fn: Callable[[str], Any] = say) -> None:
    """Prints `usage` of `model` (or None) and of arrays, `data`, as a table;
    `print_fn` is given a line at a time.

    >>> memory.summary(model, x, print_fn=lambda line: print(line.split()[0]))
    parameters
    optimizer
    repeated
    data
    process,
    process,
    """
    steps = 0 if model is None else len(_programs(model))
    names = {
        "parameters": "parameters",
        "optimizer": "optimizer",
        "steps": f"repeated steps ({steps})",
        "data": "data",
        "now": "process, now",
        "peak": "process, at most",
    }
    for name, size in usage(model, *data).items():
        print_fn(f"{names[name]:20} {size / 2**20:10,.2f} MiB")


def process() -> dict[str, int]:
    """Bytes of resident memory of this process, "now" and at its "peak", as far as the system tells.

    >>> memory.process()["peak"] > 0
    True
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return {
            name: 1024 * int(fields[field].split()[0])
            for name, field in (("now", "VmRSS"), ("peak", "VmHWM"))
        }
    except (OSError, KeyError):  # not Linux
        pass
    try:
        import resource
    except ImportError:  # Windows
        return {}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak": peak if sys.platform == "darwin" else 1024 * peak}


def _programs(model: Any) -> list[Any]:
    return [] if model is None else getattr(model, "_programs_of_steps", [])


def _total(arrays: Iterable[Any]) -> int:
    """Bytes of arrays, or of objects that hold one as `data`, each counted once."""
    arrays = [x for x in arrays if x is not None]
    for x in arrays:
        if not hasattr(x, "nbytes") and not hasattr(x, "data"):
            raise TypeError(
                f"tinynet.memory: data must be arrays or Tensors, got {type(x).__name__}; "
                "convert it to an array"
            )
    distinct = {id(array): array for array in (x if hasattr(x, "nbytes") else x.data for x in arrays)}
    return sum(array.nbytes for array in distinct.values())
