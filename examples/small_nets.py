"""How small may a net be that reads 99.4 % of MNIST's test images? Notebook 003, and one better.

    python examples/small_nets.py --quick             (the embedded digits, seconds)
    python examples/small_nets.py --rows S3-02 S3-03  (the plain net, and the one that reached 99.4 %)
    python examples/small_nets.py                     (everything; goes on where it was stopped)

All nets are built alike: convolutions without padding, one pooling, and a last convolution as large as the
map that is left, whose ten numbers are the scores of the digits. LISTINGS says how they differ.

The notebook asks the test images after each epoch. Both are kept here, the accuracy after the last epoch and
that after the best one; but only the first is a fair number, as the best epoch was chosen by the test itself.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from small_nets_grid import accuracies, answers, picture_of_effects
from small_nets_rows import CLAIMS, GRID, GRID_EPOCHS, RATES, ROWS

from tinynet import Sequential, callbacks, layers, optimizers, plotting, utils
from tinynet.plotting import figure
from tinynet.preprocessing.image import ImageDataGenerator
from tinynet.schedules import OneCycle

from shared.data import Split
from shared.data import load as images_of
from shared.nets import size
from shared.rows import Row
from shared.study import Study, parser
from shared.training import fit

# A net as the notebook lists it: `16` is a 3x3 convolution of 16 filters with ReLU, `10(1x1)` one of another
# size, `+` puts batch normalisation and dropout behind it, and the last convolution has no ReLU.
LISTINGS = {
    "S3-01": "16  32  10(1x1) pool 16  32  32  64  10(4x4)",
    "S3-02": "8   16  10(1x1) pool 8   16  16  16  10(4x4)",
    "S3-03": "12+ 20+ 10(1x1) pool 16+ 16+ 16+ 16+ 10(4x4)",
    "S3-04": "8+  16+ 32+ 10(1x1) pool 16+ 32+ 10(1x1)+ 20+ 10(5x5)",
    "S3-05": "10+ 16+ 10(1x1) 20+ pool 10+ 16+ 10(1x1)+ 16+ 16+ 10(3x3)",
    "S3-06": "64+ 10(1x1) 16+ 16+ pool 16+ 16+ 10(1x1)+ 16+ 10(5x5)",
    "S3-07": "8+  16+ 10(1x1) pool 8+  16+ 16+ 16+ 10(4x4)",
    "S3-best": "12+ 20+ 10(1x1) pool 16+ 16+ 16+ 16+ 10(4x4)",  # S3-03's
    "10K": "8+  16+ 10(1x1) pool 8+  16+ 16+ 16+ 10(4x4)",  # S3-02's and S3-07's
    "49K": "16+ 32+ 10(1x1) pool 16+ 32+ 32+ 64+ 10(4x4)",  # S3-01's
}
EPOCHS = 20
TARGET = 0.994

# S3-best. No search is kept that shows how these numbers came about.
PEAK = 0.01  # of the learning rate
AUGMENTATION = {
    "rotation_range": 8,  # degrees
    "zoom_range": 0.1,
    "width_shift_range": 2.0,  # pixels
    "height_shift_range": 2.0,
    "fill_mode": "constant",
}
QUICK_IMAGES = 600  # of the digits, for a look: there are many nets


def load(quick: bool) -> tuple[Split, Split]:
    """(x, y), (x_test, y_test): x (N, 28, 28, 1) from 0 to 1, y (N, 10) with a 1 at the digit."""
    most = QUICK_IMAGES if quick else None
    return tuple(  # type: ignore[return-value]
        (x[:most, ..., None].astype("float32") / 255, utils.to_categorical(y[:most], 10))
        for x, y in images_of("mnist", quick)
    )


def build(listing: str, batch_norm: bool = True, dropout: float = 0.1, momentum: float = 0.99) -> Sequential:
    """The net of a listing. Each `+` is batch normalisation and dropout, unless they are switched off."""
    net = Sequential([layers.Input((28, 28, 1))])
    *words, last = listing.split()
    for word in words:
        if word == "pool":
            net.add(layers.MaxPooling2D())
            continue
        net.add(convolution(word, activation="relu"))
        if word.endswith("+") and batch_norm:
            net.add(layers.BatchNormalization(momentum=momentum))
        if word.endswith("+") and dropout:
            net.add(layers.Dropout(dropout))
    net.add(convolution(last))
    net.add(layers.Flatten())
    net.add(layers.Activation("softmax"))
    return net


def convolution(word: str, **options: Any) -> Any:
    """`16`: 16 filters of 3x3; `10(4x4)`: 10 filters of 4x4."""
    filters, size = re.fullmatch(r"(\d+)(?:\((\d)x\2\))?\+?", word).groups()  # type: ignore[union-attr]
    return layers.Conv2D(int(filters), int(size or 3), **options)


def described(net: Any) -> dict[str, Any]:
    """The numbers of parameters, and the widths of the maps up to the last convolution."""
    trainable = size(net.trainable_variables)
    shrinking = [layer for layer in net.layers if isinstance(layer, layers.Conv2D | layers.MaxPooling2D)]
    maps = " ".join(str(layer.output.shape[1]) for layer in shrinking[:-1])
    return {"trainable": trainable, "non-trainable": net.count_params() - trainable, "maps": maps}


def scheduler(epoch: int, rate: float | None = None) -> float:
    """The notebook's learning rate of an epoch, counted from 0."""
    return round(0.003 * 1 / (1 + 0.319 * epoch), 10)


