"""What the engine on frames refuses: one sentence each, counts instead of values."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.errors import NcdsurvError

SECRET = "nguyen-van-a-1960"
PATIENTS = pl.DataFrame({"person_id": [SECRET]})
DIAGNOSES = pl.DataFrame({"person_id": [SECRET], "disease": ["hypertension"], "recorded_on": ["2024-01-10"]})
VISITS = pl.DataFrame({"person_id": [SECRET], "visited_on": ["2024-01-10"], "sbp": [150], "dbp": [95]})
MONTHS = {"first": "2024-01", "last": "2024-06", "preset": "hearts"}


def refusal(patients=PATIENTS, diagnoses=DIAGNOSES, visits=VISITS, **months) -> str:
    with pytest.raises(NcdsurvError) as caught:
        ns.build_spells(patients, diagnoses, visits, **{**MONTHS, **months})
    return str(caught.value)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("patients: not a frame: got list", {"patients": [1]}),
        ("visits: a column is missing: got person_id", {"visits": VISITS.select("person_id")}),
        (
            "visits: a column that looks like dbp but is not: got dpb",
            {"visits": VISITS.rename({"dbp": "dpb"})},
        ),
        (
            "visits: sbp cannot be read as whole numbers: got 1 rows",
            {"visits": VISITS.with_columns(sbp=139.6)},
        ),
        (
            "visits: visited_on cannot be read as a date (or text YYYY-MM-DD): got 1 rows",
            {"visits": VISITS.with_columns(visited_on=pl.lit("10/01/2024"))},
        ),
        (
            "visits: glucose_mmol_l is not plausible: got 1 rows; allowed: value > 1, < 33.4 mmol/L; "
            "do: name the unit, convert it, or leave the value empty",
            {"visits": VISITS.with_columns(glucose_mmol_l=400.0)},
        ),
        (
            "visits: glucose_unit has a unit that is not known: got 1 rows; allowed: mmol/L, mg/dL; do: write the "
            "unit so, or convert the values",
            {"visits": VISITS.with_columns(glucose_mmol_l=126.0, glucose_unit=pl.lit("mg/l"))},
        ),
        (
            "visits: glucose_mmol_l is not plausible in mg/dL: got 1 rows; allowed: value > 40, < 601 mg/dL; do: see "
            "whether the unit is right, or leave the value empty",
            {"visits": VISITS.with_columns(glucose_mmol_l=7.2, glucose_unit=pl.lit("mg/dL"))},
        ),
        (
            "visits: lung_grade has a word or code that is not known: got 1 rows; allowed: 1, 2, 3",
            {"visits": VISITS.with_columns(lung_grade=9)},
        ),
        ("visits: sbp is not plausible: got 1 rows", {"visits": VISITS.with_columns(sbp=15)}),
        (
            "visits: kind has a word or code that is not known: got 1 rows; allowed: exam, refill, screening",
            {"visits": VISITS.with_columns(kind=pl.lit("khám"))},
        ),
        (
            "diagnoses: recorded_on is empty: got 1 rows",
            {"diagnoses": DIAGNOSES.with_columns(recorded_on=None)},
        ),
        (
            "patients: a person stands in several rows: got 1 rows",
            {"patients": pl.concat([PATIENTS, PATIENTS])},
        ),
        (
            "visits: rows of persons who are not among the patients: got 1 rows",
            {"visits": VISITS.with_columns(person_id=pl.lit("somebody else"))},
        ),
        (
            "unknown disease: got hypertention",
            {"diagnoses": DIAGNOSES.with_columns(disease=pl.lit("hypertention"))},
        ),
        ("unknown preset: got heart", {"preset": "heart"}),
        ("a month is wanted: got 2024", {"first": "2024"}),
        ("the first month is after the last", {"first": "2024-07"}),
    ],
)
def test_what_is_refused_and_what_is_said(said: str, wrong: dict) -> None:
    message = refusal(**wrong)
    assert message.startswith(said)
    assert SECRET not in message
    assert "somebody else" not in message


def test_questions_that_people_alone_cannot_answer() -> None:
    spells = ns.build_spells(PATIENTS, DIAGNOSES, VISITS, **MONTHS)
    for said, ask in (
        ("unknown indicator: got controll_rate", lambda: ns.count(spells, ["controll_rate"], at="2024-03")),
        (
            "detection_rate needs more than patients",
            lambda: ns.count(spells, ["detection_rate"], at="2024-03"),
        ),
        (
            "cohort_control_rate judges the people enrolled in a calendar quarter: got 2024-05; "
            "allowed: a quarter, or a period that ends with one",
            lambda: ns.count(spells, ["cohort_control_rate"], at="2024-05"),
        ),
        ("a month that was not built: got 2023-12", lambda: ns.states(spells, at="2023-12")),
        ("a month that was not built: got 2024", lambda: ns.count(spells, ["under_care"], at="2024")),
        (
            "unknown column to count by: got commune",
            lambda: ns.count(spells, ["enrolled"], at="2024-03", by=["commune"]),
        ),
        (
            "counting by several places at once",
            lambda: ns.count(spells, ["enrolled"], at="2024-03", by=["area", "source"]),
        ),
        ("unknown person", lambda: ns.explain_person(spells, "nobody")),
        ("unknown language: got fr", lambda: ns.explain_person(spells, SECRET, lang="fr")),
    ):
        with pytest.raises(NcdsurvError) as caught:
            ask()
        assert str(caught.value).startswith(said)
        assert SECRET not in str(caught.value)


def test_what_is_shown_of_spells_holds_no_patient() -> None:
    spells = ns.build_spells(PATIENTS, DIAGNOSES, VISITS, **MONTHS)
    for shown in (spells, spells.records, spells.bucket):
        assert SECRET not in repr(shown)
        assert "150" not in repr(shown)


@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "UTC"])
def test_a_moment_belongs_to_its_day_in_viet_nam(zone: str) -> None:
    moment = pl.lit("2024-03-01 02:00").str.to_datetime("%Y-%m-%d %H:%M", time_zone="Asia/Ho_Chi_Minh")
    visits = VISITS.with_columns(visited_on=moment.dt.convert_time_zone(zone))
    spells = ns.build_spells(PATIENTS, DIAGNOSES, visits, **MONTHS)
    assert spells.records.visits["visited_on"].to_list() == [date(2024, 3, 1)]
    assert ns.states(spells, at="2024-02")["care_state"].to_list() == ["not_enrolled"]


def test_a_reading_just_below_its_limit_is_not_shown_as_the_limit() -> None:
    visits = VISITS.with_columns(glucose_mmol_l=6.99, glucose_kind=pl.lit("fasting"))
    diagnoses = DIAGNOSES.with_columns(disease=pl.lit("diabetes"))
    told = ns.explain_person(ns.build_spells(PATIENTS, diagnoses, visits, **MONTHS), SECRET).explain()
    assert "fasting glucose 6.99 mmol/L, at target" in told


def test_a_cohort_is_read_at_the_end_of_a_quarter() -> None:
    later = {"person_id": [SECRET], "visited_on": ["2024-09-05"], "sbp": [130], "dbp": [80]}
    visits = pl.concat([VISITS, pl.DataFrame(later)])
    spells = ns.build_spells(PATIENTS, DIAGNOSES, visits, first="2024-01", last="2024-12", preset="hearts")
    for period in ("2024-09", "2024-Q3"):
        found = ns.count(spells, ["cohort_control_rate"], at=period)
        assert found.select("numerator", "denominator").rows() == [(1.0, 1.0)]
