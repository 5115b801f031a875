"""Sex, kinds of contact, status, diagnoses, communes and names: what each source's words become."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest

from ncdsurv.clean.names import name_key
from tests.clean_support import NO_STATIONS, clean_one, clean_rows, read_table, rule_of

SEX = """
source        | written | sex     | rule
his_xml       | 1       | male    | -
his_xml       | 2       | female  | -
his_xml       | 3       | unknown | -
moh_ncd_excel | 01      | male    | -
moh_ncd_excel | 02      | female  | -
moh_ncd_excel | Nữ      | female  | -
moh_ncd_excel | NAM     | male    | -
viettel       | X       | unknown | code_unknown
"""


@pytest.mark.parametrize("row", read_table(SEX), ids=lambda row: f"{row['source']} {row['written']}")
def test_sex_by_the_codes_of_its_source(row: dict[str, str | None]) -> None:
    batch = clean_one(source=str(row["source"]), sex=row["written"], citizen_id=None)
    assert batch.patients["sex"].to_list() == [row["sex"]]
    assert rule_of(batch, "sex") == row["rule"]


KIND = """
code | kind      | rule                   | why
01   | exam      | -                      | exam
05   | exam      | -                      | chronic disease, exam and drugs
08   | exam      | -                      | chronic disease with services
07   | refill    | -                      | drugs by appointment, no exam
16   | screening | code_of_another_list   | screening, a code of August 2026
03   | -         | not_a_register_contact | inpatient
06   | -         | not_a_register_contact | stay at the station
77   | exam      | code_unknown           | not in the list
"""


@pytest.mark.parametrize("row", read_table(KIND), ids=lambda row: row["why"])
def test_kind_of_contact(row: dict[str, str | None]) -> None:
    batch = clean_one(source="his_xml", kind=row["code"])
    assert batch.visits["kind"].to_list() == ([row["kind"]] if row["kind"] else [])
    assert rule_of(batch, "kind") == row["rule"]


STATUS = """
written            | status
2                  | managed
0                  | managed
5                  | managed
1                  | transferred_in
3                  | transferred_out
4                  | dead
2 - Bệnh nhân cũ   | managed
Tử vong            | dead
"""


@pytest.mark.parametrize("row", read_table(STATUS), ids=lambda row: row["written"])
def test_patient_status_of_the_ministry_sheet(row: dict[str, str | None]) -> None:
    batch = clean_one(source="moh_ncd_excel", patient_status=row["written"])
    assert batch.visits["patient_status"].to_list() == [row["status"]]


DIAGNOSES = """
main               | secondary   | diseases              | rule               | why
I10                | -           | hypertension          | -                  | one code
I10                | E11.9;J44.1 | hypertension diabetes copd | -             | secondary codes count
E119               | I10†        | diabetes hypertension | -                  | undotted, dagger
I10 - Tăng huyết áp | -          | hypertension          | -                  | code with words
Tăng huyết áp      | -           | hypertension          | disease_from_words | words only
J00                | -           | -                     | diagnosis_outside_registry | a cold
O24                | -           | -                     | diagnosis_outside_registry | gestational diabetes
Tăng huyết áp thai kỳ | -       | -                     | diagnosis_outside_registry | of pregnancy, in words
"""


@pytest.mark.parametrize("row", read_table(DIAGNOSES), ids=lambda row: row["why"])
def test_diseases_of_a_row(row: dict[str, str | None]) -> None:
    batch = clean_one(diagnosis=row["main"], diagnosis_secondary=row["secondary"])
    assert set(batch.diagnoses["disease"]) >= set((row["diseases"] or "").split())
    assert rule_of(batch, "diagnosis") == row["rule"]
    assert batch.visits["disease"].to_list() in ([], [None])  # a contact is for all diseases of the person


def test_a_screening_gives_no_diagnosis() -> None:
    batch = clean_one(kind="16", diagnosis="I10")
    assert batch.visits["kind"].to_list() == ["screening"]
    assert batch.diagnoses.is_empty()


COMMUNE = """
written         | visited_on | code  | vintage | rule                    | why
00691           | 14/08/2025 | 00691 | 2025    | -                       | after the reform: the new list
00691           | 14/08/2024 | 00691 | 2024    | -                       | before the reform: the old list
691             | 14/08/2024 | 00691 | 2024    | leading_zero_restored   | zeros lost
00688           | 14/08/2025 | 00688 | 2024    | commune_of_other_vintage | an old code written after the reform
00700           | 14/08/2024 | 00700 | 2025    | commune_of_other_vintage | a new code in an old visit re-exported
00691 - Xã Mẫu  | 14/08/2025 | 00691 | 2025    | -                       | code with its name
99999           | 14/08/2025 | 00691 | 2025    | residence_from_facility | in no list: the station's commune
-               | 14/08/2025 | 00691 | 2025    | residence_from_facility | empty: the station's commune
"""


@pytest.mark.parametrize("row", read_table(COMMUNE), ids=lambda row: row["why"])
def test_commune_of_residence_has_a_vintage(row: dict[str, str | None]) -> None:
    batch = clean_one(commune=row["written"], visited_on=row["visited_on"])
    kept = batch.patients.row(0, named=True)
    assert (kept["commune_code"], kept["commune_vintage"]) == (row["code"], row["vintage"])
    assert rule_of(batch, "commune_code") == row["rule"]


@pytest.mark.parametrize(("written", "rule"), [("99999", "commune_unknown"), (None, "commune_missing")])
def test_without_a_station_list_an_unknown_commune_rejects_the_row(written: str | None, rule: str) -> None:
    batch = clean_one(reference=NO_STATIONS, commune=written)
    assert batch.rejects.select("rule", "column").rows() == [(rule, "commune")]


def test_a_change_of_commune_or_station_starts_a_new_patient_row() -> None:
    batch = clean_rows(
        [
            {"visited_on": "14/05/2025", "commune": "00688"},
            {"visited_on": "14/06/2025", "commune": "00688"},
            {"visited_on": "14/07/2025", "commune": "00700"},
            {"visited_on": "14/08/2025", "commune": "00700", "facility": "02002"},
        ]
    )
    assert batch.patients["record_id"].n_unique() == 1
    assert batch.patients.select("commune_code", "facility").rows() == [
        ("00688", "02001"),
        ("00700", "02001"),
        ("00700", "02002"),
    ]


NAMES = """
one             | other           | why
Nguyễn Thị Hoà  | Nguyễn Thị Hòa  | tone placement
Lê Thúy         | LÊ THUÝ         | tone placement and case
Đỗ Văn Đức      | Ðỗ Văn Ðức      | look-alike of Đ
Y Bhăm Niê      | y  bham  nie    | ethnic name without accents
H'Nguyên Êban   | HNguyên Êban    | apostrophe
"""


@pytest.mark.parametrize("row", read_table(NAMES), ids=lambda row: row["why"])
def test_name_key_forgives_spelling(row: dict[str, str | None]) -> None:
    frame = pl.DataFrame({"name": [row["one"], row["other"], unicodedata.normalize("NFD", str(row["one"]))]})
    assert frame.select(name_key(pl.col("name"))).to_series().n_unique() == 1


def test_legacy_text_is_repaired_by_column_and_good_text_left_alone() -> None:
    legacy = clean_rows(
        [{"name": "NguyÔn ThÞ Hoµ"}, {"name": "Lª Thóy", "visited_on": "15/08/2025", "citizen_id": None}]
    )
    assert sorted(legacy.identifiers["name"]) == ["Lê Thúy", "Nguyễn Thị Hoà"]
    assert legacy.repairs.filter(column="name")["rule"].to_list() == ["legacy_encoding"] * 2
    good = clean_one(name="Nguyễn Thị Hòa")
    assert good.identifiers["name"].to_list() == ["Nguyễn Thị Hòa"]
    assert rule_of(good, "name") is None


def test_decomposed_names_are_composed_and_logged() -> None:
    batch = clean_one(name=unicodedata.normalize("NFD", "Nguyễn Thị Hoà"))
    assert batch.identifiers["name"].to_list() == ["Nguyễn Thị Hoà"]
    assert rule_of(batch, "name") == "unicode_composed"


def test_facility_keeps_its_zero() -> None:
    batch = clean_one(facility="2001")
    assert batch.visits["facility"].to_list() == ["02001"]
    assert rule_of(batch, "facility") == "leading_zero_restored"


@pytest.mark.parametrize("nothing", ["NULL", "-", "#N/A", " "])
def test_a_written_nothing_is_an_empty_cell(nothing: str) -> None:
    batch = clean_one(sbp=nothing, dbp=nothing, phone=nothing, detected_on=nothing)
    assert batch.visits.select("sbp", "dbp").rows() == [(None, None)]
    assert batch.repairs.is_empty()


def test_totals_and_signatures_below_a_table_are_rejected_as_no_record() -> None:
    empty = dict.fromkeys(("sex", "birth_date", "citizen_id", "commune", "visited_on", "diagnosis"))
    batch = clean_rows([{}, {**empty, "name": "Tổng cộng"}, {**empty, "name": "Người lập biểu"}])
    assert batch.rejects["rule"].to_list() == ["not_a_record"] * 2
