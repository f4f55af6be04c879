"""Attributes of models that scripts read and set: what there is before a model is built,
and names that their classes use.
"""

import numpy as np
import pytest

import tinynet
from tinynet import Model, Sequential, layers, losses

A = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
ENDS = ("input_shape", "output_shape", "input", "output", "inputs", "outputs")


class Own(Model):
    def __init__(self, **attributes):
        super().__init__()
        self.dense = layers.Dense(2, kernel_initializer="ones")
        for name, value in attributes.items():
            setattr(self, name, value)

    def call(self, x):
        return self.dense(x)


@pytest.mark.parametrize("name", ENDS)
def test_ends_that_are_not_known_yet(name):
    """hasattr is false (Keras 3.15), and an error says what to do."""
    for model in (Own(), Sequential([layers.Dense(2)]), layers.Dense(2)):
        assert not hasattr(model, name)
    with pytest.raises(AttributeError, match="does not know its input shape yet"):
        getattr(Sequential([layers.Dense(2)]), name)
    model = Sequential([layers.Dense(2)])
    model(A)
    assert hasattr(model, name)
    assert not hasattr(Own(), name)


def trained(model, loss):
    model.compile(tinynet.optimizers.SGD(0.1), loss)
    model.fit(A, A[:, :2], batch_size=4, verbose=0)
    return model.dense.kernel.numpy()


@pytest.mark.parametrize("kept", ["mine", 3.0, losses.MeanAbsoluteError(), None])
def test_a_model_may_call_something_its_loss(kept):
    """Until `compile`, whose loss it is then (Keras 3.15); it trains with that."""
    model = Own(loss=kept)
    assert model.loss is kept
    mean_squared = trained(Own(), "mse")
    np.testing.assert_array_equal(trained(model, "mse"), mean_squared)
    assert model.loss == "mse"
    error = A @ np.ones((3, 2), "float32") - A[:, :2]
    np.testing.assert_allclose(mean_squared, 1 - 0.1 * 2 / 8 * A.T @ error, rtol=1e-5)


def test_a_loss_set_after_compile_changes_no_training():
    """As in Keras 3.15: what was compiled counts."""
    model = Own()
    model.compile(tinynet.optimizers.SGD(0.1), "mse")
    model.loss = "mae"
    model.fit(A, A[:, :2], batch_size=4, verbose=0)
    assert model.loss == "mae"
    np.testing.assert_array_equal(model.dense.kernel.numpy(), trained(Own(), "mse"))


def test_the_loss_that_a_class_keeps_may_be_compiled():
    model = Own(loss=losses.MeanSquaredError())
    np.testing.assert_array_equal(trained(model, model.loss), trained(Own(), "mse"))
    assert isinstance(model.loss, losses.MeanSquaredError)
    assert Own().loss is None


SPECIFIED = {
    "dense": (lambda: layers.Dense(5), [(None, 3)], (None, 5)),
    "a size of the batch": (lambda: layers.Dense(5), [(7, 3)], (7, 5)),
    "convolution": (lambda: layers.Conv2D(4, 3), [(None, 8, 8, 2)], (None, 6, 6, 4)),
    "dropout": (lambda: layers.Dropout(0.5), [(None, 3)], (None, 3)),
    "embedding": (lambda: layers.Embedding(9, 4), [(None, 6)], (None, 6, 4)),
    "own": (Own, [(None, 3)], (None, 2)),
    "sequential": (lambda: Sequential([layers.Dense(4), layers.Dense(5)]), [(6, 3)], (6, 5)),
}


@pytest.mark.parametrize("name", SPECIFIED)
def test_specifications(name):
    make, shapes, expected = SPECIFIED[name]
    layer = make()
    found = layer.compute_output_spec(*map(tinynet.KerasTensor, shapes))
    assert (found.shape, found.dtype) == (expected, np.float32)
    assert layer.compute_output_spec(*map(tinynet.KerasTensor, shapes), training=True).shape == expected


def test_specifications_of_graphs():
    """Of layers of several inputs too, at the size of the batch that is asked for."""
    a, b = layers.Input((3,)), layers.Input((3,))
    both = layers.Concatenate()([a, b])
    model = Model({"a": a, "b": b}, {"sum": layers.Add()([a, b]), "few": [layers.Dense(2)(both), (both,)]})
    one = tinynet.KerasTensor((7, 3))
    found = model.compute_output_spec({"a": one, "b": one})
    assert (found["sum"].shape, found["few"][0].shape, found["few"][1][0].shape) == ((7, 3), (7, 2), (7, 6))
    found = model.compute_output_shape({"a": (None, 3), "b": (None, 3)})
    assert found == {"sum": (None, 3), "few": [(None, 2), ((None, 6),)]}
