"""The engine's layout on disk: people in buckets of neighbouring communes, each bucket in its order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.errors import StoreError
from ncdsurv.spells import LAYOUT, Bucket, bucket_layout

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.store.lake import Snapshot, Transaction

BUCKET_PEOPLE = 25_000
"""People per bucket: few communes each, so that the array of changes stays in the processor's cache."""


def assign_buckets(residences: pl.DataFrame, atoms: pl.DataFrame, size: int = BUCKET_PEOPLE) -> pl.DataFrame:
    """Which bucket each person belongs to: by home commune, communes never divided.

    Args:
        residences: Columns of `RESIDENCES`; the last one is home.
        atoms: Atoms of the reference, numbered in geographical order.
        size: People per bucket, roughly.

    Returns:
        [person_id, bucket], sorted.
    """
    pair = ["commune_2024", "commune_2025"]
    homes = (
        residences.sort("person_id", "from_on", *pair)
        .unique("person_id", keep="last", maintain_order=True)
        .join(atoms.select("atom", *pair), on=pair, how="left")
    )
    sizes = homes.group_by("atom").len().sort("atom")
    before = pl.col("len").cum_sum() - pl.col("len")
    buckets = sizes.select("atom", (before // size).cast(pl.Int32).alias("bucket"))
    return (
        homes.join(buckets, on="atom", nulls_equal=True)
        .select("person_id", "bucket")
        .sort("bucket", "person_id")
    )


def layout_buckets(
    tx: Transaction,
    persons: pl.DataFrame,
    residences: pl.DataFrame,
    crosswalk: pl.DataFrame,
    diagnoses: pl.DataFrame,
    visits: pl.DataFrame,
    catalog: Catalog,
    atoms: pl.DataFrame,
) -> int:
    """Write the layout of all buckets in the place of the one before; returns the number of buckets."""
    homes = assign_buckets(residences, atoms)
    records = crosswalk.join(homes, on="person_id").select("record_id", "person_id", "bucket")
    by_person = [_split(frame.join(homes, on="person_id")) for frame in (persons, residences)]
    by_record = [
        _split(frame.join(records.drop("person_id"), on="record_id")) for frame in (diagnoses, visits)
    ]
    links = _split(records)
    held: dict[str, list[pl.DataFrame]] = {name: [] for name in LAYOUT}
    for number in sorted(links):
        bucket = bucket_layout(
            by_person[0][number],
            by_person[1][number],
            links[number],
            by_record[0].get(number, diagnoses.clear()),
            by_record[1].get(number, visits.clear()),
            catalog,
            atoms,
        )
        for name, frame in bucket.tables().items():
            numbered = frame.with_row_index("place").with_columns(pl.lit(number, pl.Int32).alias("bucket"))
            held[name].append(numbered.with_columns(pl.col("place").cast(pl.Int32)))
    for name, frames in held.items():
        tx.overwrite(name, pl.concat(frames) if frames else pl.DataFrame())
    return len(links)


def _split(frame: pl.DataFrame) -> dict[int, pl.DataFrame]:
    parts = frame.partition_by("bucket", as_dict=True, include_key=False, maintain_order=True)
    return {int(key[0]): part for key, part in parts.items()}


def read_buckets(snapshot: Snapshot) -> Iterator[tuple[int, int, Bucket]]:
    """All buckets of a state, one at a time: (how many before it, how many in all, the bucket).

    Raises:
        StoreError: The buckets were never laid out.
    """
    if "people" not in snapshot.versions:
        raise StoreError("the persons are not laid out", do="link first: ncdsurv link")
    numbers = snapshot.scan("people").select("bucket").unique().sort("bucket").collect()["bucket"].to_list()
    for done, number in enumerate(numbers):
        tables = {
            name: snapshot.scan(name)
            .filter(pl.col("bucket") == number)
            .collect()
            .sort("place")
            .select(list(schema))
            for name, schema in LAYOUT.items()
        }
        yield done, len(numbers), Bucket(**tables)
