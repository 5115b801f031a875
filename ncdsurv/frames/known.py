"""What the engine knew of one person after each counted visit day: the facts behind a state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from ncdsurv.catalog.vocabulary import month_index
from ncdsurv.frames.records import PERSON
from ncdsurv.frames.spells import Spells
from ncdsurv.spells.history import OUT, number_cases, visit_days
from ncdsurv.spells.layout import NEVER, NOTICE, Bucket
from ncdsurv.spells.rules import preset_rules

_EPOCH = date(1970, 1, 1)
_MONTHS = ("withdrawn_month", "enrolled_month", "death_month")


@dataclass(frozen=True)
class Known:
    """Facts of one person.

    Attributes:
        rows: The person's visits as they were given, in the engine's order, each with `notice` (it only reports a
            status: nobody was seen) and `believed` (that status holds).
        days: Disease -> one row per day with a counted visit or a notice, in order, with the state after it.
        months: Disease -> withdrawn_month, enrolled_month, death_month; None where there is none.
    """

    rows: list[dict[str, Any]]
    days: dict[str, list[dict[str, Any]]]
    months: dict[str, dict[str, int | None]]

    def at(self, disease: str, month: int) -> dict[str, Any] | None:
        """What was known at a month's end, or None."""
        rows = [row for row in self.days.get(disease, []) if row["month"] <= month]
        return rows[-1] if rows else None

    def on(self, disease: str, day: date) -> dict[str, Any] | None:
        """The counted visit day itself, or None."""
        return next((row for row in self.days.get(disease, []) if row["visit_day"] == day), None)

    def moved(self, disease: str, month: int) -> bool:
        """Whether the last that was told by a month's end is a move away."""
        at = self.at(disease, month)
        return at is not None and at["visit_status"] == OUT

    def happened(self, disease: str, what: str, month: int) -> bool:
        """Whether one of `months` has come by a month's end."""
        when = self.months[disease][what]
        return when is not None and when <= month

    def in_care(self, disease: str, day: date) -> bool:
        """Whether a contact of that day is one of somebody enrolled, alive, with a diagnosis that stands."""
        month = month_index(day)
        gone = self.happened(disease, "withdrawn_month", month) or self.happened(
            disease, "death_month", month - 1
        )
        return self.happened(disease, "enrolled_month", month) and not gone


def known_days(spells: Spells, person: str) -> Known:
    """Run the engine's reference over one person's contacts."""
    one = _only(spells.bucket, person)
    rules, judged = preset_rules(spells.catalog, [spells.preset])
    cases = number_cases(one, spells.first_month)
    names = list(spells.catalog.diseases)
    days = visit_days(one.contacts.with_columns(judged), cases, rules[0]).join(
        cases.select("case", "disease"), on="case"
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in days.sort("case", "day").iter_rows(named=True):
        named = {name: _day(value) if _is_day(name) else value for name, value in row.items()}
        found.setdefault(names[row["disease"]], []).append(named)
    months = {
        names[row["disease"]]: {name: row[name] if row[name] < NEVER else None for name in _MONTHS}
        for row in cases.iter_rows(named=True)
    }
    return Known(_rows(spells, person, one), found, months)


def _rows(spells: Spells, person: str, one: Bucket) -> list[dict[str, Any]]:
    """The visits as given, beside what the layout made of each: both are in the same order."""
    visits = spells.records.visits.filter(pl.col("record_id") == person)
    order = [pl.col("visited_on"), pl.col("sequence").fill_null(0), pl.col("row_number"), pl.col("visit_id")]
    made = one.contacts.select(notice=pl.col("kind") == NOTICE, believed=pl.col("status") > 0)
    return visits.sort(order).with_columns(made).to_dicts()


def _is_day(column: str) -> bool:
    """Whether a column holds a day number (`day_verdict` and `day_other` do not)."""
    return column == "day" or column.endswith("_day")


def _day(value: Any) -> date | None:
    """A day number as a date; what never was is None."""
    return _EPOCH + timedelta(days=value) if value is not None and abs(value) < NEVER else None


def _only(bucket: Bucket, person: str) -> Bucket:
    number = bucket.people.filter(pl.col(PERSON) == person)["person"][0]
    return Bucket(
        **{name: table.filter(pl.col("person") == number) for name, table in bucket.tables().items()}
    )
