"""UpSampling2D against repetition and against interpolation worked out by hand."""

import numpy as np
import pytest

from tinynet import ops
from tinynet.layers import UpSampling2D

from layer_tools import check_layer, images

FIRST = {"data_format": "channels_first"}


@pytest.mark.parametrize("size", [2, (1, 3), (3, 2)])
def test_nearest_repeats_rows_and_columns(size):
    x = images(2, 3, 4, 2).astype(np.float32)
    rows, columns = (size, size) if isinstance(size, int) else size
    expected = x.repeat(rows, axis=1).repeat(columns, axis=2)
    layer = UpSampling2D(size)
    np.testing.assert_array_equal(layer(x).numpy(), expected)
    assert layer.compute_output_shape((None, None, 4, 2)) == (None, None, 4 * columns, 2)
    turned = UpSampling2D(size, **FIRST)
    np.testing.assert_array_equal(turned(x.transpose(0, 3, 1, 2)).numpy(), expected.transpose(0, 3, 1, 2))
    assert turned.compute_output_shape((None, 2, 3, None)) == (None, 2, 3 * rows, None)


def bilinear(x, size):
    """x (N, H, W, C) read between pixel centres, with the nearest pixel outside of them."""
    n, h, w, c = x.shape
    y = np.zeros((n, h * size[0], w * size[1], c))
    for i, j in np.ndindex(*y.shape[1:3]):
        r, s = ((i + 0.5) / size[0] - 0.5, (j + 0.5) / size[1] - 0.5)
        r, s = min(max(r, 0), h - 1), min(max(s, 0), w - 1)
        a, b = int(r), int(s)
        a2, b2 = min(a + 1, h - 1), min(b + 1, w - 1)
        u, v = r - a, s - b
        y[:, i, j] = (1 - u) * ((1 - v) * x[:, a, b] + v * x[:, a, b2]) + u * (
            (1 - v) * x[:, a2, b] + v * x[:, a2, b2]
        )
    return y


@pytest.mark.parametrize("size", [(2, 2), (3, 1), (2, 5)])
def test_bilinear(size):
    x = images(2, 4, 3, 2)
    expected = bilinear(x, size)
    layer = UpSampling2D(size, None, "bilinear", dtype="float64")
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-12, atol=1e-14)
    turned = UpSampling2D(size, interpolation="BILINEAR", **FIRST, dtype="float64")(x.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(turned.numpy().transpose(0, 2, 3, 1), expected, rtol=1e-12, atol=1e-14)


def test_bicubic_of_one_row_by_hand():
    """Keys's kernel with a = -1/2 has the weights (-9, 111, 29,
    -3) / 128 a quarter of a pixel from the centre.
    """
    x = images(1, 1, 9, 1)
    y = UpSampling2D((1, 2), None, "bicubic", dtype="float64")(x).numpy()[0, 0, :, 0]
    p = x[0, 0, :, 0]
    for i in range(2, 7):
        right = (-9 * p[i - 1] + 111 * p[i] + 29 * p[i + 1] - 3 * p[i + 2]) / 128
        left = (-3 * p[i - 2] + 29 * p[i - 1] + 111 * p[i] - 9 * p[i + 1]) / 128
        np.testing.assert_allclose(y[2 * i : 2 * i + 2], [left, right], rtol=1e-12)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
def test_constants_stay_constant_and_gradients_are_right(interpolation):
    y = UpSampling2D((2, 3), None, interpolation, dtype="float64")(np.full((1, 4, 5, 2), 3.5)).numpy()
    np.testing.assert_allclose(y, 3.5, rtol=1e-13)
    check_layer(UpSampling2D((3, 2), None, interpolation, dtype="float64"), images(2, 3, 2, 2))
    check_layer(UpSampling2D(2, "channels_first", interpolation, dtype="float64"), images(2, 2, 2, 3))


def test_other_sizes_and_mistakes():
    x = images(2, 6, 4, 1)
    np.testing.assert_array_equal(ops.resize_images(x, (3, 2), "nearest"), x[:, 1::2, 1::2])
    assert ops.resize_images(x, 5).shape == (2, 5, 5, 1)
    with pytest.raises(ValueError, match="interpolation must be one of"):
        ops.resize_images(x, 5, "area")
    with pytest.raises(ValueError, match=r"interpolation must be one of.*got 'area'"):
        UpSampling2D(2, interpolation="area")
    with pytest.raises(ValueError, match="size"):
        UpSampling2D(0)
    with pytest.raises(ValueError, match=r"4 axes.*got shape \(2, 6, 4\)"):
        UpSampling2D()(x[..., 0])
    layer = UpSampling2D((2, 3), interpolation="bilinear")
    assert UpSampling2D.from_config(layer.get_config()).get_config() == layer.get_config()
