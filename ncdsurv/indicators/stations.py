"""Stations counted as people are: which are known, and which have sent a visit in the month.

The counts have the shape of measures (atom, month, disease, preset), so that areas and periods are summed up by
the same code; a station lies in one atom and has neither sex nor age.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import Sex
from ncdsurv.spells.engine import UNKNOWN_BAND

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

REPORTING, KNOWN = "reporting", "known"
STATIONS = {
    "atom": pl.Int32(),
    "month": pl.Int32(),
    "disease": pl.String(),
    "sex": pl.String(),
    "age_band": pl.String(),
    "preset": pl.String(),
    REPORTING: pl.Int32(),
    KNOWN: pl.Int32(),
}


def count_stations(
    activity: pl.DataFrame, places: pl.DataFrame, catalog: Catalog, first_month: int, last_month: int
) -> pl.DataFrame:
    """Stations known and reporting in every atom and month, for each disease and preset.

    Args:
        activity: [facility, month Int32, kind, disease]: the contacts of people who have a disease.
        places: [facility, atom]; a station without a place is not counted.
        catalog: Presets (which kinds of contact are visits) and groups of diseases.
        first_month: First month counted; a station known before is known in it.
        last_month: Last month counted.

    Returns:
        Columns of `STATIONS`; rows with a station known, sorted.
    """
    placed = _with_groups(activity, catalog).join(places.drop_nulls(), on="facility")
    placed = placed.filter(pl.col("month") <= last_month)
    station = ["facility", "atom", "disease"]
    months = pl.DataFrame({"month": range(first_month, last_month + 1)}, schema={"month": pl.Int32})
    since = placed.group_by(station).agg(since=pl.col("month").min())
    known = since.join(months, how="cross").filter(pl.col("month") >= pl.col("since")).drop("since")
    parts = []
    for preset in catalog.presets.values():
        kinds = [str(kind) for kind in preset.visit_kinds]
        seen = placed.filter(pl.col("kind").is_in(kinds)).select(*station, "month").unique()
        told = known.join(seen.with_columns(told=pl.lit(1)), on=[*station, "month"], how="left")
        parts.append(
            told.group_by("atom", "month", "disease")
            .agg(pl.col("told").sum().alias(REPORTING), pl.len().alias(KNOWN))
            .with_columns(
                preset=pl.lit(preset.id), sex=pl.lit(Sex.UNKNOWN.value), age_band=pl.lit(UNKNOWN_BAND)
            )
        )
    together = pl.concat(parts).select(pl.col(name).cast(dtype) for name, dtype in STATIONS.items())
    return together.sort("preset", "disease", "atom", "month")


def _with_groups(activity: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """A contact of somebody with a disease is one of somebody with the group that the disease belongs to."""
    groups = [(member, group.id) for group in catalog.diseases.values() for member in group.members]
    own = activity.filter(pl.col("disease").is_in(list(catalog.diseases)))
    named = pl.DataFrame(groups, schema={"disease": pl.String, "group": pl.String}, orient="row")
    above = own.join(named, on="disease").with_columns(disease="group").select(own.columns)
    return pl.concat([own, above]).unique()
