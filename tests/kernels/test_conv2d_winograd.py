"""Winograd's algorithm is convolution: its matrices, its reference in NumPy, its tiles.

The shapes of test_conv2d.py have few channels, for which Winograd's tiles are not taken. These have more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import kernels
from tinynet.kernels import common, conv2d, emit, threads
from tinynet.kernels.conv2d import (
    choice,
    winograd,
    winograd_few,
    winograd_plan,
    winograd_vector,
    winograd_weight_plan,
)
from tinynet.kernels.conv2d.winograd_plan import axis_tiles
from tinynet.replay.capture import Capture

FORWARD, INPUT, WEIGHT = conv2d.conv2d, conv2d.conv2d_input_grad, conv2d.conv2d_weight_grad
LAYERS = [  # size, padding, channels, filters
    ((14, 14), ((1, 1), (1, 1)), 14, 14),
    ((7, 7), ((1, 1), (1, 1)), 9, 29),  # three pieces of filters, with AVX-512
    ((3, 3), ((1, 1), (1, 1)), 16, 7),  # tiles of 3x3
    ((13, 8), ((0, 2), (1, 0)), 7, 15),
    ((17, 16), ((0, 0), (0, 0)), 33, 16),
]
SMALL = [  # maps of less than a tile, of one row, with all of the padding on one side; and images
    ((1, 1), ((2, 2), (2, 2)), 1, 1, 1),
    ((2, 5), ((1, 0), (2, 1)), 2, 3, 3),
    ((5, 3), ((0, 2), (0, 0)), 3, 5, 20),
    ((9, 4), ((2, 0), (1, 2)), 8, 17, 33),
]


def layer(size: Any, padding: Any, channels: int, filters: int, images: int, seed: int = 0) -> Any:
    """x, w, b, g, settings, in float32 and batch-last memory."""
    rng = np.random.default_rng(seed)
    static = {"strides": (1, 1), "padding": padding, "dilation": (1, 1), "groups": 1}
    output = conv2d.output_size(size, (3, 3), (1, 1), padding, (1, 1))
    shapes = (images, *size, channels), (3, 3, channels, filters), (filters,), (images, *output, filters)
    x, w, b, g = (rng.normal(size=shape).astype(np.float32) for shape in shapes)
    return common.to_batch_last(x), w, b, common.to_batch_last(g), static


def rms(a: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(a, dtype=np.float64))))


@contextmanager
def weights_place_by_place(deep: bool) -> Iterator[None]:
    """Weight gradients by the loops for many channels, if `deep`, or by those for few."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd_weight_plan, "DEEP_SUMS_BYTES", 0 if deep else 1 << 40)
        winograd_weight_plan.winograd_weight_plan.cache_clear()
        yield
    winograd_weight_plan.winograd_weight_plan.cache_clear()


def orders(a: np.ndarray) -> dict[str, np.ndarray]:
    """The same numbers in several memory orders: of those in which a batch comes, and of steps backwards."""
    wide = np.zeros((a.shape[1], 2 * a.shape[2], a.shape[3], a.shape[0] + 5), a.dtype)
    slices = wide.transpose(3, 0, 1, 2)[2:-3, :, ::2]
    slices[...] = a
    return {
        "C": np.ascontiguousarray(a),
        "reversed": np.ascontiguousarray(a[::-1, ::-1, ::-1, ::-1])[::-1, ::-1, ::-1, ::-1],
        "batch-last, reversed": common.to_batch_last(a[:, ::-1, ::-1, ::-1])[:, ::-1, ::-1, ::-1],
        "batch-last, slices": slices,
    }


@pytest.mark.parametrize("outputs", [2, 3, 4])
def test_the_matrices_filter_with_fewer_products(outputs: int) -> None:
    at, g, bt = winograd.matrices(outputs)
    assert at.shape[1] == g.shape[0] == bt.shape[0] == outputs + 2
    x, w = np.random.default_rng(0).normal(size=outputs + 2), np.array([0.5, -2.0, 3.0])
    expected = [sum(w[k] * x[i + k] for k in range(3)) for i in range(outputs)]
    np.testing.assert_allclose(at @ ((g @ w) * (bt @ x)), expected, rtol=1e-13)


