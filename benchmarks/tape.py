"""Level `tape`: 150 operations on a handful of numbers, forward and backward: what the tape itself costs.

    python -m benchmarks tape
    python -m benchmarks tape --against ../before/.venv/bin/python
        beside another checkout, by its interpreter

Every measurement is a process of its own, which takes the fastest of many runs; the checkouts take turns.
Printed, not kept. This file runs as the child, too, in whatever checkout the interpreter has: so it imports
nothing of its neighbours there.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import time

REPEATS = 300


def work() -> dict[str, float]:
    """Seconds of 150 operations on constants, and of them on the tape with backward."""
    import numpy as np

    from tinynet import Tensor, ops

    def operations(x: Tensor) -> Tensor:
        for _ in range(15):  # of ten each
            y = ops.tanh(x * 0.9 + 0.1) * x
            y = ops.exp(-y) / (x + 2.0)
            x = ops.square(y) - x
        return x

    def backward() -> None:
        x = Tensor(numbers, requires_grad=True)
        ops.sum(operations(x)).backward()

    def fastest(function: object) -> float:
        found = []
        for _ in range(REPEATS):
            start = time.process_time()
            function()  # type: ignore[operator]
            found.append(time.process_time() - start)
        return min(found)

    numbers = np.linspace(0.1, 0.9, 8, dtype=np.float32)
    backward()
    gc.disable()
    return {"forward": fastest(lambda: operations(Tensor(numbers))), "backward": fastest(backward)}


def run(args: argparse.Namespace) -> None:
    """Prints the fastest of each checkout, and how they compare."""
    from . import table

    checkouts = {"this checkout": sys.executable, **({"the other": args.against} if args.against else {})}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    for _ in range(args.rounds):
        for name, python in checkouts.items():
            found[name].append(_measured(python))
    best = {name: {key: min(one[key] for one in times) for key in times[0]} for name, times in found.items()}
    for name, times in best.items():
        forward, backward = table.time(times["forward"]), table.time(times["backward"])
        print(f"{name:13}  150 operations {forward}, on the tape with backward {backward}")
    if args.against:
        ours, theirs = best.values()
        ratios = {key: ours[key] / theirs[key] for key in ours}
        print(f"{'ratio':13}  {ratios['forward']:.2f}, on the tape with backward {ratios['backward']:.2f}")


def _measured(python: str) -> dict[str, float]:
    command, variables = [python, os.path.abspath(__file__)], {**os.environ, "TINYNET_NUM_THREADS": "1"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{python} failed:\n{done.stderr[-1500:]}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    print(json.dumps(work()))
