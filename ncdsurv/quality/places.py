"""Where a station lies, in both geographies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import Vintage

if TYPE_CHECKING:
    from ncdsurv.reference import Reference


def place_facilities(
    facilities: pl.Series, patients: pl.DataFrame, visits: pl.DataFrame, reference: Reference
) -> pl.DataFrame:
    """Commune and province of every station, in both vintages.

    The reference pack decides; a station it does not know lies where most of its patients live, and one without
    patients of its own where most of its visitors live.

    Args:
        facilities: Station codes.
        patients: Schema `PATIENTS`.
        visits: [record_id, facility] of the visits.
        reference: Areas, atoms and stations.

    Returns:
        [facility, commune_2024, commune_2025, province_2024, province_2025], null where unknown.
    """
    wanted = pl.DataFrame({"facility": facilities.drop_nulls().unique().sort()})
    listed = reference.facilities
    known = (
        listed.sort("code", "valid_from", nulls_last=False)
        .unique("code", keep="last", maintain_order=True)
        .select(facility="code", commune="commune_code", vintage="vintage")
    )
    homes = patients.select("record_id", commune="commune_code", vintage="commune_vintage").drop_nulls()
    own = patients.select("record_id", "facility").unique().join(homes.unique(), on="record_id")
    seen = visits.select("record_id", "facility").unique().join(homes.unique(), on="record_id")
    found = pl.concat([known, _commonest(own), _commonest(seen)])
    found = found.unique("facility", keep="first", maintain_order=True)
    placed = wanted.join(found, on="facility", how="left")
    atoms = reference.atoms.sort(["share", "commune_2024", "commune_2025"], descending=[True, False, False])
    v2024, v2025 = str(Vintage.V2024), str(Vintage.V2025)
    newer = atoms.unique("commune_2024", keep="first", maintain_order=True)
    older = atoms.unique("commune_2025", keep="first", maintain_order=True)
    placed = (
        placed.join(newer.select(commune="commune_2024", other_2025="commune_2025"), on="commune", how="left")
        .join(older.select(commune="commune_2025", other_2024="commune_2024"), on="commune", how="left")
        .select(
            "facility",
            commune_2024=pl.when(pl.col("vintage") == v2024).then("commune").otherwise("other_2024"),
            commune_2025=pl.when(pl.col("vintage") == v2025).then("commune").otherwise("other_2025"),
        )
    )
    for vintage in Vintage:
        parents = reference.parents(vintage).select(
            pl.col("commune").alias(f"commune_{vintage}"), pl.col("province").alias(f"province_{vintage}")
        )
        placed = placed.join(parents, on=f"commune_{vintage}", how="left")
    return placed.sort("facility")


def _commonest(lived: pl.DataFrame) -> pl.DataFrame:
    """The commune in which most of a station's people live: [facility, commune, vintage]."""
    return (
        lived.drop_nulls("facility")
        .group_by("facility", "commune", "vintage")
        .agg(people=pl.col("record_id").n_unique())
        .sort(["facility", "people", "vintage", "commune"], descending=[False, True, True, False])
        .unique("facility", keep="first", maintain_order=True)
        .select("facility", "commune", "vintage")
    )
