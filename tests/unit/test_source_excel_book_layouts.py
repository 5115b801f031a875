"""Yearly books as people keep them: odd layouts, remarks, several tables, and what cannot be read is told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from ncdsurv.errors import InputError
from tests.book_support import (
    EXPECTED,
    MONTHS,
    ONE,
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
    read,
    total,
    workbook,
)


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
    with pytest.raises(InputError, match="got sheet 1, sheet 2;"):
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


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ([3, None, None, None, None, "x"], "identity_missing"),
        ([3, None, None, None, "Thôn Mẫu"], "no_month_marked"),
        ([None, "Lò Văn Khác", None, None, None, "x"], "birth_date_missing"),
    ],
    ids=["number and mark", "number and address", "name and mark"],
)
def test_a_line_that_lacks_the_person_is_explained_even_below_the_signatures(
    tmp_path: Path, row: list[Any], rule: str
) -> None:
    for lines in ((ONE, row, TWO), (ONE, TWO, *SIGNED, row)):
        batch = clean(book_of(tmp_path, *lines))
        assert balance(batch) == (3, 2, 1, 0)
        assert batch.rejects["rule"].to_list() == [rule]


def test_printed_numbers_on_empty_lines_are_no_lines(tmp_path: Path) -> None:
    assert balance(clean(book_of(tmp_path, ONE, TWO, [3], [4], [5]))) == (2, 2, 0, 0)


def test_a_book_of_endless_continuations_ends(tmp_path: Path) -> None:
    below = [[*[None] * 5, f"1{n % 90 + 10}/80"] for n in range(3000)]
    batch = read(book_of(tmp_path, ONE, *below, total("Cộng", 9), merged=False))
    assert batch.frame["row_number"].n_unique() > 1
    assert batch.totals["reported"].to_list() == [9]
