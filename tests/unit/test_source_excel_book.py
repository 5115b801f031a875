"""Yearly books kept in Excel: a line is a row, a month's cell a contact, a total never a count. Invented people."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from ncdsurv.catalog import load_catalog
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.errors import InputError
from ncdsurv.ingest import RawBatch, read_file
from ncdsurv.reference import load_reference
from ncdsurv.registry import open_store
from ncdsurv.synthetic import make_registry
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.writers.book import make_book
from ncdsurv.synthetic.writers.yearly_book import lines_of, write_book
from tests.clean_support import KEY
from tests.clean_support import REFERENCE as STATION

CATALOG, REFERENCE = load_catalog(), load_reference()
SOURCE = CATALOG.sources["excel_book"]
TITLE = "SỔ THEO DÕI BỆNH NHÂN TĂNG HUYẾT ÁP NĂM 2025"
MONTHS = list(range(1, 13))
TOP = ["TT", "Họ và tên", "Năm sinh", "", "Địa chỉ", "Tháng", *[""] * 11, "Ghi chú"]
SECOND = ["", "", "Nam", "Nữ", "", *MONTHS, ""]
MERGED = ["A3:A4", "B3:B4", "C3:D3", "E3:E4", "F3:Q3", "R3:R4"]


def line(
    number: Any, name: str, man: Any = None, woman: Any = None, *months: Any, note: str = ""
) -> list[Any]:
    return [number, name, man, woman, "Thôn Mẫu", *months, *[None] * (12 - len(months)), note]


def total(label: str, *months: Any, name: bool = True) -> list[Any]:
    return [None if name else label, label if name else None, None, None, None, *months]


ONE = line(1, "Lò Văn Mẫu", 1960, None, "x", "120/80", "140/90 x")
TWO = line(2, "Lò Thị Mẫu", None, 1971, "X", "x")
SIGNED = [
    [],
    [*[None] * 10, "Ngày 05 tháng 01 năm 2026"],
    [*[None] * 10, "TRƯỞNG TRẠM"],
    [],
    [*[None] * 10, "Nguyễn Văn Ký"],
]


def workbook(
    folder: Path,
    sheets: dict[str, list[list[Any]]],
    merged: list[str] | None = None,
    name: str = "02001_so.xlsx",
) -> Path:
    book = xlsxwriter.Workbook(folder / name)
    for title, rows in sheets.items():
        sheet = book.add_worksheet(title)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if cell is not None and cell != "":
                    sheet.write(r, c, cell)
        for area in merged or ():
            first = sheet.table.get(xlsxwriter.utility.xl_cell_to_rowcol(area.split(":")[0])[0])
            row, column = xlsxwriter.utility.xl_cell_to_rowcol(area.split(":")[0])
            kept = rows[row][column] if row < len(rows) and column < len(rows[row]) else ""
            assert first is not None
            sheet.merge_range(area, kept)
    book.close()
    return folder / name


def book_of(folder: Path, *lines: list[Any], merged: bool = True) -> Path:
    rows = [[TITLE], [], TOP, SECOND, *lines]
    return workbook(folder, {"Sheet1": rows}, MERGED if merged else None)


def read(path: Path) -> RawBatch:
    return read_file(path, SOURCE)


def clean(path: Path, reference: Any = STATION) -> CleanBatch:
    return clean_batch(read(path), SOURCE, CATALOG, reference, KEY)


def balance(batch: CleanBatch) -> tuple[int, ...]:
    return batch.counts.select("rows_in", "kept", "rejected", "duplicates").sum().row(0)


def contacts(batch: CleanBatch) -> list[tuple[Any, ...]]:
    columns = ("row_number", "visited_on", "kind", "sbp", "dbp", "supply_days")
    return sorted(batch.visits.select(columns).rows())


EXPECTED = [
    (5, dt.date(2025, 1, 1), "refill", None, None, 31),
    (5, dt.date(2025, 2, 1), "exam", 120, 80, None),
    (5, dt.date(2025, 3, 1), "exam", 140, 90, 31),
    (6, dt.date(2025, 1, 1), "refill", None, None, 31),
    (6, dt.date(2025, 2, 1), "refill", None, None, 28),
]


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


def test_continuation_lines_belong_to_the_person_above(tmp_path: Path) -> None:
    first = line(1, "Lò Văn Mẫu", 1960, None, None, "120/80", "140/90")
    below = [None, None, None, None, None, "x", None, "x"]
    batch = clean(book_of(tmp_path, first, below, TWO))
    assert [row[1:] for row in contacts(batch)][:3] == [row[1:] for row in EXPECTED][:3]
    assert balance(batch) == (2, 2, 0, 0)


def test_two_readings_of_one_month_and_a_later_one_wins(tmp_path: Path) -> None:
    batch = clean(book_of(tmp_path, line(1, "Lò Văn Mẫu", 1960, None, "150/95"), [*[None] * 5, "135/85"]))
    assert batch.visits.select("sbp", "dbp").rows() == [(135, 85)]
    assert balance(batch) == (1, 1, 0, 0)
    assert batch.duplicates.height == 1


def test_a_line_without_any_month_and_a_bare_name_are_explained(tmp_path: Path) -> None:
    batch = clean(book_of(tmp_path, ONE, line(2, "Lò Thị Mẫu", None, 1971), [None, "Lò Văn Khác"], TWO))
    assert batch.rejects.select("row_number", "rule").rows() == [
        (6, "no_month_marked"),
        (7, "no_month_marked"),
    ]
    assert balance(batch) == (4, 2, 2, 0)


def test_a_cell_not_understood_is_told_while_the_line_stays(tmp_path: Path) -> None:
    batch = clean(book_of(tmp_path, line(1, "Lò Văn Mẫu", 1960, None, "x", "hỏi con", "120")))
    assert balance(batch) == (1, 1, 0, 0)
    assert batch.rejects.select("row_number", "rule").rows() == [(5, "month_cell_unreadable")]
    assert "hỏi con" not in batch.rejects.write_csv() + batch.repairs.write_csv()


def test_not_there_is_no_contact_and_a_death_stands_in_its_month(tmp_path: Path) -> None:
    batch = clean(book_of(tmp_path, line(1, "Lò Văn Mẫu", 1960, None, "x", "0", "-", "không", "Tử vong")))
    rows = batch.visits.sort("visited_on").select("visited_on", "patient_status").rows()
    assert [row[0].month for row in rows] == [1, 5]
    assert rows[1][1] == "dead"


def test_a_remark_about_the_person_stands_with_the_last_month_only(tmp_path: Path) -> None:
    batch = clean(book_of(tmp_path, line(1, "Lò Văn Mẫu", 1960, None, "x", "x", note="Chuyển đi")))
    assert batch.visits.sort("visited_on")["patient_status"].to_list() == [None, "transferred_out"]


def test_the_visits_day_written_in_the_months_cell(tmp_path: Path) -> None:
    path = tmp_path / "02001_so.xlsx"
    book = xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet()
    for r, row in enumerate(
        [[TITLE], [], TOP, SECOND, line(1, "Lò Văn Mẫu", 1960, None, dt.date(2025, 1, 17))]
    ):
        for c, cell in enumerate(row):
            if cell:
                sheet.write(r, c, cell)
    book.close()
    assert clean(path).visits["visited_on"].to_list() == [dt.date(2025, 1, 17)]


def test_three_header_rows_with_numbered_columns(tmp_path: Path) -> None:
    top = ["STT", "Họ tên", "Năm sinh", "Các tháng trong năm"]
    second = ["", "", "", "Tháng 1", "", "Tháng 2"]
    third = ["", "", "", "HA", "Thuốc", "HA", "Thuốc"]
    numbers = [f"({n})" for n in range(1, 8)]
    person = [1, "Lò Văn Mẫu", 1960, "120/80", "x", None, "x"]
    rows = [["SỔ THA NĂM 2025"], top, second, third, numbers, person]
    batch = clean(workbook(tmp_path, {"A": rows}))
    assert [row[1:] for row in contacts(batch)] == [
        (dt.date(2025, 1, 1), "exam", 120, 80, 31),
        (dt.date(2025, 2, 1), "refill", None, None, 28),
    ]
    merged = workbook(tmp_path, {"A": rows}, ["A2:A4", "B2:B4", "C2:C4", "D2:G2", "D3:E3", "F3:G3"])
    assert contacts(clean(merged)) == contacts(batch)


def test_several_tables_on_one_sheet_each_with_its_disease_and_year(tmp_path: Path) -> None:
    head = ["TT", "Họ và tên", "Năm sinh", *(f"T{month}" for month in MONTHS)]
    rows = [
        ["SỔ BỆNH NHÂN TĂNG HUYẾT ÁP NĂM 2024"],
        head,
        [1, "Lò Văn Mẫu", 1960, "130/80"],
        total("Cộng", None)[:3],
        ["TRƯỞNG TRẠM"],
        [],
        ["SỔ BỆNH NHÂN ĐÁI THÁO ĐƯỜNG NĂM 2025"],
        head,
        [1, "Lò Thị Mẫu", 1971, "6,8 x"],
    ]
    visits = clean(workbook(tmp_path, {"A": rows})).visits.sort("visited_on")
    assert visits.select("disease", "visited_on", "sbp", "glucose_mmol_l").rows() == [
        ("hypertension", dt.date(2024, 1, 1), 130, None),
        ("diabetes", dt.date(2025, 1, 1), None, 6.8),
    ]


def test_a_header_printed_again_on_the_next_page_goes_on_with_the_table(tmp_path: Path) -> None:
    batch = clean(workbook(tmp_path, {"A": [[TITLE], [], TOP, SECOND, ONE, TOP, SECOND, TWO]}))
    assert [row[1:] for row in contacts(batch)] == [row[1:] for row in EXPECTED]


def test_the_mental_book_tells_diagnoses_by_columns(tmp_path: Path) -> None:
    head = [
        "TT",
        "Họ và tên",
        "Năm sinh",
        "Tâm thần phân liệt",
        "Động kinh",
        "Trầm cảm",
        *(f"Tháng {m}" for m in MONTHS),
    ]
    rows = [["SỔ QUẢN LÝ BỆNH NHÂN TÂM THẦN NĂM 2025"], head, [1, "Lò Văn Mẫu", 1960, None, "x", None, "x"]]
    batch = clean(workbook(tmp_path, {"A": rows}))
    assert batch.diagnoses.select("disease", "icd10").rows() == [("epilepsy", "G40")]
    assert batch.visits["kind"].to_list() == ["refill"]


@pytest.mark.parametrize(
    ("title", "sheet", "file"),
    [
        ("SỔ THA", "2025", "02001_so.xlsx"),
        ("SỔ THA", "A", "02001_so_2025.xlsx"),
        ("SỔ THA, NĂM: 2025", "B", "02001_so_2019.xlsx"),
    ],
    ids=["sheet", "file", "title first"],
)
def test_the_year_stands_above_or_in_a_name(tmp_path: Path, title: str, sheet: str, file: str) -> None:
    path = workbook(tmp_path, {sheet: [[title], [], TOP, SECOND, ONE]}, name=file)
    assert {day.year for day in clean(path).visits["visited_on"]} == {2025}


def test_a_book_without_a_year_is_refused_in_one_line(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"A": [["SỔ THA"], [], TOP, SECOND, ONE]})
    with pytest.raises(InputError, match="no year is told for the months of the table in row 3") as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert "Mẫu" not in str(caught.value)


def test_a_workbook_without_a_book_lists_its_sheets(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sheets Bìa, Trang 2"):
        read(workbook(tmp_path, {"Bìa": [["x"]], "Trang 2": [["Họ và tên"], ["y"]]}))


def test_readings_outside_the_months_have_no_date_and_say_so(tmp_path: Path) -> None:
    rows = [
        [TITLE],
        ["TT", "Họ và tên", "Năm sinh", "Huyết áp", "Tháng 1"],
        [1, "Lò Văn Mẫu", 1960, "190/99", "x"],
    ]
    batch = clean(workbook(tmp_path, {"A": rows}))
    assert batch.visits["sbp"].to_list() == [None]
    assert "undated_reading" in batch.repairs["rule"].to_list()


def test_an_odd_sheet_never_ends_in_anything_but_rows_or_one_line(tmp_path: Path) -> None:
    odd = [
        [TOP],
        [TOP, SECOND],
        [TOP, TOP, TOP],
        [[TITLE], TOP, [None] * 30, ["x"] * 40],
        [[TITLE], TOP, SECOND, [1] * 17, [2.5] * 17, [True] * 17],
        [[TITLE], TOP, SECOND, total("Tổng", *["x"] * 12), total("Tổng", *[10**9] * 12)],
        [
            [TITLE],
            ["TT", "Họ và tên", "Năm sinh", "Tháng 13", "Tháng 0", "Tháng 1"],
            [1, "A", 1960, "x", "x", "x"],
        ],
        [[TITLE], ["Họ và tên", "Họ và tên", "Năm sinh", "Tháng 1"], ["A", "B", 1960, "x"]],
    ]
    for at, rows in enumerate(odd):
        path = workbook(tmp_path, {"A": rows}, name=f"02001_{at}.xlsx")
        try:
            batch = clean(path)
        except InputError as error:
            told = str(error)
        else:
            told = ""
            rows_in, *ends = balance(batch)
            assert rows_in == sum(ends)
        assert "\n" not in told


def test_in_the_registry_a_line_counts_once_and_totals_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "37016_so_2025.xlsx"
    first = [["SỔ THA NĂM 2025 - Mã xã mới: 13597"], [], TOP, SECOND, ONE, TWO, total("Cộng", 2, 2, 1)]
    code = REFERENCE.areas("commune", "2025")["code"][0]
    first[0] = [f"SỔ THA NĂM 2025 - Mã xã mới: {code}"]
    workbook(tmp_path, {"A": first}, name=path.name)
    store = open_store(tmp_path / "store")
    report = store.ingest(path, source="excel_book")
    assert (report.rows_in, report.kept, report.rejected, report.duplicates) == (2, 2, 0, 0)
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
