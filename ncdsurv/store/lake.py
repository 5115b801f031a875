"""The lake: Delta tables that readers see only as one consistent whole.

Each table has its own Delta log, so a batch that touches ten tables would be visible in part while it is
written. Readers therefore never ask a table for its newest version: they read the last row of the table
`commits`, which names one version of every table. That row is written last and atomically, so a batch is
all in or all out; what an interrupted batch left behind is taken back by the next writer, and any past row
of `commits` still reads as the whole registry as it stood then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.tables import conform, empty
from ncdsurv.errors import StoreError
from ncdsurv.store.delta import SETTINGS, DeltaPlace, DiskTable, damaged
from ncdsurv.store.delta_objects import ObjectTable
from ncdsurv.store.tables import COMMITS, TABLES, Table

if TYPE_CHECKING:
    from ncdsurv.store.objects import Objects

_COMMITS, _VAULT = "commits", "vault"


@dataclass(frozen=True)
class Snapshot:
    """One consistent state of all tables: what a reader holds while writers go on.

    Attributes:
        number: Number of the commit; 0 for a store without any.
        versions: Table name -> Delta version.
        key_id: Which key the pseudonyms of this state were made with.
        note: What the writer said about the commit.
    """

    lake: Lake
    number: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    key_id: str | None = None
    note: dict[str, Any] = field(default_factory=dict)

    def scan(self, table: str) -> pl.LazyFrame:
        """A table of this state, lazily; no row order is promised."""
        return self.lake.scan_version(table, self.versions.get(table))

    def read(self, table: str) -> pl.DataFrame:
        """A table of this state, in memory; no row order is promised."""
        return self.scan(table).collect()


class Lake:
    """Delta tables under `folder`, or on object storage; those with identifiers stand under `vault`.

    Args:
        folder: `<store>/lake`.
        vault: `<store>/vault`, always on this machine.
        tables: Table name -> specification; the store's own tables unless told otherwise.
        objects: Where the tables stand under `lake/` instead of `folder`; None for a registry on disk.
    """

    def __init__(
        self,
        folder: Path,
        vault: Path,
        tables: dict[str, Table] | None = None,
        objects: Objects | None = None,
    ) -> None:
        self.folder, self.vault = folder, vault
        self.tables = dict(TABLES) if tables is None else tables
        self.objects = objects
        self._places: dict[str, DeltaPlace] = {}

    def path(self, table: str) -> Path:
        """Folder of a table that stands on this machine."""
        return (self.vault if self.tables[table].vault else self.folder) / table

    def at(self, table: str) -> DeltaPlace:
        """Where a table stands; the same place each time, since it holds what was opened."""
        if table not in self._places:
            self._places[table] = self._place(table)
        return self._places[table]

    def _place(self, table: str) -> DeltaPlace:
        vault = table in self.tables and self.tables[table].vault
        if self.objects is not None and not vault:
            return ObjectTable(self.objects, f"lake/{table}")
        return DiskTable(self.vault / table, closed=True) if vault else DiskTable(self.folder / table)

    def vault_marks(self, versions: Mapping[str, int]) -> dict[str, str | None]:
        """What tells the vault's tables from those of a copy; empty where they stand beside the others."""
        if self.objects is None:
            return {}
        found = {
            name: versions[name] for name, spec in self.tables.items() if spec.vault and name in versions
        }
        return {name: DiskTable(self.vault / name).mark(version) for name, version in found.items()}

    def scan_version(self, table: str, version: int | None) -> pl.LazyFrame:
        """One version of a table; an absent table is an empty one of its schema.

        A column that the table did not have when it was written is null.
        """
        schema = self.tables[table].schema
        if version is None:
            return empty(schema).lazy()
        frame = self.at(table).scan(version)
        if frame is None:
            return empty(schema).lazy()
        written = set(frame.collect_schema().names())
        return frame.select(
            (pl.col(name) if name in written else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in schema.items()
        )

    def commits(self) -> pl.DataFrame:
        """All commits, oldest first (columns of `COMMITS`)."""
        place = self.at(_COMMITS)
        version = place.version()
        if version is None:
            return empty(COMMITS)
        frame = place.scan(version)
        return empty(COMMITS) if frame is None else frame.collect().sort("number")

    def snapshot(self, number: int | None = None) -> Snapshot:
        """The newest state, or the state after commit `number`.

        Raises:
            StoreError: There is no such commit.
        """
        commits = self.commits()
        if number is not None:
            commits = commits.filter(pl.col("number") == number)
            if commits.is_empty():
                raise StoreError("unknown commit of the registry", got=number, do="see the list of commits")
        if commits.is_empty():
            return Snapshot(self)
        row = commits.row(-1, named=True)
        return Snapshot(
            self, row["number"], json.loads(row["versions"]), row["key_id"], json.loads(row["note"])
        )

    def forget_before(self, kept: Snapshot) -> None:
        """Remove the data of every state but one from the disk; the caller holds the store's lock.

        Needed when older rows must not be readable any more (a rotated key); `commits` still tells that
        they were there.
        """
        for name, version in kept.versions.items():
            table = self.at(name).opened()
            if table.version() < version:
                raise damaged(name, version)
            if table.version() > version:  # an interrupted call logged its own beginning
                table.restore(version)
            table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Begin to write; the caller holds the store's lock. Without `commit` nothing becomes visible."""
        if self.objects is None:
            self.folder.mkdir(parents=True, exist_ok=True)
        yield Transaction(self)


class Transaction:
    """Writes to several tables that become visible together, at `commit`."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        # Asked before anything is read: a commit in between is found out at the end.
        self._commits = lake.at(_COMMITS).version()
        self.base = lake.snapshot()
        self.versions = dict(self.base.versions)
        self._left: dict[str, int] = {}  # versions of tables that no commit names, to be overwritten
        self._take_back_unfinished()

    def _take_back_unfinished(self) -> None:
        """Undo what an interrupted writer left: versions that no commit names."""
        if self.lake.vault_marks(self.base.versions) != self.base.note.get(_VAULT, {}):
            raise StoreError(
                "the vault on this machine is not the one that this registry was last written with",
                got=self.lake.vault,
                do="bring the folder of the machine that wrote last; nothing was changed",
            )
        for name in self.lake.tables:
            place, committed = self.lake.at(name), self.base.versions.get(name)
            if committed is None:
                left = place.discard()
                if left is not None:
                    self._left[name] = left
                continue
            current = place.settle(committed)
            if current is None or current < committed:
                raise damaged(name, committed)
            if current > committed:
                self.versions[name] = place.take_back(committed)

    def scan(self, table: str) -> pl.LazyFrame:
        """A table as this transaction sees it, with its own writes."""
        return self.lake.scan_version(table, self.versions.get(table))

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows (columns are conformed to the table's schema)."""
        if not frame.is_empty() or table not in self.versions:
            self._write(table, frame, "append")

    def overwrite(self, table: str, frame: pl.DataFrame) -> None:
        """Put other rows in the place of all; the version before stays readable."""
        self._write(table, frame, "overwrite")

    def replace(self, table: str, frame: pl.DataFrame, column: str, values: Iterable[int]) -> None:
        """Put other rows in the place of some parts of a table; the other parts stay, file by file.

        Args:
            table: A table partitioned by `column`.
            frame: The rows of the parts as they are from now on; parts without a row end.
            column: The partition column.
            values: The parts.
        """
        listed = ", ".join(str(int(value)) for value in values)
        self._write(table, frame, "overwrite", f"{column} IN ({listed})")

    def _write(self, table: str, frame: pl.DataFrame, mode: Any, predicate: str | None = None) -> None:
        from deltalake import WriterProperties

        spec = self.lake.tables[table]
        before = self.versions.get(table, self._left.get(table))
        if table not in self.versions and before is not None:
            mode, predicate = "overwrite", None
        self.versions[table] = self.lake.at(table).write(
            conform(frame, spec.schema),
            before,
            mode=mode,
            predicate=predicate,
            schema_mode=None if predicate else "overwrite" if mode == "overwrite" else "merge",
            partition_by=list(spec.partition_by) or None,
            configuration={**SETTINGS, "delta.dataSkippingStatsColumns": ",".join(spec.statistics)},
            writer_properties=WriterProperties(compression="ZSTD", compression_level=1),
        )

    def commit(self, kind: str, key_id: str | None = None, note: dict[str, Any] | None = None) -> Snapshot:
        """Make everything written visible, at once.

        Args:
            kind: What was done, for instance `ingest`, `link`.
            key_id: Which key the pseudonyms are made with; the one before when omitted.
            note: Anything that can be written as JSON, to be found again in the snapshot.

        Returns:
            The new state.
        """
        for name, version in self.versions.items():
            if version != self.base.versions.get(name):
                self.lake.at(name).flush(self.base.versions.get(name, -1) + 1, version)
        key_id = key_id or self.base.key_id
        marks = self.lake.vault_marks(self.versions)
        note = {**(note or {}), **({_VAULT: marks} if marks else {})}
        row = {
            "number": self.base.number + 1,
            "kind": kind,
            "committed_at": datetime.now(UTC),
            "key_id": key_id,
            "versions": json.dumps(self.versions, sort_keys=True),
            "note": json.dumps(note, sort_keys=True),
        }
        place, told = self.lake.at(_COMMITS), pl.DataFrame([row], schema=dict(COMMITS))
        version = place.write(told, self._commits, mode="append", configuration=SETTINGS)
        place.flush(0 if self._commits is None else self._commits + 1, version)
        return Snapshot(self.lake, self.base.number + 1, dict(self.versions), key_id, note)
