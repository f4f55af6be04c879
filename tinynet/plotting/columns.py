"""The rows of a layout in columns beside one another, so that a deep net fits a page."""

from collections.abc import Sequence

import numpy as np

from tinynet.plotting.layout import Layout

Point = tuple[float, float]

ASPECT = 1.4  # width over height that a folded picture comes near to
NEAR = 0.3  # how far from equal columns a fold may be, in columns, for fewer lines across it
GUTTER, LANE = 0.5, 0.12  # between columns, and between the lines that lead to the next one


class Columns:
    """(u, v) of the rows of a layout: `top` (v of each row), `u` of a place in it, and the `size` of all.

    heights  of the rows;  gap  between them;  limit  the height above which they are folded
    down     whether columns are columns; else the net leads to the right, and they are bands
    """

    def __init__(
        self, layout: Layout, heights: Sequence[float], gap: float, limit: float, down: bool
    ) -> None:
        self._layout, self._heights = layout, heights
        crossing = [0] * layout.rows  # lines from each row to the next
        for a, b in layout.bends:
            for row in range(layout.row[a], layout.row[b]):
                crossing[row] += 1
        starts = _starts([height + gap for height in heights], layout.width + GUTTER, limit, crossing, down)
        self._column = [sum(start <= row for start in starts) - 1 for row in range(layout.rows)]
        self._lanes, self._used = max([crossing[start - 1] for start in starts[1:]], default=0), 0
        room = 0.2 + LANE * self._lanes if self._lanes else 0.0  # for lanes below and above the columns
        self.top: list[float] = []
        for row in range(layout.rows):
            self.top.append(room if row in starts else self.top[-1] + heights[row - 1] + gap)
        self._pitch = layout.width + GUTTER + LANE * self._lanes
        ends = [top + height for top, height in zip(self.top, heights, strict=True)]
        self.size = ((len(starts) - 1) * self._pitch + layout.width, max(ends) + room)

    def u(self, x: float, row: int) -> float:
        return x + self._column[row] * self._pitch

    def middle(self, row: int) -> float:
        return self.top[row] + self._heights[row] / 2

    def way(self, edge: tuple[int, int], ends: tuple[float, float], left: float) -> list[Point]:
        """From the bottom of the row of a node to the top of the row of another, straight on through the
        rows in between; the `ends` are u, as those on the way will be when everything is moved by `left`.
        """
        first, last = self._layout.row[edge[0]], self._layout.row[edge[1]]
        places = [ends[0], *(self.u(x, row) + left for x, row in self._layout.bends[edge]), ends[1]]
        points: list[Point] = []
        for row, u in zip(range(first, last + 1), places, strict=True):
            if row > first:
                top = (u, self.top[row])
                points += [*self._around(points[-1], top, row - 1, left), top]
            if row < last:
                points.append((u, self.top[row] + self._heights[row]))
        return points

    def _around(self, start: Point, end: Point, row: int, left: float) -> list[Point]:
        """The corners of the way from this row to the next one, if that is at the top of the next column."""
        if self._column[row] == self._column[row + 1]:
            return []
        lane = LANE * (self._used % self._lanes)
        self._used += 1
        low, high = start[1] + 0.15 + lane, end[1] - 0.2 - lane
        middle = (self._column[row] + 1) * self._pitch - GUTTER / 2 - lane + left
        return [(start[0], low), (middle, low), (middle, high), (end[0], high)]


def _starts(
    heights: Sequence[float], width: float, limit: float, crossing: Sequence[int], down: bool
) -> list[int]:
    """The first row of each column. A fold is where few lines lead from a row to the next."""
    total = sum(heights)
    if total <= limit:
        return [0]
    columns = _count(total, width, len(heights), down)
    ends = np.cumsum(heights)
    starts = [0]
    for column in range(1, columns):
        ideal = total * column / columns
        near = [
            row for row in range(starts[-1] + 1, len(heights))
            if abs(ends[row - 1] - ideal) <= NEAR * total / columns
        ]  # fmt: skip
        if near:
            starts.append(min(near, key=lambda row: (crossing[row - 1], abs(ends[row - 1] - ideal))))
    return starts


def _count(total: float, width: float, rows: int, down: bool) -> int:
    """How many columns come nearest to `ASPECT`."""

    def unlike(columns: int) -> float:
        aspect = columns * width / (total / columns)
        return abs(float(np.log((aspect if down else 1 / aspect) / ASPECT)))

    return min(range(1, max(2, rows // 3 + 1)), key=unlike)
