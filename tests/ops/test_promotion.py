"""Number formats: one rule for the whole engine (backend/number_format.py), which is JAX's.

Every function, with operands of every format, against what Keras's functions gave on JAX
(../fixtures/make_formats.py). Integers are NumPy's here, of 64 bits where JAX or Keras says int32: only that
they are integers is compared.
"""

import json
import operator
from pathlib import Path

import numpy as np
import pytest

from tinynet import Tensor, activations, config, grad, ops
from tinynet.backend.number_format import result_type

from ops.calls import CALLS, FORMATS, NUMBERS, ROLES, given, mixtures

KERAS = json.loads((Path(__file__).parents[1] / "fixtures" / "formats.json").read_text(encoding="utf-8"))
EPS = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-6}  # of values that were stored with seven digits
OPERATORS = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "power": operator.pow, "equal": operator.eq, "not_equal": operator.ne, "less": operator.lt,
    "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
}  # fmt: skip


def same(name, mixture, expected, found):
    """The format, or for integers that they are some; and the values."""
    (dtype, values), found, what = expected, np.asarray(found), f"{name} of {mixture}"
    if dtype in ("float32", "float64") and name != "cast":
        # JAX's default float has 64 bits here, ours is config.floatx(); and Keras narrows float64 in a few
        # functions. Targets take the format of the predictions, which come last.
        formats = mixture.split()[-1:] if "crossentropy" in name else mixture.split()
        dtype = "float64" if "float64" in formats else "float32"
    if dtype.startswith(("int", "uint")):
        assert found.dtype.kind in "iu", what
    elif "float16" in mixture and name not in KEEP_FLOAT16:
        assert str(found.dtype) in (dtype, "float16", "float32"), what
    else:
        assert str(found.dtype) == dtype, what
    finite = np.array([v is not None for v in values])
    found, wanted = found.astype(np.float64).ravel(), np.array([v if v is not None else 0 for v in values])
    assert np.array_equal(np.isfinite(found), finite), what
    eps = EPS["float16"] if "float16" in mixture else EPS.get(dtype, 1e-6)
    np.testing.assert_allclose(found[finite], wanted[finite], rtol=8 * eps, atol=4 * eps, err_msg=what)


KEEP_FLOAT16 = {
    *OPERATORS,
    "maximum",
    "minimum",
    "where",
    "concatenate",
    "stack",
    "negative",
    "abs",
    "square",
    "clip",
}


def tensors(operands):
    return [Tensor(x) if isinstance(x, np.ndarray) else x for x in operands]


def wrong_there(name, mixture):
    """Where the stored results are not meant: unsigned numbers that wrapped around, nothing divided by
    nothing, indices beyond the end and axes that are not there, which JAX moves."""
    wraps = ("softmax" in name and name != "sparsemax") or "logits" in name
    if set(mixture.split()) <= set(NUMBERS) and name in (
        "normalize",
        "take of everything",
        "binary_crossentropy",
    ):
        return True
    return (wraps and "uint" in mixture) or (
        "bool" in mixture and (name == "sparsemax" or "crossentropy" in name)
    )


def compared(name, run):
    for mixture, expected in KERAS[name].items():
        if wrong_there(name, mixture):
            continue
        operands = given(CALLS[name][1], mixture)
        same(name, mixture, expected, run(operands))


@pytest.mark.parametrize("name", KERAS)
def test_functions_of_arrays(name):
    compared(name, lambda operands: CALLS[name][0](ops, *operands))


@pytest.mark.parametrize("name", KERAS)
def test_functions_of_tensors(name):
    """Numbers stay numbers, arrays are Tensors."""
    compared(name, lambda operands: CALLS[name][0](ops, *tensors(operands)))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name):
    """A Tensor on either side; the other one a Tensor, an array or a number."""
    for mixture, expected in KERAS[name].items():
        a, b = given(CALLS[name][1], mixture)
        pairs = [(Tensor(a), b)] if isinstance(a, np.ndarray) else []
        pairs += [(a, Tensor(b))] if isinstance(b, np.ndarray) else []
        for one, other in pairs:
            same(name, mixture, expected, OPERATORS[name](one, other))


@pytest.mark.parametrize(
    "number", [np.float64(0.5), np.float32(0.5), np.int64(2), np.uint8(2), np.bool_(True)]
)
@pytest.mark.parametrize("name", [name for name in KERAS if CALLS[name][1].replace("c", "") == "VW"])
def test_numpy_scalars_count_as_numbers(name, number):
    plain = str(number.item())
    for dtype in FORMATS:
        for mixture in (f"{dtype} {plain}", f"{plain} {dtype}"):
            if mixture in KERAS[name]:
                operands = [
                    number if type(x) in (bool, int, float) else x for x in given(CALLS[name][1], mixture)
                ]
                same(name, mixture, KERAS[name][mixture], CALLS[name][0](ops, *operands))


