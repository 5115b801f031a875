"""Joinpoints: what is found, said and refused."""

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
from ncdsurv.trends import fit_joinpoints
from tests.trend_support import monthly_values

FIRST = 2023 * 12 + 1
QUICK = {"permutations": 199, "max_joinpoints": 2}


def values(
    months: int = 48, *, bend: float = 0.0, at: int = 24, noise: float = 0.01, **columns: object
) -> pl.DataFrame:
    """Monthly rates that grow by a tenth a year and by exp(bend) more after a month, with a little noise."""
    rng = np.random.default_rng(3)
    times = np.arange(months)
    log_rate = np.log(0.3) + np.log(1.1) * times / 12 + bend * np.maximum(times - at, 0) / 12
    counts = np.round(5000.0 * np.exp(log_rate + rng.normal(0, noise, months)))
    share = counts / 5000.0
    reach = 1.96 * np.sqrt(share * (1 - share) / 5000.0)
    own = {"release": "2026-12-abc", "area_vintage": "2024"} | columns
    return monthly_values(counts, 5000.0, FIRST, reach=reach, **own)


def counted(counts: np.ndarray, **columns: object) -> pl.DataFrame:
    """Months with given numerators among 5,000 people."""
    counts = np.asarray(counts, dtype=float)
    return values(len(counts), **columns).with_columns(
        numerator=pl.Series(counts), value=pl.Series(100 * counts / 5000)
    )


@pytest.fixture(scope="module")
def bent() -> ns.trends.JoinpointResult:
    return fit_joinpoints(values(bend=-0.4), lang="en", **QUICK)


def test_a_bend_is_found_where_it_is_with_the_change_before_and_after(bent):
    assert len(bent.joinpoints) == 1
    low, high = bent.joinpoint_limits[0]
    assert low <= "2025-01" <= high
    before, after = bent.segments
    assert before.lower < 10 < before.upper
    assert after.lower < 100 * (1.1 * np.exp(-0.4) - 1) < after.upper
    assert (before.direction, after.direction) == ("up", "down")
    assert (before.first, after.last) == ("2023-01", "2026-12")


def test_the_average_of_a_part_is_the_weighted_mean_of_its_slopes(bent):
    whole, part = bent.average(), bent.average("2024-07", "2025-07")
    slopes = [np.log1p(segment.change / 100) for segment in bent.segments]
    edges = [FIRST, round(bent.model.joinpoints[0]), FIRST + 47]
    lengths = np.diff(edges)
    assert whole.change == pytest.approx(100 * np.expm1(np.average(slopes, weights=lengths)))
    inside = [edges[1] - (2024 * 12 + 7), 2025 * 12 + 7 - edges[1]]
    assert part.change == pytest.approx(100 * np.expm1(np.average(slopes, weights=inside)))
    assert whole.lower < whole.change < whole.upper


def test_the_average_within_one_segment_is_that_segment(bent):
    own, segment = bent.average("2023-02", "2023-09"), bent.segments[0]
    assert (own.change, own.lower, own.upper) == pytest.approx((segment.change, segment.lower, segment.upper))


def test_an_interval_outside_the_series_is_refused(bent):
    with pytest.raises(UsageError, match="no interval to average over: got 2022-01 to 2026-12"):
        bent.average("2022-01")


def test_no_joinpoint_where_there_is_none_and_that_is_said_in_words():
    result = fit_joinpoints(values(), lang="en", **QUICK)
    assert result.joinpoints == []
    assert result.headline().startswith("The trend did not change at any time that can be shown")
    assert result.headline("vi").startswith("Không thấy thời điểm nào xu hướng đổi")
    assert result.average().change == pytest.approx(10, abs=0.5)


def test_without_joinpoint_it_is_weighted_log_linear_regression():
    frame = values()
    result = fit_joinpoints(frame, joinpoints=0, harmonics=0)
    years = np.arange(48) / 12
    y, weight = np.log(frame["value"] / 100).to_numpy(), frame["numerator"].to_numpy()
    slope = np.polyfit(years, y, 1, w=np.sqrt(weight))[0]
    assert result.average().change == pytest.approx(100 * np.expm1(slope), rel=1e-9)


@pytest.mark.parametrize("choose", ["wbic", "bic", "bic3"])
def test_criteria_find_a_clear_bend_too(choose: str):
    result = fit_joinpoints(values(bend=-0.4), choose=choose)
    assert len(result.joinpoints) >= 1
    assert choose.upper() in result.explain("en")
    assert result.model.tests == []


