"""Training runs: published numbers, what is logged, every argument, and errors."""

import itertools
import warnings

import numpy as np
import pytest

from tinynet import layers
from tinynet.callbacks import Callback
from tinynet.models import Sequential
from tinynet.optimizers import SGD, Adam
from tinynet.schedules import ExponentialDecay
from tinynet.utils import set_random_seed

from models.nets import small_data, small_net


def test_published_end_to_end_losses():
    # Keras, optimizers/schedules/learning_rate_schedule_test.py
    model = Sequential([layers.Dense(2, kernel_initializer="ones", bias_initializer="ones")])
    model.compile(Adam(ExponentialDecay(0.05, decay_steps=1, decay_rate=0.9)), "mse")
    x = np.arange(32.0).reshape(16, 2)
    history = model.fit(x, x, batch_size=4, epochs=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(history.history["loss"], [230.79457, 128.30319, 79.33649], rtol=5e-5)


def ones_net():
    model = Sequential([layers.Dense(3, use_bias=False, kernel_initializer="ones")])
    model.compile(SGD(0.01), "mse")
    return model, np.ones((100, 4)), np.zeros((100, 3))


def test_published_numbers_of_single_batches():
    # Keras, trainers/trainer_test.py
    model, x, y = ones_net()
    assert model.train_on_batch(x, y) == pytest.approx(16.0)
    assert model.train_on_batch(x, y) == pytest.approx(15.158, abs=1e-3)
    assert model.test_on_batch(x, y) == pytest.approx(14.360, abs=1e-3)
    np.testing.assert_allclose(model.predict_on_batch(x), np.full((100, 3), 3.789511), rtol=1e-6)
    weights = np.arange(100) / 50
    assert model.train_on_batch(x, y, sample_weight=weights) == pytest.approx(14.217, abs=1e-3)
    assert model.test_on_batch(x, y, sample_weight=weights, return_dict=True)["loss"] == pytest.approx(
        13.476, abs=2e-3
    )


def test_published_class_weighted_number():
    model = Sequential([layers.Dense(4, use_bias=False, kernel_initializer="ones")])
    model.compile(SGD(0.01), "mse")
    found = model.train_on_batch(np.ones((4, 4)), np.eye(4), class_weight={0: 0.2, 1: 0.2, 2: 0.2, 3: 0.2})
    # mean over 4 classes of (4 - y)^2 = (3 * 16 + 9) / 4 = 14.25, times 0.2
    assert found == pytest.approx(0.2 * 14.25)


class Record(Callback):
    def __init__(self):
        self.events = []

    def on_train_begin(self, logs=None):
        self.events.append("train")

    def on_epoch_begin(self, epoch, logs=None):
        self.events.append(("epoch", epoch))

    def on_train_batch_end(self, batch, logs=None):
        self.events.append(("batch", batch, sorted(logs)))

    def on_test_begin(self, logs=None):
        self.events.append("test")

    def on_epoch_end(self, epoch, logs=None):
        self.events.append(("end", epoch, list(logs)))


def test_callbacks_history_and_logged_names():
    model, x, y = ones_net()
    model.compile("sgd", "mse", metrics=["mae"])
    record = Record()
    history = model.fit(
        x, y, batch_size=40, epochs=2, verbose=0, callbacks=[record], validation_data=(x[:10], y[:10])
    )
    batches = [("batch", i, ["loss", "mae"]) for i in range(3)]
    end = ["loss", "mae", "val_loss", "val_mae"]
    expected = ["train"]
    for epoch in range(2):
        expected += [("epoch", epoch), *batches, "test", ("end", epoch, end)]
    assert record.events == expected
    assert history is model.history
    assert history.epoch == [0, 1]
    assert sorted(history.history) == end
    assert record.params == {"verbose": 0, "epochs": 2, "steps": 3}


def test_loss_is_the_mean_over_samples():
    model = Sequential([layers.Input((1,)), layers.Lambda(lambda x: x * 1.0)])
    model.compile("sgd", "mse", metrics=["mae"])
    x = np.arange(10.0)[:, None]
    loss, mae = model.evaluate(x, 0 * x, batch_size=4, verbose=0)
    assert loss == pytest.approx((x**2).mean())
    assert mae == pytest.approx(x.mean())
    assert model.evaluate(x, 0 * x, batch_size=7, verbose=0, return_dict=True)["loss"] == pytest.approx(loss)


def test_weighted_metrics_and_sample_weights():
    model = Sequential([layers.Input((1,)), layers.Lambda(lambda x: x * 1.0)])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    x, weight = np.arange(6.0)[:, None], np.array([0, 0, 1, 1, 2, 0.0])
    found = model.evaluate(x, 0 * x, sample_weight=weight, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx((weight * x[:, 0] ** 2).mean())
    assert found["mae"] == pytest.approx(x.mean())
    assert found["weighted_mae"] == pytest.approx((weight * x[:, 0]).sum() / weight.sum())


def test_validation_split_takes_the_last_samples():
    seen = []

    class Watch(Callback):
        def on_test_end(self, logs=None):
            seen.append(logs["loss"])

    model = Sequential([layers.Input((1,)), layers.Dense(1, kernel_initializer="ones", trainable=False)])
    model.compile("sgd", "mae")
    x = np.arange(10.0)[:, None]
    history = model.fit(x, 0 * x, validation_split=0.3, verbose=0, callbacks=[Watch()])
    assert history.history["val_loss"] == pytest.approx([8.0])
    assert history.history["loss"] == pytest.approx([3.0])
    assert seen == history.history["val_loss"]
    for fraction in (1.0, 0.99, -0.5, 1.5):
        with pytest.raises(ValueError, match="validation_split"):
            model.fit(x, x, validation_split=fraction, verbose=0)


def test_epochs_frequency_and_stopping():
    model, x, y = ones_net()
    history = model.fit(x, y, initial_epoch=3, epochs=7, verbose=0, validation_split=0.1, validation_freq=2)
    assert history.epoch == [3, 4, 5, 6]
    assert len(history.history["val_loss"]) == 2
    history = model.fit(x, y, epochs=4, verbose=0, validation_split=0.1, validation_freq=[1])
    assert len(history.history["val_loss"]) == 1

    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True
            self.last = batch

    stop = Stop()
    assert model.fit(x, y, epochs=9, verbose=0, callbacks=stop).epoch == [0]
    assert stop.last == 0


def test_generators_and_lists_of_batches():
    model, x, y = ones_net()
    batches = [(x[:30], y[:30]), (x[30:], y[30:])]

    def forever():
        while True:
            yield from batches

    assert len(model.fit(forever(), steps_per_epoch=3, epochs=4, verbose=0).history["loss"]) == 4
    assert len(model.fit(batches, epochs=3, verbose=0, validation_data=batches).history["val_loss"]) == 3
    assert model.evaluate(iter(batches), verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))
    assert model.predict(iter([(x,), (x,)]), verbose=0).shape == (200, 3)
    with pytest.raises(ValueError, match="leave out y, or pass arrays"):
        model.fit(forever(), y, batch_size=3, verbose=0)
    with pytest.warns(UserWarning, match="ran out after 2 of 5"):
        model.fit(iter(batches), steps_per_epoch=5, verbose=0)
    with pytest.warns(UserWarning, match="used up by the epochs before. Training ends here"):
        history = model.fit(iter(batches), epochs=3, verbose=0).history
    assert len(history["loss"]) == 1
    with pytest.raises(ValueError, match="there was no batch"):
        model.fit(iter([]), verbose=0)


def test_shuffling_follows_the_seed():
    def run(shuffle):
        set_random_seed(5)
        model, data = small_net(), small_data()
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(*data, batch_size=16, epochs=2, verbose=0, shuffle=shuffle)
        return model.get_weights()

    for shuffle in (True, "batch"):
        for a, b in zip(run(shuffle), run(shuffle), strict=True):
            np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(run(True), run(False), strict=True))


