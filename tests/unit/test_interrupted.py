"""The interrupted series: what it finds, returns, says and refuses."""

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
from ncdsurv.trends.interrupted.model import fit_segmented
from tests.trend_support import monthly_values

FIRST = 2023 * 12 + 1
REFORM = 2025 * 12 + 7


def values(
    numerator: np.ndarray, people: float = 2000.0, first: int = FIRST, **columns: object
) -> pl.DataFrame:
    """Monthly control rates of one province with given numerators."""
    return monthly_values(numerator, people, first, **columns)


def stepped(months: int = 48, step: float = 0.8, before: float = 1.05, after: float = 1.05) -> np.ndarray:
    """Counts that step by a factor at the reform and change their yearly growth, without noise."""
    years = (np.arange(months) + FIRST - REFORM) / 12
    return 2000 * 0.4 * before**years * np.where(years >= 0, step * (after / before) ** years, 1.0)


def test_a_known_step_and_slope_come_back():
    result = ns.interrupted(values(stepped(after=1.2)), "boundary_reform", lang="en")
    assert result.level_change.value == pytest.approx(-20.0)
    assert result.model.slope_before.value == pytest.approx(5.0)
    assert result.model.slope_after.value == pytest.approx(20.0)
    assert result.slope_change.value == pytest.approx(100 * (1.2 / 1.05 - 1))
    assert result.headline().startswith("Change of level at 07/2025: −20.0% (95% CI −20.0% to −20.0%)")
    assert result.event == "boundary_reform"
    data = result.data
    assert data["counterfactual"].null_count() == REFORM - FIRST
    assert (data["fitted"] / data["counterfactual"]).drop_nulls()[0] == pytest.approx(0.8)


def test_the_effect_in_the_last_month_is_step_and_slope_together():
    result = ns.interrupted(values(stepped(after=1.2)), "2025-07")
    since = (FIRST + 47 - REFORM) / 12
    assert result.model.effect_last.value == pytest.approx(100 * (0.8 * (1.2 / 1.05) ** since - 1))


@pytest.mark.parametrize("moved", [5, -7])
def test_moving_series_and_date_together_changes_nothing_but_the_date(moved: int):
    noisy = np.random.default_rng(3).poisson(stepped())
    one = ns.interrupted(values(noisy), "2025-07", season=False)
    other = ns.interrupted(values(noisy, first=FIRST + moved), month_label(REFORM + moved), season=False)
    assert other.level_change.value == pytest.approx(one.level_change.value)
    assert other.slope_change.upper == pytest.approx(one.slope_change.upper)


def test_the_step_is_largest_at_its_own_date():
    series = values(np.random.default_rng(4).poisson(stepped()))
    steps = {
        month: ns.interrupted(series, month, season=False).level_change.value
        for month in ("2024-10", "2025-03", "2025-07", "2025-11", "2026-03")
    }
    assert min(steps, key=steps.get) == "2025-07"


def test_without_a_change_the_interval_of_the_step_covers_zero_as_often_as_it_says():
    rng = np.random.default_rng(11)
    months = np.arange(FIRST, FIRST + 42)
    people = np.full(42, 800.0)
    covered = 0
    for _ in range(150):
        model = fit_segmented(
            rng.poisson(people * 0.3), people, months, FIRST + 24, lag=3, wider=True, harmonics=2
        )
        covered += model.level_change.lower < 0 < model.level_change.upper
    # Binomial 150 at 0.95 or more: 135 is below its 0.5 % point (134.9).
    assert covered >= 135


def test_fewer_people_make_wider_intervals():
    rng = np.random.default_rng(5)
    spans = []
    for people in (200.0, 20000.0):
        found = ns.interrupted(
            values(rng.binomial(int(people), 0.3, 48), people=people), "2025-07"
        ).level_change
        spans.append(found.upper - found.lower)
    assert spans[0] > 4 * spans[1]


def test_months_all_equal_show_no_change_and_no_nan():
    result = ns.interrupted(values(np.full(48, 500.0)), "2025-07", lang="en")
    assert result.level_change.value == pytest.approx(0, abs=1e-6)
    assert result.level_change.p_value == 1.0
    assert "nan" not in (result.explain() + str(result.rows("en"))).lower()
    assert result.headline().startswith("Change of level at 07/2025: 0.0%")


def test_zero_months_on_both_sides_are_allowed():
    counts = np.tile([3.0, 0.0, 1.0, 2.0], 12)
    result = ns.interrupted(values(counts, people=60), "2025-07", season=False)
    assert result.level_change.lower < 0 < result.level_change.upper
    assert np.isfinite(result.level_change.upper)


