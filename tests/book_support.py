"""Small yearly books made by hand, and how they are read; all people are invented."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import xlsxwriter

from ncdsurv.catalog import load_catalog
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.ingest import RawBatch, read_file
from ncdsurv.reference import load_reference
from tests.clean_support import KEY
from tests.clean_support import REFERENCE as STATION

CATALOG, REFERENCE = load_catalog(), load_reference()
SOURCE = CATALOG.sources["excel_book"]
TITLE = "SỔ THEO DÕI BỆNH NHÂN TĂNG HUYẾT ÁP NĂM 2025"
MONTHS = list(range(1, 13))
TOP = ["TT", "Họ và tên", "Năm sinh", "", "Địa chỉ", "Tháng", *[""] * 11, "Ghi chú"]
SECOND = ["", "", "Nam", "Nữ", "", *MONTHS, ""]
MERGED = ["A3:A4", "B3:B4", "C3:D3", "E3:E4", "F3:Q3", "R3:R4"]


def line(
    number: Any, name: str, man: Any = None, woman: Any = None, *months: Any, note: str = ""
) -> list[Any]:
    return [number, name, man, woman, "Thôn Mẫu", *months, *[None] * (12 - len(months)), note]


def total(label: str, *months: Any, name: bool = True) -> list[Any]:
    return [None if name else label, label if name else None, None, None, None, *months]


ONE = line(1, "Lò Văn Mẫu", 1960, None, "x", "120/80", "140/90 x")
TWO = line(2, "Lò Thị Mẫu", None, 1971, "X", "x")
SIGNED = [
    [],
    [*[None] * 10, "Ngày 05 tháng 01 năm 2026"],
    [*[None] * 10, "TRƯỞNG TRẠM"],
    [],
    [*[None] * 10, "Nguyễn Văn Ký"],
]


def workbook(
    folder: Path,
    sheets: dict[str, list[list[Any]]],
    merged: list[str] | None = None,
    name: str = "02001_so.xlsx",
) -> Path:
    book = xlsxwriter.Workbook(folder / name)
    for title, rows in sheets.items():
        sheet = book.add_worksheet(title)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if cell is not None and cell != "":
                    sheet.write(r, c, cell)
        for area in merged or ():
            first = sheet.table.get(xlsxwriter.utility.xl_cell_to_rowcol(area.split(":")[0])[0])
            row, column = xlsxwriter.utility.xl_cell_to_rowcol(area.split(":")[0])
            kept = rows[row][column] if row < len(rows) and column < len(rows[row]) else ""
            assert first is not None
            sheet.merge_range(area, kept)
    book.close()
    return folder / name


def book_of(folder: Path, *lines: list[Any], merged: bool = True) -> Path:
    rows = [[TITLE], [], TOP, SECOND, *lines]
    return workbook(folder, {"Sheet1": rows}, MERGED if merged else None)


def read(path: Path) -> RawBatch:
    return read_file(path, SOURCE)


def clean(path: Path, reference: Any = STATION) -> CleanBatch:
    return clean_batch(read(path), SOURCE, CATALOG, reference, KEY)


def balance(batch: CleanBatch) -> tuple[int, ...]:
    return batch.counts.select("rows_in", "kept", "rejected", "duplicates").sum().row(0)


def contacts(batch: CleanBatch) -> list[tuple[Any, ...]]:
    columns = ("row_number", "visited_on", "kind", "sbp", "dbp", "supply_days")
    return sorted(batch.visits.select(columns).rows())


EXPECTED = [
    (5, dt.date(2025, 1, 1), "refill", None, None, 31),
    (5, dt.date(2025, 2, 1), "exam", 120, 80, None),
    (5, dt.date(2025, 3, 1), "exam", 140, 90, 31),
    (6, dt.date(2025, 1, 1), "refill", None, None, 31),
    (6, dt.date(2025, 2, 1), "refill", None, None, 28),
]
