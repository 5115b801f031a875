"""From counts to published values, on counts small enough to check by hand."""

from __future__ import annotations

import polars as pl
import pytest

from ncdsurv.indicators import publish, publish_values
from ncdsurv.indicators.rollup import roll_up
from tests.counts_support import ATOMS, CATALOG, PROVINCE, REFERENCE, VINTAGE, measures, values


def test_the_denominator_of_the_control_rate_is_the_presets_own():
    found = values(
        """
        month   | preset | under_care | control_rate_denominator | controlled
        2026-06 | hearts | 60         | 50                       | 30
        2026-06 | tt37   | 60         | 60                       | 24
        2026-06 | qd97   | 60         | 40                       | 24
        """,
        indicator="control_rate",
    )
    shown = found.select("preset", "numerator", "denominator", "value", "ci_method", "unit", "flag")
    assert shown.rows() == [
        ("hearts", 30.0, 50.0, 60.0, "wilson", "percent", "ok"),
        ("qd97", 24.0, 40.0, 60.0, "wilson", "percent", "ok"),
        ("tt37", 24.0, 60.0, 40.0, "wilson", "percent", "ok"),
    ]
    # Wilson, 30 of 50 (R, epitools 0.5.10.1: binom.wilson(30, 50) = 0.4618144, 0.7239161)
    assert found.select("lower", "upper").row(0) == pytest.approx((46.18144, 72.39161), abs=1e-5)


def test_an_empty_denominator_gives_null_and_says_so():
    found = values(
        """
        month   | detected | under_care | control_rate_denominator
        2026-06 | 12       | 0          | 0
        """,
        indicator="control_rate",
        preset="hearts",
    )
    assert found.select("numerator", "denominator", "value", "lower", "upper", "flag").rows() == [
        (0.0, 0.0, None, None, None, "no_denominator")
    ]


@pytest.mark.parametrize(
    ("numerator", "denominator", "flag"),
    [
        (15, 30, "ok"),
        (15, 29, "small_number"),
        (4, 60, "small_number"),
        (5, 60, "ok"),
        (57, 60, "small_number"),
        (0, 60, "ok"),
    ],
)
def test_small_numbers_are_flagged_not_hidden(numerator, denominator, flag):
    table = f"month | control_rate_denominator | controlled | under_care\n2026-06 | {denominator} | {numerator} | 99"
    found = values(table, indicator="control_rate", preset="hearts").row(0, named=True)
    assert (found["flag"], found["value"]) == (flag, pytest.approx(100 * numerator / denominator))


def test_over_a_quarter_a_stock_is_its_last_month_and_a_flow_is_summed():
    table = """
        month   | detected | newly_detected | under_care
        2026-04 | 10       | 3              | 8
        2026-05 | 12       | 2              | 9
        2026-06 | 16       | 4              | 7
        """
    quarter = {"period": "2026-Q2", "preset": "hearts"}
    assert values(table, indicator="under_care", **quarter)["value"].to_list() == [7.0]
    assert values(table, indicator="newly_detected", **quarter)["value"].to_list() == [9.0]
    assert values(table, indicator="newly_detected", preset="hearts")["value"].to_list() == [4.0]


def test_only_periods_that_lie_whole_within_the_months_counted_are_published():
    table = "month | detected\n2025-01 | 5\n2026-06 | 9"
    found = values(table, first="2024-12", indicator="detected", preset="hearts", period="2025")
    assert found["value"].to_list() == [0.0], "the year's last month has nobody"
    everything = publish_values(measures(table), REFERENCE, CATALOG, "spec", first_month=2024 * 12 + 12)
    periods = set(everything.filter(area_level="nation")["period"])
    assert {"2025", "2025-Q1", "2026-Q2", "2024-12"} <= periods
    assert not {"2024", "2026", "2024-Q4"} & periods


def test_a_cohort_is_read_at_a_quarters_end_only():
    table = """
        month   | cohort_control_rate | cohort_control_rate_denominator
        2026-04 | 9                   | 40
        2026-05 | 9                   | 40
        2026-06 | 10                  | 40
        """
    months = {"first_month": 2026 * 12 + 4, "last_month": 2026 * 12 + 6}
    found = publish_values(measures(table), REFERENCE, CATALOG, "spec", **months)
    cohort = found.filter(
        indicator="cohort_control_rate", area_level="nation", area_vintage="2025", sex="both"
    )
    cohort = cohort.filter(age_band="all")
    assert cohort.select("period", "value").rows() == [("2026-06", 25.0), ("2026-Q2", 25.0)]


