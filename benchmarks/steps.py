"""Levels `steps`, `scaling`, `memory` and `ablation`:
races of training steps (race.py says how one is measured).
"""

import statistics
import time
from collections.abc import Sequence
from typing import Any

from . import table
from .nets import NETS
from .process import TITLES, Setup
from .race import Contender, Race, images
from .results import Results

BATCHES = (32, 128)
FAMILIES = (
    "activations",
    "average_pool2d",
    "batch_norm",
    "dense",
    "dropout",
    "max_pool2d",
    "optimizers",
    "softmax",
    "sum",
)
PLAIN = dict.fromkeys(FAMILIES, "numpy")
# fewer and fewer ideas: kernels by name, and whether steps are recorded
ABLATION: dict[str, tuple[dict[str, str], bool]] = {
    "fit": ({}, True),
    "every step on the tape": ({}, False),
    "and NumPy but for convolution": (PLAIN, False),
    "and im2col, our matrix product": ({**PLAIN, "conv2d": "im2col"}, False),
    "and im2col, BLAS on one thread": ({**PLAIN, "conv2d": "im2col", "gemm": "blas"}, False),
    "and convolution as plain loops": ({**PLAIN, "conv2d": "naive"}, False),
}  # fmt: skip


Entry = tuple[str, int, list[Contender]]  # net, batch, who trains it


def step_races(nets: Sequence[str], batches: Sequence[int], contenders: list[Contender]) -> list[Entry]:
    """Everybody on every net, with every batch size."""
    return [(net, batch, contenders) for net in nets for batch in batches]


def scaling_races(setup: Setup, nets: Sequence[str], batches: Sequence[int]) -> list[Entry]:
    """tinynet with 1, 2, 4 ... threads at a batch of 128, and with all of them at other batch sizes."""
    counts = [1 << i for i in range(setup.threads.bit_length()) if 1 << i <= setup.threads]
    counts += [setup.threads] if setup.threads not in counts else []
    races = []
    for net in nets:
        for batch in batches:
            threads = counts if batch == 128 else [setup.threads]
            races.append((net, batch, [Contender("tinynet", "fit", count) for count in threads]))
    return races


def ablation_races(setup: Setup, nets: Sequence[str], batches: Sequence[int]) -> list[Entry]:
    """tinynet with fewer of its ideas."""
    contenders = [
        Contender("tinynet", name, setup.threads, use, {} if recorded else {"run_eagerly": True})
        for name, (use, recorded) in ABLATION.items()
    ]
    return [(net, batch, contenders) for net in nets for batch in batches]


def run(
    results: Results,
    level: str,
    setup: Setup,
    races: Sequence[Entry],
    rounds: int,
    wanted: int | None,
    seconds: float,
) -> bool:
    """Runs the races that have no results yet, for about `seconds`; whether all are done."""
    started, last = time.monotonic(), results.content["runs"][-1]
    gone = {tuple(entry) for run in results.content["runs"] for entry in run.get("left_out", [])}
    for net, batch, entered in races:
        missing = [
            c for c in entered
            if (level, net, batch, str(c)) not in gone
            and not results.has(level, net=net, batch=batch, library=c.library, mode=c.mode,
                                threads=c.threads)
        ]  # fmt: skip
        if not missing:
            continue
        if time.monotonic() - started > seconds:
            return False
        race = Race(setup, net, batch, images(net, wanted))
        records = race.run(entered, rounds)
        last["versions"].update(race.versions())
        last.setdefault("left_out", []).extend([level, net, batch, name] for name in race.left_out)
        results.add(level, records)
        print(show(records), flush=True)
    return True


def show(records: Sequence[dict[str, Any]]) -> str:
    """One race as a table."""
    head = [f"{NETS[records[0]['net']].title}, batch {records[0]['batch']}" if records else "nobody finished"]
    head += ["threads", "ms a step", "quartiles", "GFLOP/s", "first step", "mean loss", "peak memory"]
    rows = []
    for r in sorted(records, key=lambda r: r["step_s"]["median"]):
        step = r["step_s"]
        rows.append([
            f"{TITLES[r['library']]}, {r['mode']}", str(r["threads"]), table.milliseconds(step["median"]),
            f"{table.milliseconds(step['q1'])}-{table.milliseconds(step['q3'])}",
            f"{NETS[r['net']].megaflops * r['batch'] / step['median'] / 1e3:.0f}",
            table.time(r["first_step_s"]),
            f"{statistics.fmean(r['losses']):.3f}" + ("" if r["same_loss"] else " (differs!)"),
            table.size(r["peak_bytes"]),
        ])  # fmt: skip
    return table.text(head, rows) + "\n"
