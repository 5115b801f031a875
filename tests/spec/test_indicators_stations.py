"""Stations reporting: which are known, which sent a visit; by the station's commune, month and quarter."""

from __future__ import annotations

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Period
from ncdsurv.indicators import publish_values
from ncdsurv.indicators.stations import KNOWN, REPORTING, count_stations
from ncdsurv.reference import load_reference
from ncdsurv.spells import measures_schema
from tests.engine_story import rows

CATALOG, REFERENCE = load_catalog(), load_reference()
ATOMS = REFERENCE.atom_areas("2025").sort("atom")
FIRST, LAST = Period.parse("2026-04").first_month, Period.parse("2026-06").last_month
HOME = ATOMS["atom"][0]
PROVINCE = ATOMS["province"][0]
FAR = ATOMS.filter(pl.col("province") != PROVINCE)["atom"][0]
PLACES = pl.DataFrame(
    {"facility": ["A", "B", "C", "nowhere"], "atom": [HOME, HOME, FAR, None]},
    schema_overrides={"atom": pl.Int32},
)


def counted(table: str) -> pl.DataFrame:
    """Counts from an ascii table of contacts; a disease left out is hypertension."""
    told = [{"disease": "hypertension", **{k: v for k, v in row.items() if v}} for row in rows(table)]
    activity = pl.DataFrame(told).with_columns(
        month=pl.col("month").map_elements(lambda m: Period.parse(m).last_month, return_dtype=pl.Int32)
    )
    return count_stations(
        activity.select("facility", "month", "kind", "disease"), PLACES, CATALOG, FIRST, LAST
    )


STORY = """
    facility | month   | kind
    A        | 2026-02 | exam
    A        | 2026-04 | exam
    A        | 2026-06 | refill
    B        | 2026-05 | screening
    C        | 2026-06 | exam
    C        | 2026-06 | exam
    nowhere  | 2026-06 | exam
    C        | 2026-07 | exam
    """


def by_month(found: pl.DataFrame, preset: str = "hearts", disease: str = "hypertension") -> dict[str, tuple]:
    own = found.filter(preset=preset, disease=disease)
    sums = own.group_by("month").agg(pl.col(REPORTING, KNOWN).sum()).sort("month")
    return {str(Period(month, month)): (told, known) for month, told, known in sums.iter_rows()}


def test_a_station_is_known_from_its_first_contact_and_reports_by_a_visit():
    assert by_month(counted(STORY)) == {
        "2026-04": (1, 1),  # A, known since February
        "2026-05": (0, 2),  # B is known by a screening, which is no visit
        "2026-06": (2, 3),  # A and C; the station of unknown place is left out
    }


def test_stations_are_counted_for_each_disease_and_for_the_group_it_belongs_to():
    group = next(disease for disease in CATALOG.diseases.values() if disease.members)
    member = group.members[0]
    found = counted(f"facility | month | kind | disease\nA | 2026-05 | exam | {member}")
    assert set(found["disease"]) == {member, group.id}
    assert by_month(found, disease=group.id) == {"2026-05": (1, 1), "2026-06": (0, 1)}


def test_a_station_that_examines_and_hands_out_drugs_in_one_month_reports_once():
    table = """
        facility | month   | kind
        A        | 2026-05 | exam
        A        | 2026-05 | refill
        B        | 2026-05 | screening
        """
    assert by_month(counted(table)) == {"2026-05": (1, 2), "2026-06": (0, 2)}


@pytest.fixture(scope="module")
def published() -> pl.DataFrame:
    nobody = {name: 0 for name in measures_schema(CATALOG)}
    cell = {"atom": HOME, "month": LAST, "disease": "hypertension", "sex": "female", "age_band": "60-69"}
    one = pl.DataFrame(
        [{**nobody, **cell, "preset": "hearts", "detected": 1}], schema=measures_schema(CATALOG)
    )
    months = {"first_month": FIRST, "last_month": LAST}
    return publish_values(one, REFERENCE, CATALOG, "spec", **months, stations=counted(STORY)).filter(
        preset="hearts", area_vintage="2025"
    )


