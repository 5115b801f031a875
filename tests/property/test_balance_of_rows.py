"""Whatever stands in the cells: rows in = kept + rejected + duplicates, and nothing of a patient leaks."""

from __future__ import annotations

import string

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ncdsurv.catalog import tables
from ncdsurv.catalog.sources import FIELDS
from ncdsurv.clean import clean_batch, load_rules, newest_visits
from ncdsurv.ingest import concat_batches
from tests.clean_support import CATALOG, KEY, REFERENCE, clean_rows, raw_batch

LIKELY = st.sampled_from(
    [
        *("14/08/2025", "2025-08-14", "196500000000", "45883", "05/13/2024", "2504", "0", "0000", "20250814"),
        *("120/80", "139", "89", "0/0", "999", "7.2", "130", "126 mg/dL", "5,6", "-1", "1e9"),
        *("002161012345", "2161012345", "DN4790187654321", "0912345678", "I10", "E11.9;J44", "J00", "J45"),
        *("1", "2", "3", "01", "02", "05", "07", "16", "99", "Nam", "Nữ", "00691", "691", "00688", "02001"),
        *("Nguyễn Văn Mẫu", "NguyÔn V¨n MÉu", "Nguyeãn Vaên Maãu", "Tổng cộng", "CSST<M75_HA120/70>"),
    ]
)
GARBAGE = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
CELL = st.none() | LIKELY | GARBAGE | st.text(alphabet=string.digits + "/.-: ", max_size=14)
ROW = st.dictionaries(st.sampled_from(sorted(FIELDS)), CELL, max_size=14)
SOURCE = st.sampled_from(sorted(CATALOG.sources))
RELAXED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@given(rows=st.lists(ROW, min_size=1, max_size=12), source=SOURCE)
@RELAXED
def test_every_row_is_kept_rejected_or_duplicate(rows: list[dict[str, str | None]], source: str) -> None:
    batch = clean_rows(rows, source)
    counts = batch.counts.row(0, named=True)
    assert counts["rows_in"] == len(rows)
    assert counts["rows_in"] == counts["kept"] + counts["rejected"] + counts["duplicates"]
    assert batch.visits.height == counts["kept"]
    assert batch.rejects.height == counts["rejected"]
    assert batch.duplicates.height == counts["duplicates"]
    places = pl.concat(
        frame.select("file_sha256", "row_number") for frame in (batch.visits, batch.rejects, batch.duplicates)
    )
    assert places["row_number"].sort().to_list() == list(range(2, len(rows) + 2))


@given(rows=st.lists(ROW, min_size=1, max_size=8), source=SOURCE)
@RELAXED
def test_tables_have_their_schema_and_every_rule_is_explained(
    rows: list[dict[str, str | None]], source: str
) -> None:
    batch = clean_rows(rows, source)
    for name in ("patients", "diagnoses", "visits", "identifiers", "rejects", "duplicates", "repairs"):
        assert dict(getattr(batch, name).schema) == dict(getattr(tables, name.upper())), name
    rules = {*batch.rejects["rule"], *batch.repairs["rule"]}
    assert rules <= set(load_rules())
    never_null = ("record_id", "visit_id", "facility", "visited_on", "sequence", "kind", "row_number")
    assert sum(batch.visits.select(never_null).null_count().row(0)) == 0
    assert set(batch.duplicates["duplicate_of"]) <= set(batch.visits["visit_id"])


@given(
    secret=st.text(alphabet=string.ascii_uppercase, min_size=9, max_size=12),
    field=st.sampled_from(sorted(FIELDS)),
)
@RELAXED
def test_no_value_stands_in_rejects_repairs_or_duplicates(secret: str, field: str) -> None:
    batch = clean_rows([{field: secret}, {field: secret}, {field: secret, "visited_on": "12/03/25"}])
    for frame in (batch.rejects, batch.repairs, batch.duplicates, batch.counts):
        assert secret not in frame.write_csv()
    assert secret not in repr(batch) + repr(raw_batch([{field: secret}]))


@given(rows=st.lists(ROW, min_size=1, max_size=8), source=SOURCE)
@RELAXED
def test_analytical_tables_hold_no_identifier(rows: list[dict[str, str | None]], source: str) -> None:
    batch = clean_rows([{**row, "citizen_id": "002161012345", "phone": "0987654321"} for row in rows], source)
    for frame in (batch.patients, batch.diagnoses, batch.visits):
        text = frame.write_csv()
        assert "002161012345" not in text
        assert "0987654321" not in text


@given(rows=st.lists(ROW, min_size=1, max_size=8), source=SOURCE)
@RELAXED
def test_cleaning_twice_gives_the_same(rows: list[dict[str, str | None]], source: str) -> None:
    one, two = clean_rows(rows, source), clean_rows(rows, source)
    assert one.visits.equals(two.visits)
    assert one.patients.equals(two.patients)
    assert one.repairs.equals(two.repairs)


def test_the_same_visit_again_is_a_duplicate_and_a_correction_wins() -> None:
    batch = clean_rows(
        [{"sbp": "150", "dbp": "90"}, {"sbp": "150", "dbp": "90"}, {"sbp": "135", "dbp": "85"}]
    )
    assert batch.visits.select("sbp", "dbp", "row_number").rows() == [(135, 85, 4)]
    assert batch.duplicates["row_number"].to_list() == [2, 3]
    assert batch.duplicates["duplicate_of"].unique().to_list() == batch.visits["visit_id"].to_list()


def test_the_same_day_at_another_hour_or_station_is_another_visit() -> None:
    batch = clean_rows(
        [
            {"visited_on": "14/08/2025 07:30"},
            {"visited_on": "14/08/2025 15:30"},
            {"visited_on": "14/08/2025 07:30", "facility": "02002"},
        ]
    )
    assert batch.visits.height == 3


def test_across_batches_the_newest_version_of_a_visit_is_chosen() -> None:
    first = clean_rows([{"sbp": "150", "dbp": "90"}]).visits.with_columns(received=pl.lit(1))
    second = clean_rows([{"sbp": "135", "dbp": "85"}]).visits.with_columns(received=pl.lit(2))
    assert newest_visits(pl.concat([second, first]), "received")["sbp"].to_list() == [135]


def test_files_of_one_source_are_cleaned_together_and_balance_apart() -> None:
    both = concat_batches(
        [raw_batch([{}, {"visited_on": None}], file="a.csv"), raw_batch([{}], file="b.csv")]
    )
    batch = clean_batch(both, CATALOG.sources["viettel"], CATALOG, REFERENCE, KEY)
    assert batch.counts.select("rows_in", "kept", "rejected", "duplicates").rows() == [
        (2, 0, 1, 1),
        (1, 1, 0, 0),
    ]


def test_the_same_bytes_twice_count_once() -> None:
    assert concat_batches([raw_batch([{}]), raw_batch([{}])]).rows == 1


def test_a_batch_without_rows_gives_empty_tables() -> None:
    batch = clean_rows([])
    assert batch.visits.is_empty()
    assert batch.counts.is_empty()
