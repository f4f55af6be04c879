"""What a model consists of, one call of a layer after the other,
for pictures and for whoever walks along a model.
"""

from dataclasses import dataclass

from tinynet.layers.base import Layer, Shape
from tinynet.models.graph import Graph, Place
from tinynet.tree import leaves

Output = tuple[int, int]  # a call, by its place in the list, and which of its outputs


@dataclass
class LayerCall:
    """One call of a layer: shapes of its outputs, and where its inputs come from."""

    layer: Layer
    shapes: list[Shape]
    origins: list[Output]


@dataclass
class LayerCalls:
    """The inputs of a model and the calls in it, in an order in which they can be run;
    what the model gives in the end.
    """

    calls: list[LayerCall]
    ends: list[Output]


def calls_of(graph: Graph) -> LayerCalls:
    """Those of a graph; a nested model is a call like any other."""
    found = [
        LayerCall(layer, [shape], [])
        for layer, shape in zip(graph.input_layers, graph.input_shapes, strict=True)
    ]
    origin = {i: (i, 0) for i in range(len(found))}  # number of a value: what gives it
    for step in graph.steps:
        found.append(LayerCall(step.layer, step.shapes, [origin[number] for number in step.used]))
        origin.update({number: (len(found) - 1, output) for output, number in enumerate(step.given)})
    ends = [place.number for place in leaves(graph.outputs) if isinstance(place, Place)]
    return LayerCalls(found, [origin[number] for number in ends])
