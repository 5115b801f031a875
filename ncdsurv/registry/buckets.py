"""The engine's layout on disk: people in buckets of neighbouring communes, each bucket in its order.

A bucket is a run of neighbouring atoms, found by halving the country until no part has too many people. So the
division follows from the people alone, and one person more changes one bucket at most: a month's new records
leave the layout of untouched buckets as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ncdsurv.catalog.tables import empty
from ncdsurv.errors import StoreError
from ncdsurv.spells import LAYOUT, Bucket, bucket_layout

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.store.lake import Snapshot, Transaction

BUCKET_PEOPLE = 72_000
"""Most people of a bucket (about 50,000 on the average): the array of changes stays in the processor's cache."""
_PAIR = ["commune_2024", "commune_2025"]
_HALF = 2
_TOLD = ("persons", "residences", "records", "diagnoses", "visits")


def assign_buckets(residences: pl.DataFrame, atoms: pl.DataFrame, size: int = BUCKET_PEOPLE) -> pl.DataFrame:
    """Which bucket each person belongs to: by home commune, communes never divided.

    Args:
        residences: Columns of `RESIDENCES`; the last one is home.
        atoms: Atoms of the reference, numbered in geographical order.
        size: Most people of a bucket, unless one atom alone has more.

    Returns:
        [person_id, bucket], sorted; a bucket's number is the first atom of its run.
    """
    homes = (
        residences.sort("person_id", "from_on", *_PAIR)
        .unique("person_id", keep="last", maintain_order=True)
        .join(atoms.select("atom", *_PAIR), on=_PAIR, how="left")
        .with_columns(pl.col("atom").cast(pl.Int32).fill_null(0))
    )
    sizes = homes.group_by("atom").len().sort("atom")
    starts = pl.DataFrame({"bucket": _runs(sizes["atom"].to_numpy(), sizes["len"].to_numpy(), size)})
    return (
        homes.sort("atom")
        .join_asof(
            starts.cast(pl.Int32).set_sorted("bucket"), left_on="atom", right_on="bucket", coalesce=False
        )
        .select("person_id", "bucket")
        .sort("bucket", "person_id")
    )


def _runs(atoms: np.ndarray, people: np.ndarray, size: int) -> list[int]:
    """First atoms of the parts: [0, 2^k) halved until a part has at most `size` people or is one atom."""
    if not atoms.size:
        return []
    before = np.concatenate([[0], np.cumsum(people)])
    found, left = [], [(0, 1 << int(atoms.max()).bit_length())]
    while left:
        low, high = left.pop()
        first, after = np.searchsorted(atoms, (low, high))
        if first == after:
            continue
        if before[after] - before[first] <= size or high - low == 1:
            found.append(low)
        else:
            middle = (low + high) // _HALF
            left += [(low, middle), (middle, high)]
    return sorted(found)