def train(row: Row, data: tuple[Split, Split], seed: int) -> dict[str, Any]:
    """The record of a row: its training, or the values of S3-00."""
    if row.id == "S3-00":
        return {"values": first_look(data)}
    if row.id == "S3-best":
        return train_better(data, seed)
    if row.id == "S3-08":
        large, batch_norm, dropout, schedule = GRID[row.arm]
        net = build(LISTINGS["49K" if large else "10K"], batch_norm, 0.1 if dropout else 0)
        return learn(net, data, optimizers.Adam(0.003), 128, GRID_EPOCHS, schedule)
    net = build(LISTINGS[row.id])
    if row.id in ("S3-01", "S3-02", "S3-07"):
        return learn(net, data, "sgd", 64, EPOCHS)
    if row.id != "S3-03":
        return learn(net, data, "adam", 128, EPOCHS)
    record = learn(net, data, optimizers.Adam(0.003), 128, EPOCHS, schedule=True)
    record["values"]["rates"] = [scheduler(epoch) for epoch in range(EPOCHS)]
    return record


def learn(
    net: Any, data: tuple[Split, Split], optimizer: Any, batch: int, epochs: int, schedule: bool = False
) -> dict[str, Any]:
    """A net trained as the notebook trains, with the test images as validation."""
    (x, y), test = data
    net.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    changes = [callbacks.LearningRateScheduler(scheduler)] if schedule else []
    record = fit(net, x, y, batch_size=batch, epochs=epochs, validation_data=test, callbacks=changes)
    return {**record, "values": described(net)}


