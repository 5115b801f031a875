"""Every kind of quality metric and the function that counts it."""

from __future__ import annotations

import polars as pl

from ncdsurv.quality import counts, patterns, timing
from ncdsurv.quality.counts import Records
from ncdsurv.quality.definitions import QualityMetric

_COUNT = {**counts.COUNT, **timing.COUNT, **patterns.COUNT}


def count_metric(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """Count one metric (all kinds but `rejected`, which is not about visits).

    Returns:
        [facility, source, month, numerator, denominator].
    """
    return _COUNT[metric.kind](records, metric)
