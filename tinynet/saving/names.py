"""Names of layers and parameters within a model: numbered there,
so that they do not depend on the process.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tinynet import registry
from tinynet.autograd import Parameter
from tinynet.layers.base import Layer
from tinynet.layers.naming import numbered
from tinynet.layers.seeded import layers_that_draw


def walk(
    layer: Layer, prefix: str = "", seen: set[int] | None = None
) -> Iterator[tuple[str, Any, dict[str, Parameter]]]:
    """(prefix of its names, layer, its own parameters by name) for a layer and all within it,
    each layer once.
    """
    seen = set() if seen is None else seen
    if id(layer) in seen:
        return
    seen.add(id(layer))
    used: Counter[str] = Counter()
    taken: set[str] = set()

    def free(name: str) -> str:
        while (found := numbered(name, used)) in taken:  # one that is called a_1 itself
            pass
        taken.add(found)
        return found

    own = layer._own_trainable + layer._own_fixed
    yield prefix, layer, {prefix + free((p.name or "weight").rpartition("/")[2]): p for p in own}
    for child in layer._layers_within():
        yield from walk(child, f"{prefix}{free(registry.snake_case(type(child).__name__))}/", seen)


def named_weights(layer: Layer) -> dict[str, Parameter]:
    """{"conv2d_1/kernel": parameter, ...} of all parameters, each once."""
    found: dict[str, Parameter] = {}
    for _, _, own in walk(layer):
        found.update(own)
    return found


def named_layers(layer: Layer) -> dict[str, Any]:
    """{"": the layer itself, "dropout_1": layer, ...} of all layers, each once."""
    return {prefix.rstrip("/"): one for prefix, one, _ in walk(layer)}


def named_draws(layer: Layer) -> dict[str, Any]:
    """{"dropout_1": layer, ...} of the layers that draw random numbers:
    all their state is a key and a count of calls.
    """
    drawing = layers_that_draw(layer)
    return {name: one for name, one in named_layers(layer).items() if one in drawing}
