import numpy as np
import pytest

from tinynet import layers
from tinynet.layers import (
    AveragePooling2D,
    AvgPool2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPool2D,
    MaxPooling2D,
    ZeroPadding2D,
)

from layer_tools import check_layer, images

FIRST = {"data_format": "channels_first"}


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [((2, 2), None), ((3, 2), 1), (3, 2), (2, 3)])
@pytest.mark.parametrize(("make", "reduce"), [(MaxPooling2D, np.nanmax), (AveragePooling2D, np.nanmean)])
def test_windows(make, reduce, size, strides, padding):
    layer = make(size, strides, padding, dtype="float64")
    x = images(2, 7, 6, 3)
    (ph, pw), (sh, sw) = layer.pool_size, layer.strides
    pads = [(0, 0)] * 4
    if padding == "same":
        for axis, (p, s) in enumerate(((ph, sh), (pw, sw)), 1):
            total = max((-(-x.shape[axis] // s) - 1) * s + p - x.shape[axis], 0)
            pads[axis] = (total // 2, total - total // 2)
    padded = np.pad(x, pads, constant_values=np.nan)  # cells outside of the image take no part
    rows, columns = range(0, padded.shape[1] - ph + 1, sh), range(0, padded.shape[2] - pw + 1, sw)
    expected = np.array(
        [[reduce(padded[:, i : i + ph, j : j + pw], axis=(1, 2)) for j in columns] for i in rows]
    )
    expected = expected.transpose(2, 0, 1, 3)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-12)
    assert layer.compute_output_shape(x.shape) == expected.shape
    turned = make(size, strides, padding, **FIRST, dtype="float64")
    np.testing.assert_allclose(
        turned(x.transpose(0, 3, 1, 2)).numpy().transpose(0, 2, 3, 1), expected, rtol=1e-12
    )
    assert turned.compute_output_shape((None, 3, 7, 6))[1:] == (3, *expected.shape[1:3])


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    ("make", "reduce"), [(GlobalAveragePooling2D, np.mean), (GlobalMaxPooling2D, np.max)]
)
def test_global_pooling(make, reduce, keepdims, first):
    x = images(3, 4, 5, 6)
    layer = make(FIRST["data_format"] if first else None, keepdims=keepdims, dtype="float64")
    expected = reduce(x, axis=(2, 3) if first else (1, 2), keepdims=keepdims)
    np.testing.assert_allclose(layer(x).numpy(), expected)
    assert layer.compute_output_shape((None, 4, 5, 6))[1:] == expected.shape[1:]


def test_zero_padding():
    x = images(2, 3, 4, 2)
    for padding, pairs in [
        (1, ((1, 1), (1, 1))),
        ((1, 2), ((1, 1), (2, 2))),
        (((0, 1), (2, 3)), ((0, 1), (2, 3))),
    ]:
        layer = ZeroPadding2D(padding, dtype="float64")
        np.testing.assert_array_equal(layer(x).numpy(), np.pad(x, ((0, 0), *pairs, (0, 0))))
        assert layer.compute_output_shape(x.shape) == layer(x).shape
        turned = ZeroPadding2D(padding, **FIRST, dtype="float64")
        np.testing.assert_array_equal(turned(x).numpy(), np.pad(x, ((0, 0), (0, 0), *pairs)))
    with pytest.raises(ValueError, match="padding"):
        ZeroPadding2D((1, 2, 3))


@pytest.mark.parametrize(
    "layer",
    [
        MaxPooling2D(2), AveragePooling2D(3, 2, "same"), GlobalAveragePooling2D(), GlobalMaxPooling2D(),
        ZeroPadding2D(((0, 1), (2, 0))),
    ],
)  # fmt: skip
def test_gradients(layer):
    check_layer(type(layer).from_config({**layer.get_config(), "dtype": "float64"}), images(2, 4, 6, 2))


def test_names_and_defaults():
    assert MaxPool2D is MaxPooling2D
    assert AvgPool2D is AveragePooling2D
    assert MaxPooling2D().pool_size == MaxPooling2D().strides == (2, 2)
    with pytest.raises(TypeError):
        AveragePooling2D()


@pytest.mark.parametrize("kind", ["MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"])
def test_the_name_is_the_fifth_argument(kind):
    assert getattr(layers, kind)(2, None, "same", None, "shrink").name == "shrink"
