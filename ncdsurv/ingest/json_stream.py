"""Resources of a JSON file, one at a time: a bundle of any size, single resources, or one a line (NDJSON).

Numbers stay the text that was written. No more than one resource is held; nesting and size are limited.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

_CHUNK = 1 << 20
_LARGEST = 16 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
_NESTED_BUNDLES = 3
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,48}")
_BUNDLE, _ENTRY = "Bundle", "entry"
WITHOUT = "entry without a resource"


class DamagedJson(Exception):
    """What is wrong with a file, without a word of its content."""


class Found(NamedTuple):
    """One resource: the bundle it came in (0: none), its full URL, its type, and itself (None: not readable)."""

    scope: int
    full_url: str
    kind: str
    resource: dict[str, Any] | None


def _no_constant(text: str) -> None:
    raise ValueError("no number")


_decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_constant, strict=False)


def read_resources(file: BinaryIO, lines: bool, scopes: Iterator[int]) -> Iterator[Found]:
    """All resources of a file.

    Args:
        file: Open at its start.
        lines: Whether each line is a document of its own; see `is_lines`.
        scopes: Numbers of bundles, never the same twice.

    Raises:
        DamagedJson: Not JSON, not UTF-8, no resource, nested too deep, or a resource too large.
    """
    if not lines:
        cursor = _Cursor(file)
        while cursor.peek():
            yield from _document(cursor, scopes)
        return
    for line in iter(lambda: file.readline(_LARGEST), b""):
        if len(line) >= _LARGEST:
            raise DamagedJson(f"holds a line above {_LARGEST >> 20} MB")
        text = line.strip(b"\xef\xbb\xbf \t\r\n")
        if text:
            yield from _expanded(0, "", _loaded(text), scopes, 0)


def is_lines(file: BinaryIO) -> bool:
    """Whether the first line is a whole document and another one follows."""
    first = file.readline(_LARGEST).strip(b"\xef\xbb\xbf \t\r\n")
    rest = file.read(64).lstrip()
    return first.startswith(b"{") and rest.startswith(b"{") and _loaded(first) is not None


def _loaded(line: bytes) -> Any:
    try:
        return _decoder.decode(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _document(cursor: _Cursor, scopes: Iterator[int]) -> Iterator[Found]:
    """One document at the cursor: entries of a bundle come as they are met, whatever stands before or behind them."""
    if cursor.peek() == "[":
        for item in cursor.items():
            yield from _expanded(0, "", item, scopes, 0)
        return
    members: dict[str, Any] = {}
    scope, entries = 0, False
    for key in cursor.members():
        if key == _ENTRY and cursor.peek() == "[":
            scope, entries = next(scopes), True
            for item in cursor.items():
                yield from _entry(scope, item, scopes, 0)
        else:
            members[key] = cursor.value()
    kind = members.get("resourceType")
    if kind is None:
        raise DamagedJson("is JSON but holds no FHIR resource")
    if entries != (kind == _BUNDLE) and (entries or _ENTRY in members):
        raise DamagedJson("holds entries but is no Bundle")
    if kind != _BUNDLE:
        yield from _expanded(0, "", members, scopes, 0)


def _entry(scope: int, item: Any, scopes: Iterator[int], depth: int) -> Iterator[Found]:
    if not isinstance(item, dict):
        yield Found(scope, "", "", None)
        return
    url = item.get("fullUrl")
    if item.get("resource") is None and ("request" in item or "response" in item):
        yield Found(scope, "", WITHOUT, {})
        return
    yield from _expanded(scope, url if isinstance(url, str) else "", item.get("resource"), scopes, depth)


def _expanded(scope: int, url: str, resource: Any, scopes: Iterator[int], depth: int) -> Iterator[Found]:
    """A resource, or those of a bundle inside."""
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        yield Found(scope, url, "", None)
    elif kind == _BUNDLE and depth < _NESTED_BUNDLES:
        entries = resource.get(_ENTRY)
        inner = next(scopes)
        for item in entries if isinstance(entries, list) else ():
            yield from _entry(inner, item, scopes, depth + 1)
    else:
        yield Found(scope, url, kind, resource)


class _Cursor:
    """Walks a JSON text of any length: values are parsed one by one, the text around them is let go."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._text, self._at, self._ended = file, "", 0, False
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode

    def _more(self) -> None:
        left = self._text[self._at :]
        data = self._file.read(max(_CHUNK, len(left)))
        self._ended = not data
        try:
            self._text, self._at = left + self._decode(data, self._ended), 0
        except UnicodeDecodeError:
            raise DamagedJson("is not UTF-8") from None

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more()

    def take(self, allowed: str) -> str:
        """The next character, which must be one of some."""
        found = self.peek()
        if not found or found not in allowed:
            raise DamagedJson("is not well-formed JSON" if found else "ends too early")
        self._at += 1
        return found

    def value(self) -> Any:
        """The next value."""
        if not self.peek():
            raise DamagedJson("ends too early")
        while True:
            try:
                found, end = _decoder.raw_decode(self._text, self._at)
            except RecursionError:
                raise DamagedJson("is nested too deep") from None
            except ValueError:
                end = -1
            if end >= 0 and (end < len(self._text) or self._ended):
                self._at = end
                return found
            if self._ended:
                raise DamagedJson("is not well-formed JSON, or ends too early")
            if len(self._text) - self._at > _LARGEST:
                raise DamagedJson(f"is not well-formed JSON, or holds a resource above {_LARGEST >> 20} MB")
            self._more()

    def items(self) -> Iterator[Any]:
        """The elements of the array that begins here."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.take(",]") == "]":
                return

    def members(self) -> Iterator[str]:
        """The keys of the object that begins here; the caller takes each value."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                raise DamagedJson("is not well-formed JSON")
            key = self.value()
            self.take(":")
            yield str(key)
            if self.take(",}") == "}":
                return
