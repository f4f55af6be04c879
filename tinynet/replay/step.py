"""Step: a function for one kind of arguments. It runs on the tape, is captured, compared, and then repeated.

first     on the tape; layers and slots may be built
capture   a trial run on other numbers, whose results are thrown away; weights, statistics and slots keep
          their values. What was computed outside of launches keeps the numbers of the trial run, so that the
          comparison finds it. Then the step runs on the tape
compare   the step runs on the tape, and then as a program that starts from the same state. The program is
          used only if all outputs, and all arrays that launches were given, have the same bits
repeat    the program alone. A parameter that the step does not change may have been computed with outside of
          launches: once other code has changed such a parameter, the next step is compared again

On a GPU the trial run is the capture of a CUDA graph (graph.py), in which nothing runs, on any numbers.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar
from typing import Any

import numpy as np

from tinynet.backend import device, gpu_memory, tracebacks
from tinynet.kernels import launches
from tinynet.kernels.common import is_on_gpu
from tinynet.replay import bits, where
from tinynet.replay.capture import Capture, NotRepeatable
from tinynet.replay.graph import GraphCapture
from tinynet.replay.outside import Aside, Read, Surroundings
from tinynet.replay.program import Program, place_of
from tinynet.replay.structure import leaves, mapped
from tinynet.replay.watched import plain

Function = Callable[..., Any]  # of arrays (or None); returns a structure of arrays, Tensors and other things
Arrays = tuple[Any, ...]
FIRST_CHECK = 30  # the call at which a program of the user's Python is compared again; then at 300, 3000 ...
NOT_YET = (
    "a step is captured at the second batch of its kind, "
    "compared at the third and repeated from the fourth on"
)


CHANGES_INPUTS = "it changes what it is given"
NO_ROOM = "a graph of it finds no room"

# whether the Python of a step is running
on_tape: ContextVar[bool] = ContextVar("tinynet_on_tape", default=False)


class Step:
    """A function for one kind of arguments, which are arrays.

    find_surroundings()    the Surroundings of the function, once layers and slots are built
    other_numbers(inputs)  inputs of the same kind with other numbers, for the trial run
    label                  by which the owner of the step finds it
    """

    def __init__(
        self,
        function: Function,
        find_surroundings: Callable[[], Surroundings],
        other_numbers: Callable[[Arrays], Arrays],
        label: Any = None,
    ) -> None:
        self.function, self.label = function, label
        self.find_surroundings, self.other_numbers = find_surroundings, other_numbers
        self.thread = threading.get_ident()
        self.surroundings = Surroundings()
        self.inputs: Arrays = ()  # where the program reads its arguments
        self.program: Program | None = None
        self.kinds: list[type] = []  # types of the results on the tape
        self.on_gpu = False
        self.holds_batch = False  # whether a batch was written into its input and not used yet
        self.reason = NOT_YET  # why the step is not repeated
        self._candidate: Program | None = None
        self._changing: list[np.ndarray] = []  # arrays that the step changes and that outlive it
        self._touched_arrays: dict[Any, np.ndarray] = {}  # those of them that belong to Tensors
        self._versions: list[list[int]] = []  # the version counters of these Tensors
        self._unchanged: list[tuple[Any, int]] = []  # (other parameter, its version at the capture)
        self._read = Read()  # arrays that the user's Python may have read, and that may change unnoticed
        self._calls = 0  # of the program
        self._next_check = FIRST_CHECK  # the call at which it is compared again
        self._next: Callable[[Arrays], Any] = self._first

    def __call__(self, inputs: Arrays) -> Any:
        return self._next(inputs)

    def valid(self) -> bool:
        """Whether its surroundings are the same as at the capture."""
        return self.surroundings.same()

    def _tape(self, inputs: Arrays) -> Any:
        token = on_tape.set(True)
        try:
            return self.function(*inputs)
        finally:
            on_tape.reset(token)

    def _stay_on_tape(self, reason: str) -> None:
        """From now on the step runs on the tape."""
        self.reason, self._next, self.program, self._candidate = reason, self._tape, None, None
        self.inputs = self.outputs = ()

    def _first(self, inputs: Arrays) -> Any:
        """Runs on the tape. Nothing is captured yet, since this call may build layers and slots."""
        outputs = self._tape(inputs)
        self.surroundings = self.find_surroundings()
        arrays = [*inputs, *[data for _, data, _ in self.surroundings.tensors]]
        self.on_gpu = any(map(is_on_gpu, arrays))
        if self.on_gpu and device.get_device() == "cpu":
            self._stay_on_tape("its arrays are on a GPU, and the device in use is the CPU")
        elif all(x is None or bits.is_array(x) for x in arrays):
            self._next = self._capture
        else:
            self._stay_on_tape("its parameters are not arrays of NumPy or CuPy")
        return outputs

    def _new_capture(self, inputs: Arrays) -> Capture:
        """What captures the launches; it makes the arrays from which the program will read its arguments."""
        if self.on_gpu:
            self.inputs = tuple([x if x is None else bits.copy_of(device.to_device(x)) for x in inputs])
            return GraphCapture(self.inputs, self.surroundings.metrics)
        self.inputs = self.other_numbers(inputs)
        return Capture(rehearses=True, inputs=[x for x in self.inputs if x is not None])

    def _capture(self, inputs: Arrays) -> Any:
        """Captures a trial run on other numbers; then runs the step on the tape."""
        self._try(inputs)
        return self._tape(inputs)

    def _try(self, inputs: Arrays) -> None:
        """Captures a trial run; the memory that it took is given back at the end if it gives no program."""
        versions = {id(p): p.version for p, _, _ in self.surroundings.tensors}
        capture, around = self._new_capture(inputs), self.surroundings
        aside = Aside(
            [] if around.trusted else [p for p, _, _ in around.tensors], around.arrays, around.draws
        )
        try:
            with capture:
                self.outputs = mapped(plain, self.function(*self.inputs))
            reason = _why_not(capture, self.inputs)
        except NotRepeatable as error:
            reason = str(error)
        except gpu_memory.OutOfMemoryError as error:
            reason = f"{NO_ROOM}: {error}"
        except Exception as error:  # other numbers can be invalid: label 1 of one class
            reason = f"it cannot be tried on other numbers: {type(error).__name__}: {error}"
            if self.on_gpu:
                line = where.line_that_raised(error)
                reason = f"{line} cannot be captured on a GPU: {type(error).__name__}: {error}"
        finally:
            capture.put_back()
            changed = aside.put_back(capture.touched)
        if reason or changed:
            self._stay_on_tape(changed or reason)
        else:
            read = [*self.surroundings.arrays, *capture.numbers_read, *capture.handed_out]
            self._read = Read(read, capture.changing, list(capture.program.given.values()))
            self._candidate, self._next = capture.program, self._compare
            self._changing, self._touched_arrays = capture.changing, capture.touched_arrays
            if self.on_gpu:  # array expressions of CuPy are no launches that tell what they change
                self._changing += [data for _, data, _ in self.surroundings.tensors] + self.surroundings.there
            self._versions = [tensor._version for tensor in capture.touched.values()]
            self._unchanged = [
                (p, versions[id(p)]) for p, _, _ in self.surroundings.tensors if id(p) not in capture.touched
            ]

    def _compare(self, inputs: Arrays) -> Any:
        """Runs the step on the tape, then as a program from the same state, and compares all bits.

        A GPU may have no room for the tape beside the program's memory: then the step begins anew without it.
        """
        undo = ExitStack()
        try:
            return self._compared(inputs, undo)
        except gpu_memory.OutOfMemoryError as error:
            self._stay_on_tape(f"{NO_ROOM}: {error}")
        undo.close()
        return self._tape(inputs)

    def _compared(self, inputs: Arrays, undo: ExitStack) -> Any:
        """The same; `undo` gets what brings the state back from which it began."""
        program = self._candidate
        assert program is not None
        arrays = list({**program.given, **{place_of(x): x for x in self._changing}}.values())
        changing = {place_of(x) for x in self._changing}
        restored = [i for i, x in enumerate(arrays) if place_of(x) in changing]
        # the tape may change what it is given
        given = tuple([x if x is None else bits.copy_of(x) for x in inputs])
        before = bits.Snapshot(arrays, program.objects)
        undo.callback(before.put_back, restored)
        outputs = self._tape(inputs)
        expected = [bits.kept_output(value) for value in leaves(outputs)]
        after = bits.Snapshot(arrays, program.objects)
        before.put_back(restored)
        self._run(program, given)
        wrong = self._differences(expected, before, after)
        changes_inputs = self.on_gpu and bool(bits.different(list(self.inputs), list(given)))
        if not any(wrong) and not changes_inputs:
            self._use(program, [type(value) for value in leaves(outputs)])
            return outputs
        after.put_back(restored)
        if self.program is not None and not self.surroundings.trusted and not self._read.differs():
            tracebacks.warn(
                "a step that was replayed gave other numbers than its Python just now: "
                "the Python depends on something that "
                "changes between steps (see tinynet.replay). It runs its Python from now on"
            )
        reason = bits.unknown(outputs) or (CHANGES_INPUTS if changes_inputs else "")
        if not reason and not self.on_gpu:
            batches = self.other_numbers(inputs), inputs
            reason = where.line_that_uses_numpy(self._arrays_of_launches, *batches)
        self._stay_on_tape(reason or _difference(*wrong, self))
        return outputs

    def _use(self, program: Program, kinds: list[type]) -> None:
        """From now on the program runs; its results have these types."""
        self.program, self._calls = program, 0
        if any(p.version != version for p, version in self._unchanged):
            self._unchanged = []  # they changed since the capture: the program reads them
        if not self._read.compared():
            self._stay_on_tape("an array that its Python reads has other numbers at each call")
            return
        repeat = self._repeat_if_unchanged if self._unchanged or self._read else self._repeat
        self._next = repeat if self.surroundings.trusted else self._repeat_and_check
        self.reason, self.kinds = "", kinds

    def _differences(
        self, expected: list[Any], before: bits.Snapshot, after: bits.Snapshot
    ) -> tuple[list[int], list[np.ndarray], list[Any]]:
        """(places of outputs, arrays, objects) to which a program gave other bits than the tape.

        expected        the outputs of the tape
        before, after   the states before and after it
        """
        found = [bits.kept_output(value) for value in leaves(self.outputs)]
        outputs = bits.different(found, expected) if len(found) == len(expected) else [0]
        told = [i for i, x in enumerate(after.arrays) if place_of(x) in self._touched_arrays]
        # Arrays that the tape left alone are memory that the program overwrites at each run.
        touched = {*told, *bits.different(before.numbers, after.numbers)}
        arrays = [i for i in bits.different(bits.copies(after.arrays), after.numbers) if i in touched]
        return outputs, [after.arrays[i] for i in arrays], after.changed_objects()

    def _arrays_of_launches(self, inputs: Arrays) -> list[np.ndarray]:
        """The arrays, outside of a program's memory, that launches are given when it runs on `inputs`."""
        capture = Capture(rehearses=True)
        try:
            with capture:
                self.function(*[x if x is None else bits.copy_of(x) for x in inputs])
        except (Exception, NotRepeatable):
            return []
        finally:
            capture.put_back()
        return list(capture.program.given.values())

    def _repeat_if_unchanged(self, inputs: Arrays) -> Any:
        """Repeats the step; compares it again if a parameter that the step does not change was changed."""
        for p, version in self._unchanged:
            if p._version[0] != version:
                return self._compare(inputs)
        return self._compare(inputs) if self._read and self._read.differs() else self._repeat(inputs)

    def _repeat_and_check(self, inputs: Arrays) -> Any:
        """As `_repeat_if_unchanged`; also compares at the 30th call, the 300th and so on.

        The Python is the user's, and may depend on something that is not known here.
        """
        self._calls += 1
        if self._calls == self._next_check:
            self._next_check *= 10
            calls, outputs = self._calls, self._compare(inputs)
            self._calls = calls
            return outputs
        return self._repeat_if_unchanged(inputs)

    def _repeat(self, inputs: Arrays) -> Any:
        assert self.program is not None
        self._run(self.program, inputs)
        return self.outputs

    def _run(self, program: Program, inputs: Arrays) -> None:
        for static, array in zip(self.inputs, inputs, strict=True):
            if static is not array:
                copy = np.copyto if type(static) is np.ndarray else bits.write
                copy(static, array)
        program.run()
        for version in self._versions:
            version[0] += 1


