"""The resources of one invented station: people, encounters, measurements, diagnoses, drugs, appointments."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.writers.book import Book, FileJob, Identity, Ill, drugs_of, reading

_ZONE = "+07:00"
_VITAL = ("weight_kg", "height_cm", "glucose_mmol_l", "hba1c_percent")

Resource = dict[str, Any]


def loose(visit: Any, style: Mapping[str, Any]) -> bool:
    """Whether a visit is written without an encounter."""
    every = style["loose_every"]
    return bool(every and visit.kind == "exam" and visit.sbp is not None and visit.visit % every == 0)


def url(name: str) -> str:
    """The full URL of a resource inside a bundle."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"


class Station:
    """Writes one station.

    Args:
        book: People and diseases.
        job: The station's visits.
        style: How a guide names and joins things.
    """

    def __init__(self, book: Book, job: FileJob, style: Mapping[str, Any]) -> None:
        self._book, self._job, self._style = book, job, style
        self._plan = parameters("linked_resources")
        self._facility = job.station["facility"]

    def resources(self) -> Iterator[Resource]:
        """All resources."""
        visits = [visit for visit in self._job.visits if visit.visited_on >= self._style["first_day"]]
        last = {visit.person: visit for visit in visits}  # the last one tells where a person lives
        yield {
            "resourceType": "Organization",
            "id": f"org-{self._facility}",
            "identifier": [self._identifier("facility", self._facility)],
            "name": self._job.station["name"],
        }
        for person, visit in last.items():
            who = self._book.identity(self._job, person)
            yield self._patient(who, visit)
            if self._style["problem_list"]:
                for at, ill in enumerate(self._book.diseases(visit)):
                    yield self._condition(f"p{who.patient_id}-{at}", who, ill, None)
        for visit in visits:
            yield from self._visit(visit, self._book.identity(self._job, visit.person))

    def _refer(self, kind: str, name: str) -> Resource:
        return {"reference": f"{kind}/{name}" if self._style["lines"] else url(name)}

    def _subject(self, who: Identity) -> Resource:
        return self._refer("Patient", f"pat-{who.patient_id}")

    def _identifier(self, name: str, value: str) -> Resource:
        return {"system": f"{self._style['base']}/{self._style[name]}", "value": value}

    def _patient(self, who: Identity, visit: Any) -> Resource:
        number = {
            "type": {"coding": [{"system": self._plan["identifier_type"], "code": "MR"}]},
            "value": who.patient_id,
        }
        identifiers = [number]
        identifiers += [self._identifier("citizen_id", who.citizen_id)] if who.citizen_id else []
        identifiers += [self._identifier("insurance", who.insurance_number)] if who.insurance_number else []
        ward: Resource = {
            "url": self._url("ward"),
            "valueCodeableConcept": {"coding": [{"code": self._book.commune(visit)[2]}]},
        }
        if "address" in self._style:
            ward = {"url": self._url("address"), "extension": [ward]}
        return {
            "resourceType": "Patient",
            "id": f"pat-{who.patient_id}",
            "text": {"status": "generated", "div": f"<div>{self._plan['remark']}</div>"},
            "identifier": identifiers,
            "name": [{"use": "official", "text": who.name}],
            "telecom": [{"system": "phone", "value": who.phone}] if who.phone else [],
            "gender": who.sex,
            "birthDate": str(who.birth_date.year) if who.year_only else who.birth_date.isoformat(),
            "address": [{"text": who.address, "extension": [ward]}],
        }

    def _url(self, name: str) -> str:
        tail = self._style[name]
        return f"{self._style['base']}/{tail}" if "/" in tail else str(tail)

    def _visit(self, visit: Any, who: Identity) -> Iterator[Resource]:
        name, free = f"v{visit.visit}", loose(visit, self._style)
        encounter = None if free else self._refer("Encounter", f"enc-{name}")
        if not free:
            yield self._encounter(f"enc-{name}", visit, who)
        if not self._style["problem_list"]:
            for at, ill in enumerate(self._book.diseases(visit)):
                yield self._condition(f"{name}-{at}", who, ill, encounter)
        yield from self._observations(name, visit, who, encounter)
        if visit.supply_days:
            yield self._dispense(name, visit, who, encounter)
        if visit.next_visit_on:
            yield {
                "resourceType": "Appointment",
                "id": f"app-{name}",
                "status": "booked",
                "created": _stamp(visit),
                "start": f"{visit.next_visit_on.isoformat()}T08:00:00{_ZONE}",
                "participant": [{"actor": self._subject(who), "status": "accepted"}],
            }

    def _encounter(self, name: str, visit: Any, who: Identity) -> Resource:
        code = self._plan["kinds"][visit.kind]
        found: Resource = {
            "resourceType": "Encounter",
            "id": name,
            "identifier": [self._identifier("visit", f"{self._facility}{visit.visit:07d}")],
            "status": "finished",
            "class": {"system": self._plan["encounter_class"], "code": "AMB"},
            "subject": self._subject(who),
            "period": {"start": _stamp(visit), "end": _stamp(visit, 25)},
            "serviceProvider": self._refer("Organization", f"org-{self._facility}"),
        }
        if "visit_type" in self._style:
            found["type"] = [{"coding": [{"system": self._url("visit_type"), "code": code}]}]
        else:
            found["class"] = {"code": code}
        if visit.status == "dead":
            found["hospitalization"] = {
                "dischargeDisposition": {"coding": [{"system": self._plan["discharge"], "code": "exp"}]}
            }
        return found

    def _condition(self, name: str, who: Identity, ill: Ill, encounter: Resource | None) -> Resource:
        category = "problem-list-item" if encounter is None else "encounter-diagnosis"
        found: Resource = {
            "resourceType": "Condition",
            "id": f"con-{name}",
            "category": [{"coding": [{"system": self._plan["condition_category"], "code": category}]}],
            "code": {"coding": [{"system": self._plan["icd10"], "code": ill.icd10}]},
            "subject": self._subject(who),
            "onsetDateTime": ill.detected_on.isoformat(),
        }
        return found | (
            {"recordedDate": ill.known_on.isoformat()} if encounter is None else {"encounter": encounter}
        )

    def _observations(
        self, name: str, visit: Any, who: Identity, encounter: Resource | None
    ) -> Iterator[Resource]:
        common = {
            "status": "final",
            "subject": self._subject(who),
            "effectiveDateTime": _stamp(visit, 5),
            "performer": [self._refer("Organization", f"org-{self._facility}")],
        } | ({"encounter": encounter} if encounter else {})
        if visit.sbp is not None:
            pair = {column: self._measured(visit, column) for column in ("sbp", "dbp")}
            if self._style["panel"]:
                code = {"coding": [{"system": self._plan["loinc"], "code": self._plan["codes"]["panel"]}]}
                yield {
                    "resourceType": "Observation", "id": f"obs-{name}-panel", **common, "code": code,
                    "component": list(pair.values()),
                }  # fmt: skip
            else:
                for column, part in pair.items():
                    yield {"resourceType": "Observation", "id": f"obs-{name}-{column}", **common, **part}
        for column in _VITAL:
            if getattr(visit, column) is not None:
                part = self._measured(visit, column)
                yield {"resourceType": "Observation", "id": f"obs-{name}-{column}", **common, **part}

    def _measured(self, visit: Any, column: str) -> Resource:
        code = self._plan["codes"][column]
        kind = visit.glucose_kind or "unknown"
        code = code if isinstance(code, str) else code[kind]
        texts = self._plan["texts"].get(column)
        unit = self._plan["units"][column]
        if column == "glucose_mmol_l" and "mg_dl" in self._job.spoiled:
            unit = "mg/dL"
        return {
            "code": {
                "coding": [{"system": self._plan["loinc"], "code": code}],
                **({"text": texts[kind]} if texts else {}),
            },
            "valueQuantity": {
                "value": reading(self._job, visit, column),
                "unit": unit,
                "system": self._plan["ucum"],
                "code": unit,
            },
        }

    def _dispense(self, name: str, visit: Any, who: Identity, encounter: Resource | None) -> Resource:
        ills = self._book.diseases(visit)
        drug = " ".join(drugs_of(ills[0], visit.person)) if ills else ""
        days = {"value": visit.supply_days, "unit": "ngày", "system": self._plan["ucum"], "code": "d"}
        medication = {"medicationCodeableConcept": {"text": drug}, "subject": self._subject(who)}
        if self._style["panel"] or encounter is None:
            return {
                "resourceType": "MedicationDispense",
                "id": f"dis-{name}",
                "status": "completed",
                **medication,
                **({"context": encounter} if encounter else {}),
                "whenHandedOver": _stamp(visit, 20),
                "daysSupply": days,
            }
        return {
            "resourceType": "MedicationRequest",
            "id": f"req-{name}",
            "status": "completed",
            "intent": "order",
            **medication,
            "encounter": encounter,
            "authoredOn": _stamp(visit, 20),
            "dispenseRequest": {"expectedSupplyDuration": days},
        }


def _stamp(visit: Any, later: int = 0) -> str:
    day = dt.datetime.combine(visit.visited_on, dt.time()) + dt.timedelta(minutes=visit.minute + later)
    return f"{day.isoformat()}{_ZONE}"
