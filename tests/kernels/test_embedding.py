"""Rows of a table: implementations against NumPy's own indexing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common, threads
from tinynet.kernels.embedding import embedding, embedding_grad

from kernel_cases import assert_agree, batches, dtypes, normal, orders, seeds, unmutated


@pytest.mark.parametrize("name", ["numba", "cuda"])
@given(
    batches,
    st.sampled_from([(), (1,), (5,), (3, 2)]),
    dtypes,
    st.sampled_from([np.int32, np.int64, np.uint8]),
    orders,
    seeds,
)
def test_compiled_agrees_with_reference(name, n, shape, dtype, kind, order, seed):
    rng = np.random.default_rng(seed)
    table, ids = normal(rng, (11, 3), dtype), rng.integers(0, 11, (n, *shape)).astype(kind)
    g = normal(rng, (n, *shape, 3), dtype, order)
    with unmutated(table, ids, g):
        y = embedding[name](table, ids)
        np.testing.assert_array_equal(y, table[ids])
        expected = np.zeros((11, 3))
        for row, place in zip(g.reshape(-1, 3), ids.reshape(-1), strict=True):
            expected[place] += row
        assert_agree(embedding_grad[name](g, ids, rows=11), expected.astype(dtype), float32=1e-5)
        assert_agree(embedding_grad["numpy"](g, ids, rows=11), expected.astype(dtype), float32=1e-5)
    assert common.is_batch_last(y)


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("wrong", [-1, 4])
def test_ids_outside_the_table(name, wrong):
    with pytest.raises(IndexError, match="rows"):
        embedding[name](np.zeros((4, 2)), np.array([[0, wrong]]))


@pytest.mark.gpu
def test_ids_outside_the_table_are_not_a_number_on_a_gpu():
    """Nobody waits for a GPU to say that something went wrong."""
    y = embedding["cuda"](np.ones((4, 2)), np.array([[0, -1, 4, 3]]))
    assert np.isnan(y[0, :, 0]).tolist() == [False, True, True, False]
    g = np.ones((1, 4, 2))
    for ids, expected in (([0, -1, 4, 3], [1, 0, 0, 1]), ([-9, 40, 2, 2], [0, 0, 2, 0])):
        assert embedding_grad["cuda"](g, np.array([ids]), rows=4)[:, 0].tolist() == expected


@pytest.mark.gpu
def test_a_gradient_is_added_in_the_order_of_its_places_on_a_gpu():
    """In double precision, part by part: 1e17 swallows what is added after it, not what came before."""
    g, ids = np.ones((600, 1)), np.zeros(600, np.int64)
    g[0], g[-1] = 1e17, -1e17
    found = embedding_grad["cuda"](g, ids, rows=2)[0, 0]
    parts = [g[600 * i // 3 : 600 * (i + 1) // 3, 0] for i in range(3)]
    expected = 0.0
    for part in parts:
        total = 0.0
        for number in part:
            total += float(number)
        expected += total
    assert found == expected
    assert found != g.sum()


def test_same_bits_at_any_number_of_threads():
    rng = np.random.default_rng(0)
    g, ids = normal(rng, (64, 20, 30), np.float32), rng.integers(0, 5, (64, 20))
    found, before = [], threads.get_num_threads()
    for count in (1, before):
        threads.set_num_threads(count)
        found.append(embedding_grad(g, ids, rows=5).tobytes())
    assert found[0] == found[1]
