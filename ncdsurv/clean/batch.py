"""Raw rows to records: every row ends as kept, rejected or duplicate, and every repair is logged. Pure.

A field without which a row cannot be counted (visit date, facility, birth, identity, disease, commune) rejects
the row when it is unusable. A measurement or an optional date that is unusable is emptied and logged: the
contact stays, unmeasured.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

import polars as pl

from ncdsurv.catalog import tables
from ncdsurv.catalog.source_fields import GRADES
from ncdsurv.catalog.sources import FIELDS, HISTORY, REFUSED, FieldMapping, SourceMapping
from ncdsurv.clean import book_rows, ledger
from ncdsurv.clean.amounts import add_number, add_with_unit, within
from ncdsurv.clean.appointments import next_of_several
from ncdsurv.clean.code_lists import add_listed, version_at
from ncdsurv.clean.codes import (
    add_birth_from_age,
    add_coded,
    add_sex,
    add_sheet_kind,
    dates_in_age_columns,
)
from ncdsurv.clean.columns import RAW, RULE, first_rule, raw
from ncdsurv.clean.dates import DAY, MONTH, add_dates
from ncdsurv.clean.diseases import ENDED, FOUND, add_diseases, add_ended, add_reported_history
from ncdsurv.clean.drugs import add_supply
from ncdsurv.clean.facilities import add_facility
from ncdsurv.clean.filled import FREE_TEXT, is_filled
from ncdsurv.clean.findings import add_findings
from ncdsurv.clean.identifiers import add_identifiers, check_against_person
from ncdsurv.clean.names import add_text
from ncdsurv.clean.places import add_commune
from ncdsurv.clean.pressure import add_pressure
from ncdsurv.clean.records import add_keys, diagnoses_of, people_of, split_duplicates
from ncdsurv.clean.spellings import month_first
from ncdsurv.ingest.raw import DAMAGE, REJECTED, RawBatch

_OPTIONAL_DATES = ("detected_on", "next_visit_on")
_BY_LINE = (book_rows.said_once, book_rows.counts_by_line)
_DIAGNOSIS_LIST = "icd10"  # id in the catalog's code lists
_CODED = ("kind", "detected_where", "glucose_kind", "patient_status", *GRADES)


@dataclass(frozen=True, repr=False)
class CleanBatch:
    """Records of one batch, and what became of each row.

    Tables are exactly those of `ncdsurv.catalog.tables`. `counts` has one row per file and sheet:
    file_sha256, source, sheet, rows_in, kept, rejected, duplicates.
    """

    patients: pl.DataFrame
    diagnoses: pl.DataFrame
    visits: pl.DataFrame
    identifiers: pl.DataFrame
    rejects: pl.DataFrame
    duplicates: pl.DataFrame
    repairs: pl.DataFrame
    counts: pl.DataFrame
    reported_totals: pl.DataFrame = default(default_factory=lambda: tables.empty(tables.TOTALS))

    def __repr__(self) -> str:
        """Counts only: what is printed, logged or shown by a debugger must hold no patient."""
        sums = self.counts.select("rows_in", "kept", "rejected", "duplicates").sum().row(0, named=True)
        return f"CleanBatch({', '.join(f'{name}={count}' for name, count in sums.items())})"


def clean_batch(
    batch: RawBatch, mapping: SourceMapping, catalog: Any, reference: Any, key: bytes
) -> CleanBatch:
    """Clean the rows of one or many files of a source.

    Args:
        batch: From `ncdsurv.ingest.read_files`.
        mapping: The source's mapping, `catalog.sources[batch.source]`.
        catalog: Diseases and plausible limits.
        reference: Communes of both vintages and facilities.
        key: Secret key of the pseudonyms, at least 16 bytes.

    Returns:
        Records, rejects, duplicates, repairs; rows in = kept + rejected + duplicates per file and sheet.
    """
    rows = _prepared(batch).with_columns(
        first_rule("parts", book_rows.NOTED, (pl.col(DAMAGE).is_not_null(), "part_unreadable"))
    )
    rows = _add_fields(rows, mapping, catalog, reference)
    rows = _judged(rows, catalog)
    repairs = ledger.repairs_of(rows)
    rejects = rows.filter(pl.col("reject_rule").is_not_null()).with_columns(
        pl.col("reject_rule").alias("rule"), pl.col("reject_column").alias("column")
    )
    good = add_keys(_without_traces(rows).filter(pl.col("reject_rule").is_null()), key)
    kept, duplicates = split_duplicates(good)
    patients, identifiers = people_of(kept)
    once, count = (pl.DataFrame.rechunk, _counts) if mapping.book is None else _BY_LINE
    return CleanBatch(
        patients=patients,
        diagnoses=diagnoses_of(kept),
        visits=tables.conform(kept, tables.VISITS),
        identifiers=identifiers,
        rejects=once(tables.conform(rejects, tables.REJECTS)),
        duplicates=once(tables.conform(duplicates, tables.DUPLICATES)),
        repairs=once(tables.conform(repairs, tables.REPAIRS)),
        counts=count(rows, kept, duplicates),
        reported_totals=batch.totals,
    )


def _prepared(batch: RawBatch) -> pl.DataFrame:
    """Rows in order of arrival, one `raw:` column for every field there is."""
    numbers = {file.sha256: number for number, file in enumerate(batch.files)}
    runs = batch.frame.select("file_sha256", pl.col("file_sha256").rle_id().alias("run"))  # file after file
    sha256s = runs.unique("run", keep="first", maintain_order=True)["file_sha256"]
    file = pl.Series([numbers.get(sha256) for sha256 in sha256s], dtype=pl.Int32)
    have = batch.frame.columns
    return batch.frame.select(
        "file_sha256",
        file.gather(runs["run"]).alias("file"),
        "sheet",
        "row_number",
        "sheet_kind",
        DAMAGE,
        pl.lit(batch.source).alias("source"),
        *(
            (_something(field) if field in have else pl.lit(None, dtype=pl.String)).alias(RAW + field)
            for field in FIELDS
        ),
        *(pl.col(name) for name in have if name.startswith(HISTORY)),
    ).with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(ledger.ROW))


def _something(field: str) -> pl.Expr:
    return pl.col(field) if field in FREE_TEXT else pl.when(is_filled(field)).then(field)


def _add_fields(rows: pl.DataFrame, mapping: SourceMapping, catalog: Any, reference: Any) -> pl.DataFrame:
    limits = catalog.plausibility
    ends = ("ended_on",) if "ended_on" in mapping.fields else ()
    rows = dates_in_age_columns(next_of_several(rows))
    rows = add_dates(month_first(rows, mapping), ("visited_on", "birth_date", *_OPTIONAL_DATES, *ends))
    ended = pl.max_horizontal("visited_on", *ends)  # an end before the beginning is no end
    rows = rows.with_columns(version_at(catalog.code_lists[_DIAGNOSIS_LIST], ended).alias("icd10_list"))
    for field in _CODED:
        listed = field in mapping.fields and mapping.fields[field].code_list
        rows = (
            add_listed(rows, field, mapping, catalog.code_lists)
            if listed
            else add_coded(rows, field, mapping)
        )
    rows = add_sex(add_sheet_kind(rows, mapping), mapping)
    rows = add_birth_from_age(rows)
    rows = add_text(add_text(rows, "name", "name_key"), "address").with_columns(
        raw("source_patient_id").str.strip_chars().alias("source_patient_id"),
        raw("visit_code").str.strip_chars().alias("visit_code"),
    )
    rows = check_against_person(add_identifiers(rows))
    rows = add_commune(add_facility(rows, reference), mapping, reference)
    rows = add_reported_history(add_ended(add_diseases(rows, mapping, catalog), catalog), mapping)
    rows = add_findings(rows, mapping, catalog)
    rows = add_pressure(rows, limits["sbp"], limits["dbp"])
    for raw_field, field in (("glucose", "glucose_mmol_l"), ("hba1c", "hba1c_percent")):
        unit = mapping.fields.get(raw_field, FieldMapping(default="")).unit
        rows = add_with_unit(rows, raw_field, field, unit, limits[field])
    for field in ("weight_kg", "height_cm"):
        rows = add_number(rows, field, limits[field])
    rows = add_supply(
        rows if mapping.book is None else book_rows.month_marks_as_days(rows), limits["supply_days"]
    )
    return _dates_in_order(rows, mapping.book is not None, limits).with_columns(
        pl.col("visited_on_minutes").fill_null(0).alias("sequence"),
        pl.col("sheet_disease").alias("disease"),
        pl.col(GRADES).cast(pl.Int8, strict=False),
        pl.when(pl.col("glucose_mmol_l").is_not_null()).then("glucose_kind").alias("glucose_kind"),
        pl.col("birth_date_precision").alias("birth_precision"),
    )


def _dates_in_order(rows: pl.DataFrame, by_month: bool, limits: Any) -> pl.DataFrame:
    visit = pl.col("visited_on")
    month_known = (pl.col("visited_on_precision") == MONTH) & pl.lit(by_month)  # books know no day
    vague = (pl.col("visited_on_precision") != DAY) & ~month_known
    detected, appointment = pl.col("detected_on"), pl.col("next_visit_on")
    late = (detected > pl.when(month_known).then(visit.dt.month_end()).otherwise(visit)).fill_null(False)
    early = (detected.dt.year() < pl.col("birth_date").dt.year()).fill_null(False)
    vague_appointment = (pl.col("next_visit_on_precision") != DAY).fill_null(False)
    passed = (appointment <= visit).fill_null(False)
    ahead = (appointment - visit).dt.total_days()
    far = ahead.is_not_null() & ~within(limits["next_visit_days"].limits, ahead) & ~passed
    return rows.with_columns(
        first_rule(
            "visited_on", (vague, "date_incomplete"), (month_known, "first_day_taken"), step="precision"
        ),
        pl.when(~vague).then(visit).alias("visited_on"),
        first_rule(
            "detected_on",
            (late, "after_visit"),
            (early, "before_birth"),
            (pl.col("detected_on_precision") != DAY, "first_day_taken"),
            step="order",
        ),
        pl.when(~late & ~early).then(detected).alias("detected_on"),
        first_rule(
            "next_visit_on",
            (vague_appointment, "date_incomplete"),
            (passed, "not_after_visit"),
            (far, "too_far_ahead"),
            step="order",
        ),
        pl.when(~vague_appointment & ~passed & ~far).then(appointment).alias("next_visit_on"),
    )


def _judged(rows: pl.DataFrame, catalog: Any) -> pl.DataFrame:
    limits = catalog.plausibility
    visit, birth = pl.col("visited_on"), pl.col("birth_date")
    age = visit.dt.year() - birth.dt.year()
    anonymous = pl.all_horizontal(
        pl.col(name).is_null() for name in ("source_patient_id", "citizen_id", "insurance_number", "name_key")
    )
    no_record = (
        raw("visited_on").is_null()
        & raw("birth_date").is_null()
        & pl.col("citizen_id").is_null()
        & pl.col("insurance_number").is_null()
    )
    screening = pl.col("kind") == "screening"
    told = (
        pl.col(FOUND).list.len() + pl.col(ENDED).list.len()
    )  # a diagnosis taken back concerns the registry too
    no_disease = pl.col("sheet_disease").is_null() & (told == 0) & ~screening
    required = {
        "visited_on": ("visited_on", "visited_on_missing"),
        "facility": ("facility", "facility_missing"),
        "birth_date": ("birth_date", "birth_date_missing"),
        "commune_code": ("commune", "commune_missing"),
    }
    return ledger.reject_rules(
        rows,
        required,
        (pl.col(DAMAGE) == "XML1", "row_unreadable", "XML1"),
        (pl.col(DAMAGE).str.starts_with(REJECTED), pl.col(DAMAGE).str.strip_prefix(REJECTED), "row"),
        *book_rows.REJECTED,
        (no_record, "not_a_record", "visited_on"),
        (
            visit.is_not_null() & ~within(limits["visit_year"].limits, visit.dt.year()),
            "visit_year_out_of_range",
            "visited_on",
        ),
        (pl.col("kind") == REFUSED, "not_a_register_contact", "kind"),
        (birth > visit, "birth_after_visit", "birth_date"),
        (age.is_not_null() & ~within(limits["age_years"].limits, age), "age_out_of_range", "birth_date"),
        (anonymous, "identity_missing", "name"),
        (no_disease, "diagnosis_outside_registry", "diagnosis"),
    )


def _without_traces(rows: pl.DataFrame) -> pl.DataFrame:
    """What was read of each row, without the raw cells and the rules: half the columns to carry on."""
    return rows.select(name for name in rows.columns if not name.startswith((RAW, RULE)))


def _counts(rows: pl.DataFrame, kept: pl.DataFrame, duplicates: pl.DataFrame) -> pl.DataFrame:
    by = ["file", "sheet"]  # numbers group faster than hashes
    total = rows.group_by(by, maintain_order=True).agg(
        pl.col("file_sha256", "source").first(),
        pl.len().cast(pl.Int64).alias("rows_in"),
        pl.col("reject_rule").is_not_null().sum().cast(pl.Int64).alias("rejected"),
    )
    for name, frame in (("kept", kept), ("duplicates", duplicates)):
        counted = frame.group_by(by).agg(pl.len().cast(pl.Int64).alias(name))
        total = total.join(counted, on=by, how="left", maintain_order="left").with_columns(
            pl.col(name).fill_null(0)
        )
    return total.select("file_sha256", "source", "sheet", "rows_in", "kept", "rejected", "duplicates")
