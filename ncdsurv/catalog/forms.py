"""Statutory forms as data: period of validity, columns, rows per level, blocked cells and checks.

A form is a TOML file; the model below is the whole of what a form may say. `load_forms` reports every
problem of every file at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ncdsurv.catalog.models import Definition, Names
from ncdsurv.catalog.vocabulary import Kind, Level, Period, Vintage
from ncdsurv.errors import NcdsurvError, nearest


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
    periods: tuple[Literal["month", "quarter", "year"], ...]
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


def load_forms(
    folder: Path, diseases: Collection[str], presets: Collection[str], measures: Collection[str] | None = None
) -> tuple[dict[str, FormDefinition], list[str]]:
    """Read every form definition of a folder.

    Args:
        folder: Folder of `*.toml` files, one form each; the file's name is the form's id.
        diseases: Disease ids of the catalog.
        presets: Preset ids of the catalog.
        measures: Columns of the release's measures, to check `measure =` against; None skips that check.

    Returns:
        The forms by id, in order of validity, and the problems found (empty when all is well).
    """
    forms: dict[str, FormDefinition] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        where = f"forms/{path.name}"
        try:
            form = FormDefinition.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
            form.validity  # noqa: B018 - parses both months
        except tomllib.TOMLDecodeError as error:
            problems.append(f"{where}: not valid TOML: {error}")
        except ValidationError as error:
            problems += [
                f"{where}: {'.'.join(str(step) for step in item['loc'])}: {item['msg']}"
                for item in error.errors()
            ]
        except NcdsurvError as error:
            problems.append(f"{where}: {error}")
        else:
            problems += [
                f"{where}: {text}" for text in _problems(form, path.stem, diseases, presets, measures)
            ]
            forms[form.id] = form
    forms = dict(sorted(forms.items(), key=lambda item: item[1].validity))
    return forms, problems + _overlaps(forms)


def _problems(
    form: FormDefinition,
    stem: str,
    diseases: Collection[str],
    presets: Collection[str],
    measures: Collection[str] | None,
) -> Iterator[str]:
    if form.id != stem:
        yield f"id {form.id!r} must be the file's name {stem!r}"
    if form.validity.first_month > form.validity.last_month:
        yield f"valid_from {form.valid_from} is after valid_to {form.valid_to}"
    if not form.verified and form.unverified is None:
        yield "verified = false needs `unverified`: what is not verified, in both languages"
    missing = [word for word in WORDS if word not in form.words]
    if missing:
        yield f"words missing: {', '.join(missing)}"
    own = [item.id for item in form.measures]
    wanted: list[tuple[str, str, Collection[str]]] = [("preset", form.preset, presets)]
    wanted += [("disease", block.counted_as, diseases) for block in form.blocks]
    wanted += [("group", item.group, [group.id for group in form.groups]) for item in form.measures]
    if measures is not None:
        wanted += [("measure", item.measure, measures) for item in form.measures]
    for level in form.levels:
        wanted += [("measure", name, own) for rule in form.rows_of(level) for name in rule.blocked]
    for check in form.checks:
        wanted += [("measure", name, own) for name in (check.left, check.right) if name is not None]
        if check.kind == "at_most" and None in (check.left, check.right):
            yield f"check {check.id!r} of kind at_most needs `left` and `right`"
    for kind, name, known in wanted:
        if name not in known:
            near = nearest(name, known)
            yield f"unknown {kind} {name!r}" + (f"; nearest: {near}" if near else "")


def _overlaps(forms: dict[str, FormDefinition]) -> list[str]:
    """Two versions of the same form must not be valid at once: a period has one form."""
    known = list(forms.values())
    return [
        f"forms/{later.id}.toml: valid_from {later.valid_from} overlaps {earlier.id} (valid to {earlier.valid_to})"
        for place, earlier in enumerate(known)
        for later in known[place + 1 :]
        if earlier.series == later.series and later.validity.first_month <= earlier.validity.last_month
    ]
