"""Pictures read back from their artists: limits, colours, and the arrays that are shown."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from tinynet import Model, Sequential, layers, plotting
from tinynet.plotting import figure as fig
from tinynet.plotting import live
from tinynet.plotting.layout import Layout

BLUE, VERMILION = "#0072b2", "#d55e00"  # M. Okabe and K. Ito's


def lightness(colour):
    """Relative luminance, as the W3C's guidelines (WCAG 2.2) define it."""
    parts = np.array(to_rgb(colour))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def title(axes, loc="left"):
    return axes.get_title(loc=loc)


def formatted(axis, value):
    return axis.get_major_formatter()(value)


# Curves


def test_a_single_epoch_stands_in_the_middle():
    for epoch, history in (
        (1, {"loss": [0.5], "val_loss": [0.4]}),
        (8, type("History", (), {"history": {"loss": [0.5]}, "epoch": [7]})),
    ):
        axes = plotting.history_curves(history).axes[0]
        assert axes.get_xlim() == (epoch - 1, epoch + 1)
        assert axes.get_xticks().tolist() == [epoch]
    two = plotting.history_curves({"loss": [0.5, 0.4]}).axes[0]
    low, high = two.get_xlim()
    assert (1 - low, high - 2) == (pytest.approx(0.05), pytest.approx(0.05)), (
        "matplotlib's margin of a twentieth"
    )


def test_training_and_validation_are_told_apart():
    axes = plotting.history_curves({"loss": [3, 2, 1], "val_loss": [4, 3, 2]}).axes[0]
    train, validation, _ = axes.lines
    assert [to_hex(line.get_color()) for line in (train, validation)] == [BLUE, VERMILION]
    assert [line.get_linestyle() for line in (train, validation)] == ["--", "-"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    assert title(axes) == "Loss"
    assert title(axes, "right") == "last validation 2.0000, best 2.0000"
    assert axes.get_xlabel() == "epoch"


@pytest.mark.parametrize(("count", "marker"), [(29, "o"), (30, "o"), (31, "None")])
def test_few_points_have_markers(count, marker):
    axes = plotting.history_curves({"loss": np.arange(count), "val_loss": np.arange(count)}).axes[0]
    assert [line.get_marker() for line in axes.lines[:2]] == [marker] * 2
    (line,) = live.live_curves({"loss": [(i, 1.0) for i in range(count)]}).axes[0].lines
    assert line.get_marker() == marker


@pytest.mark.parametrize(
    ("name", "shown", "text", "tick"),
    [
        ("accuracy", "Accuracy", "last training 25.00%, best 75.00%", "50%"),
        ("acc", "Acc", "last training 25.00%, best 75.00%", "50%"),
        (
            "top_k_categorical_accuracy",
            "Top k categorical accuracy",
            "last training 25.00%, best 75.00%",
            "50%",
        ),
        ("loss", "Loss", "last training 0.2500, best 0.2500", "0.5"),
        ("mean_squared_error", "Mean squared error", "last training 0.2500", "0.5"),
    ],
)
def test_shares_are_in_percent(name, shown, text, tick):
    axes = plotting.history_curves({name: [0.75, 0.25]}).axes[0]
    assert (title(axes).rstrip(), title(axes, "right")) == (shown, text)
    axes.figure.canvas.draw()
    assert tick in formatted(axes.yaxis, 0.5)


def test_the_loss_comes_first_and_the_learning_rate_not_at_all():
    history = {
        "accuracy": [1],
        "learning_rate": [1],
        "mae": [1],
        "loss": [1],
        "val_loss": [1],
        "val_mae": [1],
    }
    figure = plotting.history_curves(history, title="T")
    assert [title(axes) for axes in figure.axes] == ["Loss", "Accuracy", "Mae"]
    assert tuple(figure.get_size_inches()) == (pytest.approx(3 * 4.6), 3.9)
    assert tuple(plotting.history_curves({"loss": [1]}).get_size_inches()) == (5.0, 3.6)


@pytest.mark.parametrize(
    ("epochs", "validation", "expected"),
    [
        (5, 5, [1, 2, 3, 4, 5]),
        (6, 3, [2, 4, 6]),
        (7, 2, [3, 6]),
        (5, 1, [5]),
        (4, 6, [1, 2, 3, 4]),  # of several fits; the last ones are shown
    ],
)
def test_validation_stands_at_the_epochs_it_belongs_to(epochs, validation, expected):
    values = np.arange(validation, dtype=float)
    axes = plotting.history_curves({"loss": np.zeros(epochs), "val_loss": values}).axes[0]
    x, y = axes.lines[1].get_data()
    assert x.tolist() == expected
    assert y.tolist() == values[-len(expected) :].tolist()
    assert title(axes, "right").startswith(f"last validation {values[-1]:.4f}")


def ring(axes):
    found = [line.get_xydata()[0].tolist() for line in axes.lines if line.get_gid() == "best"]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ({"loss": [3, 1, 2]}, [2, 1]),
        ({"loss": [3, 2, 1], "val_loss": [2, np.nan, 3]}, [1, 2]),  # the validation's
        ({"accuracy": [0.5, 0.9, 0.9]}, [2, 0.9]),  # the first of equals
        ({"accuracy": [0.5, 0.9], "val_accuracy": [0.7, 0.6]}, [1, 0.7]),
        ({"loss": [3.0]}, None),
        ({"mae": [3, 1, 2]}, None),
        ({"loss": [np.nan, np.nan]}, None),
    ],
)
def test_a_ring_marks_the_best_epoch(history, expected):
    axes = plotting.history_curves(history).axes[0]
    assert ring(axes) == expected
    best = [] if expected is None else [f"best {expected[1]:.2%}", f"best {expected[1]:.4f}"]
    assert title(axes, "right").split(", ")[1:] == [one for one in best if one in title(axes, "right")]
    assert ("best" in title(axes, "right")) == (expected is not None)


