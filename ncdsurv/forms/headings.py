"""The merged headings of a printed table, from the definition's blocks, groups and measures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ncdsurv.catalog.forms import FormBlock, FormMeasure, FormTablePart
from ncdsurv.forms.table import FormTable

DEPTH = 4  # block, group, "of which", measure


@dataclass(frozen=True)
class Heading:
    """A heading cell: its place, counted from the headings' own top left corner, its size and its text."""

    row: int
    column: int
    height: int
    width: int
    text: str


def headings_of(form: FormTable, part: FormTablePart) -> tuple[list[Heading], int]:
    """The headings of one printed table and the number of rows they take.

    Args:
        form: The filled form (for its language and words).
        part: The table.

    Returns:
        Headings that cover every cell above the figures exactly once, and the number of heading rows.
    """
    words, lang = form.form.words, form.lang
    heads = [
        Heading(0, 0, DEPTH, 1, words["number"][lang]),
        Heading(0, 1, DEPTH, 1, words["unit"][lang]),
    ]
    column = 2
    for block in part.blocks:
        heads += _of_block(form, block, column)
        column += len(form.form.measures)
    return heads, DEPTH


def _of_block(form: FormTable, block: FormBlock, column: int) -> Iterator[Heading]:
    lang = form.lang
    group_names = {group.id: group.names[lang] for group in form.form.groups}
    yield Heading(0, column, 1, len(form.form.measures), block.names[lang])
    for group_id, members in _runs(form.form.measures, "group"):
        yield Heading(1, column, 1, len(members), group_names[group_id])
        for of_which, run in _runs(members, "of_which"):
            if of_which:
                yield Heading(2, column, 1, len(run), form.form.words["of_which"][lang])
            for measure in run:
                text = (measure.names or block.target)[lang]
                yield Heading(3, column, 1, 1, text) if of_which else Heading(2, column, 2, 1, text)
                column += 1


def _runs(measures: Iterable[FormMeasure], field: str) -> Iterator[tuple[str, list[FormMeasure]]]:
    for value, run in groupby(measures, key=lambda item: getattr(item, field)):
        yield value, list(run)
