"""The pictures of "Beating MNIST": galleries of digits, the ladder of the models, and curves that teach."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from beating_mnist_demos import right_of, wrong_of
from beating_mnist_models import generator, shaped

from tinynet import plotting
from tinynet.plotting import figure

from shared.data import scalars

MISS = -math.log(1e-7)  # what a wrong prediction costs at most: 16.118
# The notebook's log of Model 1: accuracy and loss of the test images after each epoch.
LOG = (
    (0.5318, 7.5085), (0.5440, 7.3163), (0.5382, 7.4219), (0.6084, 6.2782), (0.6235, 6.0477),
    (0.6109, 6.2494), (0.6235, 6.0403), (0.6271, 5.9890), (0.6293, 5.9556), (0.6244, 6.0442),
)  # fmt: skip
# {picture: (title, rows, curves)}
CURVES = {
    "model_1": ("Raw pixels, and at last a rate of 1e-8", ("S1-04",), ["val_loss", "val_accuracy"]),
    "model_4": ("Three hidden layers", ("S1-08",), ["loss", "val_loss"]),
    "batch_norm_and_dropout": (
        "VGG blocks, batch norm, dropout", ("S1-12", "S1-13", "S1-15"), ["accuracy", "val_accuracy"],
    ),
    "annealing": ("Model 11: a rate that falls", ("S1-17", "S1-18", "S1-19"), ["val_loss", "val_accuracy"]),
}  # fmt: skip


def draw(study: Any, data: Any, probabilities: np.ndarray | None) -> None:
    """The pictures of the chosen rows; probabilities (M, 10) are the best model's of the test images."""
    chosen = {row.id for row in study.rows}
    galleries(study, data, chosen)
    if probabilities is not None:
        predictions(study, data[1], probabilities, chosen)
    for name, (title, ids, curves) in CURVES.items():
        rows = [row for row in study.rows if row.id in ids]
        runs = {label(row): [run["history"] for run in study.runs(row)] for row in rows}
        if name == "model_4":
            title += f"; last validation loss over its lowest: {over_the_lowest(runs)}"
        if runs and ids[-1] in chosen:
            study.picture(name, plotting.compare_histories(runs, curves, title), ids)
    if "S1-03" in chosen:
        study.picture("clipping", clipping(study), ["S1-03"])
    ladder(study)


def over_the_lowest(runs: dict[str, list[dict[str, Any]]]) -> str:
    """The last validation loss over the lowest, the mean over the seeds: 1 where nothing over-fits."""
    said = []
    for name, histories in runs.items():
        rises = [history["val_loss"][-1] / min(history["val_loss"]) for history in histories]
        said.append(f"{name.partition(', ')[2]} {np.mean(rises):.2f}".strip())
    return ", ".join(said)


def label(row: Any) -> str:
    """What a row's curve is called."""
    model = row.title.partition(":")[0] + (" + 5 epochs" if row.id == "S1-19" else "")
    return f"{model}, {row.arm}" if row.arm else model


def galleries(study: Any, data: Any, chosen: set[str]) -> None:
    """Digits as they are, normalised, and augmented."""
    (x, y), _ = data
    if "S1-01" in chosen:
        picture = plotting.gallery(
            x[:10], [str(digit) for digit in y[:10]], columns=5, title="The first ten digits"
        )
        study.picture("first_digits", picture, ["S1-01"])
    if "S1-05" in chosen:
        study.picture("normalisation", normalisation(x[:5], *scalars(x)), ["S1-05"])
    if "S1-16" in chosen:
        stream = generator().flow(*shaped(x[:5], y[:5]), batch_size=5, shuffle=False, seed=study.args.seed)
        rows = np.concatenate([x[:5, ..., None], *(next(stream)[0] for _ in range(3))])
        titles = ["as it is"] * 5 + ["augmented"] * 15
        picture = plotting.gallery(rows, titles, columns=5, title="Turned, zoomed and sheared at random")
        study.picture("augmented", picture, ["S1-16"])


def normalisation(x: np.ndarray, mean: float, std: float) -> Any:
    """Images before and after (x - mean) / std, each row with its scale."""
    picture = figure.new_figure(8, 4, "Before and after normalisation")
    panels = picture.subplots(2, len(x))
    for row, (images, words) in enumerate(((x, "bytes"), ((x - mean) / std, "mean 0, deviation 1"))):
        low, high = images.min(), images.max()
        for axes, image in zip(panels[row], images, strict=True):
            drawn = axes.imshow(image, cmap="gray", vmin=low, vmax=high)
            axes.axis("off")
        panels[row, 0].set_title(words, loc="left", fontsize=10)
        picture.colorbar(drawn, ax=list(panels[row]), ticks=[low, 0, high] if row else [0, 255], shrink=0.8)
    return picture


