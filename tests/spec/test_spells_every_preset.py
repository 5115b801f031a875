"""Each preset's own numbers, at both sides of each: presets are written down one by one, so each is asked."""

from __future__ import annotations

import pytest

from ncdsurv.catalog.vocabulary import VisitKind
from tests.engine_story import CATALOG, Story, Told, standing_of

PRESETS = tuple(CATALOG.presets)
JUNE = "2026-06"


def said(disease: str, *readings: dict[str, str]) -> list[dict[str, str]]:
    """What each preset says in June of people enrolled long ago, one for each reading of June."""
    names = list(readings[0])
    blank = " | ".join("-" for _ in names)
    heading = f"visited_on | {' | '.join(names)}\n2024-01-10 | {blank}"
    people = [
        Story(f"{heading}\n{JUNE}-10 | {' | '.join(one.values())}", disease=disease, name=f"{number:02d}")
        for number, one in enumerate(readings)
    ]
    told = Told(people)
    return [{preset: standing_of(told.state(one, preset, JUNE)) for preset in PRESETS} for one in people]


def test_hba1c_is_at_target_below_seven_under_every_preset_and_has_a_degree_under_one():
    below, at = said("diabetes", {"hba1c_percent": "6.99"}, {"hba1c_percent": "7.0"})
    assert set(below.values()) == {"controlled"}
    assert at == {"hearts": "uncontrolled_moderate", "tt37": "uncontrolled", "qd97": "uncontrolled"}


def test_glucose_after_a_meal_is_severe_from_300_mg_dl_on():
    given = [{"glucose_mmol_l": value, "glucose_kind": "post_prandial"} for value in ("16.69", "16.7")]
    assert [one["hearts"] for one in said("diabetes", *given)] == [
        "uncontrolled_moderate",
        "uncontrolled_severe",
    ]


GRADES = [("1", "controlled"), ("2", "uncontrolled_moderate"), ("3", "uncontrolled_severe")]
LEVELS = [("2", "controlled"), ("1", "uncontrolled_moderate"), ("0", "uncontrolled_severe")]


@pytest.mark.parametrize(
    ("disease", "column", "said_of"),
    [
        ("copd", "lung_grade", GRADES),
        ("asthma", "asthma_control", LEVELS),
        ("copd_or_asthma", "lung_grade", GRADES),
        ("copd_or_asthma", "asthma_control", LEVELS),
    ],
)
def test_grades_of_the_airways_mean_the_same_under_every_preset(disease, column, said_of):
    found = said(disease, *({column: grade} for grade, _ in said_of))
    assert found == [dict.fromkeys(PRESETS, standing) for _, standing in said_of]


def test_of_copd_and_asthma_together_the_level_of_asthma_decides_before_the_grade():
    mixed = [{"asthma_control": "2", "lung_grade": "3"}, {"asthma_control": "0", "lung_grade": "1"}]
    well, badly = said("copd_or_asthma", *mixed)
    assert set(well.values()) == {"controlled"}
    assert set(badly.values()) == {"uncontrolled_severe"}


@pytest.mark.parametrize("preset", PRESETS)
def test_without_a_word_on_it_thirty_days_pass_until_the_next_visit_is_due_and_no_grace_is_given(preset):
    """From 2 March the 1st of April is day 30, from 1 May the 31st of May."""
    person = Story("visited_on | sbp | dbp\n2025-03-02 | 130 | 80\n2025-05-01 | 130 | 80")
    assert [person.state(preset, month)["overdue"] for month in ("2025-03", "2025-04", "2025-05")] == [
        False,
        True,
        True,
    ]


def test_a_later_visit_without_a_reading_hides_the_months_reading_where_the_last_visit_decides():
    Story(
        """
        visited_on | sbp | dbp
        2024-01-10 | 130 | 80
        2026-06-03 | 130 | 80
        2026-06-20 | -   | -
        """
    ).check(
        """
        month   | hearts     | tt37       | qd97
        2026-06 | controlled | controlled | visited_unmeasured
        """
    )


def test_of_readings_of_one_day_the_last_one_decides_under_every_preset():
    Story(
        """
        visited_on | sequence | sbp | dbp
        2024-01-10 | -        | 130 | 80
        2026-05-10 | 1        | 130 | 80
        2026-05-10 | 2        | 160 | 95
        2026-06-10 | 1        | 145 | 88
        2026-06-10 | 2        | 135 | 85
        """
    ).check(
        """
        month   | hearts       | tt37         | qd97
        2026-05 | uncontrolled | uncontrolled | uncontrolled
        2026-06 | controlled   | controlled   | controlled
        """
    )


@pytest.mark.parametrize(("kind", "is_visit"), [("exam", True), ("refill", True), ("screening", False)])
def test_an_examination_and_a_refill_are_visits_and_a_screening_is_none_under_every_preset(kind, is_visit):
    assert {kind.value for kind in VisitKind} == {"exam", "refill", "screening"}
    person = Story(
        f"visited_on | kind | sbp | dbp\n2024-01-10 | exam | 130 | 80\n{JUNE}-10 | {kind} | 130 | 80"
    )
    assert [person.state(preset, JUNE)["seen"] for preset in PRESETS] == [is_visit] * len(PRESETS)
