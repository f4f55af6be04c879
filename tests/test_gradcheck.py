"""What gradcheck reports, and what it refuses; that it notices every wrong rule
is shown in test_mutation.py.
"""

import numpy as np
import pytest

from tinynet import Tensor, gradcheck, gradgradcheck, kernels, ops
from tinynet.autograd import primitive
from tinynet.gradient_check import GradientError
from tinynet.kernels import cuda

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]])


def doubled(rule):
    """x -> 2 x with the given derivative rule."""

    @primitive
    def double(x):
        return x * 2

    return double.vjp("x")(rule)


def test_right_derivatives_pass():
    assert gradcheck(lambda x: ops.exp(x) * x, X) is True
    assert gradgradcheck(lambda x, y: ops.exp(x) * y, [X, X]) is True
    assert gradcheck(ops.exp, Tensor(X.astype(np.float32)))


def test_the_report_names_the_worst_element():
    def rule(grad):
        wrong = grad * 2.0
        wrong[1, 2] *= 1.5
        wrong[0, 1] *= 1.1
        return wrong

    with pytest.raises(GradientError) as failure:
        gradcheck(doubled(rule), X)
    report = str(failure.value)
    assert "the derivative by x[1, 2] is wrong" in report
    for word in ("from the tape", "finite differences", "relative 0.333", "elements that differ  2 of 6"):
        assert word in report


def test_the_report_uses_the_names_of_the_function():
    def model(images, weights):
        return images * weights.detach()

    with pytest.raises(GradientError, match=r"weights\["):
        gradcheck(model, [X, X])


@pytest.mark.parametrize("at", [0.0, 2e-5, -6e-5])
def test_kinks_are_reported_as_such(at):
    with pytest.raises(GradientError, match=r"kink or a tie near x\[1\]"):
        gradcheck(ops.relu, np.array([1.0, at, -2.0]))
    assert gradcheck(ops.relu, np.array([1.0, at + 1e-3, -2.0]))


def test_ties_are_reported_as_such():
    with pytest.raises(GradientError, match="kink or a tie"):
        gradcheck(
            lambda x: ops.max_pool2d(x, pool_size=2), np.array([1.0, 3.0, 3.0, 0.0]).reshape(1, 2, 2, 1)
        )


def test_a_kink_does_not_excuse_a_wrong_rule():
    with pytest.raises(GradientError, match=r"by x\[\d\] is wrong"):
        gradcheck(lambda x: ops.abs(x) * x.detach(), np.array([1.0, 2.0]))


def test_an_upstream_gradient_of_ones_would_not_do():
    """The gradient of softmax for an upstream of ones is zero:
    a rule that returns zero must fail all the same.
    """

    @primitive
    def softmax(x):
        e = np.exp(x)
        return e / e.sum(-1, keepdims=True)

    @softmax.vjp("x")
    def _(grad):
        return grad * 0.0

    with pytest.raises(GradientError):
        gradcheck(softmax, X)


def test_rules_that_change_their_gradient_are_refused():
    def rule(grad):
        grad *= 2
        return grad

    with pytest.raises(GradientError, match="upstream gradient was changed in place"):
        gradcheck(doubled(rule), X)


def test_functions_that_change_their_input_are_refused():
    def f(x):
        y = x * 2.0
        x.data[0, 0] += 0.0 if x.data[0, 0] > 5 else 10.0
        return y

    with pytest.raises(GradientError, match=r"x was changed in place|other values when it is called again"):
        gradcheck(f, X)


def test_other_formats_than_float64_are_refused():
    with pytest.raises(GradientError, match="float32"):
        gradcheck(lambda x: x.astype("float32"), X)


def test_random_functions_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError, match="fix its random key"):
        gradcheck(lambda x: x * rng.random(), X)


def test_constants_are_refused():
    with pytest.raises(GradientError, match="no output depends on an input"):
        gradcheck(lambda x: x.detach() * 2.0, X)
    with pytest.raises(ValueError, match="nothing to differentiate"):
        gradcheck(lambda i: i, np.arange(3))


def test_a_wrong_second_derivative_is_noticed():
    @primitive
    def cube(x):
        return x**3

    @cube.vjp("x")
    def _(grad, x):
        return grad * (3 * x.detach() ** 2)  # off the tape

    assert gradcheck(cube, X)
    with pytest.raises(GradientError):
        gradgradcheck(cube, X)


def test_integer_inputs_are_passed_on():
    assert gradcheck(lambda x, index: x[index.data], [X, np.array([1, 1, 0])])


def test_an_input_without_influence_has_gradient_zero():
    assert gradcheck(lambda x, y: x * 2.0, [X, X])


def test_several_outputs():
    assert gradcheck(lambda x: (ops.exp(x), ops.sum(x), x > 0), X)
    assert gradgradcheck(lambda x: (ops.exp(x), ops.sum(ops.square(x))), X)


def test_the_memory_order_of_inputs_is_kept():
    seen = []

    def f(x):
        seen.append(x.data.flags.f_contiguous)
        return ops.exp(x)

    gradcheck(f, np.asfortranarray(X))
    assert all(seen)


def test_every_implementation_is_checked(monkeypatch):
    run = []
    implementations = kernels.activations.relu.implementations
    for name, function in implementations.items():
        monkeypatch.setitem(
            implementations, name, lambda x, name=name, function=function: run.append(name) or function(x)
        )
    gradcheck(ops.relu, X, kernels={"activations": "all"})
    assert set(run) == set(implementations)
    run.clear()
    gradcheck(ops.relu, X, kernels={"activations": ["numpy"]})
    assert set(run) == {"numpy"}


def test_cuda_is_checked_where_it_runs(monkeypatch):
    monkeypatch.delitem(cuda.loaders, "numpy")  # as outside of these tests
    relu = kernels.activations.relu.implementations
    monkeypatch.setitem(relu, "cuda", lambda x: pytest.fail("NumPy arrays were given to a CUDA kernel"))
    gradcheck(ops.relu, X, kernels={"activations": "all"})


def test_the_report_names_the_implementation(monkeypatch):
    monkeypatch.setitem(kernels.activations.relu_grad.implementations, "numpy", lambda g, y: g * 0.5)
    with pytest.raises(GradientError, match="under activations='numpy'"):
        gradcheck(ops.relu, X, kernels={"activations": "all"})
