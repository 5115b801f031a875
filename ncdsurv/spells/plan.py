"""What to count: the distinct counts of a catalog, and the columns of the wide frame that hold them.

A *measure* is a count with a condition for each preset. A *column* is a count that is the same under one or
several presets: who is known to have a disease does not hang on a target, so it is counted once for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import Quantity, SpellColumn
from ncdsurv.errors import DefinitionError, unknown
from ncdsurv.remembered import Remembered
from ncdsurv.spells.states import FACTS, STANDINGS, Members, stage_cuts, state_table

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.models import Preset

MASK_BITS = np.iinfo(np.int64).bits - 1


@dataclass(frozen=True)
class Measure:
    """A count, named after its first indicator.

    Attributes:
        conditions: Under each preset, the condition a state must satisfy; empty for a quantity.
        quantity: The flow that is added up, or None where states are counted.
        presets: The presets under which it is counted.
    """

    name: str
    conditions: dict[str, Condition]
    quantity: Quantity | None
    presets: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A physical column of the wide frame: a count, and the presets under which it is one and the same.

    Attributes:
        conditions: Under each preset served, a condition that counts it; empty for a quantity.
    """

    name: str
    presets: tuple[str, ...]
    conditions: dict[str, Condition]
    quantity: Quantity | None


@dataclass(frozen=True)
class Lane:
    """Columns that one preset's states fill in a pass: at most as many as a mask has bits.

    Attributes:
        preset: Number of the preset among those asked for.
        columns: The columns, in the order of the mask's bits.
        mask: Int64, one per state: bit k where column k counts it.
    """

    preset: int
    columns: tuple[Column, ...]
    mask: np.ndarray


