"""The engine's layout on disk: people in buckets of neighbouring communes, each bucket in its order.

A bucket is a run of neighbouring atoms, found by halving the country until no part has too many people, or too many
rows that tell of their visits. So the division follows from the records alone, and what comes to one commune changes
the bucket that it is in, or divides it, and no other: a month's new records leave the layout of untouched buckets as
it is. Rows are counted as they were told, so corrections alone can divide a bucket; to count a corrected visit once,
all rows would have to be brought together by visit before the division is known.
"""

from __future__ import annotations

from collections.abc import Mapping
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
BUCKET_VISITS = 1_500_000
"""Most rows told of the visits of a bucket, however often people come: who counts it holds all of its contacts."""
WRITTEN_ROWS = 200_000
"""Rows of a table that are written together: each write of a Delta table costs what 50,000 rows do."""
_PAIR = ["commune_2024", "commune_2025"]
_HALF = 2
_TOLD = ("persons", "residences", "records", "diagnoses", "visits")


def assign_buckets(
    residences: pl.DataFrame,
    atoms: pl.DataFrame,
    size: int = BUCKET_PEOPLE,
    *,
    visits: pl.DataFrame | None = None,
    most_visits: int = BUCKET_VISITS,
) -> pl.DataFrame:
    """Which bucket each person belongs to: by home commune, communes never divided.

    Args:
        residences: Columns of `RESIDENCES`; the last one is home.
        atoms: Atoms of the reference, numbered in geographical order.
        size: Most people of a bucket, unless one atom alone has more.
        visits: [person_id, visits]: how many rows tell of each person's visits, corrections too; None says nothing.
        most_visits: Most such rows of a bucket, unless one atom alone has more.

    Returns:
        [person_id, home, bucket], in the order of the layout: by bucket, home atom and person. A bucket's number is
        the first atom of its run.
    """
    homes = (
        residences.sort("person_id", "from_on", *_PAIR)
        .unique("person_id", keep="last", maintain_order=True)
        .join(atoms.select("atom", *_PAIR), on=_PAIR, how="left")
        .select("person_id", home=pl.col("atom").cast(pl.Int32).fill_null(0))
    )
    came = homes.select("person_id", visits=pl.lit(0)) if visits is None else visits
    sizes = (
        homes.join(came, on="person_id", how="left")
        .group_by("home")
        .agg(pl.len(), pl.col("visits").sum())
        .sort("home")
    )
    weights = [(sizes["len"].to_numpy(), size), (sizes["visits"].to_numpy(), most_visits)]
    starts = pl.DataFrame({"bucket": _runs(sizes["home"].to_numpy(), weights)})
    return (
        homes.sort("home")
        .join_asof(
            starts.cast(pl.Int32).set_sorted("bucket"), left_on="home", right_on="bucket", coalesce=False
        )
        .select("person_id", "home", "bucket")
        .sort("bucket", "home", "person_id")
    )


