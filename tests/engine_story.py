"""One person's story as a small table, and what the engine says of it month by month, as a small table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import polars as pl

from ncdsurv.catalog import Catalog, load_catalog
from ncdsurv.catalog.vocabulary import Period, SpellColumn, month_label
from ncdsurv.clean.amounts import add_with_unit
from ncdsurv.spells import count_bucket, person_spells
from tests.engine_oracle import History
from tests.engine_records import layout, tables

CATALOG = load_catalog()
_WHOLE = {"sbp", "dbp", "supply_days", "reported_target", "sequence", "lung_grade", "asthma_control"}
_REAL = {"glucose_mmol_l", "hba1c_percent"}
_AS_WRITTEN = {"glucose": "glucose_mmol_l", "hba1c": "hba1c_percent"}  # a heading for results with their unit
_RAW = {f"raw:{name}{part}": pl.String for name in _AS_WRITTEN for part in ("", "_unit")}
HOME = {"commune_2024": "00001", "commune_2025": "90001"}
WHOLE = ("2023-01", "2027-12")  # the months in which stories play
COLUMNS = [column.value for column in SpellColumn]


def rows(text: str) -> list[dict]:
    """Rows of an ascii table; `-` is empty, and the heading names the columns."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [
        {name: None if cell in ("-", "") else cell for name, cell in zip(lines[0], line, strict=True)}
        for line in lines[1:]
    ]


def typed(row: dict) -> dict:
    """A row's texts as the record tables hold them."""
    return {_AS_WRITTEN.get(name, name): _value(name, text) for name, text in row.items()}


def _cleaned(name: str, text: str) -> float | None:
    """A result as a station wrote it, with its unit, read as cleaning reads it."""
    frame = pl.DataFrame({f"raw:{name}": [text], f"raw:{name}_unit": [None]}, schema_overrides=_RAW)
    into = _AS_WRITTEN[name]
    return add_with_unit(frame, name, into, "by_range", CATALOG.plausibility[into])[into][0]


def _value(name: str, text: str | None):
    if text is None:
        return None
    if name in _AS_WRITTEN:
        return _cleaned(name, text)
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


@dataclass(frozen=True, eq=False)
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
    name: str = "one"
    catalog: Catalog = field(default=CATALOG, repr=False)

    @cached_property
    def records(self) -> dict[str, pl.DataFrame]:
        """The record tables of the story."""
        visits = []
        for number, row in enumerate(rows(self.visits)):
            visit = {"kind": "exam", "glucose_kind": "fasting", **typed(row)}
            visits.append(
                {**visit, "record_id": self.name, "visit_id": f"v{number:03d}", "row_number": number}
            )
        person = {"person_id": self.name, "sex": "female", "birth_date": self.born, "died_on": self.died}
        person = {
            k: date.fromisoformat(v) if v and k.endswith(("_on", "_date")) else v for k, v in person.items()
        }
        homes = [
            {
                "person_id": self.name,
                "from_on": date.fromisoformat(day),
                "commune_2024": old,
                "commune_2025": new,
            }
            for day, old, new in self.lived
        ]
        stated = [typed(row) for row in rows(self.also)] if self.also else []
        if self.detected:
            known = {"detected_on": self.detected, "recorded_on": self.recorded or self.detected}
            stated.insert(0, typed({"disease": self.disease, **known, "withdrawn_on": self.withdrawn}))
        return tables([person], homes, [{"record_id": self.name, **row} for row in stated], visits)

    def spells(self, preset: str, first: str, last: str) -> pl.DataFrame:
        """Start-stop rows between two months."""
        found = person_spells(
            layout(self.records, self.catalog), self.catalog, preset, **_between(first, last)
        )
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

    @cached_property
    def told(self) -> Told:
        """What the engine says of the story, worked out once."""
        return Told([self])

    def state(self, preset: str, month: str) -> dict | None:
        """Every spell column of a month as the engine has it, held equal to the plain oracle's."""
        return self.told.state(self, preset, month)

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


class Told:
    """What the engine says of some people under one catalog: every spell worked out once for all of them."""

    def __init__(self, stories: list[Story]):
        self.catalog = stories[0].catalog
        self.records = {
            name: stories[0].records[name]
            if name == "atoms"
            else pl.concat([story.records[name] for story in stories])
            for name in stories[0].records
        }
        self.spells: dict[str, dict[tuple[str, str], list[dict]]] = {}

    def of(self, story: Story, preset: str, month: int) -> dict | None:
        """The spell of a story's disease in a month, or None before there is one."""
        if preset not in self.spells:
            bucket = layout(self.records, self.catalog)
            found = person_spells(bucket, self.catalog, preset, **_between(*WHOLE)).to_dicts()
            self.spells[preset] = {}
            for row in found:
                self.spells[preset].setdefault((row["person_id"], row["disease"]), []).append(row)
        mine = self.spells[preset].get((story.name, story.disease), [])
        return next((row for row in mine if row["from_month"] <= month <= row["to_month"]), None)

    def state(self, story: Story, preset: str, month: str) -> dict | None:
        """The columns of a month, held equal to the plain oracle's."""
        at = Period.parse(month).first_month
        found, wanted = self.of(story, preset, at), story.history(preset).state(at)
        if found is not None:
            since = found["months_since_enrolment"]
            passed = None if since is None else since + at - found["from_month"]
            found = {name: found[name] for name in COLUMNS} | {"months_since_enrolment": passed}
        assert found == wanted, f"{preset}, {month}: the engine and the plain oracle differ"
        return found


def _between(first: str, last: str) -> dict[str, int]:
    return {"first_month": Period.parse(first).first_month, "last_month": Period.parse(last).last_month}
