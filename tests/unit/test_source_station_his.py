"""The visit tables of three vendors: whatever the spelling, the records are the visits; all people are invented."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.errors import InputError
from ncdsurv.ingest import read_file
from ncdsurv.reference import load_reference
from ncdsurv.registry import open_store
from ncdsurv.synthetic import make_registry
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.writers.book import Book, FileJob, make_book
from ncdsurv.synthetic.writers.dialects import table_of, write_samples
from tests.clean_support import KEY
from tests.conftest import SAMPLES

xlwt = pytest.importorskip("xlwt")
CATALOG, REFERENCE = load_catalog(), load_reference()
VENDORS = ("vnpt", "vietsen")
DAY = dt.date(2025, 8, 14)


def clean(path: Path, source: str) -> CleanBatch:
    mapping = CATALOG.sources[source]
    return clean_batch(read_file(path, mapping), mapping, CATALOG, REFERENCE, KEY)


def xls(path: Path, rows: list[list[Any]], sheet: str = "KHAM") -> Path:
    """A real BIFF workbook; dates are date cells."""
    book = xlwt.Workbook(encoding="utf-8")
    page, style = book.add_sheet(sheet), xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if isinstance(cell, dt.date):
                page.write(r, c, cell, style)
            elif cell is not None:
                page.write(r, c, cell)
    book.save(str(path))
    return path


@pytest.fixture(scope="module")
def clean_book() -> Book:
    return make_book(make_registry(300, seed=5, provinces=["02"], reference=REFERENCE, catalog=CATALOG))


def truth(book: Book, job: FileJob) -> list[tuple[Any, ...]]:
    rows = []
    for visit in job.visits:
        diseases = sorted(ill.disease for ill in book.diseases(visit))
        glucose = None if visit.glucose_mmol_l is None else round(visit.glucose_mmol_l, 2)
        rows.append(
            (visit.visited_on, visit.kind, visit.sbp, visit.dbp, glucose, visit.supply_days or None, diseases)
        )
    return sorted(rows, key=repr)


def told(batch: CleanBatch) -> list[tuple[Any, ...]]:
    """Visits, each with the diseases that its person has by that day."""
    known: dict[str, list[tuple[dt.date, str]]] = {}
    for record, disease, day in batch.diagnoses.select("record_id", "disease", "recorded_on").rows():
        known.setdefault(record, []).append((day, disease))
    rows = []
    wanted = ("record_id", "visited_on", "kind", "sbp", "dbp", "glucose_mmol_l", "supply_days")
    for record, day, kind, *rest in batch.visits.select(wanted).rows():
        diseases = sorted({name for since, name in known.get(record, ()) if since <= day})
        rows.append((day, kind, *rest, diseases if kind != "screening" else []))
    return sorted(rows, key=repr)


@pytest.mark.parametrize("form", ["as written", "xls"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_records_are_the_visits_that_were_written(
    tmp_path: Path, clean_book: Book, vendor: str, form: str
) -> None:
    dialect = parameters("dialects")[vendor]
    jobs = [job for job in clean_book.jobs if job.writer == "table"]
    for habits in dialect["files"]:
        for job in jobs[:2]:
            header, rows = table_of(clean_book, job, dialect, habits)
            name = habits["name"].format(facility=job.station["facility"], month="202606")
            path = xls(tmp_path / (name.rpartition(".")[0] + ".xls"), [header, *rows])
            if form == "as written":
                path = _as_written(tmp_path / name, dialect, header, rows)
            batch = clean(path, vendor)
            assert batch.counts.select("kept", "rejected", "duplicates").row(0) == (len(rows), 0, 0)
            assert told(batch) == truth(clean_book, job)


def test_grades_come_back_as_written_and_agree_with_the_verdict(tmp_path: Path, clean_book: Book) -> None:
    dialect = parameters("dialects")["vietsen"]
    control, lungs = dialect["grades"]["asthma"]["column"], dialect["grades"]["copd"]["column"]
    seen = set()
    for job in [job for job in clean_book.jobs if job.writer == "table"]:
        header, rows = table_of(clean_book, job, dialect, dialect["files"][0])
        written = [(row[header.index(control)], row[header.index(lungs)]) for row in rows]
        batch = clean(
            _as_written(tmp_path / f"{job.station['facility']}_a.xlsx", dialect, header, rows), "vietsen"
        )
        found = (
            batch.visits.sort("row_number").select("asthma_control", "lung_grade", "reported_target").rows()
        )
        assert [row[:2] for row in found] == written
        for asthma, lung, verdict in found:
            assert (asthma is None and lung is None) or verdict in (0, 1)
            assert (asthma in (None, 2)) or verdict == 0
            assert (lung in (None, 1)) or verdict == 0
        seen |= {value for row in written for value in row}
    assert seen >= {None, 0, 1, 2, 3}


def _as_written(path: Path, dialect: dict[str, Any], header: list[str], rows: list[list[Any]]) -> Path:
    from ncdsurv.synthetic.writers.dialects import _write_csv
    from ncdsurv.synthetic.writers.xls import write_xls
    from ncdsurv.synthetic.writers.xlsx import Sheet, write_xlsx

    if path.suffix == ".csv":
        _write_csv(path, header, rows)
    else:
        write = write_xls if path.suffix == ".xls" else write_xlsx
        write(path, [Sheet(dialect["sheet"], header, rows, tuple(dialect["titles"]))])
    return path


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="data_samples/ stands only in a checkout")
def test_the_binary_sample_goes_into_a_registry(tmp_path: Path) -> None:
    (path,) = SAMPLES.glob("vietsen/*.xls")
    assert path.read_bytes().startswith(b"\xd0\xcf\x11\xe0")
    report = open_store(tmp_path / "store").ingest(path, source="vietsen")
    assert report.balances
    assert not report.refused
    assert report.kept > 0.9 * report.rows_in > 20


def test_samples_say_that_people_are_invented_and_are_the_same_twice(tmp_path: Path) -> None:
    registry = make_registry(60, seed=5, provinces=["02"], reference=REFERENCE, catalog=CATALOG)
    for vendor in VENDORS:
        one, two = (write_samples(registry, tmp_path / run / vendor) for run in "ab")
        assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
        assert "hư cấu" in " ".join(parameters("dialects")[vendor]["titles"])


HEADER = [
    "BENHNHANID",
    "TEN_BENH_NHAN",
    "NAM",
    "NU",
    "MAXA_CU_TRU",
    "NGAY_KHAM",
    "MA_BENH",
    "HUYETAP",
    "DUONG_HUYET",
]


def one_row(tmp_path: Path, **cells: Any) -> CleanBatch:
    good = {
        "BENHNHANID": 17,
        "TEN_BENH_NHAN": "Lò Thị Mẫu",
        "NU": 1961,
        "MAXA_CU_TRU": "00691",
        "NGAY_KHAM": DAY,
        "MA_BENH": "I10",
        "HUYETAP": "120/80",
    }
    row = {**good, **cells}
    header = [*HEADER, *(name for name in cells if name not in HEADER)]
    return clean(xls(tmp_path / "02001_kham.xls", [header, [row.get(name) for name in header]]), "vnpt")


@pytest.mark.parametrize(
    ("cells", "sex", "year"),
    [
        ({"NU": 1961}, "female", 1961),
        ({"NU": 64}, "female", 1961),
        ({"NU": "64 tuổi"}, "female", 1961),
        ({"NU": None, "NAM": 1961}, "male", 1961),
        ({"NU": 0, "NAM": 64}, "male", 1961),
        ({"NU": 64, "NAM": 0}, "female", 1961),
        ({"NU": "05/03/1961"}, "female", 1961),
        ({"NU": "x", "NAM_SINH": 1961}, "female", 1961),
        ({"NU": "x", "TUOI": 64}, "female", 1961),
    ],
    ids=str,
)
def test_an_age_or_a_birth_year_in_the_column_of_the_sex(
    tmp_path: Path, cells: dict[str, Any], sex: str, year: int
) -> None:
    patient = one_row(tmp_path, **cells).patients.row(0, named=True)
    assert (patient["sex"], patient["birth_date"].year) == (sex, year)


@pytest.mark.parametrize(
    "spelling",
    [DAY, 45883, "14/08/2025", "2025-08-14", "20250814", "14082025", "202508140730"],
    ids=["date cell", "serial", "d/m/y", "iso", "yyyymmdd", "ddmmyyyy", "yyyymmddHHMM"],
)
def test_every_spelling_of_a_date(tmp_path: Path, spelling: Any) -> None:
    assert one_row(tmp_path, NGAY_KHAM=spelling).visits["visited_on"].to_list() == [DAY]


@pytest.mark.parametrize(
    ("cells", "pressure", "glucose"),
    [
        ({"HUYETAP": "135/85"}, (135, 85), None),
        ({"HUYETAP": "135 / 85 mmHg"}, (135, 85), None),
        ({"HUYETAP": "0/0", "DUONG_HUYET": 0}, (None, None), None),
        ({"HUYETAP": None, "KHAMBENH_HUYETAP_HIGH": 135, "KHAMBENH_HUYETAP_LOW": 85}, (135, 85), None),
        ({"HUYETAP": None, "KHAMBENH_HUYETAP": "135/85"}, (135, 85), None),
        ({"HUYETAP": 0, "HUYETAP1": 135, "HUYETAP2": 85, "DUONG_HUYET": 6.5}, (135, 85), 6.5),
    ],
    ids=str,
)
def test_pressure_in_one_cell_or_two_and_zero_is_missing(
    tmp_path: Path, cells: dict[str, Any], pressure: tuple[int | None, int | None], glucose: float | None
) -> None:
    visit = one_row(tmp_path, **cells).visits.row(0, named=True)
    assert ((visit["sbp"], visit["dbp"]), visit["glucose_mmol_l"]) == (pressure, glucose)


def test_the_numbers_of_the_vendors_tables_are_not_the_patient(tmp_path: Path) -> None:
    one = one_row(tmp_path, HOSOBENHANID=5, TIEPNHANID=6, KHAMBENHID=7, MADIEUTRI=8)
    two = one_row(tmp_path, HOSOBENHANID=15, TIEPNHANID=16, KHAMBENHID=17, MADIEUTRI=18)
    assert one.visits["record_id"].to_list() == two.visits["record_id"].to_list()
    assert one.visits["visit_id"].to_list() != two.visits["visit_id"].to_list()


def test_a_web_page_named_xls_is_refused_in_one_line(tmp_path: Path) -> None:
    for name, page in (
        ("a.xls", b"<html><body><table><tr><td>HO_TEN</td></tr></table></body></html>"),
        ("b.xls", b"\xef\xbb\xbf\r\n<!DOCTYPE html><table>"),
        ("c.xls", b'<?xml version="1.0"?><html xmlns="x"><table>'),
    ):
        path = tmp_path / name
        path.write_bytes(page)
        with pytest.raises(InputError, match="is a web page named like a spreadsheet") as caught:
            read_file(path, CATALOG.sources["vnpt"])
        assert "\n" not in str(caught.value)


def test_a_binary_workbook_cut_off_anywhere_is_one_line(tmp_path: Path) -> None:
    whole = xls(tmp_path / "02001_whole.xls", [HEADER, [17, "X", None, 1961, "00691", DAY, "I10", "120/80"]])
    data = whole.read_bytes()
    path, told = tmp_path / "02001_cut.xls", []
    for size in range(1, len(data), 97):
        path.write_bytes(data[:size])
        try:
            read_file(path, CATALOG.sources["vnpt"])
        except InputError as error:
            told.append(str(error))
    assert told
    assert not [line for line in told if "\n" in line or "do: " not in line]


def test_a_binary_workbook_under_another_name(tmp_path: Path) -> None:
    path = xls(tmp_path / "02001_a.xls", [HEADER, [17, "X", None, 1961, "00691", DAY, "I10", "120/80"]])
    renamed = path.rename(tmp_path / "02001_a.xlsx")
    assert (
        read_file(renamed, CATALOG.sources["vnpt"]).frame.select(pl.col("blood_pressure")).item() == "120/80"
    )
