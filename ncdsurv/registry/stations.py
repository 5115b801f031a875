"""What the records say of stations: where each lies, and in which months it had contacts of which kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.indicators.stations import count_stations
from ncdsurv.registry.visits import part_rows, visits_in_parts
from ncdsurv.spells.cases import month_expr

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.registry.store import Store
    from ncdsurv.store.lake import Snapshot

_PAIR = ["commune_2024", "commune_2025"]


def station_counts(
    store: Store, snapshot: Snapshot, catalog: Catalog, first_month: int, last_month: int
) -> pl.DataFrame:
    """Stations known and reporting by atom, month, disease and preset (`indicators.stations`).

    The visits are taken in parts; the caller holds the store's lock.
    """
    from ncdsurv.quality.places import place_facilities

    reference, patients = store.reference, snapshot.read("patients")
    persons = snapshot.read("crosswalk").select("record_id", "person_id")
    has = snapshot.read("diagnoses").select("record_id", "disease").unique().join(persons, on="record_id")
    has = has.select("person_id", "disease").unique()
    told: list[pl.DataFrame] = []
    seen: list[pl.DataFrame] = []
    with visits_in_parts(snapshot, store.folder, part_rows(snapshot)) as parts:
        for visits in parts:
            contacts = _contacts(visits)
            of_people = contacts.join(persons, on="record_id").join(has, on="person_id")
            told.append(of_people.select("facility", "month", "kind", "disease").unique())
            seen.append(contacts.select("record_id", "facility").unique())
    activity, visitors = pl.concat(told).unique(), pl.concat(seen)
    places = place_facilities(visitors["facility"], patients, visitors, reference)
    atoms = reference.atoms.select(pl.col("atom").cast(pl.Int32), *_PAIR)
    placed = places.join(atoms, on=_PAIR, how="left").select("facility", "atom")
    return count_stations(activity, placed, catalog, first_month, last_month)


def _contacts(visits: pl.DataFrame) -> pl.DataFrame:
    """[record_id, facility, month, kind], each once."""
    month = month_expr(pl.col("visited_on")).cast(pl.Int32)
    return visits.drop_nulls("facility").select("record_id", "facility", "kind", month=month).unique()
