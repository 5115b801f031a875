"""Readings that look copied or invented: jumps no body makes, and distributions that are too even. Pure.

A distribution is judged for a station as a whole: all its readings stand in the numerator, or none, so that
sums over stations say what share of the readings comes from stations that stand out.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from ncdsurv.quality.counts import KEYS, Records, readings_of, share
from ncdsurv.quality.definitions import QualityMetric
from ncdsurv.reference.sums import steady_sum


def _jump(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """A change from the same record's reading before, of at least so much within so many days."""
    column, day = pl.col(metric.columns[0]).cast(pl.Float64), pl.col("visited_on")
    order = ["visited_on", "facility"]
    pairs = readings_of(records, metric.columns).select(
        *KEYS,
        change=(column - column.shift(1).over("record_id", order_by=order)).abs(),
        days=(day - day.shift(1).over("record_id", order_by=order)).dt.total_days(),
    )
    near = pairs.filter(pl.col("days") <= (metric.within_days or 0))
    return share(near, pl.col("change") >= (metric.change or 0.0))


def _of_station(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """[facility, source, month, reading, n]: how often a station wrote down each number in a month."""
    reading = pl.col(metric.columns[0]).cast(pl.Float64)
    found = readings_of(records, metric.columns).group_by(*KEYS, reading=reading)
    return found.agg(n=pl.len().cast(pl.Int64))


def _spread(written: pl.DataFrame, metric: QualityMetric) -> pl.DataFrame:
    """Variance of a station's readings against the variance within all stations of that month.

    Too even: the ratio is below the limit, and chance would give so small a variance less often than the
    significance says (chi-square of n - 1 degrees of freedom).
    """
    from scipy.special import chdtr

    total = pl.col("n").sum()
    mean = steady_sum(pl.col("n") * pl.col("reading")) / total
    groups = (
        written.filter(total.over(KEYS) >= metric.minimum_denominator)
        .with_columns(mean=mean.over(KEYS))
        .group_by(KEYS)
        .agg(
            total,
            variance=steady_sum(pl.col("n") * (pl.col("reading") - pl.col("mean")) ** 2)
            / pl.when(total > 1).then(total - 1),
        )
    )
    freedom = pl.col("n") - 1
    pooled = groups.group_by("month").agg(within=steady_sum(freedom * pl.col("variance")) / freedom.sum())
    groups = groups.join(pooled, on="month").with_columns(ratio=pl.col("variance") / pl.col("within"))
    chance = chdtr((groups["n"] - 1).to_numpy(), (groups["ratio"] * (groups["n"] - 1)).to_numpy())
    small = pl.col("ratio") < (metric.variance_ratio or 0.0)
    rare = pl.Series("chance", chance, dtype=pl.Float64) < (metric.significance or 0.0)
    return _whole(groups.with_columns(even=small & rare).with_columns(pl.col("even").fill_null(False)))


def _flat(written: pl.DataFrame, metric: QualityMetric) -> pl.DataFrame:
    """Readings of a station, over the whole time, that cannot be told from numbers drawn evenly in a range.

    The steps between the trimmed ends are put into bins, as equal as they go; chi-square against the shares
    that even numbers would have. Bodies give a heap in the middle, which does not fit; random numbers
    between two limits do.
    """
    from scipy.special import chdtri

    bins, trim, step = metric.bins or 1, metric.trim or 0.0, metric.step or 1.0
    place = ["facility", "source"]
    # Whole steps from here on: binary fractions would move readings across the edge of a bin.
    steps = (pl.col("reading") / step).round().cast(pl.Int64)
    readings = written.group_by(*place, at=steps).agg(pl.col("n").sum()).sort(*place, "at")
    low, high = (_quantile(share).over(place) for share in (trim, 1 - trim))
    readings = readings.with_columns(low=low, values=high - low + 1)
    readings = readings.with_columns(at=pl.col("at") - pl.col("low")).filter(
        pl.col("values") >= bins, pl.col("at").is_between(0, pl.col("values") - 1)
    )
    readings = readings.with_columns(bin=pl.col("at") * bins // pl.col("values"))
    in_bin = _ceiling((pl.col("bin") + 1) * pl.col("values"), bins) - _ceiling(
        pl.col("bin") * pl.col("values"), bins
    )
    groups = (
        readings.group_by([*place, "values", "bin"])
        .agg(counted=pl.col("n").sum())
        .with_columns(expected=in_bin / pl.col("values"))
        .group_by(place)
        .agg(
            n=pl.col("counted").sum(),
            fit=steady_sum(pl.col("counted") ** 2 / pl.col("expected")),
        )
        .filter(pl.col("n") >= metric.minimum_denominator)
        # sum of (observed - n p)^2 / (n p) = sum of observed^2 / (n p) - n; an empty bin adds nothing
        .with_columns(statistic=pl.col("fit") / pl.col("n") - pl.col("n"))
    )
    limit = float(chdtri(bins - 1, metric.significance or 0.0))
    return _whole(groups.with_columns(even=pl.col("statistic") < limit, month=pl.lit(None, pl.String)))


def _quantile(share: float) -> pl.Expr:
    """The value `at` of that rank among `n` of each, rows in the order of `at`: the nearest rank."""
    rank = ((pl.col("n").sum() - 1) * share).round(mode="half_away_from_zero")
    return pl.col("at").filter(pl.col("n").cum_sum() > rank).first()


def _ceiling(number: pl.Expr, by: int) -> pl.Expr:
    return -((-number) // by)


def _whole(groups: pl.DataFrame) -> pl.DataFrame:
    return groups.select(
        *KEYS, numerator=pl.when("even").then("n").otherwise(0).cast(pl.Int64), denominator=pl.col("n")
    )


COUNT: dict[str, Callable[[Records, QualityMetric], pl.DataFrame]] = {"jump": _jump}
GATHER: dict[str, Callable[[Records, QualityMetric], pl.DataFrame]] = {
    "spread": _of_station,
    "flat": _of_station,
}
"""What judges a station by all its readings: first how often it wrote each number, which adds up over records..."""
JUDGE: dict[str, Callable[[pl.DataFrame, QualityMetric], pl.DataFrame]] = {"spread": _spread, "flat": _flat}
"""...then the judgement."""
