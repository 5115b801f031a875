"""The table of quality of a release, from the records of the store taken in parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import TIME_ZONE
from ncdsurv.registry.linking import current_diagnoses
from ncdsurv.registry.visits import part_rows, visits_by_record

if TYPE_CHECKING:
    from ncdsurv.registry.store import Store
    from ncdsurv.store.lake import Snapshot


def quality_of(store: Store, snapshot: Snapshot) -> pl.DataFrame:
    """Every metric of quality of a state of the store (`ncdsurv.quality.QUALITY`); the caller holds the lock."""
    from ncdsurv.quality import quality_table, residence_rows

    patients = snapshot.read("patients")
    with _received(store, snapshot) as visits:
        recorded = quality_table(
            visits,
            patients,
            current_diagnoses(snapshot),
            snapshot.read("rejects"),
            _identified(snapshot),
            store.reference,
            store.catalog,
        )
    residences, crosswalk = snapshot.read("residences"), snapshot.read("crosswalk")
    return pl.concat([recorded, residence_rows(residences, crosswalk, patients, store.reference)])


def _identified(snapshot: Snapshot) -> pl.DataFrame:
    """Marks from the vault: whether a record has a number, never the number."""
    names = ("citizen_id", "insurance_number")
    known = (pl.col(name).is_not_null().any().alias(f"has_{name}") for name in names)
    return snapshot.scan("identifiers").group_by("record_id").agg(known).collect().sort("record_id")


@contextmanager
def _received(store: Store, snapshot: Snapshot) -> Iterator[Iterator[pl.DataFrame]]:
    """The visits by record, each with the day it was first received, in Vietnamese time.

    A correction does not make a visit late.
    """
    day = pl.col("received_at").dt.convert_time_zone(TIME_ZONE).dt.date()
    log = snapshot.scan("ingest_log").select(first_received="received", received_on=day).collect()
    with visits_by_record(snapshot, store.folder, part_rows(snapshot)) as parts:
        yield (part.join(log, on="first_received", how="left").drop("first_received") for part in parts)
