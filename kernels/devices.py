"""Devices: where an array lies, and that arrays of two devices do not meet.

"cpu" is the host's memory, "gpu" the first GPU's, "gpu:1" the second's. tinynet copies nothing from one to
the other by itself, but small numbers and the batches of a data set.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

# Makes the device in use the current one of this thread, with the thread's stream there. What that is
# backend/device.py knows, which puts its function here.
enter: Callable[[], Any] | None = None


def name_of_gpu(number: int) -> str:
    """The first GPU is "gpu", the second "gpu:1"."""
    return f"gpu:{number}" if number else "gpu"


def device_of(x: Any) -> str:
    """The device where the array x lies; "cpu" for numbers, and arrays of modules that know no devices."""
    number = getattr(getattr(x, "device", None), "id", None)  # NumPy's arrays have "cpu" there
    return "cpu" if number is None else name_of_gpu(number)


def check_together(what: str, operands: Iterable[Any]) -> str:
    """The device where the arrays among `operands`, of the operation `what`, lie.
    Raises ValueError if there are several.
    """
    found = list(dict.fromkeys(device_of(x) for x in operands if getattr(x, "shape", None) is not None))
    if len(found) > 1:
        here, there = found[:2] if found[1] != "cpu" else found[1::-1]
        raise ValueError(
            f"{what}: its operands lie on two devices, {here} and {there}. model.to_device({there!r}) moves "
            f"a model, and tinynet.to_device(x, {there!r}) gives a copy of an array or a Tensor there"
        )
    return found[0] if found else "cpu"


def check_in_use(what: str, operands: Iterable[Any]) -> None:
    """The same; also raises ValueError if they lie on another GPU than the one in use."""
    there = check_together(what, operands)
    if there == "cpu":
        return
    if enter is not None:
        enter()
    here = name_of_gpu(sys.modules["cupy"].cuda.runtime.getDevice())
    if there != here:
        raise ValueError(
            f"{what}: its operands lie on {there}, and the device in use is {here}. "
            f"tinynet.set_device({there!r}) or `with tinynet.device({there!r}):` changes that"
        )
