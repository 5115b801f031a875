"""FHIR R4 of invented stations: a bundle in the one guide's manner, lines (NDJSON) in the other's; in mixed order."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ncdsurv.synthetic.data import parameters
from ncdsurv.synthetic.registry import SyntheticRegistry
from ncdsurv.synthetic.writers.book import Book, FileJob, make_book
from ncdsurv.synthetic.writers.fhir_station import Resource, Station, loose, url

_MONTH = "%Y%m"


def write_samples(registry: SyntheticRegistry, folder: Path) -> list[Path]:
    """Write one station's visits in each style.

    Args:
        registry: Whose visits are written.
        folder: Where to.

    Returns:
        The paths.
    """
    plan, book = parameters("linked_resources"), make_book(registry)
    jobs = [job for job in book.jobs if job.writer == plan["writer"]]
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for style in plan["style"].values():
        job = jobs[style["station"] % len(jobs)]
        name = style["file"].format(facility=job.station["facility"], month=f"{book.last_day:{_MONTH}}")
        path = folder / name
        path.write_text(as_text(station(book, job, style), style), encoding="utf-8", newline="\n")
        paths.append(path)
    return paths


def station(book: Book, job: FileJob, style: Mapping[str, Any]) -> list[Resource]:
    """All resources of a station's visits, in an order that has nothing to do with what refers to what.

    Args:
        book: People and diseases.
        job: The station's visits.
        style: How a guide names and joins things; `loose_every`: every so many exams have no encounter.
    """
    made = list(Station(book, job, style).resources())
    return sorted(made, key=lambda resource: zlib.crc32(resource["id"].encode()))


def as_text(resources: list[Resource], style: Mapping[str, Any]) -> str:
    """The file: one resource a line, or a bundle whose entries stand a line each."""
    if style["lines"]:
        return "".join(_json(resource) + "\n" for resource in resources)
    entries = ",\n".join(
        _json({"fullUrl": url(resource["id"]), "resource": resource}) for resource in resources
    )
    return f'{{"resourceType":"Bundle","type":"collection","entry":[\n{entries}\n]}}\n'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


__all__ = ["as_text", "loose", "station", "write_samples"]
