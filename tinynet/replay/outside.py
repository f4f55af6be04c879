"""Outside: what a step leans on besides its arguments,
and what its Python may read and change there without a launch.

surroundings_of  a step's Surroundings: parameters, slots, arrays, generators of random numbers
Aside   around a rehearsal: whatever it changed there is as before,
        and the step is known for one that cannot be repeated
Read    arrays that Python may have computed with: once they hold other numbers,
        the program is compared with the tape again
"""

import pickle
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet.autograd import Tensor
from tinynet.kernels.common import is_on_gpu
from tinynet.replay.bits import share_memory
from tinynet.replay.names import Names
from tinynet.replay.values import is_optimizer

# bytes of an array that is read at each call; of a larger one, changes are found at the 30th call, the 300th
SMALL = 1 << 16
OFTEN = 8  # comparisons, one call after the other, after which a step runs on the tape


class Surroundings:
    """What a step leans on besides its arguments.

    tensors     parameters, which must stay the arrays that they are
    optimizers  whose slots must
    arrays      of NumPy, which somebody's Python names: it may compute with them
    draws       generators of random numbers that are not tinynet's, which it names
    trusted     whether all of its Python is tinynet's; if not, it is compared again from time to time
    metrics     what stands for the metrics that it may update;  there   arrays of a GPU that its Python names
    """

    def __init__(
        self, tensors: Sequence[Any] = (), optimizers: Sequence[Any] = (), arrays: Sequence[np.ndarray] = (),
        draws: Sequence[Any] = (), trusted: bool = True, metrics: Sequence[Any] = (),
        there: Sequence[Any] = (),
    ) -> None:  # fmt: skip
        self.tensors = [(p, p._data, p.requires_grad) for p in tensors]
        self.slots = [(optimizer, optimizer._state_variables) for optimizer in optimizers]
        self.arrays, self.draws, self.trusted = list(arrays), list(draws), trusted
        self.metrics, self.there = list(metrics), list(there)

    def same(self) -> bool:
        """Whether the parameters are the arrays they were, trainable as they were,
        and so are the optimizers' slots.
        """
        kept = all(p._data is data and p.requires_grad is flag for p, data, flag in self.tensors)
        return kept and all(optimizer._state_variables is slots for optimizer, slots in self.slots)


def surroundings_of(names: Names, more: Sequence[Any] = ()) -> Surroundings:
    """The parameters, optimizers, arrays and generators among what a function names, and `more`."""
    tensors: dict[int, Any] = {}
    objects = [one for one in (*more, *names.objects) if one is not None]
    for one in objects:
        if hasattr(type(one), "_with_all_within"):
            tensors.update({id(tensor): tensor for tensor in one.weights})
        elif isinstance(one, Tensor):
            tensors[id(one)] = one
    optimizers = [one for one in objects if is_optimizer(one)]
    metrics = [one for one in objects if hasattr(type(one), "update_state")]
    metrics += [m for one in objects if hasattr(type(one), "_with_all_within") for m in one.metrics]
    states = [metric._trial_state for metric in {id(m): m for m in metrics}.values()]
    there = [x for x in names.arrays if is_on_gpu(x)]
    here = [x for x in names.arrays if not is_on_gpu(x)]
    return Surroundings(list(tensors.values()), optimizers, here, names.draws, not names, states, there)


class Aside:
    """What `tensors`, `arrays` and `draws` hold before something is tried."""

    def __init__(self, tensors: Sequence[Any], arrays: Sequence[np.ndarray], draws: Sequence[Any]) -> None:
        self._arrays = [
            (x, x.copy()) for x in arrays if x.flags.writeable and x.nbytes <= SMALL and x.dtype.kind != "O"
        ]
        # a trial run changes no array of a GPU
        tensors = [p for p in tensors if type(p._data) is np.ndarray]
        self._tensors = [(p, p.version, p._data, p._data.copy()) for p in tensors]
        self._draws = [(draw, pickle.dumps(state_of(draw))) for draw in draws]

    def put_back(self, touched: Any) -> str:
        """Makes them what they were; what was changed, in the words of `why()`, or "".

        A Tensor that is said to have changed and is not among the `touched` ones
        was changed by another thread: it stays.
        """
        changed = ""
        tensors = [
            (data, old) for p, version, data, old in self._tensors if p.version == version or id(p) in touched
        ]
        for array, before in (*self._arrays, *tensors):
            if array.tobytes() != before.tobytes():
                array[...] = before
                changed = (
                    "it changes an array with NumPy, which no launch repeats; use assign, "
                    "or operators of Tensors"
                )
        for draw, state in self._draws:
            if pickle.dumps(state_of(draw)) != state:
                put_state(draw, pickle.loads(state))
                changed = (
                    "it draws random numbers of NumPy or Python, which no launch repeats; use a SeedGenerator"
                )
        return changed


class Read:
    """`arrays` that Python may have read; those that are launched too are read by the launches,
    and compared once.
    """

    def __init__(
        self, arrays: Sequence[np.ndarray] = (), changing: Sequence[Any] = (), launched: Sequence[Any] = ()
    ) -> None:
        known = {id(x): x for x in arrays if x.nbytes <= SMALL and x.dtype.kind != "O"}
        self._arrays = [x for x in known.values() if not any(share_memory(x, y) for y in changing)]
        self._launched = [any(share_memory(x, y) for y in launched) for x in self._arrays]
        self._numbers = [x.tobytes() for x in self._arrays]
        self._times = 0  # comparisons since the numbers stayed the same

    def __bool__(self) -> bool:
        return bool(self._arrays)

    def differs(self) -> bool:
        """Whether one of them holds other numbers than at the last comparison."""
        for array, numbers in zip(self._arrays, self._numbers, strict=True):
            if array.tobytes() != numbers:
                return True
        self._times = 0
        return False

    def compared(self) -> bool:
        """Notes that the program gives the right numbers with what they hold now.
        False if that was done too often.
        """
        now = [x.tobytes() for x in self._arrays]
        kept = [i for i, x in enumerate(now) if not self._launched[i] or x == self._numbers[i]]
        self._arrays, self._launched = [self._arrays[i] for i in kept], [self._launched[i] for i in kept]
        self._numbers = [now[i] for i in kept]
        self._times += 1
        return self._times <= OFTEN


def state_of(draw: Any) -> Any:
    """What a generator will draw from."""
    if isinstance(draw, random.Random):
        return draw.getstate()
    return draw.bit_generator.state if isinstance(draw, np.random.Generator) else draw.get_state()


def put_state(draw: Any, state: Any) -> None:
    """Makes a generator draw from what it did."""
    if isinstance(draw, random.Random):
        draw.setstate(state)
    elif isinstance(draw, np.random.Generator):
        draw.bit_generator.state = state
    else:
        draw.set_state(state)
