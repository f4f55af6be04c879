"""Arguments of layers in Keras 1's order, by older names, in classes derived from layers;
and what is refused.
"""

import pickle
import re
import warnings

import numpy as np
import pytest

from tinynet import layers, regularizers
from tinynet.compat import keras1, keras2
from tinynet.compat.spellings import KERAS1, RENAMED, RENAMED_FOR

K1, K2 = keras1.layers, keras2.layers


@pytest.fixture(autouse=True)
def _without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@pytest.mark.parametrize(
    ("layer", "today"),
    [
        (lambda: K1.Dense(5, "uniform", "relu"), layers.Dense(5, "relu", kernel_initializer="uniform")),
        (
            lambda: K1.Dense(5, "uniform", None, None, "l1", "l2", None, "maxnorm", "nonneg", False),
            layers.Dense(
                5, use_bias=False, kernel_initializer="uniform", kernel_regularizer="l1",
                bias_regularizer="l2",
                kernel_constraint="max_norm", bias_constraint="non_neg",
            ),
        ),
        (
            lambda: K1.Convolution2D(5, 3, 2, "uniform", "relu", None, "same", (2, 2), "th"),
            layers.Conv2D(5, (3, 2), (2, 2), "same", "channels_first", activation="relu",
                          kernel_initializer="uniform"),
        ),
        (lambda: K1.Convolution2D(5, nb_row=3, nb_col=2), layers.Conv2D(5, (3, 2))),
        (lambda: K1.Convolution2D(nb_filter=5, nb_row=3, nb_col=2), layers.Conv2D(5, (3, 2))),
        (lambda: K1.Convolution2D(5, 3, nb_col=2), layers.Conv2D(5, (3, 2))),
        (lambda: K1.Convolution2D(5, (3, 2), 2), layers.Conv2D(5, (3, 2), 2)),
        (lambda: K2.Conv2D(5, 3, 2), layers.Conv2D(5, (3, 2))),
        (lambda: K2.Conv2D(5, 3, strides=2), layers.Conv2D(5, 3, 2)),
        (
            lambda: K1.AtrousConvolution2D(5, 3, 3, atrous_rate=(2, 2), border_mode="same"),
            layers.Conv2D(5, 3, padding="same", dilation_rate=2),
        ),
        (
            lambda: K1.AtrousConvolution2D(5, 3, 3, "uniform", None, None, "same", (1, 1), (2, 2)),
            layers.Conv2D(5, 3, padding="same", dilation_rate=2, kernel_initializer="uniform"),
        ),
        (
            lambda: K1.Deconvolution2D(5, 3, 3, (None, 14, 14, 5), subsample=(2, 2), border_mode="same"),
            layers.Conv2DTranspose(5, 3, 2, "same"),
        ),
        (
            lambda: K1.SeparableConvolution2D(5, 3, 3, "uniform", depth_multiplier=2),
            layers.SeparableConv2D(5, 3, depth_multiplier=2, depthwise_initializer="uniform",
                                   pointwise_initializer="uniform"),
        ),
        (lambda: K1.Convolution1D(5, 3, "uniform"), layers.Conv1D(5, 3, kernel_initializer="uniform")),
        (lambda: K1.MaxPooling2D((3, 3), (2, 2), "same", "th"),
         layers.MaxPooling2D(3, 2, "same", "channels_first")),
        (lambda: K1.AveragePooling2D(), layers.AveragePooling2D((2, 2))),
        (lambda: K2.AveragePooling1D(), layers.AveragePooling1D(2)),
        (lambda: K1.MaxPooling1D(3, 2), layers.MaxPooling1D(3, 2)),
        (lambda: K1.BatchNormalization(1e-4, 0, 1, 0.9), layers.BatchNormalization(1, 0.9, 1e-4)),
        (lambda: K1.Embedding(9, 4, "normal"), layers.Embedding(9, 4, "normal")),
        (lambda: K1.PReLU("one", None, [1, 2]), layers.PReLU("ones", shared_axes=[1, 2])),
        (lambda: K1.SpatialDropout2D(0.5, "th"), layers.SpatialDropout2D(0.5, "channels_first")),
        (lambda: K1.ThresholdedReLU(theta=0.5), layers.ReLU(threshold=0.5)),
        (lambda: K2.ThresholdedReLU(), layers.ReLU(threshold=1.0)),
        (lambda: K1.Flatten(), layers.Flatten("channels_last")),
        (lambda: K1.Dense(5, W_regularizer="l1l2"), layers.Dense(5,
                                                                 kernel_regularizer=regularizers.L1L2(0.01,
                                                                                                      0.01))),
    ],
)  # fmt: skip
def test_a_call_of_the_era_makes_the_layer_of_today(layer, today):
    made = layer()
    assert type(made) is type(today)
    drop = {"name"}
    names = {"zero": "zeros", "one": "ones", "maxnorm": "max_norm", "nonneg": "non_neg"}
    found, wanted = ({k: names.get(v, v) if isinstance(v, str) else v for k,
                      v in one.get_config().items() if k not in drop}
                     for one in (made, today))  # fmt: skip
    for name, value in wanted.items():
        if name in ("kernel_size", "strides", "dilation_rate", "pool_size", "axis"):
            assert getattr(made, name) == getattr(today, name), name
        else:
            assert found[name] == value, name


