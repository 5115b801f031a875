"""The polars reference, first half: what is known of a case after each day with a counted contact.

One row per case and visit day (or day with nothing but a notice), holding everything a later month needs: the last
visit, status, drugs, the day due again, the last readings and the one before. The last row of a case is what is
carried to the next month.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ncdsurv.catalog.vocabulary import PatientStatus
from ncdsurv.spells.cases import month_expr
from ncdsurv.spells.layout import NEVER, NOTICE, STATUSES, Bucket
from ncdsurv.spells.passes import READING_STATE, VISIT_STATE, is_day
from ncdsurv.spells.rules import AT_TARGET, OFF_TARGET, UNREAD, Rules

# A contact's status 0 is "none given".
OUT = STATUSES.index(PatientStatus.TRANSFERRED_OUT) + 1
IN = STATUSES.index(PatientStatus.TRANSFERRED_IN) + 1
_BITS = {disease: 1 << disease for disease in range(np.iinfo(np.int64).bits - 1)}
DUE_DAY = "due_day"
_LASTING = (
    *("visit_day", "drug_day", DUE_DAY),
    *("read_verdict", "read_day", "before_verdict", "other_verdict", "other_day"),
)


def none_yet(column: str) -> int:
    """What a column of the state, with or without its lane, holds before anything is known.

    >>> none_yet("read_verdict_0"), none_yet("visit_day") == none_yet("visit_day_1") == -NEVER
    (0, True)
    """
    if is_day(column):
        return NEVER if column.startswith(DUE_DAY) else -NEVER
    return UNREAD


def number_cases(bucket: Bucket, first_month: int) -> pl.DataFrame:
    """The cases with what the people table says of them, numbered, and the month each one begins in."""
    begin = pl.min_horizontal("at_risk_month", "suspected_month", "detected_month")
    return (
        bucket.cases.join(bucket.people, on="person")
        .sort("person", "disease")
        .with_row_index("case")
        .with_columns(
            start=pl.max_horizontal(begin, pl.lit(first_month, pl.Int32)),
            bit=pl.lit(1, pl.Int64) * pl.col("disease").replace_strict(_BITS, return_dtype=pl.Int64),
        )
    )


def visit_days(
    contacts: pl.DataFrame, cases: pl.DataFrame, rules: Rules, carried: pl.DataFrame | None = None
) -> pl.DataFrame:
    """What is known of a case after each day with a counted contact, or a notice that speaks of it.

    Args:
        contacts: Contacts of the layout with the judged columns.
        cases: Of `number_cases`.
        rules: Of one preset.
        carried: case, month and the state columns, one row for each case whose contacts up to that month
            are summed up in them; such a case's contacts of those months are not looked at.

    Returns:
        case, day, month, new (a visit day that was not carried), previous_day (of a visit), `VISIT_STATE`,
        `READING_STATE`, and day_verdict and day_other: what the last visit day itself said.
    """
    known = cases.select("case", "person", "disease", "bit")
    if carried is None:
        known = known.with_columns(known_to=pl.lit(-NEVER))
    else:
        known = known.join(carried.select("case", known_to="month"), on="case", how="left")
    speaks, visited = pl.col("speaks"), pl.col("visit")
    told = speaks & (pl.col("status") > 0)
    notice = (pl.col("kind") == NOTICE) & (pl.col("status") > 0)
    days = (
        contacts.with_columns(visit=pl.col("kind").is_in(list(rules.kinds)))
        .filter(visited | notice)
        .with_row_index("order")
        .join(known, on="person")
        .filter(pl.col("month") > pl.col("known_to").fill_null(-NEVER))
        .with_columns(
            speaks=(pl.col("diseases") & pl.col("bit")) != 0,
            due=pl.coalesce("due_day", pl.col("day") + rules.interval_days),
        )
        .filter(visited | speaks)  # a notice of another disease is no news of this one
        .with_columns(verdict=_verdict(rules), other=_by_disease(rules.companion))
        .sort("case", "order")
        .group_by("case", "day", "month", maintain_order=True)
        .agg(
            pl.col("status").filter(told).last().fill_null(0),
            pl.col("verdict").filter(pl.col("verdict") != UNREAD).last(),
            pl.col("other").filter(pl.col("other") != UNREAD).last(),
            pl.col("due").filter(speaks & visited).max(),
            visited.any(),
            drugs=(speaks & (pl.col("dispensed") > 0)).any(),
        )
    )
    read, other, day = pl.col("verdict").is_not_null(), pl.col("other").is_not_null(), pl.col("day")
    state = {
        "visit_day": pl.when(visited).then(day),
        "visit_status": pl.col("status"),
        "drug_day": pl.when("drugs").then(day),
        "due_day": pl.when(pl.col("status") == OUT).then(NEVER).otherwise("due"),
        "read_verdict": pl.col("verdict"),
        "read_day": pl.when(read).then(day),
        "before_verdict": pl.lit(None),
        "other_verdict": pl.col("other"),
        "other_day": pl.when(other).then(day),
    }
    whole = {name: expression.cast(pl.Int32) for name, expression in state.items()}
    found = days.select("case", "day", "month", new=visited, **whole)
    if carried is not None:
        found = pl.concat([_carried_days(carried), found]).sort("case", "day")
    return _lasting(found)


def _lasting(days: pl.DataFrame) -> pl.DataFrame:
    """What a day does not say anew stays as it was; the reading before is the one of an earlier day."""
    reads = pl.col("new") & pl.col("read_verdict").is_not_null()
    earlier = pl.col("read_verdict").forward_fill().shift(1).over("case").fill_null(UNREAD)
    return (
        days.with_columns(before_verdict=pl.when(reads).then(earlier).otherwise("before_verdict"))
        .with_columns(pl.col(name).forward_fill().over("case") for name in _LASTING)
        .with_columns(
            previous_day=pl.col("visit_day").shift(1).over("case"),
            day_verdict=pl.when(pl.col("read_day") == pl.col("visit_day")).then("read_verdict"),
            day_other=pl.when(pl.col("other_day") == pl.col("visit_day")).then("other_verdict"),
        )
        .with_columns(pl.col("day_verdict", "day_other").fill_null(UNREAD))
    )


def _verdict(rules: Rules) -> pl.Expr:
    """The verdict of a contact on a case's disease: as measured, else as reported where that is allowed."""
    measured = _by_disease(rules.judged)
    trusted = pl.col("disease").is_in([d for d, reported in enumerate(rules.reported) if reported])
    asked = trusted & pl.col("speaks") & (measured == UNREAD)
    told = pl.when(asked & (pl.col("reported_target") == 1)).then(pl.lit(AT_TARGET, pl.UInt8))
    return told.when(asked & (pl.col("reported_target") == 0)).then(OFF_TARGET).otherwise(measured)


