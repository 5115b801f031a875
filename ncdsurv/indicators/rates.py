"""Proportions, rates and directly standardised rates with their intervals; usable alone.

Functions over arrays; `frames` has the same over pandas and polars frames.

Methods, from their papers:
- share: Wilson score, EB Wilson, J Am Stat Assoc 1927;22:209-12.
- count: exact Poisson by chi-square below 10, Byar's approximation from 10 on; NE Breslow, NE Day,
  Statistical Methods in Cancer Research II, IARC 1987, eq. 2.13.
- standardised rate: AJ Dobson et al., Stat Med 1991;10:457-62, on those limits of the total count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ncdsurv.errors import StatisticsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
PER_100000 = 100_000
EXACT_BELOW = 10  # Byar's approximation is used from this count on
FEWEST_EVENTS = 10  # a standardised rate of fewer events is withheld (UKHSA practice)


def _z(confidence: float) -> float:
    from scipy.special import ndtri

    if not 0 < confidence < 1:
        raise StatisticsError(
            "confidence out of range", got=confidence, allowed="between 0 and 1", do="give 0.95"
        )
    return float(ndtri((1 + confidence) / 2))


def wilson_limits(
    count: ArrayLike, total: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson score limits of a share.

    Args:
        count: People with the attribute (>= 0, <= total).
        total: People asked about; where it is 0 or NaN the limits are NaN.
        confidence: Two-sided, 0.95 by default.

    Returns:
        (lower, upper) as proportions, Float64, the shape of the inputs.

    Raises:
        StatisticsError: A negative count, or a count above its total.

    >>> [round(float(limit), 6) for limit in wilson_limits(65, 100)]
    [0.552544, 0.736358]
    """
    x, n = _pair(count, total, "total")
    if np.any(x > n):
        raise StatisticsError(
            "a count exceeds its total",
            got=f"{int(np.sum(x > n))} of {x.size} rows",
            do="check the two columns",
        )
    z = _z(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.where(n > 0, n, np.nan)
        middle = x + z * z / 2
        half = z * np.sqrt(x * (n - x) / n + z * z / 4)
        lower, upper = (middle - half) / (n + z * z), (middle + half) / (n + z * z)
    return np.where(x == 0, lower * 0, lower), np.where(x == n, upper * 0 + 1, upper)


def poisson_limits(
    count: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Limits of a Poisson count: exact below 10, Byar's approximation from 10 on.

    Args:
        count: Events (>= 0); NaN gives NaN.
        confidence: Two-sided, 0.95 by default.

    Returns:
        (lower, upper) of the count, Float64.

    >>> [round(float(limit), 4) for limit in poisson_limits(100)]
    [81.3621, 121.6279]
    """
    from scipy.special import gammaincinv

    x, _ = _pair(count, 1, "total")
    z, tail = _z(confidence), (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = x * (1 - 1 / (9 * x) - z / (3 * np.sqrt(x))) ** 3
        more = x + 1
        upper = more * (1 - 1 / (9 * more) + z / (3 * np.sqrt(more))) ** 3
    few = x < EXACT_BELOW
    # chi2.ppf(p, 2k) / 2 is the inverse of the regularised gamma function at (k, p).
    lower = np.where(few, gammaincinv(np.where(few & (x > 0), x, 1), tail), lower)
    upper = np.where(few, gammaincinv(np.where(few, more, 1), 1 - tail), upper)
    return np.where(x == 0, 0.0, lower), upper


def standardise(
    count: ArrayLike, population: ArrayLike, weight: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Directly standardised rates and Dobson limits, one for each row of a (areas, age groups) array.

    Args:
        count: Events by age group (last axis).
        population: Population at risk by age group; more than 0.
        weight: Standard population of the same age groups; need not sum to 1.
        confidence: Two-sided, 0.95 by default.

    Returns:
        (value, lower, upper) per person; NaN where fewer than 10 events or a population is missing.

    >>> value, lower, upper = standardise([[40, 60]], [[1000, 500]], [3, 1])
    >>> round(float(value[0]), 4)
    0.06
    """
    x, n = _pair(count, population, "population")
    w = np.asarray(weight, dtype=np.float64)
    if w.shape != x.shape[-1:]:
        raise StatisticsError(
            "standard population and age groups differ", got=f"{w.size} weights for {x.shape[-1]} age groups"
        )
    w = w / w.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.where(n > 0, n, np.nan)
        value, variance = (w * x / n).sum(axis=-1), (w * w * x / (n * n)).sum(axis=-1)
        return dobson(value, variance, x.sum(axis=-1), confidence)


def dobson(
    value: ArrayLike, variance: ArrayLike, total: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Dobson limits from a standardised rate, its variance and its total count; NaN below 10 events."""
    rate, spread, events = (np.asarray(a, dtype=np.float64) for a in (value, variance, total))
    low, high = poisson_limits(events, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.sqrt(spread / events)
        figures = (rate, rate + scale * (low - events), rate + scale * (high - events))
    enough = events >= FEWEST_EVENTS
    return tuple(np.where(enough, figure, np.nan) for figure in figures)  # type: ignore[return-value]


def _pair(count: ArrayLike, total: ArrayLike, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, n = np.broadcast_arrays(np.asarray(count, dtype=np.float64), np.asarray(total, dtype=np.float64))
    for label, values in (("count", x), (name, n)):
        if np.any(values < 0):
            raise StatisticsError(
                f"a negative {label}", got=f"{int(np.sum(values < 0))} rows", do="check the column"
            )
    return x, n
