"""A layer written as text: Conv2D(8, 3, activation='relu')  (None, 8, 8, 1) -> (None, 6, 6, 8)."""

from typing import Any

from tinynet import signature


def layer_text(layer: Any) -> str:
    """The call that makes the layer and, once they are known, the shapes of its input and its output."""
    return with_shapes(signature.as_call(layer, given=vars(layer).get("_given_arguments", {})), shapes(layer))


def label(layer: Any, spec: str) -> str:
    """<Conv2D 'conv2d'>: how messages name a layer."""
    return format(f"<{type(layer).__name__} {layer.name!r}>", spec)


def model_text(model: Any) -> str:
    """Sequential(8 layers, 2,730 parameters)  (None, 8, 8, 1) -> (None, 10)"""
    try:
        layers = len(model.layers)
        count = sum(p.size for p in model.weights)
        parameters = f"{count:,} parameters" if model.built else "not built"
        ends = (
            (model.input_shape, model.output_shape)
            if model.built and hasattr(type(model), "inputs")
            else None
        )
        text = f"{type(model).__name__}({layers} layer{'s' if layers != 1 else ''}, {parameters})"
        return with_shapes(text, ends)
    except Exception:  # half made
        return f"<{type(model).__name__}>"


def with_shapes(text: str, ends: tuple[Any, Any] | None) -> str:
    """`text`, followed by the shapes of both ends."""
    return text if ends is None else f"{text}  {ends[0]} -> {ends[1]}"


def shapes(layer: Any) -> tuple[Any, Any] | None:
    """(shape of the input, shape of the output) of the first call,
    or of the one that the layer was built for.
    """
    held = vars(layer)
    if held.get("_inbound_nodes"):
        node = held["_inbound_nodes"][0]
        return (_shapes(node.inputs), _shapes(node.outputs)) if node.inputs else None
    if not held.get("built") or "_built_for" not in held:
        return None
    method = type(layer).compute_output_shape
    if (
        not method.__module__.startswith("tinynet.layers.")
        or method.__qualname__ == "Layer.compute_output_shape"
    ):
        return None  # printing a layer runs no code of the user's, so only tinynet's methods are asked
    return held["_built_for"], layer.compute_output_shape(held["_built_for"])


def _shapes(tensors: Any) -> Any:
    if isinstance(tensors, dict):
        return {name: _shapes(tensor) for name, tensor in tensors.items()}
    if isinstance(tensors, list | tuple):
        found = [_shapes(tensor) for tensor in tensors]
        return found[0] if len(found) == 1 else found
    return tensors.shape
