"""Values against NumPy: reductions, shapes, indices, joins; and the errors for what does not fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, basic_indices

from tinynet import Tensor, gradcheck, ops

SHAPES = array_shapes(min_dims=1, max_dims=4, max_side=4)
REDUCTIONS = {
    "sum": np.sum, "mean": np.mean, "var": np.var, "max": np.max, "min": np.min,
    "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
}  # fmt: skip


@given(st.data(), SHAPES, st.sampled_from(sorted(REDUCTIONS)), st.booleans(), st.integers(0, 99))
def test_reductions(data, shape, name, keepdims, seed):
    axes = st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True)
    axis = data.draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1), axes.map(tuple)))
    x = np.random.default_rng(seed).permutation(np.arange(np.prod(shape))).reshape(shape) * 0.3 - 1.0
    y = getattr(ops, name)(Tensor(x, requires_grad=True), axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(
        y.numpy(), REDUCTIONS[name](x, axis=axis, keepdims=keepdims), rtol=1e-12, atol=1e-12
    )
    assert gradcheck(
        lambda x: getattr(ops, name)(x, axis, keepdims), x, jacobian_size=8, directions=1, atol=1e-6
    )


@pytest.mark.parametrize("axis", [2, -3, (0, 0), (0, -2)])
def test_wrong_axes_are_refused(axis):
    with pytest.raises(ValueError, match=r"sum: axis .* array of shape \(2, 3\)"):
        ops.sum(Tensor(np.ones((2, 3))), axis=axis)


@given(st.data(), SHAPES)
def test_basic_indexing(data, shape):
    x = np.arange(np.prod(shape), dtype=float).reshape(shape)
    index = data.draw(basic_indices(shape, allow_newaxis=True))
    np.testing.assert_array_equal(Tensor(x)[index].numpy(), x[index])
    if np.asarray(x[index]).size:
        assert gradcheck(lambda x: x[index], x, jacobian_size=8, directions=1)


@pytest.mark.parametrize(
    "index",
    [
        np.array([0, 0, 2]), np.array([[0, 2], [2, 2]]), [1, 1], np.array([True, False, True]),
        (slice(None), [3, 3, 0]),
        (np.array([0, 2]), np.array([1, 1])), (np.array([0, 0]), slice(1, 3)), np.ones((3, 4), bool),
        (..., -1), None,
        (np.array([[0], [1]]), np.array([0, 0, 1])), np.int64(1), Tensor(np.array([0, 0])),
        (Tensor(np.array([2, 2])), 1),
    ],
    ids=str,
)  # fmt: skip
def test_indexing_with_arrays_and_masks(index):
    x = np.random.default_rng(0).standard_normal((3, 4))
    raw = (
        tuple(getattr(i, "data", i) if isinstance(i, Tensor) else i for i in index)
        if isinstance(index, tuple)
        else index
    )
    raw = raw.data if isinstance(raw, Tensor) else raw
    np.testing.assert_array_equal(Tensor(x)[index].numpy(), x[raw])
    assert gradcheck(lambda x: x[index], x)


def test_repeated_indices_accumulate():
    x = Tensor(np.zeros(3), requires_grad=True)
    x[[1, 1, 1, 2]].backward(np.array([1.0, 2.0, 4.0, 8.0]))
    np.testing.assert_array_equal(x.grad.numpy(), [0.0, 7.0, 8.0])


def test_shapes_against_numpy():
    x = np.arange(24.0).reshape(2, 1, 3, 4)
    t = Tensor(x)
    for actual, expected in [
        (ops.reshape(t, (4, -1)), x.reshape(4, -1)), (t.reshape((6, 4)), x.reshape(6, 4)),
        (ops.flatten(t), x.ravel()),
        (ops.transpose(t), x.T), (t.T, x.T), (t.transpose(3, 0, 1, 2), x.transpose(3, 0, 1, 2)),
        (ops.transpose(t, (0, 2, 3, 1)), x.transpose(0, 2, 3, 1)),
        (ops.moveaxis(t, 1, -1), np.moveaxis(x, 1, -1)),
        (ops.moveaxis(t, -1, 0), np.moveaxis(x, -1, 0)), (ops.swapaxes(t, 0, -1), np.swapaxes(x, 0, -1)),
        (ops.squeeze(t), x.squeeze()), (ops.squeeze(t, 1), x.squeeze(1)),
        (ops.expand_dims(t, -1), np.expand_dims(x, -1)),
        (ops.expand_dims(t, 2), np.expand_dims(x, 2)), (ops.broadcast_to(t, (2, 5, 3, 4)),
                                                        np.broadcast_to(x, (2, 5, 3, 4))),
        (ops.pad(t, ((0, 0), (1, 2), (0, 1), (2, 0)), constant_values=7.0),
         np.pad(x, ((0, 0), (1, 2), (0, 1), (2, 0)), constant_values=7.0)),
        (ops.pad(t, 1), np.pad(x, 1)), (ops.concatenate([t, t], -1), np.concatenate([x, x], -1)),
        (ops.stack([t, t], 1), np.stack([x, x], 1)), (ops.stack([t, t], -1), np.stack([x, x], -1)),
    ]:  # fmt: skip
        np.testing.assert_array_equal(actual.numpy(), expected)
    for actual, expected in zip(ops.split(t, 2, -1), np.split(x, 2, -1), strict=True):
        np.testing.assert_array_equal(actual.numpy(), expected)
    for actual, expected in zip(ops.split(t, [1, 3], 3), np.split(x, [1, 3], 3), strict=True):
        np.testing.assert_array_equal(actual.numpy(), expected)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda t: ops.squeeze(t, 0), lambda t: ops.split(t, 2, 1), lambda t: ops.transpose(t, (0, 0)),
        lambda t: ops.expand_dims(t, 4), lambda t: ops.pad(t, ((1, 1), (1, -1))),
        lambda t: ops.concatenate([]),
        lambda t: ops.concatenate([t, ops.flatten(t)]), lambda t: ops.matmul(t, t),
        lambda t: ops.matmul(t, 2.0),
        lambda t: ops.linear(t, t), lambda t: ops.linear(t, t.T, np.ones(5)),
        lambda t: ops.dropout(t, rate=1.5, key=(0, 0), call=0),
        lambda t: ops.reshape(t, (4, 2)), lambda t: ops.batch_norm(t, np.ones(2), np.ones(3)),
        lambda t: ops.categorical_crossentropy(np.ones(2), t),
        lambda t: ops.sparse_categorical_crossentropy(np.ones((2, 3)), t),
        lambda t: ops.binary_crossentropy(np.ones((2, 1)), t), lambda t: ops.conv2d(t, t),
        lambda t: ops.max_pool2d(ops.reshape(t, (1, 2, 3, 1)), pool_size=(1, 2, 3)),
        lambda t: ops.leaky_relu(t, -0.1),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_value_error(attempt):
    with pytest.raises(ValueError):
        attempt(Tensor(np.ones((2, 3))))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3,), (3,)),
        ((3,), (3, 4)),
        ((2, 3), (3,)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (3, 4)),
        ((3,), (5, 3, 4)),
        ((5, 1, 2, 3), (4, 3, 2)),
    ],
)
def test_matmul_of_all_ranks(a, b):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(a), rng.standard_normal(b)
    np.testing.assert_allclose((Tensor(a) @ Tensor(b)).numpy(), a @ b, rtol=1e-12)
    assert gradcheck(ops.matmul, [a, b])


@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3), (2, 4, 3, 3)])
def test_linear_over_the_last_axis(shape):
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal(shape), rng.standard_normal((3, 2)), rng.standard_normal(2)
    np.testing.assert_allclose(ops.linear(Tensor(x), w, b).numpy(), x @ w + b, rtol=1e-12)
    assert gradcheck(ops.linear, [x, w, b])
    assert gradcheck(lambda x, w: ops.linear(x, w), [x, w])


def test_linear_keeps_batch_last_memory():
    x = np.asarray(np.ones((8, 3), np.float32), order="F")
    y = ops.linear(Tensor(x, requires_grad=True), Tensor(np.ones((3, 2), np.float32)))
    assert y.data.strides == (4, 32)


def test_numbers_that_are_not_recorded():
    x = np.array([1.0, 2.0])
    assert type(ops.exp(x)) is np.ndarray
    assert type(ops.mean(x)) is not Tensor
