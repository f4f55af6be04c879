"""plot_model: the layout of graphs, what the boxes say, and what is refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

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


def test_outputs_stand_in_the_last_row():
    layout = Layout([1] * 5, [(0, 1), (1, 2), (0, 3), (2, 4)], 0.3, last=[3, 4])
    assert layout.row == [0, 1, 2, 3, 3]
    assert [row for _, row in layout.bends[0, 3]] == [1, 2]


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


def arrows(figure):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]


def rectangles(figure):
    """{first words: (left, bottom, right, top)} of boxes and frames, by the text at their top."""
    axes = figure.axes[0]
    found = {}
    for patch in axes.patches:
        if isinstance(patch, FancyBboxPatch):
            left, bottom = patch.get_x(), patch.get_y()
            right, top = left + patch.get_width(), bottom + patch.get_height()
            inside = [
                (text.get_position()[1], text.get_text())
                for text in axes.texts
                if left <= text.get_position()[0] <= right and bottom <= text.get_position()[1] <= top
            ]
            found[max(inside)[1]] = (left, bottom, right, top)
    return found


def within(inner, outer):
    return inner[0] > outer[0] and inner[1] > outer[1] and inner[2] < outer[2] and inner[3] < outer[3]


def apart(a, b):
    return a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def test_a_shared_layer_is_one_box():
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    shared = layers.Dense(3, name="shared")
    figure = plot_model(Model([a, b], layers.Add(name="sum")([shared(a), shared(b)])), None)
    assert words(figure).count("shared (Dense), shared ×2") == 1
    assert len(rectangles(figure)) == 4
    assert len(arrows(figure)) == 3, "from a and b, and to the sum"


def test_calls_that_lead_to_one_another_are_boxes_of_their_own():
    x = layers.Input((3,))
    twice, once = layers.Dense(3, name="twice"), layers.Dense(3, name="once")
    y = once(twice(twice(x)))
    figure = plot_model(Model(x, [y, once(x)]), None)
    first = [line for line in words(figure) if "Dense" in line]
    assert sorted(first) == [
        "once (Dense), shared ×2", "twice (Dense), call 1 of 2", "twice (Dense), call 2 of 2",
    ]  # fmt: skip


def encoder(name="encoder"):
    return Sequential(
        [layers.Input((6,)), layers.Dense(5, name=f"{name}_a"), layers.Dense(6, name=f"{name}_b")], name=name
    )


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_an_opened_model_is_a_frame_around_its_layers_alone(rankdir):
    x = layers.Input((6,), name="x")
    y = layers.Add(name="sum")([encoder()(x), layers.Dense(6, name="beside")(x)])
    figure = plot_model(Model(x, y), None, expand_nested=True, rankdir=rankdir)
    found = {text.split()[0]: box for text, box in rectangles(figure).items()}
    frame = found.pop("encoder")
    inside = {name for name, box in found.items() if within(box, frame)}
    assert inside == {"encoder_a", "encoder_b"}
    assert all(apart(box, frame) for name, box in found.items() if name not in inside)
    assert not any(text.startswith("input_layer") for text in words(figure)), "the frame is where it enters"


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_models_within_models_and_models_that_are_shared(rankdir):
    x = layers.Input((6,))
    inner = encoder("inner")
    outer = Model(x, layers.Add(name="add")([inner(inner(x)), x]), name="outer")
    a, b = layers.Input((6,), name="a"), layers.Input((6,), name="b")
    figure = plot_model(Model([a, b], [outer(a), outer(b)]), None, expand_nested=True, rankdir=rankdir)
    assert words(figure).count("outer (Functional), shared ×2") == 1
    found = rectangles(figure)
    frame = found["outer (Functional), shared ×2"]
    calls = [found[f"inner (Sequential), call {i} of 2"] for i in (1, 2)]
    assert all(within(call, frame) for call in calls)
    assert apart(*calls)
    assert sum(word == "inner_a (Dense)" for word in words(figure)) == 2


def test_every_input_and_output_of_an_opened_model_has_its_place():
    """Lines enter and leave a frame in the order of the model's inputs and outputs."""
    p, q = layers.Input((2,), name="p"), layers.Input((3,), name="q")
    two = Model([p, q], [layers.Dense(1, name="of_p")(p), layers.Dense(1, name="of_q")(q)], name="two")
    a, b = layers.Input((2,), name="a"), layers.Input((3,), name="b")
    first, second = two([a, b])
    ends = [layers.Dense(1, name="end_p")(first), layers.Dense(1, name="end_q")(second)]
    figure = plot_model(Model([a, b], ends), None, expand_nested=True)
    boxes = {text.split()[0]: box for text, box in rectangles(figure).items()}
    frame = boxes["two"]

    def touches(point, box):
        return box[0] - 1e-6 <= point[0] <= box[2] + 1e-6 and box[1] - 1e-6 <= point[1] <= box[3] + 1e-6

    def box_at(point):
        return next(name for name, box in boxes.items() if name != "two" and touches(point, box))

    lines = [
        (arrow._path_original.vertices[0], arrow._path_original.vertices[-1]) for arrow in arrows(figure)
    ]
    into = {tuple(end.round(6)): box_at(start) for start, end in lines if end[1] == pytest.approx(frame[3])}
    onward = {
        tuple(start.round(6)): box_at(end) for start, end in lines if start[1] == pytest.approx(frame[3])
    }
    assert {into[place]: onward[place] for place in into} == {"a": "of_p", "b": "of_q"}
    out = {tuple(end.round(6)): box_at(start) for start, end in lines if end[1] == pytest.approx(frame[1])}
    away = {tuple(start.round(6)): box_at(end) for start, end in lines if start[1] == pytest.approx(frame[1])}
    assert {out[place]: away[place] for place in out} == {"of_p": "end_p", "of_q": "end_q"}


