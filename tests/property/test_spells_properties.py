"""The engine's invariants, on people drawn at random: any seed, any window of months."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Outcome, month_index
from ncdsurv.spells import add_buckets, count_bucket, measure_plan, person_spells
from ncdsurv.spells.states import members
from tests import engine_oracle
from tests.engine_records import layout, random_records

CATALOG = load_catalog()
PLAN = measure_plan(CATALOG)
START = date(2024, 7, 1)
CELL = ["preset", "disease", "atom", "sex", "age_band", "month"]
seeds = st.integers(0, 10**6)
windows = st.tuples(st.integers(-6, 20), st.integers(0, 12)).map(
    lambda w: (month_index(START) + w[0], month_index(START) + w[0] + w[1])
)


def as_counts(frame: pl.DataFrame) -> dict[tuple, int]:
    return engine_oracle.as_counts(frame, PLAN.names)


def position_weighted_hash(frame: pl.DataFrame) -> int:
    """One number in which every count has its own weight: a count in the wrong cell changes it."""
    numbers = frame.select(pl.col(CELL).to_physical(), pl.col(PLAN.names)).to_numpy().astype(np.uint64)
    weights = np.random.default_rng(0).integers(1, 2**63, numbers.shape[1], dtype=np.uint64)
    return int(((numbers * weights).sum(axis=1) ** np.uint64(3)).sum())


@settings(max_examples=25, deadline=None)
@given(seed=seeds, window=windows)
def test_counts_equal_a_plain_loop_over_one_person_at_a_time(seed, window):
    records = random_records(seed, 8, CATALOG, START, 720)
    found = count_bucket(
        layout(records, CATALOG), CATALOG, first_month=window[0], last_month=window[1], form="polars"
    )
    wanted = engine_oracle.count(records, CATALOG, PLAN.measures, *window, list(CATALOG.presets))
    assert as_counts(found) == dict(wanted)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, window=windows, people=st.integers(1, 40))
def test_the_compiled_form_equals_the_polars_form(seed, window, people):
    pytest.importorskip("numba")
    bucket = layout(random_records(seed, people, CATALOG, START, 720), CATALOG)
    months = {"first_month": window[0], "last_month": window[1]}
    reference = count_bucket(bucket, CATALOG, form="polars", **months)
    compiled = count_bucket(bucket, CATALOG, form="compiled", **months)
    assert position_weighted_hash(compiled) == position_weighted_hash(reference)
    assert compiled.equals(reference)


@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_counts_equal_those_of_change_events_in_sql(seed):
    duckdb = pytest.importorskip("duckdb")
    from benchmarks.engine_sql import count_sql, load_masks

    first, last = month_index(START), month_index(START) + 23
    bucket = layout(random_records(seed, 30, CATALOG, START, 720), CATALOG)
    with duckdb.connect() as connection:
        for name, frame in bucket.tables().items():
            connection.register(name, frame.with_row_index("place") if name == "contacts" else frame)
        load_masks(connection, CATALOG, list(CATALOG.presets))
        for statement in count_sql(CATALOG, list(CATALOG.presets), first, last):
            connection.execute(statement)
        order = "preset, disease, atom, sex, band, month"
        twin = connection.sql(f"SELECT * FROM counted ORDER BY {order}").pl()
    ours = count_bucket(bucket, CATALOG, first_month=first, last_month=last, form="polars")
    numbers = ours.select(
        *(pl.col(c).to_physical() for c in ("preset", "disease", "atom", "sex", "age_band", "month")),
        *PLAN.names,
    )
    assert twin.height == numbers.height
    assert np.array_equal(twin.to_numpy(), numbers.to_numpy())


@settings(max_examples=25, deadline=None)
@given(seed=seeds, preset=st.sampled_from(list(CATALOG.presets)))
def test_every_person_disease_and_month_has_exactly_one_state_from_detection_on(seed, preset):
    first, last = month_index(START), month_index(START) + 23
    bucket = layout(random_records(seed, 12, CATALOG, START, 720), CATALOG)
    spells = person_spells(bucket, CATALOG, preset, first_month=first, last_month=last)
    states = spells.drop("months_since_enrolment")  # a number only for those enrolled
    assert states.null_count().sum_horizontal().item() == 0
    assert (spells["from_month"] <= spells["to_month"]).all()
    by_case = spells.group_by("person_id", "disease", maintain_order=True)
    follows = pl.col("from_month").shift(-1) == pl.col("to_month") + 1
    assert by_case.agg(gapless=follows.fill_null(True).all())["gapless"].all()
    assert (by_case.agg(end=pl.col("to_month").max())["end"] == last).all()
    starts = by_case.agg(start=pl.col("from_month").min())
    known = bucket.cases.join(bucket.people, on="person").filter(pl.col("detected_month") <= last)
    assert starts.height == known.height
    disease = pl.Series(list(CATALOG.diseases), dtype=pl.Enum(list(CATALOG.diseases)))
    wanted = known.select(
        "person_id",
        disease=disease.gather(known["disease"].cast(pl.UInt32)),
        wanted=pl.max_horizontal("detected_month", pl.lit(first, pl.Int32)),
    )
    joined = starts.join(wanted, on=["person_id", "disease"])
    assert joined.height == starts.height
    assert (joined["start"] == joined["wanted"]).all()


@pytest.mark.parametrize("preset", list(CATALOG.presets))
def test_states_partition_who_is_under_care_and_who_is_enrolled(preset):
    """On the table of states itself, so it holds for any people: no state counts twice, none is left out."""
    states = PLAN.table
    under_care = states["care_state"] == "under_care"
    parts = (states["tenure"] == "newly_enrolled").cast(pl.Int8)
    for outcome in Outcome:
        parts += (states["outcome"] == outcome.value).cast(pl.Int8)
    assert (parts == under_care.cast(pl.Int8)).all()
    enrolled = states["care_state"] != "not_enrolled"
    care = sum((states["care_state"] == c).cast(pl.Int8) for c in ("under_care", "lost_to_follow_up"))
    gone = sum((states["care_state"] == c).cast(pl.Int8) for c in ("transferred_out", "dead"))
    assert (care + gone == enrolled.cast(pl.Int8)).all()
    for indicator, below in PLAN.denominators.items():
        measures = {measure.name: measure for measure in PLAN.measures}
        above = measures[PLAN.numerators[indicator]].conditions.get(preset)
        if above is None or preset not in CATALOG.indicators[indicator].presets:
            continue
        inside = members(states, above) & ~members(states, measures[below].conditions[preset])
        assert not inside.any(), f"{indicator}: a state in the numerator is not in the denominator"


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_under_care_is_newly_enrolled_plus_the_four_outcomes_in_every_cell(seed):
    first, last = month_index(START), month_index(START) + 23
    counts = count_bucket(
        layout(random_records(seed, 15, CATALOG, START, 720), CATALOG),
        CATALOG,
        first_month=first,
        last_month=last,
    )
    above = {name: counts[measure] for name, measure in PLAN.numerators.items()}
    below = {name: counts[measure] for name, measure in PLAN.denominators.items()}
    rates = ["uncontrolled_rate", "visited_unmeasured_rate", "missed_visit_rate"]
    established = below["uncontrolled_rate"]
    assert (sum(above[name] for name in rates) + above["controlled"] == established).all()
    assert (above["under_care"] >= established).all()
    kept = above["under_care"] + above["lost_to_follow_up_rate"]
    assert (kept == below["lost_to_follow_up_rate"]).all()
    assert (above["detected"] >= kept).all()
    assert (above["treated"] <= above["under_care"]).all()


@settings(max_examples=15, deadline=None)
@given(seed=seeds, part=st.integers(1, 11))
def test_buckets_add_up_to_the_whole(seed, part):
    first, last = month_index(START), month_index(START) + 23
    records = random_records(seed, 12, CATALOG, START, 720)
    whole = count_bucket(layout(records, CATALOG), CATALOG, first_month=first, last_month=last, form="polars")
    names = records["persons"]["person_id"].to_list()
    halves = []
    for chosen in (names[:part], names[part:]):
        some = {
            name: frame.filter(
                pl.col("person_id" if "person_id" in frame.columns else "record_id").is_in(chosen)
            )
            for name, frame in records.items()
            if name != "atoms"
        }
        bucket = layout({**some, "atoms": records["atoms"]}, CATALOG)
        halves.append(count_bucket(bucket, CATALOG, first_month=first, last_month=last, form="polars"))
    assert add_buckets(halves).equals(whole)


@settings(max_examples=15, deadline=None)
@given(seed=seeds, ahead=st.integers(1, 12))
def test_later_events_do_not_change_earlier_months(seed, ahead):
    """Only events dated up to the month's end: counts up to a month are those of the records up to it."""
    first, last = month_index(START), month_index(START) + 23 - ahead
    records = random_records(seed, 12, CATALOG, START, 720)
    end = date(last // 12 if last % 12 else last // 12 - 1, last % 12 or 12, 28)
    full = count_bucket(layout(records, CATALOG), CATALOG, first_month=first, last_month=last, form="polars")
    kept = records["visits"].filter(pl.col("visited_on").dt.to_string("%Y%m") <= f"{end:%Y%m}")
    died = pl.when(pl.col("died_on").dt.to_string("%Y%m") <= f"{end:%Y%m}").then("died_on")
    early = {**records, "visits": kept, "persons": records["persons"].with_columns(died_on=died)}
    # A diagnosis keeps its dates; who was enrolled only later is not yet enrolled either way.
    then = count_bucket(layout(early, CATALOG), CATALOG, first_month=first, last_month=last, form="polars")
    assert as_counts(then) == as_counts(full)