def test_two_outputs_are_those_of_the_page() -> None:
    """The four lines of winograd.py, in which the sign of a row may be in B^T or in G."""
    x, w = np.array([1.0, 2.0, 4.0, 8.0]), np.array([3.0, 5.0, 7.0])
    by_hand = [(1 - 4) * 3, (2 + 4) * 15 / 2, (4 - 2) * 5 / 2, (8 - 2) * 7]
    at, g, bt = winograd.matrices(2)
    np.testing.assert_array_equal((g @ w) * (bt @ x), by_hand)
    np.testing.assert_array_equal(at @ np.array(by_hand), [1 * 3 + 2 * 5 + 4 * 7, 2 * 3 + 4 * 5 + 8 * 7])


@pytest.mark.parametrize("outputs", [3, 4])
def test_rows_of_two_points_differ_in_signs_alone(outputs: int) -> None:
    """The tiles compute them together."""
    points = winograd.POINTS[outputs]
    pairs = [i for i, p in enumerate(points) if p > 0 and points[i + 1] == -p]
    assert len(pairs) == 2
    for matrix in winograd.matrices(outputs):
        rows = matrix.T if matrix.shape[0] == outputs else matrix
        for i in pairs:
            np.testing.assert_array_equal(np.abs(rows[i]), np.abs(rows[i + 1]))


@pytest.mark.parametrize(("size", "padding", "channels", "filters"), LAYERS)
def test_the_reference_is_convolution(size: Any, padding: Any, channels: int, filters: int) -> None:
    *arrays, static = layer(size, padding, channels, filters, 3)
    x, w, b, g = (np.asarray(a, np.float64) for a in arrays)
    for name, got, expected in (
        ("forward", *(FORWARD[n](x, w, b, activation="relu", **static) for n in ("winograd", "naive"))),
        ("input", *(INPUT[n](g, w, input_size=size, **static) for n in ("winograd", "naive"))),
        ("weight", *(WEIGHT[n](x, g, kernel_size=(3, 3), **static) for n in ("winograd", "naive"))),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-11, err_msg=name)


@pytest.mark.parametrize(("size", "padding", "channels", "filters"), LAYERS)
@given(data=st.data())
@settings(max_examples=6)
def test_the_tiles_are_convolution(data: Any, size: Any, padding: Any, channels: int, filters: int) -> None:
    """Any number of images, with bias and relu or not: rms errors at most 4 times the direct tiles'."""
    images = data.draw(st.sampled_from([1, 7, 16, 17, 32, 33, 47, 48, 64, 100]))
    activation = data.draw(st.sampled_from([None, "relu"]))
    x, w, b, g, static = layer(size, padding, channels, filters, images, data.draw(st.integers(0, 99)))
    b = b if data.draw(st.booleans()) else None
    wide = [None if a is None else a.astype(np.float64) for a in (x, w, b, g)]
    exact = FORWARD["im2col"](*wide[:3], activation=activation, **static)
    exact_dx = INPUT["im2col"](wide[3], wide[1], input_size=size, **static)
    direct = FORWARD["vector"](x, w, b, activation=activation, **static)
    direct_dx = INPUT["vector"](g, w, input_size=size, **static)
    exact_dw = WEIGHT["im2col"](wide[0], wide[3], kernel_size=(3, 3), **static)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "why_direct", lambda *_: None)
        patch.setattr(winograd_vector, "why_direct_weight", lambda *_: None)
        with weights_place_by_place(data.draw(st.booleans())):
            dw = WEIGHT["winograd_tiles"](x, g, kernel_size=(3, 3), **static)
        y = FORWARD["winograd_tiles"](x, w, b, activation=activation, **static)
        dx = INPUT["winograd_tiles"](g, w, input_size=size, **static)
    assert y.dtype == dx.dtype == np.float32
    assert rms(y - exact) <= 4 * rms(direct - exact)
    assert rms(dx - exact_dx) <= 4 * rms(direct_dx - exact_dx)
    assert dw.dtype == np.float32
    assert rms(dw - exact_dw) <= 1e-6 * rms(exact_dw)  # the direct tiles add up fewer numbers of small maps
    np.testing.assert_allclose(y, exact, atol=5e-6 * rms(exact) * 3 + 1e-6, rtol=1e-4)
    assert common.is_batch_last(y)
    assert common.is_batch_last(dx)


