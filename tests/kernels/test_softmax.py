"""Softmax and cross-entropy: Keras's values, the clipped formula in float64,
derivatives by finite differences.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common
from tinynet.kernels.softmax import (
    crossentropy,
    crossentropy_grad,
    softmax,
    softmax_crossentropy,
    softmax_crossentropy_grad,
    softmax_grad,
)

from kernel_cases import assert_agree, assert_gradient, batches, dtypes, normal, orders, seeds, unmutated

IMPLEMENTATIONS = ("numpy", "numba", "cuda")
FAST = ("numba", "cuda")
implementations = st.sampled_from(IMPLEMENTATIONS)


def direct(z, t, clip):
    """Loss by the formula, in double precision; t as rows."""
    z = np.asarray(z, np.float64)
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    if clip:
        return -(t * np.log(np.clip(p / p.sum(1, keepdims=True), 1e-7, 1 - 1e-7))).sum(1)
    return (t * (z.max(1) + np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)))[:, None] - t * z).sum(1)


def target(rng, kind, n, c, dtype):
    labels = rng.integers(0, c, n)
    if kind == "labels":
        return labels, np.eye(c)[labels]
    rows = np.eye(c)[labels] if kind == "one-hot" else rng.dirichlet(np.ones(c), n)
    return rows.astype(dtype), rows.astype(dtype)


@pytest.mark.parametrize("name", FAST)
@given(st.sampled_from([(1,), (10,), (2, 3), (3, 4, 5)]), batches, st.data(), dtypes, orders, seeds)
def test_softmax_along_any_axis(name, shape, n, data, dtype, order, seed):
    rng = np.random.default_rng(seed)
    x = 5 * normal(rng, (n, *shape), dtype, order)
    g = normal(rng, x.shape, dtype, order)
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    with unmutated(x, g):
        y = softmax[name](x, axis=axis)
        assert_agree(y, softmax["numpy"](x, axis=axis))
        np.testing.assert_allclose(y.sum(axis), 1, rtol=1e-5)
        assert_agree(softmax_grad[name](g, y, axis=axis), softmax_grad["numpy"](g, y, axis=axis))
    assert axis % x.ndim == 0 or common.is_batch_last(y)


@pytest.mark.gpu
@given(implementations, st.sampled_from([-1, 1, 2]), seeds)
def test_softmax_derivative(name, axis, seed):
    rng = np.random.default_rng(seed)
    x, g = rng.standard_normal((2, 7, 4, 3))
    dx = softmax_grad[name](g, softmax[name](x, axis=axis), axis=axis)
    assert_gradient(lambda v: (softmax[name](v, axis=axis) * g).sum(), x, dx, rng)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_softmax_is_shifted_by_each_samples_maximum(name):
    """A sample far below the others keeps its digits; large logits do not overflow."""
    y = softmax[name](np.array([[1000.0, 1001.0], [-1000.0, -1001.0], [0.0, 1.0]], np.float32))
    a = 1 / (1 + np.exp(1.0))
    np.testing.assert_allclose(y, [[a, 1 - a], [1 - a, a], [a, 1 - a]], rtol=1e-6)


@pytest.mark.gpu
@given(
    batches,
    st.sampled_from([2, 3, 10, 37, 300]),
    st.sampled_from(["labels", "one-hot", "probabilities"]),
    st.booleans(),
    dtypes,
    orders,
    seeds,
)
def test_fused_loss_and_gradient(n, c, kind, clip, dtype, order, seed):
    rng = np.random.default_rng(seed)
    z = 6 * normal(rng, (n, c), dtype, order)
    g = rng.standard_normal(n).astype(dtype)
    t, rows = target(rng, kind, n, c, dtype)
    with unmutated(z, t, g):
        loss, p = expected = softmax_crossentropy["numpy"](z, t, clip=clip)
        for name in FAST:
            assert_agree(softmax_crossentropy[name](z, t, clip=clip), expected)
        np.testing.assert_allclose(
            loss, direct(z, rows, clip), rtol=2e-4 if dtype == np.float32 else 1e-9, atol=1e-5
        )
        if dtype == np.float64:  # where a float32 q lies on the edge of the clip, the two may differ
            gradients = [softmax_crossentropy_grad[name](g, p, t, clip=clip) for name in IMPLEMENTATIONS]
            for gradient in gradients[1:]:
                assert_agree(gradient, gradients[0])


@pytest.mark.gpu
@given(implementations, st.sampled_from(["labels", "one-hot", "probabilities"]), st.booleans(), seeds)
def test_fused_derivative(name, kind, clip, seed):
    rng = np.random.default_rng(seed)
    z, g = rng.standard_normal((7, 4)), rng.standard_normal(7)
    t, _ = target(rng, kind, 7, 4, np.float64)
    p = softmax_crossentropy[name](z, t, clip=clip)[1]
    dz = softmax_crossentropy_grad[name](g, p, t, clip=clip)
    assert_gradient(lambda v: (softmax_crossentropy[name](v, t, clip=clip)[0] * g).sum(), z, dz, rng)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_gradient_is_zero_under_the_clip(name):
    """A hopeless sample has loss -log 1e-7 and no gradient,
    a perfect one loss -log(1 - 1e-7) and none either.
    """
    z = np.array([[30.0, 0.0], [0.0, 30.0], [1.0, 0.0]])
    t = np.array([1, 1, 1])
    loss, p = softmax_crossentropy[name](z, t, clip=True)
    np.testing.assert_allclose(loss[:2], [-np.log(1e-7), -np.log(1 - 1e-7)])
    dz = softmax_crossentropy_grad[name](np.ones(3), p, t, clip=True)
    assert not dz[:2].any()
    np.testing.assert_allclose(dz[2], p[2] - [0, 1])
    assert softmax_crossentropy_grad[name](np.ones(3), p, t, clip=False)[0, 0] == pytest.approx(1)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_partly_clipped_rows(name):
    """Of a soft target only the unclipped classes push,
    and the softmax gives back the sum of what they push.
    """
    z, t, g = np.array([[20.0, 0.0, 19.0]]), np.array([[0.2, 0.5, 0.3]]), np.ones(1)
    loss, p = softmax_crossentropy[name](z, t, clip=True)
    np.testing.assert_allclose(loss, direct(z, t, True))
    dz = softmax_crossentropy_grad[name](g, p, t, clip=True)
    weights = t * (p > 1e-7)
    np.testing.assert_allclose(dz, p * weights.sum() - weights)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("clip", [True, False])
def test_a_logit_that_is_no_number_gives_no_loss(name, clip):
    """Or nobody would notice that training has gone wrong. The other samples keep theirs."""
    z, t = np.array([[0.0, np.nan, 1.0], [0.0, 0.0, 0.0]], np.float32), np.array([0, 1])
    loss, p = softmax_crossentropy[name](z, t, clip=clip)
    np.testing.assert_allclose(loss, [np.nan, np.log(3)], rtol=1e-6)
    assert np.isnan(p[0]).all()
    assert np.isnan(crossentropy[name](p, t)[0])
    assert np.isnan(softmax_crossentropy_grad[name](np.ones(2, np.float32), p, t, clip=clip)[0]).all()


def test_totally_wrong_float32_prediction():
    loss, _ = softmax_crossentropy(np.array([[200.0, 0.0]], np.float32), np.array([1]), clip=True)
    assert loss.dtype == np.float32
    assert loss[0] == np.float32(16.118095)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_as_keras(name, dtype):
    """Keras's documented rows, which do not sum to 1 and are renormalised."""
    p = np.array([[0.9, 0.05, 0.05], [0.5, 0.89, 0.6], [0.05, 0.01, 0.94]], dtype)
    for t in (np.arange(3), np.eye(3)):
        loss = crossentropy[name](p, t)
        assert loss.dtype == dtype
        np.testing.assert_allclose(loss, [0.1053605, 0.8046685, 0.0618754], rtol=0, atol=1e-7)


