"""`explain_person`: the story of one person's states, event by event, with the rule behind each change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.vocabulary import CareState, Period, Suspicion, Tenure, month_start
from ncdsurv.errors import UsageError
from ncdsurv.frames.events import VisitWords, diagnosis_events
from ncdsurv.frames.known import Known, known_days
from ncdsurv.frames.reasons import RuleWords
from ncdsurv.frames.records import PERSON
from ncdsurv.frames.spells import Spells, as_spells
from ncdsurv.frames.wording import disease_name, phrase
from ncdsurv.maps.wording import language

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EVENTS = {"date": pl.Date(), "disease": pl.String(), "event": pl.String(), "text": pl.String()}
STATE, OVERDUE = "state", "overdue"


@dataclass(frozen=True, repr=False)
class Story:
    """What happened to one person, in order; prints as text.

    Attributes:
        person_id: The person.
        events: date, disease, event (`state` for a change of state, dated at the month's end), text.
        months: disease, month (index), standing, overdue: the state at the end of every month.
        rows: The person's visits as they were given, in order; `notice` where one only reports a status.
    """

    person_id: str
    spells: Spells
    events: pl.DataFrame
    months: pl.DataFrame
    lang: str
    rows: list[dict[str, Any]]

    @property
    def data(self) -> Any:
        """The events, a frame of the kind the records came in."""
        return self.spells.like(self.events)

    def explain(self, lang: str | None = None) -> str:
        """The story as text, in Vietnamese or English."""
        if lang is not None and lang != self.lang:
            return explain_person(self.spells, self.person_id, lang=lang).explain()
        first, last = (Period.month(m) for m in (self.spells.first_month, self.spells.last_month))
        preset = self.spells.catalog.presets[self.spells.preset].names[self.lang]
        lines = []
        for (disease,), told in self.events.group_by("disease", maintain_order=True):
            name = disease_name(self.spells.catalog, str(disease), self.lang)
            heading = {
                "person": self.person_id,
                "disease": name,
                "preset": preset,
                "first": first,
                "last": last,
            }
            lines.append(phrase("heading", self.lang, **heading))
            lines += [f"  {day:%Y-%m-%d}  {_mark(event)} {text}" for day, event, text in
                      told.select("date", "event", "text").iter_rows()]  # fmt: skip
        return "\n".join(lines) if lines else phrase("nothing", self.lang)

    def __str__(self) -> str:
        return self.explain()

    __repr__ = __str__

    def plot(self, lang: str | None = None) -> Figure:
        """Draw the states month by month, and the visits with their readings.

        Returns:
            A matplotlib Figure, one strip for each disease.
        """
        from ncdsurv.frames.picture import draw_story

        return draw_story(self, language(lang or self.lang))


def _mark(event: str) -> str:
    return "→" if event in (STATE, OVERDUE) else "·"


def explain_person(spells: Spells, person_id: Any, lang: str = "en") -> Story:
    """Tell the story of one person's states: print it, `.plot()` it, or read `.data`.

    Args:
        spells: From `build_spells`.
        person_id: The person, as in the patients' frame.
        lang: `vi` or `en`.

    Returns:
        The story. It shows one person's readings: it is for the eyes of who may see the record.

    Raises:
        UsageError: Nobody of that name (the names known are not listed), or an unknown language.

    >>> import polars as pl
    >>> from ncdsurv.frames import build_spells
    >>> spells = build_spells(
    ...     pl.DataFrame({"person_id": ["A"]}),
    ...     pl.DataFrame({"person_id": ["A"], "disease": ["hypertension"], "recorded_on": ["2024-01-10"]}),
    ...     pl.DataFrame({"person_id": ["A"], "visited_on": ["2024-01-10"], "sbp": [150], "dbp": [95]}),
    ...     first="2024-01", last="2024-06", preset="hearts",
    ... )
    >>> print(explain_person(spells, "A").explain().splitlines()[-1].strip())
    2024-04-30  → missed visit: no visit for 3 months; the last was on 2024-01-10
    """
    spells, lang = as_spells(spells), language(lang)
    whole = isinstance(person_id, float) and person_id.is_integer()  # ids that pandas turned into floats
    person = str(int(person_id) if whole else person_id)
    if spells.bucket.people.filter(pl.col(PERSON) == person).is_empty():
        raise UsageError(
            "unknown person: not among the patients",
            allowed="a person_id of the patients' frame",
            do="see how person_id is written there",
        )
    known = known_days(spells, person)
    found: list[tuple[date, str, str, str]] = []
    months: list[tuple[str, int, str, bool]] = []
    for (disease,), rows in spells.frame.filter(pl.col(PERSON) == person).group_by(
        "disease", maintain_order=True
    ):
        name = str(disease)
        found += diagnosis_events(spells, person, name, lang)
        found += VisitWords(spells, name, known, lang).events()
        found += list(_changes(spells, name, rows, known, lang))
        months += list(_months(name, rows, known))
    order = {STATE: 1, OVERDUE: 2}  # what happened, then what it made of the month
    found.sort(key=lambda event: (event[1], event[0], order.get(event[2], 0)))
    events = pl.DataFrame(found, schema=EVENTS, orient="row")
    schema = {"disease": pl.String(), "month": pl.Int32(), "standing": pl.String(), "overdue": pl.Boolean()}
    by_month = pl.DataFrame(months, schema=schema, orient="row")
    return Story(person, spells, events, by_month, lang, known.rows)


def _changes(
    spells: Spells, disease: str, rows: pl.DataFrame, known: Known, lang: str
) -> Iterator[tuple[date, str, str, str]]:
    """A line wherever the standing changes or the person becomes overdue."""
    words = RuleWords(spells, rows[PERSON][0], disease, known, lang)
    before, degree, late = "", "", False
    for row in rows.sort("from_month").iter_rows(named=True):
        day = date.fromordinal(month_start(row["from_month"] + 1).toordinal() - 1)
        standing = standing_of(row, known, disease)
        # Controlled again on another reading is the same state; only what changes is told.
        if (standing, row["severity"]) != (before, degree):
            yield day, disease, STATE, words.rule(standing, row, before)
        if row["overdue"] and not late:
            yield day, disease, OVERDUE, words.overdue(row)
        before, degree, late = standing, row["severity"], row["overdue"]


def _months(disease: str, rows: pl.DataFrame, known: Known) -> Iterator[tuple[str, int, str, bool]]:
    for row in rows.sort("from_month").iter_rows(named=True):
        for month in range(row["from_month"], row["to_month"] + 1):
            yield disease, month, standing_of(row, known, disease), row["overdue"]


def standing_of(row: dict[str, Any], known: Known, disease: str) -> str:
    """The one word for the state of a spell: its outcome where it has one, else what it is instead."""
    care = row["care_state"]
    if care == CareState.UNDER_CARE:
        return str(row["tenure"] if row["tenure"] == Tenure.NEWLY_ENROLLED else row["outcome"])
    if care in tuple(CareState):
        return str(care)
    if row["suspicion"] != Suspicion.NONE:
        return str(row["suspicion"])
    if row["known_case"]:
        return str(care)
    if known.happened(disease, "withdrawn_month", row["from_month"]):
        return "withdrawn"
    died = known.happened(disease, "death_month", row["from_month"])
    return "died_before_enrolment" if died else "moved_before_enrolment"
