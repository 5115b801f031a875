"""Small files of every source and format there is a sample of, and their values planted, cut and broken."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import xlwt
from python_calamine import CalamineWorkbook

from ncdsurv.catalog import load_catalog
from ncdsurv.registry.worker import Cleaned, Cleaner
from tests.conftest import SAMPLES

_ROWS = 4
_AT_ONCE = 12
_LEAF = re.compile(r">([^<>\n]+)<")
_CELL = re.compile(rb"<t[^>]*>([^<]+)</t>|<v>([^<]+)</v>")


@lru_cache(maxsize=1)
def cleaner() -> Cleaner:
    """What a reading process does, in this one."""
    return Cleaner(b"k" * 32, [])


def samples() -> list[tuple[str, Path]]:
    """(source, the smallest sample of each format)."""
    found = []
    for source in sorted(load_catalog().sources):
        by_suffix: dict[str, Path] = {}
        folder = SAMPLES / source
        for path in sorted(folder.iterdir(), key=lambda p: p.stat().st_size) if folder.is_dir() else ():
            by_suffix.setdefault(path.suffix, path)
        found += [(source, path) for path in by_suffix.values()]
    return found


def shortened(path: Path) -> bytes:
    """The same file with few records, where that is easy to do; whole otherwise."""
    data = path.read_bytes()
    if path.suffix in (".csv", ".jsonl", ".ndjson"):
        return b"".join(data.splitlines(keepends=True)[: _ROWS + 1])
    if path.suffix == ".xml":
        text = data.decode()
        parts = re.split(r"(?<=</HOSO>)", text)
        if len(parts) > _ROWS:
            return ("".join(parts[:2]) + parts[-1]).encode()
    return data


def small(path: Path) -> bytes:
    """The same file with one record of each kind, to be walked byte by byte; workbooks are refused cheaply, whole."""
    data = shortened(path)
    if path.suffix == ".csv":
        return b"".join(data.splitlines(keepends=True)[:2])
    if path.suffix == ".xls":
        return _small_workbook(path)
    if path.suffix == ".json":
        return json.dumps(_first(json.loads(data)), ensure_ascii=False).encode()
    if path.suffix in (".jsonl", ".ndjson"):
        return b"".join(data.splitlines(keepends=True)[:2])
    return data


def _small_workbook(path: Path) -> bytes:
    """A binary workbook's first rows, written anew."""
    book = CalamineWorkbook.from_path(str(path))
    rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)[:6]
    made, out = xlwt.Workbook(encoding="utf-8"), io.BytesIO()
    page = made.add_sheet(book.sheet_names[0])
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            page.write(row, column, f"{cell:%d/%m/%Y}" if isinstance(cell, date) else cell)
    made.save(out)
    return out.getvalue()


def _first(node: Any) -> Any:
    """A document with the first two of every list."""
    if isinstance(node, dict):
        return {name: _first(value) for name, value in node.items()}
    return [_first(value) for value in node[:2]] if isinstance(node, list) else node


def clean(folder: Path, source: str, name: str, data: bytes) -> Cleaned:
    """What becomes of some bytes under a name."""
    path = folder / name
    path.write_bytes(data)
    (answer,) = cleaner().clean([path], source)
    assert answer is not None
    return answer


def values_of(batch: Any) -> set[str]:
    """The values of people in a clean batch that nobody must see outside the vault."""
    frame = batch.identifiers
    names = set(frame.columns) - {"record_id", "file_sha256", "received", "facility", "source"}
    found = {str(value) for name in names for value in frame[name].drop_nulls().to_list()}
    return {value for value in found if len(value) >= 6 and not value.isspace()}


def planted(path: Path, mark: str) -> Iterator[bytes]:
    """The file with a mark in the place of its values: column by column, leaf by leaf."""
    if path.suffix == ".csv":
        yield from _in_columns(shortened(path), mark)
    elif path.suffix in (".json", ".jsonl", ".ndjson"):
        yield from _in_json(path, mark)
    elif path.suffix == ".xml":
        text = shortened(path).decode()
        tags = sorted(set(re.findall(r"<(\w+)>[^<>\n]+</", text)))
        for tag in tags:
            yield re.sub(rf"(<{tag}>)[^<>\n]+(</{tag}>)", rf"\g<1>{mark}\g<2>", text).encode()
        yield _LEAF.sub(f">{mark}<", text).encode()
    elif path.suffix == ".xlsx":
        yield from _in_workbook(path, mark)


def _in_columns(data: bytes, mark: str) -> Iterator[bytes]:
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig", errors="replace"))))
    width = max(map(len, rows))

    def written(changed: list[list[str]]) -> bytes:
        out = io.StringIO()
        csv.writer(out).writerows(changed)
        return out.getvalue().encode()

    for column in range(width):
        yield written(
            [rows[0]] + [[mark if at == column else cell for at, cell in enumerate(row)] for row in rows[1:]]
        )
    head = rows[0]
    yield written([[mark, *head[1:]], *rows[1:]])  # among the headers
    yield written([[*head, mark], *[[*row, mark] for row in rows[1:]]])  # beside them
    yield written([[f"Sổ của {mark}"], *rows])  # above them
    yield written([[mark] * width for _ in rows])  # instead of all


def _in_json(path: Path, mark: str) -> Iterator[bytes]:
    lines = shortened(path).decode().splitlines() if path.suffix != ".json" else [path.read_text("utf-8")]
    whole = [json.loads(line) for line in lines]
    keys = sorted({key for document in whole for key in _keys(document)})
    for start in range(_AT_ONCE):
        some = frozenset(keys[start::_AT_ONCE])
        yield "\n".join(json.dumps(_marked(document, some, mark)) for document in whole).encode()


def _keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str | int | float):
                yield key
            yield from _keys(value)
    elif isinstance(node, list):
        for value in node:
            yield from _keys(value)


def _marked(node: Any, keys: frozenset[str], mark: str) -> Any:
    if isinstance(node, dict):
        return {
            name: mark
            if name in keys and isinstance(value, str | int | float)
            else _marked(value, keys, mark)
            for name, value in node.items()
        }
    return [_marked(value, keys, mark) for value in node] if isinstance(node, list) else node


def _in_workbook(path: Path, mark: str) -> Iterator[bytes]:
    """A mark in the place of every 7th shared text, each in turn; texts of the first rows come first."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/sharedStrings.xml"
    if name not in parts:
        return
    pieces = re.split(rb"(<t[^>]*>[^<]*</t>)", parts[name])
    for start in range(7):
        texts = list(pieces)
        for at in range(1 + 2 * start, len(texts), 14):
            texts[at] = f"<t>{mark}</t>".encode()
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, content in parts.items():
                archive.writestr(part, b"".join(texts) if part == name else content)
        yield out.getvalue()
