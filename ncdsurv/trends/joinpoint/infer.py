"""Slopes, average slopes and their intervals, the joinpoints counted as estimated.

    y = a + b x + sum over j of d_j (x - t_j)+ (+ season),   Jacobian columns: 1, x, (x - t_j)+, season, -d_j [x > t_j]

The covariance is s^2 (J'J)^-1 with the columns of the joinpoints t_j among the others (Muggeo 2003, Statistics in
Medicine 22:3055, as his R package segmented has it): an interval that took the joinpoints as known would be too
narrow. The average slope over [u, v] is (f(v) - f(u)) / (v - u), the mean of the segments' slopes weighted by their
lengths (Clegg and others 2009, Estimating average annual per cent change in trend analysis, Statistics in Medicine
28:3670); its variance is the delta method's on the same covariance. Intervals use the t distribution on n less the
number of parameters, joinpoints among them, as Kim and others 2017 (Improved confidence interval for average annual
percent change in trend analysis, Statistics in Medicine) propose in place of the normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncdsurv.trends.joinpoint.grid import Grid
from ncdsurv.trends.joinpoint.noise import Noise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A segmented line: coefficients (a, b, d_1..d_k, season), joinpoints, and the joint covariance.

    `covariance` is of (a, b, d, season, t), in this order, or None where the data cannot give it: no degree of
    freedom is left, or a joinpoint cannot be told from its neighbours. Times count from `origin`.
    """

    origin: float
    coefficients: Array
    joinpoints: Array
    season: int
    sse: float
    freedom: int
    covariance: Array | None

    def rows(self, times: Array) -> Array:
        """Jacobian at some times, season left out, shape (len(times), parameters)."""
        import numpy as np

        at = np.asarray(times, dtype=float)
        k = len(self.joinpoints)
        bend = np.maximum(at[:, None] - self.joinpoints, 0.0)
        past = (at[:, None] > self.joinpoints) * -self.coefficients[2 : 2 + k]
        season = np.zeros((len(at), self.season))
        return np.column_stack([np.ones_like(at), at - self.origin, bend, season, past])

    def values(self, times: Array) -> Array:
        """The line without season at some times."""
        return self.rows(times)[:, : len(self.coefficients)] @ self.coefficients

    def slopes(self) -> list[tuple[float, float | None]]:
        """Slope of each segment and its standard error."""
        import numpy as np

        k, width = len(self.joinpoints), len(self.coefficients) + len(self.joinpoints)
        contrasts = np.zeros((k + 1, width))
        contrasts[:, 1] = 1.0
        contrasts[:, 2 : 2 + k] = np.tril(np.ones((k + 1, k)), -1)
        return [self._estimate(contrast) for contrast in contrasts]

    def average(self, start: float, end: float) -> tuple[float, float | None]:
        """Average slope over an interval and its standard error."""
        import numpy as np

        first, last = self.rows(np.array([start, end]))
        return self._estimate((last - first) / (end - start))

    def joinpoint_errors(self) -> list[float | None]:
        """Standard error of each joinpoint, in the unit of time."""
        import numpy as np

        k = len(self.joinpoints)
        if self.covariance is None:
            return [None] * k
        return [float(np.sqrt(self.covariance[at, at])) for at in range(-k, 0)] if k else []

    def value_errors(self, times: Array) -> Array | None:
        """Standard error of the line without season at some times."""
        import numpy as np

        if self.covariance is None:
            return None
        rows = self.rows(times)
        return np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", rows, self.covariance, rows), 0.0))

    def _estimate(self, contrast: Array) -> tuple[float, float | None]:
        import numpy as np

        value = float(contrast[: len(self.coefficients)] @ self.coefficients)
        if self.covariance is None:
            return value, None
        return value, float(np.sqrt(max(float(contrast @ self.covariance @ contrast), 0.0)))


def fit_line(times: Array, noise: Noise, response: Array, joinpoints: Array, season: Array) -> Line:
    """Fit the segmented line with given joinpoints; its covariance counts them as estimated.

    Args:
        times: Ascending times, shape (n,).
        noise: Whitening of the errors.
        response: Data, not whitened, shape (n,).
        joinpoints: Times of the joinpoints, ascending, shape (k,); empty for none.
        season: Further columns of the design, shape (n, columns).

    Returns:
        The line.
    """
    import numpy as np

    k, origin = len(joinpoints), float(times.mean())
    bends = np.maximum(times[:, None] - joinpoints, 0.0)
    design = np.column_stack([np.ones_like(times), times - origin, bends, season])
    rows, target = noise.whiten(design), noise.whiten(response)
    coefficients: Array = np.linalg.lstsq(rows, target, rcond=None)[0].astype(np.float64)
    left = target - rows @ coefficients
    past = noise.whiten((times[:, None] > joinpoints) * -coefficients[2 : 2 + k])
    jacobian = np.column_stack([rows, past])
    freedom = len(times) - jacobian.shape[1]
    sse = float(left @ left)
    covariance: Array | None = None
    scale = np.sqrt((jacobian**2).sum(axis=0))
    if freedom > 0 and (scale > 0).all() and np.linalg.cond(jacobian / scale) < 1e8:
        inverse = np.linalg.inv((jacobian / scale).T @ (jacobian / scale)) / np.outer(scale, scale)
        covariance = sse / freedom * inverse
    return Line(origin, coefficients, joinpoints, season.shape[1], sse, freedom, covariance)


def fitted_rows(grid: Grid, row: Array, joinpoints: Array) -> Array:
    """Whitened fitted values of a whitened series with given joinpoints, shape (n,)."""
    import numpy as np

    times = grid.times
    bends = np.maximum(times[:, None] - joinpoints, 0.0)
    design = grid.noise.whiten(np.column_stack([np.ones_like(times), times - times.mean(), bends]))
    basis = np.linalg.qr(design)[0]
    return basis @ (basis.T @ row)
