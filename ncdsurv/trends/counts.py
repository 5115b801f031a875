"""Regression of counts with a log offset, whatever the design: what rate trends and interrupted series share.

Quasi-Poisson: variance = dispersion x mean, the dispersion estimated from Pearson's chi-square over the residual
degrees of freedom (McCullagh and Nelder, Generalized Linear Models, 2nd ed. 1989, chapters 6 and 9). Negative
binomial: variance = mean + alpha x mean^2, alpha by maximum likelihood, as `glm.nb` of R's MASS (Venables and
Ripley) has it with theta = 1 / alpha.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ncdsurv.errors import StatisticsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

QUASI_POISSON, NEGATIVE_BINOMIAL = "quasi_poisson", "negative_binomial"
LEAST_ALPHA, MOST_ALPHA = 1e-8, 50.0  # at either end the likelihood has no maximum between


@dataclass(frozen=True)
class CountFit:
    """A fitted regression of counts: `poisson` the Poisson fit, `own` that of the family used (the same fit for
    quasi-Poisson), `alpha` None for quasi-Poisson, `freedom` the residual degrees of freedom."""

    counts: Array
    design: Array
    offset: Array
    poisson: Any
    own: Any
    alpha: float | None
    freedom: int

    @property
    def family(self) -> str:
        """`quasi_poisson` or `negative_binomial`."""
        return QUASI_POISSON if self.alpha is None else NEGATIVE_BINOMIAL

    @property
    def dispersion(self) -> float:
        """Pearson chi-square of the Poisson fit over its residual degrees of freedom."""
        return float(self.poisson.pearson_chi2 / self.freedom)

    @property
    def residuals(self) -> Array:
        """Pearson's residuals of the family used, shape (n,)."""
        import numpy as np

        return np.asarray(self.own.resid_pearson)

    def covariance(self, lag: int | None = None) -> Array:
        """Covariance of the coefficients: the family's own, or Newey and West's (1987) with a lag in months."""
        import numpy as np

        found = self.own
        if lag is not None:
            found = _solve(self.counts, self.design, self.offset, self.alpha, lag)
        return np.asarray(found.cov_params())

    def shared_windows(self, months: Array, window: int) -> tuple[Array, int]:
        """Covariance of the coefficients when values share readings, and its effective degrees of freedom.

        Values of windows of w months that begin d months apart have the share 1 - d / w in common, which is taken
        for their correlation R. With the weighted design X, hat matrix H and residuals r: covariance
        (X'X)^-1 X'RX (X'X)^-1 times r'r / tr((I - H) R), and by matching two moments
        tr((I - H) R)^2 / tr(((I - H) R)^2) degrees of freedom (Satterthwaite 1946, Biometrics Bulletin 2:110).
        `benchmarks/trends.py` shows that it keeps its level where Newey-West errors, which estimate R from a short
        series, do not.
        """
        import numpy as np

        weights = np.asarray(self.own.family.weights(np.asarray(self.own.fittedvalues)), dtype=float)
        rows = np.sqrt(weights)[:, None] * self.design
        inverse = np.linalg.inv(rows.T @ rows)
        shared = np.maximum(0.0, 1.0 - np.abs(months[:, None] - months) / window)
        left = shared - rows @ inverse @ (rows.T @ shared)
        scale = float(self.residuals @ self.residuals) / float(np.trace(left))
        freedom = float(np.trace(left)) ** 2 / float((left * left.T).sum())
        return scale * inverse @ (rows.T @ shared @ rows) @ inverse, max(1, int(freedom))


def fit_counts(numerator: Array, denominator: Array, design: Array, family: str, do: str) -> CountFit:
    """Fit counts to a design with the logarithm of the denominator as offset.

    Args:
        numerator: Counts, shape (n,).
        denominator: Positive counts or person-time, shape (n,).
        design: Shape (n, parameters); the first column is the constant.
        family: `quasi_poisson` or `negative_binomial`; the latter falls back to the former where no variance
            beyond Poisson can be estimated.
        do: What to do where no degree of freedom is left, in the caller's words.

    Returns:
        The fit.

    Raises:
        StatisticsError: No residual degree of freedom, or the fit did not converge.
    """
    import numpy as np

    freedom = len(design) - design.shape[1]
    if freedom < 1:
        raise StatisticsError(
            "no residual degree of freedom is left",
            got=f"{len(design)} months for {design.shape[1]} parameters",
            do=do,
        )
    counts = np.asarray(numerator, dtype=float)
    offset = np.log(np.asarray(denominator, dtype=float))
    poisson = _solve(counts, design, offset, None)
    alpha = _best_alpha(counts, design, offset) if family == NEGATIVE_BINOMIAL else None
    own = poisson if alpha is None else _solve(counts, design, offset, alpha)
    return CountFit(counts, design, offset, poisson, own, alpha, freedom)


def lag_one(residuals: Array) -> float:
    """Autocorrelation of residuals one month apart; 0 where a perfect fit leaves rounding only.

    >>> import numpy as np
    >>> round(lag_one(np.array([1.0, 2.0, 3.0, 4.0])), 2)
    0.25
    """
    import numpy as np

    centred = residuals - residuals.mean()
    total = float(centred @ centred)
    return float(centred[1:] @ centred[:-1] / total) if total > np.finfo(float).eps else 0.0


def _solve(counts: Array, design: Array, offset: Array, alpha: float | None, lag: int | None = None) -> Any:
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


def _best_alpha(counts: Array, design: Array, offset: Array) -> float | None:
    """Maximum likelihood of the negative binomial's alpha; None where the likelihood grows towards Poisson."""
    import numpy as np
    from scipy import optimize, special

    def lost(log_alpha: float) -> float:
        size = np.exp(-log_alpha)
        mean = np.asarray(_solve(counts, design, offset, 1 / size).fittedvalues)
        gained = special.gammaln(counts + size) - special.gammaln(size)
        gained += size * np.log(size / (size + mean)) + special.xlogy(counts, mean / (size + mean))
        return -float(gained.sum())

    ends = (float(np.log(LEAST_ALPHA)), float(np.log(MOST_ALPHA)))
    found = optimize.minimize_scalar(lost, bounds=ends, method="bounded", options={"xatol": 1e-7})
    inside = ends[0] + 0.5 < found.x < ends[1] - 0.5
    return float(np.exp(found.x)) if inside and lost(ends[0]) - float(found.fun) > 1e-6 else None
