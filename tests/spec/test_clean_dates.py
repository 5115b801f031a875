"""Dates as stations write them. Each table is read as: this text, on this field, means this."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from ncdsurv.clean.dates import read_dates
from tests.clean_support import clean_one, clean_rows, read_table, rule_of

SPELLINGS = """
written              | date       | precision | minutes | why
05/03/1961           | 1961-03-05 | day       | -       | day first, always
5/3/1961             | 1961-03-05 | day       | -       | zeros left out
05-03-1961           | 1961-03-05 | day       | -       | dashes
05.03.1961           | 1961-03-05 | day       | -       | points
1961-03-05           | 1961-03-05 | day       | -       | ISO
1961-03-05 07:45     | 1961-03-05 | day       | 465     | a date cell with a time
05/03/1961 07:45     | 1961-03-05 | day       | 465     | a text with a time
19610305             | 1961-03-05 | day       | -       | yyyymmdd
05031961             | 1961-03-05 | day       | -       | ddmmyyyy
20101210             | 2010-12-10 | day       | -       | readable one way only
196103050745         | 1961-03-05 | day       | 465     | yyyymmddHHMM
20260630             | 2026-06-30 | day       | -       | yyyymmdd
22345                | 1961-03-05 | day       | -       | Excel serial number
46203.5              | 2026-06-30 | day       | 720     | Excel serial number at noon
196500000000         | 1965-01-01 | year      | -       | day and month unknown (Decision 130)
196503000000         | 1965-03-01 | month     | -       | day unknown
1965                 | 1965-01-01 | year      | -       | the year alone
03/1965              | 1965-03-01 | month     | -       | month and year
00/00/1965           | 1965-01-01 | year      | -       | zeros for unknown
29/02/2024           | 2024-02-29 | day       | -       | a leap day
"""

REFUSED = """
written    | rule              | why
12/03/65   | two_digit_year    | 1965 or 2065 is not ours to say
120365     | two_digit_year    | six digits
05/03/2504 | buddhist_era_year | 543 years ahead
2504       | buddhist_era_year | 543 years ahead
29/02/2023 | impossible_date   | no leap year
31/04/2024 | impossible_date   | April has 30 days
05/13/2024 | impossible_date   | month first is never guessed
hôm qua    | unreadable_date   | words
99999999   | impossible_date   | no such year, month or day
"""


@pytest.mark.parametrize("row", read_table(SPELLINGS), ids=lambda row: row["why"])
def test_spelling_is_read(row: dict[str, str | None]) -> None:
    read = read_dates(pl.Series([row["written"]])).row(0, named=True)
    assert str(read["date"]) == row["date"]
    assert read["precision"] == row["precision"]
    assert read["minutes"] == (int(row["minutes"]) if row["minutes"] else None)
    assert read["rule"] is None


@pytest.mark.parametrize("row", read_table(REFUSED), ids=lambda row: row["why"])
def test_doubtful_date_is_refused_by_rule(row: dict[str, str | None]) -> None:
    read = read_dates(pl.Series([row["written"]])).row(0, named=True)
    assert read["date"] is None
    assert read["rule"] == row["rule"]


def test_an_empty_cell_is_no_fault() -> None:
    read = read_dates(pl.Series([None, "", "  ", "/  /"], dtype=pl.String))
    assert read["date"].null_count() == 4
    assert read["rule"].null_count() == 4


def test_refused_visit_date_rejects_the_row_and_refused_appointment_only_empties_it() -> None:
    rejected = clean_one(visited_on="12/03/25")
    assert rejected.visits.is_empty()
    assert rejected.rejects.select("rule", "column").rows() == [("two_digit_year", "visited_on")]
    kept = clean_one(next_visit_on="12/09/25")
    assert kept.visits["next_visit_on"].to_list() == [None]
    assert rule_of(kept, "next_visit_on") == "two_digit_year"


def test_a_visit_needs_its_day() -> None:
    assert rule_of(clean_one(visited_on="08/2025"), "visited_on") == "date_incomplete"


def test_detection_known_by_year_takes_the_first_day_and_says_so() -> None:
    batch = clean_one(detected_on="2019")
    assert batch.diagnoses["detected_on"].to_list() == [date(2019, 1, 1)]
    assert rule_of(batch, "detected_on") == "first_day_taken"


def test_the_first_of_several_appointments_counts() -> None:
    assert clean_one(next_visit_on="20250911;20251009").visits["next_visit_on"].to_list() == [
        date(2025, 9, 11)
    ]


ORDER = """
visited_on | field         | written    | rule
14/08/2025 | next_visit_on | 14/08/2025 | not_after_visit
14/08/2025 | next_visit_on | 01/08/2025 | not_after_visit
14/08/2025 | next_visit_on | 15/08/2025 | -
14/08/2025 | next_visit_on | 15/08/2026 | -
14/08/2025 | next_visit_on | 16/08/2026 | too_far_ahead
14/08/2025 | next_visit_on | 14/08/2052 | too_far_ahead
14/08/2025 | detected_on   | 15/08/2025 | after_visit
14/08/2025 | detected_on   | 14/08/2025 | -
14/08/2025 | detected_on   | 01/01/1950 | before_birth
14/08/2025 | birth_date    | 15/08/2025 | birth_after_visit
14/08/2025 | birth_date    | 01/01/1890 | age_out_of_range
14/08/1999 | visited_on    | 14/08/1999 | visit_year_out_of_range
"""


@pytest.mark.parametrize("row", read_table(ORDER), ids=lambda row: f"{row['field']} {row['rule']}")
def test_dates_stand_in_order(row: dict[str, str | None]) -> None:
    field = str(row["field"])
    batch = clean_one(**{"visited_on": row["visited_on"], "citizen_id": None, field: row["written"]})
    assert rule_of(batch, field) == row["rule"]


def _swapped_month() -> list[dict[str, str | None]]:
    """Thirty days typed d/m/yyyy into a US spreadsheet: days to 12 became date cells, month first."""
    rows: list[dict[str, str | None]] = []
    for n in range(30):
        day = date(2025, 8, 1) + timedelta(days=n)
        cell = f"{day.year}-{day.day:02d}-{day.month:02d}" if day.day <= 12 else f"{day:%d/%m/%Y}"
        rows.append({"visited_on": cell, "citizen_id": f"00216101{n:04d}"})
    return rows


def test_day_and_month_swapped_by_a_spreadsheet_are_put_back_and_logged() -> None:
    batch = clean_rows(_swapped_month())
    days = batch.visits["visited_on"].sort().to_list()
    assert days == [date(2025, 8, 1) + timedelta(days=n) for n in range(30)]
    assert batch.repairs.filter(column="visited_on")["rule"].to_list() == ["day_month_swapped"] * 12


def test_one_honest_date_cell_above_the_twelfth_forbids_the_swap() -> None:
    rows = [*_swapped_month(), {"visited_on": "2025-08-25", "citizen_id": "002161999999"}]
    batch = clean_rows(rows)
    assert batch.repairs.filter(column="visited_on").is_empty()


def test_a_few_cells_are_no_signature() -> None:
    rows = [{"visited_on": "2025-08-05"}, {"visited_on": "2025-08-06"}, {"visited_on": "25/08/2025"}]
    batch = clean_rows([dict(row) for row in rows])
    assert batch.repairs.filter(column="visited_on").is_empty()


def test_a_short_column_of_a_swapped_sheet_is_put_back_unless_a_cell_denies_it() -> None:
    rows = _swapped_month()
    rows[0]["next_visit_on"] = "2025-05-09"  # 5 September, month first
    assert clean_rows(rows).visits["next_visit_on"].drop_nulls().to_list() == [date(2025, 9, 5)]
    rows[1]["next_visit_on"] = "2025-09-25"  # a real date of this sheet: the column is not swapped
    kept = clean_rows(rows).visits["next_visit_on"].drop_nulls().to_list()
    assert kept == [date(2025, 9, 25)]  # and 9 May lies before the visit


@pytest.mark.parametrize(
    ("text", "day", "precision"),
    [
        ("12 Jan 2026", date(2026, 1, 12), "day"),
        ("12-Jan-2026", date(2026, 1, 12), "day"),
        ("January 12, 2026", date(2026, 1, 12), "day"),
        ("12th of March 2026", date(2026, 3, 12), "day"),
        ("Sept. 3 2025", date(2025, 9, 3), "day"),
        ("12 Jan 2026 08:30", date(2026, 1, 12), "day"),
        ("ngày 12 tháng 1 năm 2026", date(2026, 1, 12), "day"),
        ("Ngày 02 tháng 12 năm 2025", date(2025, 12, 2), "day"),
        ("NGÀY 12 THÁNG GIÊNG NĂM 2026", date(2026, 1, 12), "day"),
        ("ngày 5 tháng năm năm 1960", date(1960, 5, 5), "day"),
        ("12 tháng mười hai 1980", date(1980, 12, 12), "day"),
        ("10 tháng mười 1980", date(1980, 10, 10), "day"),
        ("12 tháng tư, 2026", date(2026, 4, 12), "day"),
        ("tháng 3 năm 1961", date(1961, 3, 1), "month"),
        ("tháng Chạp 1961", date(1961, 12, 1), "month"),
        ("March 1961", date(1961, 3, 1), "month"),
        ("năm 1961", date(1961, 1, 1), "year"),
    ],
)
def test_a_month_may_be_a_word_of_either_language(text: str, day: date, precision: str) -> None:
    read = read_dates(pl.Series([text]))
    assert read["date"].to_list() == [day]
    assert read["precision"].to_list() == [precision]
    assert read["rule"].to_list() == [None]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("12 Janvier 2026", "unreadable_date"),
        ("Marching 12 2026", "unreadable_date"),
        ("Nguyễn Văn Mười", "unreadable_date"),
        ("12 tháng mười ba 2026", "unreadable_date"),
        ("31 Feb 2026", "impossible_date"),
        ("ngày 31 tháng 2 năm 2026", "impossible_date"),
        ("12 Jan 26", "two_digit_year"),
        ("12 Jan 2569", "buddhist_era_year"),
    ],
)
def test_a_word_that_is_no_month_is_not_guessed_and_the_other_rules_hold(text: str, rule: str) -> None:
    read = read_dates(pl.Series([text, "05/03/1961"]))
    assert read["date"].to_list() == [None, date(1961, 3, 5)]
    assert read["rule"].to_list() == [rule, None]
