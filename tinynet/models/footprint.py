"""What training a model will take of memory, from its shapes alone."""

import math
from typing import Any

import numpy as np

from tinynet.autograd import Parameter
from tinynet.layers.base import Layer
from tinynet.models.compiled import Compiled

VIEWS = ("Flatten", "Reshape", "InputLayer", "Identity")  # layers whose output is their input's memory


def training_memory(model: Any, batch_size: int) -> dict[str, int]:
    """Bytes by name for one training step: "weights", "gradients", "optimizer",
    "outputs" of layers, "backward".

    Outputs of layers are kept until the backward pass has used them. Backward has up to four arrays of the
    largest output's size at a time: its gradient, that behind the activation, the input's, and what weight
    gradients are summed in. Within about a fifth of what repeated steps take. Raises ValueError for a model
    that does not know its shapes.
    """
    if isinstance(batch_size, bool) or not hasattr(batch_size, "__index__") or batch_size < 1:
        raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}")
    outputs = [batch_size * size for size in _outputs(model)]
    trainable = sum(p.data.nbytes for p in model.trainable_weights)
    return {
        "weights": sum(p.data.nbytes for p in model.weights),
        "gradients": trainable,
        "optimizer": round(trainable * _slots(model.optimizer)),
        "outputs": sum(outputs),
        "backward": 4 * max(outputs, default=0),
    }


def _outputs(model: Any) -> list[int]:
    """Bytes of one sample's output of every call of a layer, those within nested models included."""
    graph = getattr(model, "_call_graph", None)
    if graph is not None:
        calls = [(step.layer, shape) for step in graph.steps for shape in step.shapes]
    elif hasattr(model, "_output_shapes"):
        calls = list(zip(model.layers, model._output_shapes(), strict=True))
    else:
        raise ValueError(
            f"{model} is a subclass, whose outputs are known to its Python alone: "
            "its memory cannot be foretold"
        )
    found: list[int] = []
    for layer, shape in calls:
        if shape is None or None in shape[1:]:
            raise ValueError(
                f"the memory of {model} cannot be foretold: the output of {layer.name} has shape {shape}"
            )
        if isinstance(layer, Compiled):
            found += _outputs(layer)
        elif type(layer).__name__ not in VIEWS:
            found.append(math.prod(shape[1:]) * _itemsize(layer))
    return found


def _itemsize(layer: Layer) -> int:
    return np.dtype(layer._output_dtype).itemsize


def _slots(optimizer: Any) -> float:
    """How many numbers the optimizer keeps for each weight:
    found by building another one for a single weight.
    """
    if optimizer is None:
        return 0
    other = type(optimizer).from_config(optimizer.get_config())
    before = sum(variable.size for variable in other.variables)
    size = 1000
    other.build([Parameter(np.zeros(size, np.float32))])
    return (sum(variable.size for variable in other.variables) - before) / size
