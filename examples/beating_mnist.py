"""From softmax regression to several nets with pseudo-labels: Models 1 to 13 of "Beating MNIST" (2017).

    python examples/beating_mnist.py --quick          (the embedded digits, seconds)
    python examples/beating_mnist.py --model 9        (a model, with the demonstrations that belong to it)
    python examples/beating_mnist.py                  (everything; goes on where it was stopped)
    python examples/beating_mnist.py --validate --seeds 3 --rows S1-07 S1-08    (without the test images)

Each model adds one idea to the one before: normalised pixels, a hidden layer, three of them, convolutions,
pooling, VGG blocks, batch norm, dropout, augmented images, a rate that falls, several nets, and images
without labels. The nets are in beating_mnist_models.py, their trainings in beating_mnist_training.py and (of
several nets) beating_mnist_nets.py, what the notebook printed in beating_mnist_rows.py.

As in the notebook the test images are looked at after each epoch; no epoch is chosen by them: accuracies are
those after the last one. Rows with an arm "as executed" repeat what the notebook really did where a bug made
it do something else than it says. Rows "improved" have numbers of ours, such as a highest rate of 0.003 or a
momentum of 0.9; no search is kept that shows how they came about. What they gain without a look at the test
images is asked with `--validate`: the last 10,000 training images take their place.

Keras's defaults have changed since: in 2017 batch norm added 1e-5 to the variance (1e-3 now), and he_normal
was not truncated. The nets here have the defaults of today.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from beating_mnist_demos import DEMOS, PREDICTED
from beating_mnist_models import shaped
from beating_mnist_nets import Nets, model_12, model_13
from beating_mnist_pictures import draw
from beating_mnist_rows import MODELS, ROWS
from beating_mnist_training import (
    RATE,
    SIGMOID_RATE,
    augmented,
    falling,
    model_11,
    net_for,
    plain,
    trained_on,
)

from tinynet import utils

from shared.data import load as images_of
from shared.study import Study, parser

Data = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

# {row: (model, batch size, epochs)} of the rows that are one call of `fit` on the images as they are.
PLAIN = {
    "S1-03": (1, 32, 10), "S1-06": (2, 32, 5), "S1-07": (3, 32, 5), "S1-08": (4, 32, 5), "S1-09": (5, 32, 5),
    "S1-11": (6, 32, 5), "S1-12": (7, 32, 4), "S1-13": (8, 32, 5), "S1-15": (9, 32, 5),
}  # fmt: skip


HELD_OUT = 10000  # training images that --validate asks instead of the test images


def load(quick: bool = False, validate: bool = False) -> Data:
    """((x, y), (x_test, y_test)): images (N, 28, 28) of bytes, labels (N,). For a quick look every second
    one of the embedded digits has to do. To validate, the last images are not learned from but asked.
    """
    learn, test = images_of("mnist", quick)
    if validate:
        x, y = learn
        learn, test = (x[:-HELD_OUT], y[:-HELD_OUT]), (x[-HELD_OUT:], y[-HELD_OUT:])
    return ((learn[0][::2], learn[1][::2]), test) if quick else (learn, test)


def train(row: Any, data: Data, seed: int) -> dict[str, Any]:
    """The record of a row's training."""
    (x, y), (x_test, y_test) = data
    learn, test = shaped(x, y), shaped(x_test, y_test)
    improved = row.arm == "improved"
    if row.id in PLAIN:
        model, batch, epochs = PLAIN[row.id]
        if row.id == "S1-07" and row.arm:
            epochs = 10  # as the notebook really trained Model 3
        rate: Any = RATE
        if improved:
            rate = falling(SIGMOID_RATE if model == 3 else RATE, len(x), batch, epochs)
        return plain(net_for(learn, model, improved), learn, test, batch, epochs, rate)
    if row.id == "S1-04":
        return trained_on(net_for(learn, 1), learn, test, 1e-8 if row.arm == "as intended" else RATE)
    if row.id == "S1-17":
        return augmented(net_for(learn, 9, improved), learn, test, 10, seed, improved)
    return model_11(row, learn, test, seed)


def chosen(argv: Sequence[str] | None) -> Any:
    made = parser(ROWS, __doc__, "beating_mnist")
    which = made.add_mutually_exclusive_group()
    which.add_argument("--model", type=int, choices=MODELS, metavar="N", help="the rows of Model 1 to 13")
    which.add_argument("--all", action="store_true", help="all rows (this is the default)")
    made.add_argument(
        "--validate", action="store_true",
        help="ask held-out training images, not the test images; kept in a folder of --out (default: no)",
    )  # fmt: skip
    args = made.parse_args(argv)
    if args.validate and args.quick:
        made.error("--validate holds back 10,000 of MNIST's images: give it without --quick")
    if args.validate:
        args.out = (args.out or Path("runs") / "beating_mnist") / "validate"
    if args.model:
        if args.rows != made.get_default("rows"):
            made.error("--model is short for some rows: give it or --rows, not both")
        args.rows = list(MODELS[args.model])
    return args


def keep(study: Study, row: Any, seed: int, record: dict[str, Any]) -> None:
    """Writes a run; probabilities of the test images, if there are, beside it."""
    probabilities = record.pop("probabilities", None)
    if probabilities is not None:
        with utils.atomic_write(study.run_file(row, seed, ".npz")) as path, path.open("wb") as file:
            np.savez_compressed(file, probabilities=probabilities)
    study.keep(row, seed, record)


def of_best_model(study: Study, data: Data) -> np.ndarray | None:
    """Probabilities of the test images by the notebook's `best_model`, which is S1-19's, of --seed. It is
    trained if it is needed for a row to run; else another seed's does too, or None if there is none.
    """
    row, seed = next(row for row in ROWS if row.name == "S1-19, as intended"), study.args.seed
    seeds = [run["seed"] for run in study.runs(row)]
    kept = [number for number in seeds if study.run_file(row, number, ".npz").exists()]
    needed = not study.args.draw and any(one.id in PREDICTED for one in study.chosen)
    if seed not in kept and needed:
        print(f"{row.name}: the model whose predictions are shown, seed {seed}", flush=True)
        utils.set_random_seed(seed)
        keep(study, row, seed, train(row, data, seed))
    elif seed not in kept:
        if not kept:
            return None
        seed = kept[0]
    with np.load(study.run_file(row, seed, ".npz"), allow_pickle=False) as arrays:
        return arrays["probabilities"]


def main(argv: Sequence[str] | None = None) -> None:
    study = Study("beating_mnist", ROWS, chosen(argv))
    data = load(study.quick, study.args.validate)
    nets = Nets(*(shaped(*images) for images in data), study)
    for row, seed in study.to_run():
        if row.id in DEMOS:
            best = of_best_model(study, data) if row.id in PREDICTED else None
            study.keep(row, seed, {"values": DEMOS[row.id](*data, best, seed)})
        elif row.id in ("S1-20", "S1-21"):
            averaged = model_12(nets, seed) if row.id == "S1-20" else model_13(nets, row.arm, seed)
            keep(study, row, seed, averaged)
        else:
            keep(study, row, seed, train(row, data, seed))
    shown = any(row.id in PREDICTED for row in study.rows)
    draw(study, data, of_best_model(study, data) if shown else None)
    study.write()


if __name__ == "__main__":
    main()
