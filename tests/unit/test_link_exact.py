"""Who is the same person: each case as a station's clerk would tell it."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ncdsurv.catalog.tables import IDENTIFIERS, PATIENTS, conform
from ncdsurv.link import link_records

KEY = b"k" * 32
BIRTH = date(1958, 3, 17)
ONE, OTHER = "079058000001", "079158000002"


def record(record_id: str, **known: object) -> dict[str, object]:
    base = {
        "record_id": record_id,
        "name_key": "nguyen van an",
        "sex": "male",
        "birth_date": BIRTH,
        "birth_precision": "day",
        "commune_code": "26740",
        "commune_vintage": "2024",
    }
    return base | known


def people(*records: dict[str, object], atoms: pl.DataFrame | None = None) -> list[set[str]]:
    """The groups of records that were given one person."""
    frame = pl.DataFrame(list(records), infer_schema_length=None)
    crosswalk = link_records(conform(frame, IDENTIFIERS), conform(frame, PATIENTS), KEY, atoms)
    assert crosswalk["record_id"].is_unique().all()
    groups = crosswalk.group_by("person_id").agg("record_id")["record_id"].to_list()
    return sorted((set(group) for group in groups), key=min)


def test_the_same_citizen_number_in_two_systems_is_one_person():
    assert people(record("a", citizen_id=ONE), record("b", citizen_id=ONE, commune_code="1")) == [{"a", "b"}]


def test_the_rule_names_the_strongest_pass_and_a_record_alone_is_single():
    rows = [
        record("a", citizen_id=ONE, insurance_number="GD4797901234567"),
        record("b", citizen_id=ONE, insurance_number="GD4797901234567"),
        record("c", name_key="tran thi be", sex="female", insurance_number="DN4797907654321"),
        record("d", name_key="tran thi be", sex="female", insurance_number="7907654321"),
        record("e", name_key="le thi ca", sex="female"),
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    crosswalk = link_records(conform(frame, IDENTIFIERS), conform(frame, PATIENTS), KEY)
    assert dict(crosswalk.select("record_id", "rule").iter_rows()) == {
        "a": "citizen_id",
        "b": "citizen_id",
        "c": "insurance_number",
        "d": "insurance_number",
        "e": "single",
    }
    assert crosswalk["score"].to_list() == [1.0] * 5
    assert crosswalk["record_id"].is_sorted()


def test_a_card_number_and_the_social_insurance_number_inside_it_match():
    card, social = record("a", insurance_number="GD4797901234567"), record("b", insurance_number="7901234567")
    assert people(card | {"name_key": "x"}, social) == [{"a", "b"}]


def test_a_couple_on_one_citizen_number_stays_two_people():
    wife = record("b", citizen_id=ONE, sex="female", birth_date=date(1963, 1, 2), name_key="le thi ca")
    assert people(record("a", citizen_id=ONE), wife) == [{"a"}, {"b"}]


@pytest.mark.parametrize(
    "slip",
    [{"sex": "female"}, {"birth_date": date(1985, 3, 17)}, {"name_key": "nguyen van anh"}],
    ids=lambda s: next(iter(s)),
)
def test_one_slip_of_the_pen_does_not_part_a_citizen_number(slip):
    assert people(record("a", citizen_id=ONE), record("b", citizen_id=ONE, **slip)) == [{"a", "b"}]


def test_the_same_name_birth_sex_and_commune_is_one_person():
    assert people(record("a"), record("b")) == [{"a", "b"}]


@pytest.mark.parametrize(
    "other",
    [
        {"birth_precision": "year"},
        {"commune_code": "26743"},
        {"sex": "female"},
        {"birth_date": date(1958, 3, 18)},
        {"name_key": None},
        {"commune_code": None},
        {"commune_vintage": "2025"},
    ],
    ids=lambda o: next(iter(o)),
)
def test_one_part_of_the_weak_key_missing_or_different_is_no_match(other):
    assert people(record("a"), record("b") | other) == [{"a"}, {"b"}]


def test_a_commune_of_2024_matches_the_commune_it_became():
    atoms = pl.DataFrame(
        {"commune_2024": ["26740", "26743"], "commune_2025": ["26740x", "26740x"], "share": [1.0, 1.0]}
    )
    now = record("b", commune_code="26740x", commune_vintage="2025")
    assert people(record("a"), now, atoms=atoms) == [{"a", "b"}]


def test_two_citizen_numbers_are_two_people_whatever_else_agrees():
    insured = {"insurance_number": "7901234567"}
    assert people(record("a", citizen_id=ONE, **insured), record("b", citizen_id=OTHER, **insured)) == [
        {"a"},
        {"b"},
    ]


def test_a_record_that_fits_two_citizen_numbers_is_left_alone():
    assert people(record("a", citizen_id=ONE), record("b"), record("c", citizen_id=OTHER)) == [
        {"a"},
        {"b"},
        {"c"},
    ]


def test_a_chain_of_weak_keys_does_not_join_two_citizen_numbers():
    found = people(
        record("a", citizen_id=ONE, insurance_number="7901234567"),
        record("b", insurance_number="7901234567", name_key="nguyen van an", commune_code="1"),
        record("c", citizen_id=OTHER, commune_code="1"),
    )
    assert not any({"a", "c"} <= group for group in found)


def test_a_filler_number_on_many_records_joins_nobody():
    filler = [record(f"r{i:02d}", citizen_id="079000000001", name_key=f"n{i}") for i in range(21)]
    assert len(people(*filler)) == 21


@pytest.mark.parametrize("bad", ["000000000000", "07905800001", "07905800000A"])
def test_a_malformed_citizen_number_is_no_key(bad):
    assert people(record("a", citizen_id=bad, commune_code="1"), record("b", citizen_id=bad)) == [
        {"a"},
        {"b"},
    ]


def test_a_corrected_citizen_number_counts_as_last_received():
    rows = [
        record("a", citizen_id=ONE),
        record("a", citizen_id=OTHER),
        record("b", citizen_id=ONE, commune_code="1"),
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    identifiers = conform(frame, IDENTIFIERS).with_columns(pl.Series("received", [1, 2, 1]))
    crosswalk = link_records(identifiers, conform(frame, PATIENTS), KEY)
    assert crosswalk["person_id"].n_unique() == 2


def test_another_key_gives_other_ids_and_the_same_people():
    frame = pl.DataFrame([record("a"), record("b")])
    one, two = (
        link_records(conform(frame, IDENTIFIERS), conform(frame, PATIENTS), key) for key in (KEY, b"q" * 32)
    )
    assert one["person_id"].n_unique() == two["person_id"].n_unique() == 1
    assert one["person_id"][0] != two["person_id"][0]
    assert "a" not in one["person_id"].to_list()
