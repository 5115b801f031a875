"""Totals that a book reports, each beside what its own lines hold: a cross-check, never a count of the registry."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ncdsurv.ingest.book_layout import Layout

COUNTED = ("age_male", "age_female")
"""Fields beside the months that a total counts: one column per sex."""
_WHOLE = re.compile(r"\d{1,6}")
_FEW = 2


class Totals:
    """The totals of one table.

    Attributes:
        rows: One dict per reported number, columns of the table `TOTALS` without file, source and sheet.
    """

    def __init__(self, layout: Layout, year: int | None) -> None:
        self.rows: list[dict[str, Any]] = []
        self._layout, self._year, self._since = layout, year, 0
        self._part: Counter[int] = Counter()
        self._whole: Counter[int] = Counter()
        ages = [column for name in COUNTED for column in layout.fields.get(name, ())]
        self._columns = [*ages, *layout.flags, *layout.months]

    def add_line(self) -> None:
        """A person's line begins."""
        self._since += 1

    def fill(self, filled: set[int], column: int) -> None:
        """A line has something in a column; `filled` are the columns in which it had something before."""
        if column not in filled:
            filled.add(column)
            self._part[column] += 1
            self._whole[column] += 1

    def sums(self, texts: Mapping[int, str]) -> bool:
        """Whether a row without label gives, in each of its cells, the number of lines filled above it."""
        told = {column: text for column, text in texts.items() if text}
        if len(told) < _FEW or not told.keys() <= set(self._columns):
            return False
        if not all(map(_WHOLE.fullmatch, told.values())):
            return False
        return any(
            all(scope[column] == int(text) for column, text in told.items()) for scope in self._scopes()
        )

    def add(self, texts: Mapping[int, str], number: int, label: str) -> None:
        """Take a row of totals: of the lines since the last one, or of all, whichever agrees more.

        Args:
            texts: Cells by column.
            number: Number of the row on screen.
            label: The words that told it; empty when its sums did.
        """
        told = {c: int(texts[c]) for c in self._columns if _WHOLE.fullmatch(texts.get(c, ""))}
        scope = max(self._scopes(), key=lambda counts: sum(counts[c] == n for c, n in told.items()))
        for column, reported in told.items():
            month = self._layout.months.get(column)
            self.rows.append(
                {
                    "row_number": number,
                    "label": label or None,
                    "column": self._name(column),
                    "month": f"{month.year or self._year:04d}-{month.month:02d}" if month else None,
                    "reported": reported,
                    "counted": scope[column],
                }
            )
        self._since = 0
        self._part.clear()

    def _scopes(self) -> list[Counter[int]]:
        return [self._part, self._whole] if self._since else [self._whole]

    def _name(self, column: int) -> str:
        month = self._layout.months.get(column)
        if month is not None:
            return month.field or "month"
        named = [name for name in COUNTED if column in self._layout.fields.get(name, ())]
        return named[0] if named else self._layout.flags[column]
