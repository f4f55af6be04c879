"""One net, as many digits of MNIST right as a few minutes on two cores allow.

    python examples/mnist_best.py --validate          (holds out and asks the last 10,000 training images)
    python examples/mnist_best.py --seeds 5           (learns from all 60,000, asks the test images once)
    python examples/mnist_best.py --quick             (the embedded 8x8 digits, a few seconds)

Six 3x3 convolutions of 32, 48 and 96 filters, each followed by batch normalisation; 178,538 parameters. Every
image is turned, sheared, zoomed and moved differently each time it is seen. One cycle of the learning rate
(Smith, 2018) with AdamW, labels smoothed by 0.05, dropout before the last layer.

The net is asked twice: the image as it is, and five views of it, moved by one pixel up, down, left and right
or not at all, whose probabilities are averaged. Both accuracies are reported.

Each seed leaves its result in --out/seedN.json. A run with the same settings that is found there is not
repeated, so that seeds can be computed one by one, and joined by a last call with all of them.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import tinynet
from tinynet import datasets, layers, plotting
from tinynet.losses import CategoricalCrossentropy
from tinynet.optimizers import AdamW
from tinynet.plotting import figure
from tinynet.preprocessing.image import ImageDataGenerator
from tinynet.schedules import OneCycle

from shared.files import prepare, write_json
from shared.options import natural, positive
from shared.records import kept

FILTERS = (32, 48, 96)
BATCH, PEAK, DECAY, SMOOTHING, DROPOUT = 128, 0.004, 0.01, 0.05, 0.4
AUGMENTATION = {
    "rotation_range": 12,  # degrees, as is shear_range
    "shear_range": 10,
    "zoom_range": 0.1,
    "width_shift_range": 2.0,  # pixels
    "height_shift_range": 2.0,
    "fill_mode": "constant",
}
VIEWS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))  # rows down, columns right


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--seed", type=natural, default=0, help="of the first run (default: %(default)s)")
    add("--seeds", type=positive, default=1, help="number of runs, a seed each (default: %(default)s)")
    add("--epochs", type=positive, help="how often every image is seen (default: 15, with --quick 8)")
    add(
        "--validate",
        action="store_true",
        help="hold out a sixth of the training images and ask them (default: ask the test images)",
    )
    add("--quick", action="store_true", help="learn the embedded 8x8 digits, for a look (default: MNIST)")
    folder = "runs/mnist_best, with --quick or --validate mnist_best-quick, -validate there"
    add("--out", type=Path, help=f"folder for results and pictures (default: {folder})")
    args = parser.parse_args(argv)
    if args.seed + args.seeds > 2**32:
        parser.error(f"seeds must stay below 2**32, got --seed {args.seed}, --seeds {args.seeds}")
    kind = "-quick" * args.quick + "-validate" * args.validate
    args.out = args.out or Path("runs") / f"mnist_best{kind}"
    args.epochs = args.epochs or (8 if args.quick else 15)
    return args


def load(quick: bool, validate: bool) -> tuple[np.ndarray, ...]:
    """x, y to learn from and x, y to ask afterwards; x (M, 28, 28, 1) of bytes."""
    data = datasets.digits if quick else datasets.mnist
    try:
        (x, y), (x_asked, y_asked) = data.load_data()
    except (datasets.DatasetCorrupted, datasets.DatasetUnavailable) as error:
        sys.exit(f"{error}\n--quick needs no download")
    if quick:
        x, x_asked = datasets.digits.upsample(x), datasets.digits.upsample(x_asked)
    if validate:
        first = len(x) - len(x) // 6
        x, y, x_asked, y_asked = x[:first], y[:first], x[first:], y[first:]
    return x[..., None], y, x_asked[..., None], y_asked


def build(mean: float, std: float) -> tinynet.Sequential:
    """The net. Sizes of its maps: 28, 26, 24, 12, 6, 3."""
    net = tinynet.Sequential([layers.Input((28, 28, 1)), layers.Rescaling(1 / std, -mean / std)])
    for stage, filters in enumerate(FILTERS):
        for _ in range(2):
            padding = "same" if stage else "valid"
            net.add(
                layers.Conv2D(filters, 3, padding=padding, use_bias=False, kernel_initializer="he_normal")
            )
            net.add(layers.BatchNormalization(momentum=0.9))
            net.add(layers.Activation("relu"))
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dropout(DROPOUT))
    net.add(layers.Dense(10, activation="softmax"))
    return net


def train(x: np.ndarray, y: np.ndarray, seed: int, epochs: int) -> tuple[tinynet.Sequential, dict[str, Any]]:
    """A net trained from random weights, and what its training was."""
    tinynet.utils.set_random_seed(seed)
    net = build(float(x.mean()), float(x.std()))
    truth = np.eye(10, dtype=np.float32)[y]  # smoothing is defined for rows of probabilities
    batches = ImageDataGenerator(**AUGMENTATION).flow(x, truth, batch_size=BATCH, seed=seed)
    rate = OneCycle(PEAK, total_steps=max(epochs * len(batches), 2))
    loss = CategoricalCrossentropy(label_smoothing=SMOOTHING)
    net.compile(AdamW(rate, weight_decay=DECAY), loss, metrics=["accuracy"])
    start = time.perf_counter()
    history = net.fit(batches, epochs=epochs).history
    seconds = time.perf_counter() - start
    run = {"seconds": seconds, "steps": net.optimizer.iterations, "params": net.count_params()}
    return net, {"seed": seed, **run, "history": history}


def moved(x: np.ndarray, down: int, right: int) -> np.ndarray:
    """The images x (M, H, W, 1), moved by at most one pixel, black coming in."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return padded[:, 1 - down : 1 - down + x.shape[1], 1 - right : 1 - right + x.shape[2]]


