"""Measures -> values: every indicator in every cell that is published, with interval, unit and flag.

Which cells: every area of both vintages by month, both sexes and all ages together; from the province up
also by quarter and by year (only periods that lie whole within the months counted); provinces and the nation
by sex and age band for quarters, years and the last month.
An empty denominator gives null and a flag, never 0. Ratios are worked out last, from summed counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.tables import VALUES, conform
from ncdsurv.catalog.vocabulary import (
    ALL_AGES,
    MONTHS_PER_QUARTER,
    MONTHS_PER_YEAR,
    Flag,
    Kind,
    Level,
    Vintage,
)
from ncdsurv.errors import UsageError
from ncdsurv.indicators import figures
from ncdsurv.indicators.expected import AgeBase, default_bases, estimated_cases, population_table
from ncdsurv.indicators.rollup import (
    CELL,
    LARGE_LEVELS,
    ORDER,
    PLACE,
    STRATIFIED,
    TOTAL,
    bands_inside,
    in_base,
    over_periods,
    roll_up,
)
from ncdsurv.indicators.standard import band_weights
from ncdsurv.spells import measure_plan

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Indicator
    from ncdsurv.reference import Reference

KEY = [*CELL, "period"]


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
    counted, columns = _with_bases(measures, catalog)
    monthly = _filled(roll_up(counted, reference, catalog, columns), first, last)
    over = over_periods(monthly, first, last, columns)
    publisher = _Publisher(catalog, reference, over, release_id, range(first, last + 1))
    for name in sorted(catalog.indicators):
        indicator = catalog.indicators[name]
        parts = [part for part in publisher.values_of(indicator) if not part.is_empty()]
        if parts:  # each part is in order already; only crude and standardised rows must be interleaved
            yield parts[0] if len(parts) == 1 else pl.concat(parts).sort(*ORDER, "standardisation")


def _base_column(measure: str, base: AgeBase | None) -> str:
    """Column of a measure within an age base; None is each disease's own survey base."""
    return (
        f"{measure}@survey" if base is None else f"{measure}@{base[0]}-{'' if base[1] is None else base[1]}"
    )


def _base_of(indicator: Indicator) -> AgeBase:
    ages = indicator.population_ages or (0,)
    return ages[0], ages[1] if len(ages) > 1 else None


def _with_bases(measures: pl.DataFrame, catalog: Catalog) -> tuple[pl.DataFrame, list[str]]:
    """Adds, for rates over people, the measure counted within the age base of their denominator."""
    plan = measure_plan(catalog)
    added: dict[str, pl.Expr] = {}
    surveys = default_bases(catalog)
    for indicator in catalog.indicators.values():
        if indicator.denominator_source == "estimated_cases":
            measure = plan.numerators[indicator.id]
            inside = in_base(surveys, catalog)
            added[_base_column(measure, None)] = pl.when(inside).then(pl.col(measure)).otherwise(0)
        elif indicator.denominator_source == "population":
            measure, base = plan.numerators[indicator.id], _base_of(indicator)
            inside = in_base({disease: base for disease in catalog.diseases}, catalog)
            added[_base_column(measure, base)] = pl.when(inside).then(pl.col(measure)).otherwise(0)
    return measures.with_columns(**added), [*plan.names, *added]


