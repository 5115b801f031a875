"""Drafts a mapping for a file that nobody has seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ncdsurv.catalog.sources import FIELDS, read_mapping
from ncdsurv.catalog.vocabulary import Level, Vintage, VisitKind
from ncdsurv.draft.result import Draft, FieldDraft, SheetDraft
from ncdsurv.draft.sheet import Sheet, draft_sheet
from ncdsurv.draft.words import Words, load_words
from ncdsurv.draft.write import write_draft
from ncdsurv.errors import InputError
from ncdsurv.ingest.guard import check_file
from ncdsurv.ingest.headers import fold
from ncdsurv.ingest.tables import read_sheets

FROM_NAME = r"^(?P<facility>\d{4,5})[_\- ]"
_CONTINUED = 2
_TABLES = ("xlsx", "xls", "text")
_DEFAULTS = {"kind": VisitKind.EXAM.value, "glucose_kind": "unknown"}


def draft_source(
    path: str | Path, source: str, catalog: Any, reference: Any, facility: str | None = None
) -> Draft:
    """Propose a mapping for a table.

    Args:
        path: XLSX, XLS or CSV.
        source: The name the source is to have, usually the stem of the mapping's file.
        catalog: Definitions: known sources, diseases, plausible limits.
        reference: Known communes.
        facility: Code of the one station the file comes from, where the file does not tell it.

    Returns:
        The draft. It holds headers and code words of the file, never a cell of a patient.

    Raises:
        InputError: The file is hostile, damaged, no table, or holds none.
    """
    path = Path(path)
    kind, _ = check_file(path)
    if kind not in _TABLES:
        others = sorted(
            name for name, mapping in catalog.sources.items() if not mapping.reader.startswith("table")
        )
        raise InputError(
            f"{path.name} is no table",
            got=kind,
            allowed=", ".join(_TABLES),
            do=f"ingest it with the source that reads it; those of other formats are {', '.join(others)}",
        )
    words = load_words(catalog.sources)
    communes = {
        vintage.value: frozenset(
            reference.areas(level=Level.COMMUNE.value, vintage=vintage.value)["code"].cast(str).to_list()
        )
        for vintage in Vintage
    }
    drafted, left_out, titles = [], [], {}
    for name, _, rows in read_sheets(path, kind):
        sheet = draft_sheet(name, rows, words, catalog, communes) if rows is not None else None
        if sheet is None or rows is None:
            left_out.append(f"sheet {name}: {'hidden' if rows is None else 'no table found'}")
        else:
            drafted.append(sheet)
            titles[name] = _titles(rows, sheet)
    if not drafted:
        raise InputError(
            f"{path.name} holds no table that can be drafted",
            got=f"{len(left_out)} sheets",
            allowed="a header in the first 60 rows, or rows of values",
            do="open it, put one row of column names above the data, save it and try again",
        )
    return _put_together(path, source, drafted, titles, left_out, words, catalog, facility)


def _put_together(
    path: Path,
    source: str,
    sheets: Sequence[Sheet],
    titles: dict[str, str],
    left_out: Sequence[str],
    words: Words,
    catalog: Any,
    facility: str | None,
) -> Draft:
    main = max(sheets, key=lambda sheet: (len(sheet.fields), len(sheet.layout.body)))
    fields, remarks = _merged(sheets)
    settings = _settings(path, sheets, main, "facility" in fields)
    for sheet in sheets:
        if (sheet.layout.header_rows, sheet.layout.skipped) != (main.layout.header_rows, main.layout.skipped):
            remarks.append(
                f"sheet {sheet.name} is laid out differently from {main.name}: draft it on its own"
            )
    for name, value in _DEFAULTS.items():
        given = fields.get(name, FieldDraft(name))
        fields[name] = replace(given, settings={**given.settings, "default": value})
    if facility:
        fields["facility"] = FieldDraft("facility", settings={"default": facility}, reason="given by you")
    kinds = _sheets(sheets, "diagnosis" in fields, words, catalog, titles, path.stem)
    unplaced = tuple(
        f"sheet {sheet.name}, {line}" if len(sheets) > 1 else line
        for sheet in sheets
        for line in sheet.unplaced
    )
    if "commune" not in fields:
        remarks.append(
            "no commune of residence: the station's own stands in where the reference knows the station; "
            'else add [fields.commune] with default = "CODE"'
        )
    text = write_draft(source, settings, kinds, list(fields.values()), [])
    to_fill = [_shorter(problem) for problem in read_mapping(text.encode(), source, catalog.diseases)[1]]
    told = [
        *(f"TO FILL: {one}" for one in to_fill),
        *remarks,
        *left_out,
        *(f"not placed: {u}" for u in unplaced),
    ]
    text = write_draft(source, settings, kinds, list(fields.values()), told)
    order = list(FIELDS)
    return Draft(
        text,
        tuple(sorted((f for f in fields.values() if f.columns), key=lambda field: order.index(field.name))),
        unplaced,
        tuple(to_fill),
        (*remarks, *left_out, *(f"{f.name}: {r}" for f in fields.values() for r in f.remarks)),
    )


def _shorter(problem: str) -> str:
    """A problem of the loader without the list of columns, which the draft shows anyway."""
    return re.sub(r"\. (?:Columns mapped|columns): .*?(?=\. Do:|$)", "", problem)


def _settings(path: Path, sheets: Sequence[Sheet], main: Sheet, has_facility: bool) -> dict[str, str]:
    settings = {}
    if not has_facility and re.search(FROM_NAME, path.name):
        settings["file_name"] = f"'{FROM_NAME}'"
    if main.layout.header_rows != 1:
        settings["header_rows"] = str(main.layout.header_rows)
    if main.layout.skipped:
        settings["rows_after_header"] = str(main.layout.skipped)
    if sum(sheet.continued for sheet in sheets) >= _CONTINUED:
        settings["continuation_rows"] = "true"
    return settings


def _merged(sheets: Sequence[Sheet]) -> tuple[dict[str, FieldDraft], list[str]]:
    """The fields of all sheets: a field may have other headers on another sheet, a header only one field."""
    merged: dict[str, FieldDraft] = {}
    owner: dict[str, str] = {}
    remarks = []
    for sheet in sorted(sheets, key=lambda sheet: -len(sheet.fields)):
        for field in sheet.fields:
            column = fold(field.columns[0])
            if owner.setdefault(column, field.name) != field.name:
                remarks.append(f"sheet {sheet.name}: {field.columns[0]!r} also looks like {field.name}")
                continue
            before = merged.get(field.name)
            if before is None:
                merged[field.name] = field
                continue
            spelled = {fold(s) for group in before.values.values() for s in group}
            more = {
                code: tuple(s for s in group if fold(s) not in spelled)
                for code, group in field.values.items()
            }
            merged[field.name] = replace(
                before,
                columns=tuple(dict.fromkeys((*before.columns, *field.columns))),
                values={
                    code: (*before.values.get(code, ()), *more.get(code, ()))
                    for code in dict.fromkeys((*before.values, *more))
                },
                remarks=tuple(dict.fromkeys((*before.remarks, *field.remarks))),
            )
    visit = merged.get("visited_on")
    if visit is not None and all(any(f.name == "visited_on" for f in sheet.fields) for sheet in sheets):
        merged["visited_on"] = replace(visit, required=True)
    return merged, remarks


def _sheets(
    sheets: Sequence[Sheet],
    has_diagnosis: bool,
    words: Words,
    catalog: Any,
    titles: dict[str, str],
    file: str,
) -> list[SheetDraft]:
    """Kinds of sheets: one for all where a column tells the disease, else one for each sheet with its own."""
    if has_diagnosis:
        always = all(any(f.name == "visited_on" for f in sheet.fields) for sheet in sheets)
        return [SheetDraft("visits", needs=("visited_on",) if always else ())]
    every = [{field.name for field in sheet.fields} for sheet in sheets]
    common = set.intersection(*every)
    found = []
    for number, (sheet, names) in enumerate(zip(sheets, every, strict=True), 1):
        telling = sorted(names - common) or sorted(names & {"visited_on"})
        disease = next(
            (d for text in (sheet.name, titles[sheet.name], file) if (d := disease_named(text, catalog))),
            None,
        )
        found.append(
            SheetDraft(
                f"sheet{number}", (sheet.name,), tuple(telling), disease, disease_needed=disease is None
            )
        )
    return found


def disease_named(text: str, catalog: Any) -> str | None:
    """The one disease that a sheet's name or a title speaks of, by the names the catalog and the sources give it."""
    names: dict[str, set[str]] = {
        name: {disease.names.vi, disease.names.en, disease.short.vi, disease.short.en}
        for name, disease in catalog.diseases.items()
    }
    for source in catalog.sources.values():
        for sheet in source.sheets.values():
            if sheet.disease in names:
                names[sheet.disease] |= set(sheet.names)
    padded = " " + " ".join(re.split(r"[\W_]+", text.casefold())) + " "
    plain = fold(text)
    found = [
        name
        for name, said in names.items()
        if any(f" {word.casefold()} " in padded or fold(word) == plain for word in said if fold(word))
    ]
    return found[0] if len(found) == 1 else None


def _titles(rows: Sequence[Sequence[Any]], sheet: Sheet) -> str:
    """The text above a table, to look for a disease in; never shown."""
    above = rows[: max(0, sheet.layout.header_row)]
    return " ".join(cell for row in above for cell in row if isinstance(cell, str))
