"""Raw rows: as received, as text, under the names of the record's fields, with their place in the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from ncdsurv.catalog.tables import TOTALS, empty
from ncdsurv.errors import UsageError

PLACE = ("file_sha256", "sheet", "row_number")
DAMAGE = "damage"  # the part of a row that could not be read at all
REJECTED = "rejected: "  # damage that begins so names the rule by which the reader rejects the row


@dataclass(frozen=True)
class RawFile:
    """One file received: its name, hash, and the sheets that hold no known table (with the reason)."""

    name: str
    sha256: str
    rows: int
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, repr=False)
class RawBatch:
    """Rows of one source, of one or many files.

    `frame` columns: file_sha256, sheet, row_number (Int64; as a spreadsheet counts, or the visit's
    place in an XML file), sheet_kind, damage, and one text column per mapped field, verbatim. In a book
    the months of a person's line are rows of their own with the line's number.
    `totals`: what a book itself counts (columns of `TOTALS`); never part of the rows.
    """

    source: str
    frame: pl.DataFrame
    files: tuple[RawFile, ...]
    totals: pl.DataFrame = field(default_factory=lambda: empty(TOTALS))

    def __repr__(self) -> str:
        """Counts only, never a cell."""
        return f"RawBatch(source={self.source}, files={len(self.files)}, rows={self.rows})"

    @property
    def rows(self) -> int:
        """Number of rows received."""
        return self.frame.height


def concat_batches(batches: Iterable[RawBatch]) -> RawBatch:
    """One batch of several files of the same source; a file that comes twice (same bytes) counts once.

    Raises:
        UsageError: No batch, or batches of different sources.
    """
    parts = list(batches)
    sources = sorted({part.source for part in parts})
    if len(sources) != 1:
        raise UsageError("batches cannot be joined", got=sources, allowed="files of one source")
    seen: set[str] = set()
    frames, files = [], []
    totals = pl.concat(part.totals for part in parts).unique(maintain_order=True)
    for part in parts:
        fresh = [file for file in part.files if file.sha256 not in seen]
        seen.update(file.sha256 for file in fresh)
        files += fresh
        if len(fresh) == len(part.files):
            frames.append(part.frame)
        elif fresh:
            frames.append(part.frame.filter(pl.col("file_sha256").is_in([file.sha256 for file in fresh])))
    return RawBatch(sources[0], pl.concat(frames, how="diagonal"), tuple(files), totals)
