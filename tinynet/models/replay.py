"""Replay: a step is recorded once for each kind of batch, then repeated without the Python that led to its kernels.

The first batch of a kind runs on the tape as ever. At the second, `kernels/replay.py` notes the launches of a step on
other numbers, whose outcome is thrown away: whatever the program should fail to repeat differs from what is right. That
step is a rehearsal: what it would do to weights, statistics and slots is noted and left undone. At the third, the tape runs
once more and the program repeats the step from the same state: only if every weight, every slot of the optimizer and every
output has the same bits does the program replace the tape from then on. Parameters that the step itself does not change are
the same at both; once somebody else has changed them, the next step is compared again.

    kind     shapes and dtypes of x, y and weight, what is trainable, numbers of the optimizer and of the loss,
             config.epsilon, chosen kernels, number of threads, the thread that calls
    never    layers, losses, penalties, constraints or activations that are not tinynet's own (Lambda, subclasses): their
             Python may do anything. Arrays that are not NumPy's. Models compiled with run_eagerly=True
    anew     after an attribute of any layer, regularizer or constraint was set, another loss or learning-rate function,
             slots built anew, or after a parameter's array was replaced
"""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tinynet.autograd import Parameter
from tinynet.backend import config
from tinynet.kernels import common, threads
from tinynet.kernels.replay import Program, Recorder
from tinynet.layers.base import Layer
from tinynet.models.state import State, exchanged, same_bits, scaled
from tinynet.models.turns import Turns
from tinynet.tree import leaves, mapped

Outputs = tuple[Any, ...]  # arrays, or structures of arrays
Step = Callable[[Any, Any, Any, Any], Outputs]  # step(model, x, y, weight)

PLAIN = (np.ndarray, type(None))  # types of what a step is given that can be recorded
NUMBERS = (float, int, bool, type(None))  # types of an optimizer's settings
MOST = 8  # kinds of batches kept for a model; with one more, the oldest goes


