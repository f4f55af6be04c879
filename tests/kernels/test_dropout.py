"""Dropout: which elements fall is a function of key, call, feature and sample, and of nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common
from tinynet.kernels.dropout import dropout, dropout_grad, unpack
from tinynet.kernels.emit import vectors
from tinynet.kernels.philox import philox4x32

from kernel_cases import assert_agree, batches, dtypes, normal, orders, seeds, unmutated

IMPLEMENTATIONS = ("numpy", "numba", "cuda")
KEY = (12345, 2**32 - 7)
keys = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))


def words(key=KEY, call=0):
    return np.array([*key, call], np.uint32)


shapes = st.sampled_from([(1,), (5,), (1, 1, 3), (3, 5, 2), (17,), (40,)])


@pytest.fixture
def _width(request, monkeypatch):
    monkeypatch.setenv("TINYNET_VECTOR_BYTES", str(request.param))
    vectors.cache_clear()
    yield
    vectors.cache_clear()


@pytest.mark.usefixtures("_width")
@pytest.mark.parametrize(
    ("name", "_width"), [("numba", 16), ("numba", 32), ("numba", 64), ("cuda", 64)], indirect=["_width"]
)
@given(batches, shapes, st.sampled_from([0.0, 0.1, 0.5, 0.999, 1.0]), keys, dtypes, orders, orders, seeds)
def test_compiled_agrees_with_reference(name, n, shape, rate, key, dtype, order, gradient_order, seed):
    rng = np.random.default_rng(seed)
    x = normal(rng, (n, *shape), dtype, order)
    g = normal(rng, x.shape, dtype, gradient_order)
    given = words(key, seed)
    with unmutated(x, g, given):
        y, bits = dropout[name](x, given, rate=rate)
        expected, expected_bits = dropout["numpy"](x, given, rate=rate)
        np.testing.assert_array_equal(bits, expected_bits)
        assert bits.dtype == np.uint16
        assert_agree(y, expected)
        expected = dropout_grad["numpy"](g, bits, rate=rate)
        assert_agree(dropout_grad[name](g, bits, rate=rate), expected)
    assert common.is_batch_last(y)
    one = np.ones_like(x)
    np.testing.assert_array_equal(
        dropout[name](one, given, rate=rate)[0], dropout_grad[name](one, bits, rate=rate)
    )


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_each_element_has_its_own_counter(name):
    x = np.ones((37, 3, 2))
    mask = unpack(dropout[name](x, words(call=9), rate=0.25)[1], x.shape)
    for n in range(37):
        for a in range(3):
            for b in range(2):
                drawn = philox4x32(np.array([9, 2 * a + b, n // 8, 0], np.uint32), KEY)
                half = drawn[n % 8 // 2] >> 16 if n % 2 else drawn[n % 8 // 2] & 0xFFFF
                assert mask[n, a, b] == (half >= 2**14)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_a_smaller_batch_is_a_prefix(name):
    """The last, incomplete batch of an epoch drops what the first samples of a full one drop."""
    full = dropout[name](np.ones((33, 6)), words(), rate=0.5)[0]
    np.testing.assert_array_equal(dropout[name](np.ones((7, 6)), words(), rate=0.5)[0], full[:7])


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_kept_elements_are_scaled(name):
    y, bits = dropout[name](np.full((16, 5), 3.0), words(), rate=0.25)
    np.testing.assert_allclose(y, unpack(bits, y.shape) * 4.0)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_rate(name, rate):
    """Within five standard deviations of the binomial; calls and keys give different masks."""
    x = np.ones((128, 200), np.float32)
    masks = [
        unpack(dropout[name](x, words(key, call), rate=rate)[1], x.shape)
        for key, call in ((KEY, 0), (KEY, 1), ((12346, KEY[1]), 0))
    ]
    for mask in masks:
        assert abs(mask.mean() - (1 - rate)) < 5 * (rate * (1 - rate) / x.size) ** 0.5
    overlap = (1 - rate) ** 2
    for one, other in ((0, 1), (0, 2), (1, 2)):
        both = (masks[one] & masks[other]).mean()
        assert abs(both - overlap) < 5 * (overlap * (1 - overlap) / x.size) ** 0.5


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_ends_of_the_rate(name):
    x = np.ones((7, 3))
    assert (dropout[name](x, words(), rate=0.0)[0] == 1).all()
    y, bits = dropout[name](x, words(), rate=1.0)
    assert not y.any()
    assert not dropout_grad[name](x, bits, rate=1.0).any()


@pytest.mark.gpu
@given(
    batches,
    st.sampled_from([(None, 1, 1, None), (None, 5, 1, 2), (1, None, None, 1), (1, 1, 1, 1)]),
    dtypes,
    orders,
)
def test_noise_shape(n, noise_shape, dtype, order):
    """Drawn as for an array of the reduced shape, then shared along the axes of size 1."""
    x = normal(np.random.default_rng(0), (n, 5, 3, 2), dtype, order)
    reduced = tuple(size if m is None else m for m, size in zip(noise_shape, x.shape, strict=True))
    expected = dropout["numpy"](np.ones(reduced), words(call=3), rate=0.4)[1]
    results = [dropout[name](x, words(call=3), rate=0.4, noise_shape=noise_shape) for name in IMPLEMENTATIONS]
    for y, _ in results[1:]:
        assert_agree(y, results[0][0])
    for y, bits in results:
        np.testing.assert_array_equal(bits, expected)
        np.testing.assert_array_equal(y != 0, np.broadcast_to(unpack(bits, reduced), x.shape))
    gradients = [
        dropout_grad[name](x, expected, rate=0.4, noise_shape=noise_shape) for name in IMPLEMENTATIONS
    ]
    for dx in gradients[1:]:
        np.testing.assert_array_equal(dx, gradients[0])


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("noise_shape", [(None, 2), (None, 1, 1), (5, None)])
def test_noise_shape_that_does_not_fit(name, noise_shape):
    with pytest.raises(ValueError, match="noise_shape"):
        dropout[name](np.ones((7, 3)), words(), rate=0.5, noise_shape=noise_shape)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_dropped_nan_is_zero(name):
    y, bits = dropout[name](np.full((64, 4), np.nan), words(), rate=0.5)
    mask = unpack(bits, y.shape)
    np.testing.assert_array_equal(np.isnan(y), mask)
    assert (y[~mask] == 0).all()


@pytest.mark.parametrize("name", ["numba", "cuda"])
def test_words_and_bits_that_do_not_fit_are_refused(name):
    """Compiled code would read behind them."""
    x = np.ones((20, 5), np.float32)
    _, bits = dropout[name](x, words(), rate=0.5)
    for wrong in (words()[:2], np.zeros(4, np.uint32), np.zeros((3, 1), np.uint32)):
        with pytest.raises(ValueError, match=r"words are three numbers .*, got an array \("):
            dropout[name](x, wrong, rate=0.5)
    for wrong in (bits[:1], bits[:, :4], bits.ravel()):
        with pytest.raises(ValueError, match=r"shape \(20, 5\) has bits \(2, 32\), got an array \("):
            dropout_grad[name](x, wrong, rate=0.5)
    assert not dropout_grad[name](x, np.zeros((3, 32), np.uint16), rate=0.5).any()
