"""Backward: the tape walked from the outputs to the inputs, latest operation first.

`Node.order` grows with time, so the latest node that waits in the heap has received every gradient that it
will get. That takes no recursion and no separate sort. Gradients that are under way are arrays, or under
`create_graph` Tensors on the tape; rules get Tensors in either case (and numbers where the forward was given
numbers: the 3 of x * 3). Gradients are added into new arrays: an array that a rule returned, or that the user
passed, is never changed.
"""

import heapq
import sys
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from tinynet.autograd import basics
from tinynet.autograd.tape import Node, is_grad_enabled, set_grad_enabled
from tinynet.autograd.tensor import Tensor, as_raw, as_tensor
from tinynet.autograd.untracked import arrays, untracked
from tinynet.kernels import elementwise, launches
from tinynet.kernels.common import xp

Inputs = TypeVar("Inputs", Tensor, Sequence[Tensor])  # gradients come in the form of what they belong to


class Joined:
    """A gradient and more: what one rule returns and another takes, which it knows by its `sources`
    (ops/joined.py).
    """


class Walk:
    """One pass backwards: gradients on their way, and those that arrived at the wanted edges (None:
    at every leaf).

    With `stop`, a wanted edge does not hand its gradient on: the inputs count as independent variables. Batch
    norm's kernel is given x and the mean of x, say. In the derivative by x the mean must count as a constant,
    though it came from x. Only ops/derived.py asks for it.
    """

    def __init__(
        self, wanted: list[Any] | None, create_graph: bool, retain_graph: bool, stop: bool = False
    ) -> None:
        self.wanted, self.create_graph = wanted, create_graph
        self.retain_graph, self.stop = retain_graph, stop
        self.arrived: dict[Any, Any] = dict.fromkeys(wanted or [])
        self.pending: dict[Node, list[Any]] = {}
        self.heap: list[tuple[int, Node]] = []

    def send(self, edge: Any, grad: Any) -> None:
        """Adds `grad` to what travels along `edge`."""
        is_leaf = isinstance(edge, Tensor)
        arrives = edge in self.arrived or (is_leaf and self.wanted is None)
        if arrives:
            before = self.arrived.get(edge)
            self.arrived[edge] = grad if before is None else basics.add(before, grad)
        if not is_leaf and not (arrives and self.stop):
            node, index = edge
            if node not in self.pending:
                self.pending[node] = [None] * node.output_count
                heapq.heappush(self.heap, (-node.order, node))
            grads = self.pending[node]
            grads[index] = grad if grads[index] is None else basics.add(grads[index], grad)

    def run(self) -> dict[Any, Any]:
        """Walks until no gradient is on its way; returns {edge: gradient or None}."""
        while self.heap:
            _, node = heapq.heappop(self.heap)
            grads = self.pending.pop(node)
            node.check()
            inputs, outputs = self._saved_values(node)
            # untracked makes constant Tensors of arrays, and leaves Tensors (on the tape or not) as they are.
            upstream = untracked(tuple(grads) if len(grads) > 1 else grads[0])
            node.sources = [self._source(edge) for edge in node.edges]
            results = node.primitive.differentiate(node, upstream, untracked(inputs), untracked(outputs))
            for i, (edge, grad) in enumerate(zip(node.edges, results, strict=True)):
                # None from a joint rule: no gradient flows there. From another it is a mistake: see _fitted.
                if edge is not None and (grad is not None or node.primitive.joint is None):
                    self.send(edge, grad if isinstance(grad, Joined) else self._fitted(grad, node, i))
            if not self.retain_graph:
                node.free()
        return self.arrived

    def _source(self, edge: Any) -> Any:
        """The primitive that `edge` leads to, if what is sent there now is all that it gets; else None."""
        if not isinstance(edge, tuple) or edge in self.arrived or self.create_graph:
            return None
        node = edge[0]
        return node.primitive if node.uses == 1 and node not in self.pending else None

    def _fitted(self, grad: Any, node: Node, i: int) -> Any:
        """What a rule returned as the gradient of input `i`: summed where that was repeated,
        and in its number format. What is no gradient of it is refused: TypeError, ValueError.
        """
        if type(grad) is not Tensor and not hasattr(grad, "shape"):
            raise TypeError(_not_a_gradient(grad, node, i))
        grad = untracked(grad) if self.create_graph else arrays(grad)
        shape, dtype = node.shapes[i], node.dtypes[i]
        if grad.shape != shape:
            try:
                grad = basics.unbroadcast(grad, shape)
            except ValueError as error:
                raise ValueError(_not_a_gradient(grad, node, i)) from error
        if grad.dtype == dtype:
            return grad
        return grad.astype(dtype) if self.create_graph else elementwise.cast(grad, dtype)

    def _saved_values(self, node: Node) -> tuple[list[Any], Any]:
        """Saved inputs and outputs: arrays, or under create_graph the Tensors they were."""
        if not self.create_graph:
            return node.saved, node.outputs
        inputs = [
            _on_tape(value, edge, node, i)
            for i, (value, edge) in enumerate(zip(node.saved, node.edges, strict=True))
        ]
        outputs = node.outputs if isinstance(node.outputs, tuple) else (node.outputs,)
        outputs = tuple(_on_tape(value, (node, i), node, ~i) for i, value in enumerate(outputs))
        return inputs, outputs if node.output_count > 1 else outputs[0]


