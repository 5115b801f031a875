"""A line through areas in their order, weighted by population: its two ends and how sure they are.

The ends are linear in the values, so their covariance follows from the values' standard errors exactly. Source of
the indices made of them: `inequality`.
"""

from __future__ import annotations

import numpy as np

from ncdsurv.errors import StatisticsError
from ncdsurv.indicators.rates.given import Floats, z_of

PLAIN, LOG, LOGIT = "plain", "log", "logit"
DRAWS = 100_000


def middles(population: Floats, rank: Floats) -> Floats:
    """Where each area's middle lies on the population laid from 0 to 1 in the order of the rank.

    >>> middles(np.array([100.0, 200.0, 100.0]), np.array([1.0, 2.0, 2.0])).tolist()
    [0.125, 0.625, 0.625]
    """
    _, place = np.unique(rank, return_inverse=True)
    stretch = np.bincount(place, weights=population) / population.sum()
    found: Floats = (np.cumsum(stretch) - stretch / 2)[place]
    return found


def fitted_ends(value: Floats, error: Floats, population: Floats, rank: Floats) -> tuple[Floats, Floats]:
    """The fitted value at 0 and at 1, and their covariance.

    Args:
        value: Of each area, on the scale of the line.
        error: Standard error of each value.
        population: Weight of each area.
        rank: What the areas are ordered by.

    Returns:
        (ends, covariance): Float64 of shape (2,) and (2, 2).

    >>> ends, _ = fitted_ends(np.array([1.0, 2.0]), np.zeros(2), np.ones(2), np.array([1, 2]))
    >>> ends.tolist()
    [0.5, 2.5]
    """
    at, share = middles(population, rank), population / population.sum()
    centre = float(share @ at)
    slope = share * (at - centre) / float(share @ (at - centre) ** 2)  # what each value adds to the slope
    parts = np.vstack([share - slope * centre, share + slope * (1 - centre)])
    return parts @ value, (parts * error**2) @ parts.T


def delta(
    ends: Floats, covariance: Floats, scale: str, multiplier: float, confidence: float
) -> tuple[Floats, Floats]:
    """Limits of the difference and (on the log scale) of the ratio of the ends, by the delta method."""
    (first, last), (steep0, steep1) = back(ends, scale, multiplier), _steep(ends, scale, multiplier)
    z, both = z_of(confidence), np.array([-1.0, 1.0])
    grade = np.array([-steep0, steep1])
    sides = last - first + both * z * np.sqrt(grade @ covariance @ grade)
    if first <= 0 or last <= 0:
        return sides, np.full(2, np.nan)
    grade = np.array([-steep0 / first, steep1 / last])
    return sides, last / first * np.exp(both * z * np.sqrt(grade @ covariance @ grade))


def simulated(
    ends: Floats, covariance: Floats, scale: str, multiplier: float, confidence: float, seed: int
) -> tuple[Floats, Floats]:
    """The same limits as quantiles of drawn ends; the ratio's are NaN where an end was drawn at or below 0."""
    draws = np.random.default_rng(seed).multivariate_normal(ends, covariance, DRAWS).T
    first, last = back(draws, scale, multiplier)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    sound = bool(np.all(first > 0) and np.all(last > 0))
    return np.quantile(last - first, tails), np.quantile(last / first, tails) if sound else np.full(2, np.nan)


def to_scale(value: Floats, scale: str, multiplier: float) -> Floats:
    """Values on the scale of the line.

    Raises:
        StatisticsError: A value that the scale cannot hold.
    """
    if scale == PLAIN:
        return value
    share = value / multiplier
    if np.any(share <= 0) or (scale == LOGIT and np.any(share >= 1)):
        allowed = "above 0" if scale == LOG else "above 0 and below the multiplier"
        raise StatisticsError(f"a value or limit outside the {scale} scale", allowed=allowed)
    return np.log(share) if scale == LOG else np.log(share / (1 - share))


def back(there: Floats, scale: str, multiplier: float) -> Floats:
    """Values of the line in the caller's unit."""
    if scale == PLAIN:
        return there
    return multiplier * (np.exp(there) if scale == LOG else 1 / (1 + np.exp(-there)))


def _steep(there: Floats, scale: str, multiplier: float) -> Floats:
    if scale == PLAIN:
        return np.ones_like(there)
    found = back(there, scale, multiplier)
    return found if scale == LOG else found * (1 - found / multiplier)
