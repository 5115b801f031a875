"""The visits as last reported, in parts: a nation's would not fit into memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import PatientStatus
from ncdsurv.store.parts import parts_in

if TYPE_CHECKING:
    from ncdsurv.store.lake import Snapshot

PART_ROWS = 250_000
"""Most visits held at once, about: what is made of them included, a step stays near 1.5 GB (`benchmarks/build.py`)."""
MOST_PARTS = 500
"""What is put aside at once goes to every part in a piece of its own: of more parts the pieces would be too small."""

VISIT = pl.col("visit_id").hash()
"""Stands for a visit where many of them are compared."""
_ORDER = ["visit_id", "received", "row_number"]
"""Of two rows of one visit the last one counts."""


def part_rows(snapshot: Snapshot) -> int:
    """How many visits are held at once: `PART_ROWS`, more only where there would be too many parts."""
    visits = int(snapshot.scan("visits").select(pl.len()).collect().item())
    return max(PART_ROWS, -(-visits // MOST_PARTS))


def current_deaths(snapshot: Snapshot) -> pl.DataFrame:
    """[record_id, visited_on, patient_status] of the visits as last reported that tell a death."""
    said = ["record_id", "visited_on", "patient_status"]
    visits = snapshot.scan("visits").select(*said, *_ORDER)  # the others take twice the time to read
    dead = pl.col("patient_status") == PatientStatus.DEAD.value
    told = visits.filter(dead).select(visit=VISIT).unique()
    return _latest(_rows_of(visits, told).collect()).filter(dead).select(said)


def visits_of(visits: pl.LazyFrame, records: pl.DataFrame) -> pl.LazyFrame:
    """All rows of the visits of some records: the last word on a visit may have given it to another record."""
    told = visits.join(records.lazy(), on="record_id", how="semi").select(visit=VISIT).unique()
    return _rows_of(visits, told)


def _rows_of(visits: pl.LazyFrame, told: pl.LazyFrame) -> pl.LazyFrame:
    return visits.with_columns(visit=VISIT).join(told, on="visit", how="semi").drop("visit")


@contextmanager
def visits_in_parts(
    snapshot: Snapshot,
    folder: Path,
    rows: int,
    columns: Sequence[str] | None = None,
    only: pl.DataFrame | None = None,
) -> Iterator[Iterator[pl.DataFrame]]:
    """The visits as last reported, a part at a time: of two rows with one visit_id the one of the later file counts.

    No visit is in two parts; the rows stand in no promised order.

    Args:
        snapshot: The state of the store.
        folder: Where the parts may lie while the block lasts.
        rows: Most rows of a part, about; a registry that has no more is one part, in memory.
        columns: The columns that are read and given; None is all.
        only: [record_id]: of the visits of these records only; None is of all.
    """
    read = None if columns is None else list(dict.fromkeys([*columns, *_ORDER]))
    given = pl.all() if columns is None else pl.col(columns)
    with closing(_versions(snapshot, folder, rows, read, only)) as told:
        mine = (_latest(visits) if several else visits for visits, several in told)
        if only is not None:
            mine = (visits.join(only, on="record_id", how="semi") for visits in mine)
        yield (visits.select(given) for visits in mine)


@contextmanager
def visits_by_record(snapshot: Snapshot, folder: Path, rows: int) -> Iterator[Iterator[pl.DataFrame]]:
    """`visits_in_parts`, but no record is in two parts; `first_received` is the file that first told of a visit."""
    part = _part(pl.col("record_id").hash(), _n_parts(snapshot.scan("visits"), rows))
    with parts_in(folder, rows) as parts:
        with closing(_versions(snapshot, folder, rows)) as told:
            for visits, several in told:
                found = visits.with_columns(first_received="received")
                if several:
                    first = pl.col("received").min().over("visit_id")
                    found = _latest(visits.with_columns(first_received=first))
                parts.put(found.with_columns(part=part), "part")
        yield parts.all()


def _versions(
    snapshot: Snapshot,
    folder: Path,
    rows: int,
    columns: Sequence[str] | None = None,
    only: pl.DataFrame | None = None,
) -> Generator[tuple[pl.DataFrame, bool]]:
    """All rows of the visits a part at a time, those of one visit in one part; and whether a visit may have several.

    Few visits are told twice. Only those need to be brought together; the others go by as they are read.
    """
    visits = snapshot.scan("visits")
    if columns is not None:
        visits = visits.select(columns)
    if only is not None:
        visits = visits_of(visits, only)
    n_parts = _n_parts(visits, rows)
    if n_parts == 1:
        yield visits.collect(), True
        return
    several = _told_again(visits.select(visit=VISIT), folder, rows, n_parts)
    with parts_in(folder, rows) as parts:
        for batch in visits.with_columns(visit=VISIT).collect_batches(maintain_order=False):
            again = batch.join(several, on="visit", how="semi")
            parts.put(again.with_columns(part=_part(pl.col("visit"), n_parts)).drop("visit"), "part")
            for once in batch.join(several, on="visit", how="anti").drop("visit").iter_slices(rows):
                yield once, False
        for again in parts.all():
            yield again, True


def _told_again(hashes: pl.LazyFrame, folder: Path, rows: int, n_parts: int) -> pl.DataFrame:
    """[visit]: hashes of visits that several rows tell of; all hashes lie on disk meanwhile."""
    with parts_in(folder, rows) as parts:
        for batch in hashes.with_columns(part=_part(pl.col("visit"), n_parts)).collect_batches():
            parts.put(batch, "part")
        counted = (part.group_by("visit").len().filter(pl.col("len") > 1) for part in parts.all())
        return pl.concat([part.select("visit") for part in counted])


def _n_parts(visits: pl.LazyFrame, rows: int) -> int:
    return max(1, -(-int(visits.select(pl.len()).collect().item()) // rows))


def _part(hashed: pl.Expr, n_parts: int) -> pl.Expr:
    return (hashed % n_parts).cast(pl.Int32)


def _latest(visits: pl.DataFrame) -> pl.DataFrame:
    return visits.sort(_ORDER).unique("visit_id", keep="last", maintain_order=True)
