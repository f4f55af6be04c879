"""What functions may be given: lists and numbers instead of arrays, and Keras's arguments with their meaning.

Their names, order and defaults are compared in ../test_keras_signatures.py. Expected values are NumPy's.
"""

import numpy as np
import pytest

from tinynet import Tensor, grad, gradcheck, ops

from ops.calls import CALLS, arrays

M = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
BINARY = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "power": np.power,
    "maximum": np.maximum, "minimum": np.minimum, "equal": np.equal, "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logaddexp": np.logaddexp,
    "matmul": np.matmul, "dot": np.dot,
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_lists_are_arrays(name):
    function, roles = CALLS[name]
    expected, found = function(ops, *arrays(name)), function(ops, *[x.tolist() for x in arrays(name)])
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=2e-5, atol=1e-6)
    if any(role.isupper() for role in roles):  # whose floats are of the default format
        assert getattr(found, "dtype", None) != np.float64


@pytest.mark.parametrize(
    "name", [name for name, (_, roles) in CALLS.items() if any(role.isupper() for role in roles)]
)
def test_lists_beside_tensors(name):
    """One operand a Tensor, the others lists: the gradient is that beside arrays."""
    function, roles = CALLS[name]
    for which in [i for i, role in enumerate(roles) if role.isupper()]:
        found = []
        for others in (lambda x: x, lambda x: x.tolist()):
            t = Tensor(arrays(name)[which], requires_grad=True)
            y = function(ops, *[t if i == which else others(x) for i, x in enumerate(arrays(name))])
            if not isinstance(y, Tensor) or not y.requires_grad or "sentropy" in name:
                break
            found.append((y.numpy(), grad(y.sum(), t).numpy()))
        for one, other in zip(*found, strict=True) if found else ():
            np.testing.assert_allclose(other, one, rtol=2e-5, atol=1e-6)


def test_numbers():
    assert ops.cast(3, "float32").dtype == np.float32
    assert ops.cast(ops.shape(M)[0], "float64") == 2
    assert ops.add(1, 2.5) == 3.5
    assert ops.add(1, 2.5).dtype == ops.sqrt(2).dtype == ops.where(True, 1.0, 0.0).dtype == np.float32
    assert ops.maximum(2, 3) == 3
    assert ops.sum(5) == ops.mean(5) == ops.max(5) == 5
    assert ops.exp(np.float64(0)).dtype == np.float32
    assert not isinstance(ops.add(1, 2), Tensor)  # a Tensor comes out where one went in
    assert isinstance(ops.add(Tensor(1.0), [1.0]), Tensor)


@pytest.mark.parametrize("name", BINARY)
def test_operands_by_name(name):
    a, b = np.array([1.0, 2.0, 0.0]), np.array([2.0, 2.0, 3.0])
    expected = BINARY[name](a, b)
    for found in (
        getattr(ops, name)(x1=Tensor(a), x2=b),
        getattr(ops, name)(Tensor(a), x2=b),
        getattr(ops, name)(x2=b, x1=a),
    ):
        np.testing.assert_allclose(np.asarray(found), expected)


@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric", "edge", "wrap"])
@pytest.mark.parametrize("widths", [1, (2, 1), ((1, 2),), ((1, 1), (0, 2)), [[5, 4], [2, 7]]])
def test_pad(mode, widths):
    np.testing.assert_array_equal(
        ops.pad(Tensor(M), pad_width=widths, mode=mode).numpy(), np.pad(M, widths, mode)
    )
    x = Tensor(M, requires_grad=True)
    weight = np.arange(1.0, 1 + np.pad(M, widths, mode).size).reshape(np.pad(M, widths, mode).shape)
    found = grad((ops.pad(x, widths, mode) * weight).sum(), x).numpy()
    units = [np.pad(np.eye(1, 6, i).reshape(2, 3), widths, mode) for i in range(6)]  # padding is linear
    np.testing.assert_allclose(found.ravel(), [(unit * weight).sum() for unit in units])


