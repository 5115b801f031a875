"""What cleaning does for the rows of a book: contacts known to the month, marks, and one outcome per line.

A line of a book is one row of the input and may tell twelve contacts. It is kept when at least one of its
contacts is a record, else a duplicate when at least one repeats a record, else rejected; a cell of a kept line
that cannot be used still stands in rejects with its rule.
"""

from __future__ import annotations

import polars as pl

from ncdsurv.clean.columns import RAW, first_rule, raw
from ncdsurv.ingest.book_cells import MARK
from ncdsurv.ingest.book_lines import CELL, NO_MONTH, UNDATED
from ncdsurv.ingest.raw import DAMAGE

_LINE = ["file_sha256", "source", "sheet", "row_number"]
_BY = _LINE[:-1]
REJECTED = (
    (pl.col(DAMAGE) == NO_MONTH, "no_month_marked", "visited_on"),
    (pl.col(DAMAGE) == CELL, "month_cell_unreadable", "visited_on"),
)
NOTED = (pl.col(DAMAGE) == UNDATED, "undated_reading")


def month_marks_as_days(rows: pl.DataFrame) -> pl.DataFrame:
    """A mark in a month's cell is the medicine of that month: as many days as the month has."""
    marked = (raw("supply_days") == MARK).fill_null(False) & pl.col("visited_on").is_not_null()
    days = pl.col("visited_on").dt.month_end().dt.day().cast(pl.String)
    return rows.with_columns(
        first_rule("supply_days", (marked, "supply_from_mark"), step="mark"),
        pl.when(marked).then(days).otherwise(raw("supply_days")).alias(RAW + "supply_days"),
    )


def counts_by_line(rows: pl.DataFrame, kept: pl.DataFrame, duplicates: pl.DataFrame) -> pl.DataFrame:
    """Per file and sheet: lines received, kept, rejected, duplicates; each line counts once.

    Args:
        rows: All contacts, with `reject_rule`.
        kept: Contacts that became records.
        duplicates: Contacts that repeat one.
    """
    lines = rows.select(_LINE).unique(maintain_order=True)
    for name, frame in (("is_kept", kept), ("is_duplicate", duplicates)):
        some = frame.select(_LINE).unique().with_columns(pl.lit(True).alias(name))
        lines = lines.join(some, on=_LINE, how="left", maintain_order="left")
    is_kept, again = pl.col("is_kept").fill_null(False), pl.col("is_duplicate").fill_null(False)
    count = {"kept": is_kept, "rejected": ~is_kept & ~again, "duplicates": ~is_kept & again}
    return lines.group_by(_BY, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("rows_in"),
        *(test.sum().cast(pl.Int64).alias(name) for name, test in count.items()),
    )


def said_once(frame: pl.DataFrame) -> pl.DataFrame:
    """A trace (reject, repair, duplicate) of a line once, however many months it holds for."""
    return frame.unique(maintain_order=True)
