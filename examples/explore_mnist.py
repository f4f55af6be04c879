"""The explorer: a net learns for a while, and one more step of its training becomes a page for the browser.

    python examples/explore_mnist.py                  the VGG of mnist_vgg.py, after an epoch on MNIST
    python examples/explore_mnist.py --data digits    a small net, after ten epochs on the embedded digits

The page shows every number of the step with the code that computed it, on the four images with the highest
losses. `examples/pages/digits.html` is what the second line writes: open it without installing anything.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mnist_vgg import build, load, seed

import tinynet
from tinynet import datasets, layers

from shared.files import prepare
from shared.options import positive

EPOCHS = {"mnist": 1, "digits": 10}


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", choices=EPOCHS, default="mnist", help="what to learn (default: %(default)s)")
    add(
        "--epochs",
        type=positive,
        help="how often every image is seen (default: 1 on MNIST, 10 on the digits)",
    )
    add("--images", type=positive, default=4, help="images of the step (default: %(default)s)")
    add("--seed", type=seed, default=0, help="of weights, order and dropout (default: %(default)s)")
    add("--limit", type=positive, help="train on the first images only (default: all)")
    add(
        "--out",
        type=Path,
        default=Path("runs/explore_mnist"),
        help="where the page goes (default: %(default)s)",
    )
    return parser.parse_args(argv)


def small_net() -> tinynet.Sequential:
    """For images of 8x8 pixels: 3,458 parameters."""
    return tinynet.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Rescaling(1 / 16, name="scale"),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="edges"),
            layers.MaxPooling2D(name="pool"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.2, name="drop"),
            layers.Flatten(name="flat"),
            layers.Dense(24, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )


def net_and_data(name: str) -> tuple[tinynet.Sequential, np.ndarray, np.ndarray]:
    """The net to explore, and what it learns from."""
    images: Any
    if name == "digits":
        (images, labels), _ = datasets.digits.load_data()
        return small_net(), images[..., None], labels
    _, ((images, labels), _) = load("mnist")
    return build("vgg-bn-dropout", float(images.mean()), float(images.std())), images[..., None], labels


def main(argv: Sequence[str] | None = None) -> None:
    args = arguments(argv)
    prepare(args.out)
    tinynet.utils.set_random_seed(args.seed)
    net, x, y = net_and_data(args.data)
    x, y = x[: args.limit], y[: args.limit]
    net.compile(tinynet.optimizers.Adam(), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    net.fit(x, y, epochs=args.epochs or EPOCHS[args.data], verbose=2)
    tinynet.explore(net, x, y, args.out / f"{args.data}.html", images=args.images)


if __name__ == "__main__":
    main()
