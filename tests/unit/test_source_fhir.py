"""FHIR R4: what was written comes back as records, in both guides' manner; every resource is accounted for."""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.resources import LinkedMapping, linked_problems
from ncdsurv.catalog.vocabulary import Vintage
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.ingest import RawBatch, read_file, read_files
from ncdsurv.ingest.bundles import bundled
from ncdsurv.reference import load_reference
from ncdsurv.synthetic import make_registry
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.writers import fhir
from ncdsurv.synthetic.writers.book import make_book
from tests.clean_support import CATALOG, KEY, REFERENCE
from tests.fhir_support import (
    COMMUNITY,
    MINISTRY,
    bundle,
    condition,
    encounter,
    measured,
    organization,
    patient,
    pressure,
    refer,
)

SOURCE = load_catalog().sources["fhir"]
SAMPLES = Path(__file__).parents[2] / "data_samples" / "fhir"
STYLES = parameters("linked_resources")["style"]
COLUMNS = [
    "facility",
    "visited_on",
    "sequence",
    "kind",
    "sbp",
    "dbp",
    "weight_kg",
    "height_cm",
    "glucose_mmol_l",
]
COLUMNS += ["glucose_kind", "hba1c_percent", "supply_days", "next_visit_on"]


def read(tmp_path: Path, resources: list[Any] | str, name: str = "02001_a.json") -> RawBatch:
    path = tmp_path / name
    path.write_text(resources if isinstance(resources, str) else bundle(resources), encoding="utf-8")
    return read_file(path, SOURCE)


def clean(batch: RawBatch, reference: Any = REFERENCE) -> CleanBatch:
    return clean_batch(batch, SOURCE, CATALOG, reference, KEY)


@cache
def made() -> tuple[Any, Any, dict[str, Any]]:
    """Book, station and style by name: the largest table station of an invented province, without dirt."""
    book = make_book(make_registry(1200, seed=31, provinces=["02"]))
    jobs = [job for job in book.jobs if job.writer == parameters("linked_resources")["writer"]]
    return book, max(jobs, key=lambda job: len(job.visits)), STYLES


def written(tmp_path: Path, name: str) -> tuple[list[Any], RawBatch]:
    book, job, styles = made()
    style = styles[name]
    path = tmp_path / style["file"].format(facility=job.station["facility"], month="202606")
    path.write_text(fhir.as_text(fhir.station(book, job, style), style), encoding="utf-8")
    return [visit for visit in job.visits if visit.visited_on >= style["first_day"]], read_file(path, SOURCE)


@pytest.mark.parametrize("name", STYLES)
def test_records_equal_what_was_written(tmp_path: Path, name: str) -> None:
    book, _, styles = made()
    visits, raw = written(tmp_path, name)
    batch = clean(raw, load_reference())
    wanted = []
    for visit in visits:
        minute = 0 if fhir.loose(visit, styles[name]) else visit.minute
        kind = visit.glucose_kind if visit.glucose_mmol_l is not None else None
        reading = (visit.sbp, visit.dbp, visit.weight_kg, visit.height_cm, visit.glucose_mmol_l, kind)
        rest = (visit.hba1c_percent, visit.supply_days or None, visit.next_visit_on)
        wanted.append((visit.facility, visit.visited_on, minute, visit.kind, *reading, *rest))
    assert len(wanted) > 30
    assert batch.rejects.is_empty()
    assert batch.duplicates.is_empty()
    assert sorted(batch.visits.select(COLUMNS).rows(), key=repr) == sorted(wanted, key=repr)
    named = {ill.disease for visit in visits for ill in book.diseases(visit)}
    assert set(batch.diagnoses["disease"]) == named


@pytest.mark.parametrize("name", STYLES)
def test_people_equal_what_was_written(tmp_path: Path, name: str) -> None:
    book, job, _ = made()
    visits, raw = written(tmp_path, name)
    batch = clean(raw, load_reference())
    last = {visit.person: visit for visit in visits}
    people = {person: book.identity(job, person) for person in last}
    columns = ["name", "citizen_id", "insurance_number", "phone", "birth_date", "sex", "commune_code"]
    assert set(batch.identifiers.select(columns).rows()) == {
        (
            *(who.name, who.citizen_id or None, who.insurance_number[-10:] or None, who.phone or None),
            *(who.birth_date, who.sex, book.commune(last[person])[2]),
        )
        for person, who in people.items()
    }
    assert set(batch.patients["commune_vintage"]) == {Vintage.V2025.value}


