"""Indicators of a few patients, each counted by hand: cohorts, intensification, days between visits, overdue."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.vocabulary import Period
from ncdsurv.errors import UsageError
from ncdsurv.indicators import publish_values
from ncdsurv.reference import load_reference
from ncdsurv.spells import measures_schema
from tests.engine_story import rows

CATALOG, REFERENCE = load_catalog(), load_reference()


def spells_of(
    table: str, first: str, last: str, disease: str = "hypertension", preset: str = "hearts"
) -> Any:
    """Spells from an ascii table of visits; the diagnosis of each person is of the day of the first."""
    told = pl.DataFrame([{k: v or None for k, v in row.items()} for row in rows(table)])
    whole = [name for name in ("sbp", "dbp", "supply_days") if name in told.columns]
    visits = told.with_columns(pl.col(whole).cast(pl.Int64))
    first_days = visits.group_by("person_id").agg(recorded_on=pl.col("visited_on").min())
    died = visits.filter(pl.col("patient_status") == "dead") if "patient_status" in visits.columns else None
    people = first_days.select("person_id").sort("person_id")
    if died is not None:
        people = people.join(died.select("person_id", died_on="visited_on"), on="person_id", how="left")
    diagnoses = first_days.with_columns(disease=pl.lit(disease))
    return ns.build_spells(people, diagnoses, visits, first=first, last=last, preset=preset)


def visits_of(lives: str) -> str:
    """The table of visits of a table of lives: a person a row, each visit a day and what was measured or told then."""
    found = ["person_id | visited_on | sbp | dbp | patient_status"]
    for person in rows(lives):
        for visit in person["visits"].split(","):
            day, *rest = visit.split()
            pressure = next((word for word in rest if "/" in word), "/")
            told = next((word for word in rest if "/" not in word), "")
            found.append(" | ".join([person["person_id"], day, *pressure.split("/"), told]))
    return "\n".join(found)


def figures(spells: Any, indicator: str, at: str, **more: Any) -> tuple:
    return ns.count(spells, [indicator], at=at, **more).select("numerator", "denominator").row(0)


# Quarter 4 of 2023: five enrolled in it (a to e), one the day before (f), one the day after (g).
COHORT = visits_of("""
person_id | visits
a         | 2023-10-05 150/95, 2024-03-10 130/80, 2024-06-03 128/82
b         | 2023-11-20 150/95, 2024-01-15 150/95, 2024-06-20 145/85
c         | 2023-12-31 150/95
d         | 2023-12-01 150/95, 2024-03-02 130/80, 2024-05-01 dead
e         | 2023-10-01 150/95, 2024-06-15 120/70 transferred_out
f         | 2023-09-30 150/95, 2024-03-05 120/70, 2024-06-05 120/70
g         | 2024-01-01 150/95, 2024-03-05 120/70, 2024-06-05 120/70
""")


@pytest.fixture(scope="module")
def cohort() -> Any:
    return spells_of(COHORT, "2023-09", "2025-06")


@pytest.mark.parametrize(
    ("months", "at", "numerator", "denominator"),
    [
        # March: a and d are at 130/80, b read 150/95 in January, c and e have not come.
        (3, "2024-03", 2, 5),
        (3, "2024-Q1", 2, 5),
        # April: the same readings stand within three months but b's; nobody has died yet.
        (4, "2024-04", 2, 5),
        # June: d is dead, e has moved out; a 128/82, b 145/85, c missed.
        (6, "2024-06", 1, 3),
        (6, "2024-Q2", 1, 3),
        (6, "2024-H1", 1, 3),
        # September: June lies three months back, so nobody has a reading within the window.
        (9, "2024-9M", 0, 3),
        # December 2024: c is lost (twelve months without a visit) and stays in the denominator.
        (12, "2024", 0, 3),
        (12, "2024-12", 0, 3),
    ],
)
def test_the_cohort_of_a_quarter_is_judged_n_months_after_it_ended(
    cohort, months, at, numerator, denominator
):
    assert figures(cohort, "cohort_control_rate", at, cohort_months=months) == (numerator, denominator)
    named = {3: "cohort_control_rate_3m", 6: "cohort_control_rate", 12: "cohort_control_rate_12m"}
    if months in named:
        assert figures(cohort, named[months], at) == (numerator, denominator)


def test_a_cohort_asked_for_at_another_n_says_its_n_and_leaves_other_indicators_alone(cohort):
    found = ns.count(cohort, ["cohort_control_rate", "under_care"], at="2024-06", cohort_months=9)
    assert found["indicator"].to_list() == ["cohort_control_rate@9", "under_care"]
    # Nine months before June 2024 ended quarter 3 of 2023: f alone, at 120/70.
    assert found.select("numerator", "denominator").row(0) == (1, 1)
    assert found["numerator"][1] == ns.count(cohort, ["under_care"], at="2024-06")["numerator"][0] == 5


@pytest.mark.parametrize(
    ("months", "at", "sentence"),
    [
        (
            4,
            "2024-06",
            "cohort_control_rate@4 judges the people enrolled in a calendar quarter: got 2024-06; allowed: a period "
            "that ends 4 months after a quarter",
        ),
        (
            9,
            "2024-05",
            "cohort_control_rate@9 judges the people enrolled in a calendar quarter: got 2024-05; allowed: a quarter, "
            "or a period that ends with one",
        ),
        (-1, "2024-06", "months after a cohort's quarter out of range: got -1; allowed: 0 or more, whole"),
        (2.5, "2024-06", "months after a cohort's quarter out of range: got 2.5; allowed: 0 or more, whole"),
        *(  # who enrolled in the quarter's last month has no outcome yet: 0 % would be no finding
            (
                months,
                at,
                "months after a cohort's quarter too few: part of it is too newly enrolled to be judged: got "
                f"{months}; allowed: 3 or more",
            )
            for months, at in ((0, "2023-12"), (2, "2024-02"))
        ),
    ],
)
def test_a_cohort_at_no_quarters_end_is_refused(cohort, months, at, sentence):
    with pytest.raises(UsageError) as caught:
        ns.count(cohort, ["cohort_control_rate"], at=at, cohort_months=months)
    assert str(caught.value) == sentence


def test_a_cohort_of_four_months_is_published_four_months_after_a_quarters_end():
    cohorts = {
        name: one.model_copy(update={"cohort_offset_months": 4}) if name == "cohort_control_rate" else one
        for name, one in CATALOG.indicators.items()
    }
    catalog = CATALOG.model_copy(update={"indicators": cohorts})
    schema = measures_schema(catalog)
    atom = REFERENCE.atom_areas("2025")["atom"][0]
    cell = {"atom": atom, "disease": "hypertension", "sex": "female", "age_band": "60-69", "preset": "hearts"}
    counted = [
        {name: 0 for name in schema}
        | cell
        | {"month": Period.parse(month).last_month, "cohort_control_rate_denominator": 40}
        | {"cohort_control_rate": place}
        for place, month in enumerate(("2026-03", "2026-04", "2026-05", "2026-06", "2026-07"), 1)
    ]
    found = publish_values(pl.DataFrame(counted, schema=dict(schema)), REFERENCE, catalog, "spec")
    nation = found.filter(indicator="cohort_control_rate", area_level="nation", area_vintage="2025")
    nation = nation.filter(sex="both", age_band="all")
    assert nation.select("period", "numerator").rows() == [("2026-04", 2.0), ("2026-07", 5.0)]


# Everybody enrolled in 2023; judged in June 2024, window of three months.
INERTIA = visits_of("""
person_id | visits
twice     | 2023-06-01 130/80, 2024-03-10 150/95, 2024-06-10 160/85
once      | 2023-06-01 130/80, 2024-06-10 150/95
first     | 2023-06-01, 2024-05-10 150/95
across    | 2023-06-01 142/80, 2024-02-01, 2024-04-01 139/90
oneday    | 2023-06-01 130/80, 2024-06-10 150/95, 2024-06-10 155/95
missed    | 2024-01-10 150/95, 2024-03-10 150/95
better    | 2024-04-10 150/95, 2024-05-10 150/95, 2024-06-10 139/89
""")


def test_intensification_is_missed_where_two_visits_running_were_off_target():
    """Off target in June: twice, once, first, across (139/90 is off) and oneday; twice running: twice and across."""
    spells = spells_of(INERTIA, "2023-01", "2024-06")
    assert figures(spells, "intensification_missed_rate", "2024-06") == (2, 5)
    value = ns.count(spells, ["intensification_missed_rate"], at="2024-06").row(0, named=True)
    assert value["value"] == 40.0
    # R 4.2.2, epitools 0.5.10.1: binom.wilson(2, 5) = 0.1176208, 0.7692757
    assert (value["lower"], value["upper"]) == pytest.approx((11.76208, 76.92757), abs=1e-5)


INTERVALS = """
person_id | visited_on | kind      | sbp | dbp
a         | 2023-12-02 | exam      | 130 | 80
a         | 2024-01-01 | exam      | 130 | 80
a         | 2024-01-31 | refill    |     |
a         | 2024-01-31 | exam      | 130 | 80
a         | 2024-02-10 | screening | 130 | 80
a         | 2024-02-20 | exam      | 130 | 80
b         | 2024-02-28 | exam      | 130 | 80
b         | 2024-03-01 | exam      | 130 | 80
c         | 2024-03-05 | exam      | 130 | 80
"""


@pytest.mark.parametrize(
    ("at", "days", "intervals"),
    [
        ("2024-01", 60, 2),  # 2 December to 1 January, and to the 31st; two contacts of a day are one
        ("2024-02", 20, 1),  # the screening between is no visit; b's first visit has none before
        ("2024-03", 2, 1),  # 28 February to 1 March of a leap year
        ("2024-Q1", 82, 4),
        ("2024-H1", 82, 4),
    ],
)
def test_days_between_visits_are_added_up_by_hand(at, days, intervals):
    spells = spells_of(INTERVALS, "2023-12", "2024-06")
    found = ns.count(spells, ["days_between_visits"], at=at).row(0, named=True)
    assert (found["numerator"], found["denominator"]) == (days, intervals)
    assert found["value"] == pytest.approx(days / intervals)
    assert (found["unit"], found["flag"], found["lower"]) == ("days", "small_number", None)


def test_half_a_year_of_a_stock_a_flow_and_a_cohort_read_the_same_people_differently(cohort):
    """In the first half of 2024: g alone enrols; five are under care at its end (d dead, e gone)."""
    assert figures(cohort, "newly_enrolled", "2024-H1")[0] == 1
    assert figures(cohort, "under_care", "2024-H1")[0] == 5
    assert figures(cohort, "enrolled", "2024-H1")[0] == 7
    assert figures(cohort, "cohort_control_rate", "2024-H1") == (1, 3)
    assert figures(cohort, "control_rate", "2024-H1") == (3, 5)  # a, f and g of a, b, c, f, g


def test_communes_that_became_one_are_apart_in_2024_and_one_in_2025_in_every_month():
    """Both geographies stand for months before and after July 2025; districts in the old one alone."""
    per_new = REFERENCE.atoms.group_by("commune_2025").agg(
        pl.len().alias("pieces"), pl.col("commune_2024").n_unique().alias("old")
    )
    whole = REFERENCE.atoms.filter(pl.len().over("commune_2024") == 1).join(
        per_new.filter((pl.col("pieces") == 2) & (pl.col("old") == 2)), on="commune_2025"
    )
    one = whole.filter(pl.len().over("commune_2025") == 2).sort("commune_2025", "commune_2024").head(2)
    assert one["commune_2025"].n_unique() == 1
    schema = measures_schema(CATALOG)
    cell = {"disease": "hypertension", "sex": "male", "age_band": "60-69", "preset": "hearts"}
    counted = [
        {name: 0 for name in schema} | cell | {"atom": atom, "month": month, "under_care": people}
        for month in (Period.parse("2025-06").last_month, Period.parse("2025-07").last_month)
        for atom, people in zip(one["atom"], (30, 12), strict=True)
    ]
    found = publish_values(pl.DataFrame(counted, schema=dict(schema)), REFERENCE, CATALOG, "spec")
    found = found.filter(indicator="under_care", preset="hearts", sex="both", age_band="all")
    for period in ("2025-06", "2025-07"):
        shown = found.filter(period=period)
        old = shown.filter(area_level="commune", area_vintage="2024").sort("area_code")
        assert old.select("area_code", "value").rows() == list(
            zip(one["commune_2024"], (30.0, 12.0), strict=True)
        )
        new = shown.filter(area_level="commune", area_vintage="2025")
        assert new.select("area_code", "value").rows() == [(one["commune_2025"][0], 42.0)]
        for level in ("province", "region", "nation"):
            for vintage in ("2024", "2025"):
                assert shown.filter(area_level=level, area_vintage=vintage)["value"].sum() == 42.0
        districts = shown.filter(area_level="district")
        assert districts["area_vintage"].unique().to_list() == ["2024"]
        assert districts["value"].sum() == 42.0


# Seen three times each; a with medicine in January and March, b with medicine in January, and dead in March.
MEDICINE = """
person_id | visited_on | supply_days | patient_status
a         | 2024-01-10 | 30          |
a         | 2024-02-10 | 0           |
a         | 2024-03-10 | 60          |
b         | 2024-01-05 | 30          |
b         | 2024-02-07 | 0           |
b         | 2024-03-20 |             | dead
"""


def test_months_with_medicine_are_counted_over_months_under_care():
    """Under care: both in January and February, a alone in March; medicine twice in January, never in February."""
    spells = spells_of(MEDICINE, "2024-01", "2024-06", disease="schizophrenia", preset="qd97")
    assert [figures(spells, "months_with_medicine_rate", f"2024-0{m}") for m in (1, 2, 3)] == [
        (2, 2),
        (0, 2),
        (1, 1),
    ]
    assert figures(spells, "months_with_medicine_rate", "2024-Q1") == (3, 5)
    # March's 60 days count in March, when they were given: April and May have none.
    assert figures(spells, "months_with_medicine_rate", "2024-Q2") == (0, 3)
