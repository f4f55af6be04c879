"""Graph: the calls of layers between a model's inputs and outputs, in an order in which they can be run.

It is found by walking from the outputs back to the inputs, and kept as a flat list of steps,
whose values are numbered.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tinynet.layers.base import Layer, Shape
from tinynet.layers.input import InputLayer
from tinynet.layers.joined import joins, paired
from tinynet.layers.symbolic import Node, SymbolicTensor
from tinynet.tree import leaves, mapped


@dataclass(frozen=True)
class Place:
    """Stands for a value of the graph, by its number, where a symbolic tensor was."""

    number: int


@dataclass
class GraphStep:
    """One call of a layer: its arguments and outputs, with a Place for each symbolic tensor."""

    layer: Layer
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any  # a structure of Places
    shapes: list[Shape]  # of the outputs

    def __post_init__(self) -> None:
        self.used = [place.number for place in leaves([self.args, self.kwargs]) if isinstance(place, Place)]
        self.given = [place.number for place in leaves(self.outputs)]
        alone = len(self.args) == 1 and isinstance(self.args[0], Place) and not self.kwargs
        # the number of the argument, if there is one argument alone
        self.only = self.used[0] if alone else None
        self.last: list[int] = []  # values that no later step uses
        self.feeds_next = False  # whether the next step alone uses what this one gives

    def joins(self, following: "GraphStep", values: list[Any]) -> bool:
        """Whether its layer is called together with that of the step behind it."""
        if not self.feeds_next or self.only is None:
            return False
        return joins(self.layer, following.layer, values[self.only])

    def run(self, values: list[Any], behind: "GraphStep | None" = None) -> None:
        """Calls the layer, together with that of the step `behind` it, and stores the outputs in `values`."""
        if self.only is None:
            args, kwargs = self.filled(values)
            y = self.layer(*args, **kwargs)
        elif behind is None:
            y = self.layer(values[self.only])
        else:
            y = self.layer(values[self.only], dropout=behind.layer)
        done = self if behind is None else behind
        for number, value in zip(done.given, leaves(y), strict=True):
            values[number] = value
        for number in (*self.last, *done.last):
            values[number] = None

    def filled(self, values: list[Any]) -> Any:
        """(args, kwargs) of the call."""
        return mapped(
            lambda item: values[item.number] if isinstance(item, Place) else item, [self.args, self.kwargs]
        )


class Graph:
    """Steps from `inputs` to `outputs`, symbolic tensors in any structure.

    Raises ValueError if an output depends on an Input that is not among the inputs,
    or one of these is given twice.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        numbers = {tensor: i for i, tensor in enumerate(leaves(inputs))}
        if len(numbers) < len(list(leaves(inputs))):
            raise ValueError(
                "an Input stands twice among the model's inputs; give each once, "
                "and its output to several layers"
            )
        nodes = list(_ordered(outputs, set(numbers)))
        for node in nodes:
            for tensor in leaves(node.outputs):
                numbers.setdefault(tensor, len(numbers))

        def placed(item: Any) -> Any:
            return Place(numbers[item]) if isinstance(item, SymbolicTensor) else item

        self.count = len(numbers)
        self.inputs, self.outputs = mapped(placed, inputs), mapped(placed, outputs)
        self.input_layers = [tensor.layer for tensor in leaves(inputs)]
        self.input_shapes = [tensor.shape for tensor in leaves(inputs)]
        self.steps = [
            GraphStep(
                node.layer,
                mapped(placed, node.args),
                mapped(placed, node.kwargs),
                mapped(placed, node.outputs),
                [tensor.shape for tensor in leaves(node.outputs)],
            )
            for node in nodes
        ]
        self.layers = _by_depth(list(leaves(inputs)), outputs, nodes)
        needed = {place.number for place in leaves(self.outputs)}
        for step in reversed(self.steps):
            step.last = [
                number for number in dict.fromkeys([*step.used, *step.given]) if number not in needed
            ]
            needed.update(step.used)
        for step, following in zip(self.steps, self.steps[1:], strict=False):
            if step.given == [following.only] and following.only in following.last:
                step.feeds_next = True

    def run(self, inputs: list[Any]) -> Any:
        """The outputs for `inputs`, in the structure of the model's outputs."""
        values = [*inputs, *[None] * (self.count - len(inputs))]
        for step, behind in paired(self.steps, lambda first, second: first.joins(second, values)):
            step.run(values, behind)
        return mapped(lambda place: values[place.number], self.outputs)

    def specified(self, inputs: list[SymbolicTensor]) -> Any:
        """The outputs for other symbolic tensors as inputs, by `compute_output_spec` of the layers."""
        values = [*inputs, *[None] * (self.count - len(inputs))]
        for step in self.steps:
            args, kwargs = step.filled(values)
            outputs = leaves(step.layer.compute_output_spec(*args, **kwargs))
            for number, value in zip(step.given, outputs, strict=True):
                values[number] = value
        return mapped(lambda place: values[place.number], self.outputs)

    def histories(self) -> list[list[Any]]:
        """For each value, [name of the layer, number of its call in this graph, number of the output]."""
        found: list[list[Any]] = [[layer.name, 0, 0] for layer in self.input_layers]
        found += [[] for _ in range(self.count - len(found))]
        calls: Counter[Layer] = Counter()
        for step in self.steps:
            for output, number in enumerate(step.given):
                found[number] = [step.layer.name, calls[step.layer], output]
            calls[step.layer] += 1
        return found

    def symbols(self) -> tuple[Any, Any]:
        """(inputs, outputs) as symbolic tensors of new calls: for a copy, whose layers have no calls yet."""
        tensors: dict[int, SymbolicTensor] = {}
        for i, (layer, shape) in enumerate(zip(self.input_layers, self.input_shapes, strict=True)):
            if not layer._inbound_nodes:
                layer._inbound_nodes.append(Node(layer, (), {}, SymbolicTensor(shape, layer.dtype)))
            tensors[i] = layer._inbound_nodes[0].outputs

        def symbol(item: Any) -> Any:
            return tensors[item.number] if isinstance(item, Place) else item

        for step in self.steps:
            shapes = dict(zip(step.given, step.shapes, strict=True))
            node = Node(
                step.layer, (), {}, mapped(_symbol_in(shapes, step.layer._output_dtype), step.outputs)
            )
            node.args, node.kwargs = mapped(symbol, step.args), mapped(symbol, step.kwargs)
            step.layer._inbound_nodes.append(node)
            tensors.update(zip(step.given, leaves(node.outputs), strict=True))
        return mapped(symbol, self.inputs), mapped(symbol, self.outputs)