def _not_a_gradient(grad: Any, node: Node, i: int) -> str:
    """What is wrong with what a rule returned for input `i`."""
    names, shape = node.primitive.inputs, node.shapes[i]
    name = names[i] if i < len(names) else f"input {i}"
    rule = f"the rule of {node.primitive.name!r} for {name} returned"
    if grad is None:
        return f"{rule} None; a rule returns the gradient (is a `return` missing?)"
    if not hasattr(grad, "shape"):
        several = "; one that returns several gradients is a joint_vjp" if isinstance(grad, tuple) else ""
        return f"{rule} a {type(grad).__name__}; a rule returns the gradient, a Tensor{several}"
    return f"{rule} shape {grad.shape}; {name} has shape {shape}, which does not broadcast to that"


def _on_tape(value: Any, edge: Any, node: Node, place: int) -> Any:
    """The value that `node` saved at `place` (see Node), as what the forward got:

    nothing saved, a number, a plain array   itself
    a leaf                                   that Tensor
    a Tensor that a node computed            a new Tensor with its place on the tape and its version counter
    a constant Tensor                        a new Tensor with its version counter, without a place
    """
    if value is None or edge is None or value.dtype.kind != "f":
        edge = None  # an output of integers has none, though its node has others
    if isinstance(edge, Tensor) or (edge is None and place not in node.versions):
        return value if edge is None else edge
    tensor = Tensor(value, requires_grad=edge is not None)
    tensor._node, tensor._index = edge or (None, 0)
    tensor._version = node.versions[place][0] if place in node.versions else tensor._version
    return tensor


def _upstream(output: Any, gradient: Any, create_graph: bool) -> Any:
    """Upstream gradient of an output: the one given, or 1 for a single number."""
    if not isinstance(output, Tensor) or not output.requires_grad:
        raise RuntimeError(
            "there is nothing to differentiate: the output depends on no Tensor with requires_grad=True"
        )
    if gradient is None and output.size != 1:
        raise ValueError(
            f"an output of shape {output.shape} is not one number: take its sum, "
            "or pass the upstream gradient"
        )
    module, shape, dtype = xp(output.data), output.shape, output.dtype
    raw = module.ones(shape, dtype) if gradient is None else module.asarray(as_raw(gradient), dtype)
    if raw.shape != shape:
        raise ValueError(f"an output of shape {shape} needs a gradient of that shape, got {raw.shape}")
    if not create_graph:
        return raw
    return gradient if isinstance(gradient, Tensor) else Tensor(raw)


