"""Seconds for one epoch of examples/mnist_vgg.py's net on MNIST, in tinynet and in Keras on its TensorFlow backend.

    python benchmarks/mnist_epoch.py --keras-python PATH_OF_A_PYTHON_WITH_KERAS_AND_TENSORFLOW

Every library runs in its own process, the processes alternate, and each trains two epochs with validation: the first holds
compilation, the second is the steady state. Both use the same data, batch size, net, loss and optimizer.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

BLOCKS = ((7, 2, 0.1), (14, 2, 0.2), (28, 3, 0.3), (56, 3, 0.4))  # (filters, convolutions, dropout)


def build(library: Any, mean: float, std: float) -> Any:
    """Model 9 through the API that both libraries share."""
    layers = library.layers
    net = library.Sequential([layers.Input((28, 28, 1)), layers.Lambda(lambda x: (x - mean) / std)])
    for filters, convolutions, rate in BLOCKS:
        for _ in range(convolutions):
            net.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        for layer in (layers.MaxPooling2D(), layers.BatchNormalization(), layers.Dropout(rate)):
            net.add(layer)
    for layer in (layers.Flatten(), layers.Dense(100, activation="sigmoid"), layers.Dropout(0.5)):
        net.add(layer)
    net.add(layers.Dense(10, activation="softmax"))
    net.compile(library.optimizers.Adam(0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def work(name: str, arrays: Path, batch_size: int) -> None:
    """Trains two epochs and prints a line of JSON."""
    if name == "keras":
        os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
        import keras as library
    else:
        import tinynet as library  # type: ignore[no-redef]
    with np.load(arrays) as data:
        x, y, x_test, y_test = (data[key] for key in ("x", "y", "x_test", "y_test"))
    library.utils.set_random_seed(0)
    net = build(library, float(x.mean()), float(x.std()))
    seconds, accuracies = [], []
    for _ in range(2):
        start = time.perf_counter()
        fitted = net.fit(x, y, batch_size=batch_size, epochs=1, validation_data=(x_test, y_test), verbose=0)
        seconds.append(time.perf_counter() - start)
        accuracies.append(fitted.history["val_accuracy"][-1])
    print(json.dumps({"seconds": seconds, "val_accuracy": accuracies}))


def run(python: str, name: str, arrays: Path, batch_size: int) -> dict[str, list[float]]:
    command = [python, __file__, "--worker", name, "--arrays", str(arrays), "--batch-size", str(batch_size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keras-python", help="interpreter of an environment with keras and tensorflow; left out without it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--worker", choices=("tinynet", "keras"), help=argparse.SUPPRESS)
    parser.add_argument("--arrays", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.worker, args.arrays, args.batch_size)
        return
    import tinynet

    pythons = {"tinynet": sys.executable, **({"keras": args.keras_python} if args.keras_python else {})}
    if "keras" not in pythons:
        print("Keras is left out: no --keras-python was given")
    (x, y), (x_test, y_test) = tinynet.datasets.mnist.load_data()
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "mnist.npz"
        np.savez(arrays, x=x[..., None], y=y, x_test=x_test[..., None], y_test=y_test)
        rounds = [
            {name: run(python, name, arrays, args.batch_size) for name, python in pythons.items()} for _ in range(args.rounds)
        ]
    steps = -(-len(x) // args.batch_size)
    for name in pythons:
        for epoch, label in ((0, "first epoch, with compilation"), (1, "second epoch")):
            seconds = statistics.median(each[name]["seconds"][epoch] for each in rounds)
            print(f"{name:8} {label:30} {seconds:7.2f} s  {1e3 * seconds / steps:6.2f} ms a step, validation included")


if __name__ == "__main__":
    main()
