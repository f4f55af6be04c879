"""Layer: what every layer is. Parameters made at the first call, an input that is checked, one function to run.

class Scale(Layer):
    def build(self, input_shape):                      # (None, ...): called once, with the first input's shape
        self.factor = self.add_weight("factor", input_shape[1:], "ones")
        super().build(input_shape)

    def call(self, x):                                 # a Tensor; write call(self, x, training=False) to be told
        return x * self.factor
"""

import inspect
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar

import numpy as np

from tinynet import autograd, initializers, ops
from tinynet.autograd import Parameter, Tensor, as_raw
from tinynet.backend import config, device
from tinynet.layers import arguments
from tinynet.layers.naming import auto_name

Shape = tuple[int | None, ...]

_training: ContextVar[bool | None] = ContextVar("tinynet_training", default=None)  # mode of the enclosing call


class Layer:
    """Base of all layers.

    trainable   whether the parameters are trained; may be set at any time, compile the model again afterwards
    dtype       "float32", "float64", or None for `config.floatx()`; inputs are cast to it
    name        None: the class in snake case, numbered
    """

    rank: int | None = None  # number of axes that an input must have, the batch included
    min_rank = 1
    expects = ""  # words for the error about a wrong number of axes
    # How often an attribute of any layer was set, and how often `trainable`: what was derived before is out of date.
    revision: ClassVar = {"attributes": 0, "trainable": 0}
    without_effect = frozenset({"calls", "history", "stop_training", "_trainable"})  # attributes not counted
    _given: dict[str, Any]  # the constructor's arguments, kept for get_config
    _takes_training: bool  # whether call has that parameter

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        layer = super().__new__(cls)
        layer._given = arguments.given(cls, args, kwargs)
        layer._takes_training = "training" in inspect.signature(cls.call).parameters
        return layer

    def __init__(self, *, trainable: bool = True, dtype: Any = None, name: str | None = None, **unknown: Any) -> None:
        for argument in unknown:
            raise arguments.unknown(type(self), argument)
        self.name = auto_name(type(self).__name__) if name is None else str(name)
        self.dtype = self._number_format(config.floatx() if dtype is None else dtype)
        self.built = False
        self._trainable = bool(trainable)
        self._own_trainable: list[Parameter] = []
        self._own_fixed: list[Parameter] = []
        self._sizes: dict[int, int] = {}  # {axis: size} that every input must have

    def _number_format(self, dtype: Any) -> np.dtype:
        if str(getattr(dtype, "__name__", dtype)) not in ("float32", "float64"):
            raise ValueError(f"{self}: dtype must be 'float32' or 'float64', got {dtype!r}")
        return np.dtype(dtype)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.without_effect:
            self.revision["attributes"] += 1
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if "_own_fixed" not in vars(self):
            raise AttributeError(f"{type(self).__name__}.__init__ must begin with super().__init__(); {name!r} is missing")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # What a subclass writes

    def build(self, input_shape: Shape) -> None:
        """Creates the parameters for inputs of `input_shape`, whose first entry is None."""
        self.built = True

    def call(self, x: Any) -> Any:
        """Output for the input `x`."""
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the output for inputs of `input_shape`; found by a trial run unless a subclass knows better.

        Where sizes are unknown (None), by two runs with different ones: what differs is unknown in the output.
        """
        found = []
        for unknown in (64, 96) if None in input_shape[1:] else (1,):
            trial = np.zeros((1, *(unknown if size is None else size for size in input_shape[1:])), self.dtype)
            with autograd.no_grad():
                found.append(self(trial, training=False).shape[1:])
        return (input_shape[0], *(a if a == b else None for a, b in zip(found[0], found[-1], strict=True)))

    # Parameters

    def add_weight(
        self,
        name: str,
        shape: Sequence[int],
        initializer: Any = "glorot_uniform",
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> Parameter:
        """Creates a parameter; with trainable=False it is kept and saved, but never trained."""
        value = as_raw(initializers.get(initializer)(tuple(shape), dtype=self.dtype))  # type: ignore[misc]
        if getattr(value, "shape", ()) != tuple(shape):
            raise ValueError(f"{self}: {name} has shape {tuple(shape)}, its initializer gave {getattr(value, 'shape', value)}")
        value = value if value.dtype == self.dtype else value.astype(self.dtype)
        parameter = Parameter(value, trainable=trainable and self._trainable, name=f"{self.name}/{name}")
        parameter.regularizer, parameter.constraint = regularizer, constraint
        (self._own_trainable if trainable else self._own_fixed).append(parameter)
        return parameter

    @property
    def trainable(self) -> bool:
        """Whether the parameters are trained."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        self.revision["trainable"] += 1
        for parameter in self._own_trainable:
            parameter.trainable = self._trainable
        for layer in self.sublayers():
            layer.trainable = value

    def sublayers(self) -> Iterator["Layer"]:
        """The layers that this one holds in its attributes, or in lists, tuples and dictionaries there."""
        for value in vars(self).values():
            value = list(value.values()) if isinstance(value, dict) else value
            for item in value if isinstance(value, list | tuple) else (value,):
                if isinstance(item, Layer):
                    yield item

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, each once: the layer's trainable ones, its others, then those of its layers."""
        own = self._own_trainable + self._own_fixed
        return list(dict.fromkeys(own + [p for layer in self.sublayers() for p in layer.weights]))

    trainable_weights = property(lambda self: [p for p in self.weights if p.trainable])
    non_trainable_weights = property(lambda self: [p for p in self.weights if not p.trainable])

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all parameters."""
        return [parameter.numpy() for parameter in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Copies the arrays into the parameters; raises ValueError, changing nothing, if number or shapes differ."""
        parameters, weights = self.weights, list(weights)
        if len(weights) != len(parameters):
            unbuilt = "" if self.built else "; it is not built yet: call it on a batch, or build(input_shape), first"
            raise ValueError(f"{self} has {len(parameters)} weights, set_weights got {len(weights)}{unbuilt}")
        arrays = [as_raw(value) if hasattr(value, "dtype") else np.asarray(value) for value in weights]
        for parameter, array in zip(parameters, arrays, strict=True):
            if parameter.shape != array.shape:
                raise ValueError(f"{self}: {parameter.name} has shape {parameter.shape}, got {array.shape}")
            if array.dtype.kind not in "biuf":
                raise ValueError(f"{self}: {parameter.name} holds numbers, got an array of dtype {array.dtype}")
        for parameter, array in zip(parameters, arrays, strict=True):
            parameter.assign(array)

    def count_params(self) -> int:
        """Number of parameters; raises ValueError before the layer is built."""
        if not self.built:
            raise ValueError(f"{self} is not built yet, so it has no parameters to count: call it on a batch first")
        return sum(parameter.size for parameter in self.weights)

    # The call

    def __call__(self, inputs: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Tensor:
        """Output for `inputs`, an array or Tensor; `training` None: as the layer or model around this call says."""
        if training is None:
            return self._run(inputs, args, kwargs, _training.get())
        token = _training.set(bool(training))
        try:
            return self._run(inputs, args, kwargs, bool(training))
        finally:
            _training.reset(token)

    def _run(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any], training: bool | None) -> Tensor:
        x = self.as_input(inputs)
        self.check_input(x.shape)
        if not self.built:
            self.build((None, *x.shape[1:]))
            self.built = True
        if training is not None and self._takes_training:
            kwargs["training"] = training
        return self.call(x, *args, **kwargs)

    def as_input(self, inputs: Any) -> Tensor:
        """`inputs` as a Tensor of the layer's dtype, on the device in use if it is a NumPy array, list or number."""
        if isinstance(inputs, Tensor):
            x = inputs
        else:
            array = inputs if hasattr(inputs, "dtype") else np.asarray(inputs, self.dtype)
            x = Tensor(device.to_device(array) if isinstance(array, np.ndarray) else array)
        return x if x.dtype == self.dtype else ops.cast(x, dtype=self.dtype)

    def check_input(self, shape: Shape) -> None:
        """Raises ValueError if an input of `shape` does not fit the layer."""
        if len(shape) != self.rank if self.rank is not None else len(shape) < self.min_rank:
            wanted = f"{self.rank} axes" if self.rank is not None else f"at least {self.min_rank} axes"
            raise ValueError(f"{self} expects an input of {wanted}{self.expects}, got shape {shape}")
        for axis, size in self._sizes.items():
            if shape[axis] != size:
                sizes = {i % len(shape): n for i, n in self._sizes.items()}
                wanted = ", ".join(str(sizes.get(i, "any")) for i in range(len(shape)))
                raise ValueError(
                    f"{self} was built for inputs of shape ({wanted}), got {shape}; "
                    "feed it inputs of that size, or make a new layer"
                )

    # Description

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; objects that have a configuration of their own as {class_name, config}."""
        common = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype.name}
        names = arguments.accepted(type(self))
        given = {name: _describe(value) for name, value in self._given.items()}
        return {**given, **{name: value for name, value in common.items() if name in names}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer, with new weights, made as `get_config` says."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class Elementwise(Layer):
    """Base of layers whose output has the shape of their input."""

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


def _describe(value: Any) -> Any:
    if hasattr(value, "get_config") and not isinstance(value, type):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    return value
