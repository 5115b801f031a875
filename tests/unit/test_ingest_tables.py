"""Tables: header found near the top, cells as text by their type, any encoding and separator."""

from __future__ import annotations

import codecs
import unicodedata
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import InputError, UsageError
from ncdsurv.ingest import RawBatch, concat_batches, read_file, read_files

SOURCES = load_catalog().sources
VISITS, BOOKS = SOURCES["viettel"], SOURCES["moh_ncd_excel"]
HEADER = ["MA_BN", "HO_TEN", "GIOI_TINH", "NGAY_SINH", "SO_CCCD", "NGAY_KHAM", "MA_BENH", "HUYETAP"]
ROW = ["17", "Lò Thị Mẫu", "2", "05/03/1961", "002161012345", "14/08/2025", "I10", "120/80"]
BOOK = [
    "Họ tên*",
    "Giới tính*",
    "Năm sinh*",
    "Số CMT/CCCD*",
    "Xã/Phường/Thị trấn*",
    "Ngày khám*",
    "HA tâm thu*",
]


def workbook(
    path: Path, sheets: dict[str, list[list[object]]], options: dict[str, object] | None = None
) -> Path:
    book = xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy", **(options or {})})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, column, cell)
    book.close()
    return path


def text_file(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def one(batch: RawBatch) -> dict[str, object]:
    return batch.frame.row(0, named=True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_of_any_encoding_and_separator(tmp_path: Path, encoding: str, separator: str) -> None:
    text = "\r\n".join(separator.join(row) for row in (HEADER, ROW)) + "\r\n"
    row = one(read_file(text_file(tmp_path / "02001_kham_202508.csv", text, encoding), VISITS))
    assert (row["name"], row["citizen_id"], row["visited_on"]) == ("Lò Thị Mẫu", "002161012345", "14/08/2025")


def test_the_separator_line_of_a_spreadsheet(tmp_path: Path) -> None:
    text = "sep=;\n" + ";".join(HEADER) + "\n" + ";".join(ROW) + "\n"
    assert one(read_file(text_file(tmp_path / "02001_a.csv", text), VISITS))["diagnosis"] == "I10"


def tones_apart(text: str) -> str:
    """As cp1258 writes: a letter with its hat or horn, then its tone."""
    out = ""
    for letter in text:
        base, *marks = unicodedata.normalize("NFD", letter)
        tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
        out += unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark not in tones))
        out += "".join(tones)
    return out


def test_windows_vietnamese_is_recognised(tmp_path: Path) -> None:
    text = tones_apart("\n".join(",".join(row) for row in (HEADER, ROW)))
    row = one(read_file(text_file(tmp_path / "02001_a.csv", text, "cp1258"), VISITS))
    assert unicodedata.normalize("NFC", str(row["name"])) == "Lò Thị Mẫu"


def test_facility_comes_from_the_file_name_where_the_table_is_silent(tmp_path: Path) -> None:
    lines = [",".join([*HEADER, "MA_CSKCB"]), ",".join([*ROW, ""]), ",".join([*ROW, "02009"])]
    batch = read_file(text_file(tmp_path / "02001_kham_202508.csv", "\n".join(lines)), VISITS)
    assert batch.frame["facility"].to_list() == ["02001", "02009"]


def test_rows_keep_the_numbers_of_the_sheet_below_titles_and_blank_rows(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["SỞ Y TẾ"],
        ["BÁO CÁO LƯỢT KHÁM"],
        [],
        list(HEADER),
        list(ROW),
        [],
        list(ROW),
    ]
    batch = read_file(workbook(tmp_path / "02001_kham.xlsx", {"KHAM": rows}), VISITS)
    assert batch.frame["row_number"].to_list() == [5, 7]
    assert batch.frame["sheet"].unique().to_list() == ["KHAM"]


def test_headers_are_found_whatever_their_case_accents_and_order(tmp_path: Path) -> None:
    text = "ngay_kham;ho ten;Mã bệnh;huyet_ap_cao\n14/08/2025;X;I10;139\n"
    mapping = VISITS.model_copy(update={"fields": {**VISITS.fields}})
    row = one(read_file(text_file(tmp_path / "02001_a.csv", text), mapping))
    assert (row["visited_on"], row["diagnosis"], row["sbp"]) == ("14/08/2025", "I10", "139")


def test_cells_become_text_by_their_type(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        list(HEADER),
        [17.0, "X", 2, date(1961, 3, 5), 2161012345, datetime(2025, 8, 14, 7, 30), "I10", 139.5],
    ]
    row = one(read_file(workbook(tmp_path / "02001_a.xlsx", {"K": rows}), VISITS))
    assert row["source_patient_id"] == "17"
    assert row["birth_date"] == "1961-03-05"
    assert row["citizen_id"] == "2161012345"
    assert row["visited_on"] == "2025-08-14 07:30"
    assert row["blood_pressure"] == "139.5"


