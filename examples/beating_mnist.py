"""From 62 % to 99.6 % of MNIST's test images: Models 1 to 13 of the notebook "Beating MNIST" (2017).

    python examples/beating_mnist.py --quick          (the embedded digits, seconds)
    python examples/beating_mnist.py --model 9        (a model, with the demonstrations that belong to it)
    python examples/beating_mnist.py                  (everything; goes on where it was stopped)

Each model adds one idea to the one before: normalised pixels, a hidden layer, three of them, convolutions,
pooling, VGG blocks, batch norm, dropout, augmented images, a rate that falls, several nets, and images
without labels. The nets are in beating_mnist_models.py, what the notebook printed in beating_mnist_rows.py.

As in the notebook the test images are looked at after each epoch; nothing is chosen by them. Accuracies are
those after the last epoch. Rows with an arm "as executed" repeat what the notebook really did where a bug
made it do something else than it says.

Keras's defaults have changed since: in 2017 batch norm added 1e-5 to the variance (1e-3 now), and he_normal
was not truncated. The nets here have the defaults of today.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from beating_mnist_demos import DEMOS, PREDICTED
from beating_mnist_models import build, generator, shaped
from beating_mnist_pictures import draw
from beating_mnist_rows import MODELS, ROWS

from tinynet import optimizers, utils
from tinynet.schedules import CosineDecay

from shared.data import load as images_of
from shared.data import scalars, split
from shared.study import Study, parser
from shared.training import fit, joined

Data = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

# {row: (model, batch size, epochs)} of the rows that are one call of `fit` on the images as they are.
PLAIN = {
    "S1-03": (1, 32, 10), "S1-06": (2, 32, 5), "S1-07": (3, 32, 5), "S1-08": (4, 32, 5), "S1-09": (5, 32, 5),
    "S1-11": (6, 32, 5), "S1-12": (7, 32, 4), "S1-13": (8, 32, 5), "S1-15": (9, 32, 5),
}  # fmt: skip
RATE = 0.001  # Adam's default
SIGMOID_RATE = 0.002  # the highest one of Model 3, improved: a sigmoid passes back a quarter at most
AUGMENTED_BATCH, AUGMENTED_RATE = 128, 0.003  # the highest rate of the improved arms
# Model 11: (rate, epochs, augmented); the images as they are come 64 at a time, augmented ones 128.
ANNEALING = (
    (1e-4, 1, False),
    (1e-2, 3, False),
    (1e-2, 4, True),
    (1e-3, 5, True),
    (1e-4, 5, True),
    (1e-5, 5, True),
)
NETS, STUDENTS, EPOCHS = 5, 3, 23  # of Models 12 and 13
SHARE = 4  # one image of so many in a batch is pseudo-labelled


def load(quick: bool = False) -> Data:
    """((x, y), (x_test, y_test)): images (N, 28, 28) of bytes, labels (N,). For a quick look every second
    one of the embedded digits has to do.
    """
    learn, test = images_of("mnist", quick)
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
    if row.id in ("S1-18", "S1-19"):
        return model_11(row, learn, test, seed)
    if row.id == "S1-20":
        nets = [one_of_many(learn, test, seed * NETS + number) for number in range(NETS)]
        return averaged(nets, y_test)
    return pseudo_labelled(row.arm, learn, test, seed)


def net_for(learn: Any, model: int, improved: bool = False) -> Any:
    return build(model, *scalars(learn[0]), improved)


def ready(net: Any, rate: Any = RATE) -> Any:
    """The net with Adam. The loss is that of probabilities: they are clipped to 1e-7 .. 1 - 1e-7."""
    net.compile(optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    return net


def falling(rate: float, images: int, batch: int, epochs: int) -> Any:
    """A rate that falls to 0 in a half cosine, once per step."""
    return CosineDecay(rate, math.ceil(images / batch) * epochs)


def plain(net: Any, learn: Any, test: Any, batch: int, epochs: int, rate: Any) -> dict[str, Any]:
    """Models 1 to 9: one `fit`."""
    return fit(ready(net, rate), *learn, batch_size=batch, epochs=epochs, validation_data=test)


def trained_on(net: Any, learn: Any, test: Any, rate: float) -> dict[str, Any]:
    """Model 1, ten epochs, and then five at another rate."""
    ready(net)
    parts = []
    for epochs, now in ((10, RATE), (5, rate)):
        net.optimizer.learning_rate = now
        parts.append(fit(net, *learn, batch_size=32, epochs=epochs, validation_data=test))
    return joined(*parts)


def augmented(net: Any, learn: Any, test: Any, epochs: int, seed: int, improved: bool) -> dict[str, Any]:
    """Model 10: every image is seen differently each time."""
    rate = falling(AUGMENTED_RATE, len(learn[0]), AUGMENTED_BATCH, epochs) if improved else RATE
    ready(net, rate)
    stream = generator().flow(*learn, batch_size=AUGMENTED_BATCH, seed=seed)
    return fit(net, stream, epochs=epochs, validation_data=test)


def model_11(row: Any, learn: Any, test: Any, seed: int) -> dict[str, Any]:
    """Model 11, and the five epochs that came after it."""
    net = net_for(learn, 9, row.arm == "improved")
    if row.arm == "improved":
        return augmented(net, learn, test, EPOCHS, seed, True)
    phases = [(rate if row.arm == "as intended" else 1e-4, *rest) for rate, *rest in ANNEALING]
    if row.id == "S1-19":
        phases = (
            [*phases, (1e-7, 5, True)] if row.arm == "as intended" else [(RATE, 10, True), (RATE, 5, True)]
        )
    ready(net)
    stream, parts = generator().flow(*learn, batch_size=AUGMENTED_BATCH, seed=seed), []
    for rate, epochs, turned in phases:
        net.optimizer.learning_rate = rate
        images: Any = (stream,) if turned else learn
        batch = {} if turned else {"batch_size": 64}
        parts.append(fit(net, *images, epochs=epochs, validation_data=test, **batch))
    record = joined(*parts)
    if row.id == "S1-19":  # all test images in one batch, as S1-22 does it
        record["probabilities"] = net.predict(test[0], batch_size=len(test[0]), verbose=0)
    return record


def one_of_many(learn: Any, test: Any, seed: int) -> dict[str, Any]:
    """A net of Model 11, improved, with its probabilities of the test images."""
    net = net_for(learn, 9, improved=True)
    record = augmented(net, learn, test, EPOCHS, seed, improved=True)
    return {**record, "net": net, "probabilities": net.predict(test[0], batch_size=500, verbose=0)}


def averaged(nets: Sequence[dict[str, Any]], y_test: np.ndarray) -> dict[str, Any]:
    """Model 12: the mean of the probabilities of several nets, which were trained one after another."""
    mean = np.mean([net["probabilities"] for net in nets], axis=0)
    return {
        "params": sum(net["params"] for net in nets),
        "test_accuracy": round(float((mean.argmax(axis=1) == y_test).mean()), 5),
        "each": [net["history"]["val_accuracy"][-1] for net in nets],
        "epoch_seconds": [seconds for net in nets for seconds in net["epoch_seconds"]],
        "probabilities": mean,
    }


def pseudo_labelled(arm: str, learn: Any, test: Any, seed: int) -> dict[str, Any]:
    """Model 13. A sixth of the training images is held out: their labels are used in one arm only, as what
    could be reached with them.
    """
    y_test, numbers = test[1].argmax(axis=1), range(seed * STUDENTS, (seed + 1) * STUDENTS)
    if arm == "60,000 labels":
        return averaged([one_of_many(learn, test, number) for number in numbers], y_test)
    labelled, (unlabelled, _) = split(*learn, held_out=len(learn[0]) // 6)
    teachers = [one_of_many(labelled, test, number) for number in numbers]
    if arm == "50,000 labels":
        return averaged(teachers, y_test)
    guesses = np.mean([one["net"].predict(unlabelled, batch_size=500, verbose=0) for one in teachers], axis=0)
    students = [student(labelled, (unlabelled, guesses), test, number) for number in numbers]
    return {**averaged(students, y_test), "teachers": averaged(teachers, y_test)["test_accuracy"]}


def student(labelled: Any, pseudo: Any, test: Any, seed: int) -> dict[str, Any]:
    """A net that learns from true labels and from the probabilities that its teachers gave."""
    net = net_for(labelled, 9, improved=True)
    batches, steps = mixed(labelled, pseudo, AUGMENTED_BATCH, seed)
    ready(net, CosineDecay(AUGMENTED_RATE, steps * EPOCHS))
    record = fit(net, batches, epochs=EPOCHS, steps_per_epoch=steps, validation_data=test)
    return {**record, "probabilities": net.predict(test[0], batch_size=500, verbose=0)}


def mixed(labelled: Any, pseudo: Any, batch: int, seed: int) -> tuple[Iterator[Any], int]:
    """(batches without end, how many see every labelled image once). Of each batch a quarter is
    pseudo-labelled; all images are augmented.
    """
    guessed = batch // SHARE
    true = full_batches(generator().flow(*labelled, batch_size=batch - guessed, seed=seed), batch - guessed)
    guess = full_batches(generator().flow(*pseudo, batch_size=guessed, seed=seed + 1), guessed)
    batches = (
        tuple(np.concatenate(pair) for pair in zip(*both, strict=True))
        for both in zip(true, guess, strict=True)
    )
    return batches, len(labelled[0]) // (batch - guessed)


def full_batches(flow: Any, size: int) -> Iterator[Any]:
    """The batches of a flow without the last, smaller one of each epoch."""
    return (batch for batch in flow if len(batch[0]) == size)


def chosen(argv: Sequence[str] | None) -> Any:
    made = parser(ROWS, __doc__, "beating_mnist")
    which = made.add_mutually_exclusive_group()
    which.add_argument("--model", type=int, choices=MODELS, metavar="N", help="the rows of Model 1 to 13")
    which.add_argument("--all", action="store_true", help="all rows (this is the default)")
    args = made.parse_args(argv)
    if args.model:
        if args.rows != made.get_default("rows"):
            made.error("--model is short for some rows: give it or --rows, not both")
        args.rows = list(MODELS[args.model])
    return args


def keep(study: Study, row: Any, seed: int, data: Data) -> None:
    """Trains a row and writes its run; probabilities of the test images, if there are, beside it."""
    record = train(row, data, seed)
    probabilities = record.pop("probabilities", None)
    if probabilities is not None:
        with utils.atomic_write(study.run_file(row, seed, ".npz")) as path, path.open("wb") as file:
            np.savez_compressed(file, probabilities=probabilities)
    study.keep(row, seed, record)


def of_best_model(study: Study, data: Data) -> np.ndarray:
    """Probabilities of the test images by the notebook's `best_model`, which is S1-19's."""
    row, seed = next(row for row in ROWS if row.name == "S1-19, as intended"), study.args.seed
    file = study.run_file(row, seed, ".npz")
    if study.run(row, seed) is None or not file.exists():
        print(f"{row.name}: the model whose predictions are shown, seed {seed}", flush=True)
        utils.set_random_seed(seed)
        keep(study, row, seed, data)
    with np.load(file, allow_pickle=False) as arrays:
        return arrays["probabilities"]


def main(argv: Sequence[str] | None = None) -> None:
    study = Study("beating_mnist", ROWS, chosen(argv))
    data = load(study.quick)
    for row, seed in study.to_run():
        if row.id in DEMOS:
            best = of_best_model(study, data) if row.id in PREDICTED else None
            study.keep(row, seed, {"values": DEMOS[row.id](*data, best, seed)})
        else:
            keep(study, row, seed, data)
    shown = any(row.id in PREDICTED for row in study.rows)
    draw(study, data, of_best_model(study, data) if shown else None)
    study.write()


if __name__ == "__main__":
    main()
