"""Reads HIS output XML (Decisions 130 and 4750): one row per HOSO, its parts joined.

The envelope carries each part in base64; bare files carry them inline, with or without wrappers. Visits are
streamed, parts are parsed only when a field needs them; entities are not resolved, DTDs are refused, nothing
is fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import polars as pl
from lxml import etree

from ncdsurv.catalog.sources import LabMapping, SourceMapping
from ncdsurv.errors import InputError
from ncdsurv.ingest.guard import refuse
from ncdsurv.ingest.headers import fold
from ncdsurv.ingest.his_parts import DRUG_PART, HEAD, LAB_PART, LINES, Visit, read_visits
from ncdsurv.ingest.raw import DAMAGE

SHEET = "HOSO"
_LAB, _UNIT = "LAB", "THONGTINDONVI"
_DRUG_FIELDS = ("LIEU_DUNG", "SO_LUONG")
_LAB_FIELDS = ("MA_DICH_VU", "TEN_CHI_SO", "GIA_TRI", "DON_VI_DO")

Lab = tuple[str | None, str | None, str | None]


def read_his_xml(path: Path, mapping: SourceMapping) -> pl.DataFrame:
    """All visits of a file.

    Args:
        path: A file that passed the guard.
        mapping: The source; `columns` are written `XML1.HO_TEN`, a whole part `XML2`, a lab `LAB.glucose.unit`.

    Returns:
        Rows (sheet, row_number, sheet_kind, damage, one text column per field).

    Raises:
        InputError: Not well-formed, a DTD, or no visit inside.
    """
    choices = {name: field.columns for name, field in mapping.fields.items() if field.columns}
    choices |= {name: (f"{_LAB}.{name}.value",) for name in mapping.labs}
    tags = _head_tags(choices)
    heads: dict[str, list[str | None]] = {f"{HEAD}.{tag}": [] for tag in tags}
    others = _other_places(choices, mapping)
    cells: dict[str, list[str | None]] = {place: [] for place, _, _ in others}
    damage: list[str | None] = []
    into = [(tag, heads[f"{HEAD}.{tag}"].append) for tag in tags]
    fill = [(cells[place].append, before, get) for place, before, get in others]
    labs = _lab_reader(mapping.labs)
    try:
        for visit in read_visits(path):
            part = visit.part(HEAD)
            head = {} if part is None else {child.tag: child.text for child in part.iterchildren(*tags)}
            for tag, append in into:
                append(head.get(tag))
            found = labs(visit)
            for append, before, get in fill:
                append(None if any(map(head.get, before)) else get(visit, found))
            damage.append(visit.broken or (None if head else HEAD))
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else 0
        raise refuse(path, f"is not well-formed XML near line {line}", "export it again") from None
    if not damage:
        raise InputError(
            f"{path.name} holds no visit",
            allowed="HOSO with FILEHOSO, or TONG_HOP",
            do="check --source and the file",
        )
    return _frame(heads | cells, choices, damage)


def _frame(
    columns: dict[str, list[str | None]], choices: dict[str, tuple[str, ...]], damage: list[str | None]
) -> pl.DataFrame:
    """Each field is the first of its places that holds something."""
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    frame = frame.with_columns(pl.all().str.strip_chars()).with_columns(
        pl.when(pl.col(name) != "").then(name).alias(name) for name in columns
    )
    return frame.select(
        pl.lit(SHEET).alias("sheet"),
        (pl.int_range(pl.len(), dtype=pl.Int64) + 1).alias("row_number"),
        pl.lit("").alias("sheet_kind"),
        pl.Series(DAMAGE, damage, dtype=pl.String),
        *(pl.coalesce(places).alias(name) for name, places in choices.items()),
    )


def _head_tags(choices: dict[str, tuple[str, ...]]) -> list[str]:
    places = [place.split(".") for columns in choices.values() for place in columns]
    return list(dict.fromkeys(place[1] for place in places if place[0] == HEAD))


Getter = Callable[[Visit, dict[str, Lab]], str | None]


def _other_places(
    choices: dict[str, tuple[str, ...]], mapping: SourceMapping
) -> list[tuple[str, tuple[str, ...], Getter]]:
    """(place, tags of the head that make it needless, how to read it) of every place outside the head."""
    found: dict[str, tuple[str, tuple[str, ...], Getter]] = {}
    for columns in choices.values():
        before: tuple[str, ...] = ()
        for place in columns:
            part, _, rest = place.partition(".")
            if part == HEAD:
                before = (*before, rest)
            elif place not in found:
                found[place] = (place, before, _getter(part, rest))
    return list(found.values())


def _getter(part: str, rest: str) -> Getter:
    if part == _LAB:
        lab, _, what = rest.partition(".")
        index = ("value", "unit", "name").index(what)
        return lambda visit, labs: labs[lab][index]
    if part == _UNIT:
        return lambda visit, labs: visit.unit
    if part == DRUG_PART and not rest:
        return lambda visit, labs: _drugs(visit.part(part))
    return lambda visit, labs: _texts(visit.part(part), rest)


def _texts(part: etree._Element | None, tag: str) -> str | None:
    if part is None:
        return None
    return "\n".join(element.text for element in part.iter(tag) if element.text) or None


def _drugs(part: etree._Element | None) -> str | None:
    """One line per drug: its dose as written and, after a bar, the quantity dispensed."""
    if part is None:
        return None
    lines = []
    for drug in part.iter(LINES[DRUG_PART]):
        cells = {child.tag: child.text or "" for child in drug.iterchildren(*_DRUG_FIELDS)}
        lines.append("|".join(cells.get(name, "").replace("\n", " ").strip() for name in _DRUG_FIELDS))
    return "\n".join(lines) or None


def _lab_reader(labs: dict[str, LabMapping]) -> Callable[[Visit], dict[str, Lab]]:
    """Finds each wanted laboratory value: by service code, else by words of its name; the last wins."""
    nothing: dict[str, Lab] = dict.fromkeys(labs, (None, None, None))

    def read(visit: Visit) -> dict[str, Lab]:
        part = visit.part(LAB_PART) if labs else None
        if part is None:
            return nothing
        found, by_code = dict(nothing), set()
        for line in part.iter(LINES[LAB_PART]):
            cells = {child.tag: (child.text or "").strip() for child in line.iterchildren(*_LAB_FIELDS)}
            value, name = cells.get("GIA_TRI"), cells.get("TEN_CHI_SO", "")
            if not value:
                continue
            for lab, mapping in labs.items():
                coded = cells.get("MA_DICH_VU") in mapping.service_codes
                if coded or (lab not in by_code and _named(name, mapping.names, mapping.not_names)):
                    found[lab] = (value, cells.get("DON_VI_DO"), name)
                    by_code |= {lab} if coded else set()
        return found

    return read


@lru_cache(maxsize=4096)
def _named(name: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> bool:
    folded = fold(name)
    return any(fold(word) in folded for word in wanted) and not any(fold(word) in folded for word in unwanted)
