"""The rows of one ingest on their way into the lake, in bounded chunks, balanced to the row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ncdsurv.catalog.tables import VISITS
from ncdsurv.errors import IdentityError, InputError
from ncdsurv.registry.report import FileReport
from ncdsurv.store.tables import INGEST_LOG

if TYPE_CHECKING:
    from ncdsurv.clean import CleanBatch
    from ncdsurv.store.lake import Transaction

RECORDS = ("patients", "diagnoses", "visits", "identifiers")
TRACES = ("rejects", "duplicates", "repairs", "reported_totals")
CHUNK_ROWS = 300_000
"""Rows held before they are written: bounds memory, whatever the number of files."""
_SHOWN = 5
ROW = ["file_sha256", "row_number"]
_BALANCE = ["rows_in", "kept", "rejected", "duplicates"]
_CONTENT = [name for name in VISITS if name not in ROW]


@dataclass(frozen=True)
class Received:
    """A kept file that the registry does not know yet.

    Attributes:
        number: Running number over all files ever received; the larger is the later word.
    """

    number: int
    path: Path
    sha256: str


class Batch:
    """Collects clean rows, writes them chunk by chunk, and counts what became of every row."""

    def __init__(self, tx: Transaction, source: str, mapping: str | None = None) -> None:
        self.tx, self.source, self.mapping = tx, source, mapping
        self.reports: list[FileReport] = []
        self.rejected_by_rule: Counter[str] = Counter()
        self.repaired_by_rule: Counter[str] = Counter()
        self._log: list[dict[str, Any]] = []
        self._held: dict[str, list[pl.DataFrame]] = {name: [] for name in (*RECORDS, *TRACES)}
        self._open: list[tuple[Received, FileReport]] = []
        self._begun: FileReport | None = None  # of a file whose other rows are still to come
        self._rows, self._unfinished = 0, False

    def add(
        self,
        files: list[Received],
        clean: CleanBatch,
        skipped: Mapping[str, tuple[tuple[str, str], ...]],
        *,
        more: bool = False,
    ) -> None:
        """Take the clean rows of some files, and what sheets of theirs were left out.

        Args:
            files: The files.
            clean: Their rows.
            skipped: SHA-256 -> sheets left out.
            more: It is one file, and more of its rows follow.
        """
        changed = set(clean.counts["file_sha256"]) - {file.sha256 for file in files}
        if changed:
            raise InputError(
                "a file was changed while it was read",
                got=", ".join(file.path.name for file in files[:_SHOWN]),
                do="send it again when it is finished; nothing was taken in",
            )
        numbers = pl.DataFrame(
            {"file_sha256": [file.sha256 for file in files], "received": [file.number for file in files]},
            schema={"file_sha256": pl.String, "received": pl.Int64},
        )
        for name in (*RECORDS, *TRACES):
            frame = getattr(clean, name)
            if name in RECORDS and len(files) > 1 and "file_sha256" in frame.columns:
                frame = frame.join(numbers, on="file_sha256", how="left", maintain_order="left")
            elif name in RECORDS:
                frame = frame.with_columns(pl.lit(files[-1].number, pl.Int64).alias("received"))
            self._held[name].append(frame)
            self._rows += frame.height
        repaired = dict(clean.repairs.group_by("file_sha256").len().iter_rows())
        told = clean.reported_totals.with_columns(unlike=pl.col("reported") != pl.col("counted"))
        totals = {
            sha256: (count, unlike)
            for sha256, count, unlike in told.group_by("file_sha256")
            .agg(pl.len(), pl.col("unlike").sum())
            .rows()
        }
        by_file = clean.counts.group_by("file_sha256").agg(pl.col(_BALANCE).sum())
        counts = {row["file_sha256"]: row for row in by_file.iter_rows(named=True)}
        for file in files:
            count = counts.get(file.sha256, dict.fromkeys(_BALANCE, 0))  # a file may hold no row at all
            report = FileReport(
                name=file.path.name,
                sha256=file.sha256,
                repaired=repaired.get(file.sha256, 0),
                skipped_sheets=skipped.get(file.sha256, ()),
                totals=totals.get(file.sha256, (0, 0))[0],
                totals_unlike=totals.get(file.sha256, (0, 0))[1],
                **{name: count[name] for name in _BALANCE},
            )
            if self._unfinished and self._open:  # another part of the file before
                report = _sum(self._open.pop()[1], report)
            self._open.append((file, report))
        self._unfinished = more
        if self._rows >= CHUNK_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is held and forget it."""
        if not self._open:
            return
        frames = {name: pl.concat(held) for name, held in self._held.items()}
        frames["visits"], repeated = split_repeated(frames["visits"], self.tx)
        frames["duplicates"] = pl.concat([frames["duplicates"], _as_duplicates(repeated, self.source)])
        for name, frame in frames.items():
            self.tx.append(name, frame)
        kept = {file.sha256: report.kept for file, report in self._open}
        again = rows_repeated(frames["visits"], repeated, kept)
        for file, report in self._open:
            n = again.get(file.sha256, 0)
            report = replace(report, kept=report.kept - n, duplicates=report.duplicates + n)
            if self._begun is not None:
                report, self._begun = _sum(self._begun, report), None
            if self._unfinished and file is self._open[-1][0]:
                self._begun = report
            else:
                self._close(file, report)
        self.rejected_by_rule.update(dict(frames["rejects"].group_by("rule").len().iter_rows()))
        self.repaired_by_rule.update(dict(frames["repairs"].group_by("rule").len().iter_rows()))
        self._held = {name: [] for name in self._held}
        self._open, self._rows = [], 0

    def _close(self, file: Received, report: FileReport) -> None:
        if not report.balances:
            raise IdentityError(
                "rows of a file are not all accounted for",
                got=f"{report.name}: {report.rows_in} in, {report.kept} kept, {report.rejected} rejected, "
                f"{report.duplicates} duplicates",
                do="report this; nothing was taken in",
            )
        self.reports.append(report)
        row: dict[str, Any] = {name: getattr(report, name, None) for name in INGEST_LOG}
        row |= {
            "received": file.number,
            "file_sha256": file.sha256,
            "source": self.source,
            "mapping": self.mapping,
        }
        self._log.append(row | {"received_at": datetime.now(UTC)})

    def finish(self) -> None:
        """Write the rest, then one row per file into the ingest log."""
        self.flush()
        self.tx.append("ingest_log", pl.DataFrame(self._log, schema=dict(INGEST_LOG)))


