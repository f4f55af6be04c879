"""What all layers share: names, arguments, parameters, the training flag, configuration."""

import numpy as np
import pytest

from tinynet import config, layers, ops
from tinynet.autograd import Tensor
from tinynet.layers import (
    ELU,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Lambda,
    Layer,
    LeakyReLU,
    MaxPooling2D,
    PReLU,
)
from tinynet.layers.naming import reset_names


def test_automatic_names_are_keras_names():
    reset_names()
    made = [
        Conv2D(1, 1),
        Conv2D(1, 1),
        MaxPooling2D(),
        BatchNormalization(),
        LeakyReLU(),
        PReLU(),
        layers.ReLU(),
    ]
    assert [layer.name for layer in made] == [
        "conv2d", "conv2d_1", "max_pooling2d", "batch_normalization", "leaky_re_lu", "p_re_lu", "re_lu",
    ]  # fmt: skip
    assert Dense(1, name="head").name == "head"


@pytest.mark.parametrize(
    ("make", "today"),
    [
        (lambda: Conv2D(7, 3, border_mode="same"), "padding"),
        (lambda: Conv2D(nb_filter=7, nb_row=3, nb_col=3), "filters"),
        (lambda: Conv2D(7, 3, subsample=(2, 2)), "strides"),
        (lambda: MaxPooling2D(dim_ordering="th"), "data_format"),
        (lambda: Dense(output_dim=3), "units"),
        (lambda: Dense(3, init="uniform"), "kernel_initializer"),
        (lambda: Dense(3, W_regularizer="l2"), "kernel_regularizer"),
        (lambda: layers.Flatten(batch_input_shape=(8, 28, 28)), "Input"),
        (lambda: Dropout(p=0.5), "rate"),
    ],
)
def test_older_spellings_name_todays(make, today):
    with pytest.raises(ValueError, match=today):
        make()


def test_unknown_arguments_are_refused():
    with pytest.raises(ValueError, match=r"Dense has no argument 'unit'.*units"):
        Dense(3, unit=3)
    with pytest.raises(ValueError, match="Could not interpret regularizer identifier 'l3'"):
        Dense(3, kernel_regularizer="l3")
    assert ELU(alpha=0.5).alpha == 0.5


def test_weights_are_copies_and_are_checked():
    layer = Dense(2)
    with pytest.raises(ValueError, match="not built"):
        layer.count_params()
    with pytest.raises(ValueError, match="not built"):
        layer.set_weights([np.ones((3, 2)), np.ones(2)])
    layer(np.ones((1, 3)))
    assert layer.count_params() == 8
    kernel, bias = layer.get_weights()
    kernel[...] = 7
    assert not (layer.kernel.numpy() == 7).any()
    version = layer.kernel.version
    layer.set_weights([kernel, bias])
    assert layer.kernel.version > version
    kernel[...] = 8
    assert (layer.kernel.numpy() == 7).all()
    with pytest.raises(ValueError, match="2 weights, set_weights got 1"):
        layer.set_weights([kernel])
    with pytest.raises(ValueError, match=r"bias has shape \(2,\), got \(3,\)"):
        layer.set_weights([np.zeros((3, 2)), np.ones(3)])
    assert (layer.kernel.numpy() == 7).all(), "nothing changes unless everything fits"


def test_freezing_moves_weights_to_the_others():
    layer = BatchNormalization()
    layer(np.ones((2, 3)))
    names = [p.name.rpartition("/")[2] for p in layer.weights]
    assert names == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert len(layer.trainable_weights) == len(layer.non_trainable_weights) == 2
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 4
    layer.trainable = True
    assert len(layer.trainable_weights) == 2
    frozen = Dense(2, trainable=False)
    frozen(np.ones((1, 3)))
    assert frozen.trainable_weights == []


class Asks(Layer):
    def call(self, x, training=None):
        self.seen = training
        return x


class Outer(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = [Asks()]

    def call(self, x):
        return self.inner[0](x)


def test_training_comes_from_the_call_then_from_the_enclosing_call():
    layer, outer = Asks(), Outer()
    for training in (True, False, None):
        layer(np.ones(2), training=training)
        assert layer.seen is training
        outer(np.ones(2), training=training)
        assert outer.inner[0].seen is training


def test_a_subclass_may_fix_the_training_flag():
    class MCDropout(Dropout):
        def call(self, inputs):
            return super().call(inputs, training=True)

    layer = MCDropout(0.5, seed=1)
    for training in (True, False, None):
        assert (layer(np.ones((4, 50)), training=training).numpy() == 0).any()


def test_a_weight_of_unknown_size_is_refused():
    class Scale(Layer):
        def build(self, input_shape):
            self.scale = self.add_weight("scale", input_shape[1:], "ones")

    with pytest.raises(ValueError, match=r"'mine'.*sizes of scale must be known, got shape \(None, 4\)"):
        Scale(name="mine")(layers.Input((None, 4)))


def test_custom_layers_own_their_parts():
    class Twice(Layer):
        def __init__(self, units):
            super().__init__()
            self.first, self.second = Dense(units), Dense(units)

        def build(self, input_shape):
            self.scale = self.add_weight("scale", (), "ones")
            super().build(input_shape)

        def call(self, x):
            return self.second(self.first(x)) * self.scale

    layer = Twice(3)
    assert layer(np.ones((2, 4))).shape == (2, 3)
    assert [w.shape for w in layer.weights] == [(), (4, 3), (3,), (3, 3), (3,)]
    assert layer.compute_output_shape((None, 4)) == (None, 3)
    assert layer.get_config() == {"units": 3}
    layer.trainable = False
    assert layer.trainable_weights == []


def test_inputs_are_cast_to_the_dtype_of_the_layer():
    whole = np.array([[250, 251]], np.uint8)
    assert Lambda(lambda x: x + 10.0)(whole).numpy().tolist() == [[260.0, 261.0]]
    assert Dense(2)(np.ones((1, 2))).dtype == np.float32
    assert Dense(2, dtype="float64")(np.ones((1, 2), np.float32)).dtype == np.float64
    assert Dense(2)([[1, 2]]).dtype == np.float32
    config.set_floatx("float64")
    try:
        assert Dense(2)(whole).dtype == np.float64
    finally:
        config.set_floatx("float32")
    x = Tensor(np.ones((1, 2)), requires_grad=True)
    ops.sum(Dense(2)(x)).backward()
    assert x.grad.dtype == np.float64


def test_errors_name_the_layer_and_both_shapes():
    layer = Dense(2, name="head")
    with pytest.raises(ValueError, match=r"'head'.*at least 2 axes.*\(3,\)"):
        layer(np.ones(3))
    layer(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"'head'.*built.*\(1, 4\)"):
        layer(np.ones((1, 4)))
    with pytest.raises(ValueError, match=r"'c'.*4 axes.*\(2, 8, 8\).*"):
        Conv2D(3, 3, name="c")(np.ones((2, 8, 8)))


@pytest.mark.parametrize(
    "layer",
    [
        Dense(3, activation="relu", kernel_initializer="he_normal", name="d"),
        Conv2D(4, (3, 2), strides=2, padding="same", data_format="channels_first"),
        BatchNormalization(momentum=0.5, scale=False),
        Dropout(0.3, seed=4),
        PReLU(shared_axes=[1]),
        layers.Reshape((2, -1)),
        layers.ZeroPadding2D((1, 2)),
        layers.AveragePooling2D(2),
    ],
)
def test_config_round_trip(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.name == layer.name
    assert again is not layer
