"""Checks between the tables of a pack, and of the pack against what lies underneath it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import polars as pl

from ncdsurv.catalog.vocabulary import NATION, Level
from ncdsurv.reference.ages import ALL_AGES, group_bounds, is_group
from ncdsurv.reference.hierarchy import merge_areas
from ncdsurv.reference.pack import BUILTIN, read_pack
from ncdsurv.reference.problems import Problem, shown
from ncdsurv.reference.schema import CODE_LENGTH, LEVELS, VINTAGES, dtypes

SHARES = 0.001  # how far the shares of a commune may be from 1


def check_tables(tables: Mapping[str, pl.DataFrame]) -> list[Problem]:
    """Problems of codes, parents, shares, ages and shapes. Tables carry the name of their file in column `file`."""
    builtin = read_pack(BUILTIN).table("areas")
    own = tables["areas"].select(list(dtypes("areas"))).drop_nulls(["vintage", "level", "code"])
    own = own.filter(pl.col("vintage").is_in(VINTAGES), pl.col("level").is_in(LEVELS))
    known = merge_areas([builtin, own])
    checks = (_areas(tables["areas"], known), _crosswalk(tables["crosswalk"], known),
              _population(tables["population"], known), _facilities(tables["facilities"], known),
              _boundaries(tables["boundaries"], known))  # fmt: skip
    return [problem for group in checks for problem in group]


def _areas(table: pl.DataFrame, known: pl.DataFrame) -> Iterable[Problem]:
    if table.is_empty():
        return
    file = table["file"][0]
    for level, length in CODE_LENGTH.items():
        odd = table.filter((pl.col("level") == level) & ~pl.col("code").str.contains(rf"^\d{{{length}}}$"))[
            "code"
        ]
        if odd.len():
            yield Problem(file, "code", f"{odd.len()} codes of level {level} are not {length} digits", got=shown(odd),
                          allowed=f"{length} digits, leading zeros kept", do="save the column as text")  # fmt: skip
    shared = known.filter(pl.struct("vintage", "code").is_duplicated())
    if shared.height:
        yield Problem(
            file, "code", "codes mean two levels", got=shown(shared["code"]), do="use one level per code"
        )
    parents = known.select(
        "vintage", pl.col("code").alias("parent_code"), pl.col("level").alias("parent_level")
    )
    linked = known.join(parents, on=["vintage", "parent_code"], how="left")
    orphans = linked.filter((pl.col("level") != Level.NATION) & pl.col("parent_level").is_null())
    for vintage, level in orphans.select("vintage", "level").unique().sort("vintage", "level").rows():
        codes = orphans.filter(vintage=vintage, level=level)["code"]
        yield Problem(file, "parent_code", f"{codes.len()} areas of level {level}, vintage {vintage} have no parent "
                      "among the areas", got=shown(codes), do="give the code of the area they lie in")  # fmt: skip
    rank = {level: place for place, level in enumerate(LEVELS)}
    upside = linked.filter(
        pl.col("parent_level").replace_strict(rank, default=None)
        <= pl.col("level").replace_strict(rank, default=None)
    )
    if upside.height:
        yield Problem(file, "parent_code", f"{upside.height} areas have a parent that is not larger",
                      got=shown(upside["code"]), allowed=" < ".join(LEVELS), do="mend the parents")  # fmt: skip


def _crosswalk(table: pl.DataFrame, known: pl.DataFrame) -> Iterable[Problem]:
    if table.is_empty():
        return
    file = table["file"][0]
    alone = known.filter(
        level="district", vintage="2024"
    )  # a district without communes stands by its own code
    for vintage in VINTAGES:
        column = f"code_{vintage}"
        communes = known.filter(level="commune", vintage=vintage)["code"]
        units = pl.concat([communes, alone["code"]]) if vintage == "2024" else communes
        strange = table.filter(~pl.col(column).is_in(units.implode()))[column]
        if strange.len():
            yield Problem(file, column, f"{strange.len()} codes are no communes of {vintage}", got=shown(strange),
                          do="use the codes of areas.csv")  # fmt: skip
        left = communes.filter(~communes.is_in(table[column].implode()))
        if left.len():
            yield Problem(file, column, f"{left.len()} communes of {vintage} are missing", got=shown(left),
                          allowed="every commune of both vintages", do="add their rows")  # fmt: skip
    sums = table.group_by("code_2024").agg(pl.col("share_population").sum()).sort("code_2024")
    off = sums.filter((pl.col("share_population") - 1).abs() > SHARES)
    if off.height:
        what = f"shares of {off.height} communes do not sum to 1"
        yield Problem(file, "share_population", what, got=shown(off["code_2024"]),
                      allowed="a sum of 1 within each code_2024", do="mend them")  # fmt: skip


def _population(table: pl.DataFrame, known: pl.DataFrame) -> Iterable[Problem]:
    if table.is_empty():
        return
    yield from _unknown_codes(table, known, ["vintage", "level", "code"])
    file = table["file"][0]
    words = table["age_group"].drop_nulls().unique().sort()
    odd = words.filter(
        pl.Series([word != ALL_AGES and not is_group(word) for word in words], dtype=pl.Boolean)
    )
    if odd.len():
        yield Problem(file, "age_group", "words that are no age group", got=shown(odd), allowed='"15-19", "80+", "all"',
                      do="write first-last, first+ or all")  # fmt: skip
    groups = sorted(group_bounds(word) for word in words if is_group(word))
    overlap = [f"{a[0]}-{a[1] or ''} and {b[0]}-{b[1] or ''}" for a, b in pairwise(groups)
               if a[1] is None or a[1] >= b[0]]  # fmt: skip
    if overlap:
        yield Problem(file, "age_group", "age groups overlap", got="; ".join(overlap[:3]),
                      allowed="groups that meet without overlap", do="use one set of groups")  # fmt: skip
    nation = table.filter(pl.col("level") == Level.NATION, pl.col("code") != NATION)
    if nation.height:
        yield Problem(file, "code", "the nation has another code", got=shown(nation["code"]), allowed=NATION)


def _facilities(table: pl.DataFrame, known: pl.DataFrame) -> Iterable[Problem]:
    if table.is_empty():
        return
    placed = table.select(
        "file", "vintage", pl.lit("commune").alias("level"), pl.col("commune_code").alias("code")
    )
    yield from _unknown_codes(placed, known, ["vintage", "level", "code"], column="commune_code")
    wrong = table.filter(pl.col("valid_to") < pl.col("valid_from"))
    if wrong.height:
        yield Problem(table["file"][0], "valid_to", f"{wrong.height} facilities end before they begin",
                      got=shown(wrong["code"]), do="mend the dates")  # fmt: skip


def _boundaries(table: pl.DataFrame, known: pl.DataFrame) -> Iterable[Problem]:
    if table.is_empty():
        return
    import shapely

    islands = known.filter(level="district", vintage="2024").with_columns(level=pl.lit("commune"))
    yield from _unknown_codes(table, pl.concat([known, islands]), ["vintage", "level", "code"])
    file = table["file"][0]
    shapes = shapely.from_wkb(table["geometry"].to_list(), on_invalid="ignore")
    bad = pl.Series(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if bad.any():
        yield Problem(file, "geometry", f"{bad.sum()} geometries are empty or no WKB",
                      got=shown(table["code"].filter(bad)), allowed="WKB polygons, WGS84", do="mend them")  # fmt: skip
    west, south, east, north = shapely.total_bounds(shapes)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        box = f"{west:.0f} {south:.0f} {east:.0f} {north:.0f}"
        yield Problem(file, "geometry", "coordinates are not degrees", got=box,
                      allowed="longitude and latitude, WGS84", do="project them to EPSG:4326")  # fmt: skip


def _unknown_codes(
    table: pl.DataFrame, known: pl.DataFrame, keys: list[str], column: str = "code"
) -> Iterable[Problem]:
    strange = table.join(known.select(keys), on=keys, how="anti")
    for vintage, level in (
        strange.select("vintage", "level").drop_nulls().unique().sort("vintage", "level").rows()
    ):
        codes = strange.filter(vintage=vintage, level=level)["code"]
        other = known.filter(pl.col("vintage") != vintage, level=level)["code"]
        swapped = codes.is_in(other.implode()).all()
        hint = (
            "these are codes of the other vintage: change the column vintage" if swapped else "mend the codes"
        )
        yield Problem(table["file"][0], column, f"{codes.n_unique()} codes are no areas of level {level}, vintage "
                      f"{vintage}", got=shown(codes), do=hint)  # fmt: skip
