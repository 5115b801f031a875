"""One pass over a bucket for some presets: what they share, what each has of its own, and what is counted.

Presets that count the same visits share a *visit lane* (last visit, drugs, day due again); those that also
judge every disease alike share a *reading lane* (last readings). What is carried from month to month is
named by lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from ncdsurv.catalog.vocabulary import Quantity
from ncdsurv.remembered import Remembered
from ncdsurv.spells.plan import Lane, Plan, measure_plan
from ncdsurv.spells.rules import Rules, preset_rules

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

VISIT_STATE = ("visit_day", "visit_status", "drug_day", "due_day")
# What the last visit day itself said follows: the last reading where it is of that day, else nothing.
READING_STATE = ("read_verdict", "read_day", "before_verdict", "other_verdict", "other_day")


def is_day(column: str) -> bool:
    """Whether a column of the state, with or without its lane, holds a day (from the epoch).

    >>> is_day("visit_day_0"), is_day("due_day"), is_day("read_verdict_1"), is_day("visit_status")
    (True, True, False, False)
    """
    return column.rstrip("0123456789").rstrip("_").endswith("_day")


@dataclass(frozen=True, eq=False)
class Pass:
    """What one pass counts; made once for a catalog and presets (`make_pass`), so it is equal to itself only.

    Attributes:
        presets: Their ids, in the order asked for.
        rules: Of each preset.
        judged: Expressions over contacts that `Rules.judged` and `Rules.companion` number.
        visit_of, reading_of: For each preset, its visit lane and its reading lane.
        visit_rules, reading_rules: For each visit and reading lane, the rules of the first preset in it.
        lanes: The columns that each preset's states fill.
        quantities: (column, quantity, visit lane) of the flows that are added up.
        needed: Facts that any of the columns tells apart.
    """

    presets: tuple[str, ...]
    rules: tuple[Rules, ...]
    judged: tuple[pl.Expr, ...]
    plan: Plan
    visit_of: tuple[int, ...]
    reading_of: tuple[int, ...]
    visit_rules: tuple[Rules, ...]
    reading_rules: tuple[Rules, ...]
    lanes: tuple[Lane, ...]
    quantities: tuple[tuple[str, Quantity, int], ...]
    needed: frozenset[str]

    @cached_property
    def reach(self) -> int:
        """Months after a visit, or the enrolment, by which every window has run out."""
        windows = ((r.outcome_window, r.lost_after, r.enrolment_buffer, r.treated_window) for r in self.rules)
        return max(max(of_one) for of_one in windows)

    @cached_property
    def filled(self) -> list[str]:
        """Names of the columns in the order in which the lanes fill them, quantities last."""
        states = [column.name for lane in self.lanes for column in lane.columns]
        return states + [name for name, *_ in self.quantities]

    @cached_property
    def columns(self) -> list[str]:
        """Names of the columns in the order of the plan."""
        return self.plan.columns_of(self.presets)

    @cached_property
    def carried(self) -> list[str]:
        """Names of the columns that hold what is carried to the next month."""
        visits = [f"{name}_{lane}" for lane in range(len(self.visit_rules)) for name in VISIT_STATE]
        return visits + [
            f"{name}_{lane}" for lane in range(len(self.reading_rules)) for name in READING_STATE
        ]


def make_pass(catalog: Catalog, presets: Sequence[str]) -> Pass:
    """The pass for some presets of a catalog; made once."""
    known, key = _PASSES.of(catalog), tuple(presets)
    if key not in known:
        known[key] = _make_pass(catalog, key)
    return known[key]


def _make_pass(catalog: Catalog, presets: tuple[str, ...]) -> Pass:
    rules, judged = preset_rules(catalog, list(presets))
    plan = measure_plan(catalog)
    visits: dict[object, Rules] = {}
    readings: dict[object, Rules] = {}
    visit_of, reading_of = [], []
    for rule in rules:
        visit_key = (rule.kinds, rule.interval_days)
        reading_key = (visit_key, rule.judged, rule.reported, rule.companion)
        visits.setdefault(visit_key, rule)
        readings.setdefault(reading_key, rule)
        visit_of.append(list(visits).index(visit_key))
        reading_of.append(list(readings).index(reading_key))
    lanes = plan.lanes(presets)
    return Pass(
        presets=presets,
        rules=tuple(rules),
        judged=tuple(judged),
        plan=plan,
        visit_of=tuple(visit_of),
        reading_of=tuple(reading_of),
        visit_rules=tuple(visits.values()),
        reading_rules=tuple(readings.values()),
        lanes=lanes,
        quantities=tuple(
            (column.name, column.quantity, visit_of[number])
            for column, number in plan.quantities(presets)
            if column.quantity is not None
        ),
        needed=frozenset(plan.needed_facts(lanes)),
    )


_PASSES: Remembered[Catalog, dict[tuple[str, ...], Pass]] = Remembered(lambda catalog: {})
