"""clone_model: the same architecture once more, with weights of its own."""

from collections.abc import Callable
from typing import Any

from tinynet.layers.base import Layer
from tinynet.layers.symbolic import SymbolicTensor
from tinynet.models.functional import Functional
from tinynet.models.graph import Graph, Place
from tinynet.models.model import Model
from tinynet.models.sequential import Sequential
from tinynet.tree import leaves, mapped


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Any = None,
    recursive: bool = False,
) -> Model:
    """A model of layers of the same configurations and names, with freshly initialised weights;
    nothing is shared.

    `clone_function(layer)` may return another layer, or the layer itself to share it; `input_tensors` take
    the place of the Inputs. With `recursive` it is applied within nested models too. A compiled model gives a
    compiled clone, with a new optimizer. Raises ValueError for subclassed models, which copy.deepcopy copies,
    and for another call_function than None.

    >>> tinynet.models.clone_model(model).count_params() == model.count_params()
    True
    """
    if call_function is not None:
        raise ValueError("clone_model: call_function is not supported; change the layers with clone_function")
    if not isinstance(model, Sequential | Functional):
        raise ValueError(
            f"clone_model takes a Sequential or Model(inputs, outputs), got {model}: copy.deepcopy copies any"
        )

    def clone(layer: Any) -> Any:
        if recursive and isinstance(layer, Sequential | Functional):
            return clone_model(layer, clone_function=clone_function, recursive=True)
        return (clone_function or _clone)(layer)

    new = (
        _sequential(model, input_tensors, clone)
        if isinstance(model, Sequential)
        else _functional(model, input_tensors, clone)
    )
    new._trainable = model._trainable
    if model.compiled:
        new.compile(
            _renewed(model.optimizer),
            **_renewed(model._compiled_objective.given),
            run_eagerly=model.run_eagerly,
        )
    return new


def _clone(layer: Any) -> Any:
    new = type(layer).from_config(layer.get_config())
    if new.name != layer.name:  # the constructor of a subclass does not take it
        new.name = layer.name
    return new


def _renewed(value: Any) -> Any:
    """The same with new objects for those that have a configuration; names and functions stay."""
    return mapped(
        lambda one: type(one).from_config(one.get_config()) if hasattr(one, "get_config") else one, value
    )


def _sequential(model: Sequential, inputs: Any, clone: Callable[[Any], Any]) -> Sequential:
    first = [] if model._input_layer is None else [_clone(model._input_layer)]
    if inputs is not None:
        first = list(leaves(inputs))
    return type(model)([*first, *map(clone, model.layers)], name=model.name)


def _functional(model: Functional, inputs: Any, clone: Callable[[Any], Any]) -> Functional:
    graph: Graph = model._call_graph
    layers = {layer: clone(layer) for layer in graph.layers if layer not in graph.input_layers}
    given = (
        list(leaves(inputs)) if inputs is not None else [_clone(layer).output for layer in graph.input_layers]
    )
    if len(given) != len(graph.input_layers) or not all(isinstance(one, SymbolicTensor) for one in given):
        raise ValueError(
            f"clone_model: input_tensors must be {len(graph.input_layers)} symbolic tensors, got {inputs!r}"
        )
    tensors = dict(enumerate(given))

    def placed(item: Any) -> Any:
        return tensors[item.number] if isinstance(item, Place) else item

    for step in graph.steps:
        args, kwargs = mapped(placed, [step.args, step.kwargs])
        tensors.update(zip(step.given, leaves(layers[step.layer](*args, **kwargs)), strict=True))
    return type(model)(mapped(placed, graph.inputs), mapped(placed, graph.outputs), name=model.name)
