"""Periodic health checks of invented people: a facility's XML, a gateway's JSON with some of them again, a workbook."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import numpy as np

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.registry import SyntheticRegistry
from ncdsurv.synthetic.writers.book import MG_PER_MMOL
from ncdsurv.synthetic.writers.xlsx import Sheet, write_xlsx

_HEAD = '<?xml version="1.0" encoding="utf-8"?>'
_ADULT = 18


class Check(NamedTuple):
    """One health check as it happened: the truth behind the files."""

    facility: str
    code: str
    person: Any
    province: str
    seen: dt.datetime
    sbp: int
    dbp: int
    weight_kg: float
    height_cm: float
    glucose_mmol_l: float | None
    in_mg_dl: bool
    had_hypertension: bool
    had_diabetes: bool


def draw_checks(registry: SyntheticRegistry) -> dict[str, list[Check]]:
    """Checks of three facilities of the registry, with their adults, by facility."""
    plan = parameters("checkups")
    rng = np.random.default_rng(plan["seed"])
    province = dict(registry.base.atoms.select("commune_2025", "province_2025").iter_rows())
    checks: dict[str, list[Check]] = {}
    for facility in sorted(registry.stations["facility"].to_list())[:3]:
        people = [
            row
            for row in registry.persons.filter(facility=facility).sort("person").iter_rows(named=True)
            if plan["first_day"].year - row["birth_date"].year > _ADULT and row["citizen_id"]
        ]
        checks[facility] = [
            _check(facility, at, row, province[row["commune_2025"]], plan, rng)
            for at, row in enumerate(people[: plan["people"]], 1)
        ]
    return checks


def _check(
    facility: str, at: int, person: dict[str, Any], province: str, plan: dict[str, Any], rng: Any
) -> Check:
    day = plan["first_day"] + dt.timedelta(days=int(rng.integers(plan["days"])))
    minute = 7 * 60 + int(rng.integers(8 * 60))
    known = rng.random(4)
    height = round(float(rng.normal(158 if person["sex"] == "female" else 166, 6)), 0)
    return Check(
        facility,
        f"{facility}KSK{at:04d}",
        person,
        province,
        dt.datetime.combine(day, dt.time(minute // 60, minute % 60)),
        int(rng.normal(133, 16)),
        int(rng.normal(81, 8)),
        round(float(rng.normal(24, 3)) * (height / 100) ** 2, 1),
        height,
        round(float(rng.gamma(20, 0.3)), 1) if known[0] < plan["with_glucose"] else None,
        bool(known[1] < plan["in_mg_dl"]),
        bool(known[2] < plan["with_history"]),
        bool(known[3] < plan["with_history"] / 2),
    )


def forwarded(checks: dict[str, list[Check]]) -> list[Check]:
    """What the gateway sends: every check of the second facility, and some of the first once more."""
    first, second = list(checks.values())[:2]
    return [*first[: round(len(first) * parameters("checkups")["through_gateway"])], *second]


def write_samples(registry: SyntheticRegistry, folder: Path) -> list[Path]:
    """Write the three files.

    Args:
        registry: Whose people are checked.
        folder: Where to.

    Returns:
        The paths.
    """
    plan = parameters("checkups")
    folder.mkdir(parents=True, exist_ok=True)
    checks = draw_checks(registry)
    first, _, third = list(checks)[:3]
    paths = [
        folder / plan["files"]["facility"].format(facility=first),
        folder / plan["files"]["gateway"],
        folder / plan["files"]["workbook"].format(facility=third),
    ]
    paths[0].write_text(envelope(first, checks[first]), encoding="utf-8", newline="\n")
    paths[1].write_text(gateway_message(forwarded(checks)), encoding="utf-8", newline="\n")
    write_xlsx(paths[2], [_sheet(checks[third])])
    return paths


def envelope(sender: str, checks: list[Check], *, dashes: bool = False) -> str:
    """The shell of the health-check file around base64 parts."""
    records = "".join(_record(check, dashes) for check in checks)
    made = max(check.seen for check in checks)
    return (
        f"{_HEAD}\n<KHAMSUCKHOE><THONGTINDONVI><MACSKCB>{sender}</MACSKCB></THONGTINDONVI><THONGTINHOSO>"
        f"<NGAYLAP>{made:%Y%m%d}</NGAYLAP><SOLUONGHOSO>{len(checks)}</SOLUONGHOSO><DANHSACHHOSO>\n"
        f"{records}</DANHSACHHOSO></THONGTINHOSO><CHUKYDONVI/></KHAMSUCKHOE>\n"
    )


def gateway_message(checks: list[Check]) -> str:
    """The JSON envelope of a gateway; dates there are written with dashes."""
    content = envelope(checks[0].facility, checks, dashes=True)
    sent = max(check.seen for check in checks) + dt.timedelta(hours=20)
    sender = gln(checks[0].facility)
    header = parameters("checkups")["envelope"] | {
        "sender_id": sender,
        "msg_id": f"{sender}{sent:%Y%m%d}{hashlib.sha256(content.encode()).hexdigest()[:12]}",
        "send_datetime": int(sent.replace(tzinfo=dt.UTC).timestamp() * 1000),
    }
    data = {"file_content": base64.b64encode(content.encode()).decode()}
    return json.dumps({"header": header, "data": data, "signature": ""}, ensure_ascii=False, indent=1) + "\n"


def gln(facility: str) -> str:
    """A 13-digit location number, invented, with its check digit.

    >>> gln("37001")
    '8930000370013'
    """
    body = f"893{int(facility):09d}"
    total = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(body))
    return f"{body}{-total % 10}"


def cells_of(check: Check, *, dashes: bool = False) -> dict[str, str]:
    """The fields of a check, whatever part they stand in."""
    plan, person = parameters("checkups"), check.person
    fixed = plan["fixed"]
    glucose, unit = _glucose(check)
    return {
        "HO_TEN": person["name"].upper(),
        "GIOI_TINH": plan["sex"][person["sex"]],
        "NGAY_SINH": f"{person['birth_date']:%Y-%m-%d}" if dashes else f"{person['birth_date']:%Y%m%d}",
        "MA_DAN_TOC": person["ethnicity"],
        "SO_CCCD": person["citizen_id"],
        "DIA_CHI": person["address"],
        "MATINH_CU_TRU": check.province,
        "MAXA_CU_TRU": person["commune_2025"],
        "MA_NGHE_NGHIEP": person["occupation"][:2],
        "DIEN_THOAI": person["phone"] or "",
        "MA_LK": check.code,
        "MA_CSKCB": check.facility,
        "MA_GTIN_CSKCB": gln(check.facility),
        **{name: fixed[name] for name in ("DOI_TUONG", "NGUON_CHI_TRA", "MA_LOAI_KCB", "LY_DO_VV")},
        "NGAY_VAO": f"{check.seen:%Y%m%d%H%M}",
        "NGAY_RA": f"{check.seen + dt.timedelta(minutes=90):%Y%m%d%H%M}",
        "TSBT_TANG_HUYET_AP": str(int(check.had_hypertension)),
        "TSBT_DAI_THAO_DUONG": str(int(check.had_diabetes)),
        "PHAN_LOAI_SK": "2",
        "CHIEU_CAO": f"{check.height_cm:g}",
        "CAN_NANG": f"{check.weight_kg:g}",
        "CHI_SO_BMI": f"{check.weight_kg / (check.height_cm / 100) ** 2:.1f}",
        "HUYET_AP": f"{check.sbp}/{check.dbp}",
        "GLUCOSE_MAU": glucose,
        "DON_VI_GLUCOSE": unit,
    }


_PARTS = {
    "XML1": ("HO_TEN", "GIOI_TINH", "NGAY_SINH", "MA_DAN_TOC", "SO_CCCD", "DIA_CHI", "MATINH_CU_TRU",
             "MAXA_CU_TRU", "MA_NGHE_NGHIEP", "DIEN_THOAI"),
    "XML2": ("MA_LK", "MA_CSKCB", "MA_GTIN_CSKCB", "DOI_TUONG", "NGUON_CHI_TRA", "MA_LOAI_KCB", "NGAY_VAO",
             "NGAY_RA", "LY_DO_VV"),
    "XML5": ("TSBT_TANG_HUYET_AP", "TSBT_DAI_THAO_DUONG"),
    "XML8": ("PHAN_LOAI_SK",),
    "XML10": ("CHIEU_CAO", "CAN_NANG", "CHI_SO_BMI", "HUYET_AP"),
}  # fmt: skip


def _record(check: Check, dashes: bool) -> str:
    cells = cells_of(check, dashes=dashes)
    parts = {part: _tags({name: cells[name] for name in names}) for part, names in _PARTS.items()}
    if check.glucose_mmol_l is not None:
        fixed = parameters("checkups")["fixed"]
        line = {
            "MA_DICH_VU": fixed["service"],
            "MA_CHI_SO": fixed["indicator"],
            "GIA_TRI": cells["GLUCOSE_MAU"],
            "DON_VI_DO": cells["DON_VI_GLUCOSE"],
            "MO_TA": fixed["name"],
        }
        parts["XML11"] = f"<{fixed['line']}>{_tags(line)}</{fixed['line']}>"
    roots = parameters("checkups")["roots"]
    files = "".join(
        f"<FILEHOSO><LOAIHOSO>{part}</LOAIHOSO><NOIDUNGFILE>"
        f"{base64.b64encode(f'{_HEAD}<{roots[part]}>{body}</{roots[part]}>'.encode()).decode()}"
        "</NOIDUNGFILE></FILEHOSO>"
        for part, body in parts.items()
    )
    return f"<HOSO>{files}</HOSO>\n"


def _tags(cells: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in cells.items())


def _glucose(check: Check) -> tuple[str, str]:
    if check.glucose_mmol_l is None:
        return "", ""
    if check.in_mg_dl:
        return f"{round(check.glucose_mmol_l * MG_PER_MMOL)}", "mg/dL"
    return f"{check.glucose_mmol_l:g}", "mmol/L"


def _sheet(checks: list[Check]) -> Sheet:
    """Three header rows: what a field is called, its name, and how to fill it in."""
    settings = parameters("checkups")["sheet"]
    labels, names, hints = (list(row) for row in zip(*settings["columns"]))
    rows: list[list[Any]] = [names, hints]
    rows += [[cells_of(check, dashes=True)[name] for name in names] for check in checks]
    return Sheet(settings["name"], labels, rows)
