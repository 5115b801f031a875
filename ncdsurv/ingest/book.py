"""Reads the yearly books that stations keep in Excel: several tables on a sheet, months as columns.

Titles above a table tell its disease and year; totals go to a table of their own; signatures end it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl

from ncdsurv.catalog.sources import FIELDS, SheetMapping, SourceMapping
from ncdsurv.catalog.tables import TOTALS, conform, empty
from ncdsurv.errors import InputError
from ncdsurv.ingest.above import find_above
from ncdsurv.ingest.book_layout import Cells, Layout, Range, find_layouts, plain
from ncdsurv.ingest.book_lines import read_lines
from ncdsurv.ingest.headers import fold
from ncdsurv.ingest.raw import DAMAGE
from ncdsurv.ingest.sheet_names import sheet_shown
from ncdsurv.ingest.tables import open_workbook, read_sheets

Skipped = tuple[tuple[str, str], ...]
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
_TITLE_CELLS = 400


def read_book(path: Path, kind: str, mapping: SourceMapping) -> tuple[pl.DataFrame, Skipped, pl.DataFrame]:
    """All person-months of a workbook, the sheets left out, and the totals that it reports.

    Args:
        path: A file that passed the guard.
        kind: What the guard took it for.
        mapping: A source with a book.

    Returns:
        Raw rows (one per person and month; `row_number` is the person's line), sheets without a table with
        the reason, and totals (columns of `TOTALS` except the file and the source).

    Raises:
        InputError: No sheet holds a book, or no year is told for the months of one.
    """
    rows: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    skipped: list[tuple[str, str]] = []
    merged = _merged_ranges(path) if kind != "text" else {}
    for number, (name, above, cells) in enumerate(read_sheets(path, kind), 1):
        shown = sheet_shown(number, name, mapping)
        if cells is None:
            skipped.append((shown, "hidden sheet"))
            continue
        layouts = find_layouts(cells, merged.get(name, ()), mapping)
        if not layouts:
            skipped.append((shown, "no table of a book"))
            continue
        found, told = _read_sheet(path, name, above, cells, layouts, mapping)
        rows += [{"sheet": name, **row} for row in found]
        totals += [{"sheet": name, **row} for row in told]
    if len(skipped) and not rows and not totals:
        raise InputError(
            f"{path.name} holds no book of source {mapping.id}",
            got=", ".join(shown for shown, _ in skipped),
            allowed="a table with a column of names and columns of months",
            do="check --source, or add the headers to the source's mapping",
        )
    names = ["sheet", "row_number", "sheet_kind", DAMAGE]
    fields = [name for name in FIELDS if any(name in row for row in rows)]
    schema = {**dict.fromkeys((*names, *fields), pl.String), "row_number": pl.Int64}
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
    return frame, tuple(skipped), _totals_of(totals)


def _totals_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return conform(pl.DataFrame(rows, infer_schema_length=None), TOTALS) if rows else empty(TOTALS)


def _read_sheet(
    path: Path, name: str, above: int, cells: Cells, layouts: list[Layout], mapping: SourceMapping
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    titles = [plain(cell) for row in cells[: layouts[0].top] for cell in row if plain(cell)]
    sheet: SheetMapping | None = None
    year: int | None = None
    given: dict[str, str] = {}
    for layout, following in zip(layouts, [*layouts[1:], None]):
        fresh = _kind(titles, name, mapping)
        sheet = fresh or sheet  # a header printed again on the next page goes on with the same table
        year = _year(titles, name, path, mapping) or year
        given |= find_above(titles, mapping.above)
        if year is None and any(month.year is None for month in layout.months.values()):
            raise InputError(
                f"{path.name}, sheet {name}: no year is told for the months of the table in row "
                f"{above + layout.top + 1}",
                allowed="one year in the title, the sheet's name or the file's name",
                do="write the year above the table (NĂM 2025) and send the file again",
            )
        end = following.top if following else len(cells)
        lines = read_lines(cells, layout, end, above + 1, mapping, sheet, year)
        rows += [{**given, **row} for row in lines.rows]
        totals += lines.totals
        titles = lines.after
    return rows, totals


def _kind(titles: list[str], name: str, mapping: SourceMapping) -> SheetMapping | None:
    """The kind of table that the title tells, else the sheet's name; none where it tells several."""
    text = " ".join(titles[-_TITLE_CELLS:]).casefold()
    told = [
        sheet
        for sheet in mapping.sheets.values()
        if any(re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text) for word in sheet.titles)
    ]
    if not told:
        told = [s for s in mapping.sheets.values() if fold(name) in {fold(word) for word in s.names}]
    about = [sheet for sheet in told if sheet.disease] or told
    return about[0] if len(about) == 1 else None


def _year(titles: list[str], name: str, path: Path, mapping: SourceMapping) -> int | None:
    assert mapping.book is not None
    told = {int(year) for title in titles for year in re.findall(mapping.book.year, title, re.IGNORECASE)}
    for found in (told, set(map(int, _YEAR.findall(name))), set(map(int, _YEAR.findall(path.stem)))):
        if len(found) == 1:
            return found.pop()
    return None


def _merged_ranges(path: Path) -> dict[str, list[Range]]:
    """Merged cells of every sheet, counted from the first filled row and column like the cells."""
    found: dict[str, list[Range]] = {}
    try:
        book = open_workbook(path)
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            top, left = sheet.start or (0, 0)
            found[name] = [
                (first[0] - top, first[1] - left, last[0] - top, last[1] - left)
                for first, last in sheet.merged_cell_ranges or ()
            ]
    except BaseException as error:  # the reader's own panics are no ordinary exceptions
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
    return found