@pytest.mark.gpu
@given(implementations, seeds)
def test_probabilities_derivative(name, seed):
    """Renormalisation included: p has any sum. One class lies under the clip and stays there."""
    rng = np.random.default_rng(seed)
    p, g = rng.uniform(0.1, 1, (7, 4)), rng.standard_normal(7)
    p[0, 1] = 1e-9
    t, _ = target(rng, "probabilities", 7, 4, np.float64)
    dp = crossentropy_grad[name](g, p, t)
    direction = rng.standard_normal(p.shape)
    direction[0, 1] = 0  # any step would cross zero

    def along(step):
        q = (p + step * direction) / (p + step * direction).sum(1, keepdims=True)
        return (-(t * np.log(np.clip(q, 1e-7, 1 - 1e-7))).sum(1) * g).sum()

    expected = (along(1e-6) - along(-1e-6)) / 2e-6
    assert (dp * direction).sum() == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("clip", [True, False])
def test_labels_outside_the_classes_count_for_nothing(name, clip):
    z = np.random.default_rng(0).standard_normal((3, 4))
    t = np.array([-1, 2, 4])
    loss, p = softmax_crossentropy[name](z, t, clip=clip)
    assert (loss == 0).tolist() == [True, False, True]
    assert softmax_crossentropy_grad[name](np.ones(3), p, t, clip=clip).any(1).tolist() == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_masked_classes_cost_nothing(name):
    """A logit of -inf with target 0 has loss 0 of its own, not 0 times infinity."""
    loss, _ = softmax_crossentropy[name](
        np.array([[0.0, -np.inf, 0.0]]), np.array([[1.0, 0.0, 0.0]]), clip=False
    )
    np.testing.assert_allclose(loss, np.log(2))
