"""Cleaned rows to the tables of the registry: keys, duplicates, patients, diagnoses, identifiers."""

from __future__ import annotations

import polars as pl

from ncdsurv.catalog import tables
from ncdsurv.catalog.vocabulary import VisitKind
from ncdsurv.clean.columns import bring_back
from ncdsurv.clean.diseases import ENDED, FOUND
from ncdsurv.clean.ledger import ROW
from ncdsurv.clean.pseudonym import keyed_ids

_NUMBER = "record_number"  # place of a record among those of the batch: sorts like its id, and faster
VISIT_KEY = ("record_id", "facility", "visited_on", "disease", "sequence")


def add_keys(rows: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Add `record_id` (a patient of the source) and `visit_id` (a contact of that patient), both keyed.

    A patient is known by the source's own number at the facility, else by citizen id, insurance number,
    or name with birth date, sex and facility: the first that is there.
    """
    strong = (
        pl.when(pl.col("source_patient_id").is_not_null())
        .then(pl.concat_str(pl.lit("patient"), "facility", "source_patient_id", separator="|"))
        .when(pl.col("citizen_id").is_not_null())
        .then(pl.concat_str(pl.lit("citizen"), "citizen_id", separator="|"))
        .when(pl.col("insurance_number").is_not_null())
        .then(pl.concat_str(pl.lit("insurance"), "insurance_number", separator="|"))
        .otherwise(
            pl.concat_str(
                pl.lit("name"),
                "name_key",
                pl.col("birth_date").cast(pl.String),
                "sex",
                "facility",
                separator="|",
            )
        )
    )
    rows = rows.with_columns(strong.alias("identity"))
    people = rows.select("source", "identity").unique()
    people = people.with_columns(keyed_ids(key, "record", people, ["source", "identity"]).alias("record_id"))
    people = people.with_columns(pl.col("record_id").rank("dense").alias(_NUMBER))
    on = ["identity"] if people["identity"].is_unique().all() else ["source", "identity"]
    rows = bring_back(rows, people.select(*on, "record_id", _NUMBER), on).drop("identity")
    return rows.with_columns(keyed_ids(key, "visit", _visit_parts(rows), VISIT_KEY).alias("visit_id"))


def _visit_parts(rows: pl.DataFrame) -> pl.DataFrame:
    """What tells one contact from another: the source's own number of the visit at its facility, where it has one.

    The number outlives a corrected date, and gateways that forward the same visit keep it. Birth year and sex
    stand beside it, so that a system that gives one number to two people does not make one of them.
    """
    if "visit_code" not in rows.columns:
        return rows.select(VISIT_KEY)
    person = pl.concat_str(
        pl.col("birth_date").dt.year().cast(pl.String), "sex", separator="|", ignore_nulls=True
    )
    numbered = {"record_id": pl.col("source"), "visited_on": pl.col("visit_code"), "sequence": person}
    coded = pl.col("visit_code").is_not_null()
    return rows.select(
        pl.when(coded).then(numbered[name]).otherwise(pl.col(name).cast(pl.String)).alias(name)
        if name in numbered
        else name
        for name in VISIT_KEY
    )


def split_duplicates(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of the rows with the same visit, the last received is kept (a correction wins); the others are duplicates.

    Args:
        rows: Rows with `visit_id`, in order of arrival.

    Returns:
        Kept rows and duplicate rows (with `duplicate_of`), both in order of arrival.
    """
    last = rows["visit_id"].is_last_distinct()
    duplicates = rows.filter(~last).with_columns(pl.col("visit_id").alias("duplicate_of"))
    return rows.filter(last), duplicates


def newest_visits(visits: pl.DataFrame, order: str | list[str]) -> pl.DataFrame:
    """Across batches: the newest version of every visit.

    Args:
        visits: Rows of the visits table with columns telling their age.
        order: Column(s) that grow with time of receipt; ties go to the higher row number.
    """
    by = [order] if isinstance(order, str) else list(order)
    return visits.sort([*by, "row_number"], maintain_order=True).unique(
        "visit_id", keep="last", maintain_order=True
    )


def people_of(kept: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Patients and identifiers of the kept rows, from one walk over them.

    Returns:
        Patients: one row per record and change of residence or facility; sex and birth are the best known of the
        batch. Identifiers, for the vault only: one row per record, the last known of each.
    """
    order = [_NUMBER, "visited_on", "sequence", ROW]
    columns = {*tables.PATIENTS, *tables.IDENTIFIERS} & set(kept.columns)
    ordered = kept.select(*order, *sorted(columns - {*order})).sort(
        order
    )  # records by their id, visits by day
    best = _best_person(ordered)
    return _patients(ordered, best), _identifiers(ordered, best)


def _patients(ordered: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    place = ["commune_code", "commune_vintage", "facility"]
    changed = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in (_NUMBER, *place))
    runs = ordered.filter(changed.fill_null(True)).with_columns(pl.col("visited_on").alias("valid_on"))
    runs = runs.drop("sex", "birth_date", "birth_precision").join(
        best, on=_NUMBER, how="left", maintain_order="left"
    )
    return tables.conform(runs, tables.PATIENTS)


def _best_person(ordered: pl.DataFrame) -> pl.DataFrame:
    """Per record: the last birth date among the most precise, and the last known sex."""
    exactness = pl.col("birth_precision").replace_strict(
        {"day": 2, "month": 1, "year": 0}, default=0, return_dtype=pl.Int8
    )
    birth = (
        ordered.select(
            _NUMBER, exactness.alias("exactness"), "visited_on", ROW, "birth_date", "birth_precision"
        )
        .sort(_NUMBER, "exactness", "visited_on", ROW)
        .unique(_NUMBER, keep="last", maintain_order=True)
        .select(_NUMBER, "birth_date", "birth_precision")
    )
    known = ordered.select(_NUMBER, "sex").filter(pl.col("sex") != "unknown")
    sex = known.unique(_NUMBER, keep="last", maintain_order=True)
    return birth.join(sex, on=_NUMBER, how="left", maintain_order="left").with_columns(
        pl.col("sex").fill_null("unknown")
    )


def diagnoses_of(kept: pl.DataFrame) -> pl.DataFrame:
    """One row per record, disease and statement (date and place of detection, facility), at its first mention.

    A screening is no diagnosis: it gives none. A diagnosis that no longer stands gives a row of the day from which
    it did not: it tells of no detection, and takes back what was stated up to that day.
    """
    said = ["record_id", "disease", "detected_on", "detected_where", "facility", "withdrawn_on"]
    columns = [*said, "icd10", "icd10_list", "visited_on", "file_sha256", "row_number", _NUMBER, ROW]
    have = [name for name in columns if name in kept.columns]
    rows = kept.select(*dict.fromkeys((*have, FOUND, "sheet_disease", "kind")))
    rows = rows.filter(pl.col("kind") != VisitKind.SCREENING.value)
    by_code = (
        rows.filter(pl.col(FOUND).list.len() > 0)
        .explode(FOUND)
        .with_columns(
            pl.col(FOUND).struct.field("disease").alias("disease"),
            pl.col(FOUND).struct.field("icd10").alias("icd10"),
        )
    )
    by_sheet = rows.filter(pl.col("sheet_disease").is_not_null()).with_columns(
        pl.col("sheet_disease").alias("disease"),
        pl.lit(None, dtype=pl.String).alias("icd10"),
        icd10_list=pl.lit(None, dtype=pl.String),
    )
    stated = [part.with_columns(withdrawn_on=pl.lit(None, pl.Date)) for part in (by_code, by_sheet)]
    parts = pl.concat([part.select(columns) for part in (*stated, _withdrawn(kept))])
    first = (
        parts.sort("visited_on", ROW, pl.col("icd10").is_null(), maintain_order=True)
        .group_by([_NUMBER, *said[1:]], maintain_order=True)  # a number groups faster than an id
        .agg(
            pl.exclude("visited_on").first(),
            pl.col("visited_on").first().alias("recorded_on"),
            pl.col("visited_on").last().alias("last_stated_on"),
        )
        .sort(_NUMBER, "disease", "recorded_on", ROW)
    )
    return tables.conform(first, tables.DIAGNOSES)


def _withdrawn(kept: pl.DataFrame) -> pl.DataFrame:
    """Diagnoses taken back, as of the day from which they did not stand."""
    rows = kept.filter(pl.col(ENDED).list.len() > 0).explode(ENDED)
    return rows.with_columns(
        *(pl.col(ENDED).struct.field(name).alias(name) for name in ("disease", "icd10", "withdrawn_on")),
        detected_on=pl.lit(None, pl.Date),
        detected_where=pl.lit(None, pl.String),
    ).with_columns(visited_on=pl.col("withdrawn_on"))


def _identifiers(ordered: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    last = ("name", "name_key", "citizen_id", "insurance_number", "phone", "address")
    commune = ("commune_code", "commune_vintage")
    people = ordered.group_by(_NUMBER, maintain_order=True).agg(
        pl.col("record_id").last(),
        *(pl.col(name).drop_nulls().last() for name in last),
        *(pl.col(name).last() for name in commune),
    )
    return tables.conform(
        people.join(best, on=_NUMBER, how="left", maintain_order="left"),
        tables.IDENTIFIERS,
    )
