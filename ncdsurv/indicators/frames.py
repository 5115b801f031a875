"""Proportions, rates and standardised rates of a frame: pandas or polars in, the same kind out.

The method stands in columns beside the figure, so that a table explains itself. Methods: `rates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ncdsurv.errors import StatisticsError, unknown
from ncdsurv.indicators.rates import CONFIDENCE, PER_100000, dobson, poisson_limits, wilson_limits

if TYPE_CHECKING:
    import narwhals as nw
    from numpy.typing import NDArray


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
