"""What a later release says differently: the revision report."""

from __future__ import annotations

import polars as pl

from ncdsurv.store.release import VALUES_ORDER, Release


def compare(before: Release, after: Release, level: str | None = None) -> pl.DataFrame:
    """What a later release says differently about the cells that both publish: the revision report.

    Args:
        before: The earlier release.
        after: The later release.
        level: One area level, or None for all.

    Returns:
        The key columns, numerator, denominator and value of both (`_before`, `_after`) and `change` of the
        value; only cells that differ, or that one of the two lacks (`only_in`).
    """
    kept = ("numerator", "denominator", "value")

    def side(release: Release, suffix: str) -> pl.LazyFrame:
        frame = release.scan_levels(None if level is None else [level])
        if level is not None:
            frame = frame.filter(pl.col("area_level") == level)
        named = [pl.col(name).alias(f"{name}_{suffix}") for name in kept]
        return frame.select(*VALUES_ORDER, *named, pl.lit(True).alias(f"in_{suffix}"))

    both = side(before, "before").join(
        side(after, "after"), on=list(VALUES_ORDER), how="full", coalesce=True, nulls_equal=True
    )
    differs = pl.any_horizontal(pl.col(f"{n}_before").ne_missing(pl.col(f"{n}_after")) for n in kept)
    alone = pl.when(pl.col("in_after").is_null()).then(pl.lit("before"))
    return (
        both.with_columns(
            (pl.col("value_after") - pl.col("value_before")).alias("change"),
            alone.when(pl.col("in_before").is_null()).then(pl.lit("after")).alias("only_in"),
        )
        .filter(differs | pl.col("only_in").is_not_null())
        .drop("in_before", "in_after")
        .collect()
        .sort(VALUES_ORDER)
    )
