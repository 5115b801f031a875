"""Invented exports in layouts that no source of the catalog has; the people in them do not exist."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from ncdsurv.catalog.sources import read_mapping
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.draft import Draft, draft_source
from ncdsurv.ingest import read_file
from tests.clean_support import CATALOG, KEY, REFERENCE

_FIRST = ("Zebraan", "Okapiin", "Tapirem", "Quollyx", "Numbatu", "Dingovar", "Fennekix", "Gaurilo")
_LAST = ("Canaryx", "Wombatov", "Ibexson", "Kiwimoto", "Lemurez")
STATION = "02001"


@dataclass(frozen=True)
class Visit:
    """One invented visit; what is true of it whatever the layout."""

    name: str
    male: bool
    born: date
    citizen_id: str
    phone: str
    on: date
    icd10: str
    sbp: int
    dbp: int
    glucose: float | None
    weight: int
    next_on: date

    @property
    def truth(self) -> tuple[Any, ...]:
        return (self.on, self.sbp, self.dbp, self.glucose, float(self.weight), self.next_on)


def visits(people: int = 12, each: int = 4, seed: int = 7) -> list[Visit]:
    """Invented visits, several of each invented person."""
    chance = random.Random(seed)
    out = []
    for number in range(people):
        male = number % 2 == 0
        born = date(1948, 1, 1) + timedelta(days=chance.randrange(9000))
        citizen = f"002{0 if male else 1}{born.year % 100:02}{chance.randrange(10**6):06}"
        phone = f"09{chance.randrange(10**7, 10**8)}"
        name = f"{_LAST[number % 5]} {_FIRST[number % 8]} {'ABCDEFGHIJKLMNOP'[number]}x"
        diabetic = number % 3 == 0
        day = date(2025, 8, 4) + timedelta(days=number % 25)
        for _ in range(each):
            gap = chance.choice((28, 30, 35))
            glucose = round(chance.uniform(5, 12), 1) if diabetic else None
            out.append(
                Visit(
                    name, male, born, citizen, phone, day, "E11.9" if diabetic else "I10",
                    chance.randrange(112, 168), chance.randrange(64, 98), glucose, 45 + number, day + timedelta(gap),
                )
            )  # fmt: skip
            day += timedelta(days=gap)
    return out


def foreign_clinic(path: Path, seen: list[Visit]) -> Path:
    """86 columns under 24 rows of metadata, units in the cells, a second drug on a row of its own."""
    names = [
        "Sr No", "Patient ID", "Patient Name", "Gender", "Date of Birth", "National ID", "Mobile Number", "Visit Date",
        "ICD-10 Code", "Systolic BP", "Diastolic BP", "Blood Glucose", "Weight", "Medication", "Next Visit Date",
        "Attending Doctor",
    ]  # fmt: skip
    names += [f"Form {number} answer" for number in range(1, 86 - len(names) + 1)]
    rows: list[list[Any]] = [["Clinic export", "of invented people"], ["Period", "2025-08"]]
    rows += [[f"Parameter {number}", f"setting {number}"] for number in range(3, 25)]
    rows.append(names)
    for number, visit in enumerate(seen):
        row: list[Any] = [
            number + 1, f"P{int(visit.citizen_id[-6:])}", visit.name, "Male" if visit.male else "Female",
            f"{visit.born:%Y-%m-%d}", visit.citizen_id, visit.phone, f"{visit.on:%Y-%m-%d}", visit.icd10,
            f"{visit.sbp} mmHg", f"{visit.dbp} mmHg",
            f"{visit.glucose} mmol/L".replace(".", ",") if visit.glucose else None, f"{visit.weight} kg",
            "Amlodipine 5 mg", f"{visit.next_on:%Y-%m-%d}", "Dr Platypuss",
        ]  # fmt: skip
        rows.append(row + [None] * 70)
        if number % 5 == 0:
            rows.append([None] * 13 + ["Losartan 50 mg"] + [None] * 72)
    return workbook(path, rows)


def english_csv(path: Path, seen: list[Visit]) -> Path:
    """English words, dates with the month first, pressure in one cell, glucose in mg/dL, no title."""
    rows: list[list[Any]] = [
        ["Full name", "Sex", "DOB", "ID card", "Visit date", "Diagnosis", "BP", "FBS (mg/dL)",
         "Weight (kg)", "Follow-up date"]
    ]  # fmt: skip
    for visit in seen:
        glucose = round(visit.glucose * 18) if visit.glucose else ""
        rows.append(
            [
                visit.name, "M" if visit.male else "F", f"{visit.born:%m/%d/%Y}", visit.citizen_id,
                f"{visit.on:%m/%d/%Y}", visit.icd10, f"{visit.sbp}/{visit.dbp}", glucose, visit.weight,
                f"{visit.next_on:%m/%d/%Y}",
            ]
        )  # fmt: skip
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def unknown_words(path: Path, seen: list[Visit], header: bool = True) -> Path:
    """Headers in no language that drafting knows, or none: only the cells tell what they are."""
    rows: list[list[Any]] = [["ᚠᚢ", "ᚦᚨ", "ᚱᚲ", "ᚷᚹ", "ᚺᚾ", "ᛁᛃ", "ᛇᛈ", "ᛉᛊ", "ᛏᛒ"]] if header else []
    for visit in seen:
        rows.append(
            [
                visit.name, "Nam" if visit.male else "Nữ", f"{visit.born:%d/%m/%Y}", visit.citizen_id,
                f"{visit.on:%d/%m/%Y}", visit.icd10, f"{visit.sbp}/{visit.dbp}", f"{visit.next_on:%d/%m/%Y}", "00691",
            ]
        )  # fmt: skip
    return workbook(path, rows)


def two_row_header(path: Path, seen: list[Visit]) -> Path:
    """Vietnamese without accents, groups above, columns numbered below."""
    top = ["STT", "Ho va ten", "Gioi", "Nam sinh", "So CCCD", "Ngay kham", "Chan doan", "Huyet ap", None,
           "Xet nghiem", "Can nang", "Tai kham"]  # fmt: skip
    low = [None] * 7 + ["tam thu", "tam truong", "Duong huyet", None, None]
    rows: list[list[Any]] = [["SO THEO DOI (nguoi khong co that)"], ["Thang 8 nam 2025"], [], top, low]
    rows.append([f"({number})" for number in range(1, 13)])
    for number, visit in enumerate(seen):
        rows.append(
            [
                number + 1, visit.name, "nam" if visit.male else "nu", visit.born.year, visit.citizen_id,
                f"{visit.on:%d-%m-%Y}", visit.icd10, visit.sbp, visit.dbp, visit.glucose, visit.weight,
                f"{visit.next_on:%d-%m-%Y}",
            ]
        )  # fmt: skip
    return workbook(path, rows)


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    """One sheet; text stays text."""
    book = xlsxwriter.Workbook(path, {"strings_to_numbers": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Data")
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            if cell is not None:
                sheet.write(number, place, cell)
    book.close()
    return path


def draft_of(path: Path, facility: str | None = STATION) -> Draft:
    """The draft of a file."""
    from ncdsurv.reference import load_reference

    return draft_source(path, "trial", CATALOG, load_reference(), facility)


def clean_with(draft: Draft, path: Path) -> CleanBatch:
    """The records that a draft makes of its file."""
    mapping, problems = read_mapping(draft.text.encode(), "trial", CATALOG.diseases)
    assert problems == []
    assert mapping is not None
    return clean_batch(read_file(path, mapping), mapping, CATALOG, REFERENCE, KEY)


def readings(batch: CleanBatch) -> list[tuple[Any, ...]]:
    """What the visits of a batch say, in the order of `Visit.truth`."""
    columns = ["visited_on", "sbp", "dbp", "glucose_mmol_l", "weight_kg", "next_visit_on"]
    return sorted(batch.visits.select(columns).rows(), key=repr)


def cells_of(seen: list[Visit]) -> set[str]:
    """Everything in a file that speaks of a person, in every spelling of the layouts."""
    found: set[str] = set()
    for visit in seen:
        found |= {
            visit.name,
            visit.citizen_id,
            visit.phone,
            *visit.name.split()[:2],
            f"P{int(visit.citizen_id[-6:])}",
        }
        for day in (visit.born, visit.on, visit.next_on):
            found |= {f"{day:%d/%m/%Y}", f"{day:%m/%d/%Y}", f"{day:%Y-%m-%d}", f"{day:%d-%m-%Y}"}
        found |= {f"{visit.sbp}/{visit.dbp}", f"{visit.sbp} mmHg", "Amlodipine", "Losartan", "Platypuss"}
    return found


def diagnoses(batch: CleanBatch) -> set[tuple[str, str]]:
    """Names of people (as keys) and their diseases."""
    joined = batch.identifiers.join(batch.diagnoses, on="record_id")
    return set(joined.select(pl.col("name_key"), "disease").rows())
