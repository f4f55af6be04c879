"""Primitive: a function with, right below it, the rules of its derivative.

    @primitive
    def softcap(x, *, cap):             # inputs by place, settings by keyword
        return cap * tanh(x / cap)      # operators, and functions of `ops`

    @softcap.vjp("x")                   # vector-Jacobian product: upstream gradient in, gradient of x out
    def _(grad, y, cap):
        return grad * (1 - (y / cap) ** 2)

Both are given Tensors. Ordinarily these are constants, so nothing is recorded. Under `create_graph` a rule is
given the Tensors on the tape: what it computes is recorded, and can be differentiated again. The forward of
an `@array_primitive` is given the arrays: it calls a kernel, or returns a view. To the caller the two are
alike. Arrays in, arrays out; with a Tensor among the inputs Tensors come out, and if one is tracked a node is
left on the tape.

The names of a rule's parameters say what the node keeps for it:

    grad       upstream gradient, first; a tuple with None for unused outputs if the primitive has several
    <input>    the value of that input;  <input>_shape  only its shape;  shapes  those of all inputs
    y          the output (a tuple if several);  <keyword>  a keyword argument of the call;
               **name  all of them
    needs      (joint rules) one flag for each input: whether its gradient is wanted
    sources    for each input the primitive whose rule gets this gradient and no other, or None: ops/joined.py

An input or keyword called y, needs, shapes or sources is meant before these.
"""

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, overload

from tinynet.autograd.tape import Node, is_grad_enabled
from tinynet.autograd.tensor import Tensor
from tinynet.autograd.untracked import on_tensors
from tinynet.backend.number_format import operands
from tinynet.kernels.launches import listening

Parameters = ParamSpec("Parameters")  # those of the forward, which editors show where the primitive is called


class Rule:
    """A derivative rule and what the names of its parameters ask for."""

    def __init__(self, function: Callable[..., Any], primitive: "Primitive") -> None:
        inputs, keywords = primitive.inputs, primitive.keywords
        parameters = list(inspect.signature(function).parameters.values())[1:]
        names = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
        self.function = function
        self.values = [(inputs.index(name), name) for name in names if name in inputs]
        self.shapes = [(i, name + "_shape") for i, name in enumerate(inputs) if name + "_shape" in names]
        takes_all = len(names) < len(parameters)  # it has a **name
        self.keywords = keywords if takes_all else [name for name in keywords if name in names]
        self.asks = {"y", "needs", "shapes", "sources"}.intersection(names).difference(inputs, keywords)
        known = self.asks.union(self.keywords, (name for _, name in self.values + self.shapes))
        if unknown := set(names) - known:
            had = f"it has {inputs} and {keywords}"
            raise TypeError(f"a rule of {primitive.name!r} asks for {sorted(unknown)}; {had}")

    def __call__(self, node: Node, grad: Any, inputs: list[Any], outputs: Any, needs: list[bool]) -> Any:
        named = {name: inputs[i] for i, name in self.values if i < len(inputs)}
        named.update((name, node.shapes[i]) for i, name in self.shapes)
        named.update((name, node.static[name]) for name in self.keywords)
        given = {"y": outputs, "needs": needs, "shapes": node.shapes, "sources": node.sources}
        return self.function(grad, **named, **{name: given[name] for name in self.asks})


