"""Level `kernels`: every case of shapes.py in tinynet, PyTorch and TensorFlow,
held against the peak of the machine.
"""

import argparse
import time
from contextlib import ExitStack
from typing import Any

from . import table
from .plots import WORDS
from .process import TITLES, Setup, Worker, WorkerError, available, come_to_rest
from .results import Results
from .roof import floor, higher
from .shapes import cases
from .timing import summary

FEWER_PRODUCTS = 4.0  # Winograd's 36 for the 144 that are counted
LIBRARIES = ("tinynet", "torch", "keras-tensorflow")


def run(results: Results, setup: Setup, args: argparse.Namespace) -> bool:
    """Measures the chosen cases that have no results yet; whether all are done."""
    started, chosen = time.monotonic(), _chosen(args)
    todo = [case for case in chosen if not _measured(results, case, setup.threads)]
    with ExitStack() as stack:
        names = available(setup, [name for name in LIBRARIES if name in args.libraries])
        workers = {name: stack.enter_context(Worker(name, setup)) for name in names}
        run = results.content["runs"][-1]
        run["versions"] = {name: worker.ask("versions") for name, worker in workers.items()}
        peak = _peak(results, workers, setup.threads)
        print(f"peak: {peak['flops'] / 1e9:.0f} GFLOP/s on {table.count(peak['threads'], 'thread')}")
        for number, case in enumerate(todo):
            if time.monotonic() - started > args.seconds:
                print(f"{len(todo) - number} cases are left")
                return False
            if records := _race(workers, case, args, peak):
                results.add("kernels", records)
                print(show(records), flush=True)
    return True


def _chosen(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The cases that are asked for; SystemExit for a word that is in no operation's name, or no group."""
    everything = cases()
    ops, groups = ({case[key]: None for case in everything} for key in ("op", "group"))
    for word in args.ops or ():
        if not any(word in op for op in ops):
            raise SystemExit(f"--ops {word}: no operation's name contains it; there are {', '.join(ops)}")
    for word in args.groups or ():
        if word not in groups:
            raise SystemExit(f"--groups {word}: unknown; there are {', '.join(groups)}")
    return [
        case for case in everything
        if (not args.ops or any(part in case["op"] for part in args.ops))
        and (not args.groups or case["group"] in args.groups)
    ]  # fmt: skip


def _measured(results: Results, case: dict[str, Any], threads: int) -> bool:
    return results.has("kernels", op=case["op"], name=case["name"], batch=case["batch"], threads=threads)


def _peak(results: Results, workers: dict[str, Worker], threads: int) -> dict[str, Any]:
    """The machine's peak, measured now; what an earlier run reached counts as well."""
    if "tinynet" not in workers:
        raise SystemExit(
            "the peak of this machine is measured with tinynet's emitter: let tinynet be among --libraries"
        )
    found = workers["tinynet"].ask("peak")
    for record in results.records("peak"):
        found = higher(found, record) if record["threads"] == threads else found
    results.add("peak", [found])
    return found


def _race(
    workers: dict[str, Worker], case: dict[str, Any], args: argparse.Namespace, peak: dict[str, Any]
) -> list[dict[str, Any]]:
    """Every implementation of every library takes its turn, `rounds` times."""
    question = {key: value for key, value in case.items() if key != "group"}
    entered = {name: _implementations(name, worker, question) for name, worker in workers.items()}
    times: dict[tuple[str, str], list[float]] = {(name, i): [] for name in entered for i in entered[name]}
    for _ in range(args.rounds):
        for name, implementations in entered.items():
            come_to_rest()
            for implementation in implementations:
                times[name, implementation] += workers[name].ask(
                    "time_kernel", name=implementation, seconds=args.sample
                )
    least, bound = floor(peak, case["flops"], case["bytes"])
    shared = {name: case[name] for name in ("op", "name", "group", "batch", "flops", "bytes")}
    records = [
        {**shared, "library": name, "implementation": implementation, "threads": args.threads,
         "seconds": summary(found), "floor_s": least, "bound": bound}
        for (name, implementation), found in times.items()
    ]  # fmt: skip
    return records if all(map(_possible, records)) else []  # all or nobody: it is a race


def _possible(record: dict[str, Any]) -> bool:
    """Whether the machine can be so fast; says so where not."""
    share = record["floor_s"] / record["seconds"]["median"]
    most = FEWER_PRODUCTS if record["op"] in WORDS and " 3x3 " in record["name"] else 1.0
    if share <= 1.1 * most:
        return True
    who = f"{TITLES[record['library']]}, {record['implementation']}"
    print(
        f"{record['op']} {record['name']} is not kept: {who}, reached {share:.0%} of the peak, which is more "
        "than there can be. Perhaps the machine was busy when the peak was measured: run the command again"
    )
    return False


def _implementations(name: str, worker: Worker, question: dict[str, Any]) -> list[str]:
    """What the library has for the case; nothing, with a line that says why, if it fails."""
    try:
        return worker.ask("kernel", case=question)
    except WorkerError as error:
        print(f"{question['op']} {question['name']}: {TITLES[name]} is left out: {error.last_line()}")
        return []


def show(records: list[dict[str, Any]]) -> str:
    """One case as a table."""
    first = records[0]
    head = [
        f"{first['op']} {first['name']}, batch {first['batch']}",
        "time",
        "GFLOP/s",
        "GB/s",
        f"of {first['bound']} peak",
    ]
    rows = []
    for record in sorted(records, key=lambda record: record["seconds"]["median"]):
        seconds = record["seconds"]["median"]
        rows.append([
            f"{TITLES[record['library']]}, {record['implementation']}", table.time(seconds),
            f"{record['flops'] / seconds / 1e9:.1f}", f"{record['bytes'] / seconds / 1e9:.1f}",
            table.percent(record["floor_s"] / seconds),
        ])  # fmt: skip
    return table.text(head, rows) + "\n"
