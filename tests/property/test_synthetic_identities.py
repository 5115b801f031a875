"""Identities that hold in every invented registry, whatever the seed, size and month."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.synthetic import Dirt, make_registry, truth_counts
from ncdsurv.synthetic.dirt import mistype, to_tcvn3

MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13)][6:30]
OUTCOMES = ["newly_enrolled", "controlled", "uncontrolled", "visited_unmeasured", "missed_visit"]


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    patients=st.integers(1, 150),
    month=st.sampled_from(MONTHS),
    preset=st.sampled_from(["hearts", "tt37", "qd97"]),
    province=st.sampled_from(["02", "37", "56", "64", "79", "84"]),
)
def test_states_add_up_to_the_people_enrolled(seed, patients, month, preset, province):
    registry = make_registry(patients, seed, provinces=[province])
    counted = truth_counts(registry, preset, month)
    assert (counted["managed"] == counted.select(OUTCOMES).sum_horizontal()).all()
    states = counted.select("managed", "lost", "transferred_out", "dead").sum_horizontal().sum()
    assert states <= 2 * registry.illness.height, "a person and disease in more than one state"
    living = counted["managed"] + counted["lost"]
    assert (living <= counted["detected"]).all(), "people under care or lost are known cases"


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), patients=st.integers(1, 120))
def test_one_contact_a_person_and_day_and_every_visit_is_in_a_file(seed, patients):
    registry = make_registry(patients, seed, dirt=Dirt.as_in_life())
    visits = registry.visits
    assert visits.select("person", "visited_on").is_unique().all()
    assert (visits["in_main"] | visits["in_second"]).all()
    assert (visits["sbp"].is_null() == visits["dbp"].is_null()).all()
    assert (visits["dbp"] < visits["sbp"]).drop_nulls().all()
    assert visits["sbp"].drop_nulls().is_between(70, 299).all()
    assert visits["dbp"].drop_nulls().is_between(41, 249).all()
    assert set(visits["person"]) == set(registry.persons["person"])
    assert registry.illness.filter(pl.col("detected_on") > pl.col("known_on")).is_empty()


@given(st.text(alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạ ", min_size=1).filter(str.strip))
def test_old_glyphs_keep_length_and_leave_plain_letters_alone(text):
    glyphs = to_tcvn3(text)
    assert len(glyphs) == len(text)
    assert all(a == b for a, b in zip(text, glyphs) if a.isascii())


@given(st.from_regex(r"0[0-9]{11}", fullmatch=True))
def test_a_mistyped_number_is_another_number_of_the_same_length(number):
    wrong = mistype(number, "citizen_id")
    assert wrong != number
    assert len(wrong) == len(number)
    assert wrong.isdigit()
