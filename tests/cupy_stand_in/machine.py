"""The machine of the stand-in: what it has, which device and stream a thread uses, what was done on it."""

import threading
import warnings
import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np


class CUDARuntimeError(RuntimeError):
    """cupy.cuda.runtime.CUDARuntimeError"""

    __module__ = "cupy_backends.cuda.api.runtime"

    def __init__(self, text: str, status: int = -1) -> None:
        super().__init__(text)
        self.status = status


class PerformanceWarning(RuntimeWarning):
    """cupy._util.PerformanceWarning"""


class Machine(threading.local):
    """What a thread sees. All threads share what is set in `reset`, which the class holds."""

    devices, driver, nvrtc, peer_access, memory = 1, True, True, False, 1 << 34
    checked = True  # whether kernels run in three orders of threads, and are watched
    launches: ClassVar[list[str]] = []  # names of the kernels of RawModules, one for each launch
    compiled: ClassVar[list[tuple[str, ...]]] = []  # the kernels of each RawModule
    alive: ClassVar[Any] = weakref.WeakValueDictionary()  # all arrays that own memory
    # "to host" and "to device": copies; "waits": for the device; the name of each function that was launched
    counts: ClassVar[Counter[str]] = Counter()
    generation = 0  # of machines: threads that knew another one begin anew
    pools: Any = None  # device: its default memory pool
    taken: ClassVar[Counter[int]] = Counter()  # device: bytes of its memory that pools hold
    allocator: Any = None  # that of all threads; None: the default pool's
    # observer(name, arguments and results, grid, block) sees each launch, those of a graph when the graph is
    # launched, and says whether it runs; grid and block are empty where CuPy chooses them
    observer: Any = None

    def __init__(self) -> None:
        # device: the streams that are entered, the last one last. tinynet's are so for good, on any machine
        self.entered: dict[int, list[Any]] = {}
        self.entered_on: list[int] = []  # the device of each of these
        self._begin()

    def _begin(self) -> None:
        self.known = Machine.generation
        self._device = 0
        self.streams: dict[int, Any] = {}  # device: the current stream
        self.allocators: list[Any] = []

    def reset(self, **facts: Any) -> None:
        """Another machine."""
        for name, value in facts.items():
            setattr(Machine, name, value)
        Machine.counts, Machine.generation, Machine.pools = Counter(), Machine.generation + 1, {}
        Machine.launches, Machine.compiled, Machine.allocator, Machine.taken = [], [], None, Counter()
        Machine.observer = None

    @property
    def device(self) -> int:
        """The current device of this thread."""
        if self.known != Machine.generation:
            self._begin()
        return self._device

    @device.setter
    def device(self, number: int) -> None:
        if self.known != Machine.generation:
            self._begin()
        if not 0 <= number < self.device_count():
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        self._device = number

    def device_count(self) -> int:
        if not self.driver:
            raise CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")
        if not self.devices:
            raise CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")
        return self.devices

    @property
    def capturing(self) -> list[Any] | None:
        """What the current stream has captured so far; None if it does not capture."""
        stream = self.streams.get(self.device)
        return None if stream is None else stream.captured

    def copies(self, direction: str) -> None:
        """To be called before numbers are copied: "to host", "to device"."""
        if self.capturing is not None:  # CuPy itself refuses: CUDA hears nothing, the capture goes on
            raise RuntimeError(f"the current stream is capturing, so a copy {direction} is disallowed")
        self.waits(f"a copy {direction}")
        self.counts[direction] += 1

    def waits(self, what: str) -> None:
        """To be called before the host waits for the device."""
        if self.capturing is not None:
            self.streams[self.device].invalid = what
            raise CUDARuntimeError(f"cudaErrorStreamCaptureUnsupported: {what} while the stream captures")
        self.counts["waits"] += 1

    def cublas(self, name: str) -> None:
        """To be called before cuBLAS is."""
        if self.capturing is not None:
            raise NotImplementedError(
                f"{name}: calling cuBLAS API during stream capture is currently unsupported"
            )

    def check_device(self, arrays: list[Any]) -> None:
        """Operands lie on the current device, in memory that is theirs."""
        for array in arrays:
            array.check_memory()
            if array.device_number != self.device:
                text = (
                    f"The device where the array resides ({array.device_number}) is different from the "
                    f"current device ({self.device})."
                )
                if not self.peer_access:
                    raise ValueError(f"{text} Peer access is unavailable between these devices.")
                warnings.warn(f"{text} Peer access has been activated.", PerformanceWarning, stacklevel=4)

    def launch(
        self, name: str, run: Callable[[], None], results: list[np.ndarray], arrays: list[Any],
        values: list[Any] | None = None, grid: Any = (), block: Any = (),
    ) -> None:  # fmt: skip
        """run(), which writes `results`; while the stream captures it is noted instead.

        arrays   those of the stand-in that it reads or writes;  values, grid, block   what a kernel is given
        """
        self.counts[name] += 1
        given = [x._inside for x in arrays] if values is None else values

        def observed() -> None:
            observer = type(self).observer
            if observer is None or observer(name, given, grid, block):
                run()

        captured = self.capturing
        if captured is None:
            observed()
            return
        captured.append((name, observed, [x._memory.block for x in arrays if x._memory is not None]))
        if type(self).observer is None:
            for result in results:
                result.fill(np.nan if result.dtype.kind in "fc" else 0)


machine = Machine()
