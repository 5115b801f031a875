"""A bucket is laid out a run of people at a time: wherever it is cut, its tables are those of the whole."""

from __future__ import annotations

from datetime import date
from unittest.mock import patch

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.tables import conform
from ncdsurv.registry import buckets
from ncdsurv.registry.buckets import Digester, LayoutWriter, assign_buckets
from ncdsurv.registry.linking import _in_parts
from ncdsurv.spells import LAYOUT, visit_columns
from ncdsurv.store.tables import TABLES
from tests.engine_records import layout, random_records


class Written:
    """In the place of a transaction: what the tables hold after all writes."""

    def __init__(self) -> None:
        self.tables: dict[str, pl.DataFrame] = {}

    def overwrite(self, name: str, frame: pl.DataFrame) -> None:
        self.tables[name] = conform(frame, TABLES[name].schema)

    def append(self, name: str, frame: pl.DataFrame) -> None:
        self.tables[name] = pl.concat([self.tables[name], conform(frame, TABLES[name].schema)])

    def replace(self, name: str, frame: pl.DataFrame, column: str, values: list[int]) -> None:
        kept = self.tables[name].filter(~pl.col(column).is_in(values))
        self.tables[name] = pl.concat([kept, conform(frame, TABLES[name].schema)])


def lay_out_in_parts(records: dict, rows: int, size: int, tx: Written, before: dict | None) -> dict[str, str]:
    of_person = records["crosswalk"].select("record_id", "person_id")
    came = records["visits"].join(of_person, on="record_id").group_by("person_id").agg(visits=pl.len())
    came = came.with_columns(pl.col("visits").cast(pl.Int64))
    homes = assign_buckets(records["residences"], records["atoms"], size, visits=came)
    homes = _in_parts(homes, came, rows)
    placed = of_person.join(homes, on="person_id").drop("person_id")
    told = {
        "persons": records["persons"].join(homes, on="person_id"),
        "residences": records["residences"].join(homes, on="person_id"),
        "records": records["crosswalk"]
        .select("record_id", "person_id", "source")
        .join(homes, on="person_id"),
        "diagnoses": records["diagnoses"].join(placed, on="record_id"),
        "visits": records["visits"].join(placed, on="record_id"),
    }
    digester = Digester()
    for name, frame in told.items():
        for piece in frame.drop("part").iter_slices(7):
            digester.add(name, piece)
    digests = digester.digests()
    writer = LayoutWriter(tx, load_catalog(), records["atoms"], digests, before)  # type: ignore[arg-type]
    with patch.object(buckets, "WRITTEN_ROWS", rows):
        for part in homes["part"].unique().sort():
            here = {name: frame.filter(pl.col("part") == part).drop("part") for name, frame in told.items()}
            writer.add(here)
        writer.finish()
    return digests


def drawn(seed: int) -> dict[str, pl.DataFrame]:
    return random_records(seed, 12, load_catalog(), date(2024, 1, 1), 500)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 60))
def test_wherever_it_is_cut_a_bucket_has_the_tables_of_the_whole(seed: int, rows: int) -> None:
    records, tx = drawn(seed), Written()
    lay_out_in_parts(records, rows, 100, tx, None)
    for name, frame in layout(records, load_catalog()).tables().items():
        found = tx.tables[name].sort("place")
        assert found["place"].to_list() == list(range(frame.height))
        assert_frame_equal(found.select(list(LAYOUT[name])), frame)


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 60), more=st.integers(1, 60), size=st.integers(1, 8))
def test_laid_out_again_only_what_changed_is_written_and_the_tables_are_those_of_a_first_time(
    seed: int, rows: int, more: int, size: int
) -> None:
    records, tx, first = drawn(seed), Written(), Written()
    fewer = records | {"visits": records["visits"].sort("visited_on").head(records["visits"].height // 2)}
    before = lay_out_in_parts(fewer, rows, 3, tx, None)  # some buckets end, some begin
    after = lay_out_in_parts(records, more, size, tx, before)
    assert after == lay_out_in_parts(records, rows, size, first, None)
    for name in LAYOUT:
        order = ["bucket", "place"]
        assert_frame_equal(tx.tables[name].sort(order), first.tables[name].sort(order))


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_a_layout_is_made_of_the_columns_that_are_named_and_no_other(seed: int) -> None:
    records, catalog = drawn(seed), load_catalog()
    named = visit_columns(catalog)
    fewer = layout(records | {"visits": records["visits"].select(named)}, catalog)
    for name, frame in layout(records, catalog).tables().items():
        assert_frame_equal(getattr(fewer, name), frame)
    assert set(records["visits"].columns) - set(named) == {
        "file_sha256",
        "reported_history",
        "screening_findings",
    }


def test_a_bucket_whose_people_have_no_visits_left_keeps_none_of_those_laid_out_before() -> None:
    records, tx = drawn(3), Written()
    before = lay_out_in_parts(records, 20, 100, tx, None)
    assert tx.tables["contacts"].height > 0
    lay_out_in_parts(records | {"visits": records["visits"].clear()}, 20, 100, tx, before)
    assert tx.tables["contacts"].is_empty()
    assert tx.tables["people"].height == records["persons"].height
