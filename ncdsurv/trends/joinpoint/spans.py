"""Changes per year with their intervals: by the delta method, from resampling, or averaged over places."""

from __future__ import annotations

from dataclasses import dataclass

from ncdsurv.trends.mixture import Mixture


@dataclass(frozen=True)
class Span:
    """Change per year over a span of months: a segment, or the average over an interval.

    `change` is a slope of the response a year; `error` its standard error, `lower` and `upper` its interval, None
    where the data cannot give them.
    """

    first: float
    last: float
    change: float
    error: float | None
    lower: float | None
    upper: float | None
    p_value: float | None


def span_of(
    first: float,
    last: float,
    estimate: tuple[float, float | None],
    drawn: list[float],
    freedom: int,
    confidence: float,
) -> Span:
    """A change with the t interval of its standard error, or the quantiles of what resampling drew."""
    import numpy as np
    from scipy import stats

    change, error = estimate
    if error is None or not np.isfinite(error):
        return Span(first, last, change, None, None, None, None)
    reach = float(stats.t.ppf(0.5 + confidence / 2, freedom)) * error
    lower, upper = change - reach, change + reach
    if drawn:
        tail = (1 - confidence) / 2
        lower, upper = (float(limit) for limit in np.quantile(drawn, [tail, 1 - tail]))
    statistic = abs(change) / error if error > 0 else (np.inf if change else 0.0)
    return Span(first, last, change, error, lower, upper, float(2 * stats.t.sf(statistic, freedom)))


def averaged_spans(
    ends: list[tuple[float, float]],
    estimates: list[tuple[float, float | None]],
    found: Mixture,
    confidence: float,
) -> list[Span]:
    """Changes with the quantiles of a mixture, a number of it for each; the estimate is always inside."""
    import numpy as np

    tail = (1 - confidence) / 2
    lower, upper, errors = found.quantile(tail), found.quantile(1 - tail), found.error()
    below = found.cdf(np.zeros(len(ends)))
    return [
        Span(
            first,
            last,
            change,
            float(errors[at]),
            min(float(lower[at]), change),
            max(float(upper[at]), change),
            min(1.0, 2 * float(min(below[at], 1 - below[at]))),
        )
        for at, ((first, last), (change, _)) in enumerate(zip(ends, estimates))
    ]
