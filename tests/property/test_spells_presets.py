"""Every rule of a preset is data: drawn at random, the engine still equals the plain loop, in both forms."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.conditions import Condition
from ncdsurv.catalog.vocabulary import VisitKind, month_index
from ncdsurv.spells import count_bucket, measure_plan
from tests import engine_oracle
from tests.engine_records import layout, random_records

CATALOG = load_catalog()
START = date(2024, 7, 1)
FIRST, LAST = month_index(START), month_index(START) + 23


@st.composite
def catalogs(draw):
    """The package's catalog with the rules of its first preset drawn anew."""
    name = next(iter(CATALOG.presets))
    preset = CATALOG.presets[name]
    systolic = draw(st.sampled_from([120, 139, 140, 150]))
    operator = draw(st.sampled_from(["lt", "le"]))
    targets = tuple(
        target.model_copy(update={"readings": {"clinic": Condition.parse({"sbp": {operator: systolic}})}})
        if "clinic" in target.readings
        else target
        for target in preset.targets
    )
    rules = {
        "outcome_window_months": draw(st.integers(1, 7)),
        "enrolment_buffer_months": draw(st.integers(0, 7)),
        "lost_after_months": draw(st.integers(1, 14)),
        "treated_window_months": draw(st.integers(1, 13)),
        "reading": draw(st.sampled_from(["last_reading", "last_visit"])),
        "visit_kinds": draw(
            st.sampled_from([(VisitKind.EXAM,), (VisitKind.EXAM, VisitKind.REFILL), tuple(VisitKind)])
        ),
        "targets": targets,
    }
    return CATALOG.model_copy(
        update={"presets": {**CATALOG.presets, name: preset.model_copy(update=rules)}}
    ), name


@settings(max_examples=25, deadline=None)
@given(drawn=catalogs(), seed=st.integers(0, 10**6))
def test_any_rules_of_a_preset_are_counted_as_the_plain_loop_counts_them(drawn, seed):
    catalog, preset = drawn
    records = random_records(seed, 8, catalog, START, 720)
    bucket, months = layout(records, catalog), {"first_month": FIRST, "last_month": LAST}
    plan = measure_plan(catalog)
    found = count_bucket(bucket, catalog, [preset], form="polars", **months)
    wanted = engine_oracle.count(records, catalog, plan.measures, FIRST, LAST, [preset])
    assert engine_oracle.as_counts(found, plan.names) == dict(wanted)
    pytest.importorskip("numba")
    assert count_bucket(bucket, catalog, [preset], form="compiled", **months).equals(found)
