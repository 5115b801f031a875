"""Measures -> values: every indicator in every cell that is published, with interval, unit and flag.

Which cells: every area of both vintages by month, quarter, half-year, nine months and year (only periods that lie
whole within the months counted), both sexes and all ages together; provinces, regions and the nation by sex and age
band for these longer periods and the last month.
An empty denominator gives null and a flag, never 0. Ratios are worked out last, from summed counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.tables import VALUES
from ncdsurv.catalog.vocabulary import MONTHS_PER_QUARTER, Kind
from ncdsurv.catalog.whole_periods import counted_over
from ncdsurv.errors import UsageError
from ncdsurv.indicators import figures
from ncdsurv.indicators.denominators import Denominators, base_of, columns_of
from ncdsurv.indicators.filling import counted_under, filled
from ncdsurv.indicators.periods import over_periods
from ncdsurv.indicators.rollup import (
    CELL,
    ORDER,
    among,
    roll_up,
)
from ncdsurv.indicators.stations import KNOWN, REPORTING
from ncdsurv.spells import measure_plan

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Indicator
    from ncdsurv.reference import Reference


COLUMNS_AT_A_TIME, NUMBERS_AT_A_TIME = 8, 12_000_000
"""Counts that are summed up to areas and periods together, some more where one indicator needs them; of few rows, so
many that all of them are so many numbers."""
ROWS_AT_A_TIME = 4_000_000
"""Rows of counts that are summed up to areas together."""
CELLS_AT_A_TIME = 2_000_000
"""Cells (of areas, month by month) whose values are worked out together; where there are more, preset by preset."""
_KEY = ("atom", "month", "disease", "sex", "age_band", "preset")


def publish_values(
    measures: pl.DataFrame | pl.LazyFrame,
    reference: Reference,
    catalog: Catalog,
    release_id: str,
    *,
    first_month: int | None = None,
    last_month: int | None = None,
    stations: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every published value of a release.

    Args:
        measures: Counts by atom (columns of `spells.measures_schema`), counted by
            `catalog.whole_periods.with_whole_periods`: a preset that rests on whole periods has no stocks of longer
            periods otherwise.
        reference: Atoms, parents and populations.
        catalog: Indicators, presets, prevalence, standard population, rules of publication.
        release_id: Written into every row.
        first_month: First month counted; None takes the first in the measures.
        last_month: Last month counted; None takes the last in the measures.
        stations: Of `stations.count_stations`; without it no indicator of stations is published.

    Returns:
        Columns of `catalog.tables.VALUES`: percent as 0-100, rates per 100,000. Sorted by indicator, preset,
        disease, area vintage, level and code, period, sex, age band and standardisation.

    Raises:
        UsageError: Measures without rows, or of other definitions than the catalog's.
    """
    parts = list(iter_values(measures, reference, catalog, release_id, first_month, last_month, stations))
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict(VALUES))


def iter_values(
    measures: pl.DataFrame | pl.LazyFrame,
    reference: Reference,
    catalog: Catalog,
    release_id: str,
    first_month: int | None = None,
    last_month: int | None = None,
    stations: pl.DataFrame | None = None,
) -> Iterator[pl.DataFrame]:
    """The values of `publish_values`, one indicator at a time in the order of their ids, in bounded memory.

    Of a nation, one preset of one indicator at a time. Only the counts of a few indicators are held together, and
    summed up to areas some rows at a time: of measures that are scanned from their file (`Release.measures`) no more
    is read. Their rows are taken to have at least one count each, as the engine writes them; rows of a frame that
    have none are left out.
    """
    plan = measure_plan(catalog)
    source = measures.lazy()
    if missing := [name for name in plan.names if name not in source.collect_schema()]:
        raise UsageError("measures of other definitions", got=f"no column {missing[0]}", do="count again")
    if isinstance(measures, pl.DataFrame):
        source = measures.filter(pl.any_horizontal(pl.col(name) != 0 for name in plan.names)).lazy()
    ends = source.select(first=pl.col("month").min(), last=pl.col("month").max()).collect().row(0)
    if ends[0] is None:
        raise UsageError("no measures to publish", do="ingest records first")
    first = ends[0] if first_month is None else first_month
    last = ends[1] if last_month is None else last_month
    under = counted_under(measures.lazy())
    publisher = _Publisher(catalog, reference, release_id, range(first, last + 1), under, stations)
    for indicators, columns in _groups(catalog, _height(source)):
        publisher.take(source, columns)
        for indicator in indicators:
            for some in publisher.in_parts(indicator):
                parts = [part for part in publisher.values_of(some) if not part.is_empty()]
                if parts:  # in order already; only crude and standardised rows must be interleaved
                    yield parts[0] if len(parts) == 1 else pl.concat(parts).sort(*ORDER, "standardisation")


