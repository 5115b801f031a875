"""A series shown with the reason why it has no annual change."""

from __future__ import annotations

import inspect
import re
import unicodedata

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.errors import StatisticsError, UsageError
from ncdsurv.trends import describe_series, trend_or_series
from ncdsurv.trends.described import DescribedSeries
from ncdsurv.trends.result import TrendResult
from tests.trend_support import monthly_values

LOST = {"indicator": "lost_to_follow_up_rate", "preset": "hearts"}


def lost(months: int = 30) -> pl.DataFrame:
    """A share of people that looks back twelve months."""
    return monthly_values(200 + 2 * np.arange(months), reach=0.015, **LOST)


def test_a_yearly_window_over_thirty_months_is_shown_with_the_reason_and_values_that_share_nothing():
    with pytest.raises(StatisticsError, match=re.escape("describe_series")):
        ns.trend(lost())
    result = trend_or_series(lost(), lang="en")
    assert isinstance(result, DescribedSeries)
    assert (result.annual_change, result.lower, result.upper) == (None, None, None)
    assert result.headline() == (
        "No annual change is given: each value looks back 12 months, so neighbouring months share readings, and "
        "30 months are too few (48 are needed). Values that share no readings: 10.5% (June 2023); "
        "11.7% (June 2024); 12.9% (June 2025)"
    )
    assert "Không tính thay đổi mỗi năm: mỗi giá trị nhìn lại 12 tháng" in result.headline("vi")
    assert result.data.filter("separate")["period"].to_list() == ["2023-06", "2024-06", "2025-06"]
    assert result.table("en").height == 3
    assert result.summary()["reason"] == "overlap"
    assert result.summary()["annual_change_percent"] is None


def test_a_series_that_bears_a_trend_gets_one():
    result = trend_or_series(lost(60), lang="en", confidence=0.9)
    assert isinstance(result, TrendResult)
    assert result.annual_change == ns.trend(lost(60)).annual_change
    assert result.confidence == 0.9


def gap() -> pl.DataFrame:
    return monthly_values(np.full(24, 500.0), np.where(np.arange(24) == 9, 0.0, 2000.0))


REASONS = [
    (monthly_values(np.full(5, 500.0)), "only 5 months have a value (12 are needed)"),
    (monthly_values([500.0]), "All there is: 25.0% (January 2023)"),
    (monthly_values(np.full(14, 500.0)), "14 months are too few to tell trend from season (18 are needed)"),
    (monthly_values(np.zeros(24)), "the numerator is 0 in every month, so there is no relative change"),
    (gap(), "months without a value in between: 1. First and last month: 25.0% (January 2023); 25.0%"),
]


@pytest.mark.parametrize(("values", "sentence"), REASONS)
def test_every_refusal_is_told_in_words_and_drawn(values: pl.DataFrame, sentence: str):
    import matplotlib.pyplot as plt

    result = trend_or_series(values, lang="en")
    assert sentence in result.headline()
    for lang in ("vi", "en"):
        text = result.explain(lang)
        assert not re.search(r"[{}]|nan", text.lower())
        assert text == unicodedata.normalize("NFC", text)
        ax = result.plot(lang=lang)
        assert ax.get_ylim()[1] > ax.get_ylim()[0]
        plt.close(ax.figure)
    assert "No annual change" in result._repr_html_()


def test_an_error_of_another_kind_still_has_words():
    result = describe_series(lost(), refused=StatisticsError("the model did not converge"), lang="en")
    assert "these months cannot carry a trend model" in result.headline()
    assert result.summary()["reason"] == "other"


def test_a_description_that_was_asked_for_names_no_refusal_and_keeps_the_kind_of_frame():
    result = ns.describe_series(lost().to_pandas(), lang="en")
    assert result.headline().startswith("Described, without a model. Values that share no readings: ")
    assert result.why() is None
    assert isinstance(result.data, pd.DataFrame)
    assert isinstance(result.table(), pd.DataFrame)


def test_no_line_is_drawn_across_a_gap_and_intervals_stand_where_they_were_published():
    import matplotlib.pyplot as plt

    ax = trend_or_series(gap(), lang="en").plot()
    lines = [line for line in ax.lines if line.get_linestyle() != "None"]
    assert [len(line.get_xdata()) for line in lines] == [9, 14]
    plt.close(ax.figure)
    ax = trend_or_series(lost(), lang="en").plot()
    labels = [one.get_text() for one in ax.get_legend().get_texts()]
    plt.close(ax.figure)
    assert {"published 95% CI", "values that share no readings"} <= set(labels)


def test_mixtures_and_nothing_at_all_are_still_errors():
    mixed = pl.concat([lost(), lost().with_columns(sex=pl.lit("female"))])
    with pytest.raises(UsageError, match="the values mix groups of sex"):
        trend_or_series(mixed)
    with pytest.raises(StatisticsError, match="no month has a denominator"):
        trend_or_series(monthly_values(np.zeros(24), 0.0))


@pytest.mark.parametrize(
    "verb", [ns.trend, ns.joinpoint, ns.mann_kendall, ns.forecast, ns.control_chart, ns.interrupted]
)
def test_every_verb_shows_by_name_whose_series_it_takes(verb):
    parameters = inspect.signature(verb).parameters
    assert {"values", "area", "area_vintage", "catalog", "reference", "lang"} <= set(parameters)
    assert parameters["lang"].default == "vi"
    assert not any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    for name in ("area_vintage", "catalog", "reference", "lang"):
        assert f"        {name}: " in verb.__doc__
    needed = {"until": "2027", "at": "2025-01"}
    needed = {name: value for name, value in needed.items() if name in parameters}
    with pytest.raises(TypeError, match="'areas'"):
        verb(monthly_values(np.full(48, 500.0)), **needed, areas="79")


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_no_line_of_words_is_wider_than_the_axes(lang: str):
    import matplotlib.pyplot as plt

    ax = trend_or_series(lost(), lang=lang).plot()
    ax.figure.canvas.draw()
    room = ax.get_window_extent().width
    words = [one for one in (*ax.texts, ax.title, ax._left_title) if one.get_text()]
    widths = [one.get_window_extent().width for one in words]
    plt.close(ax.figure)
    assert len(words) >= 4
    assert max(widths) <= room + 1
