"""A filled form as an HTML table, for notebooks and reports. No outside address; text is escaped."""

from __future__ import annotations

from html import escape

from ncdsurv.catalog.forms import FormTablePart
from ncdsurv.forms.headings import Heading, headings_of
from ncdsurv.forms.table import CellState, FormRow, FormTable

_BORDER = "border:1px solid #444;padding:2px 6px;"
_BLOCKED = _BORDER + "background:repeating-linear-gradient(135deg,#eee,#eee 4px,#bbb 4px,#bbb 5px)"


def to_html(form: FormTable) -> str:
    """The form's tables with merged headings, blocked cells hatched, and what it rests on beneath."""
    lang, words = form.lang, form.form.words
    head = (
        f"<p><b>{escape(form.layout.number[lang])}</b> · {escape(form.form.instrument[lang])}<br>"
        f"<b>{escape(form.title)}</b><br>{escape(form.area_name)} ({escape(form.area_code)}) · "
        f"{escape(form.period_label)}</p>"
    )
    tables = "".join(_table(form, part) for part in form.form.tables)
    told = [*form.standing(), words["blank_meaning"][lang], *(finding.text for finding in form.findings)]
    return f"<div>{head}{tables}<p><small>{'<br>'.join(map(escape, told))}</small></p></div>"


def _table(form: FormTable, part: FormTablePart) -> str:
    heads, depth = headings_of(form, part)
    rows = "".join(
        f"<tr>{''.join(_heading(head) for head in sorted(heads, key=_place) if head.row == row)}</tr>"
        for row in range(depth)
    )
    body = "".join(_row(form, part, row) for row in form.rows)
    caption = escape(part.names[form.lang])
    style = "border-collapse:collapse;margin:0 0 1em"
    return f'<table style="{style}"><caption>{caption}</caption><thead>{rows}</thead><tbody>{body}</tbody></table>'


def _place(head: Heading) -> tuple[int, int]:
    return head.row, head.column


def _heading(head: Heading) -> str:
    span = f'rowspan="{head.height}" colspan="{head.width}"'
    return f'<th scope="col" {span} style="{_BORDER}text-align:center">{escape(head.text)}</th>'


def _row(form: FormTable, part: FormTablePart, row: FormRow) -> str:
    weight = f"font-weight:{'bold' if row.kind == 'sum' or row.depth == 0 else 'normal'};"
    label = f"{_BORDER}{weight}text-align:left;white-space:nowrap;padding-left:{6 + 12 * row.depth}px"
    cells = [
        f'<td style="{_BORDER}{weight}text-align:center">{escape(row.row_code)}</td>',
        f'<th scope="row" style="{label}">{escape(row.label)}</th>',
    ]
    inside = {block.id for block in part.blocks}
    for cell in form.cells():
        if cell[0] in inside:
            blocked = row.state(cell) is CellState.BLOCKED
            style = _BLOCKED if blocked else f"{_BORDER}{weight}text-align:right"
            count = row.figures.get(cell)
            cells.append(f'<td style="{style}">{"" if count is None else count}</td>')
    return f"<tr>{''.join(cells)}</tr>"
