"""LiveCurves: what is drawn, when and where; a notebook is imitated."""

import sys
import types

import numpy as np
import pytest

from tinynet import callbacks
from tinynet.plotting import figure as fig
from tinynet.plotting import live


def logs(epoch, validation=True):
    values = {"accuracy": 0.5 + epoch / 100, "loss": 1 / (epoch + 1), "learning_rate": 0.1 / 2**epoch}
    return (
        {**values, "val_accuracy": 0.4 + epoch / 100, "val_loss": abs(epoch - 3) / 10 + 0.5}
        if validation
        else values
    )


def curves(epochs, every=1):
    made = {}
    for epoch in range(epochs):
        for name, value in logs(epoch, (epoch + 1) % every == 0).items():
            made.setdefault(name, []).append((epoch, value))
    return made


def test_panels_curves_and_labels():
    figure = live.live_curves(curves(8), total=20, title="A run")
    assert figure.get_suptitle() == "A run"
    loss, accuracy, rate = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in (loss, accuracy, rate)] == [
        "Loss",
        "Accuracy",
        "Learning rate",
    ]
    assert loss.get_title(loc="right") == "validation 0.9000, best 0.5000"
    assert accuracy.get_title(loc="right") == "validation 47.00%"
    assert rate.get_title(loc="right") == "now 0.000781"
    assert rate.get_yscale() == "log"
    train, validation, ring = loss.get_lines()
    assert train.get_label(), validation.get_label() == ("training", "validation")
    assert train.get_color() != validation.get_color()
    assert train.get_linestyle() != validation.get_linestyle()  # told apart without colours too
    np.testing.assert_array_equal(train.get_xdata(), np.arange(1, 9))
    np.testing.assert_array_equal(train.get_ydata(), [1 / (epoch + 1) for epoch in range(8)])
    assert ring.get_xdata() == [4]
    for axes in (loss, accuracy, rate):
        assert axes.get_xlabel() == "epoch"
        left, right = axes.get_xlim()
        assert 0 < left <= 1
        assert 20 <= right < 21
        assert all(float(tick).is_integer() for tick in axes.get_xticks())


def test_rare_validation_stands_at_its_epochs():
    figure = live.live_curves(curves(9, every=4))
    _, validation, _ = figure.axes[0].get_lines()
    np.testing.assert_array_equal(validation.get_xdata(), [4, 8])


def test_one_epoch_and_many_panels():
    figure = live.live_curves({name: [(0, 0.5)] for name in ("loss", "a", "b", "c")})
    assert sum(axes.axison for axes in figure.axes) == 4
    assert list(figure.axes[0].get_xticks()) == [1]
    with pytest.raises(ValueError, match="no value to draw"):
        live.live_curves({})


def follow(callback, epochs=3, total=5):
    callback.set_params({"verbose": 0, "epochs": total, "steps": 1})
    callback.on_train_begin()
    for epoch in range(epochs):
        callback.on_epoch_end(epoch, logs(epoch))
    callback.on_train_end()


@pytest.fixture
def drawn(monkeypatch):
    """The numbers of epochs in the pictures that were drawn; they are small, so that tests are quick."""
    counts = []

    def draw(curves, total, title):
        counts.append(len(curves["loss"]))
        return fig.new_figure(1, 1)

    monkeypatch.setattr(live, "live_curves", draw)
    return counts


def test_a_picture_after_every_epoch(drawn, tmp_path):
    path = tmp_path / "made" / "run.png"
    follow(callbacks.LiveCurves(path))
    assert drawn == [1, 2, 3]
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in path.parent.iterdir()] == ["run.png"]


def test_not_more_often_than_every_so_many_seconds(drawn, tmp_path):
    follow(callbacks.LiveCurves(tmp_path / "run.png", every=1000))
    assert drawn == [1, 3]  # the first, and the last at the end
    follow(callbacks.LiveCurves(tmp_path / "run.png"), epochs=0)
    assert drawn == [1, 3]


def test_outside_of_notebooks_there_is_a_file_by_default(drawn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    follow(callbacks.LiveCurves())
    assert (tmp_path / "live_curves.png").exists()


def test_a_notebook_is_redrawn_in_place(drawn, tmp_path, monkeypatch):
    shown = []

    class Handle:
        def update(self, picture):
            shown.append(("update", picture[:4]))

    def display(picture, display_id):
        shown.append(("display", picture[:4]))
        return Handle()

    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display, Image=bytes))
    monkeypatch.chdir(tmp_path)
    follow(callbacks.LiveCurves())
    assert shown == [(how, b"\x89PNG") for how in ("display", "update", "update")]
    assert not list(tmp_path.iterdir())
    follow(callbacks.LiveCurves("also.png"))
    assert (tmp_path / "also.png").exists()
    shell.kernel = None
    del shell.kernel  # IPython in a terminal
    follow(callbacks.LiveCurves())
    assert (tmp_path / "live_curves.png").exists()


def test_it_goes_on_after_an_interruption(drawn, tmp_path):
    first = callbacks.LiveCurves(tmp_path / "run.png")
    follow(first, epochs=2)
    second = callbacks.LiveCurves(tmp_path / "run.png")
    second.on_train_begin()
    second.restore_training_state(first.training_state())
    second.on_epoch_end(2, logs(2))
    assert second.curves == {name: [tuple(point) for point in values] for name, values in curves(3).items()}
