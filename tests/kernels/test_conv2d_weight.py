"""The gradients by kernel and bias: bands of rows, parts of the batch,
every vector width, and repeated launches.
"""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tinynet import kernels
from tinynet.kernels import common, conv2d, emit, threads
from tinynet.kernels.conv2d import bias, choice, weight_loop
from tinynet.kernels.conv2d.geometry import Window
from tinynet.replay.capture import Capture

SAME = Window(strides=(1, 1), corner=(1, 1), dilation=(1, 1))


def loop_of(plan: Any) -> weight_loop.WeightLoop:
    return weight_loop.WeightLoop(*plan.loop)


# images, height, width, channels, filters, kernel, stride, dilation, padding:
# each has several bands, parts or runs
CASES = [
    (37, 28, 28, 1, 7, 3, 1, 1, 1),
    (130, 14, 14, 7, 5, 3, 1, 1, 1),
    (20, 9, 70, 12, 20, 3, 1, 1, 0),
    (33, 24, 24, 20, 10, 1, 1, 1, 0),
    (16, 4, 4, 16, 10, 4, 1, 1, 0),
    (19, 3, 3, 5, 9, 3, 1, 1, 1),
    (40, 11, 3, 2, 3, 3, 1, 1, 1),
    (18, 15, 17, 3, 4, 5, 2, 1, 2),
    (17, 13, 12, 2, 3, 3, 1, 2, 2),
    # many filters: wide.py
    (37, 9, 8, 16, 33, 3, 1, 1, 1),
    (128, 14, 14, 17, 64, 3, 1, 1, 1),
    (20, 15, 13, 16, 48, 5, 2, 1, 2),
    (19, 13, 11, 16, 40, 3, 1, 2, 2),
    (33, 1, 1, 64, 64, 1, 1, 1, 0),
    (600, 2, 70, 16, 32, 3, 1, 1, 1),
]


def arrays(case: tuple[int, ...], dtype: Any = np.float64) -> tuple[Any, Any, dict[str, Any]]:
    n, height, width, channels, filters, kernel, stride, dilation, padding = case
    static = {
        "strides": (stride, stride),
        "padding": ((padding, padding),) * 2,
        "dilation": (dilation, dilation),
        "groups": 1,
    }
    x = np.random.default_rng(0).normal(size=(n, height, width, channels))
    y = conv2d.conv2d["im2col"](x, np.zeros((kernel, kernel, channels, filters)), **static)
    g = np.random.default_rng(1).normal(size=y.shape)
    return (
        common.to_batch_last(x, dtype),
        common.to_batch_last(g, dtype),
        {"kernel_size": (kernel, kernel), **static},
    )


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_the_reference(case: tuple[int, ...]) -> None:
    x, g, static = arrays(case)
    expected = conv2d.conv2d_weight_grad["im2col"](x, g, **static)
    np.testing.assert_allclose(
        conv2d.conv2d_weight_grad["vector"](x, g, **static), expected, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("case", [CASES[1], CASES[5], CASES[9]])
def test_every_vector_width(vector_bytes: int, case: tuple[int, ...]) -> None:
    x, g, static = arrays(case, np.float32)
    expected = conv2d.conv2d_weight_grad["im2col"](x.astype(float), g.astype(float), **static)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        conv2d.conv2d_weight_grad["vector"](x, g, **static) / scale, expected / scale, atol=3e-6
    )
    dz, db = conv2d.conv2d_activation_grad["vector"](g, -g, "relu")
    np.testing.assert_array_equal(dz, np.where(g < 0, g, 0))
    np.testing.assert_allclose(db, dz.sum(axis=(0, 1, 2), dtype=float), rtol=1e-5)


