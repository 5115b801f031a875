"""JSON records: wherever they stand in a file they are the same rows; what is hostile is refused in one line."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.sources import load_sources
from ncdsurv.errors import InputError
from ncdsurv.ingest import RawBatch, json_walk, read_file
from ncdsurv.ingest.guard import Limits
from ncdsurv.ingest.json_walk import DEPTH, RECORD_BYTES

CATALOG = load_catalog()
SOURCE = CATALOG.sources["moh_ncd_api"]
PERSON = {
    "HO_TEN": "Lò Thị Mẫu",
    "GIOI_TINH": "02",
    "NGAY_SINH": "05/03/1961",
    "SO_CCCD": "002161012345",
    "MA_CSKCB": "02001",
    "MAXA_CU_TRU": "00691",
}
TENSION = {**PERSON, "NGAY_KHAM": "14/08/2025", "HA_TAM_THU": "139", "HA_TAM_TRUONG": "89", "PHAN_LOAI_BN": 0}
SUGAR = {**PERSON, "NGAY_KHAM": "14/08/2025", "DUONG_HUYET": "7.2", "PHAN_LOAI_BN": 0}
RECORD = {"DU_LIEU": {"THA": TENSION, "DTD": None}}
BOTH = {"DU_LIEU": {"THA": TENSION, "DTD": SUGAR}}


def body(*records: Any, key: str = "ncdData") -> dict[str, Any]:
    return {"credentials": {"program": "NCD", "token": "t"}, key: list(records)}


def read(folder: Path, content: object, name: str = "02001_a.json") -> RawBatch:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_file(path, SOURCE)


def refused(folder: Path, content: object) -> str:
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        read(folder, content)
    text = str(caught.value)
    assert "\n" not in text
    assert "do: " in text
    assert "Mẫu" not in text
    assert time.monotonic() - started < 30
    return text


SHAPES: dict[str, object] = {
    "one body": body(RECORD, RECORD),
    "a list of bodies": [body(RECORD), body(RECORD)],
    "one body a line": "\n".join(json.dumps(body(RECORD)) for _ in range(2)) + "\n",
    "bodies of a test program": body(RECORD, RECORD, key="ncdDevData"),
    "records without a body": [RECORD, RECORD],
    "the records one a line": "\r\n".join(json.dumps(RECORD) for _ in range(2)),
    "with a byte order mark": b"\xef\xbb\xbf" + json.dumps(body(RECORD, RECORD)).encode(),
    "keys in another order": {"ncdData": [RECORD, RECORD], "credentials": {"token": "t"}},
    "indented, escaped or not": json.dumps(body(RECORD, RECORD), ensure_ascii=False, indent=2),
    "without DU_LIEU": body({"THA": TENSION}, {"THA": TENSION}),
    "person beside the disease": body({"DU_LIEU": {**PERSON, "THA": TENSION}}, {**PERSON, "THA": TENSION}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_rows_wherever_records_stand(tmp_path: Path, shape: str) -> None:
    batch = read(tmp_path, SHAPES[shape])
    wanted = read(tmp_path, body(RECORD, RECORD))
    assert batch.frame.drop("file_sha256").equals(wanted.frame.drop("file_sha256"))
    assert batch.frame["row_number"].to_list() == [1, 2]
    assert batch.frame["name"].to_list() == ["Lò Thị Mẫu"] * 2


def test_each_disease_object_is_a_row_of_its_sheet(tmp_path: Path) -> None:
    frame = read(tmp_path, body(BOTH, RECORD)).frame
    assert frame.select("sheet", "sheet_kind", "row_number").rows() == [
        ("THA", "hypertension_book", 1),
        ("DTD", "diabetes_book", 1),
        ("THA", "hypertension_book", 2),
    ]
    assert frame["glucose"].to_list() == [None, "7.2", None]


def test_nothing_is_lost_of_a_record_that_is_not_understood(tmp_path: Path) -> None:
    odd = [{"DU_LIEU": {"HEN": TENSION}}, {"DU_LIEU": None}, {"DU_LIEU": {"THA": {}}}, 7, None, "x", [], {}]
    frame = read(tmp_path, body(RECORD, *odd)).frame
    assert frame["row_number"].to_list() == list(range(1, len(odd) + 2))
    assert frame["sheet"].to_list() == ["THA", "other", *["ncdData"] * (len(odd) - 1)]
    assert set(frame["sheet_kind"][1:]) == {""}


def test_values_become_text_by_their_type(tmp_path: Path) -> None:
    exam = {
        **TENSION,
        "CAN_NANG": 55.0,
        "CHIEU_CAO": 153.5,
        "THUOC": ["A - 28 ngày", "B"],
        "DIA_CHI": {"x": 1},
    }
    row = read(
        tmp_path, body({"DU_LIEU": {"THA": {**exam, "SO_CCCD": 2161012345, "DIEN_THOAI": True}}})
    ).frame
    cells = row.row(0, named=True)
    assert (cells["weight_kg"], cells["height_cm"], cells["patient_status"]) == ("55", "153.5", "0")
    assert (cells["citizen_id"], cells["phone"]) == ("2161012345", "1")
    assert cells["drugs"] == "A - 28 ngày\nB"
    assert (cells["address"], cells["damage"]) == (None, "address")


def test_half_a_character_pair_does_not_break_the_reading(tmp_path: Path) -> None:
    text = json.dumps(body(RECORD)).replace("L\\u00f2", "L\\ud800")
    assert read(tmp_path, text).frame["name"].to_list() == ["L? Thị Mẫu"]


def test_the_station_comes_from_the_file_name_where_the_record_is_silent(tmp_path: Path) -> None:
    silent = {key: value for key, value in TENSION.items() if key != "MA_CSKCB"}
    other = {"DU_LIEU": {"THA": {**TENSION, "MA_CSKCB": "02009"}}}
    frame = read(tmp_path, body({"DU_LIEU": {"THA": silent}}, other), "02001_ncd.json").frame
    assert frame["facility"].to_list() == ["02001", "02009"]


def test_an_empty_post_has_no_row(tmp_path: Path) -> None:
    assert read(tmp_path, body()).rows == 0


HOSTILE: dict[str, tuple[object, str]] = {
    "deep lists": ('{"ncdData":' + "[" * 200_000, f"nested deeper than {DEPTH}"),
    "deep objects": ('{"ncdData":[' + '{"a":' * 100 + "1" + "}" * 100 + "]}", f"nested deeper than {DEPTH}"),
    "not a number": ('{"ncdData":[{"HA_TAM_THU":NaN}]}', "NaN or Infinity"),
    "infinity": ('{"ncdData":[{"HA_TAM_THU":-Infinity}]}', "NaN or Infinity"),
    "a number of many digits": ('{"ncdData":[{"a":' + "9" * 5_000 + "}]}", "a number of 5000 digits"),
    "a number too large": ('{"ncdData":[{"a":1e999}]}', "a number without end"),
    "a field twice": ('{"ncdData":[{"HO_TEN":"a","HO_TEN":"b"}]}', "a field named twice in record 1"),
    "a list twice": ('{"ncdData":[],"ncdData":[]}', "a field named twice"),
    "a text without end": ('{"ncdData":[{"a":"' + "x" * 3 * RECORD_BYTES + '"}]}', "more than 1000000 bytes"),
    "a text of escapes": ('{"ncdData":[{"a":"' + '\\"' * 2 * RECORD_BYTES, "more than 1000000 bytes"),
    "an envelope without end": ('{"a":"' + "x" * 3 * RECORD_BYTES + '"}', "its records stand elsewhere"),
    "records under another key": ({"entry": [TENSION]}, "holds no record of source moh_ncd_api"),
    "an empty object": ("{}", "holds no record"),
    "an empty list": ("[]", "holds no record"),
    "blanks": (" \n ", "is empty"),
    "a text": ('"abc"', "is not well-formed JSON"),
    "a table": ("HO_TEN,NGAY_KHAM\nx,14/08/2025\n", "is not well-formed JSON near line 1"),
    "brackets crossed": ('{"ncdData":[{}}]', "is not well-formed JSON"),
    "a comma too much": ("[{},]", "is not well-formed JSON"),
    "text where records should stand": ('{"ncdData":"abc"}', "holds no list of records under ncdData"),
    "UTF-16": (json.dumps(body(RECORD)).encode("utf-16"), "is not UTF-8 text"),
    "UTF-16 without mark": (json.dumps(body(RECORD)).encode("utf-16-le"), "is not UTF-8 text"),
    "Windows Vietnamese": ('{"ncdData":[{"HO_TEN":"Đào"}]}'.encode("cp1258"), "is not UTF-8 text"),
    "a NUL": (b'{"ncdData":[{"HO_TEN":"\0"}]}', "is not UTF-8 text"),
    "a receipt": ({"pID": "1", "jobReference": "2", "createdAt": "x"}, "is an answer without data"),
    "a refused log-in": ({"httpStatus": "x", "httpStatusCode": 401}, "refused the log-in"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_in_one_line(tmp_path: Path, case: str) -> None:
    content, told = HOSTILE[case]
    assert told in refused(tmp_path, content)


def test_records_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_walk, "LIMITS", Limits(rows=100))
    assert "more than 100 records" in refused(tmp_path, '{"ncdData":[' + "1," * 100 + "1]}")


def test_cut_off_at_every_byte(tmp_path: Path) -> None:
    whole = json.dumps(body(BOTH), ensure_ascii=False).encode()
    for size in range(1, len(whole)):
        told = refused(tmp_path, whole[:size])
        assert "near line 1" in told or "not UTF-8" in told


def test_the_place_of_damage_is_named(tmp_path: Path) -> None:
    lines = [json.dumps(body(RECORD)) for _ in range(3)]
    lines[2] = lines[2][:-40]
    assert "near line 3, record 3" in refused(tmp_path, "\n".join(lines))


def test_a_mapping_says_where_its_records_stand(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "ncdsurv" / "catalog" / "definitions" / "sources"
    text = (folder / "moh_ncd_api.toml").read_text(encoding="utf-8")
    (tmp_path / "a.toml").write_text(text.replace("sheets_below", "# "), encoding="utf-8")
    head, _, rest = text.partition("[records]")
    (tmp_path / "b.toml").write_text(head + rest[rest.index("[sheets.") :], encoding="utf-8")
    _, problems = load_sources(tmp_path, CATALOG.diseases)
    assert any(
        problem.startswith("sources/a.toml") and "sheets_below is missing" in problem for problem in problems
    )
    assert any(problem.startswith("sources/b.toml") and "needs [records]" in problem for problem in problems)
