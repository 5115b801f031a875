"""The least sum of squares over all places of k joinpoints, exactly, for many series at once.

Right to left, the values at the knots are eliminated one by one, so that what lies to the right of a knot is one
quadratic in the knot's value. What may lie to its left is bounded from below by lines that need not meet.
Places whose bound is not below the best sum found so far are dropped (branch and bound), so the result is that
of trying every combination (Lerman 1980, Applied Statistics 29:77, grid search), at a small part of the work.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ncdsurv.errors import unknown
from ncdsurv.trends.joinpoint.grid import Grid, Pieces, running_sums, whitened_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

SERIES_AT_ONCE, ROWS_AT_ONCE = 200, 100_000  # small enough for the cache, and for early finds to help
BEAM, THREADS = 10, 2
FORMS, WORTH_COMPILING = ("auto", "arrays", "compiled"), 500
TIE = 1e-9  # sums of squares closer than this, relatively, are the same


@dataclass(frozen=True)
class _Found:
    """Partial models: node of the leftmost knot, series, quadratic right of it (p, q, c), bound, all knots."""

    node: Index
    series: Index
    p: Array
    q: Array
    c: Array
    bound: Array
    knots: Index

    def take(self, rows: Any) -> _Found:
        return _Found(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


class _Data:
    """The data's part of all segments, for a few series."""

    def __init__(self, grid: Grid, rows: Array, k: int) -> None:

        self.grid, self.width = grid, rows.shape[1]
        one, time = (part[:, None] for part in whitened_line(grid.times, grid.noise))
        squares, with_one, with_time = (running_sums(part) for part in (rows**2, one * rows, time * rows))

        def parts(pieces: Pieces) -> tuple[Array, Array, Array]:
            return *pieces.ends(with_one, with_time), squares[pieces.stop] - squares[pieces.first]

        head, tail = grid.head, grid.tail
        l_a, l_b, c = parts(head)
        self.head_p = _safe(head.s_bb - head.s_ab**2 / head.s_aa)
        self.head_q = l_b - (head.s_ab / head.s_aa)[:, None] * l_a
        self.head_c = c - l_a**2 / head.s_aa[:, None]
        l_a, l_b, c = parts(tail)
        self.tail_p = _safe(tail.s_aa - tail.s_ab**2 / tail.s_bb)
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
        determinant = _safe(inner.s_aa * inner.s_bb - inner.s_ab**2)[:, None]
        free = (
            inner.s_bb[:, None] * self.l_a**2
            - 2 * inner.s_ab[:, None] * self.l_a * self.l_b
            + inner.s_aa[:, None] * self.l_b**2
        )
        self.lines = np.maximum(self.c - free / determinant, 0.0)  # each inner segment as a line of its own
        # The first joinpoint at a segment's start: the quadratic in the value at its end.
        d = (inner.s_aa + self.head_p[inner.start])[:, None]
        lean = self.l_a + self.head_q[inner.start]
        self.one_p = _safe(inner.s_bb[:, None] - inner.s_ab[:, None] ** 2 / d)[:, 0]
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

    def begin(self, k: int, limit: Array) -> _Found:
        """Every place of the last of k joinpoints whose bound is below the limit."""
        import numpy as np

        bound = self.tail_c - self.tail_q**2 / self.tail_p[:, None] + self.left(k - 1)
        if k == 1:
            bound = self.tail_c + self.head_c
            bound = bound - (self.tail_q + self.head_q) ** 2 / (self.tail_p + self.head_p)[:, None]
        node, series = np.nonzero(bound < limit)
        found = (self.tail_p[node], self.tail_q[node, series], self.tail_c[node, series])
        return _Found(node, series, *found, bound[node, series], node[:, None])

    def extend(self, found: _Found, before: int, limit: Array) -> _Found:
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
            return _Found(node, found.series[row], sums, sums, sums, sums, knots)
        # A cheap bound first: the new segment as a line that need not meet its neighbours.
        room = limit.take(found.series) - found.c + found.q**2 / found.p
        keep = np.nonzero(self.step(before).ravel().take(at) < room.take(row))[0]
        row, piece, at = row.take(keep), piece.take(keep), at.take(keep)
        node, series = inner.start.take(piece), found.series.take(row)
        d = inner.s_bb.take(piece) + found.p.take(row)
        s_ab = inner.s_ab.take(piece)
        lean = self.l_b.ravel().take(at) + found.q.take(row)
        p = _safe(inner.s_aa.take(piece) - s_ab**2 / d)
        q = self.l_a.ravel().take(at) - s_ab * lean / d
        c = self.c.ravel().take(at) + found.c.take(row) - lean**2 / d
        bound = c - q**2 / p + self.left(before).ravel().take(node * width + series)
        keep = np.nonzero(bound < limit.take(series))[0]
        knots = np.column_stack([node[keep], found.knots[row[keep]]])
        return _Found(node[keep], series[keep], p[keep], q[keep], c[keep], bound[keep], knots)


