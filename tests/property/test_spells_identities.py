"""The identities of the design: no state counts twice, none is left out, and the parts add up in every cell."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog.vocabulary import Outcome, Severity, month_index
from ncdsurv.spells import count_wide, measure_plan, person_spells
from tests.engine_catalogs import CATALOG, examples
from tests.engine_records import layout, random_records

PLAN = measure_plan(CATALOG)
START = date(2024, 7, 1)
FIRST, LAST = month_index(START), month_index(START) + 23
seeds = st.integers(0, 10**6)


def held(column: str, *values: object) -> pl.Series:
    """For each state of the table, whether a column has one of some values."""
    return PLAN.table[column].is_in(list(values)).cast(pl.Int8)


def test_states_partition_who_is_under_care_and_who_is_enrolled():
    """On the table of states itself, so it holds for any people."""
    degrees = sum(held("severity", s.value) for s in (Severity.MODERATE, Severity.SEVERE, Severity.UNTOLD))
    assert (degrees == held("outcome", Outcome.UNCONTROLLED)).all()
    assert (held("severity", Severity.AT_TARGET) == held("outcome", Outcome.CONTROLLED)).all()
    kept = [o.value for o in Outcome if o is not Outcome.UNCONTROLLED]
    parts = held("tenure", "newly_enrolled") + sum(held("outcome", name) for name in kept) + degrees
    assert (parts == held("care_state", "under_care")).all()
    care = held("care_state", "under_care") + held("care_state", "lost_to_follow_up")
    gone = held("care_state", "transferred_out") + held("care_state", "dead")
    enrolled = 1 - held("care_state", "not_enrolled")
    assert (care + gone == enrolled).all()
    suspected = held("suspicion", "at_risk", "suspected")
    assert (suspected + enrolled <= 1).all()
    assert (held("known_case", True) + suspected <= 1).all()
    assert (held("known_case", True) >= care).all()
    assert (held("known_case", True) + gone <= 1).all()


@pytest.mark.parametrize("preset", list(CATALOG.presets))
def test_no_state_is_in_a_numerator_and_not_in_its_denominator(preset):
    measures = {measure.name: measure for measure in PLAN.measures}
    checked = 0
    for indicator, below in PLAN.denominators.items():
        above = measures[PLAN.numerators[indicator]].conditions.get(preset)
        if above is None or preset not in CATALOG.indicators[indicator].presets:
            continue
        inside = PLAN.members.of(above) & ~PLAN.members.of(measures[below].conditions[preset])
        assert not inside.any(), indicator
        checked += 1
    assert checked > 5


@settings(max_examples=examples(8), deadline=None)
@given(seed=seeds)
def test_the_parts_add_up_in_every_cell(seed):
    records = random_records(seed, 15, CATALOG, START, 720)
    wide = count_wide(layout(records, CATALOG), CATALOG, first_month=FIRST, last_month=LAST, form="polars")
    for preset in CATALOG.presets:
        above = lambda name, p=preset: wide[PLAN.numerator(name, p)]  # noqa: E731
        below = lambda name, p=preset: wide[PLAN.denominator(name, p)]  # noqa: E731
        judged = ("controlled", "uncontrolled_rate", "visited_unmeasured_rate", "missed_visit_rate")
        under_care = above("newly_enrolled_under_care") + sum(above(name) for name in judged)
        assert (under_care == above("under_care")).all()
        degrees = above("moderately_uncontrolled_rate") + above("severely_uncontrolled_rate")
        assert (degrees <= above("uncontrolled_rate")).all()
        enrolled = sum(above(name) for name in ("under_care", "lost_to_follow_up", "transferred_out", "dead"))
        assert (enrolled == above("enrolled")).all()
        assert (above("detected") >= above("under_care") + above("lost_to_follow_up")).all()
        assert (above("detection_gap") + above("detected") == below("detection_gap")).all()
        assert (above("overdue") <= above("under_care") + above("lost_to_follow_up")).all()
        assert (above("returned_to_care_rate") <= below("returned_to_care_rate")).all()
        assert (above("treated") <= above("under_care")).all()
    flows = {name: wide[name] for name in ("visit_days", "intervals", "interval_days", "transfers_in")}
    assert (flows["intervals"] <= flows["visit_days"]).all()
    assert (flows["intervals"] <= flows["interval_days"]).all()
    assert (flows["transfers_in"] <= flows["visit_days"]).all()


@settings(max_examples=examples(8), deadline=None)
@given(seed=seeds, preset=st.sampled_from(list(CATALOG.presets)))
def test_every_person_disease_and_month_has_exactly_one_state_from_the_beginning_on(seed, preset):
    bucket = layout(random_records(seed, 12, CATALOG, START, 720), CATALOG)
    spells = person_spells(bucket, CATALOG, preset, first_month=FIRST, last_month=LAST)
    states = spells.drop("months_since_enrolment")  # a number only for those enrolled
    assert states.null_count().sum_horizontal().item() == 0
    assert (spells["from_month"] <= spells["to_month"]).all()
    by_case = spells.group_by("person_id", "disease", maintain_order=True)
    follows = pl.col("from_month").shift(-1) == pl.col("to_month") + 1
    assert by_case.agg(gapless=follows.fill_null(True).all())["gapless"].all()
    assert (by_case.agg(end=pl.col("to_month").max())["end"] == LAST).all()
    begin = pl.min_horizontal("detected_month", "suspected_month", "at_risk_month")
    assert by_case.len().height == bucket.cases.filter(begin <= LAST).height
