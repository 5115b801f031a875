"""What the index keeps of a resource: the texts at the places a mapping names, references, measurements, its time."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ncdsurv.catalog.resources import DAY, FOLLOW, LAB, LinkedMapping, ResourceMapping, bare
from ncdsurv.catalog.sources import SourceMapping
from ncdsurv.ingest.resource_index import DAY_CHARS
from ncdsurv.ingest.resource_names import identifier_names, references
from ncdsurv.ingest.resource_places import Measures, Place, compiled, elements, text

_MONTH = re.compile(r"\d{4}-\d\d")
_TEXTS = 20  # of one place in one resource
_REFERENCES = 50


class Taker:
    """Takes from resources what a source needs.

    Args:
        mapping: The source.
        linked: Its linked part.
    """

    def __init__(self, mapping: SourceMapping, linked: LinkedMapping) -> None:
        self._linked, self._systems = linked, linked.system_names()
        self._measures = Measures(mapping, linked.units)
        self._takes: dict[str, dict[str, tuple[Place, Mapping[str, float] | None]]] = defaultdict(dict)
        for name, field in mapping.fields.items():
            for column in field.columns:
                if not column.startswith((f"{LAB}.", f"{DAY}.")):
                    self._take(bare(column), linked.units.get(name))
        self._people = {kind for kind, how in linked.resources.items() if how.joins == "person"}
        self._paths = {
            (kind, name): tuple(
                compiled(f"{kind}.{path}", self._systems).steps for path in getattr(how, name)
            )
            for kind, how in linked.resources.items()
            for name in ("person", "contact", "holds", "time", "before", "ended")
        }
        self._codes = {
            (kind, name): [
                (compiled(f"{kind}.{path}", self._systems).steps, frozenset(codes))
                for path, codes in getattr(how, name).items()
            ]
            for kind, how in linked.resources.items()
            for name in ("withdrawn", "lasting", "never", "lapsing")
        }
        self.kinds = frozenset((*linked.resources, *self._takes))

    def _take(self, column: str, factors: Mapping[str, float] | None) -> None:
        place = compiled(column, self._systems)
        self._takes[place.kind][column] = (place, factors)
        if FOLLOW in column:
            self._take(place.then, factors)

    def contained(self, resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Persons and others that a resource carries inside, to which it refers by `#id`."""
        inside = resource.get("contained")
        for inner in inside[:_REFERENCES] if isinstance(inside, list) else ():
            if isinstance(inner, dict) and isinstance(inner.get("id"), str):
                kind = inner.get("resourceType")
                if (
                    isinstance(kind, str)
                    and kind in self.kinds
                    and (kind in self._people or kind not in self._linked.resources)
                ):
                    yield inner

    def body(self, kind: str, resource: dict[str, Any], owner: str, url: str) -> dict[str, Any]:
        """All that the rows need of a resource, small enough to be kept by the million."""
        texts: dict[str, list[str]] = {}
        follows: dict[str, list[list[str]]] = {}
        for key, (place, factors) in self._takes[kind].items() if kind in self._takes else ():
            found = elements(resource, place.steps)
            if place.then:
                follows[key] = [
                    names for item in found[:_REFERENCES] if (names := references(item, owner, url))
                ]
            elif place.asks:
                texts[key] = ["true"] if any(item is not False for item in found) else []
            else:
                texts[key] = [part for item in found[:_TEXTS] if (part := text(item, factors))]
        body: dict[str, Any] = {
            "texts": {key: value for key, value in texts.items() if value},
            "follows": {key: value for key, value in follows.items() if value},
        }
        how = self._linked.resources.get(kind)
        if how is not None:
            body |= self._joined(kind, how, resource, owner, url)
        return {key: value for key, value in body.items() if value}

    def _joined(
        self, kind: str, how: ResourceMapping, resource: dict[str, Any], owner: str, url: str
    ) -> dict[str, Any]:
        return {
            **{
                name: [
                    names
                    for steps in self._paths[kind, name]
                    for item in elements(resource, steps)[:_REFERENCES]
                    if (names := references(item, owner, url)) or isinstance(item, dict)
                ]
                for name in ("person", "contact", "holds")
            },
            "before": self._first(kind, "before", resource),
            "measures": self._measures.of(resource) if how.measures else {},
            "lasting": self._coded(kind, "lasting", resource),
            "ended": (ended := self._ended(kind, resource)),
            "never": ended and self._coded(kind, "never", resource),
            "lapses": self._lapses(kind, resource),
            "ids": sorted(identifier_names(resource.get("identifier")))[:_TEXTS]
            if kind in self._people
            else [],
        }

    def time(self, kind: str, resource: dict[str, Any]) -> str | None:
        """When a resource was true, in local time."""
        return self._first(kind, "time", resource)

    def _first(self, kind: str, name: str, resource: dict[str, Any]) -> str | None:
        found = (
            text(item) for steps in self._paths.get((kind, name), ()) for item in elements(resource, steps)
        )
        return next((part for part in found if part and part[:4].isdigit()), None)

    def withdrawn(self, kind: str, resource: dict[str, Any]) -> bool:
        """Whether its status says that it does not count, and no day says since when."""
        return self._coded(kind, "withdrawn", resource) and self._ended(kind, resource) is None

    def _lapses(self, kind: str, resource: dict[str, Any]) -> bool:
        """Whether it is of a kind that is true for a while only."""
        return any(
            (text(item) or "").startswith(tuple(beginnings))
            for steps, beginnings in self._codes.get((kind, "lapsing"), ())
            for item in elements(resource, steps)
        )

    def _ended(self, kind: str, resource: dict[str, Any]) -> str | None:
        """The day from which a withdrawn resource no longer held; the first of a month where that is all it says."""
        if not self._coded(kind, "withdrawn", resource):
            return None
        said = self._first(kind, "ended", resource) or ""
        if not _MONTH.match(said):
            return None
        return said[:DAY_CHARS] if len(said) >= DAY_CHARS else f"{said}-01"

    def _coded(self, kind: str, name: str, resource: dict[str, Any]) -> bool:
        return any(
            text(item) in codes
            for steps, codes in self._codes.get((kind, name), ())
            for item in elements(resource, steps)
        )

    def version(self, resource: dict[str, Any]) -> str:
        """Grows with each version of a resource."""
        meta = resource.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        updated, number = (
            value if isinstance(value := meta.get(key), str) else "" for key in ("lastUpdated", "versionId")
        )
        try:
            when = dt.datetime.fromisoformat(updated)
            updated = (when if when.tzinfo is None else when.astimezone(dt.UTC)).isoformat()[:26]
        except (ValueError, OverflowError):
            updated = ""
        return f"{updated}|{number if number.isdigit() else '':0>12.12}"