def test_trainable_layers_only():
    model, (x, y) = small_net(), small_data()
    model.layers[0].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    frozen = {id(w) for w in model.layers[0].weights}
    for parameter, old in zip(model.weights, before, strict=True):
        assert (id(parameter) in frozen) == bool((parameter.numpy() == old).all()), parameter.name
    model.layers[0].trainable = True
    with (
        pytest.warns(UserWarning, match="compile again"),
        pytest.raises(ValueError, match="Unknown variable"),
    ):
        model.fit(x, y, verbose=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, verbose=0)


def test_evaluate_and_predict_change_nothing():
    model, (x, y) = small_net(), small_data()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = model.get_weights()
    first = model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    assert model.evaluate(x, y, verbose=0) == first
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_nan_is_not_hidden():
    model, x, y = ones_net()
    x[3, 2] = np.nan
    assert np.isnan(model.fit(x, y, verbose=0).history["loss"][0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": np.zeros(7)}, "x has 8, y has 7"),
        ({"sample_weight": np.zeros(3)}, "sample_weight has 3"),
        ({"y": None}, "y is missing"),
        ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"x": np.zeros((0, 8, 8, 1)), "y": np.zeros(0)}, "empty"),
        ({"x": np.zeros((8, 9, 9, 1))}, r"\(None, 8, 8, 1\).*\(8, 9, 9, 1\)"),
        ({"x": "images"}, "x"),
        ({"shuffle": "all"}, "shuffle"),
        ({"class_weight": {0: 1.0}, "sample_weight": np.ones(8)}, "not both"),
        ({"steps_per_epoch": 0}, "steps"),
    ],
)
def test_errors_say_what_to_do(arguments, message):
    model, (x, y) = small_net(), small_data(8)
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=message):
        model.fit(**{"x": x, "y": y, "verbose": 0, **arguments})


