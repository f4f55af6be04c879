"""Trainings compared: means and bands over seeds, names, and what part of the axis is shown."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from tinynet import callbacks, plotting


def runs(*finals, epochs=10, seeds=1, metric="val_accuracy"):
    """{"run 0": seeds that rise from 0.5 to the final value}; the seeds are 0.001 apart."""
    rise = np.linspace(0.5, 1, epochs) ** 0.5 if epochs > 1 else np.ones(1)
    return {
        f"run {i}": [{metric: (final * rise + 0.001 * seed).tolist()} for seed in range(seeds)]
        for i, final in enumerate(finals)
    }


def means(axes):
    return [line for line in axes.lines if line.get_gid() == "mean"]


def words(figure):
    figure.canvas.draw()
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()]


def band_at(axes, epoch):
    """Lowest and highest point of the (only) band at this epoch."""
    vertices = axes.collections[0].get_paths()[0].vertices
    heights = vertices[vertices[:, 0] == epoch, 1]
    return heights.min(), heights.max()


def test_the_line_is_the_mean_and_the_band_goes_from_the_lowest_to_the_highest():
    seeds = [{"val_loss": [4.0, 2.0]}, {"val_loss": [5.0, 2.5]}, {"val_loss": [9.0, 3.0]}]
    figure = plotting.compare_histories({"net": seeds}, "val_loss", title="T")
    (axes,) = figure.axes
    (line,) = means(axes)
    assert line.get_xdata().tolist() == [1, 2]
    assert line.get_ydata().tolist() == [6.0, 2.5]
    assert [band_at(axes, epoch) for epoch in (1, 2)] == [(4.0, 9.0), (2.0, 3.0)]
    assert words(figure) == ["net  2.5000"]
    assert figure.get_suptitle() == "T"
    assert figure.get_supxlabel() == "lines: means of 3 seeds; bands: from the lowest to the highest"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "validation loss")


def test_a_single_history_is_a_line_alone():
    history = callbacks.History()
    history.on_epoch_end(4, {"val_accuracy": 0.9})
    history.on_epoch_end(5, {"val_accuracy": 0.95})
    for one in (history, [history], {"val_accuracy": [0.9, 0.95]}):
        figure = plotting.compare_histories({"net": one})
        (axes,) = figure.axes
        assert not axes.collections
        assert means(axes)[0].get_xdata().tolist() == ([1, 2] if isinstance(one, dict) else [5, 6])
        assert words(figure) == ["net  95.00%"]
        assert figure.get_supxlabel() == ""


def test_seeds_that_ended_earlier_leave_a_thin_line():
    seeds = [{"val_loss": [4.0, 2.0]}, {"val_loss": [6.0, 4.0, 1.0, 0.5]}]
    figure = plotting.compare_histories({"net": seeds, "one": {"val_loss": [3.0, 2.0, 2.0]}}, "val_loss")
    (axes,) = figure.axes
    thick, thin, other = axes.lines
    assert thick.get_xydata().tolist() == [[1, 5.0], [2, 3.0]]
    assert thin.get_xydata().tolist() == [[2, 3.0], [3, 1.0], [4, 0.5]]
    assert thin.get_linewidth() < thick.get_linewidth()
    assert other.get_gid() == "mean"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["net  0.5000", "one  2.0000"]
    assert legend.get_title().get_text().startswith("lines: means of 1 to 2 seeds")


def test_validation_every_second_epoch():
    history = {"loss": [1.0] * 6, "val_loss": [3.0, 2.0, 1.0]}
    (axes,) = plotting.compare_histories({"net": history}, "val_loss").axes
    assert means(axes)[0].get_xdata().tolist() == [2, 4, 6]


def test_eight_runs_are_told_apart_with_and_without_colour():
    figure = plotting.compare_histories(runs(*np.linspace(0.9, 0.97, 8)))
    lines = means(figure.axes[0])
    assert len({to_hex(line.get_color()) for line in lines}) == 8
    assert len({line.get_marker() for line in lines}) == 8
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == 8
    with pytest.raises(ValueError, match="runs: expected 1 to 8 names, got 9"):
        plotting.compare_histories(runs(*np.linspace(0.9, 0.97, 9)))


@pytest.mark.parametrize("finals", [(0.9, 0.9), (0.95, 0.951, 0.9505, 0.9), (0.99,) * 8])
def test_names_at_the_ends_do_not_overlap_and_keep_the_order_of_the_lines(finals):
    figure = plotting.compare_histories(runs(*finals))
    figure.canvas.draw()
    axes = figure.axes[0]
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without the lines that lead there
    assert len(boxes) == len(finals)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    heights = [box.y0 for box in boxes]  # texts are written from the lowest up
    assert heights == sorted(heights)
    ends = [float(text.get_text().split()[-1].rstrip("%")) for text in axes.texts]
    assert ends == sorted(ends)
    page = figure.bbox
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 and box.y0 >= page.y0 for box in boxes)


@pytest.mark.parametrize("name", ["a name that is much too long to stand beside a line", "short"])
def test_long_names_stand_in_a_legend(name):
    figure = plotting.compare_histories({name: {"val_accuracy": [0.5, 0.75]}})
    assert bool(figure.legends) == (name != "short")
    assert len(figure.axes[0].texts) == (name == "short")


def test_a_panel_for_each_metric():
    both = [{"val_loss": [2.0, 1.0], "val_accuracy": [0.5, 0.75], "learning_rate": [0.1, 0.01]}]
    metrics = ["val_loss", "val_accuracy", "learning_rate"]
    figure = plotting.compare_histories({"a": both, "b": both}, metrics)
    shown = [axes for axes in figure.axes if axes.axison]
    names = ["validation loss", "validation accuracy", "learning rate"]
    assert [axes.get_ylabel() for axes in shown] == names
    assert [axes.get_yscale() for axes in shown] == ["linear", "linear", "log"]
    assert words(figure) == ["a", "b"], "once, and without a value"
    figure.canvas.draw()
    assert shown[1].yaxis.get_major_formatter()(0.5).endswith("%")
    assert not shown[0].yaxis.get_major_formatter()(0.5).endswith("%")


def test_first_epochs_far_below_are_cut_off_and_the_axis_says_so():
    values = [0.10, 0.60, 0.97, 0.985, 0.989, 0.990, 0.991, 0.992]
    (axes,) = plotting.compare_histories({"net": {"val_accuracy": values}}).axes
    low, high = axes.get_ylim()
    # The second half begins at 0.989; as much again below it, and a margin of a twentieth of all.
    assert low == pytest.approx(0.986 - 0.05 * 0.006)
    assert high == pytest.approx(0.992 + 0.05 * 0.006)
    assert axes.get_title(loc="right") == "▼ lowest 10.00%"
    (losses,) = plotting.compare_histories({"net": {"loss": [1 - v for v in values]}}, "loss").axes
    assert losses.get_ylim() == pytest.approx((1 - high, 1 - low))
    assert losses.get_title(loc="right") == "▲ highest 0.9000"


def test_where_cutting_wins_little_everything_is_shown():
    (axes,) = plotting.compare_histories({"net": {"val_accuracy": [0.80, 0.84, 0.88, 0.92]}}).axes
    assert axes.get_ylim() == pytest.approx((0.80 - 0.006, 0.92 + 0.006))
    assert axes.get_title(loc="right") == ""
    (axes,) = plotting.compare_histories({"net": {"f1_score": [0.1, 0.98, 0.99, 0.992]}}, "f1_score").axes
    assert axes.get_ylim()[0] < 0.1, "of other metrics nobody knows which end is the worse"


def test_a_run_that_failed_does_not_press_the_others_together():
    good = {f"good {i}": {"val_accuracy": [0.98 + 0.005 * i] * 6} for i in range(3)}
    figure = plotting.compare_histories({**good, "failed": {"val_accuracy": [0.1] * 6}})
    (axes,) = figure.axes
    assert axes.get_ylim()[0] > 0.9
    assert axes.get_title(loc="right") == "▼ failed 10.00%"
    assert "failed  10.00% ▼" in words(figure)
    good["good 0"] = {"val_accuracy": [0.2, *[0.98] * 5]}
    (axes,) = plotting.compare_histories({**good, "failed": {"val_accuracy": [0.1] * 6}}).axes
    note = axes.get_title(loc="right")
    assert note == "▼ failed 10.00%, ▼ lowest of the others 20.00%", "the one that is named lies lower"
    two = {"good": good["good 0"], "failed": {"val_accuracy": [0.1] * 6}}
    assert plotting.compare_histories(two).axes[0].get_ylim()[0] < 0.1, "of two, both are the result"


def test_what_is_said_of_runs_outside_stays_above_its_panel():
    names = [f"as executed in the notebook, rate {i}" for i in range(6)]
    histories = {
        name: {
            "val_accuracy": [0.985 + i / 1000 if i < 3 else 0.1] * 6,
            "val_loss": [0.05 if i < 3 else 90] * 6,
        }
        for i, name in enumerate(names)
    }
    figure = plotting.compare_histories(histories, ["val_loss", "val_accuracy"], "two panels")
    figure.canvas.draw()
    for axes in figure.axes:
        (note,) = [
            one
            for one in axes.texts + axes.get_children()
            if isinstance(one, Text) and "rate 3" in one.get_text()
        ]
        assert all(f"rate {i}" in note.get_text() for i in (3, 4, 5))
        extent, labels = note.get_window_extent(), axes.yaxis.get_tightbbox(figure.canvas.get_renderer())
        assert labels.x0 <= extent.x0 < extent.x1 <= axes.bbox.x1 + 1


def test_constant_and_infinite_values():
    (axes,) = plotting.compare_histories({"net": {"val_accuracy": [1.0, 1.0]}}).axes
    assert axes.get_ylim() == pytest.approx((0.995, 1.005))
    bad = {"net": [{"loss": [1.0, np.nan, np.inf]}, {"loss": [2.0, 1.0, 1.0]}]}
    figure = plotting.compare_histories(bad, "loss")
    figure.canvas.draw()
    np.testing.assert_array_equal(means(figure.axes[0])[0].get_ydata(), [1.5, np.nan, np.inf])
    assert figure.legends, "a line without an end has no name there"
    plotting.compare_histories({"net": {"loss": [np.nan]}}, "loss").canvas.draw()


def test_one_epoch_stands_in_the_middle():
    (axes,) = plotting.compare_histories(runs(0.9, 0.8, epochs=1)).axes
    assert axes.get_xlim() == (0, 2)
    assert axes.get_xticks().tolist() == [1]


def test_references_are_horizontal_lines_with_their_names():
    figure = plotting.compare_histories(runs(0.9), reference={"notebook, 2017": 0.85, "Keras 3": 0.95})
    lines = [line for line in figure.axes[0].lines if line.get_gid() is None]
    assert [line.get_ydata()[0] for line in lines] == [0.85, 0.95]
    assert {"notebook, 2017", "Keras 3"} <= set(words(figure))
    assert figure.axes[0].get_ylim()[1] > 0.95
    assert "reference" in words(plotting.compare_histories(runs(0.9), reference=0.2))
    both = {"net": {"loss": [1.0], "accuracy": [0.5]}}
    figure = plotting.compare_histories(both, ["loss", "accuracy"], reference={"accuracy": {"2017": 0.6}})
    assert [len(axes.lines) for axes in figure.axes] == [1, 2]
    for wrong in ("high", {"notebook": "x"}, {"notebook": [1, 2]}):
        with pytest.raises(ValueError, match="reference: expected a number or"):
            plotting.compare_histories(runs(0.9), reference=wrong)
    with pytest.raises(ValueError, match=r"reference: expected \{metric: value\}"):
        plotting.compare_histories(both, ["loss", "accuracy"], reference=0.5)


@pytest.mark.parametrize(
    ("given", "metric", "message"),
    [
        ({}, "loss", "runs: expected 1 to 8 names, got 0"),
        ([{"loss": [1.0]}], "loss", r"runs: expected \{name: histories\}, got list"),
        ({"a": []}, "loss", r"runs\['a'\]: expected a history or a list of them, got \[\]"),
        ({"a": 3}, "loss", r"runs\['a'\]: expected a history or a list of them, got 3"),
        ({"a": [3]}, "loss", r"runs\['a'\]: expected what fit returned"),
        ({"a": {"loss": [1.0], "mae": [2.0]}}, "acc", "no values of 'acc'; the history has loss, mae"),
        ({"a": {"loss": []}}, "loss", "no values of 'loss'"),
        ({"a": {"loss": [1.0]}}, [], "metric: expected a name or several"),
    ],
)
def test_what_cannot_be_compared(given, metric, message):
    with pytest.raises(ValueError, match=f"compare_histories: .*{message}"):
        plotting.compare_histories(given, metric)
