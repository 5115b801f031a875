"""The polars reference, second half: histories -> spells -> changes -> counts.

A case's state can change only in a few months: a contact, the month in which a window runs out, the one after
the day due again, a birthday across a band, a move, a death. Those months are collected, the state is worked
out in each, and each gives a +1 for the state entered and a -1 for the state left; a running sum over the
months gives the counts. Work grows with contacts, not with people x months.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ncdsurv.catalog.models import AgeBand
from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, Outcome, Quantity
from ncdsurv.spells.history import IN, OUT, month_of
from ncdsurv.spells.layout import NEVER
from ncdsurv.spells.plan import Lane, Plan
from ncdsurv.spells.rules import AT_TARGET, OFF_MODERATE, OFF_SEVERE, OFF_TARGET, UNREAD, Rules
from ncdsurv.spells.states import FACTS, STANDING

CELL = ["disease", "place", "sex", "band"]
_KNOWN = (
    "visit_month",
    "visit_status",
    "read_month",
    "read_verdict",
    "before_verdict",
    "day_verdict",
    "other_month",
    "other_verdict",
    "day_other",
    "drug_month",
    "overdue_from",
)


def _key(owner: str, month: str) -> pl.Expr:
    """One sortable integer for (owner, month): an as-of search needs no groups then."""
    return pl.col(owner).cast(pl.Int64) * NEVER + pl.col(month)


def _monthly(days: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """What is known of a case at the end of each month with a contact, days turned into months."""
    return days.unique(["case", "month"], keep="last", maintain_order=True).select(
        "case",
        "month",
        "visit_status",
        "read_verdict",
        "before_verdict",
        "day_verdict",
        "other_verdict",
        "day_other",
        visit_month=month_of(pl.col("visit_day")),
        read_month=month_of(pl.col("read_day")),
        other_month=month_of(pl.col("other_day")),
        drug_month=month_of(pl.col("drug_day")),
        overdue_from=month_of(pl.col("due_day") + rules.grace_days),
    )


def _breakpoints(
    cases: pl.DataFrame,
    months: pl.DataFrame,
    stays: pl.DataFrame,
    rules: Rules,
    plan: Plan,
    bands: Sequence[AgeBand],
    first: int,
    last: int,
) -> pl.DataFrame:
    """Case and month pairs in which the state or the cell can change, within the months asked for."""

    def of(frame: pl.DataFrame, column: str, *after: int) -> list[pl.DataFrame]:
        return [frame.drop_nulls(column).select("case", month=pl.col(column) + add) for add in after]

    parts = [
        *of(cases, "start", 0),
        *of(cases, "suspected_month", 0),
        *of(cases, "detected_month", 0, 1),
        *of(cases, "enrolled_month", rules.enrolment_buffer, rules.lost_after, *plan.cuts),
        *of(cases, "withdrawn_month", 0, 1),
        *of(cases, "death_month", 0, 1),
        *of(cases, "birth_month", *(band.lower * MONTHS_PER_YEAR for band in bands)),
        *of(months, "month", 0, 1),
        *of(months, "visit_month", 1, rules.outcome_window, rules.lost_after),
        *of(months, "read_month", rules.outcome_window),
        *of(months, "other_month", rules.outcome_window),
        *of(months, "drug_month", 1, rules.treated_window),
        *of(months, "overdue_from", 0, 1),
        cases.select("case", "person").join(stays, on="person").select("case", month="from_month"),
    ]
    return (
        pl.concat(parts)
        .filter(pl.col("month").is_between(first, last))
        .unique()
        .join(cases.select("case", "start"), on="case")
        .filter(pl.col("month") >= pl.col("start"))
        .drop("start")
        .sort("case", "month")
    )


def _recall(points: pl.DataFrame, months: pl.DataFrame, ago: int, suffix: str = "") -> pl.DataFrame:
    """Adds what was known of each case so many months before each point."""
    told = months.select(
        key=_key("case", "month"), of="case", **{f"{name}{suffix}": pl.col(name) for name in _KNOWN}
    )
    found = points.with_columns(key=_key("case", "month") - ago).join_asof(told, on="key")
    mine = pl.col("of") == pl.col("case")
    return found.with_columns(
        pl.when(mine).then(pl.col(f"{name}{suffix}")).alias(f"{name}{suffix}") for name in _KNOWN
    ).drop("key", "of")


def _overdue(month: pl.Expr, suffix: str = "") -> pl.Expr:
    """Whether a case was enrolled, in reach and past the day due again at the end of a month.

    A month ends when its last day is over, which is when the next one begins: due on the last day is overdue on
    the 1st, so a month's start sees what the end of the month before saw.
    """
    here = (pl.col("death_month") > month) & (pl.col("withdrawn_month") > month)
    enrolled = pl.col("enrolled_month") <= month
    stayed = pl.col(f"visit_status{suffix}").fill_null(0) != OUT
    return here & enrolled & stayed & (pl.col(f"overdue_from{suffix}").fill_null(NEVER) <= month)


def _code(rules: Rules, plan: Plan) -> pl.Expr:
    """The state's number in a month, from what is known then (see `states`)."""
    month = pl.col("month")
    enrolled_for = month - pl.col("enrolled_month")
    since = {
        name: (month - pl.col(f"{name}_month")).fill_null(NEVER)
        for name in ("visit", "read", "other", "drug")
    }
    enrolled, dead = enrolled_for >= 0, pl.col("death_month") <= month
    moved = pl.col("visit_status").fill_null(0) == OUT
    by_day = pl.col("disease").is_in([d for d, column in enumerate(rules.judged) if column < 0])
    by_day = pl.lit(True) if rules.last_visit_only else by_day
    recent = pl.when(since["read"] < rules.outcome_window).then("read_verdict")
    verdict = pl.when(by_day).then("day_verdict").otherwise(recent).fill_null(UNREAD)
    lost = since["visit"] >= rules.lost_after
    if rules.lost_grace:
        lost &= enrolled_for >= rules.lost_after
    steps = [
        (pl.col("withdrawn_month") <= month, "withdrawn"),
        (dead & enrolled, "dead"),
        (dead, "died_before_enrolment"),
        (~enrolled & (pl.col("detected_month") <= month) & moved, "moved_before_enrolment"),
        (~enrolled & (pl.col("detected_month") <= month), "not_enrolled"),
        (~enrolled & (pl.col("suspected_month") <= month), "suspected"),
        (~enrolled, "at_risk"),
        (moved, "transferred_out"),
        (lost, "lost_to_follow_up"),
        (enrolled_for < rules.enrolment_buffer, "newly_enrolled"),
        (since["visit"] >= rules.outcome_window, Outcome.MISSED_VISIT),
        (verdict == AT_TARGET, Outcome.CONTROLLED),
        (verdict == OFF_TARGET, Outcome.UNCONTROLLED),
        (verdict == OFF_MODERATE, "uncontrolled_moderate"),
        (verdict == OFF_SEVERE, "uncontrolled_severe"),
    ]
    standing = pl.lit(STANDING[Outcome.VISITED_UNMEASURED], pl.Int32)
    for holds, name in reversed(steps):
        standing = pl.when(holds).then(pl.lit(STANDING[name], pl.Int32)).otherwise(standing)
    said, when = ("day_other", "visit") if rules.last_visit_only else ("other_verdict", "other")
    other = pl.when(since[when] < rules.outcome_window).then(said)
    off = [pl.col(name).fill_null(UNREAD) >= OFF_TARGET for name in ("read_verdict", "before_verdict")]
    facts = {
        "treated": since["drug"] < rules.treated_window,
        "seen": since["visit"] == 0,
        "dispensed": since["drug"] == 0,
        "newly_detected": (month == pl.col("detected_month")) & (pl.col("death_month") >= month),
        "overdue": _overdue(month),
        "overdue_at_start": _overdue(month - 1, "_before"),
        "uncontrolled_twice": pl.all_horizontal(off),
        "companion_at_target": (other == AT_TARGET).fill_null(False),
    }
    # A sum of parts, each named once: an expression that doubles itself per fact takes half a second to plan.
    places = [1 << place for place in reversed(range(len(FACTS)))]
    bits = [facts[fact].cast(pl.Int32) * place for fact, place in zip(FACTS, places, strict=True)]
    code = standing * (1 << len(FACTS)) + pl.sum_horizontal(bits)
    stage = pl.sum_horizontal((enrolled_for >= cut).cast(pl.Int32) for cut in plan.cuts[1:])
    return code * len(plan.cuts) + stage


