"""Pictures: what they show, for ordinary and for empty runs; that they are files,
and change nothing outside.
"""

import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image

from tinynet import callbacks, plotting

HISTORY = {
    "accuracy": [0.90, 0.95, 0.97],
    "loss": [0.5, 0.2, 0.1],
    "val_accuracy": [0.93, 0.96, 0.955],
    "val_loss": [0.3, 0.15, 0.16],
    "learning_rate": [0.1, 0.1, 0.05],
}


@pytest.fixture(autouse=True)
def _nothing_global_changes():
    settings = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == settings
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def texts(figure):
    """Every visible text, the drawing done."""
    figure.canvas.draw()
    return [
        text.get_text()
        for text in figure.findobj(matplotlib.text.Text)
        if text.get_visible() and text.get_text()
    ]


def overlapping(figure):
    """Pairs of titles and texts below images that cover each other."""
    figure.canvas.draw()
    found = [text for axes in figure.axes for text in (axes.title, *axes.texts) if text.get_text()]
    boxes = [text.get_window_extent() for text in (*found, *figure.texts)]
    return [(i, j) for i, a in enumerate(boxes) for j, b in enumerate(boxes[:i]) if a.overlaps(b)]


def lines(axes):
    return {
        line.get_label(): (line.get_xdata().tolist(), line.get_ydata().tolist())
        for line in axes.lines
        if line.get_gid() != "best"
    }


# -- curves


def test_loss_and_accuracy_with_training_and_validation():
    figure = plotting.history_curves(HISTORY, title="digits")
    loss, accuracy = figure.axes
    assert lines(loss) == {
        "training": ([1, 2, 3], [0.5, 0.2, 0.1]),
        "validation": ([1, 2, 3], [0.3, 0.15, 0.16]),
    }
    assert lines(accuracy)["validation"] == ([1, 2, 3], [0.93, 0.96, 0.955])
    assert {"digits", "Loss", "Accuracy", "last validation 95.50%, best 96.00%"} <= set(texts(figure))


def test_epochs_are_whole_numbers_and_those_of_the_history():
    history = callbacks.History()
    history.set_model(type("Model", (), {})())
    history.on_train_begin()
    for epoch in (10, 11, 12):
        history.on_epoch_end(epoch, {"loss": 1.0 / epoch})
    (axes,) = plotting.history_curves(history).axes
    assert lines(axes)["training"][0] == [11, 12, 13]
    assert all(tick == int(tick) for tick in axes.get_xticks())


def test_one_epoch_without_validation():
    figure = plotting.history_curves({"loss": [0.25]})
    assert "last training 0.2500" in texts(figure)
    assert figure.axes[0].get_xticks().tolist() == [1]
    assert figure.axes[0].get_legend() is None


def test_validation_every_second_epoch():
    (axes,) = plotting.history_curves({"loss": [5, 4, 3, 2, 1], "val_loss": [4.5, 2.5]}).axes
    assert lines(axes)["validation"] == ([2, 4], [4.5, 2.5])


def test_a_history_without_epochs_is_refused():
    for empty in ({}, {"loss": []}, callbacks.History()):
        with pytest.raises(ValueError, match="holds no epoch"):
            plotting.history_curves(empty)


# -- images


