"""Nets of all kinds: each is recorded, its page opens, every stop is shown, and its checks are right."""

import numpy as np
import pytest

import tinynet
from tinynet import Model, Sequential, explorer, layers, losses, optimizers

from explorer.browser import Opened

RNG = np.random.default_rng(3)
PICTURES = RNG.normal(size=(6, 6, 6, 3)).astype("float32")
ROWS = RNG.normal(size=(6, 5)).astype("float32")
CLASSES = RNG.integers(0, 4, 6)


def compiled(model, loss="sparse_categorical_crossentropy", optimizer="adam"):
    model.compile(optimizer, loss)
    return model


def residual():
    x = layers.Input((6, 6, 3))
    y = layers.Conv2D(3, 3, padding="same", activation="relu", name="inner")(x)
    y = layers.Add(name="sum")([x, layers.BatchNormalization(name="norm")(y)])
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    return compiled(Model(x, layers.Dense(4, activation="softmax", name="last")(y))), PICTURES, CLASSES


def shared():
    x, layer = layers.Input((5,)), layers.Dense(5, activation="tanh", name="shared")
    return (
        compiled(Model(x, layers.Dense(4, activation="softmax", name="last")(layer(layer(x))))),
        ROWS,
        CLASSES,
    )


def two_inputs():
    a, b = layers.Input((5,), name="a"), layers.Input((6, 6, 3), name="b")
    both = layers.Concatenate(name="both")([layers.Dense(3, name="of_a")(a), layers.Flatten(name="of_b")(b)])
    model = Model([a, b], layers.Dense(4, activation="softmax", name="last")(both))
    return compiled(model), [ROWS, PICTURES], CLASSES


def two_outputs():
    x = layers.Input((5,))
    middle = layers.Dense(4, activation="sigmoid", name="middle")(x)
    model = Model(x, [layers.Dense(1, name="one")(middle), layers.Dense(2, name="two")(middle)])
    return compiled(model, "mse"), ROWS, [ROWS[:, :1], ROWS[:, :2]]


def subclass():
    class Own(Model):
        def __init__(self):
            super().__init__(name="own")
            self.first, self.last = layers.Dense(6, name="first"), layers.Dense(4, name="last")

        def call(self, x):
            return self.last(tinynet.ops.relu(self.first(x)) * 0.5)

    return compiled(Own(), losses.SparseCategoricalCrossentropy(from_logits=True)), ROWS, CLASSES


def in_one_dimension():
    stack = [
        layers.Input((6, 18)),
        layers.Conv1D(4, 3, activation="relu", name="conv"),
        layers.MaxPooling1D(name="pool"),
        layers.Flatten(name="flat"),
        layers.Dense(4, activation="softmax", name="last"),
    ]
    return compiled(Sequential(stack, name="line")), PICTURES.reshape(6, 6, 18), CLASSES


def depthwise():
    stack = [
        layers.Input((6, 6, 3)),
        layers.Rescaling(0.5, offset=-0.25, name="scale"),  # two operations, of which the second gives y
        layers.DepthwiseConv2D(3, name="depth"),
        layers.SeparableConv2D(4, 3, name="apart"),
        layers.LayerNormalization(name="norm"),
        layers.Flatten(name="flat"),
        layers.Dense(4, activation="softmax", name="last"),
    ]
    return (
        compiled(Sequential(stack, name="depthwise"), optimizer=optimizers.RMSprop(0.01)),
        PICTURES,
        CLASSES,
    )


def regularized():
    dense = layers.Dense(
        4, activation="softmax", kernel_regularizer="l2", activity_regularizer="l1", name="last"
    )
    model = Sequential([layers.Input((5,)), layers.GaussianNoise(0.1, name="noise"), dense], name="penalties")
    return compiled(model, optimizer=optimizers.AdamW(0.01)), ROWS, CLASSES


def embedded():
    stack = [
        layers.Input((5,), dtype="int32"),
        layers.Embedding(7, 3, name="table"),
        layers.Flatten(name="flat"),
        layers.Dense(1, activation="sigmoid", name="last"),
    ]
    return (
        compiled(Sequential(stack, name="words"), "binary_crossentropy"),
        RNG.integers(0, 7, (6, 5)),
        CLASSES % 2,
    )


def channels_first():
    stack = [
        layers.Input((3, 6, 6)),
        layers.Conv2D(4, 3, data_format="channels_first", name="conv"),
        layers.ReLU(name="relu"),
        layers.Flatten(name="flat"),
        layers.Dense(4, name="last"),
    ]
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    return (
        compiled(Sequential(stack, name="first"), loss, optimizers.SGD(0.1, momentum=0.9)),
        np.moveaxis(PICTURES, 3, 1),
        CLASSES,
    )


def in_double():
    stack = [
        layers.Input((5,), dtype="float64"),
        layers.Dense(4, dtype="float64", activation="softmax", name="last"),
    ]
    return compiled(Sequential(stack, name="double")), ROWS.astype("float64"), CLASSES


def frozen():
    stack = [
        layers.Input((6, 6, 3)),
        layers.Conv2D(4, 3, trainable=False, name="frozen"),
        layers.BatchNormalization(trainable=False, name="norm"),
        layers.Flatten(name="flat"),
        layers.Dense(4, activation="softmax", name="last"),
    ]
    return compiled(Sequential(stack, name="frozen")), PICTURES, CLASSES


NETS = [
    residual,
    shared,
    two_inputs,
    two_outputs,
    subclass,
    in_one_dimension,
    depthwise,
    regularized,
    embedded,
    channels_first,
    in_double,
    frozen,
]


@pytest.mark.parametrize("make", NETS)
def test_every_stop_is_shown_and_every_check_is_right(browser, make, tmp_path):
    tinynet.utils.set_random_seed(0)
    model, x, y = make()
    path = tinynet.explore(model, x, y, tmp_path / "step.html")
    index, q = explorer.load(path)
    opened, rng, checked = Opened(browser, path), np.random.default_rng(0), 0
    assert opened.page.locator("#tree [aria-selected=true]").count() == 1
    assert opened.ask(
        "() => stops.map((_, i) => { goTo(i); return byId('values').children.length > 1; })"
    ) == [True] * len(index["order"])
    opened.ask("() => { show({level: 'operation'}); drawGraph(); }")
    assert opened.page.locator("#tree [data-stop]").count() == len(index["order"])
    for number, quantity in enumerate(index["quantities"]):
        if quantity["by"] and f"q{number}" in q and all(quantity["shape"]):
            at = [int(rng.integers(size)) for size in quantity["shape"]]
            found = opened.ask(
                """([q, at]) => { checkNumber({q, at}); const check = checkOf({q, at});
                return typeof check === 'string' ? null : [check.value, tolerance(check)]; }""",
                [number, at],
            )
            if found:
                assert abs(found[0] - float(q[f"q{number}"][tuple(at)])) <= found[1], (quantity, at)
                checked += 1
    assert checked >= 5
    opened.page.wait_for_selector("html[data-compared=true]", timeout=20_000)
    badge = opened.page.locator("#badge")
    assert badge.inner_text().startswith("JS = tinynet ✓")
    assert "not compared" not in badge.inner_text()
    opened.close()
