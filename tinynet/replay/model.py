"""The steps of a model: `fit`, `evaluate` and `predict` repeat theirs, one program for each kind of batch.

kind     shapes, dtypes and memory order of x, y and weight; what is trainable; the numbers among the
         settings of the optimizer and of the loss; config.epsilon; the chosen kernels; the number of
         threads; the thread that calls; the device in use; for the user's Python, the plain values that
         it uses (see names.py)
never    batches that are not arrays of NumPy, or all of CuPy; models compiled with run_eagerly=True
anew     all programs are thrown away when an attribute of any layer, regularizer or constraint is set,
         and when the model has another loss or learning-rate function; a single program, when the
         optimizer has other slots or a parameter another array
"""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tinynet.backend import changes, config, device, gpu
from tinynet.kernels import common, launches, threads
from tinynet.kernels.common import is_on_gpu
from tinynet.kernels.devices import device_of
from tinynet.replay import bits
from tinynet.replay.kinds import Kinds
from tinynet.replay.names import others_python
from tinynet.replay.numbered import Numbered
from tinynet.replay.outside import Surroundings, surroundings_of
from tinynet.replay.program import Program
from tinynet.replay.step import NOT_YET, Step, nested_step
from tinynet.tree import leaves, mapped

Outputs = tuple[Any, ...]  # arrays, or structures of arrays
StepFunction = Callable[[Any, Any, Any, Any], Outputs]  # step(model, x, y, weight)

PLAIN = (np.ndarray, type(None))  # types of arguments with which a step can be captured
NUMBERS = (float, int, bool, type(None))  # types of an optimizer's settings


