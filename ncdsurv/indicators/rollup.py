"""Measures of atoms -> measures of areas, month by month: sums only, no ratio anywhere.

Both geographies are exact sums of atoms. Periods longer than a month are made of these in `periods`.
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
    Level,
    Sex,
    Vintage,
)
from ncdsurv.catalog.whole_periods import derived_presets
from ncdsurv.remembered import Remembered
from ncdsurv.spells import band_names

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.indicators.expected import AgeBase
    from ncdsurv.reference import Reference

PLACE = ["area_vintage", "area_level", "area_code"]
CELL = [*PLACE, "disease", "preset", "sex", "age_band"]
SMALL_LEVELS = (Level.COMMUNE, Level.DISTRICT)  # totals only
LARGE_LEVELS = (Level.PROVINCE, Level.REGION, Level.NATION)  # also by sex and age band
ORDER = ["preset", "disease", *PLACE, "period", "sex", "age_band"]


def among(column: str, words: Iterable[str]) -> pl.Expr:
    """Membership of an enum column (`is_in` of enums wants a series of the same type)."""
    return pl.any_horizontal([pl.col(column) == str(word) for word in words] or [pl.lit(False)])


LARGE = among("area_level", LARGE_LEVELS)
TOTAL = (pl.col("sex") == BOTH_SEXES) & (pl.col("age_band") == ALL_AGES)


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
    names = {
        "area_vintage": [vintage.value for vintage in Vintage],
        "area_level": [level.value for level in Level],
        "disease": catalog.diseases,
        "preset": [*catalog.presets, *derived_presets(catalog)],
        "sex": [BOTH_SEXES, *(sex.value for sex in Sex)],
        "age_band": [ALL_AGES, *band_names(catalog)],
    }
    kinds = {column: pl.Enum(sorted(words)) for column, words in names.items()}
    return {**kinds, "area_code": _GEOGRAPHIES.of(reference).codes}


@dataclass(frozen=True)
class _Geography:
    """What every roll-up needs of a reference.

    Attributes:
        codes: Every code of an area of either vintage, in alphabetical order.
        homes: By vintage, the areas that each atom lies in: atom, and a column of codes for each level.
    """

    codes: pl.Enum
    homes: dict[Vintage, pl.DataFrame]


def _geography(reference: Reference) -> _Geography:
    found = set(reference.atoms["commune_2024"]) | set(reference.atoms["commune_2025"])
    for vintage in Vintage:
        chain = reference.parents(vintage)
        found |= {code for level in chain.columns for code in chain[level].drop_nulls()}
    codes = pl.Enum(sorted(found))
    areas = {vintage: _areas_of_atoms(reference, vintage).cast({pl.String: codes}) for vintage in Vintage}
    return _Geography(codes, areas)


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
        areas = _GEOGRAPHIES.of(reference).homes[vintage]
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


_GEOGRAPHIES: Remembered[Reference, _Geography] = Remembered(_geography)


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
