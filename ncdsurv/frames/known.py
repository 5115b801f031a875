"""What the engine knew of one person after each counted visit day: the facts behind a state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from ncdsurv.frames.records import PERSON
from ncdsurv.frames.spells import Spells
from ncdsurv.spells.history import number_cases, visit_days
from ncdsurv.spells.layout import NEVER, Bucket
from ncdsurv.spells.rules import preset_rules

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Known:
    """Facts of one person.

    Attributes:
        days: Disease -> one row per counted visit day, in order, with the state after it.
        withdrawn: Disease -> month of its withdrawal, where there is one.
        enrolled: Disease -> month of enrolment, where there is one.
    """

    days: dict[str, list[dict[str, Any]]]
    withdrawn: dict[str, int]
    enrolled: dict[str, int]

    def at(self, disease: str, month: int) -> dict[str, Any] | None:
        """The last counted visit day up to a month's end, or None."""
        rows = [row for row in self.days.get(disease, []) if row["month"] <= month]
        return rows[-1] if rows else None

    def on(self, disease: str, day: date) -> dict[str, Any] | None:
        """The counted visit day itself, or None."""
        return next((row for row in self.days.get(disease, []) if row["visit_day"] == day), None)


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
        dated = {name: _day(value) if name.endswith("_day") else value for name, value in row.items()}
        found.setdefault(names[row["disease"]], []).append(dated)
    months = {
        column: {
            names[row["disease"]]: row[column] for row in cases.iter_rows(named=True) if row[column] < NEVER
        }
        for column in ("withdrawn_month", "enrolled_month")
    }
    return Known(found, months["withdrawn_month"], months["enrolled_month"])


def _day(value: Any) -> date | None:
    """A day number as a date; what never was is None. (Columns `day_verdict` and `day_other` end otherwise.)"""
    return _EPOCH + timedelta(days=value) if value is not None and abs(value) < NEVER else None


def _only(bucket: Bucket, person: str) -> Bucket:
    number = bucket.people.filter(pl.col(PERSON) == person)["person"][0]
    return Bucket(
        **{name: table.filter(pl.col("person") == number) for name, table in bucket.tables().items()}
    )
