"""What tests of layers share: gradient checks, a convolution by its definition, a check of what is drawn."""

import numpy as np

import tinynet


def check_layer(layer, x, *parameters, training=True, **settings):
    """gradcheck and gradgradcheck by x and by the named parameters, inputs of the checked function beside x.

    The layer must be float64.
    """
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


def convolution_by_definition(x, w, b, strides, padding, dilation):
    """Sums over the definition with Python loops; x (N, H, W, C)."""
    (kh, kw), (sh, sw), (dh, dw) = w.shape[:2], strides, dilation
    extents = ((kh - 1) * dh + 1, (kw - 1) * dw + 1)
    pads = [(0, 0), (0, 0), (0, 0), (0, 0)]
    if padding == "same":
        for axis, (extent, s) in enumerate(zip(extents, strides, strict=True), 1):
            size = x.shape[axis]
            total = max((-(-size // s) - 1) * s + extent - size, 0)
            pads[axis] = (total // 2, total - total // 2)
    x = np.pad(x, pads)
    rows = range(0, x.shape[1] - extents[0] + 1, sh)
    columns = range(0, x.shape[2] - extents[1] + 1, sw)
    y = [
        [
            np.einsum("nhwc,hwcf->nf", x[:, i : i + extents[0] : dh, j : j + extents[1] : dw], w)
            for j in columns
        ]
        for i in rows
    ]
    return np.array(y).transpose(2, 0, 1, 3) + b


def assert_uniform(values, low, high):
    """Within [low, high], with the mean and the deviation of a uniform distribution
    (five standard errors).
    """
    assert low <= values.min() < values.max() <= high
    deviation = (high - low) / 12**0.5
    assert abs(values.mean() - (low + high) / 2) < 5 * deviation / values.size**0.5
    assert abs(values.std() - deviation) < 0.02 * deviation
