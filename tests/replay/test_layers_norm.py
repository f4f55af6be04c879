"""Replay of nets with normalisations, noise, Embedding and merging layers: the same bits as on the tape."""

import numpy as np
import pytest

import tinynet
from tinynet import kernels, layers
from tinynet.models import Sequential

from models.nets import small_data
from replay_tools import same_bits, trained

ROWS = {
    "layer_normalization": lambda: layers.LayerNormalization(),
    "layer_normalization_plain": lambda: layers.LayerNormalization(center=False, scale=False),
    "group_normalization": lambda: layers.GroupNormalization(4),
    "rms_normalization": lambda: layers.RMSNormalization(),
    "unit_normalization": lambda: layers.UnitNormalization(),
    "alpha_dropout": lambda: layers.AlphaDropout(0.2),
    "gaussian_noise": lambda: layers.GaussianNoise(0.3),
    "gaussian_dropout": lambda: layers.GaussianDropout(0.2),
    "activity_regularization": lambda: layers.ActivityRegularization(0.01, 0.02),
    "normalization": lambda: layers.Normalization(mean=0.5, variance=4.0),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows(name):
    def build():
        inner = ROWS[name]()
        return Sequential([layers.Input((6,)), layers.Dense(8, activation="selu"), inner, layers.Dense(4)])

    same_bits(build)


IMAGES = {
    "layer_normalization": lambda: layers.LayerNormalization(),
    "layer_normalization_of_places": lambda: layers.LayerNormalization([1, 2]),
    "layer_normalization_of_all": lambda: layers.LayerNormalization([1, 2, 3]),
    "group_normalization": lambda: layers.GroupNormalization(2),
    "instance_normalization": lambda: layers.GroupNormalization(-1),
    "rms_normalization": lambda: layers.RMSNormalization([1, 3]),
    "batch_normalization_of_places": lambda: layers.BatchNormalization([1, 2]),
    "batch_normalization_of_all": lambda: layers.BatchNormalization([1, 2, 3]),
    "spatial_dropout": lambda: layers.SpatialDropout2D(0.3),
    "gaussian_noise": lambda: layers.GaussianNoise(0.1),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images(name):
    def build():
        inner = [
            layers.Conv2D(4, 3, activation="relu"),
            IMAGES[name](),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
        return Sequential([layers.Input((8, 8, 1)), *inner])

    same_bits(build, data=small_data(72), loss="sparse_categorical_crossentropy")


def adapted():
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(3).normal(2.0, 3.0, (50, 6)))
    return Sequential([layer, layers.Dense(4)])


def test_normalization_as_the_first_layer():
    same_bits(adapted)


def test_embedding():
    def build():
        return Sequential(
            [layers.Input((3,), dtype="int32"), layers.Embedding(9, 4), layers.Flatten(), layers.Dense(4)]
        )

    rng = np.random.default_rng(2)
    same_bits(build, data=(rng.integers(0, 9, (70, 3)), rng.integers(0, 4, 70)))


MERGED = {
    "add": lambda x, y: layers.add([x, y, x]),
    "subtract": lambda x, y: layers.subtract([x, y]),
    "multiply": lambda x, y: layers.multiply([x, y]),
    "average": lambda x, y: layers.average([x, y]),
    "maximum": lambda x, y: layers.maximum([x, y]),
    "minimum": lambda x, y: layers.minimum([x, y]),
    "concatenate": lambda x, y: layers.concatenate([x, y]),
    "dot": lambda x, y: layers.dot([x, y], axes=1, normalize=True),
}


@pytest.mark.parametrize("name", MERGED)
def test_merging(name):
    def build():
        inputs = layers.Input((6,))
        first, second = (layers.Dense(8, activation="tanh")(inputs) for _ in range(2))
        return tinynet.Model(inputs, layers.Dense(4)(MERGED[name](first, second)))

    same_bits(build)


def test_noise_is_the_same_at_any_number_of_threads():
    def build():
        inner = [
            layers.Dense(64, activation="selu"),
            layers.GaussianNoise(0.2),
            layers.AlphaDropout(0.1),
            layers.LayerNormalization(),
        ]
        return Sequential([layers.Input((6,)), *inner, layers.GaussianDropout(0.1), layers.Dense(4)])

    before, found = kernels.threads.get_num_threads(), []
    for count in (1, before):
        kernels.threads.set_num_threads(count)
        found.append(trained(build, False)[2])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
