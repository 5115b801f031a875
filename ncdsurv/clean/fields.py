"""The fields of raw rows, read in the order in which they depend on each other; what is not used is noted. Pure."""

from __future__ import annotations

from typing import Any

import polars as pl

from ncdsurv.catalog.source_fields import GRADES
from ncdsurv.catalog.sources import FieldMapping, SourceMapping
from ncdsurv.clean import book_rows
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
from ncdsurv.clean.columns import first_rule, raw
from ncdsurv.clean.dates import DAY, MONTH, add_dates
from ncdsurv.clean.diseases import add_diseases, add_ended, add_reported_history
from ncdsurv.clean.drugs import add_supply
from ncdsurv.clean.facilities import add_facility
from ncdsurv.clean.findings import add_findings
from ncdsurv.clean.identifiers import add_identifiers, check_against_person
from ncdsurv.clean.names import add_text
from ncdsurv.clean.places import add_commune
from ncdsurv.clean.pressure import add_pressure
from ncdsurv.clean.spellings import month_first

_OPTIONAL_DATES = ("detected_on", "next_visit_on")
_DIAGNOSIS_LIST = "icd10"  # id in the catalog's code lists
_CODED = ("kind", "detected_where", "glucose_kind", "patient_status", *GRADES)


def add_fields(rows: pl.DataFrame, mapping: SourceMapping, catalog: Any, reference: Any) -> pl.DataFrame:
    """Every field of the record beside its raw cell, with a rule column where it was mended or emptied.

    Args:
        rows: One `raw:` column for every field, with `row`, `file`, `sheet` and `sheet_kind`.
        mapping: The source.
        catalog: Diseases, code lists and plausible limits.
        reference: Communes of both vintages and facilities.
    """
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
