"""Layers of several inputs against NumPy; their gradients and Keras's numbers: test_against_keras_norm.py."""

from functools import reduce

import numpy as np
import pytest

import tinynet
from tinynet import layers

from layer_tools import images

NUMPY = {"add": np.add, "multiply": np.multiply, "maximum": np.maximum, "minimum": np.minimum}


@pytest.mark.parametrize("name", [*NUMPY, "average"])
@pytest.mark.parametrize(
    "shapes", [[(4, 3, 5)], [(4, 3, 5)] * 3, [(4, 5), (4, 3, 5), (4, 1, 1, 5)], [(4, 1, 5), (4, 3, 1)]]
)
def test_element_by_element(name, shapes):
    inputs = [images(*shape, seed=i).astype(np.float32) for i, shape in enumerate(shapes)]
    rank = max(len(shape) for shape in shapes)
    aligned = [x.reshape(len(x), *(1,) * (rank - x.ndim), *x.shape[1:]) for x in inputs]
    expected = reduce(NUMPY.get(name, np.add), aligned) / (len(inputs) if name == "average" else 1)
    layer = getattr(layers, name.capitalize())()
    y = layer(inputs)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6)
    np.testing.assert_array_equal(getattr(layers, name)(inputs).numpy(), y.numpy())
    symbolic = [layers.Input(shape[1:]) for shape in shapes]
    assert getattr(layers, name)(symbolic).shape == (None, *expected.shape[1:])
    assert layer.compute_output_shape([(None, *shape[1:]) for shape in shapes]) == (None, *expected.shape[1:])
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_subtract():
    x, y = images(3, 4), images(3, 4, seed=1)
    np.testing.assert_allclose(layers.Subtract(dtype="float64")([x, y]).numpy(), x - y)
    np.testing.assert_allclose(layers.subtract((x, y), dtype="float64").numpy(), x - y)


@pytest.mark.parametrize(
    ("shapes", "axis"), [([(3, 4, 2), (3, 4, 5)], -1), ([(3, 4, 2), (3, 1, 2), (3, 2, 2)], 1), ([(3, 4)], 1)]
)
def test_concatenate(shapes, axis):
    inputs = [images(*shape, seed=i) for i, shape in enumerate(shapes)]
    expected = np.concatenate(inputs, axis)
    np.testing.assert_array_equal(layers.Concatenate(axis, dtype="float64")(inputs).numpy(), expected)
    np.testing.assert_array_equal(layers.concatenate(inputs, axis=axis, dtype="float64").numpy(), expected)
    assert layers.concatenate([layers.Input(s[1:]) for s in shapes], axis).shape == (
        None,
        *expected.shape[1:],
    )


@pytest.mark.parametrize(
    ("shapes", "axes", "formula"),
    [
        ([(3, 4), (3, 4)], 1, "nk,nk->n"),
        ([(3, 4), (3, 4)], -1, "nk,nk->n"),
        ([(3, 4), (3, 5, 4)], (1, 2), "nk,nqk->nq"),
        ([(3, 5, 4), (3, 4)], (2, 1), "npk,nk->np"),
        ([(3, 4, 5), (3, 4, 6)], 1, "nkp,nkq->npq"),
        ([(3, 4, 5), (3, 6, 4)], (1, 2), "nkp,nqk->npq"),
        ([(3, 2, 4, 5), (3, 6, 4, 7)], (2, 2), "nakb,nckd->nabcd"),
    ],
)
def test_dot(shapes, axes, formula):
    x, y = (images(*shape, seed=i) for i, shape in enumerate(shapes))
    expected = np.einsum(formula, x, y)
    expected = expected[:, None] if expected.ndim == 1 else expected
    np.testing.assert_allclose(
        layers.Dot(axes, dtype="float64")([x, y]).numpy(), expected, rtol=1e-9, atol=1e-12
    )
    assert layers.dot([layers.Input(s[1:]) for s in shapes], axes).shape == (None, *expected.shape[1:])


def test_dot_of_unit_vectors_is_the_cosine():
    x, y = images(5, 7), images(5, 7, seed=1)
    expected = (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    found = layers.Dot(1, normalize=True, dtype="float64")([x, y]).numpy()
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-9)


