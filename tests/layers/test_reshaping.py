"""Layers that only move numbers, and Lambda."""

import json

import numpy as np
import pytest

from tinynet import activations, ops
from tinynet.kernels import common
from tinynet.layers import Cropping2D, Flatten, Identity, Lambda, Permute, RepeatVector, Reshape
from tinynet.registry import register_keras_serializable

from layer_tools import check_layer, images


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 3, 2), (4, 3, 2, 5)])
def test_flatten(shape):
    x = images(*shape)
    layer = Flatten(dtype="float64")
    np.testing.assert_array_equal(layer(x).numpy(), x.reshape(4, -1))
    assert layer.compute_output_shape(shape) == layer(x).shape
    first = Flatten("channels_first", dtype="float64")
    expected = np.moveaxis(x, 1, -1).reshape(4, -1) if x.ndim > 1 else x.reshape(4, 1)
    np.testing.assert_array_equal(first(x).numpy(), expected)


def test_flatten_keeps_batch_last_memory_as_it_is():
    x = common.to_batch_last(images(8, 3, 2, 5))
    y = Flatten(dtype="float64")(x)
    assert np.shares_memory(y.data, x)


def test_reshape():
    x = images(4, 6, 2)
    for target in [(12,), (3, -1), (2, 3, 2), (-1,)]:
        layer = Reshape(target, dtype="float64")
        np.testing.assert_array_equal(layer(x).numpy(), x.reshape(4, *target))
        assert layer.compute_output_shape(x.shape) == layer(x).shape
    assert Reshape((-1, 2)).compute_output_shape((None, None, 2)) == (None, None, 2)
    for target in [(5, -1), (7,), (12, -1, 2)]:
        with pytest.raises(ValueError, match="target"):
            Reshape(target)(x)
    with pytest.raises(ValueError, match="-1"):
        Reshape((-1, -1))
    with pytest.raises(ValueError, match="sizes >= 0, got"):
        Reshape((2, -2))


@pytest.mark.parametrize("target", [(0, -1), (-1, 0), (3, 0, -1)])
@pytest.mark.parametrize("shape", [(2, 0), (2, 3), (2, 0, 4)])
def test_a_size_of_0_leaves_nothing_to_find(target, shape):
    """0 times anything is 0: no size in the place of -1 would be the one."""
    with pytest.raises(ValueError, match=rf"do not fill the target shape \({', '.join(map(str, target))}\)"):
        Reshape(target)(np.zeros(shape))


@pytest.mark.parametrize(
    ("shape", "target"), [((2, 0), (0, 3)), ((2, 3, 0), (-1, 5)), ((2, 0), (-1,)), ((0, 6), (2, -1))]
)
def test_nothing_is_reshaped_too(shape, target):
    layer = Reshape(target)
    expected = (shape[0], *np.zeros(shape[1:]).reshape(target).shape)
    assert layer(np.zeros(shape)).shape == expected == layer.compute_output_shape(shape)


def test_gradients():
    check_layer(Flatten("channels_first", dtype="float64"), images(2, 3, 2, 2))
    check_layer(Reshape((2, -1), dtype="float64"), images(2, 3, 4))


def test_lambda():
    x = images(3, 4)
    twice = Lambda(lambda x, factor: x * factor, arguments={"factor": 2}, dtype="float64")
    np.testing.assert_array_equal(twice(x).numpy(), 2 * x)
    layer = Lambda(lambda x, training=None: x + 1.0 if training else x, dtype="float64")
    np.testing.assert_array_equal(layer(x, training=True).numpy(), x + 1)
    np.testing.assert_array_equal(layer(x).numpy(), x)
    assert Lambda(lambda x: x[:, :2]).compute_output_shape((None, 4)) == (None, 2)
    assert Lambda(lambda x: x, output_shape=(7,)).compute_output_shape((None, 4)) == (None, 7)
    assert Lambda(lambda x: x[0], output_shape=(1,)).compute_output_shape([(None, 4), (None, 4)]) == (None, 1)
    with pytest.raises(TypeError, match="callable"):
        Lambda(3)


