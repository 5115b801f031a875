"""The data standard as a JSON Schema (2020-12): one contact of one patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.elements import DataElement, DataStandard

if TYPE_CHECKING:
    from ncdsurv.catalog import Catalog

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {"text": "string", "date": "string", "code": "string", "integer": "integer", "number": "number"}
_KIND = "kind"
_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}


def record_schema(catalog: Catalog, standard: DataStandard) -> dict[str, Any]:
    """The schema of a record in the registry's own words and units.

    Returns:
        A JSON Schema; `x-` keywords hold the Vietnamese texts and the unit.
    """
    elements = standard.elements.values()
    sometimes = [element for element in elements if element.required and element.not_of]
    return {
        "$schema": DIALECT,
        "$id": "urn:ncdsurv:record",
        "title": "Record of a contact of a patient with a non-communicable disease",
        "x-title-vi": "Bản ghi một lượt khám của người bệnh không lây nhiễm",
        "type": "object",
        "properties": {element.id: _property(element, catalog) for element in elements},
        "required": [element.id for element in elements if element.required and not element.not_of],
        "allOf": [
            {
                "if": {"required": [_KIND], "properties": {_KIND: {"const": str(element.not_of)}}},
                "else": {"required": [element.id]},
            }
            for element in sometimes
        ],
        "additionalProperties": False,
    }


def _property(element: DataElement, catalog: Catalog) -> dict[str, Any]:
    value: dict[str, Any] = {"type": _TYPES[element.kind]}
    if codes := element.code_list or element.units(catalog):
        value["enum"] = list(codes)
    if element.pattern:
        value["pattern"] = element.pattern
    elif element.kind == "date":
        value["format"] = "date"
    limits = element.limits(catalog)
    if limits is not None:
        value |= {_BOUNDS[name]: bound for test in limits.limits.tests for name, bound in test.bounds}
        value["x-unit"] = limits.unit
    if element.required and value["type"] == "string" and "enum" not in value:
        value["minLength"] = 1
    about = {
        "title": element.names.en,
        "description": element.definition.en,
        "x-title-vi": element.names.vi,
        "x-description-vi": element.definition.vi,
    }
    return about | ({"type": "array", "items": value} if element.list else value)
