"""Rescaling: a scale and an offset."""

import numpy as np
import pytest

import tinynet
from tinynet import config, layers


def test_scales_and_shifts():
    x = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_allclose(layers.Rescaling(1 / 255)(x).numpy(), x / 255, rtol=1e-6)
    np.testing.assert_allclose(layers.Rescaling(2.0, -1.0)(x).numpy(), 2.0 * x - 1, rtol=1e-6)
    per_channel = layers.Rescaling([1.0, 2.0, 3.0], [0.0, 1.0, 2.0])
    np.testing.assert_allclose(
        per_channel(x).numpy(), x * np.array([1, 2, 3]) + np.array([0, 1, 2]), rtol=1e-6
    )
    assert per_channel(x).dtype == np.float32


def test_factors_must_fit_the_input():
    layer = layers.Rescaling([1.0, 2.0], name="scaled")
    with pytest.raises(ValueError, match=r"'scaled'.*scale of shape \(2,\) does not broadcast.*\(4, 3\)"):
        layer(np.ones((4, 3)))
    assert layer(np.ones((4, 2))).shape == (4, 2)


def test_refuses_what_is_no_number():
    with pytest.raises(TypeError, match="scale must be a number"):
        layers.Rescaling("1/255")


@pytest.fixture
def channels_first():
    before = config.image_data_format()
    config.set_image_data_format("channels_first")
    yield
    config.set_image_data_format(before)


@pytest.mark.parametrize(
    "shape", [(2, 3, 4, 5), (3, 3, 3, 3), (2, 3, 6), (3, 3, 3), (2, 3, 2, 2, 3), (2, 3), (3, 3)]
)
@pytest.mark.parametrize("offset", [0.0, [5.0, 7.0, 9.0]])
def test_where_channels_come_first_factors_are_theirs(shape, offset, channels_first, tmp_path):
    """Axis 1, whatever the other sizes are; a layer that was made before stays as it was made."""
    rng = np.random.default_rng(0)
    x, scale = rng.normal(size=shape), np.array([1.0, 10.0, 100.0])
    model = tinynet.Sequential([layers.Input(shape[1:]), layers.Rescaling(scale, offset, dtype="float64")])
    places = (3,) + (1,) * (len(shape) - 2)
    expected = x * scale.reshape(places) + (np.reshape(offset, places) if offset else 0.0)
    for _ in range(4):
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-12)
    model.save(tmp_path / "model.tinynet")
    np.testing.assert_allclose(
        tinynet.models.load_model(tmp_path / "model.tinynet").predict(x, verbose=0), expected
    )
    config.set_image_data_format("channels_last")
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-12)


def test_real_keras_on_images_with_channels_first(channels_first):
    """Keras 3.15, backend torch: Rescaling([1., 10., 100.]) of arange(24) as (2, 3, 2, 2)."""
    x = np.arange(24, dtype="float32").reshape(2, 3, 2, 2)
    found = layers.Rescaling([1.0, 10.0, 100.0])(x).numpy().ravel()
    assert found[:12].tolist() == [0.0, 1.0, 2.0, 3.0, 40.0, 50.0, 60.0, 70.0, 800.0, 900.0, 1000.0, 1100.0]


def test_factors_with_several_axes_and_wrong_ones_where_channels_come_first(channels_first):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    for shape in ((3, 1, 1), (3, 4), (3, 4, 5), (1,), (1, 1, 1)):
        scale = np.random.default_rng(1).normal(size=shape)
        expected = x * scale.reshape(shape + (1,) * (3 - len(shape)))
        np.testing.assert_allclose(layers.Rescaling(scale, dtype="float64")(x).numpy(), expected)
    with pytest.raises(ValueError, match=r"scale of shape \(5,\) does not broadcast"):
        layers.Rescaling(np.ones(5))(x)


@pytest.mark.parametrize(
    "name", ["BatchNormalization", "LayerNormalization", "GroupNormalization", "Normalization"]
)
def test_layers_with_an_axis_keep_the_last_as_keras_does(name, channels_first):
    axis = getattr(layers, name)(**({"groups": 1} if name[0] == "G" else {})).axis
    assert axis in (-1, (-1,))
