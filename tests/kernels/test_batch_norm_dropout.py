"""Batch normalisation and dropout in one pass: the bits of the two operations, one after the other.

What these compute is held against definitions in test_batch_norm.py and test_dropout.py; derivatives are
checked with the operations of tinynet.ops (tests/ops/cases.py).
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common
from tinynet.kernels.batch_norm import batch_norm, batch_norm_grad
from tinynet.kernels.batch_norm_dropout import batch_norm_dropout, batch_norm_dropout_grad
from tinynet.kernels.dropout import dropout, dropout_grad, unpack

from kernel_cases import batches, dtypes, normal, orders, seeds, unmutated

# What computes the pair, and the two that it stands for
PAIRS = {"numpy": ("numba", "numba"), "cuda": ("cuda", "cuda")}
features = st.sampled_from([(1,), (5,), (40,), (1, 1, 4), (3, 5, 2), (9, 11, 3), (2, 3, 2, 3)])
rates = st.sampled_from([0.1, 0.5, 0.999, 1.0])
WORDS = np.array([12345, 2**32 - 7, 3], np.uint32)
SETTINGS = {"epsilon": 1e-3, "rate": 0.4}


def same_bits(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert a.tobytes() == b.tobytes()


def two_operations(name, x, gamma, beta, *, epsilon, rate):
    first, second = PAIRS[name]
    y, mean, var = batch_norm[first](x, gamma, beta, epsilon=epsilon)
    y, bits = dropout[second](y, WORDS, rate=rate)
    return y, mean, var, bits


def two_gradients(name, g, bits, x, gamma, mean, var, *, epsilon, rate):
    first, second = PAIRS[name]
    g = dropout_grad[second](g, bits, rate=rate)
    return batch_norm_grad[first](g, x, gamma, mean, var, epsilon=epsilon)


@pytest.mark.parametrize("name", PAIRS)
@given(batches, features, rates, dtypes, orders, orders, seeds)
def test_the_bits_of_two_operations(name, n, shape, rate, dtype, order, gradient_order, seed):
    rng = np.random.default_rng(seed)
    x = 2 * normal(rng, (n, *shape), dtype, order) + dtype(0.5)
    gamma, beta = normal(rng, shape[-1:], dtype), normal(rng, shape[-1:], dtype)
    g, settings = normal(rng, x.shape, dtype, gradient_order), {"epsilon": 1e-3, "rate": rate}
    with unmutated(x, gamma, beta, g, WORDS):
        found = batch_norm_dropout[name](x, gamma, beta, WORDS, **settings)
        same_bits(found, two_operations(name, x, gamma, beta, **settings))
        y, mean, var, bits = found
        arrays = g, bits, x, gamma, mean, var
        found = batch_norm_dropout_grad[name](*arrays, **settings)
        same_bits(found, two_gradients(name, *arrays, **settings))
    assert common.is_batch_last(y)
    assert common.is_batch_last(found[0])


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_channels_in_several_parts(name, dtype):
    rng = np.random.default_rng(0)
    x, g = (common.to_batch_last(rng.standard_normal((130, 9, 11, 3)).astype(dtype)) for _ in range(2))
    gamma = rng.standard_normal(3).astype(dtype)
    found = batch_norm_dropout[name](x, gamma, gamma, WORDS, **SETTINGS)
    same_bits(found, two_operations(name, x, gamma, gamma, **SETTINGS))
    arrays = g, found[3], x, gamma, *found[1:3]
    same_bits(batch_norm_dropout_grad[name](*arrays, **SETTINGS), two_gradients(name, *arrays, **SETTINGS))


@pytest.mark.parametrize("name", PAIRS)
def test_by_hand(name):
    """The example of batch_norm.py, of which two elements are left."""
    x, gamma = np.array([[1.0], [3.0], [5.0], [7.0]]), np.array([3.0])
    y, mean, var, bits = batch_norm_dropout[name](x, gamma, np.ones(1), WORDS, epsilon=4.0, rate=0.5)
    kept = unpack(bits, x.shape)
    np.testing.assert_allclose(y, kept * 2 * np.array([[-2.0], [0.0], [2.0], [4.0]]))
    np.testing.assert_allclose([*mean, *var], [4, 5])
    # g = 1 for the second element alone, with xhat = -1/3: dbeta = 2, dgamma = -2/3 where it is kept
    bits = np.zeros_like(bits)
    bits[0, 0] = 0b0110
    g = np.array([[9.0], [1.0], [0.0], [9.0]])
    dx, dgamma, dbeta = batch_norm_dropout_grad[name](g, bits, x, gamma, mean, var, epsilon=4.0, rate=0.5)
    np.testing.assert_allclose([*dgamma, *dbeta], [-2 / 3, 2])
    xhat = np.array([[-1.0], [-1 / 3], [1 / 3], [1.0]])
    np.testing.assert_allclose(dx, np.array([[0.0], [2], [0], [0]]) - 2 / 4 + xhat * (2 / 3) / 4)


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_dropped_is_0_whatever_it_was(name):
    x = np.ones((40, 3), np.float32)
    x[::2] = np.inf
    y, *_, bits = batch_norm_dropout[name](
        x, np.ones(3, np.float32), np.ones(3, np.float32), WORDS, **SETTINGS
    )
    kept = unpack(bits, x.shape)
    assert np.isnan(y[kept]).all()
    assert (y[~kept] == 0).all()


@pytest.mark.parametrize("name", ["numpy", "numba", "cuda"])
@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("moving_dtype", [np.float32, np.float64])
def test_moving_statistics_follow_in_the_same_pass(name, drops, moving_dtype):
    """moving <- momentum moving + (1 - momentum) batch: as `follow` has it, of another format too."""
    rng = np.random.default_rng(0)
    x, gamma = normal(rng, (70, 9, 11, 3), np.float32), normal(rng, (3,), np.float32)
    before = [rng.standard_normal(3).astype(moving_dtype) for _ in range(2)]
    moving, words = [m.copy() for m in before], (WORDS,) if drops else ()
    operation = batch_norm_dropout if drops else batch_norm
    settings = SETTINGS if drops else {"epsilon": 1e-3}
    implementation = operation[name if name in operation.implementations else "numpy"]
    with unmutated(x, gamma, WORDS):
        _, mean, var, *_ = implementation(x, gamma, gamma, *words, *moving, **settings, momentum=0.75)
    for found, old, batch in zip(moving, before, (mean, var), strict=True):
        np.testing.assert_allclose(found, 0.75 * old + 0.25 * batch, rtol=1e-6)
    same_bits(
        implementation(x, gamma, gamma, *words, **settings),
        implementation(x, gamma, gamma, *words, *moving, **settings, momentum=0.75),
    )
