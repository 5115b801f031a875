"""States in SQL: the number of a state in a month, and the months in which it can change between two contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ncdsurv.catalog.vocabulary import PatientStatus
from ncdsurv.spells import measure_plan
from ncdsurv.spells.layout import STATUSES
from ncdsurv.spells.rules import AT_TARGET, OFF_MODERATE, OFF_SEVERE, OFF_TARGET, Rules
from ncdsurv.spells.states import FACTS, STANDING, STANDINGS

if TYPE_CHECKING:
    from benchmarks.engine_sql import Query
    from ncdsurv.spells.plan import Lane, Plan

OUT = STATUSES.index(PatientStatus.TRANSFERRED_OUT) + 1


def compact_mask(plan: Plan, lane: Lane) -> tuple[list[str], list[int]]:
    """The facts that a lane's counts tell apart, and its mask over states of standing, those facts and stage."""
    mask = np.asarray(lane.mask).reshape(len(STANDINGS), *(2 for _ in FACTS), len(plan.cuts))
    kept = []
    for fact in reversed(FACTS):
        axis = 1 + FACTS.index(fact)
        if (mask.take(0, axis=axis) == mask.take(1, axis=axis)).all():
            mask = mask.take(0, axis=axis)
        else:
            kept.insert(0, fact)
    return kept, [int(value) for value in mask.ravel()]


def _number(query: Query, rules: Rules) -> tuple[int, int]:
    from benchmarks.engine_sql_verdicts import verdict_of

    return query.verdicts.index(verdict_of(rules)), query.intervals.index(rules.interval_days)


def code_of(query: Query, rules: Rules, facts: list[str]) -> str:
    """The number of a spell's state: standing, the facts asked for, stage."""
    reading, interval = _number(query, rules)
    by_day = [str(d) for d, j in enumerate(rules.judged) if j < 0] or ["-1"]
    day_only = "true" if rules.last_visit_only else f"disease IN ({', '.join(by_day)})"
    in_window = lambda name: f"from_month - (read_{name} >> 3) < {rules.outcome_window}"  # noqa: E731
    recent = f"CASE WHEN {in_window(f'v{reading}')} THEN read_v{reading} & 7 ELSE 0 END"
    verdict = f"(CASE WHEN {day_only} THEN day_v{reading} ELSE coalesce({recent}, 0) END)"
    unseen = lambda months: f"(visit_month IS NULL OR from_month - visit_month >= {months})"  # noqa: E731
    since = "(from_month - enrolled_month)"
    grace = f"{since} >= {rules.lost_after} AND " if rules.lost_grace else ""
    overdue_from = f"overdue_{interval}_{rules.grace_days}"
    standing = f"""CASE
        WHEN withdrawn_month <= from_month THEN {STANDING["withdrawn"]}
        WHEN death_month <= from_month AND {since} >= 0 THEN {STANDING["dead"]}
        WHEN death_month <= from_month THEN {STANDING["died_before_enrolment"]}
        WHEN {since} < 0 THEN CASE
            WHEN detected_month <= from_month AND status = {OUT} THEN {STANDING["moved_before_enrolment"]}
            WHEN detected_month <= from_month THEN {STANDING["not_enrolled"]}
            WHEN suspected_month <= from_month THEN {STANDING["suspected"]} ELSE {STANDING["at_risk"]} END
        WHEN status = {OUT} THEN {STANDING["transferred_out"]}
        WHEN {grace}{unseen(rules.lost_after)} THEN {STANDING["lost_to_follow_up"]}
        WHEN {since} < {rules.enrolment_buffer} THEN {STANDING["newly_enrolled"]}
        WHEN {unseen(rules.outcome_window)} THEN {STANDING["missed_visit"]}
        ELSE CASE {verdict} WHEN {AT_TARGET} THEN {STANDING["controlled"]}
            WHEN {OFF_TARGET} THEN {STANDING["uncontrolled"]}
            WHEN {OFF_MODERATE} THEN {STANDING["uncontrolled_moderate"]}
            WHEN {OFF_SEVERE} THEN {STANDING["uncontrolled_severe"]}
            ELSE {STANDING["visited_unmeasured"]} END END"""
    told = {
        "treated": f"from_month - drug_month < {rules.treated_window}",
        "seen": "from_month = visit_month",
        "dispensed": "from_month = drug_month",
        "newly_detected": "from_month = detected_month AND death_month >= from_month",
        "overdue": _overdue(f"{overdue_from} <= from_month", "status", "from_month"),
        "overdue_at_start": _at_start(overdue_from, interval, rules.grace_days),
        "uncontrolled_twice": f"twice_{reading}",
        "companion_at_target": f"NOT {unseen(rules.outcome_window)} AND day_c{reading} = {AT_TARGET}"
        if rules.last_visit_only
        else f"{in_window(f'c{reading}')} AND read_c{reading} & 7 = {AT_TARGET}",
    }
    code = standing
    for fact in facts:
        code = f"(({code}) * 2 + coalesce({told[fact]}, false)::INT)"
    cuts = measure_plan(query.catalog).cuts
    stage = " + ".join(f"({since} >= {cut})::INT" for cut in cuts[1:])
    return f"{code} * {len(cuts)} + {stage}"


def _overdue(passed: str, status: str, month: str) -> str:
    """Whether a case is in reach at the end of a month and the day due again has passed."""
    here = f"enrolled_month <= {month} AND death_month > {month} AND withdrawn_month > {month}"
    return f"({here} AND {status} <> {OUT} AND {passed})"


def _at_start(overdue_from: str, interval: int, grace: int) -> str:
    """Overdue at the end of the month before: by the contacts before this month's, where this month has some."""
    now = _overdue(f"{overdue_from} < from_month", "status", "from_month - 1")
    before = _overdue(f"before_{overdue_from} < from_month", "before_status", "from_month - 1")
    return f"CASE WHEN from_month = month THEN {before} ELSE {now} END"


def spell_months(query: Query) -> list[str]:
    """Months in which some preset's state can change while no contact comes between."""
    enrolled = {0}
    months: dict[str, None] = {}
    for rules in query.rules:
        reading, interval = _number(query, rules)
        enrolled |= {rules.enrolment_buffer, rules.lost_after}
        overdue = f"overdue_{interval}_{rules.grace_days}"
        more = [
            "month + 1",
            "visit_month + 1",
            f"visit_month + {rules.outcome_window}",
            f"visit_month + {rules.lost_after}",
            f"(read_v{reading} >> 3) + {rules.outcome_window}",
            f"(read_c{reading} >> 3) + {rules.outcome_window}",
            "drug_month + 1",
            f"drug_month + {rules.treated_window}",
            overdue,
            f"{overdue} + 1",
        ]
        months |= dict.fromkeys(more)
    enrolled |= set(measure_plan(query.catalog).cuts)
    months |= dict.fromkeys(f"enrolled_month + {after}" for after in sorted(enrolled))
    fixed = [f"{name}_month" for name in ("suspected", "detected", "withdrawn", "death")]
    fixed += ["detected_month + 1", "withdrawn_month + 1", "death_month + 1", "enrolled_month + 1"]
    return [f"({sql})::INT" for sql in [*months, *fixed]]
