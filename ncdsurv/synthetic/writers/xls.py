"""Binary workbooks (.xls, BIFF8), as station software of before 2007 saves them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from ncdsurv.synthetic.writers.xlsx import Sheet

_DAY, _TIME = "DD/MM/YYYY", "DD/MM/YYYY HH:MM"


def write_xls(path: Path, sheets: list[Sheet]) -> None:
    """Write sheets to a binary workbook.

    Args:
        path: Where to.
        sheets: In order; title lines are followed by a blank line. Merged ranges are not written.
    """
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    styles = {form: xlwt.easyxf(num_format_str=form) for form in (_DAY, _TIME)}
    for sheet in sheets:
        page = book.add_sheet(sheet.name)
        lines = [
            *([title] for title in sheet.titles),
            *([[]] if sheet.titles else []),
            sheet.header,
            *sheet.rows,
        ]
        for row, cells in enumerate(lines):
            for column, cell in enumerate(cells):
                if isinstance(cell, dt.date):
                    form = _TIME if isinstance(cell, dt.datetime) else _DAY
                    page.write(row, column, cell, styles[form])
                elif cell is not None:
                    page.write(row, column, cell)
    book.save(str(path))
