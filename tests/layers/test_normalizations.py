"""Layer, group, RMS and unit normalisation: closed forms, gradients, errors.
Keras's numbers: test_against_keras_norm.py.
"""

import numpy as np
import pytest

from tinynet import layers
from tinynet.layers import GroupNormalization, LayerNormalization, RMSNormalization, UnitNormalization

from layer_tools import check_layer, images


def test_published_numbers_of_group_normalization():
    """The literal arrays of Keras's own tests."""
    x = np.array([[-1, -1, 1, 1, 2, 2, 0, -2]], np.float32)
    plain = {"center": False, "scale": False}
    y = GroupNormalization(1, **plain)(x).numpy()
    np.testing.assert_allclose(y, [[-0.898, -0.898, 0.539, 0.539, 1.257, 1.257, -0.180, -1.616]], atol=1e-3)
    y = GroupNormalization(2, **plain)(x).numpy()
    np.testing.assert_allclose(y, [[-1, -1, 1, 1, 0.904, 0.904, -0.301, -1.507]], atol=1e-3)


@pytest.mark.parametrize(
    ("axis", "axes"), [(-1, (3,)), ([1, 2], (1, 2)), ((3, 1), (1, 3)), (2, (2,)), ([1, 2, 3], (1, 2, 3))]
)
def test_layer_normalization_is_the_same_in_training_and_inference(axis, axes):
    x = 3 * images(4, 5, 3, 6) + 2
    layer = LayerNormalization(axis, epsilon=1e-4, dtype="float64")
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-4)
    for training in (True, False, None):
        np.testing.assert_allclose(layer(x, training=training).numpy(), expected, rtol=1e-9, atol=1e-12)
    assert [w.shape for w in layer.weights] == [tuple(x.shape[a] for a in axes)] * 2


@pytest.mark.parametrize(("axis", "groups"), [(-1, 3), (3, -1), (1, 2), (1, 1)])
def test_groups_are_neighbouring_channels(axis, groups):
    x = images(3, 4, 5, 6)
    layer = GroupNormalization(groups, axis, dtype="float64")
    last = np.moveaxis(x, axis, -1)
    parts = np.split(last, last.shape[-1] if groups == -1 else groups, -1)
    parts = [
        (p - p.mean((1, 2, 3), keepdims=True)) / np.sqrt(p.var((1, 2, 3), keepdims=True) + 1e-3)
        for p in parts
    ]
    expected = np.moveaxis(np.concatenate(parts, -1), -1, axis)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-9, atol=1e-12)
    assert layer.gamma.shape == (x.shape[axis],)


@pytest.mark.parametrize("axis", [-1, [1, 2], 1])
def test_rms_normalization(axis):
    x = images(4, 5, 3, 6)
    axes = tuple(axis) if isinstance(axis, list) else (axis,)
    expected = x / np.sqrt((x**2).mean(axes, keepdims=True) + 1e-6)
    layer = RMSNormalization(axis, dtype="float64")
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-9)
    assert [w.name for w in layer.weights] == [f"{layer.name}/scale"]


@pytest.mark.parametrize("axis", [-1, [1, 3], 0])
def test_unit_normalization(axis):
    x = images(4, 5, 3, 6)
    axes = tuple(axis) if isinstance(axis, list) else (axis,)
    expected = x / np.sqrt((x**2).sum(axes, keepdims=True))
    np.testing.assert_allclose(UnitNormalization(axis, dtype="float64")(x).numpy(), expected, rtol=1e-9)


def test_a_vector_of_zeros_stays_zero():
    for layer in (UnitNormalization(), LayerNormalization(), RMSNormalization(), GroupNormalization(2)):
        np.testing.assert_array_equal(layer(np.zeros((2, 4))).numpy(), 0)


CHECKED = [
    (LayerNormalization, {}, ("gamma", "beta")),
    (LayerNormalization, {"axis": [1, 2]}, ("gamma", "beta")),
    (LayerNormalization, {"axis": [1, 3], "center": False}, ("gamma",)),
    (LayerNormalization, {"scale": False}, ("beta",)),
    (GroupNormalization, {"groups": 2}, ("gamma", "beta")),
    (GroupNormalization, {"groups": -1, "axis": 1}, ("gamma", "beta")),
    (RMSNormalization, {}, ("scale",)),
    (RMSNormalization, {"axis": [1, 2]}, ("scale",)),
    (UnitNormalization, {"axis": [2, 3]}, ()),
]