def test_the_same_seed_gives_the_same_p_values():
    first, second, other = (
        [test.p_value for test in fit_joinpoints(values(), seed=seed, **QUICK).model.tests]
        for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


def test_resampled_intervals_hold_the_truth_and_are_named():
    result = fit_joinpoints(values(bend=-0.4), joinpoints=1, interval="resample")
    before, after = result.segments
    assert before.lower < 10 < before.upper
    assert after.lower < 100 * (1.1 * np.exp(-0.4) - 1) < after.upper
    assert "Residuals resampled 999 times" in result.explain("en")


def test_a_season_is_not_taken_for_joinpoints():
    months = np.arange(48)
    wave = np.exp(0.15 * np.cos(2 * np.pi * months / 12))
    rng = np.random.default_rng(9)
    frame = counted(np.round(1500 * wave * np.exp(rng.normal(0, 0.02, 48))))
    assert fit_joinpoints(frame, **QUICK).joinpoints == []
    assert "1 seasonal harmonics" in fit_joinpoints(frame, **QUICK).explain("en")


def test_missing_months_are_bridged_and_counted():
    frame = values(bend=-0.4).filter(~pl.col("period").is_in(["2023-05", "2023-06"]))
    result = fit_joinpoints(frame, **QUICK)
    assert result.months == 46
    assert len(result.joinpoints) == 1
    assert "2 months without a value" in result.explain("en")


def test_a_zero_month_is_put_as_half_a_count_and_said():
    counts = np.full(36, 12.0)
    counts[[4, 20]] = 0
    result = fit_joinpoints(counted(counts + np.arange(36) % 3 * (counts > 0)), **QUICK)
    assert np.isfinite(result.average().change)
    assert "2 months with a numerator of 0, put as 0.5" in result.explain("en")


def test_the_linear_model_takes_zeros_as_they_are():
    counts = np.where(np.arange(36) % 2, 0.0, 3.0)
    result = fit_joinpoints(counted(counts), log=False, **QUICK)
    assert result.joinpoints == []
    assert "percentage points" in result.headline("en")
    assert "điểm phần trăm" in result.headline("vi")


def test_zeros_only_are_a_level_linear_trend():
    result = fit_joinpoints(counted(np.zeros(24)), log=False, choose="wbic")
    assert (result.joinpoints, result.average().change) == ([], 0.0)


@pytest.mark.parametrize("choose", ["permutation", "wbic", "bic", "bic3"])
def test_all_equal_months_are_a_level_trend_without_joinpoint(choose: str):
    result = fit_joinpoints(counted(np.full(30, 40.0)), choose=choose, permutations=99)
    assert result.joinpoints == []
    assert result.average().change == pytest.approx(0, abs=1e-9)
    assert "nan" not in result.explain("en").lower()


@pytest.mark.parametrize("choose", ["permutation", "wbic"])
def test_a_bend_without_noise_is_found_exactly(choose: str):
    counts = 1000 * np.exp(0.3 * np.maximum(np.arange(36) - 18, 0) / 12)
    result = fit_joinpoints(counted(counts), choose=choose, permutations=199, harmonics=0)
    assert result.joinpoints == [month_label(FIRST + 18)]
    assert result.segments[1].change == pytest.approx(100 * np.expm1(0.3), rel=1e-6)


def test_windows_that_overlap_are_given_their_autocorrelation_or_thinned():
    overlapping = fit_joinpoints(values(preset="hearts"), **QUICK)
    assert overlapping.model.rho == pytest.approx(2 / 3)
    assert "look" in overlapping.explain("en")
    thinned = fit_joinpoints(values(preset="hearts"), overlap="thin", **QUICK)
    assert (thinned.months, thinned.last) == (16, "2026-12")
    assert "one month in 3 is used (32 months passed over)" in thinned.explain("en")
    assert fit_joinpoints(values(preset="hearts"), overlap="ignore", **QUICK).model.rho == 0


def test_windows_of_a_year_in_four_years_are_refused_when_thinned():
    with pytest.raises(StatisticsError, match="got 4 of 48 months, one in each window of 12"):
        fit_joinpoints(values(indicator="lost_to_follow_up", preset="hearts"), overlap="thin")


def test_estimated_autocorrelation_is_near_the_truth():
    rng = np.random.default_rng(12)
    error = np.zeros(120)
    for at in range(1, 120):
        error[at] = 0.6 * error[at - 1] + rng.normal(0, 0.02)
    result = fit_joinpoints(
        counted(1000 * np.exp(error)), autocorrelation="estimate", choose="wbic", harmonics=0
    )
    assert result.model.rho == pytest.approx(0.6, abs=0.2)
    assert "estimated from the residuals" in result.explain("en")


def test_the_number_of_joinpoints_is_capped_by_the_length():
    assert fit_joinpoints(values(13), permutations=99).choices.settings.most == 2
    assert fit_joinpoints(values(60), choose="bic").choices.settings.most == 4


REFUSED = {
    "eleven_months": (values(11), {}, StatisticsError, "got 11 months"),
    "one_value": (values(1), {}, StatisticsError, "got 1 months"),
    "mostly_zero": (counted(np.r_[np.zeros(12), np.ones(12)]), {}, StatisticsError, "too many months of 0"),
    "only_zeros": (counted(np.zeros(24)), {}, StatisticsError, "every numerator is zero"),
    "two_areas": (pl.concat([values(), values(area_code="08")]), {}, UsageError, "area code"),
    "too_many": (values(24), {"joinpoints": 6, "minimum_between": 4}, StatisticsError, "so many joinpoints"),
    "choice": (values(), {"choose": "aic"}, UsageError, "unknown choose: got aic"),
    "weights": (values(), {"weights": "se"}, UsageError, "unknown weights"),
    "alpha": (values(), {"alpha": 0}, UsageError, "alpha out of range"),
    "permutations": (
        values(),
        {"permutations": 9},
        UsageError,
        "permutations out of range: got 9; allowed: 99",
    ),
    "rho": (values(), {"autocorrelation": 1.0}, UsageError, "autocorrelation out of range"),
    "no_interval": (
        values().with_columns(lower=pl.lit(None, dtype=pl.Float64)),
        {"weights": "interval"},
        StatisticsError,
        "weights from intervals need an interval in every month",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_answered_is_refused_with_the_reason(case: str):
    frame, settings, error, words = REFUSED[case]
    with pytest.raises(error, match=re.escape(words)):
        fit_joinpoints(frame, **settings)


def test_weights_from_published_intervals():
    result = fit_joinpoints(values(), weights="interval", joinpoints=0)
    assert result.average().change == pytest.approx(10, abs=0.5)
    assert "published intervals" in result.explain("en")


def test_pandas_in_pandas_out():
    result = fit_joinpoints(values().to_pandas(), joinpoints=1)
    assert isinstance(result.data, pd.DataFrame)
    assert isinstance(result.table(), pd.DataFrame)
    assert result.table("en").columns[0] == "Part"


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_explanation_names_choice_intervals_and_source(bent, lang: str):
    text = bent.explain(lang)
    assert "Kim" in text
    assert "Zellner" in text
    delta = fit_joinpoints(values(bend=-0.4), lang=lang, interval="delta", **QUICK)
    assert "Muggeo" in delta.explain()
    assert delta.joinpoints == bent.joinpoints
    assert delta.segments[0].change == bent.segments[0].change
    assert delta.segments[0].lower != bent.segments[0].lower
    assert "2026-12-abc" in text
    assert "199" in text
    assert unicodedata.is_normalized("NFC", text)
    assert "{" not in text


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_figure_shows_segments_joinpoint_and_words(bent, lang: str):
    import matplotlib

    matplotlib.use("Agg")
    axes = bent.plot(lang=lang)
    drawn = " ".join(text.get_text() for text in axes.texts)
    assert drawn.count("/năm" if lang == "vi" else "/year") == 2
    month = bent.joinpoints[0]
    assert f"{month[5:]}/{month[:4]}" in drawn
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert any("điểm đổi" in label or "joinpoint" in label for label in labels)
    matplotlib.pyplot.close("all")


def test_table_and_html_show_each_segment_and_the_average(bent):
    table = bent.table()
    assert table["Part"].to_list() == ["Segment 1", "Segment 2", "Average of all"]
    html = bent._repr_html_()
    assert html.count("<tr>") == 4
    assert "http" not in html


def test_the_public_verb_is_the_same_function():
    assert ns.joinpoint is fit_joinpoints
    assert set(fit_joinpoints(values(), joinpoints=1).summary()) >= {
        "joinpoints",
        "segments",
        "tests",
        "criteria",
    }


@pytest.mark.parametrize(("interval", "said"), [("averaged", False), ("delta", True)])
def test_only_intervals_that_are_too_narrow_under_overlap_are_called_so(interval: str, said: bool):
    result = fit_joinpoints(values(preset="hearts"), choose="bic", interval=interval)
    assert ("own month remains too narrow" in result.explain("en")) is said
    assert ("còn hẹp" in result.explain("vi")) is said
    assert "{" not in result.explain("en")
