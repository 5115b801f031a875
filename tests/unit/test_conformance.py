"""The data standard as documents, and the check of an export against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.elements import load_standard
from ncdsurv.catalog.sources import FIELDS
from ncdsurv.clean.rules import load_rules
from ncdsurv.cli import run
from ncdsurv.conformance import ConformanceReport, check_conformance
from ncdsurv.conformance.need import besides, lacking
from ncdsurv.conformance.schema import record_schema
from ncdsurv.conformance.standard import standard_files
from ncdsurv.conformance.words import words
from ncdsurv.errors import DefinitionError, InputError, UsageError
from ncdsurv.reference import load_reference
from ncdsurv.registry import conformance

ROOT = Path(__file__).parents[2]
CATALOG, STANDARD, REFERENCE = load_catalog(), load_standard(), load_reference()
GENERATED = standard_files(CATALOG)
PRESSURE = next(d for d in CATALOG.diseases.values() if d.measurement == "blood_pressure")
COMMUNE = REFERENCE.codes_within("79", "2025")[0]
SOURCE = "viettel"
SECRET = "Trần Thị Bịa Đặt"
ROW = {
    "MA_BN": "BN1",
    "HO_TEN": SECRET,
    "GIOI_TINH": "2",
    "NGAY_SINH": "15/03/1960",
    "SO_CCCD": "079160000123",
    "MAXA_CU_TRU": COMMUNE,
    "MA_CSKCB": "79001",
    "NGAY_KHAM": "04/05/2026",
    "MA_BENH_CHINH": "I10",
    "HUYETAP_HIGH": "138",
    "HUYETAP_LOW": "84",
    "SO_NGAY_CAP": "28",
    "TRANG_THAI": "Đang quản lý",
}


def export(folder: Path, rows: list[dict[str, str]], name: str = "79001_kham.csv") -> Path:
    path = folder / name
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def visits(n: int, **columns: str) -> list[dict[str, str]]:
    return [ROW | {"MA_BN": f"BN{i}", "NGAY_KHAM": f"{i % 28 + 1:02}/05/2026"} | columns for i in range(n)]


def check(*paths: Path) -> ConformanceReport:
    return check_conformance(paths, CATALOG.sources[SOURCE], CATALOG, REFERENCE)


def states(report: ConformanceReport) -> dict[str, str]:
    return {element.id: element.state for element in report.elements}


@pytest.mark.parametrize("name", GENERATED)
def test_the_documents_are_what_the_definitions_say(name: str):
    committed = (ROOT / "docs" / "data-standard" / name).read_text(encoding="utf-8")
    assert committed == GENERATED[name], "run: make standard"


def test_every_field_of_a_mapping_belongs_to_an_element_and_every_rule_is_known():
    covered = {field for element in STANDARD.elements.values() for field in element.filled_by}
    assert set(FIELDS) == covered
    rules = {*STANDARD.tolerance.outside_rules, *STANDARD.tolerance.empty_rules}
    assert rules <= set(load_rules())


def test_the_schema_is_json_schema_2020_12_and_tells_good_records_from_bad():
    schema = record_schema(CATALOG, STANDARD)
    Draft202012Validator.check_schema(schema)
    good: dict[str, Any] = {
        "name": SECRET,
        "sex": "female",
        "birth_date": "1960",
        "facility": "79001",
        "visited_on": "2026-05-04",
        "icd10": "I10",
        "secondary_icd10": ["E11.9"],
        "sbp": 138,
        "glucose_unit": "mg/dL",
    }
    validator = Draft202012Validator(schema)
    validator.validate(good)
    for wrong in (
        {"sex": "2"},
        {"sbp": 20},
        {"sbp": "138"},
        {"secondary_icd10": "E11.9"},
        {"icd10": "hypertension"},
        {"unheard_of": 1},
    ):
        with pytest.raises(ValidationError):
            validator.validate(good | wrong)
    for element in STANDARD.elements.values():
        if element.required:
            with pytest.raises(ValidationError):
                validator.validate({key: value for key, value in good.items() if key != element.id})
    screened = {key: value for key, value in good.items() if key != "icd10"} | {"kind": "screening"}
    validator.validate(screened)
    with pytest.raises(ValidationError):
        validator.validate(screened | {"kind": "exam"})


def test_what_an_indicator_needs_follows_from_its_condition_and_the_readings():
    wanted = besides(CATALOG, STANDARD)
    sugar = next(d for d in CATALOG.diseases.values() if d.measurement == "glycaemia")
    assert wanted["control_rate"][PRESSURE.id] == (("sbp", "dbp"),)
    assert set(wanted["control_rate"][sugar.id]) == {("hba1c_percent",), ("glucose_mmol_l",)}
    assert wanted["treatment_rate"][PRESSURE.id] == (("supply_days",),)
    assert wanted["dead"][PRESSURE.id] == (("patient_status",),)
    assert "under_care" not in wanted
    assert "missed_visit_rate" not in wanted


def test_one_whole_set_is_enough():
    assert lacking((("a", "b"), ("c",)), {"c"}) == ()
    assert lacking((("a", "b"), ("c",)), {"a"}) == ("b", "c")


def test_a_whole_export_conforms_and_everything_can_be_computed(tmp_path: Path):
    report = check(export(tmp_path, visits(20)))
    assert report.conforms
    assert report.gaps == ()
    assert (report.rows, report.outside, report.kept) == (20, 0, 20)
    found = {element.id: element for element in report.elements}
    assert (found["sbp"].filled, found["sbp"].usable, found["sbp"].malformed) == (20, 20, 0)
    assert found["detected_on"].state == "missing"
    assert not found["detected_on"].required


def test_without_pressure_control_cannot_be_computed_but_care_can(tmp_path: Path):
    rows = [{key: value for key, value in row.items() if not key.startswith("HUYETAP")} for row in visits(20)]
    report = check(export(tmp_path, rows))
    assert report.conforms  # no required element is missing
    gaps = {gap.indicator: gap.lacking for gap in report.gaps if gap.disease == PRESSURE.id}
    assert gaps["control_rate"] == ("sbp", "dbp")
    assert "under_care" not in gaps
    assert "missed_visit_rate" not in gaps


def test_a_malformed_element_is_counted_by_rule_and_fails(tmp_path: Path):
    rows = visits(18) + visits(1, NGAY_SINH="31/02/1960") + visits(1, NGAY_SINH="1/1/60")
    report = check(export(tmp_path, rows))
    found = {element.id: element for element in report.elements}["birth_date"]
    assert (found.state, found.filled, found.malformed) == ("malformed", 20, 2)
    assert found.malformed_by_rule == {"impossible_date": 1, "two_digit_year": 1}
    assert report.faults() == [("malformed", "birth_date")]
    assert not report.conforms


def test_a_required_element_left_empty_fails_and_zero_is_as_good_as_empty(tmp_path: Path):
    rows = visits(17) + visits(3, NGAY_SINH="", HUYETAP_HIGH="0", HUYETAP_LOW="0")
    report = check(export(tmp_path, rows))
    found = {element.id: element for element in report.elements}
    assert found["birth_date"].state == "incomplete"
    assert found["birth_date"].empty_percent == pytest.approx(15.0)
    assert (found["sbp"].filled, found["sbp"].malformed) == (17, 0)


def test_rows_of_something_else_are_not_held_against_the_export(tmp_path: Path):
    rows = visits(10) + visits(10, MA_BENH_CHINH="J00", NGAY_SINH="")
    report = check(export(tmp_path, rows))
    assert (report.rows, report.outside) == (20, 10)
    assert report.conforms


def test_an_unreadable_file_is_named_and_nothing_else_is_held_against_it(tmp_path: Path):
    path = tmp_path / "79001_kham.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    report = check(path)
    assert [fault for fault, _ in report.faults()] == ["refused", "no_records"]
    assert report.text(CATALOG, STANDARD, "en").endswith("Result: does not conform")


@pytest.mark.parametrize("source", CATALOG.sources)
def test_every_sample_has_what_a_record_needs(source: str):
    folder = ROOT / "data_samples" / source
    if not folder.is_dir():
        pytest.skip("no sample yet")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    report = check_conformance(files, CATALOG.sources[source], CATALOG, REFERENCE)
    assert not report.refused
    assert report.kept
    lacks = [fault for fault in report.faults() if fault[0] in ("missing", "not_mapped", "no_records")]
    assert not lacks


def test_no_value_of_a_patient_is_printed(tmp_path: Path):
    rows = visits(3) + visits(3, SO_CCCD="99999x", NGAY_SINH="31/02/1960", HUYETAP_HIGH="713")
    report = check(export(tmp_path, rows))
    said = report.text(CATALOG, STANDARD, "vi") + json.dumps(report.to_dict(), ensure_ascii=False)
    assert not [value for value in (SECRET, "99999x", "31/02/1960", "713", "079160000123") if value in said]
    assert SECRET not in repr(report)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_command_ends_with_0_or_1(tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str):
    good = export(tmp_path, visits(20))
    command = ["conformance", "--source", SOURCE, "--lang", lang]
    assert run([*command, str(good)]) == 0
    assert words(lang)["conforms"] in capsys.readouterr().out
    bad = export(tmp_path, visits(20, NGAY_SINH="31/02/1960"), "79001_xau.csv")
    assert run([*command, str(bad)]) == 1
    assert words(lang)["fails"] in capsys.readouterr().out


def test_json_and_unknown_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = str(export(tmp_path, visits(20)))
    assert run(["conformance", path, "--source", SOURCE, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["conforms"] is True
    assert {element["id"] for element in found["elements"]} == set(STANDARD.elements)
    assert run(["conformance", path, "--source", "viettle"]) == UsageError.exit_code
    assert "try viettel" in capsys.readouterr().err
    assert run(["conformance", path, "--source", SOURCE, "--lang", "fr"]) == UsageError.exit_code
    assert run(["conformance", str(tmp_path / "none.csv"), "--source", SOURCE]) == 1


def test_a_mapping_of_ones_own_is_checked_the_same_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    packaged = ROOT / "ncdsurv" / "catalog" / "definitions" / "sources" / f"{SOURCE}.toml"
    mapping = tmp_path / "mine.toml"
    mapping.write_bytes(packaged.read_bytes())
    path = str(export(tmp_path, visits(20)))
    assert run(["conformance", path, "--source", str(mapping), "--lang", "en"]) == 0
    assert "Source mine" in capsys.readouterr().out
    mapping.write_text("reader = 3", encoding="utf-8")
    assert run(["conformance", path, "--source", str(mapping)]) == DefinitionError.exit_code


def test_every_sentence_stands_in_both_languages():
    assert words("vi").keys() == words("en").keys()
    assert all(words("vi").values())


def test_a_file_that_breaks_the_reader_costs_not_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    good = export(tmp_path, visits(20))
    bad = export(tmp_path, visits(2), "79001_hong.csv")
    asked = conformance.ask_once

    def ask(main: str, message: Any, group: list[Path]) -> Any:
        if bad in group:
            raise InputError(f"{group[0].name} broke the reader")
        return asked(main, message, group)

    monkeypatch.setattr(conformance, "ask_once", ask)
    report = conformance.check_apart([bad, good], CATALOG.sources[SOURCE], [])
    assert [refused.file for refused in report.refused] == [bad.name]
    assert (report.files, report.rows) == (2, 20)
    assert not report.conforms


def test_a_child_that_dies_is_a_refusal_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conformance, "_MAIN", "os:abort")
    report = conformance.check_apart([export(tmp_path, visits(2))], CATALOG.sources[SOURCE], [])
    assert report.refused[0].why == (
        "a file broke the reader: got 79001_kham.csv; do: open it and save it anew, or split it by month"
    )
    assert [fault for fault, _ in report.faults()] == ["refused", "no_records"]


def test_the_child_counts_what_the_check_counts(tmp_path: Path):
    path = export(tmp_path, visits(18) + visits(2, NGAY_SINH="31/02/1960"))
    assert conformance.check_apart([path], CATALOG.sources[SOURCE], []) == check(path)
