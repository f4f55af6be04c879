"""Level `paper`: how long a training step takes on a GPU, on paper.

    time = sum over launches of   gap + max(floor, bytes / rate, multiply-adds / (clock x useful x lanes))

`counted.py` counts launches, bytes and multiply-adds. `lanes` is the number of threads of the launch, or of
the GPU's lanes if there are more threads: so a launch of few threads takes as long as one of them needs. All
the rest is assumed, and stands in `Assumed`; `python -m benchmarks gpu` measures it, and puts the times of
steps beside these.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .. import table
from ..nets import NETS
from .counted import Launch, Step, step
from .kept import Kept
from .options import MEASURED, Options

BATCHES = (32, 128, 1024)


class Assumed(NamedTuple):
    """An H200, and what is not in its data sheet."""

    multiprocessors: int = 132  # NVIDIA H200: data sheet
    lanes: int = 128  # multiply-adds of float32 a cycle: CUDA C++ Programming Guide, compute capability 9.0
    clock: float = 1.98e9  # cycles a second, boosted: 132 x 128 x 2 x 1.98e9 = 67 TFLOP/s, the data sheet's
    memory: float = 4.8e12  # bytes a second of HBM3e: data sheet. A copy reaches about nine tenths
    cache: float = 6.5e12  # bytes a second of the second-level cache: a guess from experience
    cache_bytes: float = 50e6  # the second-level cache: NVIDIA's white paper on Hopper
    floor_s: float = 2.0e-6  # of the shortest launch: a guess from experience
    gap_s: float = 0.6e-6  # between two launches of a CUDA graph: a guess from experience
    useful: float = 0.6  # of the instructions of a convolution that are multiply-adds: a guess


def seconds(launch: Launch, rate: float, assumed: Assumed) -> tuple[float, str]:
    """Of a launch, and what sets it: "launch", "memory" or "arithmetic"."""
    most = assumed.multiprocessors * assumed.lanes
    lanes = min(launch.threads, most) if launch.threads else most
    candidates = {
        "launch": assumed.floor_s,
        "memory": launch.bytes / rate,
        "arithmetic": launch.flops / 2 / (assumed.clock * assumed.useful * lanes),
    }
    bound = max(candidates, key=lambda name: candidates[name])
    return assumed.gap_s + candidates[bound], bound


def estimate(counted: Step, assumed: Assumed) -> dict[str, Any]:
    """{"us", "bounds": {bound: us}, "kernels": {name: {"launches", "bytes", "flops", "us"}}} of a step."""
    rate = assumed.cache if counted.bytes < assumed.cache_bytes else assumed.memory
    bounds, kernels = dict.fromkeys(("launch", "memory", "arithmetic"), 0.0), dict[str, dict[str, float]]()
    for launch in counted.launches:
        time, bound = seconds(launch, rate, assumed)
        bounds[bound] += 1e6 * time
        sums = kernels.setdefault(launch.name, {"launches": 0, "bytes": 0, "flops": 0, "us": 0.0})
        for name, value in zip(sums, (1, launch.bytes, launch.flops, 1e6 * time), strict=True):
            sums[name] += value
    ordered = sorted(kernels.items(), key=lambda item: -item[1]["us"])
    return {"us": sum(bounds.values()), "bounds": bounds, "kernels": dict(ordered)}


def record(net: str, batch: int, assumed: Assumed | None = None) -> dict[str, Any]:
    """What paper says of a step of a net."""
    counted = step(net, batch)
    return {
        "net": net, "batch": batch, "launches": len(counted.launches), "array_bytes": counted.bytes,
        "bytes": sum(launch.bytes for launch in counted.launches),
        "flops": sum(launch.flops for launch in counted.launches),
        "counted": [list(launch) for launch in counted.launches],
        **estimate(counted, assumed or Assumed()),
    }  # fmt: skip


def again(found: dict[str, Any], assumed: Assumed) -> float:
    """Microseconds of a record under other assumptions."""
    counted = Step([Launch(*launch) for launch in found["counted"]], found["array_bytes"])
    return estimate(counted, assumed)["us"]


def show(records: Sequence[dict[str, Any]]) -> str:
    """A row for each net and batch."""
    head = [
        "step of a net, on paper",
        "batch",
        "launches",
        "MB",
        "GFLOP",
        "us",
        "launch",
        "memory",
        "arithmetic",
    ]
    rows = [
        [NETS[r["net"]].title, str(r["batch"]), str(r["launches"]), f"{r['bytes'] / 1e6:.0f}",
         f"{r['flops'] / 1e9:.2f}", f"{r['us']:.0f}", *(f"{r['bounds'][name]:.0f}" for name in head[6:])]
        for r in records
    ]  # fmt: skip
    return table.text(head, rows)


def run_section(kept: Kept, options: Options) -> None:
    """Section `paper` of the level `gpu`: a record for each net and batch that is measured there."""
    for batch in options.batches:
        for net in options.nets:
            if not kept.has(net=net, batch=batch):
                kept.add(record(net, batch))


def run(args: argparse.Namespace) -> None:
    """Prints the table and writes the JSON, if it is asked for."""
    assumed = Assumed()
    print(
        "Nothing here was measured. Assumed: " + ", ".join(f"{k} {v:g}" for k, v in assumed._asdict().items())
    )
    records = [record(net, batch, assumed) for net in args.nets for batch in args.batches]
    print(show(records))
    for found in records:
        parts = [f"{name} x{k['launches']} {k['us']:.0f}" for name, k in list(found["kernels"].items())[:6]]
        print(f"{found['net']} at {found['batch']}, us: {', '.join(parts)}")
    if args.out:
        args.out.write_text(json.dumps({"assumed": assumed._asdict(), "steps": records}), encoding="utf-8")


def add_arguments(level: argparse.ArgumentParser) -> None:
    level.add_argument("--nets", nargs="+", choices=NETS, default=list(MEASURED), metavar="NET")
    level.add_argument("--batches", nargs="+", type=int, default=list(BATCHES), metavar="N")
    level.add_argument("--out", type=Path, help="a JSON to write")
