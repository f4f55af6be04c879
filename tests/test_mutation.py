"""The gradient checks are checked: a wrong derivative planted anywhere must make them fail.

Every rule of every primitive, and every implementation of every backward kernel, is spoilt in several ways,
and the case of ops/cases.py that covers it must notice. The mistakes that cannot be planted everywhere follow
by hand. Optimizers' updates are spoilt in optimizers/test_mutation.py.
"""

import numpy as np
import pytest

from tinynet.autograd import basics
from tinynet.gradient_check import GradientError, gradcheck
from tinynet.kernels import batch_norm, common, conv2d
from tinynet.ops.arithmetic import multiply

from ops.cases import CASES, CONSTANT, Case, primitives


def one_element_off(gradient):
    """The border element [0, ..., 0] wrong by a tenth of what is usual."""
    spoilt = np.array(gradient, copy=True, order="K")
    spoilt[(0,) * spoilt.ndim] += 0.1 * max(np.abs(spoilt).mean(), 0.1)
    return spoilt


def one_element_dropped(gradient):
    """The largest element does not arrive."""
    spoilt = np.array(gradient, copy=True, order="K")
    spoilt[np.unravel_index(np.abs(spoilt).argmax(), spoilt.shape)] = 0
    return spoilt


MUTATIONS = {
    "wrong sign": lambda gradient: -gradient,
    "factor 1.01": lambda gradient: gradient * 1.01,
    "one element off": one_element_off,
    "one element dropped": one_element_dropped,
    "all dropped": lambda gradient: gradient * 0.0,
}


def spoilt(function, mutation, entry=None, log=None):
    """`function` with its result mutated: of a tuple only the entry numbered `entry`."""

    def wrong(*args, **kwargs):
        result = function(*args, **kwargs)
        single = not isinstance(result, tuple)
        values = [result] if single else list(result)
        i = 0 if entry is None else entry
        # A result of zeros is left alone, unless the mutation adds something: the others would not change it.
        if i < len(values) and values[i] is not None and np.any(values[i]) | (mutation is one_element_off):
            values[i] = mutation(values[i])
            if log is not None:
                log.append(i)
        return values[0] if single else tuple(values)

    return wrong


def notices(case: Case, kernels=None) -> bool:
    try:
        gradcheck(case, case.inputs, jacobian_size=0, kernels=kernels)
    except GradientError:
        return True
    return False


def rules():
    """(name, cases, rule, entry) for everything that returns the gradient of one input of one primitive."""
    for name, primitive in primitives().items():
        cases = [case for case in CASES if case.primitive is primitive]
        if primitive.joint is None:
            for i, rule in primitive.rules.items():
                yield f"{name}[{primitive.inputs[i]}]", cases, rule, None
        else:
            inputs = cases[0].inputs if cases else [np.zeros(0)]
            for entry in [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]:
                yield f"{name}[{entry}]", cases, primitive.joint, entry


RULES = list(rules())
# Where the derivative is zero there is nothing to multiply or to drop;
# a rule that returns None cannot be spoilt at all.
ZERO = {
    "tinynet.ops.elementary.sign[x]": {"one element off"},
    "tinynet.ops.convolution2d.rectified_grad[1]": set(),
    "tinynet.ops.rectifiers.relu_grad[1]": set(),
    "tinynet.ops.rectifiers.leaky_relu_grad[1]": set(),
}


@pytest.mark.parametrize(("name", "cases", "rule", "entry"), RULES, ids=[name for name, *_ in RULES])
def test_a_wrong_rule_is_noticed(monkeypatch, name, cases, rule, entry):
    assert cases, f"no line in tests/ops/cases.py runs {name}: add one"
    planted = []
    for label, mutation in MUTATIONS.items():
        log = []
        with monkeypatch.context() as patch:
            patch.setattr(rule, "function", spoilt(rule.function, mutation, entry, log))
            noticed = [notices(case) for case in cases]
        # log: whether any case planted it. Then every case of the primitive must have noticed.
        assert all(noticed) or not log, f"{label} in the rule {name} was not noticed"
        planted += [label] if log else []
    assert set(planted) == ZERO.get(name, set(MUTATIONS))


