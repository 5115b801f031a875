"""`ns.count` over the records of a registry says what its release publishes for the nation: same rules, no store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_series_equal

import ncdsurv as ns
from ncdsurv.catalog import load_catalog

if TYPE_CHECKING:
    from ncdsurv.registry import Store
    from ncdsurv.store import Release

CATALOG = load_catalog()
OF_PEOPLE = [
    one
    for one in CATALOG.indicators.values()
    if one.denominator_source == "spells"
    or (one.denominator_source == "none" and one.id != "estimated_cases")
]
NATION = {"level": "nation", "vintage": "2025"}
FIGURES = ("numerator", "denominator", "value", "lower", "upper")


@pytest.fixture(scope="module")
def records(sample_store: Store) -> list[pl.DataFrame]:
    """Patients, diagnoses and visits of the registry as an analyst would hold them."""
    snapshot = sample_store.lake.snapshot()
    person = snapshot.read("crosswalk").select("record_id", "person_id")
    visits = snapshot.read("visits").sort("visited_on", "sequence", "row_number", "visit_id")
    left_out = ("record_id", "visit_id", "reported_history", "file_sha256", "row_number", "received")
    return [
        snapshot.read("persons").drop("birth_precision"),
        snapshot.read("diagnoses")
        .join(person, on="record_id")
        .select("person_id", "disease", "detected_on", "recorded_on", "withdrawn_on"),
        visits.join(person, on="record_id", maintain_order="left").drop(left_out),
    ]


@pytest.mark.parametrize("preset", list(CATALOG.presets))
def test_every_indicator_of_people_is_the_published_one(
    records: list[pl.DataFrame], sample_release: Release, preset: str
) -> None:
    spells = ns.build_spells(*records, first="2025-01", last="2026-06", preset=preset)
    wanted = [one.id for one in OF_PEOPLE if preset in one.presets]
    compared = 0
    for period in ("2026-06", "2026-H1", "2025"):
        key = ["indicator", "disease"]
        published = sample_release.values(wanted, preset=preset, period=period, **NATION)
        published = published.filter(pl.col("numerator").is_not_null())
        mine = ns.count(spells, wanted, at=period)
        nobody = published.join(mine, on=key, how="anti")  # has the disease at all
        assert not nobody["numerator"].sum()
        both = published.select(*key, *FIGURES).join(mine, on=key, suffix="_mine")
        for name in FIGURES:
            assert_series_equal(both[name], both[f"{name}_mine"], check_names=False)
        compared += both.height
    assert compared > 100 * len(CATALOG.presets)
