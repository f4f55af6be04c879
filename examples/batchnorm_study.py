"""What batch normalisation is good for: its place, over-fitting, learning rates (notebooks 000 and 002).

    python examples/batchnorm_study.py --quick              (the embedded digits, seconds)
    python examples/batchnorm_study.py --rows S2-01 S2-02 S2-03 S2-04 S2-05
    python examples/batchnorm_study.py                      (966 epochs; goes on where it was stopped)

Both notebooks validate on the test images, after each epoch. Notebook 000 leaves its net to the reader. As it
is trained for 750 epochs here, ours is small: convolutions of 8 and 16 filters.

With --quick batch norm looks worse than it is: its moving averages (momentum 0.99) need some hundred steps to
arrive, and validation uses them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from batchnorm_answers import Runs, answer
from batchnorm_rows import EXECUTED, INTENDED, ROWS, TABLE, is_answer
from batchnorm_rules import epoch_seconds, last

from tinynet import Sequential, layers, optimizers, plotting, utils

from shared.data import Split, scalars
from shared.data import load as images_of
from shared.rows import Row
from shared.study import Study, parser
from shared.training import fit, joined

QUICK_IMAGES = 640  # enough to see that everything works


def load(quick: bool) -> tuple[Split, Split]:
    (x, y), (x_test, y_test) = images_of("mnist", quick)
    some = QUICK_IMAGES if quick else len(x)
    return (x[:some], y[:some]), (x_test, y_test)


# The nets.
def vgg(norm: str = "", dropout: bool = False) -> Sequential:
    """The net of notebook 000; `norm` is where batch norm stands: "before" or "after" the activation."""
    net = Sequential([layers.Input((28, 28, 1)), layers.Rescaling(1 / 255)])

    def add(linear: Any) -> None:
        net.add(linear)
        if norm == "before":
            net.add(layers.BatchNormalization())
        net.add(layers.Activation("relu"))
        if norm == "after":
            net.add(layers.BatchNormalization())

    for filters in (8, 16):
        add(layers.Conv2D(filters, 3, padding="same"))
        add(layers.Conv2D(filters, 3, padding="same"))
        net.add(layers.MaxPooling2D())
        if dropout:
            net.add(layers.Dropout(0.25))
    net.add(layers.Flatten())
    for units in (128, 64):
        add(layers.Dense(units))
        if dropout:
            net.add(layers.Dropout(0.5))
    net.add(layers.Dense(10, activation="softmax"))
    return net


def two_convolutions(normed: bool, pixels: np.ndarray) -> Sequential:
    """The net of notebook 002: padding, then a convolution without; batch norm after the activation."""
    average, deviation = scalars(pixels)
    net = Sequential([layers.Input((28, 28, 1)), layers.Rescaling(1 / deviation, -average / deviation)])
    for filters in (32, 64):
        net.add(layers.ZeroPadding2D())
        net.add(layers.Conv2D(filters, 3, activation="relu"))
        if normed:
            net.add(layers.BatchNormalization())
        net.add(layers.MaxPooling2D())
    net.add(layers.Flatten())
    net.add(layers.Dense(512, activation="relu"))
    if normed:
        net.add(layers.BatchNormalization())
    net.add(layers.Dropout(0.5))
    net.add(layers.Dense(10, activation="softmax"))
    return net


def compiled(net: Sequential, rate: float) -> Sequential:
    net.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


# The trainings.
def rate_of(row: Row) -> float:
    """The learning rate that a row begins with."""
    if row.id.startswith("S2"):
        return 0.01 if row.id in ("S2-02", "S2-04") else 0.001
    if row.arm:
        return float(row.arm.removeprefix("learning rate "))
    return 0.01 if row.id == "S0-03" else 0.001


def train(row: Row, data: tuple[Split, Split], seed: int) -> dict[str, Any]:
    (x, y), (x_test, y_test) = data
    if row.id == "S2-00":
        return {"values": first_look(data)}
    x, x_test = x[..., None], x_test[..., None]
    rate = rate_of(row)
    if row.id.startswith("S2"):
        return in_two_fits(row, compiled(two_convolutions(row.id in ("S2-03", "S2-04"), x), rate),
                           (x, y), (x_test, y_test))  # fmt: skip
    norm = {"S0-01": "before", "S0-02": "after", "S0-06": "before"}.get(row.id, "")
    net = compiled(vgg(norm, dropout=row.id == "S0-05"), rate)
    epochs = 20 if row.id in ("S0-01", "S0-02") else 50
    return fit(net, x, y, batch_size=200, epochs=epochs, validation_data=(x_test, y_test), verbose=2)


def first_look(data: tuple[Split, Split]) -> dict[str, Any]:
    """S2-00: what is learned from, and a label as ten numbers."""
    (x, y), (x_test, y_test) = data
    return {
        "shapes": " ".join(str(array.shape) for array in (x, y, x_test, y_test)),
        "first labels": y[:5],
        "their type": y.dtype.name,
        "their one-hot rows": utils.to_categorical(y[:5], 10).astype(int),
    }


def in_two_fits(row: Row, net: Any, images: Split, test: Split) -> dict[str, Any]:
    """An epoch, then eight; the notebook meant to divide the learning rate by ten in between.

    Its ImageDataGenerator() without options gives the images as they are, shuffled: what fit does.
    """
    options: dict[str, Any] = {"batch_size": 64, "validation_data": test, "verbose": 2}
    rates = [float(net.optimizer.learning_rate)]
    first = fit(net, *images, epochs=1, **options)
    evaluated = net.evaluate(*images, batch_size=512, verbose=0)
    if row.arm == INTENDED:
        net.optimizer.learning_rate = rates[0] / 10
    rest = fit(net, *images, epochs=9, initial_epoch=1, **options)
    rates += [float(net.optimizer.learning_rate)] * len(rest["epoch_seconds"])
    return {**joined(first, rest), "evaluated": [float(value) for value in evaluated], "rates": rates}


# The pictures.
def histories(runs: Sequence[dict[str, Any]]) -> list[dict[str, list[float]]]:
    return [run["history"] for run in runs]


def two_sides(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Training and validation as two lines of the same panels."""
    return {
        side: [{name: h[prefix + name] for name in ("loss", "accuracy")} for h in histories(runs)]
        for side, prefix in (("training", ""), ("validation", "val_"))
    }


