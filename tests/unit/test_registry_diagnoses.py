"""What a registry knows of a diagnosis after several exports: stated first, stated last, taken back."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from ncdsurv.registry import open_store
from ncdsurv.registry.linking import current_diagnoses
from tests.fhir_support import bundle, condition, encounter, organization, patient

COMMUNE = "00691"  # in both lists
SAID = ("disease", "recorded_on", "last_stated_on", "withdrawn_on")


def export(folder: Path, name: str, day: str, **cells: Any) -> Path:
    """One month's export: a visit for hypertension, and the person's asthma as known by then."""
    visit = encounter(number=name) | {"period": {"start": f"{day}T07:45:00+07:00"}}
    asthma = condition("J45") | {"id": "asthma", "recordedDate": "2025-01-10", **cells}
    del asthma["encounter"]
    pressure = condition("I10") | {"encounter": {"reference": f"Encounter/{name}"}}
    path = folder / f"02001_{name}.json"
    person = patient() | {"address": [{"extension": [{"url": "ward", "valueString": COMMUNE}]}]}
    path.write_text(bundle([person, organization(), visit, pressure, asthma]), encoding="utf-8")
    return path


def test_a_later_export_dates_the_last_statement_and_takes_a_diagnosis_back(tmp_path):
    store = open_store(tmp_path / "registry")
    over = {"clinicalStatus": {"coding": [{"code": "resolved"}]}, "abatementDateTime": "2025-05-20"}
    for name, day, cells in (("a", "2025-01-10", {}), ("b", "2025-03-10", {}), ("c", "2025-06-10", over)):
        store.ingest([export(tmp_path, name, day, **cells)], source="fhir")
    found = current_diagnoses(store.lake.snapshot()).select(SAID).rows()
    assert sorted(found, key=str) == [
        ("asthma", date(2025, 1, 10), date(2025, 3, 10), None),
        ("asthma", date(2025, 5, 20), date(2025, 5, 20), date(2025, 5, 20)),
        ("hypertension", date(2025, 1, 10), date(2025, 6, 10), None),
    ]


def test_sending_an_export_again_changes_nothing(tmp_path):
    store = open_store(tmp_path / "registry")
    path = export(tmp_path, "a", "2025-01-10")
    store.ingest([path], source="fhir")
    before = current_diagnoses(store.lake.snapshot())
    store.ingest([path], source="fhir")
    assert current_diagnoses(store.lake.snapshot()).equals(before)
