"""A residual net learns MNIST from images turned, moved and scaled: the training vocabulary in one file.

    python examples/residual_net.py
    python examples/residual_net.py --epochs 5 --out runs/residual_net

Three stages of 8, 16 and 32 filters, each of two convolutions whose sum with a shortcut goes on
(He et al., "Deep residual learning for image recognition", CVPR 2016). One cycle of the learning rate
(Smith, 2018), weight decay, and an average of the weights at the end. Stop it at any moment, with Ctrl-C or
kill -9, and start it again: it goes on where it was, with the same bits. Written to --out: the graph of the
net, live curves, the best net and the final one.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import tinynet
from tinynet import callbacks, datasets, layers, plotting
from tinynet.models import Model, load_model
from tinynet.optimizers import AdamW
from tinynet.preprocessing.image import ImageDataGenerator
from tinynet.schedules import OneCycle

from shared.files import prepare
from shared.options import natural, positive

DEFAULTS = {"mnist": {"epochs": 5, "batch_size": 128}, "digits": {"epochs": 20, "batch_size": 32}}


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--epochs", type=positive, help=f"how often every image is seen (default: {of_each('epochs')})")
    add("--batch-size", type=positive, help=f"images of a step (default: {of_each('batch_size')})")
    add("--lr", type=float, default=0.004, help="highest learning rate of the cycle (default: %(default)s)")
    add(
        "--data",
        choices=tuple(DEFAULTS),
        default="mnist",
        help="digits: embedded, for a quick look (default: %(default)s)",
    )
    add(
        "--device",
        default="auto",
        help="where to compute: cpu, gpu, gpu:1, or auto, a GPU if there is one (default: %(default)s)",
    )
    add("--limit", type=positive, help="train on the first images only, for a quick look (default: all)")
    add("--seed", type=natural, default=0, help="of weights, order and augmentation (default: %(default)s)")
    add(
        "--out",
        type=Path,
        default=Path("runs/residual_net"),
        help="folder for pictures and nets (default: %(default)s)",
    )
    args = parser.parse_args(argv)
    for setting, default in DEFAULTS[args.data].items():
        if getattr(args, setting) is None:
            setattr(args, setting, default)
    return args


def of_each(setting: str) -> str:
    """The default of a setting that depends on the data: "5 for mnist, 20 for digits"."""
    return ", ".join(f"{values[setting]} for {data}" for data, values in DEFAULTS.items())


def load(name: str, limit: int | None) -> tuple[Any, Any]:
    """((images, labels) to learn from, (images, labels) to validate), images (N, 28, 28, 1)."""
    try:
        (x, y), (x_test, y_test) = getattr(datasets, name).load_data()
    except (datasets.DatasetUnavailable, datasets.DatasetCorrupted) as error:
        sys.exit(f"{error}\n--data digits needs no download")
    if name == "digits":
        x, x_test = datasets.digits.upsample(x), datasets.digits.upsample(x_test)
    return (x[:limit, ..., None], y[:limit]), (x_test[..., None], y_test)


def block(x: Any, filters: int) -> Any:
    """Two convolutions, and the shortcut around them:
    a 1x1 convolution where the number of channels changes.
    """
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    y = layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(y))
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(y)
    y = layers.BatchNormalization(momentum=0.9)(y)
    shortcut = x if x.shape[-1] == filters else layers.Conv2D(filters, 1)(x)
    return layers.Activation("relu")(layers.Add()([y, shortcut]))


def build() -> Model:
    image = layers.Input((28, 28, 1), name="image")
    x = layers.Rescaling(1 / 78.6, -33.3 / 78.6)(image)  # mean 0, variance 1 over MNIST
    for i, filters in enumerate((8, 16, 32)):
        x = layers.MaxPooling2D()(x) if i else x
        x = block(x, filters)
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    return Model(image, layers.Dense(10, activation="softmax", name="digit")(x), name="residual_net")


def main(argv: Sequence[str] | None = None) -> None:
    args = arguments(argv)
    prepare(args.out)
    try:
        tinynet.set_device(args.device)
    except (RuntimeError, ValueError) as error:
        sys.exit(f"--device {args.device}: {error}")
    tinynet.utils.set_random_seed(args.seed)
    (x, y), validation = load(args.data, args.limit)
    turned = ImageDataGenerator(
        rotation_range=10, zoom_range=0.1, width_shift_range=0.08, height_shift_range=0.08
    )
    batches = turned.flow(x, y, batch_size=args.batch_size, seed=args.seed)

    net = build()
    rate = OneCycle(args.lr, total_steps=max(len(batches) * args.epochs, 2))
    optimizer = AdamW(rate, weight_decay=0.01, use_ema=True, ema_momentum=0.98)
    net.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    net.summary(batch_size=args.batch_size)
    plotting.plot_model(net, args.out / "graph.png")
    fitted = net.fit(
        batches,
        epochs=args.epochs,
        validation_data=validation,
        validation_batch_size=512,
        callbacks=[
            callbacks.LiveCurves(args.out / "curves.png", title="residual net"),
            callbacks.ModelCheckpoint(args.out / "best.tinynet", monitor="val_accuracy", save_best_only=True),
            callbacks.BackupAndRestore(args.out / "backup", save_freq=100),
        ],
    )
    net.save(args.out / "net.tinynet")

    again = load_model(args.out / "net.tinynet")  # architecture, weights, optimizer
    accuracy = again.evaluate(*validation, batch_size=512, verbose=0, return_dict=True)["accuracy"]
    assert np.array_equal(
        again.predict(validation[0][:64], verbose=0), net.predict(validation[0][:64], verbose=0)
    )
    best = max(fitted.history["val_accuracy"])
    print(
        f"validation accuracy: {accuracy:.2%} with averaged weights, {best:.2%} at the end of the best epoch"
    )
    print(f"written to {args.out}: graph.png, curves.png, best.tinynet, net.tinynet")


if __name__ == "__main__":
    main()