def test_expected_cases_and_detection_use_the_age_base_of_the_survey():
    table = """
        month   | age_band | sex    | detected | controlled
        2026-06 | 0-17     | female | 1        | 0
        2026-06 | 18-39    | female | 100      | 40
        2026-06 | 60-69    | male   | 300      | 90
        2026-06 | 70-79    | male   | 500      | 70
        2026-06 | unknown  | male   | 7        | 3
        """
    people = REFERENCE.population_at_ages(18, 69, vintage=VINTAGE, level="province", year=2026)
    base = people.filter(code=PROVINCE)["population"].sum()
    survey = CATALOG.default_prevalence("hypertension")
    expected = base * survey.percent / 100
    assert (survey.age_from, survey.age_to) == (18, 69)
    chosen = {"preset": "hearts"}
    assert values(table, indicator="estimated_cases", **chosen)["value"].to_list() == pytest.approx(
        [expected]
    )
    detected = values(table, indicator="detection_rate", **chosen).row(0, named=True)
    assert (detected["numerator"], detected["denominator"]) == (400.0, pytest.approx(expected))
    assert detected["value"] == pytest.approx(100 * 400 / expected)
    assert values(table, indicator="detected", **chosen)["value"].to_list() == [908.0], (
        "the count takes everybody"
    )
    controlled = values(table, indicator="population_control_rate", **chosen)
    assert controlled["numerator"].to_list() == [130.0]


def test_the_cascade_falls_step_by_step():
    table = """
        month   | detected | under_care | treated | controlled | control_rate_denominator
        2026-06 | 400      | 300        | 250     | 120        | 260
        """
    steps = {i.cascade_step: i.id for i in CATALOG.indicators.values() if i.cascade_step}
    found = [
        values(table, indicator=steps[step], preset="hearts")["value"].item()
        for step in ("estimated", "detected", "managed", "treated", "controlled")
    ]
    assert found[1:] == [400.0, 300.0, 250.0, 120.0]
    assert found == sorted(found, reverse=True)
    assert values(table, indicator="management_rate", preset="hearts")["value"].to_list() == [75.0]


def test_a_disease_without_a_survey_has_no_expected_cases_rather_than_none():
    table = "month | disease | detected\n2026-06 | asthma | 40"
    found = values(table, disease="asthma")
    assert "detected" in set(found["indicator"])
    assert not {"estimated_cases", "detection_rate"} & set(found["indicator"])


def test_one_commune_of_2024_that_was_split_is_whole_in_2024_and_in_parts_in_2025():
    split = REFERENCE.atoms.filter(pl.len().over("commune_2024") > 1).head(2)
    table = measures("month | under_care\n2026-06 | 30\n2026-06 | 12")
    table = table.with_columns(atom=split["atom"])
    found = publish_values(table, REFERENCE, CATALOG, "spec").filter(
        indicator="under_care", area_level="commune", preset="hearts"
    )
    old = found.filter(area_vintage="2024").select("area_code", "value").rows()
    new = found.filter(area_vintage="2025").select("area_code", "value").sort("value").rows()
    assert old == [(split["commune_2024"][0], 42.0)]
    assert [value for _, value in new] == [12.0, 30.0]
    assert {code for code, _ in new} == set(split["commune_2025"])


def test_strata_are_published_for_quarters_and_for_the_last_month():
    table = """
        month   | sex    | age_band | under_care
        2026-05 | female | 60-69    | 40
        2026-06 | female | 60-69    | 41
        2026-06 | male   | 70-79    | 9
        """
    chosen = {"indicator": "under_care", "preset": "hearts"}
    assert values(table, sex="female", **chosen)["value"].to_list() == [41.0]
    assert values(table, age_band="70-79", **chosen)["value"].to_list() == [9.0]
    assert values(table, sex="male", age_band="70-79", period="2026-Q2", **chosen)["value"].to_list() == [9.0]
    assert values(table, sex="female", period="2026-05", **chosen).is_empty()
    assert values(table, period="2026-05", **chosen)["value"].to_list() == [40.0]


