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
    "mapping": pl.String(),  # SHA-256 of the kept mapping; null for a source of the catalog
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
    """One Delta table.

    Attributes:
        schema: Columns and dtypes.
        vault: Whether it holds identifiers; then it stands in the vault.
        partition_by: Partition columns.
        statistics: Columns whose smallest and largest values stand in the Delta log, to skip files by. Never
            an id or an identifier: the log outlives the rows.
    """

    schema: t.Schema
    vault: bool = False
    partition_by: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ("received",)


TABLES: dict[str, Table] = {
    "patients": Table({**t.PATIENTS, **RECEIVED}),
    "diagnoses": Table({**t.DIAGNOSES, **RECEIVED}),
    "visits": Table({**t.VISITS, **RECEIVED}, statistics=("visited_on",)),
    "rejects": Table(t.REJECTS, statistics=("row_number",)),
    "duplicates": Table(t.DUPLICATES, statistics=("row_number",)),
    "repairs": Table(t.REPAIRS, statistics=("row_number",)),
    "reported_totals": Table(t.TOTALS, statistics=("row_number",)),
    "ingest_log": Table(INGEST_LOG),
    "identifiers": Table({**t.IDENTIFIERS, **RECEIVED}, vault=True),
    "crosswalk": Table(t.CROSSWALK, statistics=("score",)),
    "persons": Table(t.PERSONS, statistics=("died_on",)),
    "residences": Table(t.RESIDENCES, statistics=("from_on",)),
    # The engine's own tables; a Delta table promises no row order, so each row carries its place.
    **{
        name: Table({**BUCKET, **schema}, partition_by=("bucket",), statistics=("place",))
        for name, schema in LAYOUT.items()
    },
}
