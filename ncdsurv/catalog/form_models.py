"""Models of the statutory forms: the whole of what a form definition may say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ncdsurv.catalog.models import Definition, Names
from ncdsurv.catalog.vocabulary import Kind, Level, Period, PeriodKind, Vintage


class FormMeasure(Definition):
    """One figure of a disease block: `measure` is the count indicator whose measure it prints.

    `names` None stands for the block's own words for its target.
    """

    id: str
    letter: str
    measure: str
    kind: Literal[Kind.STOCK, Kind.FLOW]
    group: str
    of_which: bool = False
    names: Names | None = None


class FormGroup(Definition):
    """A heading over some columns of a block."""

    id: str
    names: Names


class FormBlock(Definition):
    """One disease block; `counted_as` is a disease or a group of diseases, whose people are counted once."""

    id: str
    names: Names
    counted_as: str
    target: Names


class FormTablePart(Definition):
    """One printed table: its blocks side by side after the number and the unit's name."""

    id: str
    names: Names
    blocks: tuple[FormBlock, ...]


class FormRowRule(Definition):
    """One printed row: what it holds, what is blocked in it, and the rows beneath it.

    `holds`: the area's own count, the sum of the rows beneath, or nothing (no data reach the registry).
    `lists`: one row beneath for each unit of that level, each holding what `each` says.
    """

    code: str = ""
    names: Names
    holds: Literal["sum", "area", "nothing"] = "nothing"
    lists: Level | None = None
    each: Literal["area", "nothing"] = "nothing"
    blocked: tuple[str, ...] = ()
    rows: tuple[FormRowRule, ...] = ()


class FormLevel(Definition):
    """The form at one administrative level: its printed number, when it is due, its rows."""

    number: Names
    due: Names
    rows: tuple[FormRowRule, ...]


class FormCheck(Definition):
    """A rule that the filled form must keep."""

    id: str
    kind: Literal["at_most", "rows_add_up", "blocked_empty"]
    names: Names
    left: str | None = None
    right: str | None = None


WORDS = (
    "number",
    "unit",
    "of_which",
    "reporting_unit",
    "reporting_period",
    "parent_unit",
    "release",
    "form_version",
    "due",
    "unverified",
    "verified",
    "running_period",
    "page",
    "month",
    "quarter",
    "half_year_1",
    "half_year_2",
    "nine_months",
    "year",
    "place_date",
    "prepared_by",
    "head_of_unit",
    "sign",
    "checks_title",
    "checks_kept",
    "notes_title",
    "blank_meaning",
)
"""Printed words that every form must have."""


class FormDefinition(Definition):
    """A version of a statutory form; `series` is what its versions have in common.

    `words` are the printed words that are no column or row (heading of the number column, signatures).
    `valid_from` and `valid_to` are months (both included) in which a reporting period must end.
    """

    id: str
    series: str
    names: Names
    instrument: Names
    valid_from: str
    valid_to: str
    vintage: Vintage
    periods: tuple[PeriodKind, ...]
    preset: str
    verified: bool
    unverified: Names | None = None
    sources: tuple[str, ...] = ()
    words: dict[str, Names]
    groups: tuple[FormGroup, ...]
    measures: tuple[FormMeasure, ...]
    tables: tuple[FormTablePart, ...]
    levels: dict[Level, FormLevel]
    checks: tuple[FormCheck, ...] = ()
    notes: tuple[Names, ...] = ()

    @property
    def validity(self) -> Period:
        """First and last month in which a period may end."""
        first, last = Period.parse(self.valid_from), Period.parse(self.valid_to)
        return Period(first.first_month, last.last_month)

    @property
    def blocks(self) -> tuple[FormBlock, ...]:
        """All disease blocks, in print order."""
        return tuple(block for table in self.tables for block in table.blocks)

    def rows_of(self, level: Level) -> Iterator[FormRowRule]:
        """Every row rule of a level, parents before children."""
        waiting = list(self.levels[level].rows)
        while waiting:
            rule = waiting.pop(0)
            yield rule
            waiting = [*rule.rows, *waiting]
