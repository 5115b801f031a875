"""Pages that the grassroots gateway V20 would answer: its person fields, and exams named as the Ministry's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.registry import SyntheticRegistry
from ncdsurv.synthetic.writers.book import Book, FileJob, Identity, copies, make_book
from ncdsurv.synthetic.writers.posted_bodies import chosen_jobs, exam, exams, sheets


def write_samples(registry: SyntheticRegistry, folder: Path) -> list[Path]:
    """Write the pages of a few stations, each file a list of pages.

    Args:
        registry: Whose people the gateway knows.
        folder: Where to.

    Returns:
        The paths.
    """
    plan, book = parameters("json_exports")["pages"], make_book(registry)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for job in chosen_jobs(book, plan):
        name = plan["file"].format(facility=job.station["facility"], month=f"{book.last_day:%Y%m}")
        records = list(known(book, job))
        pages = [records[at : at + plan["size"]] for at in range(0, len(records), plan["size"])]
        text = json.dumps([{"code": "200", "data": page} for page in pages], ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8", newline="\n")
        paths.append(folder / name)
    return paths


def known(book: Book, job: FileJob) -> Iterator[dict[str, Any]]:
    """The records of a station: one person and exam each."""
    plan = parameters("json_exports")["pages"]
    for visit, ills, who in exams(book, job, plan["first_day"]):
        parts: dict[str, Any] = dict.fromkeys(sheets())
        parts |= {sheets(ill.disease)[0]: exam(job, visit, ill, ills) for ill in ills}
        record = {**_person(job, visit, who, plan["sex"][who.sex]), "DU_LIEU": parts}
        for _ in range(copies(job, visit)):
            yield record


def _person(job: FileJob, visit: Any, who: Identity, sex: int) -> dict[str, Any]:
    home = {
        "MA_TINH": visit.province_2024,
        "MA_HUYEN": visit.district_2024,
        "MA_XA": visit.commune_2024,
        "DIA_CHI": who.address,
    }
    return {
        "SERIAL_VERSION_UID": 1,
        "TRANSACTION_ID": f"{visit.visit:012d}",
        "LT_DOITUONG_ID": visit.person + 1,
        "MA_DINH_DANH": f"{visit.province_2024}{who.patient_id}",
        "MA_DOI_TUONG": who.patient_id,
        "HO_TEN": who.name,
        "NGAY_SINH": str(who.birth_date.year) if who.year_only else f"{who.birth_date:%d/%m/%Y}",
        "GIOI_TINH": sex,
        "SO_DIEN_THOAI": who.phone or None,
        "CMND": who.citizen_id or None,
        "MA_THE_BHYT": who.insurance_number or None,
        "MA_HGD": None,
        "LIEN_THONG": 1,
        "LUOT_LIEN_THONG": 1,
        **{f"HK_{name}": value for name, value in home.items()},
        **{f"TT_{name}": value for name, value in home.items()},
        "MA_CSKCB": job.station["facility"],
    }
