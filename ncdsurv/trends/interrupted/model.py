"""Segmented regression of monthly counts around an intervention. Arrays in, arrays out.

    log E(numerator) = log(denominator) + a + b * t + c * [t >= 0] + d * t * [t >= 0] + season

with t in years from the intervention, so that `c` is the step in the intervention's own month and `d` the change of
the yearly slope (Wagner AK et al, Journal of Clinical Pharmacy and Therapeutics 2002, 27:299-309; Lopez Bernal J,
Cummins S, Gasparrini A, International Journal of Epidemiology 2017, 46:348-355). The counterfactual is the same model
with c = d = 0. Several covariances of the coefficients may be given at once (the family's own and Newey and West's):
every interval then takes the wider one for the very quantity it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.errors import StatisticsError
from ncdsurv.trends.counts import QUASI_POISSON, fit_counts, lag_one

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SLOPE, STEP, SLOPE_CHANGE = 1, 2, 3  # columns of the design after the intercept
NOISE = 1e-8  # of a log rate: what is smaller is rounding, not change


@dataclass(frozen=True)
class Estimate:
    """A relative change in percent with its interval and the p value of no change; `se` is on the log scale."""

    value: float
    lower: float
    upper: float
    p_value: float
    se: float


@dataclass(frozen=True)
class Segmented:
    """A fitted interrupted series; rates (numerator / denominator) by month, for every month that was asked for."""

    level_change: Estimate
    slope_before: Estimate
    slope_after: Estimate
    slope_change: Estimate | None
    effect_last: Estimate
    fitted: Array
    lower: Array
    upper: Array
    counterfactual: Array
    counterfactual_lower: Array
    counterfactual_upper: Array
    parameters: Array
    family: str
    alpha: float
    dispersion: float
    degrees_of_freedom: int
    residual_autocorrelation: float


def segmented_design(months: Array, at: int, harmonics: int, slope_change: bool = True) -> Array:
    """Columns: intercept, years from the intervention, step, change of slope, then cosine and sine by harmonic.

    Args:
        months: Month indices, shape (n,).
        at: Month index of the intervention, the first month that counts as after.
        harmonics: 0 for no season.
        slope_change: Whether the slope may change.

    Returns:
        Array of shape (n, 3 + slope_change + 2 x harmonics).
    """
    import numpy as np

    months = np.asarray(months, dtype=float)
    years, after = (months - at) / MONTHS_PER_YEAR, (months >= at).astype(float)
    columns = [np.ones_like(months), years, after] + ([years * after] if slope_change else [])
    for harmonic in range(1, harmonics + 1):
        angle = 2 * np.pi * harmonic * months / MONTHS_PER_YEAR
        columns += [np.cos(angle), np.sin(angle)]
    return np.column_stack(columns)


def fit_segmented(
    numerator: Array,
    denominator: Array,
    months: Array,
    at: int,
    *,
    shown: Array | None = None,
    harmonics: int = 2,
    slope_change: bool = True,
    confidence: float = 0.95,
    family: str = QUASI_POISSON,
    lag: int = 0,
    wider: bool = False,
    window: int = 1,
) -> Segmented:
    """Fit the model of this module.

    Args:
        numerator: Counts by month, shape (n,).
        denominator: Positive counts or person-time by month, shape (n,).
        months: Month indices, ascending, shape (n,).
        at: Month index of the intervention.
        shown: Month indices of the curves that are returned; `months` unless given.
        harmonics: Seasonal harmonics, 0 for none.
        slope_change: Whether the slope may change at the intervention.
        confidence: Of every interval, between 0 and 1.
        family: `quasi_poisson` or `negative_binomial`; the latter falls back to the former (said in `.family`)
            where no variance beyond Poisson can be estimated.
        lag: Newey-West lag in months, 0 for the family's own errors.
        wider: With a lag: take the family's own error wherever it is the larger one.
        window: Months that one value looks back; above 1 without a lag the covariance counts what windows share.

    Returns:
        The model; changes in percent, slopes in percent per year.

    Raises:
        StatisticsError: No residual degree of freedom, no convergence, or an estimate without bounds.
    """
    import numpy as np
    from scipy import stats

    months = np.asarray(months, dtype=float)
    design = segmented_design(months, at, harmonics, slope_change)
    fit = fit_counts(numerator, denominator, design, family, do="take more months, or season=False")
    freedom, covariances = fit.freedom, [fit.covariance()]
    if window > 1 and not lag:
        shared, freedom = fit.shared_windows(months, window)
        covariances = [shared]
    elif lag:
        robust = fit.covariance(lag)
        covariances = [*covariances, robust] if wider else [robust]
    beta = np.asarray(fit.own.params)
    quantile = float(stats.t.ppf(0.5 + confidence / 2, freedom))

    def errors(contrasts: Array) -> Array:
        found = [np.einsum("ij,jk,ik->i", contrasts, one, contrasts) for one in covariances]
        return np.sqrt(np.maximum(np.max(found, axis=0), 0.0))

    def change(*weights: tuple[int, float]) -> Estimate:
        contrast = np.zeros((1, len(beta)))
        for column, weight in weights:
            contrast[0, column] = weight
        value, se = float(contrast[0] @ beta), float(errors(contrast)[0])
        p_value = 1.0 if abs(value) < NOISE else 0.0 if se == 0 else 2 * stats.t.sf(abs(value) / se, freedom)
        middle, low, high = (float(100 * np.expm1(value + side * quantile * se)) for side in (0, -1, 1))
        return Estimate(middle, low, high, float(p_value), se)

    def curve(rows: Array) -> tuple[Array, Array, Array]:
        linear, spread = rows @ beta, quantile * errors(rows)
        return np.exp(linear), np.exp(linear - spread), np.exp(linear + spread)

    shown = months if shown is None else np.asarray(shown, dtype=float)
    rows = segmented_design(shown, at, harmonics, slope_change)
    without = rows.copy()
    without[:, STEP : STEP + 1 + slope_change] = 0.0
    since = float(shown[-1] - at) / MONTHS_PER_YEAR
    with np.errstate(over="ignore"):
        model = Segmented(
            change((STEP, 1.0)),
            change((SLOPE, 1.0)),
            change((SLOPE, 1.0), (SLOPE_CHANGE, 1.0)) if slope_change else change((SLOPE, 1.0)),
            change((SLOPE_CHANGE, 1.0)) if slope_change else None,
            change((STEP, 1.0), (SLOPE_CHANGE, since)) if slope_change else change((STEP, 1.0)),
            *curve(rows),
            *curve(without),
            parameters=beta,
            family=fit.family,
            alpha=fit.alpha or 0.0,
            dispersion=fit.dispersion,
            degrees_of_freedom=freedom,
            residual_autocorrelation=lag_one(fit.residuals),
        )
    if not np.isfinite([*model.upper, *model.counterfactual_upper, model.level_change.upper]).all():
        raise StatisticsError(
            "the change has no finite interval",
            got=f"{fit.counts.sum():.0f} events in {len(design)} months",
            do="take a larger area, more months, or slope_change=False",
        )
    return model
