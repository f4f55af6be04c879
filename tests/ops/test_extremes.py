"""Every number that float32 has, through every function and its derivative, against closed forms in float64.

Zeros, subnormal numbers, numbers whose squares or exponentials leave the range, infinities, NaN, equal
numbers. The result is within a few units in the last place of the true one, infinite only where that is out
of range, and a number wherever there is a true value. At an infinity the truth is the limit.
"""

import math

import numpy as np
import pytest

from tinynet import Tensor, activations, grad, losses, ops
from tinynet.layers import UnitNormalization

POSITIVE = [0.0, 1e-45, 1e-38, 1e-30, 1e-10, 1e-4, 0.01, 0.5, 1.0, 2.0, 6.0, 10.0, 17.0, 30.0, 60.0, 88.0,
            89.0, 100.0, 1e4,
            1e8, 1e19, 1e25, 3e38, np.inf]  # fmt: skip
X = np.array([*POSITIVE, *[-v for v in POSITIVE], np.nan], np.float32)
FAR = 1e300  # stands for infinity, where closed forms in float64 have their limits
LARGEST = float(np.finfo(np.float32).max)
EPS = float(np.finfo(np.float32).eps)
erf, erfc = np.vectorize(math.erf, otypes=[float]), np.vectorize(math.erfc, otypes=[float])


