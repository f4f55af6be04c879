"""Layers of sequences: convolution, pooling, padding, cropping, repetition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.layers import (
    AveragePooling1D,
    AvgPool1D,
    Conv1D,
    Convolution1D,
    Cropping1D,
    GlobalAveragePooling1D,
    GlobalAvgPool1D,
    GlobalMaxPool1D,
    GlobalMaxPooling1D,
    MaxPool1D,
    MaxPooling1D,
    UpSampling1D,
    ZeroPadding1D,
)

from layer_tools import check_layer, images

FIRST = {"data_format": "channels_first"}


def padded(x, k, s, d, padding, value=0.0):
    """x (N, L, C) with what lies outside of it."""
    extent = (k - 1) * d + 1
    before, after = 0, 0
    if padding == "causal":
        before = d * (k - 1)
    elif padding == "same":
        total = max((-(-x.shape[1] // s) - 1) * s + extent - x.shape[1], 0)
        before, after = total // 2, total - total // 2
    return np.pad(x, ((0, 0), (before, after), (0, 0)), constant_values=value)


def brute_force(x, w, s, d, groups, padding):
    """Sums over the definition with Python loops; x (N, L, C), w (K, C / groups, F)."""
    k, c, f = w.shape
    x = padded(x, k, s, d, padding)
    starts = range(0, x.shape[1] - (k - 1) * d, s)
    y = np.zeros((x.shape[0], len(starts), f))
    for i, start in enumerate(starts):
        for filter_ in range(f):
            group = filter_ // (f // groups)
            window = x[:, start : start + (k - 1) * d + 1 : d, group * c : (group + 1) * c]
            y[:, i, filter_] = (window * w[:, :, filter_]).sum((1, 2))
    return y


@given(
    length=st.integers(5, 12), k=st.integers(1, 4), s=st.integers(1, 3), d=st.integers(1, 3),
    groups=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same", "causal"]), first=st.booleans(),
)  # fmt: skip
def test_convolution_follows_the_definition(length, k, s, d, groups, padding, first):
    d = d if s == 1 else 1
    extent = (k - 1) * d + 1
    x = images(2, length, 2 * groups)
    layer = Conv1D(
        3 * groups,
        k,
        s,
        padding,
        "channels_first" if first else None,
        d,
        groups,
        bias_initializer="ones",
        dtype="float64",
    )
    if padding == "valid" and extent > length:
        with pytest.raises(ValueError, match="does not fit"):
            layer(x.transpose(0, 2, 1) if first else x)
        return
    y = layer(x.transpose(0, 2, 1) if first else x).numpy()
    y = y.transpose(0, 2, 1) if first else y
    expected = brute_force(x, layer.get_weights()[0], s, d, groups, padding) + 1
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-10)
    size = (length - extent) // s + 1 if padding == "valid" else -(-length // s)
    shape = (None, 2 * groups, length) if first else (None, length, 2 * groups)
    assert layer.compute_output_shape(shape) == (
        (None, 3 * groups, size) if first else (None, size, 3 * groups)
    )
    assert layer.get_weights()[0].shape == (k, 2, 3 * groups)


def test_causal_outputs_know_nothing_of_the_future():
    layer = Conv1D(2, 3, padding="causal", dilation_rate=2, dtype="float64")
    x = images(1, 9, 3)
    y = layer(x).numpy()
    x[:, 5:] += 1
    np.testing.assert_array_equal(layer(x).numpy()[:, :5], y[:, :5])


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("k", "s"), [(2, None), (3, 2), (2, 3), (4, 1)])
@pytest.mark.parametrize(("make", "reduce"), [(MaxPooling1D, np.nanmax), (AveragePooling1D, np.nanmean)])
def test_pooling(make, reduce, k, s, padding):
    x, step = images(2, 9, 3), s or k
    wide = padded(x, k, step, 1, padding, np.nan)  # steps outside of the sequence take no part
    expected = np.stack(
        [reduce(wide[:, i : i + k], axis=1) for i in range(0, wide.shape[1] - k + 1, step)], axis=1
    )
    layer = make(k, s, padding, dtype="float64")
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-12)
    assert layer.compute_output_shape((None, 9, 3))[1:] == expected.shape[1:]
    assert layer.compute_output_shape((None, None, 3)) == (None, None, 3)
    turned = make(k, s, padding, **FIRST, dtype="float64")
    np.testing.assert_allclose(turned(x.transpose(0, 2, 1)).numpy(), expected.transpose(0, 2, 1), rtol=1e-12)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    ("make", "reduce"), [(GlobalAveragePooling1D, np.mean), (GlobalMaxPooling1D, np.max)]
)
def test_global_pooling(make, reduce, keepdims):
    x = images(3, 5, 4)
    for settings, axis in (({}, 1), (FIRST, 2)):
        layer = make(keepdims=keepdims, **settings, dtype="float64")
        expected = reduce(x, axis=axis, keepdims=keepdims)
        np.testing.assert_allclose(layer(x).numpy(), expected)
        assert layer.compute_output_shape((None, 5, 4))[1:] == expected.shape[1:]


def test_padding_cropping_and_repetition():
    x = images(2, 6, 3)
    np.testing.assert_array_equal(
        ZeroPadding1D((1, 2), dtype="float64")(x).numpy(), np.pad(x, ((0, 0), (1, 2), (0, 0)))
    )
    assert ZeroPadding1D(2).compute_output_shape((None, 6, 3)) == (None, 10, 3)
    first = ZeroPadding1D(1, **FIRST, dtype="float64")
    np.testing.assert_array_equal(first(x).numpy(), np.pad(x, ((0, 0), (0, 0), (1, 1))))
    np.testing.assert_array_equal(Cropping1D((1, 2), dtype="float64")(x).numpy(), x[:, 1:4])
    np.testing.assert_array_equal(Cropping1D(dtype="float64")(x).numpy(), x[:, 1:-1])
    assert Cropping1D(2).compute_output_shape((None, None, 3)) == (None, None, 3)
    np.testing.assert_array_equal(UpSampling1D(3, dtype="float64")(x).numpy(), np.repeat(x, 3, axis=1))
    assert UpSampling1D().compute_output_shape((None, 6, 3)) == (None, 12, 3)


@pytest.mark.parametrize(
    "layer",
    [
        MaxPooling1D(2, 1), AveragePooling1D(3, 2, "same"), GlobalAveragePooling1D(),
        GlobalMaxPooling1D(**FIRST),
        ZeroPadding1D((0, 2)), Cropping1D((1, 0)), UpSampling1D(2),
    ],
)  # fmt: skip
def test_gradients(layer):
    check_layer(type(layer).from_config({**layer.get_config(), "dtype": "float64"}), images(2, 5, 3))


def test_gradients_of_the_convolution():
    layer = Conv1D(4, 3, padding="causal", dilation_rate=2, groups=2, activation="tanh", dtype="float64")
    check_layer(layer, images(2, 5, 2), "kernel", "bias")


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Conv1D(0, 3), "filters"),
        (lambda: Conv1D(2, (3, 3)), "kernel_size must be an integer or a tuple of one"),
        (lambda: Conv1D(2, 3, padding="full"), "'valid' or 'same' or 'causal'"),
        (lambda: Conv1D(2, 3, strides=2, dilation_rate=2), "dilation_rate"),
        (lambda: Conv1D(3, 3, groups=2), "filters"),
        (lambda: Conv1D(4, 3, groups=2)(np.ones((1, 5, 3))), "multiple of groups"),
        (lambda: Conv1D(2, 3, name="c")(np.ones((1, 5, 5, 3))), "'c'.*3 axes, sequences.*got shape"),
        (lambda: MaxPooling1D(7, name="m")(np.ones((1, 5, 3))), "'m'.*does not fit"),
        (lambda: MaxPooling1D(2, padding="causal"), "padding"),
        (lambda: Cropping1D(3, name="c")(np.ones((1, 5, 3))), "'c'.*leaves nothing"),
        (lambda: Cropping1D(-1), "cropping"),
        (lambda: UpSampling1D(0), "size"),
    ],
)
def test_mistakes(make, word):
    with pytest.raises(ValueError, match=word):
        make()


def test_names():
    assert Convolution1D is Conv1D
    assert (MaxPool1D, AvgPool1D) == (MaxPooling1D, AveragePooling1D)
    assert (GlobalMaxPool1D, GlobalAvgPool1D) == (GlobalMaxPooling1D, GlobalAveragePooling1D)
    layer = Conv1D(3, 2, padding="causal", kernel_regularizer="l2")
    assert Conv1D.from_config(layer.get_config()).get_config() == layer.get_config()
