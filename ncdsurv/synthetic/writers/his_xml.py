"""Insurance files of Decisions 130 and 4750: an envelope of visits, each with base64 parts XML1 to XML14."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ncdsurv.synthetic.data import parameters, table
from ncdsurv.synthetic.writers.book import Book, FileJob, Identity, Ill, copies, drugs_of, has, reading

_HEAD = '<?xml version="1.0" encoding="utf-8"?>'
_PRICE = 800  # đồng per tablet, invented


def write_insurance(book: Book, job: FileJob, path: Path) -> None:
    """Write one station's file: all its visits of the window.

    Args:
        book: People and diseases.
        job: The file.
        path: Where to.
    """
    identities: dict[int, Identity] = {}
    records: list[str] = []
    for visit in job.visits:
        who = identities.get(visit.person)
        if who is None:
            who = identities[visit.person] = book.identity(job, visit.person)
        records += [_record(book, job, visit, who)] * copies(job, visit)
    facility = job.station["facility"]
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        handle.write(
            f"{_HEAD}\n<GIAMDINHHS><THONGTINDONVI><MACSKCB>{facility}</MACSKCB></THONGTINDONVI><THONGTINHOSO>"
            f"<NGAYLAP>{book.last_day:%Y%m%d}</NGAYLAP><SOLUONGHOSO>{len(records)}</SOLUONGHOSO><DANHSACHHOSO>\n"
        )
        handle.writelines(records)
        handle.write("</DANHSACHHOSO></THONGTINHOSO></GIAMDINHHS>\n")


@cache
def fields(part: str) -> tuple[str, ...]:
    """Field names of a part, in the order of the annex.

    >>> len(fields("XML1")), fields("XML1")[:3]
    (66, ('MA_LK', 'STT', 'MA_BN'))
    """
    return tuple(row["field"] for row in table("his_xml_fields") if row["table"] == part)


@cache
def _tags(part: str) -> tuple[tuple[str, str, str, str], ...]:
    return tuple((name, f"<{name}>", f"</{name}>", f"<{name}/>") for name in fields(part))


def _record(book: Book, job: FileJob, visit: Any, who: Identity) -> str:
    ills = book.diseases(visit)
    common = _common(book, job, visit, who, ills)
    parts = {"XML1": [common]}
    if visit.supply_days:
        parts["XML2"] = [_drug(common, ill, visit, at) for at, ill in enumerate(ills, 1)]
    if visit.glucose_mmol_l is not None:
        parts["XML4"] = _labs(job, common, visit)
    if visit.sbp is not None:
        parts["XML5"] = [_progress(job, common, visit)]
    if visit.next_visit_on:
        parts["XML14"] = [_appointment(common, visit)]
    files = "".join(
        f"<FILEHOSO><LOAIHOSO>{part}</LOAIHOSO><NOIDUNGFILE>{_encode(part, items)}</NOIDUNGFILE></FILEHOSO>"
        for part, items in parts.items()
    )
    return f"<HOSO>{files}</HOSO>\n"


def _encode(part: str, items: list[dict[str, str]]) -> str:
    root, *inner = parameters("insurance")["roots"][part]
    body = "".join(_item(part, values, inner[-1] if inner else "") for values in items)
    if inner:
        body = f"<{inner[0]}>{body}</{inner[0]}>"
    return base64.b64encode(f"{_HEAD}<{root}>{body}</{root}>".encode()).decode()


def _item(part: str, values: Mapping[str, str], tag: str) -> str:
    look = values.get
    body = "".join(
        [
            f"{start}{escape(value) if '<' in value or '&' in value else value}{end}"
            if (value := look(name))
            else none
            for name, start, end, none in _tags(part)
        ]
    )
    return f"<{tag}>{body}</{tag}>" if tag else body


def _common(book: Book, job: FileJob, visit: Any, who: Identity, ills: list[Ill]) -> dict[str, str]:
    """XML1; the other parts borrow from it."""
    settings = parameters("insurance")
    codes, facility = settings["codes"], job.station["facility"]
    province, district, commune = book.commune(visit)
    arrived = _stamp(visit.visited_on, visit.minute)
    left = _stamp(visit.visited_on, visit.minute + 25)
    cost = str(_PRICE * (visit.supply_days or 0) * len(ills))
    diagnosis = "; ".join(parameters("illness")["disease"][ill.disease]["diagnosis"] for ill in ills)
    dead = visit.status == "dead"
    year = visit.visited_on.year
    return {
        **settings["fixed"]["XML1"],
        "MA_LK": f"{facility}{who.patient_id}{visit.visited_on:%y%m%d}",
        "STT": "1",
        "MA_BN": who.patient_id,
        "HO_TEN": who.name,
        "SO_CCCD": who.citizen_id,
        "NGAY_SINH": f"{who.birth_date.year}00000000" if who.year_only else f"{who.birth_date:%Y%m%d}0000",
        "GIOI_TINH": codes["sex"][who.sex],
        "MA_DANTOC": book.persons[visit.person].ethnicity,
        "MA_NGHE_NGHIEP": book.persons[visit.person].occupation,
        "DIA_CHI": who.address,
        "MATINH_CU_TRU": province,
        "MAHUYEN_CU_TRU": district,
        "MAXA_CU_TRU": commune,
        "DIEN_THOAI": who.phone,
        "MA_THE_BHYT": who.insurance_number,
        "MA_DKBD": facility,
        "GT_THE_TU": f"{year}0101",
        "GT_THE_DEN": f"{year}1231",
        "CHAN_DOAN_VAO": diagnosis,
        "CHAN_DOAN_RV": diagnosis,
        "MA_BENH_CHINH": ills[0].icd10,
        "MA_BENH_KT": ";".join(ill.icd10 for ill in ills[1:]),
        "NGAY_VAO": arrived,
        "NGAY_RA": left,
        "KET_QUA_DTRI": codes["died"] if dead else codes["better"],
        "NGAY_TTOAN": left,
        "T_THUOC": cost,
        "T_TONGCHI_BV": cost,
        "T_TONGCHI_BH": cost,
        "T_BHTT": cost,
        "NAM_QT": str(year),
        "THANG_QT": f"{visit.visited_on.month:02d}",
        "MA_LOAI_KCB": _encounter(visit, codes),
        "MA_CSKCB": facility,
        "CAN_NANG": "" if visit.weight_kg is None else f"{visit.weight_kg:g}",
        "NGAY_TAI_KHAM": f"{visit.next_visit_on:%Y%m%d}" if visit.next_visit_on else "",
        "MA_HSBA": f"{facility}.{who.patient_id}",
        "MA_TTDV": f"{facility}TT",
    }


def _encounter(visit: Any, codes: Mapping[str, Any]) -> str:
    """Vital signs are only sent with chronic outpatient visits, so a visit without them is a plain one."""
    if visit.kind == "refill":
        return codes["refill"]
    if visit.sbp is None:
        return codes["plain"]
    return codes["chronic_tested"] if visit.glucose_mmol_l is not None else codes["chronic"]


def _drug(common: dict[str, str], ill: Ill, visit: Any, at: int) -> dict[str, str]:
    name, strength = drugs_of(ill, visit.person)
    days = visit.supply_days
    cost = str(_PRICE * days)
    return {
        **parameters("insurance")["fixed"]["XML2"],
        "MA_LK": common["MA_LK"],
        "STT": str(at),
        "MA_THUOC": f"40.{100 + sum(map(ord, name)) % 900}",
        "TEN_THUOC": name,
        "HAM_LUONG": strength,
        "LIEU_DUNG": f"1 viên/lần * 1 lần/ngày * {days} ngày [{days} viên]",
        "SO_LUONG": str(days),
        "DON_GIA": str(_PRICE),
        "THANH_TIEN_BV": cost,
        "THANH_TIEN_BH": cost,
        "T_BHTT": cost,
        "MA_BAC_SI": f"{common['MA_CSKCB']}BS",
        "NGAY_YL": common["NGAY_VAO"],
        "NGAY_TH_YL": common["NGAY_VAO"],
    }


def _labs(job: FileJob, common: dict[str, str], visit: Any) -> list[dict[str, str]]:
    tests = parameters("insurance")["lab"]
    rows: list[dict[str, str]] = []
    for column, test in tests.items():
        value = reading(job, visit, column)
        if value is None:
            continue
        row = {name: text for name, text in test.items() if isinstance(text, str)}
        if "names" in test:
            row["TEN_CHI_SO"] = test["names"][visit.glucose_kind]
            row["DON_VI_DO"] = "mg/dL" if "mg_dl" in job.spoiled else row["DON_VI_DO"]
            row["DON_VI_DO"] = "" if has(job, visit, "missing_units") else row["DON_VI_DO"]
        row |= {"MA_LK": common["MA_LK"], "STT": str(len(rows) + 1), "GIA_TRI": f"{value:g}"}
        rows.append({**row, "NGAY_KQ": common["NGAY_RA"]})
    return rows


def _progress(job: FileJob, common: dict[str, str], visit: Any) -> dict[str, str]:
    """Vital signs by the convention of Decision 4750."""
    pulse = 66 + visit.visit % 23
    signs = f"M{pulse}_T36.{5 + visit.visit % 5}_HA{reading(job, visit, 'sbp')}/{visit.dbp}_NT18"
    return {
        "MA_LK": common["MA_LK"],
        "STT": "1",
        "DIEN_BIEN_LS": f"Tỉnh, tiếp xúc tốt. CSST<{signs}>",
        "THOI_DIEM_DBLS": common["NGAY_VAO"],
        "NGUOI_THUC_HIEN": f"{common['MA_CSKCB']}BS",
    }


def _appointment(common: dict[str, str], visit: Any) -> dict[str, str]:
    return {
        **common,
        "SO_GIAYHEN_KL": f"{visit.visit:07d}",
        "NGAY_HEN_KL": f"{visit.next_visit_on:%Y%m%d}0000",
        "MA_BAC_SI": f"{common['MA_CSKCB']}BS",
        "NGAY_CT": f"{visit.visited_on:%Y%m%d}",
    }


def _stamp(day: dt.date, minute: int) -> str:
    return f"{day:%Y%m%d}{minute // 60:02d}{minute % 60:02d}"
