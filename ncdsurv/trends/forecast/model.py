"""A forecast with a rolling back-test. Arrays in, arrays out.

The model of `drift.py` on the logit of a share or the log of a rate; half an event at either end keeps a month of 0
finite. The series is cut at earlier months, forecast and compared with what came. Series of the model itself, drawn at
random, say how large the errors of such a back-test are by chance; where those of the series are larger than in nearly
all of them, the model does not fit and every interval is widened by the ratio of both. It is never narrowed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ncdsurv.errors import StatisticsError
from ncdsurv.trends.forecast.drift import Drifts, predict, standard_errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ROUNDING = 1e-9
DRAWN, SEED = 199, 20260
FLOOR = 1e-3  # of the series' own spread


@dataclass(frozen=True)
class BackTest:
    """Cuts, forecasts compared, longest horizon, share covered before and after widening, the factor, and how often
    series of the model itself have errors as large (`p_value`)."""

    origins: int
    compared: int
    horizon: int
    covered_raw: float
    covered: float
    factor: float
    p_value: float


@dataclass(frozen=True)
class Forecast:
    """Distribution of each month ahead on the model's scale, widened by the back-test's factor."""

    mixture: Drifts
    median: Array
    backtest: BackTest

    def quantile(self, p: float) -> Array:
        """The value that is not passed with probability `p`, shape (months ahead,)."""
        return self.median + self.backtest.factor * (self.mixture.quantile(p) - self.median)

    def below(self, x: Array | float) -> Array:
        """Probability of a value not above `x`, shape (months ahead,)."""
        return self.mixture.cdf(self.median + (x - self.median) / self.backtest.factor)


def to_scale(numerator: Array, denominator: Array, share: bool) -> Array:
    """Logit of a share or log of a rate, half an event added."""
    import numpy as np

    return np.log((numerator + 0.5) / (denominator - numerator + 0.5 if share else denominator))


def from_scale(values: Array, share: bool) -> Array:
    """The rate of a value of the scale."""
    import numpy as np
    from scipy.special import expit

    with np.errstate(over="ignore"):  # what no number can hold is infinite, and the verb refuses it
        return np.asarray(expit(values) if share else np.exp(values))


def fit_forecast(
    y: Array, ahead: int, *, first_origin: int, origins: int, confidence: float = 0.95, alpha: float = 0.05
) -> Forecast:
    """Forecast a series on its scale and check the intervals on it.

    Args:
        y: The series, one value a month, shape (n,).
        ahead: Months ahead.
        first_origin: Months the first back-test is fitted to.
        origins: Back-tests at most, evenly spread.
        confidence: Of the interval whose coverage is told.
        alpha: Share of the model's own series with larger errors, below which the intervals are widened.

    Returns:
        The forecast.

    Raises:
        StatisticsError: The months do not vary.

    >>> import numpy as np
    >>> y = 0.1 * np.arange(48.0) + np.tile([0.0, 0.02, -0.02], 16)
    >>> found = fit_forecast(y, 12, first_origin=24, origins=6)
    >>> round(float(found.median[-1]), 1), found.backtest.factor
    (5.9, 1.0)
    """
    import numpy as np

    y = np.asarray(y, dtype=float)
    if float(np.ptp(y)) < ROUNDING:
        raise StatisticsError(
            "months are all equal, so nothing says how far a forecast may be out",
            got=f"{len(y)} equal months",
            do="state the value; it has no interval",
        )
    y_mean = float(y.mean())
    y, floor = y - y_mean, FLOOR * float(np.std(y))
    mixture = predict(y, ahead, floor)
    cuts = np.unique(np.linspace(first_origin, len(y) - 1, origins).astype(int)).tolist()
    factor, p_value = _misfit(y, mixture, cuts, ahead, alpha)
    outer = [_outer(y, cut, ahead, floor, (1.0, factor)) for cut in cuts]
    every = np.concatenate(outer, axis=1)
    within = (every <= confidence).mean(axis=1)
    longest = max(one.shape[1] for one in outer)
    test = BackTest(len(cuts), every.shape[1], longest, float(within[0]), float(within[1]), factor, p_value)
    moved = replace(mixture, mean=mixture.mean + y_mean)
    return Forecast(moved, moved.quantile(0.5), test)


def _outer(y: Array, cut: int, ahead: int, floor: float, factors: tuple[float, ...]) -> Array:
    """Confidence of the narrowest interval that holds each month after a cut, by factor of widening."""
    import numpy as np

    come = y[cut : cut + ahead]
    found = predict(y[:cut], len(come), floor)
    middle = found.quantile(0.5)
    return np.array([np.abs(2 * found.cdf(middle + (come - middle) / factor) - 1) for factor in factors])


def _misfit(y: Array, mixture: Drifts, cuts: list[int], ahead: int, alpha: float) -> tuple[float, float]:
    """Factor of widening, and the share of the model's own series whose back-test has errors as large."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    ratio = rng.choice(mixture.ratios, size=DRAWN, p=mixture.weight)
    # Level, slope, season and scale do not matter: the errors are the same whatever they are.
    walk = np.cumsum(rng.normal(size=(len(y), DRAWN)), axis=0)
    series = np.column_stack([y, rng.normal(size=(len(y), DRAWN)) + ratio * walk])
    squares = [standard_errors(series, cut, min(ahead, len(y) - cut)) ** 2 for cut in cuts]
    size = np.sqrt(np.concatenate(squares).mean(axis=0))
    p_value = float((1 + (size[1:] >= size[0]).sum()) / (DRAWN + 1))
    return max(1.0, float(size[0] / np.median(size[1:]))) if p_value <= alpha else 1.0, p_value
