"""Rows that go on with the visit above: a second drug or diagnosis under a line without date and person."""

from __future__ import annotations

import polars as pl

_PERSON = ("visited_on", "name", "source_patient_id", "citizen_id", "insurance_number", "birth_date")
_LISTS = ("diagnosis", "diagnosis_secondary", "diagnosis_text", "drugs")
_OWN = ("sheet", "row_number", "sheet_kind", "damage")


def continue_visits(frame: pl.DataFrame) -> pl.DataFrame:
    """Give a visit and the rows that continue it the same content, so that they count as one visit.

    A continuation stands right under its visit and has neither a date nor a person. Lists (diagnoses, drugs)
    are joined line by line; of any other field the first that has something holds. All rows of the visit say
    the same afterwards: cleaning keeps one and calls the others duplicates, so every row stays accounted for.

    Args:
        frame: Rows of one sheet in order, with `row_number` and one text column per field.
    """
    fields = [name for name in frame.columns if name not in _OWN]
    person = [name for name in _PERSON if name in fields]
    if "visited_on" not in fields:
        return frame
    silent = pl.all_horizontal(pl.col(name).is_null() for name in person)
    below = pl.col("row_number") == pl.col("row_number").shift(1) + 1
    # a chain is broken by an empty row: what follows it (totals, signatures) continues nothing
    marked = frame.with_columns(((~silent) | ~below.fill_null(False)).cum_sum().alias("visit"))
    marked = marked.with_columns(
        pl.col("visit").rle_id().alias("visit"), silent.first().over("visit").alias("headless")
    )
    together = ["visit"]
    return marked.with_columns(
        pl.when("headless").then(pl.col(name)).otherwise(_of_visit(name).over(together)).alias(name)
        for name in fields
    ).select(frame.columns)


def _of_visit(name: str) -> pl.Expr:
    given = pl.col(name).drop_nulls()
    if name in _LISTS:
        return pl.when(given.len() > 0).then(given.unique(maintain_order=True).str.join("\n"))
    return given.first()
