"""replayed: a function of arrays and Tensors, a training step of one's own,
whose kernels are repeated without its Python.
"""

import threading
from collections.abc import Callable
from functools import update_wrapper
from types import MethodType
from typing import Any

import numpy as np

from tinynet.autograd import Tensor, as_raw, is_grad_enabled
from tinynet.backend import changes, config, device, gpu
from tinynet.kernels import common, launches, threads
from tinynet.kernels.common import is_on_gpu
from tinynet.kernels.devices import device_of
from tinynet.replay import bits
from tinynet.replay.kinds import MAX_KINDS, Kinds
from tinynet.replay.numbered import Numbered
from tinynet.replay.outside import Surroundings, surroundings_of
from tinynet.replay.step import NOT_YET, Step, on_tape
from tinynet.replay.structure import leaves, mapped
from tinynet.replay.values import PLAIN, Same, mark


def replayed(function: Callable[..., Any]) -> "Replayed":
    """Decorator: from the fourth call of a kind on, the kernels that `function` led to are repeated,
    with the same bits.

    The package's page (tinynet/replay/__init__.py) says what may change between calls. A call that cannot be
    repeated runs its Python, and `why()` says why. Results are arrays and Tensors of the caller's own.

    >>> w = tinynet.Parameter([2.0])
    >>> @replayed
    ... def step(x):
    ...     loss = ops.sum((w - x) ** 2)
    ...     w.assign(w - 0.1 * tinynet.grad(loss, w))
    ...     return loss
    >>> [round(float(step(np.array([t], np.float32))), 2) for t in range(5)]
    [4.0, 0.36, 0.27, 2.01, 4.55]
    >>> step.why()
    'replayed'
    """
    return Replayed(function)


