"""Months, quarters and years: calendar months, not days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncdsurv.catalog.vocabulary import Period, Vintage, month_index, month_label, month_start
from ncdsurv.errors import UsageError


def test_the_last_of_january_and_the_first_of_february_are_one_month_apart() -> None:
    assert month_index(date(2026, 2, 1)) - month_index(date(2026, 1, 31)) == 1


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_month_index_and_start_go_together(day: date) -> None:
    start = month_start(month_index(day))
    assert start == day.replace(day=1)
    assert month_label(month_index(day)) == f"{day:%Y-%m}"


@pytest.mark.parametrize(
    ("text", "months", "last"),
    [
        ("2026-06", 1, "2026-06"),
        ("2026-Q2", 3, "2026-06"),
        ("2025", 12, "2025-12"),
        ("2025-12", 1, "2025-12"),
        ("2025-H1", 6, "2025-06"),
        ("2025-H2", 6, "2025-12"),
        ("2025-9M", 9, "2025-09"),
    ],
)
def test_a_period_reads_and_writes_itself(text: str, months: int, last: str) -> None:
    period = Period.parse(text)
    assert str(period) == text
    assert period.n_months == months
    assert month_label(period.last_month) == last


@pytest.mark.parametrize("text", ["2026-13", "2026-Q5", "2026-H3", "2026-6M", "2026-6", "", "2026-06-01"])
def test_anything_else_is_refused_and_says_what_is_allowed(text: str) -> None:
    allowed = "a month 2026-06, a quarter 2026-Q2, a half-year 2026-H1, nine months 2026-9M or a year 2026"
    with pytest.raises(UsageError, match=allowed):
        Period.parse(text)


def test_the_vintage_changes_on_the_first_of_july_2025() -> None:
    reform = date(2025, 7, 1)
    assert Vintage.at(reform) is Vintage.V2025
    assert Vintage.at(reform - timedelta(days=1)) is Vintage.V2024
    assert Period.parse("2025-06").vintage is Vintage.V2024
    assert Period.parse("2025-Q3").vintage is Vintage.V2025


@pytest.mark.parametrize(
    ("text", "kind", "months", "vi", "en"),
    [
        ("2025-02", "month", 1, "tháng 02/2025", "February 2025"),
        ("2025-Q4", "quarter", 3, "quý 4/2025", "quarter 4, 2025"),
        ("2025-H1", "half_year", 6, "6 tháng đầu năm 2025", "first half of 2025"),
        ("2025-H2", "half_year", 6, "6 tháng cuối năm 2025", "second half of 2025"),
        ("2025-9M", "nine_months", 9, "9 tháng đầu năm 2025", "first nine months of 2025"),
        ("2025", "year", 12, "năm 2025", "2025"),
    ],
)
def test_periods_of_the_circular_are_known_and_named(
    text: str, kind: str, months: int, vi: str, en: str
) -> None:
    from ncdsurv.maps.wording import period_words

    period = Period.parse(text)
    assert (str(period), period.kind, period.n_months) == (text, kind, months)
    assert (period_words(text, "vi"), period_words(text, "en")) == (vi, en)


def test_nine_months_end_in_september_and_halves_in_june_and_december() -> None:
    ends = {text: month_label(Period.parse(text).last_month) for text in ("2025-9M", "2025-H1", "2025-H2")}
    assert ends == {"2025-9M": "2025-09", "2025-H1": "2025-06", "2025-H2": "2025-12"}
