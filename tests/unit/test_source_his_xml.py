"""Insurance files as a folder, a zip, bare parts or one envelope give the same visits; hostile archives are refused."""

from __future__ import annotations

import base64
import re
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from ncdsurv.catalog import load_catalog
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.errors import InputError
from ncdsurv.ingest import read_file, read_files
from ncdsurv.reference import load_reference
from tests.clean_support import KEY
from tests.unit.test_ingest_his_xml import HEAD, element, envelope, visit, xml4, xml5

CATALOG, REFERENCE = load_catalog(), load_reference()
SOURCE = CATALOG.sources["his_xml"]
SAMPLE = next(iter(sorted((Path(__file__).parents[2] / "data_samples" / "his_xml").glob("*.xml"))), None)
needs_sample = pytest.mark.skipif(SAMPLE is None, reason="data_samples/ stands only in a checkout")


def clean(*paths: Path) -> CleanBatch:
    return clean_batch(read_files(paths, SOURCE), SOURCE, CATALOG, REFERENCE, KEY)


def bare_parts(path: Path) -> dict[str, list[str]]:
    """The parts of an envelope's visits, decoded, by name."""
    parts: dict[str, list[str]] = {}
    for file in etree.parse(path).iter("FILEHOSO"):
        text = base64.b64decode(file.findtext("NOIDUNGFILE")).decode()
        parts.setdefault(file.findtext("LOAIHOSO"), []).append(re.sub(r"<\?xml.*?\?>", "", text))
    return parts


def content(batch: CleanBatch) -> list[tuple[object, ...]]:
    return batch.visits.drop("file_sha256", "row_number").sort("visit_id").rows()


@needs_sample
@pytest.mark.parametrize(
    "layout", ["one file a part and visit", "one file a part", "one file", "zip", "zip of envelopes"]
)
def test_every_layout_gives_the_visits_of_the_envelope(tmp_path: Path, layout: str) -> None:
    assert SAMPLE is not None
    parts = bare_parts(SAMPLE)
    folder = tmp_path / "export"
    folder.mkdir()
    if layout == "one file":
        text = "".join(body for bodies in parts.values() for body in bodies)
        (folder / "all.xml").write_text(f"<HO_SO>{text}</HO_SO>", encoding="utf-8")
    elif layout == "one file a part":
        for name, bodies in parts.items():
            merged = bodies[0] if len(bodies) == 1 else f"<{name}>{''.join(bodies)}</{name}>"
            (folder / f"{name}.xml").write_text(f"<HO_SO>{merged}</HO_SO>", encoding="utf-8")
    elif layout == "zip of envelopes":
        with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(SAMPLE, "2026/06/a.xml")
            archive.writestr("__MACOSX/._a.xml", b"\0\0")
    else:
        for name, bodies in parts.items():
            for number, body in enumerate(bodies):
                (folder / f"{name}_{number}.xml").write_text(body, encoding="utf-8")
    if layout == "zip":
        with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, f"T6/{path.name}")
        got = clean(tmp_path / "export.zip")
    elif layout == "one file a part":
        # roots inside another element are known only to the reader, so these come as one archive
        with zipfile.ZipFile(tmp_path / "parts.zip", "w") as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
        got = clean(tmp_path / "parts.zip")
    else:
        got = clean(*sorted(folder.iterdir()))
    assert content(got) == content(clean(SAMPLE))
    assert (
        got.counts["rows_in"] == got.counts["kept"] + got.counts["rejected"] + got.counts["duplicates"]
    ).all()


@needs_sample
def test_a_folder_of_bare_parts_goes_into_the_registry_once(tmp_path: Path) -> None:
    from ncdsurv.registry import open_store

    assert SAMPLE is not None
    folder = tmp_path / "export"
    folder.mkdir()
    for name, bodies in bare_parts(SAMPLE).items():
        for number, body in enumerate(bodies):
            (folder / f"{name}_{number}.xml").write_text(body, encoding="utf-8")
    store = open_store(tmp_path / "registry")
    first = store.ingest(folder, source="his_xml")
    again = store.ingest(folder, source="his_xml")
    assert first.balances
    assert first.kept == clean(SAMPLE).visits.height
    assert [file.status for file in again.files] == ["already_known"]
    other = store.ingest(SAMPLE, source="his_xml")  # the same visits, in their envelope
    assert (other.kept, other.duplicates) == (0, other.rows_in - other.rejected)


def test_lines_without_their_head_are_counted_and_rejected(tmp_path: Path) -> None:
    head = element("TONG_HOP", {**HEAD, "MA_CSKCB": "02001"})
    (tmp_path / "XML1.xml").write_text(head, encoding="utf-8")
    lost = xml5("HA 120/70").replace("L1", "L9")
    (tmp_path / "XML5.xml").write_text(lost, encoding="utf-8")
    got = clean(*sorted(tmp_path.iterdir()))
    assert got.rejects["rule"].to_list() == ["row_unreadable"]
    assert (got.counts["rows_in"].sum(), got.counts["kept"].sum()) == (2, 1)


