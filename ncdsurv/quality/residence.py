"""How many people an area has only by population share: their files gave a code of the other list of units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import Flag, Level, Vintage
from ncdsurv.link.persons import ALLOCATED
from ncdsurv.quality.definitions import QualityMetric, load_metrics
from ncdsurv.quality.table import ALL_SOURCES, QUALITY

if TYPE_CHECKING:
    from ncdsurv.reference import Reference

KIND = "allocated"


def residence_rows(
    residences: pl.DataFrame, crosswalk: pl.DataFrame, patients: pl.DataFrame, reference: Reference
) -> pl.DataFrame:
    """Share of people whose commune in a vintage was drawn by population share, as rows of the quality table.

    A commune that was split, or merged from several, cannot be told from the code of the other vintage alone;
    such a person is placed by share (see `ncdsurv.link.persons`), and the figures of the area should say so.

    Args:
        residences: Schema `RESIDENCES`; the last one of each person counts.
        crosswalk: Schema `CROSSWALK`.
        patients: Schema `PATIENTS`: the codes that files gave.
        reference: Parents of communes, in both vintages.

    Returns:
        Schema `QUALITY`: one row per area of every level and vintage with people, facility and month null.
    """
    metrics = [metric for metric in load_metrics().values() if metric.kind == KIND]
    last = residences.sort("person_id", "from_on").unique("person_id", keep="last", maintain_order=True)
    given = (
        patients.join(crosswalk.select("record_id", "person_id"), on="record_id")
        .select("person_id", "commune_vintage", "commune_code")
        .unique()
    )
    rows = [_of_vintage(last, given, vintage, reference) for vintage in Vintage] if metrics else []
    found = pl.concat(
        [_named(row, metric) for metric in metrics for row in rows] or [pl.DataFrame(schema=QUALITY)]
    )
    return found.sort("metric", "area_vintage", "area_level", "area_code")


def _of_vintage(
    last: pl.DataFrame, given: pl.DataFrame, vintage: Vintage, reference: Reference
) -> pl.DataFrame:
    own = given.filter(pl.col("commune_vintage") == vintage.value).select(
        "person_id", commune="commune_code", told=pl.lit(True)
    )
    homes = last.select("person_id", "basis", commune=f"commune_{vintage}").join(
        own, on=["person_id", "commune"], how="left"
    )
    drawn = (pl.col("basis") == ALLOCATED) & pl.col("told").is_null()
    counted = homes.with_columns(drawn=drawn).join(reference.parents(vintage), on="commune")
    areas = []
    for level in Level:
        if level in counted.columns:
            inside = counted.drop_nulls(level.value).group_by(area_code=level.value)
            areas.append(
                inside.agg(numerator=pl.col("drawn").sum(), denominator=pl.len()).with_columns(
                    area_level=pl.lit(level.value), area_vintage=pl.lit(vintage.value)
                )
            )
    return pl.concat(areas)


def _named(row: pl.DataFrame, metric: QualityMetric) -> pl.DataFrame:
    small = pl.col("denominator") < metric.minimum_denominator
    named = row.with_columns(
        facility=pl.lit(None),
        month=pl.lit(None),
        source=pl.lit(ALL_SOURCES),
        metric=pl.lit(metric.id),
        value=100 * pl.col("numerator") / pl.col("denominator"),
        flag=pl.when(small).then(pl.lit(Flag.SMALL_NUMBER.value)).otherwise(pl.lit(Flag.OK.value)),
    )
    return named.select(pl.col(name).cast(dtype) for name, dtype in QUALITY.items())