class Replay:
    """The replayed steps of one model. One step runs at a time: see models/step_lock.py."""

    def __init__(self, model: Any) -> None:
        self.model, self.step_lock = model, model._step_lock
        self._kinds = Kinds()
        self.steps = self._kinds.steps
        self._reason = NOT_YET  # why the last step was not replayed
        self._changes: dict[str, int] = {}  # counts of changed attributes at the last `_refresh`
        self._holder: Step | None = None  # the step into whose input the last batch was written
        self._named = Numbered()  # the values that the user's Python uses
        self._trainable: tuple[bool, ...] = ()
        self._functions: tuple[Any, Any] = (None, None)  # the loss, and the learning rate if it is a function

    def __reduce__(self) -> Any:
        return Replay, (self.model,)  # a copy of a model captures steps of its own

    def __call__(self, step: StepFunction, x: Any, y: Any = None, weight: Any = None) -> Outputs:
        """What step(model, x, y, weight) returns. The arrays are overwritten by the next call."""
        if self.step_lock.depth > 1 or launches.listener() is not None:
            return nested_step(lambda: step(self.model, x, y, weight))
        loss, rate = functions = _functions(self.model)
        if (
            changes.counts != self._changes
            or loss is not self._functions[0]
            or rate is not self._functions[1]
        ):
            self._refresh(functions)
        inputs = (x, y, weight)
        plain = (
            type(x) is type(y)
            and (type(x) is np.ndarray or is_on_gpu(x))
            and type(weight) in (type(x), type(None))
        )
        arrays = inputs if plain else tuple(leaves(inputs))
        if (holder := self._holder) is not None and holder.inputs and x is holder.inputs[0]:
            self._holder, holder.holds_batch = None, False  # whichever kind of step uses the batch now
        if self.model.run_eagerly or config.functions_run_eagerly():
            self._reason = (
                "it runs eagerly: compile(run_eagerly=True) or config.run_functions_eagerly(True) says so"
            )
            return step(self.model, x, y, weight)
        if any(type(array) not in PLAIN for array in arrays) and (why := _not_on_gpu(arrays)):
            self._reason = why
            return step(self.model, x, y, weight)
        key = (step, self._kind(inputs, arrays))
        if self._named.names.never:
            self._reason = self._named.names.never
            self.steps.clear()
            return step(self.model, x, y, weight)
        found = self._kinds.take(key, self._named.last) or self._new(step, inputs, plain)
        if found.holds_batch:
            if x is not found.inputs[0]:  # a callback ran a step between this batch and its step
                found = self._new(step, inputs, plain)
            found.holds_batch = False
        self._kinds.keep(key, found)
        return found(arrays)

    def why(self) -> str:
        """How many kinds of the model's steps are replayed, and why the others are not, in a sentence.

        >>> model.replay.why()[:13]
        'not replayed:'
        """
        steps = list(self.steps.values())
        kinds = self._kinds
        if steps and steps[-1].reason == NOT_YET and (set_each_time := kinds.set_each_time()):
            return f"not replayed: {set_each_time}"
        if kinds.fresh > 3 and (label := self._named.names.differing(kinds.before, kinds.last)):
            return (
                f"not replayed: {label!r} is another value at each step; "
                "numbers that change are read from arrays"
            )
        others = [step.reason for step in reversed(steps) if step.program is None]
        if not steps or len(others) == len(steps):
            return f"not replayed: {others[0] if steps else self._reason}"
        number = f"{len(steps)} kind{'s' if len(steps) > 1 else ''} of steps"
        if not others:
            return f"replayed: {number}"
        return (
            f"replayed: {len(steps) - len(others)} of {number}; not the other{'s' if others[1:] else ''}: "
            f"{others[0]}"
        )

    def notice(self) -> str:
        """A warning for `fit`: why steps run their Python although they could be replayed; or ""."""
        if self.model.run_eagerly or config.functions_run_eagerly():
            return ""
        stay = [
            step.reason
            for step in self.steps.values()
            if step.program is None and step.reason != NOT_YET and not hasattr(step.label, "without")
        ]
        if not self.programs and (set_each_time := self._kinds.set_each_time()):
            stay.append(set_each_time)
        return f"{self.model}: every step runs its Python, which takes longer: {stay[0]}" if stay else ""

    def gave_up(self, step: StepFunction) -> bool:
        """Whether a kind of `step` was tried, and runs its Python."""
        return any(one.label is step and one.reason not in ("", NOT_YET) for one in self.steps.values())

    def places(self, step: StepFunction, samples: int) -> Any:
        """(x, None, None): x is the input of the program last used; a batch written there is not copied."""
        if self.step_lock.depth:
            return None  # a program that is under way may be reading there
        for found in reversed(list(self.steps.values())):
            if found.label is not step or found.program is None or found.thread != threading.get_ident():
                continue  # programs of another thread have other inputs
            if found.holds_batch:
                continue  # its input holds a batch that is not used yet
            if bits.is_array(found.inputs[0]) and found.inputs[0].shape[0] == samples:
                found.holds_batch, self._holder = True, found
                return found.inputs[0], None, None
        return None

    @property
    def programs(self) -> list[Program]:
        """The programs in use."""
        return self._kinds.programs

    def _refresh(self, functions: tuple[Any, Any]) -> None:
        """Reads again what depends on attributes of layers. If one was set, all programs are thrown away."""
        same = all(a is b for a, b in zip(functions, self._functions, strict=True))
        if changes.counts["attributes"] != self._changes.get("attributes") or not same:
            self._kinds.reset()
            self._functions = functions
            self._named = Numbered(others_python(self.model))
        self._trainable = tuple(layer.trainable for layer in self.model._with_all_within())
        self._changes = dict(changes.counts)

    def _new(self, step: StepFunction, inputs: tuple[Any, ...], plain: bool) -> Step:
        function = (
            partial(step, self.model)
            if plain
            else partial(_structured, step, self.model, mapped(lambda _: 0, inputs))
        )
        counts = [len(list(leaves(part))) for part in inputs]
        return Step(function, self._surroundings, partial(_other_numbers, counts), label=step)

    def _surroundings(self) -> Surroundings:
        return surroundings_of(self._named.names, [self.model, self.model.optimizer])

    def _kind(self, inputs: tuple[Any, ...], arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        shapes = tuple([None if a is None else (a.shape, a.dtype, common.is_batch_last(a)) for a in arrays])
        structure = None if arrays is inputs else repr(mapped(lambda _: 0, inputs))
        held = () if self.model.optimizer is None else list(vars(self.model.optimizer).values())
        settings = tuple([value for value in held if type(value) in NUMBERS])
        functions = () if self.model._compiled_objective is None else self.model._compiled_objective.functions
        losses = [(loss.reduction, *_settings(loss)) for loss in functions]
        phase = getattr(self.model.optimizer, "_step_phase", None)
        where = common.choices(), threads.get_num_threads(), threading.get_ident(), device.get_device()
        if self._named.names:
            self._named.look()
        named = self._named.number
        return (
            shapes,
            structure,
            self._trainable,
            settings,
            tuple(losses),
            phase,
            config.settings(),
            where,
            named,
        )


def _not_on_gpu(arrays: tuple[Any, ...]) -> str:
    """Why a step on these arrays, which are not all NumPy's, cannot be replayed;
    "" if they lie on the GPU in use.
    """
    if not all(array is None or is_on_gpu(array) for array in arrays):
        return "its batches are not arrays of NumPy, nor all of CuPy"
    if any(array is not None and device_of(array) != device.get_device() for array in arrays):
        return "its batches are not on the device in use"
    return "a CUDA graph is being captured" if gpu.makes_graph() else ""


def _structured(step: StepFunction, model: Any, structure: Any, *arrays: Any) -> Outputs:
    """Runs the step on flat `arrays`, put into lists and dictionaries like those of `structure`."""
    each = iter(arrays)
    return step(model, *mapped(lambda _: next(each), structure))


def _other_numbers(counts: list[int], arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """Other numbers for x, y and weight, which have `counts` arrays."""
    ends = counts[0], counts[0] + counts[1]
    return tuple(
        [
            bits.other_targets(a) if ends[0] <= i < ends[1] else bits.other_inputs(a)
            for i, a in enumerate(arrays)
        ]
    )


def _settings(loss: Any) -> Any:
    """The settings of a loss of tinynet's. For other losses, see `_users_python`."""
    return getattr(loss, "settings", {}).items() if type(loss).__module__.startswith("tinynet.") else ()


def _functions(model: Any) -> tuple[Any, Any]:
    """The losses, and the learning rate if it is a function: neither is an attribute of a layer."""
    rate = getattr(model.optimizer, "_learning_rate", None)
    return (
        None if model._compiled_objective is None else model._compiled_objective.functions,
        rate if callable(rate) else None,
    )
