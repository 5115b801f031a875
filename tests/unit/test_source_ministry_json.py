"""The Ministry's JSON and V20's pages: what was written comes back as records, every row is accounted for."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.errors import InputError
from ncdsurv.ingest import read_file, read_files
from ncdsurv.reference import load_reference
from ncdsurv.registry import open_store
from ncdsurv.synthetic import make_registry
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.samples import sample_registry
from ncdsurv.synthetic.writers import gateway_pages, posted_bodies
from ncdsurv.synthetic.writers.book import make_book
from tests.clean_support import KEY
from tests.unit.test_ingest_json import BOTH, PERSON, SUGAR, TENSION

CATALOG = load_catalog()
MINISTRY, GATEWAY = CATALOG.sources["moh_ncd_api"], CATALOG.sources["v20"]
SAMPLES = Path(__file__).parents[2] / "data_samples"
WRITERS: dict[str, Any] = {"moh_ncd_api": posted_bodies, "v20": gateway_pages}
PLANS = {"moh_ncd_api": "bodies", "v20": "pages"}
COLUMNS = ["facility", "visited_on", "disease", "kind", "sbp", "dbp", "weight_kg", "height_cm"]
COLUMNS += ["glucose_mmol_l", "hba1c_percent", "supply_days", "patient_status"]


def cleaned(source: str, paths: list[Path]) -> CleanBatch:
    mapping = CATALOG.sources[source]
    return clean_batch(read_files(paths, mapping), mapping, CATALOG, load_reference(), KEY)


@cache
def registry() -> Any:
    return make_registry(1500, seed=31, provinces=["02"])


@cache
def written() -> list[tuple[str, Any, Any, Any, Any]]:
    """(source, visit, illness, identity, book) of every disease object written."""
    found = []
    book = make_book(registry())
    for source, name in PLANS.items():
        plan = parameters("json_exports")[name]
        for job in posted_bodies.chosen_jobs(book, plan):
            for visit, ills, who in posted_bodies.exams(book, job, plan["first_day"]):
                if source == "v20" or posted_bodies.sent(visit, ills, who):
                    found += [(source, visit, ill, who, book) for ill in ills]
    return found


def rows_of(frame: pl.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
    return sorted(frame.select(columns).rows(), key=repr)


@pytest.mark.parametrize("source", WRITERS)
def test_records_equal_what_was_written(tmp_path: Path, source: str) -> None:
    batch = cleaned(source, WRITERS[source].write_samples(registry(), tmp_path))
    mine = [row for row in written() if row[0] == source]
    wanted = []
    for _, visit, ill, _, _ in mine:
        sugar = ill.disease == "diabetes"
        values = (visit.glucose_mmol_l, visit.hba1c_percent) if sugar else (None, None)
        reading = (visit.sbp, visit.dbp, visit.weight_kg, visit.height_cm)
        rest = (*reading, *values, visit.supply_days or None, visit.status)
        wanted.append((visit.facility, visit.visited_on, ill.disease, "exam", *rest))
    assert len(wanted) > 100
    assert batch.rejects.is_empty()
    assert batch.duplicates.is_empty()
    assert rows_of(batch.visits, COLUMNS) == sorted(wanted, key=repr)
    assert set(batch.diagnoses["disease"]) == {"hypertension", "diabetes"}


@pytest.mark.parametrize("source", WRITERS)
def test_people_equal_what_was_written(tmp_path: Path, source: str) -> None:
    batch = cleaned(source, WRITERS[source].write_samples(registry(), tmp_path))
    mine = [row for row in written() if row[0] == source]
    wanted = {
        (who.name, who.citizen_id or None, who.insurance_number[-10:] or None, who.birth_date, who.sex)
        for _, _, _, who, _ in mine
    }
    columns = ["name", "citizen_id", "insurance_number", "birth_date", "sex"]
    assert set(batch.identifiers.select(columns).rows()) == wanted
    homes = set(batch.patients.select("commune_code", "commune_vintage").rows())
    if source == "v20":  # the three-tier codes whatever the day
        assert homes == {(visit.commune_2024, "2024") for _, visit, _, _, _ in mine}
    else:
        assert homes == {(book.commune(visit)[2], "2025") for _, visit, _, _, book in mine}


@pytest.mark.parametrize("source", WRITERS)
def test_samples_are_balanced_to_the_row(source: str) -> None:
    batch = cleaned(source, sorted((SAMPLES / source).iterdir()))
    counts = batch.counts
    assert (counts["rows_in"] == counts["kept"] + counts["rejected"] + counts["duplicates"]).all()
    assert batch.duplicates.height > 0  # rows written twice are among the faults of the samples
    objects = 0
    for path in sorted((SAMPLES / source).iterdir()):
        text = path.read_text(encoding="utf-8")
        bodies = (
            [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
        )
        for body in bodies if isinstance(bodies, list) else [bodies]:
            for record in body.get("ncdData") or body.get("ncdDevData") or body.get("data"):
                objects += sum(part is not None for part in record["DU_LIEU"].values())
    assert counts["rows_in"].sum() == objects


def test_the_sender_leaves_out_who_has_no_number_and_what_has_no_reading() -> None:
    book = make_book(sample_registry())
    for job in posted_bodies.chosen_jobs(book, parameters("json_exports")["bodies"]):
        for record in posted_bodies.posted(book, job):
            for part in filter(None, record["DU_LIEU"].values()):
                assert part["SO_CCCD"]
                assert part["MA_THE_BHYT"]
                assert part["THUOC"]
                assert part["HA_TAM_THU"]
                assert part.get("DUONG_HUYET", "-")


def save(folder: Path, content: object, name: str = "02001_v20.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def page(*records: object) -> dict[str, Any]:
    return {"code": "200", "data": list(records)}


FAILURES: dict[str, tuple[object, str]] = {
    "token": (
        {"error": "invalid_token", "error_description": "Lò Thị Mẫu"},
        "is an answer without data: V20 did not accept the token (invalid_token)",
    ),
    "nothing found": ({"STATUS": 404, "DATA": 0, "ERROR": "Lò Thị Mẫu"}, "V20 found nothing (STATUS 404)"),
    "no right": ({"ERROR": "Lò Thị Mẫu"}, "may lack the right to this data"),
    "another code": ({"code": "500", "data": []}, "a code other than 200"),
    "a token lost on the way": ([page(BOTH), {"error": "invalid_token"}], "(invalid_token)"),
    "the Ministry's post": ({"ncdData": []}, "holds no record of source v20"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_error_answers_are_refused_with_a_clear_sentence(tmp_path: Path, case: str) -> None:
    content, told = FAILURES[case]
    with pytest.raises(InputError) as caught:
        read_file(save(tmp_path, content), GATEWAY)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Mẫu" not in str(caught.value)


def test_the_page_after_the_last_is_left_out_and_said(tmp_path: Path) -> None:
    batch = read_file(save(tmp_path, [page(BOTH), {"STATUS": 404, "DATA": 0, "ERROR": "x"}]), GATEWAY)
    assert batch.frame["sheet"].to_list() == ["THA", "DTD"]
    assert batch.files[0].skipped == (("body 2", "V20 found nothing (STATUS 404)"),)


def test_a_gateway_record_may_be_flat_and_then_its_codes_say_the_disease(tmp_path: Path) -> None:
    person = {
        "MA_DINH_DANH": "0217",
        "CMND": 2161012345,
        "GIOI_TINH": 2,
        "HK_MA_XA": 691,
        "TT_MA_XA": "00688",
    }
    flat = {**TENSION, **SUGAR, **person, "SO_CCCD": None, "MA_BENH": "I10;E11.9"}
    silent = {**flat, "MA_BENH": None}
    source = "v20"
    batch = cleaned(source, [save(tmp_path, page(flat, silent))])
    assert batch.visits.select("disease", "sbp", "glucose_mmol_l").rows() == [(None, 139, 7.2)]
    assert set(batch.diagnoses["disease"]) >= {"hypertension", "diabetes"}
    assert batch.identifiers["citizen_id"].to_list() == ["002161012345"]
    assert batch.patients.select("commune_code", "commune_vintage").rows() == [("00688", "2024")]
    assert batch.rejects["rule"].to_list() == ["diagnosis_outside_registry"]


def test_a_disease_the_interface_does_not_have_is_rejected_not_lost(tmp_path: Path) -> None:
    content = {
        "ncdData": [{"DU_LIEU": {"HEN": TENSION, "THA": TENSION}}, 7, {"DU_LIEU": {**PERSON, "THA": None}}]
    }
    batch = cleaned("moh_ncd_api", [save(tmp_path, content, "02001_a.json")])
    assert batch.visits["disease"].to_list() == ["hypertension"]
    assert sorted(batch.rejects.select("row_number", "rule").rows()) == [
        (1, "diagnosis_outside_registry"),
        (2, "not_a_record"),
        (3, "diagnosis_outside_registry"),
    ]


def corrected(folder: Path) -> list[Path]:
    later = {"DU_LIEU": {"THA": {**TENSION, "HA_TAM_THU": "128"}, "DTD": SUGAR}}
    first = save(folder, {"ncdData": [BOTH]}, "02001_a.json")
    return [first, save(folder, [{"ncdData": [later]}], "02001_b.json")]


def test_a_post_sent_again_counts_once_and_a_correction_replaces(tmp_path: Path) -> None:
    paths = corrected(tmp_path)
    store = open_store(tmp_path / "store")
    first = store.ingest(paths[0], source="moh_ncd_api")
    again = store.ingest(paths, source="moh_ncd_api")
    assert first.balances
    assert again.balances
    assert (first.rows_in, first.kept) == (2, 2)
    assert (again.kept, again.duplicates) == (1, 1)  # the pressure is new, the glucose only repeated
