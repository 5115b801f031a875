"""What is at target: cut-offs and operators come from the definitions, and the edges are tested by name."""

from __future__ import annotations

import pytest

from tests.engine_story import Story

ENROLLED = "2024-01-10"


def outcome(preset: str, disease: str = "hypertension", **readings: str) -> str:
    """The outcome of June 2026 for one visit in it with these readings."""
    names, values = " | ".join(readings), " | ".join(readings.values())
    blank = " | ".join("-" for _ in readings)
    table = f"visited_on | {names}\n{ENROLLED} | {blank}\n2026-06-10 | {values}"
    return Story(table, disease=disease).standing(preset, "2026-06")


@pytest.mark.parametrize("preset", ["hearts", "tt37", "qd97"])
@pytest.mark.parametrize(
    ("sbp", "dbp", "expected"),
    [
        ("139", "89", "controlled"),
        ("140", "89", "uncontrolled"),
        ("139", "90", "uncontrolled"),
        ("140", "90", "uncontrolled"),
        ("120", "-", "visited_unmeasured"),
        ("-", "80", "visited_unmeasured"),
        ("160", "-", "visited_unmeasured"),
    ],
)
def test_blood_pressure_is_controlled_below_140_and_below_90_and_needs_both_numbers(
    preset, sbp, dbp, expected
):
    assert outcome(preset, sbp=sbp, dbp=dbp) == expected


@pytest.mark.parametrize(
    ("preset", "glucose", "kind", "expected"),
    [
        ("hearts", "6.99", "fasting", "controlled"),
        ("hearts", "7.0", "fasting", "uncontrolled"),
        ("hearts", "4.0", "fasting", "controlled"),
        ("hearts", "11.09", "random", "controlled"),
        ("hearts", "11.1", "random", "uncontrolled"),
        ("tt37", "7.2", "fasting", "controlled"),
        ("tt37", "7.21", "fasting", "uncontrolled"),
        ("tt37", "4.4", "fasting", "controlled"),
        ("tt37", "4.39", "fasting", "uncontrolled"),
        ("tt37", "9.99", "random", "controlled"),
        ("tt37", "10.0", "random", "uncontrolled"),
        ("tt37", "7.2", "unknown", "controlled"),
        ("qd97", "7.2", "fasting", "controlled"),
        ("qd97", "-", "fasting", "visited_unmeasured"),
    ],
)
def test_glucose_at_the_edges_of_each_preset(preset, glucose, kind, expected):
    assert outcome(preset, disease="diabetes", glucose_mmol_l=glucose, glucose_kind=kind) == expected


@pytest.mark.parametrize(("hba1c", "expected"), [("6.99", "controlled"), ("7.0", "uncontrolled")])
def test_hba1c_is_controlled_below_seven(hba1c, expected):
    assert outcome("hearts", disease="diabetes", hba1c_percent=hba1c) == expected


def test_at_one_visit_hba1c_is_preferred_to_glucose():
    assert outcome("hearts", disease="diabetes", hba1c_percent="6.5", glucose_mmol_l="9.0") == "controlled"


def test_the_most_recent_reading_of_any_usable_kind_decides():
    Story(
        """
        visited_on | glucose_mmol_l | hba1c_percent
        2025-01-10 | -              | 6.5
        2026-05-10 | -              | 6.5
        2026-06-10 | 9.0            | -
        """,
        disease="diabetes",
    ).check(
        """
        month   | hearts       | tt37
        2026-05 | controlled   | controlled
        2026-06 | uncontrolled | uncontrolled
        """
    )


def test_same_day_readings_the_last_entered_decides():
    Story(
        """
        visited_on | sequence | sbp | dbp
        2025-01-10 | -        | 150 | 95
        2026-06-10 | 600      | 150 | 95
        2026-06-10 | 480      | 130 | 80
        """
    ).check(
        """
        month   | hearts       | tt37         | qd97
        2026-06 | uncontrolled | uncontrolled | uncontrolled
        """
    )


def test_same_day_rows_without_time_keep_the_order_of_the_file_and_a_blank_row_hides_nothing():
    Story(
        """
        visited_on | disease      | sbp | dbp
        2025-01-10 | -            | 150 | 95
        2026-06-10 | hypertension | 150 | 95
        2026-06-10 | hypertension | 130 | 80
        2026-06-10 | diabetes     | -   | -
        """
    ).check(
        """
        month   | hearts     | tt37       | qd97
        2026-06 | controlled | controlled | controlled
        """
    )


def test_presets_side_by_side_for_one_patient():
    """Enrolled, monthly at first; a refill in May; in June a visit without measurement."""
    Story(
        """
        visited_on | kind   | sbp | dbp | supply_days
        2026-01-12 | exam   | 152 | 94  | 30
        2026-02-11 | exam   | 146 | 90  | 30
        2026-03-10 | exam   | 138 | 86  | 30
        2026-04-14 | exam   | 136 | 84  | 30
        2026-05-12 | refill | -   | -   | 30
        2026-06-10 | exam   | -   | -   | 30
        """,
        detected="2026-01-12",
    ).check(
        """
        month   | hearts         | tt37               | qd97
        2026-01 | newly_enrolled | uncontrolled       | uncontrolled
        2026-03 | newly_enrolled | controlled         | controlled
        2026-04 | controlled     | controlled         | controlled
        2026-05 | controlled     | visited_unmeasured | visited_unmeasured
        2026-06 | controlled     | visited_unmeasured | visited_unmeasured
        2026-07 | visited_unmeasured | missed_visit   | missed_visit
        2026-09 | missed_visit   | missed_visit       | missed_visit
        """
    )
