"""Runs the cases in Keras on PyTorch and on JAX, checks that both agree, and writes what came out to stored/.

    cd tests && python -m keras_fixtures.make [topic ...]

Needs keras 3, torch and jax; tinynet is not involved. What differs between the two is an error: such a case
compares backends, not semantics, and has to be rewritten.
"""

import os
import subprocess
import sys
import tempfile
import traceback
from itertools import combinations
from pathlib import Path

import numpy as np

from keras_fixtures.harness import CASES, STORED, TOPICS, distance, execute, load_cases, store, stored

BACKENDS = ("torch", "jax")
AGREE = {"rtol": 2e-4, "atol": 2e-6}  # ten times closer than tinynet must come
# Cases that only one of the two gets right.
TRUSTED = {
    "metrics/reported-binary_counts": (
        "jax",
        "on PyTorch, counts of training alias those of the validation after it",
    ),
    "normalization/layer-axis": ("jax", "on PyTorch, an axis that is not the last one is an error"),
    "pooling/pool1d-average_same": (
        "jax",
        "on PyTorch, uneven padding repeats the border instead of not counting",
    ),
    "callbacks/lambdas": ("torch", "on JAX, a rate assigned within an epoch takes effect after it"),
}


def run_all(topic: str, folder: Path) -> None:
    """In a process with one backend: all cases of a topic, to a file in `folder`."""
    import keras

    results = {}
    for name, one in load_cases().items():
        if one.topic == topic:
            keras.utils.clear_session()
            keras.utils.set_random_seed(0)
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    results[name] = execute(one, keras, Path(scratch))
                except Exception:
                    print(f"--- {name} fails on {keras.backend.backend()}:", file=sys.stderr)
                    traceback.print_exc()
    store(topic, results, f"keras {keras.__version__}, {keras.backend.backend()}", folder)


def join(topic: str, folders: dict[str, Path]) -> bool:
    """Compares what the backends gave and stores the first one's results; whether all was well."""
    first, second = (stored(topic, folders[backend]) for backend in BACKENDS)
    for name in TRUSTED:
        trusted = stored(topic, folders[TRUSTED[name][0]])
        first |= {name: trusted[name]} if name in trusted else {}
    wanted = [name for name, one in load_cases().items() if one.topic == topic]
    common = [name for name in wanted if name in first and (name in second or name in TRUSTED)]
    problems = [f"{name}: no result" for name in wanted if name not in common]
    for name in common:
        if name not in TRUSTED and (apart := distance(second[name], first[name], **AGREE)) > 1:
            problems.append(f"{name}: the backends are {apart:.3g} tolerances apart")
        if not all(np.isfinite(a).all() for a in first[name].values()) and "nan" not in name:
            problems.append(f"{name}: not finite")
    for a, b in combinations(common, 2):
        if CASES[a].family == CASES[b].family and distance(first[a], first[b], rtol=0.02, atol=1e-4) <= 1:
            problems.append(f"{a} and {b} cannot be told apart: make their options matter more")
    print("\n".join(problems) or f"{topic}: {len(common)} cases agree")
    store(topic, {name: first[name] for name in common}, "keras 3, torch backend; jax agrees")
    return not problems


def main() -> None:
    if sys.argv[1:2] == ["--run"]:
        run_all(sys.argv[2], Path(sys.argv[3]))
        return
    STORED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folders = {backend: Path(scratch, backend) for backend in BACKENDS}
        for topic in sys.argv[1:] or TOPICS:
            for backend, folder in folders.items():
                folder.mkdir(exist_ok=True)
                command = [sys.executable, "-m", "keras_fixtures.make", "--run", topic, str(folder)]
                subprocess.run(command, check=True, env={**os.environ, "KERAS_BACKEND": backend})
            join(topic, folders)


if __name__ == "__main__":
    main()
