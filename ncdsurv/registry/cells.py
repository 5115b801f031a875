"""Arithmetic of counts: frames of cells are added, subtracted and brought into the one order they are kept in."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

ORDER = ("atom", "facility", "source", "preset", "disease", "sex", "age_band", "month")
"""Columns that can name a cell, in the order that rows are kept in: by place first, so that places lie together."""


def cell_columns(counts: pl.DataFrame) -> list[str]:
    """The columns that name a cell; all others are counts."""
    return [name for name in ORDER if name in counts.columns]


def add(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Add counts up, cell by cell.

    Args:
        parts: Frames of one schema; at least one.

    Returns:
        Each cell once, those with a count only, sorted by `ORDER`: the same whatever the order of the parts.

    >>> half = pl.DataFrame({"atom": [1, 0], "month": [5, 5], "seen": [2, 1]})
    >>> add([half, half]).rows()
    [(0, 5, 2), (1, 5, 4)]
    """
    frames = list(parts)
    together = pl.concat(frames) if len(frames) > 1 else frames[0]
    cell = cell_columns(together)
    counts = [name for name in together.columns if name not in cell]
    if len(frames) > 1:
        summed = together.group_by(cell).agg(pl.col(counts).sum())
        together = summed.select(pl.col(name).cast(dtype) for name, dtype in together.schema.items())
    return together.filter(pl.any_horizontal(pl.col(counts) != 0)).sort(cell)


def in_order(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Counts that share no cell, such as those of different months, as one frame; as `add`, without adding.

    Args:
        parts: Frames of one schema, each cell in one of them only and with a count; at least one.

    Returns:
        All rows, sorted by `ORDER`.

    >>> march, april = ({"atom": [1, 0], "month": [month, month]} for month in (3, 4))
    >>> in_order([pl.DataFrame(april), pl.DataFrame(march)]).rows()
    [(0, 3), (0, 4), (1, 3), (1, 4)]
    """
    together = pl.concat(parts)
    return together.sort(cell_columns(together))


def subtract(counts: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """Counts less other counts, cell by cell; see `add`.

    >>> some = pl.DataFrame({"atom": [0, 1], "month": [5, 5], "seen": [2, 1]})
    >>> subtract(some, some.filter(pl.col("atom") == 1)).rows()
    [(0, 5, 2)]
    """
    return add([counts, taken.with_columns(-pl.exclude(cell_columns(taken)))])


def between(counts: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    """The cells of some months, both included."""
    return counts.filter(pl.col("month").is_between(first, last))
