"""Dense layers in one launch: agree with the formulas, same bits at any number of threads,
right for any memory order.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common, threads
from tinynet.kernels.dense import ACTIVATIONS, dense, dense_grad
from tinynet.kernels.dense.vector import CODES
from tinynet.kernels.emit import host, vectors

import strict_array
from kernel_cases import DTYPES, arrange, assert_agree, batches, dtypes, normal, orders, seeds, unmutated

activations = st.sampled_from((None, *ACTIVATIONS))
sizes = st.integers(1, 40)
ALL = (True, True, True)
NAMES = ("vector", "cuda")


def layer(rng, samples, features, units, dtype, order="batch_last"):
    """g, x, w, b of a layer whose outputs are of order 1."""
    x, g = normal(rng, (samples, features), dtype, order), normal(rng, (samples, units), dtype, order)
    w = (normal(rng, (features, units), np.float64) / np.sqrt(features)).astype(dtype)
    return g, x, w, normal(rng, (units,), dtype)


@pytest.mark.parametrize("name", NAMES)
@given(batches, sizes, sizes, activations, dtypes, orders, seeds)
def test_agrees_with_the_reference(name, samples, features, units, activation, dtype, order, seed):
    g, x, w, b = layer(np.random.default_rng(seed), samples, features, units, dtype, order)
    with unmutated(g, x, w, b):
        y = dense[name](x, w, b, activation=activation)
        assert_agree(y, dense["numpy"](x, w, b, activation=activation), float32=1e-5)
        found = dense_grad[name](g, x, w, y, activation=activation, wanted=ALL)
        assert_agree(found, dense_grad["numpy"](g, x, w, y, activation=activation, wanted=ALL), float32=2e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7, 1300, 3), (40, 30, 1100), (300, 700, 20)])
def test_sums_in_several_stretches_and_blocks(name, shape, dtype):
    g, x, w, b = layer(np.random.default_rng(0), *shape, dtype)
    y = dense[name](x, w, b, activation="elu")
    assert_agree(y, dense["numpy"](x, w, b, activation="elu"), float32=1e-5)
    found = dense_grad[name](g, x, w, y, activation="elu", wanted=ALL)
    assert_agree(found, dense_grad["numpy"](g, x, w, y, activation="elu", wanted=ALL), float32=2e-5)


@pytest.mark.parametrize("activation", [None, *ACTIVATIONS])
def test_is_what_the_functions_compute_one_by_one(activation):
    g, x, w, b = layer(np.random.default_rng(0), 33, 20, 21, np.float32)
    z, y = dense(x, w, b), dense(x, w, b, activation=activation)
    dz = g
    if activation is not None:
        function, derivative, parameters = ACTIVATIONS[activation]
        np.testing.assert_array_equal(y, function(z, **parameters))
        dz = derivative(g, y, **parameters)
    fused = dense_grad(g, x, w, y, activation=activation, wanted=ALL)
    for one, other in zip(fused, dense_grad(dz, x, w, z, activation=None, wanted=ALL), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_only_what_is_wanted(name):
    g, x, w, b = layer(np.random.default_rng(0), 5, 4, 3, np.float64)
    y = dense[name](x, w, b, activation="tanh")
    every = dense_grad[name](g, x, w, y, activation="tanh", wanted=ALL)
    for wanted in np.ndindex(2, 2, 2):
        flags = tuple(bool(flag) for flag in wanted)
        found = dense_grad[name](g, x, w, y, activation="tanh", wanted=flags)
        for one, other in zip(found, [d for d, flag in zip(every, flags, strict=True) if flag], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_without_bias_and_with_weights_of_any_order(name):
    _, x, w, _ = layer(np.random.default_rng(0), 16, 6, 5, np.float64)
    for order in ("C", "F", "gaps", "reversed"):
        assert_agree(dense[name](x, arrange(w, order)), x @ w)


@pytest.mark.parametrize("name", NAMES)
def test_results_are_batch_last(name):
    g, x, w, b = layer(np.random.default_rng(0), 32, 6, 5, np.float32)
    y = dense[name](x, w, b, activation="relu")
    dx, dw, _ = dense_grad[name](g, x, w, y, activation="relu", wanted=ALL)
    assert common.is_batch_last(y)
    assert common.is_batch_last(dx)
    assert dw.flags.c_contiguous


@pytest.mark.parametrize("shape", [(128, 300, 200), (32, 1200, 100), (1000, 40, 37)])
def test_bits_do_not_depend_on_threads(shape, monkeypatch):
    g, x, w, b = layer(np.random.default_rng(0), *shape, np.float32)
    results, before = [], threads.get_num_threads()
    try:
        for count, small in ((1, -1), (before, -1), (before, 1 << 40)):
            threads.set_num_threads(count)
            monkeypatch.setattr(common, "MAX_ELEMENTS_ALONE", small)
            y = dense(x, w, b, activation="sigmoid")
            results.append((y, *dense_grad(g, x, w, y, activation="sigmoid", wanted=ALL)))
    finally:
        threads.set_num_threads(before)
    for others in results[1:]:
        for one, other in zip(results[0], others, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("width", [16, 32, 64])
def test_every_vector_width(monkeypatch, width):
    monkeypatch.setenv("TINYNET_VECTOR_BYTES", str(width))
    # as NEON, AVX2 and AVX-512 have
    monkeypatch.setattr(host, "registers", lambda: 16 if width == 32 else 32)
    vectors.cache_clear()
    try:
        for dtype in DTYPES:
            for activation in (None, *ACTIVATIONS):
                g, x, w, b = layer(np.random.default_rng(0), 19, 600, 23, dtype)
                y = dense(x, w, b, activation=activation)
                assert_agree(y, dense["numpy"](x, w, b, activation=activation), float32=1e-5)
                found = dense_grad(g, x, w, y, activation=activation, wanted=ALL)
                assert_agree(
                    found, dense_grad["numpy"](g, x, w, y, activation=activation, wanted=ALL), float32=2e-5
                )
    finally:
        monkeypatch.undo()
        vectors.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_not_a_number_stays(name):
    x, w = np.full((5, 3), np.nan, np.float32), np.ones((3, 4), np.float32)
    for activation in (None, *ACTIVATIONS):
        assert np.isnan(dense[name](x, w, activation=activation)).all()


def test_every_activation_has_a_number():
    assert set(CODES) == {None, *ACTIVATIONS}


@pytest.mark.parametrize("name", NAMES)
def test_empty_batch_and_mixed_formats(name):
    w, b = np.ones((3, 4)), np.ones(4)
    assert dense[name](np.ones((0, 3)), w, b).shape == (0, 4)
    assert dense[name](np.ones((2, 3), np.float32), w, b).dtype == np.float64


@pytest.mark.parametrize("name", NAMES)
def test_arrays_that_do_not_fit_are_refused(name):
    x, w, y = np.ones((5, 3)), np.ones((3, 4)), np.ones((5, 4))
    with pytest.raises(ValueError, match="broadcast"):
        dense[name](x, w, np.ones(3))
    for g in (y[:4], y[:, :3]):
        with pytest.raises(ValueError, match="matmul"):
            dense_grad[name](g, x, w, g, activation="relu", wanted=ALL)


def test_other_array_modules():
    x, w = strict_array.asarray(np.arange(6.0).reshape(2, 3)), strict_array.asarray(np.ones((3, 2)))
    assert dense(x, w, None, activation="relu").tolist() == [[3, 3], [12, 12]]