def bucket_spells(
    cases: pl.DataFrame,
    days: pl.DataFrame,
    stays: pl.DataFrame,
    rules: Rules,
    plan: Plan,
    bands: Sequence[AgeBand],
    first_month: int,
    last_month: int,
) -> pl.DataFrame:
    """Start-stop rows of every case of a bucket under one preset.

    Args:
        cases: Of `history.number_cases`.
        days: Of `history.visit_days`.
        stays: Of `places.Places`.

    Returns:
        person, disease, place, sex, band (numbers; the last band is that of an unknown birth month), code
        (see `Plan.table`), from_month, to_month (both included), sorted by person, disease, month.
        A case has rows from its beginning on; a dead person's cell stays as it was at death.
    """
    months = _monthly(days, rules)
    points = _breakpoints(cases, months, stays, rules, plan, bands, first_month, last_month)
    known = _recall(_recall(points, months, 0), months, 1, "_before")
    known = known.join(cases.drop("bit", "start"), on="case").sort("case", "month")
    known = place_in_cell(known.with_columns(code=_code(rules, plan)), stays, bands)
    spells = known.sort("case", "month")
    parts = ["case", "code", "place", "band"]
    changed = pl.any_horizontal(pl.col(c) != pl.col(c).shift(1) for c in parts).fill_null(True)
    spells = spells.filter(changed)
    stop = pl.col("month").shift(-1).over("case").fill_null(last_month + 1) - 1
    return spells.select("person", *CELL, "code", from_month="month", to_month=stop)


