import numpy as np
import pytest

import tinynet
from tinynet import layers
from tinynet.layers import Embedding
from tinynet.models import Sequential


@pytest.mark.parametrize(
    "ids", [np.array([[0, 3], [3, 1]]), np.array([2, 0, 2]), np.array([[0.0, 3.9], [1.0, 2.0]]), [[1], [4]]]
)
def test_looks_up_rows(ids):
    layer = Embedding(5, 3)
    y = layer(ids)
    np.testing.assert_array_equal(y.numpy(), layer.embeddings.numpy()[np.asarray(ids).astype(int)])
    assert y.dtype == np.float32
    assert layer.embeddings.shape == (5, 3)
    assert np.abs(layer.embeddings.numpy()).max() <= 0.05
    assert layer.compute_output_shape(np.shape(ids)) == y.shape
    assert layer(tinynet.Tensor(np.asarray(ids))).shape == y.shape


def test_a_row_that_is_read_again_receives_the_sum():
    layer = Embedding(4, 2, dtype="float64")
    y = layer(np.array([[1, 1], [3, 1]]))
    g = np.arange(8.0).reshape(2, 2, 2)
    (found,) = tinynet.grad((y * g).sum(), [layer.embeddings])
    np.testing.assert_array_equal(found.numpy(), [[0, 0], g[0, 0] + g[0, 1] + g[1, 1], [0, 0], g[1, 0]])


def test_gradients():
    layer, ids = Embedding(5, 3, dtype="float64"), np.array([[0, 3], [3, 1]])
    layer(ids)

    def run(table):
        layer.embeddings = table
        return layer(ids) ** 2

    table = np.random.default_rng(0).normal(size=(5, 3))
    assert tinynet.gradcheck(run, [table])
    assert tinynet.gradgradcheck(run, [table])


def test_learns_a_table():
    tinynet.utils.set_random_seed(0)
    ids = np.random.default_rng(0).integers(0, 6, (200, 1))
    wanted = np.array([3.0, -1.0, 0.5, 2.0, -2.0, 1.0])
    model = Sequential([layers.Input((1,), dtype="int32"), Embedding(6, 1), layers.Flatten()])
    model.compile(tinynet.optimizers.Adam(0.1), "mse")
    model.fit(ids, wanted[ids], epochs=40, verbose=0)
    np.testing.assert_allclose(model.layers[0].embeddings.numpy()[:, 0], wanted, atol=0.05)


def test_arguments():
    start = np.arange(6.0).reshape(3, 2)
    layer = Embedding(3, 2, "ones", "l2", "non_neg", False, [start])
    np.testing.assert_array_equal(layer.get_weights()[0], start)
    np.testing.assert_allclose(float(layer.losses[0]), 0.01 * (start**2).sum(), rtol=1e-6)
    assert layer.embeddings.constraint is not None
    config = layer.get_config()
    assert "weights" not in config
    assert Embedding.from_config(config).get_config() == config
    assert Embedding(3, 2, input_length=7).output_dim == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Embedding(0, 2), "input_dim"),
        (lambda: Embedding(3, 1.5), "output_dim"),
        (lambda: Embedding(3, 2, mask_zero=True), "masks are not part of tinynet"),
        (lambda: Embedding(3, 2)(np.array([[0, 3]])), "ids from 0 to 2, got ids from 0 to 3"),
        (lambda: Embedding(3, 2)(np.array([[0, -1]])), "ids from 0 to 2, got ids from -1 to 0"),
        (lambda: Embedding(3, 2, weights=np.ones((2, 2))), "shape"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
