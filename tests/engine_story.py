"""One person's story as a small table, and what the engine says of it month by month, as a small table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Period, month_label
from ncdsurv.spells import count_bucket, person_spells
from tests.engine_records import layout, tables

CATALOG = load_catalog()
_WHOLE = {"sbp", "dbp", "supply_days", "reported_target", "sequence"}
_REAL = {"glucose_mmol_l", "hba1c_percent"}
HOME = {"commune_2024": "00001", "commune_2025": "90001"}


def rows(text: str) -> list[dict]:
    """Rows of an ascii table; `-` is empty, and the heading names the columns."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [
        {name: None if cell in ("-", "") else cell for name, cell in zip(lines[0], line, strict=True)}
        for line in lines[1:]
    ]


def _value(name: str, text: str | None):
    if text is None:
        return None
    if name in _WHOLE:
        return int(text)
    return float(text) if name in _REAL else date.fromisoformat(text) if name.endswith("_on") else text


@dataclass(frozen=True)
class Story:
    """A person with one disease. `visits` has at least the column visited_on; kind is exam unless given."""

    visits: str
    disease: str = "hypertension"
    detected: str = "2024-01-10"
    recorded: str | None = None
    born: str | None = "1960-03-15"
    died: str | None = None
    lived: tuple[tuple[str, str, str], ...] = (("2020-01-01", "00001", "90001"),)

    @cached_property
    def records(self) -> dict[str, pl.DataFrame]:
        """The record tables of the story."""
        visits = []
        for number, row in enumerate(rows(self.visits)):
            visit = {name: _value(name, text) for name, text in row.items()}
            visit = {"kind": "exam", "glucose_kind": "fasting", **visit}
            visits.append({**visit, "record_id": "one", "visit_id": f"v{number}", "row_number": number})
        person = {"person_id": "one", "sex": "female", "birth_date": self.born, "died_on": self.died}
        person = {
            k: date.fromisoformat(v) if v and k.endswith(("_on", "_date")) else v for k, v in person.items()
        }
        homes = [
            {"person_id": "one", "from_on": date.fromisoformat(day), "commune_2024": old, "commune_2025": new}
            for day, old, new in self.lived
        ]
        known = {
            "record_id": "one",
            "disease": self.disease,
            "detected_on": date.fromisoformat(self.detected),
            "recorded_on": date.fromisoformat(self.recorded or self.detected),
        }
        return tables([person], homes, [known], visits)

    def spells(self, preset: str, first: str, last: str) -> pl.DataFrame:
        """Start-stop rows between two months."""
        months = {"first_month": Period.parse(first).first_month, "last_month": Period.parse(last).last_month}
        found = person_spells(layout(self.records, CATALOG), CATALOG, preset, **months)
        return found.filter(pl.col("disease") == self.disease)

    def counts(self, first: str, last: str) -> pl.DataFrame:
        """Measures between two months."""
        months = {"first_month": Period.parse(first).first_month, "last_month": Period.parse(last).last_month}
        found = count_bucket(layout(self.records, CATALOG), CATALOG, **months)
        return found.filter(pl.col("disease") == self.disease)

    def standing(self, preset: str, month: str) -> str:
        """One word for a month: the outcome of who is established under care, else the tenure or care state."""
        found = self.spells(preset, month, month).to_dicts()
        if not found:
            return "unknown"
        state = found[0]
        if state["care_state"] != "under_care":
            return state["care_state"]
        return state["outcome"] if state["tenure"] == "established" else state["tenure"]

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
