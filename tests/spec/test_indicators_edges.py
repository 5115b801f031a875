"""What is published just at an edge: of a small number, of an interval, of a year, of the months counted."""

from __future__ import annotations

import polars as pl
import pytest

from ncdsurv.catalog import Catalog
from ncdsurv.catalog.vocabulary import Period
from ncdsurv.indicators import poisson_limits, publish_values, standardised_rate, wilson_limits
from ncdsurv.indicators.figures import finish
from ncdsurv.indicators.standard import band_weights
from tests.counts_support import ATOMS, CATALOG, PROVINCE, REFERENCE, VINTAGE, measures

RULES = next(iter(CATALOG.publication.values()))
STANDARD = CATALOG.standard_population.id
KEY = {"area_vintage": "2025", "area_level": "nation", "area_code": "VN", "disease": "hypertension"}
KEY |= {"preset": "hearts", "period": "2026-06", "sex": "both", "age_band": "all"}


def only(*names: str) -> Catalog:
    """The catalog with some indicators: the first one that counts something gives the count its name."""
    wanted = {name: one for name, one in CATALOG.indicators.items() if name in names}
    return CATALOG.model_copy(update={"indicators": wanted})


def published(indicator: str, numerator: float | None, denominator: float | None, rules=RULES) -> dict:
    """The row of one indicator with this above and this below."""
    cells = pl.DataFrame(
        [{**KEY, "numerator": numerator, "denominator": denominator}],
        schema_overrides={"numerator": pl.Float64, "denominator": pl.Float64},
    )
    return finish(cells, CATALOG.indicators[indicator], rules, "spec").row(0, named=True)


def values(table: str, first: str, last: str, **chosen: str) -> pl.DataFrame:
    """Values of the old province, crude and of all people unless chosen otherwise."""
    months = {"first_month": Period.parse(first).first_month, "last_month": Period.parse(last).last_month}
    found = publish_values(
        measures(table), REFERENCE, only("detected", chosen["indicator"]), "spec", **months
    )
    usual = {"area_vintage": VINTAGE, "area_level": "province", "area_code": PROVINCE, "preset": "hearts"}
    usual |= {"sex": "both", "age_band": "all", "standardisation": "crude", "disease": "hypertension"}
    return found.filter(**(usual | chosen))


@pytest.mark.parametrize(
    ("count", "flag"),
    [(0, "ok"), (1, "small_number"), (4, "small_number"), (5, "ok"), (None, "no_population")],
)
def test_a_count_of_one_to_four_is_flagged_and_stands_without_an_interval(count, flag):
    row = published("under_care", count, None)
    assert (row["value"], row["flag"]) == (count, flag)
    assert (row["lower"], row["upper"], row["ci_method"]) == (None, None, "none")


@pytest.mark.parametrize(("events", "flag"), [(0, "ok"), (1, "small_number"), (4, "small_number"), (5, "ok")])
def test_a_rate_of_one_to_four_events_is_flagged(events, flag):
    row = published("detected_prevalence", events, 50_000)
    assert (row["value"], row["flag"]) == (pytest.approx(2 * events), flag)


@pytest.mark.parametrize(
    ("under", "rest", "flag"),
    [(60, 0, "ok"), (60, 1, "small_number"), (60, 4, "small_number"), (60, 5, "ok")],
)
def test_so_is_a_share_that_leaves_out_one_to_four(under, rest, flag):
    row = published("control_rate", under - rest, under)
    assert row["flag"] == flag
    lower, upper = wilson_limits(under - rest, under)
    assert (row["lower"], row["upper"]) == pytest.approx((100 * lower, 100 * upper))


def test_the_share_of_a_single_person_is_a_small_number_and_no_empty_one():
    row = published("control_rate", 1.0, 1.0)
    assert (row["value"], row["flag"]) == (100.0, "small_number")


