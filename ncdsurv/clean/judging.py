"""Which rows cannot be counted, and by which rule: a visit date, a place, a birth or a person is missing. Pure."""

from __future__ import annotations

from typing import Any

import polars as pl

from ncdsurv.catalog.sources import REFUSED
from ncdsurv.clean import book_rows, ledger
from ncdsurv.clean.amounts import within
from ncdsurv.clean.columns import raw
from ncdsurv.clean.diseases import ENDED, FOUND
from ncdsurv.ingest.raw import DAMAGE, REJECTED


def judged(rows: pl.DataFrame, catalog: Any) -> pl.DataFrame:
    """Add `reject_rule` and `reject_column`, null where the row is kept.

    Args:
        rows: Rows with their fields and rule columns.
        catalog: Gives the plausible limits.
    """
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
