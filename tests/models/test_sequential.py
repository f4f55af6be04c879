import numpy as np
import pytest

from tinynet import layers
from tinynet.models import Model, Sequential

from models.nets import model_9, small_net


def test_parameters_of_the_main_example():
    model = model_9()
    assert model.count_params() == 98_774
    assert sum(w.size for w in model.trainable_weights) == 98_564
    assert model.output_shape == (None, 10)


def test_layers_are_added_and_removed():
    model = Sequential()
    model.add(layers.Input((4,)))
    model.add(layers.Dense(3))
    model.add(layers.Dense(2, name="last"))
    assert [layer.name for layer in model.layers][1:] == ["last"]
    assert model.built
    assert model.output_shape == (None, 2)
    assert model.pop().name == "last"
    assert model.output_shape == (None, 3)
    assert model.predict(np.ones((5, 4)), verbose=0).shape == (5, 3)


def test_deferred_building():
    model = Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)])
    assert not model.built
    assert model.weights == []
    with pytest.raises(ValueError, match="not built"):
        model.count_params()
    with pytest.raises(ValueError, match="input shape"):
        _ = model.output_shape
    assert model(np.ones((2, 5, 5, 1))).shape == (2, 3)
    assert model.output_shape == (None, 3)
    other = Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)])
    other.build((None, 5, 5, 1))
    other.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 1))
    np.testing.assert_array_equal(model(x).numpy(), other(x).numpy())


def test_names_are_unique_and_layers_are_instances():
    with pytest.raises(ValueError, match="'a'"):
        Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")])
    layer = layers.Dense(1)
    with pytest.raises(ValueError, match="already"):
        Sequential([layer, layer])
    with pytest.raises(TypeError, match=r"Dense\(...\)"):
        Sequential([layers.Dense])
    with pytest.raises(TypeError, match="Lambda"):
        Sequential([np.tanh])
    with pytest.raises(ValueError, match="first"):
        Sequential([layers.Dense(1), layers.Input((3,))])
    with pytest.raises(ValueError, match="no layer"):
        Sequential().pop()


def test_layers_can_be_shared_between_models():
    first = small_net()
    second = Sequential([*first.layers[:-1], layers.Dense(2)])
    x = np.ones((3, 8, 8, 1))
    assert second(x).shape == (3, 2)
    second.layers[0].kernel.assign(np.zeros(second.layers[0].kernel.shape))
    assert (first.layers[0].get_weights()[0] == 0).all()
    first.layers[0].trainable = False
    assert all(w is not second.layers[0].kernel for w in second.trainable_weights)


def test_models_nest():
    inner = Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2)])
    outer = Sequential([inner, layers.Dense(1)])
    assert outer.built
    assert outer.output_shape == (None, 1)
    assert len(outer.weights) == 6
    outer.trainable = False
    assert inner.trainable_weights == []


def test_subclass():
    class Residual(Model):
        def __init__(self):
            super().__init__()
            self.inside = layers.Dense(4)
            self.head = layers.Dense(1)

        def call(self, x):
            return self.head(x + self.inside(x))

    model = Residual()
    model.compile("sgd", "mse")
    history = model.fit(np.eye(4), np.ones((4, 1)), epochs=3, verbose=0).history["loss"]
    assert history[2] < history[0]
    assert len(model.weights) == 4


def test_get_layer():
    model = small_net()
    assert model.get_layer(index=0) is model.layers[0]
    assert model.get_layer(model.layers[3].name) is model.layers[3]
    for wrong in ({}, {"name": "x"}, {"index": 99}, {"name": "x", "index": 1}):
        with pytest.raises(ValueError):
            model.get_layer(**wrong)


def test_a_missing_channel_axis_is_added():
    model = small_net()
    x = np.random.default_rng(0).integers(0, 255, (3, 8, 8), np.uint8)
    expected = model.predict(x[..., None], verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
    np.testing.assert_array_equal(model.predict(x[..., None, None], verbose=0), expected)


def test_wrong_input_shapes_are_named():
    model = small_net()
    with pytest.raises(ValueError, match=r"expects inputs of shape \(None, 8, 8, 1\).*\(2, 9, 9, 1\)"):
        model(np.ones((2, 9, 9, 1)))
    with pytest.raises(ValueError, match="Input"):
        layers.Input()
    with pytest.raises(ValueError, match="tuple"):
        layers.Input(28)


def test_first_layer_decides_the_dtype():
    model = Sequential(
        [layers.Input((3,)), layers.Dense(2, dtype="float64"), layers.Dense(2, dtype="float64")]
    )
    x = np.random.default_rng(0).normal(size=(4, 3))
    y = model.predict(x, verbose=0)
    assert y.dtype == np.float64
    w = model.get_weights()
    np.testing.assert_allclose(y, (x @ w[0] + w[1]) @ w[2] + w[3], rtol=1e-14)


def test_predictions_are_ordinary_arrays_in_order():
    model = Sequential([layers.Input((2, 3)), layers.Lambda(lambda x: x * 2.0)])
    x = np.arange(60, dtype=np.float32).reshape(10, 2, 3)
    for size in (1, 3, 10, 1000):
        y = model.predict(x, size, verbose=0)
        assert type(y) is np.ndarray
        assert y.flags.c_contiguous
        assert y.flags.owndata
        np.testing.assert_array_equal(y, 2 * x)
    np.testing.assert_array_equal(model.predict_on_batch(x), 2 * x)
    assert not model(x).requires_grad
