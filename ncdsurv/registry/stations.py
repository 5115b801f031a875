"""What the records say of stations: where each lies, and in which months it had contacts of which kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.indicators.stations import count_stations
from ncdsurv.registry.tally import ACTIVITY

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.registry.continued import Told
    from ncdsurv.registry.store import Store
    from ncdsurv.store.lake import Snapshot

_PAIR = ["commune_2024", "commune_2025"]


def station_counts(
    store: Store, snapshot: Snapshot, told: Told, catalog: Catalog, first_month: int, last_month: int
) -> pl.DataFrame:
    """Stations known and reporting by atom, month, disease and preset (`indicators.stations`)."""
    from ncdsurv.quality.places import place_facilities

    reference = store.reference
    visitors = told.visitors.drop_nulls("facility")
    places = place_facilities(visitors["facility"], snapshot.read("patients"), visitors, reference)
    atoms = reference.atoms.select(pl.col("atom").cast(pl.Int32), *_PAIR)
    placed = places.join(atoms, on=_PAIR, how="left").select("facility", "atom")
    activity = told.tally[ACTIVITY].select("facility", "month", "kind", "disease")
    return count_stations(activity, placed, catalog, first_month, last_month)
