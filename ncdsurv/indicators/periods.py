"""Measures of areas by month -> measures of every period: sums only, no ratio anywhere.

Stocks are taken at a period's last month, flows are summed. Under a preset that rests on whole periods a stock is what
was counted over the whole of the period, at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, PERIOD_MONTHS, Kind, Period, month_start
from ncdsurv.catalog.whole_periods import counted_over, derived_presets
from ncdsurv.indicators.rollup import CELL, TOTAL, among, in_order

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog


@dataclass(frozen=True)
class Periods:
    """Periods of one length that lie whole within the months counted."""

    periods: tuple[Period, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """period (text), month (each month inside), last (whether it is the period's last month)."""
        rows = [
            (str(period), month, month == period.last_month)
            for period in self.periods
            for month in range(period.first_month, period.last_month + 1)
        ]
        return pl.DataFrame(
            rows, schema={"period": pl.String, "month": pl.Int32, "last": pl.Boolean}, orient="row"
        )


def whole_periods(first_month: int, last_month: int, length: int) -> Periods:
    """Calendar periods of 1, 3, 6, 9 or 12 months that lie whole within two months (both included).

    Nine months are January to September (Circular 37/2019/TT-BYT); the others divide the year.

    >>> from ncdsurv.catalog.vocabulary import Period
    >>> start, end = Period.parse("2024-07").first_month, Period.parse("2026-06").last_month
    >>> [str(period) for period in whole_periods(start, end, 12).periods]
    ['2025']
    """
    opens = [
        m
        for m in range(first_month, last_month + 1)
        if (begun := month_start(m).month - 1) % length == 0 and begun + length <= MONTHS_PER_YEAR
    ]
    found = (Period(month, month + length - 1) for month in opens)
    return Periods(tuple(period for period in found if period.last_month <= last_month))


def at_period_ends(counts: pl.DataFrame, catalog: Catalog, first_month: int, last_month: int) -> pl.DataFrame:
    """Counts without the months in which no period ends, of presets that are counted over whole periods."""
    kept = ~among("preset", derived_presets(catalog))
    for length, names in counted_over(catalog).items():
        ends = [period.last_month for period in whole_periods(first_month, last_month, length).periods]
        kept |= among("preset", names.values()) & pl.col("month").is_in(ends)
    return counts.filter(kept)


def over_periods(
    monthly: pl.DataFrame,
    first_month: int,
    last_month: int,
    columns: Iterable[str],
    kind: Kind,
    catalog: Catalog | None = None,
) -> pl.DataFrame:
    """Counts of every period, months and longer ones.

    A flow is the sum of the period's months, everything else stands as of its last month; under a preset that rests
    on whole periods as it is counted over a period of that length, where the catalog is given.
    Strata (sex, age band) stand in longer periods and the last month: by single months they are small and many.

    Returns:
        CELL, period (enum), month (the period's last), n_months, the columns; in the order of publication.
    """
    sums = [pl.col(name).sum() for name in columns]
    found = {length: whole_periods(first_month, last_month, length) for length in PERIOD_MONTHS.values()}
    names = pl.Enum(sorted(str(period) for periods in found.values() for period in periods.periods))
    parts: list[pl.DataFrame] = []
    for length, periods in found.items():
        source = monthly if length > 1 else monthly.filter(TOTAL | (pl.col("month") == last_month))
        months = periods.frame.cast({"period": names})
        ends = months.filter("last").select("period", "month")
        ends = ends.with_columns(n_months=pl.lit(length, pl.Int32))
        if catalog is not None:
            over = {} if kind is Kind.FLOW else counted_over(catalog).get(length, {})
            source = _as_published(source, over, derived_presets(catalog))
        if length > 1 and kind is Kind.FLOW:
            inside = source.join(months.select("period", "month"), on="month").drop("month")
            summed = inside.group_by(*CELL, "period").agg(sums).join(ends, on="period")
            parts.append(summed.select(parts[0].columns))
        else:
            parts.append(source.join(ends, on="month"))
    return in_order(pl.concat(parts))


def _as_published(counts: pl.DataFrame, over: Mapping[str, str], derived: Iterable[str]) -> pl.DataFrame:
    """Counts under the presets that are published; `over` names the counts that stand for some of them."""
    hidden = (set(derived) | set(over)) - set(over.values())
    kept = counts.filter(~among("preset", hidden))
    name = pl.col("preset")
    for published, counted in over.items():
        name = (
            pl.when(pl.col("preset") == counted)
            .then(pl.lit(published, kept.schema["preset"]))
            .otherwise(name)
        )
    return kept.with_columns(preset=name) if over else kept