class Replay(Turns):
    """The recorded steps of one model, which hold its lock: see turns.py."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.recorded: dict[Any, Recorded] = {}
        self._revision: dict[str, int] = {}  # of the layers, when what follows was found
        self._transparent = False
        self._trainable: tuple[bool, ...] = ()
        self._functions: tuple[Any, Any] = (None, None)  # the loss, and the learning rate if it is a function

    def __reduce__(self) -> Any:
        return Replay, (self.model,)  # a copy of a model records for itself

    def __call__(self, step: Step, x: Any, y: Any = None, weight: Any = None) -> Outputs:
        """What step(model, x, y, weight) returns. The arrays are overwritten by the next call."""
        if self.depth > 1 or common.recorder() is not None:
            return _beside(step, self.model, x, y, weight)
        loss, rate = functions = _functions(self.model)
        if Layer._revision_counts != self._revision or loss is not self._functions[0] or rate is not self._functions[1]:
            self._look(functions)
        inputs = (x, y, weight)
        arrays = inputs if type(x) is type(y) is np.ndarray and type(weight) in PLAIN else tuple(leaves(inputs))
        if not self._transparent or any(type(array) not in PLAIN for array in arrays):
            return step(self.model, x, y, weight)
        key = (step, self._kind(inputs, arrays))
        recorded = self.recorded.pop(key, None)
        if recorded is None or not recorded.valid():
            recorded = Recorded(step, self.model)
        if recorded.lent:
            if x is not recorded.inputs[0]:  # a callback runs a step of its own between a batch and its step
                recorded = Recorded(step, self.model)
            recorded.lent = False
        self.recorded[key] = recorded  # at the end: the one not used for longest comes first
        while len(self.recorded) > MOST:
            self.recorded.pop(next(iter(list(self.recorded))), None)
        return recorded(inputs)

    def places(self, step: Step, samples: int) -> Any:
        """Where to write a batch of `samples`, so that the program last used for one finds it there: (x, None, None)."""
        if self.depth:
            return None  # a program may be reading there
        for recorded in reversed(list(self.recorded.values())):
            if recorded.step is not step or recorded.program is None or recorded.thread != threading.get_ident():
                continue  # another thread reads its batches from inputs of its own
            if recorded.lent:
                continue  # it holds a batch that is not used yet
            if type(recorded.inputs[0]) is np.ndarray and recorded.inputs[0].shape[0] == samples:
                recorded.lent = True
                return recorded.inputs[0], None, None
        return None

    @property
    def programs(self) -> list[Program]:
        """The programs in use."""
        return [one.program for one in self.recorded.values() if one.program is not None]

    def _look(self, functions: tuple[Any, Any]) -> None:
        """Takes note of the layers as they are now. Once another attribute was set, all that was recorded is forgotten."""
        same = all(a is b for a, b in zip(functions, self._functions, strict=True))
        if Layer._revision_counts["attributes"] != self._revision.get("attributes") or not same:
            self.recorded.clear()
            self._functions = functions
            self._transparent = not self.model.run_eagerly and _is_transparent(self.model)
        self._trainable = tuple(layer.trainable for layer in self.model._with_all_within())
        self._revision = dict(Layer._revision_counts)

    def _kind(self, inputs: tuple[Any, ...], arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        shapes = tuple([None if a is None else (a.shape, a.dtype, common.is_batch_last(a)) for a in arrays])
        structure = None if arrays is inputs else repr(mapped(lambda _: 0, inputs))
        held = () if self.model.optimizer is None else list(vars(self.model.optimizer).values())
        settings = tuple([value for value in held if type(value) in NUMBERS])
        functions = () if self.model._compiled_objective is None else self.model._compiled_objective.functions
        losses = [(loss.reduction, *getattr(loss, "settings", {}).items()) for loss in functions]
        phase = getattr(self.model.optimizer, "_step_phase", None)
        where = common.choices(), threads.get_num_threads(), threading.get_ident()
        return shapes, structure, self._trainable, settings, tuple(losses), phase, config.epsilon(), where


class Recorded:
    """One step for one kind of batch: first on the tape, then recorded, then compared, then repeated."""

    def __init__(self, step: Step, model: Any) -> None:
        self.step, self.model, self.thread = step, model, threading.get_ident()
        self.parameters: list[tuple[Parameter, Any, bool]] = []
        self.program: Program | None = None
        self.lent = False  # whether its input holds a batch that is not used yet
        self._slots: Any = None  # of the optimizer
        self._touched: list[Parameter] = []  # parameters that the step changes,
        self._versions: list[list[int]] = []  # and their counters
        self._others: list[tuple[Parameter, int]] = []  # the rest, each with its version at the time of recording
        self._changes = False  # whether the step changes anything
        self._next: Callable[[tuple[Any, ...]], Outputs] = self._first

    def __call__(self, inputs: tuple[Any, ...]) -> Outputs:
        return self._next(inputs)

    def valid(self) -> bool:
        """Whether the parameters are the arrays they were, trainable as they were, and so are the optimizer's slots."""
        same = all(p._data is data and p.requires_grad is flag for p, data, flag in self.parameters)
        return same and (self._slots is None or _slots(self.model) is self._slots)

    def _tape(self, inputs: tuple[Any, ...]) -> Outputs:
        return self.step(self.model, *inputs)

    def _first(self, inputs: tuple[Any, ...]) -> Outputs:
        """The first call may build layers and slots: nothing is noted yet."""
        outputs = self._tape(inputs)
        self.parameters = [(p, p._data, p.requires_grad) for p in self.model.weights]
        self._slots = _slots(self.model)
        numpy = all(type(data) is np.ndarray for _, data, _ in self.parameters)
        self._next = self._record if numpy else self._tape
        return outputs

    def _record(self, inputs: tuple[Any, ...]) -> Outputs:
        """Rehearses the step on other numbers than these, then runs it on these."""
        state = State(self.model)
        before, drawn, versions = state.read(), state.drawn(), [p.version for p, _, _ in self.parameters]
        x, y, weight = inputs
        self.inputs: tuple[Any, ...] = (mapped(scaled, x), mapped(exchanged, y), mapped(scaled, weight))
        recorder = Recorder(rehearses=True)
        try:
            with recorder:
                self.outputs = self.step(self.model, *self.inputs)
            self._candidate, self._next = recorder.program, self._compare
        except Exception:  # these numbers are not to be had, such as the label 1 where there is one class
            self._next = self._tape
        finally:
            changed = {id(tensor) for tensor in recorder.touched}
            known = [(p, version) for (p, _, _), version in zip(self.parameters, versions, strict=True)]
            self._touched = [p for p, _ in known if id(p) in changed]
            self._versions = [p._version for p in self._touched]
            self._others = [(p, version) for p, version in known if id(p) not in changed]
            self._changes = bool(self._touched) or state.drawn() != drawn
            if not state.holds(before, self._touched):  # something was changed otherwise than in a launch
                state.write(before, self._touched)
                self._next = self._tape
            state.draw(drawn)
        return self._tape(inputs)

    def _compare(self, inputs: tuple[Any, ...]) -> Outputs:
        """Runs the step on the tape, then from the same state as a program, and compares the bits."""
        state = State(self.model)
        before, drawn = state.read(), state.drawn()
        outputs = mapped(lambda array: None if array is None else array.copy(), self._tape(inputs))
        after, drawn_after = state.read(), state.drawn()
        if self._changes:
            state.write(before, self._touched)
            state.draw(drawn)
        self._run(self._candidate, inputs)
        same = not self._changes or (same_bits(state.read(), after) and state.drawn() == drawn_after)
        if same and same_bits(leaves(self.outputs), leaves(outputs)):
            self.program = self._candidate
            changed = any(p.version != version for p, version in self._others)
            self._next = self._repeat if changed or not self._others else self._watch
        else:
            if self._changes:
                state.write(after, self._touched)
                state.draw(drawn_after)
            self.program, self._next = None, self._tape
            del self._candidate, self.inputs, self.outputs
        return outputs

    def _watch(self, inputs: tuple[Any, ...]) -> Outputs:
        """Repeats the step until parameters that it leaves alone have changed: then it is compared once more."""
        if any(p.version != version for p, version in self._others):
            return self._compare(inputs)
        return self._repeat(inputs)

    def _repeat(self, inputs: tuple[Any, ...]) -> Outputs:
        assert self.program is not None
        self._run(self.program, inputs)
        return self.outputs

    def _run(self, program: Program, inputs: tuple[Any, ...]) -> None:
        plain = all(type(array) in PLAIN for array in inputs)
        for static, array in zip(*((self.inputs, inputs) if plain else map(leaves, (self.inputs, inputs))), strict=True):
            if static is not array:
                np.copyto(static, array)
        program.run()
        for version in self._versions:
            version[0] += 1


