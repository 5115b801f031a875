"""The form in a notebook: same figures, blank cells blank, nothing live, nothing from outside."""

from __future__ import annotations

from dataclasses import replace

import lxml.html
import pytest

from ncdsurv.forms import FormTable, fill_form
from tests.small_release import write_release


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> FormTable:
    release = write_release(tmp_path_factory.mktemp("releases"))
    return fill_form("tt23_2025", "52", "2026-06", release)


def test_tables_hold_the_figures_of_the_form(form: FormTable) -> None:
    tables = lxml.html.fromstring(form._repr_html_()).findall(".//table")
    assert len(tables) == len(form.form.tables)
    for table, part in zip(tables, form.form.tables):
        cells = [(block.id, measure.id) for block in part.blocks for measure in form.form.measures]
        for shown, row in zip(table.findall(".//tbody/tr"), form.rows, strict=True):
            texts = [cell.text_content() for cell in shown]
            assert texts[:2] == [row.row_code, row.label]
            assert texts[2:] == [str(row.figures.get(cell, "")) for cell in cells]


def test_headings_fill_each_line(form: FormTable) -> None:
    table = lxml.html.fromstring(form._repr_html_()).find(".//table")
    area = sum(int(head.get("rowspan")) * int(head.get("colspan")) for head in table.findall(".//thead//th"))
    assert area == 4 * 12


def test_text_is_escaped_and_nothing_comes_from_outside(form: FormTable) -> None:
    hostile = replace(form, area_name="<script>alert(1)</script>")
    text = hostile._repr_html_()
    assert "<script" not in text
    assert "http" not in text.replace(form.form.instrument["vi"], "")


def test_a_form_is_short_in_a_message(form: FormTable) -> None:
    assert repr(form) == (
        "FormTable('tt23_2025', area='52', period='2026-06', release='2026-06-small', 10 rows, 0 findings)"
    )
