"""Section `tests`: `pytest -m gpu`, with the outcome of every test as a record."""

import json
import os
import subprocess
import sys
from pathlib import Path

from ..process import ROOT
from .kept import Kept
from .options import Options, workers

OUTCOMES = "tests.jsonl"


def run(kept: Kept, options: Options) -> None:
    """Runs those that have not passed yet. The file of outcomes grows while they run: see `collect`."""
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "--continue-on-collection-errors"]
    command += ["--results", str(options.folder / OUTCOMES)]
    if options.stand_in:
        command.append("--stand-in")
    elif workers() > 1:
        command += ["-n", str(workers()), "--dist", "worksteal"]
    done = subprocess.run(
        [*command, *options.tests],
        cwd=ROOT, env={**os.environ, "PYTEST_ADDOPTS": ""}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    (options.folder / "tests.txt").write_text(done.stdout, encoding="utf-8")
    if done.returncode not in (0, 1, 5):  # 1: some failed, which is a result; 5: all had passed before
        raise RuntimeError(f"pytest ended with status {done.returncode}: {done.stdout[-1000:]}")


def collect(kept: Kept, folder: Path) -> None:
    """Takes what the file of outcomes has into the section's file, the last outcome of each test."""
    path = folder / OUTCOMES
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    outcomes = [json.loads(line) for line in lines if line.endswith("\n")]
    kept.save(records=list({one["test"]: one for one in outcomes}.values()))
