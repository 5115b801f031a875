"""The control chart and the recent-trend marker: what they find, return, say and refuse."""

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
from ncdsurv.trends.control.limits import chart_limits
from ncdsurv.trends.control.recent import marker_of_proportions, marker_of_values
from ncdsurv.trends.control.runs import find_signals
from ncdsurv.trends.method import method
from tests.trend_support import monthly_values

FIRST = 2023 * 12 + 1
SETS = method()["control"]["set"]


def values(numerator: np.ndarray, people: float = 300.0, **columns: object) -> pl.DataFrame:
    """Monthly control rates of one station with given numerators."""
    return monthly_values(
        numerator, people, FIRST, **{"area_code": "79123", "area_level": "station"} | columns
    )


def wobble(months: int = 30, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).binomial(300, 0.4, months)


def test_a_month_out_of_the_limits_is_found_and_said():
    counts = wobble()
    counts[20] = 165
    result = ns.control_chart(values(counts), rules="shewhart", lang="en")
    assert result.signals == {"2024-09": ["beyond"]}
    assert result.headline().startswith(
        "Months that stand out: 1 of 30; the latest is September 2024, above the centre"
    )
    assert result.headline("vi").startswith(
        "Tháng bất thường: 1 trong 30; gần nhất là tháng 09/2024, trên đường giữa"
    )
    assert result.data["rules"][20] == "beyond"
    assert "station 79123" in result.title("en")


def test_hand_made_p_chart():
    # 2 months of 10 and 30 in 100: centre 0.2, sigma 0.04, z -2.5 and 2.5, moving range 5, sigma_z 5 / 1.1284.
    found = chart_limits(np.array([10.0, 30.0]), np.array([100.0, 100.0]), np.array([1, 2]), kind="p")
    assert found.centre == pytest.approx(0.2)
    assert found.sigma_z == pytest.approx(5 * np.sqrt(np.pi) / 2)
    assert found.upper[0] == pytest.approx(0.2 + 3 * 0.04 * 5 * np.sqrt(np.pi) / 2)
    assert found.lower[0] == 0.0


def test_limits_widen_with_fewer_people():
    small, large = (
        chart_limits(0.3 * np.full(12, n), np.full(12, n), np.arange(12), kind="p", laney=False)
        for n in (50.0, 5000.0)
    )
    assert ((small.upper - small.lower) > 9 * (large.upper - large.lower)).all()


@pytest.mark.parametrize("kind", ["p", "u"])
def test_laney_keeps_false_alarms_low_where_months_vary_more_than_chance(kind: str):
    rng, people = np.random.default_rng(5), np.full(36, 5000.0)
    alarms = {True: 0, False: 0}
    for _ in range(60):
        counts = rng.binomial(5000, np.clip(rng.normal(0.3, 0.03, 36), 0, 1))
        for laney in alarms:
            z = chart_limits(counts, people, np.arange(36), kind=kind, laney=laney).z
            alarms[laney] += int((np.abs(z) > 3).sum())
    assert alarms[True] < 0.015 * 60 * 36
    assert alarms[False] > 0.2 * 60 * 36


RULES = [
    ("western_electric", [0, 0, 0, 3.1], "beyond"),
    ("western_electric", [0, 2.1, 0, 2.1], "two_of_three"),
    ("western_electric", [1.1, -1, 1.1, 1.1, 1.1], "four_of_five"),
    ("western_electric", [0.2] * 8, "eight_one_side"),
    ("nelson", [-0.2] * 9, "nine_one_side"),
    ("nelson", [-0.5, -0.3, -0.1, 0.1, 0.3, 0.5], "six_in_order"),
]


@pytest.mark.parametrize(("name", "z", "rule"), RULES)
def test_each_rule_marks_the_month_that_completes_it(name: str, z: list[float], rule: str):
    for side in (1, -1):
        found = find_signals(side * np.array(z, dtype=float), np.zeros(len(z), dtype=np.int64), SETS[name])
        assert rule in found[-1]
        assert not any(found[:-1])


