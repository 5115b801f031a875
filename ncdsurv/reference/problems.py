"""One thing wrong with a pack, as a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

EXAMPLES = 3


@dataclass(frozen=True)
class Problem:
    """What is wrong, where, what was got, what is allowed, what to do.

    >>> str(Problem("areas.csv", "code", "2 codes are too short", got="1, 4", allowed="2 digits", do="add the zeros"))
    'areas.csv, column code: 2 codes are too short; got: 1, 4; allowed: 2 digits; do: add the zeros'
    """

    file: str
    column: str | None
    what: str
    got: str | None = None
    allowed: str | None = None
    do: str | None = None
    fatal: bool = False  # the file cannot be looked at further

    def __str__(self) -> str:
        where = f"{self.file}, column {self.column}" if self.column else self.file
        tail = [("got", self.got), ("allowed", self.allowed), ("do", self.do)]
        return "; ".join([f"{where}: {self.what}", *(f"{name}: {text}" for name, text in tail if text)])


def shown(values: pl.Series) -> str:
    """A few of the values (codes and words of reference tables: never a patient's), and how many more."""
    first = values.drop_nulls().unique(maintain_order=True)
    more = f", ... ({first.len()} different)" if first.len() > EXAMPLES else ""
    return ", ".join(str(value) for value in first.head(EXAMPLES)) + more
