"""Normalization: what adapt measures, and what is done with it. Keras's numbers:
test_against_keras_norm.py.
"""

import numpy as np
import pytest

import tinynet
from tinynet import layers
from tinynet.layers import Normalization
from tinynet.models import Sequential

from layer_tools import check_layer, images


@pytest.mark.parametrize("given", [np.asarray, tinynet.Tensor, lambda x: [x],
                                   lambda x: iter([x[:3], x[3:4], x[4:]]),
                                   lambda x: [(x[:2], None), (x[2:], None)]])  # fmt: skip
@pytest.mark.parametrize(("axis", "reduced"), [(-1, (0, 1)), (None, (0, 1, 2)), ((1, 2), (0,)), (1, (0, 2))])
def test_adapt(given, axis, reduced):
    x = 3 * images(9, 4, 5) + 1
    layer = Normalization(axis, dtype="float64")
    layer.adapt(given(x))
    mean, var = x.mean(reduced, keepdims=True), x.var(reduced, keepdims=True)
    np.testing.assert_allclose(layer.adapt_mean.numpy(), mean.reshape(layer.adapt_mean.shape), rtol=1e-12)
    np.testing.assert_allclose(
        layer.adapt_variance.numpy(), var.reshape(layer.adapt_variance.shape), rtol=1e-12
    )
    np.testing.assert_allclose(layer(x).numpy(), (x - mean) / np.sqrt(var), rtol=1e-9, atol=1e-12)
    assert [w.name.rpartition("/")[2] for w in layer.weights] == ["mean", "variance", "count"]
    assert not layer.trainable_weights


def test_published_numbers():
    """The examples of Keras's documentation."""
    data = np.array([[0, 7, 4], [2, 9, 6], [0, 7, 4], [2, 9, 6]], np.float32)
    layer = Normalization(axis=-1)
    layer.adapt(data)
    np.testing.assert_allclose(layer(data[:1]).numpy(), [[-1, -1, -1]], rtol=1e-6)
    layer = Normalization(mean=3.0, variance=2.0)
    np.testing.assert_allclose(
        layer(np.array([[1.0], [2.0], [3.0]])).numpy(), [[-1.4142135], [-0.70710677], [0.0]], rtol=1e-6
    )
    layer = Normalization(axis=-1, invert=True)
    layer.adapt(data)
    np.testing.assert_allclose(layer(np.array([[1.0, 2.0, 3.0]])).numpy(), [[2, 10, 8]], rtol=1e-6)


def test_until_it_is_adapted_it_is_the_identity():
    x = images(4, 3)
    np.testing.assert_array_equal(Normalization(dtype="float64")(x).numpy(), x)


def test_a_constant_column_is_not_divided_by_zero():
    x = np.array([[1.0, 2.0], [3.0, 2.0]], np.float32)
    layer = Normalization()
    layer.adapt(x)
    np.testing.assert_allclose(layer(x).numpy(), [[-1, 0], [1, 0]], rtol=1e-6)


def test_first_layer_of_models():
    x = (3 * images(20, 6) + 2).astype(np.float32)
    layer = Normalization()
    layer.adapt(x)
    expected = (x - x.mean(0)) / x.std(0)
    model = Sequential([layer, layers.Dense(1)])
    np.testing.assert_allclose(model.layers[0](x).numpy(), expected, rtol=1e-4, atol=1e-5)
    inputs = layers.Input((6,))
    functional = tinynet.Model(inputs, layer(inputs))
    np.testing.assert_allclose(functional.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1], epochs=2, verbose=0)
    np.testing.assert_allclose(
        layer.adapt_mean.numpy(), x.mean(0), rtol=1e-5, err_msg="training leaves it alone"
    )
    twin = Normalization()
    twin.build((None, 6))
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(twin(x).numpy(), layer(x).numpy())


def test_adapting_again_measures_anew():
    layer = Normalization(None, dtype="float64")
    for seed in (1, 2):
        x = images(7, 3, seed=seed)
        layer.adapt(x)
        np.testing.assert_allclose(
            [layer.adapt_mean.numpy(), layer.adapt_variance.numpy()], [x.mean(), x.var()], rtol=1e-12
        )


def test_integers_and_large_means():
    x = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3)).astype(np.uint8)
    layer = Normalization()
    layer.adapt(x)
    np.testing.assert_allclose(layer.adapt_variance.numpy(), x.astype(float).var((0, 1, 2)), rtol=1e-6)
    far = (1e4 + images(3000, 2)).astype(np.float32)
    layer = Normalization()
    layer.adapt(np.array_split(far, 7))
    np.testing.assert_allclose(layer.adapt_variance.numpy(), far.astype(float).var(0), rtol=1e-5)


def test_gradients_and_configuration():
    arguments = {"axis": (1, 3), "mean": [1.0, 2.0], "variance": [[4.0, 9.0]] * 3}
    with pytest.raises(ValueError, match="one shape"):
        Normalization(**arguments)
    arguments["mean"] = [[1.0, 2.0]] * 3
    for invert in (False, True):
        layer = Normalization(**arguments, invert=invert, dtype="float64")
        check_layer(layer, images(4, 3, 5, 2))
        assert layer.weights == []
        twin = Normalization.from_config(layer.get_config())
        x = images(4, 3, 5, 2)
        np.testing.assert_array_equal(twin(x).numpy(), layer(x).numpy())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Normalization(mean=1.0), ValueError, "given together"),
        (lambda: Normalization(None, mean=[1.0], variance=[1.0]), ValueError, "numbers, or arrays"),
        (lambda: Normalization("rows"), TypeError, "axis must be an integer"),
        (
            lambda: Normalization(mean=1.0, variance=1.0).adapt(np.ones((2, 2))),
            ValueError,
            "nothing to adapt",
        ),
        (lambda: Normalization().adapt([]), ValueError, "found no data"),
        (lambda: Normalization().adapt(np.ones((0, 2))), ValueError, "found no data"),
        (lambda: Normalization().adapt(3), TypeError, "adapt takes an array or an iterable"),
        (lambda: Normalization().adapt([[1, 2], [3, 4]]), TypeError, "batches that are arrays"),
        (lambda: Normalization(axis=2)(np.ones((2, 2))), ValueError, "axis .* must name different axes"),
        (
            lambda: Normalization().adapt([np.ones((2, 3)), np.ones((2, 4))]),
            ValueError,
            "built for inputs of shape",
        ),
        (lambda: Normalization(1)(layers.Input((None, 3))), ValueError, "must be known"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
