"""Every implementation of convolution is the one its formula defines, forward and in its three gradients."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet import kernels
from tinynet.kernels import common, conv2d

import strict_array
from kernel_cases import BATCHES, DTYPES, assert_agree

FAST = ["im2col", "vector", "winograd", "winograd_tiles", "cuda"]
ALL = ["naive", *FAST]
RUNGS = ["one_at_a_time", "sums_in_registers", "several_filters", "rows_shared"]  # of ladder.py: forward only
ORDERS = ("C", "F", "batch_last", "slices", "reversed")


class Case(NamedTuple):
    x: np.ndarray
    w: np.ndarray
    b: np.ndarray | None
    g: np.ndarray
    static: dict[str, Any]


def in_order(a: np.ndarray, order: str) -> np.ndarray:
    """The same numbers in another memory order."""
    if order == "batch_last":
        return common.to_batch_last(a)
    if order == "slices":
        wide = np.zeros((a.shape[0] + 3, *a.shape[1:3], 2 * a.shape[3]), a.dtype)
        view = common.to_batch_last(wide)[2:-1, :, :, ::2]
        view[...] = a
        return view
    if order == "reversed":
        return np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1]
    return np.array(a, order=order)


@st.composite
def cases(draw: Any, dtype: Any = np.float64) -> Case:
    """Convolutions whose kernel fits the padded map, of all kinds and in all memory orders."""

    def pair(low: int, high: int) -> tuple[int, int]:
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    c, f = groups * draw(st.integers(1, 5)), groups * draw(st.integers(1, 9))
    kernel, strides, dilation = pair(1, 4), pair(1, 3), pair(1, 2)
    padding = pair(0, 3), pair(0, 3)
    extents = [(k - 1) * d + 1 - sum(p) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    size = tuple(max(1, extent) + draw(st.integers(0, 7)) for extent in extents)
    n = draw(st.sampled_from([1, 7, 16, 33, 128]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    static = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    output = conv2d.output_size(size, kernel, strides, padding, dilation)
    x = in_order(rng.normal(size=(n, *size, c)).astype(dtype), draw(st.sampled_from(ORDERS)))
    g = in_order(rng.normal(size=(n, *output, f)).astype(dtype), draw(st.sampled_from(ORDERS)))
    w = rng.normal(size=(*kernel, c // groups, f)).astype(dtype)
    w = in_order(w, draw(st.sampled_from(["C", "F", "reversed"])))
    b = rng.normal(size=f).astype(dtype) if draw(st.booleans()) else None
    return Case(x, w, b, g, static)


def results(case: Case, name: str) -> list[np.ndarray]:
    x, w, b, g, static = case
    return [
        conv2d.conv2d[name](x, w, b, **static),
        conv2d.conv2d_input_grad[name](g, w, input_size=x.shape[1:3], **static),
        conv2d.conv2d_weight_grad[name](x, g, kernel_size=w.shape[:2], **static),
        conv2d.conv2d_bias_grad[name](g),
    ]


@pytest.mark.parametrize("name", FAST)
@given(case=cases())
def test_agrees_with_the_definition(name: str, case: Case) -> None:
    for got, expected in zip(results(case, name), results(case, "naive"), strict=True):
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12 * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("name", RUNGS)
@given(case=cases())
def test_a_rung_of_the_ladder_agrees_with_the_definition(name: str, case: Case) -> None:
    x, w, b, _, static = case
    before = x.copy()
    got, expected = (conv2d.conv2d[which](x, w, b, **static) for which in (name, "naive"))
    assert got.dtype == np.float64
    assert got.transpose(1, 2, 3, 0).flags.c_contiguous
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12 * (1 + np.abs(expected).max()))
    np.testing.assert_array_equal(x, before)


def test_the_last_rung_has_the_bits_of_the_one_before() -> None:
    """Rows are shared, sums are not."""
    rng = np.random.default_rng(4)
    x, w = (rng.normal(size=shape).astype(np.float32) for shape in ((33, 14, 14, 14), (3, 3, 14, 14)))
    static = {"strides": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    one, other = (conv2d.conv2d[name](x, w, **static) for name in ("several_filters", "rows_shared"))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ALL)
@given(case=cases(np.float32))
def test_single_precision_is_as_accurate_as_single_precision_is(name: str, case: Case) -> None:
    wide = Case(*(None if a is None else a.astype(np.float64) for a in case[:4]), case.static)
    for got, expected in zip(results(case, name), results(wide, "naive"), strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=2e-5 * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("name", ALL)
@given(case=cases())
def test_the_three_are_each_others_adjoints(name: str, case: Case) -> None:
    x, w, _, g, _ = case
    y, dx, dw, _ = results(case._replace(b=None), name)
    expected = np.vdot(y, g)
    scale = np.linalg.norm(y) * np.linalg.norm(g) + 1
    assert np.vdot(x, dx) == pytest.approx(expected, abs=1e-12 * scale)
    assert np.vdot(w, dw) == pytest.approx(expected, abs=1e-12 * scale)


@pytest.mark.parametrize("name", ALL)
@given(case=cases(np.float32))
def test_inputs_are_left_alone_and_results_are_batch_last(name: str, case: Case) -> None:
    arrays = [a for a in case[:4] if a is not None]
    before = [a.copy() for a in arrays]
    y, dx, *_ = results(case, name)
    for a, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, copy)
    for result in (y, dx):
        assert result.transpose(1, 2, 3, 0).flags.c_contiguous


@pytest.mark.parametrize("name", [*ALL, *RUNGS])
@given(case=cases(np.float32))
def test_a_fused_relu_is_the_separate_one(name: str, case: Case) -> None:
    x, w, b, _, static = case
    got = conv2d.conv2d[name](x, w, b, activation="relu", **static)
    np.testing.assert_array_equal(got, np.maximum(conv2d.conv2d[name](x, w, b, **static), 0))


@pytest.mark.parametrize("name", [*ALL, *RUNGS])
def test_a_fused_relu_keeps_nan(name: str) -> None:
    x = np.array([np.nan, -1, 2], np.float32).reshape(3, 1, 1, 1)
    static = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
    y = conv2d.conv2d[name](x, np.ones((1, 1, 1, 1), np.float32), activation="relu", **static)
    np.testing.assert_array_equal(y.ravel(), np.array([np.nan, 0, 2], np.float32))
    with pytest.raises(ValueError, match="activation must be None or 'relu', got 'elu'"):
        conv2d.conv2d[name](x, np.ones((1, 1, 1, 1), np.float32), activation="elu", **static)


def by_windows(
    x: np.ndarray, w: np.ndarray, strides: tuple[int, int], dilation: tuple[int, int]
) -> np.ndarray:
    """Unpadded convolution out of NumPy's own windows and einsum: shares no code with the kernels."""
    extent = [(k - 1) * d + 1 for k, d in zip(w.shape[:2], dilation, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(x, extent, axis=(1, 2))
    windows = windows[:, :: strides[0], :: strides[1], :, :: dilation[0], :: dilation[1]]
    return np.einsum("nijchw,hwcf->nijf", windows, w)


@pytest.mark.parametrize("name", [*ALL, *RUNGS])
@pytest.mark.parametrize("strides", [(1, 1), (2, 1), (3, 2)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 3), (1, 2)])
def test_against_einsum(name: str, strides: tuple[int, int], dilation: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    x, w, b = rng.normal(size=(18, 9, 11, 3)), rng.normal(size=(3, 2, 3, 10)), rng.normal(size=10)
    y = conv2d.conv2d[name](x, w, b, strides=strides, padding=((1, 2), (0, 3)), dilation=dilation, groups=1)
    padded = np.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0)))
    np.testing.assert_allclose(y, by_windows(padded, w, strides, dilation) + b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_by_hand(name: str) -> None:
    x = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.float32).reshape(1, 3, 3, 1)
    w = np.array([[1, 0], [0, -1]], np.float32).reshape(2, 2, 1, 1)
    static = {"strides": (1, 1), "padding": ((0, 1), (0, 1)), "dilation": (1, 1), "groups": 1}
    y = conv2d.conv2d[name](x, w, np.array([10], np.float32), **static)
    assert y.reshape(3, 3).tolist() == [[6, 6, 13], [6, 6, 16], [17, 18, 19]]
    g = np.zeros((1, 3, 3, 1), np.float32)
    g[0, 1, 1] = 1
    dx = conv2d.conv2d_input_grad[name](g, w, input_size=(3, 3), **static)
    assert dx.reshape(3, 3).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, -1]]
    dw = conv2d.conv2d_weight_grad[name](x, g, kernel_size=(2, 2), **static)
    assert dw.reshape(2, 2).tolist() == [[5, 6], [8, 9]]


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize(
    ("size", "kernel", "strides", "padding"),
    [
        ((1, 1), (1, 1), (1, 1), ((0, 0), (0, 0))),
        ((1, 1), (3, 3), (1, 1), ((1, 1), (1, 1))),  # kernel larger than the map
        ((2, 3), (7, 5), (1, 1), ((3, 3), (2, 2))),
        ((9, 12), (7, 7), (2, 2), ((2, 3), (2, 3))),
        ((28, 28), (3, 3), (1, 1), ((1, 1), (1, 1))),
        ((3, 40), (1, 18), (1, 1), ((0, 0), (5, 5))),  # wider than the register tiles
        ((5, 5), (1, 1), (3, 3), ((4, 4), (4, 4))),  # outputs that see nothing, phases without taps
    ],
)
def test_corner_shapes(name: str, size: Any, kernel: Any, strides: Any, padding: Any) -> None:
    rng = np.random.default_rng(6)
    static = {"strides": strides, "padding": padding, "dilation": (1, 1), "groups": 1}
    output = conv2d.output_size(size, kernel, strides, padding, (1, 1))
    x, w = rng.normal(size=(19, *size, 3)), rng.normal(size=(*kernel, 3, 15))
    case = Case(x, w, rng.normal(size=15), rng.normal(size=(19, *output, 15)), static)
    for got, expected in zip(results(case, name), results(case, "naive"), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("n", BATCHES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [(1, 1), (5, 3)])
def test_every_batch_size(name: str, n: int, dtype: Any, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(n)
    x, g = rng.normal(size=(n, *size, 3)).astype(dtype), rng.normal(size=(n, *size, 7)).astype(dtype)
    w, b = rng.normal(size=(3, 3, 3, 7)).astype(dtype), rng.normal(size=7).astype(dtype)
    static = {"strides": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    case = Case(x, w, b, g, static)
    assert_agree(tuple(results(case, name)), tuple(results(case, "naive")), float32=1e-5)


@given(case=cases(np.float32))
def test_on_an_array_type_that_is_not_numpys(case: Case) -> None:
    x, w, b, g = (None if a is None else strict_array.asarray(np.ascontiguousarray(a)) for a in case[:4])
    strict = Case(x, w, b, g, case.static)
    assert conv2d.conv2d.fastest == "winograd_tiles"
    y = conv2d.conv2d(x, w, b, **case.static)
    dx = conv2d.conv2d_input_grad(g, w, input_size=x.shape[1:3], **case.static)
    dw = conv2d.conv2d_weight_grad(x, g, kernel_size=w.shape[:2], **case.static)
    db = conv2d.conv2d_bias_grad(g)
    for got, expected in zip((y, dx, dw, db), results(case, "naive"), strict=True):
        np.testing.assert_allclose(got.get(), expected, rtol=1e-4, atol=2e-5 * (1 + np.abs(expected).max()))
    assert strict.x.dtype == y.dtype == np.float32


@given(case=cases())
def test_col2im_is_the_adjoint_of_im2col(case: Case) -> None:
    x, kernel = case.x, case.w.shape[:2]
    geometry = [case.static[name] for name in ("strides", "padding", "dilation")]
    columns = conv2d.im2col.im2col(x, kernel, *geometry)
    other = np.random.default_rng(1).normal(size=columns.shape)
    back = conv2d.im2col.col2im(other, x.shape, kernel, *geometry)
    assert np.vdot(columns, other) == pytest.approx(np.vdot(x, back), abs=1e-10 * columns.size)


def test_the_first_column_is_the_first_window() -> None:
    x = np.arange(2 * 4 * 4 * 3, dtype=np.float32).reshape(2, 4, 4, 3)
    columns = conv2d.im2col.im2col(x, (2, 3), (1, 1), ((0, 0), (0, 0)))
    assert columns.shape == (2 * 3 * 3, 3 * 2 * 2)
    np.testing.assert_array_equal(columns[:, 0], x[0, :2, :3].ravel())
    np.testing.assert_array_equal(columns[:, -1], x[1, 2:, 1:].ravel())


def test_can_be_chosen_by_name() -> None:
    names = ("im2col", "cuda", *RUNGS, "naive", "winograd", "vector", "winograd_tiles")
    assert kernels.families()["conv2d"] == names
    x, w = np.ones((2, 3, 3, 1), np.float32), np.ones((3, 3, 1, 1), np.float32)
    for name in kernels.families()["conv2d"]:
        with kernels.use("conv2d", name):
            y = conv2d.conv2d(x, w, strides=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1), groups=1)
        expected = [[4, 6, 4], [6, 9, 6], [4, 6, 4]]
        np.testing.assert_allclose(y[0, :, :, 0], expected, rtol=1e-6 if name == "winograd" else 0)


@pytest.mark.parametrize("implementation", [*ALL, *RUNGS])
@pytest.mark.parametrize("images", [0, 2, 17])
@pytest.mark.parametrize(
    "kernel",
    [(2, 2, 1, 0), (2, 2, 0, 3), (0, 2, 2, 3), (2, 0, 2, 3), (0, 0, 0, 0)],
    ids=lambda kernel: str(kernel),
)
def test_a_kernel_without_weights_leaves_the_bias(implementation, images, kernel):
    """An empty sum is 0: the output is the bias, the gradients of x and w are 0 or have no elements."""
    geometry = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
    x = np.ones((images, 4, 4, kernel[2]), np.float32)
    w, b = np.ones(kernel, np.float32), np.arange(kernel[3], dtype=np.float32) + 1
    y = conv2d.conv2d[implementation](x, w, b, **geometry)
    np.testing.assert_array_equal(y, np.broadcast_to(b, (images, 5 - kernel[0], 5 - kernel[1], kernel[3])))
    if implementation in RUNGS:
        return
    dx = conv2d.conv2d_input_grad[implementation](y, w, input_size=(4, 4), **geometry)
    np.testing.assert_array_equal(dx, np.zeros(x.shape))
    dw = conv2d.conv2d_weight_grad[implementation](x, y, kernel_size=kernel[:2], **geometry)
    np.testing.assert_array_equal(dw, np.zeros(kernel))