def pictures(study: Study, runs: Runs) -> None:
    draw = plotting.compare_histories
    places = {"before": runs.of("S0-01"), "after": runs.of("S0-02")}
    if places := {place: histories(found) for place, found in places.items() if found}:
        figure = draw(
            places, title="Batch norm before and after the activation", reference={"0.5 % error": 0.995}
        )
        study.picture("before_or_after", figure, ["S0-01", "S0-02"])
    if found := runs.of("S0-03"):
        title = "Adam at 0.01, neither batch norm nor dropout"
        study.picture("overfit", draw(two_sides(found), ["loss", "accuracy"], title), ["S0-03", "S0-10"])
    for number, what in (
        ("S0-04", "neither batch norm nor dropout"),
        ("S0-05", "dropout"),
        ("S0-06", "batch norm"),
    ):
        if sweep := runs.sweep(number):
            lines = {f"{rate:g}": histories(found) for rate, found in sweep.items()}
            figure = draw(lines, ["loss", "val_loss", "accuracy", "val_accuracy"], f"Learning rates: {what}")
            study.picture(f"rates_{number}", figure, [number])
    for arm in (INTENDED, EXECUTED):
        lines = {_short(number): histories(runs.of(number, arm)) for number in TABLE if runs.of(number, arm)}
        if lines:
            figure = draw(lines, ["val_loss", "val_accuracy"], f"Two nets at two learning rates, {arm}")
            study.picture(f"four_runs_{arm.split()[1]}", figure, list(TABLE))
    dot_pictures(study, runs)


def _short(number: str) -> str:
    """A run in a picture: "BN 0.01" or "plain 0.01"."""
    name = TABLE[number][0].partition(" ->")[0]
    return name.replace("BN, lr=", "BN ").replace("lr=", "plain ")


def dot_pictures(study: Study, runs: Runs) -> None:
    values, reference = {}, {}
    for number in TABLE:
        for arm in (EXECUTED, INTENDED):
            if found := runs.of(number, arm):
                name = f"{_short(number)}, {arm}"
                values[name] = [last(run, "val_accuracy") for run in found]
                reference[name] = TABLE[number][1][3] if arm == EXECUTED else None
    if values:
        figure = plotting.dots(values, reference, "notebook", title="The four runs", errors=True)
        study.picture("four_runs", figure, ["S2-05"])
    kinds = {"neither": "S0-04", "dropout": "S0-05", "batch norm": "S0-06"}
    found = {
        kind: [run for some in runs.sweep(number).values() for run in some] for kind, number in kinds.items()
    }
    if times := {kind: epoch_seconds(some) for kind, some in found.items() if some}:
        figure = plotting.dots(
            times, xlabel="seconds of an epoch", title="What an epoch costs (median)", percent=False
        )
        study.picture("epoch_seconds", figure, ["S0-05", "S0-06"])


def main(argv: Sequence[str] | None = None) -> None:
    study = Study("batchnorm_study", ROWS, parser(ROWS, __doc__ or "", "batchnorm_study").parse_args(argv))
    data = load(study.quick)
    for row, seed in study.to_run(but=[row for row in ROWS if is_answer(row)]):
        study.keep(row, seed, train(row, data, seed))
    runs = Runs(study)
    for row in filter(is_answer, ROWS):
        if values := answer(row, runs):
            study.keep(row, 0, {"values": values})
        if row not in study.chosen:
            continue
        print(f"\n{row.name}: {row.title}")
        for what, value in values.items() or {"": "the runs that this is about are not there yet"}.items():
            print(f"  {what}: {value}")
    pictures(study, runs)
    study.write()


if __name__ == "__main__":
    main()
