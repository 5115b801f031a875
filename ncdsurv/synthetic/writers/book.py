"""What every writer needs, as plain Python: people, their diseases and visits by file, and the planned dirt.

Plain objects let a forked worker write files without touching polars.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ncdsurv.catalog.vocabulary import Vintage
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.dirt import impossible, mistype, to_tcvn3
from ncdsurv.synthetic.registry import SyntheticRegistry, month_bounds

MG_PER_MMOL = 18.0


class Ill(NamedTuple):
    """One disease of one person."""

    disease: str
    known_on: dt.date
    detected_on: dt.date
    detected_where: str
    icd10: str


@dataclass(frozen=True)
class Identity:
    """A person as one file prints them."""

    name: str
    birth_date: dt.date
    year_only: bool
    sex: str
    citizen_id: str
    insurance_number: str
    phone: str
    address: str
    patient_id: str


@dataclass
class FileJob:
    """One file to write.

    Attributes:
        source: Source id; `writer` its format.
        path: Path below the exports folder.
        station: Row of the stations table.
        visits: Visits in order of date, minute and number.
        spoiled: Kinds of dirt of the whole file.
        by_visit: Kinds and columns of dirt by visit number.
        by_person: The same by person.
    """

    source: str
    writer: str
    path: str
    station: dict[str, Any]
    visits: list[Any]
    spoiled: frozenset[str]
    by_visit: dict[int, list[tuple[str, str]]]
    by_person: dict[int, list[tuple[str, str]]]
    ministry: bool = False


@dataclass
class Book:
    """All jobs and the people they print."""

    seed: int
    first_day: dt.date
    last_day: dt.date
    persons: list[Any]
    illness: dict[int, list[Ill]]
    province_2025: dict[str, str]
    jobs: list[FileJob] = field(default_factory=list)

    def diseases(self, visit: Any) -> list[Ill]:
        """Diseases written down by the day of a visit; none at a screening."""
        if visit.kind == "screening":
            return []
        return [ill for ill in self.illness[visit.person] if ill.known_on <= visit.visited_on]

    def identity(self, job: FileJob, person: int) -> Identity:
        """How a file prints a person, dirt applied."""
        row = self.persons[person]
        shown = {
            "name": row.name,
            "citizen_id": row.citizen_id or "",
            "birth_date": row.birth_date,
            "address": row.address,
        }
        year_only = False
        for kind, column in job.by_person.get(person, ()):
            if kind == "second_system_typo" and column == "birth_date":
                born = row.birth_date
                shown["birth_date"] = born + dt.timedelta(days=1 if born.day < 28 else -1)
            elif kind == "second_system_typo":
                shown[column] = mistype(shown[column], column)
            year_only |= kind == "year_only_birth"
        for column in ("name", "address"):
            if "tcvn3_names" in job.spoiled:
                shown[column] = to_tcvn3(shown[column])
            elif "nfd_names" in job.spoiled:
                shown[column] = unicodedata.normalize("NFD", shown[column])
        number = zlib.crc32(f"{self.seed}:{person}".encode())
        return Identity(
            **shown,
            year_only=year_only,
            sex=row.sex,
            insurance_number=row.insurance_number or "",
            phone=row.phone or "",
            patient_id=f"{number:010d}",
        )

    def commune(self, visit: Any) -> tuple[str, str, str]:
        """Province, district and commune code of the residence, in the vintage of the day."""
        if Vintage.at(visit.visited_on) == Vintage.V2024:
            return visit.province_2024, visit.district_2024 or "", visit.commune_2024
        return self.province_2025[visit.commune_2025], "", visit.commune_2025


def reading(job: FileJob, visit: Any, column: str) -> int | float | None:
    """A reading as a file prints it: impossible values and mg/dL applied."""
    value = getattr(visit, column)
    if value is None:
        return None
    if any(kind == "impossible_values" and at == column for kind, at in job.by_visit.get(visit.visit, ())):
        return impossible(column)
    if column == "glucose_mmol_l" and "mg_dl" in job.spoiled:
        return round(value * MG_PER_MMOL)
    return value


def copies(job: FileJob, visit: Any) -> int:
    """How often a visit's rows are written."""
    return 1 + sum(kind == "duplicate_rows" for kind, _ in job.by_visit.get(visit.visit, ()))


def has(job: FileJob, visit: Any, wanted: str) -> bool:
    """Whether a visit is spoiled by a kind of dirt in this file."""
    return any(kind == wanted for kind, _ in job.by_visit.get(visit.visit, ()))


def drugs_of(ill: Ill, person: int) -> tuple[str, str]:
    """The drug of a person's disease: name and strength; always the same one."""
    choices = parameters("illness")["disease"][ill.disease]["drugs"]
    at = (person * 7919 + 104729) % sum(weight for _, _, weight in choices)
    for name, strength, weight in choices:
        at -= weight
        if at < 0:
            return name, strength
    return choices[-1][:2]


def make_book(registry: SyntheticRegistry) -> Book:
    """Turn a registry into plain Python and one job per file."""
    systems = parameters("systems")
    first_day, last_day = month_bounds(registry.first, registry.last)
    person_row = _row_type("Person", registry.persons.columns)
    visit_row = _row_type("Visit", registry.visits.columns)
    illness: dict[int, list[Ill]] = defaultdict(list)
    for person, *rest in registry.illness.rows():
        illness[person].append(Ill(*rest))
    book = Book(
        registry.seed,
        first_day,
        last_day,
        [person_row(row) for row in registry.persons.rows()],
        dict(illness),
        dict(registry.base.atoms.select("commune_2025", "province_2025").iter_rows()),
    )
    stations = {row["facility"]: row for row in registry.stations.rows(named=True)}
    ministry = next(code for code, system in systems.items() if system.get("ministry"))
    by_file: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in registry.visits.sort("visited_on", "minute", "visit").rows():
        visit = visit_row(row)
        if visit.in_main:
            by_file[visit.source, visit.facility].append(visit)
        if visit.in_second:
            by_file[ministry, visit.facility].append(visit)
    dirt = _dirt_index(registry.applied)
    month = registry.last.replace("-", "")
    for source, facility in sorted(by_file):
        system, station = systems[source], stations[facility]
        name = system["file"].format(facility=facility, month=month, ext="csv" if station["csv"] else "xlsx")
        job = FileJob(
            source,
            system["writer"],
            f"{source}/{name}",
            station,
            by_file[source, facility],
            frozenset(dirt["file"].get((source, facility), ())),
            dirt["visit"].get(source, {}),
            dirt["person"].get(source, {}),
            bool(system.get("ministry")),
        )
        book.jobs.append(job)
    return book


def _row_type(name: str, columns: list[str]) -> Any:
    from collections import namedtuple

    kind: Any = namedtuple(name, columns)  # type: ignore[misc]
    return kind._make


def _dirt_index(applied: Any) -> dict[str, Any]:
    index: dict[str, Any] = {
        "file": defaultdict(list),
        "visit": defaultdict(dict),
        "person": defaultdict(dict),
    }
    for kind, source, facility, person, visit, column in applied.rows():
        if visit is not None:
            index["visit"][source].setdefault(visit, []).append((kind, column))
        elif person is not None:
            index["person"][source].setdefault(person, []).append((kind, column))
        else:
            index["file"][source, facility].append(kind)
    return index
