"""`keras.backend`, usually called K: settings, variables, and functions of tensors."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet import ops
from tinynet.autograd import Parameter, Tensor, composition
from tinynet.backend import config
from tinynet.compat.activations import hard_sigmoid
from tinynet.compat.arguments import ORDERINGS
from tinynet.compat.warn import old
from tinynet.layers.naming import auto_name, reset_names

GONE = {
    "function": "model.predict, or Model(inputs, outputs) for what is inside a model",
    "get_session": "nothing: there are no sessions",
    "gradients": "tinynet.grad",
    "in_train_phase": "call(self, x, training=False) of a layer",
    "learning_phase": "training=True or False in the call of a model",
    "set_learning_phase": "training=True or False in the call of a model",
    "set_session": "nothing: there are no sessions",
    "tf": "tinynet.ops",
}

# Settings


def backend() -> str:
    """The name of the engine."""
    return "tinynet"


def image_dim_ordering() -> str:
    """'th' or 'tf'."""
    old("K.image_dim_ordering()", "config.image_data_format()")
    return "th" if config.image_data_format() == "channels_first" else "tf"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Sets the order of axes of layers that are not told: 'th' is channels first, 'tf' channels last."""
    value = ORDERINGS.get(dim_ordering)
    if value is None:
        raise ValueError(f"set_image_dim_ordering expects 'th' or 'tf', got {dim_ordering!r}")
    old(f"K.set_image_dim_ordering({dim_ordering!r})", f"config.set_image_data_format({value!r})")
    config.set_image_data_format(value)


def clear_session() -> None:
    """Counts names of layers anew."""
    reset_names()


# Variables


def variable(value: Any, dtype: Any = None, name: str | None = None) -> Parameter:
    """A parameter that holds `value`."""
    return Parameter(np.array(value, dtype or config.floatx()), name=name)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """A Tensor that holds `value`."""
    array = np.array(value, dtype or config.floatx())
    return Tensor(array if shape is None else np.broadcast_to(array, shape).copy())


def get_value(x: Any) -> Any:
    """The number or array in a variable."""
    if isinstance(x, Tensor):
        return x.numpy()
    return float(x) if isinstance(x, float) else x


def set_value(x: Any, value: Any) -> None:
    """variable <- value, `optimizer.lr` included."""
    if not hasattr(x, "assign"):
        raise TypeError(f"K.set_value: expected a variable such as model.optimizer.lr or a weight, got {x!r}")
    old("K.set_value(variable, x)", "variable.assign(x), or optimizer.learning_rate = x")
    x.assign(value)


def batch_get_value(xs: Any) -> list[Any]:
    """get_value of each."""
    return [get_value(x) for x in xs]


def batch_set_value(tuples: Any) -> None:
    """set_value of each (variable, value)."""
    for x, value in tuples:
        set_value(x, value)


def get_uid(prefix: str = "") -> str:
    """A name of a layer that is free."""
    return auto_name(prefix)


# Functions of tensors whose arguments or meaning are not those of tinynet.ops


def argmax(x: Any, axis: int = -1) -> Any:
    """Place of the largest element along the axis."""
    return ops.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """Place of the smallest element along the axis."""
    return ops.argmin(x, axis)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """-t log p - (1 - t) log(1 - p), element by element."""
    p = ops.sigmoid(output) if from_logits else output
    p = ops.clip(p, config.epsilon(), 1.0 - config.epsilon())
    return -(target * ops.log(p) + (1.0 - target) * ops.log(1.0 - p))


def keras1_binary_crossentropy(output: Any, target: Any, from_logits: bool = False) -> Any:
    """The same, with the prediction first."""
    return binary_crossentropy(target, output, from_logits)


def concatenate(tensors: Any, axis: int = -1) -> Any:
    """The tensors one after the other."""
    return ops.concatenate(list(tensors), axis)


def cast(x: Any, dtype: Any) -> Any:
    """x in another number format."""
    return ops.cast(x, dtype=dtype)


def expand_dims(x: Any, axis: int = -1) -> Any:
    """x with an axis of size 1 more."""
    return ops.expand_dims(x, axis)


def flatten(x: Any) -> Any:
    """All elements along one axis."""
    return ops.reshape(x, (-1,))


def batch_flatten(x: Any) -> Any:
    """x (N, ...) as (N, F)."""
    return ops.reshape(x, (x.shape[0], -1))


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape as a tuple."""
    return tuple(x.shape)


@composition
def l2_normalize(x: Any, axis: int | None = None) -> Any:
    """x / |x|, |x| at least 1e-6."""
    return x / ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis, keepdims=True), 1e-12))


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Mean along axes; of truth values, the fraction that is true."""
    return ops.mean(ops.cast(x, dtype=config.floatx()) if x.dtype == bool else x, _axes(axis), keepdims)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Sum along axes; of truth values, their number."""
    return ops.sum(ops.cast(x, dtype=config.floatx()) if x.dtype == bool else x, _axes(axis), keepdims)


def permute_dimensions(x: Any, pattern: Any) -> Any:
    """Axes in the order of `pattern`."""
    return ops.transpose(x, tuple(pattern))


@composition
def pow(x: Any, a: Any) -> Any:
    """x^a."""
    return x**a


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """The one where the condition is true, the other elsewhere."""
    return ops.where(condition, then_expression, else_expression)


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


SAME = (
    "abs", "all", "any", "clip", "cos", "dot", "elu", "equal", "exp", "eye", "greater", "greater_equal",
    "less", "less_equal", "log", "logsumexp", "max", "maximum", "min", "minimum", "ndim", "not_equal", "ones",
    "ones_like", "relu", "reshape", "round", "shape", "sigmoid", "sign", "sin", "softmax", "softplus",
    "softsign", "sqrt", "square", "squeeze", "stack", "std", "stop_gradient", "tanh", "tile", "transpose",
    "var", "zeros", "zeros_like",
)  # fmt: skip
SETTINGS = ("epsilon", "floatx", "image_data_format", "set_epsilon", "set_floatx", "set_image_data_format")
OWN: tuple[Callable[..., Any], ...] = (
    argmax, argmin, backend, batch_flatten, batch_get_value, batch_set_value, binary_crossentropy, cast,
    clear_session, concatenate, constant, expand_dims, flatten, get_uid, get_value, hard_sigmoid,
    image_dim_ordering, int_shape, l2_normalize, mean, permute_dimensions, pow, set_image_dim_ordering,
    set_value, sum, switch, variable,
)  # fmt: skip


def backend_names(era: int) -> dict[str, Any]:
    """{name: function} of what `keras.backend` had and tinynet has."""
    found = {name: getattr(ops, name) for name in SAME} | {name: getattr(config, name) for name in SETTINGS}
    found.update({"eval": get_value, **{function.__name__: function for function in OWN}})
    return {**found, "binary_crossentropy": keras1_binary_crossentropy} if era == 1 else found
