"""Spreadsheets with the same bytes every time, several times faster than a general writer.

Only what station exports hold: text in shared strings, numbers, dates. No formula, no link, fixed zip dates.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_DAY_ZERO = dt.date(
    1899, 12, 30
).toordinal()  # serial 60 is 1 March 1900 or later: the false leap day is behind us
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DATE_STYLE, _TIME_STYLE = 1, 2
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/>'
    '<numFmt numFmtId="165" formatCode="dd/mm/yyyy hh:mm"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Times New Roman"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_CORE = (
    f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:description>Invented people</dc:description>'
    '<dcterms:created xsi:type="dcterms:W3CDTF">2026-07-01T00:00:00Z</dcterms:created></cp:coreProperties>'
)


@dataclass(frozen=True)
class Sheet:
    """One sheet: name, header, rows of cells (text, number, date, datetime or None), lines above, merged ranges."""

    name: str
    header: list[str]
    rows: Iterable[list[Any]]
    titles: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()


def write_xlsx(path: Path, sheets: list[Sheet]) -> None:
    """Write sheets to a workbook.

    Args:
        path: Where to.
        sheets: In order; title lines are followed by a blank line.
    """
    strings: dict[str, int] = {}
    pages = [_page(sheet, strings) for sheet in sheets]
    parts = {
        "[Content_Types].xml": _content_types(len(sheets)),
        "_rels/.rels": _relations(
            [
                ("officeDocument", "xl/workbook.xml", _OFFICE),
                ("metadata/core-properties", "docProps/core.xml", ""),
            ]
        ),
        "docProps/core.xml": _CORE,
        "xl/workbook.xml": _workbook(sheets),
        "xl/_rels/workbook.xml.rels": _relations(
            [("worksheet", f"worksheets/sheet{n}.xml", _OFFICE) for n in range(1, len(sheets) + 1)]
            + [("styles", "styles.xml", _OFFICE), ("sharedStrings", "sharedStrings.xml", _OFFICE)]
        ),
        "xl/styles.xml": _STYLES,
        **{f"xl/worksheets/sheet{n}.xml": page for n, page in enumerate(pages, 1)},
        "xl/sharedStrings.xml": _shared(strings),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode())


def _page(sheet: Sheet, strings: dict[str, int]) -> str:
    names = [column_letters(k) for k in range(len(sheet.header))]
    lines: list[list[Any]] = [[title] for title in sheet.titles]
    lines += [[]] if sheet.titles else []
    body = [_row(at, line, names, strings) for at, line in enumerate([*lines, sheet.header], 1)]
    body += [_row(at, row, names, strings) for at, row in enumerate(sheet.rows, len(body) + 1)]
    areas = "".join(f'<mergeCell ref="{area}"/>' for area in sheet.merged)
    merges = f'<mergeCells count="{len(sheet.merged)}">{areas}</mergeCells>' if areas else ""
    return f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{"".join(body)}</sheetData>{merges}</worksheet>'


def _row(at: int, cells: list[Any], names: list[str], strings: dict[str, int]) -> str:
    parts = [f'<row r="{at}">']
    for name, cell in zip(names, cells):
        if cell is None or cell == "":
            continue
        if isinstance(cell, str):
            number = strings.setdefault(cell, len(strings))
            parts.append(f'<c r="{name}{at}" t="s"><v>{number}</v></c>')
        elif isinstance(cell, dt.datetime):
            serial = cell.toordinal() - _DAY_ZERO + (cell.hour * 60 + cell.minute) / 1440
            parts.append(f'<c r="{name}{at}" s="{_TIME_STYLE}"><v>{serial!r}</v></c>')
        elif isinstance(cell, dt.date):
            parts.append(f'<c r="{name}{at}" s="{_DATE_STYLE}"><v>{cell.toordinal() - _DAY_ZERO}</v></c>')
        else:
            parts.append(f'<c r="{name}{at}"><v>{cell!r}</v></c>')
    parts.append("</row>")
    return "".join(parts)


def column_letters(at: int) -> str:
    """Letters of a column: 0 is A, 26 is AA."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _shared(strings: dict[str, int]) -> str:
    items = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in strings)
    return f'{_HEAD}<sst xmlns="{_MAIN}" uniqueCount="{len(strings)}">{items}</sst>'


def _workbook(sheets: list[Sheet]) -> str:
    items = "".join(
        f'<sheet name={quoteattr(sheet.name)} sheetId="{n}" r:id="rId{n}"/>'
        for n, sheet in enumerate(sheets, 1)
    )
    return f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{items}</sheets></workbook>'


def _relations(targets: list[tuple[str, str, str]]) -> str:
    items = "".join(
        f'<Relationship Id="rId{n}" Type="{base or _PACKAGE + "/relationships"}/{kind}" Target="{target}"/>'
        for n, (kind, target, base) in enumerate(targets, 1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{items}</Relationships>'


def _content_types(sheets: int) -> str:
    overrides = {
        "/xl/workbook.xml": f"{_TYPE}.sheet.main+xml",
        "/xl/styles.xml": f"{_TYPE}.styles+xml",
        "/xl/sharedStrings.xml": f"{_TYPE}.sharedStrings+xml",
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
        **{f"/xl/worksheets/sheet{n}.xml": f"{_TYPE}.worksheet+xml" for n in range(1, sheets + 1)},
    }
    items = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in overrides.items())
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{items}</Types>'
    )
