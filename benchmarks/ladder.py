"""Level `ladder`: one convolution on every rung from its definition to the register tile.

The rungs stand in kernels/conv2d/ladder.py. All run in this process, taking turns; of each the fastest call
is shown, on one thread and on all. The table is that of kernels/README.md.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from . import peak, table
from .shapes import Conv, same

LAYER = same(14, 14, 14)  # the example of kernels/README.md
RUNGS = {  # and the idea that each has beyond the one before
    "one_at_a_time": "the formula, image by image",
    "naive": "images innermost",
    "sums_in_registers": "sums in registers",
    "several_filters": "several filters for each pixel",
    "rows_shared": "rows shared among threads",
    "vector": "the tile, written by instruction",
}
BESIDE = {"im2col": "columns and a matrix product, for comparison"}
BAR = 20  # characters for the machine's peak


def calls(layer: Conv, batch: int) -> dict[str, Callable[[], Any]]:
    """The convolution by each implementation."""
    from functools import partial

    from tinynet.kernels import common, conv2d

    rng = np.random.default_rng(0)
    x = common.to_batch_last(rng.normal(size=(batch, layer.height, layer.width, layer.channels)), np.float32)
    w = rng.normal(size=(layer.kernel, layer.kernel, layer.channels, layer.filters)).astype(np.float32)
    b = rng.normal(size=layer.filters).astype(np.float32)
    strides = layer.stride, layer.stride
    static = {"strides": strides, "padding": layer.pads(), "dilation": (1, 1), "groups": 1}
    return {name: partial(conv2d.conv2d[name], x, w, b, **static) for name in [*BESIDE, *RUNGS]}


def measure(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Seconds of the fastest call of each; they take turns."""
    least = dict.fromkeys(calls, float("inf"))
    for number in range(rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if number:  # the first one may compile
                least[name] = min(least[name], time.perf_counter() - start)
    return least


def run(args: argparse.Namespace) -> None:
    """Prints the table."""
    from tinynet.kernels import threads

    work, found, most = calls(LAYER, args.batch), {}, 0.0
    for count in sorted({1, args.threads}):
        for _ in range(3):
            threads.set_num_threads(1)
            most = max(most, peak.flops())
        threads.set_num_threads(count)
        found[count] = measure(work, args.rounds)
    flops, size = LAYER.flops(args.batch), LAYER.bytes(args.batch)
    print(f"{LAYER.name}, batch {args.batch}: {flops / 1e6:.1f} MFLOPs, {size / 1e6:.2f} MB.")
    print(f"The fastest of {args.rounds} calls. The peak of one thread: {most / 1e9:.0f} GFLOP/s.\n")
    print(markdown(flops, found, most))


def markdown(flops: float, found: dict[int, dict[str, float]], most: float) -> str:
    """A row for each rung: its times, its gain on all threads, its rate and share of the peak on one."""
    *_, last = found
    others = [f"us on {count}" for count in found if count > 1]
    head = ["rung", "us on 1 thread", *others, "beside the rung before", "GFLOP/s on 1", "of the peak", ""]
    rows, before = [], None
    for name, idea in (BESIDE | RUNGS).items():
        rate = flops / found[1][name]
        step = before / found[last][name] if before and name in RUNGS else None
        before = found[last][name] if name in RUNGS else before
        microseconds = [f"{times[name] * 1e6:,.0f}" for times in found.values()]
        rows.append([
            f"`{name}`: {idea}", *microseconds, "" if step is None else f"{step:.1f} times as fast",
            f"{rate / 1e9:.1f}", table.percent(rate / most), bar(rate / most),
        ])  # fmt: skip
    return table.markdown(head, rows, left=(0, len(head) - 1))


def bar(share: float) -> str:
    """`share` of a bar of BAR characters, in eighths."""
    eighths = round(min(share, 1.0) * BAR * 8)
    return "█" * (eighths // 8) + ("", *"▏▎▍▌▋▊▉")[eighths % 8]
