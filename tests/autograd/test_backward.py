"""The walk: what arrives where, what is freed, what is refused."""

import doctest
import gc
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

from tinynet import Parameter, Tensor, grad, no_grad, ops
from tinynet.autograd import gradients, primitive, tape
from tinynet.autograd.tape import Node


def leaf(values, name=None):
    return Tensor(np.asarray(values, np.float64), requires_grad=True, name=name)


def test_ten_thousand_operations_in_a_chain():
    x = leaf(1.0)
    y = x
    for _ in range(10_000):
        y = y * 1.0001
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), 1.0001**10_000)


def test_a_deep_graph_is_dropped_without_recursion():
    y = ops.exp(leaf([0.0]))
    saved = weakref.ref(y.data)  # for the derivative of exp
    for _ in range(100_000):
        y = y + 1.0
    assert saved() is not None
    del y
    gc.collect()
    assert saved() is None


def test_a_value_used_twice_receives_both_gradients():
    x = leaf([1.0, 2.0, 3.0])
    (x * x + ops.exp(x)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * x.numpy() + np.exp(x.numpy()))


def test_the_tape_that_the_module_shows():
    """The example in the docstring of tape.py is run as it stands there."""

    def show(node):
        ends = [
            f"leaf {e.name}" if isinstance(e, Tensor) else f"output {e[1]} of {e[0].primitive.name}"
            for e in node.edges
        ]
        print(
            f"{node.primitive.name:9}  edges: {', '.join(ends):32} saved: {', '.join(map(str, node.saved))}"
        )

    test = doctest.DocTestParser().get_doctest(
        tape.__doc__, {"Tensor": Tensor, "show": show}, "tape", None, None
    )
    assert len(test.examples) == 7
    out = []
    result = doctest.DocTestRunner().run(test, out=out.append)
    assert result.failed == 0, "".join(out)


def test_a_diamond_is_walked_once_for_each_node():
    calls = []

    @primitive
    def counted(x):
        return x * 2

    @counted.vjp("x")
    def _(grad):
        calls.append(1)
        return grad * 2

    x = leaf(1.0)
    y = counted(x)
    for _ in range(30):
        y = y + y  # 2**30 paths
    y.backward()
    assert x.grad.item() == 2.0**31
    assert len(calls) == 1


def test_gradients_accumulate_until_zeroed():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [4.0, 8.0])
    x.zero_grad()
    assert x.grad is None


def test_accumulation_leaves_earlier_gradients_alone():
    x = leaf([1.0, 2.0])
    upstream = np.ones(2)
    (x + 0.0).backward(upstream)
    first = x.grad
    (x + 0.0).backward(upstream)
    np.testing.assert_array_equal(first.numpy(), [1.0, 1.0])
    np.testing.assert_array_equal(upstream, [1.0, 1.0])
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 2.0])


def test_a_second_backward_says_what_to_do():
    y = ops.exp(leaf(1.0))
    y.backward()
    with pytest.raises(RuntimeError, match=r"graph of 'exp'.*retain_graph=True"):
        y.backward()


def test_retain_graph():
    x = leaf(1.0)
    y = ops.exp(x)
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_allclose(x.grad.item(), 2 * np.e)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.assign(np.zeros(3)),
        lambda p: (p.data.__setitem__(0, 9.0), p.touch()),  # what an optimizer does
        lambda p: no_grad()(lambda: p.__setitem__(0, 5.0))(),
        lambda p: no_grad()(lambda: p.__iadd__(1.0))(),
    ],
    ids=["assign", "optimizer", "setitem", "in place"],
)
def test_a_saved_value_changed_since_is_noticed(change):
    p = Parameter(np.ones(3), name="kernel")
    y = (p * p).sum()
    change(p)
    with pytest.raises(RuntimeError, match=r"'multiply' saved 'x[12]'.*has changed it since"):
        y.backward()


def test_a_change_through_a_view_is_noticed():
    base = Tensor(np.ones((2, 3)))
    x = leaf(np.ones((2, 3)))
    y = (x * base).sum()
    row = base[0]
    row += 1.0
    with pytest.raises(RuntimeError, match=r"'multiply' saved 'x2'.*changed it since"):
        y.backward()


def test_a_changed_output_is_noticed():
    x = leaf([1.0])
    y = ops.exp(x)
    with no_grad():
        y += 1.0
    with pytest.raises(RuntimeError, match="'exp' saved 'y'"):
        y.backward()


def test_a_change_of_what_was_not_saved_does_no_harm():
    p = Parameter(np.ones(3))
    y = (p + 1.0).sum()
    p.assign(np.zeros(3))
    y.backward()
    np.testing.assert_array_equal(p.grad.numpy(), np.ones(3))


def test_no_grad_records_nothing():
    x = leaf([1.0])
    with no_grad():
        y = x * 2.0
    assert not y.requires_grad
    with pytest.raises(RuntimeError, match="nothing to differentiate"):
        y.backward()

    @no_grad()
    def double(x):
        return x * 2.0

    assert not double(x).requires_grad
    assert (x * 2.0).requires_grad