@pytest.mark.parametrize("name", KERAS1)
def test_orders_are_of_arguments_that_today_has(name):
    today, order = KERAS1[name]
    # or read in another way
    gone = {"weights", "mode", "output_shape", "input_dim", "input_length", "dropout"}
    names = layers.arguments.accepted(getattr(layers, today))
    for argument in set(order.split()) - gone - ({"init"} if today == "SeparableConv2D" else set()):
        assert {argument, RENAMED_FOR.get(today, {}).get(argument, RENAMED.get(argument, argument))} & set(
            names
        ), argument
    assert len(set(order.split())) == len(order.split())


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: K1.Dense(5, input_dim=7), (None, 7)),
        (lambda: K1.Dense(5, input_shape=(7,)), (None, 7)),
        (lambda: K2.Dense(5, input_shape=[3, 7]), (None, 3, 7)),
        (lambda: K1.Dense(5, batch_input_shape=(4, 7)), (4, 7)),
        (lambda: K1.Convolution1D(5, 3, input_dim=7, input_length=9), (None, 9, 7)),
        (lambda: K1.Convolution1D(5, 3, input_dim=7), (None, None, 7)),
        (lambda: K2.Embedding(5, 3, input_length=9), (None, 9)),
        (lambda: K1.InputLayer(input_shape=(1, 28, 28)), (None, 1, 28, 28)),
    ],
)
def test_shapes_of_inputs(layer, shape):
    assert keras1.models.Sequential([layer()]).input_shape == shape


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (
            lambda: K2.Conv2D(7, 3, 3, padding="same"),
            ValueError,
            "may mean a kernel of 3 x 3 (Keras 1) or strides 3 (Keras 2)",
        ),
        (lambda: K1.Dense(5, units=3), TypeError, "output_dim and units are two names of one argument"),
        (
            lambda: K1.Conv2D(5, 3, 3, border_mode="same", padding="same"),
            TypeError,
            "two names of one argument",
        ),
        (lambda: K1.Dense(5, foo=1), ValueError, "Dense has no argument 'foo'"),
        (lambda: K1.Dense(5, "uniform", init="one"), TypeError, "init is given twice"),
        (lambda: K1.Dropout(0.5, None, 1, 2), TypeError, "Dropout takes 3 arguments by position"),
        (
            lambda: K1.MaxPooling2D(dim_ordering="cf"),
            ValueError,
            "dim_ordering must be 'th', 'tf' or 'default'",
        ),
        (lambda: K1.Dense(5, weights=[np.ones(3)]), ValueError, "set_weights"),
        (lambda: K1.Embedding(5, 3, dropout=0.5), ValueError, "SpatialDropout1D"),
        (lambda: K1.Convolution2D(5, 3, 3, border_mode="full"), ValueError, "padding must be"),
        (lambda: K1.merge([1], mode="cos"), ValueError, "mode must be one of"),
        (lambda: K1.Merge([1, 2], mode="sum"), ValueError, "merge"),
        (lambda: K1.Input((3,), sparse=True), ValueError, "sparse"),
    ],
)
def test_wrong_use_is_named(call, error, says):
    with pytest.raises(error, match=re.escape(says)):
        call()