def test_titles_of_a_panel_do_not_overlap():
    names = ["loss", "accuracy", "sparse_top_k_categorical_accuracy", "a_loss_of_a_name_that_is_rather_long"]
    figure = plotting.history_curves({kind + name: [0.1, 0.2] for name in names for kind in ("", "val_")})
    figure.canvas.draw()
    for axes in figure.axes:
        left, right = axes._left_title.get_window_extent(), axes._right_title.get_window_extent()
        words = title(axes)
        assert words.endswith("\n") or left.x1 < right.x0, words


def test_the_training_curve_says_what_it_alone_goes_through():
    def legend(history, **settings):
        found = plotting.history_curves(history, **settings).axes[0].get_legend()
        return None if found is None else [text.get_text() for text in found.get_texts()]

    x = np.linspace(0, 1, 8, dtype="float32").reshape(8, 1)
    inner = Sequential([layers.Input((1,)), layers.Dropout(0.1)])
    model = Sequential([layers.Input((1,)), layers.GaussianNoise(0.1), inner, layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(x, x, epochs=2, validation_data=(x, x), verbose=0)
    assert legend(history) == ["training (with noise, dropout)", "validation"]
    assert legend(history, training_note="") == ["training", "validation"]
    assert legend(history.history) == ["training", "validation"]
    assert legend(history.history, training_note="with mixup") == ["training (with mixup)", "validation"]
    assert legend({"loss": [1, 2]}, training_note="with mixup") == ["training (with mixup)"]
    none = Sequential([layers.Input((1,)), layers.Dropout(0.0), layers.Dense(1)])
    none.compile("sgd", "mse")
    assert legend(none.fit(x, x, verbose=0)) is None, "a rate of 0 drops nothing"


def test_a_history_of_several_fits_counts_from_1():
    history = type("History", (), {"history": {"loss": [3, 2, 1]}, "epoch": [0, 1]})
    assert plotting.history_curves(history).axes[0].lines[0].get_xdata().tolist() == [1, 2, 3]


# Live curves


def test_the_ring_stands_at_the_best_validation():
    curves = {"loss": [(0, 3.0), (1, 2.0), (2, 1.0)], "val_loss": [(0, 2.0), (1, float("nan")), (2, 2.5)]}
    axes = live.live_curves(curves, total=10).axes[0]
    ring = axes.lines[2]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (1, 2.0)
    assert title(axes, "right") == "validation 2.5000, best 2.0000"
    nothing = live.live_curves({"loss": [(0, 1.0)], "val_loss": [(0, float("nan"))]}).axes[0]
    assert len(nothing.lines) == 2
    other = live.live_curves({"mae": [(0, 1.0)], "val_mae": [(0, 1.0)]}).axes[0]
    assert len(other.lines) == 2, "the best is known of the loss alone"


@pytest.mark.parametrize(
    ("epochs", "total", "limits"),
    [
        (1, None, (0.5, 1.5)),
        (1, 1, (0.5, 1.5)),
        (1, 101, (0.5, 104.0)),
        (3, None, (0.94, 3.06)),
        (3, 11, (0.7, 11.3)),
        (3, 2, (0.94, 3.06)),
    ],
)
def test_the_width_is_that_of_the_whole_run(epochs, total, limits):
    axes = live.live_curves({"loss": [(i, 1.0) for i in range(epochs)]}, total).axes[0]
    assert axes.get_xlim() == pytest.approx(limits)
    if limits == (0.5, 1.5):
        assert axes.get_xticks().tolist() == [1]


@pytest.mark.parametrize(
    ("count", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 3, 2), (6, 3, 2), (7, 3, 3)]
)
def test_panels_stand_in_rows_of_three(count, columns, rows):
    names = ["loss", *(f"m{i}" for i in range(count - 1))]
    figure = live.live_curves({name: [(0, 1.0)] for name in names})
    assert len(figure.axes) == columns * rows
    assert [axes.axison for axes in figure.axes] == [True] * count + [False] * (columns * rows - count)
    assert tuple(figure.get_size_inches()) == (
        pytest.approx(max(5.0, 4.6 * columns)),
        pytest.approx(3.3 * rows + 0.3),
    )
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (rows, columns)


def test_the_learning_rate_is_last_and_logarithmic_where_it_can_be():
    curves = {
        "learning_rate": [(0, 0.1), (1, 0.01)],
        "mae": [(0, 1.0)],
        "loss": [(0, 1.0)],
        "val_loss": [],
        "empty": [],
    }
    figure = live.live_curves(curves, title="T")
    assert [title(axes) for axes in figure.axes] == ["Loss", "Mae", "Learning rate"]
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "linear", "log"]
    assert title(figure.axes[2], "right") == "now 0.01"
    assert live.live_curves({"learning_rate": [(0, 0.1), (1, 0.0)]}).axes[0].get_yscale() == "linear"
    assert figure.get_size_inches()[1] == pytest.approx(3.3 + 0.6)
    line = figure.axes[0].lines[0]
    assert line.get_linestyle() == "-", "nothing to tell it from"


