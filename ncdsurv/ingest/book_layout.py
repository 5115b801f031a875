"""Where the tables of a book's sheet stand and what their columns are: headers of several rows, months, flags."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.ingest.guard import LIMITS
from ncdsurv.ingest.headers import fold

Cells = Sequence[Sequence[Any]]
Range = tuple[int, int, int, int]
"""First row, first column, last row, last column of merged cells."""

_HEADER_ROWS = 4
_ANCHOR = "name"
_MIN_KNOWN = 3
_NUMBERING = re.compile(r"\(?\s*(\d{1,2}|[A-Z])\s*\)?")
_MONTHS = range(1, 13)


class Merges:
    """Merged ranges of a sheet by their first row, so that a sheet of many headers is read once.

    Attributes:
        wide: First cell of every range that runs over several columns.
    """

    def __init__(self, areas: Sequence[Range]) -> None:
        self._by_row: dict[int, list[Range]] = {}
        self.wide: set[tuple[int, int]] = set()
        for first, left, last, right in areas:
            kept = (first, left, last, min(right, LIMITS.columns))
            self._by_row.setdefault(first, []).append(kept)
            if right > left:
                self.wide.add((first, left))

    def of(self, row: int) -> Sequence[Range]:
        """Ranges that begin in a row."""
        return self._by_row.get(row, ())


@dataclass(frozen=True)
class Month:
    """A column of one month: its number, its year if the label tells it, and the field of a labelled sub-column."""

    month: int
    year: int | None
    field: str | None


@dataclass
class Layout:
    """One table of a sheet: its header rows and what each column holds.

    Attributes:
        top: First header row; `body`: first row below the header.
        fields: Columns of each field, best first.
        months: Column -> month.
        flags: Column -> ICD-10 code that a mark there says.
        number: The column that numbers the lines.
        headings: Merged ranges that run over columns (captions inside the table).
    """

    top: int
    body: int
    fields: dict[str, tuple[int, ...]]
    months: dict[int, Month]
    flags: dict[int, str]
    number: int | None
    headings: set[tuple[int, int]] = field(default_factory=set)


def plain(cell: Any) -> str:
    """The text of a cell on one line; whole numbers without a decimal point."""
    if isinstance(cell, str):
        return " ".join(cell.split())
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def find_layouts(rows: Cells, merged: Sequence[Range], mapping: SourceMapping) -> list[Layout]:
    """Every table of a sheet, from top to bottom.

    Args:
        rows: All cells of the sheet.
        merged: Its merged ranges, counted like the rows.
        mapping: A source with a book.
    """
    merges = Merges(merged)
    aliases: dict[str, list[tuple[str, int]]] = {}
    for name, how in mapping.fields.items():
        for order, column in enumerate(how.columns):
            aliases.setdefault(fold(column), []).append((name, order))
    names = {fold(column) for column in mapping.fields[_ANCHOR].columns}
    found: list[Layout] = []
    row = 0
    while row < len(rows):
        anchor = next((c for c, cell in enumerate(rows[row]) if fold(plain(cell)) in names), None)
        layout = _layout(rows, row, anchor, merges, mapping, aliases) if anchor is not None else None
        if layout is None:
            row += 1
        else:
            found.append(layout)
            row = layout.body
    return found


def _layout(
    rows: Cells,
    top: int,
    anchor: int,
    merged: Merges,
    mapping: SourceMapping,
    aliases: Mapping[str, list[tuple[str, int]]],
) -> Layout | None:
    book = mapping.book
    assert book is not None
    numbers = {fold(header) for header in book.line_number}
    flag_of = {fold(header): code for code, headers in book.flags.items() for header in headers}
    month_label = re.compile(book.month, re.IGNORECASE)

    def known(text: str) -> bool:
        label = fold(text)
        month = (text.isdigit() and int(text) in _MONTHS) or month_label.fullmatch(text) is not None
        return month or label in aliases or label in flag_of or label in numbers

    body, numbered = _header_end(rows, top, anchor, merged, known, book.totals)
    paths = _paths(rows, top, body, numbered, merged)
    hits: dict[str, list[tuple[int, int, int]]] = {}
    months: dict[int, Month] = {}
    flags: dict[int, str] = {}
    number = None
    for column, path in enumerate(paths):
        month = _month(path, mapping, aliases)
        if month is not None:
            months[column] = month
            continue
        labels = [fold(plain(cell)) for cell in path]
        code = next((flag_of[label] for label in reversed(labels) if label in flag_of), None)
        if code is not None:
            flags[column] = code
            continue
        if number is None and any(label in numbers for label in labels):
            number = column
            continue
        joined = [*reversed(labels), fold(" ".join(map(plain, path)))]
        label = next((label for label in joined if label in aliases), None)
        for name, order in aliases.get(label, ()) if label else ():
            hits.setdefault(name, []).append((order, column, column))
    recognised = len(hits) + bool(months) + bool(flags) + (number is not None)
    if _ANCHOR not in hits or recognised < _MIN_KNOWN:
        return None
    columns = {name: tuple(place for *_, place in sorted(places)) for name, places in hits.items()}
    return Layout(top, body, columns, months, flags, number, merged.wide)


def _header_end(
    rows: Cells, top: int, anchor: int, merged: Merges, known: Callable[[str], bool], totals: str
) -> tuple[int, set[int]]:
    """The first row below the header, and which of its rows only number the columns.

    A row belongs to the header while the name's merged cell reaches it, or, where a file lost its merged cells,
    while the name's column is empty and most of the texts are labels that the source knows.
    """
    spans = [last for _, left, last, right in merged.of(top) if left <= anchor <= right]
    covered = max(spans, default=top)
    body = top + 1
    while body < min(len(rows), top + _HEADER_ROWS):
        cells = [plain(cell) for cell in rows[body]]
        filled = [cell for cell in cells if cell]
        if _numbers_columns(filled):
            return body + 1, {body}
        named = anchor < len(cells) and cells[anchor]
        labels = len(filled) > 1 and 2 * sum(map(known, filled)) >= len(filled)
        counted = any(re.match(totals, cell, re.IGNORECASE) for cell in filled)
        if body > covered and (named or not labels or counted):
            break
        body += 1
    return body, set()


def _numbers_columns(filled: Sequence[str]) -> bool:
    """`(1) (2) (3)` or `A B 1 2 3` under the labels."""
    found = [match[1] for cell in filled if (match := _NUMBERING.fullmatch(cell))]
    counted = [int(text) for text in found if text.isdigit()]
    letters = len(found) - len(counted)
    in_order = counted == list(range(1, len(counted) + 1)) and all(map(str.isdigit, found[letters:]))
    return len(found) == len(filled) > 2 and len(counted) > 1 and in_order


def _paths(rows: Cells, top: int, body: int, numbered: set[int], merged: Merges) -> list[list[Any]]:
    """Labels of every column from the upper header row to the lowest; merged cells speak for all they cover."""
    inside = [area for row in range(top, body) for area in merged.of(row)]
    width = max([len(row) for row in rows[top:body]] + [right + 1 for *_, right in inside])
    grid = [[row[c] if c < len(row) else "" for c in range(width)] for row in rows[top:body]]
    over: set[tuple[int, int]] = set()
    for first, left, last, right in inside:
        text = grid[first - top][left]
        for r in range(first, min(last, body - 1) + 1):
            for c in range(left, right + 1):
                grid[r - top][c] = text if r == first else ""
                over.add((r - top, c))
    lower = [r for r in range(len(grid)) if r + top not in numbered]
    for r in lower[:-1]:  # where merged cells were lost, a label covers the empty cells to its right
        for c in range(1, width):
            silent = (r, c) not in over and not plain(grid[r][c])
            if silent and any(plain(grid[q][c]) and plain(grid[q][c - 1]) for q in lower if q > r):
                grid[r][c] = grid[r][c - 1]
    return [[grid[r][c] for r in lower if plain(grid[r][c])] for c in range(width)]


def _month(
    path: Sequence[Any], mapping: SourceMapping, aliases: Mapping[str, list[tuple[str, int]]]
) -> Month | None:
    book = mapping.book
    assert book is not None
    pattern = re.compile(book.month, re.IGNORECASE)
    groups = {fold(word) for word in book.month_group}
    for at, cell in enumerate(path):
        told: tuple[int, int | None] | None = None
        text = plain(cell)
        if isinstance(cell, date):
            told = cell.month, cell.year
        elif not text.isdigit() or any(fold(plain(upper)) in groups for upper in path[:at]):
            match = pattern.fullmatch(text)
            year = match.groupdict().get("year") if match else None
            told = (int(match["month"]), int(year) if year else None) if match else None
        if told is None or told[0] not in _MONTHS:
            continue
        below = [fold(plain(lower)) for lower in path[at + 1 :]]
        label = next((label for label in reversed(below) if label in aliases), None)
        return Month(*told, aliases[label][0][0] if label else None)
    return None
