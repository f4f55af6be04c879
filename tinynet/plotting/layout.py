"""Layout of a directed graph in rows, so that edges lead down and cross little.

K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system structures", IEEE
Trans. Systems, Man and Cybernetics 11(2), 1981: rows by the longest way from a source, edges over several
rows cut into pieces, each row ordered by the mean position of the neighbours, and positions moved towards
that mean as the widths allow.
"""

import itertools
from collections.abc import Sequence

SWEEPS = 24  # up and down through the rows


class Layout:
    """Positions for nodes 0..n-1 of these widths: `x` (centres), `row`, and `bends`,
    {edge: [(x, row), ...]} in between.

    edges  (from, to) with from < to;  last  nodes without edges from them that stand in the last row
    """

    def __init__(
        self,
        widths: Sequence[float],
        edges: Sequence[tuple[int, int]],
        gap: float,
        last: Sequence[int] = (),
    ) -> None:
        self.row = _rows(len(widths), edges, last)
        self._widths, self._rows, self._gap = [*widths], list(self.row), gap
        self._before: dict[int, list[int]] = {}
        self._after: dict[int, list[int]] = {}
        chains = {edge: self._chain(*edge) for edge in dict.fromkeys(edges)}
        self._levels: list[list[int]] = [[] for _ in range(max(self._rows, default=0) + 1)]
        for node, row in enumerate(self._rows):
            self._levels[row].append(node)
        self._x = [0.0] * len(self._rows)
        for level in self._levels:
            self._place(level, [float(i) * 1e-3 for i in range(len(level))])
        self._improve()
        left = min((x - w / 2 for x, w in zip(self._x, self._widths, strict=True)), default=0.0)
        self._x = [x - left for x in self._x]
        self.x = self._x[: len(widths)]
        self.width = max((x + w / 2 for x, w in zip(self._x, self._widths, strict=True)), default=0.0)
        self.rows = len(self._levels)
        self.bends = {
            edge: [(self._x[n], self._rows[n]) for n in chain[1:-1]] for edge, chain in chains.items()
        }

    def _chain(self, a: int, b: int) -> list[int]:
        """The edge from a to b as a chain of nodes, one in each row in between."""
        chain = [a]
        for row in range(self._rows[a] + 1, self._rows[b]):
            chain.append(len(self._rows))
            self._rows.append(row)
            self._widths.append(self._gap)
        chain.append(b)
        for upper, lower in itertools.pairwise(chain):
            self._after.setdefault(upper, []).append(lower)
            self._before.setdefault(lower, []).append(upper)
        return chain

    def _improve(self) -> None:
        for sweep in range(SWEEPS):
            neighbours = self._before if sweep % 2 == 0 else self._after
            levels = self._levels if sweep % 2 == 0 else self._levels[::-1]
            for level in levels:
                wanted = {n: self._mean(neighbours.get(n, []), self._x[n]) for n in level}
                if sweep < SWEEPS // 2:
                    level.sort(key=lambda node, at=wanted: at[node])  # type: ignore[misc]
                self._place(level, [wanted[node] for node in level])

    def _mean(self, nodes: list[int], otherwise: float) -> float:
        return sum(self._x[n] for n in nodes) / len(nodes) if nodes else otherwise

    def _place(self, level: list[int], wanted: list[float]) -> None:
        """Puts the nodes of a row, in their order, as near to `wanted` as they fit."""
        distances = [
            (self._widths[a] + self._widths[b]) / 2 + self._gap for a, b in itertools.pairwise(level)
        ]
        for node, value in zip(level, spread(wanted, distances), strict=True):
            self._x[node] = value


def _rows(count: int, edges: Sequence[tuple[int, int]], last: Sequence[int]) -> list[int]:
    """For each node how many edges lead to it, on the longest way."""
    row = [0] * count
    for a, b in sorted(edges, key=lambda edge: edge[1]):
        row[b] = max(row[b], row[a] + 1)
    bottom = max(row, default=0)
    for node in last:
        row[node] = bottom
    return row


def spread(wanted: Sequence[float], distances: Sequence[float]) -> list[float]:
    """Places in this order, as near to `wanted` as these distances between neighbours allow (least squares).

    With the distances subtracted that is isotonic regression,
    solved by pooling neighbours that are out of order.
    """
    offsets = list(itertools.accumulate(distances, initial=0.0))[: len(wanted)]
    pools: list[list[float]] = []  # [sum, count]
    for target, offset in zip(wanted, offsets, strict=True):
        pools.append([target - offset, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    values = [total / count for total, count in pools for _ in range(int(count))]
    return [value + offset for value, offset in zip(values, offsets, strict=True)]
