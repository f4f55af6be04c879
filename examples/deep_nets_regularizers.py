"""Against over-fitting: pre-training, L1, L2, max-norm.

The fifth part of training_deep_nets.py, which runs it.
"""

import functools
from typing import Any

import numpy as np
from deep_nets_shared import Data, dense_net, learn

from tinynet import Sequential, constraints, layers, optimizers, plotting, regularizers
from tinynet.plotting import figure

from shared.rows import Row

EPOCHS, FEW = 8, 300
BINS = np.linspace(-0.3, 0.3, 61)

ROWS = (
    *(
        Row(
            "S4-17",
            f"a net for {FEW} labels",
            arm,
            params=89_610,
            seeds=3,
            remark="pages only in the notebook: here the hidden layers learn first to draw the images again",
        )
        for arm in ("from random weights", "pre-trained")
    ),
    *(
        Row(
            "S4-31",
            "penalties on the weights",
            arm,
            params=79_510,
            remark='"applied at the end of each step" is loose: the penalty is part of the loss; '
            "l1_l2() means 0.01 and 0.01 in Keras 2, 0 and 0 in Keras 3",
        )
        for arm in ("no penalty", "L1(0.001)", "L2(0.01)")
    ),
    Row("S4-32", "RegularizedDense = functools.partial(Dense, ...)", params=266_610),
    Row(
        "S4-36",
        "max_norm(1.0)",
        params=79_510,
        remark="the notebook prints w 2 / |w| where w r / |w| is right; axis=0 for Dense",
    ),
)


# --- S4-17: what images without labels teach


def few_labels(data: Data, pre_trained: bool) -> dict[str, Any]:
    """Hidden layers that drew 55,000 images again before they saw FEW labels."""
    (x, y), validation, test = data
    net = dense_net(100, 100)
    if pre_trained:
        hidden = net.layers[:-1]  # the same layers in both nets
        artist = Sequential([layers.Input((28, 28)), *hidden, layers.Dense(784), layers.Reshape((28, 28))])
        artist.compile(optimizers.Adam(0.001), "mse")
        artist.fit(x, x, batch_size=128, epochs=3, verbose=0)
    few = ((x[:FEW], y[:FEW]), validation, test)
    return learn(net, few, optimizers.Adam(0.001), 15, batch_size=32)


# --- S4-31, S4-32 and S4-36: weights kept small

PENALTIES = {"no penalty": None, "L1(0.001)": regularizers.L1(0.001), "L2(0.01)": regularizers.L2(0.01)}


def keep_small(data: Data, **options: Any) -> dict[str, Any]:
    net = dense_net(100, **options)
    record = learn(net, data, optimizers.SGD(0.01, momentum=0.9), EPOCHS)
    weights = net.layers[1].kernel.numpy()
    lengths = np.linalg.norm(weights, axis=0)  # of what comes into each unit
    record["values"] |= {
        "share of weights below 0.001": round(float((abs(weights) < 0.001).mean()), 4),
        "longest weight vector of a unit": round(float(lengths.max()), 4),
    }
    outer = np.clip(weights.ravel(), BINS[0], BINS[-1])
    return {**record, "histogram": np.histogram(outer, BINS)[0].tolist(), "lengths": lengths.tolist()}


def penalty(data: Data, seed: int, arm: str) -> dict[str, Any]:
    record = keep_small(data, kernel_regularizer=PENALTIES[arm])
    if arm == "L2(0.01)":
        layer = layers.Dense(100, kernel_regularizer=regularizers.l2(0.01))
        layer(data[0][0][:1].reshape(1, 784))
        squares = 0.01 * float((layer.kernel.numpy().astype(float) ** 2).sum())
        record["values"]["penalty / (0.01 x sum of squares)"] = round(
            float(layer.losses[0].numpy()) / squares, 6
        )
        defaults = regularizers.l1_l2().get_config()
        record["values"]["l1_l2() means"] = [float(defaults["l1"]), float(defaults["l2"])]
    return record


def partial_dense(data: Data, seed: int) -> dict[str, Any]:
    """functools.partial gives arguments once; a call may still change some."""
    regularized = functools.partial(
        layers.Dense,
        activation="elu",
        kernel_initializer="he_normal",
        kernel_regularizer=regularizers.l2(0.01),
    )
    last = regularized(10, activation="softmax", kernel_initializer="glorot_uniform")
    net = Sequential([layers.Input((28, 28)), layers.Flatten(), regularized(300), regularized(100), last])
    values = {
        "initializer of the last layer": type(last.kernel_initializer).__name__,
        "penalties in the loss": len(net.losses),
    }
    return {"params": net.count_params(), "values": values}


def draw_weights(runs: dict[str, dict[str, Any]]) -> Any:
    made = figure.new_figure(10, 5.4, "Weights of the hidden layer after training")
    panels = made.subplots(2, 2, sharex=True).flat
    middles = (BINS[1:] + BINS[:-1]) / 2
    for number, (axes, (name, run)) in enumerate(zip(panels, runs.items(), strict=False)):
        share = np.array(run["histogram"]) / sum(run["histogram"])
        axes.bar(middles, share, width=BINS[1] - BINS[0], color=figure.COLOURS[number])
        longest, accuracy = max(run["lengths"]), run["values"]["test accuracy"]
        axes.set_title(f"{name}: longest vector {longest:.2f}, test {accuracy:.1%}", fontsize=11)
        axes.set_yscale("log")
        axes.set_ylim(1e-4, 1)
        axes.set_ylabel("share of weights")
        axes.set_xlabel("weight (ends: all beyond)")
        axes.grid(alpha=0.25)
    return made


RUNS = {
    "S4-17, from random weights": lambda data, seed: few_labels(data, pre_trained=False),
    "S4-17, pre-trained": lambda data, seed: few_labels(data, pre_trained=True),
    **{f"S4-31, {arm}": functools.partial(penalty, arm=arm) for arm in PENALTIES},
    "S4-32": partial_dense,
    "S4-36": lambda data, seed: keep_small(data, kernel_constraint=constraints.max_norm(1.0)),
}


def draw(study: Any, runs: dict[str, list[dict[str, Any]]]) -> None:
    """The pictures of the rows that have runs, by the names of the rows."""
    arms = ("from random weights", "pre-trained")
    found = {arm: runs[f"S4-17, {arm}"] for arm in arms if f"S4-17, {arm}" in runs}
    if found:
        histories = {arm: [run["history"] for run in several] for arm, several in found.items()}
        title = f"{FEW} labels: what images without labels teach first"
        study.picture("pre_training", plotting.compare_histories(histories, title=title), ["S4-17"])
    names = {**{arm: f"S4-31, {arm}" for arm in PENALTIES}, "max_norm(1.0)": "S4-36"}
    kept = {name: runs[row][0] for name, row in names.items() if row in runs}
    if kept:
        study.picture("weights", draw_weights(kept), ["S4-31", "S4-36"])
