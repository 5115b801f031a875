"""A source is one TOML; what it lacks is told at load, all at once, with file, field, columns and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.load import DEFINITIONS
from ncdsurv.catalog.plausibility import NEEDED, load_plausibility
from ncdsurv.catalog.sources import FIELDS, load_sources

DISEASES = load_catalog().diseases

GOOD = """
names = { vi = "Nguồn thử", en = "Trial source" }
reader = "table"
source = "none"
verified = false
file_name = '^(?P<facility>\\d{5})_'
fields.name.columns = ["HO_TEN"]
fields.birth_date.columns = ["NGAY_SINH"]
fields.visited_on.columns = ["NGAY_KHAM"]
fields.diagnosis.columns = ["MA_BENH"]
[fields.sex]
columns = ["GIOI_TINH"]
values = { male = ["1"], female = ["2"] }
"""


def problems_of(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "trial.toml").write_text(text, encoding="utf-8")
    return load_sources(tmp_path, DISEASES)[1]


def test_a_new_source_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "trial.toml").write_text(GOOD, encoding="utf-8")
    found, problems = load_sources(tmp_path, DISEASES)
    assert problems == []
    assert found["trial"].mapped >= {"name", "sex", "facility"}


def test_the_three_sources_of_the_package_are_complete() -> None:
    found, problems = load_sources(DEFINITIONS / "sources", DISEASES)
    assert problems == []
    assert len(found) >= 3


def test_every_gap_is_reported_at_once_with_file_columns_and_what_to_do(tmp_path: Path) -> None:
    text = GOOD.replace('fields.birth_date.columns = ["NGAY_SINH"]', "").replace(
        'fields.diagnosis.columns = ["MA_BENH"]', ""
    )
    problems = problems_of(tmp_path, text)
    assert problems[0] == (
        "sources/trial.toml: required field 'birth_date' is not mapped (nor age, age_male+age_female). "
        "Columns mapped: GIOI_TINH, HO_TEN, NGAY_KHAM. Do: add [fields.birth_date] with columns = [...]"
    )
    assert "required field 'diagnosis'" in problems[1]
    assert len(problems) == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("fields.name", "fields.nam"), "unknown name 'nam'"),
        (('female = ["2"]', 'woman = ["2"]'), "unknown name 'woman'"),
        (('female = ["2"]', 'female = ["1"]'), "'1' stands for two codes"),
        (("(?P<facility>", "(?P<station>"), "unknown name 'station'"),
        (("(?P<facility>", "((?P<facility>"), "not a regular expression"),
        (('reader = "table"', 'reader = "fax"'), "[reader]"),
        (("verified = false", ""), "[verified]"),
        (('values = { male = ["1"], female = ["2"] }', ""), "codes are not translated"),
        (('["HO_TEN"]', "[]"), "give columns"),
        (("names =", "names = ["), "not readable as TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    problems = problems_of(tmp_path, GOOD.replace(*change))
    assert any(told in problem and problem.startswith("sources/trial.toml: ") for problem in problems), (
        problems
    )


def test_a_sheet_names_a_known_disease_and_mapped_fields(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, GOOD + '[sheets.book]\ndisease = "hypertention"\nneeds = ["sbp"]\n')
    assert any("Do: try 'hypertension'" in problem for problem in problems)
    assert any("[sheets.book.needs] unknown name 'sbp'" in problem for problem in problems)


def test_places_of_a_hoso_are_checked(tmp_path: Path) -> None:
    text = GOOD.replace('"table"', '"hoso_xml"') + '[fields.weight_kg]\ncolumns = ["XML1/CAN_NANG"]\n'
    assert any("'XML1/CAN_NANG' is no place of a HOSO" in problem for problem in problems_of(tmp_path, text))


def test_codes_of_fields_are_words_of_the_registry() -> None:
    assert set(FIELDS["sex"] or ()) == {"male", "female", "unknown"}
    assert FIELDS["name"] is None


def test_limits_are_data_and_complete(tmp_path: Path) -> None:
    limits, problems = load_plausibility(DEFINITIONS / "plausibility.toml")
    assert problems == []
    assert set(NEEDED) <= set(limits)
    broken = tmp_path / "plausibility.toml"
    broken.write_text('[sbp]\nlimits = { below = 300 }\nunit = "mmHg"\nsource = ""\nverified = true\n')
    _, problems = load_plausibility(broken)
    assert any("[sbp] limits" in problem for problem in problems)
    assert sum("limits are missing" in problem for problem in problems) == len(NEEDED) - 1