class LayoutWriter:
    """Writes the layout of the buckets whose records changed; the others stay as they are.

    Args:
        tx: The transaction to write in.
        catalog: Diseases and groups.
        atoms: Atoms of the reference.
        before: What `finish` gave when the layout that `tx` sees was written, by the same code, definitions
            and reference; None where nothing of it may stay.
    """

    def __init__(
        self,
        tx: Transaction,
        catalog: Catalog,
        atoms: pl.DataFrame,
        before: Mapping[str, str] | None = None,
    ) -> None:
        self._tx, self._catalog, self._atoms, self._before = tx, catalog, atoms, before
        self._digests: dict[str, str] = {}
        self._begun = before is not None

    def add(self, told: Mapping[str, pl.DataFrame]) -> None:
        """Lay out some buckets, whole.

        Args:
            told: `persons` (`PERSONS`, those with a residence), `residences`, `records` (record_id, person_id,
                and where known the `source` of each), `diagnoses` (each said once) and `visits` (as last
                reported): each with the `bucket` of its person. Together they hold all there is of a bucket.
        """
        digests = _digests(told)
        self._digests |= digests
        known = self._before or {}
        touched = [int(number) for number, digest in digests.items() if known.get(number) != digest]
        parts = {name: _split(frame, touched) for name, frame in told.items()}
        held: dict[str, list[pl.DataFrame]] = {name: [] for name in LAYOUT}
        for number in touched:
            people, homes_then, links, diagnosed, seen = (
                parts[name].get(number, told[name].drop("bucket").clear()) for name in _TOLD
            )
            bucket = bucket_layout(people, homes_then, links, diagnosed, seen, self._catalog, self._atoms)
            for name, frame in bucket.tables().items():
                numbered = frame.with_row_index("place").with_columns(bucket=pl.lit(number, pl.Int32))
                held[name].append(numbered.with_columns(pl.col("place").cast(pl.Int32)))
        if touched:
            self._write({name: pl.concat(frames) for name, frames in held.items()}, touched)

    def _write(self, tables: Mapping[str, pl.DataFrame], numbers: list[int]) -> None:
        for name, frame in tables.items():
            if self._before is not None:
                self._tx.replace(name, frame, "bucket", numbers)
            elif self._begun:
                self._tx.append(name, frame)
            else:
                self._tx.overwrite(name, frame)
        self._begun = True

    def finish(self) -> dict[str, str]:
        """Take out the buckets that have nobody any more.

        Returns:
            Bucket number (as text, for JSON) -> digest of the records it was laid out from.
        """
        gone = [int(number) for number in self._before or {} if number not in self._digests]
        if gone or not self._begun:
            self._write({name: empty(self._tx.lake.tables[name].schema) for name in LAYOUT}, gone)
        return self._digests


def _digests(told: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """Bucket -> digest of its rows of all tables, whatever their order."""
    sums: dict[str, list[str]] = {}
    for frame in told.values():
        content = frame.drop("bucket")
        hashed = pl.DataFrame(
            {"bucket": frame["bucket"], "one": content.hash_rows(1), "two": content.hash_rows(2)}
        )
        by_bucket = hashed.group_by("bucket").agg(pl.len(), pl.col("one").sum(), pl.col("two").sum())
        for number, *row in by_bucket.sort("bucket").iter_rows():
            sums.setdefault(str(number), []).append("-".join(f"{part:x}" for part in row))
    return {number: ".".join(parts) for number, parts in sorted(sums.items(), key=lambda item: int(item[0]))}


def _split(frame: pl.DataFrame, wanted: list[int]) -> dict[int, pl.DataFrame]:
    frame = frame.filter(pl.col("bucket").is_in(wanted))
    parts = frame.partition_by("bucket", as_dict=True, include_key=False, maintain_order=True)
    return {int(key[0]): part for key, part in parts.items()}


class Buckets:
    """The buckets of one state of the store, to read one at a time; safe to use from several threads.

    Args:
        snapshot: The state.

    Raises:
        StoreError: The buckets were never laid out.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        if "people" not in snapshot.versions:
            raise StoreError("the persons are not laid out", do="link first: ncdsurv link")
        self._scans = {name: snapshot.scan(name) for name in LAYOUT}
        found = self._scans["people"].select("bucket").unique().sort("bucket").collect()
        self.numbers: list[int] = found["bucket"].to_list()

    def table(self, name: str, number: int) -> pl.DataFrame:
        """One table of a bucket, in its order."""
        rows = self._scans[name].filter(pl.col("bucket") == number).collect()
        return rows.sort("place").select(list(LAYOUT[name]))

    def read(self, number: int) -> Bucket:
        """A bucket, whole."""
        return Bucket(**{name: self.table(name, number) for name in LAYOUT})


def read_buckets(snapshot: Snapshot) -> Iterator[tuple[int, int, Bucket]]:
    """All buckets of a state, one at a time: (how many before it, how many in all, the bucket).

    Raises:
        StoreError: The buckets were never laid out.
    """
    buckets = Buckets(snapshot)
    for done, number in enumerate(buckets.numbers):
        yield done, len(buckets.numbers), buckets.read(number)
