"""Zeros where nothing was counted, so that a disease of a large area stands under every preset and in every period.

The engine writes no row of zeros: an area whose first patient came in March has no counts of February. A province in
which a disease is only suspected has counts under the one preset that suspicions are published for. What is missing
there is known all the same: nobody was counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.whole_periods import counted_over, derived_presets
from ncdsurv.indicators.periods import whole_periods
from ncdsurv.indicators.rollup import CELL, LARGE, TOTAL

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

_WHO = [name for name in CELL if name != "preset"]


def filled(monthly: pl.DataFrame, first: int, last: int, catalog: Catalog | None = None) -> pl.DataFrame:
    """The counts of some months, with rows of zeros for the totals of large areas where there are none.

    Args:
        monthly: Of `rollup.roll_up`: CELL, month and counts.
        first: First month that is published; counts of months before it are left out.
        last: Last month that is published.
        catalog: Presets that rest on whole periods; without it all presets are taken as counted by month.

    Returns:
        The counts, and the zeros: every disease and large area under every preset that anything was counted under, in
        every month; under the ids of `whole_periods.counted_over` in the months in which such a period ends. A length
        of period that the measures were not counted over stays left out: zeros would be a guess.
    """
    kept = monthly.filter(pl.col("month").is_between(first, last))
    totals = kept.filter(LARGE & TOTAL)
    counted = set(kept["preset"].unique().cast(pl.String))
    by_month = counted - set(derived_presets(catalog) if catalog is not None else ())
    wanted: dict[str, Iterable[int]] = dict.fromkeys(sorted(by_month), range(first, last + 1))
    if catalog is not None:
        wanted |= _over_whole_periods(kept, first, last, catalog)
    when = _months(wanted).cast({"preset": kept.schema["preset"]})
    empty = totals.select(_WHO).unique().join(when, how="cross")
    empty = empty.join(totals, on=[*CELL, "month"], how="anti")
    zeros = [pl.lit(0, pl.Int64).alias(name) for name in kept.columns if name not in (*CELL, "month")]
    return pl.concat([kept, empty.with_columns(zeros).select(kept.columns)])


def _over_whole_periods(
    counts: pl.DataFrame, first: int, last: int, catalog: Catalog
) -> dict[str, Iterable[int]]:
    """The ids that whole periods are counted under -> the months in which such a period ends.

    Who is counted at a period's end is counted over it as well: a preset with counts at such ends and none over the
    periods was not counted over them, and its id is not among these.
    """
    counted, wanted = set(counts["preset"].unique().cast(pl.String)), dict[str, Iterable[int]]()
    for length, names in counted_over(catalog).items():
        ends = [period.last_month for period in whole_periods(first, last, length).periods]
        at_ends = counts.filter(pl.col("month").is_in(ends)).select(pl.col("preset").unique().cast(pl.String))
        told = set(at_ends["preset"])
        wanted |= {over: ends for name, over in names.items() if over in told or name in counted - told}
    return wanted


def _months(wanted: dict[str, Iterable[int]]) -> pl.DataFrame:
    """preset, month: one row for each pair."""
    pairs = [(preset, month) for preset, months in wanted.items() for month in months]
    return pl.DataFrame(pairs, schema={"preset": pl.String, "month": pl.Int32}, orient="row")
