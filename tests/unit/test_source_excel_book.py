"""Yearly books kept in Excel: a line is a row, a month's cell a contact, a total never a count. Invented people."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from ncdsurv.registry import open_store
from ncdsurv.synthetic import make_registry
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.writers.book import make_book
from ncdsurv.synthetic.writers.yearly_book import lines_of, write_book
from tests.book_support import (
    CATALOG,
    EXPECTED,
    ONE,
    REFERENCE,
    SECOND,
    SIGNED,
    TITLE,
    TOP,
    TWO,
    balance,
    book_of,
    clean,
    contacts,
    line,
    total,
    workbook,
)


@pytest.mark.parametrize("station", range(6))
def test_records_are_the_months_that_were_written(tmp_path: Path, station: int) -> None:
    registry = make_registry(700, seed=8, provinces=["02"], reference=REFERENCE, catalog=CATALOG)
    book, plan = make_book(registry), parameters("yearly_book")
    jobs = [job for job in book.jobs if job.writer == plan["writer"]]
    job = sorted(jobs, key=lambda job: -len(job.visits))[station]
    path = tmp_path / plan["name"].format(facility=job.station["facility"], year=plan["year"])
    write_book(book, job, path)
    batch = clean(path, REFERENCE)
    wanted, people = [], 0
    for of in plan["books"]:
        lines = lines_of(book, job, of["disease"])
        people += len(lines)
        double = of["shape"] == "double"
        for person in lines:
            for month, cell in person.months.items():
                sbp, dbp, glucose = (None, None, cell.glucose) if double else (cell.sbp, cell.dbp, None)
                if sbp is None and glucose is None and not cell.marked:
                    continue
                wanted.append(
                    (of["disease"], dt.date(plan["year"], month, 1), sbp, dbp, glucose, cell.marked)
                )
    told = batch.visits.with_columns(pl.col("supply_days").is_not_null()).select(
        "disease", "visited_on", "sbp", "dbp", "glucose_mmol_l", "supply_days"
    )
    assert sorted(told.rows(), key=repr) == sorted(wanted, key=repr)
    assert balance(batch) == (people, people, 0, 0)
    assert set(batch.diagnoses["disease"]) <= {of["disease"] for of in plan["books"]}
    totals = batch.reported_totals
    assert totals.height > 0
    assert totals.filter(pl.col("reported") != pl.col("counted")).is_empty()


@pytest.mark.parametrize("merged", [True, False], ids=["merged cells", "merged cells lost"])
def test_a_line_is_a_row_and_a_cell_a_contact(tmp_path: Path, merged: bool) -> None:
    batch = clean(book_of(tmp_path, ONE, TWO, total("Cộng", 2, 2, 1), *SIGNED, merged=merged))
    assert contacts(batch) == EXPECTED
    assert balance(batch) == (2, 2, 0, 0)
    assert batch.patients["sex"].sort().to_list() == ["female", "male"]


def test_a_book_saved_as_text(tmp_path: Path) -> None:
    rows = [[TITLE], [], TOP, SECOND, ONE, TWO, total("Cộng", 2, 2, 1)]
    text = "\n".join(";".join("" if cell is None else str(cell) for cell in row) for row in rows)
    path = tmp_path / "02001_so.csv"
    path.write_text(text, encoding="utf-8")
    assert [row[1:] for row in contacts(clean(path))] == [row[1:] for row in EXPECTED]


def test_a_binary_workbook(tmp_path: Path) -> None:
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("THA")
    spans = {(2, 0): (3, 0), (2, 1): (3, 1), (2, 2): (2, 3), (2, 4): (3, 4), (2, 5): (2, 16)}
    for r, row in enumerate([[TITLE], [], TOP, SECOND, ONE, TWO]):
        for c, cell in enumerate(row):
            if cell not in (None, "") and (r, c) in spans:
                sheet.write_merge(r, spans[r, c][0], c, spans[r, c][1], cell)
            elif cell not in (None, ""):
                sheet.write(r, c, cell)
    book.save(str(tmp_path / "02001_so.xls"))
    assert contacts(clean(tmp_path / "02001_so.xls")) == EXPECTED


@pytest.mark.parametrize(
    "label", ["Tổng cộng", "Tổng số: 2 người", "CỘNG", "Toàn xã", "Tổng", "Cộng thôn Mẫu"]
)
@pytest.mark.parametrize("in_name", [True, False])
def test_totals_are_kept_apart_by_their_label(tmp_path: Path, label: str, in_name: bool) -> None:
    batch = clean(book_of(tmp_path, ONE, TWO, total(label, 2, 9, 1, name=in_name)))
    assert contacts(batch) == EXPECTED
    rows = batch.reported_totals.select("row_number", "column", "month", "reported", "counted").rows()
    assert rows == [
        (7, "month", "2025-01", 2, 2),
        (7, "month", "2025-02", 9, 2),
        (7, "month", "2025-03", 1, 1),
    ]


def test_a_total_without_a_label_is_told_by_its_sums(tmp_path: Path) -> None:
    batch = clean(book_of(tmp_path, ONE, TWO, total("", 2, 2, 1)))
    assert contacts(batch) == EXPECTED
    assert batch.reported_totals.select("label", "reported", "counted").rows() == [
        (None, 2, 2),
        (None, 2, 2),
        (None, 1, 1),
    ]


def test_sub_totals_count_their_part_and_the_last_one_the_whole(tmp_path: Path) -> None:
    lines = (
        ["Thôn 1"],
        ONE,
        total("Cộng", 1, 1, 1),
        ["Thôn 2"],
        TWO,
        total("Cộng", 1, 1),
        total("Tổng cộng", 2, 2, 1),
    )
    batch = clean(book_of(tmp_path, *lines))
    assert balance(batch) == (2, 2, 0, 0)
    totals = batch.reported_totals
    assert totals.height == 8
    assert totals.filter(pl.col("reported") != pl.col("counted")).is_empty()


@pytest.mark.parametrize("name", ["Cộng Văn Mẫu", "Toàn Xã Mẫu", "Tống Thị Mẫu", "Tong Van Mau"])
def test_a_person_whose_name_begins_like_a_total_is_a_person(tmp_path: Path, name: str) -> None:
    batch = clean(book_of(tmp_path, line(1, name, 1960, None, "x"), TWO))
    assert batch.visits["row_number"].n_unique() == 2
    assert batch.reported_totals.is_empty()


def test_in_the_registry_a_line_counts_once_and_totals_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "37016_so_2025.xlsx"
    first = [["SỔ THA NĂM 2025 - Mã xã mới: 13597"], [], TOP, SECOND, ONE, TWO, total("Cộng", 2, 2, 1)]
    code = REFERENCE.areas("commune", "2025")["code"][0]
    first[0] = [f"SỔ THA NĂM 2025 - Mã xã mới: {code}"]
    workbook(tmp_path, {"A": first}, name=path.name)
    store = open_store(tmp_path / "store")
    report = store.ingest(path, source="excel_book")
    assert (report.rows_in, report.kept, report.rejected, report.duplicates) == (2, 2, 0, 0)
    assert (report.files[0].totals, report.files[0].totals_unlike) == (3, 0)
    assert "totals reported by books: 3, unlike their lines: 0" in str(report)
    assert store.ingest(path, source="excel_book").files[0].status == "already_known"
    later = [*first[:4], ONE, line(2, "Lò Thị Mẫu", None, 1971, "X", "x", "x"), total("Cộng", 2, 2, 2)]
    again = workbook(tmp_path, {"A": later}, name="37016_so_2025b.xlsx")
    report = store.ingest(again, source="excel_book")
    assert (report.rows_in, report.kept, report.rejected, report.duplicates) == (2, 1, 0, 1)
    snapshot = store.lake.snapshot()
    assert snapshot.read("visits")["visit_id"].n_unique() == 6
    totals = snapshot.read("reported_totals")
    assert totals.height == 6
    assert totals.filter(pl.col("reported") != pl.col("counted")).is_empty()
