"""The truth counter against stories small enough to count on one's fingers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import UsageError
from ncdsurv.synthetic import make_registry, truth_counts
from ncdsurv.synthetic.truth import COUNTS

EMPTY = make_registry(1, 1, provinces=["84"])
DEFAULTS = {
    **dict.fromkeys(EMPTY.visits.columns),
    "facility": "84001",
    "source": "viettel",
    "province_2024": "84",
    "kind": "exam",
    "status": "managed",
    "first": False,
    "minute": 480,
    "in_main": True,
    "in_second": False,
}


def story(*visits, disease="hypertension", known="2024-07-01", detected="2024-06-01"):
    """One person: each visit is (date, sbp, dbp) or (date, {column: value})."""
    rows = []
    for number, (day, *rest) in enumerate(visits):
        cells = rest[0] if rest and isinstance(rest[0], dict) else dict(zip(("sbp", "dbp"), rest))
        rows.append(
            {**DEFAULTS, "visit": number, "person": 0, "visited_on": dt.date.fromisoformat(day), **cells}
        )
    ill = {
        "person": 0,
        "disease": disease,
        "known_on": dt.date.fromisoformat(known),
        "detected_on": dt.date.fromisoformat(detected),
        "detected_where": "1",
        "icd10": "I10",
    }
    return replace(
        EMPTY,
        visits=pl.DataFrame(rows, schema=EMPTY.visits.schema),
        illness=pl.DataFrame([ill], schema=EMPTY.illness.schema),
    )


def states(registry, month, preset="hearts", disease="hypertension"):
    counted = truth_counts(registry, preset, month).filter(disease=disease)
    if counted.is_empty():
        return set()
    return {name for name in COUNTS if counted[name].sum()}


def test_newly_enrolled_for_three_months_then_controlled():
    person = story(("2024-07-10", 150, 80), ("2024-08-10", 138, 84), ("2024-10-02", 139, 89))
    assert states(person, "2024-07") == {"detected", "managed", "newly_enrolled"}
    assert states(person, "2024-09") == {"detected", "managed", "newly_enrolled"}
    assert states(person, "2024-10") == {"detected", "managed", "controlled"}


def test_140_or_90_is_not_controlled():
    for sbp, dbp in ((140, 80), (120, 90)):
        person = story(("2024-07-10", 120, 70), ("2024-10-02", sbp, dbp))
        assert states(person, "2024-10") == {"detected", "managed", "uncontrolled"}


def test_the_last_reading_counts_three_months_then_the_visit_is_missed():
    person = story(("2024-07-10", 150, 90), ("2024-10-31", 130, 80))
    assert states(person, "2024-12") == {"detected", "managed", "controlled"}
    assert states(person, "2025-01") == {"detected", "managed", "missed_visit"}


def test_a_refill_is_a_visit_without_a_reading():
    person = story(("2024-07-10", 150, 90), ("2024-11-05", {"kind": "refill"}))
    assert states(person, "2024-11") == {"detected", "managed", "visited_unmeasured"}


def test_lost_after_twelve_months_and_back_with_the_next_visit():
    person = story(("2024-07-10", 150, 90), ("2025-09-05", 130, 80))
    assert states(person, "2025-06") == {"detected", "managed", "missed_visit"}
    assert states(person, "2025-07") == {"detected", "lost"}
    assert states(person, "2025-09") == {"detected", "managed", "controlled"}


def test_death_counts_from_its_month_on():
    person = story(("2024-07-10", 130, 80), ("2024-12-20", {"status": "dead"}))
    assert "dead" not in states(person, "2024-11")
    assert states(person, "2024-12") == {"dead"}


def test_moved_out_until_seen_again():
    gone = ("2024-09-20", {"status": "transferred_out"})
    person = story(
        ("2024-07-10", 130, 80), gone, ("2025-01-10", {"facility": "84002", "sbp": 130, "dbp": 80})
    )
    assert states(person, "2024-10") == {"transferred_out"}
    assert states(person, "2025-01") == {"detected", "managed", "controlled"}


def test_screening_neither_enrols_nor_follows_up():
    person = story(
        ("2024-07-01", {"kind": "screening", "sbp": 150, "dbp": 95}),
        ("2024-09-10", 150, 90),
        known="2024-09-10",
    )
    assert states(person, "2024-08") == {"suspected"}
    assert states(person, "2024-09") == {"detected", "managed", "newly_enrolled"}


def test_a_sugar_measured_without_a_diagnosis_points_to_prediabetes_then_to_diabetes_until_death():
    sugar = {"glucose_kind": "fasting", "sbp": 120, "dbp": 70}
    person = story(
        ("2024-07-10", {"glucose_mmol_l": 5.5, **sugar}),
        ("2024-08-10", {"glucose_mmol_l": 5.6, **sugar}),
        ("2024-10-02", {"glucose_mmol_l": 7.0, **sugar}),
        ("2024-11-02", {"glucose_mmol_l": 5.0, **sugar}),
        ("2025-01-02", {"status": "dead"}),
    )
    told = {month: states(person, month, disease="diabetes") for month in ("2024-07", "2024-08", "2024-11")}
    assert told == {"2024-07": set(), "2024-08": {"at_risk"}, "2024-11": {"suspected"}}
    assert states(person, "2025-01", disease="diabetes") == set()
    diagnosed = story(("2024-07-10", {"glucose_mmol_l": 9.0, **sugar}), disease="diabetes")
    assert not {"suspected", "at_risk"} & states(diagnosed, "2024-07", disease="diabetes")


def test_only_the_ministry_sheets_tell_when_a_disease_was_detected():
    his = story(("2024-09-10", 150, 90))
    ministry = story(("2024-09-10", {"sbp": 150, "dbp": 90, "in_second": True}))
    assert states(his, "2024-07") == set()
    assert states(ministry, "2024-07") == {"detected"}


def test_circular_37_looks_at_the_month_alone():
    person = story(("2024-07-10", 130, 80))
    assert states(person, "2024-07", "tt37") == {"detected", "managed", "controlled"}
    assert states(person, "2024-08", "tt37") == {"detected", "managed", "missed_visit"}


def test_decision_97_takes_the_last_visit_even_without_a_reading():
    person = story(("2024-07-02", 130, 80), ("2024-07-30", {"kind": "refill"}))
    assert states(person, "2024-07", "tt37") == {"detected", "managed", "controlled"}
    assert states(person, "2024-07", "qd97") == {"detected", "managed", "visited_unmeasured"}


@pytest.mark.parametrize(
    ("reading", "hearts", "tt37"),
    [
        ({"glucose_mmol_l": 6.9, "glucose_kind": "fasting"}, "controlled", "controlled"),
        ({"glucose_mmol_l": 7.0, "glucose_kind": "fasting"}, "uncontrolled", "controlled"),
        ({"glucose_mmol_l": 4.3, "glucose_kind": "unknown"}, "controlled", "uncontrolled"),
        ({"glucose_mmol_l": 10.4, "glucose_kind": "random"}, "controlled", "uncontrolled"),
        (
            {"hba1c_percent": 6.9, "glucose_mmol_l": 9.9, "glucose_kind": "fasting"},
            "controlled",
            "controlled",
        ),
    ],
)
def test_sugar_is_judged_by_its_kind_hba1c_first(reading, hearts, tt37):
    person = story(("2024-07-10", {}), ("2024-10-10", reading), disease="diabetes")
    assert hearts in states(person, "2024-10", "hearts", "diabetes")
    assert tt37 in states(person, "2024-10", "tt37", "diabetes")


@pytest.mark.parametrize(
    ("grade", "state"), [(1, "controlled"), (0, "uncontrolled"), (2, "visited_unmeasured")]
)
def test_diseases_without_a_measurement_go_by_the_reported_grade(grade, state):
    person = story(("2024-07-10", {}), ("2024-10-10", {"reported_target": grade}), disease="asthma")
    assert state in states(person, "2024-10", disease="asthma")
    assert state in states(person, "2024-10", disease="copd_or_asthma"), (
        "the group counts its members' people"
    )


def test_people_are_counted_where_they_live_at_that_time():
    registry = story(("2024-07-10", 130, 80), ("2025-01-10", {"province_2024": "79", "sbp": 130, "dbp": 80}))
    assert truth_counts(registry, "hearts", "2024-10")["province"].to_list() == ["84"]
    assert truth_counts(registry, "hearts", "2025-02")["province"].to_list() == ["79"]


def test_unknown_preset_and_month_are_refused():
    with pytest.raises(UsageError, match="preset"):
        truth_counts(EMPTY, "heart", "2026-06")
    with pytest.raises(UsageError):
        truth_counts(EMPTY, "hearts", "2026-13")


def test_order_of_presets_does_not_matter():
    registry = make_registry(200, 2, provinces=["37"])
    for preset in load_catalog().presets:
        assert truth_counts(registry, preset, "2026-01").equals(truth_counts(registry, preset, "2026-01"))
