"""Recorder: looks on at one step (watch.py) and keeps every operation of it, forward, backward and update.

An operation is what layers and losses call. What its forward, or a rule, computes on its way with other
operations is inside of it, and is not listed. No rules are joined (ops/joined.py): each operation gets the
gradient of its own output, as under create_graph.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from tinynet.autograd import Primitive, Tensor, as_raw, basics
from tinynet.explorer.kernel_calls import call_of, elementwise_cost, noted
from tinynet.explorer.quantities import OUTPUTS, Quantities
from tinynet.explorer.recording import Kept, KernelCall, LayerInfo, Operation, Recording, Rule
from tinynet.explorer.updates import updates_of
from tinynet.layers.base import Layer
from tinynet.optimizers import Optimizer
from tinynet.watch import Watch

AGAIN = "A second walk back over the same operations (retain_graph) was made too, and is not shown."


class Recorder(Watch):
    """`recording` is what it has seen. Other threads' steps are none of its business."""

    def __init__(self) -> None:
        super().__init__()
        self.recording, self.quantities = Recording(), Quantities()
        self.recording.quantities = self.quantities.all
        self.nodes: dict[int, Operation] = {}  # {order of a node: the operation that left it}
        self._thread = threading.get_ident()
        self._current: Operation | None = None  # whose forward runs
        self._calls: list[KernelCall] | None = None  # kernels of what runs now; None: nothing does
        self._in_kernel = False
        self._layers: set[str] = set()

    # Layers

    def around_layer(self, run: Callable[..., Any], layer: Layer, *call: Any) -> Any:
        """Keeps `path`, of this thread."""
        if threading.get_ident() != self._thread:
            return run(layer, *call)
        return super().around_layer(run, layer, *call)

    def enters(self, layer: Layer, args: Any, kwargs: Any, training: bool | None) -> None:
        """Lists every layer once."""
        path = "/".join([*self.path, layer.name])
        if path not in self._layers:
            self._layers.add(path)
            self.recording.layers.append(LayerInfo(path, type(layer).__name__, repr(layer)))

    # Forward

    def around_primitive(
        self, call: Callable[..., Any], primitive: Primitive, /, *args: Any, **static: Any
    ) -> Any:
        """Records a call on Tensors, unless it is part of another one."""
        if len(args) != primitive.arity:
            args = primitive._given(args, static)
        if self._is_inside() or not any(isinstance(x, Tensor) for x in args):
            return call(primitive, *args, **static)
        operation = self._new(primitive, static)
        inputs = [self._input(primitive, i, x) for i, x in enumerate(args)]
        operation.inputs = inputs
        self._current, self._calls = operation, operation.calls
        try:
            out = call(primitive, *args, **static)
        finally:
            self._current = self._calls = None
        outputs = list(out) if isinstance(out, tuple) else [out]
        names = OUTPUTS.get(primitive.name, ("y",) if len(outputs) == 1 else ())
        for place, value in enumerate(outputs):
            name = names[place] if place < len(names) else f"output {place}"
            found = self.quantities.result(value, self._name(operation, name), operation.number, place)
            operation.outputs.append(found)
        for kept in operation.kept:
            if kept.name == "y":
                kept.quantity = operation.outputs[0]
        operation.cost = _cost(operation.calls, list(args), outputs)
        return out

    def _name(self, operation: Operation, output: str) -> str:
        """What an output is called: by its layer, and by its operation too if the layer has several."""
        layer = operation.layer.rpartition("/")[2]
        name = f"{layer or operation.name}: {output}"
        if any(other.layer == operation.layer for other in self.recording.operations[:-1]) and layer:
            name += f" of {operation.name}"
        return name

    def _is_inside(self) -> bool:
        """Whether something that is recorded runs already, or another thread's step does."""
        return self._calls is not None or threading.get_ident() != self._thread

    def _new(self, primitive: Primitive, static: dict[str, Any]) -> Operation:
        settings = {**primitive.defaults, **static}
        operations, layer = self.recording.operations, "/".join(self.path)
        operation = Operation(len(operations), "forward", primitive.name, layer, primitive, settings=settings)
        operations.append(operation)
        return operation

    def _input(self, primitive: Primitive, i: int, x: Any) -> tuple[str, int | None, Any]:
        name = primitive.inputs[i] if i < len(primitive.inputs) else f"input {i}"
        if isinstance(x, Tensor) or hasattr(x, "dtype"):
            return name, self.quantities.of(x, name), None
        return name, None, x

    def around_record(self, record: Callable[..., Any], primitive: Primitive, /, *call: Any) -> Any:
        """Notes what a node keeps, and for which rule."""
        node = record(primitive, *call)
        if self._current is not None and self._current.name == primitive.name:
            self.nodes[node.order] = self._current
            self._current.kept = kept_by(node, self._current)
        return node

    # Backward

    def around_walk(self, run: Callable[..., Any], walk: Any) -> Any:
        """Notes the seeds with which a walk begins."""
        if not self._is_inside():
            self.quantities.walk += 1
            for node, grads in walk.pending.items():
                if (operation := self.nodes.get(node.order)) is not None:
                    for grad, of in zip(grads, operation.outputs, strict=False):
                        if grad is not None:
                            self.quantities.seed(as_raw(grad), of)
        return run(walk)

    def around_rule(
        self, differentiate: Callable[..., Any], primitive: Primitive, node: Any, grad: Any, *values: Any
    ) -> Any:
        """Records what a rule is given and what it returns."""
        operation = self.nodes.get(node.order)
        if self._is_inside() or operation is None:
            return differentiate(primitive, node, grad, *values)
        if operation.rule is not None:
            return self._again(differentiate, primitive, node, grad, *values)
        node.sources = [None] * len(node.edges)
        rule = Rule([], [], _functions_of(node), [])
        self._calls = rule.calls
        try:
            results = differentiate(primitive, node, grad, *values)
        finally:
            self._calls = None
        grads = grad if isinstance(grad, tuple) else (grad,)
        rule.upstream = [
            None if g is None else self.quantities.arrived(as_raw(g), of)
            for g, of in zip(grads, operation.outputs, strict=False)
        ]
        rule.returned = [
            self._sent(operation, node, i, result, strict=primitive.joint is None)
            for i, result in enumerate(results)
        ]
        operation.rule = rule
        self.recording.rules.append(operation.number)
        found = [g for g in [*grads, *results] if g is not None]
        rule.cost = _cost(rule.calls, list(grads), [g for g in found if hasattr(g, "shape")])
        return results

    def _again(self, differentiate: Callable[..., Any], *call: Any) -> Any:
        """A second walk over an operation (retain_graph): its derivative has one place in the page."""
        if AGAIN not in self.recording.notes:
            self.recording.notes.append(AGAIN)
        self._calls = []
        try:
            return differentiate(*call)
        finally:
            self._calls = None

    def _sent(self, operation: Operation, node: Any, i: int, grad: Any, strict: bool) -> int | None:
        """The gradient for input i as it arrives there: summed where the input was repeated."""
        to = operation.inputs[i][1]
        if node.edges[i] is None or to is None or (grad is None and not strict):
            return None
        array = as_raw(grad)
        if tuple(array.shape) != tuple(node.shapes[i]):
            array = basics.unbroadcast(array, node.shapes[i])
        array = as_raw(array)
        return self.quantities.send(array.astype(node.dtypes[i]), to, operation.number, i)

    def arrive(self, leaves: Sequence[Any], grads: Sequence[Any]) -> None:
        """Records the gradients with which a walk ended at leaves, where no optimizer is given them."""
        for leaf, grad in zip(leaves, grads, strict=True):
            if grad is not None and (number := self.quantities.find(leaf)) is not None:
                self.quantities.arrived(as_raw(grad), number)

    # Kernels and updates

    def around_kernel(self, call: Callable[..., Any], kernel: Any, /, *args: Any, **static: Any) -> Any:
        """Notes which implementation ran, of the outermost of kernels that call one another."""
        calls = self._calls
        if calls is None or self._in_kernel or threading.get_ident() != self._thread:
            return call(kernel, *args, **static)
        self._in_kernel = True
        try:
            with noted(kernel) as implementations:
                out = call(kernel, *args, **static)
        finally:
            self._in_kernel = False
        calls.append(call_of(kernel, implementations.taken, args, static, out))
        return out

    def around_update(
        self, apply: Callable[..., Any], optimizer: Optimizer, grads: Any, trainable_variables: Any = None
    ) -> None:
        """Records the update of every weight."""
        if self._is_inside():
            return apply(optimizer, grads, trainable_variables)
        variables = trainable_variables or optimizer._trainable_variables
        self._calls = []
        try:
            with updates_of(self, optimizer, list(grads), list(variables), self._calls):
                apply(optimizer, grads, trainable_variables)
        finally:
            self._calls = None
        return None


