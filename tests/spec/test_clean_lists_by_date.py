"""Codes are read by the list of their day: visit types, ICD-10 versions, facilities and communes by name."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest

from ncdsurv.reference import load_reference
from tests.clean_support import NO_STATIONS, REFERENCE, SmallReference, clean_one, read_table, rule_of

VISIT_TYPE = """
code | visited_on | kind      | rule                   | why
05   | 14/08/2025 | exam      | -                      | chronic visit, exam and drugs
08   | 14/08/2025 | exam      | -                      | chronic visit with services
07   | 14/08/2025 | refill    | -                      | drugs by appointment, no exam
5    | 14/08/2025 | exam      | -                      | Decision 130 sent numbers
7    | 14/08/2025 | refill    | -                      | a refill as a number
16   | 31/07/2026 | screening | code_of_another_list   | screening, the day before the list of 16 codes
16   | 01/08/2026 | screening | -                      | screening, the first day of the list
13   | 01/08/2026 | exam      | -                      | family medicine
13   | 31/07/2026 | exam      | code_of_another_list   | family medicine before its list
09   | 01/08/2026 | -         | not_a_register_contact | inpatient below four hours
06   | 14/08/2025 | -         | not_a_register_contact | overnight stay at the station
17   | 01/08/2026 | exam      | code_unknown           | in no list
"""


@pytest.mark.parametrize("row", read_table(VISIT_TYPE), ids=lambda row: row["why"])
def test_a_visit_type_is_read_by_the_list_of_its_day(row: dict[str, str | None]) -> None:
    batch = clean_one(source="his_xml", kind=row["code"], visited_on=row["visited_on"])
    assert batch.visits["kind"].to_list() == ([row["kind"]] if row["kind"] else [])
    assert rule_of(batch, "kind") == row["rule"]


def test_a_refill_is_no_exam_and_needs_no_pressure() -> None:
    visit = clean_one(source="his_xml", kind="07", blood_pressure=None, supply_days="28").visits
    assert visit.select("kind", "sbp", "supply_days").row(0) == ("refill", None, 28)


ICD = """
visited_on | ended_on   | list        | why
30/06/2026 | -          | qd4469_2020 | the old list to the end of June 2026
01/07/2026 | -          | tt06_2026   | Circular 06/2026 from 1 July 2026
30/06/2026 | 01/07/2026 | tt06_2026   | the day the visit ends decides
01/07/2026 | 30/06/2026 | tt06_2026   | an end before the beginning is no end
"""


@pytest.mark.parametrize("row", read_table(ICD), ids=lambda row: row["why"])
def test_the_version_of_the_icd_list_is_recorded_and_diseases_match_by_prefix(
    row: dict[str, str | None],
) -> None:
    batch = clean_one(
        source="his_xml", visited_on=row["visited_on"], ended_on=row["ended_on"], diagnosis="I10.02"
    )
    assert batch.diagnoses.select("disease", "icd10", "icd10_list").rows()[0] == (
        "hypertension",
        "I1002",
        row["list"],
    )


STATIONS = pl.DataFrame(
    {
        "code": ["02001", "02002", "02003", "02009"],
        "commune_code": ["00691"] * 4,
        "vintage": ["2025"] * 4,
        "valid_from": [dt.date(2020, 1, 1)] * 4,
        "valid_to": [None, dt.date(2025, 12, 31), dt.date(2025, 6, 30), dt.date(2025, 12, 31)],
        "successor": [None, "02001", "02002", None],
        "gln": ["8930000020015", None, None, None],
    }
)
FACILITIES = """
written       | visited_on | facility | rule                  | why
02001         | 14/08/2026 | 02001    | -                     | in force
2001          | 14/08/2026 | 02001    | leading_zero_restored | zero lost
02002         | 31/12/2025 | 02002    | -                     | the last day of an old code
02002         | 01/01/2026 | 02001    | facility_succeeded    | merged: the successor's code
02003         | 14/08/2025 | 02002    | facility_succeeded    | merged once by then
02003         | 14/08/2026 | 02001    | facility_succeeded    | merged twice by then
02009         | 14/08/2026 | 02009    | facility_not_in_force | closed, no successor known
8930000020015 | 14/08/2026 | 02001    | facility_from_gln     | the 13-digit number
8930000029999 | 14/08/2026 | -        | facility_gln_unknown  | a number in no list
"""


@pytest.mark.parametrize("row", read_table(FACILITIES), ids=lambda row: row["why"])
def test_a_facility_code_has_a_validity_and_a_successor(row: dict[str, str | None]) -> None:
    batch = clean_one(SmallReference(STATIONS), facility=row["written"], visited_on=row["visited_on"])
    assert batch.visits["facility"].to_list() == ([row["facility"]] if row["facility"] else [])
    assert rule_of(batch, "facility") == row["rule"]


@dataclass(frozen=True)
class WithStation:
    """The built-in areas with one station in a commune of old Trà Vinh."""

    whole: Any
    facilities: pl.DataFrame

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)


WHOLE = load_reference()
LONG_DUC = WHOLE.areas("commune", "2024").filter(name="Xã Long Đức", parent_code="842")["code"][0]
STATION = pl.DataFrame({"code": ["02001"], "commune_code": [LONG_DUC], "vintage": ["2024"]})
AT_STATION, ANYWHERE = WithStation(WHOLE, STATION), WithStation(WHOLE, NO_STATIONS.facilities)

NAMED = """
commune     | address                                        | visited_on | station | name           | vintage | rule                           | why
-           | Ấp 3, xã Long Đức, TP Trà Vinh, tỉnh Trà Vinh  | 14/08/2024 | -       | Xã Long Đức    | 2024    | commune_from_name              | address before the reform
-           | Phường Ba Đình, thành phố Hà Nội               | 14/08/2025 | -       | Phường Ba Đình | 2025    | commune_from_name              | address after it
xã Long Đức | Ấp 3                                           | 14/08/2024 | yes     | Xã Long Đức    | 2024    | commune_from_name_near_station | a name in the commune column
xã Long Đức | Ấp 3                                           | 14/08/2024 | -       | -              | -       | commune_unknown                | a name without a province
-           | Tổ 5                                           | 14/08/2024 | -       | -              | -       | commune_missing                | no commune in the address
"""  # noqa: E501


@pytest.mark.parametrize("row", read_table(NAMED), ids=lambda row: row["why"])
def test_a_commune_by_name_or_address(row: dict[str, str | None]) -> None:
    reference = AT_STATION if row["station"] else ANYWHERE
    batch = clean_one(reference, **{name: row[name] for name in ("commune", "address", "visited_on")})
    found = batch.patients.select("commune_code", "commune_vintage").rows()
    if row["name"] is None:
        assert not found
        assert batch.rejects["rule"].to_list() == [row["rule"]]
        return
    ((code, vintage),) = found
    assert (WHOLE.area(code, vintage)["name"], vintage) == (row["name"], row["vintage"])
    assert rule_of(batch, "commune_code") == row["rule"]


def test_between_two_communes_of_one_name_nothing_is_guessed() -> None:
    address = {"commune": None, "address": "Phường 1, tỉnh Trà Vinh", "visited_on": "14/08/2024"}
    assert clean_one(ANYWHERE, **address).rejects["rule"].to_list() == ["commune_ambiguous"]
    kept = clean_one(AT_STATION, **address)
    assert set((rule_of(kept, "commune_code") or "").split(", ")) == {
        "residence_from_facility",
        "commune_ambiguous",
    }


APPOINTMENTS = """
written             | next       | why
20250911            | 2025-09-11 | one
20250911;20251009   | 2025-09-11 | the first of two
20251009;20250911   | 2025-09-11 | in any order
20250814;20250911   | 2025-09-11 | the day of the visit stands first
20250911;           | 2025-09-11 | a list of one
20250701;20250801   | -          | all passed
"""


@pytest.mark.parametrize("row", read_table(APPOINTMENTS), ids=lambda row: row["why"])
def test_the_next_of_several_appointments_counts(row: dict[str, str | None]) -> None:
    batch = clean_one(REFERENCE, source="his_xml", next_visit_on=row["written"])
    assert [str(day) for day in batch.visits["next_visit_on"].drop_nulls()] == (
        [row["next"]] if row["next"] else []
    )


SIGNS = """
text                                                  | bp      | why
CSST<M75_T37_HA120/70_NT18_HL2>                       | 120/70  | the convention of Decision 4750
csst<m75_t37_ha120/70_nt18>                           | 120/70  | small letters
CSST&lt;M75_T37_HA138/86_NT18&gt;                     | 138/86  | escaped twice
CSST<HA: 130/80; M: 75>                               | 130/80  | colon and blank
Tỉnh. CSST<M75_HA120/70>. HA cao nhất 180/100         | 120/70  | words after the vital signs
HA 160/90 lúc vào; CSST<M75_HA140/85>                 | 140/85  | the vital signs outrank other words
Huyết áp 150/95 mmHg                                  | 150/95  | words only
HATT: 130 mmHg, HATTr: 80 mmHg                        | 130/80  | apart
CSST<M_T_HA_NT_HL>                                    | -       | an empty template
mục tiêu HA < 140/90                                  | -       | a target is no reading
Số nhà 120/70 đường Nguyễn Văn Mẫu, ngoài làng        | -       | a house number
"""


@pytest.mark.parametrize("row", read_table(SIGNS), ids=lambda row: row["why"])
def test_blood_pressure_out_of_the_clinical_course(row: dict[str, str | None]) -> None:
    visit = clean_one(source="his_xml", blood_pressure=row["text"]).visits.row(0, named=True)
    got = f"{visit['sbp']}/{visit['dbp']}" if visit["sbp"] else None
    assert got == row["bp"]
