"""However an array lies in memory, its numbers are what counts:
values and gradients equal those of a C-ordered copy.

The tables of cases.py are walked, so a new operation is covered by the line that it has there.
"""

import itertools

import numpy as np
import pytest

from tinynet import Tensor, grad, kernels

from kernel_cases import ORDERS, arrange
from ops.cases import CASES, CONSTANT

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of means over nothing
DERIVED = [case for case in CASES if case.primitive not in CONSTANT]
# One array of three axes, seen in ways that strides and flags describe oddly:
# axes made by None have the stride 0.
VIEWS = {
    "None in the middle": lambda a: a[:, None],
    "None before the last": lambda a: a[:, :, None],
    "None last": lambda a: a[..., None],
    "None first": lambda a: a[None],
    "a matrix with None": lambda a: a[0][:, None],
    "a column with None": lambda a: a[:, 0][..., None],
    "many None": lambda a: a[None, :, None, None, 0, :, None],
    "transposed": lambda a: a.T,
    "turned round": lambda a: a.transpose(1, 2, 0),
    "turned round, with None": lambda a: a.transpose(2, 0, 1)[:, :, None],
    "Fortran order": np.asfortranarray,
    "Fortran order, with None": lambda a: np.asfortranarray(a)[:, None],
    "batch last": lambda a: arrange(a, "batch_last"),
    "batch last, with None": lambda a: arrange(a, "batch_last")[:, None],
    "repeated along the first axis": lambda a: np.broadcast_to(a[:1], a.shape),
    "repeated along the last axis": lambda a: np.broadcast_to(a[..., :1], a.shape),
    "repeated, with None": lambda a: np.broadcast_to(a[:, :1], a.shape)[:, :, None],
    "one number repeated": lambda a: np.broadcast_to(a[:1, :1, :1], a.shape),
    "backwards": lambda a: a[::-1],
    "backwards, with None": lambda a: a[:, ::-1, None, ::-1],
    "every second": lambda a: a[:, ::2],
    "every second of the last axis": lambda a: a[..., ::2],
    "overlapping": lambda a: np.lib.stride_tricks.sliding_window_view(a[0, 0], 2),
    "no rows": lambda a: a[:0],
    "no columns": lambda a: a[..., :0],
    "nothing in the middle": lambda a: a[:, :0, None],
    "no axes": lambda a: a[0, 0, 0, ...],
    "one number": lambda a: a[:1, :1, :1],
    "one number of one axis": lambda a: a[0, 0, :1],
}
ELEMENT_WISE = [
    case for case in DERIVED
    if all(np.ndim(x) == 1 for x in case.inputs) and len({np.shape(x) for x in case.inputs}) == 1
    and np.shape(case(*case.inputs)) == case.inputs[0].shape
]  # fmt: skip


def differentiated(case, inputs, upstream, name=None):
    """Outputs, and gradients of the floating-point inputs for the upstream
    gradients that `upstream` makes of outputs.
    """
    tracked = [Tensor(x, requires_grad=True) if x.dtype.kind == "f" else x for x in map(np.asarray, inputs)]
    with kernels.use(case.family, name) if case.family else kernels.use("sum", "numba"):
        outputs = case(*tracked)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        floats = [y for y in outputs if y.requires_grad]
        wanted = [x for x in tracked if isinstance(x, Tensor)]
        found = grad(
            floats, wanted, [upstream(y.data) for y in floats], allow_unused=True, create_graph=False
        )
    return [y.data for y in outputs], [None if g is None else g.data for g in found]


def numbers_for(y):
    """Numbers without a pattern in the shape and format of y."""
    return np.sin(1.0 + 1.7 * np.arange(y.size)).reshape(y.shape).astype(y.dtype)


def in_c_order(case, inputs):
    """What the reference makes of copies of the inputs in float64."""
    copies = [np.array(x, np.float64 if np.asarray(x).dtype.kind == "f" else None, order="C") for x in inputs]
    return differentiated(case, copies, numbers_for, case.implementations[0])


