"""Invented patients straight in the store's layout: one folder per bucket, ordered by commune, person, date.

About 750 patients of an atom (the country's 8 million known cases over its 10,600 atoms), between 11 and 12 visits
each in 36 months: monthly visitors, skippers, drop-outs who may return, deaths, transfers, moves, withdrawn
diagnoses, suspected people, appointments. Buckets are made one by one, each from its own number, by two
processes, so that memory does not grow with the country.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from ncdsurv.catalog import Catalog
from ncdsurv.catalog.vocabulary import PatientStatus, month_index, month_start
from ncdsurv.spells import ASSIGNMENTS, CASES, CONTACTS, LAYOUT, NEVER, PEOPLE, SEGMENTS, Bucket, lay_out
from ncdsurv.spells.layout import STATUSES
from ncdsurv.store.mapped import read_mapped

PATIENTS_PER_ATOM = 750
PATIENTS_PER_BUCKET = 50_000
PROCESSES = 2
UNASKED = "assignments"  # the table that counting by atom does not look at
LONGEST_HISTORY = 40  # visits drawn per patient before thinning
FEWEST_VISITS, MOST_VISITS = 2, 28


def bucket_count(patients: int) -> int:
    """Number of buckets for so many patients."""
    return max(1, round(patients / PATIENTS_PER_BUCKET))


def make_bucket(number: int, people: int, catalog: Catalog, first_month: int, last_month: int) -> Bucket:
    """One bucket of invented patients, the same for the same number."""
    draw = np.random.default_rng(number)
    atoms = max(1, people // PATIENTS_PER_ATOM)
    home = np.sort(draw.integers(0, atoms, people)) + number * atoms
    person = np.arange(people)
    measured = [i for i, d in enumerate(catalog.diseases.values()) if d.measurement]
    others = [i for i, d in enumerate(catalog.diseases.values()) if not d.measurement and not d.members]

    main = np.where(draw.random(people) < 0.78, measured[0], measured[-1])
    second = np.where(
        draw.random(people) < 0.25, np.where(main == measured[0], measured[-1], measured[0]), -1
    )
    third = np.where(draw.random(people) < 0.08, draw.choice(others, people), -1)
    of_cases = np.concatenate([person, person[second >= 0], person[third >= 0]])
    disease = np.concatenate([main, second[second >= 0], third[third >= 0]])
    began = first_month - 24 + draw.integers(0, last_month - first_month + 24, people)
    enrolled = began[of_cases] + np.where(
        draw.random(of_cases.size) < 0.2, draw.integers(0, 30, of_cases.size), 0
    )
    detected = enrolled - np.where(draw.random(of_cases.size) < 0.3, draw.integers(1, 60, of_cases.size), 0)
    enrolled = np.where(draw.random(of_cases.size) < 0.03, NEVER, enrolled)

    suspected = draw.random(of_cases.size) < 0.2
    withdrawn = (draw.random(of_cases.size) < 0.01) & (enrolled < NEVER)

    gap = draw.choice([26, 29, 33, 48, 75], p=[0.2, 0.35, 0.25, 0.12, 0.08], size=(people, LONGEST_HISTORY))
    gap = np.where(draw.random(gap.shape) < 0.03, gap + draw.integers(100, 500, gap.shape), gap)
    gap[:, 1:] = np.where(draw.random((people, LONGEST_HISTORY - 1)) < 0.02, 0, gap[:, 1:])
    opening = np.array([month_start(int(m)).toordinal() for m in range(began.min(), began.max() + 1)])
    epoch = month_start(month_index(month_start(1970 * 12 + 1))).toordinal()
    day = (opening[began - began.min()] - epoch + draw.integers(0, 28, people))[:, None]
    day = day + np.cumsum(gap, axis=1) - gap[:, :1]
    kept = draw.integers(FEWEST_VISITS, MOST_VISITS, people)
    final = month_start(last_month + 1).toordinal() - epoch
    alive = (np.arange(LONGEST_HISTORY) < kept[:, None]) & (day < final)
    rows, columns = np.nonzero(alive)
    n = rows.size
    days = day[rows, columns]
    sbp = np.where(draw.random(n) < 0.12, -1, draw.normal(138, 14, n).round())
    missing = lambda values, share: np.where(draw.random(n) < share, -1, values)  # noqa: E731
    status = np.zeros(n, np.int8)
    status[draw.random(n) < 0.004] = STATUSES.index(PatientStatus.TRANSFERRED_OUT) + 1
    every = (1 << len(catalog.diseases)) - 1
    speaks = np.where(draw.random(n) < 0.5, every, np.int64(1) << main[rows].astype(np.int64))
    contacts = pl.DataFrame(
        {
            "person": rows,
            "day": days,
            "month": pl.Series(days, dtype=pl.Int32).cast(pl.Date).dt.year().cast(pl.Int32) * 12
            + pl.Series(days, dtype=pl.Int32).cast(pl.Date).dt.month().cast(pl.Int32),
            "kind": draw.choice(3, p=[0.8, 0.17, 0.03], size=n),
            "diseases": speaks,
            "status": status,
            "reported_target": draw.choice([-1, 0, 1, 2], p=[0.6, 0.15, 0.2, 0.05], size=n),
            "dispensed": draw.random(n) < 0.85,
            "sbp": sbp,
            "dbp": missing(draw.normal(83, 9, n).round(), 0.12),
            "glucose_mmol_l": missing((draw.lognormal(1.95, 0.25, n) * 100).round(), 0.6),
            "glucose_kind": draw.choice(3, p=[0.7, 0.1, 0.2], size=n),
            "hba1c_percent": missing((draw.normal(7.4, 1.2, n) * 100).round(), 0.92),
            "due_day": np.where(draw.random(n) < 0.7, days + draw.choice([28, 30, 60], n), -1),
        }
    ).with_columns(
        pl.when(pl.col(c) >= 0).then(pl.col(c)).alias(c)
        for c in ("sbp", "dbp", "glucose_mmol_l", "hba1c_percent", "due_day")
    )
    gone = np.where(draw.random(people) < 0.05, first_month + draw.integers(0, 48, people), NEVER)
    frames = {
        "people": pl.DataFrame(
            {
                "person": person,
                "person_id": [f"{number:05d}{i:07d}" for i in range(people)],
                "sex": (draw.random(people) < 0.58).astype(np.int8),
                "birth_month": last_month - (12 * np.clip(draw.normal(60, 12, people), 20, 98)).astype(int),
                "death_month": gone,
            }
        ),
        "segments": _segments(draw, person, home, atoms, number, first_month),
        "cases": pl.DataFrame(
            {
                "person": of_cases,
                "disease": disease,
                "detected_month": detected,
                "enrolled_month": enrolled,
                "suspected_month": np.where(suspected, detected - 1, NEVER),
                "at_risk_month": np.where(suspected, detected - 2, NEVER),
                "withdrawn_month": np.where(withdrawn, enrolled + 9, NEVER),
            }
        ).sort("person", "disease"),
        "contacts": contacts,
    }
    schemas = zip(frames.items(), (PEOPLE, SEGMENTS, CASES, CONTACTS), strict=True)
    typed = {name: lay_out(frame, schema) for (name, frame), schema in schemas}
    return Bucket(**typed, assignments=lay_out(typed["people"].clear().select("person"), ASSIGNMENTS))


def _segments(
    draw: np.random.Generator, person: np.ndarray, home: np.ndarray, atoms: int, number: int, first: int
) -> pl.DataFrame:
    moved = draw.random(person.size) < 0.02
    to = draw.integers(0, atoms, int(moved.sum())) + number * atoms
    opening = pl.DataFrame({"person": person, "from_month": np.full(person.size, first - 60), "atom": home})
    later = {"person": person[moved], "from_month": first + draw.integers(0, 36, to.size), "atom": to}
    return pl.concat([opening, pl.DataFrame(later).cast(dict(opening.schema))]).sort("person", "from_month")


def write_buckets(folder: Path, patients: int, catalog: Catalog, first_month: int, last_month: int) -> int:
    """Write the buckets under a folder, `<bucket>/<table>.parquet`; returns the number of contacts."""
    buckets = bucket_count(patients)
    work = [
        (folder, number, patients // buckets + (number < patients % buckets), first_month, last_month)
        for number in range(buckets)
    ]
    if buckets == 1:
        return _write(*work[0])
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(_write, *zip(*work), chunksize=4))


def _write(folder: Path, number: int, people: int, first_month: int, last_month: int) -> int:
    from ncdsurv.catalog import load_catalog

    bucket = make_bucket(number, people, load_catalog(), first_month, last_month)
    home = folder / f"{number:05d}"
    home.mkdir(parents=True)
    for name, frame in bucket.tables().items():
        frame.write_parquet(home / f"{name}.parquet", compression="zstd", compression_level=1)
    return bucket.contacts.height


def read_bucket(home: Path) -> Bucket:
    """One bucket from its folder."""
    return Bucket(
        **{n: pl.read_parquet(home / f"{n}.parquet", columns=list(schema)) for n, schema in LAYOUT.items()}
    )


def read_month(home: Path, contacts: str, carry: Path) -> tuple[Bucket, pl.DataFrame]:
    """A bucket with the contacts of one file, and a carry: small files, read at once.

    What counting by atom does not look at is left out: names of people, and where they were cared for.
    """
    tables = {name: schema for name, schema in LAYOUT.items() if name != UNASKED}
    scans = [
        pl.scan_parquet(home / f"{contacts if name == 'contacts' else name}.parquet").select(
            column for column in schema if column != "person_id"
        )
        for name, schema in tables.items()
    ]
    found = pl.collect_all(scans)
    unasked = {UNASKED: pl.DataFrame(schema=LAYOUT[UNASKED])}
    return Bucket(**dict(zip(tables, found, strict=True)), **unasked), read_mapped(carry)
