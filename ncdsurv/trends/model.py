"""The rate model: regression of monthly counts with a log offset. Arrays in, arrays out.

    log E(numerator) = log(denominator) + a + b * years + sum over h of (c_h cos + s_h sin)(2 pi h month / 12)

The families are those of `ncdsurv.trends.counts`. Intervals use the t distribution on the residual degrees of
freedom, as R's `summary.glm` does for quasi families. A lag turns on Newey-West standard errors (Newey and West
1987) for series with overlapping windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.trends.counts import QUASI_POISSON, fit_counts, lag_one
from ncdsurv.trends.dispersion import Checks, check_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class RateModel:
    """A fitted rate model; `fitted`, `lower`, `upper`, `trend` are rates (numerator / denominator) by month.

    `dispersion` is what multiplies the family's variance (1 for the negative binomial); `pearson_dispersion` that
    of the Poisson model, whatever the family; `residuals` are Pearson's, divided by the root of the dispersion.
    """

    slope: float
    slope_se: float
    annual_change: float
    annual_change_lower: float
    annual_change_upper: float
    p_value: float
    dispersion: float
    degrees_of_freedom: int
    residual_autocorrelation: float
    fitted: Array
    lower: Array
    upper: Array
    trend: Array
    parameters: Array
    standard_errors: Array
    family: str
    alpha: float
    pearson_dispersion: float
    residuals: Array
    checks: Checks


def design_matrix(months: Array, harmonics: int) -> Array:
    """Columns: intercept, years since the first month, then cosine and sine of each harmonic.

    Args:
        months: Month indices (year x 12 + month), shape (n,).
        harmonics: 0 for no season.

    Returns:
        Array of shape (n, 2 + 2 x harmonics).
    """
    import numpy as np

    months = np.asarray(months, dtype=float)
    columns = [np.ones_like(months), (months - months[0]) / MONTHS_PER_YEAR]
    for harmonic in range(1, harmonics + 1):
        angle = 2 * np.pi * harmonic * months / MONTHS_PER_YEAR
        columns += [np.cos(angle), np.sin(angle)]
    return np.column_stack(columns)


def fit_rate_model(
    numerator: Array,
    denominator: Array,
    months: Array,
    *,
    harmonics: int = 2,
    confidence: float = 0.95,
    lag: int | None = None,
    family: str = QUASI_POISSON,
    window: int = 1,
) -> RateModel:
    """Fit the model of this module.

    Args:
        numerator: Counts by month, shape (n,).
        denominator: Positive counts or person-time by month, shape (n,).
        months: Month indices, ascending, shape (n,).
        harmonics: Seasonal harmonics, 0 for none.
        confidence: Of every interval, between 0 and 1.
        lag: None for quasi-likelihood standard errors, else the Newey-West lag in months.
        family: `quasi_poisson` or `negative_binomial`; the latter falls back to the former (and says so in
            `.family`) where no variance beyond Poisson can be estimated.
        window: Months that one value looks back; above 1 (and without a lag) the covariance counts what windows
            have in common, and the degrees of freedom shrink accordingly.

    Returns:
        The model; changes are in percent per year, rates in the numerator's unit per denominator.

    Raises:
        StatisticsError: No residual degree of freedom, or the fit did not converge.

    >>> import numpy as np
    >>> months = np.arange(24301, 24325)
    >>> people = np.full(24, 1000.0)
    >>> rising = people * 0.4 * 1.1 ** ((months - 24301) / 12)
    >>> round(fit_rate_model(rising, people, months).annual_change, 6)
    10.0
    """
    import numpy as np
    from scipy import stats

    design = design_matrix(months, harmonics)
    fit = fit_counts(numerator, denominator, design, family, do="take more months or fewer harmonics")
    freedom = fit.freedom
    scale = fit.dispersion if fit.alpha is None else 1.0
    residuals = fit.residuals / np.sqrt(scale if scale > np.finfo(float).eps else 1.0)
    covariance = fit.covariance(lag)
    if window > 1 and lag is None:
        covariance, freedom = fit.shared_windows(np.asarray(months, dtype=float), window)
    beta, errors = np.asarray(fit.own.params), np.sqrt(np.diag(covariance))
    quantile = float(stats.t.ppf(0.5 + confidence / 2, freedom))
    linear = design @ beta
    spread = quantile * np.sqrt(np.einsum("ij,jk,ik->i", design, covariance, design))
    seasonless = design.copy()
    seasonless[:, 2:] = 0.0
    slope, slope_se = float(beta[1]), float(errors[1])
    change = [_percent(slope + side * quantile * slope_se) for side in (0, -1, 1)]
    t_value = abs(slope) / slope_se if slope_se > 0 else np.inf
    return RateModel(
        slope=slope,
        slope_se=slope_se,
        annual_change=change[0],
        annual_change_lower=change[1],
        annual_change_upper=change[2],
        p_value=float(2 * stats.t.sf(t_value, freedom)),
        dispersion=scale,
        degrees_of_freedom=freedom,
        residual_autocorrelation=lag_one(fit.residuals),
        fitted=np.exp(linear),
        lower=np.exp(linear - spread),
        upper=np.exp(linear + spread),
        trend=np.exp(seasonless @ beta),
        parameters=beta,
        standard_errors=errors,
        family=fit.family,
        alpha=fit.alpha or 0.0,
        pearson_dispersion=fit.dispersion,
        residuals=residuals,
        checks=check_counts(fit.counts, np.asarray(fit.poisson.fittedvalues), residuals),
    )


def _percent(slope: float) -> float:
    import numpy as np

    return float(100 * np.expm1(slope))
