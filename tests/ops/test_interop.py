"""Tensor beside NumPy and Python."""

import numpy as np
import pytest

from tinynet import Tensor, grad, no_grad, ops
from tinynet.autograd import Parameter

ARRAY = np.array([1.0, 2.0, 3.0])


@pytest.fixture
def tracked():
    return Tensor(np.array([0.5, 1.5, 2.5]), requires_grad=True, name="t")


@pytest.mark.parametrize(
    "f",
    [
        lambda a, t: a + t, lambda a, t: a - t, lambda a, t: a * t, lambda a, t: a / t, lambda a, t: a**t,
        lambda a, t: a @ t,
        lambda a, t: t + a, lambda a, t: t - a, lambda a, t: t * a, lambda a, t: t / a, lambda a, t: t**a,
        lambda a, t: t @ a,
        lambda a, t: np.maximum(a, t), lambda a, t: np.exp(t), lambda a, t: np.tanh(t), lambda a,
        t: np.sqrt(t),
        lambda a, t: np.abs(t), lambda a, t: np.sum(t, axis=0), lambda a, t: np.mean(t), lambda a,
        t: np.max(t),
        lambda a, t: np.where(a > 1, t, a), lambda a, t: np.concatenate([t, a]), lambda a,
        t: np.stack([a, t]),
        lambda a, t: np.reshape(t, (3, 1)), lambda a, t: np.transpose(t), lambda a, t: np.float64(2.0) * t,
    ],
)  # fmt: skip
def test_numpy_on_either_side(f, tracked):
    y = f(ARRAY, tracked)
    assert isinstance(y, Tensor)
    assert y.requires_grad
    np.testing.assert_allclose(y.numpy(), f(ARRAY, tracked.numpy()))
    assert grad([y], tracked, [np.ones(y.shape)]).shape == (3,)


@pytest.mark.parametrize(
    "f",
    [
        np.asarray,
        np.arctan,
        np.linalg.norm,
        np.add.reduce,
        np.median,
        lambda t: np.add(t, 1, out=np.zeros(3)),
    ],
)
def test_a_tracked_tensor_never_turns_into_an_array(f, tracked):
    with pytest.raises(TypeError, match=r"t\.numpy\(\).*t\.detach\(\)"):
        f(tracked)
    np.testing.assert_allclose(np.asarray(f(tracked.detach())), f(tracked.numpy()))


def test_an_array_plus_equals_a_tracked_tensor_is_refused(tracked):
    a = ARRAY.copy()
    with pytest.raises(TypeError, match="requires a gradient"):
        a += tracked
    a += tracked.detach()
    np.testing.assert_array_equal(a, ARRAY + tracked.numpy())


def test_an_array_of_a_tensor_is_a_copy_or_when_asked_a_read_only_view():
    t = Tensor(np.arange(3.0))
    for copy in (
        np.asarray(t),
        np.array(t),
        np.asarray(t, copy=True),
        np.asarray(t, np.float32),
        t.__array__(),
    ):
        copy[0] = 7.0
        assert not np.shares_memory(copy, t.data)
        np.testing.assert_array_equal(t.data, [0.0, 1.0, 2.0])
    assert np.asarray(t, np.float32).dtype == np.float32
    view = np.asarray(t, copy=False)
    assert np.shares_memory(view, t.data)
    assert not view.flags.writeable
    with pytest.raises(ValueError, match="leave copy=False out"):
        np.asarray(t, np.float32, copy=False)


VALUES = np.array([[1.0, -2.0, np.nan], [0.5, 4.0, np.inf]])
OF_PARAMETERS = {
    "array": np.array,
    "asarray": np.asarray,
    "float32": lambda w: np.asarray(w, dtype="float32"),
    "full_like": lambda w: np.full_like(w, 3.0),
    "zeros_like": np.zeros_like,
    "isnan": np.isnan,
    "isfinite": np.isfinite,
    "signbit": np.signbit,
    "norm": np.linalg.norm,
    "histogram": lambda w: np.histogram(w, bins=3, range=(-2, 4))[0],
    "percentile": lambda w: np.percentile(w, 30),
    "std": lambda w: np.std(w),
    "argmax": np.argmax,
    "ravel": np.ravel,
    "round": lambda w: np.round(w, 1),
    "array_equal": lambda w: np.array_equal(w, w, equal_nan=True),
    "shape": np.shape,
    "sorted": lambda w: np.sort(w, axis=None),
    "list of": lambda w: np.array([w, w]),
    "format": lambda w: np.array2string(np.asarray(w)),
    "reduce": np.add.reduce,
    "iteration": lambda w: [np.asarray(row) for row in np.asarray(w)],
}


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("f", OF_PARAMETERS.values(), ids=OF_PARAMETERS)
def test_numpy_takes_parameters(f, trainable):
    """The same as of the array, and nothing that is done with it changes the parameter."""
    parameter = Parameter(VALUES.copy(), trainable=trainable, name="dense/kernel")
    result = f(parameter)
    np.testing.assert_array_equal(result, f(VALUES))
    if isinstance(result, np.ndarray):
        assert result.dtype == f(VALUES).dtype
        assert not np.shares_memory(result, parameter.data)
    assert parameter.version == 0