@pytest.mark.parametrize(("events", "flag"), [(9, "too_few_events"), (10, "ok")])
def test_a_standardised_rate_needs_ten_events(events, flag):
    cell = {**KEY, "numerator": float(events), "denominator": 3000.0, "ratio": 0.004, "spread": 1e-6}
    found = finish(pl.DataFrame([cell]), CATALOG.indicators["detected_prevalence"], RULES, "spec", STANDARD)
    assert found["flag"].to_list() == [flag]
    assert found["value"].null_count() == found["upper"].null_count() == (flag != "ok")


def test_more_people_than_were_expected_keep_their_share_and_have_no_interval():
    row = published("detection_rate", 61.0, 60.0)
    assert row["value"] == pytest.approx(100 * 61 / 60)
    assert (row["lower"], row["upper"], row["ci_method"], row["flag"]) == (None, None, "none", "ok")
    row = published("detection_rate", 60.0, 60.0)
    assert (row["upper"], row["ci_method"]) == (100.0, "wilson")


@pytest.mark.parametrize(
    ("indicator", "denominator", "flag"),
    [
        ("control_rate", None, "no_denominator"),
        ("control_rate", 0.0, "no_denominator"),
        ("detection_rate", None, "no_population"),
        ("detection_rate", 0.0, "no_denominator"),
        ("detected_prevalence", None, "no_population"),
        ("detected_prevalence", 0.0, "no_denominator"),
        ("days_between_visits", None, "no_denominator"),
    ],
)
def test_a_figure_over_nobody_is_null_and_says_whether_people_or_patients_are_wanting(
    indicator, denominator, flag
):
    row = published(indicator, 0.0, denominator)
    assert (row["value"], row["lower"], row["upper"], row["flag"]) == (None, None, None, flag)


def test_the_confidence_of_every_interval_is_that_of_publication():
    careful = RULES.model_copy(update={"confidence": 0.99})
    share = published("control_rate", 30.0, 50.0, careful)
    assert (share["lower"], share["upper"]) == pytest.approx([100 * x for x in wilson_limits(30, 50, 0.99)])
    rate = published("detected_prevalence", 30.0, 50_000.0, careful)
    assert (rate["lower"], rate["upper"]) == pytest.approx([2 * x for x in poisson_limits(30, 0.99)])
    bands = {
        "count": [12, 18],
        "population": [1000, 2000],
        "age": ["a", "b"],
        "standard": {"a": 0.4, "b": 0.6},
    }
    ratio, spread = 0.4 * 12 / 1000 + 0.6 * 18 / 2000, 0.16 * 12 / 1e6 + 0.36 * 18 / 4e6
    cell = pl.DataFrame([{**KEY, "numerator": 30.0, "denominator": 3000.0, "ratio": ratio, "spread": spread}])
    found = finish(cell, CATALOG.indicators["detected_prevalence"], careful, "spec", STANDARD).row(
        0, named=True
    )
    wanted = standardised_rate(**bands, confidence=0.99)
    assert [found[name] for name in ("value", "lower", "upper")] == pytest.approx(
        [float(x) for x in wanted[:3]]
    )


def test_a_survey_tells_nothing_of_one_sex_or_age_so_no_share_of_expected_cases_does():
    table = "month | sex | age_band | detected\n2026-06 | female | 60-69 | 40\n2026-06 | male | 40-49 | 30"
    found = publish_values(measures(table), REFERENCE, only("detected", "detection_rate"), "spec")
    shown = found.filter(indicator="detection_rate").select("sex", "age_band").unique()
    assert shown.rows() == [("both", "all")]


def test_december_is_counted_over_the_people_of_its_own_year(monkeypatch):
    """Nobody is born or dies in the package's own pack, so the people of 2026 are doubled here."""
    asked = type(REFERENCE).population_at_age_bases

    def people(self, bases, **where):
        found = asked(self, bases, **where)
        many = 2.0 if where["year"] == 2026 else 1.0
        return found.with_columns(pl.col(str(place)) * many for place in range(len(bases)))

    monkeypatch.setattr(type(REFERENCE), "population_at_age_bases", people)
    table = "month | detected\n2025-12 | 40\n2026-01 | 40"
    for indicator in ("detected_prevalence", "detection_rate"):
        found = values(table, "2025-11", "2026-01", indicator=indicator)
        below = dict(found.select("period", "denominator").rows())
        assert below["2025-11"] == below["2025-12"] == pytest.approx(below["2026-01"] / 2)
        alone = values(table, "2025-12", "2025-12", indicator=indicator)
        assert alone["denominator"].to_list() == [below["2025-12"]]


