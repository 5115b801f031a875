"""The table of states: every state a case can be in during a month, as one integer.

Its first part is the *standing* (exclusive and exhaustive: at risk, suspected, not enrolled, died or moved before
enrolment, withdrawn, newly enrolled, the outcomes, lost, transferred, dead), then yes/no *facts* of the month
(treated, seen, overdue ...) and the *stage*: how long ago the enrolment was, cut only where a condition of the catalog
cuts. The catalog's conditions are evaluated once over this small table, never over persons.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import polars as pl

from ncdsurv.catalog.conditions import Condition, Test
from ncdsurv.catalog.vocabulary import (
    CareState,
    Outcome,
    Severity,
    SpellColumn,
    Suspicion,
    Tenure,
    Treatment,
)

NOT_ENROLLED, NOT_ASSESSED = "not_enrolled", "not_assessed"


class Standing(NamedTuple):
    """What a standing says in the columns a condition may name."""

    known_case: bool
    care_state: str
    tenure: str = NOT_ASSESSED
    outcome: str = NOT_ASSESSED
    severity: str = NOT_ASSESSED
    suspicion: str = Suspicion.NONE


def _judged(outcome: Outcome, severity: str = NOT_ASSESSED) -> Standing:
    return Standing(True, CareState.UNDER_CARE, Tenure.ESTABLISHED, outcome, severity)


# The order is the number. The kernel relies on two runs of it: the verdicts at target, off target, off
# moderately and off severely follow each other, and so do all standings between newly enrolled and lost.
_STANDINGS: dict[str, Standing] = {
    "at_risk": Standing(False, NOT_ENROLLED, suspicion=Suspicion.AT_RISK),
    "suspected": Standing(False, NOT_ENROLLED, suspicion=Suspicion.SUSPECTED),
    "not_enrolled": Standing(True, NOT_ENROLLED),
    "died_before_enrolment": Standing(False, NOT_ENROLLED),
    "moved_before_enrolment": Standing(False, NOT_ENROLLED),
    "withdrawn": Standing(False, NOT_ENROLLED),
    "newly_enrolled": Standing(True, CareState.UNDER_CARE, Tenure.NEWLY_ENROLLED),
    "controlled": _judged(Outcome.CONTROLLED, Severity.AT_TARGET),
    "uncontrolled": _judged(Outcome.UNCONTROLLED, Severity.UNTOLD),
    "uncontrolled_moderate": _judged(Outcome.UNCONTROLLED, Severity.MODERATE),
    "uncontrolled_severe": _judged(Outcome.UNCONTROLLED, Severity.SEVERE),
    "visited_unmeasured": _judged(Outcome.VISITED_UNMEASURED),
    "missed_visit": _judged(Outcome.MISSED_VISIT),
    "lost_to_follow_up": Standing(True, CareState.LOST_TO_FOLLOW_UP),
    "transferred_out": Standing(False, CareState.TRANSFERRED_OUT),
    "dead": Standing(False, CareState.DEAD),
}
STANDINGS = tuple(_STANDINGS)
STANDING = {name: number for number, name in enumerate(STANDINGS)}
FACTS = (
    "treated",
    "seen",
    "dispensed",
    "newly_detected",
    "overdue",
    "overdue_at_start",
    "uncontrolled_twice",
    "companion_at_target",
)


class Members:
    """Which states satisfy a condition; each test is asked of the table once, for conditions share most of theirs."""

    def __init__(self, table: pl.DataFrame) -> None:
        self.table = table
        self._passed: dict[Test, np.ndarray] = {}

    def of(self, condition: Condition) -> np.ndarray:
        """Bool array over the states, the caller's own: which ones pass every test of the condition."""
        found = np.ones(self.table.height, dtype=bool)
        for test in condition.tests:
            found &= self._of_test(test)
        return found

    def _of_test(self, test: Test) -> np.ndarray:
        if test not in self._passed:
            self._passed[test] = self.table.select(test.expr()).to_series().to_numpy()
        return self._passed[test]


def state_table(cuts: tuple[int, ...]) -> pl.DataFrame:
    """Every state, in code order: standing, then the facts, then the stage (the last varies fastest)."""
    shape = (len(STANDINGS), *(1 + 1 for _ in FACTS), len(cuts))
    index = np.indices(shape).reshape(len(shape), -1)
    standing, facts = index[0], dict(zip(FACTS, index[1:-1].astype(bool), strict=True))
    since = np.array(cuts, dtype=np.int32)[index[-1]]
    said = {
        name: np.array(column)[standing]
        for name, column in zip(Standing._fields, zip(*_STANDINGS.values(), strict=True), strict=True)
    }
    enrolled = said["care_state"] != NOT_ENROLLED
    drugs = np.where(facts["treated"], str(Treatment.TREATED), str(Treatment.UNTREATED))
    under_care = said["care_state"] == CareState.UNDER_CARE
    withdrawn = standing == STANDING["withdrawn"]
    columns = {
        SpellColumn.KNOWN_CASE: said["known_case"],
        SpellColumn.CARE_STATE: said["care_state"],
        SpellColumn.OUTCOME: said["outcome"],
        SpellColumn.TENURE: said["tenure"],
        SpellColumn.TREATMENT: np.where(under_care, drugs, NOT_ASSESSED),
        SpellColumn.MONTHS_SINCE_ENROLMENT: since,
        SpellColumn.NEWLY_DETECTED: facts["newly_detected"] & ~withdrawn,
        SpellColumn.NEWLY_ENROLLED: enrolled & (since == 0),
        SpellColumn.SEEN: facts["seen"],
        SpellColumn.DISPENSED: facts["dispensed"],
        SpellColumn.SUSPICION: said["suspicion"],
        SpellColumn.KNOWN_OR_SUSPECTED: said["known_case"] | (said["suspicion"] == Suspicion.SUSPECTED),
        SpellColumn.SEVERITY: said["severity"],
        SpellColumn.OVERDUE: facts["overdue"],
        SpellColumn.OVERDUE_AT_START: facts["overdue_at_start"],
        SpellColumn.UNCONTROLLED_TWICE: facts["uncontrolled_twice"],
        SpellColumn.COMPANION_AT_TARGET: facts["companion_at_target"],
    }
    frame = pl.DataFrame({str(name): values for name, values in columns.items()})
    stage = pl.when(pl.lit(pl.Series(enrolled))).then(SpellColumn.MONTHS_SINCE_ENROLMENT.value)
    return frame.with_columns(stage.alias(SpellColumn.MONTHS_SINCE_ENROLMENT.value)).with_row_index("code")


def stage_cuts(conditions: Iterable[Condition]) -> tuple[int, ...]:
    """Months since enrolment at which a condition changes its answer, from 0 up."""
    cuts = {0, 1}
    for test in (test for condition in conditions for test in condition.tests):
        if test.column != SpellColumn.MONTHS_SINCE_ENROLMENT:
            continue
        for operator, limit in test.bounds:
            cuts.add(math.ceil(limit) if operator in ("ge", "lt") else math.floor(limit) + 1)
        for value in test.values:
            cuts |= {int(value), int(value) + 1}
    return tuple(sorted(cut for cut in cuts if cut >= 0))