@pytest.mark.parametrize("part_bytes", [1 << 10, 1 << 14, 1 << 24])
def test_bands_and_parts_cover_every_row_of_every_image_once(
    monkeypatch: pytest.MonkeyPatch, part_bytes: int
) -> None:
    monkeypatch.setattr(weight_loop, "MAX_PART_BYTES", part_bytes)
    v = emit.vectors(np.dtype(np.float32))
    plan = loop_of(
        weight_loop.weight_plan.__wrapped__((11, 9), (11, 9), (3, 3), 4, 6, SAME, v, 10 * v.lanes + 1)
    )
    seen = np.zeros((11, 11), int)  # row, block
    first_run = plan.tiles[0, 5]
    runs = range(first_run, first_run + 3)
    for first, whole, partial in plan.parts:
        for band in plan.bounds:
            for start, end in (band[run] for run in runs):
                seen[start:end, first : first + whole + partial] += 1
    np.testing.assert_array_equal(seen, 1)


@pytest.mark.parametrize(("size", "kernel"), [((3, 3), (3, 3)), ((6, 5), (1, 1)), ((6, 5), (3, 3))])
@pytest.mark.parametrize("images", [5, 16, 23, 47])
@pytest.mark.usefixtures("vector_bytes")
def test_images_that_fill_no_vector_are_counted_once(size: Any, kernel: Any, images: int) -> None:
    """As the last vector of small maps and 1x1 kernels, as a part of their own otherwise; what lies behind
    them in memory is not read.
    """
    rng = np.random.default_rng(0)
    padding = ((kernel[0] // 2,) * 2, (kernel[1] // 2,) * 2)
    static: Any = {"padding": padding, "strides": (1, 1), "dilation": (1, 1), "groups": 1}
    rooms = [np.full((*size, channels + 1, images + 64), np.nan, np.float32) for channels in (9, 8)]
    x, g = (common.from_batch_last(room[..., :-1, :images]) for room in rooms)
    for array in (x, g):
        array[...] = rng.normal(size=array.shape)
    expected = conv2d.conv2d_weight_grad["im2col"](
        x.astype(float), g.astype(float), kernel_size=kernel, **static
    )
    found = conv2d.conv2d_weight_grad["vector"](x, g, kernel_size=kernel, **static)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    dz, db = conv2d.conv2d_activation_grad["vector"](g, -g, "relu")
    np.testing.assert_array_equal(dz, np.where(g < 0, g, 0))
    np.testing.assert_allclose(db, dz.sum(axis=(0, 1, 2), dtype=float), rtol=1e-4)


def test_a_small_batch_is_not_divided_more_than_needed() -> None:
    """At 32 images the results of many parts would cost more than they help."""
    v = emit.vectors(np.dtype(np.float32))
    for size, channels, filters in ((14, 14, 14), (7, 28, 28), (3, 28, 56)):
        plan = loop_of(
            weight_loop.weight_plan(
                (size, size), (size, size), (3, 3), channels, filters, SAME, v, 2 * v.lanes
            )
        )
        assert len(plan.parts) * len(plan.bounds) == 1


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("shape", [(37, 6, 5, 11), (128, 14, 14, 7), (3, 1, 1, 1), (64, 2, 3, 40)])
def test_activation_gradient_and_bias_gradient_in_one_pass(
    shape: tuple[int, ...], activation: str | None
) -> None:
    rng = np.random.default_rng(2)
    g, y = (
        common.to_batch_last(rng.normal(size=shape)),
        common.to_batch_last(np.maximum(rng.normal(size=shape), 0)),
    )
    expected_dz, expected_db = conv2d.conv2d_activation_grad["im2col"](g, y, activation)
    dz, db = conv2d.conv2d_activation_grad["vector"](g, y, activation)
    np.testing.assert_array_equal(dz, expected_dz)
    np.testing.assert_allclose(db, expected_db, rtol=1e-10, atol=1e-10)
    channels_first = [common.to_batch_last(a.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1) for a in (g, y)]
    dz, db = conv2d.conv2d_activation_grad["vector"](*channels_first, activation)
    np.testing.assert_array_equal(dz, expected_dz)
    np.testing.assert_allclose(db, expected_db, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["im2col", "vector"])
def test_activation_gradient_says_what_is_wrong(name: str) -> None:
    g = np.zeros((2, 3, 3, 4))
    with pytest.raises(ValueError, match="shape"):
        conv2d.conv2d_activation_grad[name](g, g[..., :2], "relu")
    with pytest.raises(ValueError, match="activation must be None or 'relu'"):
        conv2d.conv2d_activation_grad[name](g, g, "tanh")
    assert conv2d.conv2d_activation_grad[name](g[:0], g[:0], "relu")[1].tolist() == [0] * 4


@pytest.mark.parametrize("filters", [6, 128])
@pytest.mark.parametrize("groups", [1, 2])
def test_recorded_launches_compute_the_gradients_of_other_numbers(groups: int, filters: int) -> None:
    x, g, static = arrays((130, 14, 14, 32, filters, 3, 1, 1, 1), np.float32)
    static["groups"] = groups
    y = common.to_batch_last(np.sign(g))
    capture = Capture()
    with capture:
        dz, db = conv2d.conv2d_activation_grad(g, y, "relu")
        dw = conv2d.conv2d_weight_grad(x, dz, **static)
    x *= 0.5
    g[...] = g[:, ::-1] + 1
    capture.program.run()
    other_dz, other_db = conv2d.conv2d_activation_grad(g, y, "relu")
    np.testing.assert_array_equal(db, other_db)
    np.testing.assert_array_equal(dw, conv2d.conv2d_weight_grad(x, other_dz, **static))


@pytest.mark.parametrize("rows", [0, 1])
def test_threads_without_a_row_of_the_scratch_have_memory_of_their_own(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Threads that another thread asks for come after the scratch was made."""
    x, g, static = arrays((128, 14, 14, 32, 64, 3, 1, 1, 1), np.float32)
    expected = conv2d.conv2d_weight_grad(x, g, **static)
    monkeypatch.setattr(threads, "most", rows)
    np.testing.assert_array_equal(conv2d.conv2d_weight_grad(x, g, **static), expected)


def test_which_shapes_are_wide() -> None:
    v = emit.vectors(np.dtype(np.float32))._replace(lanes=16)
    assert choice.is_wide((14, 14), (3, 3), 32, 64, v)
    assert choice.is_wide((1, 1), (1, 1), 64, 32, v)
    assert not choice.is_wide((14, 14), (3, 3), 8, 64, v)  # too few channels to share a transposed g
    assert not choice.is_wide((14, 14), (3, 3), 32, 33, v)  # 15 of 48 lanes would do nothing
    assert not choice.is_wide((3, 3), (3, 3), 56, 56, v)  # nine pixels are straight code in the other tile


def test_few_images_are_multiplied_one_by_one() -> None:
    v = emit.vectors(np.dtype(np.float32))._replace(lanes=16)

    def wide(images: int, output: int, channels: int, filters: int, apart: bool = False) -> bool:
        return choice.is_wide_for_few(images, apart, (output, output), (3, 3), channels, filters, v)

    assert wide(1, 28, 7, 7)
    assert not wide(0, 28, 7, 7)
    assert not wide(15, 28, 7, 7)
    assert wide(8, 3, 56, 56)
    assert not wide(14, 3, 56, 56)
    assert wide(8, 3, 56, 56, apart=True)
    assert not wide(9, 3, 56, 56, apart=True)  # the other tile takes them along
    assert not wide(1, 1, 2, 2, apart=True)  # a launch more would be most of the work
    assert not wide(14, 14, 56, 56, apart=True)
    assert wide(1, 28, 1, 8)  # one channel is enough if g needs not be transposed
    assert not wide(2, 28, 1, 8)
    assert not wide(1, 28, 1, 8, apart=True)
    text = kernels.explain("conv2d", (1, 28, 28, 7), (3, 3, 7, 7), padding="same")
    assert "weight gradient  register tiles: with filters in the lanes (wide.py), since few" in text
    text = kernels.explain("conv2d", (33, 28, 28, 7), (3, 3, 7, 7), padding="same")
    assert "the last 1 with filters in the lanes" in text


@pytest.mark.parametrize("images", [1, 2, 3, 5, 9, 17, 20, 35])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("size", "channels", "filters"), [((3, 3), 17, 35), ((8, 5), 7, 7), ((9, 4), 1, 40)])
def test_weight_gradients_of_few_images(
    size: Any, channels: int, filters: int, dtype: Any, images: int
) -> None:
    rng = np.random.default_rng(images)
    x, g = (common.to_batch_last(rng.normal(size=(images, *size, k)), dtype) for k in (channels, filters))
    static = {"strides": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    got = conv2d.conv2d_weight_grad["vector"](x, g, kernel_size=(3, 3), **static)
    exact = conv2d.conv2d_weight_grad["naive"](
        x.astype(np.float64), g.astype(np.float64), kernel_size=(3, 3), **static
    )
    limit = 1e-5 if dtype is np.float32 else 1e-12
    np.testing.assert_allclose(got, exact, rtol=0, atol=limit * np.abs(exact).max())


@pytest.mark.parametrize("filters", [8, 33, 64])
def test_a_single_image_is_read_where_it_lies(filters: int) -> None:
    """With nothing behind it that may be read, and in a memory order in which filters are no neighbours."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 6, 7, 20)).astype(np.float32)
    g = np.full((6, 7, filters + 3), np.nan, np.float32)[None, :, :, :filters]
    g[...] = rng.normal(size=g.shape)
    apart = np.ascontiguousarray(g.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    static = {"strides": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    exact = conv2d.conv2d_weight_grad["naive"](
        x.astype(np.float64), g.astype(np.float64), kernel_size=(3, 3), **static
    )
    for gradient in (g, apart):
        got = conv2d.conv2d_weight_grad["vector"](x, gradient, kernel_size=(3, 3), **static)
        np.testing.assert_allclose(got, exact, rtol=0, atol=1e-5 * np.abs(exact).max())


PROGRAM = """
import hashlib, numpy as np
from tinynet.kernels import common, conv2d
rng, digest = np.random.default_rng(3), hashlib.sha256()
for n, size, c, f in (
    (128, 28, 1, 7), (40, 14, 7, 14), (3, 28, 7, 7), (21, 3, 28, 56), (128, 14, 32, 64), (33, 8, 64, 128)
):
    x, g = (common.to_batch_last(rng.normal(size=(n, size, size, k)), np.float32) for k in (c, f))
    static = dict(strides=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1), groups=1)
    digest.update(conv2d.conv2d_weight_grad(x, g, kernel_size=(3, 3), **static).tobytes())
    for array in conv2d.conv2d_activation_grad(g, -g, "relu"):
        digest.update(array.tobytes())
print(digest.hexdigest())
"""


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    def run(threads: int) -> str:
        environment = {**os.environ, "NUMBA_NUM_THREADS": str(threads)}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert run(1) == run(2) == run(3)


def test_tiles_of_equal_maps_are_shared() -> None:
    """A tile of a map that is not small knows its width only: heights and batches share it."""
    v = emit.vectors(np.dtype(np.float32))
    addresses = [
        loop_of(weight_loop.weight_plan((h, 14), (h, 14), (3, 3), 2, 3, SAME, v, n * v.lanes))
        .tiles[:, 0]
        .tolist()
        for h, n in ((14, 1), (28, 1), (14, 4))
    ]
    assert addresses[0] == addresses[1] == addresses[2]
    first, second = (
        bias.BiasLoop(*bias.bias_plan(shape, "relu", v).loop) for shape in ((16, 5, 5, 9), (32, 7, 7, 9))
    )
    assert first.tiles[0, 0] == second.tiles[0, 0]
