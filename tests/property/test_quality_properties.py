"""What must hold for any quality table: parts within wholes, stations summing to the nation."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.tables import DIAGNOSES, PATIENTS, REJECTS, VISITS, conform
from ncdsurv.quality import quality_table
from ncdsurv.reference import load_reference

CATALOG, REFERENCE = load_catalog(), load_reference()
COMMUNES = REFERENCE.codes_within("79", "2025")[:4]
STATIONS = [f"7900{n}" for n in range(4)]
DISEASES = [disease.id for disease in CATALOG.diseases.values() if disease.measurement]

visits = st.fixed_dictionaries(
    {
        "record_id": st.sampled_from([f"r{n}" for n in range(8)]),
        "facility": st.sampled_from(STATIONS),
        "visited_on": st.integers(0, 80).map(lambda days: date(2026, 4, 1) + timedelta(days)),
        "disease": st.sampled_from([*DISEASES, None]),
        "kind": st.sampled_from(["exam", "refill", "screening"]),
        "sbp": st.none() | st.integers(90, 200),
        "dbp": st.none() | st.integers(50, 120),
        "glucose_mmol_l": st.none() | st.integers(30, 200).map(lambda tenth: tenth / 10),
        "glucose_kind": st.sampled_from(["fasting", "random", "unknown", None]),
        "row_number": st.integers(1, 40),
    }
)
rejects = st.fixed_dictionaries(
    {"row_number": st.integers(41, 60), "rule": st.sampled_from(["no_date", "no_sex"])}
)


def build(rows: list[dict], bad: list[dict], shuffle: bool = False, n_parts: int = 1) -> pl.DataFrame:
    visit = pl.DataFrame(
        rows, schema_overrides={"sbp": pl.Int16, "dbp": pl.Int16, "glucose_mmol_l": pl.Float64}
    )
    visit = visit.with_columns(
        visit_id=pl.concat_str("record_id", "visited_on", "row_number", "facility"),
        sequence=pl.lit(0),
        file_sha256=pl.lit("file"),
    )
    visit = visit.unique("visit_id", keep="first", maintain_order=True)
    people = visit.select("record_id").unique().sort("record_id")
    number = pl.col("record_id").str.slice(1).cast(pl.Int64)
    patients = people.select(
        "record_id",
        source=pl.lit("one"),
        facility=(number % 4).replace_strict(dict(enumerate(STATIONS)), return_dtype=pl.String),
        commune_code=(number % 4).replace_strict(dict(enumerate(COMMUNES)), return_dtype=pl.String),
        commune_vintage=pl.lit("2025"),
    )
    diagnoses = people.select("record_id", disease=pl.lit(DISEASES[0]))
    flags = people.select("record_id", has_citizen_id=number % 2 == 0, has_insurance_number=number % 3 == 0)
    rejected = pl.DataFrame(bad, schema={"row_number": pl.Int64, "rule": pl.String}).with_columns(
        file_sha256=pl.lit("file"), source=pl.lit("one"), sheet=pl.lit("s")
    )
    if shuffle:
        visit, patients, flags = (
            f.sample(fraction=1.0, shuffle=True, seed=1) for f in (visit, patients, flags)
        )
    whole = conform(visit, VISITS)
    part = pl.col("record_id").str.slice(1).cast(pl.Int64) % n_parts
    return quality_table(
        whole if n_parts == 1 else [whole.filter(part == number) for number in range(n_parts)],
        conform(patients, PATIENTS),
        conform(diagnoses, DIAGNOSES),
        conform(rejected, REJECTS),
        flags,
        REFERENCE,
        CATALOG,
    )


@settings(deadline=None, max_examples=30)
@given(rows=st.lists(visits, min_size=1, max_size=40), bad=st.lists(rejects, max_size=8))
def test_parts_lie_within_wholes_and_stations_sum_to_province_and_nation(rows: list[dict], bad: list[dict]):
    found = build(rows, bad)
    assert found.filter(pl.col("numerator") > pl.col("denominator")).is_empty()
    assert found.filter(pl.col("value").is_null() != (pl.col("denominator") == 0)).is_empty()
    plain = found.filter(~pl.col("metric").str.contains("rejected_rows"))
    keys, sums = ["metric", "month", "source"], [pl.col("numerator").sum(), pl.col("denominator").sum()]
    stations = plain.drop_nulls("facility").group_by(keys).agg(sums).sort(keys)
    for level in ("province", "nation"):
        for vintage in ("2024", "2025"):
            above = plain.filter(
                pl.col("facility").is_null(),
                pl.col("area_level") == level,
                pl.col("area_vintage") == vintage,
                pl.col("source") != "all",
            )
            above = above.group_by(keys).agg(sums).sort(keys)
            assert above.equals(stations)


@settings(deadline=None, max_examples=15)
@given(rows=st.lists(visits, min_size=1, max_size=30), bad=st.lists(rejects, max_size=4))
def test_the_order_of_the_rows_does_not_matter(rows: list[dict], bad: list[dict]):
    assert build(rows, bad).equals(build(rows, bad, shuffle=True))


@settings(deadline=None, max_examples=15)
@given(
    rows=st.lists(visits, min_size=1, max_size=30),
    bad=st.lists(rejects, max_size=4),
    n_parts=st.integers(2, 5),
)
def test_records_taken_in_parts_give_the_same_table(rows: list[dict], bad: list[dict], n_parts: int):
    assert build(rows, bad).equals(build(rows, bad, n_parts=n_parts))
