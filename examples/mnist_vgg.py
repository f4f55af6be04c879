"""A VGG-style net learns MNIST: one command, a few minutes on a laptop.

    python examples/mnist_vgg.py
    python examples/mnist_vgg.py --quick      (the embedded 8x8 digits, seconds)
    python examples/mnist_vgg.py --epochs 5 --batch-size 32 --lr 0.001 --model vgg-bn

Blocks of 3x3 convolutions with 7, 14, 28 and 56 filters, each closed by max pooling, batch normalisation and
dropout, then a hidden layer of 100 sigmoid units: 98,774 parameters. The pictures, the figures and the
weights are written to --out.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

import tinynet
from tinynet import callbacks, datasets, kernels, layers, plotting

from shared.files import prepare
from shared.options import positive

BLOCKS = ((7, 2), (14, 2), (28, 3), (56, 3))  # (filters, convolutions) of each block
DROPOUT = (0.1, 0.2, 0.3, 0.4)  # after each block
MODELS = ("vgg", "vgg-bn", "vgg-bn-dropout")
NAMES = {"mnist": "MNIST", "digits": "the 8x8 digits"}
# There are 1,437 digits to learn from: it takes more epochs, of smaller batches, until the moving averages of
# batch normalisation have arrived.
DEFAULTS = {"mnist": {"epochs": 5, "batch_size": 32}, "digits": {"epochs": 20, "batch_size": 16}}


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--epochs", type=positive, help=f"how often every image is seen (default: {of_each('epochs')})")
    add("--batch-size", type=positive, help=f"images of a step (default: {of_each('batch_size')})")
    add("--lr", type=positive_float, default=0.001, help="learning rate of Adam (default: %(default)s)")
    add("--model", choices=MODELS, default="vgg-bn-dropout", help="which net (default: %(default)s)")
    add(
        "--data",
        choices=("auto", *NAMES),
        default="auto",
        help="auto: MNIST, or else the digits (default: %(default)s)",
    )
    quick = {"action": "store_const", "dest": "data", "const": "digits"}
    add("--quick", **quick, help="a look in seconds, the same as --data digits (default: no)")
    add(
        "--device",
        default="auto",
        help="where to compute: cpu, gpu, gpu:1, or auto, a GPU if there is one (default: %(default)s)",
    )
    add(
        "--conv",
        choices=("auto", "im2col", "naive"),
        default="auto",
        help="convolution kernels (default: %(default)s)",
    )
    add("--seed", type=seed, default=0, help="of weights, order and dropout (default: %(default)s)")
    add("--limit", type=positive, help="train on the first images only, for a quick look (default: all)")
    add(
        "--out",
        type=Path,
        default=Path("runs/mnist_vgg"),
        help="folder for what is written (default: %(default)s)",
    )
    return parser.parse_args(argv)


def of_each(setting: str) -> str:
    """The default of a setting that depends on the data: "5 on MNIST, 20 on the 8x8 digits"."""
    return ", ".join(f"{DEFAULTS[data][setting]} on {name}" for data, name in NAMES.items())


def positive_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a finite number above 0, got {text!r}")
    return value


def seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected an integer in 0..2**32 - 1, got {text!r}")
    return int(text)


def load(name: str) -> tuple[str, Any]:
    """Name of the data set and its arrays; `auto` falls back on the embedded digits, and says so."""
    if name != "digits":
        try:
            return "mnist", datasets.mnist.load_data()
        except datasets.DatasetCorrupted as error:
            sys.exit(str(error))
        except datasets.DatasetUnavailable as error:
            if name == "mnist":
                sys.exit(str(error))
            print(
                "MNIST is not on this machine and could not be downloaded: "
                "training on the embedded 8x8 digits instead."
            )
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data()
    return "digits", (
        (datasets.digits.upsample(x_train), y_train),
        (datasets.digits.upsample(x_test), y_test),
    )


def build(model: str, mean: float, std: float) -> tinynet.Sequential:
    """One of the three nets: plain, with batch normalisation, with batch normalisation and dropout."""
    net = tinynet.Sequential([layers.Input((28, 28, 1)), layers.Rescaling(1 / std, -mean / std)])
    for (filters, convolutions), rate in zip(BLOCKS, DROPOUT, strict=True):
        for _ in range(convolutions):
            net.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        net.add(layers.MaxPooling2D())
        if model != "vgg":
            net.add(layers.BatchNormalization())
        if model == "vgg-bn-dropout":
            net.add(layers.Dropout(rate))
    net.add(layers.Flatten())
    net.add(layers.Dense(100, activation="sigmoid"))
    if model == "vgg-bn-dropout":
        net.add(layers.Dropout(0.5))
    net.add(layers.Dense(10, activation="softmax"))
    return net


class EpochTimes(callbacks.Callback):
    """Seconds of each epoch, validation included."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds.append(time.perf_counter() - self.start)


