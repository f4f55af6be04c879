"""Activations: every implementation against Keras's values, its reference, and finite differences."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import activations, common
from tinynet.kernels.activations.smooth import erf

from kernel_cases import (
    assert_agree,
    assert_gradient,
    batches,
    distinct,
    dtypes,
    normal,
    orders,
    seeds,
    unmutated,
)

STATIC = {
    "relu": {},
    "leaky_relu": {"negative_slope": 0.2},
    "elu": {"alpha": 1.3},
    "selu": {},
    "sigmoid": {},
    "tanh": {},
    "softplus": {},
    "softsign": {},
    "silu": {},
    "gelu": {"approximate": False},
    "gelu_tanh": {"approximate": True},
}
FROM_OUTPUT = {"relu", "leaky_relu", "elu", "selu", "sigmoid", "tanh"}
IMPLEMENTATIONS = ("numpy", "numba", "cuda")
FAST = ("numba", "cuda")
names = st.sampled_from(sorted(STATIC))


def kernel(name):
    function = name.removesuffix("_tanh")
    return getattr(activations, function), getattr(activations, f"{function}_grad"), STATIC[name]


def saved(name, x, y):
    return y if name in FROM_OUTPUT else x


# Keras 3's values at these points.
POINTS = np.array([-3, -1, -0.5, 0, 0.5, 1, 3])
KERAS = {
    "elu": ({"alpha": 1.0}, [-0.9502129, -0.6321206, -0.3934693, 0, 0.5, 1, 3]),
    "selu": ({}, [-1.6705687, -1.1113307, -0.6917582, 0, 0.5253505, 1.0507010, 3.1521030]),
    "gelu": (
        {"approximate": False},
        [-0.0040497, -0.1586553, -0.1542688, 0, 0.3457312, 0.8413447, 2.9959503],
    ),
    "gelu_tanh": (
        {"approximate": True},
        [-0.0036374, -0.1588080, -0.1542860, 0, 0.3457140, 0.8411920, 2.9963626],
    ),
    "softplus": ({}, [0.0485874, 0.3132617, 0.4740770, 0.6931472, 0.9740770, 1.3132617, 3.0485874]),
    "silu": ({}, [-0.1422776, -0.2689414, -0.1887703, 0, 0.3112297, 0.7310586, 2.8577224]),
    "softsign": ({}, [-0.75, -0.5, -1 / 3, 0, 1 / 3, 0.5, 0.75]),
    "leaky_relu": ({"negative_slope": 0.2}, [-0.6, -0.2, -0.1, 0, 0.5, 1, 3]),
    "relu": ({}, [0, 0, 0, 0, 0.5, 1, 3]),
    "tanh": ({}, [math.tanh(v) for v in POINTS]),
    "sigmoid": ({}, [1 / (1 + math.exp(-v)) for v in POINTS]),
}


@pytest.mark.parametrize("name", sorted(KERAS))
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_of_keras(name, implementation, dtype):
    static, expected = KERAS[name]
    y = kernel(name)[0][implementation](POINTS.astype(dtype), **static)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=6e-8)


@pytest.mark.parametrize("implementation", FAST)
@given(names, batches, st.sampled_from([(), (1,), (3,), (2, 3, 2)]), dtypes, orders, orders, seeds)
def test_compiled_agrees_with_reference(
    implementation, name, n, features, dtype, order, gradient_order, seed
):
    rng = np.random.default_rng(seed)
    f, f_grad, static = kernel(name)
    x = 3 * normal(rng, (n, *features), dtype, order)
    g = normal(rng, x.shape, dtype, gradient_order)
    with unmutated(x, g):
        y = f[implementation](x, **static)
        assert_agree(y, f["numpy"](x, **static))
        s = saved(name, x, y)
        assert_agree(f_grad[implementation](g, s, **static), f_grad["numpy"](g, s, **static))
    assert not np.shares_memory(x, y)


@pytest.mark.gpu
@given(names, st.sampled_from(IMPLEMENTATIONS), seeds)
def test_derivative(name, implementation, seed):
    rng = np.random.default_rng(seed)
    f, f_grad, static = kernel(name)
    x = distinct(rng, (7, 3, 5))
    g = rng.standard_normal(x.shape)
    dx = f_grad[implementation](g, saved(name, x, f[implementation](x, **static)), **static)
    assert_gradient(lambda v: (f[implementation](v, **static) * g).sum(), x, dx, rng)


@pytest.mark.parametrize("name", sorted(STATIC))
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_limits(name, implementation, dtype):
    """No overflow at large arguments, infinities where they belong, and NaN stays NaN."""
    f, _, static = kernel(name)
    x = np.array([1e4, -1e4, np.inf, np.nan], dtype)
    with np.errstate(over="ignore" if name == "gelu_tanh" else "raise", invalid="ignore", under="ignore"):
        y = f[implementation](x, **static)
    bounded = name in {"sigmoid", "tanh", "softsign"}
    assert y[0] == pytest.approx(
        1 if bounded else 1e4 * (1.0507009873554805 if name == "selu" else 1), rel=2e-4
    )
    assert np.isfinite(y[1])
    assert y[2] == 1 or y[2] == np.inf or name == "softsign"
    assert np.isnan(y[3])


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_relu_has_no_slope_at_zero(implementation):
    zero = np.zeros(3)
    assert not activations.relu_grad[implementation](np.ones(3), activations.relu[implementation](zero)).any()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(
    ("function", "static"), [("elu", {"alpha": -1.0}), ("leaky_relu", {"negative_slope": -0.1})]
)
def test_negative_slopes_are_refused(implementation, function, static):
    with pytest.raises(ValueError, match=f"{function}.*>= 0"):
        getattr(activations, function)[implementation](np.ones(3), **static)


@pytest.mark.parametrize("implementation", FAST)
@pytest.mark.parametrize("name", sorted(STATIC))
def test_dense_memory_is_used_as_it_lies(name, implementation, monkeypatch):
    """C order in, C order out; batch-last in, batch-last out; no conversion in either case."""
    rng = np.random.default_rng(0)
    monkeypatch.setattr(common, "to_batch_last", lambda *args: pytest.fail("converted memory order"))
    f, f_grad, static = kernel(name)
    for order in ("C", "F", "batch_last"):
        x = normal(rng, (7, 3, 4, 5), order=order)
        y = f[implementation](x, **static)
        assert y.strides == x.strides
        g = normal(rng, x.shape, order=order)
        assert f_grad[implementation](g, saved(name, x, y), **static).strides == x.strides


def test_erf():
    x = np.concatenate([np.linspace(-10, 10, 4001), np.geomspace(1e-300, 1, 301), [np.inf, -np.inf]])
    expected = np.array([math.erf(v) for v in x])
    with np.errstate(under="ignore"):
        np.testing.assert_allclose(erf(x), expected, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(erf(x.astype(np.float32)), expected, rtol=0, atol=3e-7)
    assert np.isnan(erf(np.array([np.nan])))[0]


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 2e-7), (np.float64, 1e-13)])
def test_gelu_keeps_its_digits_far_out(name, dtype, bound):
    """x Phi(x) = x erfc(-x / sqrt 2) / 2, which the sum 1 + erf cannot tell from 0 below -6."""
    if name == "cuda":  # its erfc and exp come with the compiler, here g++'s
        bound *= 3
    elif dtype == np.float32:  # 8 ulp
        bound = 9e-7
    x = np.concatenate([np.linspace(-12, 12, 4001), np.logspace(-12, 0, 50), -np.logspace(-12, 0, 50)])
    x = x.astype(dtype)
    exact = np.array([v * math.erfc(-v / math.sqrt(2)) / 2 for v in x.astype(float)])
    np.testing.assert_allclose(activations.gelu[name](x, approximate=False), exact, rtol=bound)
    density = np.exp(-(x.astype(float) ** 2) / 2) / math.sqrt(2 * math.pi)
    slope = np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in x.astype(float)]) + x * density
    found = activations.gelu_grad[name](np.ones_like(x), x, approximate=False)
    np.testing.assert_allclose(found, slope, rtol=bound, atol=4 * np.finfo(dtype).eps * abs(x).max())


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 2e-5), (np.float64, 1e-13)])
def test_approximate_gelu_keeps_its_digits_far_out(name, dtype, bound):
    """1 + tanh u would be 0 below -6. What u is rounded by counts the more, the larger it is."""
    x = np.linspace(-9, 9, 4001).astype(dtype)
    v = x.astype(np.float64)
    u = math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)
    du = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * v**2)
    exact = v * _sigmoid(2 * u)
    np.testing.assert_allclose(activations.gelu[name](x, approximate=True), exact, rtol=bound)
    slope = _sigmoid(2 * u) * (1 + v * _sigmoid(-2 * u) * 2 * du)
    found = activations.gelu_grad[name](np.ones_like(x), x, approximate=True)
    np.testing.assert_allclose(found, slope, rtol=3 * bound, atol=np.finfo(dtype).eps * 4)
    np.testing.assert_allclose(found[v < -5], slope[v < -5], rtol=3 * bound)


def _sigmoid(x):
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-abs(x)))


# the function in double precision, and the largest error of the compiled one in float32, in ulp
ACCURACY = {
    "elu": (lambda x: np.where(x > 0, x, 1.3 * np.expm1(np.minimum(x, 0))), 3),
    "selu": (lambda x: 1.050700987 * np.where(x > 0, x, 1.673263242 * np.expm1(np.minimum(x, 0))), 3),
    "sigmoid": (_sigmoid, 2.4),
    "tanh": (np.tanh, 2.2),
    "softplus": (lambda x: np.maximum(x, 0) + np.log1p(np.exp(-abs(x))), 3),
    "softsign": (lambda x: x / (1 + abs(x)), 2),
    "silu": (lambda x: x * _sigmoid(x), 3.5),
    "gelu": (lambda x: np.array([v * math.erfc(-v / math.sqrt(2)) / 2 for v in x]), 8.5),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ACCURACY))
def test_ulp_in_single_precision(name):
    exact_function, bound = ACCURACY[name]
    x = np.concatenate([np.linspace(-12.5, 12, 200001), np.logspace(-12, 0, 500), -np.logspace(-12, 0, 500)])
    x = x.astype(np.float32)
    exact, f = exact_function(x.astype(np.float64)), kernel(name)
    error = abs(f[0]["numba"](x, **f[2]) - exact) / np.spacing(abs(exact.astype(np.float32)))
    assert error.max() <= bound
    assert error[x > -8].max() <= 4
