"""One truth in three forms: polars expressions, the compiled kernel, and change events in SQL count the same."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog.vocabulary import month_index
from ncdsurv.catalog.whole_periods import with_whole_periods
from ncdsurv.spells import count_wide
from tests.engine_catalogs import CATALOG, catalogs, examples
from tests.engine_records import layout, random_records

START = date(2024, 7, 1)
FIRST, LAST = month_index(START), month_index(START) + 23
CELL = ["disease", "atom", "sex", "age_band", "month"]
seeds = st.integers(0, 10**6)
windows = st.tuples(st.integers(-6, 20), st.integers(0, 12)).map(
    lambda w: (FIRST + w[0], FIRST + w[0] + w[1])
)
COUNTED = with_whole_periods(CATALOG)
some_presets = st.lists(st.sampled_from(list(CATALOG.presets)), min_size=1, unique=True)


def numbers(wide: pl.DataFrame) -> pl.DataFrame:
    """A wide frame's cells and counts as whole numbers, in the order of the cells."""
    whole = [pl.col(name).to_physical().cast(pl.Int64) for name in wide.columns]
    return wide.select(whole).select(*CELL, pl.exclude(CELL)).sort(CELL)


def position_weighted_hash(wide: pl.DataFrame) -> int:
    """One number in which every count has its own weight: a count in the wrong cell changes it."""
    found = numbers(wide).to_numpy().astype(np.uint64)
    weights = np.random.default_rng(0).integers(1, 2**63, found.shape[1], dtype=np.uint64)
    return int(((found * weights).sum(axis=1) ** np.uint64(3)).sum())


@settings(max_examples=examples(15), deadline=None)
@given(catalog=st.one_of(st.just(CATALOG), catalogs()), seed=seeds, window=windows, presets=some_presets)
def test_the_compiled_form_equals_the_polars_form(catalog, seed, window, presets):
    pytest.importorskip("numba")
    bucket = layout(random_records(seed, 25, catalog, START, 720), catalog)
    months = {"first_month": window[0], "last_month": window[1]}
    reference = count_wide(bucket, catalog, presets, form="polars", **months)
    compiled = count_wide(bucket, catalog, presets, form="compiled", **months)
    assert position_weighted_hash(compiled) == position_weighted_hash(reference)
    assert compiled.equals(reference)


@settings(max_examples=examples(8), deadline=None)
@given(
    catalog=st.one_of(st.just(CATALOG), catalogs(same_kinds=True)),
    seed=seeds,
    window=windows,
    presets=some_presets,
)
def test_counts_equal_those_of_change_events_in_sql(catalog, seed, window, presets):
    assert_same_in_sql(catalog, seed, window, presets)


@settings(max_examples=examples(3), deadline=None)
@given(seed=seeds, window=windows)
def test_counts_over_whole_periods_equal_those_in_sql(seed, window):
    assert_same_in_sql(
        COUNTED, seed, window, [name for name in COUNTED.presets if name not in CATALOG.presets]
    )


def assert_same_in_sql(catalog, seed, window, presets):
    """The counts of some invented people by the engine and by the DuckDB twin."""
    duckdb = pytest.importorskip("duckdb")
    from benchmarks.engine_sql import count_sql, counted_columns, load_masks

    bucket = layout(random_records(seed, 25, catalog, START, 720), catalog)
    with duckdb.connect() as connection:
        for name, frame in bucket.tables().items():
            connection.register(name, frame.with_row_index("place") if name == "contacts" else frame)
        load_masks(connection, catalog, presets)
        for statement in count_sql(catalog, presets, *window):
            connection.execute(statement)
        twin = connection.sql("SELECT * FROM counted").pl()
    named = dict(zip((f"m{i}" for i in range(twin.width)), counted_columns(catalog, presets)))
    twin = twin.rename({**named, "place": "atom", "band": "age_band"})
    ours = count_wide(bucket, catalog, presets, first_month=window[0], last_month=window[1], form="polars")
    assert numbers(twin).equals(numbers(ours).select(numbers(twin).columns))
    assert set(twin.columns) == set(ours.columns)


@settings(max_examples=examples(6), deadline=None)
@given(seed=seeds, part=st.integers(1, 11))
def test_buckets_add_up_to_the_whole(seed, part):
    from ncdsurv.spells import add_buckets

    records = random_records(seed, 12, CATALOG, START, 720)
    months = {"first_month": FIRST, "last_month": LAST, "form": "polars"}
    whole = count_wide(layout(records, CATALOG), CATALOG, **months)
    names = records["persons"]["person_id"].to_list()
    halves = [
        count_wide(layout(people(records, chosen), CATALOG), CATALOG, **months)
        for chosen in (names[:part], names[part:])
    ]
    assert numbers(add_buckets(halves)).equals(numbers(whole))


def people(records: dict[str, pl.DataFrame], chosen: list[str]) -> dict[str, pl.DataFrame]:
    """The records of some persons."""
    mine = records["crosswalk"].filter(pl.col("person_id").is_in(chosen))["record_id"].to_list()
    found = {"atoms": records["atoms"]}
    for name, frame in records.items():
        if name != "atoms":
            key, wanted = ("person_id", chosen) if "person_id" in frame.columns else ("record_id", mine)
            found[name] = frame.filter(pl.col(key).is_in(wanted))
    return found


@settings(max_examples=examples(8), deadline=None)
@given(seed=seeds, ahead=st.integers(1, 12))
def test_later_events_do_not_change_earlier_months(seed, ahead):
    """Only events dated up to the month's end: counts up to a month are those of the records up to it."""
    last = LAST - ahead
    records = random_records(seed, 12, CATALOG, START, 720)
    months = {"first_month": FIRST, "last_month": last, "form": "polars"}
    index = lambda name: pl.col(name).dt.year().cast(pl.Int32) * 12 + pl.col(name).dt.month()  # noqa: E731
    over = lambda name: pl.when(index(name) <= last).then(name)  # noqa: E731
    early = {
        **records,
        "visits": records["visits"].filter(index("visited_on") <= last),
        "persons": records["persons"].with_columns(died_on=over("died_on")),
    }
    # A diagnosis keeps its dates; who was enrolled only later is not yet enrolled either way.
    then = count_wide(layout(early, CATALOG), CATALOG, **months)
    assert numbers(then).equals(numbers(count_wide(layout(records, CATALOG), CATALOG, **months)))
