"""Yearly books kept in Excel as on paper: titles, headers of several rows, months, totals, signatures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.registry import SyntheticRegistry
from ncdsurv.synthetic.writers.book import Book, FileJob, Identity, make_book, reading
from ncdsurv.synthetic.writers.xlsx import Sheet, column_letters, write_xlsx

_MONTHS = 12
_FIRST = 6  # columns before the months
_WRAPPED = 4  # every fourth person's marks stand on a line of their own


class Cell(NamedTuple):
    """What one person's month says."""

    sbp: int | None
    dbp: int | None
    glucose: float | None
    marked: bool


@dataclass
class Line:
    """One person of a book."""

    person: int
    who: Identity
    months: dict[int, Cell] = field(default_factory=dict)


@dataclass
class _Page:
    """Rows and merged ranges of a sheet while it is written."""

    width: int
    rows: list[list[Any]] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)

    def add(self, cells: dict[int, Any]) -> None:
        self.rows.append([cells.get(column) for column in range(self.width)])

    def merge(self, first: int, left: int, last: int, right: int) -> None:
        self.merged.append(f"{column_letters(left)}{first + 1}:{column_letters(right)}{last + 1}")


def write_samples(registry: SyntheticRegistry, folder: Path) -> list[Path]:
    """Write the books of a few stations.

    Args:
        registry: Whose visits are written.
        folder: Where to.

    Returns:
        The paths.
    """
    plan, book = parameters("yearly_book"), make_book(registry)
    folder.mkdir(parents=True, exist_ok=True)
    able = [job for job in book.jobs if job.writer == plan["writer"]]
    paths = []
    for station in plan["stations"]:
        job = able[station % len(able)]
        path = folder / plan["name"].format(facility=job.station["facility"], year=plan["year"])
        write_book(book, job, path)
        paths.append(path)
    return paths


def write_book(book: Book, job: FileJob, path: Path) -> None:
    """Write one station's workbook, a sheet per book.

    Args:
        book: People and diseases.
        job: The station's visits.
        path: Where to.
    """
    plan = parameters("yearly_book")
    write_xlsx(path, [_sheet(job, lines_of(book, job, of["disease"]), of) for of in plan["books"]])


def lines_of(book: Book, job: FileJob, disease: str) -> list[Line]:
    """The people of one book, with the last reading and the medicine of each month of its year."""
    plan = parameters("yearly_book")
    lines: dict[int, Line] = {}
    for visit in job.visits:
        ill = any(ill.disease == disease for ill in book.diseases(visit))
        if visit.visited_on.year != plan["year"] or visit.status == "dead" or not ill:
            continue
        line = lines.setdefault(visit.person, Line(visit.person, book.identity(job, visit.person)))
        before = line.months.get(visit.visited_on.month, Cell(None, None, None, False))
        sbp, glucose = reading(job, visit, "sbp"), reading(job, visit, "glucose_mmol_l")
        line.months[visit.visited_on.month] = Cell(
            sbp if sbp is not None else before.sbp,  # type: ignore[arg-type]
            visit.dbp if sbp is not None else before.dbp,
            glucose if glucose is not None else before.glucose,
            before.marked or bool(visit.supply_days),
        )
    return list(lines.values())[: plan["people"]]


def _sheet(job: FileJob, lines: list[Line], of: dict[str, Any]) -> Sheet:
    plan = parameters("yearly_book")
    words, double = plan["words"], of["shape"] == "double"
    page = _Page(_FIRST + _MONTHS * (1 + double) + 1)
    station_line = plan["station"].format(name=job.station["name"], commune=job.station["commune_2025"])
    for text in (station_line, of["title"].format(year=plan["year"])):
        page.merge(len(page.rows), 0, len(page.rows), page.width - 1)
        page.add({0: text})
    page.add({0: plan["invented"]})
    page.add({})
    half = (len(lines) + 1) // 2
    _header(page, double)
    for part, hamlet in enumerate((lines[:half], lines[half:])):
        if part and double:
            _header(page, double)  # printed again on the next page
        page.merge(len(page.rows), 0, len(page.rows), page.width - 1)
        page.add({0: words["hamlet"].format(n=part + 1)})
        for at, line in enumerate(hamlet, 1 + part * half):
            _person(page, at, line, double)
        _total(page, words["part"], hamlet, double)
    if not double:
        _total(page, words["whole"], lines, double)
    page.add({})
    for text in words["signed"]:
        page.add({page.width - 5: text.format(next=plan["year"] + 1)})
    header, *rows = page.rows
    return Sheet(
        of["sheet"], ["" if cell is None else cell for cell in header], rows, merged=tuple(page.merged)
    )


def _header(page: _Page, double: bool) -> None:
    words, top = parameters("yearly_book")["words"], len(page.rows)
    last = top + 1 + double
    for column in (0, 1, 4, 5, page.width - 1):
        page.merge(top, column, last, column)
    page.merge(top, 2, top, 3)
    page.merge(top, _FIRST, top, page.width - 2)
    page.add(
        {
            0: words["number"],
            1: words["name"],
            2: words["birth"],
            4: words["address"],
            5: words["insurance"],
            _FIRST: words["months"],
            page.width - 1: words["note"],
        }
    )
    second: dict[int, Any] = {2: words["male"], 3: words["female"]}
    for month in range(_MONTHS):
        column = _FIRST + month * (1 + double)
        second[column] = month + 1
        if double:
            page.merge(top + 1, column, top + 1, column + 1)
    page.add(second)
    if double:
        page.merge(top + 1, 2, last, 2)
        page.merge(top + 1, 3, last, 3)
        columns = range(_FIRST, page.width - 1)
        page.add({column: words["drugs" if (column - _FIRST) % 2 else "glucose"] for column in columns})
    page.add({column: f"({column + 1})" for column in range(page.width)})


def _person(page: _Page, number: int, line: Line, double: bool) -> None:
    mark = parameters("yearly_book")["mark"]
    who = line.who
    born = 2 if who.sex == "male" else 3
    cells: dict[int, Any] = {
        0: number,
        1: who.name,
        born: who.birth_date.year,
        4: who.address,
        5: who.insurance_number,
    }
    below: dict[int, Any] = {}
    wrapped = number % _WRAPPED == 0 and not double
    for month, cell in line.months.items():
        column = _FIRST + (month - 1) * (1 + double)
        pair = f"{cell.sbp}/{cell.dbp}" if cell.sbp is not None else ""
        if double:
            cells[column] = cell.glucose
            cells[column + 1] = mark if cell.marked else None
        elif wrapped:
            cells[column], below[column] = pair, mark if cell.marked else None
        else:
            cells[column] = f"{pair} {mark if cell.marked else ''}".strip()
    page.add(cells)
    if any(below.values()):
        page.add(below)


def _total(page: _Page, label: str, lines: list[Line], double: bool) -> None:
    counts: dict[int, Any] = {1: label}
    for month in range(1, _MONTHS + 1):
        column = _FIRST + (month - 1) * (1 + double)
        there = [line.months[month] for line in lines if month in line.months]
        if double:
            counts[column] = sum(cell.glucose is not None for cell in there)
            counts[column + 1] = sum(cell.marked for cell in there)
        else:
            counts[column] = sum(cell.sbp is not None or cell.marked for cell in there)
    page.add(counts)
