"""Small raw batches, a reference of three communes and readable tables for the cleaning tests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import polars as pl

from ncdsurv.catalog import load_catalog
from ncdsurv.catalog.sources import FIELDS
from ncdsurv.clean import CleanBatch, clean_batch
from ncdsurv.ingest import RawBatch
from ncdsurv.ingest.raw import RawFile

KEY = b"a key for tests, 32 bytes long.."
CATALOG = load_catalog()

# 00691 is in both lists, 00688 only in the old one, 00700 only in the new one.
_COMMUNES = {"2024": ["00691", "00688"], "2025": ["00691", "00700"]}


@dataclass(frozen=True)
class SmallReference:
    """The two things cleaning asks of a reference."""

    facilities: pl.DataFrame

    def areas(self, level: str | None = None, vintage: str | None = None) -> pl.DataFrame:
        assert level == "commune"
        assert vintage is not None
        return pl.DataFrame({"code": _COMMUNES[vintage]})


REFERENCE = SmallReference(pl.DataFrame({"code": ["02001"], "commune_code": ["00691"], "vintage": ["2025"]}))
NO_STATIONS = SmallReference(
    pl.DataFrame(schema={"code": pl.String, "commune_code": pl.String, "vintage": pl.String})
)

GOOD: dict[str, str] = {
    "name": "Lò Thị Mẫu",
    "sex": "2",
    "birth_date": "05/03/1961",
    "citizen_id": "002161012345",
    "facility": "02001",
    "commune": "00691",
    "visited_on": "14/08/2025",
    "diagnosis": "I10",
}


def raw_batch(rows: list[dict[str, str | None]], source: str = "viettel", file: str = "a.csv") -> RawBatch:
    """A raw batch of one file: each row is GOOD with some fields changed (None: empty)."""
    digest = hashlib.sha256(file.encode()).hexdigest()
    filled = [{**GOOD, **row} for row in rows]
    frame = pl.DataFrame(
        {
            "file_sha256": [digest] * len(rows),
            "sheet": ["csv"] * len(rows),
            "row_number": list(range(2, len(rows) + 2)),
            "sheet_kind": ["visits"] * len(rows),
            "damage": [None] * len(rows),
            **{field: [row.get(field) for row in filled] for field in FIELDS},
        },
        schema={
            "file_sha256": pl.String,
            "sheet": pl.String,
            "row_number": pl.Int64,
            "sheet_kind": pl.String,
            "damage": pl.String,
            **dict.fromkeys(FIELDS, pl.String),
        },
    )
    return RawBatch(source, frame, (RawFile(file, digest, len(rows)),))


def clean_rows(
    rows: list[dict[str, str | None]], source: str = "viettel", reference: Any = REFERENCE
) -> CleanBatch:
    """Clean some rows of one file."""
    return clean_batch(raw_batch(rows, source), CATALOG.sources[source], CATALOG, reference, KEY)


def clean_one(reference: Any = REFERENCE, source: str = "viettel", **changes: str | None) -> CleanBatch:
    """Clean one good row with some fields changed."""
    return clean_rows([changes], source, reference)


def rule_of(batch: CleanBatch, column: str) -> str | None:
    """The rule logged for a column of the only row, as reject or repair."""
    found = pl.concat([batch.rejects.select("column", "rule"), batch.repairs.select("column", "rule")])
    rules = found.filter(column=column)["rule"].to_list()
    return ", ".join(rules) or None


def read_table(text: str) -> list[dict[str, str | None]]:
    """Rows of a table written with bars; `-` is empty."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines() if line.strip()]
    header, *body = lines
    return [dict(zip(header, (None if cell == "-" else cell for cell in row), strict=True)) for row in body]
