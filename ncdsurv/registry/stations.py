"""What the records say of stations: where each lies, and in which months it had contacts of which kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.indicators.stations import count_stations
from ncdsurv.spells.cases import month_expr

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.reference import Reference
    from ncdsurv.store.lake import Snapshot

_PAIR = ["commune_2024", "commune_2025"]


def station_counts(
    snapshot: Snapshot, reference: Reference, catalog: Catalog, first_month: int, last_month: int
) -> pl.DataFrame:
    """Stations known and reporting by atom, month, disease and preset (`indicators.stations`)."""
    from ncdsurv.quality.places import place_facilities

    contacts = _contacts(snapshot)
    patients = snapshot.read("patients")
    places = place_facilities(contacts["facility"], patients, contacts, reference)
    atoms = reference.atoms.select(pl.col("atom").cast(pl.Int32), *_PAIR)
    placed = places.join(atoms, on=_PAIR, how="left").select("facility", "atom")
    persons = snapshot.read("crosswalk").select("record_id", "person_id")
    has = snapshot.read("diagnoses").select("record_id", "disease").unique().join(persons, on="record_id")
    activity = (
        contacts.join(persons, on="record_id")
        .join(has.select("person_id", "disease").unique(), on="person_id")
        .select("facility", "month", "kind", "disease")
        .unique()
    )
    return count_stations(activity, placed, catalog, first_month, last_month)


def _contacts(snapshot: Snapshot) -> pl.DataFrame:
    """[record_id, facility, month, kind], each once, as last reported."""
    told = ["visit_id", "received", "row_number", "record_id", "facility", "visited_on", "kind"]
    latest = (
        snapshot.scan("visits")
        .select(told)
        .drop_nulls("facility")
        .sort("visit_id", "received", "row_number")
        .unique("visit_id", keep="last", maintain_order=True)
    )
    month = month_expr(pl.col("visited_on")).cast(pl.Int32)
    return latest.select("record_id", "facility", "kind", month=month).unique().collect()
