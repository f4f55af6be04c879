"""What this machine can do at most: multiply-adds in registers, and a copy of arrays of many sizes."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import tinynet
from tinynet.kernels import common
from tinynet.kernels.common import prange
from tinynet.kernels.emit import VectorFunction, address, call_kernel, vectors

SUMS = 12  # running sums in registers: four cycles of latency, two multiply-adds in each, and some to spare
TURNS = 1 << 22
# bytes of the two arrays of a copy together: 128 KiB to 256 MiB
SIZES = [1 << power for power in range(17, 29)]
TRAFFIC = 1 << 28  # bytes that one measurement moves


def multiply_adds() -> VectorFunction:
    """sum = sum * factor + term, `turns` times, for SUMS vectors that never leave their registers."""
    function = VectorFunction(vectors(np.float32), "numbers result turns")
    factor, term = (function.splat(function.move(function.pointer("%numbers"), offset)) for offset in (0, 4))
    sums = [function.variable(term) for _ in range(SUMS)]
    with function.loop(0, "%turns"):
        for slot in sums:
            function.set(slot, function.multiply_add(function.get(slot), factor, term))
    total = function.get(sums[0])
    for slot in sums[1:]:
        total = function.add_vectors(total, function.get(slot))
    function.store(total, function.pointer("%result"))
    return function


@partial(common.parallel, by_size=False)
def _multiply_adds(code, numbers, results, turns):  # type: ignore[no-untyped-def]
    for thread in prange(len(results)):
        call_kernel(code, (numbers, results[thread], turns))  # type: ignore[call-arg]


@partial(common.parallel, by_size=False)
def _copy(target, source, parts, repeats):  # type: ignore[no-untyped-def]
    """target = source + a number that differs from turn to turn, lest the compiler does it once."""
    for part in prange(parts):
        first, end = part * len(source) // parts, (part + 1) * len(source) // parts
        for turn in range(repeats):
            _add(target[first:end], source[first:end], target.dtype.type(turn))


@common.serial
def _add(target, source, number):  # type: ignore[no-untyped-def]
    for i in range(source.size):
        target[i] = source[i] + number


def _best(call: Callable[[], Any]) -> float:
    """Seconds of the fastest of many calls: a peak is what the machine reaches when nothing disturbs it."""
    call()
    times = []
    for _ in range(9):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def flops() -> float:
    """FLOP/s of all threads together, of multiply-adds in registers."""
    threads = tinynet.get_num_threads()
    numbers = np.array([0.999, 0.001], np.float32)
    memory = common.aligned((threads, 64), np.float32)
    results = memory.ctypes.data + memory.strides[0] * np.arange(threads)
    code = address(multiply_adds())
    work = 2 * threads * TURNS * SUMS * vectors(np.float32).lanes
    return work / _best(lambda: _multiply_adds(code, numbers.ctypes.data, results, TURNS))


def measure() -> dict[str, Any]:
    """FLOP/s of all threads together, and bytes/s (read and written) of copies
    for each size of their arrays.
    """
    threads, most = tinynet.get_num_threads(), flops()
    curve = []
    for size in SIZES:
        source, target = (common.aligned((size // 8,), np.float32) for _ in range(2))
        source[...] = target[...] = 1
        repeats = max(TRAFFIC // size, 1)
        seconds = _best(lambda: _copy(target, source, threads, repeats))  # noqa: B023  (called at once)
        curve.append({"bytes": size, "bytes_per_s": size * repeats / seconds})
    return {"threads": threads, "flops": most, "bandwidth": curve}