def _why_not(capture: Capture, inputs: Arrays) -> str:
    """Why a step that was captured must not be repeated; "" if there is no reason."""
    if not len(capture.program):
        return "it launches no kernel"
    given = [x for x in inputs if x is not None]
    if any(bits.share_memory(x, y) for x in capture.touched_arrays.values() for y in given):
        return CHANGES_INPUTS
    if any(bits.share_memory(x, y) for x in capture.changing for y in capture.numbers_read):
        return "Python looks at numbers that the step changes"
    if moved := getattr(capture, "moved", ()):
        return f"it gives {moved[0]} another array"
    return "" if capture.program.leaves_room() else f"{NO_ROOM} beside what the step itself needs"


def _difference(outputs: list[int], arrays: list[np.ndarray], objects: list[Any], step: Step) -> str:
    """What differs between a program and the tape, in words."""
    names = {id(data): p.name for p, data, _ in step.surroundings.tensors}
    named = [str(names[id(x)]) for x in arrays if names.get(id(x))] + [str(thing) for thing in objects]
    what = ", ".join(named[:3]) or ("a result" if outputs else "what it keeps")
    return (
        f"{what} gets other numbers when its launches are repeated: "
        "it computes with NumPy what no launch repeats"
    )


def set_at_each_step(last: tuple[str, str]) -> str:
    """Why nothing is repeated if each step sets an attribute of a layer; `last` as in backend/changes.py."""
    return f"{last[1]!r}, an attribute of {last[0]}, is set at each step, and may change what its Python does"


def nested_step(function: Callable[[], Any]) -> Any:
    """Runs a step inside another one: on the tape, and not as a part of what is captured there."""
    launches.not_repeatable("runs a step of a model, as fit, evaluate and predict do")
    with launches.not_listening():
        return function()