@pytest.mark.parametrize("shape", [(5, 28, 28), (5, 28, 28, 1), (5, 32, 32, 3), (1, 8, 8)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_gallery_shows_the_images_below_their_titles(shape, dtype):
    images = (np.random.default_rng(0).normal(size=shape) * 100).astype(dtype)
    titles = [f"image {number}" for number in range(len(images))]
    figure = plotting.gallery(images, titles, columns=3, title="Five")
    assert {*titles, "Five"} <= set(texts(figure))
    shown = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(shown) == len(images)
    if dtype is np.uint8:
        np.testing.assert_array_equal(np.stack(shown), images.squeeze(-1) if shape[-1] == 1 else images)


def test_gallery_of_many_and_of_none():
    assert sum(bool(axes.images) for axes in plotting.gallery(np.zeros((99, 8, 8)), limit=10).axes) == 10
    assert "no images" in texts(plotting.gallery(np.zeros((0, 8, 8))))


def test_mistakes_show_the_most_confident_first():
    x = np.arange(6, dtype=np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    probabilities = np.array([[0.6, 0.4], [0.1, 0.9], [0.3, 0.7], [0.8, 0.2], [0.05, 0.95], [0.5, 0.5]])
    truth = np.array([0, 0, 0, 1, 1, 0])  # 1, 2 and 3 are wrong
    for labels in (truth, truth[:, None], np.eye(2)[truth]):
        figure = plotting.mistakes(x, labels, probabilities)
        shown = [
            (int(a.images[0].get_array()[0, 0]), a.get_title(), [text.get_text() for text in a.texts])
            for a in figure.axes
            if a.images
        ]
        assert shown == [
            (1, "pred 1 (90%)", ["true 0 (10%)", "x[1]"]),
            (3, "pred 0 (80%)", ["true 1 (20%)", "x[3]"]),
            (2, "pred 1 (70%)", ["true 0 (30%)", "x[2]"]),
        ]
        assert "3 of 6 images misclassified (50.00%)" in texts(figure)


@pytest.mark.parametrize("names", [None, ("zero", "one", "a rather long name")])
@pytest.mark.parametrize("count", [1, 5, 300])
def test_mistakes_of_any_number_do_not_overlap(names, count):
    probabilities = np.random.default_rng(3).dirichlet(np.ones(3), count)
    truth = (probabilities.argmax(1) + 1) % 3
    figure = plotting.mistakes(
        np.zeros((count, 28, 28, 1), np.uint8), truth, probabilities, class_names=names
    )
    assert overlapping(figure) == []
    assert sum(bool(axes.images) for axes in figure.axes) == min(count, 24)


def test_mistakes_by_loss_with_the_second_choice():
    """The first is the surer one, the second thinks the truth less likely."""
    probabilities = [[0.70, 0.20, 0.10], [0.60, 0.39, 0.01], [0.2, 0.5, 0.3]]
    truth = [1, 2, 1]

    def shown(**settings):
        figure = plotting.mistakes(np.zeros((3, 8, 8)), truth, probabilities, limit=1, **settings)
        (axes,) = figure.axes
        return axes.get_title(), [text.get_text() for text in axes.texts], figure.get_suptitle()

    count = "2 of 3 images misclassified (66.67%): the 1 "
    assert shown() == ("pred 0 (70%)", ["true 1 (20%)", "x[0]"], count + "most confident")
    assert shown(sort_by="loss") == (
        "pred 0 (60%)", ["true 2 (1%)", "2nd 1 (39%)", "x[1]"], count + "of the highest loss",
    )  # fmt: skip
    with pytest.raises(ValueError, match="sort_by must be 'confidence' or 'loss', got 'luck'"):
        shown(sort_by="luck")


def test_no_mistakes():
    figure = plotting.mistakes(np.zeros((4, 8, 8)), np.arange(4), np.eye(4))
    assert {"No mistakes", "all 4 images are classified correctly"} <= set(texts(figure))


@pytest.mark.parametrize(
    ("x", "y", "p"), [((4, 8, 8), (3,), (4, 2)), ((4, 8, 8), (4,), (4,)), ((4, 64), (4,), (4, 2))]
)
def test_mistakes_refuse_arrays_that_do_not_fit(x, y, p):
    with pytest.raises(ValueError, match="mistakes: expected"):
        plotting.mistakes(np.zeros(x), np.zeros(y, int), np.zeros(p))


# -- confusion matrix


def test_confusion_matrix_counts_true_rows_and_predicted_columns():
    figure = plotting.confusion_matrix(
        [0, 0, 1, 1, 1, 2], [0, 1, 1, 1, 0, 2], class_names=["cat", "dog", "ship"]
    )
    counts = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert counts == {(0, 0): "1", (1, 0): "1", (0, 1): "1", (1, 1): "2", (2, 2): "1"}
    right, wrong = (image.get_array() for image in figure.axes[0].images)
    np.testing.assert_allclose(right.filled(-1), np.where(np.eye(3), [[1 / 2], [2 / 3], [1]], -1))
    np.testing.assert_allclose(wrong.filled(-1), [[-1, 1 / 2, -1], [1 / 3, -1, -1], [-1, -1, -1]])
    assert {"Confusion matrix: 66.67% correct", "cat", "ship"} <= set(texts(figure))


def test_confusion_matrix_takes_rows_and_keeps_absent_classes():
    figure = plotting.confusion_matrix(np.array([[1], [0]]), np.eye(4)[[1, 1]])
    assert figure.axes[0].images[0].get_array().shape == (4, 4)
    with pytest.raises(ValueError, match="got 2 true labels and 3 predictions"):
        plotting.confusion_matrix([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="got shape"):
        plotting.confusion_matrix(np.zeros((2, 2, 2)), [0, 1])


# -- saving


def test_saved_files_are_whole_pictures(tmp_path):
    path = tmp_path / "run" / "history.png"
    plotting.save(plotting.history_curves(HISTORY), path)
    with Image.open(path) as image:
        image.load()
        assert image.width > 1000
        assert len(np.unique(np.asarray(image))) > 50  # something is drawn
    plotting.save(plotting.filters(np.ones((3, 3, 1, 2))), str(tmp_path / "run" / "filters.svg"))
    assert sorted(file.name for file in path.parent.iterdir()) == ["filters.svg", "history.png"]


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "picture.unknown"
    path.write_text("old")
    with pytest.raises(ValueError, match="unknown"):
        plotting.save(plotting.history_curves(HISTORY), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
