"""Centre and limits of p and u charts, with Laney's correction. Arrays in, arrays out.

With x events among n, p = x / n and centre c = sum(x) / sum(n), the error of one month is sqrt(c (1 - c) / n) for a
proportion (p chart) and sqrt(c / n) for a rate (u chart). Laney DB, Quality Engineering 2002, 14:531-537: with
z = (p - c) / error, the variation between months beyond chance is sigma_z = mean |z_i - z_(i-1)| / 1.128, and limits
stand at c +- 3 error sigma_z (p' and u' charts). 1.128 is 2 / sqrt(pi), the mean range of two standard normal values.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PROPORTION, RATE = "p", "u"
MEAN_RANGE = 2 / sqrt(pi)
ROUNDING = 1e-9


@dataclass(frozen=True)
class Limits:
    """Limits of one phase, as numerator / denominator; `z` is each month's distance from the centre in its sigmas.

    `sigma_z` is 1 without Laney's correction; `corrected` says whether it was used. Where nothing varies (all
    months 0, all months full, or all equal) `z` is 0 and `varies` False.
    """

    centre: float
    sigma: Array
    lower: Array
    upper: Array
    z: Array
    sigma_z: float
    corrected: bool
    varies: bool


def chart_limits(
    numerator: Array,
    denominator: Array,
    months: Array,
    *,
    kind: str,
    laney: bool = True,
    width: float = 3.0,
    step: int = 1,
    baseline: NDArray[np.bool_] | None = None,
) -> Limits:
    """Centre and limits of one phase.

    Args:
        numerator: Events by month, shape (n,).
        denominator: People or person-time by month, positive, shape (n,).
        months: Month indices, ascending, shape (n,); ranges are taken between neighbours `step` months apart only.
        kind: `p` (share of people) or `u` (events per person-time).
        laney: Widen (or narrow) the limits by sigma_z.
        width: Sigmas from the centre to a limit.
        step: Months between neighbours of the series.
        baseline: Months that centre and sigma_z are estimated from, shape (n,); all unless given.

    Returns:
        The limits; cut at 0, and at 1 for a proportion.

    >>> import numpy as np
    >>> found = chart_limits(np.array([5., 15.]), np.array([100., 100.]), np.array([1, 2]), kind="p", laney=False)
    >>> round(found.centre, 3), round(float(found.upper[0]), 3)
    (0.1, 0.19)
    """
    import numpy as np

    x, n = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    base = np.ones(len(x), dtype=bool) if baseline is None else baseline
    centre = float(x[base].sum() / n[base].sum())
    variance = centre * (1 - centre) if kind == PROPORTION else centre
    error = np.sqrt(max(variance, 0.0) / n)
    ends = (0.0, 1.0 if kind == PROPORTION else np.inf)
    if not variance > 0:
        flat = np.full(len(x), centre)
        # A baseline without any event has no spread; the first event after it is still outside its limits.
        away = x / n - centre
        z = np.where(np.abs(away) > ROUNDING, np.copysign(np.inf, away), 0.0)
        return Limits(centre, np.zeros(len(x)), flat, flat, z, 1.0, False, bool(z.any()))
    z = (x / n - centre) / error
    neighbours = (np.diff(months) == step) & base[1:] & base[:-1]
    ranges = np.abs(np.diff(z))[neighbours]
    found = float(ranges.mean()) / MEAN_RANGE if len(ranges) else 0.0
    # Months that do not vary at all say nothing of their variation: chance alone then sets the limits.
    corrected = laney and found > ROUNDING
    sigma = error * (found if corrected else 1.0)
    return Limits(
        centre,
        sigma,
        np.maximum(centre - width * sigma, ends[0]),
        np.minimum(centre + width * sigma, ends[1]),
        (x / n - centre) / sigma,
        found if corrected else 1.0,
        corrected,
        bool(np.abs(x / n - centre).max() > ROUNDING),
    )
