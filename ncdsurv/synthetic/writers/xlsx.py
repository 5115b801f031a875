"""Spreadsheets with the same bytes every time: fixed dates, no formulas, no links."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CREATED = dt.datetime(2026, 7, 1)


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name, lines above the header, header, rows of cells (text, number, date or None)."""

    name: str
    header: list[str]
    rows: Iterable[list[Any]]
    titles: tuple[str, ...] = ()


def write_xlsx(path: Path, sheets: list[Sheet]) -> None:
    """Write sheets to a workbook.

    Args:
        path: Where to.
        sheets: In order.
    """
    import xlsxwriter

    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(str(path), {**options, "default_date_format": "dd/mm/yyyy"})
    book.set_properties({"created": _CREATED, "author": "ncdsurv synthetic", "comments": "Invented people"})
    stamp = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        at = 0
        for title in sheet.titles:
            page.write_string(at, 0, title)
            at += 1
        at += 1 if sheet.titles else 0  # a blank line between titles and header
        for column, text in enumerate(sheet.header):
            page.write_string(at, column, text)
        for row in sheet.rows:
            at += 1
            for column, cell in enumerate(row):
                if cell is None or cell == "":
                    continue
                if isinstance(cell, str):
                    page.write_string(at, column, cell)
                elif isinstance(cell, dt.datetime):
                    page.write_datetime(at, column, cell, stamp)
                elif isinstance(cell, dt.date):
                    page.write_datetime(at, column, cell)
                else:
                    page.write_number(at, column, cell)
    book.close()
