"""Section `facts`: what all times on this GPU are made of."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .clock import measure, record
from .kept import Kept
from .options import Options

SOURCE = """
__global__ void nothing(int n) {}

// eight sums in registers, which never leave them: more than a multiply-add's latency needs at 8 warps
__global__ void multiply_adds(float* out, float factor, float term, int turns) {
    float sums[8];
    for (int i = 0; i < 8; i++) sums[i] = threadIdx.x + i;
    for (int turn = 0; turn < turns; turn++)
        for (int i = 0; i < 8; i++) sums[i] = sums[i] * factor + term;
    float total = 0;
    for (int i = 0; i < 8; i++) total += sums[i];
    out[blockIdx.x * blockDim.x + threadIdx.x] = total;
}
"""
NAMES = ("nothing", "multiply_adds")


def run(kept: Kept, options: Options) -> None:
    """Each fact is a record of its own; one that fails says why."""
    from tinynet.backend import device

    cupy = device.array_module()
    module = cupy.RawModule(code=SOURCE, options=("-std=c++17",), name_expressions=NAMES, backend="nvrtc")
    nothing, peak = (module.get_function(name) for name in NAMES)
    facts: dict[str, Callable[[], dict[str, Any]]] = {
        "machine": partial(machine, cupy),
        "launch": partial(launches, cupy, lambda: nothing((1,), (32,), (np.int32(0),)), options),
        "peak": partial(arithmetic, cupy, peak, options),
        **{f"copy of {size} bytes": partial(copies, cupy, size) for size in options.copies},
        **{f"capture: {what}": partial(captured, cupy, call) for what, call in captures(cupy).items()},
    }
    for name, fact in facts.items():
        if not kept.has(fact=name):
            try:
                kept.add({"fact": name, **fact()})
            except Exception as error:
                kept.add({"fact": name, "error": f"{type(error).__name__}: {error}"})


def machine(cupy: Any) -> dict[str, Any]:
    """Names and versions."""
    runtime = cupy.cuda.runtime
    found = runtime.getDeviceProperties(0)
    return {
        "gpu": found["name"].decode(), "multiprocessors": found["multiProcessorCount"],
        "memory_bytes": found["totalGlobalMem"], "cache_bytes": found["l2CacheSize"],
        "cupy": cupy.__version__, "cuda": runtime.runtimeGetVersion(), "driver": runtime.driverGetVersion(),
    }  # fmt: skip


def launches(cupy: Any, call: Callable[[], None], options: Options) -> dict[str, Any]:
    """Of a kernel that does nothing, alone and as one of many in a graph; and what a graph's launch costs."""
    many = options.launches
    alone, graph = measure(cupy, call, many), record(cupy, call, many)
    whole, one = measure(cupy, graph.launch, 3), measure(cupy, record(cupy, call).launch, many)
    return {
        "device_us": alone.device_us, "host_us": alone.host_us, "in_graph_us": whole.device_us / many,
        "graph_host_us": whole.host_us, "graph_of_one_us": one.device_us, "graph_of_one_host_us": one.host_us,
    }  # fmt: skip


def arithmetic(cupy: Any, kernel: Any, options: Options) -> dict[str, Any]:
    """FLOP/s of multiply-adds in registers, with enough threads for every multiprocessor."""
    blocks, threads, turns = options.peak
    out = cupy.empty(blocks * threads, cupy.float32)
    arguments = out, np.float32(0.999), np.float32(0.001), np.int32(turns)
    took = measure(cupy, lambda: kernel((blocks,), (threads,), arguments), 3).device_us
    return {"flops_per_s": 2 * 8 * turns * blocks * threads / took * 1e6}


def copies(cupy: Any, size: int) -> dict[str, Any]:
    """Bytes/s, read and written, of a copy whose two arrays have `size` bytes together."""
    source, target = (cupy.ones(size // 8, cupy.float32) for _ in range(2))

    def copy() -> None:
        target[...] = source

    times = max(1, min(20, (1 << 31) // size))
    took = measure(cupy, record(cupy, copy, times).launch, 3).device_us / times
    return {"bytes": size, "bytes_per_s": size / took * 1e6}


def captures(cupy: Any) -> dict[str, Callable[[], Any]]:
    """What a step might do while it is recorded."""
    a, host = cupy.ones((64, 64), cupy.float32), np.ones(4, np.float32)
    return {
        "matrix product (cuBLAS)": lambda: a @ a,
        "elements and a sum over an axis": lambda: (cupy.exp(a) * 2 + a).sum(axis=0),
        "sum over everything": lambda: a.sum(),
        "new arrays, and filling them": lambda: (cupy.zeros(5), a.fill(1)),
        "copy from the host": lambda: cupy.asarray(host),
        "number read by Python": lambda: float(a[0, 0]),
    }


def captured(cupy: Any, call: Callable[[], Any]) -> dict[str, Any]:
    """Whether it can be part of a graph, and what is said if not. A stream of its own: it may be lost."""
    with cupy.cuda.Stream(non_blocking=True):
        try:
            record(cupy, call).launch()
        except Exception as error:
            first = error.__context__ or error  # the end of a capture that has failed fails too
            return {"allowed": False, "said": f"{type(first).__name__}: {first}"}
    return {"allowed": True, "said": ""}