def _beside(step: Step, model: Any, x: Any, y: Any, weight: Any) -> Outputs:
    """A step within another one, which may be under recording: on the tape, in memory of its own."""
    token = common.recording.set(None)
    try:
        return step(model, x, y, weight)
    finally:
        common.recording.reset(token)


def _functions(model: Any) -> tuple[Any, Any]:
    """The loss and the learning rate's function: they can be exchanged without an attribute of a layer being set."""
    rate = getattr(model.optimizer, "_learning_rate", None)
    return None if model._compiled_objective is None else model._compiled_objective.functions, rate if callable(rate) else None


def _slots(model: Any) -> Any:
    """The optimizer's list of slots, another one after each build."""
    return getattr(model.optimizer, "_state_variables", None)


def _is_transparent(model: Any) -> bool:
    """Whether the model, its loss and its optimizer, and every function they hold, are tinynet's own."""
    objective = model._compiled_objective
    parts = [*model._with_all_within(), model.optimizer, *([] if objective is None else objective.functions)]
    parts += [rule for p in model.weights for rule in (p.regularizer, p.constraint)]
    return all(_is_own(part) for part in parts if part is not None)


def _is_own(part: Any) -> bool:
    held = [value for name, value in vars(part).items() if not name.endswith("_initializer")]
    functions = [value for value in held if callable(value) and not isinstance(value, Layer)]
    changes_unseen = bool(getattr(part, "arguments", None))  # the dictionary that a Lambda hands to its function
    return not changes_unseen and all(_module(one).startswith("tinynet.") for one in [type(part), *functions])


def _module(thing: Any) -> str:
    """The module of a function, or of the type of an object that is called like one."""
    return getattr(thing, "__module__", None) or ""
