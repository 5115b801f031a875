"""Numbers that identify people: what is accepted, mended, or not used."""

from __future__ import annotations

import pytest

from tests.clean_support import clean_one, clean_rows, read_table, rule_of

CITIZEN = """
written          | kept         | rule                  | why
002161012345     | 002161012345 | -                     | CCCD of a woman of 1961
002 161 012 345  | 002161012345 | -                     | spaces
'002161012345    | 002161012345 | -                     | the apostrophe of a spreadsheet
2161012345       | 002161012345 | leading_zero_restored | two zeros lost in a number cell
79161012345      | 079161012345 | leading_zero_restored | one zero lost
161012345        | 161012345    | -                     | CMND, nine digits
61012345         | 061012345    | leading_zero_restored | CMND with its zero lost
B1234567         | B1234567     | -                     | passport
000000000000     | -            | placeholder_number    | zeros to satisfy a form
123456789012     | -            | placeholder_number    | counting up
111111111        | -            | placeholder_number    | one digit
002961012345     | -            | citizen_id_shape      | born in a century to come
2.161E+11        | -            | citizen_id_shape      | digits lost to a float
chưa có          | -            | citizen_id_shape      | words
"""

INSURANCE = """
written                         | kept       | rule                   | why
DN4790187654321                 | 0187654321 | -                      | card: the last ten are the number
DN 4 79 0187654321              | 0187654321 | -                      | card with spaces
DN4790187654321;HT3790187654321 | 0187654321 | -                      | two cards of one person
0123456781                      | 0123456781 | -                      | the number alone
123456781                       | 0123456781 | leading_zero_restored  | its zero lost
DN479                           | -          | insurance_number_shape | cut off
0000000000                      | -          | placeholder_number     | zeros
"""

PHONE = """
written        | kept       | rule                  | why
0912345678     | 0912345678 | -                     | mobile
+84 912 345 678 | 0912345678 | -                     | with the country code
912345678      | 0912345678 | leading_zero_restored | zero lost
02193812345    | 02193812345 | -                     | landline
12             | -          | phone_shape           | too short
"""


@pytest.mark.parametrize("row", read_table(CITIZEN), ids=lambda row: row["why"])
def test_citizen_id(row: dict[str, str | None]) -> None:
    batch = clean_one(citizen_id=row["written"], sex=None, birth_date="1961", age=None)
    kept = batch.identifiers["citizen_id"].to_list()[0]
    rules = (rule_of(batch, "citizen_id") or "").split(", ")
    assert kept == row["kept"]
    assert (row["rule"] or "") in rules


@pytest.mark.parametrize("row", read_table(INSURANCE), ids=lambda row: row["why"])
def test_insurance_number(row: dict[str, str | None]) -> None:
    batch = clean_one(insurance_number=row["written"])
    assert batch.identifiers["insurance_number"].to_list() == [row["kept"]]
    assert rule_of(batch, "insurance_number") == row["rule"]


@pytest.mark.parametrize("row", read_table(PHONE), ids=lambda row: row["why"])
def test_phone(row: dict[str, str | None]) -> None:
    batch = clean_one(phone=row["written"])
    assert batch.identifiers["phone"].to_list() == [row["kept"]]
    assert rule_of(batch, "phone") == row["rule"]


AGAINST_PERSON = """
citizen_id   | sex | birth | kept         | rule                         | why
002161012345 | 2   | 1961  | 002161012345 | -                            | agrees
002161012345 | 1   | 1961  | 002161012345 | citizen_id_doubtful          | other sex
002161012345 | 2   | 1960  | 002161012345 | citizen_id_doubtful          | other year
002161012345 | 1   | 1990  | -            | citizen_id_of_another_person | another person's number
"""


@pytest.mark.parametrize("row", read_table(AGAINST_PERSON), ids=lambda row: row["why"])
def test_citizen_id_is_held_against_sex_and_birth_year(row: dict[str, str | None]) -> None:
    batch = clean_one(citizen_id=row["citizen_id"], sex=row["sex"], birth_date=row["birth"])
    assert batch.identifiers["citizen_id"].to_list() == [row["kept"]]
    assert rule_of(batch, "citizen_id") == row["rule"]


def test_missing_sex_and_birth_are_read_from_the_citizen_id_and_logged() -> None:
    batch = clean_one(sex=None, birth_date=None)
    assert batch.patients.select("sex", "birth_precision").rows() == [("female", "year")]
    assert rule_of(batch, "sex") == "sex_from_citizen_id"
    assert rule_of(batch, "birth_date") == "birth_year_from_citizen_id"


def test_a_refused_birth_date_is_not_replaced() -> None:
    assert rule_of(clean_one(birth_date="05/03/61"), "birth_date") == "two_digit_year"


def test_personal_id_in_the_insurance_column() -> None:
    batch = clean_one(citizen_id=None, insurance_number="002161012345")
    assert batch.identifiers["citizen_id"].to_list() == ["002161012345"]
    assert rule_of(batch, "citizen_id") == "citizen_id_from_card"


AGES = """
sex  | age | age_male | age_female | kept_sex | year | why
1    | 64  | -        | -          | male     | 1961 | an age column
-    | -   | 64       | -          | male     | 1961 | the age stands in the men's column
-    | -   | -        | 1961       | female   | 1961 | a birth year stands in the women's column
"""


@pytest.mark.parametrize("row", read_table(AGES), ids=lambda row: row["why"])
def test_sex_and_birth_year_from_age_columns(row: dict[str, str | None]) -> None:
    changes = {name: row[name] for name in ("sex", "age", "age_male", "age_female")}
    batch = clean_one(**changes, birth_date=None, citizen_id=None)
    kept = batch.patients.row(0, named=True)
    assert (kept["sex"], kept["birth_date"].year, kept["birth_precision"]) == (
        row["kept_sex"],
        int(str(row["year"])),
        "year",
    )


def test_the_same_patient_keeps_one_record_through_lost_zeros_and_spelling() -> None:
    batch = clean_rows(
        [
            {"citizen_id": "002161012345", "visited_on": "14/08/2025"},
            {"citizen_id": "2161012345", "visited_on": "11/09/2025", "name": "LO THI MAU"},
        ]
    )
    assert batch.visits["record_id"].n_unique() == 1
    assert batch.identifiers.height == 1


def test_a_patient_number_means_nothing_outside_its_station() -> None:
    batch = clean_rows(
        [
            {"source_patient_id": "7", "facility": "02001", "citizen_id": None},
            {"source_patient_id": "7", "facility": "02002", "citizen_id": None},
        ]
    )
    assert batch.visits["record_id"].n_unique() == 2


def test_without_any_identity_a_row_is_rejected() -> None:
    batch = clean_one(name=None, citizen_id=None, phone="0912345678")
    assert batch.rejects["rule"].to_list() == ["identity_missing"]
