"""Seconds from the start of a process to the end of its first training step, with empty caches and with full ones.

    python benchmarks/startup.py

The net and the batch size are those of examples/mnist_vgg.py, on MNIST if it is there and on random images if not. The first
process compiles every kernel into caches of its own, the others find them there.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time


def work(started: float) -> None:
    """Trains one step, then the rest of a short run, and prints the seconds each took since `started`."""
    import numpy as np
    from mnist_epoch import build

    import tinynet

    if tinynet.datasets.available("mnist"):
        (x, y), (x_test, y_test) = tinynet.datasets.mnist.load_data()
    else:
        random = np.random.default_rng(0)
        x, x_test = (random.integers(0, 256, (n, 28, 28), np.uint8) for n in (60_000, 10_000))
        y, y_test = (random.integers(0, 10, n) for n in (60_000, 10_000))
    x, y = x[:64, ..., None], y[:64]
    moments: list[float] = []
    step = tinynet.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: moments.append(time.time() - started))
    net = build(tinynet, 33.3, 78.6)
    validation = (x_test[:64, ..., None], y_test[:64])
    net.fit(x, y, batch_size=32, validation_data=validation, callbacks=[step], verbose=0)
    print(f"{moments[0]:.2f} s to the first step, {time.time() - started:.2f} s to the end of a short run")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--worker", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker is not None:
        work(args.worker)
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder, "TINYNET_CACHE_DIR": folder}
        if not os.environ.get("TINYNET_DATA"):
            print("TINYNET_DATA is not set: MNIST is used if it is in the user's cache")
        for caches in ("empty", "full", "full", "full"):
            command = [sys.executable, __file__, "--worker", str(time.time())]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            print(f"caches {caches:5}  {done.stdout.strip()}")


if __name__ == "__main__":
    main()
