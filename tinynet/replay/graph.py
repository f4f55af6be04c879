"""Graph: the launches of a step on a GPU, as one CUDA graph; and what captures them.

A stream that captures runs nothing: it takes down what it is given, and `graph.launch()` then does all of it,
without the Python and CuPy's part of each launch. So the trial run of a step costs no arithmetic and changes
no array of the GPU, whatever numbers it is given. Neither can Python read one there: whatever waits for the
GPU, or copies from or to it, ends the trial run, and so does cuBLAS, which CuPy cannot capture.

A graph repeats what was said to the GPU, with the numbers that were said by value. What the host does anew at
each step is kept as on the CPU: launches on NumPy arrays (the learning rate of the day, the count of steps,
the words of the next masks). They run first, and all of their numbers go to the GPU in one launch
(kernels/by_value.py):

    program.run()        a few launches of the host, then `letter.go()`, then `graph.launch()`

**Memory.** A graph keeps no array alive. Its own memory is a pool that belongs to the program: within the
capture a block that is given back is used again, as on the CPU, and nobody else ever gets it. Arrays from
elsewhere are kept by the program. Where there is no room for that memory beside all else, steps go on without
a graph.

**Signals.** What a signal handler did on the GPU in the middle of a capture would be taken down with the
step, so handlers wait for the moment that a capture takes.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from tinynet.backend import device, gpu_memory
from tinynet.kernels.by_value import WORDS, Letter, words_of
from tinynet.kernels.common import is_on_gpu
from tinynet.kernels.cuda.modules import Compiled
from tinynet.replay.capture import Capture, NotRepeatable
from tinynet.replay.program import Program
from tinynet.replay.where import outside


class Graph(Program):
    """The launches of one step on a GPU: `graph`, and before it those of the host.

    pool      its own memory there
    letters   the numbers of the host that the graph reads: one letter, if they are few
    """

    def __init__(self, pool: Any) -> None:
        super().__init__()
        self.pool = pool
        self.letters: list[Letter] = []
        self.graph: Any = None
        self.kernels = 0  # launches of tinynet's own kernels in the graph

    @property
    def bytes(self) -> int:
        """Memory that the program holds for itself, on the GPU and on the host."""
        return super().bytes + self.pool.total_bytes()

    def __len__(self) -> int:
        # how many array expressions there are, CuPy does not say; they need memory
        return super().__len__() + self.kernels + bool(self.pool.total_bytes())

    def leaves_room(self) -> bool:
        """Whether the GPU has as much free memory as the step needs without it, which is what it took."""
        return gpu_memory.room(device.array_module()) >= self.pool.total_bytes()

    def run(self) -> None:
        """Repeats the launches on the numbers that their arrays hold now."""
        if self.stretches:
            super().run()
        for letter in self.letters:
            letter.go()
        self.graph.launch()


class GraphCapture(Capture):
    """As Capture, always a trial run, on a GPU: what the step does there is taken down in a CUDA graph.

    inputs    where the program will read its arguments
    objects   with `taken` and `put_back`, such as metrics, whose Python runs within the capture
    """

    def __init__(self, inputs: Sequence[Any], objects: Sequence[Any]) -> None:
        super().__init__(rehearses=True, inputs=inputs)
        self._cupy = device.array_module()
        self.program: Graph = Graph(gpu_memory.pool_of_graph(self._cupy))
        self._from_pool = gpu_memory.explaining(self._cupy, self.program.pool.malloc)
        self._own: set[int] = set()  # addresses that the pool gave out
        self._moved: dict[int, tuple[Any, Any]] = {}  # {id of a Tensor: itself, its array before}
        self._objects = [(thing, thing.taken()) for thing in objects]

    def __enter__(self) -> "GraphCapture":
        cuda = self._cupy.cuda
        self._stream = cuda.get_current_stream()
        self._stream.synchronize()  # what other streams get in the meantime, nothing uses any more
        self._open = ExitStack()
        self._open.enter_context(_signals_wait())
        with self._open:  # closed at once where the stream refuses, as the default one does
            self._stream.begin_capture()
            self._open = self._open.pop_all()
        self._usual = cuda.get_allocator()
        self._open.enter_context(cuda.using_allocator(self._allocate))
        super().__enter__()
        self._frame = sys._getframe(1)
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        try:
            self.program.graph = self._stream.end_capture()
        except Exception:  # the stream refused something
            if exception[0] is None:  # and the step went on
                raise
        finally:
            self._open.close()

    @property
    def moved(self) -> list[str]:
        """Names of the Tensors that the step gave another array."""
        return [str(t.name or "a Tensor") for t, array in self._moved.values() if t._data is not array]

    def put_back(self) -> None:
        """Gives Tensors and objects what they had before; the numbers on the GPU are what they were."""
        super().put_back()
        for tensor, array in self._moved.values():
            tensor._data = array
        for thing, state in self._objects:
            thing.put_back(state)

    # The methods of a listener: see kernels/launches.py

    def send(self, numbers: np.ndarray, like: Any) -> Any:
        """Keeps a launch of the host that puts `numbers` in a letter; returns where they will arrive."""
        letters = self.program.letters
        if not letters or (room := letters[-1].room(numbers)) is None:
            letters.append(self._new_letter(like, max(WORDS, words_of(numbers))))
            room = letters[-1].room(numbers)
        assert room is not None
        self.program.append((np.copyto, (room[0], self._as_view(numbers))), None)
        return room[1]

    def _new_letter(self, like: Any, words: int) -> Letter:
        """In memory of the usual pool: the graph may write to its own before it reads what was sent."""
        with self._cupy.cuda.using_allocator(self._usual):
            return Letter(like, words)

    def on_launch(self, function: Callable[..., Any], args: tuple[Any, ...], alone: bool | None) -> None:
        """Keeps a launch of the host; has the stream take down a launch on the GPU."""
        if type(function) is Compiled:
            _, _, arguments, also = args
            self.program.kernels += 1
            for x in (*arguments, *also):
                self._keep(x)
            function(*args)
        elif any(map(is_on_gpu, args)) or _holds_arrays_there(function):
            self._know(function)
            function(*args)  # Python whose launches are taken down one by one
        else:
            super().on_launch(function, args, alone)

    def on_address(self, x: Any) -> None:
        """Keeps an array that the step uses."""
        self._keep(x) if is_on_gpu(x) else super().on_address(x)

    def on_changing(self, tensor: Any) -> None:
        """Notes which array `tensor` has, before it is changed."""
        if is_on_gpu(tensor._data):
            self._moved.setdefault(id(tensor), (tensor, tensor._data))
        super().on_changing(tensor)

    def on_read(self, array: Any) -> None:
        """Ends the trial run: Python looks at numbers of the GPU."""
        if is_on_gpu(array):
            raise NotRepeatable(
                f"{outside()} looks at the numbers of an array of the GPU, which waits for it"
            )
        super().on_read(array)

    def watched(self, array: Any) -> Any:
        """An array of the GPU as it is: nobody can read it."""
        return array if is_on_gpu(array) else super().watched(array)

    def _allocate(self, size: int) -> Any:
        memory = self._from_pool(size)
        self._own.add(memory.ptr)
        return memory

    def _keep(self, x: Any) -> None:
        if is_on_gpu(x) and _owner(x).data.ptr not in self._own:
            self.program.give(x, self._lasting_depth > 0)

    def _know(self, function: Any) -> None:
        """Notes what a launched function changes besides arrays: here its Python runs, and is undone."""
        changed = getattr(function, "changes", None)
        if changed is None or changed in self.program.objects:
            return
        if all(changed != thing for thing, _ in self._objects):
            raise NotRepeatable(f"{outside()} updates {changed!r}, which no layer or variable holds")
        self.program.objects.append(changed)


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Context in which signals come, and their handlers in Python are called at its end.

    The main thread calls them: in others, whose streams they do not use, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, Any]] = []
    handlers: dict[int, Any] = {number: signal.getsignal(number) for number in signal.valid_signals()}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda *call: came.append(call))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for call in came:
            handlers[call[0]](*call)


def _holds_arrays_there(function: Any) -> bool:
    """Whether a launched function changes an object, such as a metric, that has arrays on the GPU."""
    changed = getattr(function, "changes", None)
    return changed is not None and any(is_on_gpu(variable._data) for variable in changed.metric.variables)


def _owner(x: Any) -> Any:
    """The array that the memory of x was made for."""
    while x.base is not None:
        x = x.base
    return x