def kept_by(node: Any, operation: Operation) -> list[Kept]:
    """What a node keeps for its rules."""
    primitive = node.primitive
    rules = [primitive.joint] if primitive.joint else [primitive.rules[i] for i in sorted(primitive.rules)]
    kept = []
    for i, value in enumerate(node.saved):
        name, quantity, _ = operation.inputs[i]
        if value is not None:
            asking = [rule for rule in rules if i in [place for place, _ in rule.values]]
            kept.append(Kept(quantity, name, getattr(value, "nbytes", 8), _why(primitive, asking, name)))
    if node.outputs is not None:
        outputs = node.outputs if isinstance(node.outputs, tuple) else (node.outputs,)
        asking = [rule for rule in rules if "y" in rule.asks]
        size = sum(getattr(value, "nbytes", 8) for value in outputs)
        kept.append(Kept(None, "y", size, _why(primitive, asking, "y, its own output")))
    return kept


def _why(primitive: Primitive, rules: list[Any], name: str) -> str:
    if primitive.joint:
        return f"its rule, which gives all gradients at once, takes {name}"
    inputs = [primitive.inputs[i] for i, rule in primitive.rules.items() if rule in rules]
    return f"the derivative by {' and by '.join(dict.fromkeys(inputs))} takes {name}"


def _functions_of(node: Any) -> list[tuple[str, Callable[..., Any]]]:
    """The functions of a node's rules, each with the inputs that it is for."""
    primitive, found = node.primitive, dict[Any, list[str]]()
    if primitive.joint:
        return [(", ".join(primitive.inputs), primitive.joint.function)]
    for i, edge in enumerate(node.edges):
        if edge is not None and i in primitive.rules:
            found.setdefault(primitive.rules[i].function, []).append(primitive.inputs[i])
    return [(", ".join(names), function) for function, names in found.items()]


def _cost(calls: list[KernelCall], inputs: list[Any], outputs: list[Any]) -> tuple[float, int]:
    """FLOPs and bytes: those of the kernels, or of a pass over the elements."""
    if calls:
        return sum(call.flops for call in calls), sum(call.size for call in calls)
    with suppress(AttributeError):  # numbers and lists among the inputs
        return elementwise_cost([x for x in inputs if hasattr(x, "shape")], outputs)
    return 0.0, 0