def _runs(atoms: np.ndarray, weights: list[tuple[np.ndarray, int]]) -> list[int]:
    """First atoms of the parts: [0, 2^k) halved until a part has at most so much of each weight or is one atom."""
    if not atoms.size:
        return []
    limits = [(np.concatenate([[0], np.cumsum(each)]), most) for each, most in weights]
    found, left = [], [(0, 1 << int(atoms.max()).bit_length())]
    while left:
        low, high = left.pop()
        first, after = np.searchsorted(atoms, (low, high))
        if first == after:
            continue
        if high - low == 1 or all(before[after] - before[first] <= most for before, most in limits):
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
        digests: Bucket number (as text, for JSON) -> digest of the records it is laid out from (`Digester`).
        before: The digests by which the layout that `tx` sees was written, by the same code, definitions and
            reference; None where nothing of it may stay.
    """

    def __init__(
        self,
        tx: Transaction,
        catalog: Catalog,
        atoms: pl.DataFrame,
        digests: Mapping[str, str],
        before: Mapping[str, str] | None = None,
    ) -> None:
        self._tx, self._catalog, self._atoms = tx, catalog, atoms
        known = before or {}
        self.touched = sorted(int(number) for number, one in digests.items() if known.get(number) != one)
        self._gone = [int(number) for number in known if number not in digests]
        self._over = before is None
        self._begun: set[str] = set()
        self._held: dict[str, list[pl.DataFrame]] = {}
        self._rows: dict[tuple[int, str], int] = {}

    def add(self, told: Mapping[str, pl.DataFrame]) -> None:
        """Lay out some people: whole buckets, or a run of one's people in the order of `assign_buckets`.

        Only the people of one part are held at a time; those that come later follow after them.

        Args:
            told: `persons` (`PERSONS`, those with a residence), `residences`, `records` (record_id, person_id,
                and where known the `source` of each), `diagnoses` (each said once) and `visits` (as last
                reported): each with the `bucket` of its person. Together they hold all there is of the people.
        """
        parts = {name: _split(frame, self.touched) for name, frame in told.items()}
        for number in sorted(parts["persons"]):
            people, homes_then, links, diagnosed, seen = (
                parts[name].pop(number, told[name].drop("bucket").clear()) for name in _TOLD
            )
            bucket = bucket_layout(people, homes_then, links, diagnosed, seen, self._catalog, self._atoms)
            for name, frame in self._placed(number, bucket).items():
                self._held.setdefault(name, []).append(frame)
        for name, frames in list(self._held.items()):
            if sum(frame.height for frame in frames) >= WRITTEN_ROWS:
                self._write(name)

    def _placed(self, number: int, bucket: Bucket) -> dict[str, pl.DataFrame]:
        """The tables of a bucket's next people, numbered on from those before."""
        earlier = {name: self._rows.get((number, name), 0) for name in LAYOUT}
        placed = {}
        for name, frame in bucket.tables().items():
            self._rows[number, name] = earlier[name] + frame.height
            placed[name] = frame.with_row_index("place", earlier[name]).with_columns(
                pl.col("place").cast(pl.Int32),
                pl.col("person") + earlier["people"],
                bucket=pl.lit(number, pl.Int32),
            )
        return placed

    def _write(self, name: str) -> None:
        """The first rows of a table take the place of all that is to go; the others are put beside them."""
        frames = self._held.pop(name, [])
        frame = pl.concat(frames) if frames else empty(self._tx.lake.tables[name].schema)
        if name in self._begun:
            self._tx.append(name, frame)
        elif self._over:
            self._tx.overwrite(name, frame)
        else:
            self._tx.replace(name, frame, "bucket", [*self.touched, *self._gone])
        self._begun.add(name)

    def finish(self) -> None:
        """Write what is left, and take out the buckets that have nobody any more."""
        for name in LAYOUT:
            if name in self._held or (name not in self._begun and (self._over or self._gone)):
                self._write(name)


class Digester:
    """Adds up digests of the records of buckets, whatever their order and however they are divided."""

    def __init__(self) -> None:
        self._sums: dict[str, list[pl.DataFrame]] = {}

    def add(self, name: str, frame: pl.DataFrame) -> None:
        """Rows of one table with the `bucket` of each; no row twice."""
        content = frame.drop("bucket")
        hashed = pl.DataFrame(
            {"bucket": frame["bucket"], "one": content.hash_rows(1), "two": content.hash_rows(2)}
        )
        sums = hashed.group_by("bucket").agg(pl.len(), pl.col("one").sum(), pl.col("two").sum())
        self._sums.setdefault(name, []).append(sums)

    def digests(self) -> dict[str, str]:
        """Bucket number (as text, for JSON) -> digest of its rows, table by table; `visits` come last."""
        found: dict[int, dict[str, str]] = {}
        for name, parts in self._sums.items():
            sums = pl.concat(parts).group_by("bucket").agg(pl.col("len", "one", "two").sum())
            for number, *row in sums.sort("bucket").iter_rows():
                found.setdefault(number, {})[name] = "-".join(f"{part:x}" for part in row)
        return {
            str(number): ".".join(found[number].get(name, "") for name in _TOLD) for number in sorted(found)
        }


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
