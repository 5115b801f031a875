"""The forecast: what it says, how its interval is checked, what it refuses."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ncdsurv as ns
from benchmarks.forecast import coverage
from ncdsurv.errors import StatisticsError, UsageError
from ncdsurv.trends.forecast.drift import maps_of, predict
from ncdsurv.trends.forecast.model import fit_forecast, from_scale, to_scale
from tests.trend_support import monthly_values

FIRST = 2022 * 12 + 1
AT = np.arange(48)


def values(numerator: np.ndarray, people: float = 2000.0, **columns: object) -> pl.DataFrame:
    """Monthly control rates of one province with given numerators."""
    return monthly_values(numerator, people, FIRST, **columns)


def rising(people: int = 2000, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).binomial(people, 0.4 + 0.0015 * AT)


RESULT = ns.forecast(values(rising()), "2027", target=50.0, lang="en")


def test_the_forecast_goes_on_with_the_slope_and_its_interval_holds_the_truth():
    truth = 100 * (0.4 + 0.0015 * (len(AT) + 23))
    assert RESULT.lower < truth < RESULT.upper
    assert RESULT.data["period"].to_list()[-1] == "2027-12"
    assert RESULT.headline().startswith("Forecast for December 2027: ")
    assert "probability of at least 50.0%: " in RESULT.headline()


def test_both_ways_of_meeting_a_target_add_up_and_an_easier_target_is_likelier():
    series = values(rising())
    lower = ns.forecast(series, "2027", target=50.0, better="lower")
    easier = ns.forecast(series, "2027", target=45.0)
    assert RESULT.probability + lower.probability == pytest.approx(1)
    assert easier.probability > RESULT.probability


def test_a_target_that_is_the_forecast_has_even_odds():
    assert ns.forecast(values(rising()), "2027", target=RESULT.value).probability == pytest.approx(0.5)


def test_intervals_widen_with_the_distance_and_with_fewer_people():
    widths = (RESULT.data["upper"] - RESULT.data["lower"]).to_numpy()
    assert widths[-1] > widths[0]
    small = ns.forecast(values(rising(100), people=100), "2027")
    assert small.upper - small.lower > RESULT.upper - RESULT.lower


def test_the_back_test_is_told_and_never_narrows():
    test = RESULT.backtest
    assert (test.origins, test.horizon) == (12, 24)
    assert 0 < test.p_value <= 1
    assert test.factor >= 1
    assert test.covered >= test.covered_raw
    assert "cut at 12 months" in RESULT.explain()


def test_a_break_in_the_series_widens_the_interval():
    counts = np.where(AT < 30, 800, 1200) + np.random.default_rng(1).integers(-15, 15, 48)
    broken = fit_forecast(to_scale(counts, np.full(48, 2000.0), True), 12, first_origin=24, origins=6)
    assert broken.backtest.p_value <= 0.05
    assert broken.backtest.factor > 1.5
    assert broken.backtest.covered > broken.backtest.covered_raw
    inner, outer = broken.mixture.quantile(0.975), broken.quantile(0.975)
    assert outer - broken.median == pytest.approx(broken.backtest.factor * (inner - broken.median))
    assert broken.below(outer) == pytest.approx(np.full(12, 0.975))
    result = ns.forecast(values(counts), "2026", lang="en")
    assert "so the width was multiplied by " in result.explain()
    assert "nên độ rộng được nhân với " in result.explain("vi")


def test_the_scale_goes_there_and_back():
    x, n = np.array([0.0, 10.0, 20.0]), np.full(3, 20.0)
    assert np.isfinite(to_scale(x, n, True)).all()
    assert from_scale(to_scale(x, n, True), True) == pytest.approx((x + 0.5) / (n + 1))
    assert from_scale(to_scale(x, n, False), False) == pytest.approx((x + 0.5) / n)


def test_zero_months_give_finite_limits_within_the_scale():
    counts = np.random.default_rng(2).poisson(0.7, 48)
    result = ns.forecast(values(counts, people=40), "2026", lang="en")
    assert 0 <= result.lower < result.value < result.upper <= 100
    assert "nan" not in result.explain().lower()


def test_pandas_in_pandas_out_text_and_picture():
    import matplotlib.pyplot as plt

    result = ns.forecast(values(rising(), preset="hearts").to_pandas(), "2026", target=50.0)
    assert isinstance(result.data, pd.DataFrame)
    assert isinstance(result.table(), pd.DataFrame)
    text = result.explain("vi")
    assert text == unicodedata.normalize("NFC", text)
    assert not re.search(r"[{}]", text + result.explain("en"))
    assert "looks back 3 months" in result.explain("en")
    ax = result.plot(lang="en")
    labels = [one.get_text() for one in ax.get_legend().get_texts()]
    plt.close(ax.figure)
    assert {"forecast", "target", "observed"} <= set(labels)


REFUSED = [
    ({"until": "2025-06"}, UsageError, "nothing to forecast: got 2025-06; allowed: after 2025-12"),
    ({"until": "2050"}, StatisticsError, "too far ahead for this series: got 300 months ahead of 48 months"),
    (
        {"until": "2027", "target": 120.0},
        UsageError,
        "target out of range: got 120.0; allowed: between 0 and 100",
    ),
    ({"until": "2027", "better": "more"}, UsageError, "unknown better"),
]


@pytest.mark.parametrize(("settings", "kind", "sentence"), REFUSED)
def test_what_cannot_be_answered_is_refused_with_the_reason(settings: dict, kind: type, sentence: str):
    with pytest.raises(kind, match=re.escape(sentence)):
        ns.forecast(values(rising()), **settings)


def test_short_equal_and_empty_series_are_refused():
    with pytest.raises(StatisticsError, match="got 30 months; allowed: at least 36"):
        ns.forecast(values(rising()[:30]), "2027")
    with pytest.raises(
        StatisticsError, match="months are all equal, so nothing says how far a forecast may be out"
    ):
        ns.forecast(values(np.full(48, 500.0)), "2027")
    with pytest.raises(StatisticsError, match="every numerator is zero"):
        ns.forecast(values(np.zeros(48)), "2027")


def test_for_a_known_drift_the_prediction_is_that_of_the_state_space_model():
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    rng = np.random.default_rng(5)
    y = np.cumsum(rng.normal(0, 0.02, 48)) + rng.normal(0, 0.05, 48) + 0.3 * np.cos(AT * np.pi / 6)
    maps, found = maps_of(48, 24), predict(y, 24)
    other = UnobservedComponents(
        y,
        level="lldtrend",
        freq_seasonal=[{"period": 12, "harmonics": 2}],
        stochastic_freq_seasonal=[False],
        use_exact_diffuse=True,
    )
    for cell in (0, 6, 23):
        noise = float(y @ maps.left[cell] @ y) / maps.freedom
        ahead = other.smooth([noise, noise * maps.ratios[cell] ** 2]).get_forecast(24)
        assert found.mean[cell] == pytest.approx(ahead.predicted_mean, abs=1e-9)
        assert found.scale[cell] == pytest.approx(ahead.se_mean, rel=1e-8)


def test_weights_follow_the_drift_and_quantiles_invert_the_distribution():
    rng = np.random.default_rng(6)
    walk, still = np.cumsum(rng.normal(size=60)), rng.normal(size=60)
    drifts, stays = predict(walk, 12), predict(still, 12)
    assert drifts.weight @ (drifts.ratios > 1) > 0.9
    assert stays.weight @ (stays.ratios < 0.5) > 0.9
    for found in (drifts, stays):
        assert found.weight.sum() == pytest.approx(1)
        for p in (0.025, 0.3, 0.9):
            assert found.cdf(found.quantile(p)) == pytest.approx(np.full(12, p))


def test_level_slope_season_and_unit_do_not_change_what_the_interval_says():
    y = to_scale(rising().astype(float), np.full(48, 2000.0), True)
    one = fit_forecast(y, 24, first_origin=24, origins=4)
    shift = 7 + 0.05 * AT + np.sin(AT * np.pi / 6)
    other = fit_forecast(3 * (y + shift), 24, first_origin=24, origins=4)
    ahead = 7 + 0.05 * (48 + np.arange(24)) + np.sin((48 + np.arange(24)) * np.pi / 6)
    for p in (0.1, 0.5, 0.9):
        assert other.quantile(p) == pytest.approx(3 * (one.quantile(p) + ahead), abs=1e-6)
    assert other.backtest.p_value == one.backtest.p_value


@pytest.mark.parametrize("kind", ["drift 0.4 of the noise", "drift 1 of the noise", "no drift"])
def test_the_interval_keeps_its_level_far_ahead(kind: str):
    for study in coverage(kind, 50):
        assert study.given >= 0.95 - 3 * study.error, study.line()


def test_a_slope_that_turns_is_missed_so_the_study_can_fail():
    assert coverage("wrong model: the slope turns", 25)[-1].given < 0.6
