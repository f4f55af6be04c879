"""Arrays and Tensors brought to another device.

Nothing that tinynet computes moves from one device to another by itself; here is what moves it. The
derivative goes back where the values came from.
"""

from collections.abc import Iterable
from typing import Any

from tinynet.autograd import Tensor, array_primitive, as_raw
from tinynet.backend import device, undo
from tinynet.backend.number_format import as_array
from tinynet.kernels.devices import device_of
from tinynet.ops.methods import Value


@array_primitive
def moved(x, *, source, target):
    """x, which lies on the device `source`, on the device `target`."""
    return device.to_device(x, target)


@moved.vjp("x")
def _(grad, source, target):
    return moved(grad, source=target, target=source)


def to_device(x: Value, name: str) -> Value:
    """x on the device `name`, "cpu", "gpu" or "gpu:1": itself if it is there.

    Raises ValueError for another name, RuntimeError for a GPU where it, its driver or CuPy is missing.

    >>> ops.to_device(np.ones(2), "cpu")
    array([1., 1.])
    """
    x = as_array(x)
    return moved(x, source=device_of(as_raw(x)), target=device.checked(name))


def move(tensors: Iterable[Tensor], name: str) -> dict[int, Any]:
    """Brings Tensors to the device `name`, with their gradients: whoever holds one finds it there.

    Returns {id of the array that a Tensor had: the new one, the old one} for those that were elsewhere.
    """
    found: dict[int, Any] = {}
    for tensor in tensors:
        old = tensor._data
        new = device.to_device(old, name)
        if new is old:
            continue
        found[id(old)] = new, old
        undo.array(tensor)
        tensor._data = new
        tensor.touch()
        if tensor._grad is not None:
            move([tensor._grad], name)
    return found
