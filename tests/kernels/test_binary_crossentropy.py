"""Binary cross-entropy of logits: every implementation against its definition in double precision."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels.binary_crossentropy import binary_crossentropy, binary_crossentropy_grad

from kernel_cases import assert_agree, assert_gradient, batches, dtypes, normal, orders, seeds, unmutated

IMPLEMENTATIONS = ("numpy", "numba", "cuda")


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(batches, st.sampled_from([(), (3,), (2, 5)]), dtypes, orders, orders, seeds)
def test_agrees_with_the_definition(name, n, features, dtype, order, other, seed):
    rng = np.random.default_rng(seed)
    z, g = 4 * normal(rng, (n, *features), dtype, order), normal(rng, (n, *features), dtype, other)
    t = rng.uniform(0, 1, z.shape).astype(dtype)
    wide, p = (t.astype(np.float64), 1 / (1 + np.exp(-z.astype(np.float64))))
    with unmutated(z, t, g):
        y = binary_crossentropy[name](z, t)
        dz = binary_crossentropy_grad[name](g, z, t)
    assert_agree(y, (-wide * np.log(p) - (1 - wide) * np.log1p(-p)).astype(dtype), float64=1e-11)
    assert_agree(dz, (g * (p - wide)).astype(dtype))


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_derivative(name):
    rng = np.random.default_rng(0)
    z, t, g = rng.standard_normal((7, 5)), rng.uniform(0, 1, (7, 5)), rng.standard_normal((7, 5))
    dz = binary_crossentropy_grad[name](g, z, t)
    assert_gradient(lambda v: (binary_crossentropy[name](v, t) * g).sum(), z, dz, rng)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_certainty_costs_nothing_or_everything(name, dtype):
    z = np.array([np.inf, -np.inf, np.inf, -np.inf, 100, np.nan], dtype)
    t = np.array([1, 0, 0, 1, 1, 0], dtype)
    y = binary_crossentropy[name](z, t)
    np.testing.assert_array_equal(y[:4], [0, 0, np.inf, np.inf])
    assert 0 <= y[4] < 1e-40
    assert np.isnan(y[5])