def test_samples_are_balanced_to_the_row_and_hold_both_ways() -> None:
    raw = read_files(sorted(SAMPLES.iterdir()), SOURCE)
    counts = clean(raw, load_reference()).counts
    assert (counts["rows_in"] == counts["kept"] + counts["rejected"] + counts["duplicates"]).all()
    encounters = sum(
        path.read_text(encoding="utf-8").count('"resourceType":"Encounter"') for path in SAMPLES.iterdir()
    )
    rows = dict(counts.group_by("sheet").agg(pl.col("rows_in").sum()).iter_rows())
    assert rows["Encounter"] == encounters
    assert rows["Observation"] > 0


FACTS = [
    pressure(138, 86),
    condition("I10"),
    measured("1558-6", 126, "mg/dL"),
    measured("59261-8", 53, "mmol/mol"),
]


@pytest.mark.parametrize("base", [MINISTRY, COMMUNITY])
@pytest.mark.parametrize(
    "how", ["full_url", "relative", "absolute", "identifier", "conditional", "versioned"]
)
def test_references_are_resolved_however_they_are_written(tmp_path: Path, base: str, how: str) -> None:
    resources = [*refer([*FACTS, encounter(base)], how, base), organization(base), patient(base)]
    row = clean(
        read(tmp_path, bundle(resources, urls=how in ("full_url", "absolute", "versioned")))
    ).visits.row(0, named=True)
    assert (row["sbp"], row["dbp"], row["glucose_mmol_l"], row["glucose_kind"]) == (138, 86, 7.0, "fasting")
    assert (row["hba1c_percent"], row["kind"], row["sequence"]) == (7.0, "exam", 465)


def test_a_contained_patient_is_a_patient(tmp_path: Path) -> None:
    inside = {**patient(COMMUNITY), "id": "me"}
    visit = {**encounter(COMMUNITY), "contained": [inside], "subject": {"reference": "#me"}}
    visit["reasonCode"] = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "E11.9"}]}]
    batch = clean(read(tmp_path, [visit, organization(COMMUNITY)]))
    assert batch.visits.height == 1
    assert batch.identifiers["citizen_id"].to_list() == ["002161012345"]


FREE = {**pressure(120, 80), "encounter": None}
NOT_HERE = {"reference": "Encounter/other"}
SECOND = [patient(number="x2"), encounter(number="e2", person="x2")]
PLACES: list[tuple[str, list[Any], dict[str, int]]] = [
    ("nobody", [{**encounter(), "subject": {"reference": "Patient/other"}}], {"reference_unresolved": 1}),
    ("no reference", [{**FREE, "subject": {"display": "?"}}], {"reference_unresolved": 1}),
    ("no such contact", [{**FREE, "encounter": NOT_HERE}], {"reference_unresolved": 1}),
    (
        "another person",
        [*SECOND, {**FREE, "encounter": {"reference": "Encounter/e2"}}],
        {"reference_conflict": 1, "diagnosis_outside_registry": 1},
    ),
    ("cancelled", [{**encounter(), "status": "cancelled"}], {"resource_withdrawn": 1}),
    ("no contact", [{**condition("I10"), "encounter": None}], {"fact_without_contact": 1}),
    ("no date", [{**FREE, "effectiveDateTime": None}], {"visited_on_missing": 1}),
    ("no type", [{"resourceType": 5}, {"id": "x"}], {"row_unreadable": 2}),
]


@pytest.mark.parametrize(("why", "resources", "rules"), PLACES, ids=[case[0] for case in PLACES])
def test_what_belongs_nowhere_is_rejected_with_its_rule(
    tmp_path: Path, why: str, resources: list[Any], rules: dict[str, int]
) -> None:
    batch = clean(read(tmp_path, [*resources, patient(), organization()]))
    assert dict(batch.rejects["rule"].value_counts().iter_rows()) == rules
    assert batch.visits.is_empty()


