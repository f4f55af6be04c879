"""The checks of optimizers are checked: a wrong update planted anywhere must make them fail.

Three kinds: what a whole step leaves behind is spoilt, in each of the ways that steps are done; every line of
a rule's reference and of its loop is changed, one operator at a time; the numbers that the classes compute
are changed. The cases of cases.py must notice each of them.
"""

import ast
import inspect
import itertools
import textwrap

import numpy as np
import pytest
from optimizers.cases import CASES, COMMON, FEW, WAYS, check

from tinynet import optimizers
from tinynet.autograd import Parameter
from tinynet.kernels import optimizers as kernels
from tinynet.optimizers import Optimizer
from tinynet.optimizers.step import Step
from tinynet.optimizers.sweep import Sweep

EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=str)


def notices(case, way, **common):
    try:
        with np.errstate(all="ignore"):
            check(case, way, shapes=FEW, **common)
    except (AssertionError, ArithmeticError, TypeError, ValueError, IndexError, NameError):
        return True
    return False


# What a step leaves behind


def wrong_sign(before, after):
    for old, new in zip(before, after, strict=True):
        new[...] = 2 * old - new


def factor(before, after):
    for old, new in zip(before, after, strict=True):
        new[...] = old + 1.01 * (new - old)


def one_element_off(before, after):
    after[0].flat[0] += 0.1 * np.abs(after[0] - before[0]).mean()


def one_element_left_alone(before, after):
    place = np.unravel_index(np.abs(after[0] - before[0]).argmax(), after[0].shape)
    after[0][place] = before[0][place]


def one_variable_left_alone(before, after):
    after[1][...] = before[1]


MUTATIONS = [wrong_sign, factor, one_element_off, one_element_left_alone, one_variable_left_alone]


def spoilt(rule, mutation):
    """`Step.rule`, with the weights or the slots that it leaves behind changed."""

    def wrong(self, gradients):
        weights = [variable.data for variable in self.variables]
        slots = [slot for variable in self.variables for slot in self.optimizer._slots_of(variable)]
        before = [array.copy() for array in [*weights, *slots]]
        rule(self, gradients)
        if callable(mutation):
            mutation(before[: len(weights)], weights)
        else:
            number = len(slots) // len(weights)
            for old, new in list(zip(before[len(weights) :], slots, strict=True))[mutation::number]:
                new[...] = old

    return wrong


@pytest.mark.parametrize("way", WAYS)
@EVERY_CASE
def test_a_wrong_step_is_noticed(monkeypatch, case, way):
    made = case.make()
    made.build([Parameter(np.zeros(2), name="w")])
    slots = range(len(made._slots_of(made._trainable_variables[0])))
    kind = Sweep if way == "sweep" and made._update_kernel else Step
    right = kind.rule
    assert not notices(case, way)
    for mutation in [*MUTATIONS, *slots]:
        monkeypatch.setattr(kind, "rule", spoilt(right, mutation))
        what = mutation.__name__ if callable(mutation) else f"slot {mutation} left alone"
        assert notices(case, way), f"{what} was not noticed"


# What surrounds the rule


def times(part):
    """A part that returns gradients, with these a little too large."""
    return lambda self, *given: [np.asarray(g * 1.01) for g in part(self, *given)]


PARTS = {"collect": ("plain", "collected", "scaled"), "clip": ("clipvalue", "clipnorm", "global clipnorm")}


GRADIENTS = [(part, common) for part, several in PARTS.items() for common in several]


@pytest.mark.parametrize(("part", "common"), GRADIENTS)
@pytest.mark.parametrize("way", WAYS)
def test_wrong_gradients_are_noticed(monkeypatch, way, part, common):
    kind = Sweep if way == "sweep" else Step
    monkeypatch.setattr(kind, part, times(getattr(kind, part)))
    assert notices(CASES[0], way, **COMMON[common])


@pytest.mark.parametrize(("part", "common"), [("decay", "decay"), ("end", "collected")])
@pytest.mark.parametrize("way", WAYS)
def test_a_part_that_is_missing_is_noticed(monkeypatch, way, part, common):
    kind = Sweep if way == "sweep" else Step
    monkeypatch.setattr(kind, part, lambda self, *given: None)
    assert notices(CASES[0], way, **COMMON[common])


# The numbers of a step


@EVERY_CASE
def test_a_wrong_number_is_noticed(monkeypatch, case):
    right, coarse = case.cls._kernel_scalars, case.cls is optimizers.Lion  # its means only have a sign
    kernel = case.make()._update_kernel
    for wrong in kernels.keywords(kernel) if kernel else ():
        if wrong == "momentum" and not case.settings.get(wrong):
            continue  # 0, and the rule has no slot for it

        def numbers(self, learning_rate, wrong=wrong):
            found = right(self, learning_rate)
            number, factor = found[wrong], 0.5 if coarse else 1.01
            return {**found, wrong: not number if isinstance(number, bool) else number * factor}

        monkeypatch.setattr(case.cls, "_kernel_scalars", numbers)
        assert notices(case, "sweep"), f"{wrong} was not noticed"


