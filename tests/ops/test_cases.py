"""Every primitive's derivative, and its derivative's derivative,
under every implementation of its kernels.
"""

import numpy as np
import pytest

from tinynet import Tensor, grad, gradcheck, gradgradcheck

from ops.cases import CASES, CONSTANT, primitives


def test_the_table_covers_every_primitive():
    covered = {case.primitive for case in CASES} | CONSTANT
    for name, primitive in primitives().items():
        assert primitive in covered, f"no line in tests/ops/cases.py runs {name}: add one"


def test_only_constants_lack_a_rule():
    assert {p for p in primitives().values() if not p.rules and p.joint is None} == CONSTANT


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_first_derivative(case):
    assert gradcheck(case, case.inputs, kernels=case.kernels)


@pytest.mark.parametrize("case", [case for case in CASES if case.smooth], ids=lambda case: case.name)
def test_second_derivative(case):
    """Element by element under the kernels that are chosen; under each of the others along random directions,
    which notice a single wrong element (tests/test_mutation.py).
    """
    assert gradgradcheck(case, case.inputs)
    if case.kernels:
        assert gradgradcheck(case, case.inputs, kernels=case.kernels, jacobian_size=0)


@pytest.mark.parametrize("case", [case for case in CASES if case.name != "cast"], ids=lambda case: case.name)
def test_float32_stays_float32(case):
    inputs = [x.astype(np.float32) if np.asarray(x).dtype.kind == "f" else x for x in case.inputs]
    tracked = [Tensor(x, requires_grad=True) if np.asarray(x).dtype.kind == "f" else x for x in inputs]
    outputs = case(*tracked)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    floats = [y for y in outputs if y.dtype.kind == "f"]
    assert all(y.dtype == np.float32 for y in floats)
    wanted = [x for x in tracked if isinstance(x, Tensor)]
    upstream = [np.ones(y.shape, np.float32) for y in floats if y.requires_grad]
    found = grad(
        [y for y in floats if y.requires_grad], wanted, upstream, create_graph=True, allow_unused=True
    )
    assert all(g is None or g.dtype == np.float32 for g in found)
