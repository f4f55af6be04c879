"""Layers that draw: statistics within closed-form tolerances, sequences,
inference, gradients with the draw held fixed.
"""

import copy
import math

import numpy as np
import pytest

from tinynet import layers
from tinynet.layers import (
    AlphaDropout,
    Dense,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
)
from tinynet.models import Sequential
from tinynet.utils import set_random_seed

from layer_tools import check_layer, images

SATURATION = -1.7580993408473766
ALL = [
    lambda **more: Dropout(0.4, **more),
    lambda **more: AlphaDropout(0.3, **more),
    lambda **more: AlphaDropout(0.3, noise_shape=(None, 1, 1, None), **more),
    lambda **more: GaussianNoise(0.5, **more),
    lambda **more: GaussianDropout(0.3, **more),
    lambda **more: SpatialDropout2D(0.4, **more),
    lambda **more: SpatialDropout2D(0.4, "channels_first", **more),
]
each = pytest.mark.parametrize("make", ALL)


@each
def test_inference_is_the_identity(make):
    x, layer = images(4, 3, 2, 5), make(dtype="float64")
    for training in (False, None):
        np.testing.assert_array_equal(layer(x, training=training).numpy(), x)
    assert layer._draw_count == 0


@each
def test_every_call_and_every_layer_draws_anew(make):
    x = np.ones((8, 4, 3, 16), np.float32)
    layer, other = make(), make()
    first, second = (layer(x, training=True).numpy() for _ in range(2))
    assert first.dtype == np.float32
    assert (first != second).any()
    assert (first != other(x, training=True).numpy()).any()
    twin = copy.copy(layer)
    twin._draw_count = 0  # a copy of key and count continues, or repeats, the sequence
    np.testing.assert_array_equal(twin(x, training=True).numpy(), first)


@each
def test_seeds(make):
    x = np.ones((8, 4, 3, 16), np.float32)
    one, other = make(seed=7), make(seed=7)
    for _ in range(3):
        np.testing.assert_array_equal(one(x, training=True).numpy(), other(x, training=True).numpy())
    found = []
    for _ in range(2):
        set_random_seed(3)
        found.append(make()(x, training=True).numpy())
    np.testing.assert_array_equal(*found)
    for seed in (-1, 1.5, "a"):
        with pytest.raises(ValueError, match="seed must be an integer"):
            make(seed=seed)


@each
def test_gradients(make):
    check_layer(make(seed=2, dtype="float64"), images(5, 3, 2, 2))


@each
def test_configuration(make):
    layer = make(seed=4)
    config = layer.get_config()
    twin = type(layer).from_config(config)
    assert twin.get_config() == config
    x = np.ones((4, 3, 2, 5), np.float32)
    np.testing.assert_array_equal(layer(x, training=True).numpy(), twin(x, training=True).numpy())
    assert layer.compute_output_shape((None, 3, 2, 5)) == (None, 3, 2, 5)


def within(values, mean, variance, fourth):
    """Mean and variance of independent `values` lie within 4.5 standard errors;
    `fourth` is the fourth central moment.
    """
    assert abs(values.mean() - mean) < 4.5 * math.sqrt(variance / values.size)
    assert abs(((values - mean) ** 2).mean() - variance) <= 4.5 * math.sqrt(
        (fourth - variance**2) / values.size
    )


def test_gaussian_noise_adds():
    x = images(400, 500)
    z = GaussianNoise(0.5, seed=1, dtype="float64")(x, training=True).numpy() - x
    within(z, 0.0, 0.25, 3 * 0.5**4)
    assert abs((z * x).mean()) < 4.5 * 0.5 / math.sqrt(z.size)


def test_gaussian_dropout_multiplies_with_the_variance_of_dropout():
    x = images(400, 500)
    z = GaussianDropout(0.3, seed=1, dtype="float64")(x, training=True).numpy() / x
    within(z, 1.0, 0.3 / 0.7, 3 * (0.3 / 0.7) ** 2)


