"""What stands once above a table and holds for all its rows: the day of a screening, the station's code."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

import polars as pl


def find_above(lines: Iterable[str], patterns: Mapping[str, str]) -> dict[str, str]:
    """The first value that each pattern finds in some lines.

    Args:
        lines: Text above a table, in order.
        patterns: Field -> regular expression with one group.

    >>> find_above(["TRẠM Y TẾ", "Ngày khám: 14/08/2025"], {"visited_on": r"ngày khám\\W+(\\S+)"})
    {'visited_on': '14/08/2025'}
    """
    found: dict[str, str] = {}
    text = [unicodedata.normalize("NFC", line) for line in lines]
    for field, pattern in patterns.items():
        wanted = re.compile(pattern, re.IGNORECASE)
        hit = next((match for line in text if (match := wanted.search(line))), None)
        if hit and hit[1]:
            found[field] = hit[1]
    return found


def fill_from(frame: pl.DataFrame, given: Mapping[str, str]) -> pl.DataFrame:
    """The frame with these values wherever its own column is silent or absent."""
    own = set(frame.columns)
    return frame.with_columns(
        pl.col(field).fill_null(text) if field in own else pl.lit(text).alias(field)
        for field, text in given.items()
    )
