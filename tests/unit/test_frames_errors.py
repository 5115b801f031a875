"""What the engine on frames refuses: one sentence each, counts instead of values."""

from __future__ import annotations

import traceback
from datetime import date

import pandas as pd
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
    assert SECRET not in "".join(
        traceback.format_exception(caught.value)
    )  # nor what a library said before it
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
            "visits: glucose_mmol_l is not plausible: got 1 rows; allowed: glucose_mmol_l > 1, < 33.4 mmol/L; "
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
            "visits: a column that looks like sbp but is not: got SBP; do: rename it, or drop it",
            {"visits": VISITS.rename({"sbp": "SBP"})},
        ),
        (
            "visits: a column that looks like hba1c_percent but is not: got hba1c; do: rename",
            {"visits": VISITS.with_columns(hba1c=6.0)},
        ),
        (
            "diagnoses: recorded_on is in no plausible year: got 1 rows; allowed: year ≥ 1880, ≤ 2100; do: see how "
            "the dates were read",
            {"diagnoses": DIAGNOSES.with_columns(recorded_on=pl.lit("2924-01-10"))},
        ),
        (
            "patients: died_on is in no plausible year: got 1 rows",
            {"patients": PATIENTS.with_columns(died_on=pl.lit("0024-01-10"))},
        ),
        (
            "visits: before the person's day of birth: got 1 rows; do: see which of the two dates is right",
            {"patients": PATIENTS.with_columns(birth_date=pl.lit("2024-01-11"))},
        ),
        (
            "visits: supply_days is not plausible: got 1 rows; allowed: supply_days ≥ 0, ≤ 185 days; do: name the "
            "unit, convert it, or leave the value empty",
            {"visits": VISITS.with_columns(supply_days=-1)},
        ),
        (
            "visits: next_visit_on is too long after visited_on: got 1 rows; allowed: time between them > 0, ≤ 366 "
            "days; do: see how the dates were read, or leave it empty",
            {"visits": VISITS.with_columns(next_visit_on=pl.lit("2026-02-10"))},
        ),
        (  # of an UUID, whose bytes would become the text
            "patients: person_id cannot be read as text: got 1 rows of type Binary",
            {"patients": PATIENTS.with_columns(person_id=pl.lit(b"abc"))},
        ),
        (
            "patients: not a frame: got list; allowed: a pandas or polars DataFrame; do: make it one (of DuckDB .pl() "
            "or .df())",
            {"patients": [{"person_id": SECRET}]},
        ),
        ("unknown preset: got heart", {"preset": "heart"}),
        ("unknown preset: got ['hearts']; allowed: hearts, qd97, tt37", {"preset": ["hearts"]}),
        ("catalog: not a catalog: got str; do: give what load_catalog() gives", {"catalog": "hearts"}),
        (
            "visits: not a frame: got LazyFrame; allowed: a pandas or polars DataFrame; do: collect it first",
            {"visits": VISITS.lazy()},
        ),
        (
            "visits: sbp holds values of several kinds, or of one that cannot be read: got Object; allowed: one kind "
            "of value in a column; do: convert the column first",
            {
                "visits": pd.DataFrame(VISITS.to_dicts() * 2).assign(
                    sbp=pd.Series([150, SECRET], dtype=object)
                )
            },
        ),
        (
            "visits: a column stands there twice: got sbp; do: keep one of them",
            {"visits": pd.concat([VISITS.to_pandas(), VISITS.to_pandas()[["sbp"]]], axis=1)},
        ),
        (
            "visits: a column is missing: got ('a', 'b'); allowed: person_id,",
            {"visits": pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")]))},
        ),
        (
            "visits: visited_on cannot be read as a date (or text YYYY-MM-DD): got 1 rows of type Int32",
            {"visits": VISITS.with_columns(visited_on=20240110)},
        ),
        (
            "visits: visited_on cannot be read as a date (or text YYYY-MM-DD): got 1 rows of type Float64",
            {"visits": VISITS.with_columns(visited_on=45301.0)},
        ),
        (
            "visits: visited_on is in no plausible year: got 1 rows; allowed: year ≥ 2000, ≤ 2100; do: see how the "
            "dates were read",
            {"visits": VISITS.with_columns(visited_on=pl.lit("0024-01-10"))},
        ),
        (
            "visits: sbp cannot be read as whole numbers: got 1 rows of type List",
            {"visits": VISITS.with_columns(sbp=pl.lit([150]))},
        ),
        (
            "visits: sbp cannot be read as whole numbers: got 1 rows of type Decimal",
            {"visits": VISITS.with_columns(sbp=pl.lit("139.6").cast(pl.Decimal(10, 2)))},
        ),
        (
            "visits: pregnant cannot be read as yes or no (boolean): got 1 rows of type String",
            {"visits": VISITS.with_columns(pregnant=pl.lit("yes"))},
        ),
        (
            "patients: person_id cannot be read as text: got 1 rows of type Float64",
            {"patients": PATIENTS.with_columns(person_id=1.5)},
        ),
        (
            "patients: person_id is empty: got 1 rows; do: fill it, or leave them out",
            {"patients": PATIENTS.with_columns(person_id=pl.lit(" "))},
        ),
        (
            "patients: died before the day of birth: got 1 rows; do: see which of the two dates is right",
            {
                "patients": PATIENTS.with_columns(
                    birth_date=pl.lit("1960-05-01"), died_on=pl.lit("1950-01-01")
                )
            },
        ),
        ("a month is wanted: got 2024", {"first": "2024"}),
        ("the first month is after the last: got 2024-07 and 2024-06; do: swap them", {"first": "2024-07"}),
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
        (
            "unknown person: not among the patients: allowed: a person_id of the patients' frame; do: see how "
            "person_id is written there",
            lambda: ns.explain_person(spells, "nobody"),
        ),
        ("no indicator asked for: allowed: ids of the catalog", lambda: ns.count(spells, [], at="2024-03")),
        *(
            (
                "spells: not what build_spells gives: got DataFrame; allowed: Spells; do: give the spells themselves, "
                "not their .data",
                ask,
            )
            for ask in (
                lambda: ns.states(spells.data, at="2024-03"),
                lambda: ns.count(spells.data, ["enrolled"], at="2024-03"),
                lambda: ns.explain_person(spells.data, SECRET),
            )
        ),
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


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_every_kind_of_pandas_column_gives_the_same_states(backend: str) -> None:
    frames = [frame.to_pandas() for frame in (PATIENTS, DIAGNOSES, VISITS)]
    kinds = [frame.convert_dtypes(dtype_backend=backend) for frame in frames]
    words = [frame.astype({"person_id": "category"}) for frame in frames]
    days = [
        frame.assign(**{c: pd.to_datetime(frame[c]) for c in ("recorded_on", "visited_on") if c in frame})
        for frame in frames
    ]
    wanted = ns.states(ns.build_spells(*frames, **MONTHS), at="2024-05")
    assert list(wanted["outcome"]) == ["missed_visit"]
    for given in (kinds, words, days):
        assert ns.states(ns.build_spells(*given, **MONTHS), at="2024-05").equals(wanted)


def test_ids_that_pandas_turned_into_floats_are_the_same_people() -> None:
    patients, diagnoses = (
        {**frame.to_dict(as_series=False), "person_id": [7]} for frame in (PATIENTS, DIAGNOSES)
    )
    visits = {**VISITS.to_dict(as_series=False), "person_id": [7.0]}
    spells = ns.build_spells(*map(pd.DataFrame, (patients, diagnoses, visits)), **MONTHS)
    assert ns.states(spells, at="2024-03")["person_id"].to_list() == ["7"]
    assert str(ns.explain_person(spells, 7.0)) == str(ns.explain_person(spells, 7))


def test_a_death_that_a_visit_reports_is_a_death() -> None:
    told = VISITS.with_columns(
        visited_on=pl.lit("2024-03-20"), sbp=None, dbp=None, patient_status=pl.lit("dead")
    )
    visits = pl.concat([VISITS, told], how="diagonal_relaxed")
    spells = ns.build_spells(PATIENTS, DIAGNOSES, visits, **MONTHS)
    states = [ns.states(spells, at=month)["care_state"].item() for month in ("2024-02", "2024-03")]
    assert states == ["under_care", "dead"]
    later = PATIENTS.with_columns(died_on=pl.lit("2024-04-02"))  # what the patients' frame says is preferred
    spells = ns.build_spells(later, DIAGNOSES, visits, **MONTHS)
    assert ns.states(spells, at="2024-03")["care_state"].item() == "under_care"
    assert ns.states(spells, at="2024-04")["care_state"].item() == "dead"


def test_one_indicator_or_column_may_stand_alone() -> None:
    spells = ns.build_spells(PATIENTS, DIAGNOSES, VISITS, **MONTHS)
    alone, listed = (
        ns.count(spells, one, at="2024-05", by=by)
        for one, by in (("enrolled", "sex"), (["enrolled"], ["sex", "sex"]))
    )
    assert alone.equals(listed)
    assert alone["numerator"].to_list() == [1.0]


def test_the_columns_of_spells_and_states_are_those_documented() -> None:
    spells = ns.build_spells(PATIENTS, DIAGNOSES, VISITS, first="2023-12", last="2024-06", preset="hearts")
    for frame in (spells.data, ns.states(spells, at="2024-03")):
        kinds = {name: str(dtype) for name, dtype in frame.schema.items()}
        booleans = {name for name, kind in kinds.items() if kind == "Boolean"}
        assert booleans == {
            *("known_case", "known_or_suspected", "newly_detected", "newly_enrolled", "seen", "dispensed"),
            *("overdue", "overdue_at_start", "uncontrolled_twice", "companion_at_target"),
        }
        numbers = {"months_since_enrolment", "from_month", "to_month"} & set(kinds)
        assert {kinds[name] for name in numbers} == {"Int32"}
        assert {kind for name, kind in kinds.items() if name not in booleans | numbers} == {"String"}
        assert not any(frame[name].null_count() for name in frame.columns if name != "months_since_enrolment")
        assert all(name in str(type(spells).data.__doc__) for name in kinds)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"indicators": 5}, "indicators: not names: got int; allowed: a name, or a list of names"),
        ({"indicators": ["dead", 5]}, "indicators: not names: got list; allowed: a name, or a list of names"),
        ({"indicators": None}, "no indicator asked for: allowed: ids of the catalog; do: name one at least"),
        ({"by": 5}, "by: not names: got int; allowed: a name, or a list of names"),
        (
            {"indicators": "estimated_cases"},
            "estimated_cases needs more than patients: got expected cases; allowed: counts of people and shares among "
            "them; do: build a release; it has populations and expected cases",
        ),
    ],
)
def test_names_that_are_none_are_refused_in_words(asked: dict, sentence: str) -> None:
    spells = ns.build_spells(PATIENTS, DIAGNOSES, VISITS, **MONTHS)
    with pytest.raises(NcdsurvError) as caught:
        ns.count(spells, **{"indicators": "dead", "at": "2024-03", **asked})
    assert str(caught.value) == sentence
    assert ns.count(spells, "dead", at="2024-03", by=None).equals(ns.count(spells, "dead", at="2024-03"))


def test_an_appointment_that_is_not_after_its_visit_says_nothing() -> None:
    """As in a release: the default interval stands in."""
    due = ["2024-01-09", "2024-01-10", None]
    told = [
        str(ns.explain_person(ns.build_spells(PATIENTS, DIAGNOSES, visits, **MONTHS), SECRET))
        for visits in (VISITS.with_columns(next_visit_on=pl.lit(day, pl.String)) for day in due)
    ]
    assert told[0] == told[1] == told[2]
    assert "next due 2024-02-09" in told[0]
