"""How many joinpoints a series needs: Schwarz's criterion, its stricter form and the weighted one.

    BIC(k)  = ln(SSE(k) / n) + (2 k + 2) ln(n) / n
    BIC3(k) = ln(SSE(k) / n) + (3 k + 2) ln(n) / n
    WBIC(k) = ln(SSE(k) / n) + ((2 + R2) k + 2) ln(n) / n

R2 is the largest of the partial R-squared of the joinpoints: for each, how much of what a straight line leaves in
its two neighbouring segments the bend explains. Formulas as in the help of the National Cancer Institute's
Joinpoint program (pages BIC3 and Weighted BIC); Kim HJ, Chen HS, Midthune D and others: Data-driven choice of a
model selection method in joinpoint regression, Journal of Applied Statistics 2022, doi 10.1080/02664763.2022.2063265.
Of the observation on a joinpoint that opens a pair of segments the help says nothing; here it is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.trends.joinpoint.grid import Grid
from ncdsurv.trends.joinpoint.search import least_squares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

EXTRA = {"bic": 2.0, "bic3": 3.0}
ROUNDING = 1e-22  # of the total sum of squares; below it a fit is perfect


def criteria(grid: Grid, row: Array, most: int) -> list[dict[str, float]]:
    """Sum of squares and criteria of each number of joinpoints up to the most.

    Args:
        grid: Where joinpoints may stand.
        row: Whitened data, shape (n,).
        most: The largest number of joinpoints.

    Returns:
        One dict a number: `joinpoints`, `sse`, `bic`, `bic3`, `weight` (the largest partial R-squared), `wbic`.
    """
    import numpy as np

    n = len(row)
    out = []
    floor = ROUNDING * float(row @ row) + np.finfo(float).tiny
    for k in range(most + 1):
        sums, nodes = least_squares(grid, row[:, None], k)
        sse = max(float(sums[0]), floor)
        weight = max(partial_r_squared(grid, row, grid.where[nodes[0]]), default=0.0)
        base, unit = np.log(sse / n), np.log(n) / n
        found = {"joinpoints": k, "sse": float(sums[0]), "weight": weight}
        found |= {name: float(base + (extra * k + 2) * unit) for name, extra in EXTRA.items()}
        found["wbic"] = float(base + ((EXTRA["bic"] + weight) * k + 2) * unit)
        out.append(found)
    return out


def partial_r_squared(grid: Grid, row: Array, joinpoints: Array) -> list[float]:
    """Partial R-squared of each joinpoint within its two segments.

    Args:
        grid: Where joinpoints may stand.
        row: Whitened data, shape (n,).
        joinpoints: Times, ascending, shape (k,).

    Returns:
        One share a joinpoint.
    """
    import numpy as np

    times, noise = grid.times, grid.noise
    edges = np.r_[times[0] - 1, joinpoints, times[-1]]
    line = noise.whiten(np.column_stack([np.ones_like(times), times - times.mean()]))
    shares = []
    for before, at, after in zip(edges, edges[1:], edges[2:]):
        inside = (times > before) & (times <= after)
        basis = np.linalg.qr(line[inside])[0]
        bend = noise.whiten(np.maximum(times - at, 0.0))[inside]
        y, z = (part - basis @ (basis.T @ part) for part in (row[inside], bend))
        total = float(y @ y) * float(z @ z)
        shares.append(float(y @ z) ** 2 / total if total > 0 else 0.0)
    return shares
