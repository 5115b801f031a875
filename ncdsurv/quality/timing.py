"""When visits are received, and visits written twice on a day. Pure; the day of receipt is data."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from ncdsurv.quality.counts import KEYS, Records, share
from ncdsurv.quality.definitions import QualityMetric


def _received(records: Records) -> pl.DataFrame:
    """Contacts whose day of receipt is known, with it."""
    if "received_on" not in records.contacts.columns:
        return records.contacts.clear().with_columns(received_on=pl.lit(None, pl.Date))
    return records.contacts.drop_nulls("received_on")


def _deadline(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """Received by so many working days (Monday to Friday) after the end of the visit's month."""
    due = pl.col("visited_on").dt.month_end().dt.add_business_days(metric.working_days or 0, roll="backward")
    return share(_received(records), pl.col("received_on") <= due)


def _delay(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """Received within so many days of the visit."""
    days = (pl.col("received_on") - pl.col("visited_on")).dt.total_days()
    return share(_received(records), days <= (metric.within_days or 0))


def _same_day(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """A day on which one record has several contacts at one station for one disease, over all such days."""
    days = records.contacts.group_by([*KEYS, "record_id", "visited_on", "disease"]).agg(rows=pl.len())
    days = days.group_by([*KEYS, "record_id", "visited_on"]).agg(twice=(pl.col("rows") > 1).any())
    return share(days, pl.col("twice"))


COUNT: dict[str, Callable[[Records, QualityMetric], pl.DataFrame]] = {
    "deadline": _deadline,
    "delay": _delay,
    "same_day": _same_day,
}
