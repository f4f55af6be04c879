"""Places for the boxes and lines of a model's picture, opened models as pictures within it.

(u, v) are inches across and along the direction in which the net leads: v grows from its inputs to its
outputs, whether that is down or to the right.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tinynet.plotting.columns import Columns
from tinynet.plotting.graph_nodes import Box, Line, Nodes
from tinynet.plotting.layout import Layout

Point = tuple[float, float]

GAP = 0.35  # between boxes of a row
SIDE, TITLE = 0.22, 0.3  # room in a frame: on its sides, and where its title stands


@dataclass
class Style:
    """How boxes are measured, and what is known of the page."""

    size: Callable[[Box], Point]  # of a layer's box
    title: Callable[[Box], float]  # length of a frame's title
    down: bool
    gap: float  # between rows
    limit: float  # of a column


@dataclass
class Framed:
    """An opened model: where it stands, and how many frames it stands in."""

    box: Box
    corner: Point
    size: Point
    depth: int


@dataclass
class Placed:
    """Boxes by their centres, and lines as ways through points; `inputs` and `outputs` are the u at which
    lines enter (at v = 0) and leave.
    """

    size: Point = (0.0, 0.0)
    boxes: list[tuple[Box, Point]] = field(default_factory=list)
    frames: list[Framed] = field(default_factory=list)
    lines: list[tuple[list[Point], bool]] = field(default_factory=list)  # and whether it passes a row by
    inputs: list[float] = field(default_factory=list)
    outputs: list[float] = field(default_factory=list)

    def add(self, other: "Placed", at: Point) -> None:
        """Everything of a smaller picture, moved to where its corner is to be."""
        self.boxes += [(box, _moved(centre, at)) for box, centre in other.boxes]
        self.frames += [Framed(f.box, _moved(f.corner, at), f.size, f.depth + 1) for f in other.frames]
        self.lines += [([_moved(point, at) for point in points], passes) for points, passes in other.lines]


@dataclass
class _Spot:
    """A box, a smaller picture in a frame, or a place at which lines enter or leave a frame."""

    box: Box | None
    picture: Placed | None
    size: Point
    centre: Point = (0.0, 0.0)

    def end(self, side: int, number: int) -> Point:
        """Where the line of this input (side -1) or output (side 1) ends."""
        u, v = self.centre
        if self.picture is not None:
            places = self.picture.inputs if side < 0 else self.picture.outputs
            u += places[min(number, len(places) - 1)] - self.size[0] / 2
        return u, v + side * self.size[1] / 2


def placed(nodes: Nodes, style: Style, frame: Box | None = None) -> Placed:
    """The picture of these nodes; in the `frame` of an opened model with places for its inputs and outputs
    instead of boxes for its inputs.
    """
    spots, lines = _spots_and_lines(nodes, style, frame is not None)
    outputs = range(len(nodes.boxes), len(spots))
    layout = Layout([spot.size[0] for spot in spots], [(one.start, one.end) for one in lines], GAP, outputs)
    heights = _heights(spots, layout, frame is not None and style.down)
    columns = Columns(layout, heights, style.gap, style.limit, style.down)
    size, left = columns.size, 0.0
    if frame is not None:
        size, left = _in_frame(size, style, style.title(frame))
    found = Placed(size)
    for i, (spot, row) in enumerate(zip(spots, layout.row, strict=True)):
        on_frame = size[1] if i in outputs else 0.0
        spot.centre = (columns.u(layout.x[i], row) + left, columns.middle(row) if spot.box else on_frame)
        _add(found, spot)
    for line in lines:
        start, end = spots[line.start].end(1, line.output), spots[line.end].end(-1, line.input)
        way = columns.way((line.start, line.end), (start[0], end[0]), left)
        found.lines.append((_distinct([start, *way, end]), bool(layout.bends[line.start, line.end])))
    found.inputs = [spot.centre[0] for spot, box in zip(spots, nodes.boxes, strict=False) if box.is_input]
    found.outputs = [spots[i].centre[0] for i in outputs]
    return found


def _spots_and_lines(nodes: Nodes, style: Style, in_frame: bool) -> tuple[list[_Spot], list[Line]]:
    """Those of the nodes; in a frame also where each output leaves it."""
    spots = [_spot(box, style, in_frame and box.is_input) for box in nodes.boxes]
    if not in_frame:
        return spots, nodes.lines
    out = [Line(*end, len(spots) + i, 0) for i, end in enumerate(nodes.ends)]
    return spots + [_Spot(None, None, (GAP, 0.0)) for _ in out], nodes.lines + out


def _heights(spots: list[_Spot], layout: Layout, titled: bool) -> list[float]:
    """Of the rows; the first one has room for a title."""
    heights = [0.0] * layout.rows
    for spot, row in zip(spots, layout.row, strict=True):
        heights[row] = max(heights[row], spot.size[1])
    if titled:
        heights[0] = TITLE
    return heights


def _spot(box: Box, style: Style, on_frame: bool) -> _Spot:
    if on_frame:
        return _Spot(None, None, (GAP, 0.0))
    if box.inner is None:
        return _Spot(box, None, style.size(box))
    picture = placed(box.inner, style, box)
    return _Spot(box, picture, picture.size)


def _in_frame(size: Point, style: Style, title: float) -> tuple[Point, float]:
    """The size with room for sides and title, and where the picture begins in it (u)."""
    if style.down:
        width = max(size[0] + 2 * SIDE, title)
        return (width, size[1]), (width - size[0]) / 2
    return (size[0] + SIDE + TITLE, max(size[1], title)), TITLE


def _add(found: Placed, spot: _Spot) -> None:
    if spot.box is None:
        return
    if spot.picture is None:
        found.boxes.append((spot.box, spot.centre))
        return
    corner = (spot.centre[0] - spot.size[0] / 2, spot.centre[1] - spot.size[1] / 2)
    found.frames.append(Framed(spot.box, corner, spot.size, 0))
    found.add(spot.picture, corner)


def _distinct(way: list[Point]) -> list[Point]:
    """The points without those that stand where the one before does: an arrow needs a direction."""
    return [
        point for i, point in enumerate(way)
        if i == 0 or max(abs(point[0] - way[i - 1][0]), abs(point[1] - way[i - 1][1])) > 1e-6
    ]  # fmt: skip


def _moved(point: Point, by: Point) -> Point:
    return point[0] + by[0], point[1] + by[1]
