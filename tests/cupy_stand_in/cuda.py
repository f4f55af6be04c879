"""`cupy.cuda` of the stand-in: devices, streams, graphs, memory pools; and `RawModule`, on the CPU."""

import gc
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from cupy_stand_in.machine import CUDARuntimeError, machine

BLOCK = 512  # bytes, of which all allocations are multiples


class OutOfMemoryError(MemoryError):
    """cupy.cuda.memory.OutOfMemoryError"""


class Device:
    """A GPU by its number, without one the current one; a context in which it is the current one."""

    def __init__(self, number: int | None = None) -> None:
        self.id = machine.device if number is None else number
        self._before: list[int] = []

    def use(self) -> None:
        machine.device = self.id

    def __enter__(self) -> "Device":
        self._before.append(machine.device)
        self.use()
        return self

    def __exit__(self, *exception: object) -> None:
        machine.device = self._before.pop()

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def synchronize(self) -> None:
        machine.waits("Device.synchronize")

    compute_capability = "90"


class Event:
    """A place in the work of a stream."""

    def __init__(self) -> None:
        self.stream: Any = None
        self.time = 0.0  # seconds: here all is done when it has been said
        self.device_id = machine.device

    def record(self, stream: Any = None) -> None:
        stream = stream or current_stream()
        if stream.device_id not in (-1, self.device_id):
            raise CUDARuntimeError("cudaErrorInvalidResourceHandle: an event and a stream of two devices")
        self.stream, self.time = stream, time.perf_counter()

    def synchronize(self) -> None:
        machine.waits("Event.synchronize")


def elapsed_time(start: Event, end: Event) -> float:
    """Milliseconds."""
    return 1e3 * (end.time - start.time)


class Graph:
    """What was captured: `launches`, (name, function) in their order; and the blocks of memory in which it
    reads and writes. It keeps none of them alive.
    """

    def __init__(self, captured: list[tuple[str, Callable[[], None], list[Any]]]) -> None:
        self.launches, self.count = [(name, run) for name, run, _ in captured], 0
        self.blocks = list({id(block): block for _, _, used in captured for block in used}.values())

    def launch(self, stream: Any = None) -> None:
        """Runs it all, on the numbers that are there now."""
        if machine.capturing is not None:
            raise CUDARuntimeError("cudaErrorStreamCaptureUnsupported: a graph while the stream captures")
        if any(block.released for block in self.blocks):
            raise CUDARuntimeError("cudaErrorIllegalAddress: the graph uses memory that was freed")
        self.count += 1
        for _, run in self.launches:
            run()


class Stream:
    """A queue of work."""

    null: "Stream"

    def __init__(self, null: bool = False, non_blocking: bool = False) -> None:
        self.is_null, self.non_blocking = null, non_blocking
        self.device_id = -1 if null else machine.device
        self.captured: list[Any] | None = None
        self.invalid = ""  # what was refused while it captured: then there is no graph
        self.waits_for: list[Any] = []  # streams whose work, so far, comes first

    def use(self) -> "Stream":
        if not self.is_null and self.device_id != machine.device:
            raise RuntimeError(
                f"This stream was created on device {self.device_id}, the current device is {machine.device}"
            )
        machine.streams[machine.device] = self
        return self

    def __enter__(self) -> "Stream":
        self.use()
        machine.entered.setdefault(machine.device, [Stream.null]).append(self)
        machine.entered_on.append(machine.device)
        return self

    def __exit__(self, *exception: object) -> None:
        """What is current now is the stream that was entered before, whichever was in use."""
        device = machine.entered_on.pop()
        machine.entered[device].pop()
        machine.streams[device] = machine.entered[device][-1]

    def synchronize(self) -> None:
        machine.waits("Stream.synchronize")

    def record(self, event: Event | None = None) -> Event:
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        self.waits_for.append(event.stream)

    def begin_capture(self, mode: Any = None) -> None:
        if self.is_null:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        if self.captured is not None:
            raise CUDARuntimeError("cudaErrorIllegalState: the stream captures already")
        self.captured, self.invalid = [], ""

    def end_capture(self) -> Graph:
        if self.captured is None:
            raise CUDARuntimeError("cudaErrorIllegalState: the stream does not capture")
        captured, self.captured = self.captured, None
        if self.invalid:
            raise CUDARuntimeError(f"cudaErrorStreamCaptureInvalidated: {self.invalid}")
        return Graph(captured)

    def is_capturing(self) -> bool:
        if self.captured is not None and self.invalid:
            raise RuntimeError("the stream was capturing, but an error has invalidated the capture sequence")
        return self.captured is not None


Stream.null = Stream(null=True)


