"""Partial models of the search, and lower bounds of what may lie to their left; for many series at once.

Right to left, the values at the knots are eliminated one by one, so that what lies to the right of a knot is one
quadratic in the knot's value. What may lie to its left is bounded from below by lines that need not meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ncdsurv.trends.joinpoint.grid import Grid, Pieces, running_sums, whitened_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]


@dataclass(frozen=True)
class Partial:
    """Partial models: node of the leftmost knot, series, quadratic right of it (p, q, c), bound, all knots."""

    node: Index
    series: Index
    p: Array
    q: Array
    c: Array
    bound: Array
    knots: Index

    def take(self, rows: Any) -> Partial:
        """Some of the partial models."""
        return Partial(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


class Bounds:
    """The data's part of all segments, for a few series: rows are whitened data, one series a column."""

    def __init__(self, grid: Grid, rows: Array, k: int) -> None:

        self.grid, self.width = grid, rows.shape[1]
        one, time = (part[:, None] for part in whitened_line(grid.times, grid.noise))
        squares, with_one, with_time = (running_sums(part) for part in (rows**2, one * rows, time * rows))

        def parts(pieces: Pieces) -> tuple[Array, Array, Array]:
            return *pieces.ends(with_one, with_time), squares[pieces.stop] - squares[pieces.first]

        head, tail = grid.head, grid.tail
        l_a, l_b, c = parts(head)
        self.head_p = safe_divisor(head.s_bb - head.s_ab**2 / head.s_aa)
        self.head_q = l_b - (head.s_ab / head.s_aa)[:, None] * l_a
        self.head_c = c - l_a**2 / head.s_aa[:, None]
        l_a, l_b, c = parts(tail)
        self.tail_p = safe_divisor(tail.s_aa - tail.s_ab**2 / tail.s_bb)
        self.tail_q = l_a - (tail.s_ab / tail.s_bb)[:, None] * l_b
        self.tail_c = c - l_b**2 / tail.s_bb[:, None]
        self.lefts: list[Array] = [self.head_c - self.head_q**2 / self.head_p[:, None]]
        self.steps: list[Array] = []
        if k > 1:
            self._between(grid.inner, *parts(grid.inner))

    def _between(self, inner: Pieces, l_a: Array, l_b: Array, c: Array) -> None:
        """The segments between two joinpoints."""
        import numpy as np

        self.l_a, self.l_b, self.c = l_a, l_b, c
        determinant = safe_divisor(inner.s_aa * inner.s_bb - inner.s_ab**2)[:, None]
        free = (
            inner.s_bb[:, None] * self.l_a**2
            - 2 * inner.s_ab[:, None] * self.l_a * self.l_b
            + inner.s_aa[:, None] * self.l_b**2
        )
        self.lines = np.maximum(self.c - free / determinant, 0.0)  # each inner segment as a line of its own
        # The first joinpoint at a segment's start: the quadratic in the value at its end.
        d = (inner.s_aa + self.head_p[inner.start])[:, None]
        lean = self.l_a + self.head_q[inner.start]
        self.one_p = safe_divisor(inner.s_bb[:, None] - inner.s_ab[:, None] ** 2 / d)[:, 0]
        self.one_q = self.l_b - inner.s_ab[:, None] * lean / d
        self.one_c = self.c + self.head_c[inner.start] - lean**2 / d
        self.steps = [self.one_c - self.one_q**2 / self.one_p[:, None]]

    def left(self, knots: int) -> Array:
        """Lower bound of the rows up to each node with so many knots before it, shape (nodes, series)."""
        while len(self.lefts) <= knots:
            self.lefts.append(_least(self.step(len(self.lefts) - 1), self.grid.offsets))
        return self.lefts[knots]

    def step(self, knots: int) -> Array:
        """Lower bound of an inner segment and all to its left, with so many knots before it; exact for none."""
        while len(self.steps) <= knots:
            self.steps.append(self.lines + self.left(len(self.steps))[self.grid.inner.start])
        return self.steps[knots]

    def begin(self, k: int, limit: Array) -> Partial:
        """Every place of the last of k joinpoints whose bound is below the limit."""
        import numpy as np

        bound = self.tail_c - self.tail_q**2 / self.tail_p[:, None] + self.left(k - 1)
        if k == 1:
            bound = self.tail_c + self.head_c
            bound = bound - (self.tail_q + self.head_q) ** 2 / (self.tail_p + self.head_p)[:, None]
        node, series = np.nonzero(bound < limit)
        found = (self.tail_p[node], self.tail_q[node, series], self.tail_c[node, series])
        return Partial(node, series, *found, bound[node, series], node[:, None])

    def extend(self, found: Partial, before: int, limit: Array) -> Partial:
        """One more joinpoint to the left of each partial model, with `before` more to come after it."""
        import numpy as np

        inner, offsets, width = self.grid.inner, self.grid.offsets, self.width
        many = offsets[found.node + 1] - offsets[found.node]
        row = np.repeat(np.arange(len(many)), many)
        piece = np.arange(len(row)) + np.repeat(offsets[found.node] - np.cumsum(many) + many, many)
        at = piece * width + found.series.take(row)
        if before == 0:  # joined to all that lies left of it, the bound is the sum of squares itself
            bound = self.one_q.ravel().take(at) + found.q.take(row)
            bound *= -bound / (self.one_p.take(piece) + found.p.take(row))
            bound += self.one_c.ravel().take(at) + found.c.take(row)
            keep = np.nonzero(bound < limit.take(found.series).take(row))[0]
            row, node = row[keep], inner.start[piece[keep]]
            knots = np.column_stack([node, found.knots[row]])
            sums = bound[keep]
            return Partial(node, found.series[row], sums, sums, sums, sums, knots)
        # A cheap bound first: the new segment as a line that need not meet its neighbours.
        room = limit.take(found.series) - found.c + found.q**2 / found.p
        keep = np.nonzero(self.step(before).ravel().take(at) < room.take(row))[0]
        row, piece, at = row.take(keep), piece.take(keep), at.take(keep)
        node, series = inner.start.take(piece), found.series.take(row)
        d = inner.s_bb.take(piece) + found.p.take(row)
        s_ab = inner.s_ab.take(piece)
        lean = self.l_b.ravel().take(at) + found.q.take(row)
        p = safe_divisor(inner.s_aa.take(piece) - s_ab**2 / d)
        q = self.l_a.ravel().take(at) - s_ab * lean / d
        c = self.c.ravel().take(at) + found.c.take(row) - lean**2 / d
        bound = c - q**2 / p + self.left(before).ravel().take(node * width + series)
        keep = np.nonzero(bound < limit.take(series))[0]
        knots = np.column_stack([node[keep], found.knots[row[keep]]])
        return Partial(node[keep], series[keep], p[keep], q[keep], c[keep], bound[keep], knots)


def _least(values: Array, offsets: Index) -> Array:
    """Least row of each group of rows; infinity for a group without rows."""
    import numpy as np

    out = np.full((len(offsets) - 1, values.shape[1]), np.inf)
    filled = np.nonzero(np.diff(offsets))[0]
    if len(filled):
        out[filled] = np.minimum.reduceat(values, offsets[filled], axis=0)
    return out


def safe_divisor(value: Array) -> Array:
    """A divisor that is never zero: where a segment cannot tell two values apart its dividend is zero too."""
    import numpy as np

    return np.where(value > 1e-12, value, np.inf)
