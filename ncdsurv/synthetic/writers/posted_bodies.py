"""What a HIS posts to the Ministry's NCD service, exam by exam, with the fields and the omissions of the sender."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.registry import SyntheticRegistry
from ncdsurv.synthetic.writers.book import (
    Book,
    FileJob,
    Identity,
    Ill,
    copies,
    drugs_of,
    make_book,
    reading,
)

_NO_INFORMATION = 2  # what the sender writes where the HIS does not ask
_MONTH = "%Y%m"


def write_samples(registry: SyntheticRegistry, folder: Path) -> list[Path]:
    """Write the posts of a few stations: as lines, as a list, and as one body of a test program.

    Args:
        registry: Whose visits are posted.
        folder: Where to.

    Returns:
        The paths.
    """
    plan, book = parameters("json_exports")["bodies"], make_book(registry)
    folder.mkdir(parents=True, exist_ok=True)
    texts = (_lines, _list, _one_body)
    paths = []
    for job, name, text in zip(chosen_jobs(book, plan), plan["files"], texts):
        path = folder / name.format(facility=job.station["facility"], month=f"{book.last_day:{_MONTH}}")
        path.write_text(text(list(posted(book, job))), encoding="utf-8", newline="\n")
        paths.append(path)
    return paths


def chosen_jobs(book: Book, plan: dict[str, Any]) -> list[FileJob]:
    """The files of a registry whose visits a plan writes again."""
    able = [job for job in book.jobs if job.writer == plan["writer"]]
    return [able[at % len(able)] for at in plan["stations"]]


def posted(book: Book, job: FileJob) -> Iterator[dict[str, Any]]:
    """The records of a station's posts, in order of visit."""
    plan = parameters("json_exports")["bodies"]
    for visit, ills, who in exams(book, job, plan["first_day"]):
        if sent(visit, ills, who):
            person = _person(book, job, visit, who, plan["sex"][who.sex])
            parts: dict[str, Any] = dict.fromkeys(sheets())
            for ill in ills:
                parts[sheets(ill.disease)[0]] = {**person, **exam(job, visit, ill, ills)}
            for _ in range(copies(job, visit)):
                yield {"DU_LIEU": parts}


def exams(book: Book, job: FileJob, first_day: Any) -> Iterator[tuple[Any, list[Ill], Identity]]:
    """Exams of a station from a day on at which a disease of the Ministry's sheets was written down."""
    identities: dict[int, Identity] = {}
    for visit in job.visits:
        ills = [ill for ill in book.diseases(visit) if sheets(ill.disease)]
        if visit.kind != "exam" or visit.visited_on < first_day or not ills:
            continue
        if visit.person not in identities:
            identities[visit.person] = book.identity(job, visit.person)
        yield visit, ills, identities[visit.person]


def sheets(disease: str | None = None) -> list[str]:
    """Keys of the disease objects: of one disease (none when it has no sheet), or of all."""
    found = parameters("illness")["disease"]
    return [found[name]["sheet"] for name in found if "sheet" in found[name] and disease in (None, name)]


def sent(visit: Any, ills: list[Ill], who: Identity) -> bool:
    """Whether the sender lets an exam pass: both numbers, a prescription, a pressure, glucose for diabetes."""
    glucose_asked = any(_grade(ill) == "glucose_mmol_l" for ill in ills)
    return bool(
        who.citizen_id
        and who.insurance_number
        and visit.supply_days
        and visit.sbp is not None
        and (visit.glucose_mmol_l is not None or not glucose_asked)
    )


def _grade(ill: Ill) -> str:
    illness = parameters("illness")
    return str(illness["grade"][illness["disease"][ill.disease]["grade"]]["column"])


def _person(book: Book, job: FileJob, visit: Any, who: Identity, sex: str) -> dict[str, Any]:
    facility = job.station["facility"]
    return {
        "HO_TEN": who.name,
        "GIOI_TINH": sex,
        "NGAY_SINH": f"01/01/{who.birth_date.year}" if who.year_only else f"{who.birth_date:%d/%m/%Y}",
        "MA_THE_BHYT": who.insurance_number,
        "SO_CCCD": who.citizen_id,
        "DIEN_THOAI": who.phone or None,
        "MAXA_CU_TRU": book.commune(visit)[2],
        "DIA_CHI": who.address,
        "MA_NGHE_NGHIEP": None,
        "MA_CSKCB": facility,
        "MA_CSKCB_BHXH": facility,
        "MA_CSKCB_BHYT": facility,
        "MA_LK": f"{facility}{visit.visit:07d}",
    }


def exam(job: FileJob, visit: Any, ill: Ill, ills: list[Ill]) -> dict[str, Any]:
    """The fields of one disease at one exam; readings are text and weights numbers, as the sender has them."""
    measured = visit.sbp is not None
    cells = {
        "NGAY_PHAT_HIEN": f"{ill.detected_on:%d/%m/%Y}",
        "NOI_PHAT_HIEN": ill.detected_where,
        "NGAY_KHAM": f"{visit.visited_on:%d/%m/%Y}",
        "PHAN_LOAI_BN": int(_class(visit)),
        "HA_TAM_THU": str(reading(job, visit, "sbp")) if measured else None,
        "HA_TAM_TRUONG": str(visit.dbp) if measured else None,
        "CAN_NANG": visit.weight_kg,
        "CHIEU_CAO": visit.height_cm,
        "VONG_EO": None,
        "HUT_THUOC": _NO_INFORMATION,
        "RUOU_BIA": _NO_INFORMATION,
        "GIAM_MUOI": _NO_INFORMATION,
        "RAU_TRAI_CAY": _NO_INFORMATION,
        "HOAT_DONG_THE_LUC": _NO_INFORMATION,
        "CHAN_DOAN": None,
        "THUOC": "".join(_drug(other, visit) for other in ills) if visit.supply_days else None,
        "BIEN_CHUNG": None,
        "KQDT": None,
    }
    if _grade(ill) == "glucose_mmol_l":
        glucose, hba1c = reading(job, visit, "glucose_mmol_l"), visit.hba1c_percent
        cells |= {
            "DUONG_HUYET": None if glucose is None else str(glucose),
            "HBA1C": None if hba1c is None else str(hba1c),
        }
    return cells


def _drug(ill: Ill, visit: Any) -> str:
    name, strength = drugs_of(ill, visit.person)
    return f"{name} {strength} {visit.supply_days} (Viên) - {visit.supply_days} ngày;"


def _class(visit: Any) -> str:
    codes = parameters("sheets")["codes"]
    if visit.status != "managed":
        return str(codes[visit.status])
    if not visit.supply_days:
        return str(codes["no_drugs"])
    return str(codes["first" if visit.first else "managed"])


def _body(records: list[dict[str, Any]], test: bool = False) -> dict[str, Any]:
    plan = parameters("json_exports")["bodies"]
    program = plan["test_program" if test else "program"]
    key = "ncdDevData" if test else "ncdData"
    return {"credentials": {"program": program, "token": None}, key: records}


def _lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(_body([record]), ensure_ascii=False) + "\n" for record in records)


def _list(records: list[dict[str, Any]]) -> str:
    return json.dumps([_body([record]) for record in records], ensure_ascii=False, indent=1) + "\n"


def _one_body(records: list[dict[str, Any]]) -> str:
    return json.dumps(_body(records, test=True)) + "\n"
