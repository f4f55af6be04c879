"""Whatever Tensor is changed between forward and backward: backward says so,
or its gradients are those of the values then.
"""

import numpy as np
import pytest

from tinynet import Tensor, grad, losses, ops

from ops.calls import CALLS, NO_ARRAYS, arrays
from ops.cases import CASES

UNNAMED = {"convert_to_numpy", "ndim", "shape"}  # their results are no Tensors


def changed(array):
    """Other values that the same call takes: for indices and masks those of another place."""
    if array.dtype.kind == "b":
        return ~array
    return array[::-1].copy() if array.dtype.kind in "iu" else array * 0.7 + 0.1


def loss_calls():
    """Losses with Tensors of targets and weights, whole and by parts."""
    rows = np.array([[0.25, 0.25, 0.5], [0.5, 0.2, 0.3]])
    for name in (
        "MeanSquaredError",
        "CategoricalCrossentropy",
        "BinaryCrossentropy",
        "KLDivergence",
        "Huber",
        "Hinge",
    ):
        loss = getattr(losses, name)()
        yield (
            name,
            lambda t, p, w, loss=loss: loss(t, p, sample_weight=w),
            [np.eye(3)[[2, 0]], rows, np.array([1.0, 3.0])],
        )
    for settings in ({}, {"ignore_class": 1}, {"from_logits": True}):
        loss = losses.SparseCategoricalCrossentropy(**settings)
        labels = np.array([2, 0])
        yield (
            f"sparse {settings}",
            lambda t, p, w, loss=loss: loss(t, p, sample_weight=w),
            [labels, rows, np.ones(2)],
        )


EVERY = [(case.name, case, case.inputs) for case in CASES]
EVERY += [
    (name, lambda *xs, f=f: f(ops, *xs), arrays(name))
    for name, (f, _) in CALLS.items()
    if name not in UNNAMED
]
EVERY += list(loss_calls())
EACH = [
    pytest.param(function, inputs, which, id=f"{name}-{which}")
    for name, function, inputs in EVERY
    for which in range(len(inputs))
]


def recorded(function, inputs):
    """The Tensors given, those tracked, the results that have a derivative and
    upstream gradients for them.
    """
    tensors = [Tensor(np.array(x), requires_grad=np.asarray(x).dtype.kind == "f") for x in inputs]
    outputs = function(*tensors)
    outputs = [
        y
        for y in (outputs if isinstance(outputs, tuple) else (outputs,))
        if isinstance(y, Tensor) and y.requires_grad
    ]
    return (
        tensors,
        [x for x in tensors if x.requires_grad],
        outputs,
        [np.full(y.shape, 0.5, y.dtype) for y in outputs],
    )


def refused_or(expected, found):
    """The gradients that `found` computes are those expected,
    unless it refuses the change by the name of the operation.
    """
    try:
        gradients = found()
    except RuntimeError as error:
        assert "has changed it since" in str(error)  # noqa: PT017  both ends are right
        return
    for wanted, seen in zip(expected, gradients, strict=True):
        if wanted is not None or seen is not None:
            np.testing.assert_allclose(seen.numpy(), wanted.numpy(), rtol=1e-12, atol=1e-12)


def differentiable(tracked, outputs, upstream):
    try:
        return grad(outputs, tracked, upstream, retain_graph=True, allow_unused=True) if outputs else None
    except TypeError as error:  # targets that have no derivative
        assert "has no derivative" in str(error)  # noqa: PT017
        return None


@pytest.mark.parametrize(("function", "inputs", "which"), EACH)
def test_a_change_before_backward(function, inputs, which):
    tensors, tracked, outputs, upstream = recorded(function, inputs)
    if not outputs:
        pytest.skip("a constant of the tape")
    if (expected := differentiable(tracked, outputs, upstream)) is None:  # then its other inputs alone
        inputs = [np.array(x) for x in inputs]
        tensors = [Tensor(x, requires_grad=i != 0 and x.dtype.kind == "f") for i, x in enumerate(inputs)]
        tracked, y = [x for x in tensors if x.requires_grad], function(*tensors)
        outputs, upstream = [y], [np.full(y.shape, 0.5, y.dtype)]
        expected = grad(outputs, tracked, upstream, retain_graph=True, allow_unused=True)
    tensors[which].assign(changed(tensors[which].numpy()))
    refused_or(expected, lambda: grad(outputs, tracked, upstream, allow_unused=True))


@pytest.mark.parametrize(("function", "inputs", "which"), EACH)
def test_a_change_between_the_first_and_the_second_derivative(function, inputs, which):
    tensors, tracked, outputs, upstream = recorded(function, inputs)
    if differentiable(tracked, outputs, upstream) is None:
        return
    seeds = [Tensor(g, requires_grad=True) for g in upstream]
    first = grad(outputs, tracked, seeds, create_graph=True, allow_unused=True)
    first = [g for g in first if g is not None and g.requires_grad]
    if not first:
        return
    weights = [np.linspace(0.5, 1.5, g.size).reshape(g.shape) for g in first]
    expected = grad(first, [*tracked, *seeds], weights, retain_graph=True, allow_unused=True)
    tensors[which].assign(changed(tensors[which].numpy()))
    refused_or(expected, lambda: grad(first, [*tracked, *seeds], weights, allow_unused=True))


def test_values_in_between_are_watched_too():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    middle = x * 2.0
    first = grad((middle * middle * middle).sum(), x, create_graph=True)
    np.testing.assert_array_equal(grad(first.sum(), x, retain_graph=True).numpy(), [48.0, 96.0])
    middle.assign(np.zeros(2))
    with pytest.raises(RuntimeError, match=r"'multiply' saved .* has changed it since"):
        grad(first.sum(), x)


@pytest.mark.parametrize(
    "read",
    [lambda x, i: x[i], lambda x, i: ops.take(x, i, axis=0), lambda x, i: x[i, i * 0], lambda x, i: x[i, 1:]],
)
def test_the_elements_read_then_receive_the_gradient(read):
    x, i = Tensor(np.ones((4, 2)), requires_grad=True), Tensor(np.array([0, 1]))
    y = read(x, i)
    expected = grad(y.sum(), x, retain_graph=True).numpy()
    assert expected.any()
    i.assign(np.array([3, 3]))
    np.testing.assert_array_equal(grad(y.sum(), x).numpy(), expected)


def test_a_list_changed_since_does_no_harm():
    x, index = Tensor(np.ones(3), requires_grad=True), [0, 1]
    y = x[index]
    index[:] = [2, 2]
    np.testing.assert_array_equal(grad(y.sum(), x).numpy(), [1.0, 1.0, 0.0])


def test_every_public_function_has_a_line():
    lines, names = {name.split()[0] for name in CALLS} | NO_ARRAYS, set(ops.__all__)
    wrong = [f"{name} is in tests/ops/calls.py but not in ops.__all__" for name in sorted(lines - names)]
    wrong += [f"{name} has no line in tests/ops/calls.py: add one" for name in sorted(names - lines)]
    assert not wrong, "; ".join(wrong)
