"""One spelling of mathematics in the whole package: an operator where there is one.
What breaks that is named by its line.

everywhere                 add(a, b) is written a + b, ops.multiply(a, b) a * b, and so on
where Tensors are given    (rules, formulas of derived_from, forwards of @primitive, @compositions, and the
                           helpers of the first three) no function of NumPy's, which is no launch, no array
                           or number taken out of a Tensor, and nothing changed in place
in these, but compositions no kernel is called: the primitive that does has a derivative
"""

import ast
from pathlib import Path

import pytest

TINYNET = Path(__file__).parents[2] / "tinynet"

OPERATORS = {
    "add": "a + b", "subtract": "a - b", "multiply": "a * b", "divide": "a / b", "negative": "-a",
    "power": "a ** b",
    "matmul": "a @ b", "equal": "a == b", "not_equal": "a != b", "less": "a < b",
    "less_equal": "a <= b", "greater": "a > b", "greater_equal": "a >= b", "logical_and": "a & b",
    "logical_or": "a | b",
    "logical_not": "~a", "bitwise_and": "a & b", "bitwise_or": "a | b", "bitwise_not": "~a",
}  # fmt: skip
WITHOUT_ARRAYS = {"np.finfo", "np.dtype"}  # they say something about a number format
TAKEN_OUT = {"data", "_data", "numpy"}  # of a Tensor: what is computed from that has no derivative
GIVEN_TENSORS = {"vjp", "joint_vjp", "derived_from", "primitive", "composition"}


def name_of(node):
    """a.b.c as text; "" for what is no name."""
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def decorators(function):
    """Their last words: vjp for @f.vjp("x")."""
    return {name_of(d.func if isinstance(d, ast.Call) else d).split(".")[-1] for d in function.decorator_list}


def operations(tree):
    """{name under which a file knows a function of `ops`: the operator to be written}."""
    known = {prefix + name: sign for name, sign in OPERATORS.items() for prefix in ("ops.", "tinynet.ops.")}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinynet.ops"):
            known |= {
                alias.asname or alias.name: OPERATORS[alias.name]
                for alias in node.names
                if alias.name in OPERATORS
            }
        if (
            isinstance(node, ast.FunctionDef)
            and "array_primitive" in decorators(node)
            and node.name in OPERATORS
        ):
            known[node.name] = OPERATORS[node.name]
    return known


def kernels_known(tree):
    """The names under which a file knows functions of tinynet.kernels, and `kernels` itself."""
    found = {"kernels"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            within = module.startswith("tinynet.kernels")
            found |= {alias.asname or alias.name for alias in node.names if within}
    return found - {"xp"}  # which is named by itself


def written_for_tensors(tree):
    """The functions that are given Tensors: those decorated so,
    and helpers in the same file that only they can mean.
    """
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found = [f for f in functions if decorators(f) & GIVEN_TENSORS]
    helpers = {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef) and not f.decorator_list}
    waiting = [f for f in found if "composition" not in decorators(f)]
    while waiting:
        called = {name_of(node.func) for node in ast.walk(waiting.pop()) if isinstance(node, ast.Call)}
        for name in called & set(helpers):
            waiting.append(helpers.pop(name))
            found.append(waiting[-1])
    return found


