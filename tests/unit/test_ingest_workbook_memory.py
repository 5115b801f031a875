"""A workbook for which memory does not suffice is not called damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from ncdsurv.errors import InputError
from ncdsurv.ingest import guard, tables


class Panic(BaseException):
    """As the reader of workbooks raises it: no ordinary exception."""


def workbook(folder: Path) -> Path:
    book = xlsxwriter.Workbook(folder / "a.xlsx")
    book.add_worksheet().write_row(0, 0, ["HO_TEN", "NGAY_KHAM", "MA_BENH"])
    book.close()
    return folder / "a.xlsx"


def raising(error: BaseException):
    def fail(*_: object) -> None:
        raise error

    return fail


def test_the_guard_and_the_reader_let_the_want_of_memory_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(tmp_path)
    monkeypatch.setattr(guard, "_check_cells", raising(MemoryError()))
    with pytest.raises(MemoryError):
        guard.check_file(path)
    monkeypatch.setattr(tables, "open_workbook", raising(Panic("PyObject pointer is null")))
    with pytest.raises(MemoryError):
        tables.read_sheets(path, "xlsx")
    monkeypatch.setattr(tables, "open_workbook", raising(Panic("index out of bounds")))
    with pytest.raises(InputError, match="is a damaged spreadsheet"):
        tables.read_sheets(path, "xlsx")
