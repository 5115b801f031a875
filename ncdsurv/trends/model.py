"""The rate model: regression of monthly counts with a log offset. Arrays in, arrays out.

    log E(numerator) = log(denominator) + a + b * years + sum over h of (c_h cos + s_h sin)(2 pi h month / 12)

Quasi-Poisson: variance = dispersion x mean, the dispersion estimated from Pearson's chi-square over the residual
degrees of freedom (McCullagh and Nelder, Generalized Linear Models, 2nd ed. 1989, chapters 6 and 9). Negative
binomial: variance = mean + alpha x mean^2, alpha by maximum likelihood, as `glm.nb` of R's MASS (Venables and
Ripley) has it with theta = 1 / alpha. Intervals use the t distribution on the residual degrees of freedom, as R's
`summary.glm` does for quasi families. A lag turns on Newey-West standard errors (Newey and West 1987) for series
with overlapping windows.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.errors import StatisticsError
from ncdsurv.trends.dispersion import Checks, check_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

QUASI_POISSON, NEGATIVE_BINOMIAL = "quasi_poisson", "negative_binomial"
LEAST_ALPHA, MOST_ALPHA = 1e-8, 50.0  # at either end the likelihood has no maximum between


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
    freedom = len(design) - design.shape[1]
    if freedom < 1:
        raise StatisticsError(
            "no residual degree of freedom is left",
            got=f"{len(design)} months for {design.shape[1]} parameters",
            do="take more months or fewer harmonics",
        )
    counts = np.asarray(numerator, dtype=float)
    offset = np.log(np.asarray(denominator, dtype=float))
    poisson = _fit(counts, design, offset, None, lag)
    alpha = _best_alpha(counts, design, offset) if family == NEGATIVE_BINOMIAL else None
    result = poisson if alpha is None else _fit(counts, design, offset, alpha, lag)
    dispersion = float(poisson.pearson_chi2 / freedom)  # before windows take degrees of freedom away
    scale = dispersion if alpha is None else 1.0
    residuals = np.asarray(result.resid_pearson) / np.sqrt(scale if scale > np.finfo(float).eps else 1.0)
    covariance = np.asarray(result.cov_params())
    if window > 1 and lag is None:
        covariance, freedom = _shared_windows(design, result, np.asarray(months, dtype=float), window)
    beta, errors = np.asarray(result.params), np.sqrt(np.diag(covariance))
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
        residual_autocorrelation=_lag_one(np.asarray(result.resid_pearson)),
        fitted=np.exp(linear),
        lower=np.exp(linear - spread),
        upper=np.exp(linear + spread),
        trend=np.exp(seasonless @ beta),
        parameters=beta,
        standard_errors=errors,
        family=QUASI_POISSON if alpha is None else NEGATIVE_BINOMIAL,
        alpha=alpha or 0.0,
        pearson_dispersion=dispersion,
        residuals=residuals,
        checks=check_counts(counts, np.asarray(poisson.fittedvalues), residuals),
    )


def _fit(counts: Array, design: Array, offset: Array, alpha: float | None, lag: int | None) -> Any:
    """The fitted model of a family: quasi-Poisson without `alpha`, negative binomial with it."""
    import numpy as np
    from statsmodels.genmod.families import NegativeBinomial, Poisson
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    settings: dict[str, Any] = {"cov_type": "nonrobust"}
    if lag is not None:
        settings = {"cov_type": "HAC", "cov_kwds": {"maxlags": lag, "use_correction": True}}
    family = Poisson() if alpha is None else NegativeBinomial(alpha=alpha)
    # Begun a little off the mean rate: begun on it, months that are all equal leave a deviance of 0 / 0.
    start = np.zeros(design.shape[1])
    start[0] = np.log(counts.sum() / np.exp(offset).sum()) + 0.1
    with warnings.catch_warnings():
        # A series without noise is "perfectly predicted", which is no separation here.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        result = GLM(counts, design, family=family, offset=offset).fit(
            start_params=start,
            scale="X2" if alpha is None else 1.0,
            tol_criterion="params",
            tol=1e-10,
            maxiter=200,
            **settings,
        )
    if not result.converged:
        raise StatisticsError(
            "the trend model did not converge", got=f"{len(design)} months", do="look at the counts"
        )
    return result


def _shared_windows(design: Array, result: Any, months: Array, window: int) -> tuple[Array, int]:
    """Covariance of the coefficients when values share readings, and its effective degrees of freedom.

    Values of windows of w months that begin d months apart have the share 1 - d / w in common, which is taken for
    their correlation R. With the weighted design X, hat matrix H and residuals r: covariance (X'X)^-1 X'RX (X'X)^-1
    times r'r / tr((I - H) R), and by matching two moments tr((I - H) R)^2 / tr(((I - H) R)^2) degrees of freedom
    (Satterthwaite 1946, Biometrics Bulletin 2:110). `benchmarks/trends.py` shows that it keeps its level where
    Newey-West errors, which estimate R from a short series, do not.
    """
    import numpy as np

    weights = np.asarray(result.family.weights(np.asarray(result.fittedvalues)), dtype=float)
    rows = np.sqrt(weights)[:, None] * design
    inverse = np.linalg.inv(rows.T @ rows)
    shared = np.maximum(0.0, 1.0 - np.abs(months[:, None] - months) / window)
    left = shared - rows @ inverse @ (rows.T @ shared)
    residuals = np.asarray(result.resid_pearson)
    scale = float(residuals @ residuals) / float(np.trace(left))
    freedom = float(np.trace(left)) ** 2 / float((left * left.T).sum())
    return scale * inverse @ (rows.T @ shared @ rows) @ inverse, max(1, int(freedom))


def _best_alpha(counts: Array, design: Array, offset: Array) -> float | None:
    """Maximum likelihood of the negative binomial's alpha; None where the likelihood grows towards Poisson."""
    import numpy as np
    from scipy import optimize, special

    def lost(log_alpha: float) -> float:
        size = np.exp(-log_alpha)
        mean = np.asarray(_fit(counts, design, offset, 1 / size, None).fittedvalues)
        gained = special.gammaln(counts + size) - special.gammaln(size)
        gained += size * np.log(size / (size + mean)) + special.xlogy(counts, mean / (size + mean))
        return -float(gained.sum())

    ends = (float(np.log(LEAST_ALPHA)), float(np.log(MOST_ALPHA)))
    found = optimize.minimize_scalar(lost, bounds=ends, method="bounded", options={"xatol": 1e-7})
    inside = ends[0] + 0.5 < found.x < ends[1] - 0.5
    return float(np.exp(found.x)) if inside and lost(ends[0]) - float(found.fun) > 1e-6 else None


def _percent(slope: float) -> float:
    import numpy as np

    return float(100 * np.expm1(slope))


def _lag_one(residuals: Array) -> float:
    import numpy as np

    centred = residuals - residuals.mean()
    total = float(centred @ centred)
    # A perfect fit leaves rounding noise only: its autocorrelation says nothing.
    return float(centred[1:] @ centred[:-1] / total) if total > np.finfo(float).eps else 0.0
