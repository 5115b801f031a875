"""The data elements of a record (`data_elements.toml`), put together with what schemas and limits know of them."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from pydantic import Field, ValidationError, model_validator

from ncdsurv.catalog import tables
from ncdsurv.catalog.load import DEFINITIONS, describe
from ncdsurv.catalog.models import Definition, Names
from ncdsurv.catalog.sources import FIELDS, REFUSED
from ncdsurv.catalog.vocabulary import SpellColumn, VisitKind
from ncdsurv.errors import DefinitionError

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog
    from ncdsurv.catalog.plausibility import Plausible

FILE = "data_elements.toml"
Kind = Literal["text", "date", "integer", "number", "code"]
_TABLES: dict[str, tables.Schema] = {
    "identifiers": tables.IDENTIFIERS,
    "patients": tables.PATIENTS,
    "diagnoses": tables.DIAGNOSES,
    "visits": tables.VISITS,
}


class Tolerance(Definition):
    """What a conforming export may have."""

    missing_percent: float = Field(ge=0, le=100)
    malformed_percent: float = Field(ge=0, le=100)
    outside_rules: tuple[str, ...]
    empty_rules: tuple[str, ...]
    source: str
    verified: bool


class DataElement(Definition):
    """One element: what it is called and means, which fields fill it, and what cannot be told without it."""

    id: str
    group: Literal["identity", "person", "contact", "disease", "measurement", "treatment"]
    names: Names
    definition: Names
    fields: tuple[str, ...] = ()
    table: str | None = None
    type: Kind | None = None
    pattern: str | None = None
    codes: Names | None = None
    unit_of: str | None = None
    list: bool = False
    required: bool = False
    not_of: VisitKind | None = None
    feeds: dict[SpellColumn, tuple[str, ...]] = Field(default_factory=dict)
    needed_for: Names | None = None
    source: str
    verified: bool

    @model_validator(mode="after")
    def _shape(self) -> DataElement:
        if unknown := [field for field in self.filled_by if field not in FIELDS]:
            raise ValueError(f"unknown field {', '.join(unknown)}; allowed: {', '.join(FIELDS)}")
        if self.table is not None and self.id not in _TABLES.get(self.table, {}):
            raise ValueError(f"table {self.table!r} has no column {self.id!r}; tables: {', '.join(_TABLES)}")
        return self

    @property
    def filled_by(self) -> tuple[str, ...]:
        """Fields of a source mapping that fill it."""
        return self.fields or (self.id,)

    @property
    def rule_columns(self) -> frozenset[str]:
        """Names under which the ledger of cleaning speaks of it."""
        return frozenset((self.id, *self.filled_by))

    @property
    def kind(self) -> Kind:
        """Type, from the table's schema and the vocabulary; `type` where no table has it."""
        if self.code_list or self.unit_of:
            return "code"
        if self.type:
            return self.type
        dtype = _TABLES[self.table][self.id] if self.table else pl.String()
        if isinstance(dtype, pl.Date):
            return "date"
        if dtype.is_integer():
            return "integer"
        return "number" if dtype.is_float() else "text"

    @property
    def code_list(self) -> tuple[str, ...]:
        """The codes it may have; empty where they stand in a list outside, or there are none."""
        codes = FIELDS.get(self.filled_by[0]) or ()
        return tuple(str(code) for code in codes if code != REFUSED)

    def limits(self, catalog: Catalog) -> Plausible | None:
        """Unit and plausible limits, where it is a measurement."""
        return catalog.plausibility.get(self.id)

    def units(self, catalog: Catalog) -> tuple[str, ...]:
        """The units that an element naming a unit may say."""
        limits = catalog.plausibility.get(self.unit_of or "")
        return (limits.unit, *limits.other_units) if limits else ()


class DataStandard(Definition):
    """All elements by id, in file order, and the tolerance of conformance."""

    tolerance: Tolerance
    elements: dict[str, DataElement]


@cache
def load_standard(path: Path = DEFINITIONS / FILE) -> DataStandard:
    """Read the data elements.

    Raises:
        DefinitionError: Every problem of the file at once.

    >>> load_standard().elements["sbp"].kind
    'integer'
    """
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    elements: dict[str, Any] = {}
    problems: list[str] = []
    for name, table in raw.get("elements", {}).items():
        try:
            elements[name] = DataElement.model_validate({"id": name, **table})
        except ValidationError as error:
            problems += describe(path.name, name, error)
    try:
        tolerance = Tolerance.model_validate(raw.get("tolerance", {}))
    except ValidationError as error:
        problems += describe(path.name, "tolerance", error)
    if problems:
        raise DefinitionError(problems)
    return DataStandard(tolerance=tolerance, elements=elements)
