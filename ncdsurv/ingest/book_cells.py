"""What one cell of a month column says: medicine given, a reading, a word about the person, or nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ncdsurv.catalog.source_fields import GRADES
from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.ingest.book_layout import Month
from ncdsurv.ingest.headers import fold
from ncdsurv.ingest.tables import cell_text

MARK = "x"
"""How every mark is handed on, whatever sign the station uses."""
MARKED = ("supply_days", "kind")
_PAIR = re.compile(r"\d{2,3}\s*[/\\]\s*\d{2,3}")
_NUMBER = re.compile(r"\d{1,3}([.,]\d+)?")
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})( .*)?")
_SPLIT = re.compile(r"[\s;()]+")


@dataclass
class Contact:
    """One person in one month: what stands in the cells, as text by field."""

    month: str
    fields: dict[str, str] = field(default_factory=dict)
    marked: bool = False
    unreadable: bool = False

    def takes(self, other: Contact) -> bool:
        """Whether another cell of the month adds to this contact without contradicting it."""
        both = self.fields.keys() & other.fields.keys()
        same = all(self.fields[name] == other.fields[name] for name in both)
        return self.month == other.month and same and self.unreadable == other.unreadable

    def add(self, other: Contact) -> None:
        """Take over what another cell of the month says."""
        self.fields |= other.fields
        self.marked |= other.marked


class CellReader:
    """Reads the month cells of one kind of table.

    Args:
        mapping: A source with a book.
        reading: The field of a bare number; None: such a number cannot be read.
    """

    def __init__(self, mapping: SourceMapping, reading: str | None) -> None:
        book = mapping.book
        assert book is not None
        self._reading = reading
        self._marks = {mark.casefold() for mark in book.marks}
        self._nothing = {word.casefold() for word in book.nothing}
        status = mapping.fields.get("patient_status")
        words = [word for group in status.values.values() for word in group] if status else []
        self._grades = {
            name: {fold(word) for group in mapping.fields[name].values.values() for word in group}
            if name in mapping.fields
            else set()
            for name in GRADES
        }
        self._status = {fold(word) for word in words if not word.isdigit()}

    def read(self, cell: Any, column: Month, year: int | None) -> Contact | None:
        """The contact of a cell; None where the person did not come."""
        text = (cell_text(cell) or "").strip()
        if not text:
            return None
        contact = Contact(f"{column.year or year:04d}-{column.month:02d}")
        if column.field in GRADES and fold(text) in self._grades[column.field]:
            contact.fields[column.field] = text
            return contact
        if text.casefold() in self._nothing:
            return None
        day = _ISO_DAY.fullmatch(text)
        if day is not None:  # a day of the month, turned into a date cell
            contact.unreadable = f"{day[1]}-{day[2]}" != contact.month
            if not contact.unreadable:
                contact.fields["visited_on"] = text
        elif text.casefold() in self._marks:
            contact.marked = True
        elif column.field is not None:
            contact.fields[column.field] = text
            contact.marked = column.field == "drugs"
        elif fold(text) in self._status:
            contact.fields["patient_status"] = text
        else:
            self._words(text, contact)
        return contact

    def _words(self, text: str, contact: Contact) -> None:
        pair = _PAIR.search(text)
        if pair is not None:
            contact.fields["blood_pressure"] = pair[0]
            text = f"{text[: pair.start()]} {text[pair.end() :]}"
        for word in filter(None, _SPLIT.split(text)):
            if word.casefold() in self._marks:
                contact.marked = True
            elif _NUMBER.fullmatch(word) and self._reading and self._reading not in contact.fields:
                contact.fields[self._reading] = word
            else:
                contact.unreadable = True