def deep(count):
    return Sequential([layers.Input((8,)), *(layers.Dense(8, name=f"d{i}") for i in range(count))])


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
@pytest.mark.parametrize("count", [2, 60, 150])
def test_a_deep_net_is_folded_to_a_page(count, rankdir):
    figure = plot_model(deep(count), None, rankdir=rankdir)
    width, height = figure.get_size_inches()
    found = rectangles(figure)
    assert len(found) == count + 1
    assert all(apart(a, b) for a, b in itertools.combinations(found.values(), 2))
    if count > 2:
        assert 0.8 < width / height < 2.2
    axes = figure.axes[0]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert all(within(box, (left, bottom, right, top)) for box in found.values())
    for arrow in arrows(figure):
        vertices = arrow._path_original.vertices
        assert (vertices >= (left, bottom)).all()
        assert (vertices <= (right, top)).all()
    # reading order: within a column down, then the next column
    axis = 0 if rankdir == "TB" else 3
    starts = [found[f"d{i} (Dense)"][axis] for i in range(count)]
    turns = np.round(np.diff(starts), 3) * (1 if rankdir == "TB" else -1)
    assert (turns > -1).all()


def test_columns_are_as_wide_as_what_is_in_them():
    model = Sequential([
        layers.Input((8,), name="x"), layers.Dense(1, name="a_layer_with_an_extraordinarily_long_name"),
        layers.Dense(1, name="b"),
    ])  # fmt: skip
    found = list(rectangles(plot_model(model, None, rankdir="LR")).values())
    gaps = [right[0] - left[2] for left, right in itertools.pairwise(found)]
    assert gaps == pytest.approx([gaps[0]] * 2)


def test_lines_around_a_fold_pass_no_box():
    x = y = layers.Input((8,))
    for _ in range(20):
        z = layers.Dense(8)(layers.Dense(8)(y))
        y = layers.Add()([y, z])
    figure = plot_model(Model(x, y), None)
    boxes = list(rectangles(figure).values())
    for arrow in arrows(figure):
        path = arrow._path_original.interpolated(8).vertices
        for left, bottom, right, top in boxes:
            inside = (path[:, 0] > left + 0.01) & (path[:, 0] < right - 0.01)
            inside &= (path[:, 1] > bottom + 0.01) & (path[:, 1] < top - 0.01)
            assert not inside.any()


@pytest.mark.parametrize(
    ("layer", "shape", "details"),
    [
        (layers.Conv2D(8, 3), (8, 8, 3), "3×3 · 224 params"),
        (layers.Conv2D(8, (5, 3), strides=2, use_bias=False), (8, 8, 1), "5×3, stride 2 · 120 params"),
        (layers.Conv2D(8, 1, strides=(1, 2), groups=2), (8, 8, 2), "1×1, stride 1×2, 2 groups · 16 params"),
        (layers.Conv2D(8, 3, dilation_rate=2), (8, 8, 1), "3×3, dilation 2 · 80 params"),
        (layers.Conv1D(4, 5), (9, 2), "kernel 5 · 44 params"),
        (layers.DepthwiseConv2D(3), (8, 8, 2), "3×3 · 20 params"),
        (layers.MaxPooling2D(2), (8, 8, 1), "2×2, stride 2"),
        (layers.Dense(1000), (2000,), "2,001,000 params"),
        (layers.BatchNormalization(), (4,), "16 params"),
        (layers.Dropout(0.25), (4,), "rate 0.25"),
        (layers.Flatten(), (4, 4), None),
    ],
)
def test_details_of_a_layer(layer, shape, details):
    layer._name = "it"
    model = Sequential([layers.Input(shape, name="x"), layer])
    text = words(plot_model(model, None))
    shown = [line for line in text if not line.endswith(")")]
    assert shown == ([] if details is None else [details])
    assert [
        line for line in words(plot_model(model, None, show_details=False)) if not line.endswith(")")
    ] == []


def test_colours_are_explained_where_they_occur():
    assert "orange arrows lead past other layers" not in " ".join(words(plot_model(deep(2), None)))
    x = layers.Input((3,))
    y = layers.Dense(3, trainable=False)(x)
    assert "orange arrows lead past other layers; violet boxes are not trained" in words(
        plot_model(Model(x, layers.Add()([x, y])), None)
    )


def test_what_is_no_graph():
    with pytest.raises(ValueError, match="does not know its input shape yet"):
        plot_model(Sequential([layers.Dense(2)]), None)
    with pytest.raises(ValueError, match="models that are graphs of layers"):
        plot_model(layers.Dense(2), None)
    with pytest.raises(ValueError, match="rankdir must be"):
        plot_model(net(), None, rankdir="BT")
