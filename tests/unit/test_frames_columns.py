"""Columns and words of an analyst's frames: what is refused shows no value, and what is harmless is not refused."""

from __future__ import annotations

import traceback
from typing import Any

import polars as pl
import pytest

import ncdsurv as ns
from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.conditions import Condition
from ncdsurv.errors import NcdsurvError

PERSON = "Nguyễn Văn A"
PATIENTS = pl.DataFrame({"person_id": ["A"]})
DIAGNOSES = pl.DataFrame({"person_id": ["A"], "disease": ["hypertension"], "recorded_on": ["2024-01-10"]})
VISITS = pl.DataFrame({"person_id": ["A"], "visited_on": ["2024-01-10"], "sbp": [150], "dbp": [95]})
CATALOG = load_catalog()
OF_ONE = pl.lit(PERSON).cast(pl.Enum([PERSON]))


def build(**frames: Any) -> Any:
    given = {"patients": PATIENTS, "diagnoses": DIAGNOSES, "visits": VISITS, **frames}
    catalog = given.pop("catalog", CATALOG)
    return ns.build_spells(**given, first="2024-01", last="2024-06", preset="hearts", catalog=catalog)


def refusal(**frames: Any) -> str:
    """What is said, which holds no value: neither itself nor what a library said before it."""
    with pytest.raises(NcdsurvError) as caught:
        build(**frames)
    assert PERSON not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


@pytest.mark.parametrize(("name", "frame"), [("visits", VISITS), ("diagnoses", DIAGNOSES)])
@pytest.mark.parametrize("word", [PERSON, "Hypertension", "hypertention"])
def test_a_disease_of_no_such_name_is_counted_and_not_shown(
    name: str, frame: pl.DataFrame, word: str
) -> None:
    diseases = "hypertension, diabetes, copd, asthma, epilepsy, schizophrenia, depression, anxiety, cancer, "
    diseases += "cardiovascular_disease, copd_or_asthma, other_ncd"
    assert refusal(**{name: frame.with_columns(disease=pl.lit(word))}) == (
        f"{name}: disease has a word or code that is not known: got 1 rows; allowed: {diseases}; do: translate the "
        "column first"
    )


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("sbp", OF_ONE, "whole numbers: got 1 rows of type Enum; "),
        ("sbp", pl.concat_list(OF_ONE), "whole numbers: got 1 rows of type List; "),
        ("sbp", pl.struct(pl.lit(1).alias(PERSON)), "whole numbers: got 1 rows of type Struct; "),
        ("glucose_mmol_l", pl.struct(a=OF_ONE), "numbers: got 1 rows of type Struct; "),
        ("facility", pl.concat_list(OF_ONE), "text: got 1 rows of type List; "),
        ("visited_on", OF_ONE, "a date (or text YYYY-MM-DD): got 1 rows of type Enum; "),
    ],
)
def test_a_type_is_named_without_the_values_that_it_may_list(column: str, value: pl.Expr, said: str) -> None:
    message = refusal(visits=VISITS.with_columns(value.alias(column)))
    assert message.startswith(f"visits: {column} cannot be read as {said}")


def test_a_text_column_that_is_an_enum_is_read_as_text() -> None:
    assert build(visits=VISITS.with_columns(facility=OF_ONE)).data["facility"].to_list()[-1] == PERSON


@pytest.mark.parametrize(
    "column", ["id", "patient", "patient_id", "patient_sex", "name", "note", "order", "visit"]
)
def test_a_column_of_the_analysts_own_is_left_alone(column: str) -> None:
    own = build(visits=VISITS.with_columns(pl.lit(PERSON).alias(column)))
    assert own.data.equals(build().data)


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        ("glucose", "glucose_mmol_l"),
        ("hba1c", "hba1c_percent"),
        ("hba1c_pct", "hba1c_percent or hba1c_unit"),
        ("Height", "height_cm"),
        ("next_visit", "next_visit_on"),
        ("facilty", "facility"),
        ("facility_id", "facility"),
        ("disease_code", "disease"),
        ("facility_name", "facility"),
        ("grade", "lung_grade"),
        ("control", "asthma_control"),
        ("kinds", "kind"),
        ("patient_state", "patient_status"),
    ],
)
def test_a_column_that_would_be_an_empty_one_is_refused(column: str, meant: str) -> None:
    assert refusal(visits=VISITS.with_columns(pl.lit(1).alias(column))) == (
        f"visits: a column that looks like {meant} but is not: got {column}; do: rename it, or drop it"
    )


def test_an_area_by_another_name_is_not_passed_over() -> None:
    assert refusal(patients=PATIENTS.with_columns(area_id=pl.lit("01234"))) == (
        "patients: a column that looks like area but is not: got area_id; do: rename it, or drop it"
    )


def limited(**limits: dict[str, float]) -> Any:
    """The catalog with some limits written another way."""
    changed = {
        name: CATALOG.plausibility[name].model_copy(update={"limits": Condition.parse({"value": bounds})})
        for name, bounds in limits.items()
    }
    return CATALOG.model_copy(update={"plausibility": {**CATALOG.plausibility, **changed}})


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        ({"visit_year": {"gt": 1999, "lt": 2101}, "age_years": {"ge": 0, "lt": 121}}, "year ≥ 1880, ≤ 2100"),
        ({"visit_year": {"gt": 1999.5, "le": 2100.5}, "age_years": {"lt": 120.5}}, "year ≥ 1880, ≤ 2100"),
        ({"visit_year": {"ge": 2000}}, "year ≥ 1880"),
        ({"age_years": {"ge": 0}}, "year ≤ 2100"),
    ],
)
def test_the_years_of_a_life_follow_limits_however_they_are_written(limits: dict, allowed: str) -> None:
    wrong = "2924-01-10" if "≤" in allowed else "1024-01-10"
    message = refusal(diagnoses=DIAGNOSES.with_columns(detected_on=pl.lit(wrong)), catalog=limited(**limits))
    assert message == (
        f"diagnoses: detected_on is in no plausible year: got 1 rows; allowed: {allowed}; do: see how the dates were "
        "read"
    )
    right = DIAGNOSES.with_columns(detected_on=pl.lit("1880-01-10"))
    assert build(diagnoses=right, catalog=limited(**limits)).data.height


def test_without_any_limit_every_year_will_do() -> None:
    nothing = limited(visit_year={"gt": 0}, age_years={"ge": 0})
    assert build(
        diagnoses=DIAGNOSES.with_columns(detected_on=pl.lit("1024-01-10")), catalog=nothing
    ).data.height