def versions() -> dict[str, str]:
    from importlib.metadata import version

    packages = {name: version(name) for name in ("numpy", "numba")}
    return {"tinynet": tinynet.__version__, "python": platform.python_version(), **packages}


def report(
    net: tinynet.Sequential, history: Any, x: np.ndarray, y: np.ndarray, title: str, out: Path
) -> None:
    """Pictures and weights."""
    probabilities = net.predict(x, batch_size=512, verbose=0)
    plotting.save(plotting.history_curves(history, title=title), out / "history.png")
    plotting.save(plotting.mistakes(x, y, probabilities), out / "mistakes.png")
    first = next(layer for layer in net.layers if isinstance(layer, layers.Conv2D))
    plotting.save(plotting.filters(first.kernel.numpy()), out / "filters.png")
    net.save_weights(out / "weights.safetensors")


def main(argv: Sequence[str] | None = None) -> None:
    args = arguments(argv)
    prepare(args.out)
    try:
        tinynet.set_device(args.device)
    except (RuntimeError, ValueError) as error:
        sys.exit(f"--device {args.device}: {error}")
    tinynet.utils.set_random_seed(args.seed)
    dataset, ((x_train, y_train), (x_test, y_test)) = load(args.data)
    for setting, default in DEFAULTS[dataset].items():
        if getattr(args, setting) is None:
            setattr(args, setting, default)
    x_train, y_train = x_train[: args.limit, ..., None], y_train[: args.limit]
    x_test = x_test[..., None]

    net = build(args.model, float(x_train.mean()), float(x_train.std()))
    net.compile(
        tinynet.optimizers.Adam(args.lr), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    net.summary()
    place = tinynet.get_device()
    print(
        f"{len(x_train):,} images of {NAMES[dataset]} to learn from, "
        f"{len(x_test):,} to validate, on the {place}"
    )
    print(
        f"{args.epochs} epochs of batches of {args.batch_size}, learning rate {args.lr:g}, seed {args.seed}"
    )

    times = EpochTimes()
    with nullcontext() if args.conv == "auto" else kernels.use("conv2d", args.conv):
        fitted = net.fit(
            x_train,
            y_train,
            batch_size=args.batch_size,
            epochs=args.epochs,
            validation_data=(x_test, y_test),
            callbacks=[times],
        )
        report(net, fitted.history, x_test, y_test, f"{args.model} on {NAMES[dataset]}", args.out)

    accuracy = fitted.history["val_accuracy"]
    results = {
        "dataset": dataset,
        "device": place,
        "model": args.model,
        "history": fitted.history,
        "epoch_seconds": times.seconds,
        "final_val_accuracy": accuracy[-1],
        "best_val_accuracy": max(accuracy),
        "params": net.count_params(),
        "versions": versions(),
        "settings": {
            key: str(value) if isinstance(value, Path) else value for key, value in vars(args).items()
        },
    }
    with tinynet.utils.atomic_write(args.out / "results.json") as path:
        path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(
        f"validation accuracy on {NAMES[dataset]}: {accuracy[-1]:.2%} after the last epoch, "
        f"{max(accuracy):.2%} at best"
    )
    print(f"written to {args.out}: history.png, mistakes.png, filters.png, results.json, weights.safetensors")


if __name__ == "__main__":
    main()
