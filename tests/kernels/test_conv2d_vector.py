"""The register tiles: every vector width, and the same bits whatever the number of threads."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tinynet.kernels import common, conv2d, emit
from tinynet.kernels.conv2d import forward, weight, weight_loop
from tinynet.kernels.conv2d.geometry import Window

SAME = {"strides": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_vector_width(vector_bytes: int, dtype: Any) -> None:
    v = emit.vectors(np.dtype(dtype))
    assert (v.bytes, v.registers) == (vector_bytes, 16 if vector_bytes == 32 else 32)
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=(21, 6, 5, 3)).astype(dtype), rng.normal(size=(21, 6, 5, 7)).astype(dtype)
    w, b = rng.normal(size=(3, 3, 3, 7)).astype(dtype), rng.normal(size=7).astype(dtype)
    for name in ("vector", "naive"):
        got = (
            conv2d.conv2d[name](x, w, b, **SAME),
            conv2d.conv2d[name](x, w, b, activation="relu", **SAME),
            conv2d.conv2d_input_grad[name](g, w, input_size=(6, 5), **SAME),
            conv2d.conv2d_weight_grad[name](x, g, kernel_size=(3, 3), **SAME),
        )
        if name == "vector":
            fast = got
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    for a, expected in zip(fast, got, strict=True):
        np.testing.assert_allclose(a, expected, rtol=tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("registers", [16, 32])
@pytest.mark.parametrize("filters", [1, 2, 7, 13, 64])
@pytest.mark.parametrize("columns", [1, 3, 14, 50])
def test_tiles_fit_the_registers(registers: int, filters: int, columns: int) -> None:
    ct, xt = forward.tile_shape(filters, columns, registers)
    assert ct <= filters
    assert xt <= columns
    assert ct * xt + xt + 1 < registers  # sums, pixels, a weight
    f, c, rows = weight.tile_shape(filters, columns, (3, 3), registers)
    assert f * c * rows * 3 + f + 1 < registers


def test_the_tiles_that_the_readme_names() -> None:
    assert forward.tile_shape(14, 14, 32) == (7, 3)
    assert forward.tile_shape(14, 14, 16) == (5, 2)
    assert weight.tile_shape(14, 14, (3, 3), 32) == (3, 1, 3)


def test_split_covers_in_equal_pieces() -> None:
    assert forward.split(7, 3) == [0, 3, 5, 7]
    assert forward.split(6, 3) == [0, 3, 6]
    assert forward.lengths(29, 8) == [8, 7, 7, 7]


@pytest.mark.parametrize(("images", "most"), [(1, 1), (16, 1), (100, 7), (256, 16)])
def test_the_batch_is_divided_without_gaps(images: int, most: int) -> None:
    window = Window(strides=(1, 1), corner=(1, 1), dilation=(1, 1))
    plan = weight_loop.weight_plan(
        (4, 4), (4, 4), (3, 3), 2, 2, window, emit.vectors(np.dtype(np.float32)), images
    )
    parts = weight_loop.WeightLoop(*plan.loop).parts.tolist()
    lanes = emit.vectors(np.dtype(np.float32)).lanes
    covered = [block for first, whole, last in parts for block in range(first, first + whole + last)]
    assert covered == list(range(-(-images // lanes)))
    assert [last for _, _, last in parts].count(1) == (images % lanes > 0)


def test_batch_last_input_is_not_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    x = common.to_batch_last(np.ones((20, 6, 6, 4), np.float32))
    w = np.ones((3, 3, 2, 6), np.float32)
    monkeypatch.setattr(common, "to_batch_last", lambda *_: pytest.fail("converted"))
    static = {**SAME, "groups": 2}
    y = conv2d.conv2d(x, w, **static)
    channels_first = common.from_batch_last(np.ones((4, 6, 6, 20), np.float32)).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(conv2d.conv2d(channels_first, w, **static), y)
    conv2d.conv2d_input_grad(y, w, input_size=(6, 6), **static)
    conv2d.conv2d_weight_grad(x, y, kernel_size=(3, 3), **static)


@pytest.mark.parametrize("name", ["im2col", "naive", "vector"])
def test_an_empty_batch_is_empty(name: str) -> None:
    x, g, w = np.zeros((0, 4, 4, 2)), np.zeros((0, 4, 4, 3)), np.ones((3, 3, 2, 3))
    assert conv2d.conv2d[name](x, w, **SAME).shape == (0, 4, 4, 3)
    assert conv2d.conv2d_input_grad[name](g, w, input_size=(4, 4), **SAME).shape == (0, 4, 4, 2)
    dw = conv2d.conv2d_weight_grad[name](x, g, kernel_size=(3, 3), **SAME)
    np.testing.assert_array_equal(dw, np.zeros((3, 3, 2, 3)))


PROGRAM = """
import hashlib, numpy as np
from tinynet.kernels import conv2d
rng, digest = np.random.default_rng(3), hashlib.sha256()
for n, size, c, f in ((33, 14, 3, 7), (128, 7, 14, 28), (16, 3, 28, 56)):
    x, g = (rng.normal(size=(n, size, size, k)).astype(np.float32) for k in (c, f))
    w = rng.normal(size=(3, 3, c, f)).astype(np.float32)
    static = dict(strides=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1), groups=1)
    digest.update(conv2d.conv2d(x, w, **static).tobytes())
    digest.update(conv2d.conv2d_input_grad(g, w, input_size=(size, size), **static).tobytes())
    digest.update(conv2d.conv2d_weight_grad(x, g, kernel_size=(3, 3), **static).tobytes())
print(digest.hexdigest())
"""


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    def run(threads: int) -> str:
        environment = {**os.environ, "NUMBA_NUM_THREADS": str(threads)}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert run(1) == run(2)