def test_no_grad_holds_in_one_thread_only():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append((leaf([1.0]) * 2.0).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_detach_cuts_the_tape_and_shares_memory():
    x = leaf([2.0])
    y = x * 3.0
    assert y.detach().data is y.data
    (y.detach() * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [6.0])


def test_constants_get_no_gradient():
    x, constant = leaf([1.0]), Tensor(np.array([2.0]))
    (x * constant).sum().backward()
    assert constant.grad is None


def test_third_derivatives_of_a_polynomial():
    t = np.array([-1.5, 0.5, 2.0])
    x = leaf(t)
    y = 2.0 * x**5 - x**3 + 4.0 * x
    first = grad(y.sum(), x, create_graph=True)
    second = grad(first.sum(), x, create_graph=True)
    third = grad(second.sum(), x, create_graph=True)
    fourth = grad(third.sum(), x)
    np.testing.assert_allclose(first.numpy(), 10 * t**4 - 3 * t**2 + 4)
    np.testing.assert_allclose(second.numpy(), 40 * t**3 - 6 * t)
    np.testing.assert_allclose(third.numpy(), 120 * t**2 - 6)
    np.testing.assert_allclose(fourth.numpy(), 240 * t)


def test_grad_of_a_gradient_norm_against_its_formula():
    a = np.array([[2.0, 1.0], [0.0, 3.0]])
    x = leaf([1.0, -1.0])
    slope = grad(ops.matmul(x, ops.matmul(a, x)), x, create_graph=True)  # (A + A^T) x
    s = a + a.T
    np.testing.assert_allclose(grad((slope * slope).sum(), x).numpy(), 2 * s @ s @ x.numpy())


def test_grad_by_an_intermediate_value():
    x = leaf([1.0, 2.0])
    middle = ops.exp(x)
    by_middle, by_x = grad((middle * middle).sum(), [middle, x])
    np.testing.assert_allclose(by_middle.numpy(), 2 * np.exp(x.numpy()))
    np.testing.assert_allclose(by_x.numpy(), 2 * np.exp(2 * x.numpy()))


def test_unused_inputs():
    x, unused = leaf([1.0]), leaf([1.0])
    with pytest.raises(RuntimeError, match=r"no output depends on the inputs \[1\]"):
        grad((x * 2.0).sum(), [x, unused])
    assert grad((x * 2.0).sum(), [x, unused], allow_unused=True)[1] is None


def test_several_outputs_with_upstream_gradients():
    x = leaf([1.0, 2.0])
    g = grad([x * 2.0, x * 3.0], x, [np.array([1.0, 0.0]), np.array([0.0, 1.0])])
    np.testing.assert_array_equal(g.numpy(), [2.0, 3.0])


def test_upstream_gradients_must_fit():
    x = leaf([1.0, 2.0])
    with pytest.raises(ValueError, match=r"\(2,\)"):
        (x * 2.0).backward()
    with pytest.raises(ValueError, match=r"\(3,\)"):
        (x * 2.0).backward(np.ones(3))


def test_gradients_are_plain_arrays_and_the_graph_is_freed():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    (g,) = gradients(y, [x])
    assert type(g) is np.ndarray
    with pytest.raises(RuntimeError, match="freed"):
        gradients(y, [x])


def test_memory_goes_down_while_backward_walks():
    """When the first layers' rules run, what the last layers saved is gone already."""
    alive = []

    @primitive
    def probe(x):
        return x * 1.0

    @probe.vjp("x")
    def _(grad):
        alive.append(late() is not None)
        return grad

    x = Tensor(np.ones(1000), requires_grad=True)
    y = probe(x)
    saved = np.full(1000, 2.0)
    late = weakref.ref(saved)
    z = (y * Tensor(saved)).sum()
    del saved
    assert late() is not None
    z.backward()
    assert alive == [False]


def test_graphs_have_no_reference_cycles():
    def graph():
        x = leaf(np.ones(10))
        y = ops.softmax(ops.reshape(ops.exp(x), (2, 5)))
        return y, (y * y).sum()

    graph()  # compiling leaves cycles of its own behind, which hold on to what was passed
    gc.collect()
    gc.disable()
    try:
        y, z = graph()
        kept = weakref.ref(y)
        del y, z
        assert kept() is None
        assert not [
            o
            for o in gc.get_objects()
            if isinstance(o, Node) and o.primitive.name == "normalised_exponential"
        ]
    finally:
        gc.enable()


def test_an_input_without_a_rule_is_refused_by_name():
    t = leaf(np.full((2, 3), 1 / 3))
    p = leaf(np.full((2, 3), 1 / 3))
    from tinynet.ops.crossentropy import crossentropy

    has_none = r"'crossentropy' has no derivative with respect to \['t'\]; .* or give it a rule"
    with pytest.raises(TypeError, match=has_none):
        crossentropy(p, t).sum().backward()


def test_a_tensor_as_a_setting_is_refused():
    for x in (leaf([1.0]), [1.0]):
        with pytest.raises(TypeError, match="x_min= is a setting"):
            ops.clip(x, x_min=leaf(0.0), x_max=1.0)
        with pytest.raises(TypeError, match="garrote: lam= is a setting"):
            garrote_with(lambda grad: grad)(x, lam=leaf(0.5))


def garrote_with(rule):
    @primitive
    def garrote(x, *, lam):
        return x - lam / x

    return garrote.vjp("x")(rule)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("rule", "error", "said"),
    [
        (lambda grad, x: None, TypeError,
         "returned None; a rule returns the gradient (is a `return` missing?)"),
        (lambda grad, x: 0.0, TypeError, "returned a float; a rule returns the gradient, a Tensor"),
        (lambda grad, x: (grad, grad), TypeError,
         "returned a tuple; a rule returns the gradient, a Tensor; "
         "one that returns several gradients is a joint_vjp"),
        (lambda grad, x: grad.sum(), ValueError,
         "returned shape (); x has shape (5,), which does not broadcast to that"),
        (lambda grad, x: grad[:4], ValueError,
         "returned shape (4,); x has shape (5,), which does not broadcast to that"),
    ],
    ids=["None", "number", "tuple", "sum", "part"],
)  # fmt: skip
def test_what_is_no_gradient_is_refused_by_the_name_of_its_rule(rule, error, said, create_graph):
    x = leaf([1.0, 2.0, 3.0, 4.0, 5.0])
    y = garrote_with(rule)(x, lam=0.5)
    with pytest.raises(error) as refused:
        grad(y.sum(), x, create_graph=create_graph)
    assert str(refused.value) == f"the rule of 'garrote' for x {said}"


