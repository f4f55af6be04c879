"""What is warned about at the first batch: mistakes that would train to nonsense in silence.
And that nothing else is.
"""

import warnings

import numpy as np
import pytest

import tinynet
from tinynet import layers, losses
from tinynet.models import Sequential
from tinynet.utils import set_random_seed, to_categorical

RNG = np.random.default_rng(1)
X = RNG.normal(size=(64, 4)).astype("float32")
LABELS = RNG.integers(0, 3, 64)
ROWS, BINARY, REAL = to_categorical(LABELS, 3), (X[:, :1] > 0).astype("float32"), X.sum(1, keepdims=True)


def net(units, activation=None):
    set_random_seed(0)
    return Sequential([layers.Input((4,)), layers.Dense(8, "tanh"), layers.Dense(units, activation)])


def told(run):
    """The warnings of run(), as texts."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        run()
    return [str(one.message) for one in found]


RIGHT = {
    "softmax": (3, "softmax", "sparse_categorical_crossentropy", LABELS),
    "softmax, rows": (3, "softmax", "categorical_crossentropy", ROWS),
    "softmax, by shape": (3, "softmax", "crossentropy", ROWS),
    "logits": (3, None, losses.SparseCategoricalCrossentropy(from_logits=True), LABELS),
    "logits, rows": (3, None, losses.CategoricalCrossentropy(from_logits=True), ROWS),
    "sigmoid": (1, "sigmoid", "binary_crossentropy", BINARY),
    "sigmoids": (3, "sigmoid", "binary_crossentropy", ROWS),
    "logit": (1, None, losses.BinaryCrossentropy(from_logits=True), BINARY),
    "smooth": (1, "sigmoid", "binary_crossentropy", 0.1 + 0.8 * BINARY),
    "hinge": (1, "tanh", "hinge", 2 * BINARY - 1),
    "regression": (1, None, "mse", REAL),
    "divergence": (3, "softmax", "kl_divergence", ROWS),
    "a function": (1, None, lambda t, p: tinynet.ops.mean(tinynet.ops.square(t - p), -1), REAL),
}
WRONG = {
    "logits, labels": (3, None, "sparse_categorical_crossentropy", LABELS, "probabilities, got numbers from"),
    "logits, rows": (
        3,
        None,
        "categorical_crossentropy",
        ROWS,
        "activation='softmax', or the loss from_logits=True",
    ),
    "logits, by shape": (3, None, "crossentropy", ROWS, "activation='softmax'"),
    "logit, by shape": (1, None, "crossentropy", BINARY, "activation='sigmoid'"),
    "logit": (1, None, "binary_crossentropy", BINARY, "activation='sigmoid', or the loss from_logits=True"),
    "tanh": (1, "tanh", "binary_crossentropy", BINARY, "activation='sigmoid'"),
    "divergence": (3, None, "kl_divergence", ROWS, "probabilities"),
    "softmax twice": (
        3,
        "softmax",
        losses.SparseCategoricalCrossentropy(from_logits=True),
        LABELS,
        "of a softmax: leave out",
    ),
    "softmax twice, rows": (
        3,
        "softmax",
        losses.CategoricalCrossentropy(from_logits=True),
        ROWS,
        "of a softmax: leave out",
    ),
    "sigmoid twice": (
        1,
        "sigmoid",
        losses.BinaryCrossentropy(from_logits=True),
        BINARY,
        "of a sigmoid: leave out",
    ),
    "labels -1 and 1": (
        1,
        "sigmoid",
        "binary_crossentropy",
        2 * BINARY - 1,
        "got -1 to 1; labels -1 and 1 go with hinge",
    ),
    "labels 1 and 2": (
        1,
        "sigmoid",
        "binary_crossentropy",
        BINARY + 1,
        "targets should lie in 0 .. 1, got 1 to 2",
    ),
    "one softmax": (1, "softmax", "mse", BINARY, "this axis has size 1"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_said_about_what_is_right(name):
    units, activation, loss, y = RIGHT[name]

    def run():
        model = net(units, activation)
        model.compile("sgd", loss)
        model.fit(X, y, batch_size=16, epochs=2, verbose=0, validation_data=(X, y))
        model.evaluate(X, y, verbose=0)
        model.train_on_batch(X, y)
        model.predict(X, verbose=0)

    assert told(run) == []


@pytest.mark.parametrize("how", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_once(name, how):
    units, activation, loss, y, message = WRONG[name]
    model = None

    def run():
        nonlocal model
        model = net(units, activation)
        model.compile("sgd", loss, run_eagerly=False)
        for _ in range(3):
            getattr(model, how)(X, y, **({"verbose": 0} if how in ("fit", "evaluate") else {}))

    found = told(run)
    assert sum(message in text for text in found) == 1 or "softmax over axis" in found[0]
    assert all(message in text or "one class only" in text for text in found)

    if "size 1" not in message:
        model.compile("sgd", loss)
        assert any(message in text for text in told(lambda: model.fit(X, y, verbose=0))), (
            "another compile, another warning"
        )


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["x", "y", "sample_weight"])
def test_numbers_that_are_none(place, wrong):
    given = {"x": X.copy(), "y": REAL.copy(), "sample_weight": np.ones(64, "float32")}
    given[place].flat[3] = wrong
    model = net(1)
    model.compile("sgd", "mse")

    def run():
        for _ in range(2):
            model.fit(**given, batch_size=64, shuffle=False, verbose=0)

    found = told(run)
    (text,) = [one for one in found if "of the first batch" in one]
    size = {"x": 256, "y": 64, "sample_weight": 64}[place]
    where = {"x": "(0, 3)", "y": "(3, 0)", "sample_weight": "(3,)"}[place]
    assert (
        f"{place} of the first batch holds NaN or infinity: 1 of {size} numbers, first {wrong} at {where}"
        in text
    )
    assert any("tinynet.debug.check_numerics()" in one for one in found)


def test_a_loss_that_is_no_number_is_said_at_the_end_of_the_epoch():
    model = net(1)
    model.compile(tinynet.optimizers.SGD(1e20), "mse")
    with np.errstate(all="ignore"):
        found = told(lambda: model.fit(X, REAL, batch_size=16, epochs=4, verbose=0))
    (text,) = [one for one in found if "the loss of this epoch is" in one]
    assert "tinynet.debug.check_numerics()" in text


def test_a_search_for_the_learning_rate_may_diverge():
    model = net(1)
    model.compile("sgd", "mse")
    finder = tinynet.callbacks.LearningRateFinder(max_lr=1e30, steps=30)
    assert not any(
        "loss of this epoch" in one for one in told(lambda: finder.find(model, X, REAL, batch_size=16))
    )
    model.optimizer.learning_rate = 1e20
    with np.errstate(all="ignore"):
        assert any(
            "loss of this epoch" in one for one in told(lambda: model.fit(X, REAL, epochs=3, verbose=0))
        )


def test_several_outputs_are_looked_at_one_by_one():
    x = layers.Input((4,))
    a, b = layers.Dense(3, name="a")(x), layers.Dense(1, "sigmoid", name="b")(x)
    model = tinynet.Model(x, {"a": a, "b": b})
    model.compile("sgd", {"a": "categorical_crossentropy", "b": "binary_crossentropy"})
    found = told(lambda: model.fit(X, {"a": ROWS, "b": 2 * BINARY - 1}, verbose=0))
    assert len(found) == 2
    assert "activation='softmax'" in found[0]
    assert "got -1 to 1" in found[1]


@pytest.mark.parametrize(
    "last",
    [
        [layers.Dense(1, "softmax")],
        [layers.Dense(1), layers.Softmax()],
        [layers.Dense(1), layers.Activation("softmax")],
    ],
)
def test_a_softmax_of_one(last):
    def run():
        model = Sequential([layers.Input((4,)), *last])
        model.compile("adam", "mse")
        model.fit(X, BINARY, verbose=0)

    assert any("this axis has size 1" in text for text in told(run))
    assert told(lambda: tinynet.ops.softmax(np.ones((3, 1)))) != []
    assert told(lambda: tinynet.ops.softmax(np.ones((3, 1)), axis=0)) == []


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (3, 4)])
def test_classes_of_pixels(shape):
    """The classes are along the last axis, whatever the sizes of the others."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, *shape, 2)).astype("float32"), rng.integers(0, 3, (6, *shape))
    model = Sequential([layers.Input((*shape, 2)), layers.Conv2D(3, 1, activation="softmax")])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    assert any("of a softmax: leave out" in text for text in told(lambda: model.fit(x, y, verbose=0)))
    model.compile("sgd", losses.SparseCategoricalCrossentropy())
    assert told(lambda: model.fit(x, y, verbose=0)) == []
