"""Optimizers in the chapter: clipping, the formulas, and two races.

The third part of training_deep_nets.py, which runs it.
"""

from typing import Any

import numpy as np
from deep_nets_rules import FORMULAS, adam
from deep_nets_shared import Data, dense_net, draw_band, images_in, learn, legend_of_bands

import tinynet
from tinynet import optimizers
from tinynet.plotting import figure

from shared.rows import Notebook, Row

EPOCHS = 8
# name: (class, arguments, the learning rate on the bowl, that of the net)
RACE: dict[str, tuple[Any, dict[str, Any], float, float]] = {
    "SGD": (optimizers.SGD, {}, 0.08, 0.01),
    "momentum": (optimizers.SGD, {"momentum": 0.9}, 0.02, 0.01),
    "Nesterov": (optimizers.SGD, {"momentum": 0.9, "nesterov": True}, 0.02, 0.01),
    "AdaGrad": (optimizers.Adagrad, {}, 0.5, 0.01),
    "RMSprop": (optimizers.RMSprop, {"rho": 0.9}, 0.05, 0.001),
    "Adam": (optimizers.Adam, {}, 0.2, 0.001),
    "Adamax": (optimizers.Adamax, {}, 0.2, 0.001),
    "Nadam": (optimizers.Nadam, {}, 0.1, 0.001),
}


def _rates(name: str, printed: float) -> str:
    return f"the notebook's rate is {printed:g}, on the bowl it is {RACE[name][2]:g}"


ROWS = (
    Row(
        "S4-08",
        "SGD(clipvalue=1.0)",
        notebook=Notebook(values={"[0.9, 100] becomes": [0.9, 1.0]}),
        remark="each element by itself: the direction changes",
    ),
    Row(
        "S4-09",
        "SGD(clipnorm=1.0)",
        notebook=Notebook(values={"[0.9, 100] becomes": [0.00899964, 0.9999595]}),
        remark='"the whole gradient" was true in Keras 1 and 2; now clipnorm is for each variable, and '
        "global_clipnorm for all together",
    ),
    Row(
        "S4-18",
        "momentum",
        remark="the equation of plain gradient descent has two arrows in the notebook; "
        f"{_rates('momentum', 0.001)}",
    ),
    Row(
        "S4-19",
        "Nesterov's momentum",
        remark="Keras asks for the gradient where it stands, not ahead, and moves by beta m - eta g; "
        f"{_rates('Nesterov', 0.001)}",
    ),
    Row(
        "S4-20",
        "AdaGrad",
        remark="the notebook has epsilon under the root, as Keras 3 (not Keras 2); in Keras 3 s begins at "
        "0.1, not at 0",
    ),
    Row(
        "S4-21",
        "RMSprop",
        remark=f"epsilon under the root, as in the notebook and Keras 3; {_rates('RMSprop', 0.001)}",
    ),
    Row(
        "S4-22",
        "Adam",
        remark="the notebook's step 3 divides m by 1 - beta_2^t, where 1 - beta_1^t is right; it has epsilon "
        "inside the root, Keras outside; its steps 1 and 5 have the other sign, which cancels; its text "
        f"recommends 0.001; {_rates('Adam', 0.01)}",
    ),
    *(Row("S4-23", "optimizers in a race", name, params=89_610, seeds=3) for name in RACE),
)


# --- S4-08 and S4-09: gradients that are cut


def step(gradients: list[list[float]], **clip: float) -> list[np.ndarray]:
    """What SGD with learning rate 1 subtracts from variables at 0: the clipped gradients."""
    variables = [tinynet.Parameter(np.zeros(len(g))) for g in gradients]
    optimizers.SGD(1.0, **clip).apply([np.array(g) for g in gradients], variables)
    return [-variable.numpy() for variable in variables]


def clipped_values(data: Data, seed: int) -> dict[str, Any]:
    return {"values": {"[0.9, 100] becomes": told(step([[0.9, 100.0]], clipvalue=1.0)[0])}}


def clipped_norms(data: Data, seed: int) -> dict[str, Any]:
    """Two variables show whose norm is meant: (3, 4) has 5, both together 13."""
    two = [[3.0, 4.0], [12.0]]
    values = {
        "[0.9, 100] becomes": told(step([[0.9, 100.0]], clipnorm=1.0)[0]),
        "clipnorm, of [3, 4] and [12]": [told(g) for g in step(two, clipnorm=1.0)],
        "global_clipnorm, of [3, 4] and [12]": [told(g) for g in step(two, global_clipnorm=1.0)],
    }
    return {"values": values}


def told(vector: np.ndarray) -> list[float]:
    return [float(f"{number:.7g}") for number in vector]


# --- S4-18 to S4-23: is each optimizer what its formula says?


def follow(name: str, steps: int = 5) -> dict[str, Any]:
    """How far the optimizer is from its formula on the bowl, in float64."""
    kind, arguments, rate, _ = RACE[name]
    ours, formula = path(kind(rate, **arguments), steps), [START]
    rule = FORMULAS[name](rate)
    next(rule)
    for _ in range(steps):
        formula.append(formula[-1] + rule.send(STEEP * formula[-1]))
    return {f"first {steps} steps: largest distance from the formula": float(np.abs(ours - formula).max())}


