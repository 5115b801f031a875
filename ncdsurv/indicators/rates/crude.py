"""Counts and crude rates: exact Poisson limits below 10 events, Byar's approximation from 10 on.

Exact: chi-square quantiles (F Garwood, Biometrika 1936;28:437-42). Byar: NE Breslow, NE Day, Statistical
Methods in Cancer Research II, IARC 1987, eq. 2.13: x (1 - 1/(9x) - z/(3 sqrt x))^3, and with x + 1 and + z above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.indicators.rates.border import answer, given_numbers, words
from ncdsurv.indicators.rates.given import (
    CONFIDENCE,
    PER_100000,
    Figures,
    Floats,
    at_risk,
    checked,
    numbers,
    positive,
    same_shape,
    z_of,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EXACT_BELOW = 10  # Byar's approximation is used from this count on
EXACT, BYAR = "exact Poisson", "Byar"


def poisson_limits(count: ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """Limits of a Poisson count: exact below 10, Byar's approximation from 10 on.

    Args:
        count: Events (>= 0); NaN gives NaN.
        confidence: Two-sided, 0.95 by default.

    Returns:
        (lower, upper) of the count, Float64.

    Raises:
        StatisticsError: A negative count, a confidence out of range.

    >>> [round(float(limit), 4) for limit in poisson_limits(100)]
    [81.3621, 121.6279]
    """
    from scipy.special import gammaincinv

    x = numbers("count", count)
    if x.ndim == 0:
        lower, upper = poisson_limits(x[None], confidence)
        return lower[0], upper[0]
    z, tail = z_of(confidence), (1 - confidence) / 2
    more = x + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        root, root_more = 3 * np.sqrt(x), 3 * np.sqrt(more)
        lower = x * (1 - 1 / root**2 - z / root) ** 3
        upper = more * (1 - 1 / root_more**2 + z / root_more) ** 3
    few = x < EXACT_BELOW
    # chi2.ppf(p, 2k) / 2 is the inverse of the regularised gamma function at (k, p); small counts repeat.
    distinct, at = np.unique(x[few], return_inverse=True)
    lower[few] = np.where(distinct > 0, gammaincinv(np.maximum(distinct, np.finfo(float).tiny), tail), 0.0)[
        at
    ]
    upper[few] = gammaincinv(distinct + 1, 1 - tail)[at]
    return lower, upper


def poisson_method(count: Floats, limit: Floats) -> NDArray[np.str_]:
    """The name of the method that `poisson_limits` used for each count, empty where there is no limit."""
    return words([(np.isnan(limit), ""), (count < EXACT_BELOW, EXACT)], BYAR, count.shape)


def rate(
    frame: Any = None,
    *,
    count: Any,
    population: Any,
    per: float = PER_100000,
    confidence: float = CONFIDENCE,
) -> Any:
    """A crude rate of each row with its Poisson interval (exact below 10 events, Byar from 10 on).

    Args:
        frame: A pandas or polars DataFrame; without one, `count` and `population` are arrays.
        count: Events: a column's name, or an array. At least 0.
        population: Persons, or person-years, at risk.
        per: Multiplier, 100,000 by default.
        confidence: Two-sided, above 0 and below 1.

    Returns:
        The same kind of frame with value, lower, upper (Float64, per `per`), method and confidence added; or
        `Figures` of arrays. Null where nobody is at risk or a number is null.

    Raises:
        StatisticsError: A negative or infinite number, events in an empty population, arrays of different
            lengths, a confidence out of range.
        UsageError: A column that the frame does not have.

    >>> found = rate(count=[5, 100], population=[1000, 1000], per=1000)
    >>> [round(float(limit), 4) for limit in found.upper]
    [11.6683, 121.6279]
    >>> found.method.tolist()
    ['exact Poisson', 'Byar']
    """
    table, (x, n) = given_numbers(frame, count=count, population=population)
    x, n = same_shape(count=x, population=n)
    checked(confidence)
    people, scale = at_risk(x, n), positive("per", per)
    lower, upper = poisson_limits(x, confidence)
    value, lower, upper = (scale * figure / people for figure in (x, lower, upper))
    return answer(table, Figures(value, lower, upper, poisson_method(x, lower), confidence))
