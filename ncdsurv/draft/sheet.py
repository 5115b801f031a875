"""Drafts one sheet: its layout, its columns, a field for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ncdsurv.catalog.sources import FIELDS
from ncdsurv.draft.codes import private_words, propose_codes
from ncdsurv.draft.layout import Layout, find_layout, is_value
from ncdsurv.draft.propose import Proposal, Unplaced, propose
from ncdsurv.draft.result import FieldDraft
from ncdsurv.draft.shapes import Column, days_of, read_columns
from ncdsurv.draft.spelling import describe_dates, unit_of, vintage_of
from ncdsurv.draft.words import Words
from ncdsurv.ingest.headers import fold

_NAMES_PEOPLE = frozenset(
    ("name", "address", "citizen_id", "insurance_number", "phone", "source_patient_id", "birth_date", "drugs")
)
_DATES = frozenset(("birth_date", "visited_on", "detected_on", "next_visit_on"))
_MANY = 20


@dataclass(frozen=True)
class Sheet:
    """What one sheet gave.

    Attributes:
        name: Its name.
        layout: Where its table stands.
        fields: Its fields.
        unplaced: Its other columns.
        continued: Rows that go on with the visit above.
    """

    name: str
    layout: Layout
    fields: tuple[FieldDraft, ...]
    unplaced: tuple[str, ...]
    continued: int


def draft_sheet(
    name: str, rows: Sequence[Sequence[Any]], words: Words, catalog: Any, communes: dict[str, frozenset[str]]
) -> Sheet | None:
    """Draft one sheet.

    Args:
        name: Name of the sheet.
        rows: Its cells.
        words: Known names and codes.
        catalog: Plausible limits.
        communes: Known commune codes by vintage.

    Returns:
        The sheet's draft, or None when it holds no table.
    """
    layout = find_layout(rows, words)
    if layout is None:
        return None
    every = frozenset().union(*communes.values())
    columns = read_columns(layout.labels, layout.body, words, catalog, every)
    proposals, unplaced = propose(columns, words)
    people = [p.column for p in proposals if p.field in _NAMES_PEOPLE]
    people += [u.column for u in unplaced if len(set(u.column.cells)) > _MANY]
    private = private_words(people)
    visits = next((days_of(one.column) for one in proposals if one.field == "visited_on"), [])
    twice = _not_alone(layout.labels)
    fields = tuple(_field(one, words, private, twice, catalog, communes, visits) for one in proposals)
    return Sheet(
        name, layout, fields, tuple(_told(one, name) for one in unplaced), _continued(proposals, layout.body)
    )


def _not_alone(labels: Sequence[str]) -> frozenset[str]:
    """Folded labels that name no column alone, because another column has the same."""
    folded = [fold(label) for label in labels if label]
    return frozenset(text for text in folded if folded.count(text) > 1) | {""}


def shown(column: Column) -> str:
    """How a column is called in messages: its header where that is surely one, and its letter."""
    return f"column {column.letter} {column.label!r}" if is_label(column.label) else f"column {column.letter}"


def is_label(label: str) -> bool:
    """Whether a header may be written down."""
    return bool(label) and not is_value(label)


def _told(one: Unplaced, sheet: str) -> str:
    return f"{shown(one.column)}: {one.why}"


def _field(
    one: Proposal,
    words: Words,
    private: frozenset[str],
    twice: frozenset[str],
    catalog: Any,
    communes: dict[str, frozenset[str]],
    visits: Sequence[date | None],
) -> FieldDraft:
    column, remarks = one.column, []
    named = is_label(column.label) and fold(column.label) not in twice
    settings: dict[str, str] = {}
    values: dict[str, tuple[str, ...]] = {}
    if FIELDS[one.field]:
        listed = words.lists.get(one.field, {}).get(fold(column.label))
        settings |= {"code_list": listed} if listed else {}
        codes = propose_codes(one.field, column, one.header, words, private, catalog.code_lists.get(listed))
        values = codes.values
        if codes.untold:
            remarks.append(
                f"TO FILL: put into one of {', '.join(FIELDS[one.field] or ())}: {', '.join(map(repr, codes.untold))}"
            )
        if codes.hidden:
            remarks.append(f"{codes.hidden} different cells are no known code and too rare to be shown here")
    if one.field in _DATES:
        spelling, needed = describe_dates(column)
        settings |= needed
        remarks += [spelling] if spelling else []
    unit, told = unit_of(one.field, column, catalog)
    settings |= {"unit": unit} if unit else {}
    remarks += [told] if told else []
    if one.field == "commune":
        vintage = vintage_of(column, visits, communes)
        settings |= {"vintage": vintage} if vintage else {}
    shape = f", cells {one.shape:.0%}" if one.shape is not None else ""
    return FieldDraft(
        one.field,
        (re.sub(r"\s+", " ", column.label),) if named else (f"column:{column.letter}",),
        round(one.confidence, 2),
        f"{one.confidence:.2f}: header {one.header:.2f}{shape}; {column.filled / max(1, column.rows):.0%} filled",
        values,
        settings,
        remarks=tuple(remarks),
    )


def _continued(proposals: Sequence[Proposal], body: Sequence[Sequence[str | None]]) -> int:
    """Rows under a visit that have neither its date nor its person, but something of the visit."""
    places = {one.field: one.column.place for one in proposals}
    if "visited_on" not in places:
        return 0
    silent = [
        places[name]
        for name in (
            "visited_on",
            "name",
            "source_patient_id",
            "citizen_id",
            "insurance_number",
            "birth_date",
        )
        if name in places
    ]
    rest = [place for place in places.values() if place not in silent]

    def cell(row: Sequence[str | None], place: int) -> bool:
        return place < len(row) and bool((row[place] or "").strip())

    count, after_visit = 0, False
    for row in body:
        going_on = not any(cell(row, place) for place in silent)
        something = any(cell(row, place) for place in rest)
        count += after_visit and going_on and something
        after_visit = cell(row, places["visited_on"]) or (after_visit and going_on and something)
    return count
