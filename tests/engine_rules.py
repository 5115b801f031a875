"""Pages of rules: scenarios a clinician can read, kept as TOML beside the tests, checked and rendered from one place.

A scenario is a person's visits and what must be said of the person, month by month (`visits`, `expected`), or
a list of readings with what each one means (`readings`). Headings of the expected columns:

- `hearts`: the standing under that preset, in one word;
- `hearts overdue`: one spell column under that preset;
- `hearts n INDICATOR`, `hearts d INDICATOR`: numerator or denominator of an indicator in that month;
- `atom`, `age_band`: where the person is counted.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from ncdsurv.catalog import Catalog
from ncdsurv.catalog.vocabulary import Period
from tests.engine_records import layout
from tests.engine_story import CATALOG, Story, rows, standing_of

FOLDER = Path(__file__).parent / "spec" / "rules"
READ_IN = "2026-06"  # the month in which a list of readings is judged
_PERSON = ("disease", "detected", "recorded", "withdrawn", "also", "born", "died")


@dataclass(frozen=True)
class Scenario:
    """One scenario of a page, as it stands in the file."""

    page: str
    told: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.page}: {self.told['title']['en']}"

    @cached_property
    def catalog(self) -> Catalog:
        """The package's definitions, with the rules the scenario alters."""
        presets = dict(CATALOG.presets)
        for name, rules in self.told.get("rules", {}).items():
            presets[name] = presets[name].model_copy(update=rules)
        return CATALOG.model_copy(update={"presets": presets}) if self.told.get("rules") else CATALOG

    def story(self, visits: str) -> Story:
        """The person of the scenario with these visits."""
        given: dict[str, Any] = {name: self.told[name] for name in _PERSON if name in self.told}
        given = {name: None if value == "unknown" else value for name, value in given.items()}
        if self.told.get("undiagnosed"):
            given["detected"] = None
        if "lived" in self.told:
            given["lived"] = tuple(tuple(row.values()) for row in rows(self.told["lived"]))
        return Story(visits, catalog=self.catalog, **given)

    def found(self) -> tuple[list[dict], list[dict]]:
        """What the engine says, and what must be said, as rows of the same columns."""
        if "readings" in self.told:
            return self._readings()
        wanted = rows(self.told["expected"])
        story = self.story(self.told["visits"])
        said = [
            {name: row["month"] if name == "month" else _say(story, name, row["month"]) for name in row}
            for row in wanted
        ]
        return said, wanted

    def _readings(self) -> tuple[list[dict], list[dict]]:
        wanted = rows(self.told["readings"])
        said = []
        for row in wanted:
            asked = [name for name in row if name.split()[0] in self.catalog.presets]
            given = {name: text or "-" for name, text in row.items() if name not in asked}
            blank = " | ".join("-" for _ in given)
            visits = (
                f"visited_on | {' | '.join(given)}\n2024-01-10 | {blank}\n"
                f"{READ_IN}-10 | {' | '.join(given.values())}"
            )
            story = self.story(visits)
            said.append({**row, **{name: _say(story, name, READ_IN) for name in asked}})
        return said, wanted


def _say(story: Story, heading: str, month: str) -> str | None:
    preset, _, column = heading.partition(" ")
    if not column and preset not in story.catalog.presets:
        return str(story.spells(next(iter(story.catalog.presets)), month, month).row(0, named=True)[preset])
    if column[:2] in ("n ", "d "):
        return _count(story, preset, column[0], column[2:], month)
    state = story.state(preset, month)
    if not column:
        return standing_of(state)
    value = None if state is None else state[column]
    return {True: "yes", False: "no", None: None}.get(value, str(value)) if not isinstance(value, int) or isinstance(value, bool) else str(value)


def _count(story: Story, preset: str, side: str, indicator: str, month: str) -> str:
    from ncdsurv.spells import count_wide, measure_plan

    plan = measure_plan(story.catalog)
    at = Period.parse(month).first_month
    counted = count_wide(
        layout(story.records, story.catalog), story.catalog, first_month=at, last_month=at
    ).filter(pl.col("disease") == story.disease)
    column = {"n": plan.numerator, "d": plan.denominator}[side](indicator, preset)
    return str(int(counted[column].sum()))


def pages() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of every page, in order."""
    for path in sorted(FOLDER.glob("*.toml")):
        yield path.stem, tomllib.loads(path.read_text(encoding="utf-8"))


def scenarios() -> list[Scenario]:
    """Every scenario of every page."""
    return [Scenario(name, told) for name, page in pages() for told in page["scenario"]]
