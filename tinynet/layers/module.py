"""Module: an object that owns parameters, itself or through layers in its attributes."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tinynet import constraints, initializers, missing_names, regularizers
from tinynet.autograd import Parameter, Tensor, as_raw
from tinynet.backend import allocations, changes, device, undo
from tinynet.layers import arguments, constructor_arguments, tracking
from tinynet.layers.keras_attributes import KerasAttributes
from tinynet.metrics.metric import Metric
from tinynet.ops.placing import move
from tinynet.tree import STRUCTURES


class Module(KerasAttributes):
    """Base of Layer: makes parameters; finds layers in attributes, also in lists and dictionaries there."""

    # Attributes on which no step depends: setting them is not counted.
    _without_effect: ClassVar[Any] = {"_trainable"}
    # Attributes that are not searched for layers inside this one.
    # A class adds both kinds to those of its bases.
    _not_searched: ClassVar[Any] = {"_given_arguments", "_own_fixed", "_own_trainable", "_set_at"}
    # {attribute: function that converts each value it is set to}, such as "relu" to the function.
    _read_when_set: ClassVar[dict[str, Any]] = {}
    _given_arguments: dict[str, Any]
    _values_to_search: tracking.Values | None = None
    name: str
    dtype: np.dtype
    built: bool

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._without_effect = frozenset().union(
            *(vars(base).get("_without_effect", ()) for base in cls.__mro__)
        )
        cls._not_searched = frozenset().union(*(vars(base).get("_not_searched", ()) for base in cls.__mro__))
        if build := vars(cls).get("build"):
            cls.build = _marked_built(build)  # type: ignore[attr-defined]

    def __init__(self, trainable: bool) -> None:
        self._trainable = arguments.yes_or_no(trainable, f"{type(self).__name__}: trainable")
        vars(self)["_values_to_search"] = None
        self._own_trainable: list[Parameter] = []
        self._own_fixed: list[Parameter] = []

    def __setattr__(self, name: str, value: Any) -> None:
        counts = name not in self._without_effect
        if counts:
            if name in vars(self) and name in constructor_arguments.arguments_of_tinynet(type(self)):  # type: ignore[arg-type]
                vars(self)["_given_arguments"] = {**self._given_arguments, name: value}
            if name in self._read_when_set:
                value = self._read_when_set[name](value)
        super().__setattr__(name, value)
        if isinstance(value, (Module, *STRUCTURES)):
            vars(self).setdefault("_set_at", {})[name] = next(tracking.clock)
        if counts:
            changes.attribute(self, name)  # last: what another thread derived until now is out of date

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        changes.attribute(self, name)

    if not TYPE_CHECKING:  # so that type checkers report attributes that nothing sets

        def __getattr__(self, name: str) -> Any:
            if "_own_fixed" not in vars(self):
                raise AttributeError(
                    f"{type(self).__name__}.__init__ must begin with super().__init__(); {name!r} is missing"
                )
            if hasattr(type(self), name):  # a property raised AttributeError: raises it again
                return object.__getattribute__(self, name)
            raise missing_names.no_attribute(self, name, "layer")

    def add_weight(
        self,
        name: Any = None,
        shape: Any = None,
        initializer: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        dtype: Any = None,
        autocast: bool = True,
        aggregation: str | None = None,
        overwrite_with_gradient: bool = False,
    ) -> Parameter:
        """Creates a parameter; with trainable=False it is kept and saved, but never trained.

        `initializer` is "glorot_uniform" for floats and "zeros" for others, which are never trained, unless
        given; `regularizer` adds its penalty to the loss while the parameter is trained; `constraint` is
        applied after updates. Keras 3's order, add_weight(shape, initializer, dtype, name=...), will do;
        autocast, aggregation and overwrite_with_gradient say nothing here.
        """
        if isinstance(name, tuple | list):
            if shape is not None:  # what follows it in that order
                shape, initializer, dtype = name, shape, dtype if initializer is None else initializer
            name, shape = None, name
        if (
            name
            and self.built
            and any(p.name == f"{self.name}/{name}" for p in self._own_trainable + self._own_fixed)
        ):
            raise ValueError(
                f"{self} has a weight {name!r} already: it was built before; "
                "make a new layer for other inputs"
            )
        name, shape = name or "variable", tuple(shape or ())
        if None in shape:
            raise ValueError(f"{self}: the sizes of {name} must be known, got shape {shape}")
        dtype = self.dtype if dtype is None else np.dtype(dtype)
        trainable = trainable and dtype.kind == "f"
        if initializer is None:
            initializer = "glorot_uniform" if dtype.kind == "f" else "zeros"
        make: Any = initializers.get(initializer)
        value = as_raw(allocations.weight(make, shape, dtype))
        if getattr(value, "shape", ()) != shape:
            raise ValueError(
                f"{self}: {name} has shape {shape}, its initializer gave {getattr(value, 'shape', value)}"
            )
        value = np.asarray(value, dtype, order="C") if isinstance(value, np.ndarray) else value.astype(dtype)
        parameter = Parameter(value, trainable=trainable and self._trainable, name=f"{self.name}/{name}")
        parameter.regularizer, parameter.constraint = (
            regularizers.get(regularizer),
            constraints.get(constraint),
        )
        (self._own_trainable if trainable else self._own_fixed).append(parameter)
        if not trainable:
            undo.array(parameter)
        return parameter

    def add_variable(
        self, shape: Any, initializer: Any = None, dtype: Any = None, trainable: bool = True, **rest: Any
    ) -> Parameter:
        """`add_weight` in Keras 3's order: shape, initializer, dtype, trainable;
        `rest` are its other arguments.
        """
        return self.add_weight(rest.pop("name", None), shape, initializer, trainable, dtype=dtype, **rest)

    @staticmethod
    def _weight_arguments(initializer: Any, regularizer: Any, constraint: Any) -> tuple[Any, Any, Any]:
        """Initializer, regularizer and constraint, each given by name or as an object, as objects."""
        return initializers.get(initializer), regularizers.get(regularizer), constraints.get(constraint)

    def _make_weight(self, name: str, shape: Any, kind: str | None = None) -> Parameter:
        """A weight with the layer's <kind>_initializer, _regularizer and _constraint; `kind` None: `name`."""
        parts = ("initializer", "regularizer", "constraint")
        initializer, regularizer, constraint = (getattr(self, f"{kind or name}_{part}") for part in parts)
        return self.add_weight(name, shape, initializer, regularizer=regularizer, constraint=constraint)

    @property
    def trainable(self) -> bool:
        """Whether the parameters are trained."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = arguments.yes_or_no(value, f"{self}: trainable")
        changes.counts["trainable"] += 1
        for layer in self._with_all_within():
            layer._trainable = value
            for parameter in layer._own_trainable:
                parameter.trainable = layer._trainable

    def _layers_within(self) -> Iterator[Any]:
        """The layers that this one holds in its attributes, or in lists,
        tuples and dictionaries there, each once.
        """
        return iter(self._attribute_values().layers())

    def _attribute_values(self) -> tracking.Values:
        """Attributes that are layers or metrics, or lists, tuples and dictionaries that may contain some."""
        count, known = changes.counts["attributes"], self._values_to_search
        if known is None or known.count != count:
            held = [item for item in list(vars(self).items()) if item[0] not in self._not_searched]
            known = tracking.Values(count, held, vars(self).get("_set_at", {}), Module, Metric)
            vars(self)["_values_to_search"] = known
        return known

    def _with_all_within(self) -> list[Any]:
        """This layer, those that it holds, those that they hold, and so on, each once."""
        found: dict[Any, None] = {}
        stack: list[Any] = [self]
        while stack:
            layer = stack.pop()
            if layer not in found:
                found[layer] = None
                stack += reversed(list(layer._layers_within()))
        return list(found)

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, each once: the layer's trainable ones, its others, then those of its layers."""
        return list(
            dict.fromkeys(
                p for layer in self._with_all_within() for p in layer._own_trainable + layer._own_fixed
            )
        )

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The parameters that are trained; of a layer with trainable=False none, also of layers inside it."""
        return [p for p in self.weights if p.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """The other parameters."""
        return [p for p in self.weights if not p.trainable] if self._trainable else self.weights

    @property
    def metrics(self) -> list[Metric]:
        """The metrics in attributes of this layer and of layers inside it; `fit` resets and reports them."""
        held = [value for layer in self._with_all_within() for value in layer._attribute_values().values]
        return list(dict.fromkeys(tracking.objects(Metric, held)))

    variables = property(lambda self: self.weights)
    trainable_variables = property(lambda self: self.trainable_weights)
    non_trainable_variables = property(lambda self: self.non_trainable_weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all parameters."""
        return [parameter.numpy() for parameter in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Copies `weights` into the parameters; ValueError, with nothing changed,
        if number or shapes differ.
        """
        parameters, weights = self.weights, list(weights)
        if len(weights) != len(parameters):
            unbuilt = (
                ""
                if self.built
                else "; it is not built yet: call it on a batch, or build(input_shape), first"
            )
            raise ValueError(f"{self} has {len(parameters)} weights, set_weights got {len(weights)}{unbuilt}")
        arrays = [as_raw(value) if hasattr(value, "dtype") else np.asarray(value) for value in weights]
        for parameter, array in zip(parameters, arrays, strict=True):
            if parameter.shape != array.shape:
                raise ValueError(f"{self}: {parameter.name} has shape {parameter.shape}, got {array.shape}")
            if array.dtype.kind not in "biuf":
                raise ValueError(
                    f"{self}: {parameter.name} holds numbers, got an array of dtype {array.dtype}"
                )
        for parameter, array in zip(parameters, arrays, strict=True):
            parameter.assign(array)

    def _own_tensors(self) -> list[Any]:
        """What `to_device` moves of this layer, not those inside it: parameters, Tensors in attributes."""
        held = [value for value in vars(self).values() if isinstance(value, Tensor)]
        return list(dict.fromkeys([*self._own_trainable, *self._own_fixed, *held]))

    def to_device(self, name: str) -> Any:
        """Moves all parameters, and what else the layer keeps from call to call, to a device; returns it.

        name   "cpu", "gpu" or "gpu:1", else ValueError; RuntimeError for a GPU that cannot be used
        """
        name = device.checked(name)
        for layer in self._with_all_within():
            move(layer._own_tensors(), name)
        move([variable for metric in self.metrics for variable in metric.variables], name)
        changes.attribute(self, "device")
        return self

    def count_params(self) -> int:
        """Number of parameters; raises ValueError before the layer is built."""
        if not self.built:
            raise ValueError(
                f"{self} is not built yet, so it has no parameters to count: call it on a batch first"
            )
        return sum(parameter.size for parameter in self.weights)


def _marked_built(build: Callable[..., Any]) -> Callable[..., Any]:
    """The method `build`; after it the layer counts as built, even if it does not call super().build()."""

    @wraps(build)
    def marked(layer: Any, *args: Any, **kwargs: Any) -> None:
        build(layer, *args, **kwargs)
        layer.built = True

    return marked
