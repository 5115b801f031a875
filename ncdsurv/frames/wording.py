"""The words of a story, as `wording.toml` has them; numbers come from the definitions."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import Outcome, month_label
from ncdsurv.maps.style import nfc
from ncdsurv.maps.wording import language, number

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.frames.spells import Spells

_DECIMALS = 2


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(files("ncdsurv.frames").joinpath("wording.toml").read_text(encoding="utf-8"))


def phrase(key: str, lang: str, **parts: object) -> str:
    """A phrase by dotted key, its parts filled in, in composed form.

    >>> phrase("overdue", "vi")
    'quá hẹn'
    """
    node: Any = _words()
    for step in key.split("."):
        node = node[step]
    return nfc(str(node[language(lang)]).format(**parts))


def disease_name(catalog: Catalog, disease: str, lang: str) -> str:
    """Name of a disease."""
    return catalog.diseases[disease].names[lang]


def state_name(standing: str, lang: str) -> str:
    """Name of a standing."""
    return phrase(f"state.{standing}.name", lang)


def reading_kind(catalog: Catalog, disease: str, row: dict[str, Any]) -> str | None:
    """The kind of reading of a visit that decides: the first usable one, in the measurement's order."""
    measurement = catalog.diseases[disease].measurement
    if measurement is None or any(row.get(flag) for flag in catalog.contact_flags):
        return None
    for kind, reading in catalog.measurements[measurement].readings.items():
        if all(row.get(column) is not None for column in reading.columns) and reading.where.holds(row):
            return kind
    return None


def reading_values(catalog: Catalog, disease: str, row: dict[str, Any], lang: str) -> dict[str, str]:
    """The columns of the deciding reading of a visit, as written; empty where there is none."""
    kind = reading_kind(catalog, disease, row)
    if kind is None:
        return {}
    columns = catalog.measurements[str(catalog.diseases[disease].measurement)].readings[kind].columns
    return {column: _figure(row[column], lang) for column in columns}


def reading_words(catalog: Catalog, disease: str, row: dict[str, Any], lang: str) -> str:
    """The deciding reading of a visit in words; empty where there is none."""
    values = reading_values(catalog, disease, row, lang)
    return ", ".join(f"{phrase(f'column.{name}', lang)} {value}" for name, value in values.items())


def _figure(value: float, lang: str) -> str:
    """A value with as many decimals as it needs: 6.99, just below the limit of 7, must not read 7.0."""
    needed = (places for places in range(_DECIMALS) if round(value, places) == value)
    return number(value, lang, next(needed, _DECIMALS))


def limit_words(condition: Condition, columns: tuple[str, ...], lang: str) -> str:
    """A condition as `systolic < 140, diastolic < 90`, in the order of the reading's columns."""
    parts = []
    for test in sorted(condition.tests, key=lambda test: columns.index(test.column)):
        name = phrase(f"column.{test.column}", lang)
        parts += [f"{name} {phrase_operator(op)} {_figure(limit, lang)}" for op, limit in test.bounds]
        if test.values:
            parts.append(f"{name} " + "/".join(str(value) for value in test.values))
    return ", ".join(parts)


def phrase_operator(operator: str) -> str:
    """The sign of an operator of the condition grammar."""
    return str(_words()["operator"][operator])


class RuleWords:
    """Says why a person is in a state, with the preset's own numbers.

    Args:
        spells: The spells told about.
        person: The person told about.
        disease: The disease told about.
        lang: `vi` or `en`.
    """

    def __init__(self, spells: Spells, person: str, disease: str, lang: str) -> None:
        self.spells, self.person, self.disease, self.lang = spells, person, disease, lang
        self.preset = spells.catalog.presets[spells.preset]

    def rule(self, standing: str, row: dict[str, Any], at: dict[str, Any] | None) -> str:
        """State and rule: `missed visit: no visit for 3 months; the last was on 2024-01-10`.

        Args:
            standing: From `standing_of`.
            row: The spell.
            at: What was known after the last counted visit day, if any.
        """
        none = phrase("none", self.lang)
        since = row["months_since_enrolment"]
        parts = {
            "window": self.preset.outcome_window_months,
            "buffer": self.preset.enrolment_buffer_months,
            "lost_after": self.preset.lost_after_months,
            "enrolled_in": none if since is None else month_label(row["from_month"] - since),
            "visited_on": at["visit_day"].isoformat() if at else none,
            "read_on": at["read_day"].isoformat() if at and at["read_day"] else none,
            "died_on": self._died() or none,
            "limits": self._limits(at) if standing in (Outcome.CONTROLLED, Outcome.UNCONTROLLED) else "",
        }
        return f"{state_name(standing, self.lang)}: {phrase(f'state.{standing}.rule', self.lang, **parts)}"

    def overdue(self, at: dict[str, Any] | None) -> str:
        """That the person is overdue, and since when a visit was due."""
        due = at["due_day"] if at else None
        said = phrase("overdue", self.lang)
        return said if due is None else f"{said}: {phrase('due', self.lang, day=due.isoformat())}"

    def _died(self) -> str | None:
        died = self.spells.records.persons.filter(person_id=self.person)["died_on"][0]
        return None if died is None else died.isoformat()

    def _limits(self, at: dict[str, Any] | None) -> str:
        """The limits the deciding reading was held against."""
        target = self.preset.target(self.spells.catalog.diseases[self.disease].measurement)
        if target is None or at is None:
            return phrase("reported", self.lang)
        rows = self.spells.records.visits.filter(record_id=self.person, visited_on=at["read_day"])
        kinds = [reading_kind(self.spells.catalog, self.disease, row) for row in rows.iter_rows(named=True)]
        kind = next((kind for kind in reversed(kinds) if kind in target.readings), None)
        if kind is None:
            return phrase("reported", self.lang)
        measurement = self.spells.catalog.measurements[target.measurement]
        return limit_words(target.readings[kind], measurement.readings[kind].columns, self.lang)