def test_pad_with_a_value_and_mistakes():
    np.testing.assert_array_equal(ops.pad(M, 1, constant_values=7), np.pad(M, 1, constant_values=7))
    with pytest.raises(ValueError, match=r"pad: mode must be one of .*'reflect'.*got 'mirror'"):
        ops.pad(M, 1, "mirror")
    with pytest.raises(ValueError, match=r"constant_values goes with mode='constant', got mode='edge'"):
        ops.pad(M, 1, "edge", 3.0)
    for wrong in ((1, 2, 3), ((1, 1), (1, 1), (1, 1)), ((1,), (2,))):
        with pytest.raises(ValueError, match="one pair of widths for each axis"):
            ops.pad(M, wrong)


def test_split_by_places_and_by_number():
    x = np.arange(12.0).reshape(2, 6)
    for sections in ([1, 4], (2,), np.array([3, 3]), 3):
        for found, expected in zip(
            ops.split(x, indices_or_sections=sections, axis=1), np.split(x, sections, 1), strict=True
        ):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("name", "sign"), [("max", 1), ("min", -1)])
def test_initial_of_extremes(name, sign):
    function, reference = getattr(ops, name), getattr(np, name)
    np.testing.assert_array_equal(
        function(M, axis=1, initial=sign * 3.5), reference(M, axis=1, initial=sign * 3.5)
    )
    np.testing.assert_array_equal(function(np.zeros((0, 2)), axis=0, initial=-1.5), [-1.5, -1.5])
    assert function(M, initial=sign * 9.0, keepdims=True).shape == (1, 1)
    x = Tensor(M, requires_grad=True)
    np.testing.assert_array_equal(grad(function(x, initial=sign * 9.0), x).numpy(), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="zero-size"):
        function(np.zeros((0, 2)), axis=0)


def test_where_alone_says_where():
    for found, expected in zip(ops.where(M > 0), np.where(M > 0), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert all(isinstance(place, Tensor) for place in ops.where(Tensor(M) > 0))
    # numbers are true but for 0
    np.testing.assert_array_equal(ops.where([1, 0, 2], x1=1.0, x2=[5, 6, 7]), [1, 6, 1])
    with pytest.raises(ValueError, match="x1 and x2 belong together"):
        ops.where(M > 0, M)


@pytest.mark.parametrize("from_logits", [False, True])
def test_classes_along_another_axis(from_logits):
    p = np.random.default_rng(3).uniform(0.1, 1, (2, 4, 3))
    labels = np.array([[0, 3, 1], [2, 2, 0]])
    hot = np.moveaxis(np.eye(4)[labels], -1, 1)
    last = ops.sparse_categorical_crossentropy(labels, np.moveaxis(p, 1, -1), from_logits)
    np.testing.assert_allclose(
        ops.sparse_categorical_crossentropy(labels, p, from_logits=from_logits, axis=1), last
    )
    np.testing.assert_allclose(
        ops.categorical_crossentropy(hot, p, from_logits=from_logits, axis=1), last, rtol=1e-12
    )
    q = np.exp(p) if from_logits else p
    expected = -np.log(np.take_along_axis(q / q.sum(1, keepdims=True), labels[:, None], 1))[:, 0]
    np.testing.assert_allclose(last, expected, rtol=1e-6)


def test_small_arguments_of_keras():
    np.testing.assert_array_equal(ops.eye(3, 4, k=1).numpy(), np.eye(3, 4, 1))
    np.testing.assert_array_equal(ops.swapaxes(M, axis1=0, axis2=1), M.T)
    np.testing.assert_array_equal(ops.transpose(M, axes=(1, 0)), M.T)
    np.testing.assert_array_equal(ops.reshape(M, newshape=(3, -1)), M.reshape(3, 2))
    np.testing.assert_array_equal(ops.moments(M, axes=[0], synchronized=False)[0], M.mean(0))
    np.testing.assert_array_equal(ops.round(M / 3, decimals=2), np.round(M / 3, 2))
    np.testing.assert_array_equal(ops.unstack(M, num=3, axis=1)[2], M[:, 2])
    np.testing.assert_array_equal(ops.stack(x=[M, M], axis=1), np.stack([M, M], 1))
    np.testing.assert_array_equal(ops.stop_gradient(variable=M), M)
    assert ops.expand_dims(M, (0, -1)).shape == np.expand_dims(M, (0, -1)).shape
    x = np.zeros((2, 3, 4, 5))
    assert ops.moveaxis(x, [0, 1], [-1, 0]).shape == np.moveaxis(x, [0, 1], [-1, 0]).shape
    for name in ("argmax", "argmin", "all", "any"):
        for settings in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"keepdims": True}):
            expected = getattr(np, name)(M > 0 if name in ("all", "any") else M, **settings)
            np.testing.assert_array_equal(
                getattr(ops, name)(M > 0 if name in ("all", "any") else M, **settings), expected
            )
    for made in (
        ops.zeros_like(M, dtype="int32"),
        ops.ones_like(M, "int32"),
        ops.full_like(M, fill_value=2, dtype="int32"),
    ):
        assert made.dtype == np.int32
        assert made.shape == M.shape
    with pytest.raises(ValueError, match=r"axis 1 of shape .* has not 2 parts"):
        ops.unstack(M, num=2, axis=1)
    with pytest.raises(ValueError, match="a place for each axis"):
        ops.moveaxis(x, [0, 1], 2)


