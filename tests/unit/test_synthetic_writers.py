"""Each file looks like the one the real system sends."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
from pathlib import Path

import polars as pl
import pytest
from lxml import etree
from python_calamine import CalamineWorkbook

from ncdsurv.synthetic import make_registry, write_exports
from ncdsurv.synthetic.data import parameters, table
from ncdsurv.synthetic.writers.xlsx import Sheet, write_xlsx

REFORM = dt.date(2025, 7, 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    registry = make_registry(700, seed=8, provinces=["02", "84"])
    out = tmp_path_factory.mktemp("exports")
    return registry, out, write_exports(registry, out)


def sheets(path: Path) -> dict[str, list[list]]:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def records(path: Path) -> list[dict[str, etree._Element]]:
    root = etree.parse(str(path)).getroot()
    found = []
    for record in root.iter("HOSO"):
        parts = {}
        for file in record.iter("FILEHOSO"):
            text = base64.b64decode(file.findtext("NOIDUNGFILE"))
            parts[file.findtext("LOAIHOSO")] = etree.fromstring(text)
        found.append(parts)
    return found


def test_files_are_named_by_source_station_and_month(made):
    _, out, paths = made
    for path in paths:
        source, name = path.relative_to(out / "exports").parts
        assert source in parameters("systems")
        assert name[:5].isdigit()
        assert "_202606." in name


def test_two_runs_give_the_same_bytes(made, tmp_path):
    registry, out, paths = made
    again = write_exports(registry, tmp_path, jobs=1)
    assert [p.relative_to(tmp_path) for p in again] == [p.relative_to(out) for p in paths]
    for one, other in zip(paths, again):
        assert one.read_bytes() == other.read_bytes()


def test_ministry_sheets_have_their_28_and_33_columns(made):
    _, _, paths = made
    path = next(p for p in paths if p.parent.name == "moh_ncd_excel")
    found = sheets(path)
    assert list(found) == ["THA", "DTD"]
    assert [len(rows[0]) for rows in found.values()] == [28, 33]
    assert found["THA"][0][:3] == ["Họ tên*", "Giới tính*", "Năm sinh*"]
    assert found["DTD"][0][12:14] == ["Đường huyết*", "HbA1C"]


def test_ministry_rows_are_the_visits_of_each_disease(made):
    registry, _, paths = made
    known = registry.visits.join(registry.illness, on="person").filter(
        pl.col("visited_on") >= pl.col("known_on"), pl.col("kind") != "screening"
    )
    typed = known.filter(pl.col("in_second") | (pl.col("in_main") & (pl.col("source") == "moh_ncd_excel")))
    for sheet, disease in (("THA", "hypertension"), ("DTD", "diabetes")):
        written = sum(len(sheets(path)[sheet]) - 1 for path in paths if path.parent.name == "moh_ncd_excel")
        assert written == typed.filter(disease=disease).height


def test_ministry_classes_and_codes_are_text_in_their_range(made):
    _, _, paths = made
    classes, communes = set(), set()
    for path in paths:
        if path.parent.name == "moh_ncd_excel":
            header, *rows = sheets(path)["THA"]
            for row in rows:
                cells = dict(zip(header, row))
                classes.add(cells["Phân loại BN*"])
                communes.add(len(cells["Xã/Phường/Thị trấn*"]))
                assert len(cells["Số CMT/CCCD*"]) == 12
                assert cells["Giới tính*"] in ("Nam", "Nữ")
                dt.datetime.strptime(cells["Ngày khám*"], "%d/%m/%Y")
    assert classes <= set("012345")
    assert {"0", "2", "5"} <= classes
    assert communes == {5}


def test_residence_is_coded_in_the_vintage_of_the_visit(made):
    registry, _, _ = made
    old = set(registry.base.atoms["commune_2024"])
    new = set(registry.base.atoms["commune_2025"])
    paths = [path for path in made[2] if path.parent.name == "his_xml"]
    seen = {"before": 0, "after": 0}
    for path in paths:
        for parts in records(path):
            one = parts["XML1"]
            day = dt.datetime.strptime(one.findtext("NGAY_VAO"), "%Y%m%d%H%M").date()
            commune, district = one.findtext("MAXA_CU_TRU"), one.findtext("MAHUYEN_CU_TRU")
            if day < REFORM:
                seen["before"] += 1
                assert commune in old
                assert district
                assert one.findtext("MATINH_CU_TRU") in ("02", "84")
            else:
                seen["after"] += 1
                assert commune in new
                assert not district
                assert one.findtext("MATINH_CU_TRU") in ("08", "86")
    assert min(seen.values()) > 20


def test_insurance_file_has_the_envelope_and_fields_of_the_decision(made):
    paths = [path for path in made[2] if path.parent.name == "his_xml"]
    assert paths
    root = etree.parse(str(paths[0])).getroot()
    assert root.tag == "GIAMDINHHS"
    assert root.findtext("THONGTINDONVI/MACSKCB") == paths[0].name[:5]
    found = records(paths[0])
    assert int(root.findtext("THONGTINHOSO/SOLUONGHOSO")) == len(found)
    for parts in found:
        assert parts["XML1"].tag == "TONG_HOP"
        assert [child.tag for child in parts["XML1"]] == [
            row["field"] for row in table("his_xml_fields") if row["table"] == "XML1"
        ]
        assert len(parts["XML1"]) == 66


def test_pressure_stands_in_the_vital_signs_of_chronic_visits_only(made):
    kinds = {}
    for path in made[2]:
        if path.parent.name == "his_xml":
            for parts in records(path):
                kind = parts["XML1"].findtext("MA_LOAI_KCB")
                kinds.setdefault(kind, set()).add("XML5" in parts)
                if "XML5" in parts:
                    text = next(parts["XML5"].iter("DIEN_BIEN_LS")).text
                    assert pytest.approx(1) == text.count("_HA")
                    assert "CSST<M" in text
                if kind == "07":
                    assert "XML2" in parts
    assert kinds["07"] == {False}
    assert kinds["05"] == {True}
    assert kinds["08"] == {True}


def test_laboratory_values_carry_service_code_unit_and_kind(made):
    codes, names = set(), set()
    for path in made[2]:
        if path.parent.name == "his_xml":
            for parts in records(path):
                for test in parts["XML4"].iter("CHI_TIET_CLS") if "XML4" in parts else ():
                    codes.add((test.findtext("MA_DICH_VU"), test.findtext("DON_VI_DO")))
                    names.add(test.findtext("TEN_CHI_SO"))
    assert codes == {("23.0075.1494", "mmol/L"), ("23.0083.1523", "%")}
    assert any("lúc đói" in name for name in names)


def test_insurance_visits_are_those_of_the_registry(made):
    registry, _, paths = made
    written = sum(len(records(path)) for path in paths if path.parent.name == "his_xml")
    assert written == registry.visits.filter(pl.col("in_main"), source="his_xml").height


def read_table(path: Path) -> tuple[list[str], list[list], int]:
    if path.suffix == ".csv":
        text = path.read_bytes()
        assert text.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    else:
        rows = next(iter(sheets(path).values()))
    at = next(i for i, row in enumerate(rows) if row and row[0] == "STT")
    return rows[at], rows[at + 1 :], at


def test_tables_come_split_and_joined_with_and_without_titles(made):
    registry, _, paths = made
    habits = {row["facility"]: row for row in registry.stations.rows(named=True)}
    shapes = set()
    for path in paths:
        if path.parent.name == "viettel":
            station = habits[path.name[:5]]
            header, _, above = read_table(path)
            assert ("HUYETAP" in header) == station["joined"]
            assert ("HUYETAP_CAO" in header) == (not station["joined"])
            assert (above > 0) == station["title"]
            assert (path.suffix == ".csv") == station["csv"]
            shapes.add((path.suffix, station["joined"]))
    assert len(shapes) == 4


def test_table_rows_are_the_contacts_with_screenings_marked(made):
    registry, _, paths = made
    kinds = []
    for path in paths:
        if path.parent.name == "viettel":
            header, rows, _ = read_table(path)
            at, code = header.index("MA_LOAI_KCB"), header.index("MA_BENH")
            kinds += [row[at] for row in rows]
            assert all((row[at] == "15") == (row[code] == "Z13.6") for row in rows)
    main = registry.visits.filter(pl.col("in_main"), source="viettel")
    assert len(kinds) == main.height
    assert kinds.count("15") == main.filter(kind="screening").height


def test_the_population_pack_says_that_it_is_invented(made):
    _, out, _ = made
    text = (out / "reference" / "pack.toml").read_text(encoding="utf-8")
    assert "Invented" in text
    assert "verified = false" in text
    assert (out / "reference" / "population.csv").exists()


def test_own_spreadsheets_read_back_as_written(tmp_path):
    path = tmp_path / "x.xlsx"
    day, time = dt.date(2025, 3, 4), dt.datetime(2025, 3, 4, 10, 24)
    write_xlsx(
        path, [Sheet("A", ["a<&", "b", "c", "d"], [["x & y", 1.5, day, time], [None, "01", 7, ""]], ("T",))]
    )
    rows = sheets(path)["A"]
    assert rows[0][0] == "T"
    assert rows[2][0] == "a<&"
    assert rows[3] == ["x & y", 1.5, day, time]
    assert rows[4][1:3] == ["01", 7.0]
