"""The learning rate range test: what it finds on a problem whose answer is known,
and that it leaves no trace.
"""

import copy

import numpy as np
import pytest

from tinynet import datasets, layers, optimizers, schedules
from tinynet.backend import random
from tinynet.callbacks import LearningRateFinder
from tinynet.models import Sequential
from tinynet.plotting import learning_rate_curve
from tinynet.utils import set_random_seed


def net():
    set_random_seed(3)
    return Sequential([
        layers.Input((64,)), layers.Rescaling(1 / 16), layers.Dense(32, "relu"), layers.BatchNormalization(),
        layers.Dropout(0.2), layers.Dense(10, "softmax"),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def digits():
    (x, y), _ = datasets.digits.load_data()
    return x.reshape(len(x), 64)[:640].astype("float32"), y[:640]


def compiled(optimizer=None):
    model = net()
    model.compile(optimizer or optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_it_finds_a_rate_that_trains(digits):
    model = compiled()
    finder = LearningRateFinder(1e-6, 100.0, steps=80).find(model, *digits, batch_size=32)
    assert 1e-4 < finder.suggestion() < 0.3
    assert len(finder.learning_rates) == len(finder.losses) == len(finder.raw_losses)
    np.testing.assert_allclose(finder.learning_rates, 1e-6 * 1e8 ** (np.arange(len(finder.losses)) / 79))
    assert min(finder.losses) < 0.8 * finder.losses[0]
    model.optimizer.learning_rate = finder.suggestion()
    history = model.fit(*digits, epochs=4, verbose=0).history
    assert history["accuracy"][-1] > 0.85


def test_a_parabola_diverges_where_it_must():
    """One weight, loss w^2 a batch: every step multiplies w by 1 - 2 lr,
    so the loss falls until lr = 1 and grows after.
    """
    model = Sequential([layers.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(optimizers.SGD(0.1), "mse")
    finder = LearningRateFinder(1e-4, 100.0, steps=100, smoothing=0.0)
    finder.find(model, np.ones((8, 1)), np.zeros((8, 1)), batch_size=8)
    lr = np.array(finder.learning_rates)
    expected = np.concatenate([[1.0], np.cumprod((1 - 2 * lr[:-1]) ** 2)])
    np.testing.assert_allclose(finder.losses, expected, rtol=1e-4, atol=1e-12)
    assert 1 < lr[-1] < 10, "it stops when the loss is four times the smallest one"
    assert 0.02 < finder.suggestion() < 0.5
    assert model.get_weights()[0].item() == 1.0


def test_losses_are_smoothed_and_corrected():
    finder = LearningRateFinder(steps=4, smoothing=0.5)
    assert [finder.add(loss) for loss in (1.0, 4.0, 2.0)] == [True, True, True]
    np.testing.assert_allclose(finder.losses, [1.0, (1 / 4 + 4 / 2) / (3 / 4), (1 / 8 + 1 + 1) / (7 / 8)])
    assert not finder.add(np.nan), "a loss that is no number ends the test and is not noted"
    assert len(finder.losses) == 3
    assert not finder.add(1.0), "the last step"


OPTIMIZERS = {
    "adam": lambda: optimizers.Adam(0.01),
    "schedule": lambda: optimizers.SGD(schedules.OneCycle(0.1, 200), momentum=0.9),
    "averages": lambda: optimizers.Nadam(0.01, use_ema=True, gradient_accumulation_steps=2),
}


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_leaves_no_trace(name, trained, digits):
    """Training goes on with the same bits as if nothing had happened."""
    results = []
    for looks in (False, True):
        model = compiled(OPTIMIZERS[name]())
        if trained:
            model.fit(*digits, epochs=1, verbose=0)
        before = model.optimizer, model.history, random.state(), model.optimizer.get_weights()
        if looks:
            LearningRateFinder(steps=25).find(model, *digits, batch_size=50)
        assert model.optimizer is before[0]
        assert model.history is before[1]
        assert random.state() == before[2]
        for a, b in zip(model.optimizer.get_weights(), before[3], strict=True):
            np.testing.assert_array_equal(a, b)
        history = model.fit(*digits, epochs=2, verbose=0).history
        results.append((history, model.get_weights() + model.optimizer.get_weights()))
    assert results[0][0] == results[1][0]
    for a, b in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_error_leaves_no_trace_either(digits):
    model = compiled()
    weights, optimizer = copy.deepcopy(model.get_weights()), model.optimizer
    x, y = digits

    def breaks():
        yield x[:32], y[:32]
        yield x[32:64], y[32:64]
        raise OSError("no more")

    finder = LearningRateFinder()
    with pytest.raises(OSError, match="no more"):
        finder.find(model, breaks(), steps_per_epoch=10)
    assert len(finder.losses) == 2
    assert model.optimizer is optimizer
    for a, b in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_batches_from_a_loader():
    def batches():
        rng = np.random.default_rng(0)
        while True:
            x = rng.normal(size=(16, 64)).astype("float32")
            yield x, (x[:, 0] > 0).astype(int)

    finder = LearningRateFinder(steps=12).find(compiled(), batches(), steps_per_epoch=5)
    assert len(finder.losses) == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_lr": 1.0, "max_lr": 0.1}, "0 < min_lr < max_lr"),
        ({"min_lr": 0.0}, "0 < min_lr"),
        ({"steps": 1}, "steps must be at least 2"),
        ({"smoothing": 1.0}, "smoothing must be in"),
        ({"divergence": 1.0}, "divergence must be larger than 1"),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=f"^LearningRateFinder: .*{message}"):
        LearningRateFinder(**arguments)


def test_what_it_needs():
    finder = LearningRateFinder()
    with pytest.raises(ValueError, match="call find first"):
        finder.suggestion()
    with pytest.raises(ValueError, match="must be built"):
        finder.find(Sequential([layers.Dense(1)]), np.ones((4, 2)), np.ones((4, 1)))
    with pytest.raises(ValueError, match="compile"):
        finder.find(Sequential([layers.Input((2,)), layers.Dense(1)]), np.ones((4, 2)), np.ones((4, 1)))


def test_the_picture(tmp_path, digits):
    finder = LearningRateFinder(1e-5, 10.0, steps=40).find(compiled(), *digits)
    figure = finder.plot(tmp_path / "rates.png", title="Digits")
    assert (tmp_path / "rates.png").stat().st_size > 5000
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    raw, smooth, dot = (line.get_xydata() for line in axes.lines)
    np.testing.assert_allclose(smooth, np.stack([finder.learning_rates, finder.losses], 1))
    np.testing.assert_allclose(raw[:, 1], finder.raw_losses)
    assert dot[0, 0] == finder.suggestion()
    assert axes.get_ylim()[0] < min(finder.losses)


def test_a_picture_without_a_suggestion():
    finder = LearningRateFinder(steps=30)
    for loss in np.linspace(1.0, 2.0, 12):
        finder.add(loss)
    assert len(finder.plot().axes[0].lines) == 2
    with pytest.raises(ValueError, match="two points or more"):
        learning_rate_curve([0.1], [1.0])


def test_a_layer_that_points_back_to_its_model(digits):
    model = compiled()
    model.layers[1].owner = model
    before = model.layers[3]._draw_count
    LearningRateFinder(1e-4, 1e-2, steps=4).find(model, *digits, batch_size=32)
    assert model.layers[3]._draw_count == before
