"""Intervals by resampling: the search for joinpoints is repeated on series made of the model and its residuals.

Residuals of the chosen model are centred, widened by sqrt(n / degrees of freedom) and drawn with replacement; each
made series gets its own joinpoints of the same number; the interval spans the quantiles of what they give. The
idea is that of the empirical quantile intervals of Kim and others 2017 (Statistics in Medicine, Improved confidence
interval for average annual percent change in trend analysis); this is the plain residual bootstrap, not their scheme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncdsurv.trends.joinpoint.grid import Grid
from ncdsurv.trends.joinpoint.infer import Line, fit_line, fitted_rows
from ncdsurv.trends.joinpoint.search import least_squares

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def resample_lines(grid: Grid, row: Array, line: Line, *, samples: int, seed: int) -> list[Line]:
    """Lines of made series, each with its own joinpoints.

    Args:
        grid: Where joinpoints may stand.
        row: Whitened data without season, shape (n,).
        line: The chosen model.
        samples: Number of series to make.
        seed: Of the random numbers.

    Returns:
        One line a series; times and errors as in the model.
    """
    import numpy as np

    k = len(line.joinpoints)
    fitted = fitted_rows(grid, row, line.joinpoints)
    left = row - fitted
    left = (left - left.mean()) * np.sqrt(len(row) / max(line.freedom, 1))
    made = fitted[:, None] + np.random.default_rng(seed).choice(left, size=(len(row), samples))
    nodes = least_squares(grid, made, k, exact=k < 3)[1]
    plain = np.zeros((len(row), 0))
    return [
        fit_line(grid.times, grid.noise, _unwhiten(grid, series), grid.where[own], plain)
        for series, own in zip(made.T, nodes)
    ]


def _unwhiten(grid: Grid, row: Array) -> Array:
    import numpy as np

    out = np.empty_like(row)
    before = 0.0
    for at, (scale, carry) in enumerate(zip(grid.noise.scale, grid.noise.carry)):
        before = (row[at] + carry * before) / scale
        out[at] = before
    return out
