"""The screening sheets beside the Ministry's import sheets: raised readings and suspicions, never a diagnosis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.registry import SyntheticRegistry
from ncdsurv.synthetic.writers.book import Book, FileJob, make_book, reading
from ncdsurv.synthetic.writers.xlsx import Sheet, write_xlsx


def write_samples(registry: SyntheticRegistry, folder: Path) -> list[Path]:
    """Write the screenings of one station as the two sheets.

    Args:
        registry: Whose screenings are written.
        folder: Where to.

    Returns:
        The path.
    """
    plan, book = parameters("screening_sheets"), make_book(registry)
    folder.mkdir(parents=True, exist_ok=True)
    able = [job for job in book.jobs if job.writer == plan["writer"] and screenings(job)]
    job = able[plan["station"] % len(able)]
    path = folder / plan["name"].format(facility=job.station["facility"], month=f"{book.last_day:%Y%m}")
    write_xlsx(path, sheets_of(book, job))
    return [path]


def screenings(job: FileJob) -> list[Any]:
    """The screenings of a station."""
    return [visit for visit in job.visits if visit.kind == "screening"]


def sheets_of(book: Book, job: FileJob) -> list[Sheet]:
    """Both sheets of a station: every screening, and the lung questions put to the first of them."""
    plan, seen = parameters("screening_sheets"), screenings(job)
    general, lung = plan["screening"], plan["lung"]
    rows = [
        [_general(book, job, visit).get(name.rstrip("*")) for name in general["columns"]] for visit in seen
    ]
    asked = [
        [_lung(book, job, visit).get(name.rstrip("*")) for name in lung["columns"]]
        for visit in seen[: plan["rounds"]]
    ]
    title = plan["round"].format(day=seen[0].visited_on, commune=book.commune(seen[0])[2])
    return [
        Sheet(general["sheet"], general["columns"], rows),
        Sheet(lung["sheet"], lung["columns"], asked, (title,)),
    ]


def _person(book: Book, job: FileJob, visit: Any) -> dict[str, Any]:
    who, sex = book.identity(job, visit.person), parameters("sheets")["words"]["sex"]
    return {
        "Họ tên": who.name,
        "Giới tính": sex[who.sex],
        "Năm sinh": str(who.birth_date.year) if who.year_only else f"{who.birth_date:%d/%m/%Y}",
        "Tuổi": visit.visited_on.year - who.birth_date.year,
        "Mã BHYT": who.insurance_number,
        "Số CMT/CCCD": who.citizen_id,
        "Số điện thoại": who.phone,
        "Địa chỉ": who.address,
    }


def _general(book: Book, job: FileJob, visit: Any) -> dict[str, Any]:
    words, habit = parameters("screening_sheets")["words"], visit.person * 31
    told = {True: words["yes"], False: words["no"]}
    sbp, height = reading(job, visit, "sbp"), visit.height_cm
    return {
        **_person(book, job, visit),
        "Xã/Phường/Thị trấn": book.commune(visit)[2],
        "Ngày khám": f"{visit.visited_on:%d/%m/%Y}",
        "Chiều cao": height,
        "Cân nặng": visit.weight_kg,
        "BMI": round(visit.weight_kg / (height / 100) ** 2, 1) if height and visit.weight_kg else None,
        "Huyết áp": f"{sbp}/{visit.dbp}" if sbp is not None else None,
        "Đường huyết": reading(job, visit, "glucose_mmol_l"),
        "Tiền sử gia đình THA": told[habit % 5 == 0],
        "Tiền sử gia đình ĐTĐ": told[habit % 7 == 0],
        "Hút thuốc": told[habit % 3 == 0],
        "Ăn mặn": told[habit % 2 == 0],
        "Ít vận động": told[habit % 4 == 0],
        "Rượu bia": told[habit % 6 == 0],
        "Kết luận THA": words["raised"],  # what the station writes; a suspicion whatever the reading
        "Kết luận ĐTĐ": words["normal"],
        "Kết luận COPD-Hen": words["normal"],
    }


def _lung(book: Book, job: FileJob, visit: Any) -> dict[str, Any]:
    words, habit = parameters("screening_sheets")["words"], visit.person * 31
    answers = {
        f"{group}-C{n}": words["yes"] if habit % (n + 2) == 0 else words["no"]
        for group, count in (("Hen", 7), ("COPD", 5))
        for n in range(1, count + 1)
    }
    return {
        **_person(book, job, visit),
        **answers,
        "Nghi ngờ Hen": words["yes"] if habit % 3 == 0 else words["no"],
        "Nghi ngờ COPD": words["yes"] if habit % 4 == 0 else words["no"],
    }
