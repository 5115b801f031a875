"""Spellings that only the mapping can tell: dates with the month first."""

from __future__ import annotations

import polars as pl

from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.clean.columns import RAW, raw

_MONTH_FIRST = r"^\s*(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})"


def month_first(rows: pl.DataFrame, mapping: SourceMapping) -> pl.DataFrame:
    """Dates of the fields whose mapping says `spelling = "month_first"`, put day first; others as they are.

    A first number above 12 can be no month: such a cell is left to the rules of dates.
    """
    fields = [name for name, how in mapping.fields.items() if how.spelling == "month_first"]
    changes = []
    for name in fields:
        month = raw(name).str.extract(_MONTH_FIRST).cast(pl.Int16, strict=False)
        other = raw(name).str.replace(_MONTH_FIRST, "$2/$1/$3")
        changes.append(
            pl.when((month <= 12).fill_null(False)).then(other).otherwise(raw(name)).alias(RAW + name)
        )
    return rows.with_columns(changes)
