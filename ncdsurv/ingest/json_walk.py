"""Walks through a JSON file of any length and decodes one record at a time; what is hostile is refused in one line.

A file is one body, a list of bodies, or JSON Lines. Only a record is ever turned into objects: its size and
depth are known before, numbers stay text, and NaN, a field named twice or another encoding end the reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ncdsurv.errors import InputError
from ncdsurv.ingest.guard import LIMITS, refuse
from ncdsurv.ingest.headers import fold
from ncdsurv.ingest.json_decoder import DECODER, HostileJson

RECORD_BYTES = 1_000_000
DEPTH = 16
_SPACE = re.compile(rb"[ \t\r\n]*+")
_SCALAR = re.compile(rb'[^\s,:"\[\]{}]++')
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_RUN = re.compile(rb'(?:[^"\[\]{}]++|' + _STRING + rb")*+", re.DOTALL)
_TEXT = re.compile(_STRING, re.DOTALL)
_QUOTE, _OPEN = ord('"'), b"{["


@dataclass(frozen=True, repr=False)
class Record:
    """One record: the list it stands in, its place in the file, its content."""

    where: str
    number: int
    value: Any


@dataclass(frozen=True, repr=False)
class Body:
    """The end of one body: its keys (folded) besides the records, and itself where it has no list of records."""

    envelope: dict[str, Any]
    number: int
    whole: Any = None


Event = Record | Body
_Walk = Generator[Event, None, int]


class JsonWalk:
    """The records and bodies of one file, in order.

    Args:
        path: A file that passed the guard.
        lists: Keys of a body that hold records, with dots below one another.
    """

    def __init__(self, path: Path, lists: tuple[str, ...]) -> None:
        self.path = path
        self.data = _content(path)
        self.records = self.bodies = 0
        self._lists = {tuple(fold(part) for part in place.split(".")): place for place in lists}
        self._above = {place[:n] for place in self._lists for n in range(1, len(place))}
        self._listed = False

    def events(self) -> Iterator[Event]:
        """Each record as it comes, and each body when it ends.

        Raises:
            InputError: Not JSON, cut off, not UTF-8, too deep, too large, or hostile. One line, no value.
        """
        at = self._space(0)
        if at == len(self.data):
            raise refuse(self.path, "is empty", "export it again")
        while at < len(self.data):
            if self.data[at : at + 1] == b"[":
                at = yield from self._elements(at + 1, self._body)
            elif self.data[at : at + 1] == b"{":
                at = yield from self._body(at)
            else:
                raise self._broken(at)
            at = self._space(at)

    def _elements(self, at: int, each: Callable[[int], _Walk]) -> _Walk:
        at = self._space(at)
        if self.data[at : at + 1] == b"]":
            return at + 1
        while True:
            at = self._space((yield from each(at)))
            mark = self.data[at : at + 1]
            if mark == b"]":
                return at + 1
            if mark != b",":
                raise self._broken(at)
            at = self._space(at + 1)

    def _body(self, at: int) -> _Walk:
        self.bodies += 1
        if self.data[at : at + 1] != b"{":
            return (yield from self._record(at, ""))
        envelope: dict[str, Any] = {}
        self._listed = False
        end = yield from self._members(at, (), envelope)
        whole = None
        if not self._listed:
            self._count()
            if end - at > RECORD_BYTES:
                raise self._too_large()
            whole = self._decoded(at, end)
        yield Body(envelope, self.records, whole)
        return end

    def _members(self, at: int, above: tuple[str, ...], envelope: dict[str, Any]) -> _Walk:
        """The keys of an object on the way to the records."""
        at = self._space(at + 1)
        if self.data[at : at + 1] == b"}":
            return at + 1
        seen: set[str] = set()
        while True:
            key = _TEXT.match(self.data, at, at + RECORD_BYTES)
            if key is None:
                raise self._broken(at)
            name = str(self._decoded(at, key.end()))
            if name in seen:
                raise self._hostile("a field named twice")
            seen.add(name)
            at = self._space(key.end())
            if self.data[at : at + 1] != b":":
                raise self._broken(at)
            at = yield from self._value(self._space(at + 1), (*above, fold(name)), envelope)
            at = self._space(at)
            mark = self.data[at : at + 1]
            if mark == b"}":
                return at + 1
            if mark != b",":
                raise self._broken(at)
            at = self._space(at + 1)

    def _value(self, at: int, place: tuple[str, ...], envelope: dict[str, Any]) -> _Walk:
        mark = self.data[at : at + 1]
        where = self._lists.get(place)
        if where is not None:
            self._listed = True
            if mark == b"[":
                return (yield from self._elements(at + 1, lambda start: self._record(start, where)))
            if mark == b"{":
                return (yield from self._record(at, where))
        elif place in self._above and mark == b"{":
            return (yield from self._members(at, place, envelope))
        end = self._end(at)
        value = envelope[place[-1]] = self._decoded(at, end)
        if where is not None and value not in (None, "", "0", False):
            raise refuse(self.path, f"holds no list of records under {where}", "check --source and the file")
        return end

    def _record(self, at: int, where: str) -> _Walk:
        self._count()
        end = self._end(at)
        yield Record(where, self.records, self._decoded(at, end))
        return end

    def _count(self) -> None:
        self.records += 1
        if self.records > LIMITS.rows:
            raise refuse(self.path, f"holds more than {LIMITS.rows} records", "split it by month")

    def _space(self, at: int) -> int:
        found = _SPACE.match(self.data, at)
        return found.end() if found else at

    def _end(self, at: int) -> int:
        """Where a value ends; its size and depth are bounded, its inside is not yet checked."""
        data, limit, depth = self.data, at + RECORD_BYTES, 0
        if data[at : at + 1] not in (b"{", b"["):
            found = (_TEXT if data[at : at + 1] == b'"' else _SCALAR).match(data, at, limit)
            if found is None or found.end() == limit:
                raise self._cut(at, limit)
            return found.end()
        while True:
            found = _RUN.match(data, at, limit)
            at = found.end() if found else limit
            if at >= min(limit, len(data)) or data[at] == _QUOTE:
                raise self._cut(len(data) if data[at : at + 1] in (b"", b'"') else at, limit)
            if data[at] in _OPEN:
                depth += 1
                if depth > DEPTH:
                    raise self._hostile(f"objects nested deeper than {DEPTH}")
            else:
                depth -= 1
                if depth == 0:
                    return at + 1
            at += 1

    def _decoded(self, start: int, end: int) -> Any:
        try:
            return DECODER.decode(self.data[start:end].decode("utf-8"))
        except UnicodeDecodeError:
            raise _not_utf8(self.path) from None
        except HostileJson as error:
            raise self._hostile(str(error)) from None
        except (ValueError, RecursionError):
            raise self._broken(start) from None

    def _hostile(self, what: str) -> InputError:
        return refuse(self.path, f"holds {what} in record {max(1, self.records)}", "export it again")

    def _too_large(self) -> InputError:
        return InputError(
            f"{self.path.name} holds a record of more than {RECORD_BYTES} bytes, or its records stand elsewhere",
            got=f"record {max(1, self.records)}",
            allowed=f"records under {' or '.join(self._lists.values())}",
            do="check --source and the file",
        )

    def _cut(self, at: int, limit: int) -> InputError:
        return self._too_large() if limit < len(self.data) else self._broken(at)

    def _broken(self, at: int) -> InputError:
        what = "breaks off" if at >= len(self.data) else "is not well-formed JSON"
        line = self.data.count(b"\n", 0, at) + 1
        return refuse(self.path, f"{what} near line {line}, record {max(1, self.records)}", "export it again")


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if b"\0" in data or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _not_utf8(path)
    return data.removeprefix(b"\xef\xbb\xbf")


def _not_utf8(path: Path) -> InputError:
    return refuse(path, "is not UTF-8 text", "save it as UTF-8")
