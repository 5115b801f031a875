"""Counts of the plain oracle, person by person and month by month, and the engine's frames in the same shape.

A count is keyed by what it is for - indicator, side of the fraction, preset - never by the engine's name for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from ncdsurv.catalog import Catalog
from tests.engine_contacts import holds, in_order, month_of
from tests.engine_oracle import History

SIDES = ("numerator", "denominator")


def wanted_counts(catalog: Catalog, presets: list[str]) -> Iterator[tuple[tuple[str, str, str], Any]]:
    """(indicator, side, preset) of every count, with its condition or the name of its quantity."""
    for indicator in catalog.indicators.values():
        for preset in (name for name in presets if name in indicator.presets):
            for side in SIDES:
                quantity = getattr(indicator, f"{side}_quantity")
                if quantity is not None:
                    yield (indicator.id, side, preset), quantity
                    continue
                condition = getattr(indicator, f"{side}_for")(preset)
                of_no_person = indicator.denominator_source in ("none", "facilities")
                if condition is None or (not condition.tests and of_no_person):
                    continue  # expected cases, populations and stations come from no person
                yield (indicator.id, side, preset), condition


class Places:
    """Where a person is counted in a month: the atom lived in, or the facility or source last seen at."""

    def __init__(self, person: dict, residences: list, visits: list, atoms: dict, by: str, catalog: Catalog):
        self.died = month_of(person["died_on"]) if person["died_on"] else None
        if by == "atom":
            ordered = sorted(residences, key=lambda r: (r["from_on"], r["commune_2024"], r["commune_2025"]))
            told = [(month_of(r["from_on"]), atoms[r["commune_2024"], r["commune_2025"]]) for r in ordered]
        else:
            named = [v for v in in_order(visits, catalog) if v["facility"] is not None]
            # Screenings and notices assign nobody who has other contacts; who has none at all belongs nowhere.
            chosen = [v for v in named if v["kind"] != "screening" and not v["notice"]] or named
            told = [(month_of(v["visited_on"]), v[by] or "") for v in chosen] or [(0, "")]
        self.ends = sorted(dict(told).items())  # the last one told of each month

    def at(self, month: int) -> Any:
        """The place of a month; the dead stay where they were, and before the first it is the first."""
        month = self.seen_from(month)
        passed = [place for since, place in self.ends if since <= month]
        return passed[-1] if passed else self.ends[0][1]

    def seen_from(self, month: int) -> int:
        """The month the cell is taken from: the dead grow no older and do not move."""
        return month if self.died is None else min(month, self.died)


def age_band(birth: date | None, month: int, catalog: Catalog) -> str:
    """The band of the completed years by the month's end; unknown without a birth date, or before it."""
    if birth is None or month < month_of(birth):
        return "unknown"
    years = (month - month_of(birth)) // 12
    return next(b.id for b in reversed(catalog.age_bands) if years >= b.lower)


def histories(records: dict, catalog: Catalog, presets: list[str]) -> Iterator[tuple[dict, dict, History]]:
    """Every person's rows and every history of the records under every preset."""
    rows = {name: frame.to_dicts() for name, frame in records.items()}
    owner = {r["record_id"]: r["person_id"] for r in rows["crosswalk"]}
    source = {r["record_id"]: r["source"] for r in rows["crosswalk"]}
    for person in rows["persons"]:
        name = person["person_id"]
        mine = {
            table: [
                {**r, "source": source[r["record_id"]]}
                for r in rows[table]
                if owner.get(r["record_id"]) == name
            ]
            for table in ("diagnoses", "visits")
        }
        mine["residences"] = [r for r in rows["residences"] if r["person_id"] == name]
        for preset in presets:
            for disease in catalog.diseases.values():
                rules = catalog.presets[preset]
                yield (
                    person,
                    mine,
                    History(person, disease, rules, mine["diagnoses"], mine["visits"], catalog),
                )


def count(
    records: dict, catalog: Catalog, first: int, last: int, presets: list[str], by: str = "atom"
) -> dict[tuple, int]:
    """(indicator, side, preset, disease, place, sex, band, month) -> count; zeros are absent."""
    atoms = {(a["commune_2024"], a["commune_2025"]): a["atom"] for a in records["atoms"].to_dicts()}
    asked: dict[str, dict[Any, list[tuple]]] = {preset: {} for preset in presets}
    for what, wanted in wanted_counts(catalog, presets):
        asked[what[-1]].setdefault(wanted, []).append(what)
    counts: Counter = Counter()
    for person, mine, history in histories(records, catalog, presets):
        places = Places(person, mine["residences"], mine["visits"], atoms, by, catalog)
        for month in range(first, last + 1):
            found = history.state(month)
            if found is None:
                continue
            band = age_band(person["birth_date"], places.seen_from(month), catalog)
            cell = (history.disease.id, places.at(month), person["sex"], band, month)
            flows = history.quantities(month)
            for wanted, named in asked[history.preset.id].items():
                added = flows[wanted] if isinstance(wanted, str) else int(holds(wanted, found))
                for what in named if added else ():
                    counts[(*what, *cell)] += added
    return dict(counts)


def from_wide(wide: pl.DataFrame, plan: Any, catalog: Catalog, presets: list[str], by: str = "atom") -> dict:
    """The engine's wide frame in the shape of `count`."""
    found = {}
    for (indicator, side, preset), _ in wanted_counts(catalog, presets):
        column = getattr(plan, side)(indicator, preset)
        told = wide.select("disease", by, "sex", "age_band", "month", column).filter(pl.col(column) != 0)
        for *cell, number in told.iter_rows():
            found[(indicator, side, preset, *cell)] = number
    return found
