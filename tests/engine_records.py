"""Record tables for tests of the engine: written by hand in a scenario, or drawn at random from a seed."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import polars as pl

from ncdsurv.catalog import Catalog
from ncdsurv.catalog.tables import CROSSWALK, DIAGNOSES, PERSONS, RESIDENCES, VISITS, conform
from ncdsurv.spells import Bucket, bucket_layout

# Atoms: commune A keeps its land, B is split between X and Y, C and A join X.
ATOMS = pl.DataFrame(
    {
        "atom": [7, 8, 9, 12],
        "commune_2024": ["00001", "00002", "00002", "00003"],
        "commune_2025": ["90001", "90001", "90002", "90001"],
    },
    schema_overrides={"atom": pl.Int32},
)


def tables(
    persons: list, residences: list, diagnoses: list, visits: list, atoms: pl.DataFrame = ATOMS
) -> dict[str, pl.DataFrame]:
    """The five record tables of a few persons.

    Each person has a record in one system, named like the person, and one in another, named `NAME+`.
    """
    systems = (("", "one"), ("+", "two"))
    names = [(p["person_id"], *system) for p in persons for system in systems]
    crosswalk = [{"record_id": name + more, "person_id": name} for name, more, _ in names]
    origin = pl.Series("source", [source for *_, source in names], dtype=pl.String)
    lists = zip(
        (PERSONS, RESIDENCES, DIAGNOSES, VISITS, CROSSWALK),
        (persons, residences, diagnoses, visits, crosswalk),
    )
    frames = []
    for schema, rows in lists:
        full = [{name: row.get(name) for name in schema} for row in rows]
        frames.append(conform(pl.DataFrame(full, schema=dict(schema)), schema))
    frames[-1] = frames[-1].with_columns(origin)
    return dict(zip(("persons", "residences", "diagnoses", "visits", "crosswalk"), frames)) | {"atoms": atoms}


def layout(records: dict[str, pl.DataFrame], catalog: Catalog) -> Bucket:
    """The bucket of some record tables."""
    names = ("persons", "residences", "crosswalk", "diagnoses", "visits")
    return bucket_layout(*(records[name] for name in names), catalog, records["atoms"])


def random_records(
    seed: int, people: int, catalog: Catalog, first: date, days: int, atoms: pl.DataFrame = ATOMS
) -> dict[str, pl.DataFrame]:
    """A seeded handful of people with everything that can go wrong.

    Gaps, same-day rows, moves, deaths, transfers, readings on and beside every limit, high readings of people
    without a diagnosis, diagnoses withdrawn and stated again, pregnancies, appointments in the past.
    """
    draw = Random(seed)
    diseases = [d.id for d in catalog.diseases.values() if not d.members]
    pairs = list(atoms.select("commune_2024", "commune_2025").iter_rows())
    persons, residences, diagnoses, visits = [], [], [], []

    def day(before: int = 0, after: int = days) -> date:
        return first + timedelta(days=draw.randint(-before, after))

    for number in range(people):
        name = f"p{draw.randint(0, 10**9):09d}{number}"
        died = day() if draw.random() < 0.15 else None
        born = None if draw.random() < 0.05 else date(draw.randint(1930, 2010), draw.randint(1, 12), 15)
        sex = draw.choice(["male", "female", "unknown"])
        persons.append({"person_id": name, "sex": sex, "birth_date": born, "died_on": died})
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            here = dict(zip(("commune_2024", "commune_2025"), draw.choice(pairs)))
            residences.append({"person_id": name, "from_on": day(200), **here})
        own = draw.sample(diseases, draw.choice([0, 1, 1, 1, 2, 3]))
        if draw.random() < 0.5:  # the diseases with the most rules, more often than their share
            own = list(dict.fromkeys([*own, draw.choice(diseases[:4])]))
        for disease in own:
            for _ in range(draw.choice([1, 1, 1, 2])):
                diagnoses.append(
                    {
                        "record_id": name + draw.choice(["", "+"]),
                        "disease": disease,
                        **_stated(draw, day(600), days),
                    }
                )
        for number_of_visit in range(draw.choice([0, 1, 3, 8, 20])):
            on = visits[-1]["visited_on"] if number_of_visit and draw.random() < 0.2 else day(600)
            speaks = draw.choice([None, *own, *own, draw.choice(diseases)])
            record = {"record_id": name + draw.choice(["", "+"]), "visit_id": f"v{len(visits)}"}
            visits.append({**record, **_visit(draw, on, speaks)})
    return tables(persons, residences, diagnoses, visits, atoms)


def _stated(draw: Random, recorded: date, days: int) -> dict:
    """One statement of a diagnosis, now and then withdrawn again."""
    found = None if draw.random() < 0.3 else recorded - timedelta(days=draw.randint(-40, 2000))
    withdrawn = recorded + timedelta(days=draw.randint(0, days)) if draw.random() < 0.12 else None
    stated = recorded + timedelta(days=draw.randint(0, days)) if draw.random() < 0.3 else None
    return {
        "recorded_on": recorded,
        "last_stated_on": stated,
        "detected_on": found,
        "withdrawn_on": withdrawn,
    }


def _visit(draw: Random, on: date, disease: str | None) -> dict:
    """One contact: each reading on a limit of some preset, or just beside it, or absent; or nothing but a status."""
    facility = draw.choice([None, "F1", "F2", "F3"])
    if draw.random() < 0.1:
        told = {"patient_status": draw.choice(["transferred_out", "transferred_out", "dead", "managed"])}
        empty = {"supply_days": draw.choice([None, 0]), "reported_target": draw.choice([None, None, 1, 2])}
        place = {"visited_on": on, "facility": facility, "disease": disease, "row_number": draw.randint(1, 4)}
        return {**place, **told, **empty, "kind": draw.choice(["exam", "exam", "exam", "screening"])}
    return {
        "visited_on": on,
        "facility": facility,
        "sequence": draw.choice([None, 0, 480, 600]),
        "row_number": draw.randint(1, 4),
        "disease": disease,
        "kind": draw.choice(["exam", "exam", "exam", "refill", "screening"]),
        "sbp": draw.choice([None, 120, 129, 130, 139, 139, 140, 150, 179, 180]),
        "dbp": draw.choice([None, 79, 80, 84, 85, 89, 89, 90, 109, 110]),
        "glucose_mmol_l": draw.choice(
            [None, 4.39, 4.4, 5.59, 5.6, 6.99, 7.0, 7.2, 7.21, 7.8, 9.99, 10.0, 11.09, 11.1, 16.69, 16.7]
        ),
        "glucose_kind": draw.choice(["fasting", "random", "post_prandial", "unknown", None]),
        "hba1c_percent": draw.choice([None, None, None, None, 5.69, 5.7, 6.49, 6.5, 6.99, 7.0, 8.99, 9.0]),
        "lung_grade": draw.choice([None, None, 1, 2, 3]),
        "asthma_control": draw.choice([None, None, 0, 1, 2]),
        "pregnant": draw.choice([None, None, None, False, False, True]),
        "supply_days": draw.choice([None, 0, 28, 30, 90, 90, 600]),
        "next_visit_on": draw.choice(
            [None, None, on + timedelta(days=draw.choice([-3, 0, 1, 28, 31, 60, 500]))]
        ),
        "reported_target": draw.choice([None, None, 0, 1, 2]),
        "patient_status": draw.choice(
            [None, "managed", "managed", "transferred_in", "transferred_out", "dead"]
        ),
    }
