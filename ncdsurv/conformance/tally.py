"""Counts, per data element, the rows that have it, and those in which it cannot be used. Never a value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from ncdsurv.catalog.elements import DataElement, DataStandard
from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.clean import CleanBatch
from ncdsurv.clean.filled import is_filled
from ncdsurv.clean.rules import load_rules
from ncdsurv.ingest import RawBatch

_DIAGNOSIS = "diagnosis"
_ROW = ["file_sha256", "sheet", "row_number"]


@dataclass
class Tally:
    """Counts of one element over the rows that are records of the register.

    Attributes:
        has_column: A column (or the file's name, or the mapping itself) for it was there.
        filled: Rows in which something is written.
        malformed: Of these, rows in which a rule of cleaning does not let it be used.
        usable: Records kept that have it.
        broken: Malformed rows by rule.
        mended: Rows in which it was changed by rule and used.
    """

    has_column: bool = False
    filled: int = 0
    malformed: int = 0
    usable: int = 0
    mended: int = 0
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add the counts of other files."""
        self.has_column |= other.has_column
        self.filled += other.filled
        self.malformed += other.malformed
        self.usable += other.usable
        self.mended += other.mended
        self.broken += other.broken


@dataclass
class Counts:
    """What the files of one check hold."""

    rows: int = 0
    outside: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    diseases: set[str] = field(default_factory=set)
    elements: dict[str, Tally] = field(default_factory=dict)

    def add(self, other: Counts) -> None:
        """Add the counts of other files."""
        self.rows += other.rows
        self.outside += other.outside
        self.rejected += other.rejected
        self.kept += other.kept
        self.kinds += other.kinds
        self.diseases |= other.diseases
        for name, tally in other.elements.items():
            self.elements.setdefault(name, Tally()).add(tally)


def count(raw: RawBatch, clean: CleanBatch, mapping: SourceMapping, standard: DataStandard) -> Counts:
    """Count the elements of some files of a source.

    Args:
        raw: The rows as received.
        clean: What cleaning made of them.
        mapping: The source.
        standard: The elements and the rules that speak of rows of something else.
    """
    outside = clean.rejects.filter(pl.col("rule").is_in(list(standard.tolerance.outside_rules)))
    rows = raw.frame.join(outside.select(_ROW).unique(), on=_ROW, how="anti", nulls_equal=True)
    kinds = {name: rule.kind for name, rule in load_rules().items()}
    applied = pl.concat(
        [
            clean.rejects.select(*_ROW, "column", "rule", kind=pl.lit("reject")),
            clean.repairs.select(
                *_ROW, "column", "rule", kind=pl.col("rule").replace_strict(kinds, default="note")
            ),
        ]
    )
    rejected = clean.rejects.join(outside.select(_ROW).unique(), on=_ROW, how="anti", nulls_equal=True)
    return Counts(
        rows=raw.frame.height,
        outside=raw.frame.height - rows.height,
        rejected=Counter(dict(rejected.group_by("rule").len().iter_rows())),
        kept=int(clean.counts["kept"].sum()),
        kinds=Counter(dict(clean.visits.group_by("kind").len().iter_rows())),
        diseases=set(clean.diagnoses["disease"].drop_nulls()),
        elements={
            element.id: _of_element(element, rows, applied, clean, mapping, standard)
            for element in standard.elements.values()
        },
    )


def _of_element(
    element: DataElement,
    rows: pl.DataFrame,
    applied: pl.DataFrame,
    clean: CleanBatch,
    mapping: SourceMapping,
    standard: DataStandard,
) -> Tally:
    if fixed_by(element, mapping):
        return Tally(has_column=True, filled=rows.height, usable=rows.height)
    told = [is_filled(name) for name in element.filled_by if name in rows.columns]
    if sheets := sheets_telling(element, mapping):
        told.append(pl.col("sheet_kind").is_in(sheets))
    if not told:
        return Tally()
    written = rows.filter(pl.any_horizontal(told)).select(_ROW)
    said = applied.filter(pl.col("column").is_in(list(element.rule_columns))).join(
        written, on=_ROW, how="semi", nulls_equal=True
    )
    as_empty = said.filter(pl.col("rule").is_in(list(standard.tolerance.empty_rules)))
    broken = said.filter(
        pl.col("kind").is_in(["reject", "empty"]),
        ~pl.col("rule").is_in(list(standard.tolerance.empty_rules)),
    )
    malformed = _rows(broken)
    filled = written.height - _rows(as_empty)
    return Tally(
        has_column=True,
        filled=filled,
        malformed=malformed,
        usable=_usable(element, clean, filled - malformed),
        mended=_rows(said.filter(pl.col("kind") == "mend")),
        broken=Counter(dict(broken.select(*_ROW, "rule").unique().group_by("rule").len().iter_rows())),
    )


def fixed_by(element: DataElement, mapping: SourceMapping) -> bool:
    """Whether the mapping itself says it for every row: a default without a column."""
    return any(not mapping.fields[name].columns for name in element.filled_by if name in mapping.fields)


def sheets_telling(element: DataElement, mapping: SourceMapping) -> list[str]:
    """Kinds of sheet that say it for each of their rows: a sheet about one disease needs no diagnosis."""
    if _DIAGNOSIS not in element.filled_by:
        return []
    return [sheet.id for sheet in mapping.sheets.values() if sheet.disease]


def _rows(frame: pl.DataFrame) -> int:
    return frame.select(_ROW).n_unique() if frame.height else 0


def _usable(element: DataElement, clean: CleanBatch, otherwise: int) -> int:
    """Values of the registry's own column where a visit has one: a text may be written and say nothing."""
    if element.table != "visits":
        return otherwise
    return clean.visits.height - clean.visits[element.id].null_count()
