"""Drawing: the operations of `predict`, without their numbers, for an image that is drawn in the page.

The page computes them itself (web/run.js), by the same functions that check a number. They come behind those
of the step, of which they share the weights; what they give for the first image is kept, to compare with.
"""

import math
from dataclasses import replace
from typing import Any

from tinynet.autograd import no_grad
from tinynet.explorer.quantities import same_bits
from tinynet.explorer.recorder import Recorder
from tinynet.explorer.recording import Operation, Recording
from tinynet.tree import leaves

SHARED = ("weight", "state", "constant")  # roles of what the step has too


def can_be_drawn(shape: tuple[int, ...]) -> bool:
    """Whether images (N, H, W), (N, H, W, 1 or 3) or (N, K) with K a square, at least 8 x 8, came in."""
    if len(shape) == 2:
        return shape[1] >= 64 and math.isqrt(shape[1]) ** 2 == shape[1]
    return len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))


def prediction(model: Any, x: Any) -> Recorder | None:
    """What `predict` does with the first image of a batch; None if nothing of it can be drawn."""
    arrays = list(leaves(x))
    if len(arrays) != 1 or not can_be_drawn(arrays[0].shape):
        return None
    recorder = Recorder()
    image = model._one_batch(x[:1])[0]
    quantities = recorder.quantities
    quantities.know(image, quantities.add(image, "x, drawn", "input"))
    with recorder, no_grad():
        outputs = list(leaves(model(image, training=False)))
    number = quantities.find(outputs[0])
    if len(outputs) != 1 or number is None or quantities.all[number].made_by is None:
        return None
    recorder.recording.drawn = {"input": 0, "output": number}
    return recorder


def append(found: Recording, predicted: Recording) -> None:
    """Puts the operations of a prediction behind those of a step."""
    places: dict[int | None, int | None] = {None: None}
    first = len(found.operations)
    for quantity in predicted.quantities:
        places[quantity.number] = _same(found, quantity) if quantity.role in SHARED else None
        if places[quantity.number] is None:
            if quantity.made_by is not None:
                quantity.made_by = ("predicted", quantity.made_by[1] + first, quantity.made_by[2])
            if quantity.role == "value" and quantity.number != predicted.drawn["output"]:
                quantity.array = None
            places[quantity.number] = len(found.quantities)
            found.quantities.append(replace(quantity, number=len(found.quantities)))
    found.drawn = {name: places[number] or 0 for name, number in predicted.drawn.items()}
    found.operations += [_moved(operation, first, places) for operation in predicted.operations]


def _same(found: Recording, quantity: Any) -> int | None:
    """The quantity of the step with the same bits."""
    alike = (one for one in found.quantities if one.role == quantity.role and one.array is not None)
    return next((one.number for one in alike if same_bits(one.array, quantity.array)), None)


def _moved(operation: Operation, by: int, places: dict[int | None, int | None]) -> Operation:
    operation.number, operation.phase = operation.number + by, "predicted"
    operation.inputs = [(name, places[number], value) for name, number, value in operation.inputs]
    operation.outputs = [places[number] or 0 for number in operation.outputs]
    operation.kept, operation.calls = [], []
    return operation
