"""How signals pass through deep nets: initializers, activations, self-normalisation.

The first part of training_deep_nets.py, which runs it.
"""

from typing import Any

import numpy as np
from deep_nets_shared import draw_band, legend_of_bands

import tinynet
from tinynet import Sequential, activations, initializers, layers
from tinynet.plotting import figure

from shared.rows import Notebook, Row

DEEP, WIDE, SAMPLES = 25, 100, 500  # layers, units in each, and random inputs of S4-02
SELF_DEEP = 100  # layers of S4-04

ROWS = (
    Row("S4-00", "the library", notebook=Notebook(values={"library": "Keras 2.3 on TensorFlow"})),
    Row(
        "S4-01",
        "variance of the initializers",
        notebook=Notebook(values={"He: variance x fan_avg": 2, "LeCun: variance x fan_avg": 1}),
        expected={
            "Glorot: variance x fan_avg": 1,
            "He: variance x fan_in": 2,
            "LeCun: variance x fan_in": 1,
            "VarianceScaling(2, fan_avg): variance x fan_avg": 2,
            "largest weight / sqrt(3 x 2 / fan_avg)": 1,
        },
        remark="the notebook's table says fan_avg for He and LeCun, which is wrong: both go by fan_in (its "
        "text says so of LeCun)",
    ),
    Row(
        "S4-02",
        f"{DEEP} dense layers: activations and gradients by layer",
        seeds=3,
        remark="standard deviations; LeCun and Glorot are the same where a layer is as wide as its input",
    ),
    Row("S4-03", "LeakyReLU, PReLU, RReLU", expected={"LeakyReLU(alpha=0.2) at -1": -0.2}),
    Row(
        "S4-04",
        f"{SELF_DEEP} dense layers: which activation keeps mean 0 and deviation 1",
        seeds=3,
        remark="the notebook writes kernel_initizalizer, which no layer knows",
    ),
)


def library(data: Any, seed: int) -> dict[str, Any]:
    return {"values": {"library": f"tinynet {tinynet.__version__}"}}


# --- S4-01: an initializer is a variance


def variances(data: Any, seed: int, fan_in: int = 784, fan_out: int = 300) -> dict[str, Any]:
    """The variance of weights, times the fan: the same number for every layer, if it is the right fan."""
    fan_avg = (fan_in + fan_out) / 2
    values = {}
    for name, initializer in (
        ("Glorot", initializers.GlorotUniform(seed)),
        ("He", initializers.HeNormal(seed)),
        ("LeCun", initializers.LecunNormal(seed)),
        ("VarianceScaling(2, fan_avg)", initializers.VarianceScaling(2.0, "fan_avg", "uniform", seed=seed)),
    ):
        weights = np.asarray(initializer((fan_in, fan_out)))
        values[f"{name}: variance x fan_in"] = round(float(weights.var()) * fan_in, 3)
        values[f"{name}: variance x fan_avg"] = round(float(weights.var()) * fan_avg, 3)
    # a uniform distribution of variance s^2 reaches from -sqrt(3 s^2) to sqrt(3 s^2)
    values["largest weight / sqrt(3 x 2 / fan_avg)"] = round(float(weights.max()) / np.sqrt(6 / fan_avg), 3)
    return {"values": values}


# --- S4-02: what that variance does to a deep net

STARTS: dict[str, Any] = {
    "N(0, 1)": lambda seed: initializers.RandomNormal(0.0, 1.0, seed),
    "Glorot": lambda seed: initializers.GlorotNormal(seed),
    "He": lambda seed: initializers.HeNormal(seed),
    "LeCun": lambda seed: initializers.LecunNormal(seed),
}
FUNCTIONS = ("sigmoid", "tanh", "relu", "selu")
TOLD = (("sigmoid", "N(0, 1)"), ("sigmoid", "Glorot"), ("tanh", "Glorot"), ("relu", "He"), ("selu", "LeCun"))


