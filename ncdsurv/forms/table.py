"""What a filled form is: rows of cells, each open, blocked or without data, and the findings of its checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ncdsurv.catalog.forms import FormDefinition, FormLevel
from ncdsurv.catalog.vocabulary import Level, Period

if TYPE_CHECKING:
    import polars as pl

Cell = tuple[str, str]
"""A column of figures: (block id, measure id)."""


class CellState(StrEnum):
    """Why a cell shows what it shows."""

    FIGURE = "figure"
    BLOCKED = "blocked"
    NO_DATA = "no_data"


@dataclass(frozen=True)
class FormRow:
    """One printed row.

    `unit_code` is the area whose figures it holds: the total is the reporting unit's; a tier has none.
    `depth` is how far it is indented; a cell that is absent from `figures` is blank, never zero.
    """

    row_code: str
    label: str
    depth: int
    kind: str
    unit_code: str | None
    figures: dict[Cell, int] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()

    def state(self, cell: Cell) -> CellState:
        """Whether the cell is a figure, blocked, or without data."""
        if cell in self.figures:
            return CellState.FIGURE
        return CellState.BLOCKED if cell[1] in self.blocked else CellState.NO_DATA


@dataclass(frozen=True)
class Finding:
    """A check of the form that its figures do not keep; says where, and both numbers."""

    check: str
    text: str
    row: str
    block: str | None
    left: int | None
    right: int | None


@dataclass(frozen=True, repr=False)
class FormTable:
    """A statutory form filled from a release.

    Attributes:
        form: The definition it was filled by.
        level: Administrative level of the reporting unit.
        area_code, area_name: The reporting unit, in the form's vintage.
        parents: Names of the units above it, nearest first.
        period: The reporting period; `figures_to` is the month its stocks are from.
        release_id: The release every figure comes from.
        lang: Language of labels.
        rows: Printed rows, top to bottom.
        findings: Checks that failed; empty when all are kept.
    """

    form: FormDefinition
    level: Level
    area_code: str
    area_name: str
    parents: tuple[str, ...]
    period: Period
    figures_to: str
    release_id: str
    lang: str
    rows: tuple[FormRow, ...]
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        return (
            f"FormTable({self.form.id!r}, area={self.area_code!r}, period={str(self.period)!r}, "
            f"release={self.release_id!r}, {len(self.rows)} rows, {len(self.findings)} findings)"
        )

    def _repr_html_(self) -> str:
        from ncdsurv.forms.html import to_html

        return to_html(self)

    @property
    def layout(self) -> FormLevel:
        """The form's own words for this level."""
        return self.form.levels[self.level]

    @property
    def running(self) -> bool:
        """Whether the release ends before the period does."""
        return self.figures_to != str(Period.month(self.period.last_month))

    @property
    def period_label(self) -> str:
        """The period in words, in the form's language."""
        return self._in_words(self.period)

    def _in_words(self, period: Period) -> str:
        return self.form.words[period.phrase][self.lang].format(**period.words)

    @property
    def title(self) -> str:
        """The form's title in its language."""
        return self.form.names[self.lang]

    def cells(self) -> Iterator[Cell]:
        """Every column of figures, in print order."""
        for block in self.form.blocks:
            for measure in self.form.measures:
                yield block.id, measure.id

    def row_of(self, unit_code: str) -> FormRow:
        """The row that holds one unit's figures."""
        return next(row for row in self.rows if row.unit_code == unit_code and row.kind == "area")

    def label_of(self, cell: Cell) -> str:
        """A column's printed label; the last one is in the block's own words."""
        block = next(item for item in self.form.blocks if item.id == cell[0])
        measure = next(item for item in self.form.measures if item.id == cell[1])
        return (measure.names or block.target)[self.lang]

    @property
    def data(self) -> pl.DataFrame:
        """The long table: one row per printed cell, whatever it shows.

        Returns:
            form_version, level, vintage, area_code, period, release, row_number, row_code, row_label, unit_code,
            disease (the block), measure, value (Int64, null when blank), state (figure, blocked, no_data).
        """
        import polars as pl

        records = [
            {
                "form_version": self.form.id,
                "level": self.level.value,
                "vintage": self.form.vintage.value,
                "area_code": self.area_code,
                "period": str(self.period),
                "release": self.release_id,
                "row_number": number,
                "row_code": row.row_code,
                "row_label": row.label,
                "unit_code": row.unit_code,
                "disease": cell[0],
                "measure": cell[1],
                "value": row.figures.get(cell),
                "state": row.state(cell).value,
            }
            for number, row in enumerate(self.rows, start=1)
            for cell in self.cells()
        ]
        schema = dict.fromkeys(records[0], pl.String()) | {"row_number": pl.Int64(), "value": pl.Int64()}
        return pl.DataFrame(records, schema=schema)

    def explain(self) -> str:
        """In words: what the form is, where its figures come from, and which checks failed."""
        words, lang = self.form.words, self.lang
        lines = [
            f"{self.layout.number[lang]} {self.title}",
            f"{self.form.instrument[lang]}",
            f"{words['reporting_unit'][lang]}: {self.area_name} ({self.area_code}, {self.form.vintage.value})",
            f"{words['reporting_period'][lang]}: {self.period_label}",
            *self.standing(),
            *(note[lang] for note in self.form.notes),
            *(finding.text for finding in self.findings),
        ]
        return "\n".join(lines)

    def standing(self) -> list[str]:
        """Lines on what the form rests on: release, version, whether its layout is verified, the period's end."""
        words, lang = self.form.words, self.lang
        version = f"{self.form.id} ({self.form.valid_from} - {self.form.valid_to})"
        lines = [
            f"{words['release'][lang]}: {self.release_id}. {words['form_version'][lang]}: {version}. "
            f"{words['due'][lang]}: {self.layout.due[lang]}."
        ]
        if self.form.verified:
            lines.append(f"{words['verified'][lang]}.")
        elif self.form.unverified is not None:
            lines.append(f"{words['unverified'][lang]}. {self.form.unverified[lang]}")
        if self.running:
            end = self._in_words(Period.parse(self.figures_to)).lower()
            lines.append(f"{words['running_period'][lang]} {end}.")
        return lines