def sig(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def soft(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sech2(x):
    e = np.exp(-2 * np.abs(x))
    return 4 * e / (1 + e) ** 2


def normal_slope(x):
    v = np.clip(x, -50, 50)
    return 0.5 * erfc(-v / math.sqrt(2)) + v * np.exp(-v * v / 2) / math.sqrt(2 * math.pi)


def tanh_gelu(x, slope=False):
    v, c, k = np.clip(x, -1e3, 1e3), math.sqrt(2 / math.pi), 0.044715
    p = sig(2 * c * (v + k * v**3))
    return (
        p + v * sech2(c * (v + k * v**3)) / 2 * c * (1 + 3 * k * v * v)
        if slope
        else np.where(x > 1e3, x, v) * p
    )


def silu_slope(x):
    v = np.clip(x, -1e4, 1e4)
    return sig(v) * (1 + v * sig(-v))


def mish_slope(x):
    v = np.clip(x, -1e4, 1e4)
    return np.tanh(soft(v)) + v * sech2(soft(v)) * sig(v)


def step(x):
    return (x > 0) * 1.0


# function, truth, its derivative, absolute error that is allowed (where the derivative is taken from the
# output it loses the digits of what is far below 1, as in PyTorch and JAX), and where it is defined
FUNCTIONS = {
    "relu": (ops.relu, lambda x: np.maximum(x, 0), step, 0, None),
    "leaky_relu": (ops.leaky_relu, lambda x: np.where(x > 0, x, 0.2 * x), lambda x: np.where(x > 0, 1, 0.2),
                   0, None),
    "elu": (ops.elu, lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
            lambda x: np.exp(np.minimum(x, 0)), EPS, None),
    "sigmoid": (ops.sigmoid, sig, lambda x: sig(x) * sig(-x), EPS, None),
    "tanh": (ops.tanh, np.tanh, sech2, EPS, None),
    "softplus": (ops.softplus, soft, sig, 0, None),
    "log_sigmoid": (activations.log_sigmoid, lambda x: -soft(-x), lambda x: sig(-x), 0, None),
    "softsign": (ops.softsign, lambda x: x / (1 + abs(x)), lambda x: (1 / (1 + abs(x))) ** 2, 0, None),
    "silu": (ops.silu, lambda x: x * sig(x), silu_slope, EPS, None),
    "mish": (activations.mish, lambda x: x * np.tanh(soft(x)), mish_slope, EPS, abs(X) != np.inf),
    "gelu": (lambda x: ops.gelu(x, False), lambda x: x * 0.5 * erfc(-x / math.sqrt(2)), normal_slope, 2 * EPS,
             None),
    (
        "gelu with "
        "tanh"
    ): (lambda x: ops.gelu(x, approximate=True), tanh_gelu, lambda x: tanh_gelu(x, True), 2 * EPS, None),
    "hard_sigmoid": (activations.hard_sigmoid, lambda x: np.clip(x / 6 + 0.5, 0, 1),
                     lambda x: (abs(x) <= 3) / 6, 0, None),
    "erf": (ops.erf, erf, lambda x: 2 / math.sqrt(math.pi) * np.exp(-np.minimum(abs(x), 1e9) ** 2), EPS,
            None),
    "exp": (ops.exp, np.exp, np.exp, 0, None),
    "expm1": (ops.expm1, np.expm1, np.exp, 0, None),
    "log": (ops.log, np.log, lambda x: 1 / x, 0, (X > 0) & np.isfinite(X)),
    "log1p": (ops.log1p, np.log1p, lambda x: 1 / (1 + x), 0, (X > -1) & np.isfinite(X)),
    "sqrt": (ops.sqrt, np.sqrt, lambda x: 0.5 / np.sqrt(x), 0, X > 0),
    "rsqrt": (ops.rsqrt, lambda x: 1 / np.sqrt(x), lambda x: -0.5 / (x * np.sqrt(x)), 0, X > 0),
    "square": (ops.square, lambda x: x * x, lambda x: 2 * x, 0, None),
    "abs": (ops.abs, abs, np.sign, 0, None),
    "reciprocal": (ops.reciprocal, lambda x: 1 / x, lambda x: -1 / x / x, 0, abs(X) > 0),
    "2 ** x": (lambda x: ops.power(2.0, x), lambda x: 2.0**x, lambda x: 2.0**x * math.log(2), 0,
               abs(X) < 1e30),
    "x ** 3": (lambda x: ops.power(x, 3), lambda x: x**3, lambda x: 3 * x * x, 0, None),
}  # fmt: skip


def in_float32(x):
    """float64 numbers as float32 can say them: infinite beyond its range."""
    with np.errstate(over="ignore"):
        return np.where(abs(x) > LARGEST, np.sign(x) * np.inf, x)


def assert_true(found, truth, absolute, units=8):
    """Within `units` in the last place (of subnormal numbers: of the least one), NaN where the truth is."""
    truth = in_float32(truth)
    allowed = absolute + units * EPS * np.minimum(abs(truth), LARGEST) + 8e-45 / EPS
    wrong = ~((found == truth) | (abs(found - truth) <= allowed) | (np.isnan(found) & np.isnan(truth)))
    assert not wrong.any(), (
        f"at {X[wrong] if wrong.shape == X.shape else wrong}: {found[wrong]}, expected {truth[wrong]}"
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_of_one_number(name):
    f, truth, slope, absolute, where = FUNCTIONS[name]
    x = Tensor(X, requires_grad=True)
    y = f(x)
    g = grad(y.sum(), x).numpy()
    wide = np.where(np.isinf(X), np.sign(X.astype(np.float64)) * FAR, X.astype(np.float64))
    chosen = np.ones(X.shape, bool) if where is None else where
    known = chosen & ~np.isnan(X)
    tail = EPS if name.startswith("gelu") else 0  # Keras's formula for gelu loses the digits of its tail
    assert_true(np.where(chosen, y.numpy(), 0), np.where(chosen, truth(wide), 0), tail)
    # A derivative at NaN may be 0: what is piecewise asks on which side of a border x lies.
    assert_true(np.where(known, g, 0), np.where(known, slope(wide), 0), absolute)


def grads(f, *values):
    inputs = [Tensor(np.array(v, np.float32), requires_grad=True) for v in values]
    y = f(*inputs)
    return y.numpy(), *[g.numpy() for g in grad(y.sum(), inputs)]


def test_quotients():
    """d(a / b)/db = -a / b**2, where the square of b has no place in float32."""
    a, b = [0.0, 1e-25, 1e25, 1e-30, 3.0], [1e-30, 1e-25, 1e25, 1e-10, -1e-15]
    y, da, db = grads(ops.divide, a, b)
    wide = np.array(b, np.float32).astype(np.float64)
    expected = -np.array(a, np.float32) / wide**2
    np.testing.assert_allclose(y, np.array(a, np.float32) / wide, rtol=4 * EPS)
    np.testing.assert_allclose(da, 1 / wide, rtol=4 * EPS)
    np.testing.assert_allclose(db, expected, rtol=4 * EPS)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_powers_of_zero():
    y, da, db = grads(ops.power, [0.0, 0.0, 0.0, 0.0], [-1.5, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(y, [np.inf, 1, 0, 0])
    np.testing.assert_array_equal(da, [-np.inf, 0, 1, 0])
    np.testing.assert_array_equal(db, [-np.inf, 0, 0, 0])
    b = Tensor(np.array([-1.0, 2.0], np.float32), requires_grad=True)
    np.testing.assert_array_equal(grad(ops.power(0.0, b).sum(), b).numpy(), [-np.inf, 0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_logaddexp():
    inf = np.inf
    a, b = [inf, -inf, inf, 0.0, 1e8, -1e25, 5.0], [inf, -inf, -inf, 0.0, 1e8, 1e25, -inf]
    y, da, db = grads(ops.logaddexp, a, b)
    np.testing.assert_allclose(y, [inf, -inf, inf, math.log(2), 1e8, 1e25, 5], rtol=EPS)
    np.testing.assert_array_equal(da, [0.5, 0.5, 1, 0.5, 0.5, 0, 1])
    np.testing.assert_array_equal(db, [0.5, 0.5, 0, 0.5, 0.5, 1, 0])
    x = Tensor(np.array([0.3, -7.0]), requires_grad=True)
    first = grad(ops.logaddexp(x, np.array([0.3, -7.0])).sum(), x, create_graph=True)
    np.testing.assert_allclose(grad(first.sum(), x).numpy(), [0.25, 0.25])


ROWS = [
    [1e4, 1e4 + 1],
    [1e8, 1e8],
    [1e6, 1e6 + 0.5],
    [-1e25, 1e25],
    [1e25, 1e25],
    [0.0, 0.0],
    [1e-30, -1e-30],
    [-200.0, 0.0],
]


@pytest.mark.parametrize("axes", [-1, (1,), (1, 2)])
def test_softmax_keeps_the_digits_of_the_logits(axes):
    x = np.array(ROWS, np.float32).reshape(-1, 2, 1)
    wide = x.astype(np.float64) - x.max(1, keepdims=True)
    log_p = wide - np.log(np.exp(wide).sum(1, keepdims=True))
    axis = 1 if axes == -1 else axes
    with np.errstate(under="ignore"):
        np.testing.assert_allclose(ops.softmax(x, axis), np.exp(log_p), rtol=8 * EPS, atol=1e-44)
    np.testing.assert_allclose(ops.log_softmax(x, axis), log_p, rtol=8 * EPS, atol=1e-44)
    t, weight = (
        Tensor(x, requires_grad=True),
        np.stack([np.full((len(x), 1), 2.0), np.full((len(x), 1), -1.0)], 1),
    )
    (g,) = grad([ops.log_softmax(t, axis)], [t], [weight.astype(np.float32)])
    np.testing.assert_allclose(
        g.numpy(), weight - np.exp(log_p) * weight.sum(1, keepdims=True), rtol=8 * EPS, atol=1e-7
    )


def test_softmax_over_several_axes():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    e = np.exp(x)
    for axes in ((0, 1), (2, 0), [1, -1], (0, 1, 2), ()):
        total = e.sum(tuple(axes), keepdims=True)
        np.testing.assert_allclose(ops.softmax(x, axes), e / total, rtol=1e-12)
        np.testing.assert_allclose(ops.log_softmax(x, axes), np.log(e / total), rtol=1e-12, atol=1e-15)
    for function in (ops.softmax, ops.log_softmax):
        assert function(np.zeros((3, 0), np.float32)).shape == (3, 0)
        assert function(np.zeros((3, 0), np.float32), (0, 1)).shape == (3, 0)
        with pytest.raises(ValueError, match=f"{function.__name__}: axis .* twice"):
            function(x, (1, -2))
        with pytest.raises(ValueError, match=f"{function.__name__}: axis 3 is out of range"):
            function(x, (1, 3))
        with pytest.raises(ValueError, match=f"{function.__name__}: axis 3 is out of range"):
            function(x, 3)


@pytest.mark.parametrize(
    "logits", [[1e8, 1e8, 0.0], [1e25, 1e25, 0.0], [3.0, 3.0, -np.inf], [1e8, 1e8 + 8, 1e8 - 64], [0.0] * 3]
)
def test_sparsemax(logits):
    y, g = grads(lambda x: ops.sparsemax(x) * np.array([1.0, 2.0, 4.0], np.float32), logits)
    expected = {0.0: [1 / 3] * 3, 1e25: [0.5, 0.5, 0], 3.0: [0.5, 0.5, 0]}.get(logits[0], [0.5, 0.5, 0])
    if logits[1] != logits[0]:
        expected = [0, 1, 0]
    np.testing.assert_allclose(y / [1, 2, 4], expected, rtol=4 * EPS)
    assert np.isfinite(g).all()
    assert ops.sparsemax(np.zeros((3, 0), np.float32)).shape == (3, 0)


@pytest.mark.parametrize("t", [0.0, 1.0, 0.3])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_binary_crossentropy_of_logits(t):
    z = X[~np.isnan(X)]
    wide = np.where(np.isinf(z), np.sign(z.astype(np.float64)) * FAR, z.astype(np.float64))
    t = float(np.float32(t))
    truth = t * soft(-wide) + (1 - t) * soft(wide)
    truth = np.where(t == 1, soft(-wide), np.where(t == 0, soft(wide), truth))
    y, g = grads(
        lambda z: ops.binary_crossentropy(np.full(len(z.data), t, np.float32), z, from_logits=True), z
    )
    for found, expected in ((y, truth), (g, sig(wide) - t if t != 1 else -sig(-wide))):
        expected = in_float32(expected)
        np.testing.assert_allclose(found, expected, rtol=8 * EPS, atol=1e-38)


@pytest.mark.parametrize("value", [0.0, 1e-45, 1e-30, 1e-8, 1.0, 1e8, 1e25, 1e38])
@pytest.mark.parametrize("order", [2, 3, 1])
def test_lengths(value, order):
    x = np.array([[value, -value], [0.0, value], [value, 0.5 * value]], np.float32)
    length = (np.abs(x.astype(np.float64)) ** order).sum(1) ** (1 / order)
    y, g = grads(lambda x: ops.norm(x, order, axis=1), x)
    np.testing.assert_allclose(y, length, rtol=8 * EPS, atol=2e-45)
    wide = np.where(
        length[:, None] == 0,
        0,
        np.sign(x) * np.abs(x / np.where(length == 0, 1, length)[:, None]) ** (order - 1),
    )
    if value != 1e-45:  # its half is 0
        np.testing.assert_allclose(g, wide, rtol=16 * EPS, atol=1e-38)
    for unit in (
        lambda x: ops.normalize(x, 1, order, epsilon=1e-12),
        UnitNormalization() if order == 2 else None,
    ):
        if unit is not None:
            y, g = grads(unit, x)
            np.testing.assert_allclose(y, x / np.maximum(length, 1e-12)[:, None], rtol=16 * EPS, atol=1e-38)
            assert np.isfinite(g).all()


def test_normalize_at_zero_has_the_slope_of_its_epsilon():
    _, g = grads(lambda x: ops.normalize(x, epsilon=0.25), np.zeros((2, 3)))
    np.testing.assert_array_equal(g, np.full((2, 3), 4.0))


def test_cosine_similarity_of_long_and_short_vectors():
    for size in (1e-3, 1.0, 1e25):
        a, b = (
            np.array([[3.0, 4.0]], np.float32) * np.float32(size),
            np.array([[4.0, 3.0]], np.float32) * np.float32(size),
        )
        assert float(losses.cosine_similarity(a, b)[0]) == pytest.approx(-0.96, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e8, 1e-30, 1e25])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 100_000])
def test_the_spread_of_equal_numbers_is_zero(value, count):
    for f in (ops.std, ops.var, lambda x: ops.moments(x, 0)[1]):
        y, g = grads(f, np.full(count, value))
        assert y == 0
        assert not g.any()


def test_the_spread_of_numbers_far_from_zero():
    x = (1e8 + 8 * np.array([0.0, 1.0, 2.0, 5.0])).astype(np.float32)
    assert float(ops.var(x)) == 64 * 3.5
    assert float(ops.var(np.array([200, 100, 0], np.uint8))) == pytest.approx(20000 / 3)
    assert float(ops.var(np.array([1e4, *np.ones(999)], np.float32))) == pytest.approx(
        9999**2 * 0.001 * 0.999, rel=1e-6
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("f", [ops.silu, ops.gelu, lambda x: ops.gelu(x, approximate=False), ops.softplus])
def test_second_derivatives_are_0_far_away(f, dtype):
    """A step that has long been taken has no slope, whatever the powers of x are."""
    x = Tensor(np.array([-np.inf, -3e38, -1e13, -1e5, 1e5, 1e13, 3e38, np.inf], dtype), requires_grad=True)
    first = grad(f(x).sum(), x, create_graph=True)
    np.testing.assert_array_equal(np.abs(first.numpy()), [0, 0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(np.abs(grad(first.sum(), x).numpy()), 0)
