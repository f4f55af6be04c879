"""plot_model: the layout of graphs, what the boxes say, and what is refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet import Model, Sequential, layers
from tinynet.plotting import plot_model
from tinynet.plotting.layout import Layout


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 12))
    pairs = [(a, b) for b in range(n) for a in range(b)]
    edges = draw(st.lists(st.sampled_from(pairs), max_size=20)) if pairs else []
    return draw(st.lists(st.floats(0.5, 4), min_size=n, max_size=n)), edges


@given(graphs())
def test_boxes_do_not_overlap_and_edges_lead_down(graph):
    widths, edges = graph
    layout = Layout(widths, edges, 0.3)
    boxes = [(layout.row[i], layout.x[i], widths[i]) for i in range(len(widths))]
    points = [(row, x, 0.3) for bends in layout.bends.values() for x, row in bends]
    for (row, x, width), (other_row, other_x, other_width) in itertools.combinations([*boxes, *points], 2):
        assert row != other_row or abs(x - other_x) >= (width + other_width) / 2 + 0.3 - 1e-6
    for a, b in edges:
        assert layout.row[a] < layout.row[b]
        assert [row for _, row in layout.bends[a, b]] == list(range(layout.row[a] + 1, layout.row[b]))
    assert all(
        x - w / 2 >= -1e-6 and x + w / 2 <= layout.width + 1e-6 for x, w in zip(layout.x, widths, strict=True)
    )


def test_a_chain_is_straight_and_a_diamond_symmetric():
    chain = Layout([1, 2, 3], [(0, 1), (1, 2)], 0.3)
    assert np.ptp(chain.x) == pytest.approx(0, abs=1e-6)
    diamond = Layout([1, 1, 1, 1], [(0, 1), (0, 2), (1, 3), (2, 3)], 0.3)
    assert diamond.x[0] == pytest.approx(diamond.x[3], abs=1e-6)
    assert diamond.x[0] == pytest.approx((diamond.x[1] + diamond.x[2]) / 2, abs=1e-6)


def net():
    x = layers.Input((8, 8, 3), name="image")
    a = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    b = layers.Conv2D(4, 1, name="shortcut", trainable=False)(x)
    inner = Sequential(
        [layers.Input((256,)), layers.Dense(3, name="first"), layers.Dense(2, name="second")], name="inner"
    )
    return Model(x, inner(layers.Flatten(name="flat")(layers.Add(name="sum")([a, b]))), name="net")


def words(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_what_the_boxes_say(tmp_path):
    figure = plot_model(net(), tmp_path / "net.png")
    assert (tmp_path / "net.png").stat().st_size > 1000
    assert {
        "image (InputLayer)",
        "(None, 8, 8, 3)",
        "conv (Conv2D)",
        "inner (Sequential)",
        "(None, 2)",
    } <= set(words(figure))
    assert len([patch for patch in figure.axes[0].patches if type(patch).__name__ == "FancyArrowPatch"]) == 6
    text = words(
        plot_model(net(), None, show_shapes=False, show_layer_names=False, expand_nested=True, rankdir="LR")
    )
    assert text.count("Dense") == 2
    assert "inner (Sequential)" not in text
    assert not any("None" in line for line in text)
    text = words(plot_model(net(), None, show_dtype=True, show_layer_activations=True, show_trainable=True))
    assert {"conv (Conv2D), relu", "float32", "trained", "not trained"} <= set(text)


def test_calls_of_a_shared_layer_are_boxes_of_their_own():
    x = layers.Input((3,))
    shared = layers.Dense(3, name="shared")
    figure = plot_model(Model(x, shared(shared(x))), None)
    assert words(figure).count("shared (Dense)") == 2


def test_what_is_no_graph():
    with pytest.raises(ValueError, match="does not know its input shape yet"):
        plot_model(Sequential([layers.Dense(2)]), None)
    with pytest.raises(ValueError, match="models that are graphs of layers"):
        plot_model(layers.Dense(2), None)
    with pytest.raises(ValueError, match="rankdir must be"):
        plot_model(net(), None, rankdir="BT")
