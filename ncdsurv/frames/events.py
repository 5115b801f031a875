"""What is on record of one person and disease: diagnoses, visits with their readings, death."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from ncdsurv.catalog.vocabulary import month_start
from ncdsurv.frames.known import Known
from ncdsurv.frames.records import PERSON
from ncdsurv.frames.spells import Spells
from ncdsurv.frames.wording import phrase, reading_words
from ncdsurv.spells.rules import UNREAD

Event = tuple[date, str, str, str]


def last_day(spells: Spells) -> date:
    """The last day that is looked at."""
    return date.fromordinal(month_start(spells.last_month + 1).toordinal() - 1)


def diagnosis_events(spells: Spells, person: str, disease: str, lang: str) -> Iterator[Event]:
    """Diagnoses of a disease (or a member of a group), their withdrawals, and the person's death."""
    own = {disease, *spells.catalog.diseases[disease].members}
    end = last_day(spells)
    stated = spells.records.diagnoses.filter(
        (pl.col("record_id") == person) & pl.col("disease").is_in(list(own))
    )
    kinds = {"recorded_on": "diagnosed", "detected_on": "detected", "withdrawn_on": "withdrawn"}
    for row in stated.sort("recorded_on").iter_rows(named=True):
        for column, kind in kinds.items():
            if row[column] is not None and row[column] <= end:
                yield row[column], disease, kind, phrase(f"event.{kind}", lang)
    died = spells.records.persons.filter(pl.col(PERSON) == person)["died_on"][0]
    if died is not None and died <= end:
        yield died, disease, "died", phrase("event.died", lang)


def visit_events(spells: Spells, person: str, disease: str, known: Known, lang: str) -> Iterator[Event]:
    """Every visit of the person, with what it says of the disease; the verdict is the day's."""
    own = {disease, *spells.catalog.diseases[disease].members}
    visits = spells.records.visits.filter(
        (pl.col("record_id") == person) & (pl.col("visited_on") <= last_day(spells))
    )
    counted = [kind.value for kind in spells.catalog.presets[spells.preset].visit_kinds]
    for row in visits.sort("visited_on", "sequence", "row_number").iter_rows(named=True):
        if row["disease"] is not None and row["disease"] not in own:
            continue
        yield row["visited_on"], disease, row["kind"], _visit(spells, row, disease, known, counted, lang)


def _visit(
    spells: Spells, row: dict[str, Any], disease: str, known: Known, counted: list[str], lang: str
) -> str:
    text = phrase(f"event.{row['kind']}", lang)
    if row["facility"]:
        text += " " + phrase("place", lang, facility=row["facility"])
    reading = reading_words(spells.catalog, disease, row, lang)
    day = known.on(disease, row["visited_on"]) if row["kind"] in counted else None
    if day is not None:
        verdict = phrase(f"verdict.{day['day_verdict'] or UNREAD}", lang)
        text += f": {reading}, {verdict}" if reading else f": {verdict}"
        if day["due_day"] is not None:
            text += "; " + phrase("due", lang, day=day["due_day"].isoformat())
    elif reading:
        text += f": {reading}"
    return text