def test_labels_that_do_not_match_the_loss():
    model, (x, y) = small_net(), small_data(8)
    model.compile("sgd", "categorical_crossentropy")
    with pytest.raises(ValueError, match="sparse_categorical_crossentropy"):
        model.fit(x, y, verbose=0)


def test_not_compiled_and_older_spellings():
    model, (x, y) = small_net(), small_data(8)
    for run in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match="compile"):
            run(x, y)
    with pytest.raises(TypeError, match="epochs today"):
        model.fit(x, y, nb_epoch=3)
    with pytest.raises(AttributeError, match="steps_per_epoch"):
        model.fit_generator(iter([]))
    with pytest.raises(AttributeError, match="argmax"):
        model.predict_classes(x)
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = model.fitt
    with pytest.raises(TypeError, match="unexpected argument 'run_quickly'"):
        model.compile("sgd", "mse", run_quickly=True)
    model.compile("sgd")
    with pytest.raises(ValueError, match="no loss"):
        model.fit(x, y, verbose=0)


class Ends(Callback):
    """Says in the middle of a run that it ends after this batch."""

    def __init__(self, attribute, after):
        super().__init__()
        self.attribute, self.after, self.ended = attribute, after, []

    def on_test_batch_end(self, batch, logs=None):
        self.ended.append(batch)
        setattr(self.model, self.attribute, batch == self.after)

    on_predict_batch_end = on_test_batch_end

    def on_test_end(self, logs=None):
        self.ended.append("end")

    on_predict_end = on_test_end


def test_a_callback_ends_evaluate_and_predict():
    def forever():
        for i in itertools.count():
            yield np.full((2, 3), i, np.float32), np.zeros((2, 1), np.float32)

    model = Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    stops = Ends("stop_evaluating", 2)
    assert model.evaluate(forever(), verbose=0, callbacks=[stops]) == pytest.approx((0 + 9 + 36) / 3)
    assert stops.ended == [0, 1, 2, "end"]
    assert model.stop_evaluating
    assert model.evaluate(np.zeros((4, 3)), np.ones((4, 1)), batch_size=2, verbose=0) == 1, (
        "the next one runs to its end"
    )
    stops = Ends("stop_predicting", 3)
    found = model.predict((x for x, _ in forever()), verbose=0, callbacks=[stops])
    np.testing.assert_array_equal(found[:, 0], [0, 0, 3, 3, 6, 6, 9, 9])
    assert stops.ended == [0, 1, 2, 3, "end"]
    assert len(model.predict(np.zeros((6, 3)), batch_size=2, verbose=0)) == 6
    stops = Ends("stop_evaluating", 0)
    history = model.fit(
        np.zeros((4, 3)), np.ones((4, 1)), epochs=2, verbose=0, validation_data=forever(), callbacks=[stops]
    )
    assert len(history.history["val_loss"]) == 2
    assert stops.ended == [0, "end"] * 2
