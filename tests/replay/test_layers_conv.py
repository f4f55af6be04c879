"""Recorded steps of nets with the layers of images and sequences give the same bits as the tape."""

import numpy as np
import pytest

from tinynet import layers
from tinynet.models import Sequential

from replay_tools import same_bits

FIRST = {"data_format": "channels_first"}


def end():
    return [layers.Flatten(), layers.Dense(4)]


def data(*shape, samples=70):
    rng = np.random.default_rng(3)
    return rng.normal(size=(samples, *shape)).astype(np.float32), rng.integers(0, 4, samples)


IMAGES = {
    "depthwise": lambda: [layers.DepthwiseConv2D(3, padding="same", activation="relu"),
                          layers.DepthwiseConv2D(3, 2)],
    "multiplied": lambda: [layers.DepthwiseConv2D((3, 2), depth_multiplier=3, activation="elu")],
    "grouped": lambda: [layers.Conv2D(6, 3, padding="same"),
                        layers.Conv2D(4, 3, groups=2, activation="relu")],
    "separable": lambda: [layers.SeparableConv2D(5, 3, padding="same", activation="relu"),
                          layers.MaxPooling2D()],
    "separable_first": lambda: [layers.Permute((3, 1, 2)),
                                layers.SeparableConv2D(3, 3, 2, depth_multiplier=2, **FIRST)],
    "transpose": lambda: [layers.Conv2D(4, 3, 2), layers.Conv2DTranspose(3, 3, 2, "same", activation="relu")],
    "transpose_valid": lambda: [layers.Conv2DTranspose(3, 2, 3, activation="tanh"),
                                layers.AveragePooling2D(3)],
    "transpose_padded": lambda: [layers.Conv2DTranspose(2, 2, 3, "same", 1, use_bias=False)],
    "nearest": lambda: [layers.Conv2D(3, 3), layers.UpSampling2D((2, 3)), layers.Conv2D(2, 3)],
    "bilinear": lambda: [layers.Conv2D(3, 3), layers.UpSampling2D(2, interpolation="bilinear")],
    "bicubic_first": lambda: [
        layers.Permute((3, 1, 2)), layers.Conv2D(2, 2, **FIRST),
        layers.UpSampling2D(2, "channels_first", "bicubic"),
    ],
    "cropped": lambda: [layers.Conv2D(3, 3), layers.Cropping2D(((1, 0), (0, 2))),
                        layers.Conv2D(2, 2, activation="relu")],
    "framed": lambda: [layers.ZeroPadding2D(((1, 0), (0, 2))), layers.Conv2D(3, 3), layers.Identity()],
}  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_images(name):
    same_bits(
        lambda: Sequential([layers.Input((8, 7, 2)), *IMAGES[name](), *end()]), data=data(8, 7, 2), epochs=2
    )


SEQUENCES = {
    "conv1d": lambda: [layers.Conv1D(4, 3, padding="same", activation="relu"), layers.MaxPooling1D(2)],
    "causal": lambda: [
        layers.Conv1D(4, 2, dilation_rate=2, padding="causal"),
        layers.AveragePooling1D(3, 2, "same"),
    ],
    "strided": lambda: [layers.Conv1D(6, 4, 3, groups=3), layers.GlobalAveragePooling1D()],
    "first": lambda: [
        layers.Permute((2, 1)),
        layers.Conv1D(4, 3, **FIRST),
        layers.GlobalMaxPooling1D(keepdims=True, **FIRST),
    ],
    "edges": lambda: [
        layers.ZeroPadding1D(2),
        layers.Conv1D(3, 3),
        layers.Cropping1D((1, 2)),
        layers.UpSampling1D(2),
    ],
    "reshaped": lambda: [layers.Reshape((9, 3, 1)), layers.Conv2D(2, 2), layers.Reshape((-1, 2))],
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name):
    same_bits(
        lambda: Sequential([layers.Input((9, 3)), *SEQUENCES[name](), *end()]), data=data(9, 3), epochs=2
    )


def test_repeated_vectors():
    inner = [lambda: layers.Dense(5), lambda: layers.RepeatVector(3), lambda: layers.Conv1D(4, 2)]
    same_bits(lambda: Sequential([*(make() for make in inner), *end()]), data=data(6), epochs=2)


def test_penalties_and_constraints():
    held = {"depthwise_regularizer": "l2", "bias_regularizer": "l1", "depthwise_constraint": "max_norm"}
    body = [
        lambda: layers.DepthwiseConv2D(3, **held, activity_regularizer="l2"),
        lambda: layers.SeparableConv2D(4, 2, pointwise_regularizer="l1", pointwise_constraint="unit_norm"),
        lambda: layers.Conv2DTranspose(3, 2, 2, kernel_regularizer="l2", bias_constraint="non_neg"),
    ]
    same_bits(
        lambda: Sequential([layers.Input((8, 7, 2)), *(make() for make in body), *end()]),
        data=data(8, 7, 2),
        epochs=2,
    )


@pytest.mark.parametrize("strides", [1, 2])
def test_predictions_of_a_single_image_are_replayed(strides):
    """By Winograd's tiles with the bits of many images; with strides by im2col's product, of NumPy."""
    net = [layers.Input((12, 10, 16)), layers.Conv2D(64, 3, strides, padding="same", activation="relu")]
    model = Sequential(net)
    x = np.random.default_rng(0).normal(size=(40, 12, 10, 16)).astype("float32")
    many = model.predict(x, batch_size=40, verbose=0)
    first = [model.predict(x[i : i + 1], verbose=0)[0] for i in range(6)]
    assert len(model.replay.programs) == 1
    if strides == 1:
        np.testing.assert_array_equal(first, many[:6])
    else:
        np.testing.assert_allclose(first, many[:6], rtol=1e-4, atol=1e-5)