def current_stream() -> Stream:
    """The current stream of the current device, in this thread."""
    device = machine.device  # first: it notices another machine
    return machine.streams.setdefault(device, Stream.null)


MEMORY_ALLOCATION = 2  # the status of cudaErrorMemoryAllocation


class Memory:
    """Memory of the current device, from CUDA itself."""

    def __init__(self, size: int) -> None:
        self.device, self.taken = machine.device, type(machine).taken
        if self.taken[self.device] + size > machine.memory:
            raise CUDARuntimeError("cudaErrorMemoryAllocation: out of memory", MEMORY_ALLOCATION)
        self.taken[self.device] += size
        make = np.empty if type(machine).observer is None else np.zeros  # the same bits, if nothing runs
        self.bytes = make(size, np.uint8)


class MemoryPointer:
    """A place in memory."""

    def __init__(self, mem: Any, offset: int) -> None:
        assert offset == 0
        self.mem = mem


class Block:
    """A stretch of memory of a pool, for the arrays of one stream."""

    def __init__(self, memory: Memory, stream: Any) -> None:
        self.memory, self.bytes, self.stream, self.released = memory, memory.bytes, stream, False

    def release(self) -> None:
        """Gives the memory back to CUDA."""
        if not self.released:
            self.released = True
            self.memory.taken[self.memory.device] -= self.bytes.size


class PooledMemory:
    """What an array has of a pool: a block, which goes back to it with the last array that is there."""

    def __init__(self, pool: "MemoryPool", block: Block) -> None:
        self.block, self.ptr = block, block.bytes.__array_interface__["data"][0]
        weakref.finalize(self, _give_back, weakref.ref(pool), block)


def _give_back(pool: Any, block: Block) -> None:
    if (pool := pool()) is None:
        block.release()
        return
    if type(machine).observer is None:  # else, where nothing runs, nothing was written
        block.bytes.fill(0xFF)  # NaN: what is read by now may have been written by the next array
    pool._used -= block.bytes.size
    pool._unused.append(block)


def _release(blocks: list[Block]) -> None:
    for block in blocks:
        block.release()
    blocks.clear()


