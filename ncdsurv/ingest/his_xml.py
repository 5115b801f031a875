"""Reads files of one HOSO per visit (insurance and health-check XML): one row per HOSO, its parts joined.

The envelope carries each part in base64; bare files carry them inline, with or without wrappers; a zip holds
many of them; a gateway's JSON carries the same file once more in base64. Visits are streamed, parts are
parsed only when a field needs them; entities are not resolved, DTDs are refused, nothing is fetched.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import polars as pl
from lxml import etree

from ncdsurv.catalog.hoso import HosoMapping
from ncdsurv.catalog.sources import LabMapping, SourceMapping
from ncdsurv.errors import InputError
from ncdsurv.ingest.archives import members
from ncdsurv.ingest.guard import refuse
from ncdsurv.ingest.headers import fold
from ncdsurv.ingest.his_parts import Visit, read_visits
from ncdsurv.ingest.payload import unwrap
from ncdsurv.ingest.raw import DAMAGE

SHEET = "HOSO"
_LAB, _UNIT = "LAB", "THONGTINDONVI"
_PLACE = re.compile(r"XML\d+(\.\w+)?|(LAB|THONGTINDONVI)\.[\w.]+")

Lab = tuple[str | None, str | None, str | None]


def read_his_xml(path: Path, kind: str, mapping: SourceMapping) -> pl.DataFrame:
    """All visits of a file.

    Args:
        path: A file that passed the guard.
        kind: What the guard took it for: `xml`, `zip`, or a JSON envelope.
        mapping: The source; `columns` are written `XML1.HO_TEN`, a whole part `XML2`, a lab `LAB.glucose.unit`.

    Returns:
        Rows (sheet, row_number, sheet_kind, damage, one text column per field).

    Raises:
        InputError: Not well-formed, a DTD, or no visit inside.
    """
    hoso = mapping.hoso
    assert hoso is not None  # the loader refuses such a mapping
    choices = {
        name: tuple(filter(_PLACE.fullmatch, field.columns)) for name, field in mapping.read_fields.items()
    }
    choices = {name: places for name, places in choices.items() if places}
    choices |= {name: (f"{_LAB}.{name}.value",) for name in mapping.labs}
    tags = _head_tags(choices, hoso.head)
    heads: dict[str, list[str | None]] = {f"{hoso.head}.{tag}": [] for tag in tags}
    others = _other_places(choices, hoso)
    cells: dict[str, list[str | None]] = {place: [] for place, _, _ in others}
    damage: list[str | None] = []
    into = [(tag, heads[f"{hoso.head}.{tag}"].append) for tag in tags]
    fill = [(cells[place].append, before, get) for place, before, get in others]
    labs = _lab_reader(mapping.labs, hoso)
    try:
        for visit in read_visits(_documents(path, kind, hoso), hoso):
            part = visit.part(hoso.head)
            head = {} if part is None else {child.tag: child.text for child in part.iterchildren(*tags)}
            for tag, append in into:
                append(head.get(tag))
            found = labs(visit)
            for append, before, get in fill:
                append(None if any(map(head.get, before)) else get(visit, found))
            damage.append(visit.broken or (None if head else hoso.head))
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise refuse(path, "is a damaged archive", "pack it again") from None
    if not damage:
        heads_wanted = " or ".join(hoso.parts[hoso.head].roots)
        raise InputError(
            f"{path.name} holds no visit",
            allowed=f"{hoso.visit} with {hoso.file}, or {heads_wanted}",
            do="check --source and the file",
        )
    return _frame(heads | cells, choices, damage)


def _documents(path: Path, kind: str, hoso: HosoMapping) -> Iterator[tuple[str, BinaryIO]]:
    """The XML documents of a file: itself, the members of an archive, what JSON envelopes carry."""
    if kind == "zip":
        for name, stream in members(path):
            yield from _unwrapped(name, stream, hoso)
        return
    with path.open("rb") as stream:
        yield from _unwrapped(path.name, stream, hoso)


def _unwrapped(name: str, stream: BinaryIO, hoso: HosoMapping) -> Iterator[tuple[str, BinaryIO]]:
    begin = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    stream.seek(0)
    if begin not in (b"{", b"["):
        yield name, stream
        return
    yield from ((name, inner) for inner in unwrap(name, stream.read(), hoso.payload))


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


def _head_tags(choices: dict[str, tuple[str, ...]], head: str) -> list[str]:
    places = [place.split(".") for columns in choices.values() for place in columns]
    return list(dict.fromkeys(place[1] for place in places if place[0] == head))


Getter = Callable[[Visit, dict[str, Lab]], str | None]


def _other_places(
    choices: dict[str, tuple[str, ...]], hoso: HosoMapping
) -> list[tuple[str, tuple[str, ...], Getter]]:
    """(place, tags of the head that make it needless, how to read it) of every place outside the head."""
    found: dict[str, tuple[str, tuple[str, ...], Getter]] = {}
    for columns in choices.values():
        before: tuple[str, ...] = ()
        for place in columns:
            part, _, rest = place.partition(".")
            if part == hoso.head:
                before = (*before, rest)
            elif place not in found:
                found[place] = (place, before, _getter(part, rest, hoso))
    return list(found.values())


def _getter(part: str, rest: str, hoso: HosoMapping) -> Getter:
    if part == _LAB:
        lab, _, what = rest.partition(".")
        index = ("value", "unit", "name").index(what)
        return lambda visit, labs: labs[lab][index]
    if part == _UNIT:
        return lambda visit, labs: visit.unit
    if not rest:
        return lambda visit, labs: _drugs(visit.part(part), hoso)
    return lambda visit, labs: _texts(visit.part(part), rest)


def _texts(part: etree._Element | None, tag: str) -> str | None:
    if part is None:
        return None
    return "\n".join(element.text for element in part.iter(tag) if element.text) or None


def _drugs(part: etree._Element | None, hoso: HosoMapping) -> str | None:
    """One line per drug: its dose as written and, after a bar, the quantity dispensed."""
    if part is None or hoso.drugs is None:
        return None
    lines = []
    wanted = (hoso.drugs.dose, hoso.drugs.quantity)
    for drug in part.iter(hoso.parts[hoso.drugs.part].line):
        cells = {child.tag: child.text or "" for child in drug.iterchildren(*wanted)}
        lines.append("|".join(cells.get(name, "").replace("\n", " ").strip() for name in wanted))
    return "\n".join(lines) or None


def _lab_reader(labs: dict[str, LabMapping], hoso: HosoMapping) -> Callable[[Visit], dict[str, Lab]]:
    """Finds each wanted laboratory value: by its codes, else by words of its name; the last wins."""
    nothing: dict[str, Lab] = dict.fromkeys(labs, (None, None, None))
    where = hoso.results
    if where is None or not labs:
        return lambda visit: nothing
    wanted = [where.service, where.value, where.unit, *where.names]
    wanted += [where.indicator] if where.indicator else []

    def read(visit: Visit) -> dict[str, Lab]:
        part = visit.part(where.part)
        if part is None:
            return nothing
        found, by_code = dict(nothing), set()
        for value in part.iter(where.value):
            text = (value.text or "").strip()
            line = value.getparent()
            if not text or line is None:
                continue
            cells = {child.tag: (child.text or "").strip() for child in line.iterchildren(*wanted)}
            name = " ".join(cells[tag] for tag in where.names if cells.get(tag))
            for lab, mapping in labs.items():
                coded = cells.get(where.service) in mapping.service_codes or (
                    where.indicator is not None and cells.get(where.indicator) in mapping.indicator_codes
                )
                if coded or (lab not in by_code and _named(name, mapping.names, mapping.not_names)):
                    found[lab] = (text, cells.get(where.unit), name)
                    by_code |= {lab} if coded else set()
        return found

    return read


@lru_cache(maxsize=4096)
def _named(name: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> bool:
    folded = fold(name)
    return any(fold(word) in folded for word in wanted) and not any(fold(word) in folded for word in unwanted)
