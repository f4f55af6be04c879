"""What stands in the boxes of a model's picture."""

from typing import Any

from tinynet.plotting.graph_nodes import Box


def lines_of(box: Box, show: dict[str, bool]) -> list[str]:
    """Name and class, shapes, and whatever else is wanted."""
    layer = box.layer
    lines = [title_of(box, show)]
    if show["shapes"]:
        lines.append(" ".join(box.shapes))
    if show["details"] and (details := details_of(layer)):
        lines.append(details)
    if show["dtype"]:
        lines.append(str(layer._output_dtype))
    if show["trainable"] and layer.weights:
        lines.append("trained" if layer.trainable_weights else "not trained")
    return lines


def title_of(box: Box, show: dict[str, bool]) -> str:
    layer, kind = box.layer, type(box.layer).__name__
    words = [f"{layer.name} ({kind})" if show["names"] else kind]
    if show["activations"] and (activation := getattr(layer, "activation", None)) is not None:
        words.append(getattr(activation, "__name__", type(activation).__name__))
    if box.sharing:
        words.append(box.sharing)
    return ", ".join(words)


def details_of(layer: Any) -> str:
    """Sizes that shapes do not say, and the number of parameters: "3×3, stride 2 · 896 params"."""
    parts = []
    for name, words in (
        ("kernel_size", "kernel {}"), ("pool_size", "pool {}"), ("strides", "stride {}"),
        ("dilation_rate", "dilation {}"), ("groups", "{} groups"), ("rate", "rate {}"),
    ):  # fmt: skip
        value = getattr(layer, name, None)
        usual = name not in ("kernel_size", "pool_size") and value in (1, (1,), (1, 1))
        if isinstance(value, (int, float, tuple)) and not isinstance(value, bool) and not usual:
            parts.append(_sizes(value, words))
    params = f"{layer.count_params():,} params" if layer.weights else ""
    return " · ".join(part for part in (", ".join(parts), params) if part)


def _sizes(value: Any, words: str) -> str:
    """(3, 3) is "3×3" of a kernel, which needs no words, and "stride 3" of strides."""
    lengths = value if isinstance(value, tuple) else (value,)
    crossed = "×".join(f"{length:g}" for length in lengths)
    if len(lengths) > 1 and words.startswith(("kernel", "pool")):
        return crossed
    return words.format(f"{lengths[0]:g}" if len(set(lengths)) == 1 else crossed)
