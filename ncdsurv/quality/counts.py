"""Numerator and denominator of each kind of quality metric. Pure: frames in, frames out, no row order assumed.

Every function returns [facility, source, month, numerator, denominator]; month is `YYYY-MM`, or null for
metrics over the whole time. Null readings are in no denominator, except where completeness is the question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from ncdsurv.catalog import Catalog
from ncdsurv.quality.definitions import QualityMetric, upper_limit

KEYS = ["facility", "source", "month"]
_SLIVER = 1e-6


@dataclass(frozen=True)
class Records:
    """The frames a metric may look at: all of some records.

    `contacts` are visits without screening, with source and month, and with `received_on` where it is known
    when each was first received.
    """

    contacts: pl.DataFrame
    diagnoses: pl.DataFrame
    flags: pl.DataFrame
    catalog: Catalog


def share(frame: pl.DataFrame, hit: pl.Expr) -> pl.DataFrame:
    """Rows that are hit over all rows, by station, source and month; an unknown answer is no hit."""
    return frame.group_by(KEYS).agg(
        numerator=hit.fill_null(False).cast(pl.Int64).sum(), denominator=pl.len().cast(pl.Int64)
    )


def _completeness(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """A contact is for every disease of the record, so the record's diagnoses decide, and the row's own."""
    catalog = records.catalog
    followed = [d.id for d in catalog.diseases.values() if d.measurement == metric.measurement]
    measurement = catalog.measurements[str(metric.measurement)]
    usable = pl.any_horizontal(
        pl.all_horizontal([pl.col(column).is_not_null() for column in reading.columns]) & reading.where.expr()
        for reading in measurement.readings.values()
    )
    known = records.diagnoses.filter(pl.col("disease").is_in(followed)).select("record_id").unique()
    contacts = records.contacts.filter(pl.col("kind").is_in([str(kind) for kind in metric.visit_kinds]))
    known = known.with_columns(followed=pl.lit(True))
    contacts = contacts.join(known, on="record_id", how="left").filter(
        pl.col("followed").fill_null(False) | pl.col("disease").is_in(followed).fill_null(False)
    )
    # Several rows of one person at one station on one day are one contact: recorded once is recorded.
    contacts = contacts.group_by([*KEYS, "record_id", "visited_on"]).agg(usable=usable.any())
    return share(contacts, pl.col("usable"))


def readings_of(records: Records, columns: tuple[str, ...]) -> pl.DataFrame:
    """The last full reading of every record, station and day."""
    full = pl.all_horizontal([pl.col(column).is_not_null() for column in columns])
    order = ["record_id", "facility", "visited_on", "sequence", "row_number", "visit_id"]
    return (
        records.contacts.filter(full)
        .sort(order, nulls_last=False)
        .unique(["record_id", "facility", "visited_on"], keep="last", maintain_order=True)
    )


def _terminal_digit(records: Records, metric: QualityMetric) -> pl.DataFrame:
    column = pl.col(metric.columns[0])
    return share(
        readings_of(records, metric.columns), (column.cast(pl.Int64) % 10).is_in(list(metric.digits))
    )


def _below_limit(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """Work in whole steps: 7.0 - 0.1 in floats is not 6.9, but 70 - 1 is 69."""
    step, limit = float(metric.step or 1), upper_limit(metric, records.catalog)
    reading = records.catalog.measurements[str(metric.measurement)].readings[str(metric.reading)]
    # Cut off, not rounded: 6.95 (125 mg/dL) is still below 7.0. The little more mends 6.9 / 0.1 = 68.99999.
    steps = (pl.col(metric.columns[0]) / step + _SLIVER).floor().cast(pl.Int64)
    highest, width = round((limit or 0.0) / step), int(metric.neighbours or 1)
    near = (
        readings_of(records, metric.columns)
        .filter(reading.where.expr())
        .filter(steps.is_between(highest - width, highest + width))
    )
    return share(near, steps == highest)


def _repeated(records: Records, metric: QualityMetric) -> pl.DataFrame:
    readings = readings_of(records, metric.columns)
    before = [
        pl.col(column).shift(1).over("record_id", order_by=["visited_on", "facility"])
        for column in metric.columns
    ]
    same = pl.all_horizontal(pl.col(column) == earlier for column, earlier in zip(metric.columns, before))
    first = before[0].is_null()
    readings = readings.select(*KEYS, same=same, first=first).filter(~pl.col("first"))
    return share(readings, pl.col("same"))


def _recorded(records: Records, metric: QualityMetric) -> pl.DataFrame:
    """One contact per record, station and day; the columns may stand in different rows of that day."""
    kinds = [str(kind) for kind in metric.visit_kinds]
    contacts = (
        records.contacts.filter(pl.col("kind").is_in(kinds))
        .group_by([*KEYS, "record_id", "visited_on"])
        .agg(pl.col(column).is_not_null().any() for column in metric.columns)
    )
    return share(contacts, pl.all_horizontal(metric.columns))


def _identifier(records: Records, metric: QualityMetric) -> pl.DataFrame:
    seen = records.contacts.select(*KEYS, "record_id").unique()
    names = [f"has_{name}" for name in metric.identifiers]
    marks = records.flags.select("record_id", *names).unique("record_id", keep="any")
    seen = seen.join(marks, on="record_id", how="left")
    return share(seen, ~pl.all_horizontal(pl.col(name).fill_null(False) for name in names))


COUNT: dict[str, Callable[[Records, QualityMetric], pl.DataFrame]] = {
    "completeness": _completeness,
    "recorded": _recorded,
    "terminal_digit": _terminal_digit,
    "below_limit": _below_limit,
    "repeated": _repeated,
    "identifier": _identifier,
}


def kept_rows(visits: pl.DataFrame, record_source: pl.DataFrame) -> pl.DataFrame:
    """How many input rows of each file were kept, and at which stations; adds up over parts of the records.

    Args:
        visits: Rows of any table of records: file_sha256, row_number, record_id, facility.
        record_source: record_id -> source.

    Returns:
        [file_sha256, source, facility, kept, rows]: `kept` rows of a file and source; beside them, with 0
        kept, each station that the file speaks of. `rows` says of how many rows a line was made.
    """
    row = ["file_sha256", "row_number", "record_id"]
    rows = visits.select(*row, "facility").drop_nulls(["file_sha256", "row_number"])
    once = rows.unique(row, keep="any").join(record_source, on="record_id", how="left")
    numbers = once.group_by("file_sha256", "source").agg(
        facility=pl.lit(None, pl.String), kept=pl.len().cast(pl.Int64), rows=pl.len().cast(pl.Int64)
    )
    stations = rows.drop_nulls("facility").group_by("file_sha256", "facility")
    named = stations.agg(rows=pl.len().cast(pl.Int64)).select(
        "file_sha256",
        pl.lit(None, pl.String).alias("source"),
        "facility",
        pl.lit(0, pl.Int64).alias("kept"),
        "rows",
    )
    return pl.concat([numbers, named])


def count_rejects(metric: str, kept: pl.DataFrame, rejects: pl.DataFrame) -> pl.DataFrame:
    """Rejected rows in all (`metric`) and by rule (`metric.rule`), by station and source.

    Args:
        metric: Name of the metric.
        kept: As `kept_rows` gives it, of one part or of several.
        rejects: Schema `REJECTS`.

    Returns:
        [metric, facility, source, month (null), numerator, denominator].
    """
    one = pl.when(pl.col("facility").n_unique() == 1).then(pl.col("facility").first())
    place = kept.drop_nulls("facility").group_by("file_sha256").agg(facility=one)
    rows_kept = kept.filter(pl.col("kept") > 0).join(place, on="file_sha256", how="left", suffix="_of_file")
    rejected = rejects.select("file_sha256", "sheet", "row_number", "source", "rule").unique()
    rejected = rejected.join(place, on="file_sha256", how="left")
    keys = ["facility", "source"]
    n_kept = rows_kept.group_by("source", facility="facility_of_file").agg(pl.col("kept").sum())
    row = pl.struct("file_sha256", "sheet", "row_number")
    n_rejected = rejected.group_by(keys).agg(rejected=row.n_unique().cast(pl.Int64))
    base = n_kept.join(n_rejected, on=keys, how="full", nulls_equal=True, coalesce=True).with_columns(
        pl.col("kept", "rejected").fill_null(0)
    )
    total = base.select(
        pl.lit(metric).alias("metric"),
        *keys,
        numerator=pl.col("rejected"),
        denominator=pl.col("kept") + pl.col("rejected"),
    )
    broken = rejected.group_by([*keys, "rule"]).agg(numerator=row.n_unique().cast(pl.Int64))
    # Every station gets every rule: a sum over stations must have the rows of those that broke none below it.
    every = total.drop("numerator", "metric").join(broken.select("rule").unique(), how="cross")
    by_rule = every.join(broken, on=[*keys, "rule"], how="left", nulls_equal=True).with_columns(
        pl.col("numerator").fill_null(0), metric=pl.format(f"{metric}.{{}}", pl.col("rule"))
    )
    columns = ["metric", *keys, "numerator", "denominator"]
    return pl.concat([total.select(columns), by_rule.select(columns)]).with_columns(
        month=pl.lit(None, pl.String)
    )