@pytest.mark.parametrize(
    ("name", "z"),
    [
        ("western_electric", [0, 0, 0, 3.0]),
        ("western_electric", [2.1, 0, -2.1]),
        ("western_electric", [2.1, 0, 0, 2.1]),
        ("western_electric", [0.2] * 7),
        ("nelson", [-0.2] * 8),
        ("nelson", [0.0, 0.1, 0.2, 0.2, 0.3, 0.4]),
    ],
)
def test_what_falls_short_of_a_rule_is_not_marked(name: str, z: list[float]):
    assert not any(find_signals(np.array(z, dtype=float), np.zeros(len(z), dtype=np.int64), SETS[name]))


def test_two_of_the_last_three_need_no_third():
    found = find_signals(np.array([2.1, 2.1, 0.0]), np.zeros(3, dtype=np.int64), SETS["western_electric"])
    assert found == [[], ["two_of_three"], []]


def test_no_run_reaches_across_a_gap_or_a_phase():
    z = np.full(8, 0.2)
    parts = np.array([0] * 4 + [1] * 4)
    assert not any(find_signals(z, parts, SETS["western_electric"]))
    counts = np.where(np.arange(30) < 15, 100, 140) + np.tile([0, 2], 15)
    assert len(ns.control_chart(values(counts)).signals) > 5
    split = ns.control_chart(values(counts), phases=["2024-04"], lang="en")
    assert not split.signals
    assert [round(one.centre, 1) for one in split.charts] == [0.3, 0.5]
    assert "phases begin in January 2023, April 2024" in split.explain()


def test_a_baseline_judges_later_months():
    counts = np.where(np.arange(30) < 18, wobble(30), wobble(30) + 40)
    result = ns.control_chart(values(counts), baseline="2024-06", lang="en")
    assert result.charts[0].centre == pytest.approx(counts[:18].sum() / (300 * 18))
    assert set(result.signals) >= {month_label(FIRST + at) for at in range(20, 30)}
    assert "estimated from the months up to June 2024" in result.explain()


@pytest.mark.parametrize("count", [0.0, 120.0, 300.0])
def test_months_all_equal_mean_no_signal_and_no_nan(count: float):
    result = ns.control_chart(values(np.full(12, count)), lang="en")
    assert not result.signals
    assert result.headline().startswith("Nothing to judge: every month is")
    assert "nan" not in (result.explain() + str(result.table())).lower()
    assert "inf" not in str(result.data["z"].to_list())
    assert "because months do not vary" in result.explain()


def test_the_first_event_after_a_baseline_of_zeros_stands_out():
    counts = np.zeros(12)
    counts[10] = 2
    result = ns.control_chart(values(counts), baseline="2023-09", lang="en")
    assert list(result.signals) == ["2023-11"]
    assert "nan" not in result.explain().lower()


def test_gaps_are_kept_out_and_said():
    result = ns.control_chart(values(wobble()).filter(pl.col("period") != "2024-02"), lang="en")
    assert result.months == 29
    assert "1 months without a value" in result.explain()


def test_small_numbers_are_said():
    result = ns.control_chart(values(np.array([0, 1, 0, 2, 1, 0, 0, 1, 3, 0, 1, 1]), people=20), lang="en")
    assert "12 months expect fewer than 5 events" in result.explain()
    assert "fewer than 20 points: its limits are provisional" in result.explain()


def test_overlapping_windows_are_thinned_by_default():
    result = ns.control_chart(values(wobble(36), preset="hearts"), lang="en")
    assert (result.months, result.window) == (12, 3)
    assert "one month in 3 is used (24 months passed over)" in result.explain()
    kept = ns.control_chart(values(wobble(36), preset="hearts"), overlap="ignore", lang="en")
    assert kept.months == 36
    assert "rules about runs cannot be trusted" in kept.explain()


