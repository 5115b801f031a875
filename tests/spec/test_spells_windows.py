"""Windows in calendar months: what is just inside, what is just outside.

"The last 3 months" is this month and the two before; loss is 12 months without a visit, and at least 12
months since enrolment. Days do not matter: 31 January to 1 February is one month.
"""

from __future__ import annotations

from tests.engine_story import Story


def test_hearts_three_months_are_this_month_and_the_two_before():
    Story(
        """
        visited_on | sbp | dbp
        2024-01-10 | 150 | 95
        2025-03-31 | 130 | 80
        """
    ).check(
        """
        month   | hearts
        2025-02 | lost_to_follow_up
        2025-03 | controlled
        2025-04 | controlled
        2025-05 | controlled
        2025-06 | missed_visit
        """
    )


def test_from_31_january_to_1_february_is_one_month():
    Story(
        """
        visited_on | sbp | dbp
        2024-06-01 | 130 | 80
        2025-01-31 | 130 | 80
        """
    ).check(
        """
        month   | hearts     | tt37         | qd97
        2025-01 | controlled | controlled   | controlled
        2025-02 | controlled | missed_visit | missed_visit
        """
    )


def test_lost_after_twelve_months_without_a_visit_not_before():
    Story(
        """
        visited_on | sbp | dbp
        2024-01-31 | 130 | 80
        """
    ).check(
        """
        month   | hearts            | tt37              | qd97
        2024-12 | missed_visit      | missed_visit      | missed_visit
        2025-01 | lost_to_follow_up | lost_to_follow_up | lost_to_follow_up
        """
    )


def test_who_was_lost_and_comes_back_is_under_care_again_from_that_month():
    Story(
        """
        visited_on | sbp | dbp
        2024-01-31 | 130 | 80
        2025-08-02 | 150 | 80
        """
    ).check(
        """
        month   | hearts            | tt37
        2025-07 | lost_to_follow_up | lost_to_follow_up
        2025-08 | uncontrolled      | uncontrolled
        2025-10 | uncontrolled      | missed_visit
        2025-11 | missed_visit      | missed_visit
        2026-07 | missed_visit      | missed_visit
        2026-08 | lost_to_follow_up | lost_to_follow_up
        """
    )


def test_newly_enrolled_for_three_months_under_hearts_and_never_under_the_statutory_presets():
    Story(
        """
        visited_on | sbp | dbp
        2025-01-31 | 130 | 80
        2025-03-05 | 130 | 80
        """,
        detected="2024-11-20",
        recorded="2025-01-31",
    ).check(
        """
        month   | hearts         | tt37         | qd97
        2024-10 | unknown        | unknown      | unknown
        2024-12 | not_enrolled   | not_enrolled | not_enrolled
        2025-01 | newly_enrolled | controlled   | controlled
        2025-03 | newly_enrolled | controlled   | controlled
        2025-04 | controlled     | missed_visit | missed_visit
        """
    )


def test_a_reading_outside_the_window_does_not_count_though_the_patient_visits():
    Story(
        """
        visited_on | kind   | sbp | dbp | supply_days
        2024-06-10 | exam   | 130 | 80  | 30
        2025-01-10 | exam   | 130 | 80  | 30
        2025-02-10 | refill | -   | -   | 30
        2025-03-10 | refill | -   | -   | 30
        2025-04-10 | refill | -   | -   | 30
        """
    ).check(
        """
        month   | hearts             | tt37               | qd97
        2025-01 | controlled         | controlled         | controlled
        2025-02 | controlled         | visited_unmeasured | visited_unmeasured
        2025-03 | controlled         | visited_unmeasured | visited_unmeasured
        2025-04 | visited_unmeasured | visited_unmeasured | visited_unmeasured
        """
    )


def test_enrolment_is_the_first_visit_that_is_no_screening_from_the_record_of_the_disease_on():
    story = Story(
        """
        visited_on | kind      | sbp | dbp
        2024-11-05 | exam      | 150 | 95
        2025-01-10 | screening | 150 | 95
        2025-03-20 | refill    | -   | -
        """,
        detected="2025-01-10",
    )
    story.check(
        """
        month   | hearts         | tt37
        2024-12 | unknown        | unknown
        2025-01 | not_enrolled   | not_enrolled
        2025-02 | not_enrolled   | not_enrolled
        2025-03 | newly_enrolled | visited_unmeasured
        """
    )
    enrolled = story.spells("hearts", "2025-01", "2025-06").filter("newly_enrolled")
    assert enrolled.height == 1
    assert enrolled["from_month"].to_list() == enrolled["to_month"].to_list()
