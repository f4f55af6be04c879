"""The records, which go beyond the notebooks: how the runner runs them and what it keeps of them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import page

from shared.files import write_json
from shared.machine import machine


class Record(NamedTuple):
    """A program with its options; `accuracy` names what it aims at among the numbers of a run."""

    program: str
    what: str
    seeds: int
    accuracy: str
    options: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """As a person types it."""
        return " ".join(["python", f"examples/{self.program}.py", *self.options, "--seeds", str(self.seeds)])


# {name, on the command line and of the file: record}
RECORDS = {
    "mnist_record": Record("mnist_record", "MNIST in seconds: two passes over 50,000 images", 10, "accuracy"),
    "mnist_best": Record("mnist_best", "MNIST: one net, as many right as possible", 5, "accuracy_views"),
    "cifar10_90": Record("cifar10_record", "CIFAR-10, the narrow net", 3, "accuracy_with_views"),
    "cifar10_94": Record(
        "cifar10_record", "CIFAR-10, the wide net", 3, "accuracy_with_views", ("--to", "94")
    ),
}


def run(name: str, out: Path, quick: bool = False) -> bool:
    """Runs a record as a person does; whether it ended well."""
    record, results = RECORDS[name], out / "results.json"
    command = [sys.executable, str(page.FOLDER / f"{record.program}.py"), *record.options]
    if record.program == "mnist_record":
        if results.exists() and not quick:  # ten runs of seconds each, which are in one file
            return True
        command += ["--json", str(results), *(["--data", "digits"] if quick else [])]
    else:
        command += ["--out", str(out), *(["--quick"] if quick else [])]
    print(f"{name}: {record.command}", flush=True)
    command += ["--seeds", str(1 if quick else record.seeds)]
    return subprocess.run(command, check=False).returncode == 0


def gather(name: str, out: Path) -> None:
    """Copies what the page needs of a record to results/records."""
    record = RECORDS[name]
    results: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    runs = [
        {
            "seed": run["seed"],
            "accuracy": round(run[record.accuracy], 5),
            "seen_once": round(run["accuracy"], 5),
            "seconds": round(run["seconds"], 2),
            "params": run["params"],
            "machine": run.get("machine") or machine(),
        }
        for run in results["runs"]
    ]
    content = {"command": record.command, "what": record.what, "runs": runs}
    write_json(page.RESULTS / "records" / f"{name}.json", content)
