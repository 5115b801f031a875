"""What came to the records since an earlier state: whether it was new files alone, and whom they speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.registry.digest import fingerprint
from ncdsurv.registry.visits import VISIT

if TYPE_CHECKING:
    from ncdsurv.store.lake import Snapshot

APPENDED = ("visits", "patients", "diagnoses", "identifiers")
"""Tables of records: each row says which file brought it, and no row is ever taken away."""


def last_received(snapshot: Snapshot) -> int:
    """Number of the last file of a state; 0 where there is none."""
    return int(snapshot.scan("ingest_log").select(pl.col("received").max()).collect().item() or 0)


def state_of(snapshot: Any, received: int) -> dict[str, Any]:
    """What the tables of records hold of the files up to one, in numbers: a row that vanished is seen."""
    up_to = pl.col("received") <= received
    rows = {table: snapshot.scan(table).filter(up_to).select(pl.len()).collect().item() for table in APPENDED}
    log = snapshot.scan("ingest_log").filter(up_to).sort("received")
    files = log.select("received", "source", "file_sha256", "mapping").collect().rows()
    return {"rows": rows, "files": fingerprint(files)}


def only_files_came(snapshot: Any, received: int, state: dict[str, Any]) -> bool:
    """Whether nothing but new files came to what was known then.

    Args:
        snapshot: The state now.
        received: Number of the last file known then.
        state: What `state_of` gave then.
    """
    log = snapshot.scan("ingest_log").select("received", "file_sha256").collect()
    new = pl.col("received") > received
    again = log.filter(new).join(log.filter(~new), on="file_sha256", how="semi")
    return again.is_empty() and state_of(snapshot, received) == state


def spoken_of(snapshot: Any, received: int) -> pl.DataFrame:
    """[record_id] of every record whose visits the files after one add to, or correct, or give to another."""
    visits, new = snapshot.scan("visits"), pl.col("received") > received
    fresh = visits.filter(new)
    told = fresh.select(visit=VISIT).unique()
    again = visits.filter(~new).select("record_id", visit=VISIT).join(told, on="visit", how="semi")
    both = pl.concat([fresh.select("record_id"), again.select("record_id")])
    return both.unique().collect().sort("record_id")
