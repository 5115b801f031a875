"""Small FHIR resources of one invented visit, and the ways in which resources refer to each other."""

from __future__ import annotations

import json
from typing import Any

MINISTRY, COMMUNITY = "http://fhir.ehealth.gov.vn/core", "http://fhir.hl7.org.vn/core"
SERVER = "http://station.example/fhir"
_SIDS = {
    MINISTRY: ("sid/national_id", "sid/provider-code", "sid/VisitNumber"),
    COMMUNITY: ("sid/cccd", "sid/ma-cskcb", "sid/ma-lk"),
}
CITIZEN, FACILITY, VISIT = "002161012345", "02001", "L1"

Resource = dict[str, Any]


def patient(base: str = COMMUNITY, number: str = "p1") -> Resource:
    own = CITIZEN if number == "p1" else f"0021610{sum(number.encode()):05d}"
    return {
        "resourceType": "Patient",
        "id": number,
        "identifier": [{"system": f"{base}/{_SIDS[base][0]}", "value": own}],
        "name": [{"use": "old", "text": "X"}, {"family": "Lò", "given": ["Thị", "Mẫu"]}],
        "gender": "female",
        "birthDate": "1961",
    }


def organization(base: str = COMMUNITY) -> Resource:
    return {
        "resourceType": "Organization",
        "id": "o1",
        "identifier": [{"system": f"{base}/{_SIDS[base][1]}", "value": FACILITY}],
        "partOf": {"reference": "Organization/o1"},
    }


def encounter(base: str = COMMUNITY, number: str = "e1", person: str = "p1") -> Resource:
    return {
        "resourceType": "Encounter",
        "id": number,
        "identifier": [{"system": f"{base}/{_SIDS[base][2]}", "value": VISIT if number == "e1" else number}],
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{person}"},
        "period": {"start": "2025-08-14T07:45:00+07:00"},
        "serviceProvider": {"reference": "Organization/o1"},
    }


def _fact(kind: str, **cells: Any) -> Resource:
    links = {"subject": {"reference": "Patient/p1"}, "encounter": {"reference": "Encounter/e1"}}
    return {"resourceType": kind, **links, **cells}


def condition(code: str) -> Resource:
    return _fact("Condition", code={"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": code}]})


def _part(code: str, value: float, unit: str | None) -> Resource:
    quantity = {"value": value, **({"system": "http://unitsofmeasure.org", "code": unit} if unit else {})}
    return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": quantity}


def measured(code: str, value: float, unit: str | None) -> Resource:
    time = {"effectiveDateTime": "2025-08-14T08:00:00+07:00"}
    return _fact("Observation", status="final", **time, **_part(code, value, unit))


def pressure(sbp: float, dbp: float | None) -> Resource:
    parts = [_part("8480-6", sbp, "mm[Hg]"), *([_part("8462-4", dbp, "mm[Hg]")] if dbp else [])]
    panel = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}
    time = {"effectiveDateTime": "2025-08-14T08:00:00+07:00"}
    return _fact("Observation", status="final", **time, code=panel, component=parts)


def bundle(resources: list[Any], urls: bool = False) -> str:
    """A bundle; with full URLs, or without."""
    entries = [
        {"fullUrl": f"{SERVER}/{item['resourceType']}/{item['id']}", "resource": item}
        if urls and item.get("id")
        else {"resource": item}
        for item in resources
    ]
    return json.dumps({"entry": entries, "resourceType": "Bundle", "type": "collection"}, ensure_ascii=False)


def refer(resources: list[Resource], how: str, base: str = COMMUNITY) -> list[Resource]:
    """The same resources with references written in another way."""
    return [json.loads(_rewritten(json.dumps(item), how, base)) for item in resources]


def _rewritten(text: str, how: str, base: str) -> str:
    for target, value, place in (("Patient/p1", CITIZEN, 0), ("Encounter/e1", VISIT, 2)):
        forms = {
            "relative": {"reference": target},
            "full_url": {"reference": f"{SERVER}/{target}"},
            "absolute": {"reference": f"{SERVER}/{target}"},
            "versioned": {"reference": f"{SERVER}/{target}/_history/3"},
            "conditional": {"reference": f"{target.split('/')[0]}?identifier=@BASE@/{place}|{value}"},
            "identifier": {"identifier": {"system": f"@BASE@/{place}", "value": value}},
        }
        text = text.replace(json.dumps({"reference": target}), json.dumps(forms[how]))
    return text.replace("@BASE@/0", f"{base}/{_SIDS[base][0]}").replace(
        "@BASE@/2", f"{base}/{_SIDS[base][2]}"
    )
