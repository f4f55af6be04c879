"""Step: a function for one kind of arguments. First it runs on the tape, then it is captured, then compared, then repeated.

first     on the tape: layers and slots may be built
capture   a rehearsal on other numbers, whose outcome is thrown away: whatever the program should fail to repeat differs from
          what is right. What it would do to weights, statistics and slots is noted and left undone. Then the tape
compare   on the tape, then as a program from the same state: only if all that the launches were given and all outputs have
          the same bits does the program take the tape's place
repeat    the program alone. Parameters that the step itself does not change are the same at both; once somebody else has
          changed them, the next step is compared again
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinynet.autograd import Tensor
from tinynet.backend import tracebacks
from tinynet.kernels import launches
from tinynet.replay import bits, where
from tinynet.replay.capture import Capture, NotRepeatable
from tinynet.replay.program import Program, place_of
from tinynet.replay.watched import plain
from tinynet.tree import leaves, mapped

Function = Callable[..., Any]  # of arrays (or None); returns a structure of arrays, Tensors and other things
Arrays = tuple[Any, ...]
AGAIN = 30  # calls after which a program of somebody else's Python is compared once more; then ten times as many, and so on
NOT_YET = "a step is captured at the second batch of its kind, compared at the third and repeated from the fourth on"


class Surroundings:
    """What a step leans on besides its arguments.

    tensors     parameters, which must stay the arrays that they are
    optimizers  whose slots must
    own         whether all of its Python is tinynet's; if not, it is compared again now and then
    """

    def __init__(self, tensors: Sequence[Any] = (), optimizers: Sequence[Any] = (), own: bool = True) -> None:
        self.tensors = [(p, p._data, p.requires_grad) for p in tensors]
        self.slots = [(optimizer, optimizer._state_variables) for optimizer in optimizers]
        self.own = own

    def same(self) -> bool:
        """Whether the parameters are the arrays they were, trainable as they were, and so are the optimizers' slots."""
        kept = all(p._data is data and p.requires_grad is flag for p, data, flag in self.tensors)
        return kept and all(optimizer._state_variables is slots for optimizer, slots in self.slots)


def around(objects: list[Any]) -> Surroundings:
    """The parameters and the optimizers among what a function names."""
    tensors: dict[int, Any] = {}
    for one in objects:
        found = one.weights if hasattr(one, "_with_all_within") else [one] if isinstance(one, Tensor) else []
        tensors.update({id(tensor): tensor for tensor in found})
    optimizers = [one for one in objects if hasattr(one, "_state_variables")]
    return Surroundings(list(tensors.values()), optimizers, own=False)


