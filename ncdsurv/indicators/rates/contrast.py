"""Two shares side by side: their difference and their ratio.

- Difference: RG Newcombe, Interval estimation for the difference between independent proportions: comparison of
  eleven methods, Stat Med 1998;17:873-90, method 10 (two Wilson intervals squared and added).
- Ratio: D Katz et al., Obtaining confidence intervals for the risk ratio in cohort studies, Biometrics
  1978;34:469-74 (normal on the log scale).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ncdsurv.indicators.rates.border import answer, given_numbers, words
from ncdsurv.indicators.rates.given import CONFIDENCE, PERCENT, Figures, positive, same_shape, within, z_of
from ncdsurv.indicators.rates.share import wilson_limits

NEWCOMBE, KATZ = "Newcombe", "log (Katz)"


def proportion_difference(
    frame: Any = None,
    *,
    count: Any,
    total: Any,
    other_count: Any,
    other_total: Any,
    multiplier: float = PERCENT,
    confidence: float = CONFIDENCE,
) -> Any:
    """count / total - other_count / other_total of each row, with Newcombe's interval.

    Args:
        frame: A pandas or polars DataFrame; without one, the rest are arrays.
        count: People with the attribute in the first group: a column's name, or an array.
        total: People of the first group.
        other_count: People with the attribute in the second group, nobody of whom is in the first.
        other_total: People of the second group.
        multiplier: 100 gives percentage points.
        confidence: Two-sided, above 0 and below 1.

    Returns:
        The same kind of frame with value, lower, upper (Float64), method and confidence added; or `Figures`. Null
        where a group is empty.

    Raises:
        StatisticsError: A negative count, a count above its total, arrays of different lengths.

    >>> found = proportion_difference(count=[56], total=[70], other_count=[48], other_total=[80], multiplier=1)
    >>> [round(float(figure[0]), 4) for figure in found[:3]]
    [0.2, 0.0524, 0.3339]
    """
    table, (p, q) = _two(frame, count, total, other_count, other_total)
    scale = positive("multiplier", multiplier)
    low, high = wilson_limits(p[0], p[1], confidence)
    other_low, other_high = wilson_limits(q[0], q[1], confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = p[0] / p[1], q[0] / q[1]
    value = first - second
    lower = value - np.sqrt((first - low) ** 2 + (other_high - second) ** 2)
    upper = value + np.sqrt((high - first) ** 2 + (second - other_low) ** 2)
    how = words([(np.isnan(value), "")], NEWCOMBE, value.shape)
    return answer(table, Figures(scale * value, scale * lower, scale * upper, how, confidence))


def proportion_ratio(
    frame: Any = None,
    *,
    count: Any,
    total: Any,
    other_count: Any,
    other_total: Any,
    confidence: float = CONFIDENCE,
) -> Any:
    """(count / total) / (other_count / other_total) of each row, with the log interval.

    Args:
        frame: A pandas or polars DataFrame; without one, the rest are arrays.
        count: People with the attribute in the first group: a column's name, or an array.
        total: People of the first group.
        other_count: People with the attribute in the second group, nobody of whom is in the first.
        other_total: People of the second group.
        confidence: Two-sided, above 0 and below 1.

    Returns:
        The same kind of frame with value, lower, upper (Float64), method and confidence added; or `Figures`. The
        limits are null where one of the counts is 0, the value too where the second is.

    Raises:
        StatisticsError: As of `proportion_difference`.

    >>> found = proportion_ratio(count=[56], total=[70], other_count=[48], other_total=[80])
    >>> [round(float(figure[0]), 4) for figure in found[:3]]
    [1.3333, 1.0766, 1.6512]
    """
    table, (p, q) = _two(frame, count, total, other_count, other_total)
    z = z_of(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (p[0] / p[1]) / (q[0] / q[1])
        value = np.where(np.isfinite(value), value, np.nan)
        both = (p[0] > 0) & (q[0] > 0)
        error = np.sqrt(np.where(both, 1 / p[0] - 1 / p[1] + 1 / q[0] - 1 / q[1], np.nan))
    how = words([(np.isnan(value * error), "")], KATZ, value.shape)
    figures = Figures(value, value * np.exp(-z * error), value * np.exp(z * error), how, confidence)
    return answer(table, figures)


def _two(frame: Any, count: Any, total: Any, other_count: Any, other_total: Any) -> Any:
    table, arrays = given_numbers(
        frame, count=count, total=total, other_count=other_count, other_total=other_total
    )
    x, n, y, m = same_shape(
        **dict(zip(("count", "total", "other_count", "other_total"), arrays, strict=True))
    )
    within(x, n)
    within(y, m)
    return table, ((x, np.where(n > 0, n, np.nan)), (y, np.where(m > 0, m, np.nan)))
