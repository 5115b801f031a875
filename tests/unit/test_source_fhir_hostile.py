"""FHIR files made to hurt: each is read or refused in one line, soon, in little memory, without a value."""

from __future__ import annotations

import json
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog import load_catalog
from ncdsurv.clean import clean_batch
from ncdsurv.errors import InputError, NcdsurvError
from ncdsurv.ingest import read_file
from ncdsurv.ingest.guard import Limits
from tests.clean_support import CATALOG, KEY, REFERENCE
from tests.fhir_support import bundle, condition, encounter, measured, organization, patient, pressure

SOURCE = load_catalog().sources["fhir"]
GOOD = [pressure(138, 86), condition("I10"), encounter(), patient(), organization()]
SECRET = "Thị"


def refused(tmp_path: Path, data: str | bytes, name: str = "02001_a.json") -> str:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(InputError) as error:
        read_file(path, SOURCE)
    told = str(error.value)
    assert "\n" not in told
    assert SECRET not in told
    return told


REFUSED: list[tuple[str, str | bytes, str]] = [
    ("XML", '<Bundle xmlns="http://hl7.org/fhir"><entry/></Bundle>', "is XML; FHIR is read as JSON"),
    ("deep arrays", '{"resourceType":"Bundle","entry":' + "[" * 200_000, "nested too deep"),
    ("deep objects", '{"a":' * 200_000, "nested too deep"),
    ("deep entry", '{"entry":[' + '{"resource":' * 90_000 + "1" + "}" * 90_000 + "]}", "nested too deep"),
    ("no FHIR", '{"ncdData": []}', "holds no FHIR resource"),
    ("entries but no bundle", '{"resourceType":"Patient","entry":[]}', "is no Bundle"),
    ("empty bundle", '{"resourceType":"Bundle","entry":[]}', "holds no contact"),
    ("no entries", '{"resourceType":"Bundle"}', "holds no contact"),
    ("patients only", bundle([patient()]), "holds no contact"),
    ("cut", bundle(GOOD)[:-40], "ends too early"),
    ("not a number", '{"resourceType":"Bundle","total":NaN}', "is not well-formed"),
    ("text", "resourceType: Bundle", "is not well-formed"),
    ("other encoding", bundle(GOOD).encode("utf-16"), "is not UTF-8"),
    ("bytes", b'{"resourceType":"\xff\xfe"}', "is not UTF-8"),
]