def test_two_heads_of_one_visit_number_are_one_visit_and_the_later_word_counts(tmp_path: Path) -> None:
    corrected = {**HEAD, "NGAY_VAO": "202508150745", "CAN_NANG": "55"}
    text = f"<HO_SO>{visit()['XML1']}{element('TONG_HOP', corrected)}</HO_SO>"
    path = tmp_path / "a.xml"
    path.write_text(text.replace("<HO_TEN>", "<MA_CSKCB>02001</MA_CSKCB><HO_TEN>"), encoding="utf-8")
    got = clean(path)
    assert got.visits.select("visited_on", "weight_kg").rows()[0][1] == 55
    assert (got.visits.height, got.duplicates.height) == (1, 1)


DECISIONS = {
    "130: codes and numbers without zeros": {
        "MA_LOAI_KCB": "5",
        "SO_CCCD": "2161012345",
        "DIEN_THOAI": "912345678",
    },
    "4750 and 3176: text": {"MA_LOAI_KCB": "05", "SO_CCCD": "002161012345", "DIEN_THOAI": "0912345678"},
}


@pytest.mark.parametrize("decision", DECISIONS)
def test_the_decisions_differ_in_lost_zeros_only(tmp_path: Path, decision: str) -> None:
    path = tmp_path / "a.xml"
    head = {**HEAD, **DECISIONS[decision], "MA_CSKCB": "02001"}
    path.write_text(envelope({"XML1": element("TONG_HOP", head)}), encoding="utf-8")
    got = clean(path)
    assert got.visits["kind"].to_list() == ["exam"]
    assert got.identifiers.select("citizen_id", "phone").row(0) == ("002161012345", "0912345678")


UNITS = [
    ("7.2", "mmol/L", "glucose_mmol_l", 7.2),
    ("126", "mg/dL", "glucose_mmol_l", 7.0),
    ("126", "", "glucose_mmol_l", 7.0),
    ("7,2 mmol/l", "", "glucose_mmol_l", 7.2),
    ("36", "", "glucose_mmol_l", None),
]


@pytest.mark.parametrize(("value", "unit", "column", "wanted"), UNITS)
def test_units_of_the_laboratory_part(
    tmp_path: Path, value: str, unit: str, column: str, wanted: float | None
) -> None:
    lab = {"MA_DICH_VU": "23.0075.1494", "TEN_CHI_SO": "Glucose", "GIA_TRI": value, "DON_VI_DO": unit}
    path = tmp_path / "a.xml"
    head = element("TONG_HOP", {**HEAD, "MA_CSKCB": "02001"})
    path.write_text(envelope({"XML1": head, "XML4": xml4(lab)}), encoding="utf-8")
    assert clean(path).visits[column].to_list() == [wanted]


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


GOOD = envelope(visit()).encode()
HOSTILE = {
    "a name that leaves the folder": ({"../../a.xml": GOOD}, "leaves the folder"),
    "an absolute name": ({"/etc/a.xml": GOOD}, "leaves the folder"),
    "a drive": ({"C:\\a.xml": GOOD}, "leaves the folder"),
    "an archive inside": ({"a.xml": b"PK\x03\x04rest"}, "archive inside"),
    "a bomb": ({"a.xml": b"<HOSO>" + b" " * 60_000_000 + b"</HOSO>"}, "unpacks to"),
    "nothing to read": ({"readme.pdf": b"%PDF"}, "holds no visit"),
    "a member cut off": ({"a.xml": GOOD[:200]}, "not well-formed"),
    "an entity bomb": ({"a.xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]><HOSO>&a;</HOSO>"}, "document type"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_archives_are_refused_in_one_line(tmp_path: Path, what: str) -> None:
    members, told = HOSTILE[what]
    with pytest.raises(InputError, match=told) as caught:
        read_file(zipped(tmp_path / "a.zip", members), SOURCE)
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    data = zipped(tmp_path / "whole.zip", {"a.xml": GOOD}).read_bytes()
    for size in (30, len(data) // 2, len(data) - 10):
        path = tmp_path / f"cut{size}.zip"
        path.write_bytes(data[:size])
        with pytest.raises(InputError, match="damaged"):
            read_file(path, SOURCE)


def test_a_member_is_called_by_its_place_never_by_its_name(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"ho_so_nguyen_van_mau.xml": GOOD[:200]})
    with pytest.raises(InputError) as caught:
        read_file(path, SOURCE)
    assert "nguyen" not in str(caught.value)
    assert "member 1" in str(caught.value)
