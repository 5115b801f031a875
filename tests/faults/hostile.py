"""Files that nobody should send: bombs, lies, cuts and disguises, each made small and fast."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

HEADER = ["HO_TEN", "NGAY_KHAM", "MA_BENH", "GIOI_TINH", "NGAY_SINH", "MA_BN"]
CSV_HEADER = ",".join(HEADER).encode() + b"\n"
MB = 1 << 20
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets><sheet name="K" sheetId="1" r:id="r1"/>'
    "</sheets></workbook>",
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def workbook(path: Path, sheet: str, before: str = "", **more: bytes) -> Path:
    """A workbook written by hand around one sheet's rows."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _PARTS.items():
            archive.writestr(name, '<?xml version="1.0"?>' + text)
        body = f'<?xml version="1.0"?><worksheet {_MAIN}>{before}<sheetData>{sheet}</sheetData></worksheet>'
        archive.writestr("xl/worksheets/sheet1.xml", body)
        for name, content in more.items():
            archive.writestr(name, content)
    return path


def _cells(number: int, texts: list[str]) -> str:
    cells = "".join(
        f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
        for at, text in enumerate(texts)
    )
    return f'<row r="{number}">{cells}</row>'


def million_rows(path: Path) -> None:
    """About 1 MB that becomes a million rows."""
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(2, 250_000))
    workbook(path, _cells(1, HEADER) + rows)


def huge_dimensions(path: Path) -> None:
    workbook(path, _cells(1, HEADER), before='<dimension ref="A1:XFD1048576"/>')


def two_far_cells(path: Path) -> None:
    workbook(path, _cells(1, HEADER) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


def big_unpacked(path: Path) -> None:
    workbook(path, _cells(1, HEADER) + " " * (30 * MB))


def zip_of_zips(path: Path) -> None:
    inner = gzip.compress(b"0" * (20 * MB))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}.xml.gz", inner)


def zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b"<a>" + b" " * (60 * MB))


def lying_sizes(path: Path) -> None:
    """The directory of the archive says 100 bytes; the data unpacks to 50 MB."""
    workbook(path, _cells(1, HEADER) + " " * (50 * MB))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    true = entry.file_size.to_bytes(4, "little")
    path.write_bytes(bytes(data.replace(true, (100).to_bytes(4, "little"))))


def slipping_names(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("../../slipped.xml", "/tmp/slipped.xml", "a/../../slipped.xml", "..\\slipped.xml"):
            archive.writestr(name, "<HOSO/>")


def encrypted(path: Path) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    path.write_bytes(ole + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600)


def billion_laughs(path: Path) -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    path.write_text(
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><HOSO><A>&l9;</A></HOSO>'
    )


def outside_entity(path: Path) -> None:
    path.write_text(
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
        "<HOSO><TONG_HOP><HO_TEN>&a;</HO_TEN></TONG_HOP></HOSO>"
    )


def deep(path: Path) -> None:
    path.write_bytes(b"<HOSO>" * 100_000)


def endless_elements(path: Path) -> None:
    path.write_bytes(b"<GIAMDINHHS>" + b"<a/>" * (10 * MB))


def deep_json(path: Path) -> None:
    path.write_bytes(b'{"a":' + b"[" * 200_000)


def long_json_text(path: Path) -> None:
    path.write_bytes(b'{"ncdData":[{"a":"' + b"x" * (50 * MB))


def long_line(path: Path) -> None:
    with path.open("wb") as out:
        out.write(CSV_HEADER)
        for _ in range(150):
            out.write(b"x" * MB)


def gigabyte_line(path: Path) -> None:
    """1 GB in one line; a file with a hole, so that making it costs nothing."""
    with path.open("wb") as out:
        out.write(CSV_HEADER)
        out.truncate(1 << 30)


def open_quote(path: Path) -> None:
    path.write_bytes(CSV_HEADER + b'"' + b"a,b,c,d,e,f\n" * (2 * MB))


def nul_bytes(path: Path) -> None:
    path.write_bytes(CSV_HEADER + b"\0" * 5000)


def wide(path: Path) -> None:
    path.write_bytes(CSV_HEADER.strip() + b"," * 100_000 + b"\n" + b"1," * 100_000)


def page(path: Path) -> None:
    path.write_bytes(b"<html><table><tr><td>HO_TEN</td></tr></table></html>")


def wrong_encoding(path: Path) -> None:
    path.write_bytes("Họ tên;Ngày khám\n".encode("utf-16-le") * 3)


def utf7_xml(path: Path) -> None:
    path.write_bytes(b'<?xml version="1.0" encoding="UTF-16"?><HOSO/>' + b"\xff\xfe")


def empty(path: Path) -> None:
    path.write_bytes(b"")


Maker = Callable[[Path], None]
FILES: dict[str, tuple[str, Maker]] = {
    "02001_million.xlsx": ("viettel", million_rows),
    "02001_dimensions.xlsx": ("viettel", huge_dimensions),
    "02001_far.xlsx": ("viettel", two_far_cells),
    "02001_unpacked.xlsx": ("viettel", big_unpacked),
    "02001_lying.xlsx": ("viettel", lying_sizes),
    "02001_slip.xlsx": ("viettel", slipping_names),
    "02001_locked.xlsx": ("viettel", encrypted),
    "02001_page.xls": ("viettel", page),
    "02001_line.csv": ("viettel", long_line),
    "02001_gigabyte.csv": ("viettel", gigabyte_line),
    "02001_quote.csv": ("viettel", open_quote),
    "02001_nul.csv": ("viettel", nul_bytes),
    "02001_wide.csv": ("viettel", wide),
    "02001_encoding.csv": ("viettel", wrong_encoding),
    "02001_empty.csv": ("viettel", empty),
    "02001_laughs.xml": ("his_xml", billion_laughs),
    "02001_outside.xml": ("his_xml", outside_entity),
    "02001_deep.xml": ("his_xml", deep),
    "02001_endless.xml": ("his_xml", endless_elements),
    "02001_encoding.xml": ("his_xml", utf7_xml),
    "02001_bomb.zip": ("his_xml", zip_bomb),
    "02001_zips.zip": ("his_xml", zip_of_zips),
    "02001_slip.zip": ("his_xml", slipping_names),
    "02001_deep.json": ("moh_ncd_api", deep_json),
    "02001_long.json": ("moh_ncd_api", long_json_text),
    "02001_deep_bundle.json": ("fhir", deep_json),
    "02001_long_bundle.json": ("fhir", long_json_text),
    "02001_laughs_check.xml": ("health_check", billion_laughs),
    "02001_v20.json": ("v20", deep_json),
}
READABLE = {"02001_million.xlsx", "02001_dimensions.xlsx", "02001_slip.zip"}
"""Large, but honestly a table, or harmless: may also be read, in bounds; rows without a visit are rejected."""