def test_days_between_visits_are_a_mean_over_the_visits_of_the_period():
    counted = """
        month   | interval_days | intervals
        2026-04 | 900           | 30
        2026-05 | 1500          | 50
        2026-06 | 990           | 33
        """
    shown = ("numerator", "denominator", "value", "lower", "upper", "ci_method", "unit", "flag")
    month = values(counted, indicator="days_between_visits")
    assert month.select(shown).rows() == [(990.0, 33.0, 30.0, None, None, "none", "days", "ok")]
    quarter = values(counted, indicator="days_between_visits", period="2026-Q2")
    assert quarter.select(shown).rows() == [(3390.0, 113.0, 30.0, None, None, "none", "days", "ok")]


@pytest.mark.parametrize(
    ("days", "visits", "value", "flag"),
    [(870, 29, 30.0, "small_number"), (0, 0, None, "no_denominator"), (1, 30, 1 / 30, "ok")],
)
def test_a_mean_over_few_or_no_visits_says_so(days: int, visits: int, value: float | None, flag: str):
    counted = f"""
        month   | under_care | interval_days | intervals
        2026-06 | 40         | {days}        | {visits}
        """
    found = values(counted, indicator="days_between_visits")
    assert found.select("value", "flag").rows() == [(value, flag)]


def test_people_who_returned_are_added_up_over_the_months_of_a_period():
    counted = """
        month   | returned_to_care_rate | returned_to_care_rate_denominator
        2026-04 | 10                    | 40
        2026-05 | 20                    | 40
        2026-06 | 30                    | 40
        """
    month = values(counted, indicator="returned_to_care_rate", preset="hearts")
    assert month["value"].to_list() == [75.0]
    quarter = values(counted, indicator="returned_to_care_rate", preset="hearts", period="2026-Q2")
    assert quarter.select("numerator", "denominator", "value").rows() == [(60.0, 120.0, 50.0)]


def test_half_a_year_and_nine_months_sum_flows_and_read_stocks_at_their_end():
    table = """
        month   | newly_detected | under_care
        2025-01 | 10             | 100
        2025-02 | 0              | 110
        2025-03 | 0              | 120
        2025-04 | 0              | 130
        2025-05 | 0              | 140
        2025-06 | 5              | 150
        2025-07 | 0              | 160
        2025-08 | 0              | 170
        2025-09 | 7              | 180
        """
    for period, new, managed in (("2025-H1", 15.0, 150.0), ("2025-9M", 22.0, 180.0)):
        chosen = {"first": "2025-01", "last": "2025-09", "period": period}
        assert values(table, indicator="newly_detected", **chosen)["value"].to_list() == [new]
        assert values(table, indicator="under_care", **chosen)["value"].to_list() == [managed]
    assert values(table, indicator="under_care", first="2025-01", last="2025-09", period="2025-H2").is_empty()
    assert values(table, indicator="under_care", first="2025-01", last="2025-09", period="2025").is_empty()


def test_values_are_the_same_however_few_counts_are_summed_at_a_time(monkeypatch, tmp_path):
    """A cell stands there for every indicator, whatever is counted of it and whatever is read with it."""
    table = measures(
        """
        month   | age_band | detected | newly_detected | under_care | controlled | control_rate_denominator
        2026-04 | 60-69    | 12       | 3              | 0          | 0          | 0
        2026-05 | 18-39    | 14       | 2              | 9          | 4          | 8
        2026-06 | 70-79    | 16       | 4              | 7          | 5          | 6
        2026-06 | 40-49    | 8        | 1              | 3          | 1          | 2
        2026-06 | 60-69    | 0        | 0              | 0          | 0          | 0
        """
    )
    whole = publish_values(table, REFERENCE, CATALOG, "spec")
    read = []
    monkeypatch.setattr(publish, "COLUMNS_AT_A_TIME", 1)
    monkeypatch.setattr(publish, "NUMBERS_AT_A_TIME", 0)
    monkeypatch.setattr(publish, "roll_up", lambda *given: read.append(given[0].width) or roll_up(*given))
    assert publish_values(table, REFERENCE, CATALOG, "spec").equals(whole)
    assert len(read) > len(CATALOG.indicators) / 2
    counted = table.filter(pl.col("detected") > 0)
    counted.write_parquet(tmp_path / "measures.parquet")
    scanned = publish_values(pl.scan_parquet(tmp_path / "measures.parquet"), REFERENCE, CATALOG, "spec")
    assert scanned.equals(whole)
    assert max(read) < table.width / 4, "never all the columns in one frame"
    for name, number in (("ROWS_AT_A_TIME", 1), ("CELLS_AT_A_TIME", 0)):
        monkeypatch.setattr(publish, name, number)
        parts = list(publish.iter_values(table, REFERENCE, CATALOG, "spec"))
        assert pl.concat(parts).equals(whole)
    under_care = whole.filter(indicator="under_care", preset="hearts", area_level="commune", period="2026-04")
    assert under_care["value"].to_list() == [0.0] * under_care.height != []


