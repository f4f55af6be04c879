"""Rows of dots: what stands where, on plain axes, logarithmic ones and those of errors."""

import itertools

import numpy as np
import pytest

from tinynet import plotting
from tinynet.plotting.scales import round_numbers

LADDER = {"softmax": [0.92, 0.921], "net": [0.99], "best": [0.997, 0.9972, 0.9974]}


def points(figure, gid):
    """{row: places} of the marks of a kind."""
    found = {}
    for line in figure.axes[0].lines:
        if line.get_gid() == gid:
            found[int(line.get_ydata()[0])] = np.asarray(line.get_xdata()).tolist()
    return found


def words(figure):
    figure.canvas.draw()
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_row_for_each_name_from_the_top():
    figure = plotting.dots(LADDER, {"softmax": 0.9195, "net": None}, "notebook, 2017", title="Ladder")
    axes = figure.axes[0]
    assert points(figure, "seeds") == {0: [0.92, 0.921], 1: [0.99], 2: [0.997, 0.9972, 0.9974]}
    assert points(figure, "mean") == {0: [pytest.approx(0.9205)], 2: [pytest.approx(0.9972)]}
    assert points(figure, "reference") == {0: [0.9195]}
    assert [label.get_text() for label in axes.get_yticklabels()] == list(LADDER)
    assert axes.yaxis_inverted()
    assert words(figure) == ["92.05%", "91.95%", "99.00%", "99.72%"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "a seed", "mean (in numbers at the right)", "notebook, 2017",
    ]  # fmt: skip
    assert (figure.get_suptitle(), axes.get_xlabel()) == ("Ladder", "test accuracy")
    assert axes.xaxis.get_major_formatter()(0.95).endswith("%")


@pytest.mark.parametrize("high", [0.46, 0.47, 0.528, 0.6, 0.99])
def test_the_labels_of_a_plain_axis_do_not_touch(high):
    figure = plotting.dots({"S4-42 AlphaDropout, Monte Carlo dropout": 0.451, "best": high})
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


def test_the_diamond_is_hollow():
    figure = plotting.dots({"a": 0.9}, {"a": 0.8})
    (diamond,) = [line for line in figure.axes[0].lines if line.get_gid() == "reference"]
    assert (diamond.get_marker(), diamond.get_markerfacecolor()) == ("D", "white")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["reference"]
    assert not plotting.dots({"a": 0.9}).legends, "single numbers explain themselves"


def test_errors_stand_on_a_logarithmic_axis_labelled_in_accuracy():
    figure = plotting.dots(LADDER, {"net": 0.98}, errors=True)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.xaxis_inverted()
    assert points(figure, "seeds")[1] == [pytest.approx(0.01)]
    assert points(figure, "mean")[0] == [pytest.approx(0.0795)]
    assert points(figure, "reference")[1] == [pytest.approx(0.02)]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    ticks = dict(zip(labels, axes.get_xticks(), strict=True))
    assert ticks == {"95%": 0.05, "98%": 0.02, "99%": 0.01, "99.5%": 0.005}
    assert words(figure) == ["92.05%", "99.00%", "98.00%", "99.72%"]
    low, high = sorted(axes.get_xlim())
    assert low < 0.0026 < 0.08 < high


def test_no_error_at_all_has_a_place_too():
    figure = plotting.dots({"all": [1.0], "some": [0.99, 0.97]}, errors=True)
    assert points(figure, "seeds")[0] == [pytest.approx(0.01 / 3)]
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels[-1] == "100%"
    assert len(set(labels)) == len(labels)
    plotting.dots({"all": [1.0, 1.0]}, errors=True).canvas.draw()


def test_times_stand_on_a_logarithmic_axis_in_plain_numbers():
    times = {"now": [0.5, 0.6], "VGG": [40.0]}
    figure = plotting.dots(times, {"now": 6}, xlabel="seconds", percent=False, log=True)
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert not axes.xaxis_inverted()
    figure.canvas.draw()
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["0.5", "1", "2", "5", "10", "20", "50"]
    assert words(figure) == ["0.55", "6", "40"]
    assert axes.get_xlabel() == "seconds"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.9, 11, [1, 2, 5, 10]),
        (0.9, 1100, [1, 3, 10, 30, 100, 300, 1000]),
        (1e-3, 1e3, [1e-3, 1e-2, 0.1, 1, 10, 100, 1e3]),
        (1, 5, [1, 2, 5]),
        (2, 8, [2, 3, 5, 7]),
        (0.0061, 0.0069, [0.0062, 0.0064, 0.0066, 0.0068]),
    ],
)
def test_round_numbers(low, high, expected):
    assert round_numbers(low, high) == pytest.approx(expected)


@pytest.mark.parametrize("low", [1e-6, 0.5, 3.0])
@pytest.mark.parametrize("ratio", [1.01, 3, 100, 1e9])
def test_there_are_always_a_few_round_numbers(low, ratio):
    found = round_numbers(low, low * ratio)
    assert 2 <= len(found) <= 10
    assert all(low <= number <= low * ratio * (1 + 1e-12) for number in found)
    assert found == sorted(found)


def test_long_names_and_many_rows_stay_on_the_page():
    names = [f"row {i} " + "with a rather long name" * (i % 3) for i in range(40)]
    figure = plotting.dots({name: [0.5, 0.6] for name in names}, dict.fromkeys(names, 0.55))
    figure.canvas.draw()
    axes = figure.axes[0]
    texts = [*axes.get_yticklabels(), *axes.texts]
    boxes = [text.get_window_extent() for text in texts]
    assert all(box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1 for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert axes.get_window_extent().width > 200


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        ({}, {}, r"values: expected \{name: numbers\} with a name at least, got \{\}"),
        ([0.9], {}, r"values: expected \{name: numbers\}"),
        ({"a": []}, {}, r"values\['a'\]: expected one finite number or more, got \[\]"),
        ({"a": "high"}, {}, r"values\['a'\]: expected one finite number"),
        ({"a": [[0.9]]}, {}, r"values\['a'\]: expected one finite number"),
        ({"a": [0.9, np.nan]}, {}, r"values\['a'\]: expected one finite number"),
        ({"a": 0.9}, {"reference": 0.8}, r"reference: expected \{name: number\}, got 0.8"),
        ({"a": 0.9}, {"reference": {"b": 0.8}}, r"reference: there is no row 'b'; the rows are \['a'\]"),
        ({"a": 0.9}, {"reference": {"a": [1]}}, r"reference\['a'\]: expected a finite number"),
        ({"a": 0.9}, {"reference": {"a": "x"}}, r"reference\['a'\]: expected a finite number"),
        ({"a": 99.3}, {}, "percent=True: expected shares from 0 to 1, got 99.3"),
        ({"a": 99.3}, {"percent": False, "errors": True}, ".*expected shares from 0 to 1, got 99.3"),
        ({"a": 0.0}, {"log": True}, "log=True: expected numbers above 0, got 0"),
        ({"a": 0.5}, {"log": True, "errors": True}, "expected log or errors, got both"),
    ],
)
def test_what_cannot_be_drawn(values, settings, message):
    with pytest.raises(ValueError, match=f"dots: {message}"):
        plotting.dots(values, **settings)
