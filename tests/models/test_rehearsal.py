"""Which models are gone through before their first step: those that are tinynet's from end to end."""

import numpy as np
import pytest

import tinynet
from tinynet import layers, losses, metrics, models, optimizers
from tinynet.models.rehearsal import has_own_code


class Doubled(layers.Layer):
    def call(self, x):
        return 2 * x


class Rate(optimizers.SGD):
    pass


def absolute(y_true, y_pred):
    return abs(y_true - y_pred)


def compiled(*inner, optimizer="adam", loss="mse", **options):
    net = models.Sequential([layers.Input((4,)), *inner, layers.Dense(3)])
    net.compile(optimizer, loss, **options)
    return net


def functional():
    x = layers.Input((6, 6, 2))
    y = layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2", kernel_constraint="max_norm")(x)
    y = layers.GlobalAveragePooling2D()(layers.Dropout(0.5)(layers.BatchNormalization()(y)))
    net = models.Model(x, [layers.Dense(3, name="a")(y), layers.Dense(1, name="b")(y)])
    net.compile(
        optimizers.Adam(tinynet.schedules.ExponentialDecay(0.1, 10, 0.5)),
        {"a": losses.MeanSquaredError(), "b": "mae"}, metrics={"a": ["mae", metrics.RootMeanSquaredError()]},
    )  # fmt: skip
    return net


@pytest.mark.parametrize(
    "make",
    [
        compiled,
        functional,
        lambda: compiled(layers.Dense(4, "gelu"), compiled(), layers.Activation("tanh"), metrics=["mae"]),
        lambda: compiled(layers.PReLU(), layers.GaussianNoise(0.1), layers.Rescaling(0.5)),
    ],
)
def test_what_tinynet_brings(make):
    assert not has_own_code(make())


@pytest.mark.parametrize(
    "make",
    [
        lambda: compiled(Doubled()),
        lambda: compiled(models.Sequential([layers.Input((4,)), Doubled()])),
        lambda: compiled(layers.Lambda(lambda x: x + 1)),
        lambda: compiled(layers.Dense(5, activation=lambda x: x * x)),
        lambda: compiled(layers.Dense(5, kernel_regularizer=lambda w: abs(w).sum())),
        lambda: compiled(optimizer=Rate(0.1)),
        lambda: compiled(loss=absolute),
        lambda: compiled(metrics=[absolute]),
        lambda: compiled(weighted_metrics=[absolute]),
    ],
)
def test_code_of_the_user_is_not_run_before_its_time(make):
    assert has_own_code(make())


def test_nor_is_a_step_of_ones_own():
    class Own(models.Sequential):
        def train_step(self, data):
            return {"loss": np.float32(0)}

    net = Own([layers.Input((4,)), layers.Dense(3)])
    net.compile("adam", "mse")
    assert has_own_code(net)