# Learning rates


RATES = [1e-3, 1e-2, 1e-1, 1.0]


def test_losses_without_raw_ones():
    axes = plotting.learning_rate_curve([1e-3, 1e-2, 1e-1], [1, 0.5, 0.7]).axes[0]
    (line,) = axes.lines
    assert line.get_xdata().tolist() == [1e-3, 1e-2, 1e-1]
    assert line.get_ydata().tolist() == [1, 0.5, 0.7]
    assert axes.get_legend() is None
    assert axes.get_xscale() == "log"
    margin = 0.08 * 0.5
    assert axes.get_ylim() == pytest.approx((0.5 - margin, 1 + margin)), "nothing shoots up: all of it"


def test_where_the_loss_shoots_up_it_is_cut_off():
    axes = plotting.learning_rate_curve(RATES, [1, 0.5, 0.5, 100]).axes[0]
    low, usual = 0.5, 1.0
    margin = 0.08 * (usual - low)
    assert axes.get_ylim() == pytest.approx((low - margin, low + 2 * (usual - low) + margin))
    # the median is above the first
    high_start = plotting.learning_rate_curve([*RATES, 10.0], [1, 3, 3, 3, 100]).axes[0]
    assert high_start.get_ylim()[1] == pytest.approx(1 + 2 * 2 + 0.08 * 2)
    flat = plotting.learning_rate_curve(RATES, [2, 2, 2, 2]).axes[0]
    assert flat.get_ylim() == pytest.approx((1.5, 2.5))


