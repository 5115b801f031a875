"""What the layout holds of a few persons' records: who is a case since when, where assigned, when due."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.tables import CROSSWALK, DIAGNOSES, PERSONS, RESIDENCES, VISITS, conform
from ncdsurv.catalog.vocabulary import month_index
from ncdsurv.spells import NEVER, Bucket, bucket_layout
from tests.engine_records import ATOMS

CATALOG = load_catalog()
DISEASES = list(CATALOG.diseases)
PRESSURE, SUGAR = DISEASES.index("hypertension"), DISEASES.index("diabetes")
D = date


def month(day: date) -> int:
    return month_index(day)


def laid_out(visits: list[dict], diagnoses: list[dict] | None = None, sources: dict | None = None) -> Bucket:
    """The layout of one person with one record per source."""
    records = list(sources or {"r": "his"})
    visits = [
        {"record_id": records[0], "visit_id": f"v{i}", "facility": "F1", "kind": "exam", **visit}
        for i, visit in enumerate(visits)
    ]
    stated = [{"record_id": records[0], **row} for row in diagnoses or []]
    crosswalk = conform(
        pl.DataFrame({"record_id": records, "person_id": ["one"] * len(records)}), CROSSWALK
    ).with_columns(source=pl.Series(list((sources or {"r": "his"}).values())))
    home = {
        "person_id": ["one"],
        "from_on": [D(2024, 1, 1)],
        "commune_2024": ["00001"],
        "commune_2025": ["90001"],
    }
    return bucket_layout(
        conform(pl.DataFrame({"person_id": ["one"]}), PERSONS),
        conform(pl.DataFrame(home), RESIDENCES),
        crosswalk,
        conform(pl.DataFrame(stated, schema_overrides={"record_id": pl.String}), DIAGNOSES),
        conform(pl.DataFrame(visits, infer_schema_length=None), VISITS),
        CATALOG,
        ATOMS,
    )


def case(bucket: Bucket, disease: int) -> dict | None:
    rows = bucket.cases.filter(disease=disease).to_dicts()
    return rows[0] if rows else None


@pytest.mark.parametrize(
    ("next_on", "supply", "due"),
    [
        (D(2025, 2, 9), 28, D(2025, 2, 9)),
        (None, 28, D(2025, 2, 7)),
        (D(2025, 1, 10), 30, D(2025, 2, 9)),
        (D(2024, 12, 1), None, None),
        (None, 0, None),
        (None, None, None),
    ],
)
def test_a_visit_is_due_at_the_appointment_else_when_the_drugs_end(next_on, supply, due):
    visit = {"visited_on": D(2025, 1, 10), "next_visit_on": next_on, "supply_days": supply}
    found = laid_out([visit]).contacts["due_day"].to_list()
    assert found == [None if due is None else (due - D(1970, 1, 1)).days]


READINGS = [
    ({"sbp": 140, "dbp": 80}, PRESSURE, True, True),
    ({"sbp": 120, "dbp": 90}, PRESSURE, True, True),
    ({"sbp": 139, "dbp": 89}, PRESSURE, False, False),
    ({"sbp": 190}, PRESSURE, False, False),
    ({"glucose_mmol_l": 7.0, "glucose_kind": "fasting"}, SUGAR, True, True),
    ({"glucose_mmol_l": 6.9, "glucose_kind": "fasting"}, SUGAR, False, True),
    ({"glucose_mmol_l": 5.6, "glucose_kind": "unknown"}, SUGAR, False, True),
    ({"glucose_mmol_l": 5.5, "glucose_kind": "fasting"}, SUGAR, False, False),
    ({"glucose_mmol_l": 11.0, "glucose_kind": "random"}, SUGAR, False, False),
    ({"glucose_mmol_l": 11.1, "glucose_kind": "post_prandial"}, SUGAR, True, True),
    ({"hba1c_percent": 6.4, "glucose_mmol_l": 7.1, "glucose_kind": "fasting"}, SUGAR, True, True),
    ({"hba1c_percent": 5.7}, SUGAR, False, True),
    ({"glucose_mmol_l": 7.5}, SUGAR, False, False),
]


@pytest.mark.parametrize("kind", ["exam", "screening"])
@pytest.mark.parametrize(("reading", "disease", "suspected", "at_risk"), READINGS)
def test_a_reading_at_any_contact_raises_a_suspicion_and_makes_no_case(
    reading, disease, suspected, at_risk, kind
):
    day = D(2025, 3, 5)
    found = case(laid_out([{"visited_on": day, "kind": kind, **reading}]), disease)
    if not (suspected or at_risk):
        assert found is None
        return
    assert found["suspected_month"] == (month(day) if suspected else NEVER)
    assert found["at_risk_month"] == month(day)
    assert found["detected_month"] == found["enrolled_month"] == found["withdrawn_month"] == NEVER


def test_the_readings_of_a_contact_in_pregnancy_are_emptied_and_the_contact_stays():
    visit = {
        "visited_on": D(2025, 3, 5),
        "sbp": 170,
        "dbp": 100,
        "glucose_mmol_l": 9.0,
        "glucose_kind": "fasting",
    }
    bucket = laid_out([{**visit, "pregnant": True, "supply_days": 28}])
    assert bucket.cases.is_empty()
    row = bucket.contacts.row(0, named=True)
    assert row["sbp"] is row["dbp"] is row["glucose_mmol_l"] is None
    assert row["dispensed"] == 1
    assert not laid_out([{**visit, "pregnant": False}]).cases.is_empty()


STATED = {"disease": "hypertension", "recorded_on": D(2025, 1, 10), "last_stated_on": D(2025, 4, 10)}


def taken_back(day: date, disease: str = "hypertension") -> dict:
    return {"disease": disease, "recorded_on": day, "last_stated_on": day, "withdrawn_on": day}


@pytest.mark.parametrize(
    ("rows", "withdrawn"),
    [
        ([STATED], None),
        ([STATED, taken_back(D(2025, 6, 2))], D(2025, 6, 2)),
        ([STATED, taken_back(D(2025, 4, 10))], D(2025, 4, 10)),
        ([STATED, taken_back(D(2025, 3, 2))], None),
        ([STATED, taken_back(D(2025, 6, 2)), taken_back(D(2025, 5, 2))], D(2025, 6, 2)),
        ([STATED | {"last_stated_on": None}, taken_back(D(2025, 3, 2))], D(2025, 3, 2)),
    ],
)
def test_a_diagnosis_ends_when_its_latest_statement_is_taken_back(rows, withdrawn):
    found = case(laid_out([{"visited_on": D(2025, 1, 10)}], rows), PRESSURE)
    assert found["withdrawn_month"] == (NEVER if withdrawn is None else month(withdrawn))
    assert found["detected_month"] == month(D(2025, 1, 10))


def test_a_group_ends_with_the_last_of_its_members():
    lungs = {"recorded_on": D(2025, 1, 10)}
    both = [{"disease": "copd", **lungs}, {"disease": "asthma", **lungs}, taken_back(D(2025, 3, 2), "copd")]
    group = DISEASES.index("copd_or_asthma")
    visits = [{"visited_on": D(2025, 1, 10)}]
    assert case(laid_out(visits, both), group)["withdrawn_month"] == NEVER
    ended = [*both, taken_back(D(2025, 5, 2), "asthma")]
    assert case(laid_out(visits, ended), group)["withdrawn_month"] == month(D(2025, 5, 2))


def test_a_diagnosis_only_known_as_an_error_begins_and_ends_in_one_month():
    found = case(laid_out([{"visited_on": D(2025, 1, 10)}], [taken_back(D(2025, 4, 1))]), PRESSURE)
    assert found["detected_month"] == found["withdrawn_month"] == month(D(2025, 4, 1))


def test_the_assigned_facility_is_that_of_each_months_last_contact_but_no_screening():
    visits = [
        {"visited_on": D(2025, 1, 5), "facility": "F1"},
        {"visited_on": D(2025, 1, 20), "facility": "F2"},
        {"visited_on": D(2025, 2, 3), "facility": "F2"},
        {"visited_on": D(2025, 3, 3), "facility": "F3", "kind": "screening"},
        {"visited_on": D(2025, 5, 3), "facility": "F1", "record_id": "s"},
    ]
    found = laid_out(visits, sources={"r": "his", "s": "ministry"}).assignments
    assert found.select("from_month", "facility", "source").rows() == [
        (month(D(2025, 1, 1)), "F2", "his"),
        (month(D(2025, 5, 1)), "F1", "ministry"),
    ]


def test_who_was_only_screened_belongs_to_the_place_of_the_screening():
    visit = {"visited_on": D(2025, 3, 3), "facility": "F3", "kind": "screening"}
    assert laid_out([visit]).assignments.select("facility", "source").rows() == [("F3", "his")]
