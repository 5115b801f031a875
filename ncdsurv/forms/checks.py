"""Checks a filled form must keep: the rules are data, the kinds of rule are the functions here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ncdsurv.catalog.forms import FormCheck
from ncdsurv.forms.counts import add_up
from ncdsurv.forms.table import Cell, Finding, FormRow, FormTable


def run_checks(table: FormTable, unit_total: Mapping[Cell, int]) -> list[Finding]:
    """Every finding of every check of the form.

    Args:
        table: The filled form.
        unit_total: Figures of the reporting unit counted apart from the rows.

    Returns:
        Findings in the order of the form's checks, then of its rows; empty when all are kept.
    """
    return [found for check in table.form.checks for found in _KINDS[check.kind](table, check, unit_total)]


def _at_most(table: FormTable, check: FormCheck, _: Mapping[Cell, int]) -> Iterator[Finding]:
    assert check.left is not None
    assert check.right is not None
    for row in table.rows:
        for block in table.form.blocks:
            left, right = row.figures.get((block.id, check.left)), row.figures.get((block.id, check.right))
            if left is not None and right is not None and left > right:
                yield _finding(table, check, row, block.id, left, right, ">")


def _rows_add_up(table: FormTable, check: FormCheck, unit_total: Mapping[Cell, int]) -> Iterator[Finding]:
    holders = [row for row in table.rows if row.kind == "area"]
    summed = add_up(row.figures for row in holders)
    for cell in table.cells():
        left, right = summed.get(cell), unit_total.get(cell)
        if left != right:
            yield _finding(table, check, table.rows[0], cell[0], left, right, "≠")


def _blocked_empty(table: FormTable, check: FormCheck, _: Mapping[Cell, int]) -> Iterator[Finding]:
    for row in table.rows:
        for cell, count in row.figures.items():
            if cell[1] in row.blocked:
                yield _finding(table, check, row, cell[0], count, None, "≠")


_KINDS: dict[str, Callable[[FormTable, FormCheck, Mapping[Cell, int]], Iterator[Finding]]] = {
    "at_most": _at_most,
    "rows_add_up": _rows_add_up,
    "blocked_empty": _blocked_empty,
}


def _finding(
    table: FormTable,
    check: FormCheck,
    row: FormRow,
    block_id: str,
    left: int | None,
    right: int | None,
    sign: str,
) -> Finding:
    block = next(item for item in table.form.blocks if item.id == block_id)
    show = ["-" if number is None else str(number) for number in (left, right)]
    text = f"{check.names[table.lang]}: {row.label}, {block.names[table.lang]}: {show[0]} {sign} {show[1]}"
    return Finding(check.id, text, row.label, block_id, left, right)
