"""Sums of millions of float32 numbers keep their digits: every function that sums,
every axis, every memory order.

The truth is NumPy's sum in float64. A running sum in float32 would be wrong by a per cent or more here.
"""

import numpy as np
import pytest

import tinynet
from tinynet import Tensor, grad, losses, metrics, ops
from tinynet.kernels.reduce import FEW
from tinynet.kernels.reduce import sum as kernel_sum

from kernel_cases import ORDERS, arrange

RNG = np.random.default_rng(7)
LONG = 1_000_003
TOLERANCE = 4e-7


def wide(x):
    return np.asarray(x, np.float64)


def close(found, expected, scale=None):
    found = found.numpy() if isinstance(found, Tensor) else np.asarray(found)
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found, expected, rtol=TOLERANCE, atol=0 if scale is None else TOLERANCE * scale
    )


SHAPES = [((LONG, 2), 0), ((2, LONG), 1), ((3, LONG // 7, 2), 1), ((LONG // 7, 3, 2), (0, 2)),
          ((LONG // 7, 3, 2), (0, 1)),
          ((2, 3, LONG // 7), (0, 2)), ((LONG,), 0), ((LONG // 7, 7), None),
          ((5, 2, LONG // 70, 3, 7), (0, 2, 4)),
          ((4, 70, 9, 70, 3), (1, 3)), ((300, 3000), 0), ((300, 3000), 1)]  # fmt: skip


@pytest.mark.parametrize("order", [*ORDERS, "repeated"])
@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
def test_sum(shape, axis, order):
    x = RNG.random(shape, np.float32) + np.float32(0.1)
    if order == "repeated":
        x = np.broadcast_to(x[:1], shape)
    else:
        x = arrange(x, order)
    for name in ("numpy", "numba"):
        for keepdims in (False, True):
            expected = wide(x).sum(axis, keepdims=keepdims)
            y = kernel_sum[name](x, axis=axis, keepdims=keepdims)
            assert np.shape(y) == np.shape(expected)
            np.testing.assert_allclose(y, expected, rtol=TOLERANCE)


@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
def test_the_number_of_threads_does_not_matter(shape, axis):
    before, found = tinynet.get_num_threads(), []
    x = RNG.standard_normal(shape, np.float32)
    try:
        for count in (1, before):
            tinynet.set_num_threads(count)
            found += [kernel_sum(np.asarray(x, order=order), axis=axis).tobytes() for order in "CF"]
    finally:
        tinynet.set_num_threads(before)
    assert found[:2] == found[2:]


def test_few_terms_are_added_as_numpy_adds():
    x = RNG.random((1000, FEW), np.float32)
    np.testing.assert_array_equal(kernel_sum(x, axis=1), np.add.reduce(x, 1))
    np.testing.assert_allclose(kernel_sum(x, axis=1), wide(x).sum(1), rtol=1e-6)


REDUCTIONS = {
    "mean": (ops.mean, lambda x, a: x.mean(a)),
    "var": (ops.var, lambda x, a: x.var(a)),
    "std": (ops.std, lambda x, a: x.std(a)),
    "norm": (lambda x, a: ops.norm(x, axis=a), lambda x, a: np.sqrt((x**2).sum(a))),
    "norm 1": (lambda x, a: ops.norm(x, 1, axis=a), lambda x, a: np.abs(x).sum(a)),
    "norm 3": (lambda x, a: ops.norm(x, 3, axis=a), lambda x, a: (np.abs(x) ** 3).sum(a) ** (1 / 3)),
    "moments": (lambda x, a: ops.moments(x, a)[0], lambda x, a: x.mean(a)),
    "variance of moments": (lambda x, a: ops.moments(x, a)[1], lambda x, a: x.var(a)),
    "logsumexp": (lambda x, a: ops.logsumexp(x, a), lambda x, a: np.log(np.exp(x).sum(a))),
}


@pytest.mark.parametrize("order", ["C", "F", "batch_last", "gaps"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, axis, order):
    function, truth = REDUCTIONS[name]
    x = arrange(RNG.random((LONG, 2) if axis == 0 else (2, LONG), np.float32) + np.float32(3.1), order)
    close(function(Tensor(x), axis), truth(wide(x), axis))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("f", [ops.add, ops.subtract, ops.multiply, ops.divide, ops.maximum])
def test_gradients_of_what_was_repeated(f, order):
    x, b = (
        arrange(RNG.random((LONG, 2), np.float32) + np.float32(0.5), order),
        np.array([0.7, 0.9], np.float32),
    )
    weight = arrange(RNG.random((LONG, 2), np.float32), order)
    repeated = Tensor(b, requires_grad=True)
    (found,) = grad([f(x, repeated)], [repeated], [weight])
    a = wide(x)
    slope = {ops.add: a * 0 + 1, ops.subtract: a * 0 - 1, ops.multiply: a, ops.divide: -a / wide(b) ** 2,
             ops.maximum: wide(b) > a}[f]  # fmt: skip
    close(found, (slope * wide(weight)).sum(0))


def test_gradients_of_what_was_read_often():
    ids, weight = np.arange(LONG) % 2, RNG.random((LONG, 3), np.float32)
    expected = np.stack([wide(weight)[ids == i].sum(0) for i in (0, 1)])
    for read in (ops.embedding, lambda t, i: t[i], lambda t, i: ops.take(t, i, 0)):
        table = Tensor(np.zeros((2, 3), np.float32), requires_grad=True)
        close(grad([read(table, ids)], [table], [weight])[0], expected)


@pytest.mark.parametrize("order", ["C", "F"])
def test_softmax_along_the_batch(order):
    x = arrange(RNG.standard_normal((LONG, 2), np.float32), order)
    e = np.exp(wide(x))
    np.testing.assert_allclose(ops.softmax(x, 0), e / e.sum(0), rtol=2e-6)


@pytest.mark.parametrize(
    "loss", [losses.MeanSquaredError, losses.MeanAbsoluteError, losses.BinaryCrossentropy]
)
def test_losses(loss):
    y, p = (RNG.random((LONG, 2), np.float32) * np.float32(0.8) + np.float32(0.1) for _ in range(2))
    a, b = wide(y), wide(p)
    expected = {losses.MeanSquaredError: (a - b) ** 2, losses.MeanAbsoluteError: abs(a - b),
                losses.BinaryCrossentropy: -a * np.log(b) - (1 - a) * np.log(1 - b)}[loss].mean()  # fmt: skip
    assert float(loss()(y, Tensor(p))) == pytest.approx(expected, rel=1e-6)


def test_metrics():
    y, p = (RNG.random((LONG, 2), np.float32) + np.float32(0.1) for _ in range(2))
    metric = metrics.MeanSquaredError()
    metric.update_state(y, p)
    assert float(metric.result()) == pytest.approx(((wide(y) - p) ** 2).mean(), rel=1e-6)
    mean = metrics.Mean()
    mean.update_state(y)
    assert float(mean.result()) == pytest.approx(wide(y).mean(), rel=1e-6)


@pytest.mark.parametrize("from_logits", [True, False])
def test_softmax_of_very_many_classes(from_logits):
    x, weight = RNG.standard_normal((2, 300_000), np.float32), RNG.random((2, 300_000), np.float32)
    e = np.exp(wide(x))
    p = e / e.sum(1, keepdims=True)
    t = Tensor(x, requires_grad=True)
    y = ops.softmax(t)
    np.testing.assert_allclose(y.numpy(), p, rtol=1e-6)
    expected = p * (weight - (wide(weight) * p).sum(1, keepdims=True))
    np.testing.assert_allclose(
        grad([y], [t], [weight])[0].numpy(), expected, rtol=0, atol=1e-6 * abs(expected).max()
    )
    loss = ops.sparse_categorical_crossentropy(
        np.array([3, 70_000]), t if from_logits else ops.softmax(t), from_logits
    )
    low = 0.0 if from_logits else 1e-7
    np.testing.assert_allclose(loss.numpy(), -np.log(np.maximum(p[[0, 1], [3, 70_000]], low)), rtol=1e-6)
