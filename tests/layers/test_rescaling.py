"""Rescaling: a scale and an offset."""

import numpy as np
import pytest

from tinynet import layers


def test_scales_and_shifts():
    x = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_allclose(layers.Rescaling(1 / 255)(x).numpy(), x / 255, rtol=1e-6)
    np.testing.assert_allclose(layers.Rescaling(2.0, -1.0)(x).numpy(), 2.0 * x - 1, rtol=1e-6)
    per_channel = layers.Rescaling([1.0, 2.0, 3.0], [0.0, 1.0, 2.0])
    np.testing.assert_allclose(per_channel(x).numpy(), x * np.array([1, 2, 3]) + np.array([0, 1, 2]), rtol=1e-6)
    assert per_channel(x).dtype == np.float32


def test_factors_must_fit_the_input():
    layer = layers.Rescaling([1.0, 2.0], name="scaled")
    with pytest.raises(ValueError, match=r"'scaled'.*scale of shape \(2,\) does not broadcast.*\(4, 3\)"):
        layer(np.ones((4, 3)))
    assert layer(np.ones((4, 2))).shape == (4, 2)


def test_refuses_what_is_no_number():
    with pytest.raises(TypeError, match="scale must be a number"):
        layers.Rescaling("1/255")