def test_dates_counted_from_1904(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        list(HEADER),
        [17, "X", 2, date(1961, 3, 5), "", date(2025, 8, 14), "I10", ""],
    ]
    row = one(read_file(workbook(tmp_path / "02001_a.xlsx", {"K": rows}, {"date_1904": True}), VISITS))
    assert (row["birth_date"], row["visited_on"]) == ("1961-03-05", "2025-08-14")


def test_text_that_looks_like_a_formula_is_text(tmp_path: Path) -> None:
    text = ",".join(HEADER) + "\n17,=cmd|' /C calc'!A0,2,1961,,14/08/2025,I10,\n"
    assert one(read_file(text_file(tmp_path / "02001_a.csv", text), VISITS))["name"] == "=cmd|' /C calc'!A0"


def test_each_sheet_of_the_ministry_template_is_told_by_its_columns(tmp_path: Path) -> None:
    tension = [*BOOK, "HA tâm trương*"]
    sugar = [*BOOK[:-1], "Đường huyết*", "HbA1C", "HA tâm thu*", "HA tâm trương*"]
    path = workbook(
        tmp_path / "02001_ncd_202508.xlsx",
        {
            "Sheet1": [list(tension), ["X", "Nữ", 1961, "", "00691", "14/08/2025", 139, 89]],
            "Sheet2": [list(sugar), ["X", "Nữ", 1961, "", "00691", "14/08/2025", 7.2, 6.9, 139, 89]],
            "Hướng dẫn": [["Cột", "Ý nghĩa"], ["Họ tên", "tên người bệnh"]],
        },
    )
    batch = read_file(path, BOOKS)
    kinds = dict(batch.frame.select("sheet", "sheet_kind").iter_rows())
    diseases = {sheet: BOOKS.sheets[kind].disease for sheet, kind in kinds.items()}
    assert diseases == {"Sheet1": "hypertension", "Sheet2": "diabetes"}
    assert batch.files[0].skipped == (("sheet 3", "no header of this source"),)


def test_the_first_filled_of_several_columns_counts(tmp_path: Path) -> None:
    header = [*HEADER, "HUYET_AP"]
    lines = [",".join(header), ",".join([*ROW[:-1], "", "130/70"]), ",".join([*ROW, "130/70"])]
    batch = read_file(text_file(tmp_path / "02001_a.csv", "\n".join(lines)), VISITS)
    assert batch.frame["blood_pressure"].to_list() == ["130/70", "120/80"]


def test_files_of_one_source_join_and_two_sources_do_not(tmp_path: Path) -> None:
    paths = []
    for number in (1, 2):
        lines = ",".join(HEADER) + "\n" + ",".join([str(number), *ROW[1:]]) + "\n"
        paths.append(text_file(tmp_path / f"0200{number}_a.csv", lines))
    batch = read_files(paths, VISITS)
    assert batch.rows == 2
    assert batch.frame["facility"].to_list() == ["02001", "02002"]
    other = RawBatch("other", pl.DataFrame(), ())
    with pytest.raises(UsageError, match="files of one source"):
        concat_batches([batch, other])


def test_a_hidden_sheet_is_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "02001_a.xlsx"
    book = xlsxwriter.Workbook(path)
    for name in ("K", "CU"):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ROW)
    sheet.hide()
    book.close()
    batch = read_file(path, VISITS)
    assert batch.frame["sheet"].to_list() == ["K"]
    assert batch.files[0].skipped == (("sheet 2", "hidden sheet"),)


def test_an_open_quote_does_not_swallow_rows_in_silence(tmp_path: Path) -> None:
    lines = [",".join(HEADER), ",".join(ROW).replace("Lò", '"Lò'), ",".join(ROW), ",".join(ROW)]
    with pytest.raises(InputError, match="open quote near line 2"):
        read_file(text_file(tmp_path / "02001_a.csv", "\n".join(lines)), VISITS)
    drugs = ",".join([*HEADER, "THUOC"]) + "\n" + ",".join([*ROW, '"A, 28 ngày\nB, 28 ngày"']) + "\n"
    assert read_file(text_file(tmp_path / "02001_b.csv", drugs), VISITS).rows == 1


def test_instruction_rows_below_the_header_are_skipped_where_the_source_has_them(tmp_path: Path) -> None:
    lines = [",".join(HEADER), ",".join(["(bắt buộc)"] * len(HEADER)), ",".join(ROW)]
    mapping = VISITS.model_copy(update={"rows_after_header": 1})
    batch = read_file(text_file(tmp_path / "02001_a.csv", "\n".join(lines)), mapping)
    assert batch.frame["row_number"].to_list() == [3]


def test_a_workbook_without_the_table_lists_its_sheets(tmp_path: Path) -> None:
    path = workbook(tmp_path / "02001_a.xlsx", {"Bìa": [["x"]], "Trang 2": [["y"]]})
    with pytest.raises(InputError, match="got sheet 1, sheet 2;"):
        read_file(path, VISITS)


def test_bytes_that_are_no_text_at_all(tmp_path: Path) -> None:
    path = tmp_path / "02001_a.csv"
    path.write_bytes(codecs.BOM_UTF8 + bytes(range(128, 256)))
    with pytest.raises(InputError):
        read_file(path, VISITS)
