"""The tally of the last build, kept on disk: a cache that may be deleted at any time.

It holds what was told up to a month and up to a file, with a digest of every record and the last readings that later
ones are compared with. `latest.json` is written last and says what it was made by and what each file hashes to;
whatever does not agree with it is as good as absent. Records stand in it under their pseudonyms, as in the lake, so
that a new key removes it (`forget`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from ncdsurv.registry.tally import ACTIVITY, KEPT, Tally
from ncdsurv.store.atomic import new_folder, sweep_temporary, write_whole
from ncdsurv.store.files import sha256_of

if TYPE_CHECKING:
    from ncdsurv.registry.store import Store

LATEST = "latest.json"
_VISITORS, _DIGESTS, _READINGS = "visitors.arrow", "digests.arrow", "readings"
_METRICS, _METRIC = "metrics.arrow", "_metric"


@dataclass(frozen=True)
class Kept:
    """What a build told, to go on from.

    Attributes:
        month: Last month that `tally` holds the months of.
        received: Number of the last file it knows.
        state: What the records were then, in numbers (`appended.state_of`).
        tally: Up to `month`; rows kept of all files.
        visitors: [record_id, facility] of all visits.
        digests: [record_id, digest, diseases] (`tally.digests_of`).
        readings: Folder of Parquet files: the visits that later readings are compared with.
    """

    month: int
    received: int
    state: dict[str, Any]
    tally: Tally
    visitors: pl.DataFrame
    digests: pl.DataFrame
    readings: Path

    def last_readings(self) -> pl.LazyFrame | None:
        """The visits that later readings are compared with; None where there are none."""
        files = sorted(self.readings.glob("*.parquet"))
        return pl.scan_parquet(files) if files else None


class Tallied:
    """The kept tally of a store.

    Args:
        store: The store; the caller holds its lock.
        by: A digest of everything that decides a tally beside the records: definitions, code, key.
    """

    def __init__(self, store: Store, by: str) -> None:
        self.folder, self.by = folder_of(store), by

    def read(self) -> Kept | None:
        """What the last build kept; None where it is missing, harmed, or was made by something else."""
        try:
            found = json.loads((self.folder / LATEST).read_text("utf-8"))
            if found["by"] != self.by:
                return None
            entry = self.folder / found["entry"]
            if found["files"] != _hashes(entry):
                return None
            columns: dict[str, list[str]] = found["columns"]
            metrics = pl.read_ipc(entry / _METRICS)
            own = {name: pl.read_ipc(entry / f"{name}.arrow") for name in (KEPT, ACTIVITY)}
            of_metric = {
                name: metrics.filter(pl.col(_METRIC) == name).select(columns[name]) for name in columns
            }
            tally = {**of_metric, **own}
            return Kept(
                int(found["month"]),
                int(found["received"]),
                found["state"],
                tally,
                pl.read_ipc(entry / _VISITORS),
                pl.read_ipc(entry / _DIGESTS),
                entry / _READINGS,
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError):
            return None

    @contextmanager
    def keeping(self, month: int, received: int, state: dict[str, Any]) -> Iterator[Keeper]:
        """Keep another tally in the place of the last one, whole, when the block ends well."""
        entry = self.folder / uuid4().hex
        with new_folder(entry) as folder:
            keeper = Keeper(folder)
            yield keeper
            files, columns = _hashes(folder), keeper.columns
        latest = {
            "by": self.by,
            "entry": entry.name,
            "month": month,
            "received": received,
            "state": state,
            "columns": columns,
            "files": files,
        }
        write_whole(self.folder / LATEST, json.dumps(latest).encode(), mode=0o600)
        sweep(self.folder)


class Keeper:
    """Writes a tally that is to be kept, a part at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.chmod(0o700)
        (folder / _READINGS).mkdir()
        self._parts = 0
        self.columns: dict[str, list[str]] = {}

    def readings(self, visits: pl.DataFrame | pl.LazyFrame) -> None:
        """Put more visits to those that later readings are compared with; no record twice."""
        path = self._folder / _READINGS / f"{self._parts}.parquet"
        self._parts += 1
        visits.lazy().sink_parquet(path, compression="zstd", compression_level=1)

    def finish(self, tally: Tally, visitors: pl.DataFrame, digests: pl.DataFrame) -> None:
        """Write the rest."""
        metrics = {name: frame for name, frame in tally.items() if name not in (KEPT, ACTIVITY)}
        self.columns = {name: frame.columns for name, frame in metrics.items()}
        # One file: each is flushed to the disk by itself.
        named = [frame.with_columns(pl.lit(name).alias(_METRIC)) for name, frame in metrics.items()]
        pl.concat(named, how="diagonal").write_ipc(self._folder / _METRICS, compression="lz4")
        for name in (KEPT, ACTIVITY):
            tally[name].write_ipc(self._folder / f"{name}.arrow", compression="lz4")
        visitors.write_ipc(self._folder / _VISITORS, compression="lz4")
        digests.write_ipc(self._folder / _DIGESTS, compression="lz4")


def folder_of(store: Store) -> Path:
    """Where the tally of a store lies."""
    return store.folder / "tallied"


def sweep(folder: Path) -> None:
    """Remove what nothing can go on from: unfinished work, and tallies that the last build does not name.

    Only the holder of the lock may call it.
    """
    sweep_temporary(folder)
    try:
        named = json.loads((folder / LATEST).read_text("utf-8"))["entry"]
    except (OSError, ValueError, KeyError, TypeError):
        named = None  # a tally that nothing names is never read
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and path.name != named:
            shutil.rmtree(path, ignore_errors=True)


def forget(store: Store) -> None:
    """Remove the tally: the pseudonyms in it are to be replaced. The caller holds the lock."""
    shutil.rmtree(folder_of(store), ignore_errors=True)


def _hashes(folder: Path) -> dict[str, str]:
    files: Iterable[Path] = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256_of(path) for path in sorted(files)}
