"""Level `epochs`: whole trainings on MNIST (accuracy.py says how they are run in the child).

    accuracy  Model 9, batch 128, Adam at 0.001, from the same weights: seconds of training until 98 % and
              99 % of the test images are right. The test set decides when it is over, so the number compares
              libraries and nothing else
    epoch     one epoch of Model 9 at a batch of 128, with validation
    recipe    tinynet's own best: examples/mnist_record.py, if there is one. It is run as
              `mnist_record.py --seed S --json FILE` and writes {"seconds", "accuracy"} (any more is kept)
              of a training whose length was fixed beforehand
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from . import data, table
from .process import ROOT, TITLES, Setup, Worker, WorkerError, available, environment
from .results import Results

NET, BATCH = "model-9", 128
RECIPE = ROOT / "examples" / "mnist_record.py"
USUAL = {"tinynet": "fit", "torch": "eager", "keras-tensorflow": "graph", "keras-jax": "jit"}


def run(results: Results, setup: Setup, args: argparse.Namespace) -> bool:
    """Runs the trainings that have no results yet; whether all are done."""
    import tinynet

    if not tinynet.datasets.available("mnist"):
        raise SystemExit("the level epochs needs MNIST: set TINYNET_DATA to a folder that has it")
    started, setup = time.monotonic(), setup._replace(limit_s=900.0)
    versions = results.content["runs"][-1]["versions"]
    seeds = {"accuracy": args.seeds, "epoch": 2, "recipe": args.seeds}
    libraries = available(setup, args.libraries)
    todo = [
        (task, seed, library)
        for task in args.tasks for seed in range(seeds[task])
        for library in (["tinynet"] if task == "recipe" else libraries)
        if not results.has("epochs", task=task, seed=seed, library=library, threads=setup.threads)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        data.save(Path(folder), **data.mnist_splits())
        for task, seed, library in todo:
            if time.monotonic() - started > args.seconds:
                return False
            try:
                if task == "recipe":
                    record = _recipe(setup, seed)
                else:
                    mode = fastest_mode(results, library, setup.threads)
                    what = {"task": task, "net": NET, "mode": mode, "batch": BATCH, "seed": seed}
                    record, versions[library] = _train(setup, library, folder, args.most, what)
            except WorkerError as error:
                print(f"{task}, {TITLES[library]}: {error.last_line()}")
                continue
            if record:
                results.add("epochs", [record])
                print(show(record), flush=True)
    return True


def _train(
    setup: Setup, library: str, folder: str, most: int, what: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The record of one training in a process of its own, and the versions of the library there."""
    from .training import keras_net, load_library

    data.save(Path(folder), keras_net(load_library("tinynet", what["seed"]), NET).get_weights())
    with Worker(library, setup) as worker:
        answer = worker.ask("epochs", folder=folder, most=most, **what)
        return {**what, "library": library, "threads": setup.threads, **answer}, worker.ask("versions")


def fastest_mode(results: Results, library: str, threads: int) -> str:
    """The mode in which the library took the fewest seconds a step,
    if that was measured; else its usual one.
    """
    steps = [
        r for r in results.records("steps")
        if (r["library"], r["net"], r["batch"], r["threads"]) == (library, NET, BATCH, threads)
    ]  # fmt: skip
    return min(steps, key=lambda r: r["step_s"]["median"])["mode"] if steps else USUAL[library]


def _recipe(setup: Setup, seed: int) -> dict[str, Any] | None:
    """One run of tinynet's own recipe."""
    if not RECIPE.exists():
        print(f"{RECIPE.relative_to(ROOT)} is not there: tinynet's own recipe is left out")
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.json"
        command = [sys.executable, str(RECIPE), "--seed", str(seed), "--json", str(path)]
        done = subprocess.run(
            command,
            env=environment("tinynet", setup.threads),
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
        if done.returncode or not path.exists():
            raise WorkerError(f"{RECIPE.name} failed: {done.stderr.strip()[-500:]}")
        answer = json.loads(path.read_text(encoding="utf-8"))
    what = {"task": "recipe", "net": "own", "batch": 0, "library": "tinynet", "mode": "recipe", "curve": []}
    return {**what, **answer, "threads": setup.threads, "seed": seed}


def reached(record: dict[str, Any], goal: float) -> float | None:
    """Seconds of training after which the accuracy was `goal` for the first time; None if it never was."""
    return next((seconds for _, seconds, accuracy in record["curve"] if accuracy >= goal), None)


def show(record: dict[str, Any]) -> str:
    """One training as a line."""
    title = f"{record['task']:9} {TITLES[record['library']]}, {record['mode']}, seed {record['seed']}: "
    if record["task"] != "accuracy":
        return title + f"{record['seconds']:.2f} s, {record['accuracy']:.2%} of the test images right"
    goals = []
    for goal in (0.98, 0.99):
        seconds = reached(record, goal)
        goals.append(f"{goal:.0%} " + ("not reached" if seconds is None else f"after {table.time(seconds)}"))
    return title + ", ".join(goals)
