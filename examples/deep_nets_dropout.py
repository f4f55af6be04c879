"""Dropout, and what it says of uncertainty when it goes on after the training (Monte Carlo dropout).

The last part of training_deep_nets.py, which runs it.
"""

from typing import Any

import numpy as np
from deep_nets_shared import Data, learn

from tinynet import Sequential, layers, optimizers
from tinynet.plotting import figure

from shared.data import FASHION
from shared.nets import same, samples
from shared.rows import Row

EPOCHS = 8
SAMPLES = 100

ROWS = (
    Row(
        "S4-33",
        "a dropout model",
        params=266_610,
        remark="the notebook writes keras.layers.Droput, which no library has; of its two ways, weights "
        'times 0.8 when testing or inputs divided by 0.8 in training ("not perfectly equivalent"), layers '
        "take the second",
    ),
    Row(
        "S4-34",
        "Monte Carlo dropout",
        params=266_610,
        seeds=3,
        remark="X_test_scaled is not defined in the notebook: the scaled test images",
    ),
    Row(
        "S4-35",
        "class MCDropout(Dropout)",
        expected={
            "predict twice, the same with Dropout": True,
            "predict twice, the same with MCDropout": False,
            "its mean is that of model(x, training=True), within 5 standard errors": True,
            "model(x, training=True) moves the averages of a batch norm": True,
            "predict with MCDropout moves them": False,
        },
        remark="a net with batch norm is why the notebook needs this class: there, training=True would also "
        "let the batch norms read the images that they are asked about",
    ),
)


class MCDropout(layers.Dropout):
    """Dropout that goes on after the training."""

    def call(self, inputs: Any) -> Any:
        return super().call(inputs, training=True)


def dropout_net(kind: Any = layers.Dropout, normed: bool = False) -> Sequential:
    net = Sequential([layers.Input((28, 28)), layers.Flatten()])
    if normed:
        net.add(layers.BatchNormalization())
    net.add(kind(0.2))
    for units in (300, 100):
        net.add(layers.Dense(units, activation="elu", kernel_initializer="he_normal"))
        net.add(kind(0.2))
    net.add(layers.Dense(10, activation="softmax"))
    return net


def dropout(data: Data, seed: int) -> dict[str, Any]:
    """What is left in training is divided by 0.8, so that the mean stays as it is."""
    ones = np.ones((1000, 1000), "float32")
    left = layers.Dropout(0.2)(ones, training=True).numpy()
    values = {
        "share that is left": round(float((left > 0).mean()), 3),
        "mean of what was 1, in training": round(float(left.mean()), 3),
        "largest, 1 / 0.8": float(left.max()),
        "afterwards nothing changes": bool((layers.Dropout(0.2)(ones).numpy() == 1).all()),
    }
    return {"params": dropout_net().count_params(), "values": values}


