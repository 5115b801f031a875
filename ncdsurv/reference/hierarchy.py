"""Areas, their parents, and the atoms both geographies are made of. Pure: frames in, frames out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ncdsurv.catalog.vocabulary import Level, Vintage
from ncdsurv.reference.schema import LEVELS
from ncdsurv.reference.sums import steady_sum

UPPER = [level for level in LEVELS if level != Level.COMMUNE]


def merge_areas(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Areas of several packs, in order of precedence from low to high.

    For each vintage and level the last pack that lists any area decides which areas there are; what it leaves empty
    (a point, an English name, a pilot mark) is filled by code from the packs before it.
    """
    merged = tables[0]
    keys = ["vintage", "level", "code"]
    for table in tables[1:]:
        if table.is_empty():
            continue
        replaced = table.select("vintage", "level").unique()
        kept = merged.join(replaced, on=["vintage", "level"], how="anti")
        filled = table.join(merged, on=keys, how="left", suffix="_before")
        others = [name for name in table.columns if name not in keys]
        filled = filled.select(*keys, *(pl.coalesce(name, f"{name}_before").alias(name) for name in others))
        merged = pl.concat([kept, filled.select(kept.columns)])
    rank = pl.col("level").replace_strict(
        {level: -i for i, level in enumerate(LEVELS)}, return_dtype=pl.Int32
    )
    return merged.with_columns(pl.col("pilot").fill_null(False)).sort("vintage", rank, "code")


def build_atoms(crosswalk: pl.DataFrame) -> pl.DataFrame:
    """The atoms: one row per 2024 unit and 2025 commune that share land.

    Returns:
        Frame [atom Int32, commune_2024, commune_2025, share Float64, relation, method], sorted by both codes;
        `share` is the atom's part of the people of its 2024 commune and sums to 1 within it.
    """
    share = pl.col("share_population") / steady_sum("share_population").over("code_2024")
    return (
        crosswalk.sort("code_2024", "code_2025")
        .with_row_index("atom")
        .select(
            pl.col("atom").cast(pl.Int32),
            commune_2024="code_2024",
            commune_2025="code_2025",
            share=share,
            relation="relation",
            method="method",
        )
    )


def build_parents(areas: pl.DataFrame, atoms: pl.DataFrame, vintage: str) -> pl.DataFrame:
    """The chain of parents of every commune of a vintage.

    A district without communes (the five island districts of 2024) stands as its own commune, by its own code,
    because its people must be counted somewhere.

    Returns:
        Frame [commune, district, province, region, nation], strings, sorted by commune; district is null where the
        vintage has none.
    """
    units = areas.filter(vintage=vintage)
    of_level = {level: units.filter(level=level).select("code", "parent_code") for level in LEVELS}
    parents = of_level[Level.COMMUNE].rename({"code": "commune", "parent_code": "up"})
    if vintage == Vintage.V2024 and not of_level[Level.DISTRICT].is_empty():
        islands = atoms.filter(~pl.col("commune_2024").is_in(parents["commune"].implode()))[
            "commune_2024"
        ].unique()
        alone = pl.DataFrame(
            {"commune": islands, "up": islands}, schema={"commune": pl.String, "up": pl.String}
        )
        parents = pl.concat([parents, alone])
    chain = ["commune"]
    for level in UPPER:
        table = of_level[Level(level)].rename({"code": level, "parent_code": "next"})
        if table.is_empty():
            parents = parents.with_columns(pl.lit(None, pl.String).alias(level))
        else:
            parents = parents.join(table, left_on="up", right_on=level, how="left").rename(
                {"up": level, "next": "up"}
            )
        chain.append(level)
    return parents.select(chain).sort("commune")
