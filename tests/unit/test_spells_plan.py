"""The wide plan: one column for each distinct count, shared by the presets whose rules agree where it matters."""

from __future__ import annotations

from datetime import date

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import VisitKind
from ncdsurv.spells import count_wide, measure_plan, plan
from ncdsurv.spells.states import FACTS, STANDINGS
from tests.engine_records import layout, random_records

CATALOG = load_catalog()
PLAN = measure_plan(CATALOG)
PRESETS = list(CATALOG.presets)
MONTHS = {"first_month": 2025 * 12 + 1, "last_month": 2025 * 12 + 6}


def varied(**rules):
    """The catalog with the rules of its first preset changed."""
    preset = CATALOG.presets[PRESETS[0]].model_copy(update=rules)
    return CATALOG.model_copy(update={"presets": {**CATALOG.presets, PRESETS[0]: preset}})


def test_every_side_of_every_indicator_has_a_column_that_counts_its_condition():
    columns = {column.name: column for column in PLAN.shared}
    asked = 0
    for indicator in CATALOG.indicators.values():
        for preset in indicator.presets:
            name = PLAN.numerator(indicator.id, preset)
            if name is None or columns[name].quantity is not None:
                continue
            counted = PLAN.members.of(columns[name].conditions[preset])
            assert (counted == PLAN.members.of(indicator.numerator_for(preset))).all()
            asked += 1
    assert asked > len(CATALOG.indicators)


def test_the_members_of_a_condition_are_the_states_that_its_expression_keeps():
    conditions = {one for column in PLAN.shared for one in column.conditions.values()} | {Condition()}
    assert max(len(condition.tests) for condition in conditions) > 2
    for condition in conditions:
        kept = PLAN.table.filter(condition.expr())["code"].to_list()
        found = PLAN.members.of(condition)
        assert found.nonzero()[0].tolist() == kept
        found[:] = False  # the caller's own: what is remembered stays as it is
        assert PLAN.members.of(condition).nonzero()[0].tolist() == kept


def test_a_column_serves_each_preset_once_and_every_preset_finds_its_own():
    assert len(set(PLAN.columns)) == len(PLAN.columns)
    for (measure, preset), name in PLAN.held_in.items():
        assert preset in next(column.presets for column in PLAN.shared if column.name == name)
        assert PLAN.column(measure, preset) == name


def test_what_no_rule_touches_is_counted_once_and_what_a_target_decides_is_not():
    assert len({PLAN.column("detected", preset) for preset in PRESETS}) == 1
    assert len({PLAN.column("under_care", preset) for preset in PRESETS}) == 1
    assert len({PLAN.column("controlled", preset) for preset in PRESETS}) == len(PRESETS)


@pytest.mark.parametrize(
    ("rules", "parted", "shared"),
    [
        ({"lost_after_months": 6}, "under_care", "newly_detected"),
        ({"lost_grace": False}, "lost_to_follow_up", "detected"),
        ({"visit_kinds": (VisitKind.EXAM,)}, "detected", "newly_enrolled"),
        ({"overdue_grace_days": 30}, "overdue", "under_care"),
        ({"same_day": "lowest"}, "controlled", "overdue"),
    ],
)
def test_a_rule_parts_the_columns_that_rest_on_it_and_no_others(rules, parted, shared):
    other = measure_plan(varied(**rules))
    first, second = PRESETS[:2]
    assert other.column(parted, first) != other.column(parted, second)
    assert other.column(shared, first) == other.column(shared, second)


def test_the_table_of_states_is_exclusive_and_holds_every_fact_both_ways():
    assert PLAN.table.height == len(STANDINGS) * 2 ** len(FACTS) * len(PLAN.cuts)
    assert PLAN.table["code"].to_list() == list(range(PLAN.table.height))
    assert PLAN.table.drop("months_since_enrolment").null_count().sum_horizontal().item() == 0


def test_more_counts_than_a_mask_has_bits_are_counted_in_several_lanes(monkeypatch):
    bucket = layout(random_records(3, 12, CATALOG, date(2024, 7, 1), 360), CATALOG)
    wanted = count_wide(bucket, CATALOG, form="polars", **MONTHS)
    monkeypatch.setattr(plan, "MASK_BITS", 7)
    narrow = varied()
    assert all(len(lane.columns) <= 7 for lane in measure_plan(narrow).lanes(PRESETS))
    assert count_wide(bucket, narrow, form="polars", **MONTHS).equals(wanted)
    pytest.importorskip("numba")
    assert count_wide(bucket, narrow, form="compiled", **MONTHS).equals(wanted)
