"""What layers say of themselves in Keras's words, and input specifications that are set;
compared with Keras 3.15.
"""

import inspect

import numpy as np
import pytest

import tinynet as keras
from tests.layers.cases import CASES, make
from tinynet import InputSpec, layers

# Layers that say so in Keras 3.15 (keras.layers.X(...).supports_masking of the layers in CASES).
MASKING = """
Activation ActivityRegularization Add AlphaDropout Average BatchNormalization Concatenate Dense Dot Dropout
ELU GaussianDropout GaussianNoise GlobalAveragePooling1D GroupNormalization Identity LayerNormalization
LeakyReLU Maximum Minimum Multiply Normalization PReLU ReLU Rescaling Softmax SpatialDropout1D
SpatialDropout2D Subtract UnitNormalization
""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", sorted(set(CASES) - {"RReLU"}))
def test_what_every_layer_says(name):
    layer, x = make(name, None, name="mine")
    assert layer.supports_masking == (name in MASKING)
    assert layer.compute_dtype == layer.variable_dtype == "float32"
    assert layer.path == "mine"
    layer(x)
    assert all(variable.path.startswith("mine/") for variable in layer.variables)
    assert all(variable.value.shape == variable.shape for variable in layer.variables)
    layer.supports_masking = True
    assert layer.supports_masking


def test_formats_follow_the_dtype():
    assert layers.Dense(2, dtype="float64").compute_dtype == "float64"
    assert keras.Sequential([layers.Dense(2)]).variable_dtype == "float32"


SPECS = {  # as Keras's InputSpec prints them, before and after build((None, 7, 4)) and the like
    "Dense": ("InputSpec(min_ndim=2)", "InputSpec(min_ndim=2, axes={-1: 4})"),
    "MaxPooling2D": ("InputSpec(ndim=4)", "InputSpec(ndim=4)"),
    "GlobalAveragePooling1D": ("InputSpec(ndim=3)", "InputSpec(ndim=3)"),
    "SpatialDropout1D": ("InputSpec(ndim=3)", "InputSpec(ndim=3)"),
    "Activation": ("None", "None"),
    "Dropout": ("None", "None"),
    "Lambda": ("None", "None"),
}


@pytest.mark.parametrize("name", SPECS)
def test_own_input_specs_are_those_of_keras(name):
    layer, x = make(name, None)
    before = str(layer.input_spec)
    layer(x)
    assert (before, str(layer.input_spec)) == SPECS[name]


class Own(layers.Layer):
    def __init__(self, spec, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = spec

    def call(self, x):
        return x


SHAPES = [(2, 4), (2, 4, 1), (2, 3, 4), (2, 28, 28), (2, 28, 28, 1), (2, 28, 27), (2,)]
CHECKED = {  # which of SHAPES Keras 3.15 lets through
    "ndim": (InputSpec(ndim=3), [1, 2, 3, 5]),
    "min_ndim": (InputSpec(min_ndim=3), [1, 2, 3, 4, 5]),
    "max_ndim": (InputSpec(max_ndim=2), [0, 6]),
    "axes": (InputSpec(min_ndim=2, axes={-1: 4}), [0, 2]),
    "shape": (InputSpec(shape=(None, 28, 28, 1)), [4]),
    "squeeze": (InputSpec(shape=(None, 28, 28, 1), allow_last_axis_squeeze=True), [3, 4]),
    "any size": (InputSpec(shape=(None, None, 4)), [2]),
    "nothing": (None, [0, 1, 2, 3, 4, 5, 6]),
    "an empty one": (InputSpec(), [0, 1, 2, 3, 4, 5, 6]),
}


@pytest.mark.parametrize(("spec", "fitting"), CHECKED.values(), ids=CHECKED)
def test_what_is_set_is_checked(spec, fitting):
    layer = Own(spec, name="mine")
    assert layer.input_spec is spec
    for number, shape in enumerate(SHAPES):
        for x in (np.ones(shape), layers.Input(shape[1:])):
            if number in fitting:
                assert layer(x).shape[1:] == shape[1:]
            else:
                with pytest.raises(
                    ValueError, match=r"'mine'.*does not fit its input_spec: expected .*got shape"
                ):
                    layer(x)


def test_specs_of_several_inputs():
    class Both(layers.Layer):
        def __init__(self):
            super().__init__()
            self.input_spec = [InputSpec(ndim=2), InputSpec(shape=(None, 3))]

        def call(self, inputs):
            return inputs[0]

    assert Both()([np.ones((2, 5)), np.ones((2, 3))]).shape == (2, 5)
    with pytest.raises(
        ValueError, match=r"input 1 does not fit.*expected shape=\(None, 3\), got shape \(2, 4\)"
    ):
        Both()([np.ones((2, 5)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="for 2 inputs, got 1"):
        Both()(np.ones((2, 5)))
    named = Both()
    named.input_spec = [InputSpec(ndim=2, name="b"), InputSpec(ndim=3, name="a")]
    named.call = lambda inputs: inputs["a"]
    assert named({"a": np.ones((2, 3, 4)), "b": np.ones((2, 3))}).shape == (2, 3, 4)
    with pytest.raises(ValueError, match="there is no input 'b'"):
        named({"a": np.ones((2, 3, 4)), "c": np.ones((2, 3))})


def test_models_and_layers_of_tinynet_check_what_is_set():
    model = keras.Sequential([layers.Dense(2)])
    model.input_spec = InputSpec(shape=(None, 3))
    assert model(np.ones((2, 3))).shape == (2, 2)
    with pytest.raises(ValueError, match=r"expected shape=\(None, 3\)"):
        model(np.ones((2, 4)))
    dense = layers.Dense(2)
    dense.input_spec = InputSpec(ndim=3)
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        dense(np.ones((2, 4)))
    assert layers.Dense.from_config(dense.get_config()).input_spec.min_ndim == 2


def test_input_specs_themselves():
    spec = InputSpec(shape=(None, 3), axes={"1": 3})
    assert (spec.ndim, spec.axes) == (2, {1: 3})
    assert repr(spec) == "InputSpec(shape=(None, 3), ndim=2, axes={1: 3})"
    assert InputSpec.from_config(spec.get_config()).get_config() == spec.get_config()
    with pytest.raises(TypeError, match="axes must be a dictionary"):
        InputSpec(axes=[1, 2])
    with pytest.raises(ValueError, match="names the axis 3 of an input with 3 axes"):
        InputSpec(ndim=3, axes={3: 1})
    assert layers.InputSpec is InputSpec


def test_variables_of_optimizers():
    """`value` of each, of the learning rate too; what is assigned to them counts."""
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile(keras.optimizers.Adam(0.125), "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    optimizer = model.optimizer
    assert float(optimizer.learning_rate.value) == 0.125
    assert optimizer.learning_rate.value.numpy().dtype == np.float32
    values = [variable.value.numpy() for variable in optimizer.variables]
    assert len(values) == 6
    assert int(values[0]) == 1
    for value, weight in zip(values, optimizer.get_weights(), strict=True):
        np.testing.assert_array_equal(value, weight)
    optimizer.variables[1].assign(0.5)
    optimizer.variables[2].assign_add(np.ones((3, 2), "float32"))
    assert optimizer.learning_rate == 0.5
    np.testing.assert_array_equal(optimizer.get_weights()[2], values[2] + 1)
    np.testing.assert_array_equal(np.asarray(optimizer.variables[2]), values[2] + 1)


def test_optimizers_of_ones_own_have_variables_of_any_shape():
    class Scaled(keras.optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.norms = self.add_variable((2,), "ones", name="norms")

        def update_step(self, gradient, variable, learning_rate):
            self.norms.assign_add([1.0, 2.0])
            self.assign_sub(variable, gradient * learning_rate * float(self.norms[0]))

    optimizer, weight = Scaled(learning_rate=0.5), keras.Parameter(np.array([1.0], "float32"))
    for _ in range(2):
        optimizer.apply([np.array([1.0], "float32")], [weight])
    assert weight.numpy().tolist() == [1 - 0.5 * 2 - 0.5 * 3]
    assert [v.name for v in optimizer.variables] == ["iteration", "learning_rate", "norms"]
    copy = Scaled(learning_rate=0.5)
    copy.build([weight])
    copy.set_weights(optimizer.get_weights())
    assert copy.norms.numpy().tolist() == [3.0, 5.0]
    assert copy.norms.dtype == np.float32


@pytest.mark.parametrize("wrong", ["yes", "False", None, [], 2, 1.0, np.ones(2)], ids=repr)
@pytest.mark.parametrize(
    "name", ["Dense", "BatchNormalization", "Dropout", "Conv2D", "Own", "Sequential", "Model"]
)
def test_trainable_is_true_or_false(name, wrong):
    kinds = {
        "Own": lambda **kwargs: Own(None, **kwargs),
        "Sequential": keras.Sequential,
        "Model": keras.Model,
    }
    make_it = kinds.get(name, lambda **kwargs: make(name, None, **kwargs)[0])
    with pytest.raises(ValueError, match="trainable must be True or False, got"):
        make_it(trainable=wrong)
    layer = make_it()
    with pytest.raises(ValueError, match="trainable must be True or False, got"):
        layer.trainable = wrong
    assert layer.trainable is True
    for right in (False, np.True_, 0, 1):
        layer.trainable = right
        assert layer.trainable is bool(right)


@pytest.mark.parametrize("wrong", [(20, -1, 10), (0, 1), (1.5, 1), "abc", 3, (True, 1), ("a",)], ids=repr)
@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout"])
def test_sizes_of_masks_are_positive(name, wrong):
    with pytest.raises(ValueError, match="noise_shape must be a tuple of sizes of at least 1"):
        getattr(layers, name)(0.5, noise_shape=wrong)
    assert getattr(layers, name)(0.5, noise_shape=[None, 1]).noise_shape == (None, 1)


@pytest.mark.parametrize(
    "name", ["Dropout", "AlphaDropout", "GaussianNoise", "SpatialDropout1D", "RandomFlip", "RReLU"]
)
def test_layers_take_a_number_as_their_seed(name):
    """As in Keras, whose layers refuse a generator: they have one of their own."""
    with pytest.raises(ValueError, match="seed must be an integer >= 0 or None"):
        make(name, None, seed=keras.random.SeedGenerator(1))


@pytest.mark.parametrize(
    ("axis", "shape", "expected"),
    [
        (-1, (5, 3), (1, 3)),
        (None, (5, 3), (1, 1)),
        ((1, 3), (5, 3, 2, 4), (1, 3, 1, 4)),
        (1, (5, 3, 2), (1, 3, 1)),
    ],
)
def test_statistics_of_normalization_have_the_axes_of_the_input(axis, shape, expected):
    """Shapes of Keras 3.15; the weights are as they were, and `adapt_mean` and `adapt_variance` are they."""
    x = np.random.default_rng(0).normal(size=shape)
    layer = layers.Normalization(axis=axis, dtype="float64")
    layer.adapt(x)
    kept = tuple(i for i, size in enumerate(expected) if size == 1)
    assert layer.mean.shape == layer.variance.shape == expected
    np.testing.assert_allclose(layer.mean.numpy(), x.mean(kept, keepdims=True))
    np.testing.assert_allclose((x - layer.mean.numpy()) / np.sqrt(layer.variance.numpy()), layer(x).numpy())
    assert [w.shape for w in layer.weights] == [layer.adapt_mean.shape, layer.adapt_variance.shape, ()]
    given = layers.Normalization(mean=[1.0, 2, 3], variance=[4.0, 5, 6])
    given.build((None, 3))
    assert given.mean.numpy().tolist() == [[1.0, 2.0, 3.0]]
    assert given.weights == []


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("InputLayer",)])
def test_arguments_that_are_missing_are_named(name):
    """In our words, without any argument and with others."""
    cls = getattr(layers, name)
    needed = [
        p.name
        for p in inspect.signature(cls.__init__).parameters.values()
        if p.default is p.empty and p.kind == 1
    ]
    for missing in needed[1:]:
        given = {key: value for key, value in CASES[name].arguments.items() if key != missing}
        given.pop("seed", None)
        for arguments in ({}, given, {"name": "mine"}):
            with pytest.raises(TypeError, match=f"^{name} needs the argument .*{missing!r}"):
                cls(**arguments)