def violations(source, path="a file"):
    tree = ast.parse(source)
    known, found = operations(tree), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func) in known:
            found.append((node.lineno, f"{name_of(node.func)}(...): write {known[name_of(node.func)]}"))
    kernels = kernels_known(tree)
    for function in written_for_tensors(tree):
        composed = "composition" in decorators(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and node.attr in TAKEN_OUT:
                found.append((node.lineno, f".{node.attr}: what is computed from it has no derivative"))
            if isinstance(node, ast.Call):
                name = name_of(node.func)
                if not composed and name.removeprefix("tinynet.").split(".")[0] in kernels:
                    found.append((node.lineno, f"{name}(...): Tensors are given here; call the primitive"))
                if name.startswith("np.") and name not in WITHOUT_ARRAYS:
                    found.append((node.lineno, f"{name}(...): no launch; write the function of ops"))
                if name.split(".")[-1] == "xp":
                    found.append((node.lineno, "xp(...): Tensors are given here; write the function of ops"))
            places = node.targets if isinstance(node, ast.Assign) else []
            if isinstance(node, ast.AugAssign) or any(isinstance(place, ast.Subscript) for place in places):
                found.append(
                    (node.lineno, "changes in place what others hold: write a = a + b, or where(...)")
                )
    return [f"{path}:{line}: {what}" for line, what in sorted(set(found))]


@pytest.mark.parametrize(
    "path", sorted(TINYNET.rglob("*.py")), ids=lambda path: str(path.relative_to(TINYNET))
)
def test_mathematics_is_written_with_operators(path):
    found = violations(path.read_text(encoding="utf-8"), f"tinynet/{path.relative_to(TINYNET)}")
    assert not found, "\n".join(found)


PLANTED = """
import numpy as np
from tinynet import kernels, ops; from tinynet.kernels import elementwise, resolve
from tinynet.autograd import array_primitive, basics, composition, primitive
from tinynet.kernels.common import xp; from tinynet.kernels.gemm import gemm
from tinynet.ops.arithmetic import add, multiply as times, subtract
from tinynet.ops.derived import derived_from

def helper(a):
    return np.sqrt(a)                       # 10

def elsewhere(a):
    return np.sqrt(a)

@array_primitive
def kernel(x):
    y = np.empty(3)
    y[...] = xp(x).exp(x)
    return basics.add(x, y)

@kernel.vjp("x")
def _(grad, x):
    grad *= 2                               # 23
    return helper(grad * x)

@derived_from(kernel)
def _(g, x):
    g[0] = 0.0                              # 28
    return ops.equal(g, x)                  # 29

@primitive
def forward(x):
    return xp(x).tanh(np.abs(x)) * np.inf   # 33

@composition
def mean(x):
    small = np.finfo(x.dtype).tiny
    return subtract(x, small)               # 38

class Layer:
    def call(self, x):
        return ops.add(x, np.negative(x))   # 42

def doubled(a):
    return gemm(a.data, 2.0)                # 45

@forward.vjp("x")
def _(grad, x):
    return kernels.softmax.softmax_grad(grad, doubled(x)) * elementwise.apply(grad)  # 49

@primitive
def shifted(x):
    return x - x.numpy().max()              # 53

@composition
def sized(x):
    return x * resolve(x.shape) + x._data   # 57

@array_primitive
def launched(x):
    return kernels.relu(x.data)
"""


def test_what_breaks_the_convention_is_named():
    found = violations(PLANTED, "planted.py")
    assert found == [
        "planted.py:10: np.sqrt(...): no launch; write the function of ops",
        "planted.py:23: changes in place what others hold: write a = a + b, or where(...)",
        "planted.py:28: changes in place what others hold: write a = a + b, or where(...)",
        "planted.py:29: ops.equal(...): write a == b",
        "planted.py:33: np.abs(...): no launch; write the function of ops",
        "planted.py:33: xp(...): Tensors are given here; write the function of ops",
        "planted.py:38: subtract(...): write a - b",
        "planted.py:42: ops.add(...): write a + b",
        "planted.py:45: .data: what is computed from it has no derivative",
        "planted.py:45: gemm(...): Tensors are given here; call the primitive",
        "planted.py:49: elementwise.apply(...): Tensors are given here; call the primitive",
        "planted.py:49: kernels.softmax.softmax_grad(...): Tensors are given here; call the primitive",
        "planted.py:53: .numpy: what is computed from it has no derivative",
        "planted.py:57: ._data: what is computed from it has no derivative",
    ]


def test_what_is_imported_under_another_name_is_seen_too():
    assert violations("from tinynet.ops.arithmetic import multiply as times\ny = times(1, 2)\n") == [
        "a file:2: times(...): write a * b"
    ]
