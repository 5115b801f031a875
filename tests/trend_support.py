"""Invented monthly values of one place, for the tests of trends."""

from __future__ import annotations

import numpy as np
import polars as pl

from ncdsurv.catalog.tables import VALUES
from ncdsurv.catalog.vocabulary import month_label

PLACE = {
    "release": "2026-06-abc",
    "indicator": "control_rate",
    "preset": "tt37",
    "disease": "hypertension",
    "area_code": "79",
    "area_vintage": "2025",
    "area_level": "province",
    "sex": "both",
    "age_band": "all",
    "ci_method": "wilson",
    "standardisation": "crude",
    "unit": "percent",
    "flag": "ok",
}


def monthly_values(
    numerator: object,
    people: object = 2000.0,
    first: int = 2023 * 12 + 1,
    *,
    reach: object = None,
    **columns: object,
) -> pl.DataFrame:
    """Monthly shares of one province with given numerators; `columns` replace what `PLACE` says.

    Args:
        numerator: Counts by month, shape (n,).
        people: Denominator, one number or one a month.
        first: Month index of the first month.
        reach: Half the width of the published interval as a share; None for no interval.
        columns: Text columns other than in `PLACE`.

    Returns:
        A frame with the columns of `VALUES`.
    """
    counts = np.asarray(numerator, dtype=float)
    people = np.broadcast_to(np.asarray(people, dtype=float), counts.shape)
    share = np.divide(counts, people, out=np.full(counts.shape, np.nan), where=people > 0)
    ends = {"lower": share, "upper": share}
    if reach is not None:
        ends = {"lower": share - reach, "upper": share + reach}
    frame = pl.DataFrame(
        {
            "period": [month_label(first + at) for at in range(len(counts))],
            "numerator": counts,
            "denominator": people,
            "value": 100 * share,
            **{name: 100 * end for name, end in ends.items()},
        }
    ).with_columns(pl.col("value", "lower", "upper").fill_nan(None))
    if reach is None:
        frame = frame.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in ends)
    literals = [pl.lit(value, dtype=pl.String).alias(name) for name, value in (PLACE | columns).items()]
    return frame.with_columns(*literals).select(list(VALUES))