CORRECTED = [case for case in CASES if "self.iterations" in inspect.getsource(case.cls._kernel_scalars)]


@pytest.mark.parametrize("case", CORRECTED, ids=str)
@pytest.mark.parametrize("count", [1000, -1])
def test_a_missing_bias_correction_is_noticed(monkeypatch, case, count):
    """As if a thousand steps had been done before, or one less than were."""
    steps = Optimizer.iterations.fget
    monkeypatch.setattr(Optimizer, "iterations", property(lambda self: max(0, steps(self) + count)))
    assert notices(case, "sweep")


# Every line of a rule

SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}


def variants(node):
    """What might stand in a node's place by mistake."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SWAPS:
        yield "operator", type(node)(**{**dict(ast.iter_fields(node)), "op": SWAPS[type(node.op)]()})
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for root, other in ((node.left, node.right), (node.right, node.left)):
            if called(root) == "sqrt":  # epsilon inside of the root
                yield "epsilon inside", ast.Call(root.func, [ast.BinOp(root.args[0], ast.Add(), other)], [])
    inside = node.args[0] if called(node) == "sqrt" else None
    if isinstance(inside, ast.BinOp) and isinstance(inside.op, ast.Add):
        yield "epsilon outside", ast.BinOp(ast.Call(node.func, [inside.left], []), ast.Add(), inside.right)
    if called(node) in ("sqrt", "abs", "sign"):
        yield f"no {called(node)}", node.args[0]
    if called(node) in ("max", "maximum"):
        yield "the smaller one", ast.IfExp(ast.Constant(True), node.args[0], node.args[1])
        yield "the larger one", node.args[1]
    if isinstance(node, ast.IfExp):
        yield "the other one", ast.IfExp(node.test, node.orelse, node.body)
    if isinstance(node, ast.Assign | ast.AugAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Subscript):
            yield "left out", ast.Pass()


def called(node):
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", None))


class Replacing(ast.NodeTransformer):
    """Puts the variant of that number in its place."""

    def __init__(self, number):
        self.left, self.found = number, None

    def visit(self, node):
        for what, variant in variants(node):
            if self.left == 0 and self.found is None:
                self.found = f"{what}: {ast.unparse(node)}"
                return variant
            self.left -= 1
        return self.generic_visit(node) if self.found is None else node


def mutants(function):
    """(what was changed, the function changed so), for every place and every variant."""
    for number in itertools.count():
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        tree.body[0].decorator_list = []
        tree.body[0].returns = None
        for argument in [*tree.body[0].args.args, *tree.body[0].args.kwonlyargs]:
            argument.annotation = None
        replacing = Replacing(number)
        replacing.visit(tree)
        if replacing.found is None:
            return
        code = compile(ast.fix_missing_locations(tree), "<mutant>", "exec")
        names = dict(function.__globals__)
        exec(code, names)
        yield replacing.found, names[function.__name__]


EQUIVALENT = {"rmsprop": ["operator: rho * a + (1 - rho) * g"]}  # of which only the square is used


def in_python(rule, loop):
    """The loop of a rule as an implementation, not compiled."""

    def update(*arrays, **scalars):
        w = arrays[0]
        flat = [np.zeros(0) if a is None else a.reshape(-1) for a in arrays]
        count = len(inspect.signature(loop).parameters) - 1
        flat += [np.zeros(0, w.dtype)] * (count - len(flat))
        loop(*flat, np.array(rule.numbers(**scalars), w.dtype))

    return update


def survivors(operation, implementation, function, wrap=lambda function: function):
    cases = [case for case in CASES if case.make()._update_kernel is operation]
    way = "reference" if implementation == "numpy" else "one by one"
    right, planted = operation.implementations[implementation], 0
    try:
        operation.implementations[implementation] = wrap(function)
        assert not any(notices(case, way) for case in cases)
        for what, mutant in mutants(function):
            operation.implementations[implementation] = wrap(mutant)
            planted += 1
            if not any(notices(case, way) for case in cases):
                yield what
    finally:
        operation.implementations[implementation] = right
    assert planted >= 3, f"nothing was planted in {operation}"


@pytest.mark.parametrize("operation", kernels.rules, ids=lambda rule: rule.__name__)
def test_every_line_of_a_reference_matters(operation):
    left = list(survivors(operation, "numpy", operation.__wrapped__))
    assert left == EQUIVALENT.get(operation.__name__, [])


@pytest.mark.parametrize("operation", kernels.rules, ids=lambda rule: rule.__name__)
def test_every_line_of_a_loop_matters(operation):
    rule = kernels.rules[operation]
    loop = rule.update.py_func
    assert list(survivors(operation, "numba", loop, lambda function: in_python(rule, function))) == []
