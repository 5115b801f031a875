"""Appointments written as a list: the next one counts."""

from __future__ import annotations

import polars as pl

from ncdsurv.clean.columns import RAW, raw
from ncdsurv.clean.dates import read_dates

_SEVERAL = r"[;|\n]"


def next_of_several(frame: pl.DataFrame) -> pl.DataFrame:
    """Where several appointments stand in one cell (`20260701;20260801`), keep the first after the visit.

    The list may be in any order and may begin with the day of the visit itself. With none after the visit the
    first stays, to be judged like any other.
    """
    several = raw("next_visit_on").str.contains(_SEVERAL).fill_null(False)
    keys = [RAW + "next_visit_on", RAW + "visited_on"]
    cells = frame.filter(several).select(keys).unique()
    if cells.is_empty():
        return frame
    parts = cells.with_columns(
        raw("next_visit_on").str.replace_all(_SEVERAL, ";").str.split(";").alias("part")
    ).explode("part")
    parts = parts.with_columns(pl.col("part").str.strip_chars()).filter(pl.col("part") != "")
    parts = parts.with_columns(
        read_dates(parts["part"])["date"].alias("on"),
        read_dates(parts[RAW + "visited_on"])["date"].alias("visit"),
    )
    after = (pl.col("on") > pl.col("visit")).fill_null(False)
    chosen = (
        parts.with_columns((~after).alias("other"), pl.when(after).then("on").alias("on"))
        .sort(*keys, "other", "on", maintain_order=True)
        .unique(keys, keep="first", maintain_order=True)
        .select(*keys, chosen="part")
    )
    frame = frame.join(chosen, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return frame.with_columns(pl.coalesce("chosen", RAW + "next_visit_on").alias(RAW + "next_visit_on")).drop(
        "chosen"
    )