def train_better(data: tuple[Split, Split], seed: int) -> dict[str, Any]:
    """S3-03's net with another training. Every image is turned, zoomed and moved anew in each epoch, so that
    so small a net cannot learn it by heart, and needs no dropout.
    """
    (x, y), test = data
    net = build(LISTINGS["S3-best"], dropout=0, momentum=0.9)
    batches = ImageDataGenerator(**AUGMENTATION).flow(x, y, batch_size=128, seed=seed)
    rate = OneCycle(PEAK, total_steps=EPOCHS * len(batches))
    net.compile(optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    record = fit(net, batches, epochs=EPOCHS, validation_data=test, validation_batch_size=500)
    return {**record, "values": described(net)}


def first_look(data: tuple[Split, Split]) -> dict[str, Any]:
    """S3-00: shapes, and what Conv2D(16, 3, 3) means today."""
    (x, y), _ = data
    maps = {
        f"map after {arguments}": layers.Conv2D(*arguments)(x[:1]).shape[1]
        for arguments in ((16, 3, 3), (16, 3))
    }
    return {"images": "x".join(map(str, x.shape)), "classes": y.shape[1], **maps}


def main(argv: Sequence[str] | None = None) -> None:
    study = Study("small_nets", ROWS, parser(ROWS, __doc__, "small_nets").parse_args(argv))
    data = load(study.quick)
    for row, seed in study.to_run(but=[CLAIMS]):
        study.keep(row, seed, train(row, data, seed))
    if grid := whole_grid(study):
        study.keep(CLAIMS, 0, {"values": answers(grid)})
        study.picture("small_nets_grid", picture_of_effects(accuracies(grid)), ["S3-08"])
    nets = [(row, study.runs(row)) for row in study.rows if row.id in LISTINGS]
    if nets:
        ids = [row.id for row, _ in nets]
        study.picture("small_nets_sizes", picture_of_sizes(nets), ids)
        curves = {row.id: [run["history"] for run in runs] for row, runs in nets}
        title = "Test images right, after each epoch"
        study.picture(
            "small_nets_epochs",
            plotting.compare_histories(curves, title=title, reference={"99.4 %": TARGET}),
            ids,
        )
    if {"S3-03", "S3-best"} & {row.id for row in study.rows}:
        study.picture("small_nets_rates", picture_of_rates(len(data[0][0])), ["S3-03", "S3-best"])
    study.write()


def whole_grid(study: Study) -> dict[tuple[bool, ...], list[dict[str, Any]]]:
    """The runs of S3-08, from the seeds that all combinations have: {what is on: runs}; {} without such."""
    found = {GRID[row.arm]: {run["seed"]: run for run in study.runs(row)} for row in ROWS if row.arm in GRID}
    seeds = sorted(set.intersection(*(set(runs) for runs in found.values())))
    return {on: [runs[seed] for seed in seeds] for on, runs in found.items()} if seeds else {}


def picture_of_sizes(nets: Sequence[tuple[Row, Sequence[Mapping[str, Any]]]]) -> Any:
    """Accuracy after the last epoch against the number of parameters: mean, lowest and highest seed."""
    picture = figure.new_figure(7.2, 4.8, "Parameters and accuracy after the last epoch")
    axes = picture.subplots()
    axes.axhline(100 * TARGET, color=figure.GREY, linestyle="--", linewidth=1)
    axes.annotate(
        "99.4 %",
        (1, 100 * TARGET),
        xycoords=("axes fraction", "data"),
        va="bottom",
        ha="right",
        color=figure.GREY,
    )
    for row, runs in nets:
        seeds = 100 * np.array([run["history"]["val_accuracy"][-1] for run in runs])
        ours = row.id == "S3-best"
        colour = figure.VERMILION if ours else figure.BLUE
        axes.vlines(row.params, seeds.min(), seeds.max(), color=colour, linewidth=3, alpha=0.4)
        axes.plot(row.params, seeds.mean(), "*" if ours else "o", color=colour, markersize=13 if ours else 7)
        above = row.id in ("S3-02", "S3-05", "S3-best")  # there is no room below
        near = {"xytext": (0, 9 if above else -16), "textcoords": "offset points", "ha": "center"}
        axes.annotate(row.id, (row.params, seeds.mean()), color=colour, **near)
        if row.notebook.accuracy:
            axes.plot(row.params, 100 * row.notebook.accuracy, "D", color="black", fillstyle="none")
    axes.plot([], [], "o", color=figure.BLUE, label="tinynet, mean; bar: all seeds")
    axes.plot([], [], "D", color="black", fillstyle="none", label="printed in the notebook")
    axes.plot([], [], "*", color=figure.VERMILION, markersize=13, label="trained better")
    axes.set(xlabel="parameters", ylabel="test images right, in %", xscale="log", xlim=(9e3, 7e4))
    axes.set_xticks([10_000, 15_000, 20_000, 50_000], ["10,000", "15,000", "20,000", "50,000"], minor=False)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    picture.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return picture


def picture_of_rates(images: int) -> Any:
    """The notebook's 20 learning rates, computed and as printed, and the cycle of S3-best."""
    picture = figure.new_figure(7.2, 4, "The learning rate of 20 epochs")
    axes, steps = picture.subplots(), -(-images // 128)
    epochs = np.arange(EPOCHS)
    rates = [scheduler(epoch) for epoch in range(EPOCHS)]
    axes.step([*epochs + 1, EPOCHS + 1], [*rates, rates[-1]], where="post", color=figure.BLUE)
    axes.plot(
        epochs + 1.5, RATES, "D", color="black", fillstyle="none", markersize=5, label="S3-03, as printed"
    )
    axes.plot([], [], color=figure.BLUE, label="S3-03, computed")
    cycle = OneCycle(PEAK, total_steps=EPOCHS * steps)
    some = np.linspace(0, EPOCHS * steps - 1, 400).astype(int)
    values = [cycle(int(step)) for step in some]
    axes.plot(1 + some / steps, values, "--", color=figure.VERMILION, label="S3-best: one cycle")
    axes.set(xlabel="epoch", ylabel="learning rate", yscale="log", ylim=(1e-5, 2e-2))
    axes.set_xticks(range(1, EPOCHS + 1, 3))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower center")
    return picture


if __name__ == "__main__":
    main()
