"""Which tables the lake holds, their schemas, where they stand and how they are partitioned."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ncdsurv.catalog import tables as t
from ncdsurv.spells.layout import LAYOUT

RECEIVED: t.Schema = {"received": pl.Int64()}
"""Running number of the file that brought a row: where two rows speak of one visit, the larger wins."""

INGEST_LOG: t.Schema = {
    **RECEIVED,
    "file_sha256": pl.String(),
    "name": pl.String(),
    "source": pl.String(),
    "rows_in": pl.Int64(),
    "kept": pl.Int64(),
    "rejected": pl.Int64(),
    "duplicates": pl.Int64(),
    "repaired": pl.Int64(),
    "received_at": pl.Datetime("us", "UTC"),
}
COMMITS: t.Schema = {
    "number": pl.Int64(),
    "kind": pl.String(),
    "committed_at": pl.Datetime("us", "UTC"),
    "key_id": pl.String(),
    "versions": pl.String(),
    "note": pl.String(),
}


BUCKET: t.Schema = {"bucket": pl.Int32(), "place": pl.Int32()}


@dataclass(frozen=True)
class Table:
    """One Delta table: its schema, whether it holds identifiers (then it is in the vault), its partitions."""

    schema: t.Schema
    vault: bool = False
    partition_by: tuple[str, ...] = ()


TABLES: dict[str, Table] = {
    "patients": Table({**t.PATIENTS, **RECEIVED}),
    "diagnoses": Table({**t.DIAGNOSES, **RECEIVED}),
    "visits": Table({**t.VISITS, **RECEIVED}),
    "rejects": Table(t.REJECTS),
    "duplicates": Table(t.DUPLICATES),
    "repairs": Table(t.REPAIRS),
    "ingest_log": Table(INGEST_LOG),
    "identifiers": Table({**t.IDENTIFIERS, **RECEIVED}, vault=True),
    "crosswalk": Table(t.CROSSWALK),
    "persons": Table(t.PERSONS),
    "residences": Table(t.RESIDENCES),
    # The engine's own tables; a Delta table promises no row order, so each row carries its place.
    **{name: Table({**BUCKET, **schema}, partition_by=("bucket",)) for name, schema in LAYOUT.items()},
}
