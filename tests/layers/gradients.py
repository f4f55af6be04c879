"""Gradient checks of whole layers: the parameters are inputs of the checked function, beside x."""

import numpy as np

import tinynet


def check_layer(layer, x, *parameters, training=True, **settings):
    """gradcheck and gradgradcheck by x and by the named parameters; the layer must be float64."""
    layer(x)

    def run(x, *values):
        for name, value in zip(parameters, values, strict=True):
            setattr(layer, name, value)
        if hasattr(layer, "_draw_count"):
            layer._draw_count = 0  # the same dropout mask every time
        return layer(x, training=training)

    rng = np.random.default_rng(1)
    start = [getattr(layer, name).numpy() for name in parameters]
    start = [value + 0.3 * rng.normal(size=value.shape) for value in start]
    assert tinynet.gradcheck(run, [x, *start], **settings)
    assert tinynet.gradgradcheck(run, [x, *start], **settings)


def images(*shape, seed=0):
    """Normal numbers in float64, distinct enough to have no ties."""
    return np.random.default_rng(seed).normal(size=shape)
