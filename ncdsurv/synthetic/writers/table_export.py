"""A station HIS's visit table: one row per contact, XLSX or CSV, headers by station habit."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.writers.book import Book, FileJob, Identity, copies, drugs_of, reading
from ncdsurv.synthetic.writers.xlsx import Sheet, write_xlsx


def write_table(book: Book, job: FileJob, path: Path) -> None:
    """Write one station's table.

    Args:
        book: People and diseases.
        job: The file; the station's habits say split or joined pressure, CSV or XLSX, title lines.
        path: Where to.
    """
    table = parameters("table_export")
    pressure = [table["joined"]] if job.station["joined"] else table["split"]
    header = [
        name for column in table["columns"] for name in (pressure if column == "blood_pressure" else [column])
    ]
    titles: tuple[str, ...] = ()
    if job.station["title"]:
        span = {"first": f"{book.first_day:%d/%m/%Y}", "last": f"{book.last_day:%d/%m/%Y}"}
        titles = tuple(line.format(name=job.station["name"], **span) for line in table["titles"])
    rows = _rows(book, job, header)
    if job.station["csv"]:
        _write_csv(path, titles, header, rows)
    else:
        write_xlsx(path, [Sheet("KHAM_BENH", header, rows, titles)])


def _rows(book: Book, job: FileJob, header: list[str]) -> list[list[Any]]:
    identities: dict[int, Identity] = {}
    rows: list[list[Any]] = []
    for visit in job.visits:
        who = identities.get(visit.person)
        if who is None:
            who = identities[visit.person] = book.identity(job, visit.person)
        cells = visit_cells(book, job, visit, who)
        for _ in range(copies(job, visit)):
            cells["STT"] = len(rows) + 1
            rows.append([cells.get(column) for column in header])
    return rows


def visit_cells(book: Book, job: FileJob, visit: Any, who: Identity) -> dict[str, Any]:
    """One contact by the headers of the common table, dirt applied."""
    illness, table = parameters("illness"), parameters("table_export")
    ills = book.diseases(visit)
    as_date = bool(job.station["excel_dates"]) and not job.station["csv"]
    number = int if "lost_zeros" in job.spoiled else str
    empty: int | None = 0 if "zero_for_missing" in job.spoiled else None
    sbp, dbp = reading(job, visit, "sbp"), visit.dbp
    drugs = [" ".join(drugs_of(ill, visit.person)) for ill in ills] if visit.supply_days else []
    codes = [ill.icd10 for ill in ills] or [illness["screening"]["icd10"]]
    first = illness["disease"][ills[0].disease] if ills else illness["screening"]
    seen = dt.datetime.combine(visit.visited_on, dt.time(visit.minute // 60, visit.minute % 60))
    return {
        "MA_BN": who.patient_id,
        "HO_TEN": who.name,
        "NGAY_SINH": str(who.birth_date.year) if who.year_only else _day(who.birth_date, as_date),
        "GIOI_TINH": table["words"]["sex"][who.sex],
        "SO_CCCD": number(who.citizen_id) if who.citizen_id else None,
        "SO_THE_BHYT": who.insurance_number,
        "DIEN_THOAI": number(who.phone) if who.phone else None,
        "DIA_CHI": who.address,
        "MAXA_CU_TRU": number(book.commune(visit)[2]),
        "NGAY_KHAM": seen if as_date else f"{seen:%d/%m/%Y %H:%M}",
        "MA_LOAI_KCB": table["words"]["kind"][visit.kind],
        "MA_BENH": codes[0],
        "MA_BENH_KT": ";".join(codes[1:]),
        "CHAN_DOAN": first["diagnosis"],
        "HUYETAP_CAO": sbp if sbp is not None else empty,
        "HUYETAP_THAP": dbp if dbp is not None else empty,
        "HUYETAP": f"{sbp}/{dbp}" if sbp is not None else ("0/0" if empty == 0 else None),
        "DUONG_HUYET": reading(job, visit, "glucose_mmol_l"),
        "HBA1C": visit.hba1c_percent,
        "CAN_NANG": visit.weight_kg if visit.weight_kg is not None else empty,
        "CHIEU_CAO": visit.height_cm if visit.height_cm is not None else empty,
        "THUOC": "; ".join(drugs),
        "SO_NGAY_CAP": visit.supply_days or None,
        "NGAY_TAI_KHAM": _day(visit.next_visit_on, as_date) if visit.next_visit_on else None,
        "DAT_MUC_TIEU": visit.reported_target,
        "TRANG_THAI": table["words"]["status"][visit.status],
    }


def _day(day: dt.date, as_date: bool) -> str | dt.date:
    return day if as_date and day.year >= 1900 else f"{day:%d/%m/%Y}"


def _write_csv(path: Path, titles: tuple[str, ...], header: list[str], rows: list[list[Any]]) -> None:
    """UTF-8 with a byte order mark, as spreadsheet programs save it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for title in titles:
        writer.writerow([title])
    if titles:
        writer.writerow([])
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