def test_a_share_above_one_gets_a_u_chart_and_is_no_p_chart():
    counts = wobble()
    counts[4] = 310
    assert ns.control_chart(values(counts)).kind == "u"
    with pytest.raises(StatisticsError, match='a p chart needs a share of people: .* do: pass kind="u"'):
        ns.control_chart(values(counts), kind="p")
    assert ns.control_chart(values(wobble(), unit="per_100000")).kind == "u"


def test_the_marker_needs_the_same_sign_whichever_point_is_left_out():
    lone = marker_of_proportions(np.array([100.0, 98, 97, 96, 190]), np.full(5, 1000.0))
    assert lone.chi_square > 9.6
    assert (lone.direction, lone.steady) == ("none", False)
    down = marker_of_proportions(np.array([190.0, 170, 150, 130, 110]), np.full(5, 1000.0))
    assert (down.direction, down.slope < 0) == ("down", True)


def test_the_marker_says_why_it_cannot_be_calculated():
    assert marker_of_proportions(np.ones(4), np.full(4, 9.0)).reason == "few"
    assert marker_of_proportions(np.zeros(5), np.full(5, 9.0)).reason == "no_events"
    assert marker_of_values(np.ones(5), np.ones(5), np.ones(5)).reason == "zero_width"
    result = ns.control_chart(values(wobble()).filter(pl.col("period") != "2025-04"), lang="en")
    assert "cannot be calculated: fewer than 5 points in a row" in result.explain()
    zeros = marker_of_proportions(np.array([0.0, 0, 10, 30, 50]), np.full(5, 50.0))
    assert (zeros.direction, np.isfinite(zeros.slope)) == ("up", True)


def test_pandas_in_pandas_out_and_text_is_composed_vietnamese():
    result = ns.control_chart(values(wobble()).to_pandas())
    assert isinstance(result.data, pd.DataFrame)
    assert isinstance(result.table(), pd.DataFrame)
    text = result.explain("vi")
    assert text == unicodedata.normalize("NFC", text)
    assert not re.search(r"[{}]", text + result.explain("en"))
    assert result.summary()["recent_trend"]["method"] == "cochran_armitage"


def test_the_picture_marks_what_stands_out():
    import matplotlib.pyplot as plt

    counts = wobble()
    counts[20] = 165
    ax = ns.control_chart(values(counts)).plot(lang="en")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    plt.close(ax.figure)
    assert labels == ["3 sigma limits", "centre", "stands out", "observed"]


REFUSED = [
    ({"rules": "mine"}, UsageError, "unknown set of rules"),
    ({"kind": "c"}, UsageError, "unknown kind of chart"),
    ({"overlap": "no"}, UsageError, "unknown overlap"),
    ({"phases": "2024-04"}, UsageError, "phases are a list of months, without a baseline: got '2024-04'"),
    ({"phases": ["2024-04"], "baseline": "2024-01"}, UsageError, "and baseline='2024-01'"),
    ({"phases": ["2031-04"]}, UsageError, "the start of a phase is no month of the series: got 2031-04"),
    (
        {"phases": ["2023-03"]},
        StatisticsError,
        "too few months in a phase: got 2, 28; allowed: at least 6 in each",
    ),
    ({"baseline": "2022-01"}, UsageError, "the end of the baseline is no month of the series: got 2022-01"),
    (
        {"baseline": "2023-05"},
        StatisticsError,
        "too few months in the baseline: got 5 months; allowed: at least 8",
    ),
]


@pytest.mark.parametrize(("settings", "kind", "sentence"), REFUSED)
def test_what_cannot_be_answered_is_refused_with_the_reason(settings: dict, kind: type, sentence: str):
    with pytest.raises(kind, match=re.escape(sentence)):
        ns.control_chart(values(wobble()), **settings)


def test_a_short_series_is_refused():
    with pytest.raises(
        StatisticsError, match="too few months for a trend: got 5 months; allowed: at least 8"
    ):
        ns.control_chart(values(wobble(5)))
