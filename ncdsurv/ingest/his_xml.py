"""Reads HIS output XML (Decisions 130 and 4750): one row per HOSO, its parts joined.

The envelope carries each part in base64; bare files carry them inline, with or without wrappers. Parts are
streamed; entities are not resolved, DTDs are refused, nothing is fetched.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import polars as pl
from lxml import etree

from ncdsurv.catalog.sources import LabMapping, SourceMapping
from ncdsurv.errors import InputError
from ncdsurv.ingest.guard import refuse
from ncdsurv.ingest.headers import fold
from ncdsurv.ingest.raw import DAMAGE

SHEET = "HOSO"
_SAFE = {"resolve_entities": False, "no_network": True, "huge_tree": False, "load_dtd": False}
_ROOTS = {
    "TONG_HOP": "XML1",
    "CHITIEU_CHITIET_THUOC": "XML2",
    "CHITIEU_CHITIET_DVKT_VTYT": "XML3",
    "CHITIEU_CHITIET_DICHVUCANLAMSANG": "XML4",
    "CHITIEU_CHITIET_DIENBIENLAMSANG": "XML5",
    "CHI_TIEU_GIAYHEN_KHAMLAI": "XML14",
    "CHI_TIEU_DU_LIEU_GIAY_HEN_KHAM_LAI": "XML14",
    "DSACH_CHI_TIET_THUOC": "XML2",
    "DSACH_CHI_TIET_CLS": "XML4",
    "DSACH_CHI_TIET_DIEN_BIEN_BENH": "XML5",
}
_LINES = {"XML2": "CHI_TIET_THUOC", "XML4": "CHI_TIET_CLS", "XML5": "CHI_TIET_DIEN_BIEN_BENH"}

Parts = dict[str, etree._Element]


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
    getters = _getters(mapping)
    names = list(getters)
    columns: dict[str, list[str | None]] = {name: [] for name in (*names, *mapping.labs)}
    damage: list[str | None] = []
    wanted = _wanted(mapping)
    try:
        for parts, unit, broken in _visits(path, wanted):
            labs = _labs(parts.get("XML4"), mapping.labs)
            head = _children(parts.get("XML1"))
            for name in names:
                columns[name].append(_first(getters[name], head, parts, labs, unit))
            for name in mapping.labs:
                columns[name].append(labs[name][0])
            damage.append(broken or (None if head else "XML1"))
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else 0
        raise refuse(path, f"is not well-formed XML near line {line}", "export it again") from None
    if not damage:
        raise InputError(
            f"{path.name} holds no visit",
            allowed="HOSO with FILEHOSO, or TONG_HOP",
            do="check --source and the file",
        )
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return frame.select(
        pl.lit(SHEET).alias("sheet"),
        (pl.int_range(pl.len(), dtype=pl.Int64) + 1).alias("row_number"),
        pl.lit("").alias("sheet_kind"),
        pl.Series(DAMAGE, damage, dtype=pl.String),
        *columns,
    )


def _getters(mapping: SourceMapping) -> dict[str, tuple[tuple[str, ...], ...]]:
    return {
        name: tuple(tuple(column.split(".")) for column in field.columns)
        for name, field in mapping.fields.items()
        if field.columns
    }


def _wanted(mapping: SourceMapping) -> frozenset[str]:
    parts = {column.split(".")[0] for field in mapping.fields.values() for column in field.columns}
    return frozenset(parts | ({"XML4"} if mapping.labs else set()) | {"XML1"})


def _visits(path: Path, wanted: frozenset[str]) -> Iterator[tuple[Parts, str | None, str | None]]:
    """(parts by table, the sender's facility code, the part that could not be read) of each visit."""
    unit: str | None = None
    found = False
    parser = etree.XMLParser(**_SAFE)
    with path.open("rb") as file:
        events = etree.iterparse(file, events=("start", "end"), **_SAFE)
        first = True
        for event, element in events:
            if first:
                _refuse_dtd(path, element)
                first = False
            if event == "start":
                continue
            tag = element.tag
            if tag == "HOSO":
                found = True
                parts, broken = _parts(element, wanted, parser)
                yield parts, unit, broken
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
            elif tag == "MACSKCB":
                unit = _strip(element.text)
        if not found:
            yield from _bare(events.root)


def _refuse_dtd(path: Path, element: etree._Element) -> None:
    info = element.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        raise refuse(path, "declares a document type", "export it without DOCTYPE; none is ever needed")


def _parts(
    visit: etree._Element, wanted: frozenset[str], parser: etree.XMLParser
) -> tuple[Parts, str | None]:
    parts: Parts = {}
    broken = None
    for child in visit:
        tag = child.tag
        if tag == "FILEHOSO":
            name = _strip(child.findtext("LOAIHOSO")) or ""
            content = child.find("NOIDUNGFILE")
            if name not in wanted or content is None:
                continue
            if len(content):  # inline instead of base64
                parts[name] = content[0]
                continue
            try:
                parts[name] = _decode(content.text or "", parser)
            except (binascii.Error, ValueError, etree.XMLSyntaxError):
                broken = broken or name
        elif tag in _ROOTS:
            parts[_ROOTS[tag]] = child
        elif tag in wanted:
            parts[tag] = child[0] if len(child) == 1 and child[0].tag in _ROOTS else child
    return parts, broken


def _decode(text: str, parser: etree.XMLParser) -> etree._Element:
    text = text.strip()
    data = text.encode() if text.startswith("<") else base64.b64decode(text)
    root = etree.fromstring(data, parser)
    if root.getroottree().docinfo.doctype:
        raise ValueError("a DTD inside a part")
    return root


def _bare(root: etree._Element) -> Iterator[tuple[Parts, str | None, str | None]]:
    """Files without envelope: parts anywhere, joined by their visit id MA_LK."""
    visits: dict[str, Parts] = {}
    heads = [root] if root.tag == "TONG_HOP" else list(root.iter("TONG_HOP"))
    for order, head in enumerate(heads):
        visits.setdefault(_strip(head.findtext("MA_LK")) or f"#{order}", {})["XML1"] = head
    for part, line in _LINES.items():
        for element in root.iter(line):
            key = _strip(element.findtext("MA_LK")) or ("#0" if len(heads) == 1 else "")
            if len(heads) == 1 and key not in visits:
                key = next(iter(visits))
            if key in visits:
                visits[key].setdefault(part, etree.Element(part)).append(element)
    for parts in visits.values():
        yield parts, None, None


def _children(part: etree._Element | None) -> dict[str, str | None]:
    return {} if part is None else {child.tag: child.text for child in part}


def _strip(text: str | None) -> str | None:
    if text is None:
        return None
    return text.strip() or None


def _first(
    choices: tuple[tuple[str, ...], ...],
    head: dict[str, str | None],
    parts: Parts,
    labs: dict[str, tuple[str | None, str | None, str | None]],
    unit: str | None,
) -> str | None:
    for choice in choices:
        place = choice[0]
        if place == "XML1":
            text = _strip(head.get(choice[1]))
        elif place == "LAB":
            text = labs[choice[1]][1 if choice[2] == "unit" else 2]
        elif place == "THONGTINDONVI":
            text = unit
        elif (part := parts.get(place)) is None:
            continue
        elif place == "XML2" and len(choice) == 1:
            text = _drugs(part)
        elif place in _LINES:
            text = _joined(part, choice[1])
        else:
            text = _strip(part.findtext(f".//{choice[1]}"))
        if text is not None:
            return text
    return None


def _joined(part: etree._Element, field: str) -> str | None:
    texts = [text for element in part.iter(field) if (text := _strip(element.text))]
    return "\n".join(texts) or None


def _drugs(part: etree._Element) -> str | None:
    """One line per drug: its dose as written and, after a bar, the quantity dispensed."""
    lines = []
    for drug in part.iter("CHI_TIET_THUOC"):
        cells = _children(drug)
        dose, quantity = _strip(cells.get("LIEU_DUNG")), _strip(cells.get("SO_LUONG"))
        lines.append(f"{(dose or '').replace(chr(10), ' ')}|{quantity or ''}")
    return "\n".join(lines) or None


def _labs(
    part: etree._Element | None, labs: dict[str, LabMapping]
) -> dict[str, tuple[str | None, str | None, str | None]]:
    """(value, unit, name) of each wanted laboratory value: by service code, else by name; the last wins."""
    found: dict[str, tuple[str | None, str | None, str | None]] = dict.fromkeys(labs, (None, None, None))
    if part is None:
        return found
    by_code: set[str] = set()
    for line in part.iter("CHI_TIET_CLS"):
        cells = _children(line)
        value = _strip(cells.get("GIA_TRI"))
        if value is None:
            continue
        code, name = _strip(cells.get("MA_DICH_VU")), _strip(cells.get("TEN_CHI_SO"))
        for lab, mapping in labs.items():
            coded = code in mapping.service_codes
            if coded or (lab not in by_code and _named(name or "", mapping.names, mapping.not_names)):
                found[lab] = (value, _strip(cells.get("DON_VI_DO")), name)
                if coded:
                    by_code.add(lab)
    return found


@lru_cache(maxsize=4096)
def _named(name: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> bool:
    folded = fold(name)
    return any(fold(word) in folded for word in wanted) and not any(fold(word) in folded for word in unwanted)
