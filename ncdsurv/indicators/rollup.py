"""Measures of atoms -> measures of areas and periods: sums only, no ratio anywhere.

Both geographies are exact sums of atoms. Stocks are taken at a period's last month, flows are summed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import (
    ALL_AGES,
    BOTH_SEXES,
    MONTHS_PER_QUARTER,
    MONTHS_PER_YEAR,
    Level,
    Period,
    Sex,
    Vintage,
    month_start,
)

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.indicators.expected import AgeBase
    from ncdsurv.reference import Reference

PLACE = ["area_vintage", "area_level", "area_code"]
CELL = [*PLACE, "disease", "preset", "sex", "age_band"]
SMALL_LEVELS = (Level.COMMUNE, Level.DISTRICT)  # totals by month only
LARGE_LEVELS = (Level.PROVINCE, Level.REGION, Level.NATION)  # also by sex, age band, quarter, year


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
        return pl.DataFrame(rows, schema={"period": pl.String, "month": pl.Int32, "last": pl.Boolean}, orient="row")


def whole_periods(first_month: int, last_month: int, length: int) -> Periods:
    """Calendar periods of 1, 3 or 12 months that lie whole within two months (both included).

    >>> from ncdsurv.catalog.vocabulary import Period
    >>> start, end = Period.parse("2024-07").first_month, Period.parse("2026-06").last_month
    >>> [str(period) for period in whole_periods(start, end, 12).periods]
    ['2025']
    """
    opens = [m for m in range(first_month, last_month + 1) if (month_start(m).month - 1) % length == 0]
    found = (Period(month, month + length - 1) for month in opens)
    return Periods(tuple(period for period in found if period.last_month <= last_month))


def bands_inside(catalog: Catalog, base: AgeBase) -> list[str]:
    """Ids of the age bands that lie inside an age base; an open base takes in the oldest band."""
    lower, upper = base
    return [
        band.id
        for band in catalog.age_bands
        if band.lower >= lower and (upper is None or (band.upper is not None and band.upper <= upper))
    ]


def in_base(bases: Mapping[str, AgeBase], catalog: Catalog) -> pl.Expr:
    """Whether a row's age band lies in its disease's age base; a base of all ages takes everybody."""
    tests = [
        (pl.col("disease") == disease)
        & (pl.lit(True) if base == (0, None) else pl.col("age_band").is_in(bands_inside(catalog, base)))
        for disease, base in bases.items()
    ]
    return pl.any_horizontal(tests) if tests else pl.lit(False)


def roll_up(measures: pl.DataFrame, reference: Reference, catalog: Catalog, columns: Sequence[str]) -> pl.DataFrame:
    """Sum measures of atoms to every area of both vintages, by month.

    Args:
        measures: atom, month, disease, sex, age_band, preset and the columns.
        reference: Atoms and parents of both vintages.
        catalog: Age bands.
        columns: Measure columns to sum.

    Returns:
        CELL, month and the columns (Int64): sex `both` and age_band `all` at every level; by sex and age
        band from the province up. Cells with no count at all are absent.
    """
    cell = ["month", "disease", "preset"]
    sums = [pl.col(name).sum() for name in columns]
    of_atoms = measures.group_by("atom", *cell).agg(sums)
    parts = []
    for vintage in Vintage:
        areas = _areas_of_atoms(reference, vintage)
        for level in SMALL_LEVELS:
            homes = areas.select("atom", area_code=level).drop_nulls()
            if homes.is_empty():
                continue
            found = of_atoms.join(homes, on="atom").group_by("area_code", *cell).agg(sums)
            parts.append(_placed(found, vintage, level, BOTH_SEXES, ALL_AGES))
        homes = areas.select("atom", area_code=Level.PROVINCE)
        strata = measures.join(homes, on="atom").group_by("area_code", "sex", "age_band", *cell).agg(sums)
        up = areas.select(*LARGE_LEVELS).unique()
        for level in LARGE_LEVELS:
            above = strata
            if level != Level.PROVINCE:
                names = up.select(area_code=Level.PROVINCE, above=level).unique()
                above = strata.join(names, on="area_code").drop("area_code").rename({"above": "area_code"})
            for by_sex, by_age in product((False, True), repeat=2):
                split = [name for name, wanted in (("sex", by_sex), ("age_band", by_age)) if wanted]
                found = above.group_by("area_code", *split, *cell).agg(sums)
                parts.append(_placed(found, vintage, level, *(None if s else a for s, a in _margins(by_sex, by_age))))
    sexes = [BOTH_SEXES, Sex.MALE.value, Sex.FEMALE.value]
    bands = [ALL_AGES, *(band.id for band in catalog.age_bands)]
    return (
        pl.concat(parts)
        .filter(pl.col("sex").is_in(sexes) & pl.col("age_band").is_in(bands))
        .filter(pl.any_horizontal(pl.col(name) != 0 for name in columns))
    )


def _margins(by_sex: bool, by_age: bool) -> list[tuple[bool, str]]:
    return [(by_sex, BOTH_SEXES), (by_age, ALL_AGES)]


def _areas_of_atoms(reference: Reference, vintage: Vintage) -> pl.DataFrame:
    keyed = reference.atoms.select("atom", commune=f"commune_{vintage}")
    return keyed.join(reference.parents(vintage), on="commune", how="left")


def _placed(
    found: pl.DataFrame, vintage: Vintage, level: Level, sex: str | None, age_band: str | None
) -> pl.DataFrame:
    """The key columns in one order; `sex` or `age_band` None means that the frame has its own."""
    key = {
        "area_vintage": pl.lit(vintage.value),
        "area_level": pl.lit(level.value),
        "sex": pl.lit(sex) if sex else pl.col("sex").cast(pl.String),
        "age_band": pl.lit(age_band) if age_band else pl.col("age_band").cast(pl.String),
        "disease": pl.col("disease").cast(pl.String),
        "preset": pl.col("preset").cast(pl.String),
    }
    counts = pl.exclude(*CELL, "month").cast(pl.Int64)
    return found.with_columns(**key).select(*CELL, "month", counts)


def over_periods(
    monthly: pl.DataFrame, first_month: int, last_month: int, columns: Iterable[str]
) -> dict[str, pl.DataFrame]:
    """Stocks and flows of every period: months everywhere; quarters and years from the province up.

    Returns:
        {"stock": ..., "flow": ...}: CELL, period, last_month of the period, n_months, the columns.
    """
    large = monthly.filter(pl.col("area_level").is_in([level.value for level in LARGE_LEVELS]))
    sums = [pl.col(name).sum() for name in columns]
    stock, flow = [], []
    for length in (1, MONTHS_PER_QUARTER, MONTHS_PER_YEAR):
        periods = whole_periods(first_month, last_month, length).frame
        source = monthly if length == 1 else large
        ends = periods.filter("last").select("period", "month")
        at_end = source.join(ends, on="month").with_columns(n_months=pl.lit(length, pl.Int32))
        stock.append(at_end)
        if length > 1:
            inside = source.join(periods.select("period", "month"), on="month").drop("month")
            summed = inside.group_by(*CELL, "period").agg(sums).join(ends, on="period")
            flow.append(summed.with_columns(n_months=pl.lit(length, pl.Int32)).select(at_end.columns))
        else:
            flow.append(at_end)
    return {"stock": pl.concat(stock), "flow": pl.concat(flow)}
