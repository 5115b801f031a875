"""Grades of lung function and asthma, after-meal glucose, pregnancy, and diagnoses that no longer stand."""

from __future__ import annotations

import datetime as dt
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.ingest import read_file
from tests.book_support import clean as clean_book
from tests.book_support import workbook
from tests.clean_support import CATALOG, KEY, REFERENCE, clean_one, clean_rows, rule_of
from tests.fhir_support import bundle, condition, encounter, organization, patient, pressure

FHIR = load_catalog().sources["fhir"]
DAY = dt.date


def one(batch: CleanBatch, *columns: str) -> tuple[Any, ...]:
    return batch.visits.select(columns).row(0)


def test_the_book_of_copd_and_asthma_gives_grades_month_by_month(tmp_path: Path) -> None:
    rows = [
        ["SỔ THEO DÕI BỆNH PHỔI TẮC NGHẼN, HEN NĂM 2026"],
        ["STT", "Họ tên", "Năm sinh", "Mã bệnh", "Các tháng trong năm"],
        ["", "", "", "", "Tháng 7", "", "", "Tháng 8"],
        ["", "", "", "", "PEF/FEV1", "Kiểm soát hen", "Thuốc", "PEF/FEV1", "Kiểm soát hen", "Thuốc"],
        [1, "Lò Văn Mẫu", 1960, "J44", 1, None, "x", 3, None, None],
        [2, "Lò Thị Mẫu", 1971, "J45", None, 0, None, "2", "Một phần", "x"],
    ]
    batch = clean_book(workbook(tmp_path, {"BPTNMT, hen": rows}))
    found = batch.visits.select("row_number", "visited_on", "lung_grade", "asthma_control", "supply_days")
    assert sorted(found.rows(), key=str) == [
        (5, DAY(2026, 7, 1), 1, None, 31),
        (5, DAY(2026, 8, 1), 3, None, None),
        (6, DAY(2026, 7, 1), None, 0, None),
        (6, DAY(2026, 8, 1), 2, 1, 31),
    ]
    assert batch.rejects.is_empty()


def test_a_one_is_a_grade_in_its_own_column_and_a_mark_in_any_other(tmp_path: Path) -> None:
    head = ["STT", "Họ tên", "Năm sinh", "Mã bệnh", "Tháng 1", ""]
    below = ["", "", "", "", "PEF/FEV1", "Thuốc"]
    rows = [["SỔ BPTNMT NĂM 2026"], head, below, [1, "Lò Văn Mẫu", 1960, "J44", "1", "1"]]
    batch = clean_book(workbook(tmp_path, {"COPD": rows}))
    assert one(batch, "lung_grade", "supply_days") == (1, 31)


@pytest.mark.parametrize("source", ["viettel", "vnpt", "vietsen"])
@pytest.mark.parametrize(
    ("grade", "control", "expected", "rule"),
    [
        ("2", "Đạt", (2, 2), None),
        ("Kém", "0", (3, 0), None),
        ("4", None, (None, None), "code_unknown"),
        (None, "Một phần", (None, 1), None),
    ],
)
def test_station_systems_give_grades_as_numbers_or_words(
    source: str, grade: str | None, control: str | None, expected: tuple[int | None, ...], rule: str | None
) -> None:
    batch = clean_one(source=source, diagnosis="J45", lung_grade=grade, asthma_control=control)
    assert one(batch, "lung_grade", "asthma_control") == expected
    assert rule_of(batch, "lung_grade") == rule


@pytest.mark.parametrize("source", ["fhir", "his_xml", "health_check"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Glucose máu sau ăn 2 giờ", "post_prandial"),
        ("Glucose postprandial", "post_prandial"),
        ("Đường huyết đói", "fasting"),
        ("Glucose bất kỳ", "random"),
        ("Glucose", "unknown"),
    ],
)
def test_a_glucose_after_a_meal_is_a_kind_of_its_own(source: str, name: str, kind: str) -> None:
    batch = clean_one(source=source, diagnosis="E11", glucose="8.2", glucose_unit="mmol/L", glucose_kind=name)
    assert one(batch, "glucose_mmol_l", "glucose_kind") == (8.2, kind)