def backward(self: Tensor, gradient: Any = None, retain_graph: bool = False) -> None:
    """Adds d(self)/d(leaf) to every leaf's own `grad`; `gradient`:
    upstream's (1 of a number); `retain_graph`: as in grad.
    """
    launches.not_repeatable(
        "calls backward(), which changes `grad` without a launch; take tinynet.grad(loss, weights)"
    )
    walk = Walk(None, create_graph=False, retain_graph=retain_graph)
    walk.send(self.edge, _upstream(self, gradient, create_graph=False))
    for leaf, grad in walk.run().items():  # a copy: rules may return views of each other's arrays
        leaf._grad = Tensor(basics.copy(grad) if leaf._grad is None else basics.add(leaf._grad.data, grad))


Tensor.backward = backward  # type: ignore[method-assign, assignment]


def gradients(
    outputs: Any, inputs: Sequence[Tensor], grad_outputs: Any = None, *,
    create_graph: bool = False, retain_graph: bool = False, stop: bool = False,
) -> list[Any]:  # fmt: skip
    """Gradients by `inputs` of `outputs`, weighted by `grad_outputs`:
    arrays (Tensors under `create_graph`), or None if unused.

    They are what the rules returned: some may be views of each other, or of `grad_outputs`. stop: see Walk;
    retain_graph: see grad.
    """
    outs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    seeds = list(grad_outputs) if isinstance(grad_outputs, list | tuple) else [grad_outputs] * len(outs)
    walk = Walk([x.edge for x in inputs], create_graph, retain_graph, stop)
    for output, seed in zip(outs, seeds, strict=True):
        walk.send(as_tensor(output).edge, _upstream(output, seed, create_graph))
    arrived = walk.run()
    return [arrived[x.edge] for x in inputs]


def _references(values: list[Any], place: int) -> tuple[int, int]:
    """How often Python refers to an array of a list, and to the memory that it is a view of."""
    base = values[place].base
    return sys.getrefcount(values[place]), sys.getrefcount(base)


_ALONE = _references([launches.aligned((1,), "float32")], 0)  # of an array that nobody else has


def _of_its_own(values: list[Any], place: int) -> Any:
    """A gradient in memory of its own: a copy, unless nobody else has the array or a view of its memory.

    A copy costs a pass over memory, so it is left out where Python's counts of references show no other
    holder. They are counted through the list, since a variable of the caller's would hold the array too.
    """
    value_type = type(values[place])
    if value_type is np.ndarray and values[place].flags.writeable and _references(values, place) == _ALONE:
        return Tensor(values[place])
    return None if values[place] is None else as_tensor(basics.copy(values[place]))


def grad(
    outputs: Any, inputs: Inputs, grad_outputs: Any = None, *,
    create_graph: bool = False, retain_graph: bool | None = None, allow_unused: bool = False,
) -> Inputs:  # fmt: skip
    """Gradients of the sum of `outputs`, weighted by `grad_outputs`, with respect to `inputs`.

    A Tensor for one input, a list for a list, each in memory of its own; with `create_graph` on the tape, to
    be differentiated again; `retain_graph` (None: as that) keeps the graph. RuntimeError for an input of no
    effect, None with `allow_unused`.

    >>> grad((x := Tensor([3.0], requires_grad=True)) ** 2, x).numpy()
    array([6.], dtype=float32)
    """
    ins: list[Any] = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    keep = create_graph if retain_graph is None else retain_graph
    with set_grad_enabled(create_graph and is_grad_enabled()):  # a rule may use a tracked Tensor of its own
        arrived = gradients(outputs, ins, grad_outputs, create_graph=create_graph, retain_graph=keep)
        found: Any = [_of_its_own(arrived, i) for i in range(len(arrived))]
    if not allow_unused and (unused := [i for i, value in enumerate(found) if value is None]):
        raise RuntimeError(
            f"no output depends on the inputs {unused}; with allow_unused=True their gradients are None"
        )
    return found if isinstance(inputs, list | tuple) else found[0]
