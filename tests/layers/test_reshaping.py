import numpy as np
import pytest

from tinynet.kernels import common
from tinynet.layers import Flatten, Lambda, Reshape

from layers.gradients import check_layer, images


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
    with pytest.raises(TypeError, match="callable"):
        Lambda(3)
