"""The least sum of squares over all places of k joinpoints, exactly, for many series at once.

Knots are placed from right to left (`bounds.py`). Places whose bound is not below the best sum found so far are
dropped (branch and bound), so the result is that of trying every combination (Lerman 1980, Applied Statistics 29:77,
grid search), at a small part of the work.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ncdsurv.trends.joinpoint.bounds import Bounds, Partial
from ncdsurv.trends.joinpoint.forms import descend_compiled, use_compiled
from ncdsurv.trends.joinpoint.grid import Grid, whitened_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

SERIES_AT_ONCE, ROWS_AT_ONCE = 200, 100_000  # small enough for the cache, and for early finds to help
BEAM, THREADS = 10, 2
TIE = 1e-9  # sums of squares closer than this, relatively, are the same


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

    rows, compiled = level_rows(grid, rows), use_compiled(rows.shape[1], form)
    if not rows.shape[1]:
        return np.zeros(0), np.zeros((0, k), dtype=int)
    if k == 0:
        return (rows**2).sum(axis=0), np.zeros((rows.shape[1], 0), dtype=int)

    def part(series: slice) -> tuple[Array, Index]:
        if compiled:
            own = rows[:, series]
            best, knots = np.full(own.shape[1], np.inf), np.full((own.shape[1], k), -1)
            descend_compiled(grid, own, k, best, knots)
            return best, knots
        data = Bounds(grid, rows[:, series], k)
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

    rows, compiled = level_rows(grid, rows), use_compiled(rows.shape[1], form)
    if not rows.shape[1]:
        return np.zeros(0, dtype=bool)

    def part(series: slice) -> NDArray[np.bool_]:
        best = limit[series] * (1 + TIE)
        knots = np.full((len(best), k), -1)
        if compiled:
            descend_compiled(grid, rows[:, series], k, best, knots, stop=True)
            return knots[:, 0] >= 0
        data = Bounds(grid, rows[:, series], k)
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
    data: Bounds, k: int, best: Array, knots: Index, *, beam: int | None = None, stop: bool = False
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


def _promising(found: Partial, beam: int) -> Partial:
    import numpy as np

    order = np.lexsort((found.bound, found.series))
    series = found.series[order]
    rank = np.arange(len(series)) - np.searchsorted(series, series)
    return found.take(order[rank < beam])


def level_rows(grid: Grid, rows: Array) -> Array:
    """Residuals of the straight line: the sums of squares stay, the rounding shrinks."""
    import numpy as np

    basis = np.linalg.qr(np.column_stack(whitened_line(grid.times, grid.noise)))[0]
    for _ in range(2):  # twice, so that nothing of the line is left by rounding
        for column in basis.T[:, :, None]:  # no matrix product: its threads would cost more than they bring
            rows = rows - column * (column * rows).sum(axis=0)
    return rows
