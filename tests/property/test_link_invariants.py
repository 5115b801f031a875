"""What holds for any records, however tangled their numbers."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ncdsurv.catalog.tables import IDENTIFIERS, PATIENTS, conform
from ncdsurv.link import link_records

KEY = b"k" * 32
# Small pools, so that numbers are shared, lent and mistyped all over.
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "record_id": st.sampled_from([f"r{i}" for i in range(12)]),
            "name_key": st.sampled_from(["an", "be", None]),
            "sex": st.sampled_from(["male", "female", "unknown"]),
            "birth_date": st.sampled_from([date(1950, 2, 2), date(1951, 2, 2), date(1970, 5, 5), None]),
            "birth_precision": st.sampled_from(["day", "year"]),
            "citizen_id": st.sampled_from(["079050000001", "079050000002", "079050000003", None, None]),
            "insurance_number": st.sampled_from(["7900000001", "7900000002", None]),
            "commune_code": st.sampled_from(["1", "2", None]),
            "commune_vintage": st.just("2024"),
        }
    ),
    min_size=1,
    max_size=25,
)


def linked(rows: list[dict[str, object]]) -> pl.DataFrame:
    schema = dict(IDENTIFIERS)
    frame = conform(pl.DataFrame(rows, schema={name: schema[name] for name in rows[0]}), IDENTIFIERS)
    return link_records(frame, conform(frame, PATIENTS), KEY)


@given(ROWS)
def test_each_record_has_exactly_one_person(rows):
    crosswalk = linked(rows)
    assert crosswalk["record_id"].to_list() == sorted({str(row["record_id"]) for row in rows})
    assert crosswalk.null_count().sum_horizontal().item() == 0


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert linked(rows).equals(linked(shuffled))


@given(ROWS)
def test_no_person_has_two_citizen_numbers(rows):
    numbers: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: str(row["citizen_id"] or "")):
        if row["citizen_id"]:
            numbers[str(row["record_id"])] = str(row["citizen_id"])  # the largest counts, as documented
    for group in linked(rows).group_by("person_id").agg("record_id")["record_id"].to_list():
        assert len({numbers[record] for record in group if record in numbers}) <= 1


@given(ROWS)
def test_a_single_record_is_alone_and_a_joined_one_is_not(rows):
    sizes = linked(rows).with_columns(pl.len().over("person_id").alias("n"))
    assert (sizes.filter(pl.col("rule") == "single")["n"] == 1).all()
    assert (sizes.filter(pl.col("rule") != "single")["n"] > 1).all()
