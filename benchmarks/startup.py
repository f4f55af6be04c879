"""Level `startup`: from the start of a process to the end of its first training step,
with empty caches and full ones.

Model 9 at a batch of 32, on MNIST if it is there and on random images if not; reading the data is part of it.
The first process compiles every kernel into caches of its own, the others find them there. `cpu_s` is the
time that all threads of the process worked, and those of the processes that compiled for it, `end_s` the end
of a run of two steps and a validation.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from . import table
from .process import ROOT, Setup, environment
from .results import Results


def work(started: float) -> dict[str, float]:
    """In the child: trains one step, then the rest of a short run."""
    import numpy as np

    import tinynet

    from . import data
    from .training import keras_net

    if tinynet.datasets.available("mnist"):
        (images, labels), _ = tinynet.datasets.mnist.load_data()
        x, y = images[:64, ..., None].astype(np.float32) / 255, labels[:64]
    else:
        x, y = (array[:64] for array in data.synthetic("mnist", 64).values())
    moments: dict[str, float] = {}

    def note(batch: int, logs: Any) -> None:
        moments.setdefault("wall_s", time.time() - started)
        moments.setdefault("cpu_s", sum(os.times()[:4]))

    step = tinynet.callbacks.LambdaCallback(on_train_batch_end=note)
    net = keras_net(tinynet, "model-9", ["accuracy"])
    net.fit(x, y, batch_size=32, validation_data=(x, y), callbacks=[step], verbose=0)
    return {**moments, "end_s": time.time() - started}


def run(results: Results, setup: Setup, args: argparse.Namespace) -> bool:
    """One start with empty caches, then `rounds` with full ones."""
    with tempfile.TemporaryDirectory() as folder:
        caches = {"TINYNET_CACHE_DIR": folder}
        if not os.environ.get("TINYNET_DATA"):
            print("TINYNET_DATA is not set: MNIST is used if it is in the user's cache")
        records = []
        for number in range(args.rounds + 1):
            command = [sys.executable, "-m", "benchmarks.startup", str(time.time())]
            variables = {**environment("tinynet", setup.threads), **caches}
            variables.pop("PYTHONDONTWRITEBYTECODE", None)  # or each start compiles tinynet's own source
            done = subprocess.run(
                command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(f"the process failed:\n{done.stderr[-1500:]}")
            answer = json.loads(done.stdout.splitlines()[-1])
            records.append({"caches": "full" if number else "empty", "number": number, **answer})
            print(show(records[-1]), flush=True)
        results.add("startup", records)
    return True


def show(record: dict[str, Any]) -> str:
    """One start as a line."""
    first, cpu, end = (table.time(record[name]) for name in ("wall_s", "cpu_s", "end_s"))
    return (
        f"caches {record['caches']:5}  {first} to the first step ({cpu} of processor time), "
        f"{end} to the end of a short run"
    )


if __name__ == "__main__":
    print(json.dumps(work(float(sys.argv[1]))))
