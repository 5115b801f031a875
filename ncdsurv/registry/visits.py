"""The visits as last reported: all at once, or in parts where a nation's would not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.store.parts import Parts, parts_in

if TYPE_CHECKING:
    from ncdsurv.store.lake import Snapshot

PART_ROWS = 250_000
"""Most visits held at once, about: what is made of them included, a step stays near 1.5 GB (`benchmarks/build.py`)."""
MOST_PARTS = 500
"""A part is an open file while it is filled, and a process has not many more."""


def part_rows(snapshot: Snapshot) -> int:
    """How many visits are held at once: `PART_ROWS`, more only where there would be too many parts."""
    visits = int(snapshot.scan("visits").select(pl.len()).collect().item())
    return max(PART_ROWS, -(-visits // MOST_PARTS))


def current_visits(snapshot: Snapshot) -> pl.DataFrame:
    """The visits as last reported: of two rows with one visit_id the one of the later file counts."""
    return _latest(snapshot.read("visits"))


@contextmanager
def visits_in_parts(snapshot: Snapshot, folder: Path, rows: int) -> Iterator[Iterator[pl.DataFrame]]:
    """`current_visits` a part at a time; no visit is in two parts, the rows stand in no promised order.

    Args:
        snapshot: The state of the store.
        folder: Where the parts may lie while the block lasts.
        rows: Most rows of a part, about; a registry that has no more is one part, in memory.
    """
    with _by_visit(snapshot, folder, rows) as parts:
        yield map(_latest, parts.all())


@contextmanager
def visits_by_record(snapshot: Snapshot, folder: Path, rows: int) -> Iterator[Iterator[pl.DataFrame]]:
    """`visits_in_parts`, but no record is in two parts; `first_received` is the file that first told of a visit."""
    part = _part("record_id", _n_parts(snapshot, rows))
    with parts_in(folder, rows) as parts:
        with _by_visit(snapshot, folder, rows) as told:
            for visits in told.all():
                first = visits.group_by("visit_id").agg(first_received=pl.col("received").min())
                found = _latest(visits).join(first, on="visit_id", how="left")
                parts.put(found.with_columns(part=part), "part")
        yield parts.all()


@contextmanager
def _by_visit(snapshot: Snapshot, folder: Path, rows: int) -> Iterator[Parts]:
    n_parts = _n_parts(snapshot, rows)
    visits = snapshot.scan("visits").with_columns(part=_part("visit_id", n_parts))
    with parts_in(folder, rows) as parts:
        for batch in visits.collect_batches(maintain_order=False) if n_parts > 1 else [visits.collect()]:
            parts.put(batch, "part")
        yield parts


def _n_parts(snapshot: Snapshot, rows: int) -> int:
    return max(1, -(-int(snapshot.scan("visits").select(pl.len()).collect().item()) // rows))


def _part(column: str, n_parts: int) -> pl.Expr:
    return (pl.col(column).hash() % n_parts).cast(pl.Int32)


def _latest(visits: pl.DataFrame) -> pl.DataFrame:
    order = ["visit_id", "received", "row_number"]
    return visits.sort(order).unique("visit_id", keep="last", maintain_order=True)
