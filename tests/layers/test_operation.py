"""Operators between symbolic tensors: shapes as NumPy has them, found without computing anything."""

import numpy as np
import pytest

from tinynet import Input, Model
from tinynet.layers.operation import Operation

SHAPES = [((3,), (3,)), ((4, 3), (1, 3)), ((4, 1), (1, 5)), ((2, 4, 3), (2, 1, 3)), ((1,), (6,))]


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_shapes_of_sums(a, b):
    x, y = np.ones((7, *a), np.float32), np.ones((7, *b), np.float32)
    inputs = [Input(a), Input(b)]
    total = inputs[0] + inputs[1]
    assert total.shape == (None, *(x + y).shape[1:])
    np.testing.assert_array_equal(Model(inputs, total).predict([x, y], verbose=0), x + y)


@pytest.mark.parametrize("constant", [2.0, np.arange(3.0), np.ones((4, 1)), np.ones((1, 4, 3))])
@pytest.mark.parametrize("left", [False, True])
def test_shapes_with_numbers(constant, left):
    x = np.ones((7, 4, 3), np.float32)
    given = Input((4, 3))
    y = Operation("subtract", constant, left)(given)
    assert y.shape == (None, *(x - constant).shape[1:])
    wanted = constant - x if left else x - constant
    np.testing.assert_array_equal(Model(given, y).predict(x, verbose=0), wanted.astype(np.float32))


@pytest.mark.parametrize(("a", "b"), [((4, 3), (3, 5)), ((2, 4, 3), (2, 3, 1)), ((2, 4, 3), (1, 3, 5))])
def test_shapes_of_products(a, b):
    x, y = np.ones((7, *a), np.float32), np.ones((7, *b), np.float32)
    inputs = [Input(a), Input(b)]
    product = inputs[0] @ inputs[1]
    assert product.shape == (None, *(x @ y).shape[1:])
    np.testing.assert_array_equal(Model(inputs, product).predict([x, y], verbose=0), x @ y)


def test_products_with_numbers():
    x, w = np.ones((7, 4, 3), np.float32), np.ones((3, 5), np.float32)
    assert Operation("matmul", w)(Input((4, 3))).shape == (None, *(x @ w).shape[1:])
    assert Operation("matmul", np.ones(3))(Input((4, 3))).shape == (None, *(x @ np.ones(3)).shape[1:])
    assert Operation("matmul", np.ones((5, 4)), left=True)(Input((4, 3))).shape == (None, 5, 3)


def test_sizes_that_are_not_known():
    assert (Input((None, 3)) + Input((None, 1))).shape == (None, None, 3)
    assert (Input((None, 3)) + Input((5, 3))).shape == (None, 5, 3)
    assert (Input((None, 3)) @ Input((3, None))).shape == (None, None, None)


def test_mistakes():
    for make, error, match in [
        (lambda: Input((3,)) + Input((4,)), ValueError, "do not broadcast"),
        (lambda: Input((4, 3)) @ Input((4, 3)), ValueError, "do not fit"),
        (lambda: Operation("add")(Input((3,))), ValueError, "takes 2 operands, got 1"),
        (lambda: Operation("abs", 1.0)(Input((3,))), ValueError, "takes 1 operands, got 2"),
        (lambda: Operation("add", "x"), TypeError, "constant must be a number"),
        (lambda: Operation("eval"), ValueError, "operator must be one of"),
    ]:
        with pytest.raises(error, match=match):
            make()
