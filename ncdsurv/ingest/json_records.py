"""Reads JSON records: what a HIS posts, or what a gateway answers. One row per disease object of a record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from ncdsurv.catalog.records import Answer, RecordsMapping
from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.errors import InputError
from ncdsurv.ingest.guard import refuse
from ncdsurv.ingest.headers import fold
from ncdsurv.ingest.json_walk import Body, JsonWalk, Record
from ncdsurv.ingest.raw import DAMAGE

_CHUNK = 20_000  # rows held as Python objects
_RECOGNISED = 2  # fields of the mapping that tell a record of the source from any other JSON
_BARE, _OTHER = "record", "other"  # sheets without a name of the mapping; a key of the file is not repeated

Skipped = tuple[tuple[str, str], ...]
Part = tuple[str, str, dict[str, Any]]


def read_json(path: Path, kind: str, mapping: SourceMapping) -> tuple[pl.DataFrame, Skipped]:
    """All records of a file.

    Args:
        path: A file that passed the guard.
        kind: What the guard took it for; JSON is text.
        mapping: The source; its `[records]` says where records and sheets stand.

    Returns:
        Rows (sheet, row_number = place of the record in the file, sheet_kind, damage, one text column per
        field), and the bodies left out with the reason.

    Raises:
        InputError: Hostile or damaged, an error answer, or no record of the source. One line, no value.
    """
    how = mapping.records
    assert how is not None  # checked when the source was loaded
    rows, sheets = _Rows(mapping), _sheets(mapping)
    skipped: list[tuple[str, str]] = []
    walk = JsonWalk(path, how.lists)
    listed = False
    ends: Answer | None = None
    for event in walk.events():
        if isinstance(event, Body):
            answer = _answer(event, how)
            if answer is not None:
                if not answer.ends_pages:
                    raise _refused(path, answer)
                ends = answer
                skipped.append((f"body {walk.bodies}", answer.says))
                continue
            listed |= event.whole is None
            if event.whole is None:
                continue
            event = Record(_BARE, event.number, event.whole)
        for sheet, kind, cells in _parts(event, how, sheets):
            rows.add(sheet, event.number, kind, cells)
    if ends is not None and not rows.count:
        raise _refused(path, ends)
    if rows.recognised < min(_RECOGNISED, rows.count) or not (rows.count or listed):
        raise InputError(
            f"{path.name} holds no record of source {mapping.id}",
            got=f"{walk.bodies} bodies, {walk.records} records",
            allowed=f"records under {' or '.join(how.lists)}",
            do="check --source, or add the fields to the source's mapping",
        )
    return rows.frame(), tuple(skipped)


def _refused(path: Path, answer: Answer) -> InputError:
    return refuse(path, f"is an answer without data: {answer.says}", answer.do)


def _answer(body: Body, how: RecordsMapping) -> Answer | None:
    """The first of the mapping's error answers that a body is."""
    for answer in how.answers:
        value = body.envelope.get(fold(answer.key))
        if value is None or value is False:
            continue
        text = fold(value) if isinstance(value, str) else ""
        if text in map(fold, answer.unless):
            continue
        if not answer.values or text in map(fold, answer.values):
            return answer
    return None


def _sheets(mapping: SourceMapping) -> dict[str, tuple[str, str]]:
    """Name and kind of a sheet by the folded key of its object."""
    return {fold(name): (name, sheet.id) for sheet in mapping.sheets.values() for name in sheet.names}


def _parts(record: Record, how: RecordsMapping, sheets: dict[str, tuple[str, str]]) -> Iterator[Part]:
    """Sheet, kind and fields of each disease object of a record; the record itself when it has none."""
    outer = _scalars(record.value)
    found = False
    for place in how.sheets_below:
        for holder in _objects(_below(record.value, place)):
            around = {**outer, **_scalars(holder)} if place else outer
            for key, value in holder.items():
                name, kind = sheets.get(fold(key), (_OTHER, ""))
                if kind or place:
                    for item in _objects(value):
                        own = _scalars(item)
                        if own:
                            found = True
                            yield name, kind, {**around, **own}
            if place and not found:
                outer = around
    if not found:
        yield record.where or _BARE, "", outer


def _below(value: Any, place: str) -> Any:
    for key in place.split(".") if place else ():
        if not isinstance(value, dict):
            return None
        wanted = fold(key)
        value = next((item for name, item in value.items() if fold(name) == wanted), None)
    return value


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _scalars(value: Any) -> dict[str, Any]:
    """What an object says, by folded key; empty where it says nothing. Objects inside are kept as they are."""
    if not isinstance(value, dict):
        return {}
    return {fold(key): cell for key, cell in value.items() if cell is not None and cell not in ("", [], {})}


class _Rows:
    """Rows in columns, made frames chunk by chunk."""

    def __init__(self, mapping: SourceMapping) -> None:
        self.count = self.recognised = 0
        self._fields = [
            (name, tuple(dict.fromkeys(map(fold, field.columns))))
            for name, field in mapping.fields.items()
            if field.columns
        ]
        self._schema: dict[str, Any] = {
            "sheet": pl.String,
            "row_number": pl.Int64,
            "sheet_kind": pl.String,
            DAMAGE: pl.String,
            **{name: pl.String for name, _ in self._fields},
        }
        self._held: list[tuple[Any, ...]] = []
        self._frames: list[pl.DataFrame] = []

    def add(self, sheet: str, number: int, kind: str, cells: dict[str, Any]) -> None:
        damage = None
        texts: list[str | None] = []
        for name, columns in self._fields:
            text = None
            for column in columns:
                cell = cells.get(column)
                if cell is None:
                    continue
                text = _text(cell)
                if text is not None:
                    break
                damage = damage or (name if isinstance(cell, dict | list) else None)
            texts.append(text)
        self.recognised = max(self.recognised, sum(text is not None for text in texts))
        self.count += 1
        self._held.append((sheet, number, kind, damage, *texts))
        if len(self._held) >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        self._frames.append(pl.DataFrame(self._held, schema=self._schema, orient="row"))
        self._held = []

    def frame(self) -> pl.DataFrame:
        self._flush()
        return pl.concat(self._frames, rechunk=True)


def _text(cell: Any) -> str | None:
    """A value as text: true is 1, a list of plain values one per line; blank and objects as None."""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, list):
        texts = [_text(item) for item in cell]
        return "\n".join(text for text in texts if text is not None) if None not in texts else None
    if not isinstance(cell, str) or not cell or cell.isspace():
        return None
    return cell if cell.isascii() else cell.encode("utf-8", "replace").decode()
