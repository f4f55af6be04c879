"""Integers and booleans reach the user's Python as they are, as in Keras;
tinynet's own layers compute with floats.
"""

import numpy as np
import pytest

import tinynet
from tinynet import Model, Sequential, layers, ops

IDS = np.array([[1, 2], [0, 3], [2, 2]], "int32")
TABLE = np.arange(12, dtype="float32").reshape(4, 3)
ROWS = TABLE[IDS]


class Rows(layers.Layer):
    def build(self, input_shape):
        self.table = self.add_weight("table", (4, 3), lambda shape, dtype=None: TABLE.astype(dtype))

    def call(self, ids):
        return ops.take(self.table, ids, axis=0)


class Net(Model):
    """Notes what call is given."""

    def __init__(self):
        super().__init__()
        self.rows, self.out, self.given = Rows(), layers.Dense(1), []

    def call(self, ids):
        self.given.append(ids.dtype.name)
        return self.out(self.rows(ids))


def functional(layer):
    ids = layers.Input((2,), dtype="int32")
    return Model(ids, layer(ids))


CALLS = {
    "a layer": lambda: Rows()(IDS),
    "by name": lambda: Rows()(ids=IDS),
    "a Tensor": lambda: Rows()(tinynet.Tensor(IDS)),
    "a functional model": lambda: functional(Rows())(IDS),
    "its predictions": lambda: tinynet.Tensor(functional(Rows()).predict(IDS, verbose=0)),
    "a Sequential": lambda: Sequential([layers.Input((2,), dtype="int32"), Rows()])(IDS),
    "a Lambda": lambda: functional(layers.Lambda(lambda ids: ops.take(tinynet.Tensor(TABLE), ids, axis=0)))(
        IDS
    ),
    "a size that is not known": lambda: Model(i := layers.Input((None,), dtype="int64"), Rows()(i))(IDS),
}


@pytest.mark.parametrize("name", CALLS)
def test_integers_are_indices(name):
    assert np.array_equal(CALLS[name]().numpy(), ROWS)


def test_of_several_inputs_each_keeps_its_kind():
    seen = {}

    class Sees(layers.Layer):
        def call(self, given):
            seen.update({name: value.dtype.name for name, value in given.items()})
            return given["x"]

    given = {"n": IDS, "x": TABLE.astype("float64"), "flag": IDS > 1, "byte": IDS.astype("uint8")}
    Sees()(given)
    assert seen == {"n": "int32", "x": "float32", "flag": "bool", "byte": "uint8"}


@pytest.mark.parametrize("run", ["fit", "evaluate", "predict", "train_on_batch", "batches", "validation"])
def test_a_subclass_is_given_them_by_every_method(run):
    net, y = Net(), np.ones((3, 2, 1), "float32")
    net.compile("sgd", "mse")
    {
        "fit": lambda: net.fit(IDS, y, verbose=0),
        "evaluate": lambda: net.evaluate(IDS, y, verbose=0),
        "predict": lambda: net.predict(IDS, verbose=0),
        "train_on_batch": lambda: net.train_on_batch(IDS, y),
        "batches": lambda: net.fit([(IDS, y)], verbose=0),
        "validation": lambda: net.fit(IDS, y, validation_data=(IDS, y), verbose=0),
    }[run]()
    assert set(net.given) == {"int32"}


def test_tinynets_own_layers_compute_with_floats():
    class Own(layers.Dense):
        def call(self, x):
            assert x.dtype == np.float32
            return super().call(x)

    for layer in (layers.Dense(2, kernel_initializer="ones"), Own(2, kernel_initializer="ones")):
        assert np.array_equal(layer(IDS).numpy(), np.repeat(IDS.sum(axis=1, keepdims=True), 2, axis=1))
    assert layers.Flatten()(IDS).dtype == np.float32
    # whose Input says float32, as in Keras
    model = Sequential([layers.Input((2,)), layers.Lambda(lambda x: x - 3)])
    assert np.array_equal(model(IDS.astype("uint8")).numpy(), IDS - 3.0)
