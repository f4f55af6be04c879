"""Level `predict`: how long a net takes to answer for a batch of 1 to 512 images.

Ways to ask, each library in all of its own, from arrays of its own kind to NumPy's probabilities:

    predict            predict(x), as a program does that has many images
    predict_on_batch   one batch, without what `predict` does around it
    call               model(x, training=False)
    xla, predict (and the others)       the same in Keras with jit_compile
    eager, channels_last, compile       PyTorch's module in inference_mode

A measurement is the mean of as many calls as fit into `--sample` seconds; everybody is asked once before,
with as many images, so that nothing is left to compile. All take turns, round by round.
"""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import table
from .nets import NETS
from .process import TITLES, Setup, Worker, WorkerError, available, come_to_rest
from .race import write_data
from .results import Results
from .timing import summary

SIZES = [1, 2, 4, 8, 16, 17, 32, 33, 64, 100, 128, 256, 512]
# a process for each: PyTorch's module is built for one
MODES = {
    "torch": ["eager", "channels_last", "compile"], "keras-tensorflow": ["graph", "xla"],
    "keras-jax": ["jit"],
}  # fmt: skip
Asked = tuple[str, dict[str, str], Worker]  # library, {name in the table: way to ask}, the process


def run(results: Results, setup: Setup, args: argparse.Namespace) -> bool:
    """Measures nets and sizes that have no results yet, for about `args.seconds`; whether all are done."""
    started = time.monotonic()
    libraries = available(setup, args.libraries)
    for net in args.nets:
        sizes = [size for size in args.batches if not _measured(results, net, size, libraries, setup.threads)]
        if not sizes:
            continue
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            write_data(net, max(32, *sizes), Path(folder))  # 32: of the first training step
            workers = _workers(results, setup, libraries, net, folder, stack)
            for size in sizes:
                if time.monotonic() - started > args.seconds:
                    return False
                if records := _race(workers, net, size, args, setup.threads):
                    results.add("predict", records)
                    print(show(records), flush=True)
    return True


def _measured(results: Results, net: str, size: int, libraries: list[str], threads: int) -> bool:
    place = {"net": net, "batch": size, "threads": threads}
    found = {
        (r["library"], r["mode"].startswith("xla, "))
        for r in results.records("predict") if place.items() <= r.items()
    }  # fmt: skip
    wanted = {(library, mode == "xla") for library in libraries for mode in MODES.get(library, ["fit"])}
    return wanted <= found


def _workers(
    results: Results, setup: Setup, libraries: list[str], net: str, folder: str, stack: ExitStack
) -> list[Asked]:
    """All that can be asked."""
    found, versions = [], results.content["runs"][-1]["versions"]
    for library in libraries:
        for mode in MODES.get(library, ["fit"]):
            print(f"preparing {TITLES[library]}, {mode}", flush=True)
            try:
                worker = stack.enter_context(Worker(library, setup))
                worker.ask("prepare", net=net, mode=mode, batch=32, folder=folder, use={}, options={})
                ways = {f"xla, {way}" if mode == "xla" else way: way for way in worker.ask("ways")}
                found.append((library, ways, worker))
                versions[library] = worker.ask("versions")
            except WorkerError as error:
                print(f"{TITLES[library]}, {mode} is left out: {error.last_line()}")
    return found


def _race(
    workers: list[Asked], net: str, size: int, args: argparse.Namespace, threads: int
) -> list[dict[str, Any]]:
    """Every way of every library takes its turn, `rounds` times."""
    times: dict[tuple[str, str], list[float]] = {}
    for number in range(args.rounds):
        for i in range(len(workers)):
            library, ways, worker = workers[(i + number) % len(workers)]
            come_to_rest()
            for name, way in ways.items():
                try:
                    seconds = worker.ask("time_way", way=way, images=size, seconds=args.sample)
                    times.setdefault((library, name), []).append(seconds)
                except WorkerError as error:
                    print(f"{TITLES[library]}, {name} is left out: {error.last_line()}")
    return [
        {"net": net, "batch": size, "library": library, "mode": name, "threads": threads,
         "seconds": summary(found), "rounds_s": found}
        for (library, name), found in times.items()
        if len(found) == args.rounds
    ]  # fmt: skip


def show(records: list[dict[str, Any]]) -> str:
    """One size as a table."""
    first = records[0]
    head = [f"{NETS[first['net']].title}, {table.count(first['batch'], 'image')}", "time", "an image"]
    rows = [
        [f"{TITLES[r['library']]}, {r['mode']}", table.time(r["seconds"]["median"]),
         table.time(r["seconds"]["median"] / r["batch"])]
        for r in sorted(records, key=lambda r: r["seconds"]["median"])
    ]  # fmt: skip
    return table.text(head, rows) + "\n"