def least_squares(
    grid: Grid, rows: Array, k: int, *, exact: bool = True, form: str = "auto"
) -> tuple[Array, Index]:
    """Least sum of squares with k joinpoints, of each of many series.

    Args:
        grid: Where joinpoints may stand.
        rows: Whitened data, one series a column, shape (n, series).
        k: Number of joinpoints.
        exact: False stops after following the ten most promising places at each step: fast, nearly always the
            least sum, never below it. The compiled form is always exact.
        form: `arrays`, `compiled`, or `auto`: compiled for many series where numba is installed.

    Returns:
        Sums of squares, shape (series,), and the nodes of the joinpoints, shape (series, k).

    >>> import numpy as np
    >>> from ncdsurv.trends.joinpoint.grid import make_grid
    >>> from ncdsurv.trends.joinpoint.noise import make_noise
    >>> months = np.arange(12.0)
    >>> noise = make_noise(months, np.ones(12))
    >>> grid = make_grid(months, noise)
    >>> bent = noise.whiten(np.maximum(months - 5, 0))[:, None]
    >>> float(grid.where[least_squares(grid, bent, 1)[1][0, 0]])
    5.0
    """
    import numpy as np

    rows, compiled = _level(grid, rows), _compiled(grid, rows.shape[1], form)
    if not rows.shape[1]:
        return np.zeros(0), np.zeros((0, k), dtype=int)
    if k == 0:
        return (rows**2).sum(axis=0), np.zeros((rows.shape[1], 0), dtype=int)

    def part(series: slice) -> tuple[Array, Index]:
        if compiled:
            own = rows[:, series]
            best, knots = np.full(own.shape[1], np.inf), np.full((own.shape[1], k), -1)
            _descend_compiled(grid, own, k, best, knots)
            return best, knots
        data = _Data(grid, rows[:, series], k)
        best, knots = np.full(data.width, np.inf), np.full((data.width, k), -1)
        for beam in (BEAM, None) if exact else (BEAM,):
            _descend(data, k, best, knots, beam=beam)
        return best, knots

    sums, nodes = zip(*_spread(part, rows.shape[1]))
    return np.maximum(np.concatenate(sums), 0.0), np.concatenate(nodes)


def reaches(grid: Grid, rows: Array, k: int, limit: Array, *, form: str = "auto") -> NDArray[np.bool_]:
    """Whether k joinpoints bring the sum of squares of each series down to a limit.

    Args:
        grid: Where joinpoints may stand.
        rows: Whitened data, shape (n, series).
        k: Number of joinpoints, at least 1.
        limit: Sum of squares to reach, shape (series,).
        form: As for `least_squares`.

    Returns:
        True where the least sum of squares is at most the limit (ties count), shape (series,).
    """
    import numpy as np

    rows, compiled = _level(grid, rows), _compiled(grid, rows.shape[1], form)
    if not rows.shape[1]:
        return np.zeros(0, dtype=bool)

    def part(series: slice) -> NDArray[np.bool_]:
        best = limit[series] * (1 + TIE)
        knots = np.full((len(best), k), -1)
        if compiled:
            _descend_compiled(grid, rows[:, series], k, best, knots, stop=True)
            return knots[:, 0] >= 0
        data = _Data(grid, rows[:, series], k)
        for beam in (BEAM, None):
            _descend(data, k, best, knots, beam=beam, stop=True)
        return knots[:, 0] >= 0

    return np.concatenate(_spread(part, rows.shape[1]))


def _spread(work: Callable[[slice], Any], series: int) -> list[Any]:
    """The work on a few series at a time, on two threads; results in order, so that nothing depends on speed."""
    parts = [slice(at, at + SERIES_AT_ONCE) for at in range(0, series, SERIES_AT_ONCE)]
    if len(parts) == 1:
        return [work(parts[0])]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, parts))