def test_nine_months_are_those_of_the_calendar_and_never_run_over_new_year():
    table = "month | under_care\n2024-07 | 40\n2026-06 | 40"
    periods = values(table, "2024-07", "2026-06", indicator="under_care")["period"].to_list()
    assert [name for name in periods if name.endswith("9M")] == ["2025-9M"]
    assert [name for name in periods if "H" in name] == ["2024-H2", "2025-H1", "2025-H2", "2026-H1"]
    assert len(periods) == 24 + 8 + 4 + 1 + 1


def test_people_of_unknown_sex_or_age_are_in_the_totals_and_in_no_stratum_of_their_own():
    table = """
        month   | sex     | age_band | under_care
        2026-06 | unknown | 60-69    | 20
        2026-06 | female  | unknown  | 30
        2026-06 | female  | 60-69    | 50
        """
    found = publish_values(measures(table), REFERENCE, only("under_care"), "spec")
    shown = found.filter(area_level="nation", area_vintage="2025", preset="hearts")
    assert {row[:2]: row[2] for row in shown.select("sex", "age_band", "numerator").rows()} == {
        ("both", "all"): 100.0,
        ("both", "60-69"): 70.0,
        ("female", "all"): 80.0,
        ("female", "60-69"): 50.0,
    }


def test_only_totals_of_large_areas_are_filled_with_zeros_and_only_within_the_months_asked_for():
    table = """
        month   | under_care
        2026-03 | 70
        2026-04 | 40
        2026-07 | 80
        """
    months = {"first_month": 2026 * 12 + 4, "last_month": 2026 * 12 + 6}
    found = publish_values(measures(table), REFERENCE, only("under_care"), "spec", **months).filter(
        area_vintage=VINTAGE, preset="hearts"
    )
    wanted = [("2026-04", 40.0), ("2026-05", 0.0), ("2026-06", 0.0)]
    for level in ("province", "region", "nation"):
        total = found.filter(area_level=level, sex="both", age_band="all")
        assert total.select("period", "value").rows() == [*wanted, ("2026-Q2", 0.0)]
    assert found.filter(area_level="commune").select("period", "value").rows() == wanted[:1]
    assert found.filter(pl.col("sex") != "both").is_empty()


def test_only_the_last_of_the_months_has_strata_and_a_standardised_rate():
    table = """
        month   | sex    | age_band | detected
        2026-04 | female | 60-69    | 40
        2026-05 | female | 60-69    | 41
        """
    asked = {"indicator": "detected_prevalence"}
    span = ("2026-04", "2026-05")
    assert values(table, *span, standardisation=STANDARD, **asked)["period"].to_list() == ["2026-05"]
    assert values(table, *span, sex="female", **asked)["period"].to_list() == ["2026-05"]
    assert values(table, *span, **asked)["period"].to_list() == ["2026-04", "2026-05"]


def test_longer_periods_and_the_last_month_stand_by_sex_and_age_and_no_other_month():
    table = "month | under_care\n" + "\n".join(f"2025-{month:02d} | {month}" for month in range(1, 13))
    for stratum in ({"sex": "female"}, {"age_band": "60-69"}):
        found = values(table, "2025-01", "2025-12", indicator="under_care", **stratum)
        assert dict(found.select("period", "value").rows()) == {
            "2025": 12.0,
            "2025-12": 12.0,
            "2025-H1": 6.0,
            "2025-H2": 12.0,
            "2025-9M": 9.0,
            **{f"2025-Q{quarter}": 3.0 * quarter for quarter in (1, 2, 3, 4)},
        }


