"""The table of states: every state a case can be in during a month, and which measures count it.

A state is one integer. Its first part is the *standing* (exclusive and exhaustive: not enrolled, newly
enrolled, the four outcomes, lost, transferred, dead), then yes/no facts of the month (treated, seen,
dispensed, newly detected) and the *stage*: how long ago the enrolment was, cut only where a condition of
the catalog cuts. The catalog's conditions are evaluated once over this small table, never over persons.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import CareState, Outcome, SpellColumn, Tenure, Treatment
from ncdsurv.errors import DefinitionError

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

NOT_ENROLLED, NOT_ASSESSED = "not_enrolled", "not_assessed"

# name -> known_case, care_state, tenure, outcome. The order is the number.
_STANDINGS: dict[str, tuple[bool, str, str, str]] = {
    "not_enrolled": (True, NOT_ENROLLED, NOT_ASSESSED, NOT_ASSESSED),
    "died_before_enrolment": (False, NOT_ENROLLED, NOT_ASSESSED, NOT_ASSESSED),
    "newly_enrolled": (True, CareState.UNDER_CARE, Tenure.NEWLY_ENROLLED, NOT_ASSESSED),
    **{o.value: (True, CareState.UNDER_CARE, Tenure.ESTABLISHED, o.value) for o in Outcome},
    "lost_to_follow_up": (True, CareState.LOST_TO_FOLLOW_UP, NOT_ASSESSED, NOT_ASSESSED),
    "transferred_out": (False, CareState.TRANSFERRED_OUT, NOT_ASSESSED, NOT_ASSESSED),
    "dead": (False, CareState.DEAD, NOT_ASSESSED, NOT_ASSESSED),
}
STANDINGS = tuple(_STANDINGS)
STANDING = {name: number for number, name in enumerate(STANDINGS)}
FACTS = ("treated", "seen", "dispensed", "newly_detected")


@dataclass(frozen=True)
class Measure:
    """A count: under each preset, the condition a state must satisfy. Named after its first indicator."""

    name: str
    conditions: dict[str, Condition]


@dataclass(frozen=True)
class Plan:
    """What to count: the measures of a catalog, and the table of states that tells them apart.

    Attributes:
        measures: Distinct measures, in column order.
        numerators: Indicator -> name of the measure that is its numerator.
        denominators: Indicator -> name of the measure that is its denominator, where spells give it.
        cuts: Months since enrolment at which some condition changes its answer; 0 and 1 come first.
        table: One row per state, in code order, with the columns a condition may name.
    """

    measures: tuple[Measure, ...]
    numerators: dict[str, str]
    denominators: dict[str, str]
    cuts: tuple[int, ...]
    table: pl.DataFrame

    @property
    def names(self) -> list[str]:
        """Column names of the measures."""
        return [measure.name for measure in self.measures]

    def masks(self, presets: Iterable[str]) -> np.ndarray:
        """Int64 array (presets, states): bit k is set where measure k counts the state."""
        masks = np.zeros((len(wanted := list(presets)), self.table.height), dtype=np.int64)
        for row, preset in enumerate(wanted):
            for bit, measure in enumerate(self.measures):
                if preset in measure.conditions:
                    masks[row] |= members(self.table, measure.conditions[preset]).astype(np.int64) << bit
        return masks


def members(table: pl.DataFrame, condition: Condition) -> np.ndarray:
    """Bool array over the states: which ones satisfy the condition."""
    return table.with_columns(_member=condition.expr())["_member"].to_numpy()


def state_table(cuts: tuple[int, ...]) -> pl.DataFrame:
    """Every state, in code order: standing, then the facts, then the stage (the last varies fastest)."""
    rows = []
    for name, facts, since in product(STANDINGS, product((False, True), repeat=len(FACTS)), cuts):
        known, care, tenure, outcome = _STANDINGS[name]
        treated, seen, dispensed, newly_detected = facts
        enrolled = care != NOT_ENROLLED
        drugs = Treatment.TREATED if treated else Treatment.UNTREATED
        state = {
            SpellColumn.KNOWN_CASE: known,
            SpellColumn.CARE_STATE: str(care),
            SpellColumn.OUTCOME: str(outcome),
            SpellColumn.TENURE: str(tenure),
            SpellColumn.TREATMENT: str(drugs) if care == CareState.UNDER_CARE else NOT_ASSESSED,
            SpellColumn.MONTHS_SINCE_ENROLMENT: since if enrolled else None,
            SpellColumn.NEWLY_DETECTED: newly_detected,
            SpellColumn.NEWLY_ENROLLED: enrolled and since == 0,
            SpellColumn.SEEN: seen,
            SpellColumn.DISPENSED: dispensed,
        }
        rows.append({str(column): value for column, value in state.items()})
    frame = pl.DataFrame(rows, schema_overrides={str(SpellColumn.MONTHS_SINCE_ENROLMENT): pl.Int32})
    return frame.with_row_index("code")


def measure_plan(catalog: Catalog) -> Plan:
    """The distinct counts that a catalog's indicators need, and the states that tell them apart.

    Two counts are one measure when, under every preset they share, they count the same states.

    Raises:
        DefinitionError: More distinct measures than one 63-bit mask can hold.
    """
    # By the object, not by its hash: a catalog altered in memory keeps the hash of its files.
    known = _PLANS.get(id(catalog))
    if known is None or known[0]() is not catalog:
        _PLANS.clear()  # one catalog at a time is the rule; the cache must not grow in a service
        known = _PLANS[id(catalog)] = (weakref.ref(catalog), _plan(catalog))
    return known[1]


_PLANS: dict[int, tuple[weakref.ref[Catalog], Plan]] = {}


def _plan(catalog: Catalog) -> Plan:
    numerators: dict[str, str] = {}
    denominators: dict[str, str] = {}
    wanted: list[tuple[dict[str, str], str, str, dict[str, Condition]]] = []
    # Counts first: where a ratio counts the same people, the count's own name is kept.
    for indicator in sorted(catalog.indicators.values(), key=lambda i: i.denominator_source != "none"):
        if not indicator.numerator.tests and indicator.denominator_source == "none":
            continue  # a count of no state (expected cases) comes from the population alone
        above = {p: indicator.numerator_for(p) for p in indicator.presets}
        wanted.append((numerators, indicator.id, indicator.id, above))
        below = {p: c for p in indicator.presets if (c := indicator.denominator_for(p)) is not None}
        if below:
            wanted.append((denominators, indicator.id, f"{indicator.id}_denominator", below))
    cuts = _cuts(condition for *_, conditions in wanted for condition in conditions.values())
    table = state_table(cuts)
    measures: list[Measure] = []
    counted: list[dict[str, bytes]] = []
    for role, indicator_id, name, conditions in wanted:
        states = {preset: members(table, condition).tobytes() for preset, condition in conditions.items()}
        same = next((i for i, had in enumerate(counted) if states.items() <= had.items()), None)
        if same is None:
            measures.append(Measure(name, conditions))
            counted.append(states)
        role[indicator_id] = name if same is None else measures[same].name
    if len(measures) >= np.iinfo(np.int64).bits:
        raise DefinitionError([f"indicators.toml: {len(measures)} distinct counts; at most 63 fit one pass"])
    return Plan(tuple(measures), numerators, denominators, cuts, table)


def _cuts(conditions: Iterable[Condition]) -> tuple[int, ...]:
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
