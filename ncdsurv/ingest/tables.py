"""Reads XLSX, XLS and CSV tables as text: cell types are told apart, nothing is interpreted."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from python_calamine import CalamineWorkbook

from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.errors import InputError
from ncdsurv.ingest.above import fill_from, find_above
from ncdsurv.ingest.continued import continue_visits
from ncdsurv.ingest.guard import LIMITS, refuse
from ncdsurv.ingest.headers import Header, find_header, headers_to_show
from ncdsurv.ingest.legacy import best_decoding
from ncdsurv.ingest.plain_text import PlainTable, plain_table
from ncdsurv.ingest.raw import DAMAGE
from ncdsurv.ingest.sheet_names import sheet_shown

CSV_SHEET = "csv"
_SEPARATORS = (",", ";", "\t", "|")
_FIELD_BYTES = 1_000_000
_SAMPLE = 20_000  # of a text, to guess its separator
_UTF8_BYTES = 4  # of one character, at most

Cells = Sequence[Sequence[Any]]


def read_table(
    path: Path, kind: str, mapping: SourceMapping, step: int | None = None
) -> tuple[Iterable[pl.DataFrame], tuple[tuple[str, str], ...]]:
    """All rows of all sheets of a file that hold a table of the source.

    Args:
        path: A file that passed the guard.
        kind: What the guard took it for.
        mapping: The source.
        step: A plain text of more lines comes in parts of so many, each read when it is asked for.

    Returns:
        Rows (sheet, row_number, sheet_kind, damage, one text column per field) in one or more parts, and the sheets
        left out with the reason.

    Raises:
        InputError: No sheet holds such a table, or a required column is missing.
    """
    frames, skipped = [], []
    for number, (name, offset, rows) in enumerate(read_sheets(path, kind), 1):
        shown = sheet_shown(number, name, mapping)
        header = find_header(rows, name, mapping) if rows is not None else None
        if rows is None or header is None:
            skipped.append((shown, "hidden sheet" if rows is None else "no header of this source"))
        elif header.missing:
            raise _missing(path, shown, header, mapping)
        elif isinstance(rows, PlainTable) and step and len(rows) > step and not mapping.continuation_rows:
            return _in_parts(rows, name, header, mapping, step), ()  # a text has one sheet
        else:
            frame = _filled_from_above(_frame(rows, name, offset, header, mapping), rows, header, mapping)
            frames.append(continue_visits(frame) if mapping.continuation_rows else frame)
    if not frames:
        raise InputError(
            f"{path.name} holds no table of source {mapping.id}",
            got=", ".join(shown for shown, _ in skipped) or "no sheet",
            allowed="a header row with at least three known columns near the top",
            do="check --source, or add the headers to the source's mapping",
        )
    return [pl.concat(frames, how="diagonal")], tuple(skipped)


def _in_parts(
    rows: PlainTable, name: str, header: Header, mapping: SourceMapping, step: int
) -> Iterator[pl.DataFrame]:
    for first in range(0, len(rows), step):
        frame = _frame(rows, name, 0, header, mapping, slice(first, first + step))
        yield _filled_from_above(frame, rows, header, mapping)


def _filled_from_above(
    frame: pl.DataFrame, rows: Cells, header: Header, mapping: SourceMapping
) -> pl.DataFrame:
    if not mapping.above:
        return frame
    lines = [cell for row in rows[: max(header.row, 0)] for cell in row if isinstance(cell, str)]
    absent = {name: how for name, how in mapping.above.items() if name not in header.columns}
    return fill_from(frame, find_above(lines, absent))


def read_sheets(path: Path, kind: str) -> list[tuple[str, int, Cells | None]]:
    """Name, number of empty rows above, and cells of each sheet; no cells for a hidden one."""
    return [(CSV_SHEET, 0, _read_csv(path))] if kind == "text" else _read_workbook(path)


def _missing(path: Path, sheet: str, header: Header, mapping: SourceMapping) -> InputError:
    wanted = "; ".join(f"{name} ({' or '.join(mapping.fields[name].columns)})" for name in header.missing)
    return InputError(
        f"{path.name}, {sheet}: required columns are missing: {wanted}",
        got=f"columns {headers_to_show(header.seen, mapping)}",
        do=f"add the column, or its header to fields.{header.missing[0]}.columns of source {mapping.id}",
    )


def _frame(
    rows: Cells, sheet: str, offset: int, header: Header, mapping: SourceMapping, part: slice = slice(None)
) -> pl.DataFrame:
    """The rows below the header, or a part of the file's lines; rows are counted from 1, as on screen."""
    data = header.columns
    above = max(header.row + 1 + mapping.rows_after_header, part.start or 0)
    first = offset + above + 1
    if isinstance(rows, PlainTable):
        frame = rows.columns(slice(above, part.stop), data)
    else:
        frame = _columns(rows[above:], data)
    return (
        frame.with_columns(
            pl.lit(sheet).alias("sheet"),
            (pl.int_range(pl.len(), dtype=pl.Int64) + first).alias("row_number"),
            pl.lit(header.sheet_kind).alias("sheet_kind"),
            pl.lit(None, dtype=pl.String).alias(DAMAGE),
        )
        .filter(pl.any_horizontal(pl.col(name).is_not_null() for name in data))
        .select("sheet", "row_number", "sheet_kind", DAMAGE, *data)
        .collect()
    )


