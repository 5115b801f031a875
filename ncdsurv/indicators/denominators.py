"""Denominators that do not come from spells: people, expected cases, a standard population.

The numerator is always counted in the age base of its denominator: a survey of people aged 18 to 69 is
compared with patients aged 18 to 69.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import ALL_AGES, MONTHS_PER_YEAR, Level, Vintage
from ncdsurv.indicators.expected import AgeBase, default_bases, estimated_cases, population_table
from ncdsurv.indicators.rollup import (
    CELL,
    LARGE,
    PLACE,
    TOTAL,
    among,
    bands_inside,
    in_base,
)
from ncdsurv.indicators.standard import band_weights
from ncdsurv.reference.sums import steady_sum
from ncdsurv.spells import measure_plan

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Indicator
    from ncdsurv.reference import Reference


def base_column(measure: str, base: AgeBase | None) -> str:
    """Column of a measure within an age base; None is each disease's own survey base."""
    return (
        f"{measure}@survey" if base is None else f"{measure}@{base[0]}-{'' if base[1] is None else base[1]}"
    )


def base_of(indicator: Indicator) -> AgeBase:
    """The ages of an indicator over people; all ages where it names none."""
    ages = indicator.population_ages or (0,)
    return ages[0], ages[1] if len(ages) > 1 else None


def columns_of(indicator: Indicator, catalog: Catalog) -> dict[str, pl.Expr]:
    """The columns that an indicator is worked out from: name -> how it comes from the measures.

    Its numerator and denominator, and for a rate over people the numerator within the age base of the people.
    """
    plan = measure_plan(catalog)
    sides = (plan.numerators.get(indicator.id), plan.denominators.get(indicator.id))
    found = {name: pl.col(name) for name in sides if name is not None}
    if indicator.denominator_source == "estimated_cases":
        base, bases = None, default_bases(catalog)
    elif indicator.denominator_source == "population":
        base = base_of(indicator)
        bases = {disease: base for disease in catalog.diseases}
    else:
        return found
    measure = plan.numerators[indicator.id]
    counted = pl.when(in_base(bases, catalog)).then(pl.col(measure)).otherwise(0)
    return {**found, base_column(measure, base): counted}


class Denominators:
    """Populations and expected cases of every area of both vintages, for the years of a release."""

    def __init__(self, catalog: Catalog, reference: Reference, months: range) -> None:
        self.catalog, self.plan, self.last_month = catalog, measure_plan(catalog), months[-1]
        years = sorted({(month - 1) // MONTHS_PER_YEAR for month in months})
        bands: list[AgeBase] = [(band.lower, band.upper) for band in catalog.age_bands]
        wanted = [base_of(i) for i in catalog.indicators.values() if i.denominator_source == "population"]
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

    def over_expected(self, cells: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
        """Numerators in the survey's age base over expected cases; only where the reference has people."""
        measure = self.plan.numerators.get(indicator.id)
        above = (
            pl.lit(None, pl.Float64)
            if measure is None
            else pl.col(base_column(measure, None)).cast(pl.Float64)
        )
        surveyed = list(default_bases(self.catalog))
        totals = cells.filter(TOTAL & among("disease", surveyed)).with_columns(numerator=above)
        if self.expected is None:
            return totals.clear().with_columns(denominator=pl.lit(None, pl.Float64))
        return _joined(totals, self.expected.rename({"estimated": "denominator"}), ["disease"])

    def over_population(self, cells: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
        """Numerators in the indicator's age base over its population; one band's own people for a band."""
        measure, base = self.plan.numerators[indicator.id], base_of(indicator)
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
            numerator=pl.col(base_column(measure, base)).cast(pl.Float64),
            in_base=among("age_band", [ALL_AGES, *inside]),
        )
        return _joined(counted, people, ["sex", "age_band"])

    def standardised(self, over: pl.DataFrame, base: AgeBase) -> pl.DataFrame:
        """Sums over the age bands of the base, weighted by the standard population within the base.

        A band without people has no rate: the sums of such a cell are null (its events would be an infinite rate).
        """
        key = [name for name in (*CELL, "period") if name != "age_band"]
        weights = band_weights(self.catalog.standard_population, self.catalog.age_bands)
        bands = over.filter(pl.col("in_base") & (pl.col("age_band") != ALL_AGES))
        totals = over.filter(pl.col("age_band") == ALL_AGES)
        inside = bands_inside(self.catalog, base)
        share = {band: weights[band] / sum(weights[b] for b in inside) for band in inside}
        w = pl.col("age_band").replace_strict(share, default=0.0, return_dtype=pl.Float64)
        n, d = pl.col("numerator"), pl.col("denominator")
        people = pl.when(d > 0).then(d)
        sums = bands.group_by(key).agg(
            ratio=steady_sum(w * n / people),
            spread=steady_sum(w * w * n / (people * people)),
            unknown=d.is_null().any(),
        )
        joined = totals.join(sums, on=key, how="left", maintain_order="left")
        joined = joined.join(
            self._lacking(inside, totals), on=[*PLACE, "year", "sex"], how="left", maintain_order="left"
        )
        joined = joined.with_columns(
            pl.when(pl.col("lacking").is_null()).then(pl.col(name).fill_null(0.0)).alias(name)
            for name in ("ratio", "spread")
        )
        known = pl.col("unknown").fill_null(False)
        # Only where the bands themselves are there: a sum over no band would be a rate of 0.
        of_month = (pl.col("n_months") == 1) & (pl.col("month") == self.last_month)
        banded = LARGE & ((pl.col("n_months") > 1) | of_month)
        return joined.filter(banded).with_columns(denominator=pl.when(~known).then("denominator"))

    def _lacking(self, bands: Iterable[str], cells: pl.DataFrame) -> pl.DataFrame:
        """Areas, years and sexes with an age band in which nobody lives, whether or not anybody was counted there."""
        assert self.population is not None
        ages = {band.id: (band.lower, band.upper) for band in self.catalog.age_bands}
        of_band = [
            (pl.col("age_from") == lower) & pl.col("age_to").eq_missing(pl.lit(upper, pl.Int32))
            for lower, upper in (ages[band] for band in bands)
        ]
        nobody = self.population.filter(pl.any_horizontal(of_band), pl.col("population") <= 0)
        key = [*PLACE, "year", "sex"]
        typed = nobody.select(pl.col(name).cast(cells.schema[name], strict=False) for name in key)
        return typed.drop_nulls().unique().with_columns(lacking=pl.lit(True))


def _joined(cells: pl.DataFrame, people: pl.DataFrame, also: list[str]) -> pl.DataFrame:
    """Cells with their denominator, at the levels for which the reference has people at all."""
    key = [*PLACE, *also]
    people = people.cast({name: cells.schema[name] for name in key}, strict=False).drop_nulls(key)
    has = people.select("area_vintage", "area_level").unique()
    year = ((pl.col("month") - 1) // MONTHS_PER_YEAR).cast(pl.Int32)
    kept = cells.join(has, on=["area_vintage", "area_level"], how="semi", maintain_order="left")
    return kept.with_columns(year=year).join(people, on=["year", *key], how="left", maintain_order="left")
