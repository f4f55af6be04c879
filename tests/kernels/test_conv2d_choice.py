"""Which convolutions take tiles and which a product; large ones, repeated ones,
and what `explain` says about them.
"""

from typing import Any

import numpy as np
import pytest

from tinynet import kernels
from tinynet.kernels import common, conv2d
from tinynet.kernels.conv2d import forward_loop
from tinynet.kernels.conv2d.choice import why_product
from tinynet.replay.capture import Capture

ONE, SAME = ((0, 0), (0, 0)), ((1, 1), (1, 1))


@pytest.mark.parametrize(
    ("operation", "images", "w", "strides", "dilation", "word"),
    [
        ("forward", 128, (3, 3, 7, 7), (1, 1), (1, 1), None),
        ("forward", 2, (3, 3, 256, 256), (2, 2), (2, 2), None),
        ("forward", 128, (3, 17, 7, 7), (1, 1), (1, 1), "wide"),
        ("input gradient", 16, (3, 3, 7, 7), (2, 2), (1, 1), None),
        ("input gradient", 16, (3, 3, 7, 7), (1, 2), (1, 2), "phases"),
        ("weight gradient", 16, (3, 3, 7, 7), (1, 2), (1, 2), None),
        ("forward", 1, (3, 3, 64, 64), (1, 1), (1, 1), None),
        ("input gradient", 1, (3, 3, 64, 64), (1, 1), (1, 1), "few lanes"),
        ("forward", 1, (3, 3, 7, 7), (1, 1), (1, 1), None),
        ("weight gradient", 1, (3, 3, 64, 64), (1, 1), (1, 1), None),
        # at the limits: 16 columns, 2^13 weights, one image
        ("forward", 128, (3, 16, 7, 7), (1, 1), (1, 1), None),
        ("forward", 128, (17, 3, 7, 7), (1, 1), (1, 1), None),
        ("input gradient", 16, (3, 17, 7, 7), (1, 1), (1, 1), "wide"),
        ("weight gradient", 16, (3, 17, 7, 7), (1, 1), (1, 1), "wide"),
        ("input gradient", 1, (1, 1, 8191, 1), (1, 1), (1, 1), None),
        ("input gradient", 1, (1, 1, 8192, 1), (1, 1), (1, 1), "few lanes"),
        ("forward", 1, (4, 4, 16, 32), (1, 1), (1, 1), None),
        ("input gradient", 1, (4, 4, 16, 32), (1, 1), (1, 1), "few lanes"),
        ("forward", 2, (3, 3, 64, 64), (1, 1), (1, 1), None),
        ("input gradient", 16, (3, 3, 7, 7), (2, 1), (1, 2), None),
        ("input gradient", 16, (3, 3, 7, 7), (2, 1), (2, 1), "phases"),
        ("forward", 16, (3, 3, 7, 7), (2, 2), (2, 2), None),
        *[
            ("forward", 16, w, (1, 1), (1, 1), "without weights")
            for w in ((0, 3, 7, 7), (3, 0, 7, 7), (3, 3, 0, 7))
        ],
    ],
)
def test_the_table(
    operation: str, images: int, w: Any, strides: Any, dilation: Any, word: str | None
) -> None:
    reason = why_product(operation, images, w, strides, dilation)
    assert reason is None if word is None else word in str(reason)


def test_a_single_image_in_groups_takes_tiles() -> None:
    assert why_product("input gradient", 1, (3, 3, 64, 128), (1, 1), (1, 1), 1) is not None
    assert why_product("input gradient", 1, (3, 3, 64, 128), (1, 1), (1, 1), 2) is None


def test_a_single_image_by_the_product_is_repeated() -> None:
    rng = np.random.default_rng(0)
    static = {"strides": (2, 2), "padding": SAME, "dilation": (1, 1), "groups": 1}
    x, w, b, g = (rng.normal(size=shape) for shape in ((1, 6, 6, 32), (3, 3, 32, 40), (40,), (1, 3, 3, 40)))
    with Capture() as capture:
        y = conv2d.conv2d(x, w, b, activation="relu", **static)
        dx = conv2d.conv2d_input_grad(g, w, input_size=(6, 6), **static)
    assert len(capture.program) == 2
    for array in (x, w, b, g):
        array[...] = rng.normal(size=array.shape)
    capture.program.run()
    np.testing.assert_allclose(y, conv2d.conv2d["naive"](x, w, b, activation="relu", **static), rtol=1e-10)
    np.testing.assert_allclose(
        dx, conv2d.conv2d_input_grad["naive"](g, w, input_size=(6, 6), **static), rtol=1e-9, atol=1e-10
    )