def _groups(catalog: Catalog, rows: int) -> Iterator[tuple[list[Indicator], dict[str, pl.Expr]]]:
    """Indicators in the order of their ids, a few at a time, with the columns that they need together."""
    most = max(COLUMNS_AT_A_TIME, NUMBERS_AT_A_TIME // rows)
    indicators: list[Indicator] = []
    columns: dict[str, pl.Expr] = {}
    for name in sorted(catalog.indicators):
        own = columns_of(catalog.indicators[name], catalog)
        if indicators and len(columns | own) > most:
            yield indicators, columns
            indicators, columns = [], {}
        indicators.append(catalog.indicators[name])
        columns = columns | own
    if indicators:
        yield indicators, columns


def _some_rows(counts: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The rows of a scan, some at a time: of a file, only what they stand in is read."""
    for start in range(0, _height(counts), ROWS_AT_A_TIME):
        yield counts.slice(start, ROWS_AT_A_TIME).collect()


def _height(counts: pl.LazyFrame) -> int:
    return int(counts.select(pl.len()).collect().item())


def _added_up(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The counts of areas that several parts have people of, once."""
    key = [*CELL, "month"]
    return pl.concat(parts).group_by(key).agg(pl.exclude(key).sum()).select(parts[0].columns)


class _Publisher:
    """Holds the populations, and the summed counts of the indicators that are being worked out."""

    def __init__(
        self,
        catalog: Catalog,
        reference: Reference,
        release_id: str,
        months: range,
        under: frozenset[str],
        stations: pl.DataFrame | None = None,
    ) -> None:
        self.stations, self.under = stations, under
        self.catalog, self.reference, self.release_id, self.months = catalog, reference, release_id, months
        self.plan = measure_plan(catalog)
        self.rules = next(iter(catalog.publication.values()))
        self.below = Denominators(catalog, reference, months)
        self._monthly, self._over = pl.DataFrame(), dict[Kind, pl.DataFrame]()

    def take(self, measures: pl.LazyFrame, columns: dict[str, pl.Expr]) -> None:
        """Read some columns of the measures and sum them up; those taken before are forgotten."""
        self._monthly, self._over = pl.DataFrame(), {}
        parts = [
            roll_up(counted, self.reference, self.catalog, list(columns))
            for counted in _some_rows(measures.select(*_KEY, **columns))
        ]
        rolled = parts[0] if len(parts) == 1 else _added_up(parts)
        self._monthly = filled(rolled, self.months[0], self.months[-1], self.catalog, self.under)

    def in_parts(self, indicator: Indicator) -> list[Indicator]:
        """The indicator, or where there are many cells the same once for each of its presets, in their order."""
        if self._monthly.height <= CELLS_AT_A_TIME or indicator.denominator_source == "facilities":
            return [indicator]
        return [indicator.model_copy(update={"presets": (one,)}) for one in sorted(indicator.presets)]

    def _counts(self, indicator: Indicator) -> pl.DataFrame:
        """What an indicator is worked out from, in every period; of few cells all that was taken, once by kind."""
        kind = indicator.kind if indicator.kind is Kind.FLOW else Kind.STOCK
        if self._monthly.height > CELLS_AT_A_TIME:
            return self._over_periods(self._of(indicator), kind)
        if kind not in self._over:
            self._over[kind] = self._over_periods(self._monthly, kind)
        return self._over[kind]

    def _over_periods(self, monthly: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        columns = [name for name in monthly.columns if name not in (*CELL, "month")]
        return over_periods(monthly, self.months[0], self.months[-1], columns, kind, self.catalog)

    def _of(self, indicator: Indicator) -> pl.DataFrame:
        """The cells and counts of one indicator alone, month by month."""
        over = counted_over(self.catalog).values()
        counted = [names.get(preset, preset) for names in ({}, *over) for preset in indicator.presets]
        test = among("area_level", indicator.levels) & among("preset", dict.fromkeys(counted))
        if indicator.diseases:
            test &= among("disease", indicator.diseases)
        return self._monthly.filter(test).select(*CELL, "month", *columns_of(indicator, self.catalog))

    def values_of(self, indicator: Indicator) -> Iterator[pl.DataFrame]:
        """The values of one indicator, crude and where asked standardised."""
        if indicator.denominator_source == "facilities":
            yield self._finish(self._stations(indicator), indicator)
            return
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
        return self._published(self._counts(indicator), indicator)

    def _stations(self, indicator: Indicator) -> pl.DataFrame:
        if self.stations is None or self.stations.is_empty():
            return pl.DataFrame()
        columns, first, last = [REPORTING, KNOWN], self.months[0], self.months[-1]
        monthly = filled(roll_up(self.stations, self.reference, self.catalog, columns), first, last)
        cells = self._published(over_periods(monthly, first, last, columns, indicator.kind), indicator)
        return cells.with_columns(
            numerator=pl.col(REPORTING).cast(pl.Float64), denominator=pl.col(KNOWN).cast(pl.Float64)
        )

    def _published(self, cells: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
        """The cells of the presets, levels, diseases and months that an indicator is published for."""
        test = among("preset", indicator.presets) & among("area_level", indicator.levels)
        if indicator.diseases:
            test &= among("disease", indicator.diseases)
        if (
            indicator.cohort_offset_months is not None
        ):  # a cohort is a calendar quarter's, read N months after its end
            test &= (pl.col("month") - indicator.cohort_offset_months) % MONTHS_PER_QUARTER == 0
        return cells.filter(test)

    def _spells(self, cells: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
        return cells.with_columns(
            numerator=pl.col(self.plan.numerators[indicator.id]).cast(pl.Float64),
            denominator=pl.col(self.plan.denominators[indicator.id]).cast(pl.Float64),
        )

    def _finish(self, cells: pl.DataFrame, indicator: Indicator, standard: str | None = None) -> pl.DataFrame:
        return figures.finish(cells, indicator, self.rules, self.release_id, standard)
