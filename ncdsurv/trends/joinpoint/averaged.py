"""Intervals of changes, averaged over where the joinpoints may stand.

For given places the line is a linear regression: with flat priors a slope follows Student's t, and the places have the
weight |X'X|^-1/2 SSE^-(n - p)/2 (Zellner, An Introduction to Bayesian Inference in Econometrics, 1971), every place
that the minimum distances allow being as likely beforehand. The interval spans quantiles of the mixture. The delta
method takes the sum of squares for a parabola in the joinpoints, which it is not in short series: its intervals are too
narrow there (`benchmarks/trends.py` has both). The number of joinpoints and the errors' autocorrelation are taken as
known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncdsurv.trends.joinpoint.bounds import Bounds
from ncdsurv.trends.joinpoint.grid import Grid
from ncdsurv.trends.joinpoint.infer import Line
from ncdsurv.trends.joinpoint.search import level_rows
from ncdsurv.trends.mixture import Mixture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

REACHES = (12.0, 8.0, 5.0, 3.0)  # logarithm of the least weight against the best place's, tried in turn
MOST_PLACES, MOST_PARTIAL = 4000, 200_000
ROUNDING = 1e-22


@dataclass(frozen=True)
class Places:
    """Places of the joinpoints and the line there: `joinpoints` (places, k) in times, `coefficients` (places, 2 + k) of
    constant, time and bends, `covariance` (places, 2 + k, 2 + k), `weight` (places,)."""

    weight: Array
    joinpoints: Array
    coefficients: Array
    covariance: Array
    freedom: int

    def slopes(self) -> Mixture:
        """Slope of every segment."""
        import numpy as np

        k = self.joinpoints.shape[1]
        contrasts = np.column_stack([np.zeros(k + 1), np.ones(k + 1), np.tril(np.ones((k + 1, k)), -1)])
        return self._mixture(np.broadcast_to(contrasts, (len(self.weight), *contrasts.shape)))

    def average(self, start: float, end: float) -> Mixture:
        """Average slope over an interval of time."""
        import numpy as np

        past = [np.maximum(at - self.joinpoints, 0.0) for at in (start, end)]
        ones = np.ones(len(self.weight))
        contrast = np.column_stack([0 * ones, ones, (past[1] - past[0]) / (end - start)])
        return self._mixture(contrast[:, None, :])

    def joinpoint_limits(self, confidence: float) -> list[tuple[float, float]]:
        """Narrowest run of places of each joinpoint from tail to tail."""
        import numpy as np

        found = []
        for places in self.joinpoints.T:
            order = np.argsort(places)
            reached = np.cumsum(self.weight[order])
            tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
            at = np.minimum(np.searchsorted(reached, tails), len(order) - 1)
            found.append((float(places[order[at[0]]]), float(places[order[at[1]]])))
        return found

    def _mixture(self, contrasts: Array) -> Mixture:
        import numpy as np

        mean = np.einsum("phc,pc->ph", contrasts, self.coefficients)
        variance = np.einsum("phc,pcd,phd->ph", contrasts, self.covariance, contrasts)
        return Mixture(self.weight, mean, np.sqrt(np.maximum(variance, np.finfo(float).tiny)), self.freedom)


def weigh_places(grid: Grid, response: Array, season: Array, row: Array, line: Line) -> Places | None:
    """Every place of the joinpoints that the data do not rule out, with its weight.

    Args:
        grid: Where joinpoints may stand.
        response: Data, not whitened, shape (n,).
        season: Further columns of the design, shape (n, columns).
        row: Whitened data less the season of the chosen line, shape (n,): decides which places are looked at.
        line: The chosen line.

    Returns:
        The places; None where no degree of freedom is left.
    """
    import numpy as np

    times, noise, k = grid.times, grid.noise, len(line.joinpoints)
    freedom = len(times) - season.shape[1] - 2 - k
    if freedom < 1:
        return None
    nodes = _not_ruled_out(grid, row, np.searchsorted(grid.where, line.joinpoints), freedom)
    design = np.column_stack(
        [np.ones_like(times), times - line.origin, np.maximum(times[:, None] - grid.where, 0.0)]
    )
    columns, target = noise.whiten(design), noise.whiten(response)
    if season.shape[1]:  # least squares beside the season is least squares on what the season leaves
        basis = np.linalg.qr(noise.whiten(season))[0]
        columns = columns - basis @ (basis.T @ columns)
        target = target - basis @ (basis.T @ target)
    chosen = np.column_stack([np.zeros((len(nodes), 1), int), np.ones((len(nodes), 1), int), nodes + 2])
    products = (columns.T @ columns)[chosen[:, :, None], chosen[:, None, :]]
    inverse = np.linalg.inv(products)
    lean = (columns.T @ target)[chosen]
    coefficients = np.einsum("pcd,pd->pc", inverse, lean)
    total = float(target @ target)
    squares = np.maximum(total - np.einsum("pc,pc->p", coefficients, lean), ROUNDING * total)
    squares = np.maximum(squares, np.finfo(float).tiny)
    log = -np.linalg.slogdet(products)[1] / 2 - freedom / 2 * np.log(squares)
    weight = np.exp(log - log.max())
    covariance = inverse * (squares / freedom)[:, None, None]
    return Places(weight / weight.sum(), grid.where[nodes], coefficients, covariance, freedom)


def _not_ruled_out(grid: Grid, row: Array, best: Index, freedom: int) -> Index:
    """Node numbers of the places whose sum of squares is not far above the best one's, shape (places, k)."""
    import numpy as np

    k = len(best)
    if k == 0:
        return best[None, :]
    level = level_rows(grid, row[:, None])
    data = Bounds(grid, level, k)
    least = _sum_at(grid, level[:, 0], best)
    for reach in REACHES:
        limit = np.array([least * np.exp(2 * reach / freedom)])
        found = data.begin(k, limit)
        for before in range(k - 2, -1, -1):
            if len(found.node) > MOST_PARTIAL:
                break
            found = data.extend(found, before, limit)
        if len(found.node) <= MOST_PARTIAL:
            break
    if found.knots.shape[1] < k or not len(found.node):
        return best[None, :]
    kept = np.argsort(found.bound, kind="stable")[:MOST_PLACES]
    return np.asarray(found.knots[kept])


def _sum_at(grid: Grid, row: Array, nodes: Index) -> float:
    """Sum of squares of a line with joinpoints at some nodes."""
    from ncdsurv.trends.joinpoint.infer import fitted_rows

    left = row - fitted_rows(grid, row, grid.where[nodes])
    return float(left @ left)