def test_permute():
    x = images(2, 3, 4, 5)
    for dims in [(1, 2, 3), (3, 1, 2), (2, 3, 1), (3, 2, 1)]:
        layer = Permute(dims, dtype="float64")
        np.testing.assert_array_equal(layer(x).numpy(), x.transpose(0, *dims))
        assert layer.compute_output_shape(x.shape) == layer(x).shape
    assert Permute((2, 1)).compute_output_shape((None, None, 7)) == (None, 7, None)
    check_layer(Permute((2, 1), dtype="float64"), images(2, 3, 4))
    for dims in [(0, 1), (1, 3), (1, 1), (), 2]:
        with pytest.raises(ValueError, match="dims must be the numbers from 1 on"):
            Permute(dims)
    with pytest.raises(ValueError, match=r"3 axes.*dims=\(2, 1\).*got shape \(2, 3, 4, 5\)"):
        Permute((2, 1))(x)


def test_repeat_vector_and_identity():
    x = images(3, 4)
    layer = RepeatVector(5, dtype="float64")
    np.testing.assert_array_equal(layer(x).numpy(), np.repeat(x[:, None], 5, axis=1))
    assert layer.compute_output_shape((None, 4)) == (None, 5, 4)
    check_layer(layer, x)
    with pytest.raises(ValueError, match="n must be a positive integer"):
        RepeatVector(0)
    same = Identity(dtype="float64")
    np.testing.assert_array_equal(same(x).numpy(), x)
    assert same.compute_output_shape((None, 4)) == (None, 4)


@pytest.mark.parametrize(
    ("cropping", "rows", "columns"),
    [
        (1, slice(1, -1), slice(1, -1)),
        ((0, 2), slice(None), slice(2, -2)),
        (((1, 2), (0, 3)), slice(1, -2), slice(0, -3)),
    ],
)
def test_cropping(cropping, rows, columns):
    x = images(2, 7, 6, 3)
    layer = Cropping2D(cropping, dtype="float64")
    np.testing.assert_array_equal(layer(x).numpy(), x[:, rows, columns])
    assert layer.compute_output_shape(x.shape) == layer(x).shape
    assert layer.compute_output_shape((None, None, 6, 3))[1] is None
    first = Cropping2D(cropping, "channels_first", dtype="float64")
    np.testing.assert_array_equal(
        first(x.transpose(0, 3, 1, 2)).numpy(), x[:, rows, columns].transpose(0, 3, 1, 2)
    )
    check_layer(Cropping2D(cropping, dtype="float64"), images(2, 5, 6, 2))


def test_cropping_away_everything_is_refused():
    with pytest.raises(
        ValueError, match=r"'crop'.*\(\(2, 2\), \(0, 0\)\) leaves nothing of an input.*\(None, 4, 5, 1\)"
    ):
        Cropping2D((2, 0), name="crop")(np.ones((1, 4, 5, 1)))
    for cropping in (-1, (1, 2, 3), ((1, 2), (1,))):
        with pytest.raises(ValueError, match="cropping"):
            Cropping2D(cropping)
    assert Cropping2D().cropping == ((0, 0), (0, 0))


def test_lambda_is_told_what_it_asks_for_and_takes_lists():
    x = images(3, 4)
    layer = Lambda(lambda x, mask, training: x if mask is None and not training else None, dtype="float64")
    np.testing.assert_array_equal(layer(x).numpy(), x)
    total = Lambda(lambda pair: pair[0] + 2 * pair[1], dtype="float64")
    np.testing.assert_array_equal(total([x, x]).numpy(), 3 * x)
    assert total.compute_output_shape([(None, 4), (None, 4)]) == (None, 4)
    assert Lambda(lambda x: x, output_shape=lambda shape: (shape[0], 2)).compute_output_shape((None, 4)) == (
        None,
        2,
    )
    with pytest.raises(ValueError, match="mask must be None"):
        Lambda(lambda x: x, mask=True)


@register_keras_serializable("tests")
def halved(x, by=2.0):
    return x / by


def test_a_lambda_is_described_by_the_name_of_a_registered_function():
    layer = Lambda(halved, arguments={"by": 4.0}, dtype="float64")
    config = json.loads(json.dumps(layer.get_config()))
    assert config["function"] == {"function": "tests>halved"}
    np.testing.assert_array_equal(Lambda.from_config(config)(images(2, 3)).numpy(), images(2, 3) / 4)
    for function in (ops.square, activations.relu):
        copy = Lambda.from_config(json.loads(json.dumps(Lambda(function, dtype="float64").get_config())))
        np.testing.assert_array_equal(copy(images(2, 3)).numpy(), function(images(2, 3)))
    with pytest.raises(ValueError, match="no_such"):
        Lambda("no_such")
    function = Lambda(lambda x: x).get_config()["function"]
    assert callable(function), "no name, so no file can hold it; before that nothing is wrong"
