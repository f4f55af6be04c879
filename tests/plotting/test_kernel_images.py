"""Filters: which weight stands where, for kernels of every kind."""

import numpy as np
import pytest

from tinynet import layers, plotting


def kernel(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


def pictures(figure):
    return [axes.images[0] for axes in figure.axes if axes.images and axes.get_label() != "<colorbar>"]


def table_cell(figure, weights, channel, number):
    """The part of the table's picture that belongs to this channel and filter."""
    height, width = weights.shape[:2]
    (picture,) = pictures(figure)
    array = picture.get_array()
    rows, columns = weights.shape[3], weights.shape[2]
    down = (array.shape[0] - rows * height) // max(rows - 1, 1) + height
    right = (array.shape[1] - columns * width) // max(columns - 1, 1) + width
    return array[number * down : number * down + height, channel * right : channel * right + width]


@pytest.mark.parametrize("shape", [(3, 3, 14, 28), (3, 3, 2, 1), (1, 1, 5, 7), (5, 5, 4, 3), (3, 2, 32, 64)])
def test_deep_kernels_are_a_table_of_filters_and_channels(shape):
    weights = kernel(*shape)
    figure = plotting.filters(weights)
    for channel in {0, shape[2] // 2, shape[2] - 1}:
        for number in {0, shape[3] // 2, shape[3] - 1}:
            found = table_cell(figure, weights, channel, number)
            assert not np.ma.is_masked(found)
            np.testing.assert_array_equal(found, weights[:, :, channel, number])
    (picture,) = pictures(figure)
    most = np.abs(weights).max()
    assert picture.get_clim() == (-most, most)
    assert picture.cmap(picture.norm(0.0))[:3] == pytest.approx((0.97, 0.97, 0.97), abs=0.01)
    assert picture.cmap(picture.norm(most))[0] > picture.cmap(picture.norm(most))[2], "red above"
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("input channel", "filter")
    plural = "s" if shape[3] > 1 else ""
    assert figure.get_suptitle() == f"{shape[3]} filter{plural} {shape[0]} × {shape[1]}, {shape[2]} channels"


@pytest.mark.parametrize("shape", [(3, 3, 14, 28), (1, 1, 64, 64), (3, 3, 2, 60)])
def test_rows_and_columns_are_numbered_at_their_middles(shape):
    figure = plotting.filters(kernel(*shape), limit=64)
    figure.canvas.draw()
    axes = figure.axes[0]
    array = axes.images[0].get_array()
    gap = 0 if shape[0] == 1 else 1
    for labels, ticks, length in (
        (axes.get_xticklabels(), axes.get_xticks(), array.shape[1]),
        (axes.get_yticklabels(), axes.get_yticks(), array.shape[0]),
    ):
        numbers = [int(label.get_text()) for label in labels]
        assert numbers[0] == 0
        assert list(ticks) == [(shape[0] - 1) / 2 + number * (shape[0] + gap) for number in numbers]
        assert max(ticks) < length
        boxes = [label.get_window_extent() for label in labels]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_more_than_there_is_room_for():
    figure = plotting.filters(kernel(3, 3, 100, 80))
    assert figure.get_suptitle() == "80 filters 3 × 3, 100 channels (the first 64); channels 0 to 31"
    assert pictures(figure)[0].get_array().shape == (64 * 4 - 1, 32 * 4 - 1)
    assert max(figure.get_size_inches()) < 14
    assert plotting.filters(kernel(3, 3, 1, 9), limit=4).get_suptitle() == "9 filters 3 × 3 (the first 4)"
    assert plotting.filters(kernel(3, 3, 1, 2), title="T").get_suptitle() == "T"


@pytest.mark.parametrize("shape", [(3, 3, 1, 7), (5, 5, 1, 1), (1, 1, 1, 64)])
def test_one_channel_has_a_numbered_panel_each(shape):
    weights = kernel(*shape)
    figure = plotting.filters(weights)
    panels = pictures(figure)
    assert len(panels) == shape[3]
    most = np.abs(weights).max()
    for number, panel in enumerate(panels):
        np.testing.assert_array_equal(panel.get_array(), weights[:, :, 0, number])
        assert panel.get_clim() == (-most, most)
        assert panel.axes.get_title() == str(number)


def test_three_channels_are_colours():
    weights = kernel(5, 5, 3, 32)
    panels = pictures(plotting.filters(weights))
    assert len(panels) == 32
    for number, panel in enumerate(panels):
        low, high = weights[..., number].min(), weights[..., number].max()
        np.testing.assert_allclose(panel.get_array(), (weights[..., number] - low) / (high - low), atol=1e-7)
    constant = plotting.filters(np.full((2, 2, 3, 1), 4.0)).axes[0].images[0].get_array()
    np.testing.assert_array_equal(constant, np.zeros((2, 2, 3)))


@pytest.mark.parametrize("shape", [(5, 1, 16), (9, 4, 6), (3, 3, 8)])
def test_filters_of_a_conv1d_are_strips(shape):
    weights = kernel(*shape)
    figure = plotting.filters(weights)
    assert figure.get_suptitle().startswith(f"{shape[2]} filters of length {shape[0]}")
    for number in (0, shape[2] - 1):
        found = table_cell(figure, weights[None], shape[1] - 1, number)
        np.testing.assert_array_equal(found, weights[None, :, shape[1] - 1, number])


def test_a_layer_is_as_good_as_its_weights():
    layer = layers.Conv2D(6, 3)
    with pytest.raises(ValueError, match="has no kernel; build it"):
        plotting.filters(layers.Flatten())
    layer.build((None, 8, 8, 4))
    found = table_cell(plotting.filters(layer), layer.kernel.numpy(), 3, 5)
    np.testing.assert_array_equal(found, layer.kernel.numpy()[:, :, 3, 5])
    depthwise = layers.DepthwiseConv2D(3, depth_multiplier=2)
    depthwise.build((None, 8, 8, 3))
    figure = plotting.filters(depthwise)
    assert figure.get_suptitle() == "6 filters 3 × 3"
    weights = depthwise.get_weights()[0]
    assert weights.shape == (3, 3, 3, 2)
    np.testing.assert_array_equal(pictures(figure)[3].get_array(), weights[:, :, 1, 1])


def test_weights_of_zeros_and_what_are_no_weights():
    assert pictures(plotting.filters(np.zeros((2, 2, 1, 1))))[0].get_clim() == (-1, 1)
    plotting.filters(np.zeros((3, 3, 5, 4))).canvas.draw()
    for shape in ((3, 3), (3,), (1, 1, 1, 1, 1)):
        with pytest.raises(ValueError, match=r"expected a kernel \(KH, KW, C, F\) or \(K, C, F\), got shape"):
            plotting.filters(np.zeros(shape))
    with pytest.raises(ValueError, match=r"a limit and columns of 1 or more, got .* limit=0"):
        plotting.filters(np.zeros((3, 3, 1, 1)), limit=0)
