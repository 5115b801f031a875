"""Shares: Wilson's score interval.

EB Wilson, Probable inference, the law of succession, and statistical inference, J Am Stat Assoc
1927;22:209-12: with p = x / n, the limits are (x + z^2/2 -/+ z sqrt(x (n - x) / n + z^2/4)) / (n + z^2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.indicators.rates.border import answer, given_numbers, one_word, words
from ncdsurv.indicators.rates.given import (
    CONFIDENCE,
    PERCENT,
    Figures,
    Floats,
    counts_of,
    positive,
    within,
    z_of,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

METHOD = "Wilson"


def wilson_limits(
    count: ArrayLike, total: ArrayLike, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats]:
    """Wilson score limits of a share.

    Args:
        count: People with the attribute (>= 0, <= total); NaN gives NaN.
        total: People asked about; where it is 0 or NaN the limits are NaN.
        confidence: Two-sided, 0.95 by default.

    Returns:
        (lower, upper) as proportions, Float64, the shape of the inputs.

    Raises:
        StatisticsError: A negative count, or a count above its total.

    >>> [round(float(limit), 6) for limit in wilson_limits(65, 100)]
    [0.552544, 0.736358]
    """
    x, n = counts_of(count, total)
    within(x, n)
    z = z_of(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.where(n > 0, n, np.nan)
        middle = x + z * z / 2
        half = z * np.sqrt(x * (n - x) / n + z * z / 4)
        lower, upper = (middle - half) / (n + z * z), (middle + half) / (n + z * z)
    # At the ends the formula gives 0 and 1 but for rounding.
    return np.where(x == 0, lower * 0, lower), np.where(x == n, upper * 0 + 1, upper)


def proportion(
    frame: Any = None,
    *,
    count: Any,
    total: Any,
    multiplier: float = PERCENT,
    confidence: float = CONFIDENCE,
) -> Any:
    """A share of each row with its Wilson interval.

    Args:
        frame: A pandas or polars DataFrame; without one, `count` and `total` are arrays.
        count: People with the attribute: a column's name, or an array. At least 0 and at most `total`.
        total: People asked about.
        multiplier: 100 gives percent, 1 a proportion.
        confidence: Two-sided, above 0 and below 1.

    Returns:
        The same kind of frame with value, lower, upper (Float64, times `multiplier`), method (String) and
        confidence (Float64) added; or `Figures` of arrays. Null where the total is 0 or a number is null.

    Raises:
        StatisticsError: A negative or infinite number, a count above its total, arrays of different lengths, a
            confidence out of range.
        UsageError: A column that the frame does not have.

    >>> import polars as pl
    >>> proportion(pl.DataFrame({"n": [65], "d": [100]}), count="n", total="d")["value"].to_list()
    [65.0]
    >>> found = proportion(count=[65, 0], total=[100, 0])
    >>> found.value
    array([65., nan])
    >>> round(float(found.lower[0]), 4), str(found.method[0])
    (55.2544, 'Wilson')
    """
    table, (x, n) = given_numbers(frame, count=count, total=total)
    scale = positive("multiplier", multiplier)
    lower, upper = wilson_limits(x, n, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(n > 0, x / n, np.nan)
    known = ~np.isnan(value)
    how = one_word(METHOD, value.shape) if known.all() else words([(known, METHOD)], "", value.shape)
    return answer(table, Figures(scale * value, scale * lower, scale * upper, how, confidence))
