"""The visits of HOSO files and their parts: envelope in base64, inline, or bare; streamed and parsed lazily."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO, TypeAlias

from lxml import etree

from ncdsurv.catalog.hoso import HosoMapping
from ncdsurv.errors import InputError
from ncdsurv.ingest.payload import element_of

SAFE = {"resolve_entities": False, "no_network": True, "huge_tree": False, "load_dtd": False}

Part: TypeAlias = "etree._Element | bytes"
Document: TypeAlias = "tuple[str, BinaryIO]"


class Visit:
    """One HOSO: its parts, parsed when first asked for; remembers the first part that could not be read."""

    __slots__ = ("_parser", "_parts", "broken", "unit")

    def __init__(self, parts: dict[str, Part], unit: str | None, parser: etree.XMLParser) -> None:
        self._parts, self.unit, self._parser = parts, unit, parser
        self.broken: str | None = None

    def part(self, name: str) -> etree._Element | None:
        """The parsed part, or None when it is absent or unreadable."""
        found = self._parts.get(name)
        if isinstance(found, bytes):
            try:
                data = found if found.lstrip()[:1] in (b"<", b"{") else binascii.a2b_base64(found)
                if b"<!DOCTYPE" in data or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise ValueError("a document type or another encoding inside a part")
                if data.lstrip()[:1] == b"{":
                    found = element_of(json.loads(data), name)
                else:
                    found = etree.fromstring(data, self._parser)
            except (ValueError, RecursionError, etree.XMLSyntaxError):
                self.broken = self.broken or name
                del self._parts[name]
                return None
            self._parts[name] = found
        return found


def read_visits(documents: Iterable[Document], hoso: HosoMapping) -> Iterator[Visit]:
    """The visits of the documents of one file, one at a time; what was read is freed.

    Args:
        documents: (what to call it in an error, stream) of each XML document, in order.
        hoso: Names of the shell and the parts.

    Raises:
        InputError: A document is not well-formed or declares a document type.
    """
    parser = etree.XMLParser(**SAFE)
    bare = _BareParts(hoso)
    roots = hoso.part_of_root
    for name, stream in documents:
        unit: str | None = None
        found = False
        try:
            events = etree.iterparse(stream, events=("end",), tag=(hoso.visit, hoso.unit), **SAFE)
            for _, element in events:
                if element.tag == hoso.unit:
                    unit = element.text
                    continue
                if not found:
                    _refuse_dtd(name, element)
                    found = True
                yield Visit(_parts(element, hoso, roots), unit, parser)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
            _refuse_dtd(name, events.root)
        except etree.XMLSyntaxError as error:
            line = error.position[0] if error.position else 0
            raise InputError(
                f"{name} is not well-formed XML near line {line}", do="export it again"
            ) from None
        if not found:
            bare.add(events.root)
    yield from bare.visits(parser)


def _refuse_dtd(name: str, element: etree._Element) -> None:
    info = element.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        raise InputError(
            f"{name} declares a document type", do="export it without DOCTYPE; none is ever needed"
        )


def _parts(visit: etree._Element, hoso: HosoMapping, roots: dict[str, str]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for child in visit:
        tag = child.tag
        if tag != hoso.file:
            if isinstance(tag, str):
                parts[roots.get(tag, tag)] = child
            continue
        name, content = "", None
        for cell in child:
            if cell.tag == hoso.file_name:
                name = (cell.text or "").strip().upper()
            elif cell.tag == hoso.content:
                content = cell
        if content is None or not name:
            continue
        parts[name] = content[0] if len(content) else (content.text or "").encode()
    return parts


class _BareParts:
    """Parts outside any envelope, of one or many documents, joined by the visit's own number.

    Kept as bytes, so that a folder of small files costs about its own size. Lines whose visit has no head
    make a visit that cannot be read: it is counted and rejected, never dropped.
    """

    def __init__(self, hoso: HosoMapping) -> None:
        self.hoso = hoso
        self._heads: dict[str, list[bytes]] = {}
        self._others: dict[str, dict[str, list[bytes]]] = {}

    def add(self, root: etree._Element) -> None:
        """Take what is in a document."""
        for name, part in self.hoso.parts.items():
            units = list(root.iter(part.line) if part.line else root.iter(*part.roots))
            for unit in units:
                key = (unit.findtext(self.hoso.key_tag) or "").strip()
                unit.tail = None
                data = etree.tostring(unit, encoding="utf-8")
                if name == self.hoso.head:
                    self._heads.setdefault(key or f"#{len(self._heads)}", []).append(data)
                else:
                    self._others.setdefault(key, {}).setdefault(name, []).append(data)

    def visits(self, parser: etree.XMLParser) -> Iterator[Visit]:
        """One visit per head, in order; then one per visit number that has lines but no head."""
        if len(self._heads) == 1:  # lines without a number belong to the only visit there is
            only = next(iter(self._heads))
            for name, units in self._others.pop("", {}).items():
                self._others.setdefault(only, {}).setdefault(name, []).extend(units)
        for key, heads in self._heads.items():
            parts = self._joined(self._others.pop(key, {}))
            for head in heads:
                yield Visit({**parts, self.hoso.head: head}, None, parser)
        for orphans in self._others.values():
            yield Visit(self._joined(orphans), None, parser)

    def _joined(self, found: dict[str, list[bytes]]) -> dict[str, Part]:
        parts: dict[str, Part] = {}
        for name, units in found.items():
            wrap = name.encode()
            several = self.hoso.parts[name].line is not None or len(units) > 1
            parts[name] = b"<%b>%b</%b>" % (wrap, b"".join(units), wrap) if several else units[0]
        return parts
