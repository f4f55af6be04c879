"""Convolutions of few images by the direct tiles: columns side by side, or a single image's filters."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet import kernels
from tinynet.kernels import common, conv2d, emit
from tinynet.kernels.conv2d import forward_few, vector
from tinynet.kernels.conv2d.geometry import Window, output_size
from tinynet.replay.capture import Capture

FORWARD, INPUT = conv2d.conv2d, conv2d.conv2d_input_grad
# size, channels, filters, kernel, strides, padding, dilation
LAYERS = [
    ((11, 28), 1, 8, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((5, 13), 1, 33, (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1)),  # three vectors of filters, one in part
    ((4, 9), 3, 5, (4, 5), (1, 1), ((2, 1), (0, 4)), (1, 2)),
    ((6, 7), 2, 7, (3, 2), (2, 2), ((1, 0), (1, 0)), (1, 1)),
    ((3, 4), 5, 3, (2, 9), (1, 1), ((1, 0), (4, 5)), (1, 1)),  # most of the taps outside of the map
    ((7, 1), 1, 3, (1, 5), (1, 1), ((0, 0), (4, 4)), (1, 1)),  # arrays with several dimensions of one
    ((3, 2), 2, 3, (2, 4), (1, 1), ((1, 0), (3, 3)), (1, 1)),
]


@pytest.fixture(params=["where it pays", "always"])
def taken(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Which images the tiles for few take: those that they pay for, or all that do not fill a vector."""
    if request.param == "always":
        monkeypatch.setattr(forward_few, "_gain", lambda *_: 1e9)
    forward_few.few_images.cache_clear()
    yield request.param
    monkeypatch.undo()
    forward_few.few_images.cache_clear()


def arrays(layer: Any, images: int, dtype: Any, seed: int = 0) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
    """x, w, b, g and the settings."""
    size, channels, filters, kernel, strides, padding, dilation = layer
    rng = np.random.default_rng(seed)
    output = output_size(size, kernel, strides, padding, dilation)
    shapes = (images, *size, channels), (*kernel, channels, filters), (filters,), (images, *output, filters)
    x, w, b, g = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    static = {"strides": strides, "padding": padding, "dilation": dilation, "groups": 1}
    return common.to_batch_last(x), w, b, common.to_batch_last(g), static


@st.composite
def layers(draw: Any) -> Any:
    kernel, strides = ((draw(st.integers(1, 4)), draw(st.integers(1, 4))) for _ in range(2))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2))) if strides == (1, 1) else (1, 1)
    padding = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(2))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    size = tuple(draw(st.integers(max(1, r - sum(p)), 20)) for r, p in zip(reach, padding, strict=True))
    return size, draw(st.integers(1, 3)), draw(st.integers(1, 18)), kernel, strides, padding, dilation


@given(layers(), st.sampled_from([1, 2, 3, 5, 7, 9, 11, 13, 15, 17, 19, 27, 33]), st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_agrees_with_the_definition_in_float64(layer: Any, images: int, seed: int) -> None:
    x, w, b, g, static = arrays(layer, images, np.float32, seed)
    exact = [a.astype(np.float64) for a in (x, w, b, g)]
    y = FORWARD["vector"](x, w, b, activation="relu", **static)
    dx = INPUT["vector"](g, w, input_size=layer[0], **static)
    expected = FORWARD["naive"](*exact[:3], activation="relu", **static)
    expected_dx = INPUT["naive"](exact[3], exact[1], input_size=layer[0], **static)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-4, atol=1e-4)
    assert common.is_batch_last(y)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.usefixtures("vector_bytes", "taken")