@dataclass(frozen=True)
class Plan:
    """What to count: the measures of a catalog, and the table of states that tells them apart.

    Attributes:
        measures: Distinct measures, in order.
        numerators: Indicator -> name of the measure that is its numerator.
        denominators: Indicator -> name of the measure that is its denominator, where spells give it.
        cuts: Months since enrolment at which some condition changes its answer; 0 and 1 come first.
        table: One row per state, in code order, with the columns a condition may name.
        members: Which states of the table satisfy a condition.
        shared: The physical columns, in order.
        held_in: (measure, preset) -> name of the physical column.
        indicator_presets: Indicator -> presets under which it is published.
    """

    measures: tuple[Measure, ...]
    numerators: dict[str, str]
    denominators: dict[str, str]
    cuts: tuple[int, ...]
    table: pl.DataFrame
    members: Members = field(compare=False, repr=False)
    shared: tuple[Column, ...]
    held_in: dict[tuple[str, str], str]
    indicator_presets: dict[str, tuple[str, ...]]
    _lanes: dict[tuple[str, ...], tuple[Lane, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def names(self) -> list[str]:
        """Names of the measures."""
        return [measure.name for measure in self.measures]

    @cached_property
    def columns(self) -> list[str]:
        """Physical names of the wide frame's counts, in order."""
        return [column.name for column in self.shared]

    def columns_of(self, presets: Iterable[str]) -> list[str]:
        """Physical names of the counts that serve any of some presets, in order."""
        wanted = set(presets)
        return [column.name for column in self.shared if wanted & set(column.presets)]

    def column(self, measure: str, preset: str) -> str:
        """Physical name of a measure under a preset.

        Raises:
            UsageError: The measure is not counted under the preset.
        """
        if (measure, preset) not in self.held_in:
            raise unknown(f"measure under {preset}", measure, [m for m, p in self.held_in if p == preset])
        return self.held_in[measure, preset]

    def numerator(self, indicator: str, preset: str) -> str | None:
        """Physical name of an indicator's numerator under a preset; None where nothing is counted."""
        return self._side(self.numerators, indicator, preset)

    def denominator(self, indicator: str, preset: str) -> str | None:
        """Physical name of an indicator's denominator under a preset; None where spells do not give it."""
        return self._side(self.denominators, indicator, preset)

    def _side(self, side: dict[str, str], indicator: str, preset: str) -> str | None:
        if indicator not in side or preset not in self.indicator_presets[indicator]:
            return None
        return self.held_in.get((side[indicator], preset))

    def masks(self, presets: Iterable[str]) -> np.ndarray:
        """Int64 array (presets, states): bit k is set where measure k counts the state.

        Raises:
            DefinitionError: More measures than a mask has bits.
        """
        if len(self.measures) > MASK_BITS:
            raise DefinitionError([f"indicators: {len(self.measures)} distinct counts; at most {MASK_BITS}"])
        masks = np.zeros((len(wanted := list(presets)), self.table.height), dtype=np.int64)
        for row, preset in enumerate(wanted):
            for bit, measure in enumerate(self.measures):
                if preset in measure.conditions:
                    masks[row] |= self.members.of(measure.conditions[preset]).astype(np.int64) << bit
        return masks

    def lanes(self, presets: Sequence[str]) -> tuple[Lane, ...]:
        """The columns of some presets, each filled by the first preset that it serves."""
        key = tuple(presets)
        if key not in self._lanes:
            self._lanes[key] = tuple(self._make_lanes(key))
        return self._lanes[key]

    def _make_lanes(self, presets: tuple[str, ...]) -> Iterable[Lane]:
        mine: dict[str, list[Column]] = {preset: [] for preset in presets}
        for column in self.shared:
            owner = next((preset for preset in presets if preset in column.presets), None)
            if owner is not None and column.quantity is None:
                mine[owner].append(column)
        for number, preset in enumerate(presets):
            columns = mine[preset]
            for begin in range(0, max(len(columns), 1), MASK_BITS):
                part = columns[begin : begin + MASK_BITS]
                mask = np.zeros(self.table.height, dtype=np.int64)
                for bit, column in enumerate(part):
                    mask |= self.members.of(column.conditions[preset]).astype(np.int64) << bit
                yield Lane(number, tuple(part), mask)

    def quantities(self, presets: Sequence[str]) -> list[tuple[Column, int]]:
        """The columns that add up a quantity, with the number of the preset whose visits fill them."""
        return [
            (column, next(number for number, preset in enumerate(presets) if preset in column.presets))
            for column in self.shared
            if column.quantity is not None and set(presets) & set(column.presets)
        ]

    def needed_facts(self, lanes: Iterable[Lane]) -> set[str]:
        """Facts that change what some lane counts; the others need not be worked out."""
        shape = (len(STANDINGS), *(1 + 1 for _ in FACTS), len(self.cuts))
        needed = set()
        for lane in lanes:
            mask = lane.mask.reshape(shape)
            needed |= {
                fact
                for axis, fact in enumerate(FACTS, start=1)
                if (mask.take(0, axis=axis) != mask.take(1, axis=axis)).any()
            }
        return needed


def measure_plan(catalog: Catalog) -> Plan:
    """The distinct counts that a catalog's indicators need, and the states that tell them apart.

    Two counts are one measure when, under every preset they share, they count the same states.

    >>> from ncdsurv.catalog import load_catalog
    >>> plan = measure_plan(load_catalog())
    >>> plan.column("under_care", "tt37"), plan.column("controlled", "tt37")
    ('under_care', 'controlled.tt37')
    """
    return _PLANS.of(catalog)


@dataclass(frozen=True)
class _Wanted:
    """One side of an indicator: where its measure's name is noted, and what it counts."""

    side: dict[str, str]
    indicator: str
    name: str
    presets: tuple[str, ...]
    conditions: dict[str, Condition]
    quantity: Quantity | None = None


def _plan(catalog: Catalog) -> Plan:
    numerators: dict[str, str] = {}
    denominators: dict[str, str] = {}
    wanted = list(_wanted(catalog, numerators, denominators))
    cuts = stage_cuts(condition for one in wanted for condition in one.conditions.values())
    table = state_table(cuts)
    members = Members(table)
    measures: list[Measure] = []
    counted: list[dict[str, bytes | str]] = []
    for one in wanted:
        what: dict[str, bytes | str] = {
            preset: str(one.quantity)
            if one.quantity is not None
            else members.of(one.conditions[preset]).tobytes()
            for preset in one.presets
        }
        same = next((i for i, had in enumerate(counted) if what.items() <= had.items()), None)
        if same is None:
            measures.append(Measure(one.name, one.conditions, one.quantity, one.presets))
            counted.append(what)
        one.side[one.indicator] = one.name if same is None else measures[same].name
    shared, held_in = _columns(catalog, measures, counted)
    presets = {indicator.id: indicator.presets for indicator in catalog.indicators.values()}
    return Plan(tuple(measures), numerators, denominators, cuts, table, members, shared, held_in, presets)


def _wanted(catalog: Catalog, numerators: dict[str, str], denominators: dict[str, str]) -> Iterable[_Wanted]:
    # Counts first: where a ratio counts the same people, the count's own name is kept.
    for indicator in sorted(catalog.indicators.values(), key=lambda i: i.denominator_source != "none"):
        name, presets = indicator.id, indicator.presets
        if indicator.denominator_source == "facilities":
            continue  # stations are counted, not states of people
        if indicator.numerator_quantity is not None:
            quantity = Quantity(indicator.numerator_quantity)
            yield _Wanted(numerators, name, quantity.value, presets, {}, quantity)
        elif indicator.numerator.tests or indicator.denominator_source != "none":
            above = {preset: indicator.numerator_for(preset) for preset in presets}
            yield _Wanted(numerators, name, name, presets, above)
        else:
            continue  # a count of no state (expected cases) comes from the population alone
        if indicator.denominator_quantity is not None:
            quantity = Quantity(indicator.denominator_quantity)
            yield _Wanted(denominators, name, quantity.value, presets, {}, quantity)
            continue
        below = {p: c for p in presets if (c := indicator.denominator_for(p)) is not None}
        if below:
            yield _Wanted(denominators, name, f"{name}_denominator", tuple(below), below)


_Same = tuple[bytes | str, frozenset[tuple[str, object]]]


def _columns(
    catalog: Catalog, measures: list[Measure], counted: list[dict[str, bytes | str]]
) -> tuple[tuple[Column, ...], dict[tuple[str, str], str]]:
    """One column for each distinct count: same states, and rules that are equal where they matter."""
    groups: dict[_Same, list[tuple[Measure, str]]] = {}
    group_of: dict[tuple[str, str], _Same] = {}
    for measure, states in zip(measures, counted, strict=True):
        for preset in measure.presets:
            named = measure.conditions[preset].columns if measure.conditions else (SpellColumn.SEEN.value,)
            rules = frozenset().union(*(_rests_on(catalog.presets[preset], name) for name in named))
            key = (states[preset], rules)
            groups.setdefault(key, []).append((measure, preset))
            group_of[measure.name, preset] = key
    columns: dict[_Same, Column] = {}
    for key, served in groups.items():
        first, preset = served[0]
        whole = all(group_of[first.name, other] == key for other in first.presets)
        conditions: dict[str, Condition] = {}
        for measure, other in served:
            if measure.conditions:
                conditions.setdefault(other, measure.conditions[other])
        columns[key] = Column(
            first.name if whole else f"{first.name}.{preset}",
            tuple(dict.fromkeys(other for _, other in served)),
            conditions,
            first.quantity,
        )
    return tuple(columns.values()), {pair: columns[key].name for pair, key in group_of.items()}


def _rests_on(preset: Preset, column: str) -> frozenset[tuple[str, object]]:
    """The rules of a preset on which a spell column rests, as (rule, value)."""
    visits = {("visit_kinds", tuple(sorted(preset.visit_kinds)))}
    care = visits | {("lost_after", preset.lost_after_months), ("lost_grace", preset.lost_grace)}
    overdue = {("interval", preset.default_interval_days), ("grace", preset.overdue_grace_days)}
    nothing = frozenset[tuple[str, object]]()
    known: dict[str, Iterable[tuple[str, object]]] = {
        SpellColumn.SUSPICION: nothing,
        SpellColumn.NEWLY_DETECTED: nothing,
        SpellColumn.NEWLY_ENROLLED: nothing,
        SpellColumn.MONTHS_SINCE_ENROLMENT: nothing,
        SpellColumn.KNOWN_CASE: visits,  # who moved away is told by a counted contact
        SpellColumn.KNOWN_OR_SUSPECTED: visits,
        SpellColumn.SEEN: visits,
        SpellColumn.DISPENSED: visits,
        SpellColumn.CARE_STATE: care,
        SpellColumn.TENURE: care | {("buffer", preset.enrolment_buffer_months)},
        SpellColumn.TREATMENT: care | {("treated_window", preset.treated_window_months)},
        SpellColumn.OVERDUE: care | overdue,
        SpellColumn.OVERDUE_AT_START: care | overdue,
    }
    if column in known:
        return frozenset(known[column])
    told = {"id", "names", "among", "source", "verified", "overdue_source", "overdue_verified"}
    return frozenset({("all", repr(preset.model_dump(exclude=told)))})


_PLANS: Remembered[Catalog, Plan] = Remembered(_plan)
