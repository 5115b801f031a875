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

from ncdsurv.errors import StoreError
from ncdsurv.spells import LAYOUT, Bucket, bucket_layout

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.store.lake import Snapshot, Transaction

BUCKET_PEOPLE = 36_000
"""Most people of a bucket (about 25,000 on the average): the array of changes stays in the processor's cache."""
_PAIR = ["commune_2024", "commune_2025"]
_HALF = 2


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


def layout_buckets(
    tx: Transaction,
    persons: pl.DataFrame,
    residences: pl.DataFrame,
    crosswalk: pl.DataFrame,
    diagnoses: pl.DataFrame,
    visits: pl.DataFrame,
    catalog: Catalog,
    atoms: pl.DataFrame,
    before: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Write the layout of the buckets whose records changed; the others stay as they are.

    Args:
        tx: The transaction to write in.
        persons: `PERSONS`, those with a residence.
        residences: `RESIDENCES`.
        crosswalk: `CROSSWALK`, and where it has one the `source` of each record.
        diagnoses: `DIAGNOSES`, each said once.
        visits: `VISITS` as last reported.
        catalog: Diseases and groups.
        atoms: Atoms of the reference.
        before: What this function returned when the layout that `tx` sees was written, by the same code,
            definitions and reference; None where nothing of it may stay.

    Returns:
        Bucket number (as text, for JSON) -> digest of the records it was laid out from.
    """
    homes = assign_buckets(residences, atoms)
    known_from = [name for name in ("source",) if name in crosswalk.columns]
    records = crosswalk.join(homes, on="person_id").select("record_id", "person_id", *known_from, "bucket")
    of_record = records.select("record_id", "bucket")
    told = {
        "persons": persons.join(homes, on="person_id"),
        "residences": residences.join(homes, on="person_id"),
        "records": records,
        "diagnoses": diagnoses.join(of_record, on="record_id"),
        "visits": visits.join(of_record, on="record_id"),
    }
    digests = _digests(told)
    known = before or {}
    touched = [int(number) for number, digest in digests.items() if known.get(number) != digest]
    gone = [int(number) for number in known if number not in digests]
    parts = {name: _split(frame, touched) for name, frame in told.items()}
    held: dict[str, list[pl.DataFrame]] = {name: [] for name in LAYOUT}
    for number in touched:
        people, homes_then, links, diagnosed, seen = (
            parts[name].get(number, told[name].drop("bucket").clear()) for name in told
        )
        bucket = bucket_layout(people, homes_then, links, diagnosed, seen, catalog, atoms)
        for name, frame in bucket.tables().items():
            numbered = frame.with_row_index("place").with_columns(pl.lit(number, pl.Int32).alias("bucket"))
            held[name].append(numbered.with_columns(pl.col("place").cast(pl.Int32)))
    for name, frames in held.items():
        together = pl.concat(frames) if frames else pl.DataFrame()
        if before is None:
            tx.overwrite(name, together)
        elif touched or gone:
            tx.replace(name, together, "bucket", [*touched, *gone])
    return digests


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