def test_raw_losses_stand_faintly_behind_and_are_all_seen_at_the_bottom():
    axes = plotting.learning_rate_curve(RATES, [1, 0.5, 0.6, 0.7], raw=[1, 0.1, 2, 3], suggestion=1e-2).axes[
        0
    ]
    raw, smooth, dot = axes.lines
    assert raw.get_ydata().tolist() == [1, 0.1, 2, 3]
    assert (raw.get_alpha(), smooth.get_alpha()) == (0.25, None)
    assert axes.get_ylim()[0] == pytest.approx(0.1 - 0.08 * 0.9)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "each batch",
        "smoothed",
        "suggestion",
    ]
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (1e-2, pytest.approx(0.5))
    assert title(axes, "right") == "suggestion 0.01"


def test_a_suggestion_between_two_rates_lies_on_the_line():
    axes = plotting.learning_rate_curve([1e-3, 1e-1], [1.0, 0.5], suggestion=1e-2).axes[0]
    assert axes.lines[1].get_ydata()[0] == pytest.approx(0.75), "half-way on the logarithmic axis"


@pytest.mark.parametrize(
    ("rates", "losses"), [([1.0], [1.0]), ([], []), ([1.0, 2.0], [1.0]), ([1.0, 2.0], [[1.0, 2.0]])]
)
def test_fewer_than_two_points_are_refused(rates, losses):
    with pytest.raises(ValueError, match="two points or more"):
        plotting.learning_rate_curve(rates, losses)


def test_two_points_are_enough():
    assert len(plotting.learning_rate_curve([1.0, 2.0], [2.0, 1.0]).axes[0].lines) == 1


# Confusion matrix


def test_every_number_can_be_read():
    """Light text on dark cells, dark text on light ones; the contrast is nowhere below 2.5."""
    truth = np.repeat(np.arange(3), [100, 100, 100])
    predicted = np.concatenate(
        [np.repeat([0, 1, 2], counts) for counts in ([97, 2, 1], [44, 56, 0], [46, 0, 54])]
    )
    axes = plotting.confusion_matrix(truth, predicted).axes[0]
    right, wrong = axes.images
    for text in axes.texts:
        column, row = text.get_position()
        picture = right if row == column else wrong
        cell = picture.cmap(picture.norm(picture.get_array()[row, column]))
        ink, paper = sorted((lightness(to_rgb(text.get_color())), lightness(cell[:3])), reverse=True)
        assert (ink + 0.05) / (paper + 0.05) > 2.5, (row, column)
    assert len(axes.texts) == 7, "no zeros"


@pytest.mark.parametrize("errors", [1, 50])
@pytest.mark.parametrize("size", [100, 10_000])
def test_a_single_error_is_seen_and_is_not_taken_for_what_is_right(size, errors):
    """One image among many, beside a class with `errors` of them."""
    truth = np.repeat([0, 1], size)
    predicted = truth.copy()
    predicted[0] = 1
    predicted[size : size + errors] = 0
    axes = plotting.confusion_matrix(truth, predicted).axes[0]
    right, wrong = axes.images
    cell = np.array(wrong.cmap(wrong.norm(wrong.get_array()[0, 1])))[:3]
    assert lightness(cell) < 0.79, "not white"
    assert cell[0] > cell[2] + 0.1, "orange, as no cell of the diagonal is"
    diagonal = right.cmap(right.norm(0.99))
    assert diagonal[2] > diagonal[0]
    assert "blue: right; orange: wrong" in axes.get_xlabel()
    assert "orange" not in plotting.confusion_matrix([0, 1], [0, 1]).axes[0].get_xlabel()


@pytest.mark.parametrize("name", ["{}", "class number {}"])
@pytest.mark.parametrize(("classes", "inches"), [(2, 4.2), (10, 5.9), (20, 10.4), (50, 12.4), (100, 12.4)])
def test_numbers_fit_their_cells_for_any_number_of_classes(classes, inches, name):
    truth = np.repeat(np.arange(classes), 120)
    predicted = np.where(np.arange(len(truth)) % 120 < 111, truth, (truth + 1) % classes)
    names = [name.format(number) for number in range(classes)]
    figure = plotting.confusion_matrix(truth, predicted, class_names=names)
    assert figure.get_size_inches().tolist() == pytest.approx([inches] * 2)
    figure.canvas.draw()
    axes = figure.axes[0]
    cell = axes.get_window_extent().width / classes
    assert max(text.get_window_extent().width for text in axes.texts) < cell
    for labels in [
        axes.get_yticklabels(),
        *[axes.get_xticklabels()] * (name == "{}"),
    ]:  # the others are turned
        boxes = [label.get_window_extent() for label in labels]
        assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))


