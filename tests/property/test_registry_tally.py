"""Telling on equals asking everybody, whatever came in between; and no tally of another state is gone on from."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.tables import CROSSWALK, empty
from ncdsurv.registry import continued
from ncdsurv.registry.continued import tell
from ncdsurv.registry.tallied import LATEST, Tallied
from ncdsurv.store.tables import TABLES

CATALOG = load_catalog()
MEASURED = [disease.id for disease in CATALOG.diseases.values() if disease.measurement]
PERSONS = [f"p{n}" for n in range(22)]
THEN, NOW = 2026 * 12 + 4, 2026 * 12 + 6
STATIONS, RECORDS, SOURCES = ["79001", "79002", "79003", None], [f"r{n}" for n in range(30)], ["one", "two"]


@dataclass
class State:
    """A state of an invented registry, in the place of a snapshot."""

    tables: dict[str, pl.DataFrame] = field(default_factory=dict)

    def read(self, table: str) -> pl.DataFrame:
        return self.tables[table]

    def scan(self, table: str) -> pl.LazyFrame:
        return self.tables[table].lazy()


@dataclass
class Place:
    """Where a store lies."""

    folder: Path


def visits_of(dice: Random, n: int, first: date, last: date, received: int) -> list[dict]:
    """Visits received in one file; a visit number may have come before: then this is a correction."""
    return [
        {
            "visit_id": f"v{dice.randrange(400)}",
            "record_id": dice.choice(RECORDS),
            "facility": dice.choice(STATIONS),
            "visited_on": first + timedelta(dice.randint(0, (last - first).days)),
            "disease": dice.choice([*MEASURED, None]),
            "kind": dice.choice(["exam", "exam", "refill", "screening"]),
            "sbp": dice.choice([None, 120, 130, 139, 170]),
            "dbp": dice.choice([None, 80, 85]),
            "weight_kg": dice.choice([None, 50.0, 70.0]),
            "glucose_mmol_l": dice.choice([None, 6.9, 7.0]),
            "glucose_kind": dice.choice(["fasting", None]),
            "supply_days": dice.choice([None, 30]),
            "row_number": number,
            "received": received,
            "file_sha256": f"f{received}",
        }
        for number in range(n)
    ]


def said_of(dice: Random, n: int, received: int) -> tuple[list[dict], list[dict], list[dict]]:
    """Diagnoses, people and identifiers of one file."""

    def origin() -> dict:
        return {
            "record_id": dice.choice(RECORDS),
            "facility": dice.choice(STATIONS),
            "row_number": dice.randint(1, 120),
            "received": received,
            "file_sha256": f"f{received}",
        }

    def diagnosis() -> dict:
        said = {"disease": dice.choice(MEASURED), "withdrawn_on": dice.choice([None, None, date(2026, 5, 2)])}
        return origin() | said | {"recorded_on": date(2026, 1, 1) + timedelta(dice.randrange(180))}

    marks = {"citizen_id": dice.choice([None, "x"]), "insurance_number": "y"}
    return (
        [diagnosis() for _ in range(dice.randint(0, n))],
        [origin() for _ in range(dice.randint(0, n))],
        [origin() | marks for _ in range(dice.randint(0, n))],
    )


def frame(table: str, rows: list[dict]) -> pl.DataFrame:
    schema = TABLES[table].schema
    return pl.DataFrame(rows, schema=schema) if rows else empty(schema)


def state(files: list[tuple[list[dict], tuple]], linked: list[str]) -> State:
    """The state after some files, and with these persons."""
    numbers = range(1, len(files) + 1)
    first = [
        {
            "record_id": record,
            "source": SOURCES[n % 2],
            "received": 1,
            "file_sha256": "f1",
            "row_number": 50 + n,
        }
        for n, record in enumerate(RECORDS)
    ]
    source = {record: SOURCES[n % 2] for n, record in enumerate(RECORDS)}
    patients = [row | {"source": source[row["record_id"]]} for _, said in files for row in said[1]]
    log = [
        {
            "received": n,
            "file_sha256": f"f{n}",
            "source": "one",
            "received_at": datetime(2026, 4, 1, tzinfo=UTC) + timedelta(days=25 * n),
        }
        for n in numbers
    ]
    crosswalk = [{"record_id": record, "person_id": person} for record, person in zip(RECORDS, linked)]
    return State(
        {
            "visits": frame("visits", [row for rows, _ in files for row in rows]),
            "patients": frame("patients", first + patients),
            "diagnoses": frame("diagnoses", [row for _, said in files for row in said[0]]),
            "identifiers": frame("identifiers", [row for _, said in files for row in said[2]]),
            "ingest_log": frame("ingest_log", log),
            "crosswalk": pl.DataFrame(crosswalk).select(
                pl.col(name).cast(dtype) if name in ("record_id", "person_id") else pl.lit(None, dtype).alias(name)
                for name, dtype in CROSSWALK.items()
            ),
        }
    )  # fmt: skip


def told(now: State, folder: Path, month: int, by: str = "these definitions"):
    folder.mkdir(exist_ok=True)
    return tell(now, CATALOG, month, Tallied(Place(folder), by), folder)  # type: ignore[arg-type]


def same(found, expected) -> None:
    assert found.tally.keys() == expected.tally.keys()
    for name, right in expected.tally.items():
        assert_frame_equal(found.tally[name], right, check_row_order=False)
    assert_frame_equal(found.visitors, expected.visitors, check_row_order=False)


@pytest.fixture(autouse=True)
def _whoever_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a few records, most change in a month: they are told on all the same."""
    monkeypatch.setattr(continued, "MOST_ANEW", 1.0)


