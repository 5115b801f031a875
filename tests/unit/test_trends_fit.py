"""The rate trend: what it finds, what it returns, what it refuses."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.catalog import load_catalog
from ncdsurv.errors import StatisticsError, UsageError
from ncdsurv.trends import fit_trend
from tests.trend_support import monthly_values

FIRST = 2024 * 12 + 7


def values(months: int = 24, yearly: float = 1.10, people: float = 2000.0, **columns: object) -> pl.DataFrame:
    """Monthly control rates of one province that change by a known factor a year, without noise."""
    numerator = people * 0.4 * yearly ** (np.arange(months) / 12)
    return monthly_values(numerator, people, FIRST, **{"preset": "hearts", "area_vintage": "2024"} | columns)


def with_gap(months: slice, column: str, value: float | None) -> pl.DataFrame:
    frame = values().with_row_index("at")
    inside = pl.col("at").is_in(list(range(24))[months])
    rate = pl.when(inside).then(None).otherwise(pl.col("value")).alias("value")
    return frame.with_columns(pl.when(inside).then(value).otherwise(pl.col(column)).alias(column), rate).drop(
        "at"
    )


def test_a_rate_that_grows_by_a_tenth_a_year_is_found_whatever_the_row_order():
    shuffled = values().sample(fraction=1.0, shuffle=True, seed=4)
    result = fit_trend(shuffled, area="79")
    assert result.annual_change == pytest.approx(10.0, abs=1e-6)
    assert result.lower <= result.annual_change <= result.upper
    assert (result.months, result.first, result.last) == (24, "2024-07", "2026-06")
    assert result.data["period"].to_list() == sorted(result.data["period"])
    assert result.data.columns[:5] == ["period", "observed", "fitted", "lower", "upper"]


def test_the_observed_column_is_the_published_value_and_the_band_holds_the_fit():
    result = fit_trend(values())
    assert result.data["observed"].to_list() == values()["value"].to_list()
    assert (
        result.data.select((pl.col("lower") <= pl.col("fitted")) & (pl.col("fitted") <= pl.col("upper")))
        .to_series()
        .all()
    )


def test_pandas_in_pandas_out_with_the_same_numbers():
    from_polars = fit_trend(values())
    from_pandas = fit_trend(values().to_pandas())
    assert isinstance(from_pandas.data, pd.DataFrame)
    assert isinstance(from_polars.data, pl.DataFrame)
    assert from_pandas.data["fitted"].to_list() == from_polars.data["fitted"].to_list()


def test_the_public_verb_is_the_same_function():
    assert ns.trend is fit_trend


def test_a_season_around_a_level_rate_is_not_taken_for_a_trend():
    months = np.arange(24)
    season = np.exp(0.2 * np.cos(2 * np.pi * (FIRST + months) / 12))
    numerator = 2000 * 0.4 * season
    frame = values().with_columns(numerator=pl.Series(numerator), value=pl.Series(numerator / 20))
    assert fit_trend(frame).annual_change == pytest.approx(0.0, abs=1e-6)
    assert fit_trend(frame, season=False).harmonics == 0


def test_months_before_the_first_denominator_are_cut_and_said():
    late = with_gap(slice(0, 3), "denominator", 0.0)
    result = fit_trend(late)
    assert (result.months, result.first) == (21, "2024-10")
    assert "3 months before the first month with a denominator (2024-10)" in result.explain("en")
    assert "21" in result.explain("vi")


def test_quarters_and_standardised_rows_are_left_out_and_counted():
    quarter = values(1).with_columns(period=pl.lit("2026-Q2"))
    standardised = values().with_columns(standardisation=pl.lit("who_world_2000_2025"))
    result = fit_trend(pl.concat([values(), quarter, standardised]))
    assert result.months == 24
    assert "1 rows of quarters or years" in result.explain("en")
    assert "24 age-standardised rows" in result.explain("en")


REFUSED = {
    "two_areas": (pl.concat([values(), values(area_code="08")]), UsageError, "area code"),
    "both_vintages": (pl.concat([values(), values(area_vintage="2025")]), UsageError, 'area_vintage="2025"'),
    "two_ages": (pl.concat([values(), values(age_band="40-49")]), UsageError, "age band"),
    "both_sexes_and_men": (pl.concat([values(), values(sex="male")]), UsageError, "sex"),
    "two_presets": (pl.concat([values(), values(preset="tt37")]), UsageError, "preset"),
    "a_month_twice": (pl.concat([values(), values(1)]), UsageError, "2024-07"),
    "a_count": (values(unit="count"), StatisticsError, "denominator"),
    "eleven_months": (values(11), StatisticsError, "11 months"),
    "season_in_fourteen_months": (values(14), StatisticsError, "season=False"),
    "only_zeros": (values().with_columns(numerator=0.0, value=0.0), StatisticsError, "zero"),
    "no_denominator": (
        with_gap(slice(None), "denominator", 0.0),
        StatisticsError,
        "no month has a denominator",
    ),
    "a_gap": (with_gap(slice(5, 7), "numerator", None), StatisticsError, "2024-12, 2025-01"),
    "no_rows": (values().clear(), UsageError, "0 rows"),
    "no_value_column": (values().drop("value"), UsageError, "add value"),
    "codes_as_numbers": (values().with_columns(area_code=pl.lit(79)), UsageError, "leading zeros"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_series_that_cannot_carry_a_trend_is_refused_with_the_reason(case: str):
    frame, error, words = REFUSED[case]
    with pytest.raises(error, match=re.escape(words)):
        fit_trend(frame)


def test_an_absent_month_is_a_gap_too():
    with pytest.raises(StatisticsError, match="2025-03"):
        fit_trend(values().filter(pl.col("period") != "2025-03"))


@pytest.mark.parametrize(
    "setting", [{"area": "97"}, {"area": 79}, {"lag": 0}, {"confidence": 1.0}, {"lang": "fr"}]
)
def test_settings_out_of_range_are_refused(setting: dict[str, object]):
    with pytest.raises(UsageError):
        fit_trend(values(), **setting)


def test_something_that_is_no_frame_is_refused():
    with pytest.raises(UsageError, match="not a frame"):
        fit_trend([1, 2, 3])


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_explanation_says_definition_model_interval_and_overlap(lang: str):
    text = fit_trend(values()).explain(lang)
    definition = load_catalog().indicators["control_rate"].definition[lang]
    assert definition in text
    assert "quasi-Poisson" in text.lower().replace("quasi-poisson", "quasi-Poisson")
    assert "lag=3" in text  # HEARTS looks back three months
    assert unicodedata.is_normalized("NFC", text)
    assert "2026-06-abc" in text


def test_without_overlap_no_caveat_of_overlap():
    assert "lag=" not in fit_trend(values(preset="tt37")).explain("en")


def test_newey_west_keeps_the_slope_and_names_its_lag():
    rng = np.random.default_rng(7)
    numerator = np.round(2000 * 0.4 * np.exp(rng.normal(0, 0.05, 24)))
    frame = values().with_columns(numerator=pl.Series(numerator), value=pl.Series(numerator / 20))
    plain, robust = fit_trend(frame, overlap="ignore"), fit_trend(frame, lag=3)
    assert robust.annual_change == pytest.approx(plain.annual_change)
    assert robust.upper != pytest.approx(plain.upper)
    assert "lag of 3 months" in robust.explain("en")


def test_small_months_are_counted_and_drawn_hollow():
    frame = (
        values()
        .with_row_index("at")
        .with_columns(flag=pl.when(pl.col("at") < 2).then(pl.lit("small_number")).otherwise("flag"))
        .drop("at")
    )
    result = fit_trend(frame, lang="en")
    assert "2 months have small numbers" in result.explain()
    labels = [line.get_label() for line in result.plot().get_lines()]
    assert "month with small numbers" in labels


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_figure_says_indicator_counts_release_and_starts_at_zero_when_cheap(lang: str):
    import matplotlib

    matplotlib.use("Agg")
    axes = fit_trend(values()).plot(lang=lang)
    name = load_catalog().indicators["control_rate"].names[lang]
    drawn = " ".join([axes.get_title(loc="left"), *(text.get_text() for text in axes.texts)])
    assert name in drawn
    assert "2026-06-abc" in drawn
    assert "07/2024" in drawn
    assert axes.get_ylim()[0] >= 0
    matplotlib.pyplot.close("all")


def test_the_html_holds_the_headline_and_no_outside_address():
    html = fit_trend(values(), lang="en")._repr_html_()
    assert "Relative change per year: +10.0%" in html
    assert "http" not in html


def test_the_area_is_named_in_the_language_asked_for():
    result = fit_trend(values())
    assert result.title("vi").endswith("Hồ Chí Minh")
    assert result.title("en").endswith("Ho Chi Minh City")


def noisy(months: int = 48, excess: float = 0.0, **columns: object) -> pl.DataFrame:
    """Counts around a rising rate, people growing tenfold, with a variance that grows with the squared mean."""
    rng = np.random.default_rng(31)
    people = np.round(np.geomspace(300, 30000, months))
    mean = people * 0.4 * 1.05 ** (np.arange(months) / 12)
    counts = rng.poisson(mean * (rng.gamma(1 / excess, excess, months) if excess else 1.0)).astype(float)
    return values(months, **columns).with_columns(
        numerator=pl.Series(counts), denominator=pl.Series(people), value=pl.Series(100 * counts / people)
    )


def test_the_family_is_chosen_by_the_test_and_the_reason_is_said():
    poisson = fit_trend(noisy(preset="tt37"), lang="en")
    assert (poisson.model.family, poisson.family_reason) == ("quasi_poisson", "test_linear")
    assert "Quasi-Poisson was chosen" in poisson.explain()
    negative = fit_trend(noisy(excess=0.05, preset="tt37"), lang="en")
    assert (negative.model.family, negative.family_reason) == ("negative_binomial", "test_quadratic")
    assert negative.model.alpha == pytest.approx(0.05, abs=0.03)
    assert "The negative binomial was chosen" in negative.explain()


def test_the_family_can_be_given_and_falls_back_with_the_reason():
    assert fit_trend(noisy(excess=0.05, preset="tt37"), family="quasi_poisson").family_reason == "given"
    even = fit_trend(values(preset="tt37"), family="negative_binomial")
    assert (even.model.family, even.family_reason) == ("quasi_poisson", "no_excess")
    with pytest.raises(UsageError, match="unknown family: got gamma"):
        fit_trend(values(), family="gamma")


def test_overlapping_windows_are_counted_by_default_or_thinned():
    default, ignored = fit_trend(noisy(preset="hearts"), lang="en"), fit_trend(noisy(), overlap="ignore")
    assert default.annual_change == pytest.approx(ignored.annual_change)
    assert default.upper - default.lower > 1.3 * (ignored.upper - ignored.lower)
    assert default.model.degrees_of_freedom < ignored.model.degrees_of_freedom
    assert "what the windows of different months share is counted" in default.explain()
    newey_west = fit_trend(noisy(), overlap="newey_west", lang="en")
    assert newey_west.lag == 3
    assert "Newey-West standard errors with a lag of 3 months" in newey_west.explain()
    thinned = fit_trend(noisy(preset="hearts"), overlap="thin", lang="en")
    assert (thinned.months, thinned.lag, thinned.harmonics) == (16, None, 0)
    assert "one month in 3 is used (32 months passed over)" in thinned.explain()
    assert fit_trend(noisy(preset="hearts"), overlap="ignore").lag is None
    assert fit_trend(noisy(preset="tt37")).lag is None


def test_windows_of_a_year_are_refused_unless_four_of_them_are_there():
    yearly = {"indicator": "lost_to_follow_up", "preset": "hearts"}
    with pytest.raises(
        StatisticsError, match="got 36 months of values that each look back 12 months; allowed: at"
    ):
        fit_trend(values(36, **yearly))
    assert fit_trend(values(48, **yearly)).model.degrees_of_freedom < 42 - 12
    assert fit_trend(values(48, **yearly), overlap="newey_west").lag == 12
    assert fit_trend(values(36, **yearly), overlap="ignore").lag is None


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_checks_of_dispersion_and_residuals_are_said(lang: str):
    result = fit_trend(noisy(preset="tt37"), lang=lang)
    text = result.explain()
    assert "Cameron-Trivedi" in text
    assert "Ljung-Box" in text
    assert "{" not in text
    largest = result.model.checks.largest_at
    assert abs(result.model.residuals[largest]) == pytest.approx(np.abs(result.model.residuals).max())


def test_residuals_that_hang_together_point_to_joinpoints():
    months = np.arange(48)
    numerator = np.round(800 * np.exp(0.4 * np.minimum(months, 24) / 12))
    frame = values(48, preset="tt37").with_columns(
        numerator=pl.Series(numerator), value=pl.Series(numerator / 20)
    )
    assert "ns.joinpoint looks for changes of trend" in fit_trend(frame).explain("en")
    assert "ns.joinpoint" not in fit_trend(noisy(preset="tt37")).explain("en")


def test_the_table_has_the_change_and_both_ends():
    table = fit_trend(values(), lang="en").table()
    assert table.columns == ["Quantity", "Value", "CI lower", "CI upper"]
    assert table["Value"][0] == pytest.approx(10.0, abs=1e-6)
    assert table["Quantity"].to_list()[1:] == ["Model, July 2024", "Model, June 2026"]
    assert isinstance(fit_trend(values().to_pandas()).table("vi"), pd.DataFrame)


def test_all_equal_months_change_by_nothing():
    result = fit_trend(values(yearly=1.0))
    assert result.annual_change == pytest.approx(0.0, abs=1e-9)
    assert "nan" not in result.explain("en").lower()


def test_some_months_of_zero_are_no_obstacle():
    numerator = np.where(np.arange(24) % 5, 4.0, 0.0)
    frame = values().with_columns(numerator=pl.Series(numerator), value=pl.Series(numerator / 20))
    result = fit_trend(frame)
    assert np.isfinite([result.annual_change, result.lower, result.upper]).all()