def test_names_that_are_long_are_turned():
    for names, angle, where in (
        (["cat", "dog"], 0, "center"),
        (["bird", "dog"], 45, "right"),
        (None, 0, "center"),
    ):
        axes = plotting.confusion_matrix([0, 1], [0, 1], class_names=names).axes[0]
        labels = axes.get_xticklabels()
        assert [label.get_text() for label in labels] == (names or ["0", "1"])
        assert {label.get_rotation() for label in labels} == {angle}
        assert {label.get_horizontalalignment() for label in labels} == {where}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")


@pytest.mark.parametrize(
    ("truth", "predicted", "names", "classes"),
    [
        ([0, 2], [0, 1], None, 3),
        ([0, 1], [0, 2], None, 3),
        ([0, 1], [0, 1], ["a", "b", "c", "d"], 4),
        (np.eye(5)[[0, 1]], [0, 1], None, 5),
        ([0, 1], np.eye(5)[[0, 1]], None, 5),
        ([[0], [1]], [[0], [1]], None, 2),
        ([0], [0], None, 1),
    ],
)
def test_how_many_classes_there_are(truth, predicted, names, classes):
    figure = plotting.confusion_matrix(truth, predicted, class_names=names)
    assert figure.axes[0].images[0].get_array().shape == (classes, classes)


def test_absent_classes_have_no_share():
    shares = plotting.confusion_matrix([0, 0, 2], [0, 1, 2]).axes[0].images[0].get_array()
    np.testing.assert_allclose(shares.filled(-1), [[0.5, -1, -1], [-1, 0, -1], [-1, -1, 1]])


def test_nothing_to_count_is_refused():
    with pytest.raises(ValueError, match="got 0 true labels and 0 predictions"):
        plotting.confusion_matrix([], [])


def test_thousands_are_grouped_and_a_title_is_kept():
    figure = plotting.confusion_matrix(np.zeros(1234, int), np.zeros(1234, int), title="Mine")
    assert [text.get_text() for text in figure.axes[0].texts] == ["1,234"]
    assert figure.get_suptitle() == "Mine"


# Images


def shown(image, **options):
    figure = fig.new_figure(1, 1)
    axes = figure.subplots()
    fig.show_image(axes, image, **options)
    return axes.images[0]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ([0.0, 127.5, 255.0], [0.0, 0.5, 1.0]),  # floats from 0 to 255
        ([-1.0, 0.0, 1.0], [0.0, 0.5, 1.0]),
        ([0.0, 0.25, 1.0], [0.0, 0.25, 1.0]),  # within 0 .. 1: as they are
        ([0.25, 0.5, 0.75], [0.25, 0.5, 0.75]),
        ([0.0, 0.5, 1.5], [0.0, 1 / 3, 1.0]),
        ([-0.5, 0.5, 0.5], [0.0, 1.0, 1.0]),
        ([7.0, 7.0, 7.0], [0.0, 0.0, 0.0]),  # one colour
    ],
)
@pytest.mark.parametrize("kind", ["f4", "f8", "i4"])
def test_colours_lie_between_0_and_1(image, expected, kind):
    values = np.array(image, kind)
    if kind == "i4" and (values != image).any():
        return
    array = shown(np.broadcast_to(values, (2, 2, 3))).get_array()
    np.testing.assert_allclose(array, np.broadcast_to(expected, (2, 2, 3)), atol=1e-6)
    assert array.max() <= 1


def test_bytes_are_shown_as_they_are():
    image = np.random.default_rng(0).integers(0, 256, (3, 3, 3), np.uint8)
    np.testing.assert_array_equal(shown(image).get_array(), image)


def test_one_channel_is_grey():
    image = np.random.default_rng(0).normal(size=(3, 4, 1))
    picture = shown(image)
    assert picture.cmap.name == "gray"
    np.testing.assert_array_equal(picture.get_array(), image[..., 0])
    assert picture.get_clim() == (image.min(), image.max())
    assert picture.get_interpolation() == "nearest"
    assert shown(image, cmap="RdBu_r").cmap.name == "RdBu_r"