CHANGES = ("nothing", "late", "said", "linked")
"""What came beside the visits of the new month, which are always there, some of them corrections."""


@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    seed=st.integers(0, 10**6),
    changes=st.lists(st.sampled_from(CHANGES), min_size=2, max_size=2),
    months=st.tuples(st.integers(THEN - 1, THEN + 1), st.integers(NOW - 2, NOW), st.integers(NOW - 1, NOW + 1)),
)  # fmt: skip
def test_telling_on_is_asking_everybody(seed, changes, months) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept, none = Path(folder) / "kept", Path(folder) / "none"
        states = list(following(seed, changes))
        told(states[0], kept, months[0])
        for now, month in zip(states[1:], months[1:], strict=True):
            found = told(now, kept, month)
            shutil.rmtree(none, ignore_errors=True)
            same(found, told(now, none, month))


def following(seed: int, changes: list[str]) -> Iterator[State]:
    """A state, and those after each change."""
    dice = Random(seed)
    linked = [dice.choice(PERSONS) for _ in RECORDS]
    files = [(visits_of(dice, 120, date(2026, 1, 1), date(2026, 5, 20), 1), said_of(dice, 20, 1))]
    yield state(files, linked)
    for number, change in enumerate(changes, start=2):
        first = date(2026, 2, 1) if change == "late" else date(2026, 5, 1)
        visits = visits_of(dice, 15, first, date(2026, 7, 15), number)
        files.append((visits, said_of(dice, 3 if change == "said" else 0, number)))
        if change == "linked":
            linked[dice.randrange(len(linked))] = dice.choice(PERSONS)
        yield state(files, linked)


@pytest.fixture(scope="module")
def two() -> list[State]:
    """A state and the one a month later."""
    return list(following(3, ["nothing"]))


@pytest.fixture(scope="module")
def whole(two: list[State], tmp_path_factory: pytest.TempPathFactory):
    """What everybody tells of the later one."""
    return told(two[1], tmp_path_factory.mktemp("whole"), NOW)


def asked_everybody(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Grows by one for each time that everybody is asked."""
    calls: list[bool] = []
    original = continued._Work.everybody

    def noted(self):
        calls.append(True)
        return original(self)

    monkeypatch.setattr(continued._Work, "everybody", noted)
    return calls


def test_a_month_later_only_those_whose_past_changed_are_asked_anew(
    two, whole, tmp_path, monkeypatch
) -> None:
    told(two[0], tmp_path, THEN)
    calls = asked_everybody(monkeypatch)
    same(told(two[1], tmp_path, NOW), whole)
    assert not calls


def test_where_most_records_changed_everybody_is_asked(two, whole, tmp_path, monkeypatch) -> None:
    told(two[0], tmp_path, THEN)
    calls = asked_everybody(monkeypatch)
    monkeypatch.setattr(continued, "MOST_ANEW", 0.0)
    same(told(two[1], tmp_path, NOW), whole)
    assert calls


HARMS = (
    "nonsense",
    "other definitions",
    "truncated",
    "a file lost",
    "readings lost",
    "a visit deleted",
    "again",
)


@pytest.mark.parametrize("harm", HARMS)
def test_a_tally_that_does_not_serve_is_not_gone_on_from(two, whole, tmp_path, monkeypatch, harm) -> None:
    before, now, by = two[0], two[1], "these definitions"
    expected = whole
    if harm == "a visit deleted":  # the registry had a row that it has no more
        more = before.tables["visits"].head(1).with_columns(visit_id=pl.lit("gone"))
        before = State(before.tables | {"visits": pl.concat([before.tables["visits"], more])})
    if harm == "again":  # the same file under another mapping: its rows stand there twice
        log = now.tables["ingest_log"].with_columns(file_sha256=pl.lit("f1"))
        visits = now.tables["visits"].with_columns(file_sha256=pl.lit("f1"))
        now = State(now.tables | {"ingest_log": log, "visits": visits})
        expected = told(now, tmp_path / "whole", NOW)
    told(before, tmp_path, THEN)
    latest = tmp_path / "tallied" / LATEST
    entry = latest.parent / json.loads(latest.read_text("utf-8"))["entry"]
    if harm == "nonsense":
        latest.write_text("[", encoding="utf-8")
    elif harm == "other definitions":
        by = "other definitions"
    elif harm == "truncated":
        path = entry / "visitors.arrow"
        path.write_bytes(path.read_bytes()[:-100])
    elif harm == "a file lost":
        (entry / "digests.arrow").unlink()
    elif harm == "readings lost":
        next((entry / "readings").iterdir()).unlink()
    calls = asked_everybody(monkeypatch)
    same(told(now, tmp_path, NOW, by), expected)
    assert calls
