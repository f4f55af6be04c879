"""Layer: the base of every layer. It makes parameters at the first call, checks the input, runs `call`.

class Scale(Layer):
    def build(self, input_shape):                      # called once, with the first input's shape (None, ...)
        self.factor = self.add_weight("factor", input_shape[1:], "ones")
        super().build(input_shape)

    def call(self, x):                                 # a Tensor; (self, x, training=False) gets the mode too
        return x * self.factor
"""

from typing import Any, ClassVar, Self, Unpack

import numpy as np

from tinynet import registry, regularizers
from tinynet.autograd import Tensor
from tinynet.backend import config, device, number_format, tracebacks
from tinynet.layers import (
    arguments,
    call_args,
    infer_shape,
    input_spec,
    repr_text,
    static_types,
    symbolic,
    tracking,
)
from tinynet.layers.constructor_arguments import config_of
from tinynet.layers.current_call import Call
from tinynet.layers.current_call import around as _around
from tinynet.layers.naming import auto_name
from tinynet.layers.overridable import NotKnownError, overridable
from tinynet.layers.penalties import Penalised, nothing_added
from tinynet.layers.symbolic import one_or_all
from tinynet.tree import STRUCTURES, is_nested, leaves, mapped

Shape = tuple[int | None, ...]


class Layer(Penalised):
    """Base of all layers.

    activity_regularizer  penalty on the output, divided by the size of the batch, that is added to the loss
    trainable             whether the parameters are trained; may be set at any time,
                          compile the model again afterwards
    dtype                 "float32", "float64", or None for `config.floatx()`;
                          inputs are cast to it: see call_args.in_format
    name                  None: the class in snake case, numbered

    A subclass may take several inputs, call(self, inputs) with a list, tuple or dictionary; `_takes_many`
    says that it must. `__new__` keeps the constructor's arguments for `get_config` and `repr`: a subclass
    need not do so.
    """

    # Not searched for layers inside this one: calls on symbolic tensors lead to the layers before it.
    _not_searched: ClassVar = {"_batch_shape", "_built_for", "_built_with", "_inbound_nodes", "_input_sizes"}
    _input_rank: int | None = None  # number of axes that an input must have, the batch included
    _least_rank = 1
    _input_words = ""  # words for the error message about a wrong number of axes
    _takes_many: bool | None = None  # True: a list of inputs; False: one; None: what `call` takes
    # the constructor's arguments, and what their attributes were set to since
    _given_arguments: dict[str, Any]
    _read_when_set: ClassVar = {"activity_regularizer": regularizers.get}
    _takes_training: bool  # whether call has that parameter
    _default_training: bool | None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        layer = super().__new__(cls)
        vars(layer)["_made_at"] = next(tracking.clock)
        layer._given_arguments = arguments.given(cls, args, kwargs)
        layer._takes_training = "training" in call_args.parameters(cls.call)
        layer._default_training = call_args.default_of_training(cls.call)
        return layer

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        **unknown: Unpack[static_types.ShapeArguments],
    ) -> None:
        super().__init__(trainable)
        self.name = auto_name(type(self).__name__) if name is None else str(name)
        shape = arguments.input_shape(self, unknown)
        for argument in unknown:
            raise arguments.unknown(type(self), argument)
        self._batch_shape = None if shape is None else (None, *shape)  # of a Sequential that it begins
        self.dtype = self._number_format(config.floatx() if dtype is None else dtype)
        self.activity_regularizer = activity_regularizer
        self.built = False
        self._input_sizes: dict[int, int] = {}  # {axis: size} that every input must have
        self._inbound_nodes: list[symbolic.Node] = []  # calls on symbolic tensors
        vars(self).update(nothing_added())

    def _number_format(self, dtype: Any) -> np.dtype:
        if str(getattr(dtype, "name", getattr(dtype, "__name__", dtype))) not in ("float32", "float64"):
            raise ValueError(f"{self}: dtype must be 'float32' or 'float64', got {dtype!r}")
        return np.dtype(dtype)

    # What a subclass writes

    @static_types.of_any_arguments
    def build(self, input_shape: Any) -> None:
        """Creates the parameters for inputs of `input_shape`, whose first entry is None;
        see `call_args` for several inputs.
        """
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Output for the input, by convention x."""
        raise TypeError(
            f"{type(self).__name__} must define call(self, x), which returns the output for the input x"
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape of the output for inputs of `input_shape`;
        found by a trial run unless a subclass knows better.
        """
        return infer_shape.output_shapes(self, (symbolic.tensors(input_shape, self.dtype),), {})

    _output_dtype = property(lambda self: self.dtype, doc="What the numbers of the output are.")

    # The call

    @static_types.as_call
    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Output for the arguments of `call`, arrays or Tensors; `training` None: as in the outer call.

        On symbolic tensors (Input) it builds the layer and returns symbolic tensors, from which a Model is
        made.
        """
        if len(args) == 1 and not kwargs:  # most calls
            on_symbols = type(args[0]) is not Tensor and symbolic.is_symbolic(args[0])
        else:
            args, kwargs, training = call_args.arranged(self, args, kwargs, training)
            on_symbols = symbolic.is_symbolic((args, kwargs))
        if on_symbols:
            try:
                return symbolic.call(
                    self, args, kwargs if training is None else {**kwargs, "training": training}
                )
            except BaseException as error:
                tracebacks.trim_outermost(error)
                raise
        around = _around.get()
        if training is None and (around is None or around.training is None):
            training = self._default_training
        if training is None and around is not None:
            return self._run_call(args, kwargs, around.training)
        if around is None and self._adding_layers:
            self._forget_losses()
        call = Call(self._adding_layers, training, around)
        token = _around.set(call)
        try:
            return self._run_call(args, kwargs, call.training)
        except BaseException as error:
            tracebacks.trim_outermost(error)
            raise
        finally:
            _around.reset(token)

    def _run_call(self, args: tuple[Any, ...], kwargs: dict[str, Any], training: bool | None) -> Any:
        if len(args) == 1 and not kwargs:
            x = self._as_input(args[0])
            self._check_input(x.shape if type(x) is Tensor else call_args.shape_of(x))
            args = (x,)
        else:
            args, kwargs = call_args.taken(self, args, kwargs)
            self._check_input(call_args.shape_of(call_args.first(args, kwargs)))
        if not self.built:
            self._build_for(args, kwargs)
        if training is not None and self._takes_training:
            kwargs["training"] = bool(training)
        y = self.call(*args, **kwargs)
        if y is None:
            raise TypeError(f"{self}: call() returned None; end it with `return ...`, the output")
        if self.activity_regularizer is not None:
            for output in leaves(y):
                self.add_loss(self.activity_regularizer(output) / max(output.shape[0], 1))
        return y

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Builds the layer for the arguments of a call, Tensors or symbolic tensors."""
        self._build_once(
            call_args.shape_of(call_args.first(args, kwargs)), call_args.shapes(self, args, kwargs)
        )

    def _build_once(self, shape: Any, others: Any = None) -> None:
        """Builds the layer for inputs of `shape`, unless it is built; `others`: {argument: its shape}."""
        if not self.built:
            shape, others = call_args.without_batch(shape), call_args.without_batch(others or {})
            self.build(**call_args.told(self, type(self).build, shape, others))
            self.built, self._built_for, self._built_with = True, shape, others
            activation = vars(self).get("activation")
            if isinstance(activation, Layer):  # Dense(8, activation=PReLU()): its weights are this layer's
                shape = self.compute_output_shape(shape)
                if None not in shape[1:]:  # otherwise its first call builds it
                    activation._build_once(shape)

    def _as_input(self, inputs: Any) -> Any:
        """`inputs` as Tensors of the layer's dtype, on the device in use if they are NumPy arrays,
        lists or numbers.
        """
        if isinstance(inputs, Tensor):
            x = inputs
        elif inputs is None or (isinstance(inputs, STRUCTURES) and is_nested(inputs)):
            return None if inputs is None else mapped(self._as_input, inputs)
        else:
            array = inputs if hasattr(inputs, "dtype") else number_format.numbers(inputs).astype(self.dtype)
            x = Tensor(device.to_device(array) if isinstance(array, np.ndarray) else array)
        return x if x.dtype == self.dtype else call_args.in_format(self, x)

    def _check_input(self, shape: Any) -> None:
        """Raises ValueError if an input of `shape`, or inputs of such shapes, do not fit the layer."""
        if self._own_input_spec is not None:
            input_spec.check(self, shape)
        if type(shape) is not tuple or (shape and isinstance(shape[0], STRUCTURES)):
            if self._takes_many is False:
                got = "None" if shape is None else f"{len(shape)} of them, of shape {shape}"
                raise ValueError(f"{self} expects one input, got {got}")
            return
        if self._takes_many:
            raise ValueError(f"{self} expects a list of inputs, got one, of shape {shape}")
        if len(shape) != self._input_rank if self._input_rank is not None else len(shape) < self._least_rank:
            wanted = (
                f"{self._input_rank} axes"
                if self._input_rank is not None
                else f"at least {self._least_rank} axes"
            )
            raise ValueError(f"{self} expects an input of {wanted}{self._input_words}, got shape {shape}")
        for axis, size in self._input_sizes.items():
            if shape[axis] != size:
                sizes = {i % len(shape): n for i, n in self._input_sizes.items()}
                wanted = ", ".join(str(sizes.get(i, "any")) for i in range(len(shape)))
                raise ValueError(
                    f"{self} was built for inputs of shape ({wanted}), got {shape}; "
                    "feed it inputs of that size, or make a new layer"
                )

    # Symbolic calls

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic tensors that a call on these symbolic tensors returns."""
        method = type(self).compute_output_shape
        if method is Layer.compute_output_shape:
            found = infer_shape.output_shapes(self, args, kwargs)
        else:
            shape, others = (
                call_args.shape_of(call_args.first(args, kwargs)),
                call_args.shapes(self, args, kwargs),
            )
            found = self.compute_output_shape(**call_args.told(self, method, shape, others))
        return symbolic.tensors(found, self._output_dtype)

    def _symbolic_outputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Checks the input, builds the layer, and returns its symbolic outputs."""
        self._check_input(call_args.shape_of(call_args.first(args, kwargs)))
        if not self.built:
            self._build_for(args, kwargs)
        return self.compute_output_spec(*args, **kwargs)

    input = overridable(
        lambda self: one_or_all(self._first_node().inputs), doc="Symbolic input of its first symbolic call."
    )
    output = overridable(
        lambda self: self._first_node().outputs, doc="Symbolic output of its first symbolic call."
    )

    def _first_node(self) -> symbolic.Node:
        if self._inbound_nodes:
            return self._inbound_nodes[0]
        raise NotKnownError(f"{self} was not called on an Input yet: it has no symbolic input and output")

    # Description and copies

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: without the symbolic calls, which lead to layers of other models."""
        return {**vars(self), "_inbound_nodes": [], **nothing_added(), "_values_to_search": None}

    def __reduce__(self) -> Any:  # makes a copy without calling the constructor
        return object.__new__, (type(self),), self.__getstate__()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; objects that have a configuration of their own as {class_name,
        config}.
        """
        return config_of(self)

    @classmethod
    @static_types.of_any_arguments
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A new layer, with new weights, from `get_config`; `custom_objects`:
        {name: class or function} in it.
        """
        with registry.custom_object_scope(custom_objects or {}):
            return cls(**config)

    __repr__, __format__ = repr_text.layer_text, repr_text.label  # short: in messages, f"{layer} ..."


class Elementwise(Layer):
    """Base of layers whose output has the shape of their input."""

    supports_masking = True
    _takes_many = False

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