def test_explain_says_what_runs() -> None:
    text = kernels.explain("conv2d", (128, 28, 28, 7), (3, 3, 7, 14), padding="same")
    assert "-> (128, 28, 28, 14)" in text
    assert [line.split()[0] for line in text.splitlines()[:4]] == ["conv2d", "forward", "input", "weight"]
    assert text.count("Winograd's algorithm") == 2
    assert text.count("register tiles") == 1  # of the weight gradient
    assert "for each of 4 phases" in kernels.explain("conv2d", (16, 8, 8, 3), (3, 3, 3, 4), strides=(2, 2))
    assert "few lanes" in kernels.explain("conv2d", (1, 8, 8, 64), (3, 3, 64, 64), strides=2)
    assert kernels.explain("conv2d", (16, 8, 8, 3), (3, 3, 3, 4), strides=2).count("4 phases") == 1
    with pytest.raises(ValueError, match="float16 takes the reference"):
        kernels.explain("conv2d", (16, 8, 8, 3), (3, 3, 3, 4), dtype=np.float16)
    with pytest.raises(ValueError, match="expects 3 input channels"):
        kernels.explain("conv2d", (16, 8, 8, 2), (3, 3, 3, 4))


@pytest.mark.parametrize("n", [1, 5, 37])
@pytest.mark.parametrize(("kernel", "c", "f"), [((3, 3), 20, 150), ((1, 1), 70, 300)])
def test_filters_so_many_that_weights_are_copied_together(n: int, kernel: Any, c: int, f: int) -> None:
    assert f * 4 > forward_loop.MAX_CHANNEL_STRIDE_BYTES
    rng = np.random.default_rng(n)
    x, w = (
        rng.normal(size=(n, 4, 5, c)).astype(np.float32),
        rng.normal(size=(*kernel, c, f)).astype(np.float32),
    )
    static = {
        "strides": (1, 1),
        "padding": SAME if kernel == (3, 3) else ONE,
        "dilation": (1, 1),
        "groups": 1,
    }
    b = rng.normal(size=f).astype(np.float32)
    for name in ("vector", "im2col"):
        y = conv2d.conv2d[name](x, w, b, activation="relu", **static)
        np.testing.assert_allclose(
            y, conv2d.conv2d["naive"](x, w, b, activation="relu", **static), rtol=1e-4, atol=1e-3
        )
    g = rng.normal(size=(n, 4, 5, f)).astype(np.float32)
    dx = conv2d.conv2d_input_grad["vector"](g, w, input_size=(4, 5), **static)
    expected = conv2d.conv2d_input_grad["naive"](g, w, input_size=(4, 5), **static)
    np.testing.assert_allclose(dx, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("activation", [None, "relu"])
def test_channels_so_many_that_images_are_copied_apart(activation: str | None) -> None:
    n, c, f = 64, 150, 60
    rng = np.random.default_rng(0)
    x = common.to_batch_last(rng.normal(size=(n, 5, 6, c)), np.float32)
    w = rng.normal(size=(3, 3, c, f)).astype(np.float32)
    capture = Capture()
    with capture:
        y = conv2d.conv2d(
            x, w, strides=(1, 1), padding=SAME, dilation=(1, 1), groups=1, activation=activation
        )
    assert len(capture.program) == 2  # the copy and the convolution
    expected = conv2d.conv2d["im2col"](
        x, w, strides=(1, 1), padding=SAME, dilation=(1, 1), groups=1, activation=activation
    )
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("strides", "f"), [((1, 1), 5), ((2, 2), 5), ((1, 1), 150)])
def test_a_repeated_convolution_reads_the_numbers_of_today(order: Any, strides: Any, f: int) -> None:
    rng = np.random.default_rng(7)
    static = {"strides": strides, "padding": SAME, "dilation": (1, 1), "groups": 1}
    x, g = (
        common.to_batch_last(rng.normal(size=(18, 6 // s, 6 // s, k))) for s, k in ((1, 3), (strides[0], f))
    )
    w, b = np.array(rng.normal(size=(3, 3, 3, f)), order=order), rng.normal(size=f)
    capture = Capture()
    with capture:
        y = conv2d.conv2d(x, w, b, activation="relu", **static)
        dx = conv2d.conv2d_input_grad(g, w, input_size=(6, 6), **static)
    for array in (x, w, b, g):
        array[...] = rng.normal(size=array.shape)
    capture.program.run()
    np.testing.assert_array_equal(y, conv2d.conv2d(x, w, b, activation="relu", **static))
    np.testing.assert_array_equal(dx, conv2d.conv2d_input_grad(g, w, input_size=(6, 6), **static))
