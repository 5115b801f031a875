"""Screening sheets of the Ministry's software: screening only, never a managed visit, never a diagnosis."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from pydantic import ValidationError

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.source_checks import mapping_problems
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.ingest import read_file
from ncdsurv.reference import load_reference
from ncdsurv.synthetic import make_registry
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.writers.book import make_book
from ncdsurv.synthetic.writers.screening_sheets import screenings, sheets_of
from ncdsurv.synthetic.writers.xlsx import write_xlsx
from tests.clean_support import KEY
from tests.clean_support import REFERENCE as STATION

CATALOG, REFERENCE = load_catalog(), load_reference()
SOURCE = CATALOG.sources["moh_ncd_excel"]
LUNG = parameters("screening_sheets")["lung"]["columns"]
ANSWERS = ["Không"] * (len(LUNG) - 4)


def clean(path: Path, reference: Any = REFERENCE) -> CleanBatch:
    return clean_batch(read_file(path, SOURCE), SOURCE, CATALOG, reference, KEY)


def lung_sheet(path: Path, title: str | None, header: list[str] = LUNG) -> Path:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Sheet1")
    if title:
        sheet.write(0, 0, title)
    sheet.write_row(2, 0, header)
    sheet.write_row(
        3, 0, ["Lò Thị Mẫu", "Nữ", 1961, 64, *ANSWERS, *["14/08/2025"] * (len(header) - len(LUNG))]
    )
    book.close()
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any], int]:
    registry = make_registry(900, seed=3, provinces=["02"], reference=REFERENCE, catalog=CATALOG)
    book = make_book(registry)
    able = [job for job in book.jobs if job.writer == "table"]
    job = max(able, key=lambda job: len(screenings(job)))
    path = tmp_path_factory.mktemp("screening") / f"{job.station['facility']}_sangloc_202606.xlsx"
    sheets = sheets_of(book, job)
    write_xlsx(path, sheets)
    return path, screenings(job), len(list(sheets[1].rows))


def test_the_readings_of_a_round_come_back_as_screenings(written: tuple[Path, list[Any], int]) -> None:
    path, visits, asked = written
    assert len(visits) > 1
    batch = clean(path)
    counts = batch.counts.select("sheet", "rows_in", "kept", "rejected", "duplicates").rows()
    assert sum(row[1] for row in counts) == len(visits) + asked
    assert all(row[1] == row[2] for row in counts)
    found = batch.visits.filter(batch.visits["sbp"].is_not_null())
    told = sorted(found.select("visited_on", "sbp", "dbp", "weight_kg", "height_cm").rows())
    assert told == sorted((v.visited_on, v.sbp, v.dbp, v.weight_kg, v.height_cm) for v in visits)


def test_a_screening_is_never_a_diagnosis_nor_a_managed_visit(written: tuple[Path, list[Any], int]) -> None:
    batch = clean(written[0])
    assert set(batch.visits["kind"]) == {"screening"}
    assert batch.visits["disease"].null_count() == batch.visits.height
    assert batch.diagnoses.is_empty()


def test_the_day_and_the_commune_of_a_lung_sheet_stand_above_it(tmp_path: Path) -> None:
    path = lung_sheet(tmp_path / "02001_sl.xlsx", "MÃ XÃ: 00691 - NGÀY SÀNG LỌC: 14/08/2025")
    batch = clean(path)
    assert batch.visits.select("visited_on", "kind").rows() == [(dt.date(2025, 8, 14), "screening")]
    assert batch.patients["commune_code"].to_list() == ["00691"]


def test_a_lung_sheet_without_a_day_is_explained(tmp_path: Path) -> None:
    batch = clean(lung_sheet(tmp_path / "02001_sl.xlsx", None), STATION)
    assert batch.rejects.select("rule", "column").rows() == [("visited_on_missing", "visited_on")]


def test_a_day_in_a_column_wins_over_the_one_above(tmp_path: Path) -> None:
    path = lung_sheet(tmp_path / "02001_sl.xlsx", "Ngày khám: 01/02/2025", [*LUNG, "Ngày khám"])
    assert clean(path, STATION).visits["visited_on"].to_list() == [dt.date(2025, 8, 14)]


def test_a_diagnosis_written_on_a_screening_sheet_is_still_none(tmp_path: Path) -> None:
    columns = [*parameters("screening_sheets")["screening"]["columns"], "Phân loại BN"]
    cells = {
        "Họ tên*": "Lò Thị Mẫu",
        "Giới tính*": "Nữ",
        "Năm sinh*": 1961,
        "Ngày khám*": "14/08/2025",
        "Huyết áp": "165/95",
        "Kết luận THA": "Tăng huyết áp",
        "Phân loại BN": "0",
    }
    book = xlsxwriter.Workbook(tmp_path / "02001_sl.xlsx")
    sheet = book.add_worksheet("THA")  # even under the name of the book's sheet
    sheet.write_row(0, 0, columns)
    sheet.write_row(1, 0, [cells.get(column, "") for column in columns])
    book.close()
    batch = clean(tmp_path / "02001_sl.xlsx", STATION)
    assert batch.visits.select("kind", "sbp", "dbp", "disease").rows() == [("screening", 165, 95, None)]
    assert batch.diagnoses.is_empty()


def test_what_the_screening_found_is_kept_beside_the_visit_and_makes_no_diagnosis(
    written: tuple[Path, list[Any], int],
) -> None:
    path, visits, asked = written
    batch = clean(path)
    found = {sheet: batch.visits.filter(batch.visits["sbp"].is_null() == lung) for sheet, lung in
             (("general", False), ("lung", True))}  # fmt: skip
    wanted = [
        ";".join(
            [
                "suspected:hypertension",
                *["family_history:hypertension"] * (visit.person * 31 % 5 == 0),
                *["family_history:diabetes"] * (visit.person * 31 % 7 == 0),
            ]
        )
        for visit in visits
    ]
    assert len(set(wanted)) > 1
    assert sorted(found["general"]["screening_findings"].fill_null("")) == sorted(wanted)
    lung = [
        ";".join(
            [
                *["suspected:asthma"] * (visit.person * 31 % 3 == 0),
                *["suspected:copd"] * (visit.person * 31 % 4 == 0),
            ]
        )
        for visit in visits[:asked]
    ]
    assert sorted(found["lung"]["screening_findings"].fill_null("")) == sorted(lung)
    assert batch.diagnoses.is_empty()
    assert batch.visits["reported_history"].null_count() == batch.visits.height


def test_a_finding_of_no_disease_or_no_known_kind_is_a_problem_of_the_mapping() -> None:
    flag = {"columns": ["A"]}
    wrong = SOURCE.model_validate({**SOURCE.model_dump(), "findings": {"suspected": {"hypertensoin": flag}}})
    assert any("findings.suspected" in problem for problem in mapping_problems(wrong, CATALOG.diseases))
    with pytest.raises(ValidationError, match="findings"):
        SOURCE.model_validate({**SOURCE.model_dump(), "findings": {"rumoured": {"hypertension": flag}}})
