"""Metrics that layers and models hold in their attributes: found, reset at each epoch,
reported, as in Keras.
"""

import numpy as np
import pytest

import tinynet
from tinynet import layers, metrics, ops

X = np.arange(24, dtype="float32").reshape(8, 3)
Y = np.zeros((8, 1), "float32")


class Watched(layers.Layer):
    def __init__(self, name):
        super().__init__(name=name)
        self.seen = metrics.Mean(name=f"mean_of_{name}")

    def call(self, x):
        self.seen.update_state(x)
        return x


class Own(tinynet.Model):
    def __init__(self):
        super().__init__()
        self.highest = {"list": [metrics.MeanMetricWrapper(lambda a, b: b, name="highest")]}
        self.inner = Watched("inner")
        self.dense = layers.Dense(1, use_bias=False)

    def call(self, x):
        self.highest["list"][0].update_state(x, ops.max(x, axis=-1))
        return self.dense(self.inner(x))


def test_they_are_found_in_order():
    model = Own()
    assert [metric.name for metric in model.metrics] == ["highest", "mean_of_inner"]
    model.compile("sgd", "mse", metrics=["mae"])
    found = [metric.name for metric in model.metrics]
    assert found == ["loss", "highest", "mean_of_inner"], (
        "a subclass's metrics of compile are made at its first batch"
    )
    model.fit(X, Y, verbose=0)
    assert [metric.name for metric in model.metrics] == ["loss", "mae", "highest", "mean_of_inner"]
    assert [metric.name for metric in model.inner.metrics] == ["mean_of_inner"]
    assert layers.Dense(3).metrics == []


def test_fit_and_evaluate_reset_and_report_them():
    model = Own()
    model.compile(tinynet.optimizers.SGD(0.0), "mse")
    history = model.fit(
        X, Y, batch_size=4, epochs=3, verbose=0, shuffle=False, validation_data=(X[:2], Y[:2])
    ).history
    assert history["highest"] == pytest.approx([12.5] * 3)  # the largest of each row: 2, 5, .., 23
    assert history["mean_of_inner"] == pytest.approx([11.5] * 3)
    assert history["val_mean_of_inner"] == pytest.approx([2.5] * 3)
    assert model.evaluate(X[:2], Y[:2], verbose=0, return_dict=True)["highest"] == pytest.approx(3.5)
    assert model.train_on_batch(X[:1], Y[:1], return_dict=True)["highest"] == pytest.approx(2.0)


def test_an_evaluation_in_the_middle_of_an_epoch_has_its_own():
    model = Own()
    model.compile(tinynet.optimizers.SGD(0.0), "mse")
    found = []

    def look(batch, logs):
        found.append(model.evaluate(X[:2], Y[:2], verbose=0, return_dict=True)["highest"])
        assert model.inner.seen.result() == pytest.approx(2.5), (
            "the objects hold the numbers of the run that came last"
        )
        assert model.get_metrics_result()["highest"] == pytest.approx(logs["highest"])
        assert model.inner.seen.result() == pytest.approx(logs["mean_of_inner"])

    aside = tinynet.callbacks.LambdaCallback(on_train_batch_end=look)
    history = model.fit(X, Y, batch_size=2, verbose=0, shuffle=False, callbacks=[aside]).history
    assert found == pytest.approx([3.5] * 4)
    assert history["highest"] == pytest.approx([12.5])


def test_metrics_can_be_reset_in_the_middle_of_an_epoch():
    model = Own()
    model.compile(tinynet.optimizers.SGD(0.0), "mse")
    reset = tinynet.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: model.reset_metrics())
    assert model.fit(X, Y, batch_size=2, verbose=0, shuffle=False, callbacks=[reset]).history["highest"] == [
        21.5
    ]
    model.reset_metrics()
    assert [metric.result() for metric in model.metrics] == [0, 0, 0]
    assert model.get_metrics_result() == {"loss": 0, "highest": 0, "mean_of_inner": 0}
