"""Buckets whose people are looked after by stations: those of the benchmarks name none."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from ncdsurv.spells import Bucket
from ncdsurv.spells.layout import ASSIGNMENTS, lay_out

STATIONS, SOURCES = 7, ("book", "his")


def with_stations(bucket: Bucket) -> Bucket:
    """The bucket with a station and a source for every month of contact; people change both now and then.

    Two people in ten have contacts that name no station.
    """
    dice = (pl.col("person") * 31 + pl.col("from_month") // 5).hash(7)
    rows = bucket.contacts.select("person", from_month="month").unique().sort("person", "from_month")
    told = rows.with_columns(
        facility=pl.when(pl.col("person") % 10 > 1).then(pl.format("S{}", dice % STATIONS)),
        source=pl.lit(pl.Series(SOURCES)).gather((dice // STATIONS % len(SOURCES)).cast(pl.UInt32)),
    )
    return replace(bucket, assignments=lay_out(told, ASSIGNMENTS))
