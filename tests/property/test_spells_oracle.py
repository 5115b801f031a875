"""The engine against a plain loop over one person, one month at a time: identical states, identical counts."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog.vocabulary import SpellColumn, month_index
from ncdsurv.spells import count_wide, measure_plan, person_spells
from tests.engine_catalogs import CATALOG, catalogs, examples, nearly_alike
from tests.engine_records import layout, random_records
from tests.engine_tally import count, from_wide, histories

PRESETS = list(CATALOG.presets)
START = date(2024, 7, 1)
FIRST, LAST = month_index(START), month_index(START) + 23
COLUMNS = [column.value for column in SpellColumn]
seeds = st.integers(0, 10**6)
windows = st.tuples(st.integers(-6, 20), st.integers(0, 12)).map(
    lambda w: (month_index(START) + w[0], month_index(START) + w[0] + w[1])
)


def differing(found: dict, wanted: dict) -> dict:
    """Where two counts differ: key -> (found, wanted)."""
    keys = {key for key in found.keys() | wanted.keys() if found.get(key, 0) != wanted.get(key, 0)}
    return {key: (found.get(key, 0), wanted.get(key, 0)) for key in sorted(keys, key=str)[:10]}


@settings(max_examples=examples(12), deadline=None)
@given(seed=seeds, window=windows)
def test_counts_of_the_shipped_presets(seed, window):
    records = random_records(seed, 8, CATALOG, START, 720)
    wide = count_wide(
        layout(records, CATALOG), CATALOG, first_month=window[0], last_month=window[1], form="polars"
    )
    found = from_wide(wide, measure_plan(CATALOG), CATALOG, PRESETS)
    assert not differing(found, count(records, CATALOG, *window, PRESETS))


@settings(max_examples=examples(12), deadline=None)
@given(catalog=st.one_of(catalogs(), nearly_alike()), seed=seeds, window=windows)
def test_counts_under_any_rules_in_both_forms(catalog, seed, window):
    records = random_records(seed, 8, catalog, START, 720)
    bucket, months = layout(records, catalog), {"first_month": window[0], "last_month": window[1]}
    wide = count_wide(bucket, catalog, form="polars", **months)
    found = from_wide(wide, measure_plan(catalog), catalog, PRESETS)
    assert not differing(found, count(records, catalog, *window, PRESETS))
    pytest.importorskip("numba")
    assert count_wide(bucket, catalog, form="compiled", **months).equals(wide)


@pytest.mark.parametrize("by", ["facility", "source"])
@settings(max_examples=examples(5), deadline=None)
@given(seed=seeds)
def test_counts_by_facility_and_by_source(by, seed):
    records = random_records(seed, 8, CATALOG, START, 720)
    bucket, months = layout(records, CATALOG), {"first_month": FIRST, "last_month": LAST, "by": by}
    wide = count_wide(bucket, CATALOG, form="polars", **months)
    found = from_wide(wide, measure_plan(CATALOG), CATALOG, PRESETS, by)
    assert not differing(found, count(records, CATALOG, FIRST, LAST, PRESETS, by))
    pytest.importorskip("numba")
    assert count_wide(bucket, CATALOG, form="compiled", **months).equals(wide)


@settings(max_examples=examples(10), deadline=None)
@given(catalog=st.one_of(st.just(CATALOG), catalogs()), seed=seeds, preset=st.sampled_from(PRESETS))
def test_states_of_every_person_disease_and_month(catalog, seed, preset):
    """Exactly one state from the beginning of a case on, equal in every column; none before."""
    records = random_records(seed, 6, catalog, START, 720)
    spells = person_spells(layout(records, catalog), catalog, preset, first_month=FIRST, last_month=LAST)
    months = spells.with_columns(month=pl.int_ranges("from_month", pl.col("to_month") + 1)).explode("month")
    since = pl.col("months_since_enrolment") + (pl.col("month") - pl.col("from_month"))
    months = months.with_columns(months_since_enrolment=since)
    assert not months.select("person_id", "disease", "month").is_duplicated().any()
    found = {(row["person_id"], row["disease"], row["month"]): row for row in months.iter_rows(named=True)}
    for person, _, history in histories(records, catalog, [preset]):
        for month in range(FIRST, LAST + 1):
            wanted = history.state(month)
            told = found.get((person["person_id"], history.disease.id, month))
            if told is not None:
                told = {name: told[name] for name in COLUMNS}
            assert told == wanted, (history.disease.id, month)
