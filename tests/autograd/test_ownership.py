"""Gradients that reach the user are theirs: writable, in memory that nothing else uses."""

from itertools import combinations

import numpy as np
import pytest

from tinynet import Tensor, grad, no_grad, ops
from tinynet.autograd import basics

from ops.cases import CASES


def outcome(case):
    """Tracked inputs, differentiable outputs and upstream gradients of a case."""
    inputs = [Tensor(np.array(x), requires_grad=np.asarray(x).dtype.kind == "f") for x in case.inputs]
    outputs = case(*inputs)
    outputs = [y for y in (outputs if isinstance(outputs, tuple) else (outputs,)) if y.requires_grad]
    upstream = [np.full(y.shape, 0.5, y.dtype) for y in outputs]
    tracked = [x for x in inputs if x.requires_grad]
    return inputs, tracked, outputs, upstream


def assert_owned(gradients, *others):
    arrays = [g.data if isinstance(g, Tensor) else g for g in gradients]
    assert all(a.flags.writeable for a in arrays)
    for a, b in combinations(arrays, 2):
        assert not np.may_share_memory(a, b)
    for a in arrays:
        for b in others:
            assert not np.may_share_memory(a, b.data if isinstance(b, Tensor) else b)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_backward_leaves(case):
    inputs, tracked, outputs, upstream = outcome(case)
    for y, g in zip(outputs, upstream, strict=True):
        y.backward(g, retain_graph=True)
    first = [x.grad for x in tracked if x.grad is not None]
    assert first
    assert_owned(first, *inputs, *outputs, *upstream)
    kept = [g.numpy() for g in first]
    for y, g in zip(outputs, upstream, strict=True):
        y.backward(g, retain_graph=True)
    again = [x.grad for x in tracked if x.grad is not None]
    assert_owned([*first, *again], *inputs, *outputs, *upstream)
    for before, then, now in zip(kept, first, again, strict=True):
        np.testing.assert_array_equal(then.numpy(), before)  # what was handed out stays as it was
        np.testing.assert_allclose(now.numpy(), 2 * before, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_grad_returns(case, create_graph):
    inputs, tracked, outputs, upstream = outcome(case)
    seeds = [Tensor(g, requires_grad=True) for g in upstream] if create_graph else upstream
    found = grad(outputs, [*tracked, *tracked, *outputs], seeds, create_graph=create_graph, allow_unused=True)
    found = [g for g in found if g is not None]
    assert_owned(found, *inputs, *outputs, *upstream)
    kept = [g.numpy() for g in found]
    with no_grad():
        for g, value in zip(found, kept, strict=True):
            np.testing.assert_array_equal(g.numpy(), value)
            g *= 0.0  # must change none of the others


def test_a_gradient_changed_in_place_leaves_the_others_alone():
    a, b = (Tensor(np.ones(3), requires_grad=True) for _ in range(2))
    upstream = np.full(3, 2.0)
    (a + b).backward(upstream)
    h = a.grad
    h *= 5.0
    upstream[:] = 7.0
    np.testing.assert_array_equal(b.grad.numpy(), [2.0, 2.0, 2.0])
    np.testing.assert_array_equal(a.grad.numpy(), [10.0, 10.0, 10.0])  # a.grad itself is one Tensor, as h


def test_gradients_of_a_sum_can_be_scaled_in_place():
    a = Tensor(np.ones((2, 3)), requires_grad=True)
    ops.sum(a).backward()
    h = a.grad
    h *= 2.0
    np.testing.assert_array_equal(h.numpy(), np.full((2, 3), 2.0))


def test_the_upstream_gradient_itself_is_not_handed_back():
    x, g = Tensor(np.ones(2), requires_grad=True), Tensor(np.ones(2), requires_grad=True)
    (found,) = grad([x + 1.0], [x], [g], create_graph=True)
    assert found is not g
    # and still depends on it
    np.testing.assert_array_equal(grad((found * found).sum(), g).numpy(), [2.0, 2.0])


def test_create_graph_records_nothing_under_no_grad():
    x = Tensor(np.ones(2), requires_grad=True)
    y = (x * x * x).sum()
    with no_grad():
        found = grad(y, x, create_graph=True)
    assert not found.requires_grad
    np.testing.assert_array_equal(found.numpy(), [3.0, 3.0])


def test_a_tensor_of_a_tensor_shares_its_version():
    t = Tensor(np.ones(2))
    x = Tensor(np.ones(2), requires_grad=True)
    y = (x * Tensor(t)).sum()
    t.assign(np.zeros(2))
    with pytest.raises(RuntimeError, match="'multiply' saved 'x2'"):
        y.backward()


def test_a_gradient_that_nobody_else_has_is_not_copied(monkeypatch):
    x, w = Tensor(np.ones((4, 3), np.float32)), Tensor(np.ones((3, 2), np.float32), requires_grad=True)
    copied, copy = [], basics.copy
    monkeypatch.setattr(basics, "copy", lambda value: (copied.append(value.shape), copy(value))[1])
    grad(ops.sum(ops.tanh(x @ w)), w)
    assert copied == []
    grad(ops.sum(ops.tanh(x @ w)), [w, w])
    assert copied == [(3, 2), (3, 2)]