class Primitive(Generic[Parameters]):
    """A differentiable function, made of its `forward`, which is one of Tensors,
    or with `on_arrays` of arrays.
    """

    forward: Callable[..., Any]

    def __init__(self, forward: Callable[Parameters, Any], on_arrays: bool = False) -> None:
        update_wrapper(self, forward)
        parameters = inspect.signature(forward).parameters.values()
        self.name, self.forward = forward.__name__, forward if on_arrays else on_tensors(forward)
        self.inputs = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        self.arity = len(self.inputs)  # 0 if it takes any number of them
        self.keywords = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self.defaults = {name: defaults[name] for name in self.keywords if name in defaults}
        self.rules: dict[int, Rule] = {}
        self.joint: Rule | None = None

    def vjp(self, *names: str) -> Callable[[Callable[..., Any]], "Primitive"]:
        """Decorator: the rule of the inputs named, whose one gradient serves for each of them."""
        if not names or not set(names) <= set(self.inputs):
            example = f'@{self.name}.vjp("{self.inputs[0]}")'
            raise TypeError(f"the inputs that a rule is for are named, {example}: some of {self.inputs}")

        def register(function: Callable[..., Any]) -> "Primitive":
            for name in names:
                self.rules[self.inputs.index(name)] = Rule(function, self)
            return self

        return register

    def joint_vjp(self, function: Callable[..., Any]) -> "Primitive":
        """Decorator: one rule returns the gradients of all inputs as a tuple, None where `needs` is false."""
        self.joint = Rule(function, self)
        return self

    @overload
    def __call__(self, *args: Parameters.args, **static: Parameters.kwargs) -> Any: ...
    @overload
    def __call__(self, *args: Any, **static: Any) -> Any: ...  # settings may be given by place
    def __call__(self, *args: Any, **static: Any) -> Any:
        if len(args) != self.arity:
            args = self._given(args, static)
        tensors = [x for x in args if isinstance(x, Tensor)]
        if len(tensors) < len(args) and listening.get() is not None:  # arrays from data_for_caller
            args = tuple([x if isinstance(x, Tensor) else getattr(x, "unwatched", x) for x in args])
        if static:
            for name, value in static.items():
                if isinstance(value, Tensor):
                    what = "is a setting, not an input; it takes a Python value, not a Tensor"
                    raise TypeError(f"{self.name}: {name}= {what}")
        if not tensors:
            return self.forward(*args, **static)
        raw = [x._data if isinstance(x, Tensor) else x for x in args]
        out = self.forward(*raw, **static)
        tracked = is_grad_enabled() and True in [x.requires_grad for x in tensors]
        node = self._record(args, raw, out, static) if tracked else None
        if isinstance(out, tuple):
            return tuple(_wrap(value, node, i, tensors) for i, value in enumerate(out))
        return _wrap(out, node, 0, tensors)

    def _given(self, args: tuple[Any, ...], static: dict[str, Any]) -> tuple[Any, ...]:
        """The inputs of a call that gives one by its name, log(x=a), or settings by place, clip(x, 0.0, 1.0).

        Inputs are taken out of `static`, and settings put there.
        What is too many or too few the forward refuses.
        """
        while len(args) < self.arity and self.inputs[len(args)] in static:
            args = (*args, static.pop(self.inputs[len(args)]))
        settings = args[self.arity :] if self.arity else ()  # behind any number of inputs there is no place
        static.update(zip(self.keywords, settings, strict=False))
        return args[: len(args) - len(settings)] + settings[len(self.keywords) :]

    def _record(self, args: tuple[Any, ...], raw: list[Any], out: Any, static: dict[str, Any]) -> Node:
        edges = [x.edge if isinstance(x, Tensor) and x.requires_grad else None for x in args]
        node = Node(self, edges, [None] * len(raw), {**self.defaults, **static})
        for edge in edges:
            if isinstance(edge, tuple):
                edge[0].uses += 1
        node.shapes = [getattr(x, "shape", ()) for x in raw]
        node.dtypes = [getattr(x, "dtype", None) for x in raw]
        node.output_count = len(out) if isinstance(out, tuple) else 1
        # Of single rules those of tracked inputs: x * 3 keeps no x. A joint rule keeps all it names.
        tracked = [self.rules[i] for i in self.rules if edges[i] is not None]
        for rule in [self.joint] if self.joint else tracked:
            for i, _ in rule.values:
                if i < len(raw) and node.saved[i] is None:  # a list becomes an array, as the forward made it
                    node.saved[i] = operands(*raw)[i] if isinstance(raw[i], list | tuple) else raw[i]
                    if isinstance(args[i], Tensor):
                        node.versions[i] = (args[i]._version, args[i].version)
            if "y" in rule.asks:
                node.outputs = out
        return node

    def differentiate(self, node: Node, grad: Any, inputs: list[Any], outputs: Any) -> Any:
        """Gradients of the inputs of `node`, None for constants: from upstream's `grad` and what it saved.

        inputs, outputs   as Tensors, in the places of node.saved and node.outputs
        """
        needs = [edge is not None for edge in node.edges]
        if self.joint:
            return self.joint(node, grad, inputs, outputs, needs)
        if lacking := [self.inputs[i] for i, needed in enumerate(needs) if needed and i not in self.rules]:
            advice = "detach() the Tensor given there, or give it a rule"
            raise TypeError(f"{self.name!r} has no derivative with respect to {lacking}; {advice}")
        gives = [needed and self.rules[i] for i, needed in enumerate(needs)]
        return [rule(node, grad, inputs, outputs, needs) if rule else None for rule in gives]


def _wrap(value: Any, node: Node | None, index: int, inputs: list[Tensor]) -> Tensor:
    """Tensor of an output. A view shares the version of what it views: a change of one changes the other."""
    tensor = Tensor(value)
    data, memory = tensor._data, getattr(tensor._data, "base", None)
    for x in inputs:
        given = x._data
        viewed = memory is not None and (memory is given or memory is getattr(given, "base", None))
        if viewed or data is given:
            tensor._version = x._version
    if node is not None and data.dtype.kind == "f":  # integer and boolean outputs are constants
        tensor.requires_grad, tensor._node, tensor._index = True, node, index
        if node.outputs is not None:
            node.versions[~index] = (tensor._version, tensor.version)
    return tensor


primitive = Primitive  # the decorator of a forward written for Tensors


def array_primitive(forward: Callable[Parameters, Any]) -> Primitive[Parameters]:
    """Decorator of a forward that is given arrays, because it calls a kernel or returns a view.

    >>> @array_primitive
    ... def relu(x):
    ...     return kernels.activations.relu(x)
    >>> relu(Tensor([-1.0, 2.0])).numpy()
    array([0., 2.], dtype=float32)
    """
    return Primitive(forward, on_arrays=True)
