"""How the variance of counts grows with their mean, and what the residuals of a rate model look like.

Cameron AC, Trivedi PK: Regression-based tests for overdispersion in the Poisson model, Journal of Econometrics
1990, 46:347-364: with fitted means m of a Poisson model, z = ((y - m)^2 - y) / m averages 0 under Poisson, a
constant where the variance is proportional to the mean (quasi-Poisson), and grows with m where it is quadratic
(negative binomial). The slope of z on m tells the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PORTMANTEAU_LAGS = 12


@dataclass(frozen=True)
class Checks:
    """Tests of dispersion (one-sided) and of the residuals; `largest_at` is the row of the largest residual.

    `overdispersion_p_value`: more variance than Poisson. `quadratic_p_value`: variance grows with the square of
    the mean. `portmanteau_p_value`: Ljung-Box of the residuals, None where the series is too short.
    """

    overdispersion: float
    overdispersion_p_value: float
    quadratic_p_value: float
    largest_residual: float
    largest_at: int
    portmanteau_lags: int
    portmanteau_p_value: float | None


def check_counts(counts: Array, fitted: Array, residuals: Array) -> Checks:
    """Tests of a fitted count model.

    Args:
        counts: Observed counts, shape (n,).
        fitted: Fitted means of a Poisson model, shape (n,).
        residuals: Standardised residuals of the chosen model, shape (n,).

    Returns:
        The checks.
    """
    import numpy as np
    from scipy import stats

    z = ((counts - fitted) ** 2 - counts) / fitted
    n, mean = len(z), float(z.mean())
    error = float(z.std(ddof=1)) / np.sqrt(n)
    p_over = float(stats.norm.sf(mean / error)) if error > 0 else 1.0
    lags = min(PORTMANTEAU_LAGS, n // 4)
    largest = int(np.argmax(np.abs(residuals)))
    return Checks(
        overdispersion=1 + mean,
        overdispersion_p_value=p_over,
        quadratic_p_value=_slope_p_value(z, fitted),
        largest_residual=float(residuals[largest]),
        largest_at=largest,
        portmanteau_lags=lags,
        portmanteau_p_value=_ljung_box(residuals, lags),
    )


def _slope_p_value(z: Array, fitted: Array) -> float:
    """One-sided p value of the slope of z on the fitted means; 1 where the means do not differ."""
    import numpy as np
    from scipy import stats

    centred = fitted - fitted.mean()
    spread = float(centred @ centred)
    if spread <= 1e-12 * float(fitted @ fitted) or len(z) < 4:
        return 1.0
    slope = float(centred @ z) / spread
    left = z - z.mean() - slope * centred
    error = np.sqrt(float(left @ left) / (len(z) - 2) / spread)
    return float(stats.t.sf(slope / error, len(z) - 2)) if error > 0 else 1.0


def _ljung_box(residuals: Array, lags: int) -> float | None:
    import numpy as np
    from scipy import stats

    n = len(residuals)
    centred = residuals - residuals.mean()
    total = float(centred @ centred)
    if lags < 2 or total <= np.finfo(float).eps:
        return None
    at = np.arange(1, lags + 1)
    found = np.array([float(centred[lag:] @ centred[:-lag]) / total for lag in at])
    return float(stats.chi2.sf(n * (n + 2) * float((found**2 / (n - at)).sum()), lags))