def monte_carlo(data: Data, seed: int) -> dict[str, Any]:
    net = dropout_net()
    record = learn(net, data, optimizers.SGD(0.01, momentum=0.9), EPOCHS)
    x, y = data[2]
    plain = net.predict(x, batch_size=500, verbose=0)
    parts = [samples(net, part, SAMPLES) for part in np.array_split(x, -(-len(x) // 1000))]
    mean = np.concatenate([part.mean(0) for part in parts])
    spread = np.concatenate([part.std(0) for part in parts])
    answer, at = mean.argmax(1), np.arange(len(x))
    right, unsure = answer == y, spread[at, answer]
    record["values"] |= {
        "test accuracy, mean of 100 samples": round(float(right.mean()), 4),
        "test accuracy, one sample": round(float((np.concatenate(parts, 1)[0].argmax(1) == y).mean()), 4),
        "mean spread where right": round(float(unsure[right].mean()), 4),
        "mean spread where wrong": round(float(unsure[~right].mean()), 4),
    }
    shown = (int(unsure.argmin()), int(unsure.argmax()))
    images = [
        {
            "image": x[i].round(3).tolist(),
            "label": int(y[i]),
            "plain": plain[i].tolist(),
            "samples": samples(net, x[i : i + 1], SAMPLES)[:, 0].round(4).tolist(),
        }
        for i in shown
    ]
    return {**record, "images": images}


def mc_layer(data: Data, seed: int) -> dict[str, Any]:
    """The subclass in place of Dropout, with the same weights: predict itself is random now."""
    plain, always = dropout_net(), dropout_net(MCDropout)
    always.set_weights(plain.get_weights())
    x = data[2][0][:100]
    first, second = (always.predict(x, verbose=0) for _ in range(2))
    both = np.stack([always.predict(x, verbose=0) for _ in range(200)]), samples(plain, x, 200)
    error = np.sqrt(sum(drawn.var(0, ddof=1) / 200 for drawn in both))  # of the difference of the means
    apart = np.abs(both[0].mean(0) - both[1].mean(0)) / error  # in standard errors
    values = {
        "predict twice, the same with Dropout": bool(
            np.array_equal(plain.predict(x, verbose=0), plain.predict(x, verbose=0))
        ),
        "predict twice, the same with MCDropout": bool(np.array_equal(first, second)),
        "its mean is that of model(x, training=True), within 5 standard errors": bool(apart.max() < 5),
    }
    for what, kind, ask in (
        ("model(x, training=True) moves the averages of a batch norm", layers.Dropout, in_training),
        ("predict with MCDropout moves them", MCDropout, in_predict),
    ):
        normed = dropout_net(kind, normed=True)
        before = [weight.numpy() for weight in normed.non_trainable_weights]
        ask(normed, x)
        values[what] = not same(before, [weight.numpy() for weight in normed.non_trainable_weights])
    return {"values": values}


def in_training(net: Any, x: np.ndarray) -> Any:
    return net(x, training=True)


def in_predict(net: Any, x: np.ndarray) -> Any:
    return net.predict(x, verbose=0)


def draw_uncertainty(run: dict[str, Any]) -> Any:
    """A sure and an unsure image, and what 100 nets with other units left out say of it."""
    made = figure.new_figure(10.5, 5.6, "Monte Carlo dropout: what 100 samples say")
    panels = made.subplots(2, 2, width_ratios=[1, 3.2])
    random = np.random.default_rng(0)
    for (picture, axes), found in zip(panels, run["images"], strict=True):
        picture.imshow(found["image"], cmap="gray_r")
        picture.set_title(FASHION[found["label"]] if run["fashion"] else f"a {found['label']}")
        picture.axis("off")
        samples = np.array(found["samples"])
        across = np.arange(10) + random.uniform(-0.25, 0.25, samples.shape)
        axes.plot(across.ravel(), samples.ravel(), ".", color=figure.BLUE, alpha=0.25, label="one sample")
        mean, spread = samples.mean(0), samples.std(0)
        style = {"fmt": "o", "color": "black", "capsize": 4, "label": "mean and deviation"}
        axes.errorbar(range(10), mean, spread, **style)
        axes.plot(
            range(10), found["plain"], "D", color=figure.VERMILION, markersize=6, label="without dropout"
        )
        axes.set_xticks(range(10), FASHION if run["fashion"] else range(10))
        axes.set_ylim(-0.05, 1.05)
        axes.set_ylabel("probability")
        axes.grid(axis="y", alpha=0.25)
    panels[0, 1].legend(frameon=False)
    return made


RUNS = {"S4-33": dropout, "S4-34": monte_carlo, "S4-35": mc_layer}


def draw(study: Any, runs: dict[str, list[dict[str, Any]]]) -> None:
    """The pictures of the rows that have runs, by the names of the rows."""
    if "S4-34" in runs:
        run = {**runs["S4-34"][0], "fashion": not study.quick}
        study.picture("uncertainty", draw_uncertainty(run), ["S4-33", "S4-34", "S4-35"])