def passed_through(activation: str, start: str, seed: int, depth: int = DEEP) -> tuple[list[Any], list[Any]]:
    """(activations (N, units), gradients of the same shape) of each layer of a net that has learned nothing.

    The gradient at the top is drawn from N(0, 1), as the input is.
    """
    random = np.random.default_rng(seed)
    x = random.normal(size=(SAMPLES, WIDE)).astype("float32")
    outputs = [tinynet.Tensor(x, requires_grad=True)]
    for number in range(depth):
        initializer = STARTS[start](seed * 1000 + number)
        outputs.append(layers.Dense(WIDE, activation, kernel_initializer=initializer)(outputs[-1]))
    upstream = random.normal(size=(SAMPLES, WIDE)).astype("float32")
    gradients = tinynet.grad(outputs[-1], outputs[1:-1], upstream)
    return [y.numpy() for y in outputs[1:]], [g.numpy() for g in gradients] + [upstream]


def deviations(data: Any, seed: int) -> dict[str, Any]:
    curves, values = {}, {}
    for activation in FUNCTIONS:
        for start in STARTS:
            forward, backward = passed_through(activation, start, seed)
            name = f"{activation}, {start}"
            curves[name] = [[float(np.std(y, dtype=float)) for y in ys] for ys in (forward, backward)]
            if (activation, start) in TOLD:
                values[f"{name}: deviation of the last activation"] = float(f"{curves[name][0][-1]:.3g}")
                values[f"{name}: of the first gradient"] = float(f"{curves[name][1][0]:.3g}")
    return {"values": values, "curves": curves}


def draw_deviations(runs: list[dict[str, Any]]) -> Any:
    made = figure.new_figure(11, 5.8, "Standard deviations in a deep net, layer by layer, before training")
    panels = made.subplots(2, len(FUNCTIONS), sharex=True, sharey="row")
    for column, activation in enumerate(FUNCTIONS):
        for number, start in enumerate(STARTS):
            for part, axes in enumerate(panels[:, column]):
                curves = [run["curves"][f"{activation}, {start}"][part] for run in runs]
                draw_band(axes, range(1, DEEP + 1), curves, number, start)
        panels[0, column].set_title(activation, fontweight="bold")
        panels[1, column].set_xlabel("layer (1: next to the input)")
    for axes in panels.flat:
        axes.set_yscale("log")
        axes.set_ylim(1e-6, 1e6)
        axes.axhline(1, color=figure.GREY, linewidth=0.8)
        axes.grid(alpha=0.25)
    panels[0, 0].set_ylabel("of activations")
    panels[1, 0].set_ylabel("of gradients")
    legend_of_bands(made, panels[0, 0], len(runs))
    return made


# --- S4-03: activations that leak


