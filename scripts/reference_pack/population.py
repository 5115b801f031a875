"""Official totals of the provinces, and the national sex and age structure, from the figures in `sources/`."""

from __future__ import annotations

import polars as pl

from reference_pack.units import NATION, SOURCES

YEAR = 2024


def build_population() -> pl.DataFrame:
    """Rows as a pack gives them: provinces by sex (official), the nation by sex and age (estimate).

    The loader spreads a province's total over ages by the national structure; that is not done here, so that
    the file holds only what the sources say. Provinces of 2025 are sums: none of them cuts an old one.

    Returns:
        Frame [vintage, level, code, year, sex, age_group, population, source, estimated], persons.
    """
    given = pl.read_csv(SOURCES / "province_population_2024.csv", comment_prefix="#", schema_overrides=
                        {"code_2024": pl.String, "code_2025": pl.String})  # fmt: skip
    persons = given.select(
        "code_2024", "code_2025",
        male=(pl.col("male_thousand") * 1000).round(),
        female=((pl.col("total_thousand") - pl.col("male_thousand")) * 1000).round(),
    )  # fmt: skip
    provinces = []
    for vintage in ("2024", "2025"):
        code = f"code_{vintage}"
        sums = persons.group_by(code).agg(pl.col("male", "female").sum()).rename({code: "code"})
        long = sums.unpivot(["male", "female"], index="code", variable_name="sex", value_name="population")
        provinces.append(long.with_columns(vintage=pl.lit(vintage), level=pl.lit("province"), age_group=pl.lit("all"),
                                           source=pl.lit("nso_2024"), estimated=pl.lit(False)))  # fmt: skip
    structure = pl.read_csv(SOURCES / "national_sex_age_2024.csv", comment_prefix="#")
    nation = structure.unpivot(
        ["male", "female"], index="age_group", variable_name="sex", value_name="population"
    )
    nations = [
        nation.with_columns(vintage=pl.lit(v), level=pl.lit("nation"), code=pl.lit(NATION), estimated=pl.lit(True),
                            source=pl.lit("national_structure_2024")) for v in ("2024", "2025")
    ]  # fmt: skip
    columns = ["vintage", "level", "code", "year", "sex", "age_group", "population", "source", "estimated"]
    frames = [f.with_columns(year=pl.lit(YEAR), population=pl.col("population").cast(pl.Int64)).select(columns)
              for f in provinces + nations]  # fmt: skip
    start = pl.col("age_group").str.extract(r"^(\d+)").cast(pl.Int32)
    return pl.concat(frames).sort("vintage", "level", "code", "sex", start)
