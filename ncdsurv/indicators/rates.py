"""Proportions, rates and directly standardised rates with their intervals; usable alone.

Functions ending in `_limits` and `standardise` take arrays; `proportion`, `rate` and `standardised_rate` take a
pandas or polars frame and give the same kind back, the method written in a column beside the figure.

Methods, from their papers:
- share: Wilson score, EB Wilson, J Am Stat Assoc 1927;22:209-12.
- count: exact Poisson by chi-square below 10, Byar's approximation from 10 on; NE Breslow, NE Day,
  Statistical Methods in Cancer Research II, IARC 1987, eq. 2.13.
- standardised rate: AJ Dobson et al., Stat Med 1991;10:457-62, on those limits of the total count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.errors import StatisticsError, unknown

if TYPE_CHECKING:
    import narwhals as nw
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
    enough = events >= FEWEST_EVENTS
    figures = (rate, rate + scale * (low - events), rate + scale * (high - events))
    return tuple(np.where(enough, figure, np.nan) for figure in figures)  # type: ignore[return-value]


def _pair(count: ArrayLike, total: ArrayLike, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, n = np.broadcast_arrays(np.asarray(count, dtype=np.float64), np.asarray(total, dtype=np.float64))
    for label, values in (("count", x), (name, n)):
        if np.any(values < 0):
            raise StatisticsError(
                f"a negative {label}", got=f"{int(np.sum(values < 0))} rows", do="check the column"
            )
    return x, n


def proportion(
    frame: Any, *, count: str, total: str, multiplier: float = 100, confidence: float = CONFIDENCE
) -> Any:
    """Add a share with its Wilson interval to a frame.

    Args:
        frame: A pandas or polars DataFrame.
        count: Column of people with the attribute.
        total: Column of people asked about.
        multiplier: 100 for percent, 1 for a proportion.
        confidence: Two-sided, 0.95 by default.

    Returns:
        The same kind of frame with value, lower, upper, confidence, statistic and method; null where the
        total is 0.

    >>> import polars as pl
    >>> proportion(pl.DataFrame({"n": [65], "d": [100]}), count="n", total="d")["value"].to_list()
    [65.0]
    """
    table, (x, n) = _columns(frame, [count, total])
    lower, upper = wilson_limits(x, n, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(n > 0, x / n, np.nan)
    figures = [multiplier * figure for figure in (value, lower, upper)]
    return _attach(table, figures, confidence, f"proportion x {multiplier:g}", "Wilson")


def rate(
    frame: Any, *, count: str, population: str, per: float = PER_100000, confidence: float = CONFIDENCE
) -> Any:
    """Add a rate with its Poisson interval (exact below 10 events, Byar above) to a frame.

    Args:
        frame: A pandas or polars DataFrame.
        count: Column of events.
        population: Column of persons, or person-years.
        per: Multiplier, 100,000 by default.
        confidence: Two-sided, 0.95 by default.

    Returns:
        The same kind of frame with value, lower, upper, confidence, statistic and method.
    """
    table, (x, n) = _columns(frame, [count, population])
    lower, upper = poisson_limits(x, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        at_risk = np.where(n > 0, n, np.nan)
        figures = [per * figure / at_risk for figure in (x, lower, upper)]
    return _attach(table, figures, confidence, f"rate per {per:g}", "exact Poisson below 10, Byar from 10")


def standardised_rate(
    frame: Any,
    *,
    by: Sequence[str],
    count: str,
    population: str,
    weight: str,
    per: float = PER_100000,
    confidence: float = CONFIDENCE,
) -> Any:
    """Directly standardised rates of groups, from a frame with one row per group and age group.

    The standard population is a named column of the frame, so weights cannot be misaligned by position.

    Args:
        frame: A pandas or polars DataFrame.
        by: Columns that name the groups.
        count: Column of events.
        population: Column of persons at risk.
        weight: Column of the standard population.
        per: Multiplier, 100,000 by default.
        confidence: Two-sided, 0.95 by default.

    Returns:
        The same kind of frame, one row per group sorted by it: events, value, lower, upper, confidence,
        statistic, method. Null below 10 events.

    Raises:
        StatisticsError: A population of 0 or a missing number in a group.
    """
    import narwhals as nw

    table, (x, n, w) = _columns(frame, [count, population, weight])
    for name in by:
        _known(table, name)
    if not np.all(n > 0) or np.isnan(x).any() or np.isnan(w).any():
        raise StatisticsError("an age group without population or count", do="drop it or give its figures")
    terms = {"_x": x, "_r": w * x / n, "_v": w * w * x / (n * n), "_w": w}
    space = nw.get_native_namespace(table)
    series = [nw.new_series(name, values, backend=space) for name, values in terms.items()]
    sums = table.select(*by).with_columns(*series).group_by(*by).agg(nw.col(*terms).sum()).sort(*by)
    total, ratio, spread, weights = (sums[name].to_numpy() for name in terms)
    figures = dobson(ratio / weights, spread / weights**2, total, confidence)
    named = sums.select(*by, nw.col("_x").alias("events"))
    statistic = f"directly standardised rate per {per:g}"
    return _attach(named, [per * figure for figure in figures], confidence, statistic, "Dobson")


def _known(table: nw.DataFrame[Any], name: str) -> None:
    if name not in table.columns:
        raise unknown("column", name, table.columns)


def _columns(frame: Any, names: list[str]) -> tuple[nw.DataFrame[Any], list[NDArray[np.float64]]]:
    import narwhals as nw

    try:
        table = nw.from_native(frame, eager_only=True)
    except TypeError as error:
        raise StatisticsError(
            "not a frame",
            got=type(frame).__name__,
            allowed="a pandas or polars DataFrame",
            do="collect it first",
        ) from error
    for name in names:
        _known(table, name)
    return table, [table[name].cast(nw.Float64).to_numpy() for name in names]


def _attach(
    table: nw.DataFrame[Any], figures: Sequence[Any], confidence: float, statistic: str, method: str
) -> Any:
    import narwhals as nw

    space = nw.get_native_namespace(table)
    series = [
        nw.new_series(name, values, dtype=nw.Float64, backend=space)
        for name, values in zip(("value", "lower", "upper"), figures, strict=True)
    ]
    added = table.with_columns(*series).with_columns(
        *(
            nw.when(~nw.col(name).is_nan()).then(nw.col(name)).alias(name)
            for name in ("value", "lower", "upper")
        ),
        confidence=nw.lit(confidence),
        statistic=nw.lit(statistic),
        method=nw.lit(method),
    )
    return added.to_native()