def backward_kernels():
    for family, operations in common._families.items():
        for operation in operations:
            if "grad" in operation.__name__ or operation.__name__ in ("max_pool2d_gather", "sum"):
                for implementation in operation.implementations:
                    yield family, operation, implementation


KERNELS = [k for k in backward_kernels() if k[0] != "optimizers"]  # "adagrad" is no gradient


@pytest.mark.parametrize(
    ("family", "operation", "implementation"),
    KERNELS,
    ids=[f"{op.__name__}-{name}" for _, op, name in KERNELS],
)
def test_a_wrong_kernel_is_noticed(monkeypatch, family, operation, implementation):
    cases = [case for case in CASES if case.family == family]
    right = operation.implementations[implementation]
    for label, mutation in MUTATIONS.items():
        entries = 3 if operation is batch_norm.batch_norm_grad else 1
        for entry in range(entries):
            log = []
            with monkeypatch.context() as patch:
                patch.setitem(operation.implementations, implementation, spoilt(right, mutation, entry, log))
                noticed = any(notices(case, {family: implementation}) for case in cases)
            assert log, f"no case of the family {family!r} runs {operation.__name__} as {implementation!r}"
            assert noticed, f"{label} in {operation.__name__} as {implementation!r} was not noticed"


@pytest.mark.parametrize("implementation", list(batch_norm.batch_norm_grad.implementations))
@pytest.mark.parametrize("term", ["mean", "variance"])
def test_batch_norm_without_a_term_is_noticed(monkeypatch, implementation, term):
    def wrong(g, x, gamma, mean, var, *, epsilon):
        axes, count = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
        xhat = (x - mean) / np.sqrt(var + epsilon)
        dbeta, dgamma = g.sum(axes), (g * xhat).sum(axes)
        through = {"mean": dbeta / count, "variance": xhat * dgamma / count}
        del through[term]
        return gamma / np.sqrt(var + epsilon) * (g - sum(through.values())), dgamma, dbeta

    monkeypatch.setitem(batch_norm.batch_norm_grad.implementations, implementation, wrong)
    case = next(case for case in CASES if case.name == "normalise")
    assert notices(case, {"batch_norm": implementation})


@pytest.mark.parametrize("implementation", list(conv2d.conv2d_input_grad.implementations))
@pytest.mark.parametrize(
    "border", [(0, slice(None)), (-1, slice(None)), (slice(None), 0), (slice(None), -1), (0, 0), (-1, -1)]
)
def test_a_wrong_border_is_noticed(monkeypatch, implementation, border):
    """'same' borders are where convolution kernels have variants of their own:
    one of them forgets its last channel.
    """
    right = conv2d.conv2d_input_grad.implementations[implementation]

    def wrong(*args, **kwargs):
        dx = right(*args, **kwargs)
        dx[(0, *border, -1)] = 0
        return dx

    monkeypatch.setitem(conv2d.conv2d_input_grad.implementations, implementation, wrong)
    case = next(case for case in CASES if case.name == "convolution")
    assert notices(case, {"conv2d": implementation})


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in ("add", "subtract", "multiply", "divide", "power")]
)
def test_missing_unbroadcast_is_noticed(monkeypatch, case):
    """The gradient of a repeated operand taken from one of its places instead of summed over all."""

    def first_only(grad, shape):
        grad = grad[(0,) * (grad.ndim - len(shape))]
        return grad[tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)]

    monkeypatch.setattr(basics, "unbroadcast", first_only)
    assert notices(case)


def test_a_lost_accumulation_is_noticed(monkeypatch):
    """A value used twice must receive both gradients."""
    case = Case(multiply, [np.array([1.5, -0.5])], {})
    assert not notices(squared := Case(lambda x: multiply(x, x), case.inputs, {}))
    monkeypatch.setattr(basics, "add", lambda a, b: b)
    assert notices(squared)


def test_only_comparisons_escape():
    spoilt_ones = {name.rsplit("[", 1)[0] for name, *_ in RULES}
    assert {name for name, p in primitives().items() if p not in CONSTANT} == spoilt_ones
