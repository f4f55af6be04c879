"""Section `kernels`: the time of single operations on a GPU, with their FLOPs and bytes, for a roofline."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from ..calls_tinynet import prepare
from ..shapes import CONVOLUTIONS, NETS, Case, cases
from .clock import measure, record
from .kept import Kept
from .options import Options

CONVS = 18  # the first of shapes.NETS: those of the nets that are trained here


def chosen(options: Options) -> Iterator[Case]:
    """Convolutions of the nets, and all other kinds of operations, at a batch of 128."""
    ours = {conv.name for conv in NETS[:CONVS]}
    count = 0
    for case in cases():
        convolution = case["op"] in CONVOLUTIONS
        wanted = case["name"] in ours if convolution else case["batch"] in (1, 128)
        if wanted and case["group"] in options.groups and count < options.kernels:
            count += 1
            yield case


def run(kept: Kept, options: Options) -> None:
    """A record for each case; one that fails says why."""
    from tinynet.backend import device

    cupy = device.array_module()
    for case in chosen(options):
        key = {name: case[name] for name in ("op", "name", "group", "batch")}
        if not kept.has(**key):
            began = time.perf_counter()
            try:
                found = timed(cupy, case, options)
            except Exception as error:
                found = {"error": f"{type(error).__name__}: {error}"}
            took = {"took_s": time.perf_counter() - began}  # compiling included
            kept.add({**key, "flops": case["flops"], "bytes": case["bytes"], **found, **took})


def timed(cupy: Any, case: Case, options: Options) -> dict[str, Any]:
    """Microseconds of a call: of many as one graph, or of single calls of what cannot be recorded."""
    from tinynet.backend import device

    operation, arrays, settings = prepare(case)
    call = partial(operation, *[device.to_device(a) for a in arrays], **settings)
    times = options.in_a_graph
    try:
        graph = record(cupy, call, times)
    except Exception:  # such as a copy from the host
        found = measure(cupy, call, times, options.rounds)
        return {"how": "calls", "us": found.device_us, "host_us": found.host_us}
    return {"how": "graph", "us": measure(cupy, graph.launch, 2, options.rounds).device_us / times}
