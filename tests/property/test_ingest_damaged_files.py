"""A damaged file is either read or refused in one line: no other exception, no cell value in the message."""

from __future__ import annotations

import json
import tempfile
from functools import lru_cache
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.clean import clean_batch
from ncdsurv.errors import NcdsurvError
from ncdsurv.ingest import read_file
from tests.clean_support import CATALOG, KEY, REFERENCE
from tests.unit.test_ingest_his_xml import FULL, envelope
from tests.unit.test_ingest_json import BOTH
from tests.unit.test_ingest_tables import HEADER, ROW

SECRET = "Lò Thị Mẫu"
KINDS = [("viettel", "02001_a.csv"), ("viettel", "02001_a.xlsx"), ("his_xml", "02001_a.xml")]
KINDS += [("moh_ncd_api", "02001_a.json"), ("v20", "02001_v20.json")]


@lru_cache
def whole(name: str) -> bytes:
    """A small good file of each format."""
    if name.endswith(".csv"):
        return "\n".join(",".join(row) for row in (HEADER, ROW, ROW)).encode()
    if name.endswith("_v20.json"):
        return json.dumps({"code": "200", "data": [BOTH, BOTH]}, ensure_ascii=False).encode()
    if name.endswith(".json"):
        return json.dumps({"ncdData": [BOTH, BOTH]}, ensure_ascii=False).encode()
    if name.endswith(".xml"):
        return envelope(FULL, FULL).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        book = xlsxwriter.Workbook(path)
        sheet = book.add_worksheet("K")
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ROW)
        book.close()
        return path.read_bytes()


def survives(source: str, name: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        batch, refused = None, ""
        try:
            batch = read_file(path, CATALOG.sources[source])
        except NcdsurvError as error:
            refused = str(error)
        assert "\n" not in refused
        assert SECRET not in refused
        if batch is None:
            return
        counts = clean_batch(batch, CATALOG.sources[source], CATALOG, REFERENCE, KEY).counts
        left = counts["rows_in"] - counts["kept"] - counts["rejected"] - counts["duplicates"]
        assert set(left) <= {0}


@pytest.mark.parametrize(("source", "name"), KINDS, ids=[name for _, name in KINDS])
def test_cut_off_at_many_places(source: str, name: str) -> None:
    data = whole(name)
    for size in range(0, len(data), max(1, len(data) // 40)):
        survives(source, name, data[:size])


@pytest.mark.parametrize(("source", "name"), KINDS, ids=[name for _, name in KINDS])
@given(place=st.floats(0, 0.999), byte=st.integers(0, 255), length=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_bytes_overwritten_anywhere(source: str, name: str, place: float, byte: int, length: int) -> None:
    data = bytearray(whole(name))
    start = int(place * len(data))
    data[start : start + length] = bytes([byte]) * length
    survives(source, name, bytes(data))


@pytest.mark.parametrize(("source", "name"), KINDS, ids=[name for _, name in KINDS])
@given(data=st.binary(max_size=300))
@settings(max_examples=30, deadline=None)
def test_any_bytes_under_any_name(source: str, name: str, data: bytes) -> None:
    survives(source, name, data)
