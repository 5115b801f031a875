"""Every kind of quality metric and the function that counts it."""

from __future__ import annotations

import polars as pl

from ncdsurv.quality import counts, patterns, timing
from ncdsurv.quality.counts import Records
from ncdsurv.quality.definitions import QualityMetric

_GATHER = {**counts.COUNT, **timing.COUNT, **patterns.COUNT, **patterns.GATHER}
ADDS_UP = ("numerator", "denominator", "n")
"""Columns of what is gathered that are counts; all others name the cell."""
LOOKS_BACK = ("jump", "repeated")
"""Kinds that compare a reading with the one before it, in whatever month that was."""


def gather(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """What a metric needs to know of some records (all kinds but `rejected`, which is not about visits)."""
    return _GATHER[metric.kind](records, metric)


def judge(gathered: list[pl.DataFrame], metric: QualityMetric) -> pl.DataFrame:
    """The counts of a metric from what was gathered of parts of the records, no record in two of them.

    Returns:
        [facility, source, month, numerator, denominator].
    """
    found = pl.concat(gathered)
    if len(gathered) > 1:
        sums = [name for name in ADDS_UP if name in found.columns]
        found = found.group_by(pl.exclude(sums)).agg(pl.col(sums).sum())
    return patterns.JUDGE[metric.kind](found, metric) if metric.kind in patterns.JUDGE else found


def count_metric(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """Count one metric of all records: `gather` and `judge` in one."""
    return judge([gather(records, metric)], metric)
