"""One door for every format: guard, read, and name the rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
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
    totals = empty(TOTALS)
    if mapping.reader == "hoso_xml" and kind in _KINDS[mapping.reader]:
        frame = read_his_xml(path, kind, mapping)
    elif mapping.book is not None:
        frame, skipped, totals = read_book(path, kind, mapping)
        totals = totals.with_columns(pl.lit(digest).alias("file_sha256"), pl.lit(mapping.id).alias("source"))
    elif mapping.reader in _READERS:
        frame, skipped = _READERS[mapping.reader](path, kind, mapping)
    else:
        frame, skipped = read_table(path, kind, mapping)
    frame = _name_rows(frame, digest, {**_defaults(mapping), **_from_file_name(path, mapping)})
    return RawBatch(mapping.id, frame, (RawFile(path.name, digest, frame.height, skipped),), totals)


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