def _by_disease(columns: Sequence[int]) -> pl.Expr:
    """The judged column that stands for a row's disease."""
    found: pl.Expr = pl.lit(UNREAD, pl.UInt8)
    for column in sorted(set(columns) - {-1}):
        decided = [disease for disease, judged in enumerate(columns) if judged == column]
        found = pl.when(pl.col("disease").is_in(decided)).then(pl.col(f"judged_{column}")).otherwise(found)
    return found


def _carried_days(carried: pl.DataFrame) -> pl.DataFrame:
    """Carried states as the row of their last visit day; of whom nothing was told has none."""
    seen = carried.filter((pl.col("visit_day") > -NEVER) | (pl.col("visit_status") > 0))
    days = ("visit_day", "drug_day", "read_day", "other_day")
    state = [
        pl.when(pl.col(name) > -NEVER).then(name).alias(name) if name in days else pl.col(name)
        for name in (*VISIT_STATE, *READING_STATE)
    ]
    day = pl.col("visit_day").alias("day")
    return seen.select("case", day, "month", new=pl.lit(False)).with_columns(seen.select(state))


def month_of(day: pl.Expr) -> pl.Expr:
    """Month index of days since the epoch (or dates)."""
    return month_expr(day.cast(pl.Date))


def last_states(days: pl.DataFrame, cases: pl.DataFrame, last_month: int) -> pl.DataFrame:
    """The state of every case after its last visit day up to a month: what is carried on."""
    final = days.filter(pl.col("month") <= last_month).unique("case", keep="last", maintain_order=True)
    known = cases.select("case").join(final, on="case", how="left")
    return known.select(
        "case", *(pl.col(n).fill_null(none_yet(n)).cast(pl.Int32) for n in (*VISIT_STATE, *READING_STATE))
    )