@pytest.mark.parametrize(
    ("count", "columns", "expected"), [(3, 8, (1, 3)), (8, 8, (1, 8)), (9, 8, (2, 8)), (5, 1, (5, 1))]
)
def test_images_stand_in_rows(count, columns, expected):
    figure = plotting.gallery(np.zeros((count, 4, 4)), columns=columns)
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == expected
    assert not any(axes.axison for axes in figure.axes)
    width, height = figure.get_size_inches()
    assert height == pytest.approx(1.15 * expected[0] + 0.1)
    assert width == pytest.approx(max(1.1 * expected[1], 2.5))
    assert plotting.gallery(np.zeros((count, 4, 4)), ["t"] * count).get_size_inches()[1] == pytest.approx(
        1.4 * -(-count // 8) + 0.1
    )


def test_a_long_title_fits():
    figure = plotting.gallery(np.zeros((1, 4, 4)), title="x" * 100)
    assert figure.get_size_inches().tolist() == pytest.approx([10.5, 1.65])


@pytest.mark.parametrize(
    ("count", "limit", "expected"), [(39, 40, 39), (40, 40, 40), (41, 40, 40), (5, 3, 3)]
)
def test_a_gallery_has_a_limit(count, limit, expected):
    figure = plotting.gallery(np.zeros((count, 2, 2)), limit=limit)
    assert sum(bool(axes.images) for axes in figure.axes) == expected
    assert sum(bool(axes.images) for axes in plotting.gallery(np.zeros((50, 2, 2))).axes) == 40


def test_galleries_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="got 2 titles for 3 images"):
        plotting.gallery(np.zeros((3, 4, 4)), ["a", "b"])
    for shape in ((4, 4), (3, 4, 4, 2), (3, 4, 4, 4), (3, 4, 4, 1, 1)):
        with pytest.raises(ValueError, match="gallery: expected images"):
            plotting.gallery(np.zeros(shape))


@pytest.mark.parametrize(
    ("wrong", "limit", "text"), [(3, 3, ""), (4, 3, ": the 3 most confident"), (24, 24, "")]
)
def test_mistakes_say_how_many_are_shown(wrong, limit, text):
    probabilities = np.tile([[0.75, 0.25]], (30, 1))
    truth = np.r_[np.ones(wrong, int), np.zeros(30 - wrong, int)]
    figure = plotting.mistakes(np.zeros((30, 4, 4)), truth, probabilities, limit=limit)
    assert figure.get_suptitle() == f"{wrong} of 30 images misclassified ({wrong / 30:.2%}){text}"
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == min(wrong, limit)
    assert to_hex(panels[0].title.get_color()) == VERMILION
    assert to_hex(panels[0].texts[0].get_color()) == BLUE


def test_mistakes_in_as_many_columns_as_names_leave_room_for():
    def columns(names=None, **settings):
        figure = plotting.mistakes(
            np.zeros((24, 4, 4)),
            np.ones(24, int),
            np.eye(2)[np.zeros(24, int)],
            class_names=names,
            **settings,
        )
        return figure.axes[0].get_subplotspec().get_gridspec().get_geometry()[1]

    assert columns() == 8  # 1.15 inches each, at most 8 in 11.5
    assert columns(["n" * 20, "b"]) == int(11.5 / (0.075 * len("pred " + "n" * 20 + " (100%)")))
    assert columns(["n" * 200, "b"]) == 3
    assert columns(columns=5) == 5


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([1, 0, 2], [1, 0, 2]),
        ([[1], [0]], [1, 0]),
        ([[0.2, 0.8], [0.9, 0.1]], [1, 0]),
        ([1.0, 2.0], [1, 2]),
        ([], []),
    ],
)
def test_class_numbers(y, expected):
    found = fig.class_numbers(y, "who")
    assert found.tolist() == expected
    assert found.dtype.kind == "i"


@pytest.mark.parametrize("y", [[0.0, 0.9], [[0.3], [1.0]], [1, -1], [np.nan, 0.0]], ids=str)
def test_probabilities_of_one_unit_are_no_classes(y):
    """0.9 would be class 0 without a word."""
    with pytest.raises(ValueError, match="who: classes are whole numbers from 0 on, got"):
        fig.class_numbers(y, "who")
    with pytest.raises(ValueError, match="confusion_matrix: y_predicted: classes are whole numbers"):
        plotting.confusion_matrix([0, 1], y)


