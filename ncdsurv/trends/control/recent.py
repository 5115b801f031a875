"""The recent-trend marker: is there a slope over the last five points? Arrays in, plain values out.

The test of the English public health profiles (Fingertips): for proportions the chi-square test of a linear trend
(Cochran 1954, Biometrics 10:417; Armitage 1955, Biometrics 11:375), else the weighted least squares slope, each point
weighted by the inverse square of its interval's half width over 1.96, squared over its variance. The critical value is
the 99.8 % point of chi-square with 1 degree of freedom, and the slope must have the same sign whichever single point is
left out, so that one outlier makes no trend.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

POINTS = 5
CRITICAL = 9.54953570608324  # 99.8 % point of chi-square, 1 degree of freedom
WIDTH = 2 * 1.96  # 95 % interval over its standard error


@dataclass(frozen=True)
class Marker:
    """`direction` is `up`, `down`, `none`, or None where it cannot be calculated, and `reason` then says why:
    `few` points, `zero_width` intervals, `no_events` (or none without). `steady` is the leave-one-out rule."""

    direction: str | None
    chi_square: float | None
    slope: float | None
    steady: bool
    reason: str | None
    method: str


def marker_of_proportions(numerator: Array, denominator: Array) -> Marker:
    """The marker of the last five shares x / n, oldest first.

    >>> import numpy as np
    >>> marker_of_proportions(np.array([10., 20, 30, 40, 50]), np.full(5, 100.0)).direction
    'up'
    """
    import numpy as np

    x, n = (np.asarray(one, dtype=float)[-POINTS:] for one in (numerator, denominator))
    method = "cochran_armitage"
    if len(x) < POINTS:
        return Marker(None, None, None, False, "few", method)
    total, events = float(n.sum()), float(x.sum())
    if not 0 < events < total:
        return Marker(None, None, None, False, "no_events", method)
    at = np.arange(1.0, len(x) + 1)
    centred = at - float(n @ at) / total
    score = float(x @ centred)
    share = events / total
    chi_square = score**2 / (share * (1 - share) * float(n @ centred**2))
    with np.errstate(divide="ignore"):
        # Half an event at either end keeps a month of 0 or of all a finite logit.
        whole = np.where((x <= 0) | (x >= n), 0.5, 0.0)
        logit = np.log((x + whole) / (n - x + whole))
    return _judge(chi_square, at, logit, np.ones(len(x)), score, method)


def marker_of_values(value: Array, lower: Array, upper: Array) -> Marker:
    """The marker of the last five values with their 95 % intervals, oldest first."""
    import numpy as np

    columns = (np.asarray(one, dtype=float) for one in (value, lower, upper))
    value, lower, upper = (one[-POINTS:] for one in columns)
    method = "weighted"
    if len(value) < POINTS:
        return Marker(None, None, None, False, "few", method)
    width = upper - lower
    if not (np.isfinite(width).all() and (width > 0).all()):
        return Marker(None, None, None, False, "zero_width", method)
    weights = (WIDTH / width) ** 2
    at = np.arange(1.0, len(value) + 1)
    slope, spread = _slope(at, value, weights)
    return _judge(slope**2 * spread, at, value, weights, slope, method)


def _judge(chi_square: float, at: Array, values: Array, weights: Array, slope: float, method: str) -> Marker:
    import numpy as np

    left_out = [
        _slope(*(np.delete(one, leave) for one in (at, values, weights)))[0] for leave in range(len(at))
    ]
    every = [_slope(at, values, weights)[0], *left_out]
    steady = all(one > 0 for one in every) or all(one < 0 for one in every)
    found = steady and chi_square > CRITICAL
    direction = "none" if not found else "up" if slope > 0 else "down"
    return Marker(direction, float(chi_square), float(every[0]), steady, None, method)


def _slope(at: Array, values: Array, weights: Array) -> tuple[float, float]:
    """Weighted least squares slope and the weighted spread of the points in time (one over its variance)."""
    centred = at - float(weights @ at) / float(weights.sum())
    spread = float(weights @ centred**2)
    return float((weights * centred) @ values) / spread, spread
