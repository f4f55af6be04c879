"""Convolutions with groups, and depthwise ones above all: one launch, the numbers of the definition."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet import kernels
from tinynet.kernels import common, conv2d
from tinynet.replay.capture import Capture

SAME = ((1, 1), (1, 1))


def by_groups(x: np.ndarray, w: np.ndarray, g: np.ndarray, **static: Any) -> list[np.ndarray]:
    """Output and both gradients, each group as a convolution of its own by the definition, in float64."""
    groups, one = static["groups"], {**static, "groups": 1}
    x, w, g = (a.astype(np.float64) for a in (x, w, g))
    parts = [np.split(a, groups, axis=3) for a in (x, w, g)]
    found = []
    for x_, w_, g_ in zip(*parts, strict=True):
        found.append((
            conv2d.conv2d["naive"](x_, w_, None, **one),
            conv2d.conv2d_input_grad["naive"](g_, w_, input_size=x.shape[1:3], **one),
            conv2d.conv2d_weight_grad["naive"](x_, g_, kernel_size=w.shape[:2], **one),
        ))  # fmt: skip
    return [np.concatenate(arrays, axis=3) for arrays in zip(*found, strict=True)]


def computed(x: np.ndarray, w: np.ndarray, g: np.ndarray, **static: Any) -> list[np.ndarray]:
    return [
        conv2d.conv2d(x, w, None, **static),
        conv2d.conv2d_input_grad(g, w, input_size=x.shape[1:3], **static),
        conv2d.conv2d_weight_grad(x, g, kernel_size=w.shape[:2], **static),
    ]


def arrays(
    n: int, size: tuple[int, int], shape: tuple[int, ...], static: dict[str, Any], dtype: Any = np.float64
) -> Any:
    """x, w, g for a kernel of `shape` (KH, KW, channels and filters of a group)."""
    rng = np.random.default_rng(n)
    *kernel, c, f = shape
    output = conv2d.output_size(size, tuple(kernel), static["strides"], static["padding"], static["dilation"])
    x, g = (
        common.to_batch_last(rng.normal(size=s), dtype)
        for s in ((n, *size, c * static["groups"]), (n, *output, f * static["groups"]))
    )
    return x, rng.normal(size=(*kernel, c, f * static["groups"])).astype(dtype), g


@given(
    n=st.sampled_from([1, 5, 16, 33, 64]), groups=st.integers(2, 9), c=st.integers(1, 2), f=st.integers(1, 3),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)), pads=st.tuples(*[st.integers(0, 3)] * 4),
    more=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)  # fmt: skip
def test_all_groups_at_once_are_the_groups_one_by_one(n, groups, c, f, kernel, strides, dilation, pads, more):
    padding = (pads[:2], pads[2:])
    static = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    size = tuple(
        max(1, (k - 1) * d + 1 - sum(p)) + extra
        for k, d, p, extra in zip(kernel, dilation, padding, more, strict=True)
    )
    x, w, g = arrays(n, size, (*kernel, c, f), static)
    for got, expected in zip(computed(x, w, g, **static), by_groups(x, w, g, **static), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-11 * (1 + np.abs(expected).max()))


# Maps, channels and batches of nets that are used; kernels with more sums than registers;
# more filters than lie near.
@pytest.mark.parametrize(
    ("n", "size", "shape", "groups", "stride"),
    [
        (37, (14, 14), (3, 3, 1, 1), 33, 1),
        (32, (14, 15), (3, 3, 1, 2), 16, 2),
        (128, (9, 9), (3, 3, 1, 1), 200, 1),
        (16, (12, 13), (7, 7, 1, 1), 5, 1),
        (40, (6, 6), (3, 3, 4, 4), 32, 1),
        (17, (4, 4), (3, 3, 2, 40), 4, 1),
        (1, (7, 7), (3, 3, 1, 1), 1000, 1),
        (33, (5, 5), (3, 3, 64, 64), 2, 1),
        (16, (1, 30), (1, 5, 1, 1), 24, 1),
    ],
)
def test_single_precision(n, size, shape, groups, stride):
    padding = tuple(((k - 1) // 2, k // 2) for k in shape[:2])
    static = {"strides": (stride, stride), "padding": padding, "dilation": (1, 1), "groups": groups}
    x, w, g = arrays(n, size, shape, static, np.float32)
    for got, expected in zip(computed(x, w, g, **static), by_groups(x, w, g, **static), strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=2e-5 * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("shape", [(3, 3, 1, 1), (3, 3, 1, 2), (3, 3, 2, 3)])
def test_one_launch_that_reads_the_numbers_of_today(shape):
    static = {"strides": (1, 1), "padding": SAME, "dilation": (1, 1), "groups": 12}
    x, w, g = arrays(40, (8, 8), shape, static, np.float32)
    capture = Capture()
    with capture:
        results = computed(x, w, g, **static)
    assert len(capture.program) == 3, "forward and both gradients"
    for array in (x, w, g):
        array[...] = array[::-1] + 1
    capture.program.run()
    for result, expected in zip(results, computed(x, w, g, **static), strict=True):
        np.testing.assert_array_equal(result, expected)


def test_explain():
    text = kernels.explain("conv2d", (32, 14, 14, 64), (3, 3, 1, 64), padding="same", groups=64)
    assert text.count("register tiles") == 3
    assert "all 64 groups in one launch" in text
    assert "depthwise.py" in text
    assert "one group after the other" in kernels.explain(
        "conv2d", (32, 5, 5, 128), (3, 3, 64, 256), groups=2
    )
    assert "one lane" not in kernels.explain("conv2d", (1, 7, 7, 1000), (3, 3, 1, 1000), groups=1000)


PROGRAM = """
import hashlib, numpy as np
from tinynet.kernels import common, conv2d
rng, digest = np.random.default_rng(3), hashlib.sha256()
for n, size, c, f in ((64, 14, 1, 1), (40, 7, 1, 2), (33, 9, 2, 3)):
    static = dict(strides=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1), groups=32)
    x, g = (common.to_batch_last(rng.normal(size=(n, size, size, 32 * k)), np.float32) for k in (c, f))
    w = rng.normal(size=(3, 3, c, 32 * f)).astype(np.float32)
    digest.update(conv2d.conv2d(x, w, **static).tobytes())
    digest.update(conv2d.conv2d_input_grad(g, w, input_size=(size, size), **static).tobytes())
    digest.update(conv2d.conv2d_weight_grad(x, g, kernel_size=(3, 3), **static).tobytes())
print(digest.hexdigest())
"""


def test_bits_do_not_depend_on_the_number_of_threads():
    def run(threads: int) -> str:
        environment = {**os.environ, "NUMBA_NUM_THREADS": str(threads)}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert run(1) == run(2) == run(3)
