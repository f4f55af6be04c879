"""Check of a Lambda in a file: which functions the file may name, and with what."""

from collections.abc import Mapping
from typing import Any

from tinynet import ops, registry
from tinynet.saving.errors import FileError, shortened

# Operations whose output's shape follows from that of what goes in, and from what the file holds in their
# arguments: a run on arrays without numbers tells it. All others (tile, pad, one_hot, ...) take sizes for
# which they would make arrays.
SHAPED = {
    "abs", "add", "affine_warp", "all", "any", "argmax", "argmin", "cast", "ceil", "clip", "concatenate",
    "convert_to_tensor", "cos", "divide", "dot", "dropout", "elu", "equal", "erf", "exp", "expand_dims",
    "expm1", "flatten", "flip", "floor", "full_like", "gelu", "getitem", "greater", "greater_equal",
    "isfinite", "isinf", "isnan", "leaky_relu", "less", "less_equal", "log", "log1p", "log_softmax",
    "logaddexp", "logical_and", "logical_not", "logical_or", "logsumexp", "matmul", "max", "maximum", "mean",
    "min", "minimum", "moments", "moveaxis", "multiply", "negative", "norm", "normalize", "not_equal",
    "ones_like", "power", "ravel", "reciprocal", "relu", "reshape", "round", "rsqrt", "selu", "sigmoid",
    "sign", "silu", "sin", "softmax", "softplus", "softsign", "sparsemax", "sqrt", "square", "squeeze",
    "stack", "std", "stop_gradient", "subtract", "sum", "swapaxes", "take", "tanh", "transpose", "var",
    "where", "zeros_like",
}  # fmt: skip


def check_lambda(config: Mapping[str, Any], place: str) -> None:
    """Raises FileError for an operation that could make much of little while
    its output's shape is found by running it.
    """
    function, shape, given = config.get("function"), config.get("output_shape"), config.get("arguments")
    if not isinstance(given, dict | None):
        raise FileError(f"{place}: arguments cannot be {shortened(given)}")
    if isinstance(shape, str | dict) and not _is_registered(shape):
        raise FileError(
            f"{place}: its output_shape is {shortened(shape)}, which is no function that is registered"
        )
    function = function.get("function") if isinstance(function, dict) else function
    if shape is None and isinstance(function, str) and function in ops.__all__ and function not in SHAPED:
        raise FileError(
            f"{place}: {shortened(function)} needs Lambda's argument output_shape; "
            "or write it as a function of your own, "
            "decorated with @tinynet.saving.register_keras_serializable()"
        )


def _is_registered(function: Any) -> bool:
    name = function.get("function") if isinstance(function, dict) else function
    return isinstance(name, str) and name not in ops.__all__ and registry.registered(name) is not None
