"""Level `busy`: a training step beside processes that keep cores busy, and under a quota of processor time.

    quiet       nothing else runs
    1, 2, 4     so many processes beside it that never pause (load.py), on the same cores
    1.0, 1.5    a control group that may use so many cores' time, as a container's;
                left out where none can be made

tinynet trains twice: as it is if nobody says a number of threads, and on one thread. Peers are told the
number of cores, which is what they take without it. All stay on the same cores, and each process decides for
itself what to do with them.

In every round each column's load is there for one measurement of each row, in turns, while the others
sleep. A measurement is one `fit` after another for `--sample` seconds at least, so that many turns of the
system's scheduler are in it: its wall-clock time, and the processor time of all threads, divided by the
number of batches. The first `fit` of each process is not counted. busy_table.py says what the numbers are
held against.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from . import busy_table, load, timing
from .process import (
    THREAD_VARIABLES,
    TITLES,
    Setup,
    Worker,
    WorkerError,
    available,
    come_to_rest,
    environment,
)  # fmt: skip
from .race import TOLERANCE, images, write_data
from .results import Results
from .training import MODES

# the peers' fast modes
USUAL = {"torch": "channels_last", "keras-tensorflow": "graph, 16 steps a call", "keras-jax": "jit"}
OWN = {"default": None, "one thread": 1}  # tinynet's modes: threads that it is told


class Row(NamedTuple):
    """Who trains."""

    library: str
    mode: str

    def __str__(self) -> str:
        return f"{TITLES[self.library]}, {self.mode}"


class Column(NamedTuple):
    """Beside what: busy processes, or under a quota in cores (0: none)."""

    busy: int = 0
    quota: float = 0.0


def rows(setup: Setup, libraries: Sequence[str], modes: Sequence[str] | None) -> list[Row]:
    """tinynet's own two, and the peers' modes that are asked for."""
    found = [library for library in available(setup, list(libraries)) if library != "tinynet"]
    peers = [
        Row(library, mode)
        for library in found
        for mode in MODES[library]
        if mode in (modes or [USUAL[library]])
    ]
    return [*(Row("tinynet", mode) for mode in OWN if "tinynet" in libraries), *peers]


def columns(busy: Sequence[int], quotas: Sequence[float], cores: int) -> list[Column]:
    """Quiet first; a quota that is no limit for so many cores is left out."""
    return [
        Column(),
        *(Column(busy=n) for n in sorted(busy)),
        *(Column(quota=q) for q in sorted(quotas) if 0 < q < cores),
    ]


def run(results: Results, setup: Setup, args: argparse.Namespace) -> bool:
    """Measures each net and batch that has no results yet, for about `args.seconds`; whether all are done."""
    started, last = time.monotonic(), results.content["runs"][-1]
    gone = {tuple(entry) for run in results.content["runs"] for entry in run.get("left_out", [])}
    entered, wanted = rows(setup, args.libraries, args.modes), columns(args.busy, args.quotas, setup.threads)
    with ExitStack() as stack:
        doors = dict(_doors(stack, [column.quota for column in wanted]))
        wanted = [column for column in wanted if column.quota in doors]
        for net in args.nets:
            for batch in args.batches:
                missing = [
                    row for row in entered for column in wanted
                    if ("busy", net, batch, str(row)) not in gone
                    and not results.has("busy", net=net, batch=batch, **row._asdict(), **column._asdict())
                ]  # fmt: skip
                if not missing:
                    continue
                if time.monotonic() - started > args.seconds:
                    return False
                case = Case(setup, net, batch, args.images or images(net) // 2, doors)
                records = case.run(
                    [row for row in entered if ("busy", net, batch, str(row)) not in gone], wanted, args
                )
                last["versions"].update(case.versions)
                last.setdefault("left_out", []).extend(["busy", net, batch, name] for name in case.left_out)
                results.add("busy", records)
                print(busy_table.show(records), flush=True)
    return True


def _doors(stack: ExitStack, quotas: Sequence[float]) -> Iterator[tuple[float, Any]]:
    """For each quota that can be had, what a process does to be under it; a line about each other."""
    for quota in dict.fromkeys(quotas):
        try:
            yield quota, stack.enter_context(load.limited(quota)) if quota else None
        except load.QuotaError as error:
            print(f"The column of {quota:g} cores is left out: no control group can be made here ({error})")


def variables(row: Row, threads: int) -> dict[str, str]:
    """The environment of a process: tinynet is told nothing of threads, or 1; peers the number of cores."""
    usual = environment(row.library, threads)
    if row.library != "tinynet":
        return usual
    kept = {name: value for name, value in usual.items() if name not in THREAD_VARIABLES}
    told = OWN[row.mode]
    return kept if told is None else {**kept, "TINYNET_NUM_THREADS": str(told)}


class Case:
    """One net and batch: every row in every column, each row and quota in a process of its own."""

    def __init__(self, setup: Setup, net: str, batch: int, count: int, doors: dict[float, Any]) -> None:
        self.setup, self.net, self.batch, self.count = setup, net, batch, max(count // batch, 1) * batch
        self.doors, self.workers = doors, {}  # type: dict[float, Any], dict[tuple[Row, float], Worker]
        self.answers: dict[tuple[Row, Column], list[dict[str, Any]]] = {}
        self.first: dict[tuple[Row, float], dict[str, Any]] = {}
        self.versions: dict[str, dict[str, str]] = {}
        self.left_out: list[str] = []

    def run(
        self, entered: Sequence[Row], wanted: Sequence[Column], args: argparse.Namespace
    ) -> list[dict[str, Any]]:
        """A record for each row and column; none for a row that failed anywhere."""
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            title, present = write_data(self.net, self.count, Path(folder)), list(entered)
            for row in entered:
                self._try(present, row, self._begin, stack, folder)
            for number in range(args.rounds):
                for column in wanted:
                    with load.busy(column.busy, self.setup.threads):
                        first = number % max(len(present), 1)  # nobody is always behind the same other one
                        for row in present[first:] + present[:first]:
                            self._try(present, row, self._measure, column, args.sample)
        return self._records(present, wanted, title)

    def _try(self, present: list[Row], row: Row, work: Callable[..., None], *arguments: Any) -> None:
        """A row that fails leaves; the others go on."""
        try:
            work(row, *arguments)
        except WorkerError as error:
            print(f"{row} is left out: {error.last_line()}")
            self.left_out.append(str(row))
            present.remove(row)

    def _begin(self, row: Row, stack: ExitStack, folder: str) -> None:
        """Starts the processes of a row, one for each quota, each with its first `fit` behind it."""
        for quota, enter in self.doors.items():
            worker = Worker(row.library, self.setup, variables(row, self.setup.threads), enter)
            self.workers[row, quota] = stack.enter_context(worker)
            mode = "fit" if row.library == "tinynet" else row.mode
            worker.ask(
                "prepare", net=self.net, mode=mode, batch=self.batch, folder=folder, use={}, options={}
            )
            self.versions[row.library] = worker.ask("versions")
            self.first[row, quota] = {"threads": worker.ask("threads"), **worker.ask("repeat", seconds=0.0)}

    def _measure(self, row: Row, column: Column, seconds: float) -> None:
        come_to_rest()
        answer = self.workers[row, column.quota].ask("repeat", seconds=seconds)
        self.answers.setdefault((row, column), []).append(answer)

    def _records(self, present: Sequence[Row], wanted: Sequence[Column], title: str) -> list[dict[str, Any]]:
        losses = [self.first[row, 0.0]["loss"] for row in present]
        middle = statistics.median(losses) if losses else 0.0
        records = []
        for row in present:
            for column in wanted:
                first, answers = self.first[row, column.quota], self.answers[row, column]
                steps = [answer["fits"] * self.count // self.batch for answer in answers]
                records.append({
                    "net": self.net, "batch": self.batch, **row._asdict(), "threads": first["threads"],
                    **column._asdict(),
                    "cores": self.setup.threads, "data": title, "images": self.count,
                    **{to: timing.summary([answer[name] / n for answer,
                                           n in zip(answers, steps, strict=True)])
                       for to, name in (("step_s", "seconds"), ("cpu_s", "cpu_s"))},
                    "loss": first["loss"],
                    "same_loss": abs(first["loss"] - middle) <= TOLERANCE * middle + 0.01,
                })  # fmt: skip
        return records