CHECKED = [
    (layers.Add(dtype="float64"), [(2, 3), (2, 4, 3)]),
    (layers.Subtract(dtype="float64"), [(2, 3), (2, 3)]),
    (layers.Multiply(dtype="float64"), [(2, 4, 3), (2, 4, 1), (2, 3)]),
    (layers.Average(dtype="float64"), [(2, 3)] * 3),
    (layers.Concatenate(1, dtype="float64"), [(2, 3, 2), (2, 1, 2)]),
    (layers.Dot((1, 2), dtype="float64"), [(2, 3), (2, 4, 3)]),
    (layers.Dot(1, normalize=True, dtype="float64"), [(2, 3), (2, 3)]),
    (layers.Maximum(dtype="float64"), [(2, 3), (2, 3)]),
    (layers.Minimum(dtype="float64"), [(2, 4, 3), (2, 3)]),
]


@pytest.mark.parametrize(("layer", "shapes"), CHECKED, ids=lambda value: getattr(value, "name", ""))
def test_gradients(layer, shapes):
    inputs = [images(*shape, seed=i) for i, shape in enumerate(shapes)]
    assert tinynet.gradcheck(lambda *x: layer(list(x)), inputs)
    if not isinstance(layer, layers.Maximum | layers.Minimum):
        assert tinynet.gradgradcheck(lambda *x: layer(list(x)), inputs)


def test_unknown_sizes():
    one, other = layers.Input((None, 3)), layers.Input((4, 3))
    assert layers.add([one, other]).shape == (None, 4, 3)
    assert layers.add([one, one]).shape == (None, None, 3)
    assert layers.concatenate([one, other], axis=1).shape == (None, None, 3)
    assert layers.concatenate([one, other]).shape == (None, 4, 6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Add()(np.ones((2, 3))), "expects a list of inputs"),
        (lambda: layers.Add()([]), "input"),
        (lambda: layers.Subtract()([np.ones((2, 3))] * 3), r"exactly 2 inputs, got 3, of shapes \[\(2, 3\)"),
        (lambda: layers.Subtract()([np.ones((2, 3))]), "exactly 2 inputs, got 1"),
        (
            lambda: layers.Add()([np.ones((2, 3)), np.ones((2, 4))]),
            r"broadcast to one shape, got shapes \[\(2, 3\), \(2, 4\)\]",
        ),
        (lambda: layers.Multiply()([np.ones((2, 3)), np.ones((3, 3))]), "one batch size"),
        (lambda: layers.Add()([layers.Input((2,)), [0.5]]), "input 1 is a list itself"),
        (lambda: layers.Add()([[np.ones((2, 3))], np.ones((2, 3))]), "input 0 is a list itself"),
        (
            lambda: layers.Concatenate()([np.ones((2, 3, 1)), np.ones((2, 4, 1))]),
            r"same sizes along all axes but -1 .*\(2, 4, 1\)",
        ),
        (lambda: layers.Concatenate(0)([np.ones((2, 3)), np.ones((2, 3))]), "not the batch"),
        (lambda: layers.Concatenate(3)([np.ones((2, 3)), np.ones((2, 3))]), "same sizes"),
        (lambda: layers.Concatenate()([np.ones((2, 3)), np.ones((2, 3, 1))]), "same sizes"),
        (
            lambda: layers.Dot(1)([np.ones((2, 3)), np.ones((2, 4))]),
            r"axes \(1, 1\) must name axes of equal size",
        ),
        (lambda: layers.Dot(0)([np.ones((2, 3)), np.ones((2, 3))]), "not the batch"),
        (lambda: layers.Dot(2)([np.ones((2, 3)), np.ones((2, 3))]), "must name axes"),
        (lambda: layers.Dot(1)([np.ones((2, 3))]), "exactly 2 inputs"),
    ],
)
def test_inputs_that_do_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "make", [lambda: layers.Dot("k"), lambda: layers.Dot((1, 2, 3)), lambda: layers.Concatenate("last")]
)
def test_axes_are_integers(make):
    with pytest.raises(TypeError, match=r"ax[ei]s must be an integer"):
        make()
