"""Hostile and mistaken files are refused in one line, before any reader sees them."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import InputError
from ncdsurv.ingest import check_file, read_file
from ncdsurv.ingest.guard import LIMITS, Limits

SOURCES = load_catalog().sources
TABLE, XML = SOURCES["viettel"], SOURCES["his_xml"]


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def sheet_file(path: Path, sheet: str) -> Path:
    """A workbook made by hand around one sheet's XML."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return path


def refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(InputError) as caught:
        check_file(path, limits or Limits())
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(path.name)
    assert "do: " in text
    return text


def test_an_empty_and_a_missing_file(tmp_path: Path) -> None:
    assert "is empty" in refusal(write(tmp_path / "a.csv", b""))
    assert "does not exist" in refusal(tmp_path / "b.csv")
    assert "is not a file" in refusal(tmp_path)


def test_a_web_page_named_like_a_spreadsheet(tmp_path: Path) -> None:
    page = write(tmp_path / "kham.xls", b"<html><table><tr><td>HO_TEN</td></tr></table></html>")
    assert "is a web page named like a spreadsheet" in refusal(page)


def test_text_named_like_a_spreadsheet(tmp_path: Path) -> None:
    assert "is not a spreadsheet" in refusal(write(tmp_path / "kham.xlsx", b"HO_TEN,NGAY_KHAM\n"))


def test_an_encrypted_workbook(tmp_path: Path) -> None:
    ole = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 600
        + "EncryptedPackage".encode("utf-16-le")
        + b"\0" * 600
    )
    assert "is encrypted" in refusal(write(tmp_path / "kham.xlsx", ole))


def test_a_compressed_file(tmp_path: Path) -> None:
    assert "is compressed" in refusal(write(tmp_path / "kham.csv", gzip.compress(b"a")))


def test_a_zip_that_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "kham.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../etc/passwd", "x")
    assert "is a zip archive but no spreadsheet" in refusal(path)


def test_a_cut_off_workbook(tmp_path: Path) -> None:
    whole = tmp_path / "whole.xlsx"
    book = xlsxwriter.Workbook(whole)
    book.add_worksheet().write_row(0, 0, ["HO_TEN", "NGAY_KHAM", "MA_BENH"])
    book.close()
    data = whole.read_bytes()
    for size in (10, len(data) // 2, len(data) - 5):
        assert "is a damaged spreadsheet" in refusal(write(tmp_path / f"cut{size}.xlsx", data[:size]))


def test_a_bomb_by_size_and_by_ratio(tmp_path: Path) -> None:
    path = sheet_file(tmp_path / "bomb.xlsx", "<row r='1'/>" + " " * 12_000_000)
    assert "times its size" in refusal(path)
    assert refusal(path, Limits(unpacked_bytes=1 << 20)) == (
        "bomb.xlsx unpacks to more than a file may be: got 12 MB; allowed: 1 MB; do: split it by month"
    )
    assert "parts" in refusal(path, Limits(zip_entries=1))
    assert "is larger than a file may be" in refusal(path, Limits(file_bytes=100))


def test_a_file_above_the_limit_is_told_its_size_and_the_limit(tmp_path: Path) -> None:
    path = write(tmp_path / "kham.csv", b"HO_TEN,\n" * (1 << 18))
    assert refusal(path, Limits(file_bytes=(2 << 20) - 1)) == (
        "kham.csv is larger than a file may be: got 2 MB; allowed: 1 MB; do: split it by month"
    )
    assert LIMITS.file_bytes == 200 << 20


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ('<row r="1"><c r="A1"/></row><row r="1048576"><c r="B1048576"/></row>', "row 1048576"),
        ('<row r="1"><c r="A1"/><c r="XFD1"/></row>', "beyond column"),
        ('<row r="1"><c r="ZZ1"/></row><row r="900000"><c r="A900000"/></row>', "spans 900000 rows"),
    ],
)
def test_two_far_cells_do_not_buy_a_huge_rectangle(tmp_path: Path, cells: str, told: str) -> None:
    assert told in refusal(sheet_file(tmp_path / "far.xlsx", f"<sheetData>{cells}</sheetData>"))


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<GIAMDINHHS><HOSO><TONG_HOP><HO_TEN>&b;</HO_TEN></TONG_HOP></HOSO></GIAMDINHHS>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<HOSO><TONG_HOP><HO_TEN>&a;</HO_TEN></TONG_HOP></HOSO>"""


@pytest.mark.parametrize("text", [BOMB, OUTSIDE], ids=["entity bomb", "outside entity"])
def test_a_document_type_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="declares a document type"):
        read_file(write(tmp_path / "a.xml", text.encode()), XML)


def test_xml_too_deep_is_refused(tmp_path: Path) -> None:
    deep = b"<HOSO>" * 5000 + b"</HOSO>" * 5000
    with pytest.raises(InputError, match="not well-formed"):
        read_file(write(tmp_path / "a.xml", deep), XML)


@pytest.mark.parametrize("size", [20, 200, 400])
def test_xml_cut_off_anywhere_is_one_line(tmp_path: Path, size: int) -> None:
    text = "<GIAMDINHHS><HOSO><TONG_HOP>" + "<HO_TEN>Mẫu</HO_TEN>" * 40
    with pytest.raises(InputError):
        read_file(write(tmp_path / "a.xml", text.encode()[:size]), XML)


def test_a_file_of_another_kind_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a file of source"):
        read_file(write(tmp_path / "a.xml", b"<HOSO/>"), TABLE)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"HO_TEN,NGAY_KHAM\0,MA_BENH\n", "binary data"),
        (b"\xff\xfeH\x00O\x00_", "cut off"),
        (b"a,b,c\n1,2,3\n", "holds no table of source"),
        (b"HO_TEN,MA_BENH,GIOI_TINH,NGAY_KHAM," + b"x," * 1200 + b"\n", "more rows or columns"),
    ],
    ids=["NUL bytes", "cut UTF-16", "unknown header", "too wide"],
)
def test_hostile_csv(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_file(write(tmp_path / "02001_a.csv", data), TABLE)


def test_a_required_column_that_is_missing_is_named_with_the_columns_seen(tmp_path: Path) -> None:
    path = write(tmp_path / "02001_a.csv", b"HO_TEN,MA_BENH,GIOI_TINH,MA_BN\nX,I10,1,7\n")
    mapping = TABLE.model_copy(update={"sheets": {}})
    with pytest.raises(InputError) as caught:
        read_file(path, mapping)
    text = str(caught.value)
    assert "visited_on (NGAY_KHAM or " in text
    assert "HO_TEN, MA_BENH, GIOI_TINH, MA_BN" in text
