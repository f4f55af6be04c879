"""Learning rates that change: the schedules, the range finder and 1cycle, and going on after a stop.

The fourth part of training_deep_nets.py, which runs it.
"""

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from deep_nets_shared import BATCH, Data, dense_net, draw_band, learn, legend_of_bands

from tinynet import callbacks, models, optimizers
from tinynet.optimizers import schedules
from tinynet.plotting import figure

from shared.nets import same
from shared.rows import Row

EPOCHS, PLATEAU_EPOCHS, PLATEAU_IMAGES = 10, 40, 2000
IMAGES = 60_000 - 5_000  # that the notebook learns from
STEPS = 20 * IMAGES // 32  # of 20 epochs

SUGGESTED, HIGH, CYCLE = ARMS = ("constant rate, as suggested", "constant rate, high", "1cycle")

ROWS = (
    Row(
        "S4-24",
        "power schedule, SGD(lr=0.01, decay=1e-4)",
        expected={"step 0": 0.01, "step 10000": 0.005, "step 20000": 0.0033333},
        remark="Keras 3 ignores decay with a warning; InverseTimeDecay says the same",
    ),
    Row(
        "S4-25",
        "exponential schedule",
        "as executed",
        remark="the inner function names lr, which is not defined; it means lr0",
    ),
    Row(
        "S4-25",
        "exponential schedule",
        "as intended",
        expected={"epoch 0": 0.01, "epoch 20": 0.001},
    ),
    Row("S4-26", "a schedule that goes on after save and load", remark="fit(initial_epoch=...)"),
    Row(
        "S4-27",
        "piecewise constant schedule",
        expected={"epoch 4": 0.01, "epoch 5": 0.005, "epoch 14": 0.005, "epoch 15": 0.001},
    ),
    Row(
        "S4-28",
        "performance schedule, ReduceLROnPlateau(factor=0.5, patience=5)",
        remark=f"{PLATEAU_IMAGES:,} images, so that the validation loss soon stops to fall",
    ),
    *(Row("S4-29", "range finder and 1cycle", arm, params=89_610, seeds=3) for arm in ARMS),
    Row(
        "S4-30",
        "ExponentialDecay(0.01, s, 0.1), step by step",
        expected={"s": 34_375, "step 0": 0.01, "step 34375": 0.001},
        remark="the cell was not executed in the notebook",
    ),
)

# --- the schedules, as functions of the step or of the epoch

power = schedules.InverseTimeDecay(0.01, decay_steps=1, decay_rate=1e-4)  # 0.01 / (1 + step / 10,000)
by_step = schedules.ExponentialDecay(0.01, STEPS, 0.1)  # 0.01 x 0.1^(step / s)


def exponential_decay(lr0: float, s: float) -> Any:
    """As intended."""
    return lambda epoch: lr0 * 0.1 ** (epoch / s)


def exponential_decay_as_executed(lr0: float, s: float) -> Any:
    """As the notebook has it: nobody notices before the first epoch asks."""
    return lambda epoch: lr * 0.1 ** (epoch / s)  # type: ignore[name-defined]  # noqa: F821


def piecewise(epoch: int) -> float:
    return 0.01 if epoch < 5 else 0.005 if epoch < 15 else 0.001


def rates(schedule: Any, what: str, *times: int) -> dict[str, float]:
    return {f"{what} {time}": float(f"{float(schedule(time)):.5g}") for time in times}


def as_executed(data: Data, seed: int) -> dict[str, Any]:
    schedule = exponential_decay_as_executed(0.01, 20)
    try:
        return {"values": rates(schedule, "epoch", 0)}
    except NameError as error:
        return {"values": {"when called": f"NameError: {error}"}}