def check(case, inputs, upstream=numbers_for, names=None):
    expected = in_c_order(case, inputs)
    for name in names or case.implementations:
        copies = [np.array(x) for x in inputs]
        found = differentiated(case, inputs, upstream, name)
        for ours, theirs in zip(itertools.chain(*found), itertools.chain(*expected), strict=True):
            assert (ours is None) == (theirs is None)
            if ours is None:
                continue
            assert ours.shape == theirs.shape
            if ours.dtype.kind == "f":
                scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=1.0)
                tolerance = (2e-5 if ours.dtype == np.float32 else 1e-10) * scale
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance, err_msg=name)
            else:
                np.testing.assert_array_equal(ours, theirs, err_msg=name)
        for x, copy in zip(inputs, copies, strict=True):
            np.testing.assert_array_equal(x, copy)


def typed(inputs, dtype):
    return [x.astype(dtype) if np.asarray(x).dtype.kind == "f" else np.asarray(x) for x in inputs]


def spread_out(x):
    """(3, 2, n) out of (n,): the numbers of x, in three times two orders."""
    return np.stack([[np.roll(x, 2 * i + j) for j in range(2)] for i in range(3)])


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
@pytest.mark.parametrize("case", ELEMENT_WISE, ids=lambda case: case.name)
def test_element_wise_in_any_shape_and_order(case, view):
    whole = [spread_out(x) for x in typed(case.inputs, np.float32)]
    check(case, [view(x) for x in whole], upstream=lambda y: odd_twin(numbers_for(y)))
    if len(whole) == 2:  # operands that lie differently
        a, b = (view(x) for x in whole)
        check(case, [np.array(a, order="C"), b])
        check(case, [a, np.array(b, order="C")])


def odd_twin(x):
    """An equal array with negative strides, and the stride 0 where an axis has one element."""
    return arrange(arrange(x, "backwards"), "none") if 1 in x.shape else arrange(x, "backwards")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", DERIVED, ids=lambda case: case.name)
def test_inputs_and_gradients_in_any_order(case, dtype, order):
    inputs = [arrange(x, order) if x.ndim else x for x in typed(case.inputs, dtype)]
    check(case, inputs, upstream=lambda y: arrange(numbers_for(y), order) if y.ndim else numbers_for(y))


@pytest.mark.parametrize("case", DERIVED, ids=lambda case: case.name)
def test_inputs_that_repeat_themselves(case):
    """Stride 0 along each axis in turn, of each input in turn."""
    inputs = typed(case.inputs, np.float32)
    for i, x in enumerate(inputs):
        for axis in range(x.ndim):
            first = x[tuple(slice(0, 1) if a == axis else slice(None) for a in range(x.ndim))]
            check(case, [*inputs[:i], np.broadcast_to(first, x.shape), *inputs[i + 1 :]])


def resized(inputs, axes, length):
    """The inputs with the given (input, axis) of another length: cut,
    or longer by numbers that are there already.
    """
    return [
        x[
            np.ix_(
                *[
                    np.arange(length(n) if (i, axis) in axes else n) % max(n, 1)
                    for axis, n in enumerate(x.shape)
                ]
            )
        ]
        for i, x in enumerate(inputs)
    ]


def accepted(case, inputs):
    try:
        in_c_order(case, inputs)
    except (ValueError, IndexError, ZeroDivisionError):
        return False
    return True


def shortened(case):
    """The case's inputs with those axes cut to one element, or to none,
    that may have another length together.

    Which ones those are is found by making them longer:
    a length of one could also be accepted by way of broadcasting.
    """
    inputs = typed(case.inputs, np.float32)
    axes = [(i, axis) for i, x in enumerate(inputs) for axis in range(x.ndim) if x.shape[axis] > 1]
    for count in (1, 2, 3):
        for chosen in itertools.combinations(axes, count):
            if accepted(case, resized(inputs, chosen, lambda n: n + 1)):
                yield from (
                    cut
                    for length in (1, 0)
                    if accepted(case, cut := resized(inputs, chosen, lambda n, to=length: to))
                )


@pytest.mark.parametrize("case", DERIVED, ids=lambda case: case.name)
def test_axes_of_one_element_and_of_none(case):
    few = list(shortened(case))
    for inputs in few:
        check(case, inputs)
        check(case, [arrange(x, "none") for x in inputs], upstream=lambda y: arrange(numbers_for(y), "none"))


def test_every_family_of_kernels_is_covered():
    elsewhere = {"normal", "uniform", "optimizers"}  # they have no derivative: tests/kernels
    assert {case.family for case in CASES} - {None} == set(kernels.families()) - elsewhere
