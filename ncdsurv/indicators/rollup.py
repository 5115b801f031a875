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
    MONTHS_PER_YEAR,
    PERIOD_MONTHS,
    Kind,
    Level,
    Period,
    Sex,
    Vintage,
    month_start,
)
from ncdsurv.catalog.whole_periods import counted_over
from ncdsurv.spells import band_names

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.indicators.expected import AgeBase
    from ncdsurv.reference import Reference

PLACE = ["area_vintage", "area_level", "area_code"]
CELL = [*PLACE, "disease", "preset", "sex", "age_band"]
SMALL_LEVELS = (Level.COMMUNE, Level.DISTRICT)  # totals by month only
LARGE_LEVELS = (Level.PROVINCE, Level.REGION, Level.NATION)  # also by longer periods, and by sex and age band
TOTAL = (pl.col("sex") == BOTH_SEXES) & (pl.col("age_band") == ALL_AGES)
ORDER = ["preset", "disease", *PLACE, "period", "sex", "age_band"]


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


def among(column: str, words: Iterable[str]) -> pl.Expr:
    """Membership of an enum column (`is_in` of enums wants a series of the same type)."""
    return pl.any_horizontal([pl.col(column) == str(word) for word in words] or [pl.lit(False)])


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
        & (
            pl.lit(True)
            if base == (0, None)
            else pl.col("age_band").cast(pl.String).is_in(bands_inside(catalog, base))
        )
        for disease, base in bases.items()
    ]
    return pl.any_horizontal(tests) if tests else pl.lit(False)


def cell_types(catalog: Catalog, reference: Reference) -> dict[str, pl.Enum]:
    """Enums of the key columns, names in alphabetical order so that sorting them sorts the text."""
    codes = set(reference.atoms["commune_2024"]) | set(reference.atoms["commune_2025"])
    for vintage in Vintage:
        chain = reference.parents(vintage)
        codes |= {code for level in chain.columns for code in chain[level].drop_nulls()}
    names = {
        "area_vintage": [vintage.value for vintage in Vintage],
        "area_level": [level.value for level in Level],
        "area_code": codes,
        "disease": catalog.diseases,
        "preset": [*catalog.presets, *derived_presets(catalog)],
        "sex": [BOTH_SEXES, *(sex.value for sex in Sex)],
        "age_band": [ALL_AGES, *band_names(catalog)],
    }
    return {column: pl.Enum(sorted(words)) for column, words in names.items()}


def roll_up(
    measures: pl.DataFrame, reference: Reference, catalog: Catalog, columns: Sequence[str]
) -> pl.DataFrame:
    """Sum measures of atoms to every area of both vintages, by month.

    Args:
        measures: atom, month, disease, sex, age_band, preset and the columns.
        reference: Atoms and parents of both vintages.
        catalog: Age bands.
        columns: Measure columns to sum.

    Returns:
        CELL (enums of `cell_types`), month and the columns (Int64): sex `both` and age_band `all` at every
        level; by sex and age band for provinces, regions and the nation. A cell is there when the measures have a row
        of it, whatever the columns asked for: so the cells of all columns are the same.
    """
    cell = ["month", "disease", "preset"]
    types = cell_types(catalog, reference)
    measures = measures.with_columns(
        pl.col(name).cast(types[name]) for name in ("disease", "preset", "sex", "age_band")
    )
    sums = [pl.col(name).sum() for name in columns]
    of_atoms = measures.group_by("atom", *cell).agg(sums)
    parts: list[pl.DataFrame] = []
    for vintage in Vintage:
        areas = _areas_of_atoms(reference, vintage).cast({pl.String: types["area_code"]})
        for level in SMALL_LEVELS:
            homes = areas.select("atom", area_code=level).drop_nulls()
            if homes.is_empty():
                continue
            found = of_atoms.join(homes, on="atom").group_by("area_code", *cell).agg(sums)
            parts.append(_placed(found, vintage, level, types))
        homes = areas.select("atom", area_code=Level.PROVINCE)
        strata = measures.join(homes, on="atom").group_by("area_code", "sex", "age_band", *cell).agg(sums)
        for level in LARGE_LEVELS:
            above = strata
            if level != Level.PROVINCE:
                names = areas.select(area_code=Level.PROVINCE, above=level).unique()
                above = strata.join(names, on="area_code").drop("area_code").rename({"above": "area_code"})
            for by_sex, by_age in product((False, True), repeat=2):
                split = [name for name, wanted in (("sex", by_sex), ("age_band", by_age)) if wanted]
                found = above.group_by("area_code", *split, *cell).agg(sums)
                parts.append(_placed(found, vintage, level, types))
    sexes = [BOTH_SEXES, Sex.MALE.value, Sex.FEMALE.value]
    bands = [ALL_AGES, *(band.id for band in catalog.age_bands)]
    known = pl.col("sex").cast(pl.String).is_in(sexes) & pl.col("age_band").cast(pl.String).is_in(bands)
    return pl.concat(parts).filter(known)


def _areas_of_atoms(reference: Reference, vintage: Vintage) -> pl.DataFrame:
    keyed = reference.atoms.select("atom", commune=f"commune_{vintage}")
    return keyed.join(reference.parents(vintage), on="commune", how="left")


def _placed(found: pl.DataFrame, vintage: Vintage, level: Level, types: dict[str, pl.Enum]) -> pl.DataFrame:
    """The key columns in one order; a stratum that the frame does not have is all of it."""
    fixed = {
        "area_vintage": vintage.value,
        "area_level": level.value,
        "sex": BOTH_SEXES,
        "age_band": ALL_AGES,
    }
    key = [pl.lit(word, types[name]).alias(name) for name, word in fixed.items() if name not in found.columns]
    return found.with_columns(key).select(*CELL, "month", pl.exclude(*CELL, "month").cast(pl.Int64))


def derived_presets(catalog: Catalog) -> list[str]:
    """Ids under which presets are counted over whole periods (see `catalog.whole_periods`)."""
    return [name for names in counted_over(catalog).values() for name in names.values()]


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
    """Counts of every period: months everywhere; longer ones from the province up.

    A flow is the sum of the period's months, everything else stands as of its last month; under a preset that rests
    on whole periods as it is counted over a period of that length, where the catalog is given.
    Strata (sex, age band) stand in longer periods and the last month: by single months they are small and many.

    Returns:
        CELL, period (enum), month (the period's last), n_months, the columns; in the order of publication.
    """
    large = monthly.filter(
        pl.col("area_level").cast(pl.String).is_in([level.value for level in LARGE_LEVELS])
    )
    sums = [pl.col(name).sum() for name in columns]
    found = {length: whole_periods(first_month, last_month, length) for length in PERIOD_MONTHS.values()}
    names = pl.Enum(sorted(str(period) for periods in found.values() for period in periods.periods))
    parts: list[pl.DataFrame] = []
    for length, periods in found.items():
        source = large if length > 1 else monthly.filter(TOTAL | (pl.col("month") == last_month))
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


def in_order(cells: pl.DataFrame) -> pl.DataFrame:
    """Rows in the order of publication, by one integer that stands for the key: much quicker than by the key.

    Args:
        cells: The columns of `ORDER`, all of them enums whose words are in alphabetical order.
    """
    place = pl.lit(0, pl.Int64)
    for name in ORDER:
        kind = cells.schema[name]
        assert isinstance(kind, pl.Enum)
        place = place * len(kind.categories) + pl.col(name).to_physical().cast(pl.Int64)
    return cells.sort(place)
