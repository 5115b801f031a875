"""What we need of Delta tables beyond reading and writing them: where one stands, its versions, settings."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import polars as pl

from ncdsurv.errors import StoreError
from ncdsurv.store.atomic import fsync_path
from ncdsurv.store.opened import Held, entries_of, newest_version

_FOREVER = "interval 36500 days"
SETTINGS = {
    "delta.logRetentionDuration": _FOREVER,
    "delta.deletedFileRetentionDuration": _FOREVER,
    "delta.enableExpiredLogCleanup": "false",
}


class DeltaPlace(Protocol):
    """Where one Delta table stands: in a folder (`DiskTable`), or on object storage (`ObjectTable`)."""

    @property
    def name(self) -> str:
        """Name of the table."""

    def version(self) -> int | None:
        """Newest version; None where there is no table.

        Raises:
            StoreError: Its entry in the log is empty.
        """

    def scan(self, version: int) -> pl.LazyFrame | None:
        """One version, lazily; None where it has no data file.

        Raises:
            StoreError: The version is not there, or the log is damaged.
        """

    def opened(self) -> Any:
        """The newest version as a `DeltaTable`."""

    def write(self, frame: pl.DataFrame, before: int | None, **how: Any) -> int:
        """Write a version; `before` is the newest that the writer knows of. Gives the new version."""

    def settle(self, committed: int) -> int | None:
        """Newest version, once what a power cut left of later ones is made away with; see `version`."""

    def take_back(self, committed: int) -> int:
        """Put the content of an earlier version back, as a new version, which is given."""

    def discard(self) -> int | None:
        """Make away with a table that no commit names; gives the version to overwrite where it must stay."""

    def flush(self, first: int, last: int) -> None:
        """Make some versions outlast a power cut."""


class DiskTable:
    """A Delta table in a folder; its writer holds the lock of the registry.

    Args:
        path: The folder.
        closed: Whether the folder it stands in is open to its owner only.
    """

    def __init__(self, path: Path, closed: bool = False) -> None:
        self.path, self._closed = path, closed
        self._held = Held()

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.path.name

    def version(self) -> int | None:
        """See `DeltaPlace.version`; from the names in the log, since nothing else of the table is asked for."""
        newest = newest_version(self._names())
        if newest is not None and self._is_empty(newest):
            raise damaged(self.name, newest)
        return newest

    def opened(self, version: int | None = None) -> Any:
        """The newest version as a `DeltaTable`, or another; nobody else holds it, so it may be written with."""
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        names = self._names()
        wanted = newest_version(names) if version is None else version
        told = -1 if wanted is None else wanted
        if any(self._is_empty(number) for number in entries_of(names, told)):
            raise damaged(self.name, told)
        try:
            return DeltaTable(str(self.path), version=version)
        except DeltaError as error:
            raise damaged(self.name, told) from error

    def scan(self, version: int) -> pl.LazyFrame | None:
        """See `DeltaPlace.scan`.

        The readers' own way asks for the files under percent-encoded names, which do not exist where the path
        holds a space or a letter with a mark; there the files are named here. It is the better one elsewhere:
        it skips files by what the log tells of them.
        """
        table = self._held.opened(version, self._stamp(version), lambda: self.opened(version))
        if "%" not in table.table_uri:
            return pl.scan_delta(table, version=version)
        files = [unquote(uri) for uri in table.file_uris()]
        if not files:
            return None
        # A column that came later is null in the files before it.
        schema = pl.Schema(table.schema())
        return pl.scan_parquet(
            files, schema=schema, hive_partitioning=True, glob=False, missing_columns="insert"
        )

    def write(self, frame: pl.DataFrame, before: int | None, **how: Any) -> int:
        """See `DeltaPlace.write`."""
        from deltalake import write_deltalake

        self.path.mkdir(parents=True, exist_ok=True)
        if self._closed:
            self.path.parent.chmod(0o700)
        if self.version() is None:
            write_deltalake(str(self.path), frame, **how)
            return 0
        table = self.opened()
        write_deltalake(table, frame, **how)
        version = int(table.version())
        # It stands at what it wrote, and nobody writes with it again.
        self._held.keep(version, self._stamp(version), table)
        return version

    def settle(self, committed: int) -> int | None:
        """See `DeltaPlace.settle`; what no commit names was not flushed, so a power cut may have emptied it."""
        names = self._names()
        newest = newest_version(names) or 0
        later = range(committed + 1, newest + 1)
        # A checkpoint among the later ones was written from whole entries: then nothing is taken away.
        if set(later) <= set(entries_of(names, newest)) and any(map(self._is_empty, later)):
            for number in reversed(later):
                self._entry(number).unlink()
        return self.version()

    def take_back(self, committed: int) -> int:
        """See `DeltaPlace.take_back`."""
        table = self.opened()
        table.restore(committed)
        return int(table.version())

    def discard(self) -> None:
        """Remove the folder."""
        if self.path.exists():
            shutil.rmtree(self.path)

    def mark(self, version: int) -> str | None:
        """Tells one version from any other that may bear its number; None where it is not there."""
        entry = self._entry(version)
        return hashlib.sha256(entry.read_bytes()).hexdigest() if entry.is_file() else None

    def _stamp(self, version: int) -> Hashable:
        """Tells one version from another that bore its number before, without reading it."""
        try:
            entry = self._entry(version).stat()
        except FileNotFoundError:
            return None
        return entry.st_ino, entry.st_mtime_ns, entry.st_size

    def _names(self) -> list[str]:
        """Names of the files of the log; none where there is no table."""
        try:
            return os.listdir(self.path / "_delta_log")
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _is_empty(self, version: int) -> bool:
        """Whether the entry of a version is there, without content."""
        try:
            return not self._entry(version).stat().st_size
        except FileNotFoundError:
            return False

    def _entry(self, version: int) -> Path:
        return self.path / "_delta_log" / f"{version:020d}.json"

    def flush(self, first: int, last: int) -> None:
        """Flush the log entries of some versions and the data they add: a power cut must not undo a commit."""
        log = self.path / "_delta_log"
        folders = {log, self.path, self.path.parent}
        for version in range(first, last + 1):
            entry = self._entry(version)
            for line in entry.read_text("utf-8").splitlines():
                added = json.loads(line).get("add")
                if added:
                    data = self.path / unquote(added["path"])
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
