"""Why a person is in a state: the rule behind each change, with the preset's own numbers and the person's own days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.vocabulary import CareState, Outcome, Severity, Suspicion, month_label
from ncdsurv.frames.readings import REPORTED, deciding, hidden, target_of, whole_reading
from ncdsurv.frames.wording import limit_words, months_words, phrase, state_name

if TYPE_CHECKING:
    from ncdsurv.frames.known import Known
    from ncdsurv.frames.spells import Spells

_AWAY = (CareState.LOST_TO_FOLLOW_UP, CareState.TRANSFERRED_OUT)
_DEGREES = (Severity.MODERATE, Severity.SEVERE)
_JUDGED = (Outcome.CONTROLLED, Outcome.UNCONTROLLED)


class RuleWords:
    """Says why a person is in a state.

    Args:
        spells: The spells told about.
        person: The person told about.
        disease: The disease told about.
        known: Of the person.
        lang: `vi` or `en`.
    """

    def __init__(self, spells: Spells, person: str, disease: str, known: Known, lang: str) -> None:
        self.spells, self.person, self.disease, self.known, self.lang = spells, person, disease, known, lang
        self.catalog, self.preset = spells.catalog, spells.catalog.presets[spells.preset]
        self.target = target_of(self.catalog, self.preset, disease)

    def rule(self, standing: str, row: dict[str, Any], before: str) -> str:
        """State and rule: `missed visit: no visit for 3 months; the last was on 2024-01-10`.

        Args:
            standing: From `standing_of`.
            row: The spell.
            before: The standing of the spell before; empty for the first.
        """
        at = self.known.at(self.disease, row["from_month"])
        which, more = self._which(standing, at)
        told = phrase(f"state.{standing}.{which}", self.lang, **self._parts(row, at), **more)
        name = state_name(standing, self.lang)
        if standing == Outcome.UNCONTROLLED and row["severity"] in _DEGREES:
            name += ", " + phrase(f"degree.{row['severity']}", self.lang)
        if before in _AWAY and row["care_state"] == CareState.UNDER_CARE:
            told += "; " + phrase(
                f"back.{before}", self.lang, visited_on=_iso(at["visit_day"] if at else None)
            )
        return f"{name}: {told}"

    def overdue(self, row: dict[str, Any]) -> str:
        """That the person is overdue, and since when a visit was due."""
        at = self.known.at(self.disease, row["from_month"])
        due = at["due_day"] if at else None
        said = phrase("overdue", self.lang)
        if due is None:
            return said
        grace = self.preset.overdue_grace_days
        told = f"{said}: {phrase('was_due', self.lang, day=due.isoformat())}"
        return f"{told}; {phrase('grace', self.lang, days=grace)}" if grace else told

    def _parts(self, row: dict[str, Any], at: dict[str, Any] | None) -> dict[str, str]:
        none, since = phrase("none", self.lang), row["months_since_enrolment"]
        enrolled = None if since is None else row["from_month"] - since
        preset = self.preset
        return {
            "window": months_words(preset.outcome_window_months, self.lang),
            "buffer": months_words(preset.enrolment_buffer_months, self.lang),
            "lost_after": months_words(preset.lost_after_months, self.lang),
            "enrolled_in": none if enrolled is None else month_label(enrolled),
            "judged_from": none
            if enrolled is None
            else month_label(enrolled + preset.enrolment_buffer_months),
            "visited_on": _iso(at["visit_day"]) if at else none,
            "told_on": _iso(at["day"]) if at else none,
            "read_on": _iso(at["read_day"]) if at else none,
            "died_on": _iso(self.spells.records.persons.filter(person_id=self.person)["died_on"][0]),
        }

    def _which(self, standing: str, at: dict[str, Any] | None) -> tuple[str, dict[str, str]]:
        """Which of a standing's rules holds, and what that rule speaks of besides."""
        if standing in _JUDGED:
            limits = self._limits(at)
            return ("rule", {"limits": limits}) if limits else ("reported", {})
        if standing == Outcome.VISITED_UNMEASURED and self.target is None:
            return "reported", {}
        if standing == Outcome.VISITED_UNMEASURED and self.preset.reading == "last_visit":
            return "last_visit", {}
        if standing in (Outcome.MISSED_VISIT, CareState.LOST_TO_FOLLOW_UP) and not (at and at["visit_day"]):
            return "never", {}
        if standing in (Suspicion.AT_RISK, Suspicion.SUSPECTED):
            return "rule", self._suspicion(standing)
        return "rule", {}

    def _limits(self, at: dict[str, Any] | None) -> str:
        """The limits that the deciding reading was held against; empty where the facility's word decided."""
        rows = [
            row for row in self.known.rows if at and row["visited_on"] == at["read_day"] and not row["notice"]
        ]
        counted = [row for row in rows if row["kind"] in self.preset.visit_kinds]
        said = [deciding(self.catalog, self.preset, self.disease, row) for row in counted]
        kind = next((one for one in reversed(said) if one is not None), REPORTED)
        if kind == REPORTED or self.target is None:
            return ""
        columns = self.catalog.measurements[self.target.measurement].readings[kind].columns
        return limit_words(self.catalog, self.target.readings[kind], kind, columns, self.lang)

    def _suspicion(self, standing: str) -> dict[str, str]:
        """The first reading, at a contact of any kind, that lies beyond the limit, and the limit."""
        own = self.catalog.diseases[self.disease]
        limits = own.below_suspected if standing == Suspicion.SUSPECTED else own.below_at_risk
        readings = self.catalog.measurements[str(own.measurement)].readings
        for row in self.known.rows:
            for kind, limit in limits.items():
                columns = readings[kind].columns
                usable = all(row[column] is not None for column in columns) and readings[kind].where.holds(
                    row
                )
                if usable and not hidden(self.catalog, row) and not limit.holds(row):
                    return {
                        "read_day": row["visited_on"].isoformat(),
                        "reading": whole_reading(self.catalog, self.disease, kind, row, self.lang),
                        "limits": limit_words(self.catalog, limit, kind, columns, self.lang),
                    }
        return {"read_day": phrase("none", self.lang), "reading": "", "limits": ""}


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