def test_an_image_has_the_bits_that_it_has_among_many(layer: Any, dtype: Any) -> None:
    """With an infinite weight, too: no tap outside of the map is multiplied by 0."""
    x, w, b, g, static = arrays(layer, 48, dtype)
    w[0, 0, 0, 0] = np.inf

    def both(images: int) -> list[bytes]:
        near_x, near_g = (common.to_batch_last(a[:images]) for a in (x, g))
        y = FORWARD["vector"](near_x, w, b, activation="relu", **static)
        return [y.tobytes(), INPUT["vector"](near_g, w, input_size=layer[0], **static).tobytes()]

    whole = both(48)
    assert not np.isnan(np.frombuffer(whole[0], dtype)).all()
    for images in (1, 2, 3, 5, 9, 15, 17, 31, 35):
        assert both(images) == [bits[: len(bits) * images // 48] for bits in whole], images


@pytest.mark.usefixtures("taken")
def test_the_last_images_are_read_between_their_neighbours_alone() -> None:
    """Of an array with room for other images in front and behind, and a slice of its columns."""
    layer = LAYERS[0]
    x, w, b, _, static = arrays(layer, 21, np.float32)
    wide = common.from_batch_last(np.full((11, 30, 1, 30), np.nan, np.float32))
    wide[4:25, :, 1:29] = x
    np.testing.assert_array_equal(
        FORWARD["vector"](wide[4:25, :, 1:29], w, b, **static), FORWARD["vector"](x, w, b, **static)
    )
    one = FORWARD["vector"](wide[4:5, :, 1:29], w, b, **static)
    np.testing.assert_array_equal(one, FORWARD["vector"](x, w, b, **static)[:1])


@pytest.mark.parametrize("images", [1, 3, 9, 19, 21])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.usefixtures("vector_bytes", "taken")
def test_nothing_is_written_beside_the_outputs(layer: Any, images: int) -> None:
    x, w, b, g, static = arrays(layer, images, np.float32)
    _, height, columns, filters = g.shape
    beside = 20 if images > 1 else 0  # filters of a single image are neighbours in y
    room = np.full((height + 2, columns + 2, filters + 2, images + 2 * beside), np.nan, np.float32)
    y = common.from_batch_last(room)[beside : beside + images, 1:-1, 1:-1, 1:-1]
    window = Window(static["strides"], tuple(p[0] for p in static["padding"]), static["dilation"])
    vector._convolve(x, w, b, y, window)
    assert np.isnan(room).sum() == room.size - g.size
    np.testing.assert_array_equal(y, FORWARD["vector"](x, w, b, **static))


@pytest.mark.parametrize("images", [1, 3, 19])
@pytest.mark.usefixtures("taken")
def test_a_program_reads_the_numbers_of_today(images: int) -> None:
    for layer in LAYERS:
        x, w, b, g, static = arrays(layer, images, np.float32)
        with Capture() as capture:
            y = FORWARD["vector"](x, w, b, **static)
            dx = INPUT["vector"](g, w, input_size=layer[0], **static)
        others = arrays(layer, images, np.float32, seed=1)
        for array, other in zip((x, w, b, g), others[:4], strict=True):
            array[...] = other
        capture.program.run()
        exact = [a.astype(np.float64) for a in (x, w, b, g)]
        np.testing.assert_allclose(y, FORWARD["naive"](*exact[:3], **static), rtol=1e-4, atol=1e-4)
        expected = INPUT["naive"](exact[3], exact[1], input_size=layer[0], **static)
        np.testing.assert_allclose(dx, expected, rtol=1e-4, atol=1e-4)


def test_which_images_are_few() -> None:
    v = emit.vectors(np.dtype(np.float32))._replace(lanes=16, registers=32)

    def of(images: int, channels: int, filters: int, stride: int = 1) -> Any:
        return forward_few.few_images(images, (28, 28), (28, 28), (3, 3, channels, filters), stride, True, v)

    assert of(1, 1, 8) == (1, True)
    assert of(1, 1, 8, 2) == (1, True)
    assert of(1, 3, 1) == (1, False)  # filters would fill one lane, columns more
    assert of(2, 1, 8) == of(34, 1, 8) == (2, False)
    assert of(17, 1, 8) == (1, False)  # its filters are no neighbours in y
    assert of(2, 1, 8, 2) is None  # the columns that a tap meets are no neighbours
    assert of(15, 1, 8) is of(16, 1, 8) is of(32, 1, 8) is None


def test_explain_says_how_few_images_are_convolved() -> None:
    def lines(images: int) -> list[str]:
        return kernels.explain("conv2d", (images, 28, 28, 1), (3, 3, 1, 8), padding="same").splitlines()

    assert "filters in the lanes, for a single image" in lines(1)[1]
    assert "the columns of the last 2 side by side" in lines(18)[1]
    assert "the last one begins earlier" in lines(31)[1]
    v = emit.vectors(np.dtype(np.float32))
    if (v.lanes, v.registers) == (16, 32):  # 48 pixels are 3 vectors, times 8 filters 24 sums
        assert "8 filters x 16 columns, which lie side by side" in lines(3)[1]
    assert "side by side" not in lines(16)[1]
    # the weights of an output filter of dx are neighbours only if w has one filter
    one = kernels.explain("conv2d", (1, 28, 28, 20), (3, 3, 20, 1), padding="same").splitlines()
    assert "for a single image" in one[2]
