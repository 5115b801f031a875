"""The reference form of the engine, in polars: a bucket -> spells -> changes -> counts.

A case's state can change only in a few months: a contact, the month in which a window runs out, a
birthday across a band, a move, a death. Those months are collected, the state is worked out in each, and
each gives a +1 for the state entered and a -1 for the state left; a running sum over the months gives the
counts. Work grows with contacts, not with people x months.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import polars as pl

from ncdsurv.catalog.models import AgeBand
from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, Outcome, PatientStatus
from ncdsurv.spells.layout import NEVER, STATUSES, Bucket
from ncdsurv.spells.rules import AT_TARGET, OFF_TARGET, UNREAD, Rules
from ncdsurv.spells.states import FACTS, STANDING, Plan

_OUT = STATUSES.index(PatientStatus.TRANSFERRED_OUT) + 1  # a contact's status 0 is "none given"
CELL = ["disease", "atom", "sex", "band"]


def _key(owner: str, month: str) -> pl.Expr:
    """One sortable integer for (owner, month): an as-of search needs no groups then."""
    return pl.col(owner).cast(pl.Int64) * NEVER + pl.col(month)


def _monthly(contacts: pl.DataFrame, cases: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """What is known of a case at the end of each month with a contact (one row per case and month)."""
    told_met = pl.when(pl.col("speaks") & (pl.col("reported_target") == 1)).then(AT_TARGET)
    told_off = told_met.when(pl.col("speaks") & (pl.col("reported_target") == 0)).then(OFF_TARGET)
    verdict: pl.Expr = told_off.otherwise(UNREAD)
    for column in sorted(set(rules.judged) - {-1}):
        decided = [disease for disease, judged in enumerate(rules.judged) if judged == column]
        verdict = (
            pl.when(pl.col("disease").is_in(decided)).then(pl.col(f"judged_{column}")).otherwise(verdict)
        )
    last_day = pl.col("day") == pl.col("day").max()
    read, told = pl.col("verdict") != UNREAD, pl.col("speaks") & (pl.col("status") > 0)
    months = (
        contacts.filter(pl.col("kind").is_in(list(rules.kinds)))
        .with_row_index("order")
        .join(cases.select("case", "person", "disease", "bit"), on="person")
        .with_columns(speaks=(pl.col("diseases") & pl.col("bit")) != 0)
        .with_columns(verdict=verdict.cast(pl.UInt8))
        .sort("case", "order")
        .group_by("case", "month", maintain_order=True)
        .agg(
            out=(pl.col("status").filter(last_day & told).last() == _OUT).fill_null(False),
            day_verdict=pl.col("verdict").filter(last_day & read).last(),
            read_verdict=pl.col("verdict").filter(read).last(),
            dispensed=(pl.col("speaks") & (pl.col("dispensed") > 0)).any(),
        )
        .sort("case", "month")
    )
    return months.with_columns(
        visit_month=pl.col("month"),
        read_month=pl.when(pl.col("read_verdict").is_not_null()).then("month").forward_fill().over("case"),
        read_verdict=pl.col("read_verdict").forward_fill().over("case"),
        drug_month=pl.when("dispensed").then("month").forward_fill().over("case"),
    )


def _breakpoints(
    cases: pl.DataFrame,
    months: pl.DataFrame,
    segments: pl.DataFrame,
    rules: Rules,
    plan: Plan,
    bands: Sequence[AgeBand],
    first: int,
    last: int,
) -> pl.DataFrame:
    """Case and month pairs in which the state or the cell can change, within the months asked for."""

    def of(frame: pl.DataFrame, column: str, *after: int) -> list[pl.DataFrame]:
        return [frame.select("case", month=pl.col(column) + add) for add in after]

    moves = cases.select("case", "person").join(segments, on="person").select("case", month="from_month")
    parts = [
        *of(cases, "start", 0),
        *of(cases, "detected_month", 1),
        *of(cases, "enrolled_month", rules.enrolment_buffer, rules.lost_after, *plan.cuts),
        *of(cases, "death_month", 0),
        *of(cases, "birth_month", *(band.lower * MONTHS_PER_YEAR for band in bands)),
        *of(months, "visit_month", 0, 1, rules.outcome_window, rules.lost_after),
        *of(months.drop_nulls("read_month"), "read_month", rules.outcome_window),
        *of(months.drop_nulls("drug_month"), "drug_month", 1, rules.treated_window),
        moves,
    ]
    inside = cases.select("case", "start")
    return (
        pl.concat(parts)
        .filter(pl.col("month").is_between(first, last))
        .unique()
        .join(inside, on="case")
        .filter(pl.col("month") >= pl.col("start"))
        .drop("start")
        .sort("case", "month")
    )


def _code(rules: Rules, plan: Plan) -> pl.Expr:
    """The state's number in a month, from what is known then (see `states`)."""
    month = pl.col("month")
    enrolled_for = month - pl.col("enrolled_month")
    no_visit_for = (month - pl.col("visit_month")).fill_null(NEVER)
    no_reading_for = (month - pl.col("read_month")).fill_null(NEVER)
    no_drugs_for = (month - pl.col("drug_month")).fill_null(NEVER)
    enrolled, dead = enrolled_for >= 0, pl.col("death_month") <= month
    by_day = pl.col("disease").is_in([d for d, column in enumerate(rules.judged) if column < 0])
    by_day = pl.lit(True) if rules.last_visit_only else by_day
    recent = pl.when(no_reading_for < rules.outcome_window).then("read_verdict")
    verdict = pl.when(by_day).then("day_verdict").otherwise(recent).fill_null(UNREAD)
    lost = (enrolled_for >= rules.lost_after) & (no_visit_for >= rules.lost_after)
    steps = [
        (dead & enrolled, STANDING["dead"]),
        (dead, STANDING["died_before_enrolment"]),
        (~enrolled, STANDING["not_enrolled"]),
        (pl.col("out").fill_null(False), STANDING["transferred_out"]),
        (lost, STANDING["lost_to_follow_up"]),
        (enrolled_for < rules.enrolment_buffer, STANDING["newly_enrolled"]),
        (no_visit_for >= rules.outcome_window, STANDING[Outcome.MISSED_VISIT]),
        (verdict == AT_TARGET, STANDING[Outcome.CONTROLLED]),
        (verdict == OFF_TARGET, STANDING[Outcome.UNCONTROLLED]),
    ]
    standing = pl.lit(STANDING[Outcome.VISITED_UNMEASURED], pl.Int32)
    for holds, number in reversed(steps):
        standing = pl.when(holds).then(pl.lit(number, pl.Int32)).otherwise(standing)
    facts = {
        "treated": no_drugs_for < rules.treated_window,
        "seen": no_visit_for == 0,
        "dispensed": no_drugs_for == 0,
        "newly_detected": month == pl.col("detected_month"),
    }
    code = reduce(lambda number, fact: number + number + facts[fact].cast(pl.Int32), FACTS, standing)
    stage = pl.sum_horizontal((enrolled_for >= cut).cast(pl.Int32) for cut in plan.cuts[1:])
    return code * len(plan.cuts) + stage


