"""Finds the header row of a table and says which column holds which field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ncdsurv.catalog.sources import SheetMapping, SourceMapping, place_of

SEARCH_ROWS = 60
_MIN_HITS = 3


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """A header without case, accents, spaces and marks.

    >>> fold("Số CMT/CCCD*") == fold("SO CMT_CCCD")
    True
    """
    plain = unicodedata.normalize("NFD", text.replace("\u00d0", "Đ").replace("đ", "d").replace("Đ", "D"))
    return re.sub(r"[\W_]+", "", plain.casefold())


_CODE_LIKE = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)+")


def headers_to_show(seen: Sequence[str], mapping: SourceMapping) -> str:
    """The header cells that a message may repeat: known ones, and names like `MA_BN`; the others are counted.

    A patient's name may stand beside the headers, or the row taken for the header may be one of data.
    """
    known = set(_aliases(mapping))
    shown = [text for text in seen if _as_read(text, mapping) in known or _CODE_LIKE.fullmatch(text)]
    others = len(seen) - len(shown)
    return ", ".join(shown) + (f" and {others} with other words" if others else "")


@dataclass(frozen=True)
class Header:
    """Where a table begins and which columns feed which field (several: the first with something)."""

    row: int
    sheet_kind: str
    columns: dict[str, tuple[int, ...]]
    missing: tuple[str, ...]
    seen: tuple[str, ...]


def _aliases(mapping: SourceMapping) -> dict[str, tuple[tuple[str, int], ...]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for name, field in mapping.read_fields.items():
        for order, column in enumerate(field.columns):
            found.setdefault(_as_read(column, mapping), []).append((name, order))
    return {alias: tuple(uses) for alias, uses in found.items()}


def _as_read(header: str, mapping: SourceMapping) -> str:
    """A header as it is compared: folded, or as spelled where field names stand below their labels."""
    return header.strip().upper() if mapping.exact_headers else fold(header)


def _places(mapping: SourceMapping) -> dict[str, list[tuple[int, int]]]:
    """Columns that are named by their letter."""
    found: dict[str, list[tuple[int, int]]] = {}
    for name, field in mapping.fields.items():
        for order, column in enumerate(field.columns):
            place = place_of(column)
            if place is not None:
                found.setdefault(name, []).append((order, place))
    return found


def join_labels(rows: Sequence[Sequence[object]]) -> list[str]:
    """One label per column from the rows of a header, from top to bottom, each word group once.

    A label of an upper row also covers the empty cells to its right under which a lower row has text.

    >>> join_labels([["Họ tên", "Huyết áp", ""], ["", "tâm thu", "tâm trương"]])
    ['Họ tên', 'Huyết áp tâm thu', 'Huyết áp tâm trương']
    """
    width = max(map(len, rows), default=0)
    texts = [[_label(row[i]) if i < len(row) else "" for i in range(width)] for row in rows]
    for upper, lower in pairwise(texts):
        for i in range(1, width):
            if not upper[i] and lower[i] and upper[i - 1] and lower[i - 1]:
                upper[i] = upper[i - 1]
    labels = []
    for i in range(width):
        parts = dict.fromkeys(row[i] for row in texts if row[i])
        labels.append(" ".join(parts))
    return labels


def _label(cell: object) -> str:
    return " ".join(cell.split()) if isinstance(cell, str) else ""


def find_header(rows: Sequence[Sequence[object]], sheet_name: str, mapping: SourceMapping) -> Header | None:
    """The header row near the top: the row in which most fields of the mapping are recognised.

    Args:
        rows: Cells of the sheet, at least its first rows.
        sheet_name: Name of the sheet; helps to tell its kind.
        mapping: The source.

    Returns:
        The header (with the required fields it lacks), or None when no row looks like one.
    """
    aliases, lettered = _aliases(mapping), _places(mapping)
    if not mapping.header_rows:
        return _header(-1, rows[0] if rows else (), lettered, sheet_name, mapping) if lettered else None
    best: tuple[int, int, dict[str, list[tuple[int, int]]]] | None = None
    for number, row in enumerate(rows[:SEARCH_ROWS]):
        if mapping.header_rows > 1:
            row = join_labels(rows[number : number + mapping.header_rows])
        hits: dict[str, list[tuple[int, int]]] = {}
        filled = 0
        for position, cell in enumerate(row):
            if isinstance(cell, str) and cell:
                filled += 1
                for name, order in aliases.get(_as_read(cell, mapping), ()):
                    hits.setdefault(name, []).append((order, position))
        if len(hits) >= _MIN_HITS and (best is None or len(hits) > best[0]):
            best = (len(hits), number, hits)
            if (
                mapping.header_rows == 1 and 2 * len(hits) >= filled
            ):  # most of its cells are headers: no data row below looks better
                break
    if best is None:
        return None
    _, number, hits = best
    for name, places in lettered.items():
        hits.setdefault(name, []).extend(places)
    last = number + mapping.header_rows - 1
    return _header(last, rows[number], hits, sheet_name, mapping)


def _header(
    number: int,
    labels: Sequence[object],
    hits: dict[str, list[tuple[int, int]]],
    sheet_name: str,
    mapping: SourceMapping,
) -> Header | None:
    columns = {name: tuple(position for _, position in sorted(places)) for name, places in hits.items()}
    kind = _sheet_kind(sheet_name, set(columns), labels, mapping)
    if kind is None:
        return None
    given = set(columns) | set(mapping.file_fields) | set(mapping.above)
    if kind in mapping.sheets:
        given |= set(mapping.sheets[kind].lacks)
    missing = [name for name, field in mapping.fields.items() if field.required and name not in given]
    seen = tuple(str(cell) for cell in labels if number >= 0 and isinstance(cell, str) and cell.strip())
    return Header(number, kind, columns, tuple(missing), seen)


def _sheet_kind(
    sheet_name: str, fields: set[str], labels: Sequence[object], mapping: SourceMapping
) -> str | None:
    """The kind whose telling fields are there, most of them first; a sheet's name decides between equals."""
    if not mapping.sheets:
        return ""

    def fits(sheet: SheetMapping) -> bool:
        return set(sheet.needs) <= fields and {fold(header) for header in sheet.headers} <= headers

    def rank(sheet: SheetMapping) -> tuple[bool, int]:
        named = fold(sheet_name) in {fold(name) for name in sheet.names}
        return named, len(sheet.needs) + len(sheet.headers)

    headers = {fold(label) for label in labels if isinstance(label, str)}

    fitting = [sheet for sheet in mapping.sheets.values() if fits(sheet)]
    return max(fitting, key=rank).id if fitting else None
