"""What a source's mapping lacks or misnames, all at once, with the columns seen and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ncdsurv.catalog.books import shape_problems
from ncdsurv.catalog.records import records_problems
from ncdsurv.catalog.resources import linked_problems
from ncdsurv.catalog.source_fields import FIELDS, REQUIRED
from ncdsurv.errors import nearest

if TYPE_CHECKING:
    from ncdsurv.catalog.sources import SourceMapping


def mapping_problems(mapping: SourceMapping, diseases: Mapping[str, Any]) -> list[str]:
    """What a mapping lacks or misnames; empty when it fulfils the record's contract."""
    problems = _file_name_problems(mapping)
    given = mapping.mapped if not problems else frozenset(mapping.fields)
    seen = ", ".join(sorted({column for field in mapping.fields.values() for column in field.columns}))
    for group in REQUIRED:
        if not any(all(part in given for part in choice.split("+")) for choice in group):
            problems.append(
                f"required field {group[0]!r} is not mapped"
                + (f" (nor {', '.join(group[1:])})" if group[1:] else "")
                + f". Columns mapped: {seen}. Do: add [fields.{group[0]}] with columns = [...]"
            )
    if "diagnosis" not in given and not (
        mapping.sheets and all(sheet.disease or sheet.kind for sheet in mapping.sheets.values())
    ):
        problems.append(
            f"required field 'diagnosis' is not mapped and no sheet names a disease. Columns mapped: {seen}. "
            'Do: add [fields.diagnosis], or disease = "..." to every [sheets.*]'
        )
    problems += _name_problems("fields", mapping.fields, FIELDS)
    problems += _name_problems("labs", mapping.labs, FIELDS)
    problems += _name_problems("history", mapping.history, diseases)
    for kind, flags in mapping.findings.items():
        problems += _name_problems(f"findings.{kind}", flags, diseases)
    problems += shape_problems(
        mapping.reader, mapping.book, mapping.ignored, mapping.above, mapping.fields, FIELDS
    )
    problems += _code_problems(mapping)
    if mapping.reader == "hoso_xml":
        problems += _place_problems(mapping)
    if mapping.reader == "fhir_r4":
        columns = {name: field.columns for name, field in mapping.fields.items()}
        problems += linked_problems(mapping.linked, columns, mapping.labs)
    if mapping.reader == "json_records":
        problems += records_problems(mapping)
    for sheet in mapping.sheets.values():
        problems += _name_problems(f"sheets.{sheet.id}.needs", sheet.needs, mapping.mapped)
        problems += _name_problems(f"sheets.{sheet.id}.lacks", sheet.lacks, mapping.fields)
        problems += _name_problems(
            f"sheets.{sheet.id}.reading", [sheet.reading] if sheet.reading else [], FIELDS
        )
        if sheet.disease is not None:
            problems += _name_problems(f"sheets.{sheet.id}.disease", [sheet.disease], diseases)
    return problems


def _file_name_problems(mapping: SourceMapping) -> list[str]:
    try:
        names = mapping.file_fields
    except re.error as error:
        return [f"[file_name] not a regular expression ({error}). Do: name groups like (?P<facility>\\d+)"]
    return _name_problems("file_name", names, FIELDS)


def _name_problems(where: str, names: Any, known: Any) -> list[str]:
    problems = []
    for name in names:
        if name not in known:
            near = nearest(name, known)
            problems.append(
                f"[{where}] unknown name {name!r}; allowed: {', '.join(sorted(known))}"
                + (f". Do: try {near!r}" if near else "")
            )
    return problems


def _place_problems(mapping: SourceMapping) -> list[str]:
    problems = []
    if mapping.hoso is None:
        problems.append('a HOSO source needs [hoso]. Do: name its parts as another "hoso_xml" source does')
    labs = "|".join(map(re.escape, mapping.labs)) or "(?!)"
    place = re.compile(rf"XML\d+(\.\w+)?|THONGTINDONVI\.\w+|LAB\.({labs})\.(value|unit|name)")
    return problems + [
        f"[fields.{name}] column {column!r} is no place of a HOSO; allowed: XML1.TAG, XML2, THONGTINDONVI.TAG, "
        f"LAB.<one of [labs]>.value|unit|name"
        for name, field in mapping.read_fields.items()
        for column in field.columns
        if not place.fullmatch(column) and not (mapping.tables_too and "." not in column)
    ]


def _code_problems(mapping: SourceMapping) -> list[str]:
    problems = []
    for name, field in mapping.fields.items():
        allowed = FIELDS.get(name)
        codes = [*field.values, *([field.default] if field.default is not None and allowed else [])]
        if field.values and not allowed:
            problems.append(f"[fields.{name}.values] this field takes no codes. Do: remove values")
        elif field.code_list:
            problems += _name_problems(f"fields.{name}.values", codes, allowed or ())
        elif allowed and not field.values and field.columns:
            problems.append(
                f"[fields.{name}.values] codes are not translated; columns: {', '.join(field.columns)}. "
                f"Do: add values with any of {', '.join(allowed)}"
            )
        elif allowed:
            problems += _name_problems(f"fields.{name}.values", codes, allowed)
        spellings = [spelling.casefold() for group in field.values.values() for spelling in group]
        for twice in sorted({spelling for spelling in spellings if spellings.count(spelling) > 1}):
            problems.append(f"[fields.{name}.values] {twice!r} stands for two codes. Do: keep one")
    return problems
