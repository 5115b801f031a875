"""What is on record of one person and disease: diagnoses, visits with their readings, death."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from ncdsurv.catalog.vocabulary import PatientStatus, month_index, month_start
from ncdsurv.frames.known import Known
from ncdsurv.frames.readings import REPORTED, deciding, own_names, reading_words, speaks, target_of
from ncdsurv.frames.records import PERSON
from ncdsurv.frames.spells import Spells
from ncdsurv.frames.wording import disease_name, phrase
from ncdsurv.spells.rules import UNREAD

Event = tuple[date, str, str, str]
NOTICE_EVENT = "notice"


def last_day(spells: Spells) -> date:
    """The last day that is looked at."""
    return date.fromordinal(month_start(spells.last_month + 1).toordinal() - 1)


def diagnosis_events(spells: Spells, person: str, disease: str, lang: str) -> Iterator[Event]:
    """Diagnoses of a disease (or a member of a group), their withdrawals, and the person's death."""
    own, end = own_names(spells.catalog, disease), last_day(spells)
    stated = spells.records.diagnoses.filter(
        (pl.col("record_id") == person) & pl.col("disease").is_in(list(own))
    )
    kinds = {"detected_on": "detected", "recorded_on": "diagnosed", "withdrawn_on": "withdrawn"}
    for row in stated.sort("recorded_on").iter_rows(named=True):
        of = f" ({disease_name(spells.catalog, row['disease'], lang)})" if row["disease"] != disease else ""
        for column, kind in kinds.items():
            if row[column] is not None and row[column] <= end:
                yield row[column], disease, kind, phrase(f"event.{kind}", lang) + of
    died = spells.records.persons.filter(pl.col(PERSON) == person)["died_on"][0]
    if died is not None and died <= end:
        yield died, disease, "died", phrase("event.died", lang)


class VisitWords:
    """Every visit of a person, with what it says of one disease.

    Args:
        spells: The spells told about.
        disease: The disease told about.
        known: Of the person.
        lang: `vi` or `en`.
    """

    def __init__(self, spells: Spells, disease: str, known: Known, lang: str) -> None:
        self.spells, self.disease, self.known, self.lang = spells, disease, known, lang
        self.catalog, self.preset = spells.catalog, spells.catalog.presets[spells.preset]
        self.measured = target_of(self.catalog, self.preset, disease) is not None

    def events(self) -> Iterator[Event]:
        """One line for each visit; a visit for another disease is a contact for this one too."""
        for row in self.known.rows:
            if row["visited_on"] <= last_day(self.spells):
                if not row["notice"]:
                    yield row["visited_on"], self.disease, row["kind"], self._visit(row)
                elif speaks(self.catalog, self.disease, row):
                    yield row["visited_on"], self.disease, NOTICE_EVENT, self._notice(row)

    def _visit(self, row: dict[str, Any]) -> str:
        mine = speaks(self.catalog, self.disease, row)
        text = phrase(f"event.{row['kind']}", self.lang)
        if not mine:
            text += " " + phrase(
                "for_disease", self.lang, disease=disease_name(self.catalog, row["disease"], self.lang)
            )
        text += self._place(row)
        if mine and row["patient_status"] not in (None, PatientStatus.MANAGED):
            text += ", " + phrase(f"status.{row['patient_status']}", self.lang)
        said = [reading_words(self.catalog, self.disease, row, self.lang), *self._judged(row, mine)]
        told = ", ".join(part for part in said if part)
        text = f"{text}: {told}" if told else text
        after = self._after_death(row)
        return "; ".join(part for part in (text, self._due(row), after) if part)

    def _after_death(self, row: dict[str, Any]) -> str:
        """That a visit is dated when the person was dead: a slip, or somebody else's errand."""
        before = month_index(row["visited_on"]) - 1
        dead = self.known.happened(self.disease, "death_month", before)
        return phrase("after_death", self.lang) if dead else ""

    def _notice(self, row: dict[str, Any]) -> str:
        said = phrase(f"status.{row['patient_status']}", self.lang)
        text = phrase("event.notice", self.lang, status=said, place=self._place(row))
        unheard = row["patient_status"] == PatientStatus.TRANSFERRED_OUT and not row["believed"]
        return f"{text}; {phrase('not_believed', self.lang)}" if unheard else text

    def _place(self, row: dict[str, Any]) -> str:
        return " " + phrase("place", self.lang, facility=row["facility"]) if row["facility"] else ""

    def _of_the_day(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        """The counted contacts of a contact's day, in order."""
        day = [r for r in self.known.rows if r["visited_on"] == row["visited_on"] and not r["notice"]]
        return [r for r in day if r["kind"] in self.preset.visit_kinds]

    def _judged(self, row: dict[str, Any], mine: bool) -> Iterator[str]:
        """The verdict of a day, told once, where there is one to be told: only people in care are judged."""
        day = self.known.on(self.disease, row["visited_on"])
        counted = row["kind"] in self.preset.visit_kinds
        if day is None or not counted or not self.known.in_care(self.disease, row["visited_on"]):
            return
        telling = [r for r in self._of_the_day(row) if deciding(self.catalog, self.preset, self.disease, r)]
        if not telling:
            if mine or self.measured:
                yield phrase(f"verdict.{UNREAD}" if self.measured else "unreported", self.lang)
        elif row is telling[-1]:
            why = [phrase(f"same_day.{self.preset.same_day}", self.lang)] if len(telling) > 1 else []
            if deciding(self.catalog, self.preset, self.disease, row) == REPORTED:
                why.insert(0, phrase("as_reported", self.lang))
            verdict = phrase(f"verdict.{day['day_verdict']}", self.lang)
            yield f"{verdict} ({', '.join(why)})" if why else verdict

    def _due(self, row: dict[str, Any]) -> str:
        """The day due again, told with the last contact of a day that speaks of the disease."""
        day = self.known.on(self.disease, row["visited_on"])
        told = [r for r in self._of_the_day(row) if speaks(self.catalog, self.disease, r)]
        in_care = self.known.in_care(self.disease, row["visited_on"])
        if day is None or day["due_day"] is None or not in_care or not told or row is not told[-1]:
            return ""
        return phrase("due", self.lang, day=day["due_day"].isoformat())