class Replayed:
    """What `replayed` makes of a function: call it as the function.
    `programs` are those in use, one a kind of arguments.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise TypeError(f"replayed takes a function, got {function!r}")
        update_wrapper(self, function)
        self.repeats = function
        self._kinds = Kinds()
        self._lock, self._depth = threading.RLock(), 0
        self._reason = NOT_YET
        self._changes: dict[str, int] = {}  # counts of changed attributes when what follows was found
        # what it names, and its arrays and Tensors at this call
        self._named, self._given = Numbered(), list[Any]()
        self._named_by: dict[tuple[int, ...], Numbered] = {}  # by the objects among the arguments
        self._trainable: tuple[bool, ...] = ()
        self._locks: list[Any] = []  # of the models that the function names

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A method that is replayed: each object has steps of its own."""
        if instance is None:
            return self
        name = f"_replayed_{self.repeats.__name__}"
        held = vars(instance)
        if name not in held or held[name].repeats.__self__ is not instance:
            held[name] = Replayed(MethodType(self.repeats, instance))
        return held[name]

    def __reduce__(self) -> Any:
        return Replayed, (self.repeats,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # part of another step
        if on_tape.get() or launches.listener() is not None or (gpu.stream() and gpu.makes_graph()):
            return self.repeats(*args, **kwargs)
        with self._lock:
            if self._depth:  # a signal handler calls it in the middle of a call
                with launches.not_listening():
                    return self.repeats(*args, **kwargs)
            if config.functions_run_eagerly():
                self._reason = "config.run_functions_eagerly(True) says so"
                return self.repeats(*args, **kwargs)
            self._depth = 1
            try:
                return self._run(args, kwargs)
            finally:
                self._depth = 0

    @property
    def programs(self) -> list[Any]:
        """The programs in use."""
        return self._kinds.programs

    def why(self) -> str:
        """Whether the last call was repeated from its kernels ("replayed"),
        or else why not, in a sentence.
        """
        last = next(reversed(list(self._kinds.steps.values())), None)
        if last is not None and last.program is not None:
            return "replayed"
        if last is not None and last.reason == NOT_YET and (set_each_time := self._kinds.set_each_time()):
            return f"not replayed: {set_each_time}"
        if self._kinds.fresh > 3:
            return f"not replayed: {self._differs()}"
        return f"not replayed: {self._reason if last is None else last.reason}"

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = args if not kwargs else (args, kwargs)
        values = (
            given
            if not kwargs and all(type(x) in (np.ndarray, Tensor) for x in args)
            else tuple(leaves(given))
        )
        kinds = tuple([_kind(value) for value in values])
        if None in kinds:
            self._reason = "it is given a Tensor whose gradient leads further back than the call"
            return self.repeats(*args, **kwargs)
        self._look([value for value, kind in zip(values, kinds, strict=True) if kind[0] == "object"])
        if self._named.names.never:
            self._reason = self._named.names.never
            self._kinds.steps.clear()
            return self.repeats(*args, **kwargs)
        structure = None if values is given else repr(mapped(lambda _: 0, given))
        arrays = [x for x in values if _is_exchanged(x)]
        where = (
            device.get_device(),
            config.settings(),
            is_grad_enabled(),
            common.choices(),
            threads.get_num_threads(),
            threading.get_ident(),
        )
        key = kinds, structure, _twice(arrays), bool(kwargs), self._named.number, self._trainable, where
        step = self._step(key, given, values, kinds)
        self._given = arrays
        outputs = self._locked(step, tuple([as_raw(x) for x in arrays]))
        return mapped(_constant, outputs) if step.program is None else _own(outputs, step)

    def _step(self, key: Any, given: Any, values: Any, kinds: Any) -> Step:
        """The step of a kind, the newest from now on."""
        step = self._kinds.take(key, (kinds, self._named.last))
        if step is None:
            step = Step(self._of_arrays(given, values, key[3]), self._surroundings, bits.other_numbers)
        self._kinds.keep(key, step)
        return step

    def _locked(self, step: Step, arrays: tuple[Any, ...]) -> Any:
        """step(arrays), between two steps of the models that are part of it."""
        for lock in self._locks:
            lock.acquire()
        try:
            return step(arrays)
        finally:
            for lock in reversed(self._locks):
                lock.release()

    def _look(self, given: list[Any]) -> None:
        """Takes note of what the function names, and of the objects it is given.

        Once an attribute of a layer was set, all that was captured is forgotten.
        """
        changed = changes.counts != self._changes
        if changed and changes.counts["attributes"] != self._changes.get("attributes"):
            self._kinds.reset()
            self._named_by.clear()
        key = tuple(map(id, given))
        named = self._named_by.pop(key, None)
        if named is None:
            named = Numbered([self.repeats, *given])
        elif self._kinds.fresh:  # the call before may have imported modules and set attributes
            named.read()
        elif not named.look() and named is self._named and not changed:
            self._named_by[key] = named
            return
        self._named_by[key] = self._named = named
        while len(self._named_by) > MAX_KINDS:
            self._named_by.pop(next(iter(self._named_by)))
        found = [one for one in self._named.names.objects if hasattr(type(one), "_with_all_within")]
        layers = {id(x): x for one in found for x in one._with_all_within()}
        self._changes = dict(changes.counts)
        self._trainable = tuple([layer.trainable for layer in layers.values()])
        models = {id(one): one for one in found if hasattr(one, "_step_lock")}
        self._locks = [models[key]._step_lock.lock for key in sorted(models)]

    def _surroundings(self) -> Surroundings:
        return surroundings_of(self._named.names)

    def _of_arrays(self, given: Any, values: Any, named: bool) -> Callable[..., Any]:
        """The function of the arrays alone that are among its arguments: the others stay what they are."""
        exchanged = [value for value in values if _is_exchanged(value)]
        kinds = [(type(value), type(value) is Tensor and value.requires_grad) for value in exchanged]
        order = _twice(exchanged) or range(len(exchanged))
        fixed = [value for value in values if not _is_exchanged(value)]
        places = mapped(_is_exchanged, given)

        def function(*arrays: np.ndarray) -> Any:
            made: list[Any] = []
            for kind, array, original, first in zip(kinds, arrays, self._given, order, strict=True):
                if first < len(made):  # it is given twice
                    made.append(made[first])
                else:
                    made.append(original if as_raw(original) is array else _argument(array, *kind))
            parts, others = iter(made), iter(fixed)
            filled = mapped(lambda is_exchanged: next(parts if is_exchanged else others), places)
            return self.repeats(*filled[0], **filled[1]) if named else self.repeats(*filled)

        return function

    def _differs(self) -> str:
        """What was another one at each of the last calls."""
        before, last = self._kinds.before, self._kinds.last
        for i, (a, b) in enumerate(zip(before[0], last[0], strict=False)):
            if a != b:
                return (
                    f"argument {i + 1} is of another kind at each call; "
                    "numbers that change are given in arrays"
                )
        label = self._named.names.differing(before[1], last[1])
        return f"{label!r} is another value at each call; numbers that change are read from arrays"


EXCHANGED = (np.ndarray, Tensor)  # types of arguments whose numbers may be others at each call


def _is_exchanged(value: Any) -> bool:
    return type(value) in EXCHANGED or is_on_gpu(value)


def _kind(value: Any) -> Any:
    """What a step depends on of an argument: not the numbers of an array. None: it cannot be exchanged."""
    kind = type(value)
    if kind is np.ndarray or is_on_gpu(value):
        return (
            device_of(value),
            value.shape,
            value.dtype,
            value.flags.c_contiguous,
            value.ndim > 0 and common.is_batch_last(value),
        )
    if kind is Tensor:
        if value._node is not None and value.requires_grad:
            return None
        x = value._data
        order = (
            type(x),
            bits.is_array(x) and (device_of(x), x.flags.c_contiguous, x.ndim > 0 and common.is_batch_last(x)),
        )
        return "Tensor", x.shape, x.dtype, value.requires_grad, order
    return ("value", mark(value)) if kind in PLAIN else ("object", Same(value))


def _argument(array: np.ndarray, kind: type, tracked: bool) -> Any:
    """What the function is given for other numbers than the caller's."""
    if kind is Tensor:
        return Tensor(array, requires_grad=tracked)
    heard = launches.listener()
    return array if heard is None else heard.watched(array)


def _twice(arrays: list[Any]) -> Any:
    """Which arrays are given more than once; None if none is."""
    ids = [id(x) for x in arrays]
    return None if len(set(ids)) == len(ids) else tuple([ids.index(one) for one in ids])


def _own(outputs: Any, step: Step) -> Any:
    """Results that stay the caller's: copies of what lies in the program's memory,
    numbers where the Python gives numbers.
    """
    kinds = iter(step.kinds)
    return mapped(lambda value: _copied(value, next(kinds)), outputs)


def _copied(value: Any, kind: type) -> Any:
    raw = as_raw(value)
    if is_on_gpu(raw):
        copy = bits.copy_of(raw)
        return Tensor(copy) if kind is Tensor else copy
    if type(raw) is not np.ndarray or type(value) not in (np.ndarray, Tensor):
        return value
    if issubclass(kind, int | float):
        return kind(raw[()])
    copy = raw.copy() if raw.flags.c_contiguous else bits.copy_of(raw)
    if kind is Tensor:
        return Tensor(copy)
    return copy if kind is np.ndarray else copy.view(kind)


def _constant(value: Any) -> Any:
    """A result of the tape as a program gives it: no gradient leads back from it."""
    return value.detach() if type(value) is Tensor and value._node is not None else value