@pytest.fixture(scope="module")
def values(published: pl.DataFrame) -> pl.DataFrame:
    return published.filter(indicator="stations_reporting")


@pytest.fixture(scope="module")
def completeness(published: pl.DataFrame) -> pl.DataFrame:
    return published.filter(indicator="reporting_completeness")


SHOWN = ["numerator", "denominator", "value", "lower", "upper", "ci_method", "flag"]


def test_completeness_of_a_quarter_adds_up_the_months_of_all_stations(completeness):
    """By the story: A of 3 months told 2, B of 2 told none (a screening is no visit), C of 1 told 1."""
    nation = completeness.filter(area_level="nation")
    told = {row[0]: row[1:] for row in nation.select("period", *SHOWN).rows()}
    assert told["2026-Q2"][:2] == (3.0, 6.0)
    assert told["2026-Q2"][2] == pytest.approx(50.0)
    assert told["2026-Q2"][3:6] == (None, None, "none")  # a census of station-months has no interval
    home = completeness.filter(area_level="province", area_code=PROVINCE, period="2026-Q2")
    assert home.select("numerator", "denominator", "value").rows() == [(2.0, 5.0, pytest.approx(40.0))]


def test_completeness_of_a_single_month_is_the_share_of_stations_reporting(values, completeness):
    months, shares = (
        one.filter(pl.col("period").is_in(["2026-04", "2026-05", "2026-06"]))
        .drop("indicator")
        .drop("release")
        for one in (completeness, values)
    )
    assert months.height > 0
    assert months.equals(shares)
    quarter = [
        one.filter(area_level="nation", period="2026-Q2")["value"][0] for one in (completeness, values)
    ]
    assert quarter == [pytest.approx(50.0), pytest.approx(200 / 3)]


def test_where_no_station_was_expected_completeness_is_null_and_never_0(completeness):
    far = REFERENCE.atom_areas("2025").filter(pl.col("atom") == FAR)["province"][0]
    before = completeness.filter(area_level="province", area_code=far, period="2026-04")
    assert before.select("denominator", "value", "flag").rows() == [(0.0, None, "no_denominator")]
    lacking = completeness.filter(area_level="nation", period="2026-04")
    assert lacking.select("numerator", "denominator").rows() == [(1.0, 1.0)]  # only A was known in April


def test_the_share_stands_for_communes_provinces_and_the_nation_and_a_quarter_is_its_last_month(values):
    shown = ["numerator", "denominator", "value", "lower", "ci_method", "flag"]
    nation = values.filter(area_level="nation")
    assert nation.filter(period="2026-06").select(shown).rows() == [
        (2.0, 3.0, pytest.approx(200 / 3), None, "none", "small_number")
    ]
    assert (
        nation.filter(period="2026-Q2").select(shown).rows()
        == nation.filter(period="2026-06").select(shown).rows()
    )
    home = values.filter(area_level="province", area_code=PROVINCE, period="2026-05")
    assert home.select("numerator", "denominator", "value").rows() == [(0.0, 2.0, 0.0)]
    communes = values.filter(area_level="commune", period="2026-06")
    assert sorted(communes["denominator"]) == [1.0, 2.0]
    assert set(values["sex"]) | set(values["age_band"]) == {"both", "all"}


@pytest.mark.parametrize("indicator", ["stations_reporting", "reporting_completeness"])
def test_a_release_publishes_it_and_its_areas_add_up(sample_release, indicator):
    found = sample_release.values(indicator, preset="hearts", disease="hypertension", vintage="2025")
    months = found.filter(pl.col("period") == "2026-06")
    sums = months.group_by("area_level").agg(pl.col("numerator", "denominator").sum())
    assert sums.height == 4
    assert sums["denominator"].n_unique() == sums["numerator"].n_unique() == 1
    assert sums["denominator"][0] > 0
    assert (found["numerator"] <= found["denominator"]).all()
