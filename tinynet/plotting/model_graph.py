"""The graph of a model as a picture: a box for every layer, a frame for every opened model,
an arrow for every tensor.
"""

import itertools
import os
from typing import TYPE_CHECKING, Any

from tinynet.plotting.box_text import lines_of, title_of
from tinynet.plotting.figure import BLUE, GREY, VERMILION, new_figure, save
from tinynet.plotting.graph_nodes import Box, nodes_of
from tinynet.plotting.placing import Framed, Placed, Point, Style, placed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INPUT, OTHER, FROZEN = "#DCEBF5", "#F6F6F4", "#E9E4EE"  # fills of boxes
FRAMES = ("#FBFAF5", "#F2F5F8")  # fills of frames, by how deep they stand in others
LINE, CHARACTER = 0.2, 0.088  # inches: height of a line of text, width of a character
TALL, LONG = 12.0, 14.0  # inches: what leads further, down or to the right, is folded
CORNER = 0.08
PASSING, NOT_TRAINED = "orange arrows lead past other layers", "violet boxes are not trained"


def plot_model(
    model: Any,
    to_file: str | os.PathLike[str] | None = "model.png",
    show_shapes: bool = True,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 150,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    show_details: bool = True,
) -> "Figure":
    """Draws the layers of `model` and how they are connected,
    and writes the picture to `to_file` unless that is None.

    As Keras's plot_model, but nothing beside matplotlib is needed,
    and shapes, names and details are shown unless switched off.

    show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, show_details
        what stands in each box; details are kernel, stride and the like, and the number of parameters
    expand_nested   the layers of nested models in their places, in a frame;  dpi   dots an inch of the file
    rankdir         "TB" leads down, "LR" to the right; what is too long for a page is folded

    A shared layer is one box, unless one of its calls leads to another; so is a shared model. Raises
    ValueError for a model that is no graph of layers (a subclass), or that does not know its shapes yet.

    >>> figure = plotting.plot_model(model, "model.png", show_dtype=True)
    """
    if rankdir not in ("TB", "LR"):
        raise ValueError(f"plot_model: rankdir must be 'TB' (down) or 'LR' (to the right), got {rankdir!r}")
    if not hasattr(model, "_layer_calls"):
        raise ValueError(
            "plot_model draws models that are graphs of layers, Sequential or Model(inputs, "
            f"outputs), got {model!r}"
        )
    show = {
        "shapes": show_shapes, "dtype": show_dtype, "names": show_layer_names,
        "activations": show_layer_activations, "trainable": show_trainable, "details": show_details,
    }  # fmt: skip
    down = rankdir == "TB"

    def size(box: Box) -> Point:
        lines = lines_of(box, show)
        width, height = max(map(len, lines)) * CHARACTER + 0.3, len(lines) * LINE + 0.2
        return (width, height) if down else (height, width)

    def title(box: Box) -> float:
        return len(title_of(box, show)) * CHARACTER + 0.4

    picture = placed(nodes_of(model, expand_nested), Style(size, title, down, 0.45, TALL if down else LONG))
    figure = _drawn(picture, show, down, model.name)
    if to_file is not None:
        figure.set_dpi(dpi)
        save(figure, to_file)
    return figure


def _drawn(picture: Placed, show: dict[str, bool], down: bool, name: str) -> "Figure":
    width, height = picture.size if down else picture.size[::-1]
    notes = [PASSING] * any(passes for _, passes in picture.lines)
    notes += [NOT_TRAINED] * any(_fill(box) == FROZEN for box, _ in picture.boxes)
    note = "; ".join(notes)
    wide, bottom = max(width + 0.4, 0.07 * len(note), 0.11 * len(name), 2.5), 0.3 if note else 0.1
    figure = new_figure(wide, height + bottom + 0.55, name)
    axes = figure.subplots()
    axes.axis("off")
    for frame in picture.frames:
        _draw_frame(axes, frame, show, down)
    for points, passes in picture.lines:
        _draw_line(axes, points, passes, down)
    for box, centre in picture.boxes:
        _draw_box(axes, box, lines_of(box, show), _xy(centre, down))
    if note:
        axes.text(width / 2, -height - 0.2, note, ha="center", va="center", fontsize=8, color=GREY)
    axes.set_xlim((width - wide) / 2, (width + wide) / 2)
    axes.set_ylim(-height - bottom, 0.1)
    axes.set_aspect("equal")
    return figure


def _xy(point: Point, down: bool) -> Point:
    """Across and along as a place on the page, where y grows upwards."""
    u, v = point
    return (u, -v) if down else (v, -u)


def _fill(box: Box) -> str:
    if box.is_input:
        return INPUT
    return OTHER if box.layer.trainable or not box.layer.weights else FROZEN


def _draw_frame(axes: "Axes", frame: Framed, show: dict[str, bool], down: bool) -> None:
    (x, y), (width, height) = _xy(frame.corner, down), frame.size if down else frame.size[::-1]
    fill = FRAMES[frame.depth % len(FRAMES)]
    _rounded(axes, (x, y - height), (width, height), facecolor=fill, edgecolor=BLUE, linewidth=1.0, zorder=1)
    style: dict[str, Any] = {
        "va": "center",
        "fontsize": 8.5,
        "fontweight": "bold",
        "color": BLUE,
        "zorder": 3,
    }
    behind = {"facecolor": fill, "edgecolor": "none", "pad": 1}  # hides the line that enters there
    axes.text(x + 0.12, y - 0.17, title_of(frame.box, show), bbox=behind, **style)


def _draw_box(axes: "Axes", box: Box, lines: list[str], centre: Point) -> None:
    width, height = max(map(len, lines)) * CHARACTER + 0.3, len(lines) * LINE + 0.2
    x, y = centre
    corner = (x - width / 2, y - height / 2)
    _rounded(axes, corner, (width, height), facecolor=_fill(box), edgecolor=GREY, zorder=3)
    for i, line in enumerate(lines):
        at = y + (len(lines) - 1) * LINE / 2 - i * LINE
        style: dict[str, Any] = (
            {"fontweight": "bold", "color": "black"} if i == 0 else {"color": GREY if i > 1 else BLUE}
        )
        axes.text(x, at, line, ha="center", va="center", fontsize=8.5, zorder=4, **style)


def _rounded(axes: "Axes", corner: Point, size: Point, **style: Any) -> None:
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=f"round,pad=0,rounding_size={CORNER}", **style))


def _draw_line(axes: "Axes", points: list[Point], passes: bool, down: bool) -> None:
    """An arrow through the points: straight along rows and columns, else in curves."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    vertices, codes = [points[0]], [Path.MOVETO]
    for a, b in itertools.pairwise(points):
        if abs(a[0] - b[0]) < 1e-6 or abs(a[1] - b[1]) < 1e-6:
            vertices.append(b)
            codes.append(Path.LINETO)
        else:
            middle = (a[1] + b[1]) / 2
            vertices += [(a[0], middle), (b[0], middle), b]
            codes += [Path.CURVE4] * 3
    axes.add_patch(
        FancyArrowPatch(
            path=Path([_xy(vertex, down) for vertex in vertices], codes), arrowstyle="-|>", mutation_scale=9,
            color=VERMILION if passes else GREY, linewidth=1.1, zorder=2,
        )
    )  # fmt: skip
