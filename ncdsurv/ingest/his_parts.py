"""The visits of a HIS XML file and their parts: envelope in base64, inline, or bare; streamed and parsed lazily."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from lxml import etree

from ncdsurv.ingest.guard import refuse

HEAD = "XML1"
DRUG_PART, LAB_PART = "XML2", "XML4"
LINES = {DRUG_PART: "CHI_TIET_THUOC", LAB_PART: "CHI_TIET_CLS", "XML5": "CHI_TIET_DIEN_BIEN_BENH"}
_SAFE = {"resolve_entities": False, "no_network": True, "huge_tree": False, "load_dtd": False}
_ROOTS = {
    "TONG_HOP": HEAD,
    "CHITIEU_CHITIET_THUOC": DRUG_PART,
    "DSACH_CHI_TIET_THUOC": DRUG_PART,
    "CHITIEU_CHITIET_DICHVUCANLAMSANG": LAB_PART,
    "DSACH_CHI_TIET_CLS": LAB_PART,
    "CHITIEU_CHITIET_DIENBIENLAMSANG": "XML5",
    "DSACH_CHI_TIET_DIEN_BIEN_BENH": "XML5",
    "CHI_TIEU_GIAYHEN_KHAMLAI": "XML14",
}

Part: TypeAlias = "etree._Element | bytes"


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
                data = found if found.lstrip().startswith(b"<") else binascii.a2b_base64(found)
                if b"<!DOCTYPE" in data or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise ValueError("a document type or another encoding inside a part")
                found = etree.fromstring(data, self._parser)
            except (ValueError, etree.XMLSyntaxError):
                self.broken = self.broken or name
                del self._parts[name]
                return None
            self._parts[name] = found
        return found


def read_visits(path: Path) -> Iterator[Visit]:
    """The visits of a file, one at a time; what was read is freed."""
    unit: str | None = None
    found = False
    parser = etree.XMLParser(**_SAFE)
    with path.open("rb") as file:
        events = etree.iterparse(file, events=("end",), tag=("HOSO", "MACSKCB"), **_SAFE)
        for _, element in events:
            if element.tag == "MACSKCB":
                unit = element.text
                continue
            if not found:
                _refuse_dtd(path, element)
                found = True
            yield Visit(_parts(element), unit, parser)
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
        _refuse_dtd(path, events.root)
        if not found:
            yield from _bare(events.root, parser)


def _refuse_dtd(path: Path, element: etree._Element) -> None:
    info = element.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        raise refuse(path, "declares a document type", "export it without DOCTYPE; none is ever needed")


def _parts(visit: etree._Element) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for child in visit:
        tag = child.tag
        if tag != "FILEHOSO":
            if isinstance(tag, str):
                parts[_ROOTS.get(tag, tag)] = child
            continue
        name, content = "", None
        for cell in child:
            if cell.tag == "LOAIHOSO":
                name = (cell.text or "").strip()
            elif cell.tag == "NOIDUNGFILE":
                content = cell
        if content is None or not name:
            continue
        parts[name] = content[0] if len(content) else (content.text or "").encode()
    return parts


def _bare(root: etree._Element, parser: etree.XMLParser) -> Iterator[Visit]:
    """Files without envelope: parts anywhere, joined by their visit id MA_LK."""
    heads = list(root.iter("TONG_HOP"))
    visits: dict[str, dict[str, Part]] = {}
    for order, head in enumerate(heads):
        visits[(head.findtext("MA_LK") or "").strip() or f"#{order}"] = {HEAD: head}
    only = next(iter(visits)) if len(visits) == 1 else ""
    for part, line in LINES.items():
        for element in list(root.iter(line)):
            key = (element.findtext("MA_LK") or "").strip() or only
            if key in visits:
                lines = visits[key].setdefault(part, etree.Element(part))
                if not isinstance(lines, bytes):
                    lines.append(element)
    for parts in visits.values():
        yield Visit(parts, None, parser)
