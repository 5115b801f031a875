"""The visit tables of other station systems: the same visits under other headers, dates and sex columns."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zlib
from pathlib import Path
from typing import Any

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.registry import SyntheticRegistry
from ncdsurv.synthetic.writers.book import Book, FileJob, copies, make_book
from ncdsurv.synthetic.writers.table_export import visit_cells
from ncdsurv.synthetic.writers.xls import write_xls
from ncdsurv.synthetic.writers.xlsx import Sheet, write_xlsx

_BIRTH, _SEEN, _SEX = "NGAY_SINH", "NGAY_KHAM", "GIOI_TINH"


def write_samples(registry: SyntheticRegistry, folder: Path) -> list[Path]:
    """Write a few stations of a registry in the dialect that the folder is named after.

    Args:
        registry: Whose visits are written.
        folder: Where to; its name is the source's id.

    Returns:
        The paths.
    """
    dialects, book = parameters("dialects"), make_book(registry)
    dialect = dialects[folder.name]
    folder.mkdir(parents=True, exist_ok=True)
    able = [job for job in book.jobs if job.writer == dialects["writer"]]
    paths = []
    for habits in dialect["files"]:
        job = able[habits["station"] % len(able)]
        path = folder / habits["name"].format(facility=job.station["facility"], month=f"{book.last_day:%Y%m}")
        header, rows = table_of(book, job, dialect, habits)
        if path.suffix == ".csv":
            _write_csv(path, header, rows)
        else:
            write = write_xls if path.suffix == ".xls" else write_xlsx
            write(path, [Sheet(dialect["sheet"], header, rows, tuple(dialect["titles"]))])
        paths.append(path)
    return paths


def table_of(
    book: Book, job: FileJob, dialect: dict[str, Any], habits: dict[str, Any]
) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of one station's table in a dialect.

    Args:
        book: People and diseases.
        job: The station's visits.
        dialect: A table of dialects.toml.
        habits: One of its files.
    """
    common = parameters("table_export")
    pressure = common["split"] if habits["pressure"] == "split" else [common["joined"]]
    columns = [
        name
        for column in common["columns"]
        for name in (pressure if column == "blood_pressure" else [column])
    ]
    columns = [name for name in columns if name not in dialect["drop"] and dialect["rename"].get(name) != ""]
    header = [dialect["rename"].get(name, name) for name in columns]
    sexes, ids, grades = (dialect.get(name, {}) for name in ("sexes", "ids", "grades"))
    graded = [grade["column"] for grade in grades.values()]
    rows: list[list[Any]] = []
    for visit in job.visits:
        who = book.identity(job, visit.person)
        cells = visit_cells(book, job, visit, who)
        cells["STT"] = len(rows) + 1
        cells[_SEEN] = _seen(visit, habits["visit_date"])
        cells[_BIRTH] = str(who.birth_date.year) if who.year_only else _born(who, visit, habits["birth"])
        for sex, column in sexes.items():
            cells[column] = _born(who, visit, habits["birth"]) if who.sex == sex else None
        for column, salt in ids.items():
            cells[column] = zlib.crc32(f"{salt}:{visit.visit}".encode())
        ills = {ill.disease for ill in book.diseases(visit)}
        cells |= {grades[name]["column"]: grade_of(visit, grades[name]) for name in grades if name in ills}
        row = [cells.get(name) for name in (*columns, *sexes.values(), *ids, *graded)]
        rows += [row] * copies(job, visit)
    return [*header, *sexes.values(), *ids, *graded], rows


def grade_of(visit: Any, grade: dict[str, Any]) -> int | None:
    """The grade that goes with the verdict of a visit: one at target, one of several off it; none without a verdict."""
    if visit.reported_target not in (0, 1):
        return None
    off = grade["off_target"]
    chosen = off[zlib.crc32(f"grade:{visit.visit}".encode()) % len(off)]
    return int(grade["at_target"] if visit.reported_target else chosen)


def _seen(visit: Any, spelling: str) -> Any:
    seen = dt.datetime.combine(visit.visited_on, dt.time(visit.minute // 60, visit.minute % 60))
    if spelling == "cell":
        return seen
    if spelling == "serial":  # the number behind a date cell whose format was lost
        return (seen - dt.datetime(1899, 12, 30)).days
    return f"{seen:{spelling}}"


def _born(who: Any, visit: Any, spelling: str) -> Any:
    if spelling == "age":
        return visit.visited_on.year - who.birth_date.year
    return who.birth_date.year if spelling == "year" else f"{who.birth_date:{spelling}}"


def _write_csv(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    """UTF-8, semicolons, as a spreadsheet with Vietnamese settings saves it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