def test_every_class_has_a_name():
    with pytest.raises(ValueError, match="class_names has 1 names for 2 classes"):
        plotting.confusion_matrix([0, 1], [0, 1], class_names=["cat"])
    images, probabilities = np.zeros((2, 4, 4)), np.array([[0.9, 0.1], [0.2, 0.8]])
    with pytest.raises(
        ValueError, match="mistakes: expected a name for every class, got 2 probabilities an image, 1 class"
    ):
        plotting.mistakes(images, [0, 0], probabilities, class_names=["cat"])
    with pytest.raises(ValueError, match="and a label 2"):
        plotting.mistakes(images, [0, 2], probabilities)
    assert (
        plotting.confusion_matrix([0, 1], [0, 1], class_names=[7, 8]).axes[0].get_xticklabels()[1].get_text()
        == "8"
    )


@pytest.mark.parametrize("shape", [(), (2, 2, 2), (0, 1, 1)])
def test_what_has_no_class_numbers(shape):
    with pytest.raises(ValueError, match="who: expected labels"):
        fig.class_numbers(np.zeros(shape), "who")


def test_a_saved_picture_has_its_resolution(tmp_path):
    from PIL import Image

    plotting.save(fig.new_figure(2, 1), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (300, 150)


def test_words_instead_of_a_picture():
    figure = fig.message("nothing", "Title")
    (text,) = figure.axes[0].texts
    assert (text.get_text(), text.get_position(), figure.get_suptitle()) == ("nothing", (0.5, 0.5), "Title")
    assert not figure.axes[0].axison


# Graphs of models


def net():
    x = layers.Input((8,), name="x")
    a = layers.Dense(4, name="a", activation="relu")(x)
    b = layers.Dense(4, name="b", trainable=False)(a)
    return Model(x, layers.Add(name="sum")([a, b]), name="net")


def boxes(figure):
    """(fill, centre, texts) of each box by the first word of its text."""
    axes = figure.axes[0]
    found = {}
    for patch in axes.patches:
        if isinstance(patch, matplotlib.patches.FancyBboxPatch):
            left, bottom, width, height = patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height()
            inside = [
                text for text in axes.texts
                if left <= text.get_position()[0] <= left + width
                and bottom <= text.get_position()[1] <= bottom + height
            ]  # fmt: skip
            texts = [text.get_text() for text in sorted(inside, key=lambda text: -text.get_position()[1])]
            found[texts[0].split()[0]] = (
                to_hex(patch.get_facecolor()),
                (left + width / 2, bottom + height / 2),
                texts,
            )
    return found


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_boxes_lead_down_or_to_the_right(rankdir):
    figure = plotting.plot_model(net(), None, rankdir=rankdir)
    found = boxes(figure)
    axis, sign = (1, -1) if rankdir == "TB" else (0, 1)
    places = [sign * found[name][1][axis] for name in ("x", "a", "b", "sum")]
    assert places == sorted(places)
    assert len(set(places)) == 4
    low, high = (figure.axes[0].get_ylim(), figure.axes[0].get_xlim())[rankdir == "LR"]
    assert low <= min(found[name][1][axis] for name in found)
    assert max(found[name][1][axis] for name in found) <= high
    assert figure.axes[0].get_aspect() == 1


def test_boxes_have_colours_of_their_kind():
    found = boxes(plotting.plot_model(net(), None))
    assert found["x"][0] == "#dcebf5", "an input"
    assert found["b"][0] == "#e9e4ee", "frozen"
    assert found["a"][0] == found["sum"][0] == "#f6f6f4"


def test_lines_of_a_box():
    settings = {"show_dtype": True, "show_trainable": True, "show_layer_activations": True}
    found = boxes(plotting.plot_model(net(), None, **settings))
    assert found["a"][2] == ["a (Dense), relu", "(None, 4)", "36 params", "float32", "trained"]
    assert found["b"][2] == ["b (Dense), linear", "(None, 4)", "20 params", "float32", "not trained"]
    assert found["sum"][2] == ["sum (Add)", "(None, 4)", "float32"]
    plain = boxes(plotting.plot_model(net(), None, show_details=False))
    assert plain["a"][2] == ["a (Dense)", "(None, 4)"]


def test_arrows_end_at_the_sides_of_boxes():
    figure = plotting.plot_model(net(), None)
    found = boxes(figure)
    arrows = [
        patch for patch in figure.axes[0].patches if isinstance(patch, matplotlib.patches.FancyArrowPatch)
    ]
    assert len(arrows) == 4
    ends = [(arrow._path_original.vertices[0], arrow._path_original.vertices[-1]) for arrow in arrows]
    heights = {name: 0.2 * len(texts) + 0.2 for name, (_, _, texts) in found.items()}
    for start, end in (("x", "a"), ("a", "b"), ("b", "sum"), ("a", "sum")):
        (x0, y0), (x1, y1) = found[start][1], found[end][1]
        expected = [(x0, y0 - heights[start] / 2), (x1, y1 + heights[end] / 2)]
        assert any(np.allclose(pair, expected) for pair in ends), (start, end)


def test_arrows_that_pass_a_row_by_are_seen():
    figure = plotting.plot_model(net(), None)
    arrows = [
        patch for patch in figure.axes[0].patches if isinstance(patch, matplotlib.patches.FancyArrowPatch)
    ]
    rows = [np.ptp(arrow._path_original.vertices[:, 1]) for arrow in arrows]
    longest = max(rows)
    bent = [to_hex(arrow.get_edgecolor()) for arrow, row in zip(arrows, rows, strict=True) if row == longest]
    straight = [
        to_hex(arrow.get_edgecolor()) for arrow, row in zip(arrows, rows, strict=True) if row < longest
    ]
    assert bent == [VERMILION], "from a, past b, to the sum"
    assert straight == [fig.GREY.lower()] * 3
    assert {arrow.get_linewidth() for arrow in arrows} == {1.1}


def crossings(layout, edges):
    """Pairs of edges between neighbouring rows whose ends are in different orders."""
    lines = [(layout.row[a], layout.x[a], layout.x[b]) for a, b in edges]
    return sum(
        p == q and (a - c) * (b - d) < 0 for i, (p, a, b) in enumerate(lines) for q, c, d in lines[:i]
    )  # fmt: skip


def test_graphs_that_need_no_crossings_have_none():
    """Downwards the rows are ordered by what is above, upwards by what is below:
    each alone leaves some of these.
    """
    graphs = [
        [(0, 8), (1, 6), (2, 5), (2, 8), (3, 5), (3, 7), (6, 9)],
        [(0, 3), (0, 4), (0, 5), (1, 2), (2, 7), (3, 7), (5, 6), (5, 9)],
        [(0, 4), (0, 5), (1, 4), (1, 6), (2, 3), (5, 8), (6, 8)],
        [(0, 4), (0, 6), (0, 7), (1, 3), (1, 4), (3, 8), (6, 8)],
        [(0, 2), (1, 3), (2, 5), (3, 4), (4, 7), (5, 6), (6, 9), (7, 8)],
    ]
    for edges in graphs:
        nodes = 1 + max(max(edge) for edge in edges)
        assert crossings(Layout([1.0] * nodes, edges, 0.3), edges) == 0


def test_the_resolution_of_a_file(tmp_path):
    from PIL import Image

    sizes = []
    for dpi in (50, 100):
        figure = plotting.plot_model(net(), tmp_path / f"{dpi}.png", dpi=dpi)
        assert figure.get_dpi() == dpi
        with Image.open(tmp_path / f"{dpi}.png") as image:
            sizes.append(image.size)
    assert sizes[0][0] > 0


def test_a_layout_has_as_much_room_as_it_says():
    layout = Layout([2.0, 1.0, 1.0], [(0, 1), (0, 2)], 0.5)
    assert layout.row == [0, 1, 1]
    assert layout.rows == 2
    assert layout.width == pytest.approx(2.5)
    assert sorted(layout.x[1:]) == pytest.approx([0.5, 2.0])
    assert layout.x[0] == pytest.approx(1.25)
    assert (Layout([], [], 0.5).width, Layout([3.0], [], 0.5).width) == (0.0, 3.0)
