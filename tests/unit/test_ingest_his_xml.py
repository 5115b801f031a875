"""HIS XML: envelope, inline and bare files; blood pressure from XML5, laboratory values from XML4."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.errors import InputError
from ncdsurv.ingest import RawBatch, read_file
from tests.clean_support import CATALOG, KEY, REFERENCE

SOURCE = load_catalog().sources["his_xml"]
HEAD = {
    "MA_LK": "L1",
    "MA_BN": "17",
    "HO_TEN": "Lò Thị Mẫu",
    "SO_CCCD": "002161012345",
    "NGAY_SINH": "196100000000",
    "GIOI_TINH": "2",
    "MAXA_CU_TRU": "00691",
    "MA_BENH_CHINH": "I10",
    "MA_BENH_KT": "E11.9",
    "NGAY_VAO": "202508140745",
    "MA_LOAI_KCB": "05",
    "KET_QUA_DTRI": "2",
    "CAN_NANG": "52.5",
}


def element(tag: str, cells: dict[str, str]) -> str:
    body = "".join(f"<{name}>{text}</{name}>" for name, text in cells.items())
    return f"<{tag}>{body}</{tag}>"


def xml2(*drugs: dict[str, str]) -> str:
    body = "".join(element("CHI_TIET_THUOC", drug) for drug in drugs)
    return (
        f"<CHITIEU_CHITIET_THUOC><DSACH_CHI_TIET_THUOC>{body}</DSACH_CHI_TIET_THUOC></CHITIEU_CHITIET_THUOC>"
    )


def xml4(*labs: dict[str, str]) -> str:
    body = "".join(element("CHI_TIET_CLS", lab) for lab in labs)
    return (
        f"<CHITIEU_CHITIET_DICHVUCANLAMSANG><DSACH_CHI_TIET_CLS>{body}</DSACH_CHI_TIET_CLS>"
        "</CHITIEU_CHITIET_DICHVUCANLAMSANG>"
    )


def xml5(text: str) -> str:
    line = element("CHI_TIET_DIEN_BIEN_BENH", {"MA_LK": "L1", "DIEN_BIEN_LS": text})
    return (
        f"<CHITIEU_CHITIET_DIENBIENLAMSANG><DSACH_CHI_TIET_DIEN_BIEN_BENH>{line}"
        "</DSACH_CHI_TIET_DIEN_BIEN_BENH></CHITIEU_CHITIET_DIENBIENLAMSANG>"
    )


def coded(part: str) -> str:
    return base64.b64encode(part.encode()).decode()


def envelope(*visits: dict[str, str], code: bool = True) -> str:
    files = "".join(
        "<HOSO>"
        + "".join(
            f"<FILEHOSO><LOAIHOSO>{name}</LOAIHOSO>"
            f"<NOIDUNGFILE>{coded(part) if code else part}</NOIDUNGFILE></FILEHOSO>"
            for name, part in visit.items()
        )
        + "</HOSO>"
        for visit in visits
    )
    return (
        "<GIAMDINHHS><THONGTINDONVI><MACSKCB>02001</MACSKCB></THONGTINDONVI><THONGTINHOSO><DANHSACHHOSO>"
        f"{files}</DANHSACHHOSO></THONGTINHOSO></GIAMDINHHS>"
    )


def read(tmp_path: Path, text: str) -> RawBatch:
    path = tmp_path / "02001_xml.xml"
    path.write_text(text, encoding="utf-8")
    return read_file(path, SOURCE)


def visit(**parts: str) -> dict[str, str]:
    return {"XML1": element("TONG_HOP", HEAD), **parts}


FULL = visit(
    XML2=xml2({"LIEU_DUNG": "1 viên/lần * 1 lần/ngày", "SO_LUONG": "28"}),
    XML4=xml4(
        {
            "MA_DICH_VU": "23.0075.1494",
            "TEN_CHI_SO": "Glucose máu (lúc đói)",
            "GIA_TRI": "7.2",
            "DON_VI_DO": "mmol/L",
        }
    ),
    XML5=xml5("CSST&lt;M75_T37_HA138/86_NT18_HL2&gt;"),
)


@pytest.mark.parametrize("code", [True, False], ids=["base64", "inline"])
def test_one_row_per_hoso_joins_its_parts(tmp_path: Path, code: bool) -> None:
    batch = read(tmp_path, envelope(FULL, visit(), code=code))
    first, second = batch.frame.rows(named=True)
    assert batch.frame["row_number"].to_list() == [1, 2]
    assert first["blood_pressure"] == "CSST<M75_T37_HA138/86_NT18_HL2>"
    assert (first["glucose"], first["glucose_unit"], first["glucose_kind"]) == (
        "7.2",
        "mmol/L",
        "Glucose máu (lúc đói)",
    )
    assert first["drugs"] == "1 viên/lần * 1 lần/ngày|28"
    assert first["facility"] == "02001"  # the sender's code, XML1 has none
    assert second["glucose"] is None


def test_a_whole_visit_is_cleaned(tmp_path: Path) -> None:
    from ncdsurv.clean import clean_batch

    clean = clean_batch(read(tmp_path, envelope(FULL)), SOURCE, CATALOG, REFERENCE, KEY)
    row = clean.visits.row(0, named=True)
    assert (row["sbp"], row["dbp"], row["glucose_mmol_l"], row["glucose_kind"]) == (138, 86, 7.2, "fasting")
    assert (row["supply_days"], row["sequence"], row["kind"]) == (28, 465, "exam")
    assert set(clean.diagnoses["disease"]) == {"hypertension", "diabetes"}
    assert clean.patients["birth_precision"].to_list() == ["year"]


def test_hoso_without_envelope(tmp_path: Path) -> None:
    text = f"<DANHSACHHOSO><HOSO>{visit()['XML1']}{xml5('HA 120/70')}</HOSO></DANHSACHHOSO>"
    row = read(tmp_path, text).frame.row(0, named=True)
    assert (row["name"], row["blood_pressure"]) == ("Lò Thị Mẫu", "HA 120/70")


def test_bare_parts_are_joined_by_their_visit_id(tmp_path: Path) -> None:
    other = element("TONG_HOP", {**HEAD, "MA_LK": "L2"})
    text = f"<HO_SO>{visit()['XML1']}{other}{xml5('HA 120/70')}</HO_SO>"
    assert read(tmp_path, text).frame["blood_pressure"].to_list() == ["HA 120/70", None]


def test_a_single_summary_is_a_visit(tmp_path: Path) -> None:
    assert read(tmp_path, visit()["XML1"]).rows == 1


LAB_NAMES = [
    ("23.0083.1523", "Định lượng HbA1c", "hba1c", "by service code"),
    ("", "HbA1c (máu)", "hba1c", "by name"),
    ("", "Đường máu mao mạch", "glucose", "by name"),
    ("", "Glucose niệu", None, "urine is no blood"),
    ("23.0041.1506", "Cholesterol", None, "another analysis"),
]


@pytest.mark.parametrize(("code", "name", "field", "why"), LAB_NAMES, ids=[row[3] for row in LAB_NAMES])
def test_laboratory_values_are_found(
    tmp_path: Path, code: str, name: str, field: str | None, why: str
) -> None:
    lab = {"MA_DICH_VU": code, "TEN_CHI_SO": name, "GIA_TRI": "6.9"}
    row = read(tmp_path, envelope(visit(XML4=xml4(lab)))).frame.row(0, named=True)
    assert {name: row[name] for name in ("glucose", "hba1c") if row[name]} == (
        {field: "6.9"} if field else {}
    )


def test_a_service_code_outranks_a_name_and_an_empty_result_is_none(tmp_path: Path) -> None:
    labs = xml4(
        {"MA_DICH_VU": "23.0075.1494", "TEN_CHI_SO": "Glucose", "GIA_TRI": "7.2"},
        {"MA_DICH_VU": "x", "TEN_CHI_SO": "Glucose mao mạch", "GIA_TRI": "9.9"},
        {"MA_DICH_VU": "23.0075.1494", "TEN_CHI_SO": "Glucose", "GIA_TRI": ""},
    )
    assert read(tmp_path, envelope(visit(XML4=labs))).frame["glucose"].to_list() == ["7.2"]


def test_the_appointment_letter_fills_in_for_the_summary(tmp_path: Path) -> None:
    letter = element("CHI_TIEU_GIAYHEN_KHAMLAI", {"MA_LK": "L1", "NGAY_HEN_KL": "20250911"})
    assert read(tmp_path, envelope(visit(XML14=letter))).frame["next_visit_on"].to_list() == ["20250911"]
    head = element("TONG_HOP", {**HEAD, "NGAY_TAI_KHAM": "20250910"})
    both = {"XML1": head, "XML14": letter}
    assert read(tmp_path, envelope(both)).frame["next_visit_on"].to_list() == ["20250910"]


def test_a_damaged_part_rejects_or_is_noted_but_the_row_is_counted(tmp_path: Path) -> None:
    from ncdsurv.clean import clean_batch

    text = envelope(visit(), visit(XML5="<a>"), {"XML1": "<TONG_HOP>", "XML5": xml5("HA 120/70")})
    batch = read(tmp_path, text.replace(coded("<a>"), "!!"))
    clean = clean_batch(batch, SOURCE, CATALOG, REFERENCE, KEY)
    assert batch.frame["damage"].to_list() == [None, "XML5", "XML1"]
    assert clean.rejects["rule"].to_list() == ["row_unreadable"]
    counts = clean.counts.row(0, named=True)
    assert counts["rows_in"] == 3 == counts["kept"] + counts["rejected"] + counts["duplicates"]


def test_a_file_without_visits_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="HOSO with FILEHOSO, or TONG_HOP"):
        read(tmp_path, "<GIAMDINHHS/>")


def test_many_visits_are_streamed_in_order(tmp_path: Path) -> None:
    visits = [{"XML1": element("TONG_HOP", {**HEAD, "MA_BN": str(number)})} for number in range(50)]
    batch = read(tmp_path, envelope(*visits))
    assert batch.frame["source_patient_id"].to_list() == [str(number) for number in range(50)]
