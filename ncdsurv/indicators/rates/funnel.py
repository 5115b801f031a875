"""Funnel limits: how far an area of its size may lie from the benchmark by chance (95 % and 99.8 %).

DJ Spiegelhalter, Funnel plots for comparing institutional performance, Stat Med 2005;24:1185-202.
- normal: benchmark +/- z s, s^2 = b (1 - b) / n for shares, b / n for rates and ratios to expected; cut at 0 (and 1).
- exact: binomial or Poisson quantiles, interpolated between whole counts (its appendix A.1) for the curves; an area is
  outside when chance gives at least its count, or at most, as seldom as the limit says. The interpolated curve of
  a very small area lies just below 100 %, and one of one at target would stand above it.
- over-dispersion (`dispersion`): s^2 times phi, or plus tau^2; normal only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ncdsurv.errors import StatisticsError
from ncdsurv.indicators.rates import dispersion
from ncdsurv.indicators.rates.border import add, given_numbers, words
from ncdsurv.indicators.rates.given import (
    CONFIDENCE,
    CONTROL,
    PER_100000,
    PERCENT,
    Floats,
    at_risk,
    choice,
    counts_of,
    expecting,
    positive,
    within,
)
from ncdsurv.indicators.rates.limits import (
    EXACT,
    NORMAL,
    RATE,
    RATIO,
    SHARE,
    exact_with_dispersion,
    funnel_limits,
    tails,
    variance_at,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

BELOW_OUTER, BELOW, WITHIN, ABOVE, ABOVE_OUTER = "below 99.8", "below 95", "within", "above 95", "above 99.8"


class Funnel(NamedTuple):
    """What a funnel gives back for arrays; all figures Float64 in the unit of the value.

    Attributes:
        value: Of each area; NaN where its size is 0.
        benchmark: The middle line.
        lower_95: Inner lower limit.
        upper_95: Inner upper limit.
        lower_998: Outer lower limit.
        upper_998: Outer upper limit.
        position: "below 99.8", "below 95", "within", "above 95" or "above 99.8"; empty without a value.
        dispersion: phi (multiplicative), tau (additive, in the unit of the value), or NaN.
        method: normal or exact, and how over-dispersion was treated.
    """

    value: Floats
    benchmark: float
    lower_95: Floats
    upper_95: Floats
    lower_998: Floats
    upper_998: Floats
    position: NDArray[np.str_]
    dispersion: float
    method: str


def funnel_proportions(
    frame: Any = None,
    *,
    count: Any,
    total: Any,
    benchmark: float | None = None,
    multiplier: float = PERCENT,
    method: str = NORMAL,
    overdispersion: str = dispersion.NONE,
    winsorise: float = dispersion.WINSORISE,
) -> Any:
    """Shares of areas against the funnel about a benchmark.

    Args:
        frame: A pandas or polars DataFrame, one row an area; without one, `count` and `total` are arrays.
        count: People with the attribute: a column's name, or an array.
        total: People asked about.
        benchmark: In the unit of the value; by default all counts over all totals.
        multiplier: 100 gives percent.
        method: "normal" or "exact".
        overdispersion: "none", "multiplicative" or "additive" (normal only).
        winsorise: Share of z-scores drawn in at either end before dispersion is judged.

    Returns:
        The same kind of frame with value, benchmark, lower_95, upper_95, lower_998, upper_998 (Float64), position
        (String), dispersion (Float64, null without) and method added; or a `Funnel` of arrays.

    Raises:
        StatisticsError: A negative count, a count above its total, a benchmark out of range, no people at all, or
            over-dispersion with fewer than two areas.

    >>> found = funnel_proportions(count=[50, 80, 62], total=[100, 100, 100], benchmark=60)
    >>> found.position.tolist()
    ['below 95', 'above 99.8', 'within']
    """
    table, (x, n) = given_numbers(frame, count=count, total=total)
    x, n = counts_of(x, n)
    within(x, n)
    how = (SHARE, benchmark, positive("multiplier", multiplier), method, overdispersion, winsorise)
    return _answer(table, _funnel(x, n, *how))


def funnel_rates(
    frame: Any = None,
    *,
    count: Any,
    population: Any,
    benchmark: float | None = None,
    per: float = PER_100000,
    method: str | None = None,
    overdispersion: str = dispersion.NONE,
    winsorise: float = dispersion.WINSORISE,
) -> Any:
    """Crude rates of areas against the funnel; exact Poisson limits unless over-dispersion is asked for.

    Args:
        frame: A pandas or polars DataFrame, one row an area; without one, `count` and `population` are arrays.
        count: Events: a column's name, or an array.
        population: Persons, or person-years, at risk.
        benchmark: In the unit of the value; by default all events over all persons.
        per: Multiplier, 100,000 by default.
        method: "exact" or "normal"; by default exact, and normal with over-dispersion.
        overdispersion: "none", "multiplicative" or "additive" (normal only).
        winsorise: Share of z-scores drawn in at either end before dispersion is judged.

    Returns:
        As of `funnel_proportions`, per `per` people.

    Raises:
        StatisticsError: As of `funnel_proportions`.

    >>> found = funnel_rates(count=[5, 30], population=[1000, 1000], benchmark=12, per=1000)
    >>> found.position.tolist(), found.method
    (['below 95', 'above 99.8'], 'exact')
    """
    table, (x, n) = given_numbers(frame, count=count, population=population)
    x, n = counts_of(x, n, "population")
    at_risk(x, n)
    how = (RATE, benchmark, positive("per", per), _default(method, overdispersion), overdispersion, winsorise)
    return _answer(table, _funnel(x, n, *how))


def funnel_ratios(
    frame: Any = None,
    *,
    count: Any,
    expected: Any,
    benchmark: float | None = None,
    multiplier: float = PERCENT,
    method: str | None = None,
    overdispersion: str = dispersion.NONE,
    winsorise: float = dispersion.WINSORISE,
) -> Any:
    """Standardised ratios of areas against the funnel; exact Poisson limits unless over-dispersion is asked for.

    Args:
        frame: A pandas or polars DataFrame, one row an area; without one, `count` and `expected` are arrays.
        count: Observed events: a column's name, or an array.
        expected: Expected events.
        benchmark: In the unit of the value; by default all observed over all expected events.
        multiplier: 100 gives "as many as expected" the value 100.
        method: "exact" or "normal"; by default exact, and normal with over-dispersion.
        overdispersion: "none", "multiplicative" or "additive" (normal only).
        winsorise: Share of z-scores drawn in at either end before dispersion is judged.

    Returns:
        As of `funnel_proportions`.

    Raises:
        StatisticsError: As of `funnel_proportions`.

    >>> found = funnel_ratios(count=[5, 30], expected=[12, 12.5], benchmark=100)
    >>> round(float(found.lower_95[0]), 2), round(float(found.upper_95[0]), 2)
    (43.19, 156.41)
    """
    table, (x, e) = given_numbers(frame, count=count, expected=expected)
    x, e = counts_of(x, e, "expected")
    expecting(x, e)
    way = _default(method, overdispersion)
    how = (RATIO, benchmark, positive("multiplier", multiplier), way, overdispersion, winsorise)
    return _answer(table, _funnel(x, e, *how))


def _default(method: str | None, overdispersion: str) -> str:
    return method or (EXACT if overdispersion == dispersion.NONE else NORMAL)


def _funnel(
    x: Floats,
    n: Floats,
    statistic: str,
    benchmark: float | None,
    scale: float,
    method: str,
    way: str,
    winsorise: float,
) -> Funnel:
    choice("over-dispersion", way, dispersion.WAYS)
    if method == EXACT and way != dispersion.NONE:  # whatever these areas turn out to be
        raise exact_with_dispersion()
    known = ~np.isnan(x) & (n > 0)
    if not known.any():
        raise StatisticsError("a funnel of no areas", do="give areas with people")
    size = np.where(known, n, np.nan)
    value = x / size
    middle = _middle(benchmark, float(x[known].sum() / n[known].sum()), statistic, scale)
    phi, tau2 = 1.0, 0.0
    if way != dispersion.NONE:
        found = dispersion.overdispersion(value, variance_at(middle, size, statistic), middle, winsorise)
        phi, tau2 = (found[0], 0.0) if way == dispersion.MULTIPLICATIVE else (1.0, found[1])
    limits = [
        funnel_limits(n, middle, statistic=statistic, confidence=level, method=method, phi=phi, tau2=tau2)
        for level in (CONFIDENCE, CONTROL)
    ]
    (low, high), (lowest, highest) = limits
    if method == EXACT:
        at_most, at_least = tails(x, size, middle, statistic)
        inner, outer = ((1 - level) / 2 for level in (CONFIDENCE, CONTROL))
        beyond = [at_most <= outer, at_least <= outer, at_most <= inner, at_least <= inner]
    else:
        beyond = [value < lowest, value > highest, value < low, value > high]
    named = zip(beyond, (BELOW_OUTER, ABOVE_OUTER, BELOW, ABOVE), strict=True)
    position = words([(~known, ""), *named], WITHIN, value.shape)
    spread = {dispersion.MULTIPLICATIVE: phi, dispersion.ADDITIVE: scale * tau2**0.5}.get(way, np.nan)
    how = method if way == dispersion.NONE else f"{method}, {way} over-dispersion"
    low, high, lowest, highest = (scale * figure for figure in (low, high, lowest, highest))
    return Funnel(
        scale * value, float(scale * middle), low, high, lowest, highest, position, float(spread), how
    )


def _middle(benchmark: float | None, pooled: float, statistic: str, scale: float) -> float:
    """The benchmark as a share, a rate per person or a ratio.

    Raises:
        StatisticsError: A benchmark that leaves no room for chance: 0, or for shares 100 %.
    """
    most = 1.0 if statistic == SHARE else np.inf
    if benchmark is None:
        if not 0 < pooled < most:
            raise StatisticsError(
                "no benchmark can be had from these areas",
                got="no event in any of them"
                if pooled == 0
                else "everybody has the attribute in all of them",
                do="give a benchmark",
            )
        return pooled
    given = positive("benchmark", benchmark)
    if not given < scale * most:
        raise StatisticsError(
            "benchmark out of range", got=benchmark, allowed=f"above 0, below {scale * most:g}"
        )
    return given / scale


def _answer(table: Any, funnel: Funnel) -> Any:
    if table is None:
        return funnel
    columns: dict[str, Any] = funnel._asdict()
    return add(table, {**columns, "dispersion": np.full(funnel.value.shape, funnel.dispersion)})
