"""The engine's rules once more, as plainly as they can be written: one person, one month, one question at a time.

Written from the definitions, on dates and records, sharing nothing with `ncdsurv.spells` but the names of
the measures. Slow on purpose; the tests hold the engine equal to it.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import polars as pl

from ncdsurv.catalog import Catalog
from ncdsurv.catalog.vocabulary import month_index


def _speaks(row: dict, disease: Any) -> bool:
    return row["disease"] is None or row["disease"] in (disease.id, *disease.members)


def _verdict(row: dict, disease: Any, preset: Any, catalog: Catalog) -> bool | None:
    """What one visit row says: at target, off target, or nothing."""
    target = preset.target(disease.measurement) if disease.measurement else None
    if target is None:
        return {1: True, 0: False}.get(row["reported_target"]) if _speaks(row, disease) else None
    for kind, reading in catalog.measurements[disease.measurement].readings.items():
        usable = all(row[c] is not None for c in reading.columns) and reading.where.holds(row)
        if usable and kind in target.readings:
            return target.readings[kind].holds(row)
    return None


def state(
    person: dict, disease: Any, preset: Any, month: int, diagnoses: list, visits: list, catalog: Catalog
) -> dict | None:
    """The state of one person and disease at the end of one month, or None before the detection."""
    known = [d for d in diagnoses if d["disease"] in (disease.id, *disease.members)]
    if not known:
        return None
    recorded = min(d["recorded_on"] for d in known)
    managed = [v for v in visits if v["kind"] != "screening" and v["visited_on"] >= recorded]
    enrolled = min((month_index(v["visited_on"]) for v in managed), default=None)
    detected = month_index(min(d["detected_on"] or d["recorded_on"] for d in known))
    detected = min(detected, enrolled) if enrolled is not None else detected
    if detected > month:
        return None
    dead = person["died_on"] is not None and month_index(person["died_on"]) <= month
    is_enrolled = enrolled is not None and enrolled <= month
    past = [v for v in visits if month_index(v["visited_on"]) <= month and v["kind"] in preset.visit_kinds]
    past.sort(key=lambda v: (v["visited_on"], v["sequence"] or 0, v["row_number"], v["visit_id"]))
    since_visit = month - month_index(past[-1]["visited_on"]) if past else None
    drugs = [
        v for v in past if _speaks(v, disease) and ((v["supply_days"] or 0) > 0 or v["kind"] == "refill")
    ]
    since_drugs = month - month_index(drugs[-1]["visited_on"]) if drugs else None
    found = {
        "known_case": not dead,
        "care_state": "not_enrolled",
        "tenure": "not_assessed",
        "outcome": "not_assessed",
        "treatment": "not_assessed",
        "months_since_enrolment": month - enrolled if is_enrolled else None,
        "newly_detected": detected == month,
        "newly_enrolled": enrolled == month,
        "seen": since_visit == 0,
        "dispensed": since_drugs == 0,
    }
    if not is_enrolled:
        return found
    if dead:
        return {**found, "care_state": "dead"}
    last_day = [v for v in past if v["visited_on"] == past[-1]["visited_on"]]
    told = [v["patient_status"] for v in last_day if _speaks(v, disease) and v["patient_status"] is not None]
    if told and told[-1] == "transferred_out":
        return {**found, "care_state": "transferred_out", "known_case": False}
    lost = preset.lost_after_months
    if month - enrolled >= lost and (since_visit is None or since_visit >= lost):
        return {**found, "care_state": "lost_to_follow_up"}
    found["care_state"] = "under_care"
    treated = since_drugs is not None and since_drugs < preset.treated_window_months
    found["treatment"] = "treated" if treated else "untreated"
    if month - enrolled < preset.enrolment_buffer_months:
        return {**found, "tenure": "newly_enrolled"}
    found["tenure"] = "established"
    if since_visit is None or since_visit >= preset.outcome_window_months:
        return {**found, "outcome": "missed_visit"}
    by_day = preset.reading == "last_visit" or preset.target(disease.measurement) is None
    window = [v for v in past if month - month_index(v["visited_on"]) < preset.outcome_window_months]
    said = [
        a
        for v in (last_day if by_day else window)
        if (a := _verdict(v, disease, preset, catalog)) is not None
    ]
    outcome = "visited_unmeasured" if not said else "controlled" if said[-1] else "uncontrolled"
    return {**found, "outcome": outcome}


def _atom(residences: list, month: int, atoms: dict) -> int:
    ordered = sorted(residences, key=lambda r: (r["from_on"], r["commune_2024"], r["commune_2025"]))
    lived = [r for r in ordered if month_index(r["from_on"]) <= month] or ordered[:1]
    if lived == ordered[:1]:  # before the first known month: where the person lived at that month's end
        opening = month_index(ordered[0]["from_on"])
        lived = [r for r in ordered if month_index(r["from_on"]) == opening] if month < opening else lived
    return atoms[lived[-1]["commune_2024"], lived[-1]["commune_2025"]]


def _band(birth: date | None, month: int, catalog: Catalog) -> str:
    if birth is None or month < month_index(birth):
        return "unknown"
    years = (month - month_index(birth)) // 12
    return next(b.id for b in reversed(catalog.age_bands) if years >= b.lower)


def count(
    records: dict, catalog: Catalog, measures: list, first: int, last: int, presets: list[str]
) -> Counter:
    """Counts by (preset, disease, atom, sex, band, month, measure); zero counts are absent."""
    rows = {name: frame.to_dicts() for name, frame in records.items()}
    owner = {r["record_id"]: r["person_id"] for r in rows["crosswalk"]}
    atoms = {(a["commune_2024"], a["commune_2025"]): a["atom"] for a in rows["atoms"]}
    counts: Counter = Counter()
    for person in rows["persons"]:
        mine = lambda table, p=person["person_id"]: [r for r in rows[table] if owner.get(r["record_id"]) == p]  # noqa: E731
        diagnoses, visits = mine("diagnoses"), mine("visits")
        lived = [r for r in rows["residences"] if r["person_id"] == person["person_id"]]
        died = month_index(person["died_on"]) if person["died_on"] else None
        for preset, disease in ((catalog.presets[p], d) for p in presets for d in catalog.diseases.values()):
            for month in range(first, last + 1):
                found = state(person, disease, preset, month, diagnoses, visits, catalog)
                if found is None:
                    continue
                at = month if died is None else min(month, died)
                cell = (preset.id, disease.id, _atom(lived, at, atoms), person["sex"])
                cell = (*cell, _band(person["birth_date"], at, catalog), month)
                for measure in measures:
                    if preset.id in measure.conditions and measure.conditions[preset.id].holds(found):
                        counts[(*cell, measure.name)] += 1
    return counts


def as_counts(measures: pl.DataFrame, names: list[str]) -> dict[tuple, int]:
    """The engine's frame in the shape of `count`: cell and measure -> count, zeros left out."""
    cell = ["preset", "disease", "atom", "sex", "age_band", "month"]
    long = measures.unpivot(index=cell, on=names).filter(pl.col("value") != 0)
    return {row[:-1]: row[-1] for row in long.select(*cell, "variable", "value").iter_rows()}
