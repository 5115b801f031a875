"""Writes a filled form as XLSX, set up for print on A4 landscape. Text is never live: no formula, no link."""

from __future__ import annotations

import io
import math
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from ncdsurv.catalog.forms import FormTablePart
from ncdsurv.catalog.vocabulary import month_start
from ncdsurv.errors import UsageError
from ncdsurv.forms.headings import Heading, headings_of
from ncdsurv.forms.table import CellState, FormRow, FormTable

SAFE_WORKBOOK = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
"""xlsxwriter options under which a text that looks like a formula or a link stays a text."""

_A4 = 9
_FONT = {"font_name": "Times New Roman", "font_size": 11}
_BOXED = {**_FONT, "border": 1, "valign": "vcenter"}
_LINE_HEIGHT, _ROW_HEIGHT = 15, 18
_WIDTH_NUMBER, _WIDTH_UNIT, _WIDTH_FIGURE = 5, 34, 10
_WIDTH_NOTES = 105
_CHARACTERS_ACROSS = 160  # of running text over the printed width
_STYLES: dict[str, dict[str, Any]] = {
    "left": _FONT,
    "left_bold": {**_FONT, "bold": True},
    "right": {**_FONT, "align": "center", "italic": True, "font_size": 10, "text_wrap": True},
    "right_bold": {**_FONT, "align": "center", "bold": True},
    "title": {**_FONT, "bold": True, "font_size": 14, "align": "center", "valign": "vcenter"},
    "subtitle": {**_FONT, "align": "center", "italic": True},
    "heading": {**_BOXED, "bold": True, "align": "center", "text_wrap": True, "font_size": 10},
    "numbering": {**_BOXED, "italic": True, "align": "center", "font_size": 9},
    "note": {**_FONT, "font_size": 9, "italic": True, "text_wrap": True, "valign": "top"},
    "warning": {**_FONT, "font_size": 9, "bold": True, "text_wrap": True, "valign": "top"},
    "sign": {**_FONT, "align": "center", "bold": True},
    "sign_small": {**_FONT, "align": "center", "italic": True, "font_size": 10},
    "code": {**_BOXED, "align": "center"},
    "code_bold": {**_BOXED, "align": "center", "bold": True},
    "figure": {**_BOXED, "align": "right", "num_format": "#,##0"},
    "figure_bold": {**_BOXED, "align": "right", "num_format": "#,##0", "bold": True},
    "no_data": _BOXED,
    "blocked": {**_BOXED, "diag_type": 1, "diag_border": 4, "diag_color": "#7F7F7F", "bg_color": "#EDEDED"},
}


def write_form(form: FormTable, path: str | Path) -> Path:
    """Write a filled form as an XLSX file; the file appears under its name only when it is whole.

    Args:
        form: A filled form.
        path: File to write, ending in `.xlsx`; its folder is made if missing.

    Returns:
        The path.

    Raises:
        UsageError: The path does not end in `.xlsx`.
    """
    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise UsageError("a form is written as XLSX", got=target.name, allowed="a file name ending in .xlsx")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        aside.write_bytes(form_bytes(form))
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    return target


