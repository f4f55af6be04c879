"""The graph of a model as a picture: a box for every call of a layer, an arrow for every tensor."""

import itertools
import os
from typing import TYPE_CHECKING, Any

from tinynet.plotting.figure import BLUE, GREY, VERMILION, new_figure, save
from tinynet.plotting.layout import Layout

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INPUT, OTHER, FROZEN = "#DCEBF5", "#F6F6F4", "#E9E4EE"  # fills of boxes
LINE, CHARACTER = 0.2, 0.088  # inches: height of a line of text, width of a character
GAP = 0.35


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
) -> "Figure":
    """Draws the layers of `model` and how they are connected,
    and writes the picture to `to_file` unless that is None.

    As Keras's plot_model, but nothing beside matplotlib is needed,
    and shapes and names are shown unless switched off.

    show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable
        what stands in each box
    expand_nested   the layers of nested models in their places;  dpi   dots an inch of the file
    rankdir         "TB" leads down, "LR" to the right

    Raises ValueError for a model that is no graph of layers (a subclass),
    or that does not know its shapes yet.

    >>> figure = plotting.plot_model(model, "model.png", show_dtype=True)
    """
    if rankdir not in ("TB", "LR"):
        raise ValueError(f"plot_model: rankdir must be 'TB' (down) or 'LR' (to the right), got {rankdir!r}")
    if not hasattr(model, "_layer_calls"):
        raise ValueError(
            "plot_model draws models that are graphs of layers, Sequential or Model(inputs, "
            f"outputs), got {model!r}"
        )
    calls = model._layer_calls(expand_nested)
    show = {
        "shapes": show_shapes, "dtype": show_dtype, "names": show_layer_names,
        "activations": show_layer_activations,
        "trainable": show_trainable,
    }  # fmt: skip
    texts = [_lines(call, show) for call in calls]
    sizes = [(max(len(line) for line in lines) * CHARACTER + 0.3, len(lines) * LINE + 0.2) for lines in texts]
    edges = [(origin, i) for i, call in enumerate(calls) for origin in call.origins]
    figure = _drawn(calls, texts, sizes, edges, down=rankdir == "TB", title=model.name)
    if to_file is not None:
        figure.set_dpi(dpi)
        save(figure, to_file)
    return figure


def _lines(call: Any, show: dict[str, bool]) -> list[str]:
    """The text of a box."""
    layer, kind = call.layer, type(call.layer).__name__
    first = f"{layer.name} ({kind})" if show["names"] else kind
    if show["activations"] and (activation := getattr(layer, "activation", None)) is not None:
        first += f", {getattr(activation, '__name__', type(activation).__name__)}"
    lines = [first]
    if show["shapes"]:
        lines.append(" ".join(str(shape) for shape in call.shapes))
    if show["dtype"]:
        lines.append(str(layer._output_dtype))
    if show["trainable"] and layer.weights:
        lines.append("trained" if layer.trainable_weights else "not trained")
    return lines


def _drawn(
    calls: list[Any],
    texts: list[list[str]],
    sizes: list[tuple[float, float]],
    edges: list[tuple[int, int]],
    down: bool,
    title: str,
) -> "Figure":
    """The figure: boxes in rows, or in columns if the graph leads to the right."""
    along = max(height for _, height in sizes) + 0.45 if down else max(width for width, _ in sizes) + 0.6
    layout = Layout([width if down else height for width, height in sizes], edges, GAP)
    extent = (layout.width + 0.4, layout.rows * along) if down else (layout.rows * along, layout.width + 0.4)
    figure = new_figure(max(extent[0], 2.5), max(extent[1], 1.0) + 0.45, title)
    axes = figure.subplots()
    axes.axis("off")

    def point(x: float, row: float) -> tuple[float, float]:
        return (x, -(row + 0.5) * along) if down else ((row + 0.5) * along, -x)

    centres = [point(layout.x[i], layout.row[i]) for i in range(len(calls))]
    for edge in dict.fromkeys(edges):
        _edge(
            axes,
            [centres[edge[0]], *(point(*bend) for bend in layout.bends[edge]), centres[edge[1]]],
            sizes,
            edge,
            down,
        )
    for call, lines, size, centre in zip(calls, texts, sizes, centres, strict=True):
        _box(axes, call, lines, size, centre)
    axes.set_xlim(-0.2, extent[0] - 0.2) if down else axes.set_xlim(0, extent[0])
    axes.set_ylim(-extent[1], 0) if down else axes.set_ylim(-extent[1] + 0.2, 0.2)
    axes.set_aspect("equal")
    return figure


def _box(
    axes: "Axes", call: Any, lines: list[str], size: tuple[float, float], centre: tuple[float, float]
) -> None:
    from matplotlib.patches import FancyBboxPatch

    (width, height), (x, y) = size, centre
    fill = OTHER if call.layer.trainable or not call.layer.weights else FROZEN
    if not call.origins:
        fill = INPUT
    corner = (x - width / 2, y - height / 2)
    box = FancyBboxPatch(
        corner,
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=fill,
        edgecolor=GREY,
        zorder=2,
    )
    axes.add_patch(box)
    for i, line in enumerate(lines):
        at = y + (len(lines) - 1) * LINE / 2 - i * LINE
        style: dict[str, Any] = (
            {"fontweight": "bold", "color": "black"} if i == 0 else {"color": GREY if i > 1 else BLUE}
        )
        axes.text(x, at, line, ha="center", va="center", fontsize=8.5, zorder=3, **style)


def _edge(
    axes: "Axes",
    points: list[tuple[float, float]],
    sizes: list[tuple[float, float]],
    edge: tuple[int, int],
    down: bool,
) -> None:
    """A smooth line from the side of one box through the bends to the side of the other,
    with an arrow at its end.
    """
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    side = 1 if down else 0
    start, end = list(points[0]), list(points[-1])
    sign = -1 if down else 1
    start[side] += sign * sizes[edge[0]][side] / 2
    end[side] -= sign * sizes[edge[1]][side] / 2
    through = [tuple(start), *points[1:-1], tuple(end)]
    vertices, codes = [through[0]], [Path.MOVETO]
    for a, b in itertools.pairwise(through):
        middle = (a[side] + b[side]) / 2
        bends = [(a[0], middle), (b[0], middle)] if down else [(middle, a[1]), (middle, b[1])]
        vertices += [*bends, b]
        codes += [Path.CURVE4] * 3
    colour = VERMILION if len(points) > 2 else GREY
    arrow = FancyArrowPatch(
        path=Path(vertices, codes), arrowstyle="-|>", mutation_scale=9, color=colour, linewidth=1.1, zorder=1
    )
    axes.add_patch(arrow)
