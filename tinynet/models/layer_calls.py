"""What a model consists of, one call of a layer after the other,
for pictures and for whoever walks along a model.
"""

from dataclasses import dataclass

from tinynet.layers.base import Layer, Shape
from tinynet.models.graph import Graph


@dataclass
class LayerCall:
    """One call of a layer: shapes of its outputs, and the calls its inputs come from,
    by their place in the list.
    """

    layer: Layer
    shapes: list[Shape]
    origins: list[int]


def calls_of(graph: Graph, expand_nested: bool = False) -> list[LayerCall]:
    """The inputs and calls of a graph in an order in which they can be run;
    nested models call by call if wanted.
    """
    found = [
        LayerCall(layer, [shape], [])
        for layer, shape in zip(graph.input_layers, graph.input_shapes, strict=True)
    ]
    origin = {i: i for i in range(len(found))}  # number of a value: the call that gives it
    for step in graph.steps:
        origins = [origin[number] for number in step.used]
        inner = getattr(step.layer, "_layer_calls", None)
        if expand_nested and inner is not None:
            ends = _inserted(found, inner(True), origins, len(step.given))
        else:
            found.append(LayerCall(step.layer, step.shapes, origins))
            ends = [len(found) - 1] * len(step.given)
        origin.update(zip(step.given, ends, strict=True))
    return found


def _inserted(found: list[LayerCall], inner: list[LayerCall], origins: list[int], outputs: int) -> list[int]:
    """Adds the calls of a nested model, its Inputs replaced by where they come from;
    the places of its outputs.
    """
    places: list[int] = []
    sources = iter(origins)
    for call in inner:
        if not call.origins:
            places.append(next(sources))
        else:
            found.append(LayerCall(call.layer, call.shapes, [places[i] for i in call.origins]))
            places.append(len(found) - 1)
    used = {i for call in inner for i in call.origins}
    last = [place for i, place in enumerate(places) if i not in used]
    return last if len(last) == outputs else [places[-1]] * outputs
