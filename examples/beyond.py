"""The records, which go beyond the notebooks: how the runner runs them and what it keeps of them."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import page

from shared.files import read_json, write_json


class Record(NamedTuple):
    """A program with its options, and the accuracy that it aims at; `accuracy` names it among the numbers of
    a run.
    """

    program: str
    what: str
    seeds: int
    aim: float
    accuracy: str
    options: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """As a person types it."""
        return " ".join(["python", f"examples/{self.program}.py", *self.options, "--seeds", str(self.seeds)])


# {name, on the command line and of the file: record}
RECORDS = {
    "mnist_record": Record(
        "mnist_record", "MNIST in seconds: two passes over 50,000 images", 10, 0.9937, "accuracy"
    ),
    "mnist_best": Record("mnist_best", "MNIST: one net, as many right as can be", 5, 0.997, "accuracy_views"),
    "cifar10_90": Record("cifar10_record", "CIFAR-10, the narrow net", 3, 0.9, "accuracy_with_views"),
    "cifar10_94": Record(
        "cifar10_record", "CIFAR-10, the wide net", 3, 0.94, "accuracy_with_views", ("--to", "94")
    ),
}


def run(name: str, out: Path, quick: bool = False) -> bool:
    """Runs a record as a person does; whether it ended well."""
    record, results = RECORDS[name], out / "results.json"
    command = [sys.executable, str(page.FOLDER / f"{record.program}.py"), *record.options]
    if record.program == "mnist_record":
        if not quick and complete(record, results):  # runs of seconds each, which are in one file
            return True
        command += ["--json", str(results), *(["--data", "digits"] if quick else [])]
    else:
        command += ["--out", str(out), *(["--quick"] if quick else [])]
    print(f"{name}: {record.command}", flush=True)
    command += ["--seeds", str(1 if quick else record.seeds)]
    return subprocess.run(command, check=False).returncode == 0


def complete(record: Record, results: Path) -> bool:
    """Whether a file of mnist_record has all runs, on all images of MNIST and the test images."""
    asked = {"data": "mnist", "limit": None, "asked": "test"}
    runs = read_json(results).get("runs", [])
    good = [run for run in runs if run.get("machine") and asked.items() <= run.items()]
    return {run["seed"] for run in good} >= set(range(record.seeds))


def joined(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs of both by seed; where both have one, the new one."""
    by_seed = {run["seed"]: run for run in (*old, *new)}
    return [by_seed[seed] for seed in sorted(by_seed)]


def gather(name: str, out: Path) -> None:
    """Adds what the page needs of a record's runs to results/records."""
    record, stored = RECORDS[name], page.RESULTS / "records" / f"{name}.json"
    results = page.read_file(out / "results.json")
    runs = [
        {
            "seed": run["seed"],
            "accuracy": round(run[record.accuracy], 5),
            "seen_once": round(run["accuracy"], 5),
            "seconds": round(run["seconds"], 2),
            "params": run["params"],
            "machine": run["machine"],
        }
        for run in results["runs"]
    ]
    runs = joined(page.read_file(stored).get("runs", []), runs)
    about = {"command": record.command, "what": record.what, "aim": record.aim}
    write_json(stored, {**about, "runs": runs})