class MyRReLU(layers.Layer):
    """The notebook: "easily implement your own". A random slope in training, its mean afterwards."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3) -> None:
        super().__init__()
        self.lower, self.upper = lower, upper

    def call(self, x: Any, training: bool = False) -> Any:
        slope = (self.lower + self.upper) / 2
        if training:
            slope = tinynet.random.uniform(x.shape, self.lower, self.upper)
        return tinynet.ops.where(x >= 0, x, slope * x)


def leaks(data: Any, seed: int) -> dict[str, Any]:
    hidden = layers.Dense(10, kernel_initializer="he_normal")
    net = Sequential([hidden, layers.LeakyReLU(alpha=0.2)])  # Keras 3 calls it negative_slope
    built_before, _ = net.built, net(np.zeros((1, 20), "float32"))
    x = np.full((1, 10_000), -1.0, "float32")
    mine, ours = MyRReLU(), layers.RReLU()
    slopes = -mine(x, training=True).numpy()
    prelu = layers.PReLU(alpha_initializer="zeros")
    prelu(x)
    at = x[:, :1]
    values = {
        "LeakyReLU(alpha=0.2) at -1": round(float(net.layers[1](at).numpy()[0, 0]), 6),
        "slope of LeakyReLU(), the layer": round(-float(layers.LeakyReLU()(at).numpy()[0, 0]), 6),
        "slope of leaky_relu, the function": round(-float(activations.leaky_relu(at)[0, 0]), 6),
        "built before the first call, and after": f"{built_before}, {net.built}",
        "parameters after 20 inputs": net.count_params(),
        "slopes that PReLU learns, of 10,000 inputs": prelu.count_params(),
        "slopes of our own RReLU, training": f"{slopes.min():.3f} to {slopes.max():.3f}",
        "its slope afterwards": round(-float(mine(at).numpy()[0, 0]), 6),
        "the same as layers.RReLU": bool(np.array_equal(mine(x).numpy(), ours(x).numpy())),
    }
    return {"values": values}


def draw_activations() -> Any:
    """Functions (solid) and their derivatives (dashed), by tinynet.grad."""
    made = figure.new_figure(10, 5, "Activations and their derivatives")
    names = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "softplus", "gelu")
    panels = made.subplots(2, 4, sharex=True, sharey=True)
    for axes, name in zip(panels.flat, names, strict=True):
        x = tinynet.Tensor(np.linspace(-4, 4, 400), requires_grad=True)
        y = activations.get(name)(x)
        axes.axhline(0, color=figure.GREY, linewidth=0.6)
        axes.axvline(0, color=figure.GREY, linewidth=0.6)
        axes.plot(x.numpy(), y.numpy(), color=figure.BLUE, linewidth=2, label="f(z)")
        slope = tinynet.grad(tinynet.ops.sum(y), x).numpy()
        axes.plot(x.numpy(), slope, "--", color=figure.VERMILION, linewidth=2, label="f'(z)")
        axes.set_title(name, fontweight="bold")
        axes.set_ylim(-2, 3)
    for axes in panels[1]:
        axes.set_xlabel("z")
    panels[0, 0].legend(frameon=False, loc="upper left")
    return made


# --- S4-04: SELU keeps its signals by itself

SELF = {"selu": "LeCun", "elu": "He", "relu": "He"}


def self_normalisation(data: Any, seed: int) -> dict[str, Any]:
    """Mean and deviation of every layer: SELU's pull both to 0 and 1, wherever they begin."""
    curves, values = {}, {}
    for activation, start in SELF.items():
        outputs, _ = passed_through(activation, start, seed, SELF_DEEP)
        curves[activation] = [[float(f(y, dtype=float)) for y in outputs] for f in (np.mean, np.std)]
        means, spreads = curves[activation]
        values[f"{activation}: largest mean of a layer"] = round(max(np.abs(means)), 3)
        values[f"{activation}: smallest deviation of a layer"] = round(min(spreads), 3)
        values[f"{activation}: largest deviation of a layer"] = round(max(spreads), 3)
    return {"values": values, "curves": curves}


def draw_self_normalisation(runs: list[dict[str, Any]]) -> Any:
    made = figure.new_figure(9, 3.8, f"{SELF_DEEP} dense layers: mean and deviation of their activations")
    panels = made.subplots(1, 2)
    for part, (axes, what) in enumerate(zip(panels, ("mean", "standard deviation"), strict=True)):
        for number, activation in enumerate(SELF):
            curves = [run["curves"][activation][part] for run in runs]
            draw_band(axes, range(1, SELF_DEEP + 1), curves, number, activation)
        axes.axhline(part, color=figure.GREY, linewidth=0.8)
        axes.set_xlabel("layer")
        axes.set_ylabel(f"{what} of the activations")
        axes.grid(alpha=0.25)
    panels[0].set_yscale("symlog", linthresh=1)
    panels[1].set_yscale("log")
    legend_of_bands(made, panels[0], len(runs))
    return made


RUNS = {
    "S4-00": library,
    "S4-01": variances,
    "S4-02": deviations,
    "S4-03": leaks,
    "S4-04": self_normalisation,
}


def draw(study: Any, runs: dict[str, list[dict[str, Any]]]) -> None:
    """The pictures of the rows that have runs, by the names of the rows."""
    if "S4-02" in runs:
        study.picture("signals_by_layer", draw_deviations(runs["S4-02"]), ["S4-01", "S4-02"])
    if "S4-03" in runs:
        study.picture("activations", draw_activations(), ["S4-03"])
    if "S4-04" in runs:
        study.picture("self_normalisation", draw_self_normalisation(runs["S4-04"]), ["S4-04"])
