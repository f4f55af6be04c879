"""Pictures of results: what stands where, and which machine it belongs to."""

import itertools

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from benchmarks import plots
from benchmarks.nets import NETS

NET, OTHER = list(NETS)[:2]
MACHINE = {"processor": "Abacus 3", "cores": 2, "vectors": "beads"}


class Plt:
    """Figures without pyplot's memory of them."""

    @staticmethod
    def subplots(*shape, figsize, **settings):
        figure = Figure(figsize=figsize, layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.subplots(*shape, **settings)


def timed(library, median, net=NET, batch=32, threads=2):
    time = {"median": median, "q1": 0.9 * median, "q3": 1.3 * median}
    return {"net": net, "batch": batch, "library": library, "threads": threads, "step_s": time}


def test_a_step_is_a_dot_with_its_quartiles():
    records = [
        timed("tinynet", 0.002), timed("tinynet", 0.001), timed("torch", 0.004), timed("torch", 0.02, OTHER),
        timed("tinynet", 0.01, batch=128),
    ]  # fmt: skip
    figure = plots.steps(Plt, records, {})
    small = figure.axes[0]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Batch 32", "Batch 128"]
    assert small.get_xscale() == "log"
    ours, theirs = small.containers
    assert ours.lines[0].get_xdata().tolist() == [1.0], "of two modes the faster one, in milliseconds"
    assert theirs.lines[0].get_xdata().tolist() == [4.0, 20.0]
    (segments,) = ours.lines[2]
    assert segments.get_segments()[0][:, 0].tolist() == pytest.approx([0.9, 1.3])
    assert ours.lines[0].get_color() != theirs.lines[0].get_color()
    assert ours.lines[0].get_marker() != theirs.lines[0].get_marker()
    assert {text.get_text() for text in small.texts} == {"1", "4", "20"}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["tinynet", "PyTorch"]


@pytest.mark.parametrize(("threads", "panels"), [((1, 2), 1), ((1, 2, 4), 1), ((1, 2, 4, 8), 2)])
def test_a_curve_over_threads_needs_a_few_of_them(threads, panels):
    records = [timed("tinynet", 0.01 / count, batch=128, threads=count) for count in threads]
    figure = plots.scaling(Plt, records, {})
    assert len(figure.axes) == panels
    if panels == 2:
        line = figure.axes[0].lines[0]
        assert line.get_xydata().tolist() == [[count, count] for count in threads]


def test_every_picture_says_which_machine_it_belongs_to(tmp_path, monkeypatch):
    said, save = [], Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, path: (said.append(self.get_supxlabel()), save(self, path))
    )
    records = [timed("tinynet", 0.001), timed("torch", 0.004)]
    before = dict(mpl.rcParams)
    try:
        (path,) = plots.draw({"machine": MACHINE, "levels": {"steps": records}}, tmp_path)
    finally:
        mpl.rcParams.update(before)
    assert path == tmp_path / "steps.png"
    with Image.open(path) as image:
        assert image.width > 400
    assert said == ["Abacus 3, 2 cores, beads"]


def test_libraries_are_told_apart_without_colours():
    assert set(plots.COLOURS) == set(plots.MARKERS) == set(plots.TITLES)
    assert all(a != b for a, b in itertools.combinations(plots.MARKERS.values(), 2))
