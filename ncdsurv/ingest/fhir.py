"""Reads FHIR R4: bundles and NDJSON, one row per encounter, or per day of a person where no encounter is named.

The resources may stand in any order. A first pass keeps what the mapping names in an index that spills to disk; then
references are resolved (full URL, type and id, identifier, contained) and the rows are put together. What belongs to
no row becomes a row of its own, which is rejected with the rule that says why.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from ncdsurv.catalog.resources import LinkedMapping
from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.errors import InputError
from ncdsurv.ingest.archives import members
from ncdsurv.ingest.guard import LIMITS, Limits, refuse
from ncdsurv.ingest.json_stream import WITHOUT, DamagedJson, Found, is_lines, read_resources
from ncdsurv.ingest.raw import DAMAGE, REJECTED
from ncdsurv.ingest.resource_index import DAY_CHARS, Index, Thing
from ncdsurv.ingest.resource_join import Join
from ncdsurv.ingest.resource_names import own_names
from ncdsurv.ingest.resource_places import clean_text
from ncdsurv.ingest.resource_rows import Row, Rows
from ncdsurv.ingest.resource_take import Taker

_XML, _ARCHIVE = "xml", "zip"
_NO_TYPE = "unknown type"
_UNREADABLE = "row_unreadable"
_LINE_NAMES = (".ndjson", ".jsonl")
_KNOWN_TYPES = 40  # how many types the report lists one by one

Skipped = tuple[tuple[str, str], ...]


def read_fhir(
    path: Path, kind: str, mapping: SourceMapping, limits: Limits = LIMITS
) -> tuple[pl.DataFrame, Skipped]:
    """All contacts of a file.

    Args:
        path: A file that passed the guard.
        kind: What the guard took it for.
        mapping: The source, with `[linked]`.
        limits: How many resources it may hold.

    Returns:
        Rows (sheet = type of the resource, row_number = its place in the file, sheet_kind, damage, one text column
        per field), and the types that were left aside with their numbers.

    Raises:
        InputError: Not JSON, no FHIR, no contact, nested too deep, or too much.
    """
    linked = mapping.linked
    if linked is None:
        raise InputError(f"source {mapping.id} reads no linked resources", do="add [linked] to its mapping")
    if kind == _XML:
        raise refuse(
            path, "is XML; FHIR is read as JSON", "export it as FHIR JSON (application/fhir+json) or NDJSON"
        )
    try:
        with Index() as index:
            broken, left = _load(path, kind, mapping, linked, index, limits)
            rows = Rows(index, mapping, linked, Join(index, linked))
            frame = _frame(rows, broken)
            left = {**left, **rows.left_aside()}
    except DamagedJson as error:
        raise refuse(path, str(error), "export it again as FHIR JSON or NDJSON, month by month") from None
    except OverflowError as error:
        raise refuse(path, f"cannot be read: {error}", "check how the file was made") from None
    except sqlite3.Error:
        raise refuse(path, "cannot be indexed", "free space in the folder for temporary files") from None
    if frame.is_empty():
        contacts = ", ".join(
            kind for kind, how in linked.resources.items() if how.joins.startswith("contact")
        )
        raise InputError(
            f"{path.name} holds no contact of a person",
            allowed=f"a Bundle or NDJSON with {contacts}",
            do="give all files of a bulk export together, as a folder, a zip or one file",
        )
    return frame, tuple(sorted(left.items()))


def _load(
    path: Path, kind: str, mapping: SourceMapping, linked: LinkedMapping, index: Index, limits: Limits
) -> tuple[list[int], dict[str, str]]:
    """Index every resource; returns the places of those that cannot be read, and what was left aside."""
    taker = Taker(mapping, linked)
    broken: list[int] = []
    aside: Counter[str] = Counter()
    for no, found in enumerate(_resources(path, kind), 1):
        if no > limits.rows:
            raise DamagedJson(f"holds more than {limits.rows} resources")
        if found.resource is None:
            broken.append(no)
        elif found.kind in taker.kinds:
            _add(index, taker, no, found, found.resource)
        else:
            aside[found.kind if found.kind == WITHOUT or len(aside) < _KNOWN_TYPES else "other types"] += 1
    index.finish()
    return broken, {kind: f"{count} not used by this source" for kind, count in aside.items()}


def _resources(path: Path, kind: str) -> Iterator[Found]:
    """The resources of a file, or of all files of an archive as if they were one."""
    scopes = itertools.count(1)
    if kind == _ARCHIVE:
        for _, stream in members(path):
            lines = is_lines(stream)
            stream.seek(0)
            yield from read_resources(stream, lines, scopes)
        return
    with path.open("rb") as file:
        lines = path.suffix.lower() in _LINE_NAMES or is_lines(file)
        file.seek(0)
        yield from read_resources(file, lines, scopes)


def _add(index: Index, taker: Taker, no: int, found: Found, resource: dict[str, Any]) -> None:
    owner, url = f"#{no}", clean_text(found.full_url) or ""
    for inner in taker.contained(resource):
        name = f"{owner}#{clean_text(inner['id'])}"
        body = taker.body(inner["resourceType"], inner, owner, url)
        entity = f"{found.scope}|{name}"
        index.add(Thing(-index.next(), found.scope, inner["resourceType"], entity, "", None, 0, body), [name])
    names = own_names(found.kind, resource, url, owner)
    time, version = taker.time(found.kind, resource), taker.version(resource)
    index.add(
        Thing(
            no,
            found.scope,
            found.kind,
            f"{found.scope}|{names[0]}",
            version,
            time if time and len(time) >= DAY_CHARS else None,
            int(taker.withdrawn(found.kind, resource)),
            taker.body(found.kind, resource, owner, url),
        ),
        names,
    )


def _frame(rows: Rows, broken: list[int]) -> pl.DataFrame:
    fields = rows.fields
    columns: dict[str, list[Any]] = {name: [] for name in ("sheet", "row_number", DAMAGE, *fields)}
    unreadable: Iterator[Row] = ((_NO_TYPE, no, REJECTED + _UNREADABLE, {}) for no in broken)
    for kind, no, damage, values in itertools.chain(rows, unreadable):
        columns["sheet"].append(kind)
        columns["row_number"].append(no)
        columns[DAMAGE].append(damage)
        for field in fields:
            columns[field].append(values.get(field))
    schema = {name: pl.Int64() if name == "row_number" else pl.String() for name in columns}
    frame = pl.DataFrame(columns, schema=schema).sort("row_number", maintain_order=True)
    return frame.select("sheet", "row_number", pl.lit("").alias("sheet_kind"), DAMAGE, *fields)
