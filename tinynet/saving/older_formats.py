"""Descriptions in files of earlier formats, brought to today's words before anything else looks at them.

    format 1    functions of `ops` had argument names of their own (today Keras's),
                and `gelu` was exact: a Lambda tells
"""

from collections.abc import Mapping
from typing import Any

TWO = {"a": "x1", "b": "x2"}
RENAMED: dict[str, dict[str, str]] = {
    **dict.fromkeys((
        "add", "divide", "dot", "equal", "greater", "greater_equal", "less", "less_equal", "logaddexp",
        "logical_and", "logical_or", "matmul", "maximum", "minimum", "multiply", "not_equal", "power",
        "subtract", "where",
    ), TWO),
    "pad": {"widths": "pad_width", "value": "constant_values"}, "split": {"parts": "indices_or_sections"},
    "swapaxes": {"a": "axis1", "b": "axis2"},
}  # fmt: skip


def from_format_1(model: Any) -> None:
    """Changes a description, as it was read from a file, where it holds a Lambda;
    every other object stays as it is.
    """
    left = [model]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            config = value.get("config")
            if value.get("class_name") == "Lambda" and isinstance(config, dict):
                _rename_arguments(config)
            left += value.values()
        elif isinstance(value, list):
            left += value


def _rename_arguments(config: dict[str, Any]) -> None:
    function, given = config.get("function"), config.get("arguments")
    if isinstance(function, Mapping):
        function = function.get("function")
    if not isinstance(function, str) or not isinstance(given, dict | None):
        return  # the check of the description says what is wrong with it, or it is none of these functions
    names = RENAMED.get(function, {})
    config["arguments"] = {names.get(name, name): value for name, value in (given or {}).items()}
    if function == "gelu":
        config["arguments"].setdefault("approximate", False)
