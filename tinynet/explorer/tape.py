"""The tape: what can be said of a Tensor that was computed before anybody looked on.

Nodes tell the operations, and what they keep for their rules tells some of the values. The rules are run now,
with a Recorder looking on; the tape is kept.
"""

from typing import Any

import numpy as np

from tinynet.autograd import Tensor, gradients
from tinynet.backend import device
from tinynet.explorer.recorder import Recorder, kept_by
from tinynet.explorer.recording import Operation, Recording

Place = tuple[int, int]  # id of a node, which of its outputs


def run_tape(loss: Tensor) -> Recording:
    """The recording of a walk back from a Tensor over the tape that led to it."""
    if loss._node is None:
        raise ValueError(
            "explore: this Tensor was not computed from one with requires_grad=True, so there is no tape"
        )
    nodes = _nodes(loss)
    for node in nodes:
        node.check()
    recorder, outputs, forms = Recorder(), _outputs(nodes, loss), _forms(nodes)
    for node in nodes:
        _operation(recorder, node, outputs, forms)
    found = recorder.recording
    found.kind, found.title = "tape", loss.name or "a tape"
    found.notes.append("Values are those that the tape kept for derivatives; others are gone.")
    found.loss = recorder.quantities.find(outputs[id(loss._node), loss._index])
    weights = [edge for node in nodes for edge in node.edges if isinstance(edge, Tensor)]
    seed = np.ones(loss.shape, loss.dtype)
    if loss.size > 1:
        found.notes.append("The Tensor is not one number: this is the gradient of the sum of its elements.")
    leaves = list({id(weight): weight for weight in weights}.values())
    with recorder:
        found_gradients = gradients(loss, leaves, device.beside(seed, loss._data), retain_graph=True)
    recorder.arrive(leaves, found_gradients)
    return found


def _nodes(loss: Tensor) -> list[Any]:
    """All nodes that lead to a Tensor, in the order in which they were recorded."""
    found, waiting = {}, [loss._node]
    while waiting:
        node: Any = waiting.pop()
        if id(node) not in found:
            found[id(node)] = node
            waiting += [edge[0] for edge in node.edges if isinstance(edge, tuple)]
    return sorted(found.values(), key=lambda node: node.order)


def _outputs(nodes: list[Any], loss: Tensor) -> dict[Place, Any]:
    """{(id of a node, which output): its array}, where something has kept it."""
    found: dict[Place, Any] = {(id(loss._node), loss._index): loss._data}
    for node in nodes:
        if node.outputs is not None:
            outputs = node.outputs if isinstance(node.outputs, tuple) else (node.outputs,)
            found.update({(id(node), i): value for i, value in enumerate(outputs)})
        for edge, value in zip(node.edges, node.saved, strict=True):
            if isinstance(edge, tuple) and value is not None:
                found.setdefault((id(edge[0]), edge[1]), value)
    return found


def _forms(nodes: list[Any]) -> dict[Place, tuple[tuple[int, ...], str]]:
    """{place: (shape, dtype)} of what operations were given: also of what nothing has kept."""
    return {
        (id(edge[0]), edge[1]): (node.shapes[i], str(node.dtypes[i]))
        for node in nodes
        for i, edge in enumerate(node.edges)
        if isinstance(edge, tuple)
    }


def _operation(
    recorder: Recorder, node: Any, outputs: dict[Place, Any], forms: dict[Place, tuple[tuple[int, ...], str]]
) -> None:
    """Records a node as if its call had been seen."""
    primitive, quantities = node.primitive, recorder.quantities
    operations = recorder.recording.operations
    operation = Operation(len(operations), "forward", primitive.name, "", primitive)
    operation.settings = dict(node.static)
    operations.append(operation)
    for i, (edge, value) in enumerate(zip(node.edges, node.saved, strict=True)):
        name = primitive.inputs[i] if i < len(primitive.inputs) else f"input {i}"
        if isinstance(edge, tuple):
            number = recorder.nodes[edge[0].order].outputs[edge[1]]
        elif isinstance(edge, Tensor):
            number = quantities.of(edge, edge.name or name)
        elif value is not None and hasattr(value, "dtype"):
            number = quantities.of(value, name)
        else:
            form = node.shapes[i], str(node.dtypes[i])
            number = quantities.add(None, name, "constant", form=form)
        operation.inputs.append((name, number, None))
    for place in range(node.output_count):
        array = outputs.get((id(node), place))
        name, made_by = f"{primitive.name}: y", ("forward", operation.number, place)
        if array is None:
            form = forms.get((id(node), place), ((), "not used"))
            operation.outputs.append(quantities.add(None, name, "value", made_by=made_by, form=form))
        else:
            operation.outputs.append(quantities.add(array, name, "value", made_by=made_by))
            quantities.know(array, operation.outputs[-1])
    recorder.nodes[node.order] = operation
    operation.kept = kept_by(node, operation)
