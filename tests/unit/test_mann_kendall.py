"""The Mann-Kendall verb: what is found, said and refused."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.catalog.vocabulary import month_label
from ncdsurv.errors import StatisticsError, UsageError
from ncdsurv.trends import mann_kendall
from tests.trend_support import monthly_values

FIRST = 2015 * 12 + 1


def values(rates: np.ndarray, **columns: object) -> pl.DataFrame:
    """Months with given rates in percent among 2,000 people."""
    return monthly_values(20 * np.asarray(rates), 2000.0, FIRST, **{"area_vintage": "2024"} | columns)


def rising(months: int, **columns: object) -> pl.DataFrame:
    """Two points a year, with a small wobble."""
    at = np.arange(months)
    return values(40 + at / 6 + np.random.default_rng(2).normal(0, 0.3, months), **columns)


def test_a_rise_is_found_with_its_slope_in_points_a_year():
    result = mann_kendall(rising(30), lang="en")
    assert result.direction == "up"
    assert result.lower < 2 < result.upper
    assert result.headline().startswith("Rising (p < 0.001); Sen's slope +1.9 percentage points per year")
    assert result.headline("vi").startswith("Xu hướng tăng (p < 0,001)")


def test_a_fall_is_a_rise_upside_down():
    up = mann_kendall(rising(30))
    down = mann_kendall(rising(30).with_columns(value=100 - pl.col("value")))
    assert down.slope == pytest.approx(-up.slope)
    assert (down.direction, down.test.p_value) == ("down", pytest.approx(up.test.p_value))


def test_all_equal_months_show_nothing_and_no_nan():
    result = mann_kendall(values(np.full(24, 33.0)))
    assert (result.direction, result.slope, result.test.p_value) == ("none", 0.0, 1.0)
    assert (result.lower, result.upper) == (0.0, 0.0)
    assert "nan" not in result.explain("en").lower()


@pytest.mark.parametrize("correction", ["hamed_rao", "yue_wang"])
def test_corrections_take_equal_and_straight_series(correction: str):
    assert mann_kendall(values(np.full(24, 33.0)), correction=correction).test.p_value == 1.0
    assert mann_kendall(values(np.arange(24.0)), correction=correction).test.factor == 1.0


def test_zeros_only_are_no_error():
    assert mann_kendall(values(np.zeros(24))).direction == "none"


def test_few_points_get_the_exact_p_value():
    result = mann_kendall(values(np.arange(8.0) + 1))
    assert result.test.exact
    assert result.test.p_value == pytest.approx(2 / 40320)  # one order of 8! each way
    assert "The p value is exact" in result.explain("en")


def test_a_season_is_compared_month_by_month_when_asked_or_from_ten_years_on():
    at = np.arange(132)
    wave = values(50 + 10 * np.cos(2 * np.pi * at / 12) + 0.02 * at + 0.1 * np.sin(1.7 * at))
    result = mann_kendall(wave, lang="en")
    assert (result.season, result.correction, result.direction) == (True, "hirsch_slack", "up")
    assert result.slope == pytest.approx(0.24, abs=0.05)
    assert "Hirsch and Slack 1984" in result.explain()
    assert mann_kendall(wave.tail(48)).season is False
    assert mann_kendall(wave.tail(48), season=True, correction="none").test.factor == 1.0


def test_an_incomplete_year_is_left_out_and_said():
    result = mann_kendall(rising(125), lang="en")
    assert result.months == 120
    assert "5 first months of an incomplete year" in result.explain()


def test_overlapping_windows_are_thinned_by_default():
    result = mann_kendall(rising(30, preset="hearts"), lang="en")
    assert (result.months, result.thinned, result.last) == (10, True, month_label(FIRST + 29))
    assert "one month in 3 is used (20 months passed over)" in result.explain()
    assert mann_kendall(rising(30, preset="hearts"), overlap="ignore").months == 30
    assert "p is too small" in mann_kendall(rising(30, preset="hearts"), overlap="ignore").explain("en")


def test_a_correction_stands_in_for_thinning():
    result = mann_kendall(rising(30, preset="hearts"), correction="hamed_rao", lang="en")
    assert result.months == 30
    assert "lags up to 7 months looked at" in result.explain()


def test_windows_of_a_year_are_refused_with_the_reason():
    yearly = rising(48, indicator="lost_to_follow_up", preset="hearts")
    with pytest.raises(
        StatisticsError, match="got 4 of 48 months, one in each window of 12; allowed: at least 8"
    ):
        mann_kendall(yearly)


def test_missing_months_are_bridged_but_a_serial_correction_refuses_them():
    gap = rising(30).filter(pl.col("period") != month_label(FIRST + 9))
    assert mann_kendall(gap).slope == pytest.approx(2, abs=0.2)
    with pytest.raises(StatisticsError, match="a serial correction needs every month: got 29 of 30 months"):
        mann_kendall(gap, correction="yue_wang")


REFUSED = {
    "seven_months": (rising(7), {}, StatisticsError, "got 7 months"),
    "one_value": (rising(1), {}, StatisticsError, "got 1 months"),
    "short_season": (rising(30), {"season": True}, StatisticsError, "too few years to compare same months"),
    "season_of_the_other": (
        rising(30),
        {"correction": "hirsch_slack"},
        UsageError,
        "correction without season",
    ),
    "unknown": (rising(30), {"correction": "tfpw"}, UsageError, "allowed: hamed_rao, none, yue_wang"),
    "lag": (rising(30), {"lag": 0}, UsageError, "lag out of range: got 0; allowed: 1 to 29 months"),
    "overlap": (rising(30), {"overlap": "hide"}, UsageError, "unknown overlap"),
    "thin_season": (
        rising(48, preset="hearts"),
        {"season": True, "correction": "none"},
        UsageError,
        "months that are thinned cannot be compared season by season",
    ),
    "no_variance_left": (
        values(40 + 3.0 * (-1) ** np.arange(30) + np.arange(30) / 50),
        {"correction": "yue_wang", "lag": 1},
        StatisticsError,
        "the correction leaves no variance",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_answered_is_refused_with_the_reason(case: str):
    frame, settings, error, words = REFUSED[case]
    with pytest.raises(error, match=re.escape(words)):
        mann_kendall(frame, **settings)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_explanation_table_and_figure(lang: str):
    import matplotlib

    matplotlib.use("Agg")
    result = mann_kendall(rising(30), lang=lang)
    text = result.explain()
    assert unicodedata.is_normalized("NFC", text)
    assert "{" not in text
    assert "2026-06-abc" in text
    assert result.table().height == 4
    labels = [line.get_label() for line in result.plot().get_lines()]
    assert ("đường Sen" if lang == "vi" else "Sen's line") in labels
    matplotlib.pyplot.close("all")


def test_pandas_in_pandas_out_and_the_public_verb():
    result = ns.mann_kendall(rising(30).to_pandas())
    assert isinstance(result.data, pd.DataFrame)
    assert isinstance(result.table(), pd.DataFrame)
    assert result.data["line"].is_monotonic_increasing
    assert "score" in result.summary()
    assert "<table>" in result._repr_html_()