@pytest.mark.parametrize(
    ("main", "other", "pregnant", "diseases"),
    [
        ("I10", "Z34.0", True, ["hypertension"]),
        ("E11.9", "O24.1", True, ["diabetes"]),
        ("I10", "Z37", False, ["hypertension"]),
        ("I10", None, False, ["hypertension"]),
        ("Tăng huyết áp", None, False, ["hypertension"]),
    ],
)
def test_the_codes_of_a_contact_say_whether_the_person_is_pregnant(
    main: str, other: str | None, pregnant: bool, diseases: list[str]
) -> None:
    batch = clean_one(diagnosis=main, diagnosis_secondary=other)
    assert one(batch, "pregnant") == (pregnant,)
    assert batch.diagnoses["disease"].to_list() == diseases


@pytest.mark.parametrize(
    "written",
    ["O24.4", "O13", "O14.9", "Đái tháo đường thai kỳ", "Tăng huyết áp thai kỳ", "Gestational diabetes"],
)
def test_disease_of_pregnancy_never_makes_a_case(written: str) -> None:
    batch = clean_one(diagnosis=written)
    assert batch.diagnoses.is_empty()
    assert rule_of(batch, "diagnosis") == "diagnosis_outside_registry"


@pytest.mark.parametrize(
    "written",
    [
        "không có thai",
        "Không có thai",
        "KHÔNG CÓ THAI",
        "chưa có thai",
        "không mang thai",
        "chưa mang thai",
        "không có thai kỳ",
        "không  có\u00a0thai",
        "không do thai kỳ",
        "có thai: không",
        "Có thai : Không",
        "mang thai: chưa",
        "có thai (-)",
        "not pregnant",
        "Non-pregnant",
        "NOT CURRENTLY PREGNANT",
        "no pregnancy",
        "pregnancy test negative",
        "Pregnancy: no",
        "thai sản",
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_denied_pregnancy_is_none_and_the_disease_beside_it_is_a_case(written: str, form: str) -> None:
    text = unicodedata.normalize(form, f"Tăng huyết áp, {written}")
    batch = clean_one(diagnosis=text)
    assert one(batch, "pregnant") == (False,)
    assert batch.diagnoses["disease"].to_list() == ["hypertension"]


@pytest.mark.parametrize(
    "written",
    [
        "có thai",
        "CÓ THAI 20 TUẦN",
        "đang mang thai",
        "không sốt, mang thai 12 tuần",
        "không phù; có thai",
        "chưa sinh, thai kỳ 30 tuần",
        "có thai không kèm phù",
        "Pregnant, not diabetic",
        "gestational",
        "chưa có thai lần nào trước đây, nay mang thai",
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_pregnancy_is_one_whatever_else_is_denied(written: str, form: str) -> None:
    batch = clean_one(diagnosis=unicodedata.normalize(form, f"Tăng huyết áp, {written}"))
    assert batch.diagnoses.is_empty()
    assert rule_of(batch, "diagnosis") == "diagnosis_outside_registry"


@pytest.mark.parametrize(
    ("code", "pregnant"), [("Z32", False), ("Z32.0", False), ("Z32.1", True), ("Z33", True), ("Z36.9", True)]
)
def test_an_examination_for_pregnancy_is_none_until_it_is_confirmed(code: str, pregnant: bool) -> None:
    batch = clean_one(diagnosis=f"I10; {code}")
    assert one(batch, "pregnant") == (pregnant,)


def test_words_written_as_decomposed_text_name_their_disease() -> None:
    batch = clean_one(diagnosis=unicodedata.normalize("NFD", "Tăng huyết áp"))
    assert batch.diagnoses["disease"].to_list() == ["hypertension"]


def test_a_transfer_in_is_kept_as_the_source_says_it() -> None:
    batch = clean_rows([{"patient_status": "1"}], source="moh_ncd_api")
    assert one(batch, "patient_status") == ("transferred_in",)


def test_a_diagnosis_is_dated_by_its_first_and_its_last_statement() -> None:
    days = ("05/01/2025", "03/03/2025", "07/02/2025")
    batch = clean_rows([{"visited_on": day} for day in days])
    assert batch.diagnoses.select("recorded_on", "last_stated_on", "withdrawn_on").rows() == [
        (DAY(2025, 1, 5), DAY(2025, 3, 3), None)
    ]


def _export(tmp_path: Path, *conditions: dict[str, Any], days: tuple[str, ...]) -> CleanBatch:
    visits = []
    for number, day in enumerate(days, 1):
        visit = encounter(number=f"e{number}")
        visit["period"] = {"start": f"{day}T07:45:00+07:00"}
        visits.append(visit)
    path = tmp_path / "02001_a.json"
    path.write_text(bundle([patient(), organization(), *visits, *conditions]), encoding="utf-8")
    return clean_batch(read_file(path, FHIR), FHIR, CATALOG, REFERENCE, KEY)


def _condition(code: str, status: dict[str, str], **cells: Any) -> dict[str, Any]:
    """A diagnosis of the person, not of one encounter."""
    made = condition(code) | {"recordedDate": "2025-01-10", **cells}
    del made["encounter"]
    return made | {name: {"coding": [{"code": word}]} for name, word in status.items()}


DAYS = ("2025-01-10", "2025-03-10", "2025-06-10")
KNOWN = ("disease", "recorded_on", "last_stated_on", "withdrawn_on")


@pytest.mark.parametrize("word", ["inactive", "resolved", "remission"])
@pytest.mark.parametrize("day", ["2025-05-02", "2025-05"])
def test_a_resolved_diagnosis_stands_until_its_last_day(tmp_path: Path, word: str, day: str) -> None:
    over = _condition("J45", {"clinicalStatus": word}, abatementDateTime=day)
    batch = _export(tmp_path, condition("I10") | {"recordedDate": "2025-01-10"}, over, days=DAYS)
    end = DAY(2025, 5, 2 if len(day) > 7 else 1)
    asthma = batch.diagnoses.filter(disease="asthma").select(KNOWN).rows()
    assert sorted(asthma, key=str) == [
        ("asthma", DAY(2025, 1, 10), DAY(2025, 3, 10), None),
        ("asthma", end, end, end),
    ]


@pytest.mark.parametrize("word", ["refuted", "entered-in-error"])
def test_a_diagnosis_in_error_never_stood_and_is_taken_back_when_it_was_found(
    tmp_path: Path, word: str
) -> None:
    wrong = _condition("E11", {"verificationStatus": word}, meta={"lastUpdated": "2025-04-01T10:00:00+07:00"})
    batch = _export(tmp_path, pressure(150, 95), wrong, days=DAYS)
    assert set(batch.diagnoses.select(KNOWN).rows()) == {
        ("diabetes", DAY(2025, 4, 1), DAY(2025, 4, 1), DAY(2025, 4, 1))
    }
    assert batch.diagnoses["detected_on"].to_list() == [None]


def test_without_a_day_a_withdrawn_diagnosis_is_left_aside_as_before(tmp_path: Path) -> None:
    over = _condition("J45", {"clinicalStatus": "resolved"})
    batch = _export(tmp_path, condition("I10") | {"recordedDate": "2025-01-10"}, over, days=DAYS)
    assert set(batch.diagnoses["disease"]) == {"hypertension"}
    assert batch.diagnoses["withdrawn_on"].null_count() == batch.diagnoses.height


def test_a_diagnosis_taken_back_that_is_no_disease_of_the_registry_says_nothing(tmp_path: Path) -> None:
    over = _condition("J00", {"clinicalStatus": "resolved"}, abatementDateTime="2025-02-01")
    batch = _export(tmp_path, condition("I10") | {"recordedDate": "2025-01-10"}, over, days=DAYS)
    assert set(batch.diagnoses["disease"]) == {"hypertension"}


def test_a_pregnancy_on_the_problem_list_lapses_though_nobody_closes_it(tmp_path: Path) -> None:
    pregnancy = _condition("Z34.0", {}) | {"recordedDate": "2025-01-10"}
    known = _condition("I10", {}) | {"recordedDate": "2025-01-10"}
    batch = _export(tmp_path, known, pregnancy, days=("2025-01-10", "2025-11-27", "2025-11-28", "2026-06-01"))
    found = batch.visits.sort("visited_on").select("visited_on", "pregnant").rows()
    assert found == [
        (DAY(2025, 1, 10), True),
        (DAY(2025, 11, 27), True),
        (DAY(2025, 11, 28), False),
        (DAY(2026, 6, 1), False),
    ]
    assert set(batch.diagnoses["disease"]) == {"hypertension"}
