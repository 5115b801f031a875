"""Populations: which pack an area's figure comes from, ages filled in, small areas added up. Pure.

The rules, in order:

1. An area's figure comes from one pack: the last one that gives it, or gives all the areas it is made of.
   Figures of two packs are never added.
2. Inside a pack, an area is the sum of its parts when the pack has them all; else what the pack says of it.
3. A total without ages (or without sex) is spread by the national structure of that pack or the nearest one before
   it, and marked estimated.
4. A pack of invented people is a closed world: nobody lives where it puts nobody, so its sums need not have every
   part. Otherwise real people would stand above invented ones.
5. A 2025 commune is the sum of shares of its 2024 communes when only those are given; a 2024 area is the sum of its
   2025 communes when none of them reaches beyond it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from ncdsurv.catalog.vocabulary import NATION, Level, Sex, Vintage
from ncdsurv.reference.ages import ALL_AGES, share_inside
from ncdsurv.reference.schema import LEVELS, conform, empty
from ncdsurv.reference.sums import steady_sum

CELL = ["year", "sex", "age_group"]
AREA = ["vintage", "level", "code"]
SEXES = (str(Sex.MALE), str(Sex.FEMALE))
BOTH = "both"


def merge_population(tables: Sequence[tuple[str, pl.DataFrame]], parents: Mapping[str, pl.DataFrame],
                     atoms: pl.DataFrame, invented: Collection[str] = ()) -> pl.DataFrame:  # fmt: skip
    """Population of every area that has one, by sex and age group.

    Args:
        tables: (pack id, population table) from low to high precedence.
        parents: Per vintage, frame [commune, district, province, region, nation].
        atoms: Frame [commune_2024, commune_2025, share, ...].
        invented: Ids of the packs whose people are invented.

    Returns:
        Frame [vintage, level, code, year, sex, age_group, population, source, estimated, pack], persons as Float64,
        sex male or female, sorted.
    """
    structure = empty("population")
    merged: pl.DataFrame | None = None
    for pack, table in tables:
        if table.is_empty():
            continue
        own = _structure(table)
        structure = structure if own.is_empty() else own
        filled = _roll_up(_spread(table, structure), parents, atoms, pack in invented)
        filled = filled.with_columns(pack=pl.lit(pack))
        if merged is None:
            merged = filled
        else:
            merged = pl.concat([merged.join(filled.select(AREA).unique(), on=AREA, how="anti"), filled])
    if merged is None:
        return empty("population").with_columns(pack=pl.lit(None, pl.String))
    return merged.sort(*AREA, *CELL[:2], pl.col("age_group").str.extract(r"^(\d+)").cast(pl.Int32))


def at_year(population: pl.DataFrame, vintage: str, level: str, year: int | None) -> pl.DataFrame:
    """One level's population in a year: of each area the last year up to `year`, else its first; None: its last."""
    rows = population.filter(vintage=vintage, level=level)
    years = rows.select("code", "year").unique()
    if year is not None:
        before = pl.col("year").filter(pl.col("year") <= year).max()
        years = years.group_by("code").agg(year=pl.coalesce(before, pl.col("year").min()))
    else:
        years = years.group_by("code").agg(pl.col("year").max())
    return rows.join(years, on=["code", "year"], how="semi").sort("code", "sex", "year", maintain_order=True)


def at_ages(population: pl.DataFrame, lower: int, upper: int | None) -> pl.DataFrame:
    """People `lower` to `upper` years old: groups that the base cuts are taken pro rata (see `ages.share_inside`).

    Returns:
        Frame [vintage, level, code, year, sex, population, estimated], one row per area, year and sex.
    """
    return at_age_bases(population, [(lower, upper)]).rename({"0": "population"})


def at_age_bases(population: pl.DataFrame, bases: Sequence[tuple[int, int | None]]) -> pl.DataFrame:
    """People in each of some age bases, as `at_ages` counts them, in one pass over the rows.

    Returns:
        Frame [vintage, level, code, year, sex, "0", "1", ..., estimated]: a column for each base, in their order.
    """
    groups = population["age_group"].unique().to_list()
    sums = []
    for place, (lower, upper) in enumerate(bases):
        weight = {group: share_inside(group, lower, upper) for group in groups}
        share = pl.col("age_group").replace_strict(weight, return_dtype=pl.Float64)
        sums.append(steady_sum(pl.col("population") * share).alias(str(place)))
    totals = population.group_by([*AREA, "year", "sex"]).agg(*sums, pl.col("estimated").any())
    return totals.sort(*AREA, "year", "sex")


def _structure(table: pl.DataFrame) -> pl.DataFrame:
    """The nation's latest rows by sex and age, if the pack has them: [sex, age_group, weight, source]."""
    rows = table.filter(
        (pl.col("level") == Level.NATION) & (pl.col("code") == NATION) & (pl.col("age_group") != ALL_AGES)
        & pl.col("sex").is_in(SEXES)
    )  # fmt: skip
    if rows.is_empty():
        return rows
    rows = rows.filter(pl.col("year") == pl.col("year").max())
    rows = rows.filter(pl.col("vintage") == pl.col("vintage").max())
    return rows.select("sex", "age_group", weight="population", structure_source="source")