def test_a_day_without_encounter_is_a_contact(tmp_path: Path) -> None:
    free = [
        {**pressure(150, 95), "encounter": None, "effectiveDateTime": day}
        for day in ("2025-09-01", "2025-09-02")
    ]
    problem = {**condition("I10"), "encounter": None, "recordedDate": "2025-09-02"}
    batch = clean(read(tmp_path, [*free, problem, patient(), organization()]))
    assert batch.visits.select("visited_on", "sbp", "kind").rows() == [(free_day("2025-09-02"), 150, "exam")]
    assert batch.rejects["rule"].to_list() == [
        "diagnosis_outside_registry"
    ]  # nothing was known on the first day


def free_day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_a_measurement_of_the_day_belongs_to_its_encounter(tmp_path: Path) -> None:
    free = {**pressure(150, 95), "encounter": None}
    batch = clean(read(tmp_path, [free, condition("I10"), encounter(), patient(), organization()]))
    assert batch.visits["sbp"].to_list() == [150]


def test_the_newest_version_counts_and_the_others_are_duplicates(tmp_path: Path) -> None:
    old = {**encounter(), "meta": {"lastUpdated": "2025-08-15T00:00:00Z"}}
    new = {
        **old,
        "period": {"start": "2025-08-13T08:00:00+07:00"},
        "meta": {"lastUpdated": "2025-08-15T08:00:00+07:00"},
    }
    new["meta"] = {"lastUpdated": "2025-08-16T00:00:00Z"}
    batch = clean(read(tmp_path, [new, old, condition("I10"), patient(), organization()]))
    assert batch.visits["visited_on"].to_list() == [free_day("2025-08-13")]
    assert batch.duplicates.height == 1


def test_two_pressures_are_of_one_reading(tmp_path: Path) -> None:
    late = {**pressure(160, None), "effectiveDateTime": "2025-08-14T09:00:00+07:00"}
    batch = clean(
        read(tmp_path, [pressure(130, 80), late, condition("I10"), encounter(), patient(), organization()])
    )
    assert batch.visits.select("sbp", "dbp").rows() == [(160, None)]


UNITS = [
    ("8480-6", 16, "kPa", "sbp", 120),
    ("29463-7", 52500, "g", "weight_kg", 52.5),
    ("29463-7", 110, "[lb_av]", "weight_kg", None),
    ("8302-2", 1.55, "m", "height_cm", 155.0),
    ("4548-4", 6.9, "%{HbA1c}", "hba1c_percent", 6.9),
    ("59261-8", 5.1, "%", "hba1c_percent", None),
    ("14771-0", 7.2, "mmol/L", "glucose_mmol_l", 7.2),
    ("2345-7", 20, None, "glucose_mmol_l", 20.0),
]


@pytest.mark.parametrize(("code", "value", "unit", "field", "wanted"), UNITS)
def test_units_are_told_by_ucum(
    tmp_path: Path, code: str, value: float, unit: str | None, field: str, wanted: float | None
) -> None:
    facts = [measured(code, value, unit), condition("I10"), encounter(), patient(), organization()]
    batch = clean(read(tmp_path, facts))
    assert batch.visits[field].to_list() == [wanted]
    assert wanted is not None or field.partition("_")[0] in " ".join(batch.repairs["column"])


def test_the_clock_is_that_of_viet_nam(tmp_path: Path) -> None:
    night = {**encounter(), "period": {"start": "2025-08-13T23:30:00Z"}}
    batch = clean(read(tmp_path, [night, condition("I10"), patient(), organization()]))
    assert batch.visits.select("visited_on", "sequence").rows() == [(free_day("2025-08-14"), 390)]


def test_death_is_told_at_the_last_contact(tmp_path: Path) -> None:
    second = {**encounter(number="e2"), "period": {"start": "2025-09-14"}}
    known = {**condition("I10"), "encounter": None, "recordedDate": "2025-01-01"}
    people = {**patient(), "deceasedDateTime": "2025-09-20"}
    batch = clean(read(tmp_path, [second, known, encounter(), people, organization()]))
    assert batch.visits.sort("visited_on")["patient_status"].to_list() == [None, "dead"]