@pytest.mark.parametrize(
    "name", [name for name, (_, roles) in CALLS.items() if any(role.isupper() for role in roles)]
)
def test_nothing_is_float64_that_no_float64_went_into(name):
    """And float32 among the operands keeps its format whatever integers are beside it."""
    for mixture in mixtures(CALLS[name][1]):
        formats = [one for one in mixture.split() if one not in NUMBERS]
        if "float64" in formats:
            continue
        try:
            with np.errstate(all="ignore"):
                result = CALLS[name][0](ops, *tensors(given(CALLS[name][1], mixture)))
        except (TypeError, ValueError, IndexError):  # what has no meaning for this format
            continue
        assert getattr(result, "dtype", None) != np.float64, f"{name} of {mixture}"


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32", "int64", "uint64"])
@pytest.mark.parametrize("name", sorted(activations._FUNCTIONS))
def test_activations_of_integers(name, dtype):
    """They are those of the same numbers as floats;
    only what leaves numbers as they are may leave them integers.
    """
    function, x = getattr(activations, name), np.array([[1, 0, 2, 120]]).astype(dtype)
    if name == "threshold":
        function = lambda x: activations.threshold(x, 1.0, 0.5)  # noqa: E731
    found, wanted = function(Tensor(x)), function(Tensor(x.astype(np.float32)))
    assert found.dtype == np.float32 or (name in ("relu", "linear") and found.dtype.kind in "biu")
    np.testing.assert_allclose(found.numpy().astype(np.float32), wanted.numpy(), rtol=1e-6)
    if dtype == "int8":
        x = np.array([[-128, -3, 127, 1]], np.int8)
        found, wanted = function(Tensor(x)), function(Tensor(x.astype(np.float32)))
        np.testing.assert_allclose(found.numpy().astype(np.float32), wanted.numpy(), rtol=1e-6)


def test_a_mask_times_a_number_keeps_float32():
    x = Tensor(np.array([-1.0, 2.0], np.float32), requires_grad=True)
    y = x * ((x > 0) * 0.5) + ops.where(x > 0, 1.0, 0.5)
    assert y.dtype == np.float32
    assert grad(y.sum(), x).dtype == np.float32


def test_the_default_float_is_what_integers_become():
    config.set_floatx("float64")
    try:
        i = Tensor(np.arange(3))
        assert {(i * 0.5).dtype, (i / 2).dtype, ops.mean(i).dtype, ops.arange(0, 1, 0.5).dtype} == {
            np.dtype(np.float64)
        }
    finally:
        config.set_floatx("float32")


def test_new_arrays():
    for made in (
        ops.arange(0, 1, 0.25),
        ops.arange(np.float64(2)),
        ops.full((2,), 3),
        ops.ones(2),
        ops.eye(2),
        ops.zeros(()),
    ):
        assert made.dtype == np.float32
    assert ops.arange(5).dtype.kind == "i"
    assert ops.arange(np.array(3.0)).dtype == np.float64  # an array is one, without axes too
    np.testing.assert_array_equal(ops.arange(0, 1, 0.25).numpy(), [0, 0.25, 0.5, 0.75])


def test_sums_of_small_integers_do_not_overflow():
    assert ops.sum(np.full(300, 200, np.uint8)) == 60_000
    assert ops.sum(np.full(300, True)) == 300
    assert ops.sum(Tensor(np.full((2, 300), -100, np.int8)), axis=1).numpy().tolist() == [-30_000, -30_000]
    assert ops.mean(Tensor(np.full(300, 200, np.uint8))).item() == 200
    assert ops.norm(np.full(4, 100, np.int8)) == 200


def test_large_integers_are_compared_exactly():
    a, b = np.array([2**53]), np.array([2**53 + 1], np.uint64)
    assert ops.equal(a, b).tolist() == [False]
    assert ops.less(Tensor(a), b).numpy().tolist() == [True]


def test_the_rule_itself():
    f2, f4, f8, i8, u8, b = (np.zeros(1, t) for t in ("f2", "f4", "f8", "i8", "u8", "?"))
    table = [
        ("f4", f4, i8), ("f2", f2, i8), ("f4", f2, f4), ("f8", f4, f8), ("f4", f4, np.float64(1)),
        ("f4", f4, 1e300),
        ("f4", i8, 0.5), ("f4", b, 0.5), ("i8", b, 2), ("i8", i8, b), ("f4", u8, i8),
        ("i1", np.zeros(1, "i1"), 3),
        ("i8", 1, 2), ("f4", 1, 2.0), ("f4", np.float64(1), 2), ("f8", f4, np.array(1.0)), ("f2", f2, [0.5]),
        ("f4", i8, [0.5]),
        ("f4", Tensor(f4), i8), ("f8", Tensor(f8), f4), ("i8", True, 1), ("?", True, False),
    ]  # fmt: skip
    for expected, *operands in table:
        assert result_type(*operands) == np.dtype(expected)


def test_every_call_is_compared_that_keras_has():
    assert len(KERAS) > 90
    assert all(any(role.islower() for role in CALLS[name][1]) or KERAS[name] for name in KERAS)
    assert set(ROLES) == set("".join(roles for _, roles in CALLS.values()))
