"""The visits as last reported: all at once, or in parts where a nation's would not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.store.parts import parts_in

if TYPE_CHECKING:
    from ncdsurv.store.lake import Snapshot

PART_ROWS = 4_000_000
"""Most rows held at once, about: with 150 bytes a row and their sorting some 1.5 GB."""


def current_visits(snapshot: Snapshot) -> pl.DataFrame:
    """The visits as last reported: of two rows with one visit_id the one of the later file counts."""
    return _latest(snapshot.read("visits"))


@contextmanager
def visits_in_parts(snapshot: Snapshot, folder: Path, rows: int) -> Iterator[Iterator[pl.DataFrame]]:
    """`current_visits` a part at a time; no visit is in two parts.

    Args:
        snapshot: The state of the store.
        folder: Where the parts may lie while the block lasts.
        rows: Most rows of a part, about; a registry that has no more is one part, in memory.
    """
    visits = snapshot.scan("visits")
    n_parts = -(-int(visits.select(pl.len()).collect().item()) // rows)
    if n_parts <= 1:
        yield iter([current_visits(snapshot)])
        return
    part = (pl.col("visit_id").hash() % n_parts).cast(pl.Int32)
    with parts_in(folder, rows) as parts:
        for batch in visits.with_columns(part=part).collect_batches(maintain_order=False):
            parts.put(batch, "part")
        yield (_latest(found) for number in range(n_parts) if (found := parts.read(number)) is not None)


def _latest(visits: pl.DataFrame) -> pl.DataFrame:
    return visits.sort("visit_id", "received", "row_number").unique(
        "visit_id", keep="last", maintain_order=True
    )