def from_inputs(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """(inputs, outputs), with new Inputs in place of inputs that are outputs of layers, and new calls."""
    if all(isinstance(tensor.layer, InputLayer) for tensor in leaves(inputs)):
        return inputs, outputs
    graph = Graph(inputs, outputs)
    graph.input_layers = [_input_for(tensor) for tensor in leaves(inputs)]
    return graph.symbols()


def _input_for(tensor: SymbolicTensor) -> Layer:
    is_one = isinstance(tensor.layer, InputLayer)
    return tensor.layer if is_one else InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype)


def _symbol_in(shapes: dict[int, Shape], dtype: Any) -> Callable[[Place], SymbolicTensor]:
    return lambda place: SymbolicTensor(shapes[place.number], dtype)


def _ordered(outputs: Any, inputs: set[SymbolicTensor]) -> Iterator[Node]:
    """The nodes that `outputs` need, each after those it depends on."""
    done: set[int] = set()
    for output in leaves(outputs):
        stack = [(output, False)]
        while stack:
            tensor, ready = stack.pop()
            if tensor in inputs or id(tensor.node) in done:
                continue
            node = tensor.node
            if ready:
                done.add(id(node))
                yield node
                continue
            if not node.inputs:
                raise ValueError(
                    f"the outputs depend on {tensor.layer}, an Input that is not among the model's inputs"
                )
            stack.append((tensor, True))
            stack.extend((one, False) for one in reversed(node.inputs))


def _by_depth(inputs: list[SymbolicTensor], outputs: Any, nodes: list[Node]) -> list[Layer]:
    """The layers in Keras's order, which is also the order of the weights:
    those farthest from an output first.

    In y = Add()([a(x), b(x)]) the layers `a` and `b` are equally far.
    Then the one comes first that is found first
    on the way from the outputs back to the inputs: `a`.
    """
    entries = [tensor.node for tensor in inputs]
    met = _first_met(outputs, {id(node) for node in (*nodes, *entries)}, {id(node) for node in entries})
    depths = {id(node): 0 for node in (*nodes, *entries)}
    deepest: dict[Layer, int] = {}
    for node in (*reversed(nodes), *entries):
        depth = deepest[node.layer] = depths[id(node)] = max(depths[id(node)], deepest.get(node.layer, 0))
        for tensor in node.inputs if id(node) not in {id(entry) for entry in entries} else ():
            depths[id(tensor.node)] = max(depths[id(tensor.node)], depth + 1)
    return sorted(deepest, key=lambda layer: (-deepest[layer], met.get(layer, -1)))


def _first_met(outputs: Any, within: set[int], entries: set[int]) -> dict[Layer, int]:
    met: dict[Layer, int] = {}
    seen: set[int] = set()
    stack = list(reversed(list(leaves(outputs))))
    while stack:
        node = stack.pop().node
        if id(node) not in within or id(node) in seen:
            continue
        seen.add(id(node))
        met.setdefault(node.layer, len(met))
        if id(node) not in entries:
            stack.extend(reversed(node.inputs))
    return met
