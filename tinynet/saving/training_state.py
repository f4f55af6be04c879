"""What training goes on from: weights, the optimizer's variables, keys and counts of the layers that draw.

    arrays    weights/<name>, optimizer/0, optimizer/1, ... in the order of optimizer.variables
    draws     {"key": two words, "calls": number of draws} of each layer that draws random numbers

Model files (native.py) name weights and layers, "weights/conv2d/kernel"; backups (models/progress.py), which
say besides how far `fit` came, number them: "weights/0".
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tinynet.autograd import Parameter
from tinynet.backend import check_stored

WEIGHTS, OPTIMIZER = "weights", "optimizer"


def arrays_of(parameters: Mapping[Any, Parameter], optimizer: Any) -> dict[str, np.ndarray]:
    """Copies of all arrays: of the parameters by their names, and of the optimizer, if there is one."""
    arrays = {f"{WEIGHTS}/{name}": parameter.numpy() for name, parameter in parameters.items()}
    state = [] if optimizer is None else optimizer.get_weights()
    return {**arrays, **{f"{OPTIMIZER}/{i}": array for i, array in enumerate(state)}}


def within(arrays: Mapping[str, np.ndarray], folder: str) -> dict[str, np.ndarray]:
    """{name: array} of the arrays called folder/name."""
    start = f"{folder}/"
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def numbered(arrays: Mapping[str, np.ndarray], folder: str) -> list[np.ndarray]:
    """The arrays folder/0, folder/1, ... up to the first that is not there."""
    found: list[np.ndarray] = []
    while (array := arrays.get(f"{folder}/{len(found)}")) is not None:
        found.append(array)
    return found


def belong_to(arrays: Iterable[np.ndarray], variables: Iterable[Any]) -> bool:
    """Whether the arrays are those of the variables, by number, shape and dtype."""
    return [(one.shape, one.dtype) for one in arrays] == [(one.shape, one.dtype) for one in variables]


def restore_optimizer(optimizer: Any, arrays: list[np.ndarray]) -> None:
    """Gives a built optimizer its arrays; ValueError, changing nothing, if they are those of another one."""
    if not belong_to(arrays, optimizer.variables):
        raise ValueError(f"the arrays of the optimizer are not those of {optimizer.name}")
    optimizer.set_weights(arrays)


def draws_of(layer: Any) -> dict[str, Any]:
    """Where a layer that draws is in its random numbers."""
    return {"key": [*map(int, layer._draw_key)], "calls": layer._draw_count}


def check_draws(state: Any, what: str) -> None:
    """Raises ValueError, which says of `what`, unless `restore_draws` can take this."""
    check_stored.entries(state, {"key", "calls"}, f"the random numbers of {what}")
    check_stored.key(state["key"], f"the key of {what}")
    check_stored.count(state["calls"], f"the number of draws of {what}")


def restore_draws(layer: Any, state: Mapping[str, Any]) -> None:
    """Puts the layer where `draws_of` found one."""
    layer._draw_key, layer._draw_count = (state["key"][0], state["key"][1]), state["calls"]
