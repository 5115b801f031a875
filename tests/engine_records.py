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
    """The five record tables of a few persons; each person has one record, named like the person."""
    crosswalk = [{"record_id": p["person_id"], "person_id": p["person_id"]} for p in persons]
    lists = zip(
        (PERSONS, RESIDENCES, DIAGNOSES, VISITS, CROSSWALK),
        (persons, residences, diagnoses, visits, crosswalk),
    )
    frames = []
    for schema, rows in lists:
        full = [{name: row.get(name) for name in schema} for row in rows]
        frames.append(conform(pl.DataFrame(full, schema=dict(schema)), schema))
    return dict(zip(("persons", "residences", "diagnoses", "visits", "crosswalk"), frames)) | {"atoms": atoms}


def layout(records: dict[str, pl.DataFrame], catalog: Catalog) -> Bucket:
    """The bucket of some record tables."""
    names = ("persons", "residences", "crosswalk", "diagnoses", "visits")
    return bucket_layout(*(records[name] for name in names), catalog, records["atoms"])


def random_records(
    seed: int, people: int, catalog: Catalog, first: date, days: int, atoms: pl.DataFrame = ATOMS
) -> dict[str, pl.DataFrame]:
    """A seeded handful of people with everything that can go wrong: gaps, same-day rows, moves, deaths."""
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
        own = draw.sample(diseases, draw.choice([1, 1, 2, 3]))
        for disease in own:
            recorded = day(600)
            found = None if draw.random() < 0.3 else recorded - timedelta(days=draw.randint(-40, 2000))
            diagnoses.append(
                {
                    "record_id": name,
                    "disease": disease,
                    "detected_on": found,
                    "recorded_on": recorded,
                    "icd10": "X",
                }
            )
        for number_of_visit in range(draw.choice([0, 1, 3, 8, 20])):
            on = visits[-1]["visited_on"] if number_of_visit and draw.random() < 0.15 else day(600)
            visits.append(
                {
                    "record_id": name,
                    "visit_id": f"v{len(visits)}",
                    "visited_on": on,
                    "sequence": draw.choice([None, 0, 480, 600]),
                    "row_number": draw.randint(1, 4),
                    "disease": draw.choice([None, *own]),
                    "kind": draw.choice(["exam", "exam", "exam", "refill", "screening"]),
                    "sbp": draw.choice([None, 120, 139, 140, 150]),
                    "dbp": draw.choice([None, 80, 89, 90]),
                    "glucose_mmol_l": draw.choice([None, 4.39, 4.4, 6.99, 7.0, 7.2, 7.21, 10.0, 11.09, 11.1]),
                    "glucose_kind": draw.choice(["fasting", "random", "unknown", None]),
                    "hba1c_percent": draw.choice([None, None, None, 6.99, 7.0, 8.0]),
                    "supply_days": draw.choice([None, 0, 28, 90]),
                    "reported_target": draw.choice([None, None, 0, 1, 2]),
                    "patient_status": draw.choice(
                        [None, "managed", "managed", "transferred_in", "transferred_out", "dead"]
                    ),
                }
            )
    return tables(persons, residences, diagnoses, visits, atoms)