def _filled(monthly: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    """Totals of large areas stand in every month, with zeros where nothing was counted."""
    large = _among("area_level", LARGE_LEVELS) & TOTAL
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
        years = sorted({(month - 1) // MONTHS_PER_YEAR for month in months})
        bands: list[AgeBase] = [(band.lower, band.upper) for band in catalog.age_bands]
        wanted = [_base_of(i) for i in catalog.indicators.values() if i.denominator_source == "population"]
        bases = [*default_bases(catalog).values(), *wanted, *(bands if wanted else [])]
        populations, expected = [], []
        if bases:
            for vintage in Vintage:
                for level in Level:
                    if level == Level.DISTRICT and reference.parents(vintage)[level].is_null().all():
                        continue
                    place = {"area_vintage": pl.lit(vintage.value), "area_level": pl.lit(level.value)}
                    found = population_table(reference, bases, vintage, level, years)
                    populations.append(found.with_columns(**place))
                    expected.append(estimated_cases(found, catalog).with_columns(**place))
        self.population = pl.concat(populations) if populations else None
        self.expected = pl.concat(expected) if expected else None

    def values_of(self, indicator: Indicator) -> Iterator[pl.DataFrame]:
        """The values of one indicator, crude and where asked standardised."""
        cells = self._cells(indicator)
        if indicator.denominator_source == "spells":
            yield self._finish(self._spells(cells, indicator), indicator)
        elif indicator.denominator_source == "estimated_cases":
            yield self._finish(self._over_expected(cells, indicator), indicator)
        elif indicator.denominator_source == "population":
            over = self._over_population(cells, indicator)
            yield self._finish(over.filter(pl.col("in_base")), indicator)
            if indicator.age_standardised:
                adjusted = self._standardised(over, _base_of(indicator))
                yield self._finish(adjusted, indicator, self.catalog.standard_population.id)
        elif indicator.id in self.plan.numerators:
            n = pl.col(self.plan.numerators[indicator.id]).cast(pl.Float64)
            yield self._finish(
                cells.with_columns(numerator=n, denominator=pl.lit(None, pl.Float64)), indicator
            )
        else:
            expected = self._over_expected(cells, indicator)
            named = expected.with_columns(numerator="denominator", denominator=pl.lit(None, pl.Float64))
            yield self._finish(named, indicator)

    def _cells(self, indicator: Indicator) -> pl.DataFrame:
        cells = self.over[Kind.FLOW if indicator.kind is Kind.FLOW else Kind.STOCK]
        test = _among("preset", indicator.presets) & _among("area_level", indicator.levels)
        if indicator.diseases:
            test &= _among("disease", indicator.diseases)
        if indicator.kind is Kind.COHORT:  # a cohort is a calendar quarter's, read at a quarter's end
            test &= pl.col("month") % MONTHS_PER_QUARTER == 0
        return cells.filter(test)

    def _spells(self, cells: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
        return cells.with_columns(
            numerator=pl.col(self.plan.numerators[indicator.id]).cast(pl.Float64),
            denominator=pl.col(self.plan.denominators[indicator.id]).cast(pl.Float64),
        )

    def _over_expected(self, cells: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
        """Numerators in the survey's age base over expected cases; only where the reference has people."""
        measure = self.plan.numerators.get(indicator.id)
        above = (
            pl.lit(None, pl.Float64)
            if measure is None
            else pl.col(_base_column(measure, None)).cast(pl.Float64)
        )
        surveyed = list(default_bases(self.catalog))
        totals = cells.filter(TOTAL & _among("disease", surveyed)).with_columns(numerator=above)
        if self.expected is None:
            return totals.clear().with_columns(denominator=pl.lit(None, pl.Float64))
        return _joined(totals, self.expected.rename({"estimated": "denominator"}), ["disease"])

    def _over_population(self, cells: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
        """Numerators in the indicator's age base over its population; one band's own people for a band."""
        measure, base = self.plan.numerators[indicator.id], _base_of(indicator)
        inside = bands_inside(self.catalog, base)
        ages = {band.id: (band.lower, band.upper) for band in self.catalog.age_bands} | {ALL_AGES: base}
        named = pl.DataFrame(
            [(band, lower, upper) for band, (lower, upper) in ages.items()],
            schema={"age_band": pl.String, "age_from": pl.Int32, "age_to": pl.Int32},
            orient="row",
        )
        assert self.population is not None
        people = self.population.join(named, on=["age_from", "age_to"], nulls_equal=True)
        people = people.drop("age_from", "age_to").rename({"population": "denominator"})
        counted = cells.with_columns(
            numerator=pl.col(_base_column(measure, base)).cast(pl.Float64),
            in_base=_among("age_band", [ALL_AGES, *inside]),
        )
        return _joined(counted, people, ["sex", "age_band"])

    def _standardised(self, over: pl.DataFrame, base: AgeBase) -> pl.DataFrame:
        """Sums over the age bands of the base, weighted by the standard population within the base."""
        key = [name for name in KEY if name != "age_band"]
        weights = band_weights(self.catalog.standard_population, self.catalog.age_bands)
        bands = over.filter(pl.col("in_base") & (pl.col("age_band") != ALL_AGES))
        totals = over.filter(pl.col("age_band") == ALL_AGES)
        inside = bands_inside(self.catalog, base)
        share = {band: weights[band] / sum(weights[b] for b in inside) for band in inside}
        w = pl.col("age_band").replace_strict(share, default=0.0, return_dtype=pl.Float64)
        n, d = pl.col("numerator"), pl.col("denominator")
        sums = bands.group_by(key).agg(
            ratio=(w * n / d).sum(), spread=(w * w * n / (d * d)).sum(), unknown=d.is_null().any()
        )
        joined = totals.join(sums, on=key, how="left", maintain_order="left").with_columns(
            pl.col("ratio", "spread").fill_null(0.0)
        )
        known = pl.col("unknown").fill_null(False)
        banded = _among("area_level", STRATIFIED) & (
            (pl.col("n_months") > 1) | (pl.col("month") == self.last_month)
        )
        return joined.filter(banded).with_columns(denominator=pl.when(~known).then("denominator"))

    def _finish(self, cells: pl.DataFrame, indicator: Indicator, standard: str | None = None) -> pl.DataFrame:
        if cells.is_empty():
            return pl.DataFrame(schema=dict(VALUES))
        missing = Flag.NO_DENOMINATOR if indicator.denominator_source == "spells" else Flag.NO_POPULATION
        if standard is not None:
            found = figures.standardised_figures(cells, self.rules)
        elif indicator.unit == "count":
            found = figures.count_figures(cells, self.rules)
        elif indicator.unit == "percent":
            found = figures.share_figures(cells, indicator, self.rules, missing)
        else:
            found = figures.rate_figures(cells, indicator, self.rules, missing)
        named = found.with_columns(
            release=pl.lit(self.release_id),
            indicator=pl.lit(indicator.id),
            standardisation=pl.lit(standard or figures.CRUDE),
            unit=pl.lit(indicator.unit),
        )
        return conform(named, VALUES)


def _among(column: str, words: Iterable[str]) -> pl.Expr:
    """Membership of an enum column; the words need not all be in the enum."""
    return pl.any_horizontal([pl.col(column) == str(word) for word in words] or [pl.lit(False)])


def _joined(cells: pl.DataFrame, people: pl.DataFrame, also: list[str]) -> pl.DataFrame:
    """Cells with their denominator, at the levels for which the reference has people at all."""
    key = [*PLACE, *also]
    people = people.cast({name: cells.schema[name] for name in key}, strict=False).drop_nulls(key)
    has = people.select("area_vintage", "area_level").unique()
    year = ((pl.col("month") - 1) // MONTHS_PER_YEAR).cast(pl.Int32)
    kept = cells.join(has, on=["area_vintage", "area_level"], how="semi", maintain_order="left")
    return kept.with_columns(year=year).join(people, on=["year", *key], how="left", maintain_order="left")
