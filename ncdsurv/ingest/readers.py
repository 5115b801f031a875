"""One door for every format: guard, read, and name the rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from ncdsurv.catalog.sources import FIELDS, SourceMapping
from ncdsurv.catalog.tables import TOTALS, empty
from ncdsurv.errors import InputError
from ncdsurv.ingest.book import read_book
from ncdsurv.ingest.bundles import bundled
from ncdsurv.ingest.fhir import read_fhir
from ncdsurv.ingest.guard import LIMITS, Limits, check_file
from ncdsurv.ingest.his_xml import read_his_xml
from ncdsurv.ingest.json_records import read_json
from ncdsurv.ingest.raw import PLACE, RawBatch, RawFile, concat_batches
from ncdsurv.ingest.tables import read_table

PART_ROWS = 100_000
"""Rows of one file that are cleaned at a time: bounds memory."""
_TABLES = ("xlsx", "xls", "text")
_KINDS = {
    "table": _TABLES,
    "book": _TABLES,
    "hoso_xml": ("xml", "zip", "json"),
    "json_records": ("text",),
    "fhir_r4": ("text", "zip", "xml"),
}

_READERS = {"json_records": read_json, "fhir_r4": read_fhir}  # beside the HOSO reader and the tables


def read_file(path: str | Path, mapping: SourceMapping, limits: Limits = LIMITS) -> RawBatch:
    """Read one file of a source.

    Args:
        path: The file as received.
        mapping: The source, from `load_catalog().sources`.
        limits: What a file may weigh.

    Returns:
        Its rows, verbatim as text under the names of the record's fields.

    Raises:
        InputError: The file is hostile, damaged, or not of this source. One line, no cell value.
    """
    (batch,) = read_parts(path, mapping, limits, None)
    return batch


def read_parts(
    path: str | Path, mapping: SourceMapping, limits: Limits = LIMITS, step: int | None = PART_ROWS
) -> Iterator[RawBatch]:
    """As `read_file`, in parts of so many rows, so that what follows takes no more memory for a longer file.

    A row is never cut in two, be it a line of a book with its twelve months. Totals come with the first part. A
    long text is also read part by part.
    """
    path = Path(path)
    kind, digest = check_file(path, limits)
    kind = "json" if mapping.hoso is not None and kind == "text" and _is_json(path) else kind
    allowed = (*_KINDS[mapping.reader], *(_TABLES if mapping.tables_too else ()))
    if kind not in allowed:
        raise InputError(
            f"{path.name} is not a file of source {mapping.id}",
            got=kind,
            allowed=", ".join(allowed),
            do="check --source",
        )
    skipped: tuple[tuple[str, str], ...] = ()
    parts: Iterable[pl.DataFrame]
    totals = empty(TOTALS)
    if mapping.reader == "hoso_xml" and kind in _KINDS[mapping.reader]:
        parts = [read_his_xml(path, kind, mapping)]
    elif mapping.book is not None:
        frame, skipped, totals = read_book(path, kind, mapping)
        parts = [frame]
        totals = totals.with_columns(pl.lit(digest).alias("file_sha256"), pl.lit(mapping.id).alias("source"))
    elif mapping.reader in _READERS:
        frame, skipped = _READERS[mapping.reader](path, kind, mapping)
        parts = [frame]
    else:
        parts, skipped = read_table(path, kind, mapping, step)
    given = {**_defaults(mapping), **_from_file_name(path, mapping)}
    for some in parts if step is None else (piece for part in parts for piece in _cut(part, step)):
        frame = _name_rows(some, digest, given)
        yield RawBatch(mapping.id, frame, (RawFile(path.name, digest, frame.height, skipped),), totals)
        totals = totals.clear()


def _cut(frame: pl.DataFrame, step: int) -> Iterator[pl.DataFrame]:
    """A frame in parts of about `step` rows; what has one row number stays together."""
    if frame.height <= step:
        yield frame
        return
    begins = frame.select(
        pl.int_range(pl.len()).filter(pl.col("row_number") != pl.col("row_number").shift(1))
    ).to_series()
    first = 0
    while first < frame.height:
        place = begins.search_sorted(first + step)
        last = begins[place] if place < begins.len() else frame.height
        yield frame[first:last]
        first = last


def read_files(paths: Iterable[str | Path], mapping: SourceMapping) -> RawBatch:
    """Read several files of one source into one batch; the same bytes twice count once."""
    with bundled(map(Path, paths), mapping) as files:
        return concat_batches(read_file(path, mapping) for path in files)


def _is_json(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _defaults(mapping: SourceMapping) -> dict[str, str]:
    """What the mapping says of every row of a file, such as the one station it comes from."""
    return {
        name: field.default
        for name, field in mapping.fields.items()
        if field.default is not None and FIELDS[name] is None
    }


def _from_file_name(path: Path, mapping: SourceMapping) -> dict[str, str]:
    if not mapping.file_name:
        return {}
    name = unicodedata.normalize("NFC", path.name)  # some systems store file names decomposed
    found = re.search(mapping.file_name, name)
    return {field: text for field, text in found.groupdict().items() if text} if found else {}


def _name_rows(frame: pl.DataFrame, digest: str, given: dict[str, str]) -> pl.DataFrame:
    """Add the file's hash, and what the file's name tells where the row itself is silent."""
    own = set(frame.columns)
    frame = frame.with_columns(
        pl.lit(digest).alias("file_sha256"),
        *(
            (pl.col(field).fill_null(text) if field in own else pl.lit(text).alias(field))
            for field, text in given.items()
        ),
    )
    return frame.select(*PLACE, pl.exclude(PLACE))
