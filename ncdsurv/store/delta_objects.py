"""A Delta table on object storage: every version is written under the condition that nobody wrote one since.

There is no lock that dies with its process, so none is relied on: the storage refuses the second of two log
entries of one number, and a writer that was overtaken ends without having changed what anybody reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.errors import StoreError
from ncdsurv.store.delta import damaged
from ncdsurv.store.objects import storage_fault
from ncdsurv.store.opened import Held, entries_of, newest_version

if TYPE_CHECKING:
    from ncdsurv.store.objects import Objects

_LOG = "_delta_log"
_OFTEN = {"delta.checkpointInterval": "10"}
"""Every entry since the last checkpoint is a question more for each reader, so there are more of them than on disk."""


class ObjectTable:
    """See `ncdsurv.store.delta.DeltaPlace`.

    Args:
        objects: The registry's address.
        path: The table's path under it.
    """

    def __init__(self, objects: Objects, path: str) -> None:
        self._objects, self._path = objects, path
        self._uri = f"{objects.uri}/{path}"
        self._held = Held()

    @property
    def name(self) -> str:
        """Name of the table."""
        return self._path.rpartition("/")[2]

    def version(self) -> int | None:
        """See `DeltaPlace.version`; one question for a log of a thousand entries."""
        sizes = self._objects.sizes(f"{self._path}/{_LOG}")
        newest = newest_version(sizes)
        if newest is not None and any(sizes[_entry(number)] == 0 for number in entries_of(sizes, newest)):
            raise damaged(self.name, newest)
        return newest

    def settle(self, committed: int) -> int | None:
        """See `DeltaPlace.settle`; nothing is left half-made: an object is there whole or not at all."""
        return self.version()

    def opened(self, version: int | None = None) -> Any:
        """The newest version as a `DeltaTable`, or another; nobody else holds it.

        Of the entries before its own none is looked at: that would be a question more. The writer asks (`version`).
        """
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        with self._objects.told():
            try:
                return DeltaTable(self._uri, version=version, storage_options=self._objects.options)
            except DeltaError as error:
                if storage_fault(error) is not None:
                    raise
                raise damaged(self.name, -1 if version is None else version) from None

    def scan(self, version: int) -> pl.LazyFrame | None:
        """See `DeltaPlace.scan`."""
        stamp, size = self._objects.head(f"{self._path}/{_LOG}/{_entry(version)}") or (None, None)
        if size == 0:
            raise damaged(self.name, version)
        table = self._held.opened(version, stamp, lambda: self.opened(version))
        with self._objects.told():
            # The credentials are looked for where the tables' library looks: they are not in the options.
            return pl.scan_delta(table, version=version)

    def write(self, frame: pl.DataFrame, before: int | None, **how: Any) -> int:
        """See `DeltaPlace.write`.

        Raises:
            StoreError: Somebody wrote the table since; the version is not written.
        """
        from deltalake import CommitProperties, write_deltalake
        from deltalake.exceptions import CommitFailedError, DeltaError

        once = CommitProperties(max_commit_retries=0)  # a retry would put our rows behind those of another
        how = {**how, "configuration": {**how.get("configuration", {}), **_OFTEN}}
        try:
            with self._objects.told():
                if before is None:
                    how = {**how, "mode": "error", "schema_mode": None, "predicate": None}
                    write_deltalake(
                        self._uri,
                        frame,
                        storage_options=self._objects.options,
                        commit_properties=once,
                        **how,
                    )
                    return 0
                table = self.opened(before)
                write_deltalake(table, frame, commit_properties=once, **how)
        except CommitFailedError:
            raise self._overtaken() from None
        except DeltaError:
            if before is None and self._objects.has(f"{self._path}/{_LOG}/{_entry(0)}"):
                raise self._overtaken() from None
            raise
        return before + 1

    def take_back(self, committed: int) -> int:
        """See `DeltaPlace.take_back`."""
        from deltalake import CommitProperties
        from deltalake.exceptions import CommitFailedError

        try:
            with self._objects.told():
                table = self.opened()
                before = table.version()
                table.restore(committed, commit_properties=CommitProperties(max_commit_retries=0))
        except CommitFailedError:
            raise self._overtaken() from None
        return int(before) + 1

    def discard(self) -> int | None:
        """The newest version, to be overwritten: what another writer may be reading is not removed."""
        return self.version()

    def flush(self, first: int, last: int) -> None:
        """Nothing to do: what object storage has confirmed lasts."""

    def _overtaken(self) -> StoreError:
        return StoreError(
            "the registry was written by another process meanwhile",
            got=self._objects.uri,
            do="run the command again; nothing of this run was kept",
        )


def _entry(version: int) -> str:
    """Name of a version's entry in the log."""
    return f"{version:020d}.json"
