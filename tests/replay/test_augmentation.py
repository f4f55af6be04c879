"""Nets that begin with augmentation: replayed steps draw anew, and give the same bits as the tape."""

import numpy as np
import pytest

from tinynet import layers
from tinynet.models import Sequential

from replay_tools import same_bits

LAYERS = {
    "flip": lambda: layers.RandomFlip("horizontal"),
    "rotation": lambda: layers.RandomRotation(0.1, fill_mode="constant", fill_value=0.5),
    "translation": lambda: layers.RandomTranslation(0.2, 0.3, fill_mode="wrap"),
    "zoom": lambda: layers.RandomZoom(0.3, 0.2, interpolation="nearest"),
    "shear": lambda: layers.RandomShear(0.3, 0.1, fill_mode="nearest"),
}


def data():
    rng = np.random.default_rng(2)
    return rng.normal(size=(70, 6, 7, 2)).astype(np.float32), rng.integers(0, 4, 70)


@pytest.mark.parametrize("name", LAYERS)
def test_first_layers(name):
    model = same_bits(
        lambda: Sequential(
            [layers.Input((6, 7, 2)), LAYERS[name](), layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(4)]
        ),
        data=data(),
    )
    assert model.layers[0]._draw_count == 15, "a draw for each of five batches in three epochs"


def test_behind_layers_that_are_trained():
    """The gradient goes back through the warps."""

    def build():
        warps = [make() for make in LAYERS.values()]
        head = [layers.Flatten(), layers.Dense(4)]
        return Sequential([layers.Input((6, 7, 2)), layers.Conv2D(2, 3, padding="same"), *warps, *head])

    same_bits(build, data=data(), epochs=2)
