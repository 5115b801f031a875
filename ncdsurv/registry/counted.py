"""What was counted of each bucket, kept on disk: a cache that may be deleted at any time.

An entry is a folder that appears whole or not at all, named by what it depends on: the digest of the bucket's
records, the definitions, the reference, the code and the months. `latest.json` names the entries of the last
build and the versions of the tables they were counted from; it is written last. Nothing in here is a
pseudonym: people stand under their number within the bucket.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import polars as pl

from ncdsurv.registry.counting import Count
from ncdsurv.registry.digest import fingerprint
from ncdsurv.registry.increment import Digests, Past
from ncdsurv.spells import LAYOUT
from ncdsurv.store.atomic import new_folder, write_whole
from ncdsurv.store.mapped import read_mapped, write_mapped

if TYPE_CHECKING:
    from ncdsurv.registry.counting import Question
    from ncdsurv.store.lake import Snapshot

LATEST = "latest.json"
_DIGITS = 32
_MARKS = "marks.json"


@dataclass(frozen=True)
class _Before:
    """The last build, as `latest.json` tells it."""

    months: tuple[int, int]
    versions: dict[str, int]
    entries: dict[int, str]


class CountCache:
    """Counts of the buckets of one state of the store, for one span of months.

    Args:
        folder: `<store>/counted`.
        snapshot: The state, laid out.
        laid: What its layout was made by, and the digest of each bucket (`linking.last_laid`).
        months: First and last month counted.
    """

    def __init__(
        self, folder: Path, snapshot: Snapshot, laid: dict[str, Any], months: tuple[int, int]
    ) -> None:
        self.folder, self.months, self._snapshot = folder, months, snapshot
        self._by = fingerprint([laid["by"], laid["key_id"]])
        self._keys = {
            int(number): fingerprint([self._by, number, digest, months])[:_DIGITS]
            for number, digest in laid["buckets"].items()
        }
        self._before = self._read_latest()

    def _read_latest(self) -> _Before | None:
        try:
            found = json.loads((self.folder / LATEST).read_text("utf-8"))
            by, (first, last), versions = found["by"], found["months"], found["versions"]
            entries = {int(number): key for number, key in found["entries"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        if by != self._by or not first <= self.months[0] <= last <= self.months[1]:
            return None
        return _Before((first, last), versions, entries)

    def _entry(self, number: int) -> Path:
        return self.folder / self._keys[number]

    def has(self, number: int) -> bool:
        """Whether a bucket is counted already."""
        return _is_whole(self._entry(number))

    def has_past(self, number: int) -> bool:
        """Whether an earlier count of a bucket can be counted on."""
        before = self._before
        return before is not None and _is_whole(self.folder / before.entries.get(number, ".none"))

    def past(self, number: int, question: Question) -> Past | None:
        """The bucket as the last build counted it, where later months can be counted on from it."""
        before = self._before
        if before is None or not self.has_past(number):
            return None
        entry = self.folder / before.entries[number]
        counts = {name: _read_count(entry, name) for name in question.catalogs}
        return Past(
            before.months,
            counts,
            pl.read_ipc(entry / "past.arrow"),
            lambda table: self._old_table(before, table, number),
        )

    def _old_table(self, before: _Before, table: str, number: int) -> pl.DataFrame:
        rows = self._snapshot.lake.scan_version(table, before.versions[table])
        return rows.filter(pl.col("bucket") == number).collect().sort("place").select(list(LAYOUT[table]))

    def keep(self, number: int, digests: Digests, counts: dict[str, Count], question: Question) -> None:
        """Put the counts of a bucket on disk, whole."""
        if self._entry(number).exists():  # harmed, or it would not be counted again
            shutil.rmtree(self._entry(number))
        with new_folder(self._entry(number)) as folder:
            for name, found in counts.items():
                # Arrow, not Parquet: written in half the time, and read once or twice.
                found.cells.write_ipc(folder / f"{name}.cells.arrow", compression="lz4")
                write_mapped(found.carry, _carry_file(folder, name))
            digests.until(question.last).write_ipc(folder / "past.arrow", compression="lz4")
            (folder / _MARKS).write_text(json.dumps(_marks(folder)), encoding="utf-8")

    def cells_file(self, number: int, name: str) -> Path:
        """The file of a bucket's counts under one catalog."""
        return self._entry(number) / f"{name}.cells.arrow"

    def settle(self) -> None:
        """Make these counts the ones to go on from, and remove those of earlier builds."""
        latest = {
            "by": self._by,
            "months": self.months,
            "versions": {name: self._snapshot.versions[name] for name in LAYOUT},
            "entries": self._keys,
        }
        write_whole(self.folder / LATEST, json.dumps(latest).encode())
        used = set(self._keys.values())
        for path in self.folder.iterdir():
            if path.is_dir() and path.name not in used:
                shutil.rmtree(path, ignore_errors=True)


def _marks(entry: Path) -> dict[str, int]:
    """The checksum of each file of an entry: what is mapped is not looked at as it is read."""
    return {path.name: crc32(path.read_bytes()) for path in sorted(entry.iterdir()) if path.name != _MARKS}


def _is_whole(entry: Path) -> bool:
    """Whether an entry is there with all its files as they were written; one that was harmed is counted anew."""
    try:
        told: object = json.loads((entry / _MARKS).read_text("utf-8"))
        return told == _marks(entry)
    except (OSError, ValueError):
        return False


def _carry_file(entry: Path, name: str) -> Path:
    return entry / f"{name}.carry.arrow"


def _read_count(entry: Path, name: str) -> Count:
    return Count(pl.read_ipc(entry / f"{name}.cells.arrow"), read_mapped(_carry_file(entry, name)))
