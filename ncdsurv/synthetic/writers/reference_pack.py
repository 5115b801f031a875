"""The invented population and stations as a reference pack that overlays the built-in one."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ncdsurv.catalog.vocabulary import NATION, REFORM_DATE
from ncdsurv.synthetic.population import AGE_GROUPS, SEXES
from ncdsurv.synthetic.registry import SyntheticRegistry

_PACK = """# Invented people and stations, made by ncdsurv.synthetic. Not a statistic of any place.
id = "synthetic"
title = "Invented population and stations (seed {seed})"
title_vi = "Dân số và trạm y tế giả định (số khởi tạo {seed})"
vintages = ["2024", "2025"]
schematic = false
verified = false
invented = true   # reports and the site then say so before any number

[[source]]
id = "synthetic"
what = "population by commune, sex and age; commune stations: all invented"
origin = "ncdsurv.synthetic, seed {seed}"
carrier = "population.csv, facilities.csv"
licence = "Apache-2.0"
verified = false
note = "Invented. Sized after the invented patients so that coverage looks as in life; never to be published."
"""


def write_reference_pack(registry: SyntheticRegistry, folder: Path) -> None:
    """Write pack.toml, population.csv and facilities.csv.

    Args:
        registry: Holds the base population and the stations.
        folder: Where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pack.toml").write_text(_PACK.format(seed=registry.seed), encoding="utf-8")
    population_table(registry).write_csv(folder / "population.csv")
    facilities_table(registry).write_csv(folder / "facilities.csv")


def population_table(registry: SyntheticRegistry) -> pl.DataFrame:
    """Invented population of both vintages at every level.

    Returns:
        vintage, level, code, year, sex, age_group, population, source, estimated. Provinces, regions
        and the nation hold only the communes of the invented people.
    """
    base = registry.base
    cells = pl.concat(
        [
            base.atoms.with_columns(
                sex=pl.lit(sex), age_group=pl.lit(age), population=pl.Series(base.counts[:, s, a])
            )
            for s, sex in enumerate(SEXES)
            for a, age in enumerate(AGE_GROUPS)
        ]
    ).with_columns(nation=pl.lit(NATION))
    levels = {
        "2024": {
            "commune": "commune_2024",
            "district": "district_2024",
            "province": "province_2024",
            "region": "region_2024",
        },
        "2025": {"commune": "commune_2025", "province": "province_2025", "region": "region_2025"},
    }
    parts = []
    for vintage, columns in levels.items():
        for level, column in {**columns, "nation": "nation"}.items():
            counted = cells.group_by(code=pl.col(column), sex="sex", age_group="age_group").agg(
                pl.col("population").sum()
            )
            parts.append(counted.with_columns(vintage=pl.lit(vintage), level=pl.lit(level)))
    order = pl.col("age_group").replace_strict(
        {age: a for a, age in enumerate(AGE_GROUPS)}, return_dtype=pl.Int8
    )
    return (
        pl.concat(parts)
        .filter(pl.col("code").is_not_null())
        .with_columns(year=pl.lit(base.year), source=pl.lit("synthetic"), estimated=pl.lit(True))
        .sort("vintage", "level", "code", "sex", order)
        .select("vintage", "level", "code", "year", "sex", "age_group", "population", "source", "estimated")
    )


def facilities_table(registry: SyntheticRegistry) -> pl.DataFrame:
    """The stations: code, name, commune_code, vintage, valid_from, valid_to."""
    return registry.stations.sort("facility").select(
        code="facility",
        name=pl.lit("Trạm y tế ") + pl.col("name").str.to_titlecase(),
        commune_code="commune_2025",
        vintage=pl.lit("2025"),
        valid_from=pl.lit(REFORM_DATE),
        valid_to=pl.lit(None, pl.Date),
    )
