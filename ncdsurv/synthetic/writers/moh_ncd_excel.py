"""The Ministry software's Excel import: one sheet per disease, one row per exam, exact Vietnamese headers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.writers.book import Book, FileJob, Identity, Ill, copies, drugs_of, reading
from ncdsurv.synthetic.writers.xlsx import Sheet, write_xlsx


def write_sheets(book: Book, job: FileJob, path: Path) -> None:
    """Write one station's workbook; a sheet without a row still has its header.

    Args:
        book: People and diseases.
        job: The file.
        path: Where to.
    """
    diseases = parameters("illness")["disease"]
    sheets = []
    for disease, table in diseases.items():
        if "sheet" in table:
            header = parameters("sheets")[table["sheet"]]["columns"]
            sheets.append(Sheet(table["sheet"], header, _rows(book, job, disease, header)))
    write_xlsx(path, sheets)


def _rows(book: Book, job: FileJob, disease: str, header: list[str]) -> Iterator[list[Any]]:
    identities: dict[int, Identity] = {}
    for visit in job.visits:
        for ill in book.diseases(visit):
            if ill.disease == disease:
                who = identities.get(visit.person)
                if who is None:
                    who = identities[visit.person] = book.identity(job, visit.person)
                cells = _cells(book, job, visit, ill, who)
                for _ in range(copies(job, visit)):
                    yield [cells.get(column.rstrip("*")) for column in header]


def _cells(book: Book, job: FileJob, visit: Any, ill: Ill, who: Identity) -> dict[str, Any]:
    """One row by header; the two sheets share most columns."""
    words, swapped = parameters("sheets")["words"], "swapped_dates" in job.spoiled
    number = int if "lost_zeros" in job.spoiled else str
    commune = book.commune(visit)[2]
    diagnosis, result = _grade(ill, visit)
    habit = visit.person * 31
    measured = visit.sbp is not None
    drug, strength = drugs_of(ill, visit.person)
    supply = visit.supply_days
    return {
        "Họ tên": who.name,
        "Giới tính": words["sex"][who.sex],
        "Năm sinh": str(who.birth_date.year) if who.year_only else _date(who.birth_date, swapped),
        "Mã BHYT": who.insurance_number,
        "Số CMT/CCCD": number(who.citizen_id) if who.citizen_id else None,
        "Số điện thoại": number(who.phone) if who.phone else None,
        "Địa chỉ": who.address,
        "Xã/Phường/Thị trấn": number(commune),
        "Ngày phát hiện bệnh": _date(ill.detected_on, swapped),
        "Nơi phát hiện": ill.detected_where,
        "Ngày khám": _date(visit.visited_on, swapped),
        "Phân loại BN": _class(visit),
        "Đường huyết": reading(job, visit, "glucose_mmol_l"),
        "HbA1C": visit.hba1c_percent,
        "HA tâm thu": reading(job, visit, "sbp"),
        "HA tâm trương": visit.dbp,
        "Rối loạn lipid máu": str(habit % 2 + 1) if measured else None,
        "Cân nặng": visit.weight_kg,
        "Chiều cao": visit.height_cm,
        "Vòng eo": round(62 + visit.weight_kg * 0.35) if measured else None,
        "Hút thuốc lá": str(habit % 3 % 2) if measured else None,
        "Mức độ uống rượu bia": str(habit % 4 + 1) if measured else None,
        "Thực hành giảm ăn muối": str(habit % 5 % 2) if measured else None,
        "Thực hành ăn uống hợp lý": str(habit % 5 % 2) if measured else None,
        "Ăn đủ 400g rau và trái cây": str(habit % 7 % 2) if measured else None,
        "Hoạt động thể lực đủ theo khuyến nghị": str(habit % 11 % 2) if measured else None,
        "Theo dõi biến chứng bàn chân": str(habit % 13 % 2) if measured else None,
        "Biết xử lý hạ đường huyết": str(habit % 17 % 2) if measured else None,
        "Chẩn đoán": diagnosis,
        "Thuốc điều trị": f"{drug} {strength} x {supply} viên, ngày 1 viên" if supply else None,
        "Số ngày nhận thuốc": supply,
        "Biến chứng": str(1 + (habit % 19 == 0)) if measured else None,
        "Kết quả điều trị": result,
        "Ngày tái khám": _date(visit.next_visit_on, swapped) if visit.next_visit_on else None,
    }


def _class(visit: Any) -> str:
    codes = parameters("sheets")["codes"]
    if visit.status != "managed":
        return codes[visit.status]
    if visit.first and visit.supply_days:
        return codes["first"]
    return codes["managed"] if visit.supply_days else codes["no_drugs"]


def _grade(ill: Ill, visit: Any) -> tuple[str | None, str | None]:
    illness = parameters("illness")
    grade = illness["grade"][illness["disease"][ill.disease]["grade"]]
    value = getattr(visit, grade["column"])
    if value is None:
        return None, None
    return next((word, result) for limit, word, result in grade["cuts"] if value >= limit)


def _date(day: dt.date, swapped: bool) -> str | dt.date:
    """A date as text dd/mm/yyyy; a spreadsheet with foreign settings made it a date where it could."""
    if swapped and day.day <= 12:
        return dt.date(day.year, day.day, day.month)
    return f"{day:%d/%m/%Y}"
