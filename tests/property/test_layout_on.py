"""What came since the last layout: whoever is not spoken of has the visits that they had."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ncdsurv.registry.appended import only_files_came, spoken_of, state_of
from ncdsurv.registry.linking import _settled
from ncdsurv.registry.visits import current_deaths, visits_in_parts
from tests.registry_support import current_visits

LOG = pl.DataFrame(
    {
        "received": [1, 2, 3],
        "source": ["one"] * 3,
        "file_sha256": ["a", "b", "c"],
        "mapping": pl.Series([None] * 3, dtype=pl.String),
    }
)


class State:
    """In the place of a snapshot: tables in memory."""

    def __init__(self, visits: pl.DataFrame, log: pl.DataFrame = LOG) -> None:
        self.tables = {"visits": visits, "ingest_log": log}

    def scan(self, name: str) -> pl.LazyFrame:
        return self.tables.get(name, self.tables["ingest_log"]).lazy()

    def read(self, name: str) -> pl.DataFrame:
        return self.scan(name).collect()


def known_by(visits: pl.DataFrame, received: int) -> State:
    return State(visits.filter(pl.col("received") <= received))


@st.composite
def told(draw) -> pl.DataFrame:
    """Rows of visits: told again, corrected, given to other records, deaths taken back."""
    n = draw(st.integers(1, 25))
    some = {
        "record_id": st.sampled_from("pqrs"),
        "visit_id": st.sampled_from("abcdefgh"),
        "received": st.integers(1, 3),
        "patient_status": st.sampled_from([None, "dead", "managed"]),
        "visited_on": st.dates(date(2026, 1, 1), date(2026, 1, 9)),
    }
    rows = {name: draw(st.lists(values, min_size=n, max_size=n)) for name, values in some.items()}
    return pl.DataFrame(rows, schema_overrides={"patient_status": pl.String}).with_row_index("row_number")


@settings(max_examples=60)
@given(visits=told(), then=st.integers(0, 3))
def test_who_is_not_spoken_of_has_the_visits_that_they_had(visits: pl.DataFrame, then: int) -> None:
    now = State(visits)
    spoken = spoken_of(now, then)
    before, after = (
        current_visits(state).join(spoken, on="record_id", how="anti")
        for state in (known_by(visits, then), now)
    )
    assert_frame_equal(before, after)
    changed = visits.filter(pl.col("received") > then)["record_id"].unique()
    assert set(changed) <= set(spoken["record_id"])
    if then == 3:
        assert spoken.is_empty()


@settings(max_examples=40)
@given(visits=told(), rows=st.integers(1, 30), records=st.sets(st.sampled_from("pqrstu")))
def test_visits_of_some_records_are_those_of_all_without_the_others(visits, rows, records) -> None:
    only = pl.DataFrame({"record_id": sorted(records)}, schema={"record_id": pl.String})
    columns = ["record_id", "visit_id", "patient_status"]
    whole = current_visits(State(visits)).join(only, on="record_id", how="semi").select(columns)
    state: Any = State(visits)
    with TemporaryDirectory() as folder, visits_in_parts(state, Path(folder), rows, columns, only) as found:
        parts = pl.concat(list(found))
    assert_frame_equal(parts.sort("visit_id"), whole.sort("visit_id"))


@settings(max_examples=40)
@given(visits=told())
def test_a_death_counts_while_the_last_word_on_the_visit_tells_it(visits: pl.DataFrame) -> None:
    state: Any = State(visits)
    expected = current_visits(state).filter(pl.col("patient_status") == "dead")
    expected = expected.select("record_id", "visited_on", "patient_status")
    assert_frame_equal(current_deaths(state), expected)


@pytest.mark.parametrize(
    ("log", "visits", "holds"),
    [
        (LOG, [1, 2, 3], True),
        (LOG, [1, 3], False),  # a row is gone
        (LOG.with_columns(file_sha256=pl.Series(["a", "x", "c"])), [1, 2, 3], False),
        (LOG.with_columns(mapping=pl.Series(["m", None, None])), [1, 2, 3], False),
        (
            LOG.with_columns(file_sha256=pl.Series(["a", "b", "a"])),
            [1, 2, 3],
            False,
        ),  # read anew: rows may differ
        (LOG.head(2), [1, 2], True),
    ],
    ids=["a file came", "a row vanished", "another file", "another mapping", "a file again", "nothing came"],
)
def test_only_new_files_may_have_come(log: pl.DataFrame, visits: list[int], holds: bool) -> None:
    rows = pl.DataFrame({"received": visits})
    then = State(pl.DataFrame({"received": [1, 2]}), LOG.head(2))
    assert only_files_came(State(rows, log), 2, state_of(then, 2)) is holds


def test_a_bucket_is_settled_that_holds_the_same_and_that_no_new_file_speaks_of() -> None:
    visits = pl.DataFrame(
        {"record_id": ["p", "q", "r", "s", "q"], "visit_id": list("abcde"), "received": [1, 1, 2, 2, 3]}
    )
    records = pl.DataFrame({"record_id": list("pqrs"), "bucket": [10, 20, 30, 40]})
    laid = {
        "buckets": {"10": "1.1.1.1.7", "20": "2.2.2.2.7", "30": "3.3.3.3.7"},
        "received": 2,
        "state": state_of(known_by(visits, 2), 2),
    }
    digests = {"10": "1.1.1.1.", "20": "2.2.2.2.", "30": "3.3.3.4.", "40": "4.4.4.4."}
    now: Any = State(visits)
    assert _settled(now, records, digests, laid) == [10]  # of 20 comes news, 30 holds others, 40 was none
    assert _settled(now, records, digests, laid | {"received": 3, "state": state_of(now, 3)}) == [10, 20]
    assert _settled(now, records, digests, laid | {"state": {}}) == []
    much_new = laid | {"received": 1, "state": state_of(now, 1)}
    assert _settled(now, records, digests, much_new) == []  # of five rows three are new: all are read
    none: Any = State(visits.clear())
    assert _settled(none, records, digests, laid | {"state": state_of(none, 2)}) == [10, 20]