def test_a_region_stands_by_sex_and_age_as_its_provinces_do_and_is_their_sum():
    parents = REFERENCE.atom_areas(VINTAGE)
    region = parents.filter(province=PROVINCE)["region"][0]
    other = parents.filter((pl.col("region") == region) & (pl.col("province") != PROVINCE))["atom"][0]
    table = """
        month   | sex    | age_band | under_care | detected
        2026-06 | female | 60-69    | 40         | 50
        2026-06 | male   | 40-49    | 7          | 9
        2026-06 | female | 60-69    | 30         | 31
        """
    placed = measures(table).with_columns(atom=pl.Series([ATOMS[0], ATOMS[0], other], dtype=pl.Int32))
    months = {"first_month": 2026 * 12 + 4, "last_month": 2026 * 12 + 6}
    found = publish_values(placed, REFERENCE, CATALOG, "spec", **months)
    chosen = {"area_level": "region", "area_vintage": VINTAGE, "preset": "hearts", "disease": "hypertension"}
    own = found.filter(**chosen, indicator="under_care", area_code=region)
    for period in ("2026-06", "2026-Q2"):
        shown = own.filter(period=period).select("sex", "age_band", "value").rows()
        told = {f"{sex} {band}": value for sex, band, value in shown if value}
        women = {"female all": 70.0, "female 60-69": 70.0}
        men = {"male all": 7.0, "male 40-49": 7.0}
        assert told == {"both all": 77.0, "both 40-49": 7.0, "both 60-69": 70.0, **women, **men}
    standard = {"indicator": "detected_prevalence", "standardisation": CATALOG.standard_population.id}
    adjusted = found.filter(**chosen, **standard, period="2026-Q2", sex="both", area_code=region)
    assert adjusted.select("numerator", "flag").rows() == [(90.0, "ok")]


def test_half_a_year_and_nine_months_stand_by_sex_and_age_as_quarters_and_years_do():
    table = """
        month   | sex    | age_band | under_care | newly_detected
        2025-02 | male   | 70-79    | 4          | 5
        2025-06 | female | 60-69    | 41         | 7
        2025-06 | male   | 70-79    | 9          | 2
        2025-09 | male   | 70-79    | 8          | 1
        2025-12 | male   | 70-79    | 6          | 3
        """
    months = {"first": "2025-01", "last": "2025-12", "preset": "hearts"}
    of_men = {"sex": "male", "age_band": "70-79", **months}
    for period, stock, flow in [("2025-H1", 9, 7), ("2025-9M", 8, 8), ("2025-H2", 6, 4), ("2025", 6, 11)]:
        assert values(table, indicator="under_care", period=period, **of_men)["value"].to_list() == [stock]
        assert values(table, indicator="newly_detected", period=period, **of_men)["value"].to_list() == [flow]
    half = {"indicator": "under_care", "period": "2025-H1", **months}
    assert values(table, sex="female", **half)["value"].to_list() == [41.0]
    assert values(table, age_band="70-79", **half)["value"].to_list() == [9.0]


def test_standardised_rates_stand_in_every_longer_period():
    table = "month | sex | detected\n2025-06 | male | 40\n2025-09 | male | 50\n2025-12 | male | 60"
    chosen = {"indicator": "detected_prevalence", "preset": "hearts", "first": "2025-01", "last": "2025-12"}
    chosen["standardisation"] = CATALOG.standard_population.id
    for period, events in [("2025-Q2", 40), ("2025-H1", 40), ("2025-9M", 50), ("2025-H2", 60), ("2025", 60)]:
        for sex in ("male", "both"):
            found = values(table, period=period, sex=sex, **chosen)
            assert found["numerator"].to_list() == [events]
            assert found["flag"].to_list() == ["ok"]
