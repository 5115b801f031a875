"""A forecast with a rolling back-test. Arrays in, arrays out.

Local level with a constant slope and fixed seasonal harmonics (Harvey AC, Forecasting, Structural Time Series Models
and the Kalman Filter, 1989) on the logit of a share or the log of a rate; half an event at either end keeps a month of
0 finite. The series is cut at earlier months, forecast and compared with what came: where the squared errors exceed
what the model says, every interval is widened by the root of their ratio. It is never narrowed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.errors import StatisticsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

HARMONICS = 2
ROUNDING = 1e-9


@dataclass(frozen=True)
class BackTest:
    """Cuts, forecasts compared, longest horizon, share covered before and after widening, and the factor."""

    origins: int
    compared: int
    horizon: int
    covered_raw: float
    covered: float
    factor: float


@dataclass(frozen=True)
class Forecast:
    """Mean and widened standard error on the model's scale for each month ahead, and the back-test."""

    mean: Array
    error: Array
    backtest: BackTest


def to_scale(numerator: Array, denominator: Array, share: bool) -> Array:
    """Logit of a share or log of a rate, half an event added."""
    import numpy as np

    return np.log((numerator + 0.5) / (denominator - numerator + 0.5 if share else denominator))


def from_scale(values: Array, share: bool) -> Array:
    """The rate of a value of the scale."""
    import numpy as np

    return 1 / (1 + np.exp(-values)) if share else np.exp(values)


def fit_forecast(
    y: Array, ahead: int, *, first_origin: int, origins: int, confidence: float = 0.95
) -> Forecast:
    """Forecast a series on its scale and check the intervals on it.

    Args:
        y: The series, one value a month, shape (n,).
        ahead: Months ahead.
        first_origin: Months the first back-test is fitted to.
        origins: Back-tests at most, evenly spread.
        confidence: Of the interval whose coverage is told.

    Returns:
        The forecast; `mean` and `error` of shape (ahead,).

    Raises:
        StatisticsError: The months do not vary, or the model did not converge to finite errors.
    """
    import numpy as np
    from scipy import stats

    y = np.asarray(y, dtype=float)
    if float(np.ptp(y)) < ROUNDING:
        raise StatisticsError(
            "months are all equal, so nothing says how far a forecast may be out",
            got=f"{len(y)} equal months",
            do="state the value; it has no interval",
        )
    cuts = np.unique(np.linspace(first_origin, len(y) - 1, origins).astype(int))
    scores = []
    for cut in cuts:
        mean, error = _predict(y[:cut], min(ahead, len(y) - int(cut)))
        scores.append((y[cut : cut + len(mean)] - mean) / error)
    every = np.concatenate(scores)
    factor = max(1.0, float(np.sqrt((every**2).mean())))
    quantile = float(stats.norm.ppf(0.5 + confidence / 2))
    within = [float((np.abs(every) <= quantile * one).mean()) for one in (1.0, factor)]
    mean, error = _predict(y, ahead)
    longest = max(len(one) for one in scores)
    return Forecast(
        mean, error * factor, BackTest(len(cuts), len(every), longest, within[0], within[1], factor)
    )


def _predict(y: Array, ahead: int) -> tuple[Array, Array]:
    import numpy as np
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    model: Any = UnobservedComponents(
        y,
        level="lldtrend",
        freq_seasonal=[{"period": MONTHS_PER_YEAR, "harmonics": HARMONICS}],
        stochastic_freq_seasonal=[False],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a variance at its lower end is a finding here, not a failure
        found = model.fit(disp=False, maxiter=200).get_forecast(ahead)
    mean, error = np.asarray(found.predicted_mean), np.asarray(found.se_mean)
    # A stretch without noise would claim to know the future exactly.
    error = np.maximum(error, max(float(np.std(y)), ROUNDING) * 1e-3)
    if not (np.isfinite(mean).all() and np.isfinite(error).all()):
        raise StatisticsError(
            "the forecast model did not converge", got=f"{len(y)} months", do="look at the counts"
        )
    return mean, error