@pytest.mark.parametrize("shapes", [((), (2, 3)), ((3,), (3,)), ((2, 3), (3,)), ((4, 2, 3), (3, 5)),
                                    ((2, 3), (4, 3, 5)),
                                    ((6, 2, 3), (4, 3, 5)), ((3,), (2, 4, 3, 5)), ((2, 3), ())])  # fmt: skip
def test_dot_is_numpys(shapes):
    a, b = (np.random.default_rng(7).normal(size=shape) for shape in shapes)
    np.testing.assert_allclose(ops.dot(a, b), np.dot(a, b), rtol=1e-12)
    assert gradcheck(ops.dot, [a, b])


def test_gelu_is_keras_s_by_default():
    x = np.array([-1.0, 2.0])
    np.testing.assert_allclose(ops.gelu(x), [-0.15880801, 1.95459769], rtol=1e-6)  # the approximation by tanh
    np.testing.assert_allclose(ops.gelu(x, approximate=False), [-0.15865525, 1.95449974], rtol=1e-6)


def test_logic_is_of_truth_and_operators_are_of_bits():
    a, b = np.array([0, 1, 2]), np.array([1, 2, 0])
    for x in (a, Tensor(a)):
        np.testing.assert_array_equal(np.asarray(ops.logical_and(x, b)), np.logical_and(a, b))
        np.testing.assert_array_equal(np.asarray(ops.logical_or(x, b)), np.logical_or(a, b))
        np.testing.assert_array_equal(np.asarray(ops.logical_not(x)), np.logical_not(a))
    t = Tensor(a)
    np.testing.assert_array_equal((t & b).numpy(), a & b)
    np.testing.assert_array_equal((b | t).numpy(), a | b)
    np.testing.assert_array_equal((~t).numpy(), ~a)
    np.testing.assert_array_equal(np.logical_and(t, b).numpy(), np.logical_and(a, b))
    np.testing.assert_array_equal(np.bitwise_and(t, b).numpy(), a & b)


def test_methods_of_a_tensor_are_as_numpy_has_them():
    t = Tensor(M)
    for shape in ((3, 2), ((3, 2),), ([3, 2],), (-1,), (6,)):
        np.testing.assert_array_equal(t.reshape(*shape).numpy(), M.reshape(*shape))
    for axes in ((), (None,), (1, 0), ((1, 0),), ([0, 1],)):
        np.testing.assert_array_equal(t.transpose(*axes).numpy(), M.transpose(*axes))
