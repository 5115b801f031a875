"""Source mappings: what each system calls the fields of a record. One TOML per source, checked when loaded.

A mapping names columns, codes and units; it holds no rule. A new table or HIS XML source needs one file here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from ncdsurv.catalog.base import Citation
from ncdsurv.catalog.books import BookMapping
from ncdsurv.catalog.hoso import HosoMapping
from ncdsurv.catalog.inherit import inherit
from ncdsurv.catalog.models import Definition, Names
from ncdsurv.catalog.records import RecordsMapping
from ncdsurv.catalog.resources import LinkedMapping
from ncdsurv.catalog.source_checks import mapping_problems
from ncdsurv.catalog.source_fields import FIELDS, HISTORY, REFUSED, REQUIRED
from ncdsurv.catalog.vocabulary import Finding, Vintage, VisitKind

__all__ = [
    "FIELDS",
    "HISTORY",
    "REFUSED",
    "REQUIRED",
    "FieldMapping",
    "LabMapping",
    "SheetMapping",
    "SourceMapping",
    "load_sources",
    "place_of",
    "read_mapping",
]


class FieldMapping(Definition):
    """Where one field comes from: the first of `columns` that has something, else `default`.

    `spelling` is `month_first` for dates written 12/31/2025; all others need no word.

    `values` turns spellings into codes; `by_words` looks for the spellings inside the text instead;
    `code_list` takes the codes of a dated list of the catalog, by the day of the visit.
    """

    columns: tuple[str, ...] = ()
    required: bool = False
    values: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    by_words: bool = False
    code_list: str | None = None
    default: str | None = None
    unit: Literal["by_range", "mmol/L", "mg/dL", "%", "mmol/mol"] = "by_range"
    vintage: Literal["by_visit_date"] | Vintage = "by_visit_date"
    spelling: Literal["any", "month_first"] = "any"

    @model_validator(mode="after")
    def _something(self) -> FieldMapping:
        if not self.columns and self.default is None:
            raise ValueError("give columns = [...], a default, or both")
        return self


_PLACE = re.compile(r"column:([A-Z]{1,3})")


def place_of(column: str) -> int | None:
    """Position of a column named by its letter (`column:C` is 2), or None for one named by its header.

    >>> place_of("column:AB"), place_of("Ngày khám")
    (27, None)
    """
    found = _PLACE.fullmatch(column)
    if found is None:
        return None
    place = 0
    for letter in found[1]:
        place = place * len(ascii_uppercase) + ascii_uppercase.index(letter) + 1
    return place - 1


class SheetMapping(Definition):
    """One kind of sheet: its names, what tells it from the others, and the disease or contact it is about.

    `needs` are fields, `headers` are columns that no field reads; `lacks` are fields that the source requires
    and this kind of sheet does without. Of a book, `titles` are words above the table and `reading` is the field
    of a bare number in a month's cell.
    """

    id: str = ""
    names: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    disease: str | None = None
    kind: VisitKind | None = None
    titles: tuple[str, ...] = ()
    reading: str | None = None


class LabMapping(Definition):
    """How a laboratory value is found in a HIS file: by service code, then by words of its name."""

    service_codes: tuple[str, ...] = ()
    indicator_codes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    not_names: tuple[str, ...] = ()


class HistoryMapping(Definition):
    """Where a person's own word of a disease stands (a flag of the history): no diagnosis, but not new either."""

    columns: tuple[str, ...] = Field(min_length=1)
    yes: tuple[str, ...] = ("1",)


class FindingMapping(HistoryMapping):
    """Where a screening's outcome for a disease stands: words or marks that say yes, or a list of ICD-10 codes."""

    coded: bool = False


