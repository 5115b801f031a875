"""A drifting level with a constant slope and fixed season, how much it drifts integrated out. Arrays in, arrays out.

    y_t = a + b t + season_t + s (e_t + r w_t),    e_t independent normal, w_t a random walk of unit steps from w_0 = 0

the local level model with drift of Harvey (Forecasting, Structural Time Series Models and the Kalman Filter, 1989). For
a given ratio r it is a linear regression with a known correlation V: with flat priors on the coefficients and 1 / s on
the scale, a future month follows Student's t on n - p degrees of freedom around the best linear unbiased prediction
(Zellner, An Introduction to Bayesian Inference in Econometrics, 1971), the uncertainty of coefficients and scale
included. A maximum likelihood estimate of r is often 0 in short series although the level drifts, and intervals that
take it as known are then too narrow far ahead. So r is not estimated but averaged over a grid, weighted by the
restricted likelihood |V|^-1/2 |X'V^-1 X|^-1/2 (y'Py)^-(n - p)/2 (Harville 1974, Biometrika 61:383) and a prior that is
flat in r / (1 + r), the share of the drift. `benchmarks/forecast.py` shows what the intervals hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR
from ncdsurv.trends.mixture import Mixture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

HARMONICS, CELLS = 2, 24


@dataclass(frozen=True)
class Maps:
    """What does not depend on the data, by ratio: `left` (ratios, n, n) gives the residual sum of squares as y'Py,
    `ahead` (ratios, months ahead, n) the predictions, `spread` (ratios, months ahead) their variance over s^2, `prior`
    (ratios,) the logarithm of the part of the weight without data."""

    ratios: Array
    left: Array
    ahead: Array
    spread: Array
    prior: Array
    freedom: int


@dataclass(frozen=True)
class Drifts(Mixture):
    """Predictive distribution of each month ahead, a part by ratio; `ratios` (parts,)."""

    ratios: Array


def design(months: Array) -> Array:
    """Constant, time and season by month, shape (len(months), 2 + 2 x harmonics)."""
    import numpy as np

    angles = 2 * np.pi * months / MONTHS_PER_YEAR
    waves = [wave(h * angles) for h in range(1, HARMONICS + 1) for wave in (np.cos, np.sin)]
    return np.column_stack([np.ones_like(months), months / MONTHS_PER_YEAR, *waves])


@lru_cache(maxsize=64)
def maps_of(n: int, ahead: int) -> Maps:
    """The linear maps of a series of `n` months, for so many months ahead."""
    import numpy as np

    share = (np.arange(CELLS) + 0.5) / CELLS
    ratios = share / (1 - share)
    known, future = np.arange(1.0, n + 1), np.arange(n + 1.0, n + ahead + 1)
    x, x_ahead = design(known), design(future)
    walk = np.minimum(known[:, None], known)
    left, maps, spread, prior = [], [], [], []
    for q in ratios**2:
        inverse = np.linalg.inv(np.eye(n) + q * walk)
        middle = np.linalg.inv(x.T @ inverse @ x)
        gain = middle @ x.T @ inverse  # the coefficients
        shared = q * np.minimum(known[:, None], future).T @ inverse
        rest = x_ahead - shared @ x
        left.append(inverse - inverse @ x @ gain)
        maps.append(x_ahead @ gain + shared @ (np.eye(n) - x @ gain))
        own = 1 + q * future - q * np.einsum("hi,ih->h", shared, np.minimum(known[:, None], future))
        spread.append(own + np.einsum("hi,ij,hj->h", rest, middle, rest))
        prior.append((np.linalg.slogdet(inverse)[1] + np.linalg.slogdet(middle)[1]) / 2)
    freedom = n - x.shape[1]
    return Maps(ratios, np.array(left), np.array(maps), np.array(spread), np.array(prior), freedom)


def weigh(maps: Maps, y: Array) -> tuple[Array, Array]:
    """Weight of every ratio and residual variance over it, both of shape (ratios, series).

    Args:
        maps: For series of this length.
        y: One series a column, shape (n, series).
    """
    import numpy as np

    squares = np.einsum("ns,rns->rs", y, maps.left @ y)
    squares = np.maximum(squares, np.finfo(float).tiny)
    log = maps.prior[:, None] - maps.freedom / 2 * np.log(squares)
    weight = np.exp(log - log.max(axis=0))
    return weight / weight.sum(axis=0), squares / maps.freedom


def predict(y: Array, ahead: int, floor: float = 0.0) -> Drifts:
    """Distribution of the months after a series.

    Args:
        y: The series, one value a month, shape (n,).
        ahead: Months ahead.
        floor: Least residual standard deviation: a stretch without noise would claim to know the future exactly.

    Returns:
        The mixture.
    """
    import numpy as np

    maps = maps_of(len(y), ahead)
    weight, variance = weigh(maps, y[:, None])
    scale = np.sqrt(np.maximum(variance, floor**2) * maps.spread)
    return Drifts(weight[:, 0], maps.ahead @ y, scale, maps.freedom, maps.ratios)


def standard_errors(y: Array, cut: int, ahead: int) -> Array:
    """Errors of the months after a cut over their standard deviation, for many series, shape (ahead, series).

    Args:
        y: One series a column, shape (n, series).
        cut: Months that are known.
        ahead: Months after it.
    """
    import numpy as np

    maps = maps_of(cut, ahead)
    weight, variance = weigh(maps, y[:cut])
    means = maps.ahead @ y[:cut]  # (ratios, ahead, series)
    mean = np.einsum("rs,rhs->hs", weight, means)
    inner = maps.spread[:, :, None] * (variance * maps.freedom / (maps.freedom - 2))[:, None, :]
    spread = np.einsum("rs,rhs->hs", weight, inner + (means - mean) ** 2)
    return np.asarray((y[cut : cut + ahead] - mean) / np.sqrt(spread))