def draw_schedules(plateau: dict[str, Any]) -> Any:
    epochs = np.arange(0, 25, 0.05)
    steps = epochs * IMAGES / 32
    one_cycle = schedules.OneCycle(0.05, total_steps=25 * IMAGES // 32)
    exponential = exponential_decay(0.01, 20)
    curves = {
        "power: SGD(0.01, decay=1e-4)": [power(step) for step in steps],
        "exponential: a step an epoch": [exponential(int(epoch)) for epoch in epochs],
        "exponential: ExponentialDecay, every step": [by_step(step) for step in steps],
        "piecewise constant": [piecewise(int(epoch)) for epoch in epochs],
        "1cycle, up to 0.05": [one_cycle(min(int(step), 25 * IMAGES // 32 - 1)) for step in steps],
    }
    made = figure.new_figure(8.6, 5, "Six schedules")
    axes = made.subplots()
    for number, (name, curve) in enumerate(curves.items()):
        style = {"color": figure.COLOURS[number], "linestyle": figure.DASHES[number]}
        axes.plot(epochs, np.array(curve, float), label=name, linewidth=2, **style)
    found = plateau["history"]["learning_rate"][:25]
    label = f"performance: halved after 5 epochs without progress ({PLATEAU_IMAGES:,} images)"
    axes.step(range(len(found)), found, where="post", color=figure.COLOURS[5], linewidth=2, label=label)
    axes.set_yscale("log")
    axes.set_ylim(1e-4, 0.1)
    axes.set_xlabel("epoch (of 55,000 images, 32 at a time)")
    axes.set_ylabel("learning rate")
    axes.grid(alpha=0.25)
    made.legend(loc="outside lower center", ncols=2, frameon=False)
    return made


# --- S4-28: the rate follows the validation loss


def on_plateau(data: Data, seed: int) -> dict[str, Any]:
    """Few images, so that the validation loss soon stops to fall."""
    (x, y), validation, test = data
    few = ((x[:PLATEAU_IMAGES], y[:PLATEAU_IMAGES]), validation, test)
    lower = callbacks.ReduceLROnPlateau(factor=0.5, patience=5)
    optimizer = optimizers.SGD(0.01, momentum=0.9)
    record = learn(dense_net(100), few, optimizer, PLATEAU_EPOCHS, callbacks=[lower])
    used = record["history"]["learning_rate"]
    record["values"]["learning rates used"] = sorted({round(rate, 8) for rate in used}, reverse=True)
    return record


def draw_plateau(run: dict[str, Any]) -> Any:
    made = figure.new_figure(7.2, 4.6, "ReduceLROnPlateau(factor=0.5, patience=5): loss and rate")
    above, below = made.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    epochs = range(1, len(run["history"]["val_loss"]) + 1)
    above.plot(epochs, run["history"]["val_loss"], color=figure.BLUE, linewidth=2)
    above.set_ylabel("validation loss")
    below.step(epochs, run["history"]["learning_rate"], where="mid", color=figure.VERMILION, linewidth=2)
    below.set_yscale("log")
    below.set_ylabel("learning rate")
    below.set_xlabel("epoch")
    for axes in (above, below):
        axes.grid(alpha=0.25, which="both")
    return made


# --- S4-26: a stop changes nothing


def resume(data: Data, seed: int) -> dict[str, Any]:
    """Four epochs at once, and two, saved, loaded, and two more: the same rates, the same weights?

    A model knows its optimizer and rate, but not its epoch: fit(initial_epoch=2) says it. Without it the
    schedule begins anew. Images come in their order, as the shuffling is not part of a model.
    """
    x, y = (part[:1000] for part in data[0])

    def fit(net: Any, first: int, last: int) -> list[float]:
        schedule = callbacks.LearningRateScheduler(exponential_decay(0.01, 2))
        options = {"initial_epoch": first, "epochs": last, "shuffle": False, "verbose": 0}
        return net.fit(x, y, callbacks=[schedule], **options).history["learning_rate"]

    whole = dense_net(30)
    whole.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    stopped = models.clone_model(whole)
    stopped.set_weights(whole.get_weights())
    stopped.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    uninterrupted = fit(whole, 0, 4)
    before = fit(stopped, 0, 2)
    with tempfile.TemporaryDirectory() as folder:
        stopped.save(Path(folder) / "half_way.tinynet")
        loaded, forgetful = (models.load_model(Path(folder) / "half_way.tinynet") for _ in range(2))
    after, anew = fit(loaded, 2, 4), fit(forgetful, 0, 2)
    return {
        "values": {
            "same rates": before + after == uninterrupted,
            "same weights": same(whole.get_weights(), loaded.get_weights()),
            "same rates without initial_epoch": before + anew == uninterrupted,
            "same weights without initial_epoch": same(whole.get_weights(), forgetful.get_weights()),
        }
    }


# --- S4-29: find a rate, then go up and down


def find_and_learn(data: Data, seed: int, arm: str) -> dict[str, Any]:
    """All begin with the range finder. A constant rate may be the one at which the loss falls fastest, or as
    high as a third of the one at which it stops to fall; 1cycle goes up to the latter, and ends near zero.
    """
    (x, y), _, _ = data
    net = dense_net(100, 100)
    net.compile(optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
    finder = callbacks.LearningRateFinder(1e-5, 3.0).find(net, x, y, batch_size=BATCH)
    steepest = finder.suggestion()
    top = finder.learning_rates[int(np.argmin(finder.losses))] / 3
    rate: Any = steepest if arm == SUGGESTED else top
    values = {"highest learning rate": float(f"{rate:.3g}")}
    if arm == CYCLE:
        rate = schedules.OneCycle(top, total_steps=EPOCHS * -(-len(x) // BATCH))
    record = learn(net, data, optimizers.SGD(rate, momentum=0.9), EPOCHS)
    search = {"rates": finder.learning_rates, "losses": finder.losses, "steepest": steepest, "top": top}
    return {**record, "values": values | record["values"], "search": search}


def draw_one_cycle(runs: dict[str, list[dict[str, Any]]]) -> Any:
    made = figure.new_figure(10.5, 4, "Find a learning rate, then keep it or cycle")
    left, right = made.subplots(1, 2)
    searches = [run["search"] for run in next(iter(runs.values()))]
    shortest = min(len(search["rates"]) for search in searches)
    curves = [search["losses"][:shortest] for search in searches]
    draw_band(left, searches[0]["rates"][:shortest], curves, 0, "smoothed loss")
    for place, what in (("steepest", "suggested"), ("top", "high")):
        rate = float(np.exp(np.mean([np.log(search[place]) for search in searches])))
        left.axvline(rate, color=figure.GREY, linewidth=1)
        left.text(rate, 0.1, f" {what}", color=figure.GREY)
    left.set_xscale("log")
    left.set_ylim(0, 2 * curves[0][0])
    left.set_xlabel("learning rate")
    left.set_ylabel("loss of the range test")
    for number, (name, found) in enumerate(runs.items()):
        accuracies = [run["history"]["val_accuracy"] for run in found]
        draw_band(right, range(1, len(accuracies[0]) + 1), accuracies, number, name)
    right.set_xlabel("epoch")
    right.xaxis.get_major_locator().set_params(integer=True)
    right.set_ylabel("validation accuracy")
    legend_of_bands(made, right, len(searches))
    for axes in (left, right):
        axes.grid(alpha=0.25)
    return made


RUNS = {
    "S4-24": lambda data, seed: {"values": rates(power, "step", 0, 10_000, 20_000)},
    "S4-25, as executed": as_executed,
    "S4-25, as intended": lambda data, seed: {
        "values": rates(exponential_decay(0.01, 20), "epoch", 0, 10, 20)
    },
    "S4-26": resume,
    "S4-27": lambda data, seed: {"values": rates(piecewise, "epoch", 4, 5, 14, 15)},
    "S4-28": on_plateau,
    **{f"S4-29, {arm}": functools.partial(find_and_learn, arm=arm) for arm in ARMS},
    "S4-30": lambda data, seed: {"values": {"s": STEPS, **rates(by_step, "step", 0, STEPS)}},
}


def draw(study: Any, runs: dict[str, list[dict[str, Any]]]) -> None:
    """The pictures of the rows that have runs, by the names of the rows."""
    if "S4-28" in runs:
        ids = ["S4-24", "S4-25", "S4-27", "S4-28", "S4-30"]
        study.picture("schedules", draw_schedules(runs["S4-28"][0]), ids)
        study.picture("plateau", draw_plateau(runs["S4-28"][0]), ["S4-28"])
    arms = {arm: runs[f"S4-29, {arm}"] for arm in ARMS if f"S4-29, {arm}" in runs}
    if arms:
        study.picture("one_cycle", draw_one_cycle(arms), ["S4-29"])
