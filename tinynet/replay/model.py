"""The steps of a model: `fit`, `evaluate` and `predict` repeat theirs, one for each kind of batch.

    kind     shapes, dtypes and memory order of x, y and weight, what is trainable, numbers of the optimizer and of the loss,
             config.epsilon, chosen kernels, number of threads, the thread that calls; for Python that is not tinynet's, the
             plain values that it names (see names.py)
    never    arrays that are not NumPy's; models compiled with run_eagerly=True
    anew     after an attribute of any layer, regularizer or constraint was set, another loss or learning-rate function,
             slots built anew, or after a parameter's array was replaced
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tinynet.backend import changes, config
from tinynet.kernels import common, launches, threads
from tinynet.replay import bits
from tinynet.replay.names import Names
from tinynet.replay.program import Program
from tinynet.replay.step import NOT_YET, Step, Surroundings, around, beside, set_at_each_step
from tinynet.tree import leaves, mapped

Outputs = tuple[Any, ...]  # arrays, or structures of arrays
StepFunction = Callable[[Any, Any, Any, Any], Outputs]  # step(model, x, y, weight)

PLAIN = (np.ndarray, type(None))  # types of what a step is given that can be captured
NUMBERS = (float, int, bool, type(None))  # types of an optimizer's settings
MOST = 8  # kinds of batches kept for a model; with one more, the oldest goes


class Replay:
    """The steps of one model that are repeated: see step_lock.py for who may run one."""

    def __init__(self, model: Any) -> None:
        self.model, self.step_lock = model, model._step_lock
        self.steps: dict[Any, Step] = {}
        self._reason = NOT_YET  # of the last step that runs on the tape
        self._changes: dict[str, int] = {}  # counts of changed attributes when what follows was found
        self._unsettled, self._set_last = 0, changes.last  # how often attributes were set before anything was repeated
        self._names: Names | None = None  # that Python of somebody else's goes by
        self._trainable: tuple[bool, ...] = ()
        self._functions: tuple[Any, Any] = (None, None)  # the loss, and the learning rate if it is a function

    def __reduce__(self) -> Any:
        return Replay, (self.model,)  # a copy of a model captures its own steps

    def __call__(self, step: StepFunction, x: Any, y: Any = None, weight: Any = None) -> Outputs:
        """What step(model, x, y, weight) returns. The arrays are overwritten by the next call."""
        if self.step_lock.depth > 1 or launches.listener() is not None:
            return beside(lambda: step(self.model, x, y, weight))
        loss, rate = functions = _functions(self.model)
        if changes.counts != self._changes or loss is not self._functions[0] or rate is not self._functions[1]:
            self._look(functions)
        inputs = (x, y, weight)
        plain = type(x) is type(y) is np.ndarray and type(weight) in PLAIN
        arrays = inputs if plain else tuple(leaves(inputs))
        if self.model.run_eagerly or config.functions_run_eagerly():
            self._reason = "it runs eagerly: compile(run_eagerly=True) or config.run_functions_eagerly(True) says so"
            return step(self.model, x, y, weight)
        if any(type(array) not in PLAIN for array in arrays):
            self._reason = "its batches are not NumPy arrays"
            return step(self.model, x, y, weight)
        key = (step, self._kind(inputs, arrays))
        found = self.steps.pop(key, None)
        if found is None or not found.valid():
            found = self._new(step, inputs, plain)
        if found.lent:
            if x is not found.inputs[0]:  # a callback runs a step of its own between a batch and its step
                found = self._new(step, inputs, plain)
            found.lent = False
        self.steps[key] = found  # at the end: the one not used for longest comes first
        while len(self.steps) > MOST:
            self.steps.pop(next(iter(list(self.steps))), None)
        return found(arrays)

    def why(self) -> str:
        """Whether the model's steps are replayed, or else why not, in a sentence.

        >>> model.replay.why()[:13]
        'not replayed:'
        """
        steps = list(self.steps.values())
        if steps and steps[-1].reason == NOT_YET and self._unsettled > 1:
            return f"not replayed: {set_at_each_step(self._set_last)}"
        if steps and steps[-1].program is not None:
            return f"replayed: {len(self.programs)} kinds of steps repeat their kernels"
        return f"not replayed: {steps[-1].reason if steps else self._reason}"

    def notice(self) -> str:
        """Why steps that could be repeated run their Python, to be said once; "" if there is nothing to say."""
        if self.model.run_eagerly or config.functions_run_eagerly():
            return ""
        stay = [step.reason for step in self.steps.values() if step.program is None and step.reason != NOT_YET]
        if self._unsettled > 1 and not self.programs:
            stay.append(set_at_each_step(self._set_last))
        return f"{self.model}: every step runs its Python, which takes longer: {stay[0]}" if stay else ""

    def places(self, step: StepFunction, samples: int) -> Any:
        """Where to write a batch of `samples`, so that the program last used for one finds it there: (x, None, None)."""
        if self.step_lock.depth:
            return None  # a program may be reading there
        for found in reversed(list(self.steps.values())):
            if found.label is not step or found.program is None or found.thread != threading.get_ident():
                continue  # another thread reads its batches from inputs of its own
            if found.lent:
                continue  # it holds a batch that is not used yet
            if type(found.inputs[0]) is np.ndarray and found.inputs[0].shape[0] == samples:
                found.lent = True
                return found.inputs[0], None, None
        return None

    @property
    def programs(self) -> list[Program]:
        """The programs in use."""
        return [one.program for one in self.steps.values() if one.program is not None]

    def _look(self, functions: tuple[Any, Any]) -> None:
        """Takes note of the layers as they are now. Once another attribute was set, all that was captured is forgotten."""
        same = all(a is b for a, b in zip(functions, self._functions, strict=True))
        if changes.counts["attributes"] != self._changes.get("attributes") or not same:
            if self.steps:
                settled = any(step.reason != NOT_YET for step in self.steps.values())
                self._unsettled = 0 if settled else self._unsettled + 1
                self._set_last = changes.last
            self.steps.clear()
            self._functions = functions
            self._names = Names(_others_python(self.model))
        self._trainable = tuple(layer.trainable for layer in self.model._with_all_within())
        self._changes = dict(changes.counts)

    def _new(self, step: StepFunction, inputs: tuple[Any, ...], plain: bool) -> Step:
        function = partial(step, self.model) if plain else partial(_structured, step, self.model, mapped(lambda _: 0, inputs))
        counts = [len(list(leaves(part))) for part in inputs]
        return Step(function, self._surroundings, partial(_others, counts), label=step)

    def _surroundings(self) -> Surroundings:
        named = [] if self._names is None else self._names.objects
        found = around([self.model, self.model.optimizer, *named])
        found.own = not self._names
        return found

    def _kind(self, inputs: tuple[Any, ...], arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        shapes = tuple([None if a is None else (a.shape, a.dtype, common.is_batch_last(a)) for a in arrays])
        structure = None if arrays is inputs else repr(mapped(lambda _: 0, inputs))
        held = () if self.model.optimizer is None else list(vars(self.model.optimizer).values())
        settings = tuple([value for value in held if type(value) in NUMBERS])
        functions = () if self.model._compiled_objective is None else self.model._compiled_objective.functions
        losses = [(loss.reduction, *_settings(loss)) for loss in functions]
        phase = getattr(self.model.optimizer, "_step_phase", None)
        where = common.choices(), threads.get_num_threads(), threading.get_ident()
        named = self._names.values() if self._names else None
        return shapes, structure, self._trainable, settings, tuple(losses), phase, config.epsilon(), where, named


def _structured(step: StepFunction, model: Any, structure: Any, *arrays: Any) -> Outputs:
    """The step on arrays that are put into lists and dictionaries again."""
    each = iter(arrays)
    return step(model, *mapped(lambda _: next(each), structure))


def _others(counts: list[int], arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """Other numbers for x, y and weight, which have so many arrays."""
    ends = counts[0], counts[0] + counts[1]
    return tuple([bits.exchanged(a) if ends[0] <= i < ends[1] else bits.scaled(a) for i, a in enumerate(arrays)])


def _settings(loss: Any) -> Any:
    """The settings of a loss of tinynet's; of another the Python is read."""
    return getattr(loss, "settings", {}).items() if type(loss).__module__.startswith("tinynet.") else ()


def _functions(model: Any) -> tuple[Any, Any]:
    """The loss and the learning rate's function: they can be exchanged without an attribute of a layer being set."""
    rate = getattr(model.optimizer, "_learning_rate", None)
    return None if model._compiled_objective is None else model._compiled_objective.functions, rate if callable(rate) else None


def _others_python(model: Any) -> list[Any]:
    """What is not tinynet's own of a model, its losses and its optimizer: classes and functions that a step calls."""
    objective = model._compiled_objective
    parts = [*model._with_all_within(), model.optimizer, *([] if objective is None else objective.functions)]
    parts += [rule for p in model.weights for rule in (p.regularizer, p.constraint)]
    return [found for part in parts if part is not None for found in _not_own(part)]


def _not_own(part: Any) -> list[Any]:
    """What of a part is not tinynet's: itself, functions that it holds, and what a Lambda hands to its own."""
    held = [value for name, value in vars(part).items() if not name.endswith("_initializer")]
    functions = [value for value in held if callable(value) and not hasattr(value, "_with_all_within")]
    found = [one for one in (part, *functions) if not (getattr(one, "__module__", None) or "").startswith("tinynet.")]
    return found + ([part.arguments] if getattr(part, "arguments", None) else [])