def _descend(
    data: _Data, k: int, best: Array, knots: Index, *, beam: int | None = None, stop: bool = False
) -> None:
    """Lower `best` (and set `knots`) by going through all partial models, or the most promising `beam` of each."""
    import numpy as np

    pending = [(data.begin(k, best), k - 1)]
    while pending:
        found, before = pending.pop()
        found = found.take(found.bound < best[found.series])
        if beam:
            found = _promising(found, beam)
        if not len(found.node):
            continue
        if before == 0:
            order = np.lexsort((found.bound, found.series))
            first = order[np.r_[True, np.diff(found.series[order]) > 0]]
            best[found.series[first]] = -np.inf if stop else found.bound[first]
            knots[found.series[first]] = found.knots[first]
            continue
        many = np.diff(data.grid.offsets)[found.node]
        if not beam and many.sum() > ROWS_AT_ONCE and len(many) > 1:
            found = found.take(np.argsort(found.bound))  # the best first, so that the rest can be dropped
            middle = len(many) // 4 or 1
            pending += [(found.take(slice(middle, None)), before), (found.take(slice(middle)), before)]
            continue
        pending.append((data.extend(found, before - 1, best), before - 1))


def _compiled(grid: Grid, series: int, form: str) -> bool:
    """Whether the compiled form is to be used: loading it takes longer than few series do."""
    if form not in FORMS:
        raise unknown("form of the search", str(form), FORMS)
    if form == "auto":
        return series >= WORTH_COMPILING and find_spec("numba") is not None
    return form == "compiled"


def _descend_compiled(
    grid: Grid, rows: Array, k: int, best: Array, knots: Index, *, stop: bool = False
) -> None:
    """As `_descend` over all partial models, by the kernel."""
    import numpy as np

    from ncdsurv.trends.joinpoint.compiled import descend

    head, tail, inner = grid.head, grid.tail, grid.inner
    one, time = whitened_line(grid.times, grid.noise)
    head_p = _safe(head.s_bb - head.s_ab**2 / head.s_aa)
    tail_p = _safe(tail.s_aa - tail.s_ab**2 / tail.s_bb)
    one_d = inner.s_aa + head_p[inner.start]
    descend(
        np.ascontiguousarray(rows.T),
        one,
        time,
        k,
        stop,
        best,
        knots,
        *(head.first, head.stop, head.left, head.right, head.s_ab / head.s_aa, head_p, head.s_aa),
        *(tail.first, tail.stop, tail.left, tail.right, tail.s_ab / tail.s_bb, tail_p, tail.s_bb),
        *(inner.start, inner.first, inner.stop, inner.left, inner.right, inner.s_aa, inner.s_ab, inner.s_bb),
        _safe(inner.s_aa * inner.s_bb - inner.s_ab**2),
        one_d,
        _safe(inner.s_bb - inner.s_ab**2 / one_d),
        grid.offsets,
    )


def _promising(found: _Found, beam: int) -> _Found:
    import numpy as np

    order = np.lexsort((found.bound, found.series))
    series = found.series[order]
    rank = np.arange(len(series)) - np.searchsorted(series, series)
    return found.take(order[rank < beam])


def _level(grid: Grid, rows: Array) -> Array:
    """Residuals of the straight line: the sums of squares stay, the rounding shrinks."""
    import numpy as np

    basis = np.linalg.qr(np.column_stack(whitened_line(grid.times, grid.noise)))[0]
    for _ in range(2):  # twice, so that nothing of the line is left by rounding
        for column in basis.T[:, :, None]:  # no matrix product: its threads would cost more than they bring
            rows = rows - column * (column * rows).sum(axis=0)
    return rows


def _least(values: Array, offsets: Index) -> Array:
    """Least row of each group of rows; infinity for a group without rows."""
    import numpy as np

    out = np.full((len(offsets) - 1, values.shape[1]), np.inf)
    filled = np.nonzero(np.diff(offsets))[0]
    if len(filled):
        out[filled] = np.minimum.reduceat(values, offsets[filled], axis=0)
    return out


def _safe(value: Array) -> Array:
    """A divisor that is never zero: where a segment cannot tell two values apart its dividend is zero too."""
    import numpy as np

    return np.where(value > 1e-12, value, np.inf)
