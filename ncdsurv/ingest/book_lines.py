"""The lines of one table of a book: persons with their contacts, totals held against them, and what is neither.

A person's line and the lines that continue it are one row of the input: its contacts all carry the number of
the first line. Totals never become contacts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ncdsurv.catalog.source_fields import GRADES
from ncdsurv.catalog.sources import SheetMapping, SourceMapping
from ncdsurv.ingest.book_cells import MARK, MARKED, CellReader, Contact
from ncdsurv.ingest.book_layout import Cells, Layout, plain
from ncdsurv.ingest.book_totals import COUNTED, Totals
from ncdsurv.ingest.raw import DAMAGE
from ncdsurv.ingest.tables import cell_text

NO_MONTH, CELL, UNDATED = "no_month", "month_cell", "undated_reading"
_IDENTITY = ("birth_date", "age", "age_male", "age_female", "sex", "citizen_id", "insurance_number", "phone")
_STRONG = ("birth_date", "citizen_id", "insurance_number")
_LISTS = ("diagnosis", "drugs")
_OF_A_DAY = (
    "blood_pressure",
    "sbp",
    "dbp",
    "glucose",
    "hba1c",
    "weight_kg",
    "height_cm",
    *GRADES,
    "drugs",
    "supply_days",
)
_STATUS = "patient_status"
_NUMBERED = re.compile(r"\d{1,5}\.?")
_MOST_BELOW = 60  # lines of one person; a book has two or three
_CAPTION = re.compile(r"[IVXLC]{1,5}[.)]?|[A-Z][.)]?")


@dataclass
class Line:
    """A person's line with what continues it."""

    row: int
    fields: dict[str, str]
    contacts: list[Contact] = field(default_factory=list)
    filled: set[int] = field(default_factory=set)
    last: dict[str, Contact] = field(default_factory=dict)
    below: int = 0


@dataclass
class Lines:
    """What one table holds: raw rows (one dict per contact), totals, and the texts behind the last line."""

    rows: list[dict[str, Any]]
    totals: list[dict[str, Any]]
    after: list[str]


