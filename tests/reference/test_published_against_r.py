"""What a release publishes, against the same worked out in R from the official population and the WHO standard alone.

Between the counts and the value lie the population of the reference, the age base of the survey, the weights of the
standard and the interval: a slip in any of them shows here, though each agrees with itself.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Period
from ncdsurv.indicators import publish_values
from ncdsurv.reference import load_reference
from ncdsurv.spells import measures_schema

CATALOG, REFERENCE = load_catalog(), load_reference()
MONTH = Period.parse("2024-12").last_month
# The events of make_published.R, by band; those of 0-17 and of unknown age belong to no age base.
DETECTED = {"18-39": 120, "40-49": 300, "50-59": 500, "60-69": 700, "70-79": 400, "80+": 150}
OUTSIDE = {"0-17": 60, "unknown": 40}
# The provinces' totals, which add up to the nation's, and its table by sex and age differ by two persons.
CLOSE = 1e-6


def wanted() -> dict[str, dict]:
    path = Path(__file__).parent / "intervals" / "published.csv"
    assert path.read_text("utf-8").startswith("# R version")
    table = pl.read_csv(path, comment_prefix="#", null_values="NA")
    return {row["what"]: row for row in table.iter_rows(named=True)}


@pytest.fixture(scope="module")
def nation() -> pl.DataFrame:
    """Values of the whole nation; its people are counted in places far apart."""
    schema = measures_schema(CATALOG)
    atoms = REFERENCE.atom_areas("2025").unique("province", keep="first").sort("province")["atom"]
    cell = {"month": MONTH, "disease": "hypertension", "preset": "hearts"}
    counted = [
        {name: 0 for name in schema}
        | cell
        | {"atom": atoms[place], "sex": ("female", "male")[place % 2], "age_band": band, "detected": count}
        for place, (band, count) in enumerate((DETECTED | OUTSIDE).items())
    ]
    counted += [counted[0] | {"disease": "copd", "detected": 1}]
    months = {"first_month": MONTH, "last_month": MONTH}
    found = publish_values(pl.DataFrame(counted, schema=dict(schema)), REFERENCE, CATALOG, "r", **months)
    return found.filter(area_level="nation", period="2024-12", sex="both", age_band="all", preset="hearts")


@pytest.mark.parametrize("vintage", ["2024", "2025"])
@pytest.mark.parametrize(
    ("what", "indicator", "standardisation", "method"),
    [
        ("crude", "detected_prevalence", "crude", "poisson"),
        ("standardised", "detected_prevalence", CATALOG.standard_population.id, "dobson"),
        ("detection", "detection_rate", "crude", "wilson"),
    ],
)
def test_published_rates_equal_those_of_r(nation, vintage, what, indicator, standardisation, method):
    want = wanted()[what]
    row = nation.filter(
        area_vintage=vintage, indicator=indicator, standardisation=standardisation, disease="hypertension"
    ).row(0, named=True)
    assert row["numerator"] == want["numerator"]
    for name in ("denominator", "value", "lower", "upper"):
        assert row[name] == pytest.approx(want[name], rel=CLOSE)
    assert (row["ci_method"], row["flag"]) == (method, "ok")


@pytest.mark.parametrize("disease", ["hypertension", "copd"])
def test_expected_cases_are_the_people_of_the_surveys_own_ages_times_its_prevalence(nation, disease):
    rows = nation.filter(area_vintage="2025", indicator="estimated_cases", disease=disease)
    assert rows["value"].to_list() == [pytest.approx(wanted()[f"expected {disease}"]["value"], rel=CLOSE)]


def test_people_outside_the_age_base_are_counted_but_stand_in_no_rate(nation):
    everybody = nation.filter(area_vintage="2025", indicator="detected", disease="hypertension")
    assert everybody["value"].to_list() == [sum((DETECTED | OUTSIDE).values())]