def form_bytes(form: FormTable) -> bytes:
    """The XLSX file's bytes; equal forms give equal bytes."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, SAFE_WORKBOOK) as book:
        styles = {name: book.add_format(style) for name, style in _STYLES.items()}
        for depth in range(_deepest(form) + 1):
            styles[f"unit_{depth}"] = book.add_format({**_BOXED, "indent": depth, "text_wrap": True})
            styles[f"unit_{depth}_bold"] = book.add_format(
                {**_BOXED, "indent": depth, "text_wrap": True, "bold": True}
            )
        start = month_start(form.period.first_month)
        book.set_properties(
            {
                "title": f"{form.layout.number[form.lang]} {form.title}",
                "subject": f"{form.area_name}, {form.period}, {form.release_id}",
                "author": "ncdsurv",
                "created": datetime(start.year, start.month, start.day),
            }
        )
        for place, part in enumerate(form.form.tables):
            sheet = book.add_worksheet(part.names[form.lang])
            _Page(form, part, sheet, styles, last=place == len(form.form.tables) - 1).write()
        _write_notes(form, book.add_worksheet(form.form.words["notes_title"][form.lang]), styles)
    return buffer.getvalue()


class _Page:
    """One printed table on its own sheet."""

    def __init__(
        self, form: FormTable, part: FormTablePart, sheet: Any, styles: dict[str, Any], last: bool
    ) -> None:
        self.form, self.part, self.sheet, self.styles, self.last = form, part, sheet, styles, last
        self.words, self.lang = form.form.words, form.lang
        self.width = 2 + len(part.blocks) * len(form.form.measures)

    def word(self, name: str) -> str:
        return self.words[name][self.lang]

    def write(self) -> None:
        top = self._header()
        heads, depth = headings_of(self.form, self.part)
        for head in heads:
            self._heading(top, head)
        numbers = top + depth
        for column in range(self.width):
            self.sheet.write_string(numbers, column, f"({column + 1})", self.styles["numbering"])
        row = numbers + 1
        for item in self.form.rows:
            self._row(row, item)
            row += 1
        row = self._standing(row + 1)
        if self.last:
            self._signatures(row + 1)
        self._print_setup(top, numbers)

    def _across(self, row: int, first: int, last: int, text: str, style: str) -> None:
        if first == last:
            self.sheet.write_string(row, first, text, self.styles[style])
        else:
            self.sheet.merge_range(row, first, row, last, "", self.styles[style])
            self.sheet.write_string(row, first, text, self.styles[style])

    def _header(self) -> int:
        form, middle, end = self.form, self.width // 2 - 1, self.width - 1
        above = ", ".join(form.parents) or "..." * 10
        self._across(0, 0, middle, f"{self.word('parent_unit')}: {above}", "left")
        unit = f"{self.word('reporting_unit')}: {form.area_name} ({form.area_code})"
        self._across(1, 0, middle, unit, "left_bold")
        self._across(0, middle + 1, end, form.layout.number[self.lang], "right_bold")
        self._across(1, middle + 1, end, form.form.instrument[self.lang], "right")
        self._across(3, 0, end, form.title.upper(), "title")
        self.sheet.set_row(3, 22)
        period = f"{self.word('reporting_period')}: {form.period_label}. {self.part.names[self.lang]}"
        self._across(4, 0, end, period, "subtitle")
        return 6

    def _heading(self, top: int, head: Heading) -> None:
        first, last = top + head.row, top + head.row + head.height - 1
        style = self.styles["heading"]
        if head.height > 1 or head.width > 1:
            end = head.column + head.width - 1
            self.sheet.merge_range(first, head.column, last, end, "", style)
        self.sheet.write_string(first, head.column, head.text, style)

    def _row(self, row: int, item: FormRow) -> None:
        bold = "_bold" if item.kind == "sum" or item.depth == 0 else ""
        self.sheet.write_string(row, 0, item.row_code, self.styles[f"code{bold}"])
        self.sheet.write_string(row, 1, item.label, self.styles[f"unit_{item.depth}{bold}"])
        self.sheet.set_row(row, _ROW_HEIGHT)
        inside = {block.id for block in self.part.blocks}
        cells = [cell for cell in self.form.cells() if cell[0] in inside]
        for column, cell in enumerate(cells, start=2):
            state = item.state(cell)
            if state is CellState.FIGURE:
                self.sheet.write_number(row, column, item.figures[cell], self.styles[f"figure{bold}"])
            else:
                self.sheet.write_blank(row, column, None, self.styles[state.value])

    def _standing(self, row: int) -> int:
        unverified = self.form.form.unverified
        for line in [*self.form.standing(), self.word("blank_meaning")]:
            loud = unverified is not None and not self.form.form.verified and unverified[self.lang] in line
            self._across(row, 0, self.width - 1, line, "warning" if loud else "note")
            self.sheet.set_row(row, _LINE_HEIGHT * math.ceil(len(line) / _CHARACTERS_ACROSS))
            row += 1
        return row

    def _signatures(self, row: int) -> None:
        middle, end = self.width // 2 - 1, self.width - 1
        self._across(row, middle + 1, end, self.word("place_date"), "sign_small")
        self._across(row + 1, 0, middle, self.word("prepared_by"), "sign")
        self._across(row + 1, middle + 1, end, self.word("head_of_unit"), "sign")
        self._across(row + 2, 0, middle, self.word("sign"), "sign_small")
        self._across(row + 2, middle + 1, end, self.word("sign"), "sign_small")

    def _print_setup(self, top: int, numbers: int) -> None:
        sheet = self.sheet
        sheet.set_column(0, 0, _WIDTH_NUMBER)
        sheet.set_column(1, 1, _WIDTH_UNIT)
        sheet.set_column(2, self.width - 1, _WIDTH_FIGURE)
        sheet.set_row(numbers - 1, 4 * _LINE_HEIGHT)
        _print_on_a4(self.form, sheet)
        sheet.center_horizontally()
        sheet.repeat_rows(top, numbers)
        sheet.freeze_panes(numbers + 1, 2)


def _write_notes(form: FormTable, sheet: Any, styles: dict[str, Any]) -> None:
    words, lang = form.form.words, form.lang
    lines: list[tuple[str, str]] = [(words["notes_title"][lang], "left_bold")]
    lines += [(note[lang], "note") for note in form.form.notes]
    lines += [(line, "note") for line in form.standing()]
    lines += [(words["checks_title"][lang], "left_bold")]
    for check in form.form.checks:
        failed = [finding for finding in form.findings if finding.check == check.id]
        if not failed:
            lines.append((f"{check.names[lang]}: {words['checks_kept'][lang]}.", "note"))
        lines += [(finding.text, "warning") for finding in failed]
    sheet.set_column(0, 0, _WIDTH_NOTES)
    for row, (line, style) in enumerate(lines):
        sheet.write_string(row, 0, line, styles[style])
        sheet.set_row(row, _LINE_HEIGHT * math.ceil(len(line) / _WIDTH_NOTES))
    _print_on_a4(form, sheet)


def _print_on_a4(form: FormTable, sheet: Any) -> None:
    page = form.form.words["page"][form.lang]
    name = f"{form.form.id} | {form.area_code} | {form.period} | {form.release_id}".replace("&", "&&")
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f'&L&"Times New Roman"&8{name}&R&"Times New Roman"&8{page} &P/&N')
    sheet.hide_gridlines(2)


def _deepest(form: FormTable) -> int:
    return max(row.depth for row in form.rows)
