"""FHIR: the order of resources tells nothing, and no resource is lost, whatever refers to what."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.ingest import read_file
from tests.clean_support import CATALOG, KEY, REFERENCE
from tests.fhir_support import condition, encounter, measured, organization, patient, pressure

SOURCE = CATALOG.sources["fhir"]
FIELDS = [
    "record_id",
    "visited_on",
    "sequence",
    "kind",
    "sbp",
    "dbp",
    "glucose_mmol_l",
    "hba1c_percent",
    "supply_days",
]
FIELDS += ["next_visit_on", "patient_status"]
DAYS = st.sampled_from(
    ["2025-08-14", "2025-08-15", "2025-08-14T09:10:00+07:00", "2025-08-16T01:00:00Z", None]
)
PEOPLE = st.sampled_from(["p1", "p2", "p3", "nobody"])
VISITS = st.sampled_from(["e1", "e2", "e3", "nothing", None])


def linked(resource: dict[str, Any], person: str, visit: str | None, **cells: Any) -> dict[str, Any]:
    named = {"reference": f"Encounter/{visit}"} if visit else None
    return {**resource, "subject": {"reference": f"Patient/{person}"}, "encounter": named, **cells}


@st.composite
def resources(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Two people with up to three encounters, and facts that refer to them, to each other's, or to nothing."""
    made = [patient(number="p1"), patient(number="p2"), organization()]
    for number in draw(st.sets(st.sampled_from(["e1", "e2", "e3"]))):
        start = draw(
            st.sampled_from(["2025-08-14T07:45:00+07:00", "2025-08-15", "2025-09-01T08:00:00+07:00"])
        )
        made.append({**encounter(number=number, person=draw(PEOPLE)), "period": {"start": start}})
    for _ in range(draw(st.integers(0, 4))):
        sbp = draw(st.sampled_from([128, 145, 300, 0]))
        taken = {"effectiveDateTime": draw(DAYS), "status": draw(st.sampled_from(["final", "cancelled"]))}
        made.append(
            linked(pressure(sbp, draw(st.sampled_from([80, None]))), draw(PEOPLE), draw(VISITS), **taken)
        )
    for _ in range(draw(st.integers(0, 2))):
        fact = measured(
            draw(st.sampled_from(["1558-6", "4548-4", "2345-7"])), 7.1, draw(st.sampled_from(["%", "mmol/L"]))
        )
        made.append(linked(fact, draw(PEOPLE), draw(VISITS), effectiveDateTime=draw(DAYS)))
    for code in draw(st.lists(st.sampled_from(["I10", "E11.9", "J00"]), max_size=3)):
        made.append(linked(condition(code), draw(PEOPLE), draw(VISITS), recordedDate=draw(DAYS)))
    for _ in range(draw(st.integers(0, 2))):
        actor = {"actor": {"reference": f"Patient/{draw(PEOPLE)}"}}
        booked = {"created": draw(DAYS), "start": "2025-10-01", "status": "booked"}
        made.append({"resourceType": "Appointment", "participant": [actor], **booked})
    return made


def clean(items: list[dict[str, Any]], lines: bool = False) -> CleanBatch:
    entries = [{"resource": item} for item in items]
    whole = json.dumps({"resourceType": "Bundle", "entry": entries})
    text = "".join(json.dumps(item) + "\n" for item in items) if lines else whole
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("02001_a.ndjson" if lines else "02001_a.json")
        path.write_text(text, encoding="utf-8")
        return clean_batch(read_file(path, SOURCE), SOURCE, CATALOG, REFERENCE, KEY)


def said(batch: CleanBatch) -> tuple[Any, ...]:
    """What a batch says, without the places in the file."""
    return (
        sorted(batch.visits.select(FIELDS).rows(), key=repr),
        sorted(batch.diagnoses.select("record_id", "disease", "icd10", "recorded_on").rows(), key=repr),
        sorted(batch.rejects.select("sheet", "rule").rows()),
        sorted(batch.repairs.select("sheet", "column", "rule").rows()),
        sorted(batch.counts.select("sheet", "rows_in", "kept", "rejected", "duplicates").rows()),
    )


ANY = [encounter(), patient(), organization(), condition("I10")]


@given(items=resources(), random=st.randoms(use_true_random=False), lines=st.booleans())
@settings(max_examples=25, deadline=None)
def test_any_order_says_the_same(items: list[dict[str, Any]], random: Any, lines: bool) -> None:
    items = [*items, *({**item, "id": f"x-{item['id']}"} for item in ANY[:1])]
    mixed = list(items)
    random.shuffle(mixed)
    assert said(clean(items)) == said(clean(mixed, lines))


@given(items=resources())
@settings(max_examples=25, deadline=None)
def test_every_encounter_is_a_row_and_every_row_is_accounted_for(items: list[dict[str, Any]]) -> None:
    batch = clean([*items, {**encounter(), "id": "always"}])
    counts = batch.counts
    assert (counts["rows_in"] == counts["kept"] + counts["rejected"] + counts["duplicates"]).all()
    encounters = sum(item["resourceType"] == "Encounter" for item in items) + 1
    assert counts.filter(pl.col("sheet") == "Encounter")["rows_in"].sum() == encounters
    lost = [
        item
        for item in items
        if item["resourceType"] == "Observation"
        and item["status"] == "final"
        and (item["subject"]["reference"] == "Patient/nobody" and item["encounter"] is None)
    ]
    rejected = batch.rejects.filter(rule="reference_unresolved", sheet="Observation").height
    assert rejected >= len(lost)