@pytest.mark.parametrize(("rate", "a", "b"), [(0.1, 0.9212845, 0.1619710), (0.5, 0.8864049, 0.7791939)])
def test_alpha_dropout(rate, a, b):
    x = images(400, 500)
    y = AlphaDropout(rate, seed=1, dtype="float64")(x, training=True).numpy()
    dropped = np.isclose(y, a * SATURATION + b, rtol=1e-6)
    np.testing.assert_allclose(y[~dropped], (a * x + b)[~dropped], rtol=1e-6, atol=1e-6)
    within(dropped.astype(float), rate, rate * (1 - rate), rate * (1 - rate) * (1 - 3 * rate * (1 - rate)))
    variance_of_squares = 12 * a**4  # more than that of y**2
    assert abs(y.mean()) < 4.5 / math.sqrt(y.size)
    assert abs(y.var() - 1) < 4.5 * math.sqrt(variance_of_squares / y.size)


@pytest.mark.parametrize(
    ("layer", "shape", "shared"),
    [
        (SpatialDropout1D(0.3, seed=1), (200, 5, 40), (1,)),
        (SpatialDropout2D(0.3, seed=1), (200, 4, 3, 40), (1, 2)),
        (SpatialDropout2D(0.3, "channels_first", seed=1), (200, 40, 4, 3), (2, 3)),
        (AlphaDropout(0.3, (None, 1, 1, None), seed=1), (200, 4, 3, 40), (1, 2)),
        (Dropout(0.3, (None, 1, None), seed=1), (200, 5, 40), (1,)),
    ],
)
def test_whole_channels(layer, shape, shared):
    y = layer(np.ones(shape, np.float32), training=True).numpy()
    first = y[tuple(slice(0, 1) if a in shared else slice(None) for a in range(y.ndim))]
    assert (y == first).all()
    low = first == first.min()
    within(low.astype(float), 0.3, 0.21, 0.21 * (1 - 3 * 0.21))
    assert (low.any(0) & ~low.all(0)).all(), "each sample has a draw of its own"


def test_rates_that_leave_everything_or_nothing():
    x = np.ones((3, 2, 4), np.float32)
    for layer in (AlphaDropout(0), GaussianDropout(0), GaussianNoise(0), SpatialDropout1D(0)):
        np.testing.assert_array_equal(layer(x, training=True).numpy(), x)
        assert layer._draw_count == 0
    np.testing.assert_array_equal(SpatialDropout1D(1.0)(x, training=True).numpy(), 0 * x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianNoise(-0.1), "stddev must be a number between 0 and 1"),
        (lambda: GaussianNoise(1.5), "stddev"),
        (lambda: GaussianNoise("a"), "stddev"),
        (lambda: GaussianDropout(1.0), "below 1"),
        (lambda: GaussianDropout(-0.2), "rate"),
        (lambda: AlphaDropout(1), "below 1"),
        (lambda: AlphaDropout(None), "rate"),
        (lambda: SpatialDropout2D(2), "rate"),
        (lambda: SpatialDropout2D(0.5, "rows_last"), "data_format"),
        (lambda: SpatialDropout2D(0.5)(np.ones((2, 3, 4))), "expects an input of 4 axes, images"),
        (lambda: SpatialDropout1D(0.5)(np.ones((2, 3))), "expects an input of 3 axes, sequences"),
        (lambda: AlphaDropout(0.5, (None, 3))(np.ones((2, 5)), training=True), "noise_shape"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("rate", [None, 0.05])
def test_a_hundred_selu_layers_normalise_themselves(rate):
    """G. Klambauer et al., 2017: mean 0 and variance 1 are an attracting fixed point,
    which AlphaDropout leaves.
    """
    set_random_seed(0)
    hidden = []
    for _ in range(100):
        hidden.append(Dense(200, "selu", kernel_initializer="lecun_normal"))
        hidden += [] if rate is None else [AlphaDropout(rate)]
    y = Sequential([layers.Input((200,)), *hidden])(
        images(500, 200).astype(np.float32), training=rate is not None
    ).numpy()
    assert -0.3 < y.mean() < 0.3
    assert 0.7 < y.std() < 1.3