def bucket_spells(
    bucket: Bucket,
    rules: Rules,
    judged: Sequence[pl.Expr],
    plan: Plan,
    bands: Sequence[AgeBand],
    first_month: int,
    last_month: int,
) -> pl.DataFrame:
    """Start-stop rows of every case of a bucket under one preset.

    Returns:
        person, disease, atom, sex, band (numbers; the last band is that of an unknown birth month), code
        (see `Plan.table`), from_month, to_month (both included), sorted by person, disease, month.
        A case has rows from its detection on; a dead person's cell stays as it was at death.
    """
    cases = (
        bucket.cases.join(bucket.people.drop("person_id"), on="person")
        .sort("person", "disease")
        .with_row_index("case")
        .with_columns(
            start=pl.max_horizontal("detected_month", pl.lit(first_month, pl.Int32)),
            bit=pl.lit(1, pl.Int64) * pl.col("disease").replace_strict(_BITS, return_dtype=pl.Int64),
        )
        .filter(pl.col("start") <= last_month)
    )
    months = _monthly(bucket.contacts.with_columns(judged), cases, rules)
    points = _breakpoints(cases, months, bucket.segments, rules, plan, bands, first_month, last_month)
    known = points.join(cases.drop("bit", "start"), on="case").sort("case", "month")
    known = known.with_columns(
        cell_month=pl.min_horizontal("month", "death_month"), key=_key("case", "month")
    ).join_asof(
        months.select(pl.exclude("case", "month", "dispensed"), key=_key("case", "month"), of="case"),
        on="key",
    )
    late = [
        name for name in ("visit_month", "read_month", "read_verdict", "drug_month", "day_verdict", "out")
    ]
    known = known.with_columns(
        pl.when(pl.col("of") == pl.col("case")).then(pl.col(name)).alias(name) for name in late
    )
    age = pl.col("cell_month") - pl.col("birth_month")
    reached = pl.sum_horizontal((age >= band.lower * MONTHS_PER_YEAR).cast(pl.Int8) for band in bands)
    band = pl.when(reached > 0).then(reached - 1).otherwise(len(bands))
    known = known.with_columns(code=_code(rules, plan), band=band.cast(pl.Int8))
    spells = _place(known, bucket.segments).sort("case", "month")
    parts = ["case", "code", "atom", "band"]
    changed = pl.any_horizontal(pl.col(c) != pl.col(c).shift(1) for c in parts).fill_null(True)
    spells = spells.filter(changed)
    stop = pl.col("month").shift(-1).over("case").fill_null(last_month + 1) - 1
    return spells.select("person", *CELL, "code", from_month="month", to_month=stop)