@pytest.mark.parametrize(("why", "data", "told"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused_in_one_line(tmp_path: Path, why: str, data: str | bytes, told: str) -> None:
    assert told in refused(tmp_path, data)


def test_too_many_resources_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "02001_a.json"
    path.write_text(bundle([encounter()] * 30), encoding="utf-8")
    from ncdsurv.ingest.fhir import read_fhir

    with pytest.raises(InputError, match="holds more than 20 resources"):
        read_fhir(path, "text", SOURCE, Limits(rows=20))


def test_a_resource_too_large_is_refused_without_being_held_twice(tmp_path: Path) -> None:
    huge = (
        '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Binary","data":"' + "A" * 40_000_000
    )
    tracemalloc.start()
    assert "above 16 MB" in refused(tmp_path, huge)
    assert tracemalloc.get_traced_memory()[1] < 200_000_000
    tracemalloc.stop()


def test_one_broken_line_is_one_rejected_row(tmp_path: Path) -> None:
    lines = [json.dumps(item) for item in GOOD]
    path = tmp_path / "02001_a.ndjson"
    path.write_text(
        "\n".join([*lines[:2], '{"resourceType": "Obs', *lines[2:], "[" * 100_000]), encoding="utf-8"
    )
    batch = clean_batch(read_file(path, SOURCE), SOURCE, CATALOG, REFERENCE, KEY)
    assert batch.visits["sbp"].to_list() == [138]
    assert batch.rejects.select("rule", "row_number").rows() == [("row_unreadable", 3), ("row_unreadable", 7)]


CIRCLES: list[dict[str, Any]] = [
    {**organization(), "partOf": {"reference": "Organization/o1"}},
    {
        **encounter(),
        "partOf": {"reference": "Encounter/e1"},
        "diagnosis": [{"condition": {"reference": "Encounter/e1"}}],
    },
    {**patient(), "link": [{"other": {"reference": "Patient/p1"}, "type": "seealso"}]},
    {**encounter(), "subject": {"reference": "Encounter/e1"}},
    {**patient(), "managingOrganization": {"reference": "#"}, "contained": [patient()]},
    {**encounter(), "contained": [{"resourceType": "Patient", "id": "c", "contained": [patient()]}]},
    {**pressure(120, 80), "encounter": {"reference": "Observation/1"}, "id": "1"},
]


@pytest.mark.parametrize("odd", CIRCLES, ids=range(len(CIRCLES)))
def test_circles_end(tmp_path: Path, odd: dict[str, Any]) -> None:
    path = tmp_path / "02001_a.json"
    path.write_text(bundle([odd, *GOOD]), encoding="utf-8")
    counts = clean_batch(read_file(path, SOURCE), SOURCE, CATALOG, REFERENCE, KEY).counts
    assert (counts["rows_in"] == counts["kept"] + counts["rejected"] + counts["duplicates"]).all()


def test_names_of_any_length_are_no_trap(tmp_path: Path) -> None:
    long = "A" * 2_000_000
    odd = [
        {**pressure(120, 80), "subject": {"reference": long}, "encounter": None},
        {**measured("1558-6", 7, long), "id": long},
        {**encounter(number=long[:5000]), "subject": {"reference": f"{long}/Patient/p1"}},
    ]
    path = tmp_path / "02001_a.json"
    path.write_text(bundle([*odd, *GOOD], urls=True), encoding="utf-8")
    started = time.monotonic()
    batch = clean_batch(read_file(path, SOURCE), SOURCE, CATALOG, REFERENCE, KEY)
    assert time.monotonic() - started < 20
    assert batch.visits["sbp"].to_list() == [138]


def test_halves_of_characters_and_odd_numbers_do_no_harm(tmp_path: Path) -> None:
    odd = {**patient(), "name": [{"text": "L\ud800o"}], "birthDate": 19610305}
    value = {**measured("1558-6", 1, "mmol/L"), "valueQuantity": {"value": "@", "unit": "\udfff"}}
    half = "\ud801"
    inside = {**patient(), "id": half}
    odder = {
        **pressure(120, 80),
        **{"id": half, "contained": [inside], "meta": {"versionId": half, "lastUpdated": half}},
        **{"subject": {"reference": f"#{half}"}, "encounter": {"reference": f"http://{half}/Encounter/e1"}},
        **{"effectiveDateTime": f"2025-08-14{half}", "status": half, "category": half},
    }
    logical = {
        **condition(half),
        "subject": {"identifier": {"system": half, "value": half}},
        "identifier": [{"system": half, "value": half}],
    }
    entries = [{"fullUrl": f"{half}/Patient/1", "resource": item} for item in (odder, logical)]
    entries += [{"resource": item} for item in (odd, value, *GOOD[:3], organization())]
    text = json.dumps({"resourceType": "Bundle", "entry": entries})
    assert "\\ud800" in text
    path = tmp_path / "02001_a.json"
    path.write_text(text.replace('"@"', "1e99999999").replace("19610305", "1" * 6000), encoding="utf-8")
    batch = clean_batch(read_file(path, SOURCE), SOURCE, CATALOG, REFERENCE, KEY)
    assert batch.counts["rows_in"].sum() == 3


def test_a_bomb_of_an_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "02001_a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Encounter.ndjson", b" " * 60_000_000)
    with pytest.raises(InputError, match="unpacks to"):
        read_file(path, SOURCE)


def survives(folder: Path, data: bytes, name: str) -> None:
    path = folder / name
    path.write_bytes(data)
    batch = None
    try:
        batch = read_file(path, SOURCE)
    except NcdsurvError as error:
        told = str(error)
    else:
        told = ""
    assert "\n" not in told
    assert SECRET not in told
    if batch is None:
        return
    counts = clean_batch(batch, SOURCE, CATALOG, REFERENCE, KEY).counts
    assert (counts["rows_in"] == counts["kept"] + counts["rejected"] + counts["duplicates"]).all()


@pytest.mark.parametrize("name", ["02001_a.json", "02001_a.ndjson"])
def test_cut_off_at_many_places(tmp_path: Path, name: str) -> None:
    data = (bundle(GOOD) if name.endswith(".json") else "\n".join(map(json.dumps, GOOD))).encode()
    for size in range(1, len(data), max(1, len(data) // 25)):
        survives(tmp_path, data[:size], name)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
WHERE = [(at, key) for at, item in enumerate(GOOD) for key in item]


@given(place=st.sampled_from(WHERE), value=JSON)
@settings(max_examples=30, deadline=None)
def test_anything_may_stand_anywhere(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[int, str], value: Any
) -> None:
    at, key = place
    items = [{**item, key: value} if number == at else item for number, item in enumerate(GOOD)]
    survives(tmp_path_factory.getbasetemp(), bundle(items).encode("utf-8", "replace"), "02001_a.json")


def test_more_facts_than_a_contact_can_have_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ncdsurv.ingest.resource_index._FACTS", 20)
    assert "more than 20 facts" in refused(tmp_path, bundle([*[pressure(120, 80)] * 30, *GOOD]))
    monkeypatch.setattr("ncdsurv.ingest.resource_index._LINKS", 10)
    assert "more facts are joined" in refused(tmp_path, bundle([*[pressure(120, 80)] * 30, *GOOD]))
