"""Everyday functions against NumPy, their gradients against finite differences."""

import numpy as np
import pytest

from tinynet import Tensor, ops
from tinynet.gradient_check import gradcheck

X = np.random.default_rng(0).normal(size=(3, 4)) + 0.1
FINITE = np.array([1.0, np.nan, np.inf])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (ops.expm1, np.expm1),
        (ops.reciprocal, lambda x: 1 / x),
        (lambda x: ops.rsqrt(x * x + 1), lambda x: 1 / np.sqrt(x * x + 1)),
        (lambda x: ops.std(x, axis=1), lambda x: x.std(1)),
        (lambda x: ops.moments(x, [0])[1], lambda x: x.var(0)),
        (lambda x: ops.moments(x, 1, keepdims=True)[0], lambda x: x.mean(1, keepdims=True)),
        (lambda x: ops.norm(x, axis=1), lambda x: np.linalg.norm(x, axis=1)),
        (lambda x: ops.norm(x, "fro"), lambda x: np.linalg.norm(x, "fro")),
        (lambda x: ops.norm(x, 1, axis=0), lambda x: np.linalg.norm(x, 1, axis=0)),
        (lambda x: ops.norm(x, 3, axis=0), lambda x: np.linalg.norm(x, 3, axis=0)),
        (lambda x: ops.normalize(x), lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)),
        (lambda x: ops.logaddexp(x, 2 * x), lambda x: np.logaddexp(x, 2 * x)),
        (lambda x: ops.dot(x, np.ones((4, 2))), lambda x: x @ np.ones((4, 2))),
        (lambda x: ops.take(x, [0, 2, 2], axis=1), lambda x: np.take(x, [0, 2, 2], axis=1)),
        (lambda x: ops.take(x, [0, 7]), lambda x: np.take(x, [0, 7])),
        (lambda x: ops.flip(x), np.flip),
        (lambda x: ops.flip(x, 1), lambda x: np.flip(x, 1)),
        (lambda x: ops.repeat(x, 2, axis=0), lambda x: np.repeat(x, 2, axis=0)),
        (lambda x: ops.repeat(x, 2), lambda x: np.repeat(x, 2)),
        (lambda x: ops.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3))),
        (lambda x: ops.tile(x, 2), lambda x: np.tile(x, 2)),
        (ops.ravel, np.ravel),
        (lambda x: ops.unstack(x, axis=1)[2], lambda x: x[:, 2]),
    ],
)
def test_with_a_derivative(function, expected):
    np.testing.assert_allclose(function(Tensor(X)).numpy(), expected(X), rtol=1e-12)
    assert gradcheck(function, X)


def test_small_numbers_keep_their_digits():
    x = np.array([1e-6, -1e-8, 0.0, 3.0, -200.0, 80.0], np.float32)
    np.testing.assert_allclose(ops.expm1(x), np.expm1(x.astype(np.float64)), rtol=1e-6)


def test_a_conversion_keeps_the_gradient():
    x = Tensor(X, requires_grad=True)
    assert ops.convert_to_tensor(2 * x, dtype="float64").requires_grad
    ops.sum(ops.convert_to_tensor(2 * x, dtype="float32")).backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full_like(X, 2))


def test_constants():
    for name in ("argmax", "argmin", "all", "any"):
        np.testing.assert_array_equal(
            getattr(ops, name)(Tensor(X), axis=1).numpy(), getattr(np, name)(X, axis=1)
        )
    for name in ("isnan", "isinf", "isfinite"):
        np.testing.assert_array_equal(getattr(ops, name)(FINITE), getattr(np, name)(FINITE))
    for name in ("floor", "ceil", "round", "zeros_like", "ones_like"):
        np.testing.assert_array_equal(getattr(ops, name)(Tensor(X)).numpy(), getattr(np, name)(X))
    np.testing.assert_array_equal(ops.full_like(X, 3), np.full_like(X, 3))


def test_new_tensors():
    assert ops.zeros((2, 3)).dtype == ops.ones(2).dtype == ops.eye(2).dtype == np.float32
    np.testing.assert_array_equal(ops.full((2,), 7, "float64").numpy(), [7.0, 7.0])
    np.testing.assert_array_equal(ops.eye(2, 3).numpy(), np.eye(2, 3))
    np.testing.assert_array_equal(ops.arange(3).numpy(), [0, 1, 2])
    np.testing.assert_array_equal(ops.arange(1, 7, 2).numpy(), [1, 3, 5])
    np.testing.assert_array_equal(ops.one_hot([1, -1], 3).numpy(), [[0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(ops.one_hot([1, 0], 2, axis=0).numpy(), [[0, 1], [1, 0]])


def test_conversions():
    tensor = Tensor(X, requires_grad=True)
    assert not ops.stop_gradient(tensor * 2).requires_grad
    assert ops.convert_to_tensor(tensor) is tensor
    assert ops.convert_to_tensor([1, 2], dtype="float32").dtype == np.float32
    array = ops.convert_to_numpy(tensor)
    array[:] = 0
    assert (tensor.numpy() == X).all()
    assert ops.shape(tensor) == (3, 4)
    assert ops.ndim([[1, 2]]) == 2


@pytest.mark.parametrize("kind", [np.asarray, Tensor])
@pytest.mark.parametrize("nothing", [[], (), np.array([], int), [[], []]], ids=str)
def test_nothing_may_be_taken(kind, nothing):
    """An empty list is one of floats to NumPy, and yet it may be an index."""
    x, shape = kind(np.arange(6.0).reshape(2, 3)), np.shape(nothing)
    assert ops.take(x, nothing).shape == shape
    assert ops.take(x, nothing, axis=1).shape == (2, *shape)
    assert ops.getitem(x, (slice(None), nothing)).shape == (2, *shape)
    if isinstance(nothing, list) and kind is Tensor:
        assert x[nothing].shape == (*shape, 3)


def test_truths_are_places_to_take_and_masks_to_index_with():
    x = np.array([[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(ops.take(x, [True, False, True]), np.take(x, [True, False, True]))
    np.testing.assert_array_equal(ops.take(Tensor(x), [True, False], axis=0).numpy(), x[[1, 0]])
    np.testing.assert_array_equal(ops.getitem(x, [True, False]), x[:1])


def test_mistakes():
    with pytest.raises(ValueError, match="ord must be a positive number"):
        ops.norm(X, float("inf"), axis=1)
    for ord, axis in ((2, None), (1, (0, 1)), ("nuc", None)):
        with pytest.raises(ValueError, match="is for vectors: give their axis"):
            ops.norm(X, ord, axis=axis)
