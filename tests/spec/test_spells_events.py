"""Deaths, transfers, moves and birthdays count from their date on, never by today's status."""

from __future__ import annotations

import polars as pl

from tests.engine_story import Story

MONTHLY = """
visited_on | sbp | dbp
2025-01-10 | 130 | 80
2025-02-10 | 130 | 80
2025-03-10 | 130 | 80
2025-04-10 | 130 | 80
2025-05-10 | 130 | 80
2025-06-10 | 130 | 80
"""


def test_a_death_counts_from_its_month_and_rewrites_no_earlier_one():
    Story(MONTHLY, died="2025-05-31").check(
        """
        month   | hearts     | tt37       | qd97
        2025-04 | controlled | controlled | controlled
        2025-05 | dead       | dead       | dead
        2025-06 | dead       | dead       | dead
        2026-12 | dead       | dead       | dead
        """
    )


def test_the_dead_are_no_longer_among_the_detected():
    counts = (
        Story(MONTHLY, died="2025-05-31").counts("2025-04", "2025-06").filter(pl.col("preset") == "hearts")
    )
    assert counts.filter(pl.col("detected") > 0).select("month", "detected").rows() == [(2025 * 12 + 4, 1)]


def test_a_transfer_counts_from_its_date_and_ends_with_the_next_visit():
    Story(
        """
        visited_on | sbp | dbp | patient_status
        2024-06-10 | 130 | 80  | managed
        2025-03-10 | 130 | 80  | transferred_out
        2025-07-10 | 150 | 80  | transferred_in
        """
    ).check(
        """
        month   | hearts          | tt37
        2025-02 | missed_visit    | missed_visit
        2025-03 | transferred_out | transferred_out
        2025-06 | transferred_out | transferred_out
        2025-07 | uncontrolled    | uncontrolled
        """
    )


def test_who_is_transferred_out_is_not_counted_as_lost_later():
    Story(
        """
        visited_on | sbp | dbp | patient_status
        2024-06-10 | 130 | 80  | transferred_out
        """
    ).check(
        """
        month   | hearts
        2026-06 | transferred_out
        """
    )


def test_a_transfer_of_another_disease_does_not_concern_this_one():
    Story(
        """
        visited_on | disease      | sbp | dbp | patient_status
        2024-06-10 | hypertension | 130 | 80  | managed
        2025-03-10 | hypertension | 130 | 80  | managed
        2025-03-10 | diabetes     | -   | -   | transferred_out
        """
    ).check(
        """
        month   | hearts
        2025-03 | controlled
        """
    )


def test_any_visit_of_a_patient_is_a_contact_for_each_of_the_patients_diseases():
    Story(
        """
        visited_on | disease      | sbp | dbp
        2024-06-10 | hypertension | 130 | 80
        2025-06-10 | diabetes     | -   | -
        """
    ).check(
        """
        month   | hearts             | tt37
        2025-05 | missed_visit       | missed_visit
        2025-06 | visited_unmeasured | visited_unmeasured
        """
    )


def test_a_move_counts_from_its_month_in_the_commune_lived_in_at_the_months_end():
    story = Story(
        MONTHLY,
        lived=(
            ("2024-05-01", "00001", "90001"),
            ("2025-03-31", "00002", "90002"),
            ("2025-03-02", "00003", "90001"),
        ),
    )
    assert story.homes("2025-01", "2025-06") == [("2025-01", 7, "60-69"), ("2025-03", 9, "60-69")]


def test_before_the_first_known_residence_a_patient_is_counted_where_first_known():
    story = Story(MONTHLY, lived=(("2025-04-01", "00003", "90001"),))
    assert story.homes("2025-01", "2025-06") == [("2025-01", 12, "60-69")]


def test_a_birthday_across_a_band_counts_from_its_month():
    story = Story(MONTHLY, born="1955-04-30")
    assert story.homes("2025-01", "2025-06") == [("2025-01", 7, "60-69"), ("2025-04", 7, "70-79")]


def test_an_unknown_birth_date_has_its_own_band_and_stays_in_the_total():
    story = Story(MONTHLY, born=None)
    assert story.homes("2025-01", "2025-06") == [("2025-01", 7, "unknown")]


def test_the_dead_grow_no_older_and_do_not_move():
    story = Story(
        MONTHLY,
        born="1955-04-30",
        died="2025-03-05",
        lived=(("2024-05-01", "00001", "90001"), ("2025-06-01", "00003", "90001")),
    )
    assert story.homes("2025-01", "2026-06") == [("2025-01", 7, "60-69")]


def test_a_refill_alone_is_a_visit_with_drugs_but_no_reading():
    story = Story(
        """
        visited_on | kind   | sbp | dbp | supply_days
        2024-06-10 | exam   | 130 | 80  | 30
        2025-06-10 | refill | -   | -   | -
        """
    )
    june = story.spells("tt37", "2025-06", "2025-06").row(0, named=True)
    assert (june["outcome"], june["seen"], june["dispensed"]) == ("visited_unmeasured", True, True)
    july = story.spells("tt37", "2025-07", "2025-07").row(0, named=True)
    assert (july["outcome"], july["seen"], july["dispensed"]) == ("missed_visit", False, False)
    assert (june["treatment"], july["treatment"]) == ("treated", "untreated")


def test_drugs_within_the_presets_own_window_make_a_patient_treated():
    story = Story(
        """
        visited_on | kind | sbp | dbp | supply_days
        2024-06-10 | exam | 130 | 80  | 30
        2025-01-10 | exam | 130 | 80  | 30
        2025-03-10 | exam | 130 | 80  | -
        """
    )
    for month, expected in (
        ("2025-03", (1, 0, 1)),
        ("2025-04", (0, 0, 1)),
        ("2025-12", (0, 0, 1)),
        ("2026-01", (0, 0, 0)),
    ):
        counts = story.counts(month, month)
        treated = [
            int(counts.filter(pl.col("preset") == preset)["treated"].sum())
            for preset in ("hearts", "tt37", "qd97")
        ]
        assert tuple(treated) == expected, month


def test_a_person_with_two_members_of_a_group_is_counted_once_in_the_group():
    story = Story(MONTHLY, disease="copd")
    diagnoses = story.records["diagnoses"]
    story.records["diagnoses"] = pl.concat([diagnoses, diagnoses.with_columns(disease=pl.lit("asthma"))])
    from ncdsurv.spells import count_bucket
    from tests.engine_records import layout
    from tests.engine_story import CATALOG

    month = 2025 * 12 + 6
    counts = count_bucket(
        layout(story.records, CATALOG), CATALOG, ["tt37"], first_month=month, last_month=month
    )
    found = dict(counts.select(pl.col("disease").cast(pl.String), "under_care").rows())
    assert found == {"copd": 1, "asthma": 1, "copd_or_asthma": 1}