def test_an_array_of_a_parameter_stays_what_it_was():
    parameter = Parameter(np.ones((2, 3)))
    before = np.asarray(parameter), np.ravel(parameter), np.atleast_1d(parameter)
    parameter.assign(np.zeros((2, 3)))
    for array in before:
        assert (array == 1).all()
    plt = pytest.importorskip("matplotlib.figure")
    counts, _, _ = plt.Figure().subplots().hist(np.ravel(parameter), bins=2)
    assert counts.sum() == 6
    figure = plt.Figure()
    assert figure.subplots().imshow(parameter).get_array().shape == (2, 3)


def test_a_function_of_parameters_without_a_derivative_here_says_so():
    """np.arctan of a weight in a layer would be a constant; results never turn into arrays by themselves."""
    parameter = Parameter(np.ones(3))
    with pytest.raises(TypeError, match="requires a gradient"):
        np.arctan(parameter)
    with pytest.raises(TypeError, match="requires a gradient"):
        np.remainder(parameter, 2.0)
    for turn in (np.asarray, np.array, np.linalg.norm, lambda y: np.full_like(y, 1.0)):
        with pytest.raises(TypeError, match=r"t\.numpy\(\).*t\.detach\(\)"):
            turn(parameter * 2.0)
    assert np.isnan(parameter * 2.0).sum() == 0


def test_numpy_is_a_c_ordered_copy():
    t = Tensor(np.asfortranarray(np.ones((2, 3))), requires_grad=True)
    copy = t.numpy()
    assert copy.flags.c_contiguous
    copy[:] = 0
    assert t.data.all()


def test_dlpack(tracked):
    np.testing.assert_array_equal(np.from_dlpack(tracked.detach()), tracked.numpy())
    with pytest.raises(TypeError, match="DLPack"):
        np.from_dlpack(tracked)


def test_comparisons_are_constant_tensors_of_booleans(tracked):
    for result in (
        tracked > 1.0,
        tracked == tracked,
        tracked > ARRAY,
        (tracked > 1.0) & ~(tracked > 2.0),
        tracked != 1.5,
    ):
        assert isinstance(result, Tensor)
        assert result.dtype == bool
        assert not result.requires_grad
    np.testing.assert_array_equal((tracked > ARRAY).numpy(), tracked.numpy() > ARRAY)
    assert {tracked: 1}[tracked] == 1  # hashed by identity


@pytest.mark.parametrize("alien", [None, "abc", object, {"a": 1}, [[1], [2, 3]], ["a"]], ids=str)
def test_what_is_no_array_is_not_equal(tracked, alien):
    assert (tracked == alien) is False
    assert (tracked != alien) is True
    assert (alien == tracked) is False
    assert tracked not in [alien]
    with pytest.raises(TypeError, match="numbers"):
        tracked < alien  # noqa: B015


def test_python_protocols():
    t = Tensor(np.array([[1.5, 2.0], [3.0, 4.0]]))
    assert len(t) == 2
    assert [row.numpy().tolist() for row in t] == [[1.5, 2.0], [3.0, 4.0]]
    assert float(t[0, 0]) == 1.5
    assert int(t[1, 1]) == 4
    assert t[0, 0].item() == 1.5
    assert f"{t[0, 0]:.3f}" == "1.500"
    assert bool(t[0, 0] > 1)
    with pytest.raises(ValueError, match="neither true nor false"):
        bool(t > 1)
    with pytest.raises(ValueError, match="one element"):
        float(t)
    with pytest.raises(TypeError, match="no axes"):
        len(t[0, 0])


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/"])
def test_in_place_operators(symbol, tracked):
    scope = {"t": Tensor(ARRAY.copy()), "tracked": tracked}
    memory = scope["t"].data
    exec(f"t {symbol}= 2.0", scope)
    np.testing.assert_array_equal(scope["t"].data, eval(f"ARRAY {symbol} 2.0", {"ARRAY": ARRAY}))
    assert scope["t"].data is memory
    assert scope["t"].version == 1
    for target, value in (("tracked", "2.0"), ("t", "tracked")):
        with pytest.raises(RuntimeError, match=rf"write t = t \{symbol}"):
            exec(f"{target} {symbol}= {value}", scope)
    with no_grad():
        exec(f"tracked {symbol}= 2.0", scope)
    assert tracked.version == 1


def test_setitem(tracked):
    t = Tensor(ARRAY.copy())
    t[1] = 7.0
    t[Tensor(np.array([0]))] = Tensor(np.array([5.0]))
    np.testing.assert_array_equal(t.numpy(), [5.0, 7.0, 3.0])
    assert t.version == 2
    with pytest.raises(RuntimeError, match="no_grad"):
        tracked[0] = 1.0
    with pytest.raises(RuntimeError, match="no_grad"):
        t[0] = tracked[0]


def test_astype(tracked):
    y = tracked.astype("float32")
    assert y.dtype == np.float32
    y.sum().backward()
    assert tracked.grad.dtype == np.float64
    assert not tracked.astype(int).requires_grad


def test_settings_of_numpy_functions_that_tensors_lack_run_on_plain_arrays(tracked):
    assert np.sum(tracked.detach(), dtype=np.float32).dtype == np.float32
    with pytest.raises(TypeError, match="requires a gradient"):
        np.sum(tracked, dtype=np.float32)


def test_operations_on_arrays_return_arrays():
    assert type(ops.exp(ARRAY)) is np.ndarray
    assert type(ops.reshape(ARRAY, (3, 1))) is np.ndarray