_BITS = {disease: 1 << disease for disease in range(np.iinfo(np.int64).bits - 1)}


def _place(known: pl.DataFrame, segments: pl.DataFrame) -> pl.DataFrame:
    """Adds the atom lived in; before the first known residence a person lived in the first one."""
    opening = pl.col("person") != pl.col("person").shift(1)
    lived = (
        segments.sort("person", "from_month")
        .with_columns(from_month=pl.when(opening.fill_null(True)).then(0).otherwise("from_month"))
        .select("atom", key=_key("person", "from_month"))
        .sort("key")
    )
    return (
        known.drop("key")
        .with_columns(key=_key("person", "cell_month"))
        .sort("key")
        .join_asof(lived, on="key")
    )


def count_spells(spells: pl.DataFrame, masks: np.ndarray, plan: Plan, first: int, last: int) -> pl.DataFrame:
    """Adds up spells: +1 where a state is entered, -1 where it is left, running sum over the months.

    Args:
        spells: Of `bucket_spells`.
        masks: Int64, one per state: bit k where measure k counts it.

    Returns:
        disease, atom, sex, band, month, then one Int32 column per measure; cells with any count, sorted.
    """
    width = last - first + 1
    keyed = spells.filter(pl.lit(masks != 0).gather(pl.col("code")))
    entered = keyed.select(*CELL, "code", month="from_month", change=pl.lit(1, pl.Int32))
    left = keyed.select(*CELL, "code", month=pl.col("to_month") + 1, change=pl.lit(-1, pl.Int32))
    changes = (
        pl.concat([entered, left.filter(pl.col("month") <= last)])
        .group_by(*CELL, "code", "month")
        .agg(pl.col("change").sum())
    )
    rows = changes.select(*CELL, "code").unique().sort(*CELL, "code").with_row_index("row")
    cells = rows.select(CELL).unique(maintain_order=True).with_row_index("cell")
    placed = changes.join(rows, on=[*CELL, "code"])
    running = np.zeros((rows.height, width), dtype=np.int32)
    running[placed["row"].to_numpy(), placed["month"].to_numpy() - first] = placed["change"].to_numpy()
    np.cumsum(running, axis=1, out=running)
    counts = np.zeros((cells.height, width, len(plan.measures)), dtype=np.int32)
    row_cell = rows.join(cells, on=CELL, how="left", maintain_order="left")["cell"].to_numpy()
    row_mask = masks[rows["code"].to_numpy()]
    for bit in range(len(plan.measures)):
        chosen = np.flatnonzero(row_mask >> bit & 1)
        np.add.at(counts[:, :, bit], row_cell[chosen], running[chosen])
    cell, month = np.nonzero(counts.any(axis=-1))
    block = np.ascontiguousarray(counts[cell, month].T)
    return cells.drop("cell")[cell].with_columns(
        pl.Series("month", month + first, dtype=pl.Int32),
        *(pl.Series(name, column) for name, column in zip(plan.names, block, strict=True)),
    )
