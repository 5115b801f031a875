"""What a perfect reader of the clean files would count: plain Python, one person at a time.

Written from the rules, not from the engine: no window is turned into changes, nothing is grouped. It is slow and
meant to be compared with.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import polars as pl

from ncdsurv.catalog.vocabulary import MONTHS_PER_YEAR, Period
from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.registry import SyntheticRegistry

COUNTS = (
    "detected",
    "managed",
    "newly_enrolled",
    "controlled",
    "uncontrolled",
    "visited_unmeasured",
    "missed_visit",
    "lost",
    "transferred_out",
    "dead",
    "suspected",
    "at_risk",
)


_REPORTED = {1: "controlled", 0: "uncontrolled"}


def truth_counts(registry: SyntheticRegistry, preset: str, month: str, catalog: Any = None) -> pl.DataFrame:
    """Count everybody's state at the end of a month.

    Args:
        registry: The invented people.
        preset: Preset id; its windows and targets are read from the catalog.
        month: `2026-06`.
        catalog: Definitions; None loads the package's.

    Returns:
        province (2024 code), disease, and one Int64 column per count, ordered by province and disease; only
        diseases that some file mentions, or that some reading points to. `managed` = newly_enrolled +
        controlled + uncontrolled + visited_unmeasured + missed_visit; `suspected` and `at_risk` are of people
        without the diagnosis. Groups of diseases count a person once.

    Raises:
        UsageError: Unknown preset or month.
    """
    if catalog is None:
        from ncdsurv.catalog import load_catalog

        catalog = load_catalog()
    rules = catalog.need("presets", preset)
    now = Period.parse(month).last_month
    illness = defaultdict(list)
    for row in registry.illness.rows(named=True):
        illness[row["person"]].append(row)
    totals: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for contacts in _by_person(registry.visits.sort("person", "visited_on").rows(named=True)):
        known = _known(illness[contacts[0]["person"]], contacts)
        for group, disease in catalog.diseases.items():
            facts = [known[member] for member in (disease.members or (group,)) if member in known]
            past = [row for row in contacts if _month(row["visited_on"]) <= now]
            home = (past or contacts[:1])[-1]["province_2024"]
            if facts:
                totals[home, group].update(_state(past, facts, disease, rules, catalog, now))
            if pointed := _suspicion(past, facts, disease, catalog, now):
                totals[home, group].update([pointed])
    rows = [(*key, *(counter[name] for name in COUNTS)) for key, counter in sorted(totals.items())]
    schema = {"province": pl.String, "disease": pl.String, **dict.fromkeys(COUNTS, pl.Int64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _month(day: Any) -> int:
    return day.year * MONTHS_PER_YEAR + day.month


def _by_person(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    people: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        people[row["person"]].append(row)
    return list(people.values())


def _known(ills: list[dict[str, Any]], contacts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Per disease: the day some file first mentions it, the day of detection, the rows that mention it."""
    systems, diseases = parameters("systems"), parameters("illness")["disease"]
    known = {}
    for ill in ills:
        has_sheet = "sheet" in diseases[ill["disease"]]
        mentions, dated = [], []
        for row in contacts:
            if row["kind"] == "screening" or row["visited_on"] < ill["known_on"]:
                continue
            in_ministry = systems[row["source"]].get("ministry", False)
            in_his = row["in_main"] and not in_ministry
            in_sheet = has_sheet and ((row["in_main"] and in_ministry) or row["in_second"])
            if in_his or in_sheet:
                mentions.append(row)
            if in_sheet:  # only the Ministry's sheets print a date of detection
                dated.append(ill["detected_on"])
        if mentions:
            recorded = mentions[0]["visited_on"]
            known[ill["disease"]] = {
                "recorded": recorded,
                "detected": min([recorded, *dated]),
                "moved_out": [row["visited_on"] for row in mentions if row["status"] == "transferred_out"],
            }
    return known


def _state(
    past: list[dict[str, Any]], facts: list[dict[str, Any]], disease: Any, rules: Any, catalog: Any, now: int
) -> list[str]:
    """Names of the counts that one person adds to for one disease at the end of month `now`."""
    detected = min(fact["detected"] for fact in facts)
    recorded = min(fact["recorded"] for fact in facts)
    visits = [row for row in past if row["kind"] in rules.visit_kinds]
    enrolled = next((_month(row["visited_on"]) for row in visits if row["visited_on"] >= recorded), None)
    died = any(row["status"] == "dead" for row in past)
    left = [day for fact in facts for day in fact["moved_out"] if _month(day) <= now]
    gone = bool(left) and not any(row["visited_on"] > max(left) for row in visits)
    counts = ["detected"] if _month(detected) <= now and not died and not gone else []
    if enrolled is None:
        return counts
    if died or gone:
        return [*counts, "dead" if died else "transferred_out"]
    since_enrolment = now - enrolled
    since_visit = now - _month(visits[-1]["visited_on"])
    if since_enrolment >= rules.lost_after_months and since_visit >= rules.lost_after_months:
        return [*counts, "lost"]
    if since_enrolment < rules.enrolment_buffer_months:
        return [*counts, "managed", "newly_enrolled"]
    if since_visit >= rules.outcome_window_months:
        return [*counts, "managed", "missed_visit"]
    return [*counts, "managed", _outcome(visits, disease, rules, catalog, now)]


def _suspicion(
    past: list[dict[str, Any]], facts: list[dict[str, Any]], disease: Any, catalog: Any, now: int
) -> str | None:
    """What the highest reading so far points to in somebody alive without the diagnosis."""
    detected = any(_month(fact["detected"]) <= now for fact in facts)
    if not disease.below_suspected or detected or any(row["status"] == "dead" for row in past):
        return None
    kinds = catalog.measurements[disease.measurement].readings
    for name, below in (("suspected", disease.below_suspected), ("at_risk", disease.below_at_risk)):
        for kind, limit in below.items():
            usable = (row for row in past if _usable(row, kinds[kind]))
            if any(not _holds(row, limit) for row in usable):
                return name
    return None


def _outcome(visits: list[dict[str, Any]], disease: Any, rules: Any, catalog: Any, now: int) -> str:
    if disease.measurement is None:
        return _REPORTED.get(visits[-1]["reported_target"], "visited_unmeasured")
    if rules.reading == "last_visit":
        visits = visits[-1:]
    kinds = catalog.measurements[disease.measurement].readings
    target = rules.target(disease.measurement)
    for row in reversed(visits):
        if now - _month(row["visited_on"]) >= rules.outcome_window_months:
            break
        for name, kind in kinds.items():
            if name in target.readings and _usable(row, kind):
                return "controlled" if _holds(row, target.readings[name]) else "uncontrolled"
        if (disease.or_reported or rules.or_reported) and row["reported_target"] in _REPORTED:
            return _REPORTED[row["reported_target"]]
    return "visited_unmeasured"


def _usable(row: dict[str, Any], kind: Any) -> bool:
    return all(row.get(column) is not None for column in kind.columns) and _holds(row, kind.where)


def _holds(row: dict[str, Any], condition: Any) -> bool:
    for test in condition.tests:
        value = row[test.column]
        if value is None or (test.values and value not in test.values):
            return False
        for operator, limit in test.bounds:
            if operator == "lt" and not value < limit:
                return False
            if operator == "le" and not value <= limit:
                return False
            if operator == "gt" and not value > limit:
                return False
            if operator == "ge" and not value >= limit:
                return False
    return True