def test_types_left_aside_are_told(tmp_path: Path) -> None:
    wrong = {**pressure(120, 80), "status": "entered-in-error"}
    aside = [wrong, {"resourceType": "Immunization"}, patient(number="p9"), {"resourceType": "Pateint"}]
    batch = read(tmp_path, [*aside, encounter(), patient(), organization()])
    assert dict(batch.files[0].skipped) == {
        "Observation": "1 withdrawn by their status",
        "Immunization": "1 not used by this source",
        "Pateint": "1 not used by this source",
        "Patient": "1 without a contact in this file",
    }


def test_files_of_a_bulk_export_are_read_together(tmp_path: Path) -> None:
    parts = {"Patient": [patient()], "Encounter": [encounter()], "Organization": [organization()]}
    parts |= {"Observation": [pressure(138, 86)], "Condition": [condition("I10")]}
    folder = tmp_path / "02001_export"
    folder.mkdir()
    for kind, resources in parts.items():
        text = "".join(json.dumps(resource) + "\n" for resource in resources)
        (folder / f"{kind}.000.ndjson").write_text(text, encoding="utf-8")
    files = sorted(folder.iterdir())
    with bundled(files, SOURCE) as together:
        assert len(together) == 1
        assert zipfile.is_zipfile(together[0])
    batch = clean(read_files(files, SOURCE))
    assert batch.visits.select("sbp", "dbp").rows() == [(138, 86)]


def test_each_bundle_of_many_is_a_world_of_its_own(tmp_path: Path) -> None:
    lines = []
    for number, sbp in enumerate((131, 142, 153)):
        people = {**patient(), "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": f"n{number}"}]}
        resources = [
            *(pressure(sbp, 80), condition("I10"), people, organization()),
            {**encounter(), "identifier": []},
        ]
        lines.append(bundle(resources).replace("\n", " "))
    batch = clean(read(tmp_path, "\n".join(lines), "02001_a.ndjson"))
    assert sorted(batch.visits["sbp"]) == [131, 142, 153]
    assert batch.visits["record_id"].n_unique() == 3


def test_a_mapping_names_places_that_exist() -> None:
    linked = SOURCE.linked
    assert isinstance(linked, LinkedMapping)
    columns = {
        "name": ["Patient.name[", "Person.name.text", "Patient.identifier[cccd].value", "LAB.sugar.value"]
    }
    problems = linked_problems(linked, columns, SOURCE.labs)
    assert [problem.split("; allowed")[0] for problem in problems] == [
        "[fields.name] column 'Patient.name[' is no place of a resource",
        "[fields.name] column 'Person.name.text' begins with a type that is not in [linked.resources]",
        "[fields.name] column 'Patient.identifier[cccd].value' names the system 'cccd'",
        "[fields.name] column 'LAB.sugar.value' is no place of a resource",
    ]
    assert "[linked] is missing" in linked_problems(None, {}, ())[0]


KINDS = [
    ("AMB", None, "2025-08-14", "exam", None),
    ("IMP", None, "2025-08-14", None, None),
    ("AMB", "07", "2025-08-14", "refill", None),
    ("AMB", "03", "2025-08-14", None, None),
    ("05", None, "2025-08-14", "exam", None),
    ("AMB", "15", "2026-09-01", "screening", None),
    ("AMB", "15", "2025-08-14", "screening", "code_of_another_list"),
]


@pytest.mark.parametrize(("code", "kind_code", "day", "wanted", "noted"), KINDS)
def test_the_kind_is_told_by_the_visit_type_then_by_the_class(
    tmp_path: Path, code: str, kind_code: str | None, day: str, wanted: str | None, noted: str | None
) -> None:
    coding = {"system": f"{COMMUNITY}/CodeSystem/vn-encounter-type-cs", "code": kind_code}
    visit = {**encounter(), "class": {"code": code}, "period": {"start": day}}
    visit["type"] = [{"coding": [coding]}] if kind_code else None
    batch = clean(read(tmp_path, [visit, condition("I10"), patient(), organization()]))
    assert batch.visits["kind"].to_list() == ([wanted] if wanted else [])
    assert batch.rejects["rule"].to_list() == ([] if wanted else ["not_a_register_contact"])
    assert noted is None or noted in batch.repairs.filter(column="kind")["rule"].to_list()