class _Table:
    """Walks down one table."""

    def __init__(
        self, layout: Layout, mapping: SourceMapping, sheet: SheetMapping | None, year: int | None
    ) -> None:
        assert mapping.book is not None
        self.layout, self.book, self.year = layout, mapping.book, year
        self.cells = CellReader(mapping, sheet.reading if sheet else None)
        self.lines: list[Line] = []
        self.totals = Totals(layout, year)
        self.after: list[str] = []
        self._total = re.compile(mapping.book.totals, re.IGNORECASE)
        self._signature = re.compile(mapping.book.signatures, re.IGNORECASE)
        self._signed = False

    def take(self, row: Sequence[Any], at: int, number: int) -> None:
        """One row of the table: `at` is its place among the cells, `number` its number on screen."""
        texts = {c: plain(cell) for c, cell in enumerate(row)}
        filled = [c for c, text in texts.items() if text]
        if not filled:
            return
        values = self._values(row)
        label = self._total.match(texts[filled[0]]) or self._total.match(values.get("name", ""))
        counted = texts.get(self.layout.number, "") if self.layout.number is not None else ""
        numbered = _NUMBERED.fullmatch(counted) is not None
        identified = any(name in values for name in _IDENTITY)
        named = numbered and identified  # some people are called Cộng or Toàn
        a_line = "name" in values and (numbered or identified)
        if label and not named and not any(name in values for name in _STRONG):
            self.totals.add(texts, number, label[0].strip())
        elif any(self._signature.search(texts[c]) for c in filled) and not a_line:
            self._signed = True
            self.after += [texts[c] for c in filled]
        elif a_line or self._is_person(values, texts, numbered and len(filled) > 1, counted):
            self._begin(number, values, row)
        elif self._continues(values, texts, filled, numbered):
            if self.totals.sums(texts):
                self.totals.add(texts, number, "")
            elif self.lines[-1].below < _MOST_BELOW:
                self._continue(values)
                self._add_contacts(row)
            else:
                self._begin(number, values, row)
        elif not (numbered and len(filled) == 1):  # a printed number on an empty line says nothing
            self._add_caption(texts, filled, at, number, counted)

    def _values(self, row: Sequence[Any]) -> dict[str, str]:
        found = {}
        for name, places in self.layout.fields.items():
            texts = (cell_text(row[place]) if place < len(row) else None for place in places)
            text = next((text for text in texts if text), None)
            if text:
                found[name] = text
        return found

    def _is_person(
        self, values: Mapping[str, str], texts: Mapping[int, str], numbered: bool, counted: str
    ) -> bool:
        """Whether a row without a full identity is still someone's line: better explained than lost."""
        if "name" not in values:
            return numbered or any(name in values for name in _STRONG)
        return self._any_month(texts) and not _CAPTION.fullmatch(counted)

    def _begin(self, number: int, values: dict[str, str], row: Sequence[Any]) -> None:
        self._signed, self.after = False, []
        self.lines.append(Line(number, values))
        self.totals.add_line()
        self._add_contacts(row)

    def _any_month(self, texts: Mapping[int, str]) -> bool:
        return any(texts.get(column) for column in (*self.layout.months, *self.layout.flags))

    def _continues(
        self, values: Mapping[str, str], texts: Mapping[int, str], filled: list[int], numbered: bool
    ) -> bool:
        if not self.lines or self._signed or numbered or "name" in values:
            return False
        return self._any_month(texts) or (bool(values) and len(filled) <= len(values))

    def _continue(self, values: Mapping[str, str]) -> None:
        line = self.lines[-1]
        line.below += 1
        own = line.fields
        for name, text in values.items():
            own[name] = f"{own[name]}\n{text}" if name in _LISTS and name in own else own.get(name, text)

    def _add_contacts(self, row: Sequence[Any]) -> None:
        line = self.lines[-1]
        for column, code in self.layout.flags.items():
            text = plain(row[column]) if column < len(row) else ""
            if text and text.casefold() not in {word.casefold() for word in self.book.nothing}:
                self.totals.fill(line.filled, column)
                given = line.fields.get("diagnosis")
                line.fields["diagnosis"] = f"{given}; {code}" if given else code
        for column in (place for name in COUNTED for place in self.layout.fields.get(name, ())):
            if column < len(row) and plain(row[column]):
                self.totals.fill(line.filled, column)
        for column, month in self.layout.months.items():
            contact = self.cells.read(row[column], month, self.year) if column < len(row) else None
            if contact is None:
                continue
            self.totals.fill(line.filled, column)
            before = line.last.get(contact.month)
            if before is not None and before.takes(contact):
                before.add(contact)
            else:
                line.contacts.append(contact)
                line.last[contact.month] = contact

    def _add_caption(
        self, texts: Mapping[int, str], filled: list[int], at: int, number: int, counted: str
    ) -> None:
        """Text that is neither: kept as a possible title of what follows; a bare name is a line to explain."""
        names = set(self.layout.fields["name"])
        bare = set(filled) <= names and not any((at, c) in self.layout.headings for c in filled)
        if bare and not self._signed and self.lines and not _CAPTION.fullmatch(counted):
            self.lines.append(Line(number, {"name": texts[filled[0]]}))
            self.totals.add_line()
        else:
            self.after += [texts[c] for c in filled]


def read_lines(
    rows: Cells,
    layout: Layout,
    end: int,
    first_number: int,
    mapping: SourceMapping,
    sheet: SheetMapping | None,
    year: int | None,
) -> Lines:
    """All lines of one table.

    Args:
        rows: Cells of the sheet.
        layout: The table.
        end: The row behind its last.
        first_number: Number on screen of the sheet's first row.
        mapping: A source with a book.
        sheet: Kind of the table.
        year: Year of months whose label does not tell one.
    """
    table = _Table(layout, mapping, sheet, year)
    for at in range(layout.body, end):
        table.take(rows[at], at, first_number + at)
    out = []
    for line in table.lines:
        out += _raw_rows(line, sheet.id if sheet else "")
    return Lines(out, table.totals.rows, table.after)


def _raw_rows(line: Line, kind: str) -> list[dict[str, Any]]:
    """One raw row per contact of a line; the person's state stands with the last one.

    A reading in a column of no month has no date: it is left out, and the first contact says so.
    """
    lasting = {name: text for name, text in line.fields.items() if name not in (*_OF_A_DAY, _STATUS)}
    base = {**lasting, "row_number": line.row, "sheet_kind": kind}
    if not line.contacts:
        return [{**base, DAMAGE: NO_MONTH}]
    contacts = sorted(line.contacts, key=lambda contact: contact.month)
    undated = UNDATED if any(name in line.fields for name in _OF_A_DAY) else None
    rows = []
    for contact in contacts:
        marks = MARKED if not contact.fields else MARKED[:1]
        own: dict[str, Any] = dict.fromkeys(marks, MARK) if contact.marked else {}
        if contact is contacts[-1] and _STATUS in line.fields:
            own[_STATUS] = line.fields[_STATUS]
        damage = CELL if contact.unreadable else undated
        rows.append({**base, **own, "visited_on": contact.month, **contact.fields, DAMAGE: damage})
        undated = None
    return rows
