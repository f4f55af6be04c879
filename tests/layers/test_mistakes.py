"""Mistakes with layers: refused with the layer's name, or handled as they were meant."""

import numpy as np
import pytest

import tinynet
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


def test_a_layer_is_built_once():
    layer = Dense(1, name="head")
    layer.build((None, 2))
    with pytest.raises(ValueError, match=r"'head'.*has a weight 'kernel' already"):
        layer.build((None, 3))
    assert len(layer.weights) == 2


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
        (lambda: layers.ReLU(negative_slope=None), "'re_lu.*negative_slope must be a number >= 0, got None"),
        (lambda: layers.ELU("a"), "'elu.*alpha must be a number, got 'a'"),
        (lambda: layers.ELU(True), "alpha must be a number, got True"),
        (lambda: layers.LeakyReLU(float("nan")), "negative_slope must be a number >= 0, got nan"),
        (lambda: layers.Softmax("a"), "'softmax.*axis must be an integer or a list"),
        (lambda: layers.BatchNormalization(momentum="a"), "'batch_normalization.*momentum must be a number"),
        (
            lambda: layers.RMSNormalization(epsilon=-1),
            "'rms_normalization.*epsilon must be a number >= 0, got -1",
        ),
        (
            lambda: layers.LayerNormalization(epsilon=None),
            "'layer_normalization.*epsilon must be a number >= 0, got None",
        ),
        (lambda: PReLU(shared_axes=[1.5]), "'p_re_lu.*shared_axes must be a tuple of integers"),
        (lambda: layers.Permute("ab"), "'permute.*dims must be a tuple of integers, got 'ab'"),
        (lambda: layers.Reshape((None, 2)), "'reshape.*target_shape must be a tuple of integers"),
        (lambda: Dropout(0.5, noise_shape=3), "'dropout.*noise_shape must be a tuple of sizes"),
        (
            lambda: layers.Add()({"a": np.ones((1, 2))}),
            "'add.*expects a list of inputs, got a dictionary with 'a'",
        ),
        (lambda: layers.Conv2DTranspose(1, 3)(np.ones((1, 0, 4, 1))), "'conv2d_transpose.*leave nothing"),
        (
            lambda: layers.Normalization(mean=1.0, variance=-1.0),
            "'normalization.*variance must not be negative",
        ),
        (
            lambda: layers.Normalization(mean=[1, 2], variance=[1, 1])(np.ones((1, 3))),
            r"'normalization.*sizes \(3,\)",
        ),
        (lambda: layers.Normalization((1, -1))(np.ones((1, 3))), "'normalization.*must name different axes"),
        (lambda: Dense(1, W_regularizer="l2"), "W_regularizer.*is written kernel_regularizer today"),
    ],
)
def test_a_mistake_names_the_layer(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_the_shape_of_a_sample_is_accepted_with_a_warning_as_in_keras_3():
    for make, shape in (
        (lambda: layers.Flatten(input_shape=(1, 28, 28)), (None, 1, 28, 28)),
        (lambda: Dense(2, input_dim=3), (None, 3)),
        (lambda: Lambda(lambda x: x, input_shape=[None, 4]), (None, None, 4)),
    ):
        with pytest.warns(
            UserWarning,
            match="do not pass input_shape or input_dim to a layer; begin the Sequential with Input",
        ):
            model = tinynet.Sequential([make()])
        assert model.input_shape == shape
        assert not {"input_shape", "input_dim"} & set(model.layers[0].get_config())
    with pytest.raises(ValueError, match=r"batch_input_shape.*Input\(batch_shape=...\)"):
        Dense(2, batch_input_shape=(None, 3))
    with (
        pytest.raises(ValueError, match="each size in input_shape must be a positive integer, got 0"),
        pytest.warns(UserWarning, match="begin the Sequential"),
    ):
        Dense(2, input_shape=(0,))
    with pytest.raises(ValueError, match=r"set_weights\(\) after the layer was built"):
        Dense(2, weights=[np.ones((3, 2))])