class MemoryPool:
    """Blocks that arrays gave back, for the next arrays of the same stream.

    allocator   what gives it memory; it may raise as CUDA does: then the pool gives back what nobody uses
    """

    def __init__(self, allocator: Callable[[int], MemoryPointer] | None = None) -> None:
        self._allocator = allocator or (lambda size: MemoryPointer(Memory(size), 0))
        self._used = self._total = self._limit = 0
        self._unused: list[Block] = []
        self._blocks: list[Block] = []
        weakref.finalize(self, _release, self._blocks)  # those in use as well: arrays do not keep a pool

    def malloc(self, size: int) -> PooledMemory:
        size, stream = -(-size // BLOCK) * BLOCK, current_stream()
        fits = [b for b in self._unused if b.stream is stream and size <= b.bytes.size <= 2 * size]
        if fits:
            block = min(fits, key=lambda b: b.bytes.size)
            self._unused.remove(block)
        else:
            block = Block(self._new_memory(size), stream)
            self._blocks.append(block)
            self._total += size
        self._used += block.bytes.size
        return PooledMemory(self, block)

    def _new_memory(self, size: int) -> Memory:
        said = f"Out of memory allocating {size:,} bytes (allocated so far: {self._total:,} bytes)."
        if self._limit and self._total + size > self._limit:
            raise OutOfMemoryError(said)
        for attempt in (1, 2):
            try:
                return self._allocator(size).mem
            except CUDARuntimeError as error:
                if error.status != MEMORY_ALLOCATION:
                    raise
            if attempt == 1:
                self.free_all_blocks()
        raise OutOfMemoryError(said)

    def used_bytes(self) -> int:
        return self._used

    def total_bytes(self) -> int:
        return self._total

    def free_bytes(self) -> int:
        return self._total - self._used

    def free_all_blocks(self) -> None:
        self._blocks[:] = [block for block in self._blocks if block not in self._unused]
        _release(self._unused)
        self._total = self._used

    def set_limit(self, size: int = 0) -> None:
        self._limit = size

    def get_limit(self) -> int:
        return self._limit


def default_pool() -> MemoryPool:
    """That of the current device."""
    device = machine.device
    return machine.pools.setdefault(device, MemoryPool())


def allocate(size: int) -> PooledMemory:
    """Memory for an array, from the allocator of this thread."""
    machine.device_count()  # the first allocation notices that there is no GPU
    return get_allocator()(size)


def get_allocator() -> Callable[[int], PooledMemory]:
    """Who is asked for the memory of this thread's arrays."""
    if machine.allocators:
        return machine.allocators[-1]
    return type(machine).allocator or (lambda size: default_pool().malloc(size))


def set_allocator(allocator: Callable[[int], PooledMemory] | None = None) -> None:
    """The one that is asked in all threads."""
    if machine.allocators:
        raise ValueError("Can't change the global allocator inside `using_allocator` context manager")
    type(machine).allocator = allocator


@contextmanager
def using_allocator(allocator: Callable[[int], PooledMemory]) -> Iterator[None]:
    """Context in which this thread's arrays come from `allocator`."""
    _ = machine.device  # first: it notices another machine
    machine.allocators.append(allocator)
    try:
        yield
    finally:
        machine.allocators.pop()


def memory_info() -> tuple[int, int]:
    """(free bytes, all bytes) of the current device."""
    machine.device_count()
    return machine.memory - type(machine).taken[machine.device], machine.memory


def nvrtc_version() -> tuple[int, int]:
    """That of the compiler, which is loaded here."""
    if not machine.nvrtc:
        raise RuntimeError(
            'Failure finding "libnvrtc.so.13 or libnvrtc.so.12": No such file: libnvrtc.so.13 or '
            "libnvrtc.so.12\n"
        )
    return 13, 0


def _passed(value: Any) -> Any:
    """What a kernel is passed: NumPy arrays of one element by value, others not at all."""
    if isinstance(value, np.ndarray) and value.size != 1:
        raise TypeError(f"Unsupported type {type(value)}")
    return value._inside if hasattr(value, "_inside") else value


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class RawModule:
    """CUDA C, compiled for the CPU: see cuda_shim."""

    def __init__(
        self,
        *,
        code: str,
        options: Sequence[str] = (),
        name_expressions: Sequence[str] = (),
        backend: str = "nvrtc",
    ) -> None:
        from cuda_shim import shim

        nvrtc_version()
        assert backend == "nvrtc"
        machine.compiled.append(tuple(name_expressions))
        self._make = partial(shim.Module, code=code, name_expressions=name_expressions)
        self._module = None if type(machine).observer else self._make()  # it may let nothing run

    def get_function(self, name: str) -> Callable[..., None]:
        if self._module is not None:
            self._module.get_function(name)

        def function(*launch: Any, **options: Any) -> None:
            self._module = self._module or self._make()
            found = self._module.get_function(name)
            if not machine.checked:
                found.orders, found.watched = found.orders[:1], False
            found(*launch, **options)

        def launch(grid: Sequence[int], block: Sequence[int], args: Sequence[Any], **options: Any) -> None:
            for what, sizes in (("grid", grid), ("block", block)):
                if type(sizes) is not tuple:
                    raise TypeError(
                        f"Argument '{what}' has incorrect type (expected tuple, got {type(sizes).__name__})"
                    )
            arrays = [x for x in args if hasattr(x, "_inside")]
            machine.check_device(arrays)
            values = [_passed(x) for x in args]
            machine.launches.append(name)
            # a kernel may find arrays in a table of addresses: of all that there are
            memory = [array._inside for array in list(machine.alive.values())] if machine.checked else []

            def run() -> None:
                with _no_garbage_collection():  # the memory of what it finds would change in the meantime
                    function(grid, block, values, also=memory)

            machine.launch(name, run, [], arrays, values, grid, block)

        return launch


def names() -> dict[str, Any]:
    """What the module `cupy.cuda` holds."""
    return {
        "Device": Device, "Event": Event, "Graph": Graph, "Stream": Stream,
        "Memory": Memory, "MemoryPointer": MemoryPointer,
        "get_current_stream": current_stream, "using_allocator": using_allocator,
        "get_elapsed_time": elapsed_time, "get_allocator": get_allocator, "set_allocator": set_allocator,
        "memory": SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
    }  # fmt: skip


def device_properties(number: int) -> dict[str, Any]:
    """What is known of a device."""
    return {
        "name": b"no GPU: a stand-in", "multiProcessorCount": 1, "totalGlobalMem": machine.memory,
        "l2CacheSize": 1 << 20,
    }  # fmt: skip


def runtime() -> dict[str, Any]:
    """What `cupy.cuda.runtime` holds."""
    return {
        "CUDARuntimeError": CUDARuntimeError, "getDeviceCount": lambda: machine.device_count(),
        "getDeviceProperties": device_properties, "getDevice": lambda: machine.device,
        "memGetInfo": memory_info, "runtimeGetVersion": lambda: 13000, "driverGetVersion": lambda: 13000,
        "deviceSynchronize": lambda: machine.waits("deviceSynchronize"),
        "errorMemoryAllocation": MEMORY_ALLOCATION,
    }  # fmt: skip