class SourceMapping(Definition):
    """One source system; `tables_too`: a HOSO source that is also exported as spreadsheets.

    `exact_headers`: headers count only as spelled (labels in words above the field names are not the header).

    `ignored` are columns known and left alone. `above` are regular expressions with one group, which find a
    field's value for the whole table in the lines above it.
    """

    id: str
    names: Names
    reader: Literal["table", "book", "hoso_xml", "json_records", "fhir_r4"]
    file_name: str | None = None
    rows_after_header: int = Field(default=0, ge=0)
    header_rows: int = Field(default=1, ge=0, le=3)
    continuation_rows: bool = False
    sheets: dict[str, SheetMapping] = Field(default_factory=dict)
    fields: dict[str, FieldMapping]
    labs: dict[str, LabMapping] = Field(default_factory=dict)
    history: dict[str, HistoryMapping] = Field(default_factory=dict)
    findings: dict[Finding, dict[str, FindingMapping]] = Field(default_factory=dict)
    hoso: HosoMapping | None = None
    book: BookMapping | None = None
    linked: LinkedMapping | None = None
    records: RecordsMapping | None = None
    ignored: tuple[str, ...] = ()
    above: dict[str, str] = Field(default_factory=dict)
    tables_too: bool = False
    exact_headers: bool = False
    source: Citation
    verified: bool

    @property
    def file_fields(self) -> tuple[str, ...]:
        """Fields that the name of a file gives."""
        return tuple(re.compile(self.file_name).groupindex) if self.file_name else ()

    @property
    def read_fields(self) -> dict[str, FieldMapping]:
        """Every field to be read: those of the record, `history:DISEASE` and `history:FINDING:DISEASE`."""
        flags = {
            f"{HISTORY}{name}": FieldMapping(columns=flag.columns) for name, flag in self.history.items()
        }
        found = {
            f"{HISTORY}{kind}:{name}": FieldMapping(columns=flag.columns)
            for kind, flags_of in self.findings.items()
            for name, flag in flags_of.items()
        }
        return {**self.fields, **flags, **found}

    @property
    def mapped(self) -> frozenset[str]:
        """Fields that this source can fill."""
        book = ("visited_on",) if self.book else ()  # a book's months are its visits
        return frozenset((*self.fields, *self.file_fields, *self.labs, *self.above, *book))


def load_sources(folder: Path, diseases: Mapping[str, Any]) -> tuple[dict[str, SourceMapping], list[str]]:
    """Read every mapping of a folder; nothing stops at the first problem.

    Args:
        folder: Holds one `<source id>.toml` per source.
        diseases: The catalog's diseases by id; a sheet may name one.

    Returns:
        The mappings by id (file order by name), and every problem as `file: [field] what; do: ...`.
    """
    found: dict[str, SourceMapping] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        where = f"sources/{path.name}"
        mapping, wrong = read_mapping(path.read_bytes(), path.stem, diseases, folder)
        problems += [f"{where}: {problem}" for problem in wrong]
        if mapping is not None:
            found[mapping.id] = mapping
    return found, problems


def read_mapping(
    text: bytes, source: str, diseases: Mapping[str, Any], folder: Path | None = None
) -> tuple[SourceMapping | None, list[str]]:
    """One mapping from the text of its file.

    Args:
        text: TOML in UTF-8, as kept in a file.
        source: The id it gets.
        diseases: The catalog's diseases by id.
        folder: Where the sources stand that it may extend; None is the package's.

    Returns:
        The mapping and no problem, or None and every problem at once.
    """
    try:
        table = tomllib.loads(text.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, [f"not readable as TOML ({error})"]
    table, wrong = inherit(table, folder)
    if wrong:
        return None, wrong
    sheets = table.get("sheets", {})
    for name, sheet in sheets.items() if isinstance(sheets, dict) else ():
        if isinstance(sheet, dict):
            sheet["id"] = name
    try:
        mapping = SourceMapping.model_validate({"id": source, **table})
    except ValidationError as error:
        return None, [
            f"[{'.'.join(map(str, item['loc'])) or 'table'}] {item['msg']}" for item in error.errors()
        ]
    wrong = mapping_problems(mapping, diseases)
    return (None if wrong else mapping), wrong
