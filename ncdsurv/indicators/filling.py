"""Zeros where nothing was counted, so that a disease of a large area stands under every preset and in every period.

The engine writes no row of zeros: an area whose first patient came in March has no counts of February, and one in
which nobody was counted under a preset has none of that preset. What is missing is known all the same: nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.whole_periods import counted_over, derived_presets
from ncdsurv.indicators.periods import whole_periods
from ncdsurv.indicators.rollup import CELL, LARGE, TOTAL

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

_WHO = [name for name in CELL if name != "preset"]


def counted_under(measures: pl.LazyFrame) -> frozenset[str]:
    """The presets that measures were counted under, also those under which nobody was counted."""
    kind = measures.collect_schema()["preset"]
    if isinstance(kind, pl.Enum):  # of a release: it names them all
        return frozenset(kind.categories)
    return frozenset(measures.select(pl.col("preset").unique()).collect()["preset"].to_list())


def filled(
    monthly: pl.DataFrame,
    first: int,
    last: int,
    catalog: Catalog | None = None,
    under: Collection[str] = (),
) -> pl.DataFrame:
    """The counts of some months, with rows of zeros for the totals of large areas where there are none.

    Args:
        monthly: Of `rollup.roll_up`: CELL, month and counts.
        first: First month that is published; counts of months before it are left out.
        last: Last month that is published.
        catalog: Presets that rest on whole periods; without it all presets are taken as counted by month.
        under: Of `counted_under`: whole periods of a length that is not there stay left out, zeros would be a guess.

    Returns:
        The counts, and the zeros: every disease and large area under every preset that anything was counted under, in
        every month; under the ids of `whole_periods.counted_over` in the months in which such a period ends.
    """
    kept = monthly.filter(pl.col("month").is_between(first, last))
    totals = kept.filter(LARGE & TOTAL)
    by_month = set(kept["preset"].unique().cast(pl.String))
    wanted: dict[str, Iterable[int]] = {}
    if catalog is not None:
        for length, names in counted_over(catalog).items():
            ends = [period.last_month for period in whole_periods(first, last, length).periods]
            # Whoever is counted over a period alone is counted in no month: a zero of the preset itself.
            by_month |= {name for name, over in names.items() if over in by_month}
            wanted |= {over: ends for name, over in names.items() if over in under and name in by_month}
        by_month -= set(derived_presets(catalog))
    wanted |= dict.fromkeys(sorted(by_month), range(first, last + 1))
    when = _months(wanted).cast({"preset": kept.schema["preset"]})
    empty = totals.select(_WHO).unique().join(when, how="cross")
    empty = empty.join(totals, on=[*CELL, "month"], how="anti")
    zeros = [pl.lit(0, pl.Int64).alias(name) for name in kept.columns if name not in (*CELL, "month")]
    return pl.concat([kept, empty.with_columns(zeros).select(kept.columns)])


def _months(wanted: dict[str, Iterable[int]]) -> pl.DataFrame:
    """preset, month: one row for each pair."""
    pairs = [(preset, month) for preset, months in wanted.items() for month in months]
    return pl.DataFrame(pairs, schema={"preset": pl.String, "month": pl.Int32}, orient="row")
