"""One person's story as a small table, and what the engine says of it month by month, as a small table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import polars as pl

from ncdsurv.catalog import Catalog, load_catalog
from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.spells import count_bucket, person_spells
from tests.engine_oracle import History, month_of
from tests.engine_records import layout, tables

CATALOG = load_catalog()
_WHOLE = {"sbp", "dbp", "supply_days", "reported_target", "sequence", "lung_grade", "asthma_control"}
_REAL = {"glucose_mmol_l", "hba1c_percent"}
HOME = {"commune_2024": "00001", "commune_2025": "90001"}


def rows(text: str) -> list[dict]:
    """Rows of an ascii table; `-` is empty, and the heading names the columns."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [
        {name: None if cell in ("-", "") else cell for name, cell in zip(lines[0], line, strict=True)}
        for line in lines[1:]
    ]


def typed(row: dict) -> dict:
    """A row's texts as the record tables hold them."""
    return {name: _value(name, text) for name, text in row.items()}


def _value(name: str, text: str | None):
    if text is None:
        return None
    if name in _WHOLE:
        return int(text)
    if name == "pregnant":
        return {"yes": True, "no": False}[text]
    return float(text) if name in _REAL else date.fromisoformat(text) if name.endswith("_on") else text


def standing_of(state: dict | None) -> str:
    """One word for a state: the outcome with its degree, else the tenure, the care state or the suspicion."""
    if state is None:
        return "unknown"
    if state["care_state"] == "not_enrolled":
        if state["suspicion"] != "none":
            return state["suspicion"]
        return "not_enrolled" if state["known_case"] else "no_case"
    if state["care_state"] != "under_care":
        return state["care_state"]
    if state["tenure"] != "established":
        return state["tenure"]
    degree = state["severity"] if state["severity"] in ("moderate", "severe") else None
    return state["outcome"] if degree is None else f"{state['outcome']}_{degree}"


@dataclass(frozen=True)
class Story:
    """A person with one disease. `visits` has at least the column visited_on; kind is exam unless given.

    `detected` None is a person without the diagnosis; `also` is a table of further statements of diagnoses.
    """

    visits: str
    disease: str = "hypertension"
    detected: str | None = "2024-01-10"
    recorded: str | None = None
    withdrawn: str | None = None
    also: str | None = None
    born: str | None = "1960-03-15"
    died: str | None = None
    lived: tuple[tuple[str, str, str], ...] = (("2020-01-01", "00001", "90001"),)
    catalog: Catalog = field(default=CATALOG, repr=False)

    @cached_property
    def records(self) -> dict[str, pl.DataFrame]:
        """The record tables of the story."""
        visits = []
        for number, row in enumerate(rows(self.visits)):
            visit = {"kind": "exam", "glucose_kind": "fasting", **typed(row)}
            visits.append({**visit, "record_id": "one", "visit_id": f"v{number:03d}", "row_number": number})
        person = {"person_id": "one", "sex": "female", "birth_date": self.born, "died_on": self.died}
        person = {
            k: date.fromisoformat(v) if v and k.endswith(("_on", "_date")) else v for k, v in person.items()
        }
        homes = [
            {"person_id": "one", "from_on": date.fromisoformat(day), "commune_2024": old, "commune_2025": new}
            for day, old, new in self.lived
        ]
        stated = [typed(row) for row in rows(self.also)] if self.also else []
        if self.detected:
            known = {"detected_on": self.detected, "recorded_on": self.recorded or self.detected}
            stated.insert(0, typed({"disease": self.disease, **known, "withdrawn_on": self.withdrawn}))
        return tables([person], homes, [{"record_id": "one", **row} for row in stated], visits)

    def spells(self, preset: str, first: str, last: str) -> pl.DataFrame:
        """Start-stop rows between two months."""
        found = person_spells(layout(self.records, self.catalog), self.catalog, preset, **_between(first, last))
        return found.filter(pl.col("disease") == self.disease)

    def counts(self, first: str, last: str) -> pl.DataFrame:
        """Measures between two months."""
        found = count_bucket(layout(self.records, self.catalog), self.catalog, **_between(first, last))
        return found.filter(pl.col("disease") == self.disease)

    def history(self, preset: str) -> History:
        """The plain oracle's view of the story."""
        person = self.records["persons"].row(0, named=True)
        mine = [self.records[name].to_dicts() for name in ("diagnoses", "visits")]
        return History(
            person, self.catalog.diseases[self.disease], self.catalog.presets[preset], *mine, self.catalog
        )

    def state(self, preset: str, month: str) -> dict | None:
        """Every spell column of a month as the engine has it, held equal to the plain oracle's."""
        found = self.spells(preset, month, month).to_dicts()
        wanted = self.history(preset).state(month_of(date.fromisoformat(f"{month}-01")))
        told = {name: found[0][name] for name in wanted} if found and wanted else None if not found else found
        assert told == wanted, f"{preset}, {month}: the engine and the plain oracle differ"
        return wanted

    def standing(self, preset: str, month: str) -> str:
        """One word for a month (see `standing_of`), the degree of the uncontrolled left out."""
        word = standing_of(self.state(preset, month))
        return "uncontrolled" if word.startswith("uncontrolled") else word

    def check(self, expected: str) -> None:
        """Compare with a table: month, then one column per preset."""
        wanted = rows(expected)
        found = [
            {"month": row["month"], **{p: self.standing(p, row["month"]) for p in row if p != "month"}}
            for row in wanted
        ]
        assert found == wanted

    def homes(self, first: str, last: str) -> list[tuple[str, int, str]]:
        """(first month, atom, age band) of each change of cell between two months."""
        spells = self.spells("hearts", first, last)
        seen: list[tuple[str, int, str]] = []
        for row in spells.iter_rows(named=True):
            if not seen or seen[-1][1:] != (row["atom"], row["age_band"]):
                seen.append((month_label(row["from_month"]), row["atom"], row["age_band"]))
        return seen


def _between(first: str, last: str) -> dict[str, int]:
    return {"first_month": Period.parse(first).first_month, "last_month": Period.parse(last).last_month}
