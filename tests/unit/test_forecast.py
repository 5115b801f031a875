"""The forecast: what it says, how its interval is checked, what it refuses."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.errors import StatisticsError, UsageError
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
    assert test.factor >= 1
    assert test.covered >= test.covered_raw
    assert "cut at 12 months" in RESULT.explain()


def test_a_break_in_the_series_widens_the_interval():
    counts = np.where(AT < 30, 800, 1200) + np.random.default_rng(1).integers(-15, 15, 48)
    broken = fit_forecast(to_scale(counts, np.full(48, 2000.0), True), 12, first_origin=24, origins=6)
    assert broken.backtest.factor > 1.5


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