def test_a_commune_and_its_old_district_stand_in_longer_periods_too_and_without_strata():
    table = "month | under_care | newly_detected\n" + "\n".join(
        f"2025-{month:02d} | {month} | 2" for month in (1, 2, 3, 5, 6, 9)
    )
    commune = REFERENCE.atoms.filter(atom=ATOMS[0])[f"commune_{VINTAGE}"][0]
    above = REFERENCE.parents(VINTAGE).filter(commune=commune).row(0, named=True)
    for level in ("commune", "district"):
        chosen = {"area_level": level, "area_code": above[level]}
        flow = values(table, "2025-01", "2025-09", indicator="newly_detected", **chosen)
        told = dict(flow.select("period", "value").rows())
        wanted = {"2025-Q1": 6.0, "2025-Q2": 4.0, "2025-Q3": 2.0, "2025-H1": 10.0, "2025-9M": 12.0}
        assert told == {**wanted, **{f"2025-{month:02d}": 2.0 for month in (1, 2, 3, 5, 6, 9)}}
        stock = values(table, "2025-01", "2025-09", indicator="under_care", **chosen)
        told = dict(stock.select("period", "value").rows())
        assert [told[period] for period in ("2025-Q1", "2025-Q2", "2025-H1", "2025-9M")] == [3, 6, 6, 9]
        for stratum in ({"sex": "female"}, {"age_band": "60-69"}):
            assert values(table, "2025-01", "2025-09", indicator="under_care", **chosen, **stratum).is_empty()


def test_where_nobody_was_counted_a_standardised_rate_has_too_few_events_and_people_all_the_same():
    table = "month | detected\n2026-04 | 40"
    span = {"first": "2026-04", "last": "2026-05", "period": "2026-05"}
    found = values(table, indicator="detected_prevalence", standardisation=STANDARD, **span)
    assert found.select("numerator", "value", "flag").rows() == [(0.0, None, "too_few_events")]
    assert found["denominator"][0] > 0


def test_a_rate_over_adults_takes_neither_children_nor_people_of_unknown_age():
    table = """
        month   | age_band | detected
        2026-06 | 0-17     | 11
        2026-06 | 18-39    | 20
        2026-06 | 80+      | 30
        2026-06 | unknown  | 9
        """
    found = values(table, "2026-06", "2026-06", indicator="detected_prevalence")
    assert found["numerator"].to_list() == [50.0]
    bands = values(table, "2026-06", "2026-06", indicator="detected_prevalence", age_band="0-17")
    assert bands.is_empty()
    adults = [band for band in CATALOG.age_bands if band.lower >= 18]
    weights = band_weights(CATALOG.standard_population, CATALOG.age_bands)
    people = {
        band.id: REFERENCE.population_at_ages(
            band.lower, band.upper, vintage=VINTAGE, level="province", year=2026
        )
        .filter(code=PROVINCE)["population"]
        .sum()
        for band in adults
    }
    rate = sum(weights[name] * n / people[name] for name, n in (("18-39", 20), ("80+", 30)))
    adjusted = values(table, "2026-06", "2026-06", indicator="detected_prevalence", standardisation=STANDARD)
    assert adjusted["value"].to_list() == pytest.approx([1e5 * rate / sum(weights[b.id] for b in adults)])


def test_an_indicator_of_one_preset_or_some_diseases_is_published_for_no_other():
    table = """
        month   | preset | disease      | transfers_in | suspected
        2026-06 | hearts | hypertension | 8              | 9
        2026-06 | tt37   | hypertension | 8              | 9
        2026-06 | hearts | copd         | 8              | 9
        """
    names = ("transferred_in", "suspected")
    found = publish_values(measures(table), REFERENCE, only(*names), "spec").filter(
        area_level="nation", period="2026-06"
    )
    shown = found.select("indicator", "preset", "disease").unique().sort(pl.all()).rows()
    assert CATALOG.indicators["transferred_in"].presets == ("hearts",)
    assert CATALOG.indicators["suspected"].diseases == ("hypertension", "diabetes")
    assert shown == [
        ("suspected", "hearts", "hypertension"),
        ("suspected", "tt37", "hypertension"),
        ("transferred_in", "hearts", "copd"),
        ("transferred_in", "hearts", "hypertension"),
    ]