def _columns(body: Cells, places: Mapping[str, tuple[int, ...]]) -> pl.LazyFrame:
    width = min(map(len, body), default=0)
    data = {name: _column(body, some, width) for name, some in places.items()}
    return pl.LazyFrame(data, schema=dict.fromkeys(data, pl.String)).with_columns(
        pl.when(pl.col(name).str.strip_chars() != "").then(name).alias(name) for name in data
    )


def _column(body: Cells, places: tuple[int, ...], width: int) -> list[str | None]:
    first = places[0]
    if len(places) == 1 and first < width:  # the common case, by far the most cells
        return [cell if type(cell := row[first]) is str else cell_text(cell) for row in body]
    texts = [cell_text(row[first]) if first < len(row) else None for row in body]
    for place in places[1:]:
        texts = [
            (cell_text(row[place]) if place < len(row) else None) if text is None else text
            for text, row in zip(texts, body)
        ]
    return texts


def cell_text(cell: Any) -> str | None:
    """A cell as text: a whole number without its `.0`, a date in ISO form, blank as None."""
    if isinstance(cell, str):
        return cell if cell and not cell.isspace() else None
    if cell is None:
        return None
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "minutes") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell.total_seconds() / 86_400)  # a duration cell is a serial number of days
    return str(cell)


def open_workbook(path: Path) -> CalamineWorkbook:
    """A workbook by what it is: stations save binary workbooks as .xlsx, and the reader goes by the name."""
    with path.open("rb") as file:
        binary = file.read(2) == b"\xd0\xcf"
    if binary == path.suffix.lower().startswith(".xlsx"):
        return CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
    return CalamineWorkbook.from_path(str(path))


def _read_workbook(path: Path) -> list[tuple[str, int, Cells | None]]:
    """Name, first row and cells of each worksheet; no cells for a hidden one."""
    try:
        book = open_workbook(path)
        found: list[tuple[str, int, Cells | None]] = []
        for meta in book.sheets_metadata:
            if not str(meta.typ).endswith("WorkSheet"):
                continue
            if not str(meta.visible).endswith(".Visible"):
                found.append((meta.name, 0, None))
                continue
            sheet = book.get_sheet_by_name(meta.name)
            start = sheet.start
            rows = sheet.to_python(skip_empty_area=True) if start is not None else []
            found.append((meta.name, start[0] if start else 0, rows))
        return found
    except InputError:
        raise
    except BaseException as error:  # the reader's own panics are no ordinary exceptions
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise refuse(path, "is a damaged spreadsheet", "open it and save it again as .xlsx") from None


def _read_csv(path: Path) -> Cells:
    data = _as_utf8(path, path.read_bytes())
    if b"\0" in data:
        raise refuse(path, "holds binary data", "export it again as CSV")
    sample = data[: _UTF8_BYTES * _SAMPLE].decode(errors="ignore")[:_SAMPLE]
    head = re.match(r"sep=(.)\r?\n", sample, re.IGNORECASE)
    if head:
        separator, data = head[1], data[len(head[0].encode()) :]
    else:
        separator = max(_SEPARATORS, key=sample.count)
    plain = plain_table(data, separator, LIMITS)
    if plain is not None:
        return plain
    text = data.decode()
    width = max((line.count(separator) for line in text[:_SAMPLE].splitlines()), default=0)
    csv.field_size_limit(_FIELD_BYTES)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if len(row) > LIMITS.columns or len(rows) > LIMITS.rows:
                raise refuse(path, "has more rows or columns than a station can write", "split it by month")
            if any("\n" in cell and _swallows_rows(cell, separator, width) for cell in row):
                raise refuse(path, f"has an open quote near line {len(rows) + 1}", "export it again as CSV")
            rows.append(row)
    except csv.Error:
        raise refuse(path, f"breaks off in line {len(rows) + 1}", "export it again as CSV") from None
    return rows


def _swallows_rows(cell: str, separator: str, width: int) -> bool:
    """Whether an open quote made one cell of whole rows: a line inside it has about as many columns."""
    return any(line.count(separator) >= max(2, width // 2) for line in cell.splitlines()[1:])


def _as_utf8(path: Path, data: bytes) -> bytes:
    """The text of a file in UTF-8 without a byte order mark, whatever it was written in."""
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and _is_utf8(data):
        return data.removeprefix(codecs.BOM_UTF8)
    return _decode(path, data).encode()


def _is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8: judged without making a text of them, in a tenth of the time."""
    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def _decode(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        names = ["utf-16"]
    else:
        names = ["utf-8-sig"]
    for codec in names:
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    if names == ["utf-16"]:
        raise refuse(path, "is cut off", "export it again as CSV UTF-8")
    return best_decoding(data)
