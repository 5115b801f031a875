"""Expected cases: the population in a survey's own age base, times the survey's prevalence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import BOTH_SEXES
from ncdsurv.reference.sums import steady_sum

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ncdsurv.catalog import Catalog
    from ncdsurv.reference import Reference

AgeBase = tuple[int, int | None]
PERCENT = 100
POPULATION = {
    "area_code": pl.String(),
    "year": pl.Int32(),
    "sex": pl.String(),
    "age_from": pl.Int32(),
    "age_to": pl.Int32(),
    "population": pl.Float64(),
}


def default_bases(catalog: Catalog) -> dict[str, AgeBase]:
    """Disease -> age base of the prevalence used for its expected cases.

    >>> from ncdsurv.catalog import load_catalog
    >>> default_bases(load_catalog())["hypertension"]
    (18, 69)
    """
    chosen = ((disease, catalog.default_prevalence(disease)) for disease in catalog.diseases)
    return {disease: (found.age_from, found.age_to) for disease, found in chosen if found is not None}


def population_table(
    reference: Reference, bases: Iterable[AgeBase], vintage: str, level: str, years: Iterable[int]
) -> pl.DataFrame:
    """Population of every area of a level in some age bases.

    Returns:
        area_code, year, sex (male, female, both), age_from, age_to (null: open), population Float64.
    """
    parts = [pl.DataFrame(schema=POPULATION)]
    ordered = sorted(set(bases), key=lambda base: (base[0], base[1] is None, base[1] or 0))
    columns = [str(place) for place in range(len(ordered))]
    for year in sorted(set(years)):
        if not ordered or reference.population_of(vintage, level, year).is_empty():
            continue
        found = reference.population_at_age_bases(ordered, vintage=vintage, level=level, year=year)
        by_sex = found.select(*columns, area_code="code", sex="sex")
        both = by_sex.group_by("area_code", maintain_order=True).agg(steady_sum(name) for name in columns)
        rows = pl.concat([by_sex, both.with_columns(sex=pl.lit(BOTH_SEXES))], how="diagonal")
        parts += [
            rows.select(
                "area_code",
                pl.lit(year, pl.Int32).alias("year"),
                "sex",
                pl.lit(lower, pl.Int32).alias("age_from"),
                pl.lit(upper, pl.Int32).alias("age_to"),
                population=name,
            )
            for name, (lower, upper) in zip(columns, ordered, strict=True)
        ]
    return pl.concat(parts)


def estimated_cases(population: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Expected cases of every disease with a default prevalence, both sexes together.

    A survey gives one figure for its whole age base, so no split by sex or age is made of it.

    Args:
        population: Of `population_table`, holding the age bases of `default_bases`.

    Returns:
        area_code, year, disease, estimated Float64.
    """
    both = population.filter(pl.col("sex") == BOTH_SEXES)
    parts = []
    for disease, (lower, upper) in default_bases(catalog).items():
        prevalence = catalog.default_prevalence(disease)
        assert prevalence is not None
        base = both.filter(
            (pl.col("age_from") == lower) & pl.col("age_to").eq_missing(pl.lit(upper, pl.Int32))
        )
        expected = pl.col("population") * prevalence.percent / PERCENT
        parts.append(base.select("area_code", "year", pl.lit(disease).alias("disease"), estimated=expected))
    return pl.concat(parts)
