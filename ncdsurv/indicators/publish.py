"""Measures -> values: every indicator in every cell that is published, with interval, unit and flag.

Which cells: every area of both vintages by month, both sexes and all ages together; from the province up
also by quarter and by year (only periods that lie whole within the months counted); provinces and the nation
by sex and age band for quarters, years and the last month.
An empty denominator gives null and a flag, never 0. Ratios are worked out last, from summed counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.tables import VALUES
from ncdsurv.catalog.vocabulary import MONTHS_PER_QUARTER, Kind
from ncdsurv.errors import UsageError
from ncdsurv.indicators import figures
from ncdsurv.indicators.denominators import Denominators, among, base_of, with_bases
from ncdsurv.indicators.rollup import (
    CELL,
    LARGE_LEVELS,
    ORDER,
    TOTAL,
    over_periods,
    roll_up,
)
from ncdsurv.spells import measure_plan

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Indicator
    from ncdsurv.reference import Reference


def publish_values(
    measures: pl.DataFrame,
    reference: Reference,
    catalog: Catalog,
    release_id: str,
    *,
    first_month: int | None = None,
    last_month: int | None = None,
) -> pl.DataFrame:
    """Every published value of a release.

    Args:
        measures: Counts by atom (columns of `spells.measures_schema`).
        reference: Atoms, parents and populations.
        catalog: Indicators, presets, prevalence, standard population, rules of publication.
        release_id: Written into every row.
        first_month: First month counted; None takes the first in the measures.
        last_month: Last month counted; None takes the last in the measures.

    Returns:
        Columns of `catalog.tables.VALUES`: percent as 0-100, rates per 100,000. Sorted by indicator, preset,
        disease, area vintage, level and code, period, sex, age band and standardisation.

    Raises:
        UsageError: Measures without rows, or of other definitions than the catalog's.
    """
    parts = list(iter_values(measures, reference, catalog, release_id, first_month, last_month))
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict(VALUES))


def iter_values(
    measures: pl.DataFrame,
    reference: Reference,
    catalog: Catalog,
    release_id: str,
    first_month: int | None = None,
    last_month: int | None = None,
) -> Iterator[pl.DataFrame]:
    """The values of `publish_values`, one indicator at a time in the order of their ids: less memory."""
    plan = measure_plan(catalog)
    if missing := [name for name in plan.names if name not in measures.columns]:
        raise UsageError("measures of other definitions", got=f"no column {missing[0]}", do="count again")
    if measures.is_empty():
        raise UsageError("no measures to publish", do="ingest records first")
    first = int(measures["month"].min()) if first_month is None else first_month  # type: ignore[arg-type]
    last = int(measures["month"].max()) if last_month is None else last_month  # type: ignore[arg-type]
    counted, columns = with_bases(measures, catalog)
    monthly = _filled(roll_up(counted, reference, catalog, columns), first, last)
    over = over_periods(monthly, first, last, columns)
    publisher = _Publisher(catalog, reference, over, release_id, range(first, last + 1))
    for name in sorted(catalog.indicators):
        indicator = catalog.indicators[name]
        parts = [part for part in publisher.values_of(indicator) if not part.is_empty()]
        if parts:  # each part is in order already; only crude and standardised rows must be interleaved
            yield parts[0] if len(parts) == 1 else pl.concat(parts).sort(*ORDER, "standardisation")


def _filled(monthly: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    """Totals of large areas stand in every month, with zeros where nothing was counted."""
    large = among("area_level", LARGE_LEVELS) & TOTAL
    months = pl.DataFrame({"month": range(first, last + 1)}, schema={"month": pl.Int32})
    kept = monthly.filter(pl.col("month").is_between(first, last))
    cells = kept.filter(large).select(CELL).unique()
    empty = cells.join(months, how="cross").join(kept.filter(large), on=[*CELL, "month"], how="anti")
    zeros = [pl.lit(0, pl.Int64).alias(name) for name in kept.columns if name not in (*CELL, "month")]
    return pl.concat([kept, empty.with_columns(zeros).select(kept.columns)])


class _Publisher:
    """Holds the summed counts and the populations while the indicators are worked out one after another."""

    def __init__(
        self,
        catalog: Catalog,
        reference: Reference,
        over: dict[Kind, pl.DataFrame],
        release_id: str,
        months: range,
    ) -> None:
        self.catalog, self.over, self.release_id = catalog, over, release_id
        self.plan, self.last_month = measure_plan(catalog), months[-1]
        self.rules = next(iter(catalog.publication.values()))
        self.below = Denominators(catalog, reference, months)

    def values_of(self, indicator: Indicator) -> Iterator[pl.DataFrame]:
        """The values of one indicator, crude and where asked standardised."""
        cells = self._cells(indicator)
        if indicator.denominator_source == "spells":
            yield self._finish(self._spells(cells, indicator), indicator)
        elif indicator.denominator_source == "estimated_cases":
            yield self._finish(self.below.over_expected(cells, indicator), indicator)
        elif indicator.denominator_source == "population":
            over = self.below.over_population(cells, indicator)
            yield self._finish(over.filter(pl.col("in_base")), indicator)
            if indicator.age_standardised:
                adjusted = self.below.standardised(over, base_of(indicator))
                yield self._finish(adjusted, indicator, self.catalog.standard_population.id)
        elif indicator.id in self.plan.numerators:
            n = pl.col(self.plan.numerators[indicator.id]).cast(pl.Float64)
            yield self._finish(
                cells.with_columns(numerator=n, denominator=pl.lit(None, pl.Float64)), indicator
            )
        else:
            expected = self.below.over_expected(cells, indicator)
            named = expected.with_columns(numerator="denominator", denominator=pl.lit(None, pl.Float64))
            yield self._finish(named, indicator)

    def _cells(self, indicator: Indicator) -> pl.DataFrame:
        cells = self.over[Kind.FLOW if indicator.kind is Kind.FLOW else Kind.STOCK]
        test = among("preset", indicator.presets) & among("area_level", indicator.levels)
        if indicator.diseases:
            test &= among("disease", indicator.diseases)
        if indicator.kind is Kind.COHORT:  # a cohort is a calendar quarter's, read at a quarter's end
            test &= pl.col("month") % MONTHS_PER_QUARTER == 0
        return cells.filter(test)

    def _spells(self, cells: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
        return cells.with_columns(
            numerator=pl.col(self.plan.numerators[indicator.id]).cast(pl.Float64),
            denominator=pl.col(self.plan.denominators[indicator.id]).cast(pl.Float64),
        )

    def _finish(self, cells: pl.DataFrame, indicator: Indicator, standard: str | None = None) -> pl.DataFrame:
        return figures.finish(cells, indicator, self.rules, self.release_id, standard)
