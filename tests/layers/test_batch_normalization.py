import numpy as np
import pytest

from tinynet.layers import BatchNormalization

from layers.gradients import check_layer, images


def normalised(x, axis, epsilon=1e-3):
    axes = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + epsilon), mean.ravel(), var.ravel()


@pytest.mark.parametrize(("shape", "axis"), [((8, 5), -1), ((4, 3, 5, 6), -1), ((4, 3, 5, 6), 1), ((6, 4, 3), 2)])
def test_training_uses_the_batch_and_moves_the_statistics(shape, axis):
    layer = BatchNormalization(axis, momentum=0.9, dtype="float64")
    x = 3 * images(*shape) + 2
    y, mean, var = normalised(x, axis)
    np.testing.assert_allclose(layer(x, training=True).numpy(), y, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean, rtol=1e-9)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * var, rtol=1e-9, err_msg="biased variance")
    before = layer.get_weights()
    broadcast = [1] * x.ndim
    broadcast[axis] = -1
    moving = [w.reshape(broadcast) for w in before[2:]]
    expected = (x - moving[0]) / np.sqrt(moving[1] + 1e-3)
    for training in (False, None):
        np.testing.assert_allclose(layer(x, training=training).numpy(), expected, rtol=1e-9, atol=1e-9)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_frozen_means_inference():
    layer = BatchNormalization(epsilon=1e-9, dtype="float64")
    layer.trainable = False
    x = images(6, 3)
    np.testing.assert_allclose(layer(x, training=True).numpy(), x, rtol=1e-6)
    assert (layer.moving_mean.numpy() == 0).all()


@pytest.mark.parametrize(("center", "scale"), [(True, True), (True, False), (False, True), (False, False)])
def test_gradients_in_training_mode(center, scale):
    parameters = [name for name, used in (("gamma", scale), ("beta", center)) if used]
    layer = BatchNormalization(center=center, scale=scale, dtype="float64")
    check_layer(layer, images(4, 2, 3, 2), *parameters)
    assert len(layer.weights) == len(parameters) + 2


def test_gradients_in_inference_mode():
    check_layer(BatchNormalization(axis=1, dtype="float64"), images(3, 2, 4, 2), "gamma", "beta", training=False)


def test_axis_is_one_integer():
    with pytest.raises(TypeError, match="axis"):
        BatchNormalization(axis=[1])
    with pytest.raises(ValueError, match="axis 4"):
        BatchNormalization(axis=4)(np.ones((2, 3)))
