"""Reads XLSX, XLS and CSV tables as text: cell types are told apart, nothing is interpreted."""

from __future__ import annotations

import io
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
from ncdsurv.ingest.guard import refuse
from ncdsurv.ingest.headers import Header, find_header, headers_to_show
from ncdsurv.ingest.plain_text import PlainTable
from ncdsurv.ingest.raw import DAMAGE
from ncdsurv.ingest.sheet_names import sheet_shown
from ncdsurv.ingest.text_table import Cells, LongText, read_text

CSV_SHEET = "csv"
_NO_OBJECT = "PyObject pointer is null"
"""How the reader of workbooks panics where Python has no memory for a cell."""
_WHOLE_ROWS = 100_000
"""Rows of a long text that are read at a time where all are wanted together."""


def read_table(
    path: Path, kind: str, mapping: SourceMapping, step: int | None = None
) -> tuple[Iterable[pl.DataFrame], tuple[tuple[str, str], ...]]:
    """All rows of all sheets of a file that hold a table of the source.

    Args:
        path: A file that passed the guard.
        kind: What the guard took it for.
        mapping: The source.
        step: A text of more rows comes in parts of so many, each read when it is asked for.

    Returns:
        Rows (sheet, row_number, sheet_kind, damage, one text column per field) in one or more parts, and the sheets
        left out with the reason.

    Raises:
        InputError: No sheet holds such a table, or a required column is missing.
    """
    frames, skipped = [], []
    for number, (name, offset, rows) in enumerate(_sheets(path, kind), 1):
        shown = sheet_shown(number, name, mapping)
        top = rows.top if isinstance(rows, LongText) else rows
        header = find_header(top, name, mapping) if top is not None else None
        if rows is None or top is None or header is None:
            skipped.append((shown, "hidden sheet" if rows is None else "no header of this source"))
            continue
        if header.missing:
            raise _missing(path, shown, header, mapping)
        whole = not isinstance(rows, PlainTable | LongText) or mapping.continuation_rows
        if not whole and step and len(rows) > step:
            return _in_parts(rows, name, header, mapping, step), ()  # a text has one sheet
        frame = pl.concat(_frames(rows, name, offset, header, mapping))
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
    rows: Cells | LongText, name: str, header: Header, mapping: SourceMapping, step: int
) -> Iterator[pl.DataFrame]:
    parts = _frames(rows, name, 0, header, mapping, step)
    # A plain text is cut by its lines, any other by its rows that hold something.
    return _of_height(parts, step) if isinstance(rows, LongText) and not rows.plain else parts


def _frames(
    rows: Cells | LongText,
    name: str,
    offset: int,
    header: Header,
    mapping: SourceMapping,
    step: int | None = None,
) -> Iterator[pl.DataFrame]:
    """The rows below the header, in one frame or by so many lines at a time."""
    chunks: Iterable[tuple[int, Cells]] = [(0, rows)] if isinstance(rows, Sequence) else []
    if isinstance(rows, LongText):
        chunks = rows.chunks(step or _WHOLE_ROWS)
    elif isinstance(rows, PlainTable) and step:
        chunks = ((first, rows.part(first, first + step)) for first in range(0, len(rows), step))
    top = rows.top if isinstance(rows, LongText) else rows
    for before, some in chunks:
        yield _filled_from_above(_frame(some, name, offset, before, header, mapping), top, header, mapping)


def _of_height(frames: Iterable[pl.DataFrame], step: int) -> Iterator[pl.DataFrame]:
    """The same rows in frames of `step` rows; the last may have fewer, and is there even where it has none."""
    held: list[pl.DataFrame] = []
    for frame in frames:
        held.append(frame)
        if sum(part.height for part in held) > step:
            rows = pl.concat(held)
            yield rows[:step].rechunk()
            held = [rows[step:]]
    yield pl.concat(held).rechunk()


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
    return [
        (name, offset, rows.whole() if isinstance(rows, LongText) else rows)
        for name, offset, rows in _sheets(path, kind)
    ]


def _sheets(path: Path, kind: str) -> Sequence[tuple[str, int, Cells | LongText | None]]:
    return [(CSV_SHEET, 0, read_text(path))] if kind == "text" else _read_workbook(path)


def _missing(path: Path, sheet: str, header: Header, mapping: SourceMapping) -> InputError:
    wanted = "; ".join(f"{name} ({' or '.join(mapping.fields[name].columns)})" for name in header.missing)
    return InputError(
        f"{path.name}, {sheet}: required columns are missing: {wanted}",
        got=f"columns {headers_to_show(header.seen, mapping)}",
        do=f"add the column, or its header to fields.{header.missing[0]}.columns of source {mapping.id}",
    )


def _frame(
    rows: Cells, sheet: str, offset: int, before: int, header: Header, mapping: SourceMapping
) -> pl.DataFrame:
    """Those of some rows that stand below the header; rows are counted from 1, as on screen.

    Args:
        rows: Neighbouring rows of a sheet.
        sheet: Its name.
        offset: Empty rows above all rows of the sheet.
        before: Rows of the sheet before these.
        header: Of the sheet.
        mapping: The source.
    """
    data = header.columns
    above = max(header.row + 1 + mapping.rows_after_header - before, 0)
    first = offset + before + above + 1
    if isinstance(rows, PlainTable):
        frame = rows.columns(slice(above, None), data)
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
        if _NO_OBJECT in str(error):
            raise MemoryError from None
        raise refuse(path, "is a damaged spreadsheet", "open it and save it again as .xlsx") from None
