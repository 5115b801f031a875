"""The printed form, read back: headings, merged cells, blanks, page set-up, nothing live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from ncdsurv.errors import UsageError
from ncdsurv.forms import FormTable, fill_form, write_form
from ncdsurv.forms.headings import headings_of
from ncdsurv.forms.xlsx import form_bytes
from tests.small_release import write_release

HEADINGS = 7  # row of the first heading line
NUMBERS = HEADINGS + 4
FIRST_ROW = NUMBERS + 1


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> FormTable:
    release = write_release(tmp_path_factory.mktemp("releases"))
    return fill_form("tt23_2025", "52", "2026-06", release)


@pytest.fixture(scope="module")
def book(form: FormTable, tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    path = write_form(form, tmp_path_factory.mktemp("forms") / "deep" / "form.xlsx")
    return openpyxl.load_workbook(path)


def test_two_tables_and_the_notes(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == ["Bảng 1", "Bảng 2", "Ghi chú"]


def test_headings_are_those_of_the_printed_form(book: openpyxl.Workbook) -> None:
    sheet = book["Bảng 1"]
    assert sheet.cell(HEADINGS, 3).value == "Tăng huyết áp"
    assert sheet.cell(HEADINGS, 8).value == "Đái tháo đường"
    assert sheet.cell(HEADINGS + 1, 3).value == "Phát hiện"
    assert sheet.cell(HEADINGS + 1, 5).value == "Quản lý điều trị"
    leaves = [sheet.cell(HEADINGS + 3, c).value or sheet.cell(HEADINGS + 2, c).value for c in range(3, 8)]
    assert leaves == [
        "Tổng số người được phát hiện",
        "Số người mới phát hiện trong kỳ báo cáo",
        "Tổng số bệnh nhân đang được quản lý",
        "Khám cấp thuốc tháng vừa qua",
        "Điều trị đạt huyết áp mục tiêu",
    ]
    assert sheet.cell(HEADINGS + 3, 12).value == "Điều trị đạt đường máu mục tiêu"
    second = book["Bảng 2"]
    assert second.cell(HEADINGS, 3).value == "Bệnh phổi tắc nghẽn mạn tính và hen phế quản"
    assert second.cell(HEADINGS, 8).value == "Bệnh không lây nhiễm khác"
    assert (
        second.cell(HEADINGS + 3, 7).value == second.cell(HEADINGS + 3, 12).value == "Điều trị đạt hiệu quả"
    )
    assert [second.cell(NUMBERS, c).value for c in (1, 12)] == ["(1)", "(12)"]


def test_headings_cover_every_cell_once(form: FormTable) -> None:
    for part in form.form.tables:
        heads, depth = headings_of(form, part)
        covered = [
            (row, column)
            for head in heads
            for row in range(head.row, head.row + head.height)
            for column in range(head.column, head.column + head.width)
        ]
        assert sorted(covered) == [(row, column) for row in range(depth) for column in range(12)]


def test_figures_stand_in_their_cells_and_blanks_stay_blank(form: FormTable, book: openpyxl.Workbook) -> None:
    for sheet, part in zip(book.worksheets, form.form.tables):
        cells = [(block.id, measure.id) for block in part.blocks for measure in form.form.measures]
        for place, row in enumerate(form.rows, start=FIRST_ROW):
            assert sheet.cell(place, 2).value == row.label
            assert [sheet.cell(place, c).value for c in range(3, 13)] == [row.figures.get(x) for x in cells]


def test_blocked_cells_are_hatched(form: FormTable, book: openpyxl.Workbook) -> None:
    place = FIRST_ROW + [row.label for row in form.rows].index("Cấp tỉnh")
    blocked, no_data = book["Bảng 1"].cell(place, 3), book["Bảng 1"].cell(place, 5)
    assert blocked.border.diagonalUp
    assert not no_data.border.diagonalUp


def test_page_is_set_up_for_print(book: openpyxl.Workbook) -> None:
    sheet = book["Bảng 1"]
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.page_setup.paperSize == 9
    assert sheet.print_title_rows == f"${HEADINGS}:${NUMBERS}"
    assert "2026-06-small" in sheet.oddFooter.left.text


def test_signatures_stand_once_and_the_standing_on_each_table(book: openpyxl.Workbook) -> None:
    texts = {
        sheet.title: [str(c.value) for row in sheet.iter_rows() for c in row if c.value is not None]
        for sheet in book.worksheets
    }
    assert "THỦ TRƯỞNG ĐƠN VỊ" not in texts["Bảng 1"]
    assert "THỦ TRƯỞNG ĐƠN VỊ" in texts["Bảng 2"]
    for title in ("Bảng 1", "Bảng 2"):
        assert any("2026-06-small" in text for text in texts[title])
        assert any("CHƯA ĐỐI CHIẾU" in text for text in texts[title])
    assert any("đạt." in text for text in texts["Ghi chú"])


def test_text_that_looks_like_a_formula_stays_text(form: FormTable, tmp_path: Path) -> None:
    hostile = replace(
        form,
        area_name="=HYPERLINK(1)",
        rows=(
            *(replace(row, label="=1+1") for row in form.rows[:-1]),
            replace(form.rows[-1], label="https://example.org"),
        ),
    )
    book = openpyxl.load_workbook(write_form(hostile, tmp_path / "hostile.xlsx"))
    kinds = {c.data_type for sheet in book for row in sheet.iter_rows() for c in row}
    assert "f" not in kinds
    assert not any(c.hyperlink for sheet in book for row in sheet.iter_rows() for c in row)
    assert book["Bảng 1"].cell(FIRST_ROW, 2).value == "=1+1"


def test_equal_forms_give_equal_bytes(form: FormTable) -> None:
    assert form_bytes(form) == form_bytes(form)


def test_a_form_is_not_written_under_another_ending(form: FormTable, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ending in \.xlsx"):
        write_form(form, tmp_path / "form.pdf")
    assert list(tmp_path.iterdir()) == []
