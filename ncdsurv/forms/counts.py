"""Figures of a form from a release's measures: one pass, every unit and block at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ncdsurv.catalog.forms import FormDefinition
from ncdsurv.catalog.vocabulary import Kind, Period, month_label
from ncdsurv.catalog.whole_periods import LENGTHS, name_over, rests_on_period
from ncdsurv.errors import UsageError
from ncdsurv.forms.table import Cell

if TYPE_CHECKING:
    import polars as pl

    from ncdsurv.catalog import Catalog


@dataclass(frozen=True)
class FormCounts:
    """Figures by commune of the form's vintage.

    A commune is in `figures` only if the release knows anybody there: absent means no data, not zero.
    `first_month` and `last_month` are the months that were counted.
    """

    first_month: int
    last_month: int
    figures: Mapping[str, Mapping[Cell, int]] = field(default_factory=dict)

    def total(self, communes: Iterable[str]) -> dict[Cell, int]:
        """Sum over communes; empty when none of them has data."""
        return add_up(self.figures[commune] for commune in communes if commune in self.figures)


def add_up(parts: Iterable[Mapping[Cell, int]]) -> dict[Cell, int]:
    """Cell by cell sum; a cell that no part has stays absent (blank, never zero)."""
    total: dict[Cell, int] = {}
    for part in parts:
        for cell, count in part.items():
            total[cell] = total.get(cell, 0) + count
    return total


def months_to_count(period: Period, first: int, last: int, release_id: str) -> Period:
    """The months of a period that a release can fill; a running period ends with the release.

    Raises:
        UsageError: The release begins after the period does, or ends before it begins.
    """
    covered = f"{month_label(first)} to {month_label(last)}"
    if period.first_month > last or period.first_month < first:
        raise UsageError(
            f"release {release_id} does not cover the period from its first month",
            got=period,
            allowed=f"periods within {covered}",
            do="ask for a period within these months, or build a release over more months",
        )
    return Period(period.first_month, min(period.last_month, last))


def stocks_counted_as(catalog: Catalog, preset: str, months: Period) -> str:
    """Id of the preset under which a release holds the stocks of some months.

    Raises:
        UsageError: The preset rests on whole periods, and the months so far are no period.
    """
    rules = catalog.presets[preset]
    if not rests_on_period(rules) or months.n_months == 1:
        return preset
    if months.n_months not in LENGTHS:
        raise UsageError(
            f"{preset} rests on the last visit of a whole period",
            got=f"{month_label(months.first_month)} to {month_label(months.last_month)}",
            allowed="a month, quarter, half-year, nine months or year that has ended",
            do="ask for a shorter period, or build a release that reaches the period's end",
        )
    return name_over(preset, months.n_months)


def count_cells(
    measures: pl.LazyFrame, form: FormDefinition, months: Period, stocks: str | None = None
) -> FormCounts:
    """Count every cell of a form.

    Stocks are taken at the last month, flows are summed over the months.

    Args:
        measures: commune (of the form's vintage), month, disease, preset and one Int column per measure,
            any finer grain beside them.
        form: The definition: preset, blocks, measures.
        months: The months to count.
        stocks: The preset under which stocks are counted (`stocks_counted_as`); None is the form's own.

    Returns:
        Figures of each commune that has any row up to the last month.
    """
    import polars as pl

    wanted = {block.counted_as: block.id for block in form.blocks}
    stock = [item.measure for item in form.measures if item.kind is Kind.STOCK]
    flow = [item.measure for item in form.measures if item.kind is Kind.FLOW]
    inside = pl.col("month").is_between(months.first_month, months.last_month)
    under, flows = stocks or form.preset, pl.col("preset") == form.preset
    inside &= flows
    at_end = (pl.col("month") == months.last_month) & (pl.col("preset") == under)
    counted = (
        measures.filter(flows | (pl.col("preset") == under), pl.col("month") <= months.last_month)
        .group_by("commune", "disease")
        .agg(
            *(pl.col(name).filter(at_end).sum().cast(pl.Int64) for name in stock),
            *(pl.col(name).filter(inside).sum().cast(pl.Int64) for name in flow),
        )
        .sort("commune", "disease")
        .collect()
    )
    zeros = dict.fromkeys(((block, item.id) for block in wanted.values() for item in form.measures), 0)
    figures: dict[str, dict[Cell, int]] = {}
    for row in counted.iter_rows(named=True):
        cells = figures.setdefault(row["commune"], dict(zeros))
        if row["disease"] in wanted:
            block = wanted[row["disease"]]
            cells.update({(block, item.id): row[item.measure] for item in form.measures})
    return FormCounts(months.first_month, months.last_month, figures)