@pytest.mark.parametrize(("size", "padding", "channels", "filters", "images"), SMALL)
@pytest.mark.usefixtures("vector_bytes")
def test_small_maps_in_any_memory_order(
    size: Any, padding: Any, channels: int, filters: int, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, w, b, g, static = layer(size, padding, channels, filters, images)
    wide = [a.astype(np.float64) for a in (x, w, b, g)]
    expected = (
        FORWARD["im2col"](*wide[:3], activation="relu", **static),
        INPUT["im2col"](wide[3], wide[1], input_size=size, **static),
        WEIGHT["im2col"](wide[0], wide[3], kernel_size=(3, 3), **static),
    )
    monkeypatch.setattr(choice, "why_direct", lambda *_: None)
    monkeypatch.setattr(winograd_vector, "why_direct_weight", lambda *_: None)
    for (order, some_x), some_w, some_g in zip(
        orders(x).items(), orders(w).values(), orders(g).values(), strict=True
    ):
        got = [
            FORWARD["winograd_tiles"](some_x, some_w, b, activation="relu", **static),
            INPUT["winograd_tiles"](some_g, some_w, input_size=size, **static),
        ]
        for deep in (False, True):
            with weights_place_by_place(deep):
                got.append(WEIGHT["winograd_tiles"](some_x, some_g, kernel_size=(3, 3), **static))
        names = ("y", "dx", "dw", "dw, place by place")
        for name, one, exact in zip(names, got, (*expected, expected[2]), strict=True):
            limit = 3e-6 * (1 + np.abs(exact).max())
            np.testing.assert_allclose(one, exact, rtol=0, atol=limit, err_msg=f"{name}, {order}")


@pytest.mark.parametrize("deep", [False, True])
def test_a_program_repeats_them_with_more_threads_than_it_has_memory_for(
    deep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scratch has a row for each thread that there was; what comes later brings its own."""
    x, w, b, g, static = layer(*LAYERS[0], 70)
    other_x, other_w, _, other_g, _ = layer(*LAYERS[0], 70, seed=1)

    def step() -> list[np.ndarray]:
        y = FORWARD["winograd_tiles"](x, w, b, activation="relu", **static)
        dx = INPUT["winograd_tiles"](g, w, input_size=(14, 14), **static)
        return [y, dx, WEIGHT["winograd_tiles"](x, g, kernel_size=(3, 3), **static)]

    before, most = threads.get_num_threads(), threads.most
    if deep:
        monkeypatch.setattr(winograd_plan, "DEEP_U_BYTES", 0)
        monkeypatch.setattr(winograd_weight_plan, "DEEP_SUMS_BYTES", 0)
    threads.most = 1
    winograd_plan.winograd_plan.cache_clear()
    winograd_weight_plan.winograd_weight_plan.cache_clear()
    try:
        threads.set_num_threads(1)
        with Capture() as capture:
            found = step()
        for array, other in ((x, other_x), (w, other_w), (g, other_g)):
            array[...] = other
        expected = step()
        threads.set_num_threads(4)
        for _ in range(10):
            for array in found:
                array[...] = np.nan
            capture.program.run()
            for got, known in zip(found, expected, strict=True):
                np.testing.assert_array_equal(got, known)
    finally:
        threads.set_num_threads(before)
        threads.most = max(threads.most, most)
        winograd_plan.winograd_plan.cache_clear()
        winograd_weight_plan.winograd_weight_plan.cache_clear()


@pytest.mark.parametrize("images", [1, 20, 70, 300])
def test_many_channels_are_convolved_place_by_place(images: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers, bit by bit, in another order."""
    x, w, b, g, static = layer((7, 9), ((1, 1), (1, 1)), 30, 33, images)

    def both() -> tuple[np.ndarray, np.ndarray]:
        winograd_plan.winograd_plan.cache_clear()
        y = FORWARD["winograd_tiles"](x, w, b, activation="relu", **static)
        return y, INPUT["winograd_tiles"](g, w, input_size=(7, 9), **static)

    expected = both()
    monkeypatch.setattr(winograd_plan, "DEEP_U_BYTES", 0)
    for got, known in zip(both(), expected, strict=True):
        np.testing.assert_array_equal(got, known)
    winograd_plan.winograd_plan.cache_clear()


@pytest.mark.parametrize(("size", "channels", "filters"), [(15, 64, 256), (7, 256, 256), (4, 128, 200)])
def test_weight_gradients_of_many_channels(size: int, channels: int, filters: int) -> None:
    """They take the loops that go place by place; rms errors at most 4 times the direct tiles'."""
    x, _, _, g, static = layer((size, size), ((1, 1), (1, 1)), channels, filters, 40)
    vectors = emit.vectors(np.dtype(np.float32))
    plan = winograd_weight_plan.winograd_weight_plan(
        x.shape[:3], (size, size), channels, filters, (1, 1), vectors
    )
    assert plan.shared > 0
    wide_x, wide_g = x.astype(np.float64), g.astype(np.float64)
    exact = WEIGHT["im2col"](wide_x, wide_g, kernel_size=(3, 3), **static)
    direct = WEIGHT["vector"](x, g, kernel_size=(3, 3), **static)
    dw = WEIGHT["winograd_tiles"](x, g, kernel_size=(3, 3), **static)
    assert rms(dw - exact) <= 4 * rms(direct - exact)
    assert rms(dw - exact) <= 1.5e-6 * rms(exact)
    # the derivative of sum(g * y) in a direction: y is linear in w
    direction = np.random.default_rng(1).normal(size=dw.shape)
    change = np.sum(wide_g * FORWARD["im2col"](wide_x, direction, None, **static))
    assert abs(np.sum(dw * direction) - change) <= 1e-5 * np.linalg.norm(exact) * np.sqrt(dw.size) / 30


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("images", [1, 16, 17, 33, 48, 70])
def test_what_memory_held_before_is_in_no_sum(
    deep: bool, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of vectors that the last images do not fill."""
    x, _, _, g, static = layer((9, 10), ((1, 1), (1, 1)), 20, 35, images)
    exact = WEIGHT["im2col"](x.astype(np.float64), g.astype(np.float64), kernel_size=(3, 3), **static)
    new = common.aligned

    def full_of_nan(shape: Any, dtype: Any) -> np.ndarray:
        memory = new(shape, dtype)
        memory.view(np.uint8)[...] = 255
        return memory

    monkeypatch.setattr(common, "aligned", full_of_nan)
    with weights_place_by_place(deep):
        dw = WEIGHT["winograd_tiles"](x, g, kernel_size=(3, 3), **static)
    np.testing.assert_allclose(dw, exact, rtol=0, atol=3e-6 * (1 + np.abs(exact).max()))


@pytest.mark.parametrize("images", [1, 3, 17, 18, 33, 40])
def test_nothing_is_written_beyond_the_last_image(images: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, b, g, static = layer(*LAYERS[0], images)
    expected = FORWARD["winograd_tiles"](x, w, b, **static)
    expected_dx = INPUT["winograd_tiles"](g, w, input_size=(14, 14), **static)
    padded = []

    def with_room(like: Any, shape: Any, dtype: Any = None) -> Any:
        room = np.full((*shape[1:], shape[0] + 64), 7, like.dtype)
        padded.append(room)
        return room[..., : shape[0]].transpose(3, 0, 1, 2)

    monkeypatch.setattr(common, "empty", with_room)
    y = FORWARD["winograd_tiles"](x, w, b, **static)
    dx = INPUT["winograd_tiles"](g, w, input_size=(14, 14), **static)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(dx, expected_dx)
    assert len(padded) == 2
    assert all((room[..., images:] == 7).all() for room in padded)


@pytest.mark.parametrize("images", [0, 1, 8, 33])
def test_what_an_image_gives_does_not_depend_on_the_others(images: int) -> None:
    x, w, b, g, static = layer(*LAYERS[0], 128)
    every = FORWARD["winograd_tiles"](x, w, b, activation="relu", **static)
    few = FORWARD["winograd_tiles"](x[:images], w, b, activation="relu", **static)
    np.testing.assert_array_equal(few, every[:images])
    all_dx, dx = (INPUT["winograd_tiles"](a, w, input_size=(14, 14), **static) for a in (g, g[:images]))
    np.testing.assert_array_equal(dx, all_dx[:images])


FEW = [  # several tiles of an image, with and without a border; a single tile; tiles of 3x3
    ((28, 28), ((1, 1), (1, 1)), 7, 9),
    ((13, 9), ((0, 2), (2, 0)), 15, 7),
    ((9, 8), ((0, 0), (0, 0)), 8, 30),
    ((6, 6), ((0, 0), (0, 0)), 16, 20),
    ((3, 3), ((1, 1), (1, 1)), 28, 30),
]


@pytest.mark.parametrize(("size", "padding", "channels", "filters"), FEW)
@pytest.mark.usefixtures("vector_bytes")
def test_few_images_get_the_bits_that_they_get_among_many(
    size: Any, padding: Any, channels: int, filters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut into tiles where that pays, or wherever there are several; with filters in the lanes or without."""
    x, w, b, g, static = layer(size, padding, channels, filters, 64)
    monkeypatch.setattr(choice, "why_direct", lambda *_: None)

    def both(images: int) -> tuple[bytes, bytes]:
        y = FORWARD["winograd_tiles"](x[:images], w, b, activation="relu", **static)
        return y.tobytes(), INPUT["winograd_tiles"](g[:images], w, input_size=size, **static).tobytes()

    lanes = emit.vectors(np.dtype(np.float32)).lanes
    y, dx = both(64)
    for cost in (winograd_few.COPY, 0):
        monkeypatch.setattr(winograd_few, "COPY", cost)
        winograd_few.few_at_end.cache_clear()
        for images in (1, 2, 3, 7, lanes + 1, 2 * lanes + 1, 3 * lanes + 2):
            assert both(images) == (y[: len(y) * images // 64], dx[: len(dx) * images // 64]), images
    winograd_few.few_at_end.cache_clear()


def test_which_images_are_cut() -> None:
    v = emit.vectors(np.dtype(np.float32))._replace(lanes=16)
    of = winograd_few.few_at_end
    assert of(1, (28, 28), 14, 14, v) == (1, 4, 7, 7, 49)
    assert of(33, (7, 7), 28, 28, v) == (1, 4, 2, 2, 4)
    assert of(32, (28, 28), 14, 14, v) is None
    assert of(15, (28, 28), 14, 14, v) is None  # they fill a vector
    assert of(1, (3, 3), 28, 56, v) is None  # one tile


def test_cut_images_are_read_anew_by_a_program_and_written_by_no_more_than_their_pixels() -> None:
    x, w, b, _, static = layer((11, 13), ((1, 1), (1, 1)), 9, 8, 19)
    other_x, other_w, _, _, _ = layer((11, 13), ((1, 1), (1, 1)), 9, 8, 19, seed=1)
    with Capture() as capture:
        y = FORWARD["winograd_tiles"](x, w, b, **static)
    assert len(capture.program) == 4  # of sixteen images; cut, convolved and joined
    x[...], w[...] = other_x, other_w
    capture.program.run()
    np.testing.assert_array_equal(y, FORWARD["winograd_tiles"](other_x, other_w, b, **static))
    exact = FORWARD["im2col"](*(a.astype(np.float64) for a in (other_x, other_w, b)), **static)
    np.testing.assert_allclose(y, exact, rtol=1e-4, atol=1e-4)


def test_the_number_of_threads_changes_no_bit() -> None:
    x, w, b, g, static = layer((28, 28), ((1, 1), (1, 1)), 11, 17, 70)
    before, found = threads.get_num_threads(), []
    try:
        for count in (1, 2, 3, 8):
            threads.set_num_threads(count)
            y = FORWARD["winograd_tiles"](x, w, b, **static)
            dx = INPUT["winograd_tiles"](g, w, input_size=(28, 28), **static)
            with weights_place_by_place(False):
                dw = WEIGHT["winograd_tiles"](x, g, kernel_size=(3, 3), **static)
            with weights_place_by_place(True):
                deep = WEIGHT["winograd_tiles"](x, g, kernel_size=(3, 3), **static)
            found.append((y, dx, dw, deep))
    finally:
        threads.set_num_threads(before)
    for others in found[1:]:
        for got, expected in zip(others, found[0], strict=True):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_none_is_not_lost(bad: float) -> None:
    """Where the definition has NaN or infinity, so (or NaN) do the tiles; other images keep their numbers."""
    x, w, b, _, static = layer(*LAYERS[0], 20)
    clean = FORWARD["winograd_tiles"](x, w, b, **static)
    x[3, 5, 6, 2] = bad
    y = FORWARD["winograd_tiles"](x, w, b, **static)
    with np.errstate(invalid="ignore"):
        expected = FORWARD["im2col"](x, w, b, **static)
    assert not np.isfinite(y[~np.isfinite(expected)]).any()
    others = np.arange(20) != 3
    np.testing.assert_array_equal(y[others], clean[others])
    np.testing.assert_array_equal(y[3, 12:], clean[3, 12:])  # of other tiles


def test_integers_come_out_as_integers_up_to_rounding() -> None:
    rng = np.random.default_rng(5)
    x, w, b, _, static = layer(*LAYERS[0], 16)
    x[...], w[...], b[...] = (rng.integers(-4, 5, a.shape) for a in (x, w, b))
    expected = FORWARD["im2col"](x, w, b, **static)  # exact
    np.testing.assert_allclose(FORWARD["winograd_tiles"](x, w, b, **static), expected, atol=2e-3)


def test_which_layers_take_it_is_a_matter_of_shapes() -> None:
    def reason(size: int, padding: int, channels: int, filters: int) -> str | None:
        output = size + 2 * padding - 2
        return choice.why_direct(
            (3, 3, channels, filters), (size, size), (output, output), (padding, padding)
        )

    assert reason(14, 1, 14, 14) is None
    assert reason(26, 0, 12, 20) is None
    assert reason(3, 1, 28, 56) is None
    assert "fewer than 7" in str(reason(28, 1, 1, 7))
    assert "border" in str(reason(6, 2, 16, 16))
    assert reason(8, 1, 256, 256) is None
    assert "too large" in str(reason(8, 1, 1024, 1024))
    assert "single tile" in str(reason(4, 1, 256, 256))
    alone = kernels.explain("conv2d", (1, 14, 14, 256), (3, 3, 256, 256), padding="same")
    assert "Winograd" not in alone.split("weight gradient")[0]
    assert alone.count("a single image") == 2
    few = kernels.explain("conv2d", (1, 14, 14, 64), (3, 3, 64, 64), padding="same")
    assert few.count("1 cut into tiles that fill vectors") == 2
    assert "a single image" not in few
    assert "do not suit" in str(reason(5, 1, 16, 16))
    text = kernels.explain("conv2d", (128, 14, 14, 14), (3, 3, 14, 14), padding="same")
    assert "forward          Winograd's algorithm: 4x4 outputs of 6x6 pixels by 36 products" in text
    assert "weight gradient  Winograd's algorithm: 4x4 outputs" in text
    assert choice.why_direct_weight(16, 14, 14, (14, 14), 16) is None
    assert choice.why_direct_weight(4, 14, 14, (14, 14), 16) is None
    assert "one by one" in str(choice.why_direct_weight(3, 14, 14, (14, 14), 16))
    assert "too few" in str(choice.why_direct_weight(16, 7, 14, (14, 14), 16))
    assert "small" in str(choice.why_direct_weight(16, 28, 56, (3, 3), 16))
    assert choice.why_direct_weight(16, 512, 512, (7, 7), 16) is None
    assert "too large" in str(choice.why_direct_weight(16, 1024, 512, (7, 7), 16))
    assert choice.why_direct_weight(16, 256, 256, (4, 4), 16) is None  # all of its one tile is in the map
    assert "do not suit" in str(choice.why_direct_weight(16, 256, 256, (3, 3), 16))
    assert "do not suit" in str(choice.why_direct_weight(16, 256, 256, (5, 5), 16))
    doubles = kernels.explain("conv2d", (128, 14, 14, 14), (3, 3, 14, 14), padding="same", dtype=np.float64)
    assert "Winograd" not in doubles


def test_tiles_of_an_axis_cover_it_once() -> None:
    table, kinds = axis_tiles(4, 14, 14, 1)
    assert [kinds[kind].outputs for kind, _, _ in table] == [4, 4, 4, 2]
    assert [first for _, first, _ in table] == [0, 4, 8, 12]
    assert kinds[table[0][0]].inputs == (1, 2, 3, 4, 5)  # the border is outside
    assert kinds[table[3][0]].inputs == (0, 1, 2)
