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
from ncdsurv.catalog.sources import FIELDS, HISTORY, SourceMapping
from ncdsurv.clean import book_rows, ledger
from ncdsurv.clean.columns import RAW, RULE, first_rule
from ncdsurv.clean.fields import add_fields
from ncdsurv.clean.filled import FREE_TEXT, is_filled
from ncdsurv.clean.judging import judged
from ncdsurv.clean.records import add_keys, diagnoses_of, people_of, split_duplicates
from ncdsurv.ingest.raw import DAMAGE, RawBatch

_BY_LINE = (book_rows.said_once, book_rows.counts_by_line)


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
    rows = add_fields(rows, mapping, catalog, reference)
    rows = judged(rows, catalog)
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