def test_activity_regularizers_are_warned_of():
    with pytest.warns(DeprecationWarning, match="divided by the batch size"):
        K2.Dense(3, activity_regularizer="l2")


class TestMerge:
    @pytest.mark.parametrize(
        ("mode", "expected"),
        [("sum", 5.0), ("mul", 6.0), ("ave", 2.5), ("max", 3.0), (lambda pair: pair[0] - pair[1], -1.0)],
    )
    def test_of_two_tensors(self, mode, expected):
        a, b = K1.Input(shape=(3,)), K1.Input(shape=(3,))
        model = keras1.models.Model(input=[a, b], output=K1.merge([a, b], mode=mode))
        np.testing.assert_allclose(
            model.predict([np.full((2, 3), 2.0), np.full((2, 3), 3.0)]), np.full((2, 3), expected)
        )

    def test_concatenation_and_dot(self):
        a, b = K1.Input(shape=(4, 3)), K1.Input(shape=(4, 3))
        assert K1.merge([a, b], mode="concat", concat_axis=1).shape == (None, 8, 3)
        assert K1.Merge(mode="dot", dot_axes=2)([a, b]).shape == (None, 4, 4)


class Always(K2.Dropout):
    def call(self, inputs):
        return super().call(inputs, training=True)


class Doubled(K1.Dense):
    """With a constructor of its own, as programs of the time wrote it."""

    def __init__(self, output_dim, **kwargs):
        self.asked_for = output_dim
        super().__init__(2 * output_dim, "one", **kwargs)


class Linear(K1.Layer):
    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight(
            shape=(input_shape[1], self.output_dim), initializer="uniform", trainable=True
        )
        super().build(input_shape)

    def call(self, x, mask=None):
        return keras1.backend.dot(x, self.W)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.output_dim)


class TestDerivedClasses:
    def test_a_layer_that_changes_call(self):
        layer = Always(p=0.5)
        assert layer.rate == 0.5
        assert (layer(np.ones((4, 50))).numpy() == 0).any()
        assert isinstance(layer, K2.Dropout)
        assert isinstance(layer, layers.Dropout)
        assert not isinstance(K2.Dropout(0.5), Always)
        assert Always.from_config(layer.get_config()).rate == 0.5

    def test_a_layer_with_a_constructor(self):
        layer = Doubled(2, input_dim=3)
        assert keras1.models.Sequential([layer]).output_shape == (None, 4)
        assert isinstance(layer, K1.Dense)
        np.testing.assert_array_equal(layer.kernel.numpy(), np.ones((3, 4)))

    def test_a_layer_of_ones_own(self):
        model = keras1.models.Sequential([Linear(2, input_shape=(3,)), K1.Activation("tanh")])
        assert model.output_shape == (None, 2)
        model.compile("sgd", "mse")
        assert np.isfinite(
            model.fit(np.ones((8, 3)), np.ones((8, 2)), nb_epoch=1, verbose=0).history["loss"][0]
        )

    @pytest.mark.parametrize("keras", [keras1, keras2])
    def test_the_shape_is_what_the_layer_says_or_else_what_comes_out(self, keras):
        class Quiet(keras.layers.Layer):
            def call(self, x, mask=None):
                return keras.backend.concatenate([x, x])

        class Says(Quiet):  # of sizes that a run cannot know
            def get_output_shape_for(self, input_shape):
                return [input_shape[0], 77]

        x = keras.layers.Input(shape=(3,))
        assert (Quiet()(x).shape, Says()(x).shape) == ((None, 6), (None, 77))

    def test_layers_are_instances_of_both_names(self):
        made = K1.Convolution2D(3, 3, 3)
        assert isinstance(made, K1.Convolution2D)
        assert isinstance(made, K1.Layer)
        assert isinstance(made, layers.Conv2D)
        assert not isinstance(made, K1.Dense)
        assert type(pickle.loads(pickle.dumps(made))) is layers.Conv2D
