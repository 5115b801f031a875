"""Where joinpoints may stand, and the part of every possible segment that does not depend on the data.

A segmented line with knots at positions p0 < p1 < ... is fixed by its values v at the knots. The sum of squares
of the rows between two knots a and b is a quadratic in (v_a, v_b) alone:

    C - 2 v_a L_a - 2 v_b L_b + v_a^2 S_aa + 2 v_a v_b S_ab + v_b^2 S_bb

S depends on times, weights and autocorrelation only and is worked out once; L and C come from the data by one
matrix product for any number of series. First-order autocorrelation keeps this form as long as knots stand on
observations, because the row after a knot then looks back to the knot itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncdsurv.trends.joinpoint.noise import Noise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]


@dataclass(frozen=True)
class Pieces:
    """Segments between knots `start` and `end` (node numbers), ordered by `end`; arrays by segment.

    `first`, `stop` are the rows the segment covers, `left`, `right` its times less the series' mean time; `s_aa`,
    `s_ab`, `s_bb` the products of the whitened design rows of its two end values. Those rows are
    (right * one - time) / length and (time - left * one) / length, with `one` and `time` the whitened constant and
    time, so that running sums over all rows give every segment's products.
    """

    start: Index
    end: Index
    first: Index
    stop: Index
    left: Array
    right: Array
    s_aa: Array
    s_ab: Array
    s_bb: Array

    def ends(self, with_one: Array, with_time: Array) -> tuple[Array, Array]:
        """Products of the two end rows with some data, from the data's running sums, shape (segments, series)."""
        import numpy as np

        one = with_one[self.stop] - with_one[self.first]
        time = with_time[self.stop] - with_time[self.first]
        shape = (-1,) + (1,) * (one.ndim - 1)
        left, right = self.left.reshape(shape), self.right.reshape(shape)
        length = right - left
        return np.asarray((right * one - time) / length), np.asarray((time - left * one) / length)


@dataclass(frozen=True)
class Grid:
    """Candidate joinpoints of one series: `where` their times, shape (m,); nodes are numbered 0 to m - 1.

    `head` holds the segments from the first observation to each node, `tail` from each node to the last one,
    `inner` between nodes; `whole` is the line without joinpoint. `offsets[t]:offsets[t + 1]` are the inner
    segments that end at node t.
    """

    times: Array
    noise: Noise
    where: Array
    head: Pieces
    tail: Pieces
    inner: Pieces
    whole: Pieces
    offsets: Index
    minimum_end: int
    minimum_between: int


def make_grid(
    times: Array, noise: Noise, *, minimum_end: int = 2, minimum_between: int = 2, between: int = 0
) -> Grid:
    """Lay out every place a joinpoint may take and every segment between two of them.

    Args:
        times: Ascending times, shape (n,).
        noise: Whitening of the errors.
        minimum_end: Observations that must lie before the first and after the last joinpoint, one that lies
            on the joinpoint not counted.
        minimum_between: The same between two joinpoints.
        between: Grid points between two observations; 0 puts joinpoints on observations only. Needs errors
            without autocorrelation.

    Returns:
        The grid; without candidates where the series is too short.

    >>> import numpy as np
    >>> from ncdsurv.trends.joinpoint.noise import make_noise
    >>> months = np.arange(7.0)
    >>> make_grid(months, make_noise(months, np.ones(7))).where.tolist()
    [2.0, 3.0, 4.0]
    """
    import numpy as np

    steps = np.arange(between + 1) / (between + 1)
    places = (times[:-1, None] + np.diff(times)[:, None] * steps).ravel()
    below = np.searchsorted(times, places, side="left")
    above = len(times) - np.searchsorted(times, places, side="right")
    where = places[(below >= minimum_end) & (above >= minimum_end)]
    below = np.searchsorted(times, where, side="left")
    upto = np.searchsorted(times, where, side="right")
    nodes = np.arange(len(where))
    start, end = np.meshgrid(nodes, nodes, indexing="ij")
    allowed = (start < end) & (below[end] - upto[start] >= minimum_between)
    by_end = np.argsort(end[allowed], kind="stable")
    start, end = start[allowed][by_end], end[allowed][by_end]
    n, first, last = len(times), times[0], times[-1]
    zero, full, one = np.zeros_like(nodes), np.full_like(nodes, n), np.ones(len(nodes))
    blank = np.full(1, -1)
    return Grid(
        times=times,
        noise=noise,
        where=where,
        head=_pieces(times, noise, -zero - 1, nodes, zero, upto, first * one, where),
        tail=_pieces(times, noise, nodes, -zero - 1, upto, full, where, last * one),
        inner=_pieces(times, noise, start, end, upto[start], upto[end], where[start], where[end]),
        whole=_pieces(times, noise, blank, blank, np.zeros(1, int), np.full(1, n), times[:1], times[-1:]),
        offsets=np.searchsorted(end, np.arange(len(where) + 1)),
        minimum_end=minimum_end,
        minimum_between=minimum_between,
    )


def whitened_line(times: Array, noise: Noise) -> tuple[Array, Array]:
    """Whitened constant and time less its mean, both of shape (n,)."""
    import numpy as np

    return noise.whiten(np.ones_like(times)), noise.whiten(times - times.mean())


def running_sums(rows: Array) -> Array:
    """Sums of all rows before each row, and of all, shape (n + 1, ...)."""
    import numpy as np

    return np.concatenate([np.zeros_like(rows[:1]), np.cumsum(rows, axis=0)])


def _pieces(
    times: Array, noise: Noise, start: Index, end: Index, first: Index, stop: Index, left: Array, right: Array
) -> Pieces:
    one, time = whitened_line(times, noise)
    left, right = left - times.mean(), right - times.mean()
    oo, ot, tt = (
        sums[stop] - sums[first]
        for sums in (running_sums(one * one), running_sums(one * time), running_sums(time * time))
    )
    area = (right - left) ** 2
    s_aa = (right**2 * oo - 2 * right * ot + tt) / area
    s_ab = (-left * right * oo + (left + right) * ot - tt) / area
    s_bb = (tt - 2 * left * ot + left**2 * oo) / area
    return Pieces(start, end, first, stop, left, right, s_aa, s_ab, s_bb)


def most_joinpoints(n: int, minimum_end: int, minimum_between: int) -> int:
    """How many joinpoints the minimum distances leave room for among `n` observations.

    >>> most_joinpoints(10, 2, 2), most_joinpoints(4, 2, 2)
    (2, 0)
    """
    return max(0, (n - 2 * minimum_end + minimum_between) // (1 + minimum_between))
