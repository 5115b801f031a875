"""Numerators and denominators -> value, interval and flag. One function per unit, all vectorised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ncdsurv.catalog.tables import VALUES, conform
from ncdsurv.catalog.vocabulary import Flag
from ncdsurv.indicators.rates import dobson, poisson_limits, wilson_limits

if TYPE_CHECKING:
    from ncdsurv.catalog.models import Indicator, Publication

CRUDE = "crude"
NONE, DOBSON = "none", "dobson"
PERCENT = 100.0
_FIGURES = ("value", "lower", "upper")


def count_figures(cells: pl.DataFrame, rules: Publication) -> pl.DataFrame:
    """A count is its own value; no interval, flagged when 1 to `small_count` - 1."""
    n = pl.col("numerator")
    small = (n > 0) & (n < rules.small_count)
    flag = pl.when(n.is_null()).then(pl.lit(Flag.NO_POPULATION.value)).when(small)
    return cells.with_columns(
        value=n,
        lower=pl.lit(None, pl.Float64),
        upper=pl.lit(None, pl.Float64),
        flag=flag.then(pl.lit(Flag.SMALL_NUMBER.value)).otherwise(pl.lit(Flag.OK.value)),
        ci_method=pl.lit(NONE),
    )


def share_figures(
    cells: pl.DataFrame, indicator: Indicator, rules: Publication, missing: Flag
) -> pl.DataFrame:
    """Percent with the Wilson interval; null where the denominator is 0 or unknown.

    No interval where the indicator asks for none: all stations are counted, they are no sample.
    A numerator above an estimated denominator (an estimate can be too low) keeps its value and has no interval.

    Args:
        cells: numerator, denominator (Float64).
        indicator: Its `ci_method`.
        rules: Confidence and small numbers.
        missing: The flag of a null denominator.
    """
    n, d = cells["numerator"].to_numpy(), cells["denominator"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(d > 0, PERCENT * n / d, np.nan)
    inside = (n <= d) & (indicator.ci_method != NONE)
    lower, upper = wilson_limits(np.where(inside, n, 0), np.where(inside, d, np.nan), rules.confidence)
    rest = pl.col("denominator") - pl.col("numerator")
    small = pl.any_horizontal(
        pl.col("denominator") < rules.small_denominator,
        pl.col("numerator").is_between(0, rules.small_count, closed="none"),
        rest.is_between(0, rules.small_count, closed="none"),
    )
    method = pl.when(rest >= 0).then(pl.lit(indicator.ci_method)).otherwise(pl.lit(NONE))
    return _with(cells, value, PERCENT * lower, PERCENT * upper).with_columns(
        flag=_flag(small, missing), ci_method=method
    )


def rate_figures(
    cells: pl.DataFrame, indicator: Indicator, rules: Publication, missing: Flag
) -> pl.DataFrame:
    """A rate per `rate_per` people with the Poisson interval (exact below 10 events, Byar above)."""
    n, d = cells["numerator"].to_numpy(), cells["denominator"].to_numpy()
    lower, upper = poisson_limits(n, rules.confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        at_risk = np.where(d > 0, d, np.nan)
        figures = [rules.rate_per * figure / at_risk for figure in (n, lower, upper)]
    small = pl.col("numerator").is_between(0, rules.small_count, closed="none")
    return _with(cells, *figures).with_columns(
        flag=_flag(small, missing), ci_method=pl.lit(indicator.ci_method)
    )


def mean_figures(cells: pl.DataFrame, rules: Publication) -> pl.DataFrame:
    """A mean of one quantity over another (days over intervals); no interval, flagged when it rests on few."""
    n, d = cells["numerator"].to_numpy(), cells["denominator"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(d > 0, n / d, np.nan)
    unknown = np.full(len(value), np.nan)
    few = pl.col("denominator") < rules.small_denominator
    return _with(cells, value, unknown, unknown).with_columns(
        flag=_flag(few, Flag.NO_DENOMINATOR), ci_method=pl.lit(NONE)
    )


def standardised_figures(cells: pl.DataFrame, rules: Publication) -> pl.DataFrame:
    """A standardised rate with Dobson's interval, withheld below the fewest events.

    Args:
        cells: numerator (all events), denominator (all people), `ratio` (sum of weight x rate) and `spread`
            (sum of weight^2 x count / population^2), weights summing to 1; null where an age band has no people.
    """
    events = cells["numerator"].to_numpy()
    sums = (cells["ratio"].to_numpy(), cells["spread"].to_numpy(), events)
    figures = dobson(*sums, rules.confidence, fewest_events=rules.standardisation_fewest_events)
    few = pl.col("numerator") < rules.standardisation_fewest_events
    known = pl.when(pl.col("denominator").is_null()).then(pl.lit(Flag.NO_POPULATION.value))
    empty = known.when(pl.col("ratio").is_null()).then(pl.lit(Flag.NO_DENOMINATOR.value))
    flag = empty.when(few).then(pl.lit(Flag.TOO_FEW_EVENTS.value)).otherwise(pl.lit(Flag.OK.value))
    return _with(cells, *(figure * rules.rate_per for figure in figures)).with_columns(
        flag=flag, ci_method=pl.lit(DOBSON)
    )


def finish(
    cells: pl.DataFrame,
    indicator: Indicator,
    rules: Publication,
    release_id: str,
    standard: str | None = None,
) -> pl.DataFrame:
    """Cells with numerator and denominator -> published rows, by the unit of their indicator.

    Args:
        cells: The key columns, numerator, denominator (Float64); a standardised rate wants its ratio and spread.
        indicator: Its unit and method.
        rules: Confidence and small numbers.
        release_id: Written into every row.
        standard: Id of the standard population, None for crude figures.

    Returns:
        Columns of `catalog.tables.VALUES`.
    """
    if cells.is_empty():
        return pl.DataFrame(schema=dict(VALUES))
    missing = Flag.NO_DENOMINATOR if indicator.denominator_source == "spells" else Flag.NO_POPULATION
    if standard is not None:
        found = standardised_figures(cells, rules)
    elif indicator.unit == "count":
        found = count_figures(cells, rules)
    elif indicator.denominator_quantity is not None:
        found = mean_figures(cells, rules)
    elif indicator.unit == "percent":
        found = share_figures(cells, indicator, rules, missing)
    else:
        found = rate_figures(cells, indicator, rules, missing)
    named = found.with_columns(
        release=pl.lit(release_id),
        indicator=pl.lit(indicator.id),
        standardisation=pl.lit(standard or CRUDE),
        unit=pl.lit(indicator.unit),
    )
    return conform(named, VALUES)


def _flag(small: pl.Expr, missing: Flag) -> pl.Expr:
    d = pl.col("denominator")
    flag = (
        pl.when(d.is_null()).then(pl.lit(missing.value)).when(d == 0).then(pl.lit(Flag.NO_DENOMINATOR.value))
    )
    return flag.when(small).then(pl.lit(Flag.SMALL_NUMBER.value)).otherwise(pl.lit(Flag.OK.value))


def _with(cells: pl.DataFrame, *figures: np.ndarray) -> pl.DataFrame:
    columns = [
        pl.Series(name, figure, dtype=pl.Float64) for name, figure in zip(_FIGURES, figures, strict=True)
    ]
    return cells.with_columns(columns).with_columns(pl.col(*_FIGURES).fill_nan(None))