def _spread(table: pl.DataFrame, structure: pl.DataFrame) -> pl.DataFrame:
    """Rows by sex and age group: totals spread over the structure, the finest rows of an area preferred."""
    key = [*AREA, "year"]
    table = table.with_columns(total=pl.col("age_group") == ALL_AGES, both=pl.col("sex") == BOTH)
    table = table.filter(~(pl.col("total") & ~pl.col("total").all().over(key)))
    table = table.filter(~(pl.col("both") & ~pl.col("both").all().over(key)))
    fine = table.filter(~pl.col("total") & ~pl.col("both"))
    coarse = table.filter(pl.col("total") | pl.col("both"))
    if coarse.is_empty() or structure.is_empty():
        return conform(fine, "population")
    cells = coarse.with_row_index("row").drop("sex").join(structure, how="cross", suffix="_cell")
    given_sex = coarse.with_row_index("row").select("row", given_sex="sex")
    cells = cells.join(given_sex, on="row")
    cells = cells.filter(
        (pl.col("both") | (pl.col("sex") == pl.col("given_sex")))
        & (pl.col("total") | (pl.col("age_group") == pl.col("age_group_cell")))
    )
    share = pl.col("weight") / steady_sum("weight").over("row")
    spread = cells.with_columns(
        population=pl.col("population") * share,
        age_group="age_group_cell",
        estimated=pl.lit(True),
        source=pl.concat_str("source", "structure_source", separator="+", ignore_nulls=True),
    )
    return pl.concat([conform(fine, "population"), conform(spread, "population")])


def _roll_up(
    rows: pl.DataFrame, parents: Mapping[str, pl.DataFrame], atoms: pl.DataFrame, closed: bool
) -> pl.DataFrame:
    """Add sums of complete parts to a pack's rows; a complete sum takes the place of the given figure.

    In a closed world (invented people) a sum needs no missing part, and stands only where no figure is given.
    """
    by_level = {key: part for key, part in rows.partition_by("vintage", "level", as_dict=True).items()}
    old, new = str(Vintage.V2024), str(Vintage.V2025)
    commune = str(Level.COMMUNE)
    if (new, commune) not in by_level and (old, commune) in by_level:
        by_level[new, commune] = _across(by_level[old, commune], atoms)
    for vintage in (new, old):
        chain = parents[vintage]
        child = commune
        for level in LEVELS[1:]:
            links = (
                chain.select(pl.col(child).alias("part"), pl.col(level).alias("code")).drop_nulls().unique()
            )
            given = by_level.get((vintage, level), empty("population"))
            below = by_level.get((vintage, child), empty("population"))
            sums = _sum_parts(below, links, level, closed)
            if sums.is_empty() and vintage == old:
                inside = _inside(parents[old], atoms, level)
                cut = by_level.get((new, commune), empty("population"))
                sums = _sum_parts(cut, inside, level, closed).with_columns(vintage=pl.lit(old))
            if closed:
                sums = sums.join(given.select("code", "year").unique(), on=["code", "year"], how="anti")
            keep = given.join(sums.select("code", "year").unique(), on=["code", "year"], how="anti")
            by_level[vintage, level] = pl.concat([keep, sums])
            if not links.is_empty():  # a vintage without this level: the next one is made of the same parts
                child = level
    return pl.concat([part.select(rows.columns) for part in by_level.values()])


def _sum_parts(parts: pl.DataFrame, links: pl.DataFrame, level: str, closed: bool = False) -> pl.DataFrame:
    """Sums over `links` [part, code], for the areas and years in which every part (closed: any) has a figure."""
    if parts.is_empty() or links.is_empty():
        return empty("population")
    wanted = links.group_by("code").agg(parts=pl.len())
    joined = parts.rename({"code": "part"}).join(links, on="part")
    had = joined.group_by("code", "year").agg(had=pl.col("part").n_unique())
    enough = pl.col("had") >= (1 if closed else pl.col("parts"))
    complete = had.join(wanted, on="code").filter(enough).select("code", "year")
    summed = joined.join(complete, on=["code", "year"]).group_by("vintage", "code", *CELL).agg(
        steady_sum("population"), pl.col("source").sort().unique(maintain_order=True).drop_nulls().str.join("; "),
        pl.col("estimated").any()
    )  # fmt: skip
    return conform(summed.with_columns(level=pl.lit(level)), "population")


def _across(old: pl.DataFrame, atoms: pl.DataFrame) -> pl.DataFrame:
    """2025 communes as shares of 2024 communes, where all of those have a figure."""
    links = atoms.select(part="commune_2024", code="commune_2025", share="share")
    whole = _sum_parts(old, links.select("part", "code"), Level.COMMUNE).select("code", "year").unique()
    shared = old.rename({"code": "part"}).join(links, on="part").join(whole, on=["code", "year"])
    summed = shared.group_by("code", *CELL).agg(
        steady_sum(pl.col("population") * pl.col("share")), pl.col("source").sort().first(),
        (pl.col("estimated") | (pl.col("share") < 1)).any(),
    )  # fmt: skip
    both = {"vintage": pl.lit(str(Vintage.V2025)), "level": pl.lit(str(Level.COMMUNE))}
    return conform(summed.with_columns(**both), "population")


def _inside(parents: pl.DataFrame, atoms: pl.DataFrame, level: str) -> pl.DataFrame:
    """Links [part = 2025 commune, code = 2024 area] of the 2024 areas that are made of whole 2025 communes."""
    homes = atoms.join(parents, left_on="commune_2024", right_on="commune").select(
        part="commune_2025", code=pl.col(level)
    )
    homes = homes.drop_nulls().unique()
    cut = homes.filter(pl.col("code").n_unique().over("part") > 1)["code"].unique()
    return homes.filter(~pl.col("code").is_in(cut.implode()))
