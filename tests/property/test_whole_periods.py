"""Presets that rest on whole periods: the engine against a plain reading of the months of one person at a time."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ncdsurv.catalog.vocabulary import CareState, Outcome, month_index
from ncdsurv.catalog.whole_periods import counted_over, rests_on_period, with_whole_periods
from ncdsurv.indicators.periods import whole_periods
from ncdsurv.spells import Bucket, count_and_carry, count_packed, count_wide, measure_plan, person_spells
from tests.engine_catalogs import CATALOG, catalogs, examples
from tests.engine_records import layout, random_records
from tests.engine_tally import count, from_wide, histories

START = date(2024, 1, 1)
FIRST, LAST = month_index(START), month_index(START) + 23
COUNTED = with_whole_periods(CATALOG)
seeds = st.integers(0, 10**6)
forms = st.sampled_from(["polars", "compiled"])


def of_last_visit(history, period) -> str | None:
    """The outcome of the last month of a period in which the person came; None if that was before the enrolment.

    Read from states of single months, each of which rests on the visits of that month alone: no window of several
    months is asked for anywhere.
    """
    for month in range(period.last_month, period.first_month - 1, -1):
        state = history.state(month)
        if state is None or state["care_state"] != CareState.UNDER_CARE:
            return None
        if state["seen"]:
            return state["outcome"]
    return Outcome.MISSED_VISIT


@settings(max_examples=examples(15), deadline=None)
@given(seed=seeds)
def test_the_outcome_of_a_period_is_that_of_the_last_month_with_a_visit(seed):
    records = random_records(seed, 6, CATALOG, START, 730)
    bucket = layout(records, CATALOG)
    whole = [name for name, preset in CATALOG.presets.items() if rests_on_period(preset)]
    spells = {
        name: person_spells(bucket, COUNTED, name, first_month=FIRST, last_month=LAST)
        for names in counted_over(CATALOG).values()
        for name in names.values()
    }
    compared = 0
    for person, _, history in histories(records, CATALOG, whole):
        for length, names in counted_over(CATALOG).items():
            mine = spells[names[history.preset.id]].filter(
                person_id=person["person_id"], disease=history.disease.id
            )
            for period in whole_periods(FIRST, LAST, length).periods:
                at = mine.filter(
                    pl.lit(period.last_month).is_between(pl.col("from_month"), pl.col("to_month"))
                )
                if at.is_empty() or at["care_state"][0] != CareState.UNDER_CARE:
                    continue
                wanted = of_last_visit(history, period)
                if wanted is not None:
                    compared += 1
                    assert at["outcome"][0] == wanted, (str(period), history.disease.id)
    assume(compared > 0)


@settings(max_examples=examples(6), deadline=None)
@given(catalog=st.one_of(st.just(CATALOG), catalogs()), seed=seeds, form=forms)
def test_counts_over_whole_periods_are_those_of_the_plain_loop(catalog, seed, form):
    pytest.importorskip("numba") if form == "compiled" else None
    counted = with_whole_periods(catalog)
    over = [name for names in counted_over(catalog).values() for name in names.values()]
    records = random_records(seed, 5, counted, START, 730)
    months = {"first_month": FIRST + 6, "last_month": FIRST + 18}
    wide = count_wide(layout(records, counted), counted, form=form, **months)
    found = from_wide(wide, measure_plan(counted), counted, over)
    wanted = count(records, counted, *months.values(), over)
    keys = found.keys() | wanted.keys()
    assert {key for key in keys if found.get(key, 0) != wanted.get(key, 0)} == set()


@settings(max_examples=examples(6), deadline=None)
@given(seed=seeds, form=forms, known=st.integers(FIRST, LAST - 1))
def test_whole_periods_are_counted_on_from_the_same_carry(seed, form, known):
    pytest.importorskip("numba") if form == "compiled" else None
    bucket = layout(random_records(seed, 6, CATALOG, START, 730), CATALOG)
    asked = {"form": form, "first_month": FIRST}
    whole = count_wide(bucket, COUNTED, last_month=LAST, **asked)
    _, carry = count_and_carry(bucket, COUNTED, last_month=known, **asked)
    new = bucket.cases.join(
        carry.select("person_id").join(bucket.people, on="person_id"), on="person", how="anti"
    )
    kept = (pl.col("month") > known) | pl.col("person").is_in(new["person"].implode())
    later = Bucket(**{**bucket.tables(), "contacts": bucket.contacts.filter(kept)})
    counts = count_wide(later, COUNTED, form=form, first_month=known + 1, last_month=LAST, carry=carry)
    assert counts.equals(whole.filter(pl.col("month") > known))
    months = {"first_month": FIRST, "last_month": known, "form": form}
    packed = [count_packed(bucket, one, **months)[1] for one in (CATALOG, COUNTED)]
    assert packed[0].equals(packed[1]), "what is carried does not grow"
