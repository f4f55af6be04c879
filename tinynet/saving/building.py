"""Building: the model that a description describes. A subclass makes its weights in a call:
a file says what that was given.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinynet import tree
from tinynet.backend import allocations, limits
from tinynet.layers import call_args, infer_shape, symbolic
from tinynet.layers.base import Layer
from tinynet.saving.architecture import deserialize_layer
from tinynet.saving.check_graph import check_sizes
from tinynet.saving.errors import FileError, shortened


def built_for(model: Any) -> Any:
    """The shapes of inputs for which a subclass was built, whose weights are made by a call;
    None where layers say it.

    A Sequential says it but for several inputs, which its first layer takes.
    """
    shapes = vars(model).get("_built_for")
    return None if hasattr(type(model), "inputs") and tree.is_shape(shapes) else shapes


def built_with(model: Any) -> Any:
    """{argument: shapes} of the call that a subclass was built by,
    if that had more arguments than the first; else None.
    """
    found = vars(model).get("_built_with")
    several = found and (len(found) > 1 or vars(model)["_built_for"] is None)
    return found if several and not hasattr(type(model), "inputs") else None


def first_alone(shapes: Any) -> dict[str, Any]:
    """{argument: shapes} of a call with one argument, by its place; of no call if there are none."""
    return {} if shapes is None else {"0": shapes}


def build(entry: Mapping[str, Any], weights: Any, arguments: Any) -> Any:
    """The model that a checked description describes, its parameters still zeros,
    no more of them than in `weights`.

    `arguments` {name or place: shapes} of the call that makes them, where layers do not.
    """
    # Integers of one byte in a file become floats: a weight counts as four bytes, but in small files.
    arrays = list(weights)
    most = min(sum(array.size for array in arrays), sum(array.nbytes for array in arrays) // 4 + (1 << 20))
    with limits.within(limits.Left(most)):
        model = deserialize_layer(entry)
        if arguments and not model.built:
            _run(model, arguments)
        build_activations(model)
        return model


def build_activations(model: Any) -> None:
    """Makes the weights of activations that are layers, Dense(8, activation=PReLU()), for unknown sizes.

    The first call would make them, when these sizes are known; but a file holds them, and here is no call.
    """
    for layer in model._with_all_within():
        activation = vars(layer).get("activation")
        if isinstance(activation, Layer) and not activation.built and layer.built:
            activation._build_once(layer.compute_output_shape(layer._built_for))


def _run(model: Any, arguments: Any) -> None:
    """A trial run makes the weights."""
    whole = isinstance(arguments, dict) and all(isinstance(name, str) for name in arguments)
    for shape in tree.shape_leaves(list(arguments.values()) if whole else arguments):
        if not whole or not shape or not check_sizes(list(shape)):
            raise FileError(f"the model was built for {shortened(arguments)}, which is no shape")
        allocations.symbol(shape)

    if hasattr(type(model), "inputs"):  # a Sequential, layer by layer: some of them may need numbers
        model.compute_output_shape(tree.mapped_shapes(tuple, arguments["0"]))
        return

    asked = call_args.parameters(type(model).call).values()
    left_out = {
        p.name: None
        for p in asked
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }
    left_out.pop("training", None)

    def run(dtype: Any) -> None:
        given = {name: symbolic.tensors(shapes, dtype) for name, shapes in arguments.items()}
        args = [given.pop(str(place)) for place in range(len(given)) if str(place) in given]
        infer_shape.output_shapes(model, tuple(args), given if args else {**left_out, **given})

    try:
        run(model.dtype)
    except limits.TooLargeError:
        raise
    except Exception as error:
        try:
            run(np.dtype(np.int32))  # a model may take integers alone
        except Exception:
            raise error from None