@pytest.mark.parametrize(("kind", "arguments", "parameters"), CHECKED)
def test_gradients(kind, arguments, parameters):
    check_layer(kind(**arguments, dtype="float64"), images(3, 2, 3, 4), *parameters)


def test_parameters_have_regularizers_and_constraints():
    x = np.ones((2, 6), np.float32)
    for kind in (LayerNormalization, GroupNormalization, layers.BatchNormalization):
        extra = {"groups": 2} if kind is GroupNormalization else {}
        layer = kind(gamma_regularizer="l2", beta_constraint="non_neg", gamma_initializer="ones", **extra)
        layer(x)
        np.testing.assert_allclose([float(v) for v in layer.losses], [0.01 * 6])
        assert layer.beta.constraint is not None
        assert layer.gamma.constraint is None
        layer.trainable = False
        assert layer.losses == []


ALL = [
    LayerNormalization(),
    LayerNormalization([2, 1]),
    GroupNormalization(2),
    RMSNormalization([1, 2]),
    UnitNormalization((1, 2)),
]


@pytest.mark.parametrize("layer", ALL, ids=lambda layer: layer.name)
def test_configuration_and_shapes(layer):
    config = layer.get_config()
    copy = type(layer).from_config(config)
    assert copy.get_config() == config
    x = np.random.default_rng(0).normal(size=(3, 4, 6)).astype(np.float32)
    y = layer(x)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(copy(x).numpy(), y.numpy())
    assert layer.compute_output_shape((None, 4, 6)) == (None, 4, 6)
    assert type(layer).from_config(config)(layers.Input((4, 6))).shape == (None, 4, 6)


def test_only_the_sizes_of_the_axes_must_be_known():
    layer = LayerNormalization()
    assert layer(layers.Input((None, 6))).shape == (None, None, 6)
    assert layer(np.ones((2, 3, 6), np.float32)).shape == (2, 3, 6)
    with pytest.raises(ValueError, match="sizes of axes"):
        LayerNormalization(axis=1)(layers.Input((None, 6)))


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: LayerNormalization(axis=0), (2, 3), "axis 0 must name axes of a sample"),
        (lambda: LayerNormalization(axis=3), (2, 3), "axis 3 must name axes of a sample"),
        (lambda: LayerNormalization(axis=[1, -1]), (2, 3), "must name axes of a sample"),
        (lambda: RMSNormalization(axis=[]), (2, 3), "must name axes of a sample"),
        (lambda: GroupNormalization(4), (2, 6), "6 channels .* do not divide into 4 groups"),
        (lambda: GroupNormalization(), (2, 6), "6 channels .* do not divide into 32 groups"),
        (lambda: LayerNormalization(), (2,), "at least 2 axes"),
    ],
)
def test_inputs_that_do_not_fit(make, shape, message):
    with pytest.raises(ValueError, match=message):
        make()(np.ones(shape, np.float32))


@pytest.mark.parametrize("kind", [LayerNormalization, RMSNormalization, UnitNormalization])
def test_axis_is_an_integer_or_a_list(kind):
    with pytest.raises(TypeError, match="axis must be an integer or a list"):
        kind(axis="channels")


@pytest.mark.parametrize("groups", [0, -2, 1.5, True])
def test_groups_is_a_positive_integer_or_minus_one(groups):
    with pytest.raises(ValueError, match="groups"):
        GroupNormalization(groups)


def test_another_size_after_the_layer_was_built():
    layer = GroupNormalization(2)
    layer(np.ones((2, 3, 4), np.float32))
    with pytest.raises(ValueError, match=r"built for inputs of shape"):
        layer(np.ones((2, 3, 6), np.float32))


def test_axes_counted_from_the_end_fit_inputs_of_any_rank():
    for layer in (
        LayerNormalization([-1, -2]),
        RMSNormalization(),
        GroupNormalization(2),
        layers.BatchNormalization(),
    ):
        for shape in ((2, 3, 4), (2, 5, 3, 4)):
            assert layer(np.ones(shape, np.float32)).shape == shape
    layer = LayerNormalization([-1, -2])
    layer(np.ones((2, 3, 4), np.float32))
    with pytest.raises(ValueError, match="at least 3 axes"):
        layer(np.ones((2, 3), np.float32))
    layer = layers.BatchNormalization(axis=3)
    layer(np.ones((2, 3, 4, 5), np.float32))
    with pytest.raises(ValueError, match="4 axes"):
        layer(np.ones((2, 3), np.float32))