def predictions(study: Any, test: Any, p: np.ndarray, chosen: set[str]) -> None:
    """What the best model reads rightly and wrongly."""
    x, y = test
    read = p.argmax(axis=1)
    random = np.random.default_rng(study.args.seed)
    for row_id, which, words in (("S1-23", read == y, "correctly"), ("S1-24", read != y, "wrongly")):
        if row_id in chosen:
            ten = random.permutation(np.flatnonzero(which))[:10]
            titles = [str(read[i]) if read[i] == y[i] else f"{read[i]}, is {y[i]}" for i in ten]
            title = f"Read {words}: {which.sum():,} of {len(y):,}, ten at random"
            study.picture(f"read_{words}", plotting.gallery(x[ten], titles, columns=5, title=title), [row_id])
    if "S1-25" in chosen:
        rows = [right_of(digit, y, p) for digit in range(10)]
        title = "Of each digit the ten that the net is surest of, and right"
        study.picture("surest_right", by_digit(x, rows, p, False, title), ["S1-25"])
    if "S1-26" in chosen:
        for name, by_true, words in (
            ("wrong_by_true_class", True, "least wrong first: by P(true digit), as the notebook's code"),
            ("wrong_by_wrong_class", False, "most wrong first: by P(wrong digit), as the notebook's comment"),
        ):
            rows = [wrong_of(digit, y, p, by_true) for digit in range(10)]
            study.picture(name, by_digit(x, rows, p, True, f"Errors of each digit, {words}"), ["S1-26"])


def by_digit(x: np.ndarray, rows: Sequence[np.ndarray], p: np.ndarray, errors: bool, title: str) -> Any:
    """A row of images for each digit. Below each is its probability; below an error also what was read."""
    height, width = x.shape[1] + (22 if errors else 13), x.shape[2] + 10
    sheet = np.full((height * len(rows), width * 10), 255, np.uint8)
    picture = figure.new_figure(9, 9 * sheet.shape[0] / sheet.shape[1] + 0.6, title)
    axes = picture.subplots()
    for digit, images in enumerate(rows):
        top = digit * height
        for column, i in enumerate(images):
            left, read = column * width, p[i].argmax()
            sheet[top : top + x.shape[1], left : left + x.shape[2]] = x[i]
            words = f"{digit}: {p[i, digit]:.2f}"
            if errors:
                words = f"read {read}: {p[i, read]:.2f}\n{words}"
            axes.text(left + 14, top + x.shape[1] + 1, words, fontsize=8, ha="center", va="top")
    axes.imshow(sheet, cmap="gray", interpolation="nearest")
    axes.set_yticks(
        [digit * height + 14 for digit in range(len(rows))], list(map(str, range(len(rows)))), fontsize=13
    )
    axes.set_xticks([])
    axes.set_ylabel("digit")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return picture


def clipping(study: Any) -> Any:
    """Model 1's loss against its accuracy: each miss costs 16.118, a hit nothing."""
    picture = figure.new_figure(7.2, 4.4, "Model 1: a probability clipped at 1e-7 costs 16.118")
    axes = picture.subplots()
    row = next(row for row in study.rows if row.id == "S1-03")
    histories = [run["history"] for run in study.runs(row)]
    accuracy = np.concatenate([history["val_accuracy"] for history in histories])
    loss = np.concatenate([history["val_loss"] for history in histories])
    ends = np.array([min(accuracy.min(), 0.53), 1.0])
    axes.plot(ends, MISS * (1 - ends), color=figure.GREY, label="16.118 × (1 − accuracy)")
    axes.plot(*zip(*LOG, strict=True), "D", color=figure.VERMILION, mfc="none", label="notebook, 2017")
    axes.plot(accuracy, loss, "o", color=figure.BLUE, alpha=0.6, mew=0, label="tinynet")
    axes.set(
        xlabel="accuracy of the test images after an epoch", ylabel="loss of the test images", ylim=(0, None)
    )
    axes.legend(frameon=False)
    axes.grid(alpha=0.25)
    return picture


def ladder(study: Any) -> None:
    """All models but the first, which is far below: a dot for each seed, the notebook's numbers beside."""
    rows = [row for row in study.rows if row.title.startswith("Model") and row.id not in ("S1-03", "S1-04")]
    values = {named(row): [last(run) for run in study.runs(row)] for row in rows}
    if values:
        reference = {named(row): row.notebook.accuracy for row in rows if row.arm != "improved"}
        title = "Beating MNIST, model by model"
        picture = plotting.dots(
            values,
            reference,
            "notebook, 2017",
            "accuracy of the test images after the last epoch",
            title,
            errors=True,
        )
        study.picture("ladder", picture, sorted({row.id for row in rows}))


def named(row: Any) -> str:
    return f"{row.title.removeprefix('Model ')}, {row.arm}" if row.arm else row.title.removeprefix("Model ")


def last(run: dict[str, Any]) -> float:
    return run["test_accuracy"] if "test_accuracy" in run else run["history"]["val_accuracy"][-1]
