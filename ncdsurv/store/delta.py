"""What we need of Delta tables beyond reading and writing them: versions, flushing, settings."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote, unquote

import polars as pl

from ncdsurv.errors import StoreError
from ncdsurv.store.atomic import fsync_path

_FOREVER = "interval 36500 days"
SETTINGS = {
    "delta.logRetentionDuration": _FOREVER,
    "delta.deletedFileRetentionDuration": _FOREVER,
    "delta.enableExpiredLogCleanup": "false",
}


def current_version(path: Path) -> int | None:
    """Newest version of the Delta table in a folder; None where there is none."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    if not (path / "_delta_log").is_dir() or not DeltaTable.is_deltatable(str(path)):
        return None
    try:
        return DeltaTable(str(path)).version()
    except DeltaError as error:
        raise damaged(path.name, -1) from error


def scan_files(path: Path, version: int) -> pl.LazyFrame | None:
    """One version of a table, lazily; None where it has no data file.

    The readers' own way asks for the files under percent-encoded names, which do not exist where the path
    holds a space or a letter with a mark; there the files are named here.
    """
    from deltalake import DeltaTable

    if quote(str(path)) == str(path):
        return pl.scan_delta(str(path), version=version)
    files = [unquote(uri) for uri in DeltaTable(str(path), version=version).file_uris()]
    if not files:
        return None
    # A column that came later is null in the files before it.
    schema = pl.Schema(DeltaTable(str(path), version=version).schema())
    return pl.scan_parquet(files, schema=schema, hive_partitioning=True, glob=False, missing_columns="insert")


def fsync_versions(path: Path, first: int, last: int) -> None:
    """Flush the log entries of some versions and the data they add: a power cut must not undo a commit."""
    log = path / "_delta_log"
    folders = {log, path, path.parent}
    for version in range(first, last + 1):
        entry = log / f"{version:020d}.json"
        for line in entry.read_text("utf-8").splitlines():
            added = json.loads(line).get("add")
            if added:
                data = path / unquote(added["path"])
                fsync_path(data)
                folders.add(data.parent)
        fsync_path(entry)
    for folder in folders:
        fsync_path(folder)


def damaged(table: str, version: int) -> StoreError:
    """The error for a table whose log or files do not fit together."""
    return StoreError(
        "a table of the registry is damaged",
        got=f"{table}, version {version}",
        do="restore the lake from a backup, or ingest the kept files anew",
    )