def rule_of(name: str) -> dict[str, Any]:
    return {"values": follow(name) | steps_down(name)}


def adam_rule(data: Data, seed: int) -> dict[str, Any]:
    """The first step of Adam is as long as the learning rate says. By the printed step 3 it is not."""
    values = follow("Adam") | steps_down("Adam")
    for name, as_printed in (("as intended", False), ("as printed", True)):
        rule = adam(1.0, as_printed=as_printed)
        next(rule)
        values[f"first step / learning rate, {name}"] = round(abs(rule.send(3.0)), 4)
    return {"values": values}


# --- a race down an elongated bowl, (x^2 + 20 y^2) / 2

START, STEEP, STEPS = np.array([-4.0, 1.6]), np.array([1.0, 20.0]), 300


def path(optimizer: Any, steps: int = STEPS) -> np.ndarray:
    """The points (steps + 1, 2) on the way down, the gradient by tinynet.grad."""
    point = tinynet.Parameter(START.copy())
    points = [START]
    for _ in range(steps):
        loss = tinynet.ops.sum(STEEP * point**2) / 2
        optimizer.apply([tinynet.grad(loss, point).numpy()], [point])
        points.append(point.numpy().copy())
    return np.array(points)


def steps_down(name: str) -> dict[str, Any]:
    """Steps until the loss stays below a thousandth of the first."""
    kind, arguments, rate, _ = RACE[name]
    losses = (STEEP * path(kind(rate, **arguments)) ** 2).sum(1) / 2
    above = np.flatnonzero(losses > losses[0] / 1000)
    took = int(above[-1]) + 1
    return {f"steps down the bowl, rate {rate}": took if took <= STEPS else f"more than {STEPS}"}


def draw_bowl() -> Any:
    made = figure.new_figure(12, 5.2, "Down an elongated bowl: 60 steps of each optimizer")
    x, y = np.meshgrid(np.linspace(-4.6, 2.6, 200), np.linspace(-2.2, 2.2, 200))
    height = (x**2 + 20 * y**2) / 2
    panels = made.subplots(2, 4, sharex=True, sharey=True)
    for number, (axes, (name, (kind, arguments, rate, _))) in enumerate(
        zip(panels.flat, RACE.items(), strict=True)
    ):
        axes.contour(x, y, height, levels=np.geomspace(0.1, 60, 9), colors="#C9CED3", linewidths=0.9)
        points = path(kind(rate, **arguments), 60)
        colour, marker = figure.COLOURS[number], figure.MARKERS[number]
        axes.plot(*points.T, color=colour, marker=marker, markersize=3.5, linewidth=1.3)
        axes.plot(0, 0, "+", color="black", markersize=10)
        axes.set_title(f"{name}, rate {rate}", fontweight="bold", fontsize=11)
        axes.set_xlim(-4.6, 2.6)
    for axes in panels[1]:
        axes.set_xlabel("flat direction, x")
    for axes in panels[:, 0]:
        axes.set_ylabel("steep direction, y")
    return made


# --- the same race with a net


def race(name: str) -> Any:
    kind, arguments, _, rate = RACE[name]

    def run(data: Data, seed: int) -> dict[str, Any]:
        record = learn(dense_net(100, 100), data, kind(rate, **arguments), EPOCHS)
        return {**record, "values": {**record["values"], "learning rate": rate, **follow(name)}}

    return run


def draw_race(histories: dict[str, list[dict[str, Any]]], title: str) -> Any:
    """The losses of all optimizers, the mean over the seeds in a band."""
    made = figure.new_figure(10.5, 4.8, title)
    panels = made.subplots(1, 2)
    for axes, metric, label in zip(panels, ("loss", "val_loss"), ("training", "validation"), strict=True):
        for name, found in histories.items():
            curves = [history[metric] for history in found]
            draw_band(axes, range(1, len(curves[0]) + 1), curves, list(RACE).index(name), name)
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"{label} loss")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.25)
    seeds = len(next(iter(histories.values())))
    legend_of_bands(made, panels[0], seeds)
    return made


RUNS = {
    "S4-08": clipped_values,
    "S4-09": clipped_norms,
    "S4-18": lambda data, seed: rule_of("momentum"),
    "S4-19": lambda data, seed: rule_of("Nesterov"),
    "S4-20": lambda data, seed: rule_of("AdaGrad"),
    "S4-21": lambda data, seed: rule_of("RMSprop"),
    "S4-22": adam_rule,
    **{f"S4-23, {name}": race(name) for name in RACE},
}


def draw(study: Any, runs: dict[str, list[dict[str, Any]]]) -> None:
    """The pictures of the rows that have runs, by the names of the rows."""
    rules = [row for row in ("S4-18", "S4-19", "S4-20", "S4-21", "S4-22") if row in runs]
    if rules:
        study.picture("bowl", draw_bowl(), rules)
    histories = {
        name: [run["history"] for run in runs[f"S4-23, {name}"]] for name in RACE if f"S4-23, {name}" in runs
    }
    if histories:
        title = f"The same net with eight optimizers ({images_in(study)})"
        study.picture("optimizers", draw_race(histories, title), ["S4-23"])