def test_a_break_before_the_date_is_found_by_the_placebo():
    counts = np.full(48, 800.0)
    counts[15:] = 400.0
    noisy = np.random.default_rng(6).poisson(counts)
    broken = ns.interrupted(values(noisy), "2025-07", lang="en")
    assert broken.placebo.found
    assert "cannot be put down to this date" in broken.explain()
    clean = ns.interrupted(values(np.random.default_rng(6).poisson(np.full(48, 800.0))), "2025-07", lang="en")
    assert not clean.placebo.found
    assert "halfway through the months before, finds no change" in clean.explain()
    short = ns.interrupted(values(noisy[18:], first=FIRST + 18), "2025-07", season=False, lang="en")
    assert short.placebo is None
    assert "Too few months or events before the date" in short.explain()


def test_overlapping_windows_leave_the_mixed_months_out_and_say_so():
    noisy = np.random.default_rng(7).poisson(stepped())
    result = ns.interrupted(values(noisy, preset="hearts"), "2025-07", lang="en")
    assert (result.window, result.transition, result.lag) == (3, 2, 0)
    assert result.data.filter(~pl.col("used"))["period"].to_list() == ["2025-07", "2025-08"]
    assert "2 months of transition from the date on" in result.explain()
    assert "standard errors count what windows share" in result.explain()
    ignored = ns.interrupted(values(noisy, preset="hearts"), "2025-07", overlap="ignore", lang="en")
    assert ignored.transition == 0
    assert "intervals may be too narrow" in ignored.explain()
    robust = ns.interrupted(values(noisy, preset="hearts"), "2025-07", overlap="newey_west", lang="en")
    assert "Newey-West standard errors with a lag of 3 months" in robust.explain()
    thinned = ns.interrupted(values(noisy, preset="hearts"), "2025-07", overlap="thin", slope_change=False)
    assert thinned.months == 16


def test_errors_name_the_lag():
    noisy = np.random.default_rng(8).poisson(stepped())
    assert "Newey-West error (lag of 3 months)" in ns.interrupted(values(noisy), "2025-07").explain("en")
    assert "lag of 6 months" in ns.interrupted(values(noisy), "2025-07", lag=6).explain("en")
    assert "Newey" not in ns.interrupted(values(noisy), "2025-07", lag=0).explain("en")


def test_a_step_alone_has_no_change_of_slope():
    result = ns.interrupted(values(stepped()), "2025-07", slope_change=False, lang="en")
    assert result.slope_change is None
    assert len(result.rows("en")) == 3
    assert result.level_change.value == pytest.approx(-20.0)


def test_pandas_in_pandas_out_and_text_is_composed_vietnamese():
    result = ns.interrupted(values(stepped()).to_pandas(), "2025-07")
    assert isinstance(result.data, pd.DataFrame)
    assert isinstance(result.table(), pd.DataFrame)
    text = result.explain("vi")
    assert text == unicodedata.normalize("NFC", text)
    assert not re.search(r"[{}]", text + result.explain("en"))
    assert result.summary()["at"] == "2025-07"


def test_the_picture_marks_the_date_and_draws_the_counterfactual():
    import matplotlib.pyplot as plt

    ax = ns.interrupted(values(stepped()), "boundary_reform").plot(lang="en")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    plt.close(ax.figure)
    assert "had nothing changed" in labels


GIVEN = values(stepped())
REFUSED = [
    (
        {"at": "2022-05"},
        UsageError,
        "the intervention does not lie within the series: got 2022-05; allowed: 2023-02",
    ),
    ({"at": "tet"}, UsageError, "no such month or event: got 'tet'; allowed: YYYY-MM, or boundary_reform"),
    ({"at": "2025-Q3"}, UsageError, "no such month or event: got '2025-Q3'"),
    (
        {"at": "2023-04"},
        StatisticsError,
        "too few months before the intervention: got 3 months; allowed: at least 12",
    ),
    (
        {"at": "2026-11"},
        StatisticsError,
        "too few months after the intervention: got 2 months; allowed: at least 6",
    ),
    ({"at": "2025-07", "lag": 13}, UsageError, "lag out of range: got 13; allowed: 0 to 12 months, or None"),
    ({"at": "2025-07", "transition": -1}, UsageError, "transition out of range: got -1; allowed: 0 to 24"),
    ({"at": "2025-07", "overlap": "no"}, UsageError, "unknown overlap"),
    ({"at": "2025-07", "family": "gauss"}, UsageError, "unknown family"),
]


@pytest.mark.parametrize(("settings", "kind", "sentence"), REFUSED)
def test_what_cannot_be_answered_is_refused_with_the_reason(settings: dict, kind: type, sentence: str):
    with pytest.raises(kind, match=re.escape(sentence)):
        ns.interrupted(GIVEN, **settings)


def test_a_side_without_events_is_refused():
    counts = stepped()
    counts[30:] = 0
    with pytest.raises(
        StatisticsError,
        match="too few events after the intervention for a relative change: got 0 in 18 months; allowed: at least 10",
    ):
        ns.interrupted(values(counts), "2025-07")


def test_a_gap_is_refused_with_its_month():
    with pytest.raises(StatisticsError, match="months without a value interrupt the series: got 2024-03"):
        ns.interrupted(GIVEN.filter(pl.col("period") != "2024-03"), "2025-07")