def test_a_joint_rule_leaves_out_only_gradients_and_is_named_by_its_input():
    @primitive
    def scaled(a, b):
        return a * b

    @scaled.joint_vjp
    def _(grad, a, b, needs):
        return None, (grad * a)[:2]

    a, b = leaf([1.0, 2.0, 3.0]), leaf([4.0, 5.0, 6.0])
    assert grad(scaled(a, Tensor([1.0, 1.0, 1.0])).sum(), [a], allow_unused=True) == [None]
    wrong = r"the rule of 'scaled' for b returned shape \(2,\); b has shape \(3,\)"
    with pytest.raises(ValueError, match=wrong):
        grad(scaled(a, b).sum(), b)


def test_a_gradient_of_the_shape_that_an_input_was_repeated_to_is_summed():
    @primitive
    def repeated(x):
        return ops.broadcast_to(x, (2, 3, 4))

    repeated.vjp("x")(lambda grad: grad)
    x = leaf(np.zeros((3, 1)))
    assert np.array_equal(grad(repeated(x).sum(), x).numpy(), np.full((3, 1), 8.0))


def test_a_rule_that_asks_for_the_unknown_is_refused():
    @primitive
    def double(x):
        return x * 2

    with pytest.raises(TypeError, match=r"asks for \['z'\]"):

        @double.vjp("x")
        def _(grad, z):
            return grad


def test_inputs_may_have_the_names_that_rules_ask_by():
    @primitive
    def area(needs, y, *, sources):
        return ops.multiply(needs, y) * sources

    @area.vjp("needs")
    def _(grad, y, sources):
        return grad * y * sources

    @area.vjp("y")
    def _(grad, needs, sources):
        return grad * needs * sources

    a, b = Parameter(np.array(3.0)), Parameter(np.array(5.0))
    area(a, b, sources=2.0).backward()
    assert (float(a.grad), float(b.grad)) == (10.0, 6.0)


def test_integer_tensors_have_no_gradient():
    with pytest.raises(TypeError, match="floating-point"):
        Tensor(np.arange(3), requires_grad=True)


def test_assign_checks_the_shape():
    p = Parameter(np.zeros((2, 3)), name="kernel")
    with pytest.raises(ValueError, match=r"kernel has shape \(2, 3\).*\(3, 2\)"):
        p.assign(np.zeros((3, 2)))
    version = p.version
    p.assign(np.ones((2, 3)))
    assert p.version == version + 1


def test_trainable_follows_requires_grad():
    p = Parameter(np.zeros(2), trainable=False)
    assert not (p * 2.0).requires_grad
    p.trainable = True
    assert (p * 2.0).requires_grad


@pytest.mark.parametrize(
    "first", ["tinynet.autograd", "tinynet.autograd.tensor", "tinynet", "tinynet.data", "tinynet.ops"]
)
def test_whoever_imports_tensor_gets_all_of_it(first):
    place = first if first.startswith("tinynet.autograd") else "tinynet.autograd"
    code = (
        f"import {first}\nfrom {place} import Tensor\nt = Tensor([1.0, "
        "2.0])\nprint((1 + t * 2).numpy(), float(t.sum()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout.split() == ["[3.", "5.]", "3.0"], done.stderr