def ask(net: tinynet.Sequential, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Accuracy of the images as they are and of their views, and what remains wrong in the views."""
    views = [net.predict(moved(x, *view), batch_size=500, verbose=0) for view in VIEWS]
    mean = np.mean(views, axis=0)
    predicted = mean.argmax(axis=1)
    errors = [
        {
            "image": int(i),
            "label": int(y[i]),
            "predicted": int(predicted[i]),
            "probability": float(mean[i].max()),
        }
        for i in np.flatnonzero(predicted != y)
    ]
    plain = float((views[0].argmax(axis=1) == y).mean())
    return {"accuracy": plain, "accuracy_views": float((predicted == y).mean()), "errors": errors}


def settings(args: argparse.Namespace) -> dict[str, Any]:
    """All that a result depends on, besides its seed."""
    chosen = {"epochs": args.epochs, "validate": args.validate, "quick": args.quick, "filters": list(FILTERS)}
    numbers = {"batch": BATCH, "peak": PEAK, "decay": DECAY, "smoothing": SMOOTHING, "dropout": DROPOUT}
    return {**chosen, **numbers, "augmentation": AUGMENTATION}


def one_seed(args: argparse.Namespace, seed: int, data: tuple[np.ndarray, ...]) -> dict[str, Any]:
    """What a training was, and what its net knows."""
    x, y, x_asked, y_asked = data
    net, run = train(x, y, seed, args.epochs)
    return run | ask(net, x_asked, y_asked)


def curves(runs: list[dict[str, Any]]) -> Any:
    """Accuracy on the augmented training images over the epochs: mean, and lowest to highest seed."""
    accuracy = 100 * np.array([run["history"]["accuracy"] for run in runs])
    picture = plotting.figure.new_figure(6, 4, "Images learned from, as they were augmented")
    axes, epochs = picture.subplots(), np.arange(1, accuracy.shape[1] + 1)
    axes.fill_between(epochs, accuracy.min(axis=0), accuracy.max(axis=0), color=figure.BLUE, alpha=0.25)
    axes.plot(epochs, accuracy.mean(axis=0), color=figure.BLUE, label=f"mean of {len(runs)}; band: all seeds")
    axes.set(xlabel="epoch", ylabel="accuracy in %", ylim=(None, 100))
    axes.legend(loc="lower right")
    return picture


def wrong(run: dict[str, Any], x: np.ndarray) -> Any:
    """The images that a net reads wrongly, the most confident mistakes first."""
    errors = sorted(run["errors"], key=lambda error: -error["probability"])
    if not errors:
        return plotting.figure.message("no image is read wrongly")
    title = f"All {len(errors)} errors of seed {run['seed']}: label, prediction, its probability"
    picture, panels = figure.image_grid(len(errors), 8, (1.15, 1.35), title)
    for axes, error in zip(panels, errors, strict=True):
        figure.show_image(axes, x[error["image"]])
        words = f"{error['label']}, not {error['predicted']}\n{error['probability']:.0%}"
        axes.set_title(words, fontsize=9)
    return picture


def main(argv: Sequence[str] | None = None) -> None:
    args = arguments(argv)
    prepare(args.out)
    data = load(args.quick, args.validate)
    asked = "validation" if args.validate else "test"
    runs = []
    for seed in range(args.seed, args.seed + args.seeds):
        run = kept(args.out, seed, settings(args), partial(one_seed, args, seed, data))
        runs.append(run)
        share = f"{run['accuracy']:.2%} of the {len(data[3]):,} {asked} images"
        by_views = f"{run['accuracy_views']:.2%} by views"
        print(f"seed {seed}: {share}, {by_views}; {run['seconds']:.0f} s of training", flush=True)
    result: dict[str, Any] = {"asked": asked, "settings": settings(args)}
    for key in ("accuracy", "accuracy_views", "seconds"):
        values = [run[key] for run in runs]
        result[key] = {"mean": statistics.fmean(values), "lowest": min(values), "highest": max(values)}
    write_json(args.out / "results.json", {**result, "runs": runs})
    plotting.save(curves(runs), args.out / "curves.png")
    plotting.save(wrong(runs[0], data[2]), args.out / "errors.png")
    for key, name in (("accuracy", "as they are"), ("accuracy_views", "by views")):
        print(f"{name}: mean {result[key]['mean']:.2%}, lowest {result[key]['lowest']:.2%}")
    print(f"written to {args.out}: results.json, curves.png, errors.png, a file of each seed")


if __name__ == "__main__":
    main()
