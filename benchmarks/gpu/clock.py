"""Time on a GPU: by its own clock, and by the host's."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

ROUNDS = 5


class Recorded(NamedTuple):
    """A CUDA graph. What its launches read and write must live as long."""

    graph: Any
    results: list[Any]
    pool: Any

    def launch(self) -> None:
        self.graph.launch()


def record(cupy: Any, call: Callable[[], Any], times: int = 1) -> Recorded:
    """`call`, so many times in a row, as one graph. It is called once before, which compiles and loads."""
    call()
    stream, pool, results = cupy.cuda.get_current_stream(), cupy.cuda.MemoryPool(), []
    with cupy.cuda.using_allocator(pool.malloc):  # memory that nobody else is given while the pool lives
        stream.begin_capture()
        try:
            results = [call() for _ in range(times)]
        finally:
            graph = stream.end_capture()
    return Recorded(graph, results, pool)


class Times(NamedTuple):
    """Microseconds of a call: on the GPU, and of the host, which does not wait."""

    device_us: float
    host_us: float


def measure(cupy: Any, call: Callable[[], Any], repeats: int, rounds: int = ROUNDS) -> Times:
    """Of a call, the median of some rounds."""
    call()
    found = sorted(_round(cupy, call, repeats) for _ in range(rounds))
    return found[len(found) // 2]


def _round(cupy: Any, call: Callable[[], Any], repeats: int) -> Times:
    stream, start, end = cupy.cuda.get_current_stream(), cupy.cuda.Event(), cupy.cuda.Event()
    stream.synchronize()
    start.record(stream)
    began = time.perf_counter()
    for _ in range(repeats):
        call()
    host = time.perf_counter() - began
    end.record(stream)
    end.synchronize()
    return Times(1e3 * cupy.cuda.get_elapsed_time(start, end) / repeats, 1e6 * host / repeats)