def place_in_cell(known: pl.DataFrame, stays: pl.DataFrame, bands: Sequence[AgeBand]) -> pl.DataFrame:
    """Adds place and age band of a month; the dead grow no older and do not move.

    Before the first known stay a person was in the first one.
    """
    opening = pl.col("person") != pl.col("person").shift(1)
    lived = (
        stays.sort("person", "from_month")
        .with_columns(from_month=pl.when(opening.fill_null(True)).then(0).otherwise("from_month"))
        .select("place", key=_key("person", "from_month"))
        .sort("key")
    )
    known = known.with_columns(cell_month=pl.min_horizontal("month", "death_month"))
    age = pl.col("cell_month") - pl.col("birth_month")
    reached = pl.sum_horizontal((age >= band.lower * MONTHS_PER_YEAR).cast(pl.Int8) for band in bands)
    band = pl.when(reached > 0).then(reached - 1).otherwise(len(bands))
    return (
        known.with_columns(key=_key("person", "cell_month"), band=band.cast(pl.Int8))
        .sort("key")
        .join_asof(lived, on="key")
        .drop("key")
    )


def month_flows(
    cases: pl.DataFrame,
    days: pl.DataFrame,
    stays: pl.DataFrame,
    quantities: Sequence[tuple[str, Quantity]],
    bands: Sequence[AgeBand],
    first: int,
    last: int,
) -> pl.DataFrame:
    """What visits add up to in a month: of those enrolled, alive and not withdrawn.

    Returns:
        disease, place, sex, band, month, and one Int32 column per quantity, named as given.
    """
    again = pl.col("previous_day").is_not_null()
    value = {
        Quantity.VISIT_DAYS: pl.col("new"),
        Quantity.INTERVALS: again,
        Quantity.INTERVAL_DAYS: (pl.col("day") - pl.col("previous_day")).fill_null(0),
        Quantity.TRANSFERS_IN: pl.col("visit_status") == IN,
    }
    month = pl.col("month")
    inside = month.is_between(first, last) & (pl.col("enrolled_month") <= month)
    here = (pl.col("death_month") >= month) & (pl.col("withdrawn_month") > month)
    counted = days.filter("new").join(cases, on="case").filter(inside & here)
    return (
        place_in_cell(counted, stays, bands)
        .group_by(*CELL, "month")
        .agg(value[quantity].sum().cast(pl.Int32).alias(name) for name, quantity in quantities)
    )


def count_spells(spells: pl.DataFrame, lane: Lane, first: int, last: int) -> pl.DataFrame:
    """Adds up spells: +1 where a state is entered, -1 where it is left, running sum over the months.

    Args:
        spells: Of `bucket_spells`.
        lane: The columns, and which states each one counts.

    Returns:
        disease, place, sex, band, month, then one Int32 column per column of the lane; cells with any count.
    """
    masks, names = lane.mask, [column.name for column in lane.columns]
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
    counts = np.zeros((cells.height, width, len(names)), dtype=np.int32)
    row_cell = rows.join(cells, on=CELL, how="left", maintain_order="left")["cell"].to_numpy()
    row_mask = masks[rows["code"].to_numpy()]
    for bit in range(len(names)):
        chosen = np.flatnonzero(row_mask >> bit & 1)
        np.add.at(counts[:, :, bit], row_cell[chosen], running[chosen])
    cell, month = np.nonzero(counts.any(axis=-1))
    block = np.ascontiguousarray(counts[cell, month].T)
    return cells.drop("cell")[cell].with_columns(
        pl.Series("month", month + first, dtype=pl.Int32),
        *(pl.Series(name, column) for name, column in zip(names, block, strict=True)),
    )
