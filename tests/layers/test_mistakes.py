"""Mistakes with layers: refused with the layer's name, or handled as they were meant."""

import numpy as np
import pytest

from tinynet import layers, ops
from tinynet.layers import Conv2D, Dense, Dropout, Lambda, Layer, MaxPooling2D, PReLU


def test_an_initializer_of_ones_own_gives_the_layers_shape_and_dtype():
    layer = Dense(2, kernel_initializer=lambda shape, dtype=None: np.ones(shape))  # float64
    assert layer(np.ones((1, 3), np.float32)).dtype == "float32"
    with pytest.raises(ValueError, match=r"bias has shape \(2,\), its initializer gave \(1,\)"):
        Dense(2, bias_initializer=lambda shape, dtype=None: np.ones(1))(np.ones((1, 3)))


def test_layers_in_a_dictionary_are_found():
    class Heads(Layer):
        def __init__(self):
            super().__init__()
            self.heads = {"a": Dense(2), "b": Dense(2)}

        def call(self, x):
            return self.heads["a"](x) + self.heads["b"](x)

    layer = Heads()
    layer(np.ones((1, 3)))
    assert len(layer.weights) == 4


def test_a_layer_that_forgot_super_says_so():
    class Forgetful(Layer):
        def __init__(self):
            self.units = 3

    with pytest.raises(AttributeError, match=r"Forgetful.__init__ must begin with super\(\).__init__\(\)"):
        Forgetful()(np.ones((1, 3)))


def test_set_weights_changes_all_or_nothing():
    layer = Dense(1)
    layer.build((None, 2))
    before = layer.get_weights()
    with pytest.raises(ValueError, match="bias holds numbers"):
        layer.set_weights([np.full((2, 1), 5.0), ["a"]])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])
    other = Dense(1)
    other.build((None, 2))
    layer.set_weights(other.weights)  # Parameters, and generators, will do
    layer.set_weights(w + 1 for w in other.get_weights())
    np.testing.assert_array_equal(layer.get_weights()[0], other.get_weights()[0] + 1)


def test_the_size_that_was_expected_is_named():
    layer = Dense(1)
    layer.build((None, 3))
    with pytest.raises(ValueError, match=r"inputs of shape \(any, 3\), got \(2, 4\)"):
        layer(np.ones((2, 4)))


@pytest.mark.parametrize("dtype", ["float16", "int32", "foo"])
def test_a_dtype_that_layers_do_not_compute_in_is_refused(dtype):
    with pytest.raises(ValueError, match="dtype must be 'float32' or 'float64'"):
        Dense(1, dtype=dtype)
    assert Dense(1, dtype=np.float64).dtype == "float64"
    assert layers.Input((3,), dtype="uint8").dtype == "uint8"


def test_output_sizes_that_follow_unknown_input_sizes_are_unknown():
    assert Lambda(lambda x: x[:, 1:]).compute_output_shape((None, None, 3)) == (None, None, 3)
    assert Lambda(lambda x: ops.mean(x, axis=1)).compute_output_shape((None, None, 3)) == (None, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lambda(lambda x: None)(np.ones((1, 2))), "the function must return a Tensor, got None"),
        (lambda: PReLU(shared_axes=[4])(np.ones((1, 2, 2, 3))), "shared_axes count from 1 to 3"),
        (lambda: PReLU(shared_axes=[-1])(np.ones((1, 2, 2, 3))), "shared_axes count from 1 to 3"),
        (lambda: Dropout("half"), "rate is the fraction to drop"),
        (lambda: layers.Reshape(4), r"target_shape must be a tuple such as \(4,\)"),
        (lambda: Conv2D(1, 5, name="stem")(np.ones((1, 4, 4, 1))), "'stem'.*does not fit"),
        (lambda: MaxPooling2D(5, name="shrink")(np.ones((1, 4, 4, 1))), "'shrink'.*does not fit"),
        (lambda: Dense(1, W_regularizer="l2"), "kernel_regularizer today, which is not part of tinynet yet"),
    ],
)
def test_a_mistake_names_the_layer(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
