"""Pages of rules: scenarios a clinician can read, kept as TOML beside the tests, checked and rendered from one place.

A scenario is a person's visits and what must be said of the person, month by month (`visits`, `expected`), or
a list of readings with what each one means (`readings`). Headings of the expected columns:

- `hearts`: the standing under that preset, in one word;
- `hearts overdue`: one spell column under that preset;
- `hearts n INDICATOR`, `hearts d INDICATOR`: numerator or denominator of an indicator in that month;
- `atom`, `age_band`: where the person is counted.

With `period` in the place of `month`, the same is said of a period of any length, as a release publishes it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from ncdsurv.catalog import Catalog
from ncdsurv.catalog.vocabulary import Kind, Period, VisitKind
from ncdsurv.catalog.whole_periods import counted_over, with_whole_periods
from ncdsurv.spells import count_wide, measure_plan
from tests.engine_records import layout
from tests.engine_story import CATALOG, WHOLE, Story, Told, rows, standing_of

FOLDER = Path(__file__).parent / "spec" / "rules"
READ_IN = "2026-06"  # the month in which a list of readings is judged
_PERSON = ("disease", "detected", "recorded", "withdrawn", "also", "born", "died")


@dataclass(frozen=True)
class Scenario:
    """One scenario of a page, as it stands in the file."""

    page: str
    told: dict[str, Any]
    number: int

    def __str__(self) -> str:
        return f"{self.page}: {self.told['title']['en']}"

    @cached_property
    def catalog(self) -> Catalog:
        """The package's definitions, with the rules the scenario alters."""
        presets = dict(CATALOG.presets)
        for name, rules in self.told.get("rules", {}).items():
            fixed = {key: tuple(map(VisitKind, v)) if key == "visit_kinds" else v for key, v in rules.items()}
            presets[name] = presets[name].model_copy(update=fixed)
        if any("period" in row for row in self.wanted):
            return with_whole_periods(CATALOG)
        return CATALOG.model_copy(update={"presets": presets}) if self.told.get("rules") else CATALOG

    def story(self, visits: str, number: int = 0) -> Story:
        """The person of the scenario with these visits."""
        given: dict[str, Any] = {name: self.told[name] for name in _PERSON if name in self.told}
        given = {name: None if value == "unknown" else value for name, value in given.items()}
        if self.told.get("undiagnosed"):
            given["detected"] = None
        if "lived" in self.told:
            given["lived"] = tuple(tuple(row.values()) for row in rows(self.told["lived"]))
        return Story(visits, name=f"{self.number:03d}-{number:03d}", catalog=self.catalog, **given)

    @cached_property
    def wanted(self) -> list[dict]:
        """What must be said, row by row."""
        return rows(self.told["readings" if "readings" in self.told else "expected"])

    @cached_property
    def people(self) -> list[Story]:
        """The people of the scenario: one, or one for each row of readings."""
        if "visits" in self.told:
            return [self.story(self.told["visits"])]
        return [self.story(self._visits_of(row), number) for number, row in enumerate(self.wanted)]

    def _visits_of(self, row: dict) -> str:
        given = {name: text or "-" for name, text in row.items() if not self._asks(name)}
        blank = " | ".join("-" for _ in given)
        return (
            f"visited_on | {' | '.join(given)}\n2024-01-10 | {blank}\n"
            f"{READ_IN}-10 | {' | '.join(given.values())}"
        )

    def _asks(self, heading: str) -> bool:
        """Whether a column asks for something; the others give readings, or the month."""
        return heading.split()[0] in self.catalog.presets or heading in ("atom", "age_band")

    def found(self, told: Told) -> list[dict]:
        """What the engine says, as rows of the columns asked for."""
        people = self.people if len(self.people) == len(self.wanted) else self.people * len(self.wanted)
        return [
            {
                name: _say(told, story, name, row.get("month", row.get("period", READ_IN)))
                if self._asks(name)
                else text
                for name, text in row.items()
            }
            for row, story in zip(self.wanted, people, strict=True)
        ]


def _say(told: Told, story: Story, heading: str, when: str) -> str | None:
    preset, _, column = heading.partition(" ")
    month = str(Period.month(Period.parse(when).last_month))
    if preset not in story.catalog.presets:
        at = Period.parse(month).first_month
        spell = told.of(story, next(iter(story.catalog.presets)), at)
        return None if spell is None else str(spell[preset])
    if column[:2] in ("n ", "d "):
        return _count(story, preset, column[0], column[2:], Period.parse(when))
    preset = _counted_as(preset, Period.parse(when))
    state = told.state(story, preset, month)
    if not column:
        return standing_of(state)
    value = None if state is None else state[column]
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: None}[value]
    return str(value)


def _counted_as(preset: str, period: Period) -> str:
    return counted_over(CATALOG).get(period.n_months, {}).get(preset, preset)


def _count(story: Story, preset: str, side: str, indicator: str, period: Period) -> str:
    plan, months = measure_plan(story.catalog), (period.last_month, period.last_month)
    if CATALOG.indicators[indicator].kind is Kind.FLOW:
        months = (period.first_month, period.last_month)
    else:
        preset = _counted_as(preset, period)
    column = {"n": plan.numerator, "d": plan.denominator}[side](indicator, preset)
    at = (pl.col("disease") == story.disease) & pl.col("month").is_between(*months)
    return str(int(_counted(story).filter(at)[column].sum()))


@lru_cache(maxsize=1)  # the rows of one scenario ask one after the other
def _counted(story: Story) -> pl.DataFrame:
    bucket = layout(story.records, story.catalog)
    months = {
        "first_month": Period.parse("2024-12").first_month,
        "last_month": Period.parse(WHOLE[1]).last_month,
    }
    return count_wide(bucket, story.catalog, form="polars", **months)


def pages() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of every page, in order."""
    for path in sorted(FOLDER.glob("*.toml")):
        yield path.stem, tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def scenarios() -> list[Scenario]:
    """Every scenario of every page."""
    told = [(name, one) for name, page in pages() for one in page["scenario"]]
    return [Scenario(name, one, number) for number, (name, one) in enumerate(told)]


@cache
def everybody() -> Told:
    """The people of every scenario under the package's own definitions, in one registry."""
    return Told([story for one in scenarios() if one.catalog is CATALOG for story in one.people])


def told_of(scenario: Scenario) -> Told:
    """What the engine says of a scenario's people."""
    return everybody() if scenario.catalog is CATALOG else Told(scenario.people)