def _sum(first: FileReport, then: FileReport) -> FileReport:
    """The report of a file from those of two of its parts."""
    counted = (*_BALANCE, "repaired", "totals", "totals_unlike")
    return replace(first, **{name: getattr(first, name) + getattr(then, name) for name in counted})


def split_repeated(visits: pl.DataFrame, tx: Transaction) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Visits that say something new, and visits that only repeat what an earlier file said of the same visit.

    A visit that is known with another content is new: the correction is kept and the last word counts.

    Args:
        visits: Columns of the lake's table `visits`; one row per row received.
        tx: Where the visits known so far are looked up (only those of the same days).
    """
    if visits.is_empty():
        return visits, visits
    known = _known(visits, tx)
    again = visits["visit_id"].is_duplicated() | visits["visit_id"].is_in(
        known["visit_id"].unique().implode()
    )
    once, visits = visits.filter(~again), visits.filter(again)  # nearly all are here for the first time
    both = pl.concat(
        [known.with_columns(pl.lit(False).alias("here")), visits.with_columns(pl.lit(True).alias("here"))]
    ).sort("visit_id", "received", "row_number")
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in _CONTENT)
    here = both.with_columns(same.alias("repeated")).filter("here").sort("received", "row_number", "visit_id")
    fresh = here.filter(~pl.col("repeated")).select(visits.columns)
    return pl.concat([once, fresh]), here.filter("repeated").select(visits.columns)


def _known(visits: pl.DataFrame, tx: Transaction) -> pl.DataFrame:
    """The rows of the same visits that the lake holds; most often there are none, so ids are looked at first."""
    first, last = visits["visited_on"].min(), visits["visited_on"].max()
    places = visits["facility"].unique()  # an id belongs to one facility: those of others need not be read
    same_days = tx.scan("visits").filter(
        pl.col("facility").is_between(pl.lit(places.min()), pl.lit(places.max())),
        pl.col("visited_on").is_between(pl.lit(first), pl.lit(last)),
    )
    ids = (
        same_days.select("visit_id")
        .join(visits.lazy().select("visit_id"), on="visit_id", how="semi")
        .collect()
    )
    if ids.is_empty():
        return visits.clear()
    return same_days.join(ids.lazy(), on="visit_id", how="semi").select(visits.columns).collect()


def rows_repeated(fresh: pl.DataFrame, repeated: pl.DataFrame, kept: Mapping[str, int]) -> dict[str, int]:
    """Rows of each file that only repeat what is known.

    Where a row holds several visits (a line of a book), it repeats only if all of them do.

    Args:
        fresh: Visits that say something new.
        repeated: Visits that do not.
        kept: Rows of each file that became records.
    """
    touched = repeated["file_sha256"].unique()
    if touched.is_empty():
        return {}
    fresh = fresh.filter(pl.col("file_sha256").is_in(touched.implode()))
    visits = pl.concat([fresh.select("file_sha256"), repeated.select("file_sha256")])
    received = dict(visits.group_by("file_sha256").len().iter_rows())
    several = [sha256 for sha256, count in received.items() if count > kept.get(sha256, count)]
    counts = dict(repeated.group_by("file_sha256").len().iter_rows())
    line = [*ROW, "record_id", "disease"]
    whole = (
        repeated.filter(pl.col("file_sha256").is_in(several))
        .select(line)
        .unique()
        .join(fresh.select(line), on=line, how="anti", nulls_equal=True)
    )
    lines = dict(whole.group_by("file_sha256").len().iter_rows())
    return counts | {sha256: lines.get(sha256, 0) for sha256 in several}


def _as_duplicates(repeated: pl.DataFrame, source: str) -> pl.DataFrame:
    return repeated.select(
        "file_sha256",
        pl.lit(source).alias("source"),
        pl.lit(None, pl.String).alias("sheet"),
        "row_number",
        pl.col("visit_id").alias("duplicate_of"),
    )