class Step:
    """`function` for one kind of arguments, which are arrays; `around()` gives its Surroundings, `others` other numbers."""

    def __init__(
        self, function: Function, around: Callable[[], Surroundings], others: Callable[[Arrays], Arrays], label: Any = None
    ) -> None:
        self.function, self.around, self.others, self.label = function, around, others, label
        self.thread = threading.get_ident()
        self.surroundings = Surroundings()
        self.inputs: Arrays = ()  # where the program reads its arguments
        self.program: Program | None = None
        self.kinds: list[type] = []  # types of the results on the tape
        self.lent = False  # whether its input holds a batch that is not used yet
        self.reason = NOT_YET  # why it is not repeated
        self._candidate: Program | None = None
        self._changing: list[np.ndarray] = []  # what the step changes that outlives it,
        self._told: dict[Any, np.ndarray] = {}  # those of them that belong to Tensors
        self._versions: list[list[int]] = []  # and the counters of the Tensors among that
        self._unchanged: list[tuple[Any, int]] = []  # the other parameters, each with its version at the time of the capture
        self._calls = 0  # of the program,
        self._due = AGAIN  # and when to compare it again
        self._next: Callable[[Arrays], Any] = self._first

    def __call__(self, inputs: Arrays) -> Any:
        return self._next(inputs)

    def valid(self) -> bool:
        """Whether what it leans on is what it was."""
        return self.surroundings.same()

    def _tape(self, inputs: Arrays) -> Any:
        return self.function(*inputs)

    def _stay(self, reason: str) -> None:
        """From now on the step runs on the tape."""
        self.reason, self._next, self.program, self._candidate = reason, self._tape, None, None
        self.inputs = self.outputs = ()

    def _first(self, inputs: Arrays) -> Any:
        """The first call may build layers and slots: nothing is noted yet."""
        outputs = self._tape(inputs)
        self.surroundings = self.around()
        if all(type(data) is np.ndarray for _, data, _ in self.surroundings.tensors):
            self._next = self._capture
        else:
            self._stay("its parameters are not NumPy arrays")
        return outputs

    def _capture(self, inputs: Arrays) -> Any:
        """Rehearses the step on other numbers than these, then runs it on these."""
        versions = {id(p): p.version for p, _, _ in self.surroundings.tensors}
        self.inputs = self.others(inputs)
        capture = Capture(rehearses=True, inputs=[x for x in self.inputs if x is not None])
        try:
            with capture:
                self.outputs = mapped(plain, self.function(*self.inputs))
            reason = _refused(capture, self.inputs)
        except NotRepeatable as error:
            reason = str(error)
        except Exception as error:  # these numbers are not to be had, such as the label 1 where there is one class
            reason = f"it cannot be tried on other numbers: {type(error).__name__}: {error}"
        finally:
            capture.put_back()
        if reason:
            self._stay(reason)
        else:
            self._candidate, self._next = capture.program, self._compare
            self._changing, self._told = capture.changing, capture.told
            self._versions = [tensor._version for tensor in capture.touched.values()]
            self._unchanged = [
                (p, versions[id(p)]) for p, _, _ in self.surroundings.tensors if id(p) not in capture.touched
            ]
        return self._tape(inputs)

    def _compare(self, inputs: Arrays) -> Any:
        """Runs the step on the tape, then from the same state as a program, and compares the bits."""
        program = self._candidate
        assert program is not None
        arrays = list({**program.given, **{place_of(x): x for x in self._changing}}.values())
        given = tuple([x if x is None else bits.copy_of(x) for x in inputs])  # the tape may change what it is given
        before, objects = bits.copies(arrays), [thing.taken() for thing in program.objects]
        outputs = self._tape(inputs)
        expected = [bits.held(value) for value in leaves(outputs)]
        after, objects_after = bits.copies(arrays), [thing.taken() for thing in program.objects]
        changing = {place_of(x) for x in self._changing}
        mine = [i for i, x in enumerate(arrays) if place_of(x) in changing]
        bits.put_back([arrays[i] for i in mine], [before[i] for i in mine])
        for thing, state in zip(program.objects, objects, strict=True):
            thing.put_back(state)
        self._run(program, given)
        found = [bits.held(value) for value in leaves(self.outputs)]
        wrong = bits.different(found, expected) if len(found) == len(expected) else [0]
        told = [i for i, x in enumerate(arrays) if place_of(x) in self._told]
        touched = {*told, *bits.different(before, after)}  # the others that the program changes are passing results
        states = [i for i in bits.different(bits.copies(arrays), after) if i in touched]
        odd = [
            thing
            for thing, state in zip(program.objects, objects_after, strict=True)
            if not thing.same(thing.taken(), state)
        ]
        if not wrong and not states and not odd:
            self.program, self._calls = program, 0
            if any(p.version != version for p, version in self._unchanged):
                self._unchanged = []  # they have changed since the capture, and the program is right
            own = self._watch if self._unchanged else self._repeat
            self._next = own if self.surroundings.own else self._now_and_then
            self.reason, self.kinds = "", [type(value) for value in leaves(outputs)]
            return outputs
        bits.put_back([arrays[i] for i in mine], [after[i] for i in mine])
        for thing, state in zip(program.objects, objects_after, strict=True):
            thing.put_back(state)
        if self.program is not None and not self.surroundings.own:
            tracebacks.warn(
                "a step that was replayed gave other numbers than its Python just now: the Python depends on something that "
                "changes between steps (see tinynet.replay). It runs its Python from now on"
            )
        found_line = where.computes_aside(self._given, self.others(inputs), inputs)
        self._stay(found_line or _difference(wrong, [arrays[i] for i in states], odd, self))
        return outputs

    def _given(self, inputs: Arrays) -> list[np.ndarray]:
        """The arrays that the step's launches get from elsewhere, if it is captured on a copy of `inputs`."""
        capture = Capture(rehearses=True)
        try:
            with capture:
                self.function(*[x if x is None else bits.copy_of(x) for x in inputs])
        except (Exception, NotRepeatable):
            return []
        finally:
            capture.put_back()
        return list(capture.program.given.values())

    def _watch(self, inputs: Arrays) -> Any:
        """Repeats the step until parameters that it leaves alone have changed: then it is compared once more."""
        for p, version in self._unchanged:
            if p._version[0] != version:
                return self._compare(inputs)
        return self._repeat(inputs)

    def _now_and_then(self, inputs: Arrays) -> Any:
        """As `_watch`; also compared at the 30th call, the 300th and so on: somebody else's Python may have branches."""
        self._calls += 1
        if self._calls == self._due:
            self._due *= 10
            calls, outputs = self._calls, self._compare(inputs)
            self._calls = calls
            return outputs
        return self._watch(inputs)

    def _repeat(self, inputs: Arrays) -> Any:
        assert self.program is not None
        self._run(self.program, inputs)
        return self.outputs

    def _run(self, program: Program, inputs: Arrays) -> None:
        for static, array in zip(self.inputs, inputs, strict=True):
            if static is not array:
                np.copyto(static, array)
        program.run()
        for version in self._versions:
            version[0] += 1


def _refused(capture: Capture, inputs: Arrays) -> str:
    """Why what was captured cannot be repeated, though it ran; "" if nothing is known against it."""
    if not len(capture.program):
        return "it launches no kernel"
    if any(np.may_share_memory(x, y) for x in capture.told.values() for y in inputs if y is not None):
        return "it changes what it is given"
    if any(np.may_share_memory(x, y) for x in capture.changing for y in capture.numbers_read):
        return "Python looks at numbers that the step changes"
    return ""


def _difference(outputs: list[int], arrays: list[np.ndarray], objects: list[Any], step: Step) -> str:
    """What differs between a program and the tape, in words."""
    names = {id(data): p.name for p, data, _ in step.surroundings.tensors}
    named = [str(names[id(x)]) for x in arrays if names.get(id(x))] + [str(thing) for thing in objects]
    what = ", ".join(named[:3]) or ("a result" if outputs else "what it keeps")
    return f"{what} gets other numbers when its launches are repeated: it computes with NumPy what no launch repeats"


def set_at_each_step(last: tuple[str, str]) -> str:
    """Why nothing is repeated while attributes of layers are set; `last` as in backend/changes.py."""
    return f"{last[1]!r}, an attribute of {last[0]}, is set at each step, and may change what its Python does"


def beside(function: Callable[[], Any]) -> Any:
    """A step within another one, which may be under capture: on the tape, in memory of its own."""
    launches.not_repeatable("runs a step of a model, as fit, evaluate and predict do")
    with launches.not_listening():
        return function()
