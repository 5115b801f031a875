"""The file of measures of a release: every cell once, bucket by bucket, checked on the way.

People move, so a bucket counts cells of places that belong to another one. Those are set aside and added to
the bucket that the place belongs to; what is written then follows from the counts alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.registry.cells import add

if TYPE_CHECKING:
    from ncdsurv.registry.counted import CountCache

Check = Callable[[pl.DataFrame], object]
View = Callable[[pl.DataFrame], pl.DataFrame]


def write_measures(
    path: Path,
    cache: CountCache,
    numbers: Sequence[int],
    name: str,
    view: View | None = None,
    check: Check | None = None,
) -> int:
    """Write the counts of all buckets as one Parquet file, one row group for each bucket.

    Args:
        path: The file to make.
        cache: Holds the counts of every bucket.
        numbers: The buckets, sorted; a place belongs to the last bucket that begins at it or before it.
        name: Which of the counted answers.
        view: Turns the counts of a bucket into the form that is written; None writes them as they are.
        check: Called with the counts of each bucket before they are written; raises if they break an identity.

    Returns:
        Rows written.
    """
    import pyarrow.parquet as pq

    aside = _aside(cache, numbers, name)
    rows, writer = 0, None
    oldest = pl.CompatLevel.oldest()  # plain strings: every Parquet reader knows them
    try:
        for number in numbers:
            low, high = _range(numbers, number)
            own = pl.read_ipc(cache.cells_file(number, name)).filter(_inside(low, high))
            guests = aside.filter(_inside(low, high))
            counts = add([own, guests]) if guests.height else own
            if view is not None:
                counts = add([view(counts)])
            if check is not None:
                check(counts)
            table = counts.to_arrow(compat_level=oldest)
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            if counts.height:
                writer.write_table(table, row_group_size=counts.height)
            rows += counts.height
    finally:
        if writer is not None:
            writer.close()
    return rows


def _range(numbers: Sequence[int], number: int) -> tuple[int | None, int | None]:
    """Places of a bucket, from (included) and to (not included); None is without an end."""
    at = bisect_right(numbers, number)
    return (None if at == 1 else number), (numbers[at] if at < len(numbers) else None)


def _inside(low: int | None, high: int | None) -> pl.Expr:
    inside = pl.lit(True)
    if low is not None:
        inside &= pl.col("atom") >= low
    if high is not None:
        inside &= pl.col("atom") < high
    return inside


def _aside(cache: CountCache, numbers: Sequence[int], name: str) -> pl.DataFrame:
    """Counts of places that belong to another bucket than the one they were counted in."""
    scans = [
        pl.scan_ipc(cache.cells_file(number, name)).filter(~_inside(*_range(numbers, number)))
        for number in numbers
    ]
    return pl.concat([scan.collect() for scan in scans]).sort("atom", maintain_order=True)
